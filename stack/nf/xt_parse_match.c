/* SPDX-License-Identifier: MIT */
/*
 * Options of matches and targets, and the names that go with them (iptables/extensions). "-p tcp"
 * brings its match along, as iptables loads it.
 */
#include "nf/xt.h"

#include "lib/str.h"
#include "nf/nf_conntrack.h"
#include "wire/tcp.h"

/* ---- names ---- */

const struct xt_name xt_state_names[] = {
	{ "INVALID", XT_STATE_INVALID },
	{ "NEW", XT_STATE_BIT(IP_CT_NEW) },
	{ "RELATED", XT_STATE_BIT(IP_CT_RELATED) },
	{ "ESTABLISHED", XT_STATE_BIT(IP_CT_ESTABLISHED) },
	{ "UNTRACKED", XT_STATE_UNTRACKED },
	{ NULL, 0 },
};

const struct xt_name xt_status_names[] = {
	{ "EXPECTED", IPS_EXPECTED }, { "SEEN_REPLY", IPS_SEEN_REPLY },
	{ "ASSURED", IPS_ASSURED },   { "CONFIRMED", IPS_CONFIRMED },
	{ "NONE", 1u << 31 },	      { NULL, 0 },
};

const struct xt_name xt_flag_names[] = {
	{ "FIN", TCPHDR_FIN }, { "SYN", TCPHDR_SYN }, { "RST", TCPHDR_RST },
	{ "PSH", TCPHDR_PSH }, { "ACK", TCPHDR_ACK }, { "URG", TCPHDR_URG },
	{ "ALL", 0x3f },       { "NONE", 0 },	      { NULL, 0 },
};

const struct xt_name xt_pkttype_names[] = {
	{ "unicast", PACKET_HOST },
	{ "broadcast", PACKET_BROADCAST },
	{ "multicast", PACKET_MULTICAST },
	{ NULL, 0 },
};

/* Full names first: those are the ones that are shown. */
const struct xt_name xt_reject_names[2][16] = {
	{
		{ "icmp-net-unreachable", XT_ICMP_NET_UNREACHABLE },
		{ "icmp-host-unreachable", XT_ICMP_HOST_UNREACHABLE },
		{ "icmp-proto-unreachable", XT_ICMP_PROT_UNREACHABLE },
		{ "icmp-port-unreachable", XT_ICMP_PORT_UNREACHABLE },
		{ "icmp-net-prohibited", XT_ICMP_NET_PROHIBITED },
		{ "icmp-host-prohibited", XT_ICMP_HOST_PROHIBITED },
		{ "icmp-admin-prohibited", XT_ICMP_ADMIN_PROHIBITED },
		{ "tcp-reset", XT_TCP_RESET },
		{ "net-unreach", XT_ICMP_NET_UNREACHABLE },
		{ "host-unreach", XT_ICMP_HOST_UNREACHABLE },
		{ "proto-unreach", XT_ICMP_PROT_UNREACHABLE },
		{ "port-unreach", XT_ICMP_PORT_UNREACHABLE },
		{ "tcp-rst", XT_TCP_RESET },
		{ "admin-prohib", XT_ICMP_ADMIN_PROHIBITED },
		{ NULL, 0 },
	},
	{
		{ "icmp6-no-route", XT_ICMP6_NO_ROUTE },
		{ "icmp6-adm-prohibited", XT_ICMP6_ADM_PROHIBITED },
		{ "icmp6-addr-unreachable", XT_ICMP6_ADDR_UNREACHABLE },
		{ "icmp6-port-unreachable", XT_ICMP6_PORT_UNREACHABLE },
		{ "tcp-reset", XT_TCP_RESET },
		{ "icmp6-policy-fail", XT_ICMP6_POLICY_FAIL },
		{ "icmp6-reject-route", XT_ICMP6_REJECT_ROUTE },
		{ "no-route", XT_ICMP6_NO_ROUTE },
		{ "adm-prohibited", XT_ICMP6_ADM_PROHIBITED },
		{ "addr-unreach", XT_ICMP6_ADDR_UNREACHABLE },
		{ "port-unreach", XT_ICMP6_PORT_UNREACHABLE },
		{ NULL, 0 },
	},
};

