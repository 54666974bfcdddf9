/* SPDX-License-Identifier: MIT */
/* A rule in words that can be given to iptables again: what it matches, and its target. */
#include "proc/iptables.h"

#include "lib/addr_text.h"
#include "lib/str.h"
#include "nf/nf_conntrack.h"

/* ---- words ---- */

/* " --option value" with "!" in front when it is negated. */
static void word(struct seq_file *m, bool invert, const char *option)
{
	seq_puts(m, invert ? " ! " : " ");
	seq_puts(m, option);
}

void ipt_number(struct seq_file *m, u64 v)
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
		if (*s == '"' || *s == '\\' || *s == '\'')
			seq_putc(m, '\\');
		seq_putc(m, *s);
	}
	if (!plain)
		seq_putc(m, '"');
}

void ipt_range(struct seq_file *m, u64 from, u64 to)
{
	seq_u64(m, from, 0);
	if (from == to)
		return;
	seq_putc(m, ':');
	seq_u64(m, to, 0);
}

void ipt_bits(struct seq_file *m, const struct xt_name *names, u32 value, const char *none)
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

u32 ipt_mask_len(const u8 *mask, u32 bytes)
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

void ipt_iprange(struct seq_file *m, const u8 range[2][16], u16 pf)
{
	address(m, range[0], pf);
	seq_putc(m, '-');
	address(m, range[1], pf);
}

void ipt_network(struct seq_file *m, const u8 *addr, const u8 *mask, u16 pf, bool full)
{
	u32 bytes = pf == AF_INET6 ? 16 : 4, n = ipt_mask_len(mask, bytes);

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
	ipt_number(m, x->u.icmp.type);
	if (x->u.icmp.code[0] == x->u.icmp.code[1]) {
		seq_putc(m, '/');
		seq_u64(m, x->u.icmp.code[0], 0);
	}
}

static void tcp_words(struct seq_file *m, const struct xt_match *x)
{
	if (x->set & XT_OPT_SPORT) {
		word(m, x->invert & XT_OPT_SPORT, "--sport ");
		ipt_range(m, x->u.tcp.sport[0], x->u.tcp.sport[1]);
	}
	if (x->set & XT_OPT_DPORT) {
		word(m, x->invert & XT_OPT_DPORT, "--dport ");
		ipt_range(m, x->u.tcp.dport[0], x->u.tcp.dport[1]);
	}
	if (x->set & XT_OPT_OPTION) {
		word(m, x->invert & XT_OPT_OPTION, "--tcp-option");
		ipt_number(m, x->u.tcp.option);
	}
	if (x->set & XT_OPT_FLAGS) {
		word(m, x->invert & XT_OPT_FLAGS, "--tcp-flags ");
		ipt_bits(m, xt_flag_names, x->u.tcp.flag_mask, "NONE");
		seq_putc(m, ' ');
		ipt_bits(m, xt_flag_names, x->u.tcp.flag_cmp, "NONE");
	}
}

static void ct_words(struct seq_file *m, const struct xt_match *x)
{
	if (x->u.ct.states) {
		word(m, x->invert, x->kind == XT_MATCH_STATE ? "--state " : "--ctstate ");
		ipt_bits(m, xt_state_names, x->u.ct.states, "NONE");
	}
	if (x->u.ct.status) {
		word(m, x->u.ct.invert_status, "--ctstatus ");
		ipt_bits(m, xt_status_names, x->u.ct.status, "NONE");
	}
	if (x->u.ct.dir)
		word(m, false, x->u.ct.dir == 1 ? "--ctdir ORIGINAL" : "--ctdir REPLY");
}

void ipt_multiport_list(struct seq_file *m, const struct xt_match *x)
{
	for (u32 i = 0; i < x->u.multiport.count; i++) {
		if (i)
			seq_putc(m, ',');
		ipt_range(m, x->u.multiport.port[i], x->u.multiport.last[i]);
	}
}

void ipt_rate(struct seq_file *m, u32 avg)
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

void ipt_probability(struct seq_file *m, u32 probability)
{
	/* Eleven digits tell 2^31 steps apart. */
	if (probability == 0x7fffffff) {
		seq_puts(m, "1.00000000000");
		return;
	}
	seq_puts(m, "0.");
	for (u64 rest = probability, i = 0; i < 11; i++) {
		rest *= 10;
		seq_putc(m, (char)('0' + (rest >> 31)));
		rest &= 0x7fffffff;
	}
}

static void statistic_words(struct seq_file *m, const struct xt_match *x)
{
	if (x->u.statistic.every) {
		seq_puts(m, " --mode nth");
		word(m, x->invert, "--every");
		ipt_number(m, x->u.statistic.every);
		seq_puts(m, " --packet");
		ipt_number(m, x->u.statistic.packet);
		return;
	}
	seq_puts(m, " --mode random");
	word(m, x->invert, "--probability ");
	ipt_probability(m, x->u.statistic.probability);
}

void ipt_mark(struct seq_file *m, const struct xt_match *x)
{
	seq_puts(m, "0x");
	seq_hex(m, x->u.mark.mark, 0, false);
	if (x->u.mark.mask == UINT32_MAX)
		return;
	seq_puts(m, "/0x");
	seq_hex(m, x->u.mark.mask, 0, false);
}

