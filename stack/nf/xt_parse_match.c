/* SPDX-License-Identifier: MIT */
/*
 * -m and the options of matches (iptables/extensions). "-p tcp" brings its match along, as iptables
 * loads it.
 */
#include "nf/xt_words.h"

#include "lib/addr_text.h"
#include "lib/str.h"
#include "nf/nf_conntrack.h"
#include "wire/tcp.h"

static struct xt_match *match_find(struct xt_spec *s, u32 kind)
{
	for (u32 i = s->matches; i-- > 0;)
		if (s->match[i].kind == kind)
			return &s->match[i];
	return NULL;
}

static struct xt_match *match_add(struct xt_words *w, u32 kind)
{
	struct xt_spec *s = &w->c->spec;
	struct xt_match *m;

	if (s->matches == XT_MATCHES_MAX) {
		XT_ERROR(w, 2, "more than 8 matches in one rule");
		return NULL;
	}
	m = &s->match[s->matches++];
	m->kind = (u8)kind;
	if (kind == XT_MATCH_TCP || kind == XT_MATCH_UDP) {
		m->u.tcp.sport[1] = 0xffff;
		m->u.tcp.dport[1] = 0xffff;
	} else if (kind == XT_MATCH_ICMP || kind == XT_MATCH_ICMP6) {
		m->u.icmp.type = 255;
		m->u.icmp.code[1] = 255;
	} else if (kind == XT_MATCH_LIMIT) {
		m->u.limit.avg = 10000u * 60 * 60 / 3; /* 3/hour */
		m->u.limit.burst = 5;
	} else if (kind == XT_MATCH_LENGTH || kind == XT_MATCH_TCPMSS) {
		m->u.length.max = 0xffff;
	}
	return m;
}

static bool match_protocol_fits(const struct xt_words *w, u32 kind)
{
	const struct xt_spec *s = &w->c->spec;
	u16 proto = kind == XT_MATCH_TCP  ? IPPROTO_TCP :
		    kind == XT_MATCH_UDP  ? IPPROTO_UDP :
		    kind == XT_MATCH_ICMP ? IPPROTO_ICMP :
					    IPPROTO_ICMPV6;

	return kind > XT_MATCH_ICMP6 || (s->proto == proto && !(s->invert & XT_INV_PROTO));
}

bool xt_parse_match(struct xt_words *w, const char *name)
{
	u16 pf = w->c->pf;

	for (u32 kind = 0; kind < XT_MATCH_KIND_COUNT; kind++) {
		bool right = str_eq(name, xt_match_name(kind, pf)) ||
			     (kind == XT_MATCH_ICMP6 && str_eq(name, "icmpv6"));

		if (!right || (kind == XT_MATCH_ICMP && pf != AF_INET) ||
		    (kind == XT_MATCH_ICMP6 && pf != AF_INET6) ||
		    (kind == XT_MATCH_ADDRTYPE && pf != AF_INET))
			continue;
		/* The protocol may come later in the line: then the option brings the match. */
		if (kind <= XT_MATCH_ICMP6 && match_find(&w->c->spec, kind))
			return true;
		return match_add(w, kind) != NULL;
	}
	return XT_ERROR(w, 2, "Couldn't load match `", name, "':No such file or directory");
}

/* The match that an option belongs to: named before, or brought by -p. */
static struct xt_match *match_for(struct xt_words *w, u32 kind)
{
	struct xt_match *m = match_find(&w->c->spec, kind);

	if (m || kind > XT_MATCH_ICMP6 || !match_protocol_fits(w, kind))
		return m;
	return match_add(w, kind);
}

