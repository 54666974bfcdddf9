/* SPDX-License-Identifier: MIT */
/*
 * The tables themselves: chains and rules as commands change them, the checks that iptables and the
 * kernel make (loops, targets that a table does not know), what they say when it is refused.
 *
 * Invariants: chain.refs is the number of rules that jump to it; no chain can come back to itself;
 * a table that a packet is in does not change (a hook that a rule's answer meets may command:
 * EBUSY).
 */
#include "nf/xt.h"

#include "kernel/host.h"
#include "lib/list.h"
#include "lib/str.h"
#include "nf/nf_conntrack.h"

static const char *const table_names[XT_TABLES] = { "raw", "mangle", "filter" };
static const char *const hook_names[NF_INET_NUMHOOKS] = { "PREROUTING", "INPUT", "FORWARD",
							  "OUTPUT", "POSTROUTING" };
static const u8 table_hooks[XT_TABLES] = {
	1u << NF_INET_PRE_ROUTING | 1u << NF_INET_LOCAL_OUT,
	0x1f,
	1u << NF_INET_LOCAL_IN | 1u << NF_INET_FORWARD | 1u << NF_INET_LOCAL_OUT,
};
static const s32 table_priority[XT_TABLES] = { NF_IP_PRI_RAW, NF_IP_PRI_MANGLE, NF_IP_PRI_FILTER };

const char *xt_table_name(u32 kind)
{
	return table_names[kind];
}

const char *xt_program(u16 pf)
{
	return pf == AF_INET6 ? "ip6tables" : "iptables";
}

bool xt_hook_of_table(u32 kind, u32 hook)
{
	return table_hooks[kind] & 1u << hook;
}

const char *xt_hook_name(u32 hook)
{
	return hook_names[hook];
}

struct xt_table *xt_table_get(const struct net *net, u16 pf, u32 kind)
{
	return net->xt ? net->xt->table[nf_family_index(pf)][kind] : NULL;
}

struct xt_chain *xt_chain_find(const struct xt_table *t, const char *name)
{
	list_for_each(pos, &t->chains) {
		struct xt_chain *c = list_entry(pos, struct xt_chain, list);

		if (str_eq(c->name, name))
			return c;
	}
	return NULL;
}

/* ---- rules ---- */

static bool spec_tracks(const struct xt_spec *s)
{
	for (u32 i = 0; i < s->matches; i++)
		if (s->match[i].kind == XT_MATCH_STATE || s->match[i].kind == XT_MATCH_CONNTRACK)
			return true;
	return s->target == XT_NOTRACK;
}

static void rule_free(struct xt_table *t, struct xt_chain *c, struct xt_rule *r)
{
	list_del_init(&r->list);
	c->rules_count--;
	if (r->jump)
		r->jump->refs--;
	if (spec_tracks(&r->spec))
		nf_ct_netns_put(t->net, t->pf);
	mem_free(net_world(t->net), MEM_XT_RULE, r, sizeof(*r));
}

/* In front of `before`. NULL: no memory. */
static struct xt_rule *rule_make(struct xt_table *t, struct xt_chain *c, struct list_head *before,
				 const struct xt_command *cmd)
{
	struct xt_rule *r = mem_zalloc(net_world(t->net), MEM_XT_RULE, sizeof(*r));

	if (!r)
		return NULL;
	if (spec_tracks(&cmd->spec) && nf_ct_netns_get(t->net, t->pf)) {
		mem_free(net_world(t->net), MEM_XT_RULE, r, sizeof(*r));
		return NULL;
	}
	r->spec = cmd->spec;
	r->packets = cmd->packets;
	r->bytes = cmd->bytes;
	r->limit_stamp = net_world(t->net)->now;
	for (u32 i = 0; i < r->spec.matches; i++) {
		const struct xt_match *m = &r->spec.match[i];

		if (m->kind == XT_MATCH_LIMIT)
			r->limit_credit = (u64)m->u.limit.avg * m->u.limit.burst * 100000;
		if (m->kind == XT_MATCH_STATISTIC && m->u.statistic.every)
			r->statistic_count = m->u.statistic.every - 1 - m->u.statistic.packet;
	}
	if (r->spec.jump[0]) {
		r->jump = xt_chain_find(t, r->spec.jump);
		r->jump->refs++;
	}
	list_add_tail(&r->list, before);
	c->rules_count++;
	return r;
}

