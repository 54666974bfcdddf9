/* SPDX-License-Identifier: MIT */
/*
 * Field tables of ICMP (RFC 792, 950, 1191, 4884), ICMPv6 (RFC 4443, 4861, 2710), IGMP (RFC 2236,
 * 3376), UDP (RFC 768) and TCP (RFC 9293). Which fields an ICMP message has hangs on its type:
 * `present` says so for parsing and printing; when building, any of them may be set.
 */
#include "packet/proto.h"

static const struct packet_symbol icmp_types[] = {
	{ "echo-reply", ICMP_T_ECHOREPLY },
	{ "dest-unreach", ICMP_T_UNREACH },
	{ "source-quench", ICMP_T_QUENCH },
	{ "redirect", ICMP_T_REDIRECT },
	{ "echo", ICMP_T_ECHO },
	{ "echo-request", ICMP_T_ECHO },
	{ "router-advert", 9 },
	{ "router-solicit", 10 },
	{ "time-exceeded", ICMP_T_TIME_EXCEEDED },
	{ "param-problem", ICMP_T_PARAM },
	{ "timestamp", ICMP_T_TIMESTAMP },
	{ "timestamp-reply", ICMP_T_TIMESTAMP_REPLY },
	{ "info", ICMP_T_INFO },
	{ "info-reply", ICMP_T_INFO_REPLY },
	{ "mask", ICMP_T_MASK },
	{ "mask-reply", ICMP_T_MASK_REPLY },
	{ NULL, 0 },
};

/*
 * One table for all types, so that a code's name means the same number whatever type it is set
 * with, and in whatever order: no name has two numbers.
 */
static const struct packet_symbol icmp_codes[] = {
	{ "net", 0 },
	{ "host", 1 },
	{ "protocol", 2 },
	{ "port", 3 },
	{ "frag-needed", 4 },
	{ "source-route", 5 },
	{ "net-unknown", 6 },
	{ "host-unknown", 7 },
	{ "host-isolated", 8 },
	{ "net-prohibited", 9 },
	{ "host-prohibited", 10 },
	{ "net-tos", 11 },
	{ "host-tos", 12 },
	{ "prohibited", 13 },
	{ "precedence-violation", 14 },
	{ "precedence-cutoff", 15 },
	{ "tos-net", 2 }, /* redirect */
	{ "tos-host", 3 }, /* redirect */
	{ "ttl", 0 }, /* time exceeded */
	{ "reassembly", 1 },
	{ "pointer", 0 }, /* parameter problem */
	{ "missing-option", 1 },
	{ "bad-length", 2 },
	{ NULL, 0 },
};

static const struct packet_symbol redirect_codes[] = {
	{ "net", 0 }, { "host", 1 }, { "tos-net", 2 }, { "tos-host", 3 }, { NULL, 0 },
};
static const struct packet_symbol time_codes[] = {
	{ "ttl", 0 },
	{ "reassembly", 1 },
	{ NULL, 0 },
};
static const struct packet_symbol param_codes[] = {
	{ "pointer", 0 },
	{ "missing-option", 1 },
	{ "bad-length", 2 },
	{ NULL, 0 },
};

const struct packet_symbol *packet_icmp_codes(u32 type)
{
	switch (type) {
	case ICMP_T_UNREACH:
		return icmp_codes;
	case ICMP_T_REDIRECT:
		return redirect_codes;
	case ICMP_T_TIME_EXCEEDED:
		return time_codes;
	case ICMP_T_PARAM:
		return param_codes;
	default:
		return NULL;
	}
}

bool packet_icmp_quotes(u32 type)
{
	return type == ICMP_T_UNREACH || type == ICMP_T_QUENCH || type == ICMP_T_REDIRECT ||
	       type == ICMP_T_TIME_EXCEEDED || type == ICMP_T_PARAM;
}

bool packet_icmp6_quotes(u32 type)
{
	return type >= 1 && type <= 4;
}

/* An echo request when nothing is said. */
static u32 icmp_type(const struct packet_layer *l)
{
	const struct packet_value *v = &l->value[ICMP_TYPE];

	return v->type == PACKET_V_UINT ? (u32)v->num :
					  (l->proto == PACKET_ICMP ? (u32)ICMP_T_ECHO : 128u);
}

static u32 icmp_code(const struct packet_layer *l)
{
	const struct packet_value *v = &l->value[ICMP_CODE];

	return v->type == PACKET_V_UINT ? (u32)v->num : 0;
}