static bool parse_flags(struct xt_words *w, struct xt_match *m, const char *text)
{
	const char *compare;
	u32 mask, cmp;

	compare = xt_next(w, "--tcp-flags");
	if (!compare)
		return false;
	if (!xt_parse_names(xt_flag_names, text, &mask))
		return XT_ERROR(w, 2, "Unknown TCP flag `", text, "'");
	if (!xt_parse_names(xt_flag_names, compare, &cmp))
		return XT_ERROR(w, 2, "Unknown TCP flag `", compare, "'");
	m->u.tcp.flag_mask = (u8)mask;
	m->u.tcp.flag_cmp = (u8)cmp;
	return true;
}

static bool parse_icmp_type(struct xt_words *w, struct xt_match *m, const char *text)
{
	const struct xt_icmp_name *n = xt_icmp_names[w->c->pf == AF_INET6];
	u64 type, code = 0;
	size_t slash = 0;
	char first[16];

	for (; n->name; n++) {
		if (!str_eq(n->name, text))
			continue;
		m->u.icmp.type = n->type;
		m->u.icmp.code[0] = n->code[0];
		m->u.icmp.code[1] = n->code[1];
		return true;
	}
	while (text[slash] && text[slash] != '/')
		slash++;
	str_copy_n(first, sizeof(first), text, slash);
	if (!xt_number(first, 255, &type) ||
	    (text[slash] && !xt_number(text + slash + 1, 255, &code)))
		return XT_ERROR(w, 2, "Unknown ICMP type `", text, "'");
	m->u.icmp.type = (u8)type;
	m->u.icmp.code[0] = (u8)code;
	m->u.icmp.code[1] = text[slash] ? (u8)code : 255;
	return true;
}

static bool parse_multiport(struct xt_words *w, struct xt_match *m, const char *text, u8 which)
{
	char one[24];

	m->u.multiport.flags = which;
	for (;;) {
		u16 port[2];
		size_t n = 0;

		if (m->u.multiport.count == XT_MULTI_PORTS)
			return XT_ERROR(w, 2, "too many ports specified");
		while (text[n] && text[n] != ',')
			n++;
		str_copy_n(one, sizeof(one), text, n);
		if (!xt_parse_ports(w, one, port))
			return false;
		m->u.multiport.port[m->u.multiport.count] = port[0];
		m->u.multiport.last[m->u.multiport.count++] = port[1];
		if (!text[n])
			return true;
		text += n + 1;
	}
}

/* ---- options ---- */

enum option_kind {
	O_SPORT,
	O_DPORT,
	O_FLAGS,
	O_SYN,
	O_OPTION,
	O_ICMP,
	O_STATE,
	O_STATUS,
	O_DIR,
	O_SPORTS,
	O_DPORTS,
	O_PORTS,
	O_LIMIT,
	O_BURST,
	O_MARK,
	O_LENGTH,
	O_TTL_EQ,
	O_TTL_LT,
	O_TTL_GT,
	O_PKTTYPE,
	O_MODE,
	O_PROBABILITY,
	O_EVERY,
	O_PACKET,
	O_COMMENT,
	O_SRC_RANGE,
	O_DST_RANGE,
	O_MAC,
	O_SRC_TYPE,
	O_DST_TYPE,
	O_MSS,
};

struct option {
	const char *name;
	u8 kind; /* enum option_kind */
	u32 matches; /* bits of the matches that know it */
	bool inverts; /* may have a "!" in front */
};

#define M(kind) (1u << XT_MATCH_##kind)

