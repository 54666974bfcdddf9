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

static void list_network(struct seq_file *m, const u8 *addr, const u8 *mask, bool invert,
			 const struct xt_command *c)
{
	bool v6 = c->pf == AF_INET6;
	u32 start;

	seq_putc(m, invert ? '!' : ' ');
	start = m->len;
	if (!ipt_mask_len(mask, v6 ? 16 : 4))
		seq_puts(m, !c->numeric ? "anywhere" : v6 ? "::/0" : "0.0.0.0/0");
	else
		ipt_network(m, addr, mask, c->pf, false);
	pad_from(m, start, 19);
}

static void list_device(struct seq_file *m, const char *name, bool invert, bool numeric)
{
	u32 start = m->len;

	seq_puts(m, invert ? "!" : "");
	seq_puts(m, name[0] ? name : numeric ? "*" : "any");
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

static void list_tcp(struct seq_file *m, const struct xt_match *x, const struct xt_command *c)
{
	seq_putc(m, ' ');
	seq_puts(m, xt_match_name(x->kind, c->pf));
	if (x->set & XT_OPT_SPORT)
		list_ports(m, "spt", x->u.tcp.sport, x->invert & XT_OPT_SPORT);
	if (x->set & XT_OPT_DPORT)
		list_ports(m, "dpt", x->u.tcp.dport, x->invert & XT_OPT_DPORT);
	if (x->set & XT_OPT_OPTION) {
		seq_puts(m, x->invert & XT_OPT_OPTION ? " option=!" : " option=");
		seq_u64(m, x->u.tcp.option, 0);
	}
	if (!(x->set & XT_OPT_FLAGS))
		return;
	seq_puts(m, x->invert & XT_OPT_FLAGS ? " flags:!" : " flags:");
	if (!c->numeric) {
		ipt_bits(m, xt_flag_names, x->u.tcp.flag_mask, "NONE");
		seq_putc(m, '/');
		ipt_bits(m, xt_flag_names, x->u.tcp.flag_cmp, "NONE");
		return;
	}
	seq_puts(m, "0x");
	seq_hex(m, x->u.tcp.flag_mask, 2, true);
	seq_puts(m, "/0x");
	seq_hex(m, x->u.tcp.flag_cmp, 2, true);
}

static const char *icmp_name(const struct xt_match *x, u16 pf)
{
	for (const struct xt_icmp_name *n = xt_icmp_names[pf == AF_INET6]; n->name; n++)
		if (n->type == x->u.icmp.type && n->code[0] == x->u.icmp.code[0] &&
		    n->code[1] == x->u.icmp.code[1])
			return n->name;
	return NULL;
}

static void list_icmp(struct seq_file *m, const struct xt_match *x, const struct xt_command *c)
{
	const char *name = c->numeric ? NULL : icmp_name(x, c->pf);

	seq_puts(m, c->pf == AF_INET6 ? " ipv6-icmp" : " icmp");
	if (name) {
		seq_puts(m, x->invert ? " !" : " ");
		seq_puts(m, name);
		return;
	}
	seq_puts(m, x->invert ? " !type " : "type ");
	seq_u64(m, x->u.icmp.type, 0);
	if (x->u.icmp.code[0] == x->u.icmp.code[1]) {
		seq_puts(m, " code ");
		seq_u64(m, x->u.icmp.code[0], 0);
	}
}

static void list_ct(struct seq_file *m, const struct xt_match *x)
{
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
}

static void list_multiport(struct seq_file *m, const struct xt_match *x)
{
	static const char *const names[] = { " multiport sports ", " multiport dports ",
					     " multiport ports " };

	seq_puts(m, names[x->u.multiport.flags]);
	seq_puts(m, x->invert ? " !" : "");
	ipt_multiport_list(m, x);
}

static void list_ttl(struct seq_file *m, const struct xt_match *x, u16 pf)
{
	static const char *const relation[] = {
		[XT_TTL_EQ] = "==", [XT_TTL_LT] = "<", [XT_TTL_GT] = ">"
	};

	seq_puts(m, pf == AF_INET6 ? " HL match HL " : " TTL match TTL ");
	seq_puts(m, x->invert ? "!=" : relation[x->u.ttl.mode]);
	ipt_number(m, x->u.ttl.value);
}

static void list_statistic(struct seq_file *m, const struct xt_match *x)
{
	seq_puts(m, x->u.statistic.every ? " statistic mode nth" : " statistic mode random");
	seq_puts(m, x->invert ? " !" : "");
	if (!x->u.statistic.every) {
		seq_puts(m, " probability ");
		ipt_probability(m, x->u.statistic.probability);
		return;
	}
	seq_puts(m, " every");
	ipt_number(m, x->u.statistic.every);
	seq_puts(m, " packet");
	ipt_number(m, x->u.statistic.packet);
}

/* iprange and addrtype: of the source, of the destination. */
static void list_ends(struct seq_file *m, const struct xt_match *x, u16 pf)
{
	bool range = x->kind == XT_MATCH_IPRANGE;

	seq_puts(m, range ? "" : " ADDRTYPE match");
	for (u32 i = 0; i < 2; i++) {
		u8 bit = i ? XT_OPT_DST : XT_OPT_SRC;

		if (!(x->set & bit))
			continue;
		if (range) {
			seq_puts(m, i ? " destination IP range " : " source IP range ");
			seq_puts(m, x->invert & bit ? "! " : "");
			ipt_iprange(m, i ? x->u.iprange.dst : x->u.iprange.src, pf);
		} else {
			seq_puts(m, i ? " dst-type " : " src-type ");
			seq_puts(m, x->invert & bit ? "!" : "");
			ipt_bits(m, xt_addrtype_names, i ? x->u.addrtype.dst : x->u.addrtype.src,
				 "");
		}
	}
}

static void list_range(struct seq_file *m, const char *name, const struct xt_match *x)
{
	seq_puts(m, name);
	seq_puts(m, x->invert ? "!" : "");
	ipt_range(m, x->u.length.min, x->u.length.max);
}

static void list_match(struct seq_file *m, const struct xt_match *x, const struct xt_command *c)
{
	switch ((enum xt_match_kind)x->kind) {
	case XT_MATCH_TCP:
	case XT_MATCH_UDP:
		list_tcp(m, x, c);
		break;
	case XT_MATCH_ICMP:
	case XT_MATCH_ICMP6:
		list_icmp(m, x, c);
		break;
	case XT_MATCH_STATE:
	case XT_MATCH_CONNTRACK:
		list_ct(m, x);
		break;
	case XT_MATCH_MULTIPORT:
		list_multiport(m, x);
		break;
	case XT_MATCH_LIMIT:
		seq_puts(m, " limit: avg ");
		ipt_rate(m, x->u.limit.avg);
		seq_puts(m, " burst ");
		seq_u64(m, x->u.limit.burst, 0);
		break;
	case XT_MATCH_MARK:
		seq_puts(m, x->invert ? " mark match ! " : " mark match ");
		ipt_mark(m, x);
		break;
	case XT_MATCH_CONNMARK:
		seq_puts(m, x->invert ? " connmark match ! " : " connmark match  ");
		ipt_mark(m, x);
		break;
	case XT_MATCH_LENGTH:
		list_range(m, " length ", x);
		break;
	case XT_MATCH_TCPMSS:
		list_range(m, " tcpmss match ", x);
		break;
	case XT_MATCH_TTL:
		list_ttl(m, x, c->pf);
		break;
	case XT_MATCH_PKTTYPE:
		seq_puts(m, x->invert ? " PKTTYPE != " : " PKTTYPE = ");
		seq_puts(m, xt_name_of(xt_pkttype_names, x->u.pkttype));
		break;
	case XT_MATCH_STATISTIC:
		list_statistic(m, x);
		break;
	case XT_MATCH_IPRANGE:
	case XT_MATCH_ADDRTYPE:
		list_ends(m, x, c->pf);
		break;
	case XT_MATCH_MAC:
		seq_puts(m, x->invert ? " MAC ! " : " MAC ");
		seq_mac(m, x->u.mac);
		break;
	case XT_MATCH_COMMENT:
		seq_puts(m, " /* ");
		seq_puts(m, x->u.comment);
		seq_puts(m, " */");
		break;
	case XT_MATCH_KIND_COUNT:
		break;
	}
}

static void list_hex(struct seq_file *m, const char *what, u32 value)
{
	seq_puts(m, what);
	seq_hex(m, value, 0, false);
}

/* MARK and CONNMARK that set: by what the mask makes of it (mark_tg_print()). */
static void list_set_mark(struct seq_file *m, const struct xt_spec *s)
{
	seq_puts(m, s->target == XT_MARK ? " MARK" : " CONNMARK");
	if (!s->mark) {
		list_hex(m, " and 0x", ~s->mark_mask);
	} else if (s->mark == s->mark_mask) {
		list_hex(m, " or 0x", s->mark);
	} else if (!s->mark_mask) {
		list_hex(m, " xor 0x", s->mark);
	} else if (s->mark_mask == UINT32_MAX) {
		list_hex(m, " set 0x", s->mark);
	} else {
		list_hex(m, " xset 0x", s->mark);
		list_hex(m, "/0x", s->mark_mask);
	}
}

/* CONNMARK that copies: the mask of where it comes from, and that of where it goes. */
static void list_copy_mark(struct seq_file *m, const struct xt_spec *s)
{
	bool save = s->target_op == XT_CONNMARK_SAVE;

	seq_puts(m, save ? " CONNMARK save" : " CONNMARK restore");
	if (s->mark != s->mark_mask) {
		list_hex(m, save ? " nfmask 0x" : " ctmask 0x", save ? s->mark : s->mark_mask);
		list_hex(m, save ? " ctmask ~0x" : " nfmask ~0x", save ? s->mark_mask : s->mark);
	} else if (s->mark != UINT32_MAX) {
		list_hex(m, " mask 0x", s->mark);
	}
}

static void list_log(struct seq_file *m, const struct xt_spec *s, bool numeric)
{
	if (numeric) {
		/* There are no --log-tcp-options and the like. */
		seq_puts(m, " LOG flags 0 level ");
		seq_u64(m, s->log_level, 0);
	} else {
		seq_puts(m, " LOG level ");
		seq_puts(m, xt_name_of(xt_log_level_names, s->log_level));
	}
	if (s->text[0]) {
		seq_puts(m, " prefix \"");
		seq_puts(m, s->text);
		seq_putc(m, '"');
	}
}

static void list_target(struct seq_file *m, const struct xt_spec *s, const struct xt_command *c)
{
	static const char *const ttl[] = { "", " set to ", " decrement by ", " increment by " };

	switch ((enum xt_target_kind)s->target) {
	case XT_REJECT:
		seq_puts(m, " reject-with ");
		seq_puts(m, xt_name_of(xt_reject_names[c->pf == AF_INET6], s->reject));
		break;
	case XT_LOG:
		list_log(m, s, c->numeric);
		break;
	case XT_CONNMARK:
		if (s->target_op != XT_MARK_SET) {
			list_copy_mark(m, s);
			break;
		}
		list_set_mark(m, s);
		break;
	case XT_MARK:
		list_set_mark(m, s);
		break;
	case XT_NOTRACK:
		seq_puts(m, " NOTRACK");
		break;
	case XT_TCPMSS:
		if (s->target_op == XT_TCPMSS_CLAMP) {
			seq_puts(m, " TCPMSS clamp to PMTU");
			break;
		}
		seq_puts(m, " TCPMSS set ");
		seq_u64(m, s->target_value, 0);
		break;
	case XT_TTL:
		seq_puts(m, c->pf == AF_INET6 ? " HL" : " TTL");
		seq_puts(m, ttl[s->target_op]);
		seq_u64(m, s->target_value, 0);
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
		big(m, r->packets, c->exact, c->exact ? 8 : 5);
		seq_putc(m, ' ');
		big(m, r->bytes, c->exact, c->exact ? 10 : 5);
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
		list_device(m, s->in, s->invert & XT_INV_IN, c->numeric);
		list_device(m, s->out, s->invert & XT_INV_OUT, c->numeric);
	}
	list_network(m, s->src, s->src_mask, s->invert & XT_INV_SRC, c);
	list_network(m, s->dst, s->dst_mask, s->invert & XT_INV_DST, c);
	seq_puts(m, s->target == XT_GOTO ? "[goto] " : "");
	for (u32 i = 0; i < s->matches; i++)
		list_match(m, &s->match[i], c);
	list_target(m, s, c);
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
	if (cmd->verbose)
		seq_puts(m, cmd->exact ? "    pkts      bytes " : " pkts bytes ");
	seq_puts(m, "target     prot opt ");
	seq_puts(m, cmd->verbose ? "in     out     " : "");
	seq_puts(m, "source               destination         ");
	seq_line(m);
	list_for_each(pos, &c->rules)
		list_rule(m, list_entry(pos, struct xt_rule, list), cmd, ++n);
}