static bool icmp_has_id(const struct packet_layer *l)
{
	u32 t = icmp_type(l);

	return t == ICMP_T_ECHO || t == ICMP_T_ECHOREPLY ||
	       (t >= ICMP_T_TIMESTAMP && t <= ICMP_T_MASK_REPLY);
}

static bool icmp_has_mtu(const struct packet_layer *l)
{
	return icmp_type(l) == ICMP_T_UNREACH && icmp_code(l) == 4;
}

static bool icmp_has_length(const struct packet_layer *l)
{
	u32 t = icmp_type(l);

	return t == ICMP_T_UNREACH || t == ICMP_T_TIME_EXCEEDED || t == ICMP_T_PARAM;
}

static bool icmp_has_gateway(const struct packet_layer *l)
{
	return icmp_type(l) == ICMP_T_REDIRECT;
}

static bool icmp_has_pointer(const struct packet_layer *l)
{
	return icmp_type(l) == ICMP_T_PARAM;
}

static bool icmp_has_times(const struct packet_layer *l)
{
	u32 t = icmp_type(l);

	return t == ICMP_T_TIMESTAMP || t == ICMP_T_TIMESTAMP_REPLY;
}

static bool icmp_has_mask(const struct packet_layer *l)
{
	u32 t = icmp_type(l);

	return t == ICMP_T_MASK || t == ICMP_T_MASK_REPLY;
}

const struct packet_field packet_fields_icmp[] = {
	[ICMP_TYPE] = { .name = "type", .bit = 0, .width = 8, .symbols = icmp_types },
	[ICMP_CODE] = { .name = "code", .bit = 8, .width = 8, .symbols = icmp_codes },
	{ .name = "checksum", .bit = 16, .width = 16, .base = 16 },
	{ .name = "rest", .bit = 32, .width = 32, .base = 16, .view = true },
	{ .name = "id", .bit = 32, .width = 16, .present = icmp_has_id },
	{ .name = "seq", .bit = 48, .width = 16, .present = icmp_has_id },
	{ .name = "length", .bit = 40, .width = 8, .present = icmp_has_length },
	{ .name = "mtu", .bit = 48, .width = 16, .present = icmp_has_mtu },
	{ .name = "gateway",
	  .type = PACKET_F_IP4,
	  .bit = 32,
	  .width = 32,
	  .present = icmp_has_gateway },
	{ .name = "pointer", .bit = 32, .width = 8, .present = icmp_has_pointer },
	{ .name = "originate", .bit = 64, .width = 32, .present = icmp_has_times },
	{ .name = "receive", .bit = 96, .width = 32, .present = icmp_has_times },
	{ .name = "transmit", .bit = 128, .width = 32, .present = icmp_has_times },
	{ .name = "mask", .type = PACKET_F_IP4, .bit = 64, .width = 32, .present = icmp_has_mask },
	{ .name = NULL },
};

static const struct packet_symbol icmp6_types[] = {
	{ "dest-unreach", 1 },
	{ "packet-too-big", 2 },
	{ "time-exceeded", 3 },
	{ "param-problem", 4 },
	{ "echo", 128 },
	{ "echo-request", 128 },
	{ "echo-reply", 129 },
	{ "mld-query", 130 },
	{ "mld-report", 131 },
	{ "mld-done", 132 },
	{ "router-solicit", 133 },
	{ "router-advert", 134 },
	{ "neighbour-solicit", 135 },
	{ "neighbour-advert", 136 },
	{ "redirect", 137 },
	{ "mld2-report", 143 },
	{ NULL, 0 },
};

static bool icmp6_has_id(const struct packet_layer *l)
{
	return icmp_type(l) == 128 || icmp_type(l) == 129;
}

static bool icmp6_has_mtu(const struct packet_layer *l)
{
	return icmp_type(l) == 2;
}

static bool icmp6_has_pointer(const struct packet_layer *l)
{
	return icmp_type(l) == 4;
}

static bool icmp6_is_ra(const struct packet_layer *l)
{
	return icmp_type(l) == 134;
}

static bool icmp6_is_na(const struct packet_layer *l)
{
	return icmp_type(l) == 136;
}

static bool icmp6_has_target(const struct packet_layer *l)
{
	return icmp_type(l) >= 135 && icmp_type(l) <= 137;
}

static bool icmp6_is_redirect(const struct packet_layer *l)
{
	return icmp_type(l) == 137;
}