static const struct option match_options[] = {
	{ "--sport", O_SPORT, M(TCP) | M(UDP), true },
	{ "--source-port", O_SPORT, M(TCP) | M(UDP), true },
	{ "--dport", O_DPORT, M(TCP) | M(UDP), true },
	{ "--destination-port", O_DPORT, M(TCP) | M(UDP), true },
	{ "--tcp-flags", O_FLAGS, M(TCP), true },
	{ "--syn", O_SYN, M(TCP), true },
	{ "--tcp-option", O_OPTION, M(TCP), true },
	{ "--icmp-type", O_ICMP, M(ICMP), true },
	{ "--icmpv6-type", O_ICMP, M(ICMP6), true },
	{ "--state", O_STATE, M(STATE), true },
	{ "--ctstate", O_STATE, M(CONNTRACK), true },
	{ "--ctstatus", O_STATUS, M(CONNTRACK), true },
	{ "--ctdir", O_DIR, M(CONNTRACK), false },
	{ "--sports", O_SPORTS, M(MULTIPORT), true },
	{ "--source-ports", O_SPORTS, M(MULTIPORT), true },
	{ "--dports", O_DPORTS, M(MULTIPORT), true },
	{ "--destination-ports", O_DPORTS, M(MULTIPORT), true },
	{ "--ports", O_PORTS, M(MULTIPORT), true },
	{ "--limit", O_LIMIT, M(LIMIT), false },
	{ "--limit-burst", O_BURST, M(LIMIT), false },
	{ "--mark", O_MARK, M(MARK) | M(CONNMARK), true },
	{ "--length", O_LENGTH, M(LENGTH), true },
	{ "--ttl-eq", O_TTL_EQ, M(TTL), true },
	{ "--ttl-lt", O_TTL_LT, M(TTL), false },
	{ "--ttl-gt", O_TTL_GT, M(TTL), false },
	{ "--hl-eq", O_TTL_EQ, M(TTL), true },
	{ "--hl-lt", O_TTL_LT, M(TTL), false },
	{ "--hl-gt", O_TTL_GT, M(TTL), false },
	{ "--pkt-type", O_PKTTYPE, M(PKTTYPE), true },
	{ "--mode", O_MODE, M(STATISTIC), false },
	{ "--probability", O_PROBABILITY, M(STATISTIC), true },
	{ "--every", O_EVERY, M(STATISTIC), true },
	{ "--packet", O_PACKET, M(STATISTIC), false },
	{ "--comment", O_COMMENT, M(COMMENT), false },
	{ "--src-range", O_SRC_RANGE, M(IPRANGE), true },
	{ "--dst-range", O_DST_RANGE, M(IPRANGE), true },
	{ "--mac-source", O_MAC, M(MAC), true },
	{ "--src-type", O_SRC_TYPE, M(ADDRTYPE), true },
	{ "--dst-type", O_DST_TYPE, M(ADDRTYPE), true },
	{ "--mss", O_MSS, M(TCPMSS), true },
};

static bool option_tcp(struct xt_words *w, struct xt_match *m, u8 kind, const char *text)
{
	u8 bit = kind == O_SPORT  ? XT_OPT_SPORT :
		 kind == O_DPORT  ? XT_OPT_DPORT :
		 kind == O_OPTION ? XT_OPT_OPTION :
				    XT_OPT_FLAGS;
	u32 v = 0;

	if (m->set & bit)
		return XT_ERROR(w, 2, "option given twice: `", text ? text : "--syn", "'");
	m->set |= bit;
	m->invert |= w->invert ? bit : 0;
	switch (kind) {
	case O_SPORT:
		return xt_parse_ports(w, text, m->u.tcp.sport);
	case O_DPORT:
		return xt_parse_ports(w, text, m->u.tcp.dport);
	case O_FLAGS:
		return parse_flags(w, m, text);
	case O_OPTION:
		if (!xt_parse_u32(w, "--tcp-option", text, 1, &v) || v > 255)
			return XT_ERROR(w, 2, "Bad TCP option `", text, "'");
		m->u.tcp.option = (u8)v;
		return true;
	default:
		m->u.tcp.flag_mask = TCPHDR_SYN | TCPHDR_RST | TCPHDR_ACK | TCPHDR_FIN;
		m->u.tcp.flag_cmp = TCPHDR_SYN;
		return true;
	}
}