bool xt_reject_is_icmp(u32 reject, u16 pf)
{
	return reject != XT_TCP_RESET && (reject >= XT_ICMP6_NO_ROUTE) == (pf == AF_INET6);
}

const struct xt_icmp_name xt_icmp_names[2][48] = {
	{
		{ "any", 255, { 0, 255 } },
		{ "echo-reply", 0, { 0, 255 } },
		{ "destination-unreachable", 3, { 0, 255 } },
		{ "network-unreachable", 3, { 0, 0 } },
		{ "host-unreachable", 3, { 1, 1 } },
		{ "protocol-unreachable", 3, { 2, 2 } },
		{ "port-unreachable", 3, { 3, 3 } },
		{ "fragmentation-needed", 3, { 4, 4 } },
		{ "source-route-failed", 3, { 5, 5 } },
		{ "network-unknown", 3, { 6, 6 } },
		{ "host-unknown", 3, { 7, 7 } },
		{ "network-prohibited", 3, { 9, 9 } },
		{ "host-prohibited", 3, { 10, 10 } },
		{ "TOS-network-unreachable", 3, { 11, 11 } },
		{ "TOS-host-unreachable", 3, { 12, 12 } },
		{ "communication-prohibited", 3, { 13, 13 } },
		{ "source-quench", 4, { 0, 255 } },
		{ "redirect", 5, { 0, 255 } },
		{ "network-redirect", 5, { 0, 0 } },
		{ "host-redirect", 5, { 1, 1 } },
		{ "echo-request", 8, { 0, 255 } },
		{ "router-advertisement", 9, { 0, 255 } },
		{ "router-solicitation", 10, { 0, 255 } },
		{ "time-exceeded", 11, { 0, 255 } },
		{ "ttl-zero-during-transit", 11, { 0, 0 } },
		{ "ttl-zero-during-reassembly", 11, { 1, 1 } },
		{ "parameter-problem", 12, { 0, 255 } },
		{ "ip-header-bad", 12, { 0, 0 } },
		{ "required-option-missing", 12, { 1, 1 } },
		{ "timestamp-request", 13, { 0, 255 } },
		{ "timestamp-reply", 14, { 0, 255 } },
		{ "address-mask-request", 17, { 0, 255 } },
		{ "address-mask-reply", 18, { 0, 255 } },
		{ "pong", 0, { 0, 255 } },
		{ "ping", 8, { 0, 255 } },
		{ "ttl-exceeded", 11, { 0, 255 } },
		{ NULL, 0, { 0, 0 } },
	},
	{
		{ "destination-unreachable", 1, { 0, 255 } },
		{ "no-route", 1, { 0, 0 } },
		{ "communication-prohibited", 1, { 1, 1 } },
		{ "beyond-scope", 1, { 2, 2 } },
		{ "address-unreachable", 1, { 3, 3 } },
		{ "port-unreachable", 1, { 4, 4 } },
		{ "packet-too-big", 2, { 0, 255 } },
		{ "time-exceeded", 3, { 0, 255 } },
		{ "ttl-zero-during-transit", 3, { 0, 0 } },
		{ "ttl-zero-during-reassembly", 3, { 1, 1 } },
		{ "parameter-problem", 4, { 0, 255 } },
		{ "bad-header", 4, { 0, 0 } },
		{ "unknown-header-type", 4, { 1, 1 } },
		{ "unknown-option", 4, { 2, 2 } },
		{ "echo-request", 128, { 0, 255 } },
		{ "echo-reply", 129, { 0, 255 } },
		{ "router-solicitation", 133, { 0, 255 } },
		{ "router-advertisement", 134, { 0, 255 } },
		{ "neighbour-solicitation", 135, { 0, 255 } },
		{ "neighbour-advertisement", 136, { 0, 255 } },
		{ "redirect", 137, { 0, 255 } },
		{ "ping", 128, { 0, 255 } },
		{ "pong", 129, { 0, 255 } },
		{ "ttl-exceeded", 3, { 0, 255 } },
		{ NULL, 0, { 0, 0 } },
	},
};

