/* SPDX-License-Identifier: MIT */
/*
 * What connection tracking knows: /proc/net/nf_conntrack, /proc/net/stat/nf_conntrack, and what
 * conntrack(8) prints (-L, -C, -S).
 */
#include "proc/seq_file.h"

#include "lib/addr_text.h"
#include "lib/str.h"
#include "nf/nf_conntrack_filter.h"

static void show_address(struct seq_file *m, const char *name, const struct inet_addr *a, u16 l3num)
{
	char text[ADDR_TEXT_MAX];
	u8 bytes[16];

	for (u32 i = 0; i < 4; i++)
		store_be32(bytes + 4 * i, a->w[i]);
	if (l3num == AF_INET6)
		ip6_to_text(bytes, text);
	else
		ip4_to_text(bytes, text);
	seq_puts(m, name);
	seq_puts(m, text);
	seq_putc(m, ' ');
}

static void show_number(struct seq_file *m, const char *name, u64 v)
{
	seq_puts(m, name);
	seq_u64(m, v, 0);
	seq_putc(m, ' ');
}

static void show_direction(struct seq_file *m, const struct nf_conn *ct, u32 dir)
{
	const struct nf_conntrack_tuple *t = &ct->tuplehash[dir].tuple;

	show_address(m, "src=", &t->src, t->l3num);
	show_address(m, "dst=", &t->dst, t->l3num);
	if (t->protonum == IPPROTO_TCP || t->protonum == IPPROTO_UDP) {
		show_number(m, "sport=", t->sport);
		show_number(m, "dport=", t->dport);
	} else if (t->protonum == IPPROTO_ICMP || t->protonum == IPPROTO_ICMPV6) {
		show_number(m, "type=", t->dport >> 8);
		show_number(m, "code=", t->dport & 0xff);
		show_number(m, "id=", t->sport);
	}
	if (ct->acct) {
		show_number(m, "packets=", ct->counters[dir].packets);
		show_number(m, "bytes=", ct->counters[dir].bytes);
	}
}

static void show_entry(struct seq_file *m, const struct nf_conn *ct, bool zone, u32 use)
{
	seq_str_left(m, nf_ct_l4proto_name(nf_ct_protonum(ct)), 8);
	seq_putc(m, ' ');
	seq_u64(m, nf_ct_protonum(ct), 0);
	seq_putc(m, ' ');
	seq_u64(m, nf_ct_expires(ct) / HZ, 0);
	seq_putc(m, ' ');
	if (nf_ct_protonum(ct) == IPPROTO_TCP) {
		seq_puts(m, nf_ct_tcp_state_name(ct->proto.tcp.state));
		seq_putc(m, ' ');
	}
	show_direction(m, ct, IP_CT_DIR_ORIGINAL);
	if (!(ct->status & IPS_SEEN_REPLY))
		seq_puts(m, "[UNREPLIED] ");
	show_direction(m, ct, IP_CT_DIR_REPLY);
	if (ct->status & IPS_ASSURED)
		seq_puts(m, "[ASSURED] ");
	show_number(m, "mark=", ct->mark);
	if (zone)
		seq_puts(m, "zone=0 ");
	seq_puts(m, "use=");
	seq_u64(m, use, 0);
	seq_line(m);
}

void proc_net_nf_conntrack(struct seq_file *m, const struct net *net)
{
	if (!net->ct)
		return;
	list_for_each(pos, &net->ct->all) {
		const struct nf_conn *ct = list_entry(pos, struct nf_conn, list);

		if (nf_ct_is_expired(ct))
			continue;
		seq_puts(m, nf_ct_l3num(ct) == AF_INET6 ? "ipv6     10 " : "ipv4     2 ");
		show_entry(m, ct, true, ct->refs + 1);
	}
}

/* The counters of all CPUs are in the first line: there is one table. */
void proc_net_stat_nf_conntrack(struct seq_file *m, const struct net *net)
{
	const struct ip_conntrack_stat none = { 0 }, *s = net->ct ? &net->ct->stat : &none;
	const u64 column[] = { net->ct ? net->ct->count : 0,
			       s->clash_resolve,
			       s->found,
			       0,
			       s->invalid,
			       0,
			       0,
			       s->chaintoolong,
			       s->insert,
			       s->insert_failed,
			       s->drop,
			       s->early_drop,
			       s->error,
			       0,
			       0,
			       0,
			       s->search_restart };

	seq_puts(m, "entries  clashres found new invalid ignore delete chainlength insert "
		    "insert_failed drop early_drop icmp_error  expect_new expect_create "
		    "expect_delete search_restart");
	seq_line(m);
	for (u32 i = 0; i < ARRAY_SIZE(column); i++) {
		if (i)
			seq_puts(m, i == 1 || i == 13 ? "  " : " ");
		seq_hex(m, column[i], 8, false);
	}
	seq_line(m);
}

static void show_statistics(struct seq_file *m, const struct net *net)
{
	const struct ip_conntrack_stat none = { 0 }, *s = net->ct ? &net->ct->stat : &none;

	seq_puts(m, "cpu=0   \t");
#define X(name) show_number(m, #name "=", s->name);
	NF_CT_STATS(X)
#undef X
	seq_line(m);
}

bool cmd_conntrack(struct seq_file *m, const struct net *net, const char *argument)
{
	struct nf_ct_filter f;

	if (!nf_ct_filter_parse(&f, argument, (u32)str_len(argument))) {
		seq_puts(m, "conntrack v1.4.7 (conntrack-tools): ");
		seq_puts(m, f.error);
		seq_line(m);
		return true;
	}
	if (f.verb == NF_CT_STATISTICS) {
		show_statistics(m, net);
		return true;
	}
	if (f.verb == NF_CT_COUNT) {
		seq_u64(m, net->ct ? net->ct->count : 0, 0);
		seq_line(m);
		return true;
	}
	if (f.verb != NF_CT_LIST || !net->ct)
		return true;
	list_for_each(pos, &net->ct->all) {
		const struct nf_conn *ct = list_entry(pos, struct nf_conn, list);

		if (!nf_ct_is_expired(ct) && nf_ct_filter_match(ct, &f))
			show_entry(m, ct, false, ct->refs);
	}
	return true;
}
