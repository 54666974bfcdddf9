/* SPDX-License-Identifier: MIT */
/* What iptables, ip6tables and their -save print: -S and -save rule by rule, -L (iptables_list.c),
 * errors. */
#include "proc/iptables.h"

#include "lib/str.h"

/* ---- -S, iptables-save ---- */

enum counter_style { NO_COUNTERS, COUNTERS_C, COUNTERS_BRACKETS };

static void brackets(struct seq_file *m, u64 packets, u64 bytes)
{
	seq_putc(m, '[');
	seq_u64(m, packets, 0);
	seq_putc(m, ':');
	seq_u64(m, bytes, 0);
	seq_putc(m, ']');
}

static void counters_c(struct seq_file *m, u64 packets, u64 bytes)
{
	seq_puts(m, " -c");
	ipt_number(m, packets);
	ipt_number(m, bytes);
}

static void rule_words(struct seq_file *m, const struct xt_chain *c, const struct xt_rule *r,
		       u16 pf, enum counter_style style)
{
	if (style == COUNTERS_BRACKETS) {
		brackets(m, r->packets, r->bytes);
		seq_putc(m, ' ');
	}
	seq_puts(m, "-A ");
	seq_puts(m, c->name);
	ipt_header_words(m, &r->spec, pf);
	for (u32 i = 0; i < r->spec.matches; i++)
		ipt_match_words(m, &r->spec.match[i], pf);
	if (style == COUNTERS_C)
		counters_c(m, r->packets, r->bytes);
	ipt_target_words(m, &r->spec, pf);
	seq_line(m);
}

static void chain_words(struct seq_file *m, const struct xt_chain *c, enum counter_style style)
{
	bool own = c->hook == NF_INET_NUMHOOKS;

	seq_puts(m, own ? "-N " : "-P ");
	seq_puts(m, c->name);
	if (!own)
		seq_puts(m, c->drop ? " DROP" : " ACCEPT");
	if (!own && style == COUNTERS_C)
		counters_c(m, c->packets, c->bytes);
	seq_line(m);
}

static void chain_rules(struct seq_file *m, const struct xt_chain *c, u16 pf,
			enum counter_style style, u32 only)
{
	u32 n = 0;

	list_for_each(pos, &c->rules)
		if (++n == only || !only)
			rule_words(m, c, list_entry(pos, struct xt_rule, list), pf, style);
}

/* ---- what a command shows ---- */

static void show_save(struct seq_file *m, const struct xt_table *t, bool counters)
{
	seq_putc(m, '*');
	seq_puts(m, xt_table_name(t->kind));
	seq_line(m);
	list_for_each(pos, &t->chains) {
		const struct xt_chain *c = list_entry(pos, struct xt_chain, list);

		seq_putc(m, ':');
		seq_puts(m, c->name);
		seq_puts(m, c->hook == NF_INET_NUMHOOKS ? " - " : c->drop ? " DROP " : " ACCEPT ");
		brackets(m, c->packets, c->bytes);
		seq_line(m);
	}
	list_for_each(pos, &t->chains)
		chain_rules(m, list_entry(pos, struct xt_chain, list), t->pf,
			    counters ? COUNTERS_BRACKETS : NO_COUNTERS, 0);
	seq_puts(m, "COMMIT");
	seq_line(m);
}

/* A table that is not there yet shows as one without rules. */
static void show_empty(struct seq_file *m, const struct xt_command *c)
{
	static const u8 order[] = { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_FORWARD,
				    NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING };
	bool first = true;

	for (u32 i = 0; i < sizeof(order); i++) {
		struct xt_chain chain = { .hook = order[i] };

		str_copy(chain.name, xt_hook_name(order[i]), sizeof(chain.name));
		list_init(&chain.rules);
		if (!xt_hook_of_table(c->table, order[i]) ||
		    (c->chain[0] && !str_eq(c->chain, chain.name)))
			continue;
		if (c->verb == XT_LIST_RULES) {
			chain_words(m, &chain, c->verbose ? COUNTERS_C : NO_COUNTERS);
			continue;
		}
		if (!first)
			seq_line(m);
		ipt_list_chain(m, &chain, c);
		first = false;
	}
}

static void show_list(struct seq_file *m, const struct xt_table *t, const struct xt_command *c)
{
	bool first = true;

	list_for_each(pos, &t->chains) {
		const struct xt_chain *chain = list_entry(pos, struct xt_chain, list);

		if (c->chain[0] && !str_eq(chain->name, c->chain))
			continue;
		if (!first)
			seq_line(m);
		first = false;
		ipt_list_chain(m, chain, c);
	}
}

static void show_rules(struct seq_file *m, const struct xt_table *t, const struct xt_command *c)
{
	enum counter_style style = c->verbose ? COUNTERS_C : NO_COUNTERS;

	list_for_each(pos, &t->chains) {
		const struct xt_chain *chain = list_entry(pos, struct xt_chain, list);

		if ((!c->chain[0] || str_eq(chain->name, c->chain)) && !c->number)
			chain_words(m, chain, style);
	}
	list_for_each(pos, &t->chains) {
		const struct xt_chain *chain = list_entry(pos, struct xt_chain, list);

		if (!c->chain[0] || str_eq(chain->name, c->chain))
			chain_rules(m, chain, c->pf, style, c->number);
	}
}

/* 0, or the status that the command would exit with, and its words. */
static s32 show_error(struct seq_file *m, const struct net *net, u16 pf, const char *text, u32 len)
{
	char error[XT_ERROR_MAX];
	s32 status;

	xt_explain(net, pf, text, len, error, &status);
	if (status) {
		seq_puts(m, error);
		seq_line(m);
	}
	return status;
}

static void show_command(struct seq_file *m, const struct net *net, u16 pf, const char *text)
{
	u32 len = (u32)str_len(text);
	const struct xt_table *t;
	struct xt_command c;

	if (show_error(m, net, pf, text, len) || !xt_parse(&c, pf, text, len))
		return;
	if (c.verb == XT_SAVE) {
		for (u32 i = XT_TABLES; i-- > 0;) {
			t = xt_table_get(net, pf, i);
			if (t && (!c.table_given || c.table == i))
				show_save(m, t, c.counters);
		}
		return;
	}
	if (c.verb != XT_LIST && c.verb != XT_LIST_RULES)
		return;
	t = xt_table_get(net, pf, c.table);
	if (!t)
		show_empty(m, &c);
	else if (c.verb == XT_LIST)
		show_list(m, t, &c);
	else
		show_rules(m, t, &c);
	return;
}

bool cmd_iptables(struct seq_file *m, const struct net *net, const char *argument)
{
	show_command(m, net, AF_INET, argument);
	return true;
}

bool cmd_ip6tables(struct seq_file *m, const struct net *net, const char *argument)
{
	show_command(m, net, AF_INET6, argument);
	return true;
}