static const char *const match_names[] = {
	[XT_MATCH_TCP] = "tcp",
	[XT_MATCH_UDP] = "udp",
	[XT_MATCH_ICMP] = "icmp",
	[XT_MATCH_ICMP6] = "icmp6",
	[XT_MATCH_STATE] = "state",
	[XT_MATCH_CONNTRACK] = "conntrack",
	[XT_MATCH_MULTIPORT] = "multiport",
	[XT_MATCH_LIMIT] = "limit",
	[XT_MATCH_MARK] = "mark",
	[XT_MATCH_LENGTH] = "length",
	[XT_MATCH_TTL] = "ttl",
	[XT_MATCH_PKTTYPE] = "pkttype",
	[XT_MATCH_STATISTIC] = "statistic",
	[XT_MATCH_COMMENT] = "comment",
};

const char *xt_match_name(u32 kind, u16 pf)
{
	return kind == XT_MATCH_TTL && pf == AF_INET6 ? "hl" : match_names[kind];
}

static const struct xt_name *name_find(const struct xt_name *names, const char *text, size_t len)
{
	for (; names->name; names++)
		if (str_eq_n(names->name, text, len))
			return names;
	return NULL;
}

/* "NEW,ESTABLISHED": the values or-ed together. */
static bool parse_names(const struct xt_name *names, const char *text, u32 *out)
{
	*out = 0;
	for (;;) {
		const struct xt_name *n;
		size_t len = 0;

		while (text[len] && text[len] != ',')
			len++;
		n = name_find(names, text, len);
		if (!n)
			return false;
		*out |= n->value;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

/* ---- matches ---- */

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
	} else if (kind == XT_MATCH_LENGTH) {
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
		    (kind == XT_MATCH_ICMP6 && pf != AF_INET6))
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

/* "80", "80:90", ":90", "80:" */
static bool parse_range(const char *text, u64 max, u64 out[2])
{
	char first[24];
	size_t n = 0;

	while (text[n] && text[n] != ':')
		n++;
	str_copy_n(first, sizeof(first), text, n);
	out[0] = 0;
	out[1] = max;
	if (!text[n]) {
		if (!xt_number(first, max, &out[0]))
			return false;
		out[1] = out[0];
		return true;
	}
	if (n && !xt_number(first, max, &out[0]))
		return false;
	if (text[n + 1] && !xt_number(text + n + 1, max, &out[1]))
		return false;
	return out[0] <= out[1];
}

static bool parse_ports(struct xt_words *w, const char *text, u16 port[2])
{
	static const struct xt_name services[] = { { "ssh", 22 },  { "domain", 53 },
						   { "http", 80 }, { "https", 443 },
						   { "ntp", 123 }, { NULL, 0 } };
	const struct xt_name *n = name_find(services, text, str_len(text));
	u64 range[2];

	if (n)
		range[0] = range[1] = n->value;
	else if (!parse_range(text, 65535, range))
		return XT_ERROR(w, 2, "invalid port/service `", text, "' specified");
	port[0] = (u16)range[0];
	port[1] = (u16)range[1];
	return true;
}

static bool parse_flags(struct xt_words *w, struct xt_match *m, const char *text)
{
	const char *compare;
	u32 mask, cmp;

	compare = xt_next(w, "--tcp-flags");
	if (!compare)
		return false;
	if (!parse_names(xt_flag_names, text, &mask))
		return XT_ERROR(w, 2, "Unknown TCP flag `", text, "'");
	if (!parse_names(xt_flag_names, compare, &cmp))
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
		if (!parse_ports(w, one, port))
			return false;
		m->u.multiport.port[m->u.multiport.count] = port[0];
		m->u.multiport.last[m->u.multiport.count++] = port[1];
		if (!text[n])
			return true;
		text += n + 1;
	}
}