static void address_words(struct seq_file *m, const struct xt_match *x, u16 pf)
{
	if (x->kind == XT_MATCH_MAC) {
		word(m, x->invert, "--mac-source ");
		seq_mac(m, x->u.mac);
		return;
	}
	for (u32 i = 0; i < 2; i++) {
		u8 bit = i ? XT_OPT_DST : XT_OPT_SRC;

		if (!(x->set & bit))
			continue;
		word(m, x->invert & bit, i ? "--dst-" : "--src-");
		if (x->kind == XT_MATCH_ADDRTYPE) {
			seq_puts(m, "type ");
			ipt_bits(m, xt_addrtype_names, i ? x->u.addrtype.dst : x->u.addrtype.src,
				 "");
			continue;
		}
		seq_puts(m, "range ");
		ipt_iprange(m, i ? x->u.iprange.dst : x->u.iprange.src, pf);
	}
}

void ipt_match_words(struct seq_file *m, const struct xt_match *x, u16 pf)
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
		ipt_multiport_list(m, x);
		break;
	case XT_MATCH_LIMIT:
		seq_puts(m, " --limit ");
		ipt_rate(m, x->u.limit.avg);
		if (x->u.limit.burst != 5) {
			seq_puts(m, " --limit-burst");
			ipt_number(m, x->u.limit.burst);
		}
		break;
	case XT_MATCH_MARK:
	case XT_MATCH_CONNMARK:
		word(m, x->invert, "--mark ");
		ipt_mark(m, x);
		break;
	case XT_MATCH_LENGTH:
		word(m, x->invert, "--length ");
		ipt_range(m, x->u.length.min, x->u.length.max);
		break;
	case XT_MATCH_TTL:
		word(m, x->invert, (pf == AF_INET6 ? hl : ttl)[x->u.ttl.mode]);
		ipt_number(m, x->u.ttl.value);
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
	case XT_MATCH_IPRANGE:
	case XT_MATCH_MAC:
	case XT_MATCH_ADDRTYPE:
		address_words(m, x, pf);
		break;
	case XT_MATCH_TCPMSS:
		word(m, x->invert, "--mss ");
		ipt_range(m, x->u.length.min, x->u.length.max);
		break;
	case XT_MATCH_KIND_COUNT:
		break;
	}
}

/* ---- targets, and what stands in front of all ---- */

const char *ipt_target_name(const struct xt_spec *s, u16 pf)
{
	static const char *const names[] = { [XT_NONE] = "",
					     [XT_ACCEPT] = "ACCEPT",
					     [XT_DROP] = "DROP",
					     [XT_RETURN] = "RETURN",
					     [XT_JUMP] = "",
					     [XT_GOTO] = "",
					     [XT_REJECT] = "REJECT",
					     [XT_NOTRACK] = "NOTRACK",
					     [XT_LOG] = "LOG",
					     [XT_MARK] = "MARK",
					     [XT_CONNMARK] = "CONNMARK",
					     [XT_TCPMSS] = "TCPMSS",
					     [XT_TTL] = "TTL" };

	if (s->target == XT_TTL && pf == AF_INET6)
		return "HL";
	return s->jump[0] ? s->jump : names[s->target];
}

static void mask_word(struct seq_file *m, const char *name, u32 mask)
{
	seq_puts(m, name);
	seq_hex(m, mask, 0, false);
}

static void change_words(struct seq_file *m, const struct xt_spec *s, u16 pf)
{
	static const char *const ttl[] = { "", " --ttl-set", " --ttl-dec", " --ttl-inc" };
	static const char *const hl[] = { "", " --hl-set", " --hl-dec", " --hl-inc" };

	if (s->target == XT_TTL) {
		seq_puts(m, (pf == AF_INET6 ? hl : ttl)[s->target_op]);
		ipt_number(m, s->target_value);
	} else if (s->target == XT_TCPMSS && s->target_op == XT_TCPMSS_SET) {
		seq_puts(m, " --set-mss");
		ipt_number(m, s->target_value);
	} else if (s->target == XT_TCPMSS) {
		seq_puts(m, " --clamp-mss-to-pmtu");
	} else if (s->target_op == XT_MARK_SET) {
		mask_word(m, " --set-xmark 0x", s->mark);
		mask_word(m, "/0x", s->mark_mask);
	} else {
		seq_puts(m, s->target_op == XT_CONNMARK_SAVE ? " --save-mark" : " --restore-mark");
		mask_word(m, " --nfmask 0x", s->mark);
		mask_word(m, " --ctmask 0x", s->mark_mask);
	}
}

void ipt_target_words(struct seq_file *m, const struct xt_spec *s, u16 pf)
{
	if (s->target == XT_NONE)
		return;
	seq_puts(m, s->target == XT_GOTO ? " -g " : " -j ");
	seq_puts(m, ipt_target_name(s, pf));
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
		ipt_number(m, s->log_level);
	}
	if (s->target == XT_CONNMARK || s->target == XT_TCPMSS || s->target == XT_TTL)
		change_words(m, s, pf);
	if (s->target == XT_MARK) {
		mask_word(m, " --set-xmark 0x", s->mark);
		mask_word(m, "/0x", s->mark_mask);
	}
}

void ipt_header_words(struct seq_file *m, const struct xt_spec *s, u16 pf)
{
	static const u8 none[16];
	const char *proto = s->proto ? xt_name_of(xt_proto_names, s->proto) : NULL;

	if (memcmp(s->src_mask, none, 16) != 0) {
		word(m, s->invert & XT_INV_SRC, "-s ");
		ipt_network(m, s->src, s->src_mask, pf, true);
	}
	if (memcmp(s->dst_mask, none, 16) != 0) {
		word(m, s->invert & XT_INV_DST, "-d ");
		ipt_network(m, s->dst, s->dst_mask, pf, true);
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
			ipt_number(m, s->proto);
		}
	}
	if (s->frag)
		word(m, s->invert & XT_INV_FRAG, "-f");
}
