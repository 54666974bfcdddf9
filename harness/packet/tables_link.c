/* SPDX-License-Identifier: MIT */
/*
 * Field tables of the link layers and ARP: name, kind and place of every field, in wire order.
 * IEEE 802.3, 802.1Q; RFC 826; the pseudo link headers of libpcap (NULL, SLL, SLL2).
 */
#include "packet/proto.h"

static const struct packet_symbol ethertypes[] = {
	{ "ip", ETHERTYPE_IP4 },    { "arp", ETHERTYPE_ARP }, { "rarp", ETHERTYPE_RARP },
	{ "vlan", ETHERTYPE_VLAN }, { "ip6", ETHERTYPE_IP6 }, { "qinq", ETHERTYPE_QINQ },
	{ "loopback", 0x9000 },	    { "mpls", 0x8847 },	      { "pppoed", 0x8863 },
	{ "pppoes", 0x8864 },	    { "lldp", 0x88cc },	      { NULL, 0 },
};

const struct packet_field packet_fields_eth[] = {
	{ .name = "dst", .type = PACKET_F_MAC, .bit = 0, .width = 48 },
	{ .name = "src", .type = PACKET_F_MAC, .bit = 48, .width = 48 },
	{ .name = "type", .bit = 96, .width = 16, .base = 16, .symbols = ethertypes },
	{ .name = NULL },
};

const struct packet_field packet_fields_vlan[] = {
	{ .name = "pcp", .bit = 0, .width = 3 },
	{ .name = "dei", .type = PACKET_F_FLAG, .bit = 3, .width = 1 },
	{ .name = "id", .bit = 4, .width = 12 },
	{ .name = "type", .bit = 16, .width = 16, .base = 16, .symbols = ethertypes },
	{ .name = NULL },
};

const struct packet_field packet_fields_llc[] = {
	{ .name = "dsap", .bit = 0, .width = 8, .base = 16 },
	{ .name = "ssap", .bit = 8, .width = 8, .base = 16 },
	{ .name = "control", .bit = 16, .width = 8, .base = 16 },
	{ .name = NULL },
};

/* In the byte order of the machine that captured it; parsed to the number that was meant. */
const struct packet_field packet_fields_null[] = {
	{ .name = "family", .bit = 0, .width = 32 },
	{ .name = NULL },
};

static const struct packet_symbol sll_types[] = {
	{ "host", 0 },	    { "broadcast", 1 }, { "multicast", 2 },
	{ "otherhost", 3 }, { "outgoing", 4 },	{ NULL, 0 },
};

const struct packet_field packet_fields_sll[] = {
	{ .name = "pkttype", .bit = 0, .width = 16, .symbols = sll_types },
	{ .name = "hatype", .bit = 16, .width = 16 },
	{ .name = "halen", .bit = 32, .width = 16 },
	{ .name = "src", .type = PACKET_F_MAC, .bit = 48, .width = 48 },
	{ .name = "unused", .bit = 96, .width = 16, .base = 16 },
	{ .name = "type", .bit = 112, .width = 16, .base = 16, .symbols = ethertypes },
	{ .name = NULL },
};

const struct packet_field packet_fields_sll2[] = {
	{ .name = "type", .bit = 0, .width = 16, .base = 16, .symbols = ethertypes },
	{ .name = "reserved", .bit = 16, .width = 16, .base = 16 },
	{ .name = "ifindex", .bit = 32, .width = 32 },
	{ .name = "hatype", .bit = 64, .width = 16 },
	{ .name = "pkttype", .bit = 80, .width = 8, .symbols = sll_types },
	{ .name = "halen", .bit = 88, .width = 8 },
	{ .name = "src", .type = PACKET_F_MAC, .bit = 96, .width = 48 },
	{ .name = "unused", .bit = 144, .width = 16, .base = 16 },
	{ .name = NULL },
};

static const struct packet_symbol arp_ops[] = {
	{ "request", 1 },   { "reply", 2 },   { "rrequest", 3 }, { "rreply", 4 },
	{ "inrequest", 8 }, { "inreply", 9 }, { NULL, 0 },
};

/*
 * The four addresses have no fixed place: each is as long as hlen and plen say when parsed, as
 * long as its value when built.
 */
const struct packet_field packet_fields_arp[] = {
	{ .name = "htype", .bit = 0, .width = 16 },
	{ .name = "ptype", .bit = 16, .width = 16, .base = 16, .symbols = ethertypes },
	[ARP_HLEN] = { .name = "hlen", .bit = 32, .width = 8 },
	[ARP_PLEN] = { .name = "plen", .bit = 40, .width = 8 },
	{ .name = "op", .bit = 48, .width = 16, .symbols = arp_ops },
	[ARP_SHA] = { .name = "sha", .type = PACKET_F_MAC },
	[ARP_SPA] = { .name = "spa", .type = PACKET_F_IP4 },
	[ARP_THA] = { .name = "tha", .type = PACKET_F_MAC },
	[ARP_TPA] = { .name = "tpa", .type = PACKET_F_IP4 },
	{ .name = NULL },
};

const struct packet_field packet_fields_payload[] = {
	[DATA_ONLY] = { .name = "data", .type = PACKET_F_BYTES },
	{ .name = NULL },
};
