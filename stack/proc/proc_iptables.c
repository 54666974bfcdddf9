/* SPDX-License-Identifier: MIT */
/*
 * Rules as iptables prints them: -S and iptables-save in words that can be given again, -L as a
 * table for people.
 */
#include "proc/seq_file.h"

#include "lib/addr_text.h"
#include "lib/str.h"
#include "nf/nf_conntrack.h"
#include "nf/xt.h"

/* ---- words ---- */

/* " --option value" with "!" in front when it is negated. */
static void word(struct seq_file *m, bool invert, const char *option)
{
	seq_puts(m, invert ? " ! " : " ");
	seq_puts(m, option);
}

static void number(struct seq_file *m, u64 v)
{
	seq_putc(m, ' ');
	seq_u64(m, v, 0);
}

static void quoted(struct seq_file *m, const char *s)
{
	bool plain = *s != 0;

	for (const char *p = s; *p; p++)
		plain &= (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			 (*p >= '0' && *p <= '9') || *p == '_' || *p == '-' || *p == '.';
	seq_puts(m, plain ? " " : " \"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			seq_putc(m, '\\');
		seq_putc(m, *s);
	}
	if (!plain)
		seq_putc(m, '"');
}

static void range(struct seq_file *m, u64 from, u64 to)
{
	seq_u64(m, from, 0);
	if (from == to)
		return;
	seq_putc(m, ':');
	seq_u64(m, to, 0);
}

/* The names of bits, a comma between; `none` when there are none. */
static void bits(struct seq_file *m, const struct xt_name *names, u32 value, const char *none)
{
	bool first = true;

	for (; names->name; names++) {
		if (!names->value || (value & names->value) != names->value || names->value == 0x3f)
			continue;
		if (!first)
			seq_putc(m, ',');
		seq_puts(m, names->name);
		first = false;
	}
	if (first)
		seq_puts(m, none);
}

/* Leading ones of a mask; 129: they are not all in front. */
static u32 mask_len(const u8 *mask, u32 bytes)
{
	u32 n = 0;

	while (n < 8 * bytes && mask[n / 8] & 0x80 >> n % 8)
		n++;
	for (u32 i = n; i < 8 * bytes; i++)
		if (mask[i / 8] & 0x80 >> i % 8)
			return 129;
	return n;
}

static void address(struct seq_file *m, const u8 *addr, u16 pf)
{
	char text[ADDR_TEXT_MAX];

	if (pf == AF_INET6)
		ip6_to_text(addr, text);
	else
		ip4_to_text(addr, text);
	seq_puts(m, text);
}

static void network(struct seq_file *m, const u8 *addr, const u8 *mask, u16 pf, bool full)
{
	u32 bytes = pf == AF_INET6 ? 16 : 4, n = mask_len(mask, bytes);

	address(m, addr, pf);
	if (n == 8 * bytes && !full)
		return;
	seq_putc(m, '/');
	if (n == 129)
		address(m, mask, pf);
	else
		seq_u64(m, n, 0);
}

/* ---- matches ---- */

static void icmp_type(struct seq_file *m, const struct xt_match *x)
{
	if (x->u.icmp.type == 255) {
		seq_puts(m, " any");
		return;
	}
	number(m, x->u.icmp.type);
	if (x->u.icmp.code[0] == x->u.icmp.code[1]) {
		seq_putc(m, '/');
		seq_u64(m, x->u.icmp.code[0], 0);
	}
}

static void tcp_words(struct seq_file *m, const struct xt_match *x)
{
	if (x->set & XT_OPT_SPORT) {
		word(m, x->invert & XT_OPT_SPORT, "--sport ");
		range(m, x->u.tcp.sport[0], x->u.tcp.sport[1]);
	}
	if (x->set & XT_OPT_DPORT) {
		word(m, x->invert & XT_OPT_DPORT, "--dport ");
		range(m, x->u.tcp.dport[0], x->u.tcp.dport[1]);
	}
	if (x->set & XT_OPT_OPTION) {
		word(m, x->invert & XT_OPT_OPTION, "--tcp-option");
		number(m, x->u.tcp.option);
	}
	if (x->set & XT_OPT_FLAGS) {
		word(m, x->invert & XT_OPT_FLAGS, "--tcp-flags ");
		bits(m, xt_flag_names, x->u.tcp.flag_mask, "NONE");
		seq_putc(m, ' ');
		bits(m, xt_flag_names, x->u.tcp.flag_cmp, "NONE");
	}
}

static void ct_words(struct seq_file *m, const struct xt_match *x)
{
	if (x->u.ct.states) {
		word(m, x->invert, x->kind == XT_MATCH_STATE ? "--state " : "--ctstate ");
		bits(m, xt_state_names, x->u.ct.states, "NONE");
	}
	if (x->u.ct.status) {
		word(m, x->u.ct.invert_status, "--ctstatus ");
		bits(m, xt_status_names, x->u.ct.status, "NONE");
	}
	if (x->u.ct.dir)
		word(m, false, x->u.ct.dir == 1 ? "--ctdir ORIGINAL" : "--ctdir REPLY");
}

static void multiport_list(struct seq_file *m, const struct xt_match *x)
{
	for (u32 i = 0; i < x->u.multiport.count; i++) {
		if (i)
			seq_putc(m, ',');
		range(m, x->u.multiport.port[i], x->u.multiport.last[i]);
	}
}

/* "3/hour" of what a packet costs in 1/10,000 s. */
static void rate(struct seq_file *m, u32 avg)
{
	static const struct xt_name units[] = {
		{ "sec", 1 }, { "min", 60 }, { "hour", 3600 }, { "day", 86400 }
	};
	u32 i = 0;

	/* The smallest unit in which it is a whole number of packets. */
	while (i < 3 && (avg > units[i].value * 10000 ||
			 units[i].value * 10000 / avg < units[i].value * 10000 % avg))
		i++;
	seq_u64(m, units[i].value * 10000 / avg, 0);
	seq_putc(m, '/');
	seq_puts(m, units[i].name);
}

static void statistic_words(struct seq_file *m, const struct xt_match *x)
{
	if (x->u.statistic.every) {
		seq_puts(m, " --mode nth");
		word(m, x->invert, "--every");
		number(m, x->u.statistic.every);
		seq_puts(m, " --packet");
		number(m, x->u.statistic.packet);
		return;
	}
	seq_puts(m, " --mode random");
	word(m, x->invert, "--probability ");
	/* Eleven digits tell 2^31 steps apart. */
	if (x->u.statistic.probability == 0x7fffffff) {
		seq_puts(m, "1.00000000000");
		return;
	}
	seq_puts(m, "0.");
	for (u64 rest = x->u.statistic.probability, i = 0; i < 11; i++) {
		rest *= 10;
		seq_putc(m, (char)('0' + (rest >> 31)));
		rest &= 0x7fffffff;
	}
}

static void match_words(struct seq_file *m, const struct xt_match *x, u16 pf)
{
	static const char *const ports[] = { "--sports ", "--dports ", "--ports " };
	static const char *const ttl[] = { "--ttl-eq", "--ttl-lt", "--ttl-gt" };
	static const char *const hl[] = { "--hl-eq", "--hl-lt", "--hl-gt" };

	seq_puts(m, " -m ");
	seq_puts(m, xt_match_name(x->kind, pf));
	switch ((enum xt_match_kind)x->kind) {
	case XT_MATCH_TCP:
	case XT_MATCH_UDP:
		tcp_words(m, x);
		break;
	case XT_MATCH_ICMP:
	case XT_MATCH_ICMP6:
		word(m, x->invert, pf == AF_INET6 ? "--icmpv6-type" : "--icmp-type");
		icmp_type(m, x);
		break;
	case XT_MATCH_STATE:
	case XT_MATCH_CONNTRACK:
		ct_words(m, x);
		break;
	case XT_MATCH_MULTIPORT:
		word(m, x->invert, ports[x->u.multiport.flags]);
		multiport_list(m, x);
		break;
	case XT_MATCH_LIMIT:
		seq_puts(m, " --limit ");
		rate(m, x->u.limit.avg);
		if (x->u.limit.burst != 5) {
			seq_puts(m, " --limit-burst");
			number(m, x->u.limit.burst);
		}
		break;
	case XT_MATCH_MARK:
		word(m, x->invert, "--mark 0x");
		seq_hex(m, x->u.mark.mark, 0, false);
		if (x->u.mark.mask != UINT32_MAX) {
			seq_puts(m, "/0x");
			seq_hex(m, x->u.mark.mask, 0, false);
		}
		break;
	case XT_MATCH_LENGTH:
		word(m, x->invert, "--length ");
		range(m, x->u.length.min, x->u.length.max);
		break;
	case XT_MATCH_TTL:
		word(m, x->invert, (pf == AF_INET6 ? hl : ttl)[x->u.ttl.mode]);
		number(m, x->u.ttl.value);
		break;
	case XT_MATCH_PKTTYPE:
		word(m, x->invert, "--pkt-type ");
		seq_puts(m, xt_name_of(xt_pkttype_names, x->u.pkttype));
		break;
	case XT_MATCH_STATISTIC:
		statistic_words(m, x);
		break;
	case XT_MATCH_COMMENT:
		seq_puts(m, " --comment");
		quoted(m, x->u.comment);
		break;
	case XT_MATCH_KIND_COUNT:
		break;
	}
}

/* ---- -S, iptables-save ---- */

static const char *target_name(const struct xt_spec *s)
{
	static const char *const names[] = {
		[XT_NONE] = "",		[XT_ACCEPT] = "ACCEPT",	  [XT_DROP] = "DROP",
		[XT_RETURN] = "RETURN", [XT_JUMP] = "",		  [XT_GOTO] = "",
		[XT_REJECT] = "REJECT", [XT_NOTRACK] = "NOTRACK", [XT_LOG] = "LOG",
		[XT_MARK] = "MARK"
	};

	return s->jump[0] ? s->jump : names[s->target];
}

static void target_words(struct seq_file *m, const struct xt_spec *s, u16 pf)
{
	if (s->target == XT_NONE)
		return;
	seq_puts(m, s->target == XT_GOTO ? " -g " : " -j ");
	seq_puts(m, target_name(s));
	if (s->target == XT_REJECT) {
		seq_puts(m, " --reject-with ");
		seq_puts(m, xt_name_of(xt_reject_names[pf == AF_INET6], s->reject));
	}
	if (s->target == XT_LOG && s->text[0]) {
		seq_puts(m, " --log-prefix");
		quoted(m, s->text);
	}
	if (s->target == XT_LOG && s->log_level != 4) {
		seq_puts(m, " --log-level");
		number(m, s->log_level);
	}
	if (s->target == XT_MARK) {
		seq_puts(m, " --set-xmark 0x");
		seq_hex(m, s->mark, 0, false);
		seq_puts(m, "/0x");
		seq_hex(m, s->mark_mask, 0, false);
	}
}

static void header_words(struct seq_file *m, const struct xt_spec *s, u16 pf)
{
	static const u8 none[16];
	const char *proto = s->proto ? xt_name_of(xt_proto_names, s->proto) : NULL;

	if (memcmp(s->src_mask, none, 16) != 0) {
		word(m, s->invert & XT_INV_SRC, "-s ");
		network(m, s->src, s->src_mask, pf, true);
	}
	if (memcmp(s->dst_mask, none, 16) != 0) {
		word(m, s->invert & XT_INV_DST, "-d ");
		network(m, s->dst, s->dst_mask, pf, true);
	}
	if (s->in[0]) {
		word(m, s->invert & XT_INV_IN, "-i ");
		seq_puts(m, s->in);
	}
	if (s->out[0]) {
		word(m, s->invert & XT_INV_OUT, "-o ");
		seq_puts(m, s->out);
	}
	if (s->proto) {
		word(m, s->invert & XT_INV_PROTO, "-p");
		if (proto) {
			seq_putc(m, ' ');
			seq_puts(m, proto);
		} else {
			number(m, s->proto);
		}
	}
	if (s->frag)
		word(m, s->invert & XT_INV_FRAG, "-f");
}

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
	number(m, packets);
	number(m, bytes);
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
	header_words(m, &r->spec, pf);
	for (u32 i = 0; i < r->spec.matches; i++)
		match_words(m, &r->spec.match[i], pf);
	if (style == COUNTERS_C)
		counters_c(m, r->packets, r->bytes);
	target_words(m, &r->spec, pf);
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

/* ---- -L ---- */

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
	if (!mask_len(mask, pf == AF_INET6 ? 16 : 4))
		seq_puts(m, numeric ? (pf == AF_INET6 ? "::/0" : "0.0.0.0/0") : "anywhere");
	else
		network(m, addr, mask, pf, false);
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
	range(m, port[0], port[1]);
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
		icmp_type(m, x);
		break;
	case XT_MATCH_STATE:
	case XT_MATCH_CONNTRACK:
		if (x->u.ct.states) {
			seq_puts(m, x->invert ? " ! " : " ");
			seq_puts(m, x->kind == XT_MATCH_STATE ? "state " : "ctstate ");
			bits(m, xt_state_names, x->u.ct.states, "NONE");
		}
		if (x->u.ct.status) {
			seq_puts(m, x->u.ct.invert_status ? " ! ctstatus " : " ctstatus ");
			bits(m, xt_status_names, x->u.ct.status, "NONE");
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
		multiport_list(m, x);
		break;
	case XT_MATCH_LIMIT:
		seq_puts(m, " limit: avg ");
		rate(m, x->u.limit.avg);
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
		match_words(m, x, pf);
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
	seq_puts(m, target_name(s));
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

static void list_chain(struct seq_file *m, const struct xt_chain *c, const struct xt_command *cmd)
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
		list_chain(m, &chain, c);
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
		list_chain(m, chain, c);
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
