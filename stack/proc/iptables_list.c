/* SPDX-License-Identifier: MIT */
/* iptables -L: rules as a table for people. */
#include "proc/iptables.h"

#include "lib/str.h"

/* At least `width` wide, on the right; from 100,000 on in K, M unless exact. */
static void big(struct seq_file *m, u64 v, bool exact, u32 width)
{
	static const char units[] = "KMGT";
	u32 i = 0;

	if (exact || v < 100000) {
		seq_u64(m, v, width);
		return;
	}
	v = (v + 500) / 1000;
	while (v > 9999 && i < 3) {
		v = (v + 500) / 1000;
		i++;
	}
	seq_u64(m, v, width - 1);
	seq_putc(m, units[i]);
}

static void pad_from(struct seq_file *m, u32 start, u32 width)
{
	while (m->len - start < width)
		seq_putc(m, ' ');
	seq_putc(m, ' ');
}

static void list_network(struct seq_file *m, const u8 *addr, const u8 *mask, u16 pf, bool invert,
			 bool numeric)
{
	u32 start;

	seq_putc(m, ' ');
	start = m->len;
	if (invert)
		seq_putc(m, '!');
	if (!ipt_mask_len(mask, pf == AF_INET6 ? 16 : 4))
		seq_puts(m, numeric ? (pf == AF_INET6 ? "::/0" : "0.0.0.0/0") : "anywhere");
	else
		ipt_network(m, addr, mask, pf, false);
	pad_from(m, start, 19);
}

static void list_device(struct seq_file *m, const char *name, bool invert)
{
	u32 start = m->len;

	seq_puts(m, invert ? "!" : "");
	seq_puts(m, name[0] ? name : "*");
	pad_from(m, start, 6);
}

static void list_ports(struct seq_file *m, const char *name, const u16 port[2], bool invert)
{
	seq_putc(m, ' ');
	seq_puts(m, name);
	seq_puts(m, port[0] == port[1] ? ":" : "s:");
	seq_puts(m, invert ? "!" : "");
	ipt_range(m, port[0], port[1]);
}

static void list_match(struct seq_file *m, const struct xt_match *x, u16 pf)
{
	switch ((enum xt_match_kind)x->kind) {
	case XT_MATCH_TCP:
	case XT_MATCH_UDP:
		seq_putc(m, ' ');
		seq_puts(m, xt_match_name(x->kind, pf));
		if (x->set & XT_OPT_SPORT)
			list_ports(m, "spt", x->u.tcp.sport, x->invert & XT_OPT_SPORT);
		if (x->set & XT_OPT_DPORT)
			list_ports(m, "dpt", x->u.tcp.dport, x->invert & XT_OPT_DPORT);
		if (x->set & XT_OPT_OPTION) {
			seq_puts(m, x->invert & XT_OPT_OPTION ? " option=!" : " option=");
			seq_u64(m, x->u.tcp.option, 0);
		}
		if (x->set & XT_OPT_FLAGS) {
			seq_puts(m, x->invert & XT_OPT_FLAGS ? " flags:!0x" : " flags:0x");
			seq_hex(m, x->u.tcp.flag_mask, 2, true);
			seq_puts(m, "/0x");
			seq_hex(m, x->u.tcp.flag_cmp, 2, true);
		}
		break;
	case XT_MATCH_ICMP:
	case XT_MATCH_ICMP6:
		seq_puts(m, pf == AF_INET6 ? " ipv6-icmptype" : " icmptype");
		seq_puts(m, x->invert ? " !" : "");
		ipt_icmp_type(m, x);
		break;
	case XT_MATCH_STATE:
	case XT_MATCH_CONNTRACK:
		if (x->u.ct.states) {
			seq_puts(m, x->invert ? " ! " : " ");
			seq_puts(m, x->kind == XT_MATCH_STATE ? "state " : "ctstate ");
			ipt_bits(m, xt_state_names, x->u.ct.states, "NONE");
		}
		if (x->u.ct.status) {
			seq_puts(m, x->u.ct.invert_status ? " ! ctstatus " : " ctstatus ");
			ipt_bits(m, xt_status_names, x->u.ct.status, "NONE");
		}
		if (x->u.ct.dir)
			seq_puts(m, x->u.ct.dir == 1 ? " ctdir ORIGINAL" : " ctdir REPLY");
		break;
	case XT_MATCH_MULTIPORT:
		seq_puts(m, x->u.multiport.flags == XT_MULTIPORT_SOURCE ? " multiport sports " :
			    x->u.multiport.flags == XT_MULTIPORT_DESTINATION ?
									  " multiport dports " :
									  " multiport ports ");
		seq_puts(m, x->invert ? "! " : "");
		ipt_multiport_list(m, x);
		break;
	case XT_MATCH_LIMIT:
		seq_puts(m, " limit: avg ");
		ipt_rate(m, x->u.limit.avg);
		seq_puts(m, " burst ");
		seq_u64(m, x->u.limit.burst, 0);
		break;
	case XT_MATCH_COMMENT:
		seq_puts(m, " /* ");
		seq_puts(m, x->u.comment);
		seq_puts(m, " */");
		break;
	default:
		/* The rest read well enough as words. */
		ipt_match_words(m, x, pf);
	}
}