static bool icmp6_has_group(const struct packet_layer *l)
{
	return icmp_type(l) >= 130 && icmp_type(l) <= 132;
}

const struct packet_field packet_fields_icmp6[] = {
	[ICMP_TYPE] = { .name = "type", .bit = 0, .width = 8, .symbols = icmp6_types },
	[ICMP_CODE] = { .name = "code", .bit = 8, .width = 8 },
	{ .name = "checksum", .bit = 16, .width = 16, .base = 16 },
	{ .name = "rest", .bit = 32, .width = 32, .base = 16, .view = true },
	{ .name = "id", .bit = 32, .width = 16, .present = icmp6_has_id },
	{ .name = "seq", .bit = 48, .width = 16, .present = icmp6_has_id },
	{ .name = "mtu", .bit = 32, .width = 32, .present = icmp6_has_mtu },
	{ .name = "pointer", .bit = 32, .width = 32, .present = icmp6_has_pointer },
	{ .name = "hlim", .bit = 32, .width = 8, .present = icmp6_is_ra },
	{ .name = "flags", .bit = 40, .width = 8, .base = 16, .present = icmp6_is_ra },
	{ .name = "lifetime", .bit = 48, .width = 16, .present = icmp6_is_ra },
	{ .name = "reachable", .bit = 64, .width = 32, .present = icmp6_is_ra },
	{ .name = "retrans", .bit = 96, .width = 32, .present = icmp6_is_ra },
	{ .name = "router", .type = PACKET_F_FLAG, .bit = 32, .width = 1, .present = icmp6_is_na },
	{ .name = "solicited",
	  .type = PACKET_F_FLAG,
	  .bit = 33,
	  .width = 1,
	  .present = icmp6_is_na },
	{ .name = "override",
	  .type = PACKET_F_FLAG,
	  .bit = 34,
	  .width = 1,
	  .present = icmp6_is_na },
	{ .name = "maxdelay", .bit = 32, .width = 16, .present = icmp6_has_group },
	{ .name = "target",
	  .type = PACKET_F_IP6,
	  .bit = 64,
	  .width = 128,
	  .present = icmp6_has_target },
	{ .name = "dest",
	  .type = PACKET_F_IP6,
	  .bit = 192,
	  .width = 128,
	  .present = icmp6_is_redirect },
	{ .name = "group",
	  .type = PACKET_F_IP6,
	  .bit = 64,
	  .width = 128,
	  .present = icmp6_has_group },
	{ .name = NULL },
};

static const struct packet_symbol igmp_types[] = {
	{ "query", 0x11 }, { "report-v1", 0x12 }, { "report-v2", 0x16 },
	{ "leave", 0x17 }, { "report-v3", 0x22 }, { NULL, 0 },
};

const struct packet_field packet_fields_igmp[] = {
	{ .name = "type", .bit = 0, .width = 8, .base = 16, .symbols = igmp_types },
	{ .name = "maxresp", .bit = 8, .width = 8 },
	{ .name = "checksum", .bit = 16, .width = 16, .base = 16 },
	{ .name = "group", .type = PACKET_F_IP4, .bit = 32, .width = 32 },
	{ .name = NULL },
};

const struct packet_field packet_fields_udp[] = {
	{ .name = "sport", .bit = 0, .width = 16 },
	{ .name = "dport", .bit = 16, .width = 16 },
	{ .name = "len", .bit = 32, .width = 16 },
	{ .name = "checksum", .bit = 48, .width = 16, .base = 16 },
	{ .name = NULL },
};

const struct packet_field packet_fields_tcp[] = {
	{ .name = "sport", .bit = 0, .width = 16 },
	{ .name = "dport", .bit = 16, .width = 16 },
	{ .name = "seq", .bit = 32, .width = 32 },
	{ .name = "ack", .bit = 64, .width = 32 },
	{ .name = "doff", .bit = 96, .width = 4 },
	{ .name = "reserved", .bit = 100, .width = 3 },
	{ .name = "flags", .type = PACKET_F_FLAGS, .bit = 103, .width = 9 },
	{ .name = "window", .bit = 112, .width = 16 },
	{ .name = "checksum", .bit = 128, .width = 16, .base = 16 },
	{ .name = "urg", .bit = 144, .width = 16 },
	{ .name = "options", .type = PACKET_F_OPTIONS },
	{ .name = NULL },
};