/* "5/second", "3/hour", "10": what one packet costs, in 1/10,000 s. */
static bool parse_rate(struct xt_words *w, struct xt_match *m, const char *text)
{
	static const struct xt_name units[] = {
		{ "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 }, { NULL, 0 }
	};
	u32 unit = 1;
	char first[16];
	size_t n = 0;
	u64 rate;

	while (text[n] && text[n] != '/')
		n++;
	str_copy_n(first, sizeof(first), text, n);
	if (text[n]) {
		const struct xt_name *u = units;

		while (u->name && !str_after(u->name, text + n + 1))
			u++;
		if (!u->name || !text[n + 1])
			return XT_ERROR(w, 2, "bad rate `", text, "'");
		unit = u->value;
	}
	if (!xt_number(first, 10000u * unit, &rate) || !rate)
		return XT_ERROR(w, 2, "bad rate `", text, "'");
	m->u.limit.avg = (u32)(10000u * unit / rate);
	return true;
}

/* "0.25" of 2^31, rounded as lround() does: digit by digit from the last, with 16 bits to spare. */
static bool parse_probability(struct xt_words *w, struct xt_match *m, const char *text)
{
	const char *p = text + 1, *end;
	u64 v = 0;

	if (*p == '.')
		p++;
	for (end = p; *end >= '0' && *end <= '9' && end - p < 18; end++)
		;
	if ((text[0] != '0' && text[0] != '1') || *end)
		return XT_ERROR(w, 2, "--probability must be between 0.0 and 1.0");
	while (end > p)
		v = (((u64)(*--end - '0') << 47) + v) / 10;
	if (text[0] == '1' && v)
		return XT_ERROR(w, 2, "--probability must be between 0.0 and 1.0");
	v = (v + (1u << 15)) >> 16;
	m->u.statistic.probability = text[0] == '1' ? 0x7fffffff : (u32)min_u64(v, 0x7fffffff);
	return true;
}

static bool parse_u32(struct xt_words *w, const char *option, const char *text, u64 min, u32 *out)
{
	u64 v;

	if (!xt_number(text, UINT32_MAX, &v) || v < min)
		return XT_ERROR(w, 2, "bad value for option \"", option, "\": `", text, "'");
	*out = (u32)v;
	return true;
}

/* "0x1/0xff" */
static bool parse_mark(struct xt_words *w, const char *option, const char *text, u32 *mark,
		       u32 *mask)
{
	char first[24];
	size_t n = 0;

	while (text[n] && text[n] != '/')
		n++;
	str_copy_n(first, sizeof(first), text, n);
	*mask = UINT32_MAX;
	return parse_u32(w, option, first, 0, mark) &&
	       (!text[n] || parse_u32(w, option, text + n + 1, 0, mask));
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
	{ "--mark", O_MARK, M(MARK), true },
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
		return parse_ports(w, text, m->u.tcp.sport);
	case O_DPORT:
		return parse_ports(w, text, m->u.tcp.dport);
	case O_FLAGS:
		return parse_flags(w, m, text);
	case O_OPTION:
		if (!parse_u32(w, "--tcp-option", text, 1, &v) || v > 255)
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
		return parse_names(xt_state_names, text, &m->u.ct.states) ||
		       XT_ERROR(w, 2, "Bad ctstate \"", text, "\"");
	}
	if (kind == O_STATUS) {
		m->u.ct.invert_status = w->invert;
		return parse_names(xt_status_names, text, &m->u.ct.status) ||
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
		return parse_probability(w, m, text);
	case O_EVERY:
		return parse_u32(w, "--every", text, 1, &m->u.statistic.every);
	default:
		return parse_u32(w, "--packet", text, 0, &m->u.statistic.packet);
	}
}

