/* SPDX-License-Identifier: MIT */
/*
 * packetdrill's names of ICMP types and codes (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7, RFC
 * 4443).
 */
#include "packetdrill/symbol_tables.h"

#define TYPE4(name, value)             \
	{                              \
		false, -1, name, value \
	}
#define CODE4(type, name, value)         \
	{                                \
		false, type, name, value \
	}
#define TYPE6(name, value)            \
	{                             \
		true, -1, name, value \
	}
#define CODE6(type, name, value)        \
	{                               \
		true, type, name, value \
	}

const struct pd_icmp_symbol pd_icmp_symbols[] = {
	TYPE4("echo_reply", 0),
	TYPE4("unreachable", 3),
	TYPE4("source_quench", 4),
	TYPE4("redirect", 5),
	TYPE4("echo_request", 8),
	TYPE4("time_exceeded", 11),
	TYPE4("parameter_problem", 12),
	TYPE4("timestamp_request", 13),
	TYPE4("timestamp_reply", 14),
	TYPE4("information_request", 15),
	TYPE4("information_reply", 16),
	TYPE4("address_mask_request", 17),
	TYPE4("address_mask_reply", 18),
	CODE4(3, "net_unreachable", 0),
	CODE4(3, "host_unreachable", 1),
	CODE4(3, "protocol_unreachable", 2),
	CODE4(3, "port_unreachable", 3),
	CODE4(3, "frag_needed", 4),
	CODE4(3, "source_route_failed", 5),
	CODE4(3, "net_unknown", 6),
	CODE4(3, "host_unknown", 7),
	CODE4(3, "source_host_isolated", 8),
	CODE4(3, "net_prohibited", 9),
	CODE4(3, "host_prohibited", 10),
	CODE4(3, "net_unreachable_for_tos", 11),
	CODE4(3, "host_unreachable_for_tos", 12),
	CODE4(3, "packet_filtered", 13),
	CODE4(3, "precedence_violation", 14),
	CODE4(3, "precedence_cutoff", 15),
	CODE4(5, "net", 0),
	CODE4(5, "host", 1),
	CODE4(5, "tos_net", 2),
	CODE4(5, "tos_host", 3),
	CODE4(11, "ttl_exceeded_in_transit", 0),
	CODE4(11, "reassembly_time_exceeded", 1),
	CODE4(12, "pointer", 0),
	CODE4(12, "missing_option", 1),
	CODE4(12, "bad_length", 2),
	TYPE6("unreachable", 1),
	TYPE6("packet_too_big", 2),
	TYPE6("time_exceeded", 3),
	TYPE6("parameter_problem", 4),
	TYPE6("echo_request", 128),
	TYPE6("echo_reply", 129),
	CODE6(1, "no_route", 0),
	CODE6(1, "network_unreachable", 0),
	CODE6(1, "net_unreachable", 0),
	CODE6(1, "admin_prohibited", 1),
	CODE6(1, "prohibited", 1),
	CODE6(1, "beyond_scope", 2),
	CODE6(1, "not_neighbour", 2),
	CODE6(1, "address_unreachable", 3),
	CODE6(1, "host_unreachable", 3),
	CODE6(1, "port_unreachable", 4),
	CODE6(1, "policy_fail", 5),
	CODE6(1, "reject_route", 6),
	CODE6(3, "exceed_hopcount", 0),
	CODE6(3, "hop_limit", 0),
	CODE6(3, "exceed_reassembly_time", 1),
	CODE6(3, "exceed_fragtime", 1),
	CODE6(4, "header_field", 0),
	CODE6(4, "unk_nexthdr", 1),
	CODE6(4, "unknown_next_header", 1),
	CODE6(4, "unk_option", 2),
	CODE6(4, "unknown_option", 2),
};

const size_t pd_icmp_symbol_count = sizeof(pd_icmp_symbols) / sizeof(pd_icmp_symbols[0]);