/* The n-th, from 1. NULL: there are not so many. */
static struct xt_rule *rule_nth(const struct xt_chain *c, u32 n)
{
	list_for_each(pos, &c->rules)
		if (--n == 0)
			return list_entry(pos, struct xt_rule, list);
	return NULL;
}

static struct xt_rule *rule_find(const struct xt_chain *c, const struct xt_spec *spec)
{
	list_for_each(pos, &c->rules) {
		struct xt_rule *r = list_entry(pos, struct xt_rule, list);

		if (memcmp(&r->spec, spec, sizeof(*spec)) == 0)
			return r;
	}
	return NULL;
}

/* ---- chains and tables ---- */

static struct xt_chain *chain_make(struct xt_table *t, const char *name, u32 hook)
{
	struct xt_chain *c = mem_zalloc(net_world(t->net), MEM_XT_RULE, sizeof(*c));

	if (!c)
		return NULL;
	str_copy(c->name, name, sizeof(c->name));
	c->hook = hook;
	list_init(&c->rules);
	list_add_tail(&c->list, &t->chains);
	return c;
}

static void chain_flush(struct xt_table *t, struct xt_chain *c)
{
	list_for_each_safe(pos, tmp, &c->rules)
		rule_free(t, c, list_entry(pos, struct xt_rule, list));
}

static void chain_free(struct xt_table *t, struct xt_chain *c)
{
	list_del_init(&c->list);
	mem_free(net_world(t->net), MEM_XT_RULE, c, sizeof(*c));
}

static struct nf_hook_ops table_ops(struct xt_table *t, u32 hook)
{
	return (struct nf_hook_ops){ .hook = xt_do_table,
				     .priv = t,
				     .pf = t->pf,
				     .hooknum = hook,
				     .priority = table_priority[t->kind] };
}

static void table_free(struct xt_table *t)
{
	for (u32 hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		const struct nf_hook_ops ops = table_ops(t, hook);

		if (t->hook_chain[hook])
			nf_unregister_net_hook(t->net, &ops);
	}
	list_for_each(pos, &t->chains)
		chain_flush(t, list_entry(pos, struct xt_chain, list));
	list_for_each_safe(pos, tmp, &t->chains)
		chain_free(t, list_entry(pos, struct xt_chain, list));
	mem_free(net_world(t->net), MEM_XT_RULE, t, sizeof(*t));
}

static bool table_fill(struct xt_table *t)
{
	for (u32 hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		const struct nf_hook_ops ops = table_ops(t, hook);

		if (!xt_hook_of_table(t->kind, hook))
			continue;
		t->hook_chain[hook] = chain_make(t, hook_names[hook], hook);
		if (!t->hook_chain[hook])
			return false;
		if (nf_register_net_hook(t->net, &ops)) {
			chain_free(t, t->hook_chain[hook]);
			t->hook_chain[hook] = NULL;
			return false;
		}
	}
	return true;
}

static struct xt_table *table_make(struct net *net, u16 pf, u8 kind)
{
	struct xt_table *t = mem_zalloc(net_world(net), MEM_XT_RULE, sizeof(*t));

	if (!t)
		return NULL;
	t->net = net;
	t->pf = pf;
	t->kind = kind;
	list_init(&t->chains);
	if (table_fill(t))
		return t;
	table_free(t);
	return NULL;
}

static struct xt_table *table_need(struct net *net, u16 pf, u8 kind)
{
	struct xt_table **slot;

