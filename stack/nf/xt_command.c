/* SPDX-License-Identifier: MIT */
/*
 * Commands on tables: the checks that iptables and the kernel make (loops, targets that a table
 * does not know), what they say when one is refused, and what is done when it is not.
 *
 * Invariant: no chain can come back to itself.
 */
#include "nf/xt_tables.h"

#include "kernel/host.h"
#include "lib/str.h"
#include "nf/nf_conntrack.h"
#include "nf/xt_words.h"
#include "wire/tcp.h"

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
		if (xt_hook_of_table(j->c->table, hook) && str_eq(xt_hook_name(hook), name))
			return hook;
	return NF_INET_NUMHOOKS;
}

static bool chain_exists(const struct job *j, const char *name)
{
	return builtin(j, name) < NF_INET_NUMHOOKS || (j->t && xt_chain_find(j->t, name));
}

static void forget_depths(struct xt_table *t)
{
	list_for_each(pos, &t->chains)
		list_entry(pos, struct xt_chain, list)->depth = XT_DEPTH_UNKNOWN;
}

/*
 * How many jumps deep it goes from here, were there a rule of `from` that leads to `to` (NULL: as
 * it is). Each chain is walked once, not once for each way to it. Chains have no loops and are
 * never deeper than XT_JUMP_DEPTH, so this ends, and soon.
 */
static u32 chain_depth(struct xt_chain *c, const struct xt_chain *from, struct xt_chain *to)
{
	u32 depth;

	if (c->depth != XT_DEPTH_UNKNOWN)
		return c->depth;
	depth = c == from ? 1 + chain_depth(to, from, to) : 0;
	list_for_each(pos, &c->rules) {
		const struct xt_rule *r = list_entry(pos, struct xt_rule, list);

		if (r->jump)
			depth = max_u32(depth, 1 + chain_depth(r->jump, from, to));
	}
	c->depth = depth;
	return depth;
}

/* The deepest of a table's chains. */
static u32 table_depth(struct xt_table *t, const struct xt_chain *from, struct xt_chain *to)
{
	u32 depth = 0;

	forget_depths(t);
	list_for_each(pos, &t->chains)
		depth = max_u32(depth,
				chain_depth(list_entry(pos, struct xt_chain, list), from, to));
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
	forget_depths(j->t);
	chain_depth(to, NULL, NULL);
	/* What was walked from there leads back here. */
	if (from->depth != XT_DEPTH_UNKNOWN)
		return REFUSE(j, -ELOOP, "Too many levels of symbolic links.");
	if (table_depth(j->t, from, to) > XT_JUMP_DEPTH)
		return REFUSE(j, -EINVAL,
			      "Invalid argument. Chains call each other more than 16 deep.");
	return 0;
}

/* What the kernel's checkentry functions look at. */
/* tcpmss_tg4_check(): only a SYN has the option, and what goes out has a path. */
static int check_tcpmss(const struct job *j, u32 hook)
{
	const struct xt_spec *s = &j->c->spec;
	bool syn = false;

	for (u32 i = 0; i < s->matches; i++) {
		const struct xt_match *m = &s->match[i];

		syn |= m->kind == XT_MATCH_TCP && m->u.tcp.flag_cmp & TCPHDR_SYN &&
		       !(m->invert & XT_OPT_FLAGS);
	}
	if (s->proto != IPPROTO_TCP || s->invert & XT_INV_PROTO || !syn)
		return REFUSE(j, -EINVAL,
			      "Invalid argument. TCPMSS works only on TCP SYN packets.");
	if (s->target_op == XT_TCPMSS_CLAMP &&
	    (hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_IN))
		return REFUSE(j, -EINVAL,
			      "Invalid argument. --clamp-mss-to-pmtu is for FORWARD, OUTPUT and "
			      "POSTROUTING.");
	return 0;
}

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
	if (s->target == XT_TTL && j->c->table != XT_MANGLE)
		return REFUSE(j, -EINVAL, "Invalid argument. TTL is for the table mangle.");
	if (s->target == XT_TCPMSS) {
		int err = check_tcpmss(j, hook);

		if (err)
			return err;
	}
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
	j->t = xt_table_need(j->net, c->pf, c->table);
	if (!j->t)
		return -ENOMEM;
	chain = xt_chain_find(j->t, c->chain);
	before = &chain->rules;
	if (c->verb != XT_APPEND && at <= count) {
		old = xt_rule_nth(chain, at);
		before = &old->list;
	}
	if (!xt_rule_make(j->t, chain, before, c))
		return REFUSE(j, -ENOMEM, "Memory allocation problem.");
	if (c->verb == XT_REPLACE)
		xt_rule_free(j->t, chain, old);
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
		r = chain ? xt_rule_nth(chain, c->number) : NULL;
		if (!r)
			return REFUSE(j, -EINVAL, "Index of deletion too big.");
	} else {
		r = chain ? xt_rule_find(chain, &c->spec) : NULL;
		if (!r)
			return REFUSE(j, -ENOENT,
				      "Bad rule (does a matching rule exist in that chain?).");
	}
	if (!j->dry && c->verb != XT_CHECK)
		xt_rule_free(j->t, chain, r);
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
			xt_chain_flush(j->t, chain);
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
	j->t = xt_table_need(j->net, j->c->pf, j->c->table);
	if (!j->t || !xt_chain_make(j->t, name, NF_INET_NUMHOOKS))
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
		xt_chain_free(j->t, c);
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
	j->t = xt_table_need(j->net, c->pf, c->table);
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