static void list_change(struct seq_file *m, const struct xt_spec *s)
{
	static const char *const ttl[] = { "", " TTL set to ", " TTL decrement by ",
					   " TTL increment by " };

	if (s->target == XT_TTL) {
		seq_puts(m, ttl[s->target_op]);
		seq_u64(m, s->target_value, 0);
	} else if (s->target == XT_TCPMSS && s->target_op == XT_TCPMSS_SET) {
		seq_puts(m, " TCPMSS set ");
		seq_u64(m, s->target_value, 0);
	} else if (s->target == XT_TCPMSS) {
		seq_puts(m, " TCPMSS clamp to PMTU");
	} else if (s->target_op == XT_CONNMARK_SET) {
		seq_puts(m, " CONNMARK xset 0x");
		seq_hex(m, s->mark, 0, false);
		seq_puts(m, "/0x");
		seq_hex(m, s->mark_mask, 0, false);
	} else {
		seq_puts(m,
			 s->target_op == XT_CONNMARK_SAVE ? " CONNMARK save" : " CONNMARK restore");
	}
}

static void list_target(struct seq_file *m, const struct xt_spec *s, u16 pf)
{
	switch (s->target) {
	case XT_GOTO:
		seq_puts(m, " [goto]");
		break;
	case XT_REJECT:
		seq_puts(m, " reject-with ");
		seq_puts(m, xt_name_of(xt_reject_names[pf == AF_INET6], s->reject));
		break;
	case XT_LOG:
		seq_puts(m, " LOG level ");
		seq_u64(m, s->log_level, 0);
		if (s->text[0]) {
			seq_puts(m, " prefix \"");
			seq_puts(m, s->text);
			seq_putc(m, '"');
		}
		break;
	case XT_CONNMARK:
	case XT_TCPMSS:
	case XT_TTL:
		list_change(m, s);
		break;
	case XT_MARK:
		seq_puts(m, " MARK xset 0x");
		seq_hex(m, s->mark, 0, false);
		seq_puts(m, "/0x");
		seq_hex(m, s->mark_mask, 0, false);
		break;
	default:
		break;
	}
}

static void list_rule(struct seq_file *m, const struct xt_rule *r, const struct xt_command *c,
		      u32 n)
{
	const struct xt_spec *s = &r->spec;
	const char *proto = xt_name_of(xt_proto_names, s->proto);
	u32 start;

	if (c->line_numbers) {
		start = m->len;
		seq_u64(m, n, 0);
		pad_from(m, start, 4);
	}
	if (c->verbose) {
		big(m, r->packets, c->exact, 5);
		seq_putc(m, ' ');
		big(m, r->bytes, c->exact, 5);
		seq_putc(m, ' ');
	}
	start = m->len;
	seq_puts(m, ipt_target_name(s, c->pf));
	pad_from(m, start, 9);
	seq_putc(m, s->invert & XT_INV_PROTO ? '!' : ' ');
	start = m->len;
	if (proto)
		seq_puts(m, proto);
	else
		seq_u64(m, s->proto, 0);
	pad_from(m, start, 4);
	seq_puts(m, s->frag ? (s->invert & XT_INV_FRAG ? "!f " : "-f ") : "-- ");
	if (c->verbose) {
		seq_putc(m, ' ');
		list_device(m, s->in, s->invert & XT_INV_IN);
		list_device(m, s->out, s->invert & XT_INV_OUT);
	}
	list_network(m, s->src, s->src_mask, c->pf, s->invert & XT_INV_SRC, c->numeric);
	list_network(m, s->dst, s->dst_mask, c->pf, s->invert & XT_INV_DST, c->numeric);
	for (u32 i = 0; i < s->matches; i++)
		list_match(m, &s->match[i], c->pf);
	list_target(m, s, c->pf);
	seq_line(m);
}

void ipt_list_chain(struct seq_file *m, const struct xt_chain *c, const struct xt_command *cmd)
{
	u32 n = 0;

	seq_puts(m, "Chain ");
	seq_puts(m, c->name);
	if (c->hook == NF_INET_NUMHOOKS) {
		seq_puts(m, " (");
		seq_u64(m, c->refs, 0);
		seq_puts(m, " references)");
	} else {
		seq_puts(m, c->drop ? " (policy DROP" : " (policy ACCEPT");
		if (cmd->verbose) {
			seq_putc(m, ' ');
			big(m, c->packets, cmd->exact, 0);
			seq_puts(m, " packets, ");
			big(m, c->bytes, cmd->exact, 0);
			seq_puts(m, " bytes");
		}
		seq_putc(m, ')');
	}
	seq_line(m);
	seq_puts(m, cmd->line_numbers ? "num  " : "");
	seq_puts(m, cmd->verbose ?
			    " pkts bytes target     prot opt in     out     source               "
			    "destination         " :
			    "target     prot opt source               destination         ");
	seq_line(m);
	list_for_each(pos, &c->rules)
		list_rule(m, list_entry(pos, struct xt_rule, list), cmd, ++n);
}
