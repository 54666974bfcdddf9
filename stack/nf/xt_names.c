/* SPDX-License-Identifier: MIT */
/* The names that iptables has for what matches and targets look at, for reading and showing. */
#include "nf/xt_words.h"

#include "lib/str.h"
#include "nf/nf_conntrack.h"
#include "wire/tcp.h"

const struct xt_name xt_proto_names[] = {
	{ "all", 0 },
	{ "icmp", IPPROTO_ICMP },
	{ "igmp", IPPROTO_IGMP },
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },
	{ "ipv6-icmp", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP },
	{ "udplite", IPPROTO_UDPLITE },
	{ "icmpv6", IPPROTO_ICMPV6 },
	{ NULL, 0 },
};

const char *xt_name_of(const struct xt_name *names, u32 value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

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

const struct xt_name xt_addrtype_names[] = {
	{ "UNSPEC", 1u << RTN_UNSPEC },
	{ "UNICAST", 1u << RTN_UNICAST },
	{ "LOCAL", 1u << RTN_LOCAL },
	{ "BROADCAST", 1u << RTN_BROADCAST },
	{ "ANYCAST", 1u << RTN_ANYCAST },
	{ "MULTICAST", 1u << RTN_MULTICAST },
	{ "BLACKHOLE", 1u << RTN_BLACKHOLE },
	{ "UNREACHABLE", 1u << RTN_UNREACHABLE },
	{ "PROHIBIT", 1u << RTN_PROHIBIT },
	{ "THROW", 1u << RTN_THROW },
	{ NULL, 0 },
};

/* The name that is shown first, as libxt_LOG has it. */
const struct xt_name xt_log_level_names[] = {
	{ "emerg", 0 },	 { "panic", 0 }, { "alert", 1 }, { "crit", 2 },
	{ "err", 3 },	 { "error", 3 }, { "warn", 4 },	 { "warning", 4 },
	{ "notice", 5 }, { "info", 6 },	 { "debug", 7 }, { NULL, 0 },
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
	[XT_MATCH_CONNMARK] = "connmark",
	[XT_MATCH_IPRANGE] = "iprange",
	[XT_MATCH_MAC] = "mac",
	[XT_MATCH_ADDRTYPE] = "addrtype",
	[XT_MATCH_TCPMSS] = "tcpmss",
};

const char *xt_match_name(u32 kind, u16 pf)
{
	return kind == XT_MATCH_TTL && pf == AF_INET6 ? "hl" : match_names[kind];
}

const struct xt_name *xt_name_find(const struct xt_name *names, const char *text, size_t len)
{
	for (; names->name; names++)
		if (str_eq_n(names->name, text, len))
			return names;
	return NULL;
}

/* "NEW,ESTABLISHED": the values or-ed together. */
bool xt_parse_names(const struct xt_name *names, const char *text, u32 *out)
{
	*out = 0;
	for (;;) {
		const struct xt_name *n;
		size_t len = 0;

		while (text[len] && text[len] != ',')
			len++;
		n = xt_name_find(names, text, len);
		if (!n)
			return false;
		*out |= n->value;
		if (!text[len])
			return true;
		text += len + 1;
	}
}
