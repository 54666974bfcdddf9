/* SPDX-License-Identifier: MIT */
/*
 * The tables themselves: made when first named, their chains and rules, which commands change
 * (xt_command.c).
 *
 * Invariants: chain.refs is the number of rules that jump to it; a table that a packet is in does
 * not change (a hook that a rule's answer meets may command: EBUSY).
 */
#include "nf/xt_tables.h"

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
		if (s->match[i].kind == XT_MATCH_STATE || s->match[i].kind == XT_MATCH_CONNTRACK ||
		    s->match[i].kind == XT_MATCH_CONNMARK)
			return true;
	return s->target == XT_NOTRACK || s->target == XT_CONNMARK;
}

void xt_rule_free(struct xt_table *t, struct xt_chain *c, struct xt_rule *r)
{
	list_del_init(&r->list);
	c->rules_count--;
	if (r->jump)
		r->jump->refs--;
	if (spec_tracks(&r->spec))
		nf_ct_netns_put(t->net, t->pf);
	mem_free(net_world(t->net), MEM_XT_RULE, r, sizeof(*r));
}

struct xt_rule *xt_rule_make(struct xt_table *t, struct xt_chain *c, struct list_head *before,
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

struct xt_rule *xt_rule_nth(const struct xt_chain *c, u32 n)
{
	list_for_each(pos, &c->rules)
		if (--n == 0)
			return list_entry(pos, struct xt_rule, list);
	return NULL;
}

struct xt_rule *xt_rule_find(const struct xt_chain *c, const struct xt_spec *spec)
{
	list_for_each(pos, &c->rules) {
		struct xt_rule *r = list_entry(pos, struct xt_rule, list);

		if (memcmp(&r->spec, spec, sizeof(*spec)) == 0)
			return r;
	}
	return NULL;
}

/* ---- chains and tables ---- */

struct xt_chain *xt_chain_make(struct xt_table *t, const char *name, u32 hook)
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

void xt_chain_flush(struct xt_table *t, struct xt_chain *c)
{
	list_for_each_safe(pos, tmp, &c->rules)
		xt_rule_free(t, c, list_entry(pos, struct xt_rule, list));
}

void xt_chain_free(struct xt_table *t, struct xt_chain *c)
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
		xt_chain_flush(t, list_entry(pos, struct xt_chain, list));
	list_for_each_safe(pos, tmp, &t->chains)
		xt_chain_free(t, list_entry(pos, struct xt_chain, list));
	mem_free(net_world(t->net), MEM_XT_RULE, t, sizeof(*t));
}

static bool table_fill(struct xt_table *t)
{
	for (u32 hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		const struct nf_hook_ops ops = table_ops(t, hook);

		if (!xt_hook_of_table(t->kind, hook))
			continue;
		t->hook_chain[hook] = xt_chain_make(t, hook_names[hook], hook);
		if (!t->hook_chain[hook])
			return false;
		if (nf_register_net_hook(t->net, &ops)) {
			xt_chain_free(t, t->hook_chain[hook]);
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

struct xt_table *xt_table_need(struct net *net, u16 pf, u8 kind)
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