static bool option_ct(struct xt_words *w, struct xt_match *m, u8 kind, const char *text)
{
	if (kind == O_STATE) {
		m->invert |= w->invert;
		return xt_parse_names(xt_state_names, text, &m->u.ct.states) ||
		       XT_ERROR(w, 2, "Bad ctstate \"", text, "\"");
	}
	if (kind == O_STATUS) {
		m->u.ct.invert_status = w->invert;
		return xt_parse_names(xt_status_names, text, &m->u.ct.status) ||
		       XT_ERROR(w, 2, "Bad ctstatus \"", text, "\"");
	}
	m->u.ct.dir = str_eq(text, "ORIGINAL") ? 1 : str_eq(text, "REPLY") ? 2 : 0;
	return m->u.ct.dir || XT_ERROR(w, 2, "Bad ctdir \"", text, "\"");
}

static bool option_statistic(struct xt_words *w, struct xt_match *m, u8 kind, const char *text)
{
	m->invert |= w->invert;
	switch (kind) {
	case O_MODE:
		if (str_eq(text, "nth") || str_eq(text, "random"))
			return true;
		return XT_ERROR(w, 2, "Bad mode \"", text, "\"");
	case O_PROBABILITY:
		return xt_parse_probability(w, m, text);
	case O_EVERY:
		return xt_parse_u32(w, "--every", text, 1, &m->u.statistic.every);
	default:
		return xt_parse_u32(w, "--packet", text, 0, &m->u.statistic.packet);
	}
}

static bool option_range(struct xt_words *w, struct xt_match *m, u8 kind, const char *text)
{
	u64 range[2];

	m->invert |= w->invert;
	if (kind == O_LENGTH || kind == O_MSS) {
		if (!xt_parse_range(text, 65535, range))
			return XT_ERROR(w, 2, kind == O_MSS ? "tcpmss" : "length", ": bad range `",
					text, "'");
		m->u.length.min = (u16)range[0];
		m->u.length.max = (u16)range[1];
		return true;
	}
	if (!xt_number(text, 255, range))
		return XT_ERROR(w, 2, "ttl: bad value `", text, "'");
	m->u.ttl.mode = (u8)(kind - O_TTL_EQ);
	m->u.ttl.value = (u8)range[0];
	return true;
}

/* "10.0.0.1-10.0.0.9", or one address. */
static bool parse_iprange(struct xt_words *w, const char *text, u8 range[2][16])
{
	bool (*const read)(const char *s, u8 *addr) =
		w->c->pf == AF_INET6 ? ip6_from_text : ip4_from_text;
	char first[ADDR_TEXT_MAX];
	size_t n = 0;

	while (text[n] && text[n] != '-')
		n++;
	str_copy_n(first, sizeof(first), text, n);
	if (!read(first, range[0]) || !read(text[n] ? text + n + 1 : first, range[1]))
		return XT_ERROR(w, 2, "iprange: Bad IP address \"", text, "\"");
	return memcmp(range[0], range[1], 16) <= 0 ||
	       XT_ERROR(w, 2, "iprange: range ", text, " is reversed and will never match");
}

/* Bytes of one or two digits. */
static bool parse_mac(struct xt_words *w, const char *text, u8 mac[6])
{
	for (u32 i = 0; i < 6; i++) {
		s32 high = hex_digit(*text), low = high < 0 ? -1 : hex_digit(text[1]);

		if (high < 0 || text[low < 0 ? 1 : 2] != (i < 5 ? ':' : 0))
			return XT_ERROR(w, 2, "mac: Bad mac address");
		mac[i] = (u8)(low < 0 ? high : high << 4 | low);
		text += low < 0 ? 2 : 3;
	}
	return true;
}

static bool option_address(struct xt_words *w, struct xt_match *m, u8 kind, const char *text)
{
	u8 bit = kind == O_SRC_RANGE || kind == O_SRC_TYPE || kind == O_MAC ? XT_OPT_SRC :
									      XT_OPT_DST;
	u32 *types = bit == XT_OPT_SRC ? &m->u.addrtype.src : &m->u.addrtype.dst;

	m->set |= bit;
	m->invert |= w->invert ? bit : 0;
	if (kind == O_MAC)
		return parse_mac(w, text, m->u.mac);
	if (kind == O_SRC_RANGE || kind == O_DST_RANGE)
		return parse_iprange(w, text,
				     bit == XT_OPT_SRC ? m->u.iprange.src : m->u.iprange.dst);
	return xt_parse_names(xt_addrtype_names, text, types) ||
	       XT_ERROR(w, 2, "addrtype: bad type `", text, "'");
}