static bool option_range(struct xt_words *w, struct xt_match *m, u8 kind, const char *text)
{
	u64 range[2];

	m->invert |= w->invert;
	if (kind == O_LENGTH) {
		if (!parse_range(text, 65535, range))
			return XT_ERROR(w, 2, "length: bad range `", text, "'");
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
		return parse_rate(w, m, text);
	case O_BURST:
		return parse_u32(w, "--limit-burst", text, 1, &m->u.limit.burst) &&
		       (m->u.limit.burst <= 10000 ||
			XT_ERROR(w, 2, "bad --limit-burst `", text, "'"));
	case O_MARK:
		return parse_mark(w, "--mark", text, &m->u.mark.mark, &m->u.mark.mask);
	case O_PKTTYPE:
		n = name_find(xt_pkttype_names, text, str_len(text));
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
	else if (o->kind >= O_LENGTH && o->kind <= O_TTL_GT)
		ok = option_range(w, m, o->kind, text);
	else if (o->kind >= O_MODE && o->kind <= O_PACKET)
		ok = option_statistic(w, m, o->kind, text);
	else
		ok = option_rest(w, m, o->kind, text);
	return ok ? 1 : -1;
}

/* ---- targets ---- */

static const struct xt_name targets[] = {
	{ "ACCEPT", XT_ACCEPT }, { "DROP", XT_DROP }, { "RETURN", XT_RETURN },
	{ "REJECT", XT_REJECT }, { "LOG", XT_LOG },   { "NOTRACK", XT_NOTRACK },
	{ "CT", XT_NOTRACK },	 { "MARK", XT_MARK }, { NULL, 0 },
};

bool xt_parse_target(struct xt_words *w, const char *name)
{
	const struct xt_name *n = name_find(targets, name, str_len(name));
	struct xt_spec *s = &w->c->spec;

	if (str_len(name) >= XT_CHAIN_NAME_MAX)
		return XT_ERROR(w, 2, "Invalid target name `", name, "' (28 chars max)");
	s->target = (u8)(n ? n->value : XT_JUMP);
	if (!n)
		str_copy(s->jump, name, sizeof(s->jump));
	if (s->target == XT_REJECT)
		s->reject =
			w->c->pf == AF_INET ? XT_ICMP_PORT_UNREACHABLE : XT_ICMP6_PORT_UNREACHABLE;
	if (s->target == XT_LOG)
		s->log_level = 4;
	return true;
}

static bool reject_with(struct xt_words *w, const char *text)
{
	const struct xt_name *n =
		name_find(xt_reject_names[w->c->pf == AF_INET6], text, str_len(text));

	if (!n)
		return XT_ERROR(w, 2, "unknown reject type \"", text, "\"");
	w->c->spec.reject = (u8)n->value;
	return true;
}

static bool log_level(struct xt_words *w, const char *text)
{
	static const struct xt_name levels[] = { { "emerg", 0 }, { "alert", 1 },  { "crit", 2 },
						 { "error", 3 }, { "err", 3 },	  { "warning", 4 },
						 { "warn", 4 },	 { "notice", 5 }, { "info", 6 },
						 { "debug", 7 }, { NULL, 0 } };
	const struct xt_name *n = name_find(levels, text, str_len(text));

	if (n) {
		w->c->spec.log_level = n->value;
		return true;
	}
	return parse_u32(w, "--log-level", text, 0, &w->c->spec.log_level);
}

/* 1, 0, -1. */
static int target_option(struct xt_words *w, const char *o)
{
	struct xt_spec *s = &w->c->spec;
	bool reject = s->target == XT_REJECT && str_eq(o, "--reject-with");
	bool prefix = s->target == XT_LOG && str_eq(o, "--log-prefix");
	bool level = s->target == XT_LOG && str_eq(o, "--log-level");
	bool mark = s->target == XT_MARK && (str_eq(o, "--set-mark") || str_eq(o, "--set-xmark"));
	const char *text;
	bool ok;

	if (s->target == XT_NOTRACK && str_eq(o, "--notrack"))
		return w->invert ? 0 : 1;
	if (!reject && !prefix && !level && !mark)
		return 0;
	if (w->invert)
		return XT_WRONG(w, "unexpected ! flag before ", o);
	text = xt_next(w, o);
	if (!text)
		return -1;
	if (prefix && str_len(text) > 29)
		return XT_WRONG(w, "LOG: --log-prefix may be 29 characters at most");
	if (prefix)
		str_copy(s->text, text, sizeof(s->text));
	ok = reject ? reject_with(w, text) :
	     level  ? log_level(w, text) :
	     mark   ? parse_mark(w, o, text, &s->mark, &s->mark_mask) :
		      true;
	/* --set-mark with a mask clears its bits and the mark's own. */
	if (ok && mark && str_eq(o, "--set-mark"))
		s->mark_mask |= s->mark;
	return ok ? 1 : -1;
}

int xt_parse_option(struct xt_words *w, const char *option)
{
	int r = target_option(w, option);

	for (u32 i = 0; i < ARRAY_SIZE(match_options) && !r && !w->c->error[0]; i++)
		if (str_eq(match_options[i].name, option))
			r = match_option(w, &match_options[i]);
	return w->c->error[0] ? -1 : r;
}