	if (!net->xt)
		net->xt = mem_zalloc(net_world(net), MEM_XT_RULE, sizeof(*net->xt));
	if (!net->xt)
		return NULL;
	slot = &net->xt->table[nf_family_index(pf)][kind];
	if (!*slot)
		*slot = table_make(net, pf, kind);
	return *slot;
}

void xt_net_exit(struct net *net)
{
	if (!net->xt)
		return;
	for (u32 f = 0; f < 2; f++)
		for (u32 i = 0; i < XT_TABLES; i++)
			if (net->xt->table[f][i])
				table_free(net->xt->table[f][i]);
	mem_free(net_world(net), MEM_XT_RULE, net->xt, sizeof(*net->xt));
	net->xt = NULL;
}

/* ---- commands ---- */

/* A command on a table; t NULL: it is not there yet, and all its chains are empty. */
struct job {
	struct net *net;
	struct xt_table *t;
	struct xt_command *c;
	bool dry;
};

static int refuse(const struct job *j, int err, const char *const *parts)
{
	struct xt_words w = { .c = j->c };

	xt_error(&w, 1, parts);
	return err;
}
#define REFUSE(j, err, ...) refuse(j, err, (const char *const[]){ __VA_ARGS__, NULL })

/* The hook that a chain of that name has in the table; NF_INET_NUMHOOKS: none. */
static u32 builtin(const struct job *j, const char *name)
{
	for (u32 hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if (xt_hook_of_table(j->c->table, hook) && str_eq(hook_names[hook], name))
			return hook;
	return NF_INET_NUMHOOKS;
}

static bool chain_exists(const struct job *j, const char *name)
{
	return builtin(j, name) < NF_INET_NUMHOOKS || (j->t && xt_chain_find(j->t, name));
}

/* Can rules of `from` lead to `to`? Chains have no loops, so this ends. */
static bool reaches(const struct xt_chain *from, const struct xt_chain *to)
{
	if (from == to)
		return true;
	list_for_each(pos, &from->rules) {
		const struct xt_rule *r = list_entry(pos, struct xt_rule, list);

		if (r->jump && reaches(r->jump, to))
			return true;
	}
	return false;
}

/* How many jumps deep it goes from here. */
static u32 chain_depth(const struct xt_chain *c)
{
	u32 depth = 0;

	list_for_each(pos, &c->rules) {
		const struct xt_rule *r = list_entry(pos, struct xt_rule, list);

		if (r->jump)
			depth = max_u32(depth, 1 + chain_depth(r->jump));
	}
	return depth;
}

static int check_jump(const struct job *j)
{
	const char *name = j->c->spec.jump;
	struct xt_chain *from, *to;

	if (!name[0])
		return 0;
	if (builtin(j, name) < NF_INET_NUMHOOKS)
		return REFUSE(j, -EINVAL,
			      "Invalid argument. A chain of a hook can not be a target: `", name,
			      "'");
	to = j->t ? xt_chain_find(j->t, name) : NULL;
	if (!to)
		return REFUSE(j, -ENOENT, "Couldn't load target `", name,
			      "':No such file or directory");
	from = xt_chain_find(j->t, j->c->chain);
	if (from && reaches(to, from))
		return REFUSE(j, -ELOOP, "Too many levels of symbolic links.");
	if (chain_depth(to) + 1 > XT_JUMP_DEPTH)
		return REFUSE(j, -EINVAL,
			      "Invalid argument. Chains call each other more than 16 deep.");
	return 0;
}

/* What the kernel's checkentry functions look at. */
static int check_spec(const struct job *j)
{
	const struct xt_spec *s = &j->c->spec;
	u32 hook = builtin(j, j->c->chain);

	if (s->in[0] && (hook == NF_INET_LOCAL_OUT || hook == NF_INET_POST_ROUTING))
		return REFUSE(j, -EINVAL, "Can't use -i with ", j->c->chain);
	if (s->out[0] && (hook == NF_INET_LOCAL_IN || hook == NF_INET_PRE_ROUTING))
		return REFUSE(j, -EINVAL, "Can't use -o with ", j->c->chain);
	if (s->target == XT_REJECT && j->c->table != XT_FILTER)
		return REFUSE(j, -EINVAL, "Invalid argument. REJECT is for the table filter.");
	if (s->target == XT_NOTRACK && j->c->table != XT_RAW)
		return REFUSE(j, -EINVAL, "Invalid argument. NOTRACK is for the table raw.");
	if (s->target == XT_MARK && j->c->table != XT_MANGLE)
		return REFUSE(j, -EINVAL, "Invalid argument. MARK is for the table mangle.");
	if (s->target == XT_REJECT && s->reject == XT_TCP_RESET &&
	    (s->proto != IPPROTO_TCP || s->invert & XT_INV_PROTO))
		return REFUSE(j, -EINVAL, "Invalid argument. tcp-reset needs -p tcp.");
	for (u32 i = 0; i < s->matches; i++) {
		const struct xt_match *m = &s->match[i];
		u16 need = m->kind == XT_MATCH_TCP   ? IPPROTO_TCP :
			   m->kind == XT_MATCH_UDP   ? IPPROTO_UDP :
			   m->kind == XT_MATCH_ICMP  ? IPPROTO_ICMP :
			   m->kind == XT_MATCH_ICMP6 ? IPPROTO_ICMPV6 :
						       s->proto;

		if (s->proto != need || (m->kind <= XT_MATCH_ICMP6 && s->invert & XT_INV_PROTO))
			return REFUSE(j, -EINVAL, "Invalid argument. The match ",
				      xt_match_name(m->kind, j->c->pf),
				      " needs its protocol (-p).");
		if (m->kind == XT_MATCH_MULTIPORT && s->proto != IPPROTO_TCP &&
		    s->proto != IPPROTO_UDP)
			return REFUSE(j, -EINVAL, "multiport needs `-p tcp' or `-p udp'");
		if (m->kind == XT_MATCH_STATISTIC && m->u.statistic.every &&
		    m->u.statistic.packet >= m->u.statistic.every)
			return REFUSE(j, -EINVAL, "--packet p must be 0 <= p <= n-1");
	}
	return check_jump(j);
}

static int need_chain(const struct job *j)
{
	if (chain_exists(j, j->c->chain))
		return 0;
	return REFUSE(j, -ENOENT, "No chain/target/match by that name.");
}

/* -A, -I, -R: makes the rule. */
static int do_add(struct job *j)
{
	struct xt_command *c = j->c;
	struct xt_chain *chain = j->t ? xt_chain_find(j->t, c->chain) : NULL;
	u32 count = chain ? chain->rules_count : 0, at = c->number ? c->number : 1;
	struct list_head *before;
	struct xt_rule *old = NULL;
	int err = need_chain(j);

	if (!err)
		err = check_spec(j);
	if (err)
		return err;
	if (c->verb == XT_INSERT && at > count + 1)
		return REFUSE(j, -EINVAL, "Index of insertion too big.");
	if (c->verb == XT_REPLACE && at > count)
		return REFUSE(j, -EINVAL, "Index of replacement too big.");
	if (j->dry)
		return 0;
	j->t = table_need(j->net, c->pf, c->table);
	if (!j->t)
		return -ENOMEM;
	chain = xt_chain_find(j->t, c->chain);
	before = &chain->rules;
	if (c->verb != XT_APPEND && at <= count) {
		old = rule_nth(chain, at);
		before = &old->list;
	}
	if (!rule_make(j->t, chain, before, c))
		return REFUSE(j, -ENOMEM, "Memory allocation problem.");
	if (c->verb == XT_REPLACE)
		rule_free(j->t, chain, old);
	return 0;
}

/* -D, -C. */
static int do_delete(struct job *j)
{
	struct xt_command *c = j->c;
	struct xt_chain *chain = j->t ? xt_chain_find(j->t, c->chain) : NULL;
	struct xt_rule *r = NULL;
	int err = need_chain(j);

	if (err)
		return err;
	if (c->verb == XT_DELETE_NUM) {
		r = chain ? rule_nth(chain, c->number) : NULL;
		if (!r)
			return REFUSE(j, -EINVAL, "Index of deletion too big.");
	} else {
		r = chain ? rule_find(chain, &c->spec) : NULL;
		if (!r)
			return REFUSE(j, -ENOENT,
				      "Bad rule (does a matching rule exist in that chain?).");
	}
	if (!j->dry && c->verb != XT_CHECK)
		rule_free(j->t, chain, r);
	return 0;
}

static void chain_zero(struct xt_chain *c, u32 number)
{
	u32 n = 0;

	if (!number)
		c->packets = c->bytes = 0;
	list_for_each(pos, &c->rules) {
		struct xt_rule *r = list_entry(pos, struct xt_rule, list);

		if (!number || ++n == number)
			r->packets = r->bytes = 0;
	}
}

/* -F, -Z: one chain or all. */
static int do_each(struct job *j)
{
	struct xt_command *c = j->c;

	if (c->chain[0]) {
		int err = need_chain(j);

		if (err)
			return err;
	}
	if (j->dry || !j->t)
		return 0;
	list_for_each(pos, &j->t->chains) {
		struct xt_chain *chain = list_entry(pos, struct xt_chain, list);

		if (c->chain[0] && !str_eq(chain->name, c->chain))
			continue;
		if (c->verb == XT_FLUSH)
			chain_flush(j->t, chain);
		else
			chain_zero(chain, c->number);
	}
	return 0;
}

static int new_chain(struct job *j, const char *name)
{
	if (chain_exists(j, name))
		return REFUSE(j, -EEXIST, "Chain already exists.");
	for (u32 i = 0; i < 4; i++) {
		static const char *const reserved[] = { "ACCEPT", "DROP", "RETURN", "QUEUE" };

		if (str_eq(name, reserved[i]))
			return REFUSE(j, -EINVAL, "chain name may not clash with target name: `",
				      name, "'");
	}
	if (j->dry)
		return 0;
	j->t = table_need(j->net, j->c->pf, j->c->table);
	if (!j->t || !chain_make(j->t, name, NF_INET_NUMHOOKS))
		return REFUSE(j, -ENOMEM, "Memory allocation problem.");
	return 0;
}

static int delete_chain(struct job *j, struct xt_chain *c)
{
	if (c->hook < NF_INET_NUMHOOKS)
		return REFUSE(j, -EINVAL,
			      "Invalid argument. A chain of a hook can not be deleted.");
	if (c->refs)
		return REFUSE(j, -EMLINK, "Too many links.");
	if (!list_empty(&c->rules))
		return REFUSE(j, -ENOTEMPTY, "Directory not empty.");
	if (!j->dry)
		chain_free(j->t, c);
	return 0;
}

static int do_delete_chain(struct job *j)
{
	int err = 0;

	if (j->c->chain[0]) {
		err = need_chain(j);
		if (err)
			return err;
		if (builtin(j, j->c->chain) < NF_INET_NUMHOOKS)
			return REFUSE(j, -EINVAL,
				      "Invalid argument. A chain of a hook can not be deleted.");
		return delete_chain(j, xt_chain_find(j->t, j->c->chain));
	}
	if (!j->t)
		return 0;
	list_for_each_safe(pos, tmp, &j->t->chains) {
		struct xt_chain *c = list_entry(pos, struct xt_chain, list);

		if (!err && c->hook == NF_INET_NUMHOOKS)
			err = delete_chain(j, c);
	}
	return err;
}

static int do_policy(struct job *j)
{
	struct xt_command *c = j->c;
	bool drop = str_eq(c->name, "DROP");
	u32 hook = builtin(j, c->chain);

	if (hook == NF_INET_NUMHOOKS)
		return REFUSE(j, -ENOENT, "Bad built-in chain name.");
	if (!drop && !str_eq(c->name, "ACCEPT"))
		return REFUSE(j, -EINVAL, "Bad policy name. Run `dmesg' for more information.");
	if (j->dry)
		return 0;
	j->t = table_need(j->net, c->pf, c->table);
	if (!j->t)
		return REFUSE(j, -ENOMEM, "Memory allocation problem.");
	j->t->hook_chain[hook]->drop = drop;
	if (c->has_counters) {
		j->t->hook_chain[hook]->packets = c->packets;
		j->t->hook_chain[hook]->bytes = c->bytes;
	}
	return 0;
}

static int do_rename(struct job *j)
{
	struct xt_chain *c = j->t ? xt_chain_find(j->t, j->c->chain) : NULL;

	if (!c || c->hook < NF_INET_NUMHOOKS)
		return need_chain(j) ?
			       -ENOENT :
			       REFUSE(j, -EINVAL,
				      "Invalid argument. A chain of a hook keeps its name.");
	if (chain_exists(j, j->c->name))
		return REFUSE(j, -EEXIST, "File exists.");
	if (j->dry)
		return 0;
	str_copy(c->name, j->c->name, sizeof(c->name));
	list_for_each(pos, &j->t->chains) {
		struct xt_chain *from = list_entry(pos, struct xt_chain, list);

		list_for_each(rule, &from->rules) {
			struct xt_rule *r = list_entry(rule, struct xt_rule, list);

			if (r->jump == c) {
				memset(r->spec.jump, 0, sizeof(r->spec.jump));
				str_copy(r->spec.jump, c->name, sizeof(r->spec.jump));
			}
		}
	}
	return 0;
}

static int do_show(struct job *j)
{
	int err = 0;

	if (j->c->verb != XT_SAVE && j->c->chain[0])
		err = need_chain(j);
	return err ? err : 1;
}

int xt_apply(struct net *net, struct xt_command *c, bool dry)
{
	struct job j = { .net = net, .t = xt_table_get(net, c->pf, c->table), .c = c, .dry = dry };

	if (j.t && j.t->running && c->verb != XT_LIST && c->verb != XT_LIST_RULES &&
	    c->verb != XT_SAVE && c->verb != XT_CHECK)
		return REFUSE(&j, -EBUSY, "Resource temporarily unavailable.");
	switch ((enum xt_verb)c->verb) {
	case XT_APPEND:
	case XT_INSERT:
	case XT_REPLACE:
		return do_add(&j);
	case XT_DELETE:
	case XT_DELETE_NUM:
	case XT_CHECK:
		return do_delete(&j);
	case XT_FLUSH:
	case XT_ZERO:
		return do_each(&j);
	case XT_NEW_CHAIN:
		return new_chain(&j, c->chain);
	case XT_DELETE_CHAIN:
		return do_delete_chain(&j);
	case XT_POLICY:
		return do_policy(&j);
	case XT_RENAME:
		return do_rename(&j);
	case XT_LIST:
	case XT_LIST_RULES:
	case XT_SAVE:
		break;
	}
	return do_show(&j);
}

int xt_op_iptables(struct net *net, const struct op_iptables *op)
{
	struct xt_command c;

	if (op->family != AF_INET && op->family != AF_INET6)
		return -EINVAL;
	if (!xt_parse(&c, (u16)op->family, (const char *)op->command.p, op->command.len))
		return -EINVAL;
	return xt_apply(net, &c, false);
}

void xt_explain(const struct net *net, u16 pf, const char *text, u32 len, char error[XT_ERROR_MAX],
		s32 *status)
{
	struct xt_command c;

	if (xt_parse(&c, pf, text, len) &&
	    xt_apply((struct net *)(uintptr_t)(const void *)net, &c, true) >= 0) {
		error[0] = 0;
		*status = 0;
		return;
	}
	str_copy(error, c.error[0] ? c.error : "no memory", XT_ERROR_MAX);
	*status = c.status ? c.status : 1;
}