static bool option_rest(struct xt_words *w, struct xt_match *m, u8 kind, const char *text)
{
	const struct xt_name *n;

	m->invert |= w->invert;
	switch (kind) {
	case O_ICMP:
		return parse_icmp_type(w, m, text);
	case O_SPORTS:
	case O_DPORTS:
	case O_PORTS:
		return parse_multiport(w, m, text, (u8)(kind - O_SPORTS));
	case O_LIMIT:
		return xt_parse_rate(w, m, text);
	case O_BURST:
		return xt_parse_u32(w, "--limit-burst", text, 1, &m->u.limit.burst) &&
		       (m->u.limit.burst <= 10000 ||
			XT_ERROR(w, 2, "bad --limit-burst `", text, "'"));
	case O_MARK:
		return xt_parse_mark(w, "--mark", text, &m->u.mark.mark, &m->u.mark.mask);
	case O_PKTTYPE:
		n = xt_name_find(xt_pkttype_names, text, str_len(text));
		if (!n)
			return XT_ERROR(w, 2, "Bad packet type '", text, "'");
		m->u.pkttype = (u8)n->value;
		return true;
	default:
		if (str_len(text) >= XT_TEXT_MAX)
			return XT_ERROR(w, 2, "COMMENT must be shorter than 64 characters");
		str_copy(m->u.comment, text, XT_TEXT_MAX);
		return true;
	}
}

static int match_option(struct xt_words *w, const struct option *o)
{
	struct xt_match *m = NULL;
	const char *text = NULL;
	bool ok;

	/* The match that was named last, of those that know it. */
	for (u32 i = w->c->spec.matches; i-- > 0 && !m;)
		if (o->matches & 1u << w->c->spec.match[i].kind)
			m = &w->c->spec.match[i];
	for (u32 kind = 0; kind < XT_MATCH_KIND_COUNT && !m; kind++)
		if (o->matches & 1u << kind)
			m = match_for(w, kind);
	if (!m)
		return 0;
	if (w->invert && !o->inverts)
		return XT_WRONG(w, "option \"", o->name, "\" cannot be inverted.");
	/* The old way: "--dport ! 80". */
	if (o->inverts && w->at < w->count && str_eq(w->word[w->at], "!")) {
		w->invert = true;
		w->at++;
	}
	if (o->kind != O_SYN) {
		text = xt_next(w, o->name);
		if (!text)
			return -1;
	}
	if (o->kind <= O_OPTION)
		ok = option_tcp(w, m, o->kind, text);
	else if (o->kind >= O_STATE && o->kind <= O_DIR)
		ok = option_ct(w, m, o->kind, text);
	else if ((o->kind >= O_LENGTH && o->kind <= O_TTL_GT) || o->kind == O_MSS)
		ok = option_range(w, m, o->kind, text);
	else if (o->kind >= O_SRC_RANGE && o->kind <= O_DST_TYPE)
		ok = option_address(w, m, o->kind, text);
	else if (o->kind >= O_MODE && o->kind <= O_PACKET)
		ok = option_statistic(w, m, o->kind, text);
	else
		ok = option_rest(w, m, o->kind, text);
	return ok ? 1 : -1;
}

int xt_parse_option(struct xt_words *w, const char *option)
{
	int r = xt_target_option(w, option);

	for (u32 i = 0; i < ARRAY_SIZE(match_options) && !r && !w->c->error[0]; i++)
		if (str_eq(match_options[i].name, option))
			r = match_option(w, &match_options[i]);
	return w->c->error[0] ? -1 : r;
}
