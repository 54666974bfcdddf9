/* SPDX-License-Identifier: MIT */
/*
 * Field tables of IPv4 (RFC 791, 2474, 3168) and IPv6 with its extension headers (RFC 8200).
 * Fragment offsets are in units of 8 octets, as on the wire.
 */
#include "packet/proto.h"

static const struct packet_symbol protocols[] = {
	{ "hopopt", IPPROTO_N_HOPOPTS },
	{ "icmp", IPPROTO_N_ICMP },
	{ "igmp", IPPROTO_N_IGMP },
	{ "ip", IPPROTO_N_IP4 },
	{ "tcp", IPPROTO_N_TCP },
	{ "udp", IPPROTO_N_UDP },
	{ "ip6", IPPROTO_N_IP6 },
	{ "routing", IPPROTO_N_ROUTING },
	{ "frag", IPPROTO_N_FRAG },
	{ "gre", 47 },
	{ "esp", 50 },
	{ "ah", 51 },
	{ "icmp6", IPPROTO_N_ICMP6 },
	{ "none", IPPROTO_N_NONE },
	{ "dstopts", IPPROTO_N_DSTOPTS },
	{ "ospf", 89 },
	{ "pim", 103 },
	{ "sctp", 132 },
	{ "udplite", 136 },
	{ NULL, 0 },
};

static const struct packet_symbol ecn[] = {
	{ "not-ect", 0 }, { "ect1", 1 }, { "ect0", 2 }, { "ce", 3 }, { NULL, 0 },
};

const struct packet_field packet_fields_ip[] = {
	{ .name = "version", .bit = 0, .width = 4 },
	{ .name = "ihl", .bit = 4, .width = 4 },
	{ .name = "tos", .bit = 8, .width = 8, .base = 16, .view = true },
	{ .name = "dscp", .bit = 8, .width = 6 },
	{ .name = "ecn", .bit = 14, .width = 2, .symbols = ecn },
	{ .name = "len", .bit = 16, .width = 16 },
	{ .name = "id", .bit = 32, .width = 16 },
	{ .name = "rf", .type = PACKET_F_FLAG, .bit = 48, .width = 1 },
	{ .name = "df", .type = PACKET_F_FLAG, .bit = 49, .width = 1 },
	{ .name = "mf", .type = PACKET_F_FLAG, .bit = 50, .width = 1 },
	{ .name = "off", .bit = 51, .width = 13 },
	{ .name = "ttl", .bit = 64, .width = 8 },
	{ .name = "proto", .bit = 72, .width = 8, .symbols = protocols },
	{ .name = "checksum", .bit = 80, .width = 16, .base = 16 },
	{ .name = "src", .type = PACKET_F_IP4, .bit = 96, .width = 32 },
	{ .name = "dst", .type = PACKET_F_IP4, .bit = 128, .width = 32 },
	{ .name = "options", .type = PACKET_F_BYTES },
	{ .name = NULL },
};

const struct packet_field packet_fields_ip6[] = {
	{ .name = "version", .bit = 0, .width = 4 },
	{ .name = "tclass", .bit = 4, .width = 8, .base = 16, .view = true },
	{ .name = "dscp", .bit = 4, .width = 6 },
	{ .name = "ecn", .bit = 10, .width = 2, .symbols = ecn },
	{ .name = "flow", .bit = 12, .width = 20, .base = 16 },
	{ .name = "len", .bit = 32, .width = 16 },
	{ .name = "next", .bit = 48, .width = 8, .symbols = protocols },
	{ .name = "hlim", .bit = 56, .width = 8 },
	{ .name = "src", .type = PACKET_F_IP6, .bit = 64, .width = 128 },
	{ .name = "dst", .type = PACKET_F_IP6, .bit = 192, .width = 128 },
	{ .name = NULL },
};

/* len is in units of 8 octets, not counting the first 8; which header it is, the one before says */
const struct packet_field packet_fields_ip6_ext[] = {
	{ .name = "next", .bit = 0, .width = 8, .symbols = protocols },
	{ .name = "len", .bit = 8, .width = 8 },
	{ .name = "data", .type = PACKET_F_BYTES },
	{ .name = NULL },
};

const struct packet_field packet_fields_ip6_frag[] = {
	{ .name = "next", .bit = 0, .width = 8, .symbols = protocols },
	{ .name = "reserved", .bit = 8, .width = 8 },
	{ .name = "off", .bit = 16, .width = 13 },
	{ .name = "reserved2", .bit = 29, .width = 2 },
	{ .name = "mf", .type = PACKET_F_FLAG, .bit = 31, .width = 1 },
	{ .name = "id", .bit = 32, .width = 32 },
	{ .name = NULL },
};
