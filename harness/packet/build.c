/* SPDX-License-Identifier: MIT */
/*
 * Packets to bytes. Two passes: the first writes every header, what was set over what would be
 * right; the second, from the innermost layer outwards, computes the checksums that were not set
 * (an outer one may cover an inner one).
 *
 * A layer's content ends where the bytes end, less the pad layers of its own and lower depth.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/bytes.h"
#include "packet/packet.h"
#include "packet/proto.h"

enum { MAX_PACKET = 262144 };
enum { ETHERTYPE_EXPERIMENT = 0x88b5, DEFAULT_TTL = 64, DEFAULT_WINDOW = 65535 };

struct builder {
	const struct packet *p;
	u8 *b;
	size_t len;
	size_t start[PACKET_MAX_LAYERS], header[PACKET_MAX_LAYERS];
};

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static bool is_set(const struct packet_layer *l, const char *field)
{
	return packet_get(l, field) != NULL;
}

static size_t tail_size(const struct packet_layer *l)
{
	int i = packet_tail_field((enum packet_proto)l->proto);
	const struct packet_value *v;
	size_t size = 0;

	if (i < 0)
		return 0;
	v = &l->value[i];
	if (v->type == PACKET_V_BYTES)
		size = v->len;
	else if (v->type == PACKET_V_OPTIONS)
		size = packet_options_build(v->options, v->len, NULL);
	switch (l->proto) {
	case PACKET_IP:
		return is_set(l, "ihl") ? size : round_up(size, 4);
	case PACKET_TCP:
		return is_set(l, "doff") ? size : round_up(size, 4);
	case PACKET_IP6_EXT:
		return is_set(l, "len") ? size : round_up(size + 2, 8) - 2;
	default:
		return size;
	}
}

static size_t arp_addr_size(const struct packet_layer *l, int i)
{
	switch (l->value[i].type) {
	case PACKET_V_BYTES:
		return l->value[i].len;
	case PACKET_V_MAC:
		return 6;
	case PACKET_V_IP4:
		return 4;
	default:
		return i == ARP_SHA || i == ARP_THA ? 6 : 4;
	}
}

static size_t header_size(const struct packet_layer *l)
{
	size_t size = packet_fixed_size(l) + tail_size(l);

	for (int i = ARP_SHA; l->proto == PACKET_ARP && i <= ARP_TPA; i++)
		size += arp_addr_size(l, i);
	return size;
}

static void write_value(u8 *b, const struct packet_field *f, const struct packet_value *v)
{
	if (v->type == PACKET_V_UINT)
		write_bits(b, f->bit, f->width, (u32)v->num);
	else
		memcpy(b + f->bit / 8, v->addr, f->width / 8);
}

static void write_set_fields(const struct packet_layer *l, u8 *b)
{
	const struct packet_field *fields = packet_fields((enum packet_proto)l->proto);

	for (int i = 0; fields[i].name; i++) {
		if (fields[i].width && l->value[i].type)
			write_value(b, &fields[i], &l->value[i]);
	}
}

static void write_tail(const struct packet_layer *l, u8 *b)
{
	int i = packet_tail_field((enum packet_proto)l->proto);

	if (i < 0)
		return;
	if (l->value[i].type == PACKET_V_OPTIONS)
		packet_options_build(l->value[i].options, l->value[i].len, b);
	else if (l->value[i].type == PACKET_V_BYTES && l->value[i].len)
		memcpy(b, l->value[i].bytes, l->value[i].len);
}

static void write_arp_addrs(const struct packet_layer *l, u8 *b)
{
	for (int i = ARP_SHA; i <= ARP_TPA; i++) {
		const struct packet_value *v = &l->value[i];
		size_t size = arp_addr_size(l, i);

		if (v->type && size)
			memcpy(b, v->type == PACKET_V_BYTES ? v->bytes : v->addr, size);
		b += size;
	}
}

/* Writes a number into a field that is not set. */
static void fill(const struct packet_layer *l, u8 *b, const char *field, u64 num)
{
	int i = packet_field_index((enum packet_proto)l->proto, field);
	const struct packet_field *f = &packet_fields((enum packet_proto)l->proto)[i];

	if (!l->value[i].type)
		write_bits(b, f->bit, f->width, (u32)num);
}

/* Lengths of 16 bits: 0 when they can not say it, as Linux does for TSO and jumbograms. */
static u64 length16(size_t len)
{
	return len > 0xffff ? 0 : len;
}

static size_t content_end(const struct builder *bd, size_t i)
{
	size_t end = bd->len;

	for (size_t k = i + 1; k < bd->p->count; k++) {
		if (bd->p->layer[k]->proto == PACKET_PAD &&
		    bd->p->layer[k]->depth <= bd->p->layer[i]->depth)
			end -= bd->header[k];
	}
	return end;
}

static u32 ethertype_of(const struct builder *bd, size_t i)
{
	if (i + 1 >= bd->p->count)
		return ETHERTYPE_EXPERIMENT;
	switch (bd->p->layer[i + 1]->proto) {
	case PACKET_VLAN:
		return ETHERTYPE_VLAN;
	case PACKET_ARP:
		return ETHERTYPE_ARP;
	case PACKET_IP:
		return ETHERTYPE_IP4;
	case PACKET_IP6:
		return ETHERTYPE_IP6;
	case PACKET_LLC:
		return (u32)length16(content_end(bd, i) - bd->start[i + 1]);
	default:
		return ETHERTYPE_EXPERIMENT;
	}
}

static u32 ipproto_of(const struct builder *bd, size_t i)
{
	if (i + 1 >= bd->p->count)
		return bd->p->layer[i]->proto == PACKET_IP ? (u32)IPPROTO_N_TEST :
							     (u32)IPPROTO_N_NONE;
	switch (bd->p->layer[i + 1]->proto) {
	case PACKET_IP:
		return IPPROTO_N_IP4;
	case PACKET_IP6:
		return IPPROTO_N_IP6;
	case PACKET_IP6_EXT:
		return bd->p->layer[i]->proto == PACKET_IP6 ? (u32)IPPROTO_N_HOPOPTS :
							      (u32)IPPROTO_N_DSTOPTS;
	case PACKET_IP6_FRAG:
		return IPPROTO_N_FRAG;
	case PACKET_ICMP:
		return IPPROTO_N_ICMP;
	case PACKET_ICMP6:
		return IPPROTO_N_ICMP6;
	case PACKET_IGMP:
		return IPPROTO_N_IGMP;
	case PACKET_UDP:
		return IPPROTO_N_UDP;
	case PACKET_TCP:
		return IPPROTO_N_TCP;
	default:
		return IPPROTO_N_TEST;
	}
}

static void fill_null(const struct builder *bd, size_t i, u8 *b)
{
	bool six = i + 1 < bd->p->count && bd->p->layer[i + 1]->proto == PACKET_IP6;
	u32 family;

	fill(bd->p->layer[i], b, "family", six ? 30 : 2);
	family = read_be32(b);
	if (bd->p->link != PACKET_LINK_LOOP) { /* little-endian, as most machines capture it */
		b[0] = (u8)family;
		b[1] = (u8)(family >> 8);
		b[2] = (u8)(family >> 16);
		b[3] = (u8)(family >> 24);
	}
}

static void fill_defaults(const struct builder *bd, size_t i)
{
	const struct packet_layer *l = bd->p->layer[i];
	size_t len = content_end(bd, i) - bd->start[i];
	u8 *b = bd->b + bd->start[i];

	switch (l->proto) {
	case PACKET_ETH:
	case PACKET_VLAN:
		fill(l, b, "type", ethertype_of(bd, i));
		break;
	case PACKET_SLL:
	case PACKET_SLL2:
		fill(l, b, "hatype", 1);
		fill(l, b, "halen", 6);
		fill(l, b, "type", ethertype_of(bd, i));
		break;
	case PACKET_NULL:
		fill_null(bd, i, b);
		break;
	case PACKET_LLC:
		fill(l, b, "control", 3);
		break;
	case PACKET_ARP:
		fill(l, b, "htype", 1);
		fill(l, b, "ptype", ETHERTYPE_IP4);
		fill(l, b, "hlen", 6);
		fill(l, b, "plen", 4);
		fill(l, b, "op", 1);
		break;
	case PACKET_IP:
		fill(l, b, "version", 4);
		fill(l, b, "ihl", bd->header[i] / 4 & 15);
		fill(l, b, "len", length16(len));
		fill(l, b, "ttl", DEFAULT_TTL);
		fill(l, b, "proto", ipproto_of(bd, i));
		break;
	case PACKET_IP6:
		fill(l, b, "version", 6);
		fill(l, b, "len", length16(len - 40));
		fill(l, b, "hlim", DEFAULT_TTL);
		fill(l, b, "next", ipproto_of(bd, i));
		break;
	case PACKET_IP6_EXT:
		fill(l, b, "len", (bd->header[i] / 8 - 1) & 255);
		fill(l, b, "next", ipproto_of(bd, i));
		break;
	case PACKET_IP6_FRAG:
		fill(l, b, "next", ipproto_of(bd, i));
		break;
	case PACKET_ICMP:
		fill(l, b, "type", ICMP_T_ECHO);
		break;
	case PACKET_ICMP6:
		fill(l, b, "type", 128);
		break;
	case PACKET_IGMP:
		fill(l, b, "type", 0x11);
		break;
	case PACKET_UDP:
		fill(l, b, "len", length16(len));
		break;
	case PACKET_TCP:
		fill(l, b, "doff", bd->header[i] / 4 & 15);
		fill(l, b, "flags", 0x10);
		fill(l, b, "window", DEFAULT_WINDOW);
		break;
	default:
		break;
	}
}

static void write_layer(const struct builder *bd, size_t i)
{
	const struct packet_layer *l = bd->p->layer[i];
	u8 *b = bd->b + bd->start[i];

	write_set_fields(l, b);
	if (l->proto == PACKET_ARP)
		write_arp_addrs(l, b + packet_fixed_size(l));
	else
		write_tail(l, b + packet_fixed_size(l));
	fill_defaults(bd, i);
}

/* The IP layer around layer i, or -1. */
static int ip_around(const struct packet *p, size_t i)
{
	for (size_t k = i; k-- > 0;) {
		if ((p->layer[k]->proto == PACKET_IP || p->layer[k]->proto == PACKET_IP6) &&
		    p->layer[k]->depth == p->layer[i]->depth)
			return (int)k;
	}
	return -1;
}

static void write_checksum(const struct builder *bd, size_t i)
{
	const struct packet_layer *l = bd->p->layer[i];
	size_t start = bd->start[i], end = content_end(bd, i);
	int ip = ip_around(bd->p, i);
	u32 sum = 0, protocol = 0;
	u16 check;

	switch (l->proto) {
	case PACKET_IP:
		end = start + bd->header[i];
		break;
	case PACKET_ICMP:
	case PACKET_IGMP:
		break;
	case PACKET_ICMP6:
		protocol = IPPROTO_N_ICMP6;
		break;
	case PACKET_UDP:
		protocol = IPPROTO_N_UDP;
		break;
	case PACKET_TCP:
		protocol = IPPROTO_N_TCP;
		break;
	default:
		return;
	}
	if (is_set(l, "checksum"))
		return;
	if (protocol && ip >= 0)
		sum = packet_pseudo_sum((enum packet_proto)bd->p->layer[ip]->proto,
					bd->b + bd->start[ip], bd->header[ip], protocol,
					end - start);
	check = packet_fold(packet_sum(sum, bd->b + start, end - start));
	if (!check && l->proto == PACKET_UDP)
		check = 0xffff; /* RFC 768: 0 says that there is none */
	fill(l, bd->b + start, "checksum", check);
}

u8 *packet_build(const struct packet *p, size_t *len, char *error)
{
	struct builder bd = { .p = p };

	for (size_t i = 0; i < p->count; i++) {
		bd.start[i] = bd.len;
		bd.header[i] = header_size(p->layer[i]);
		bd.len += bd.header[i];
	}
	if (!p->count || bd.len > MAX_PACKET) {
		if (error)
			snprintf(error, PACKET_ERROR_SIZE,
				 p->count ? "a packet of %zu bytes is too long" :
					    "a packet without layers",
				 bd.len);
		return NULL;
	}
	bd.b = calloc(1, bd.len ? bd.len : 1);
	if (!bd.b)
		abort();
	for (size_t i = 0; i < p->count; i++)
		write_layer(&bd, i);
	for (size_t i = p->count; i-- > 0;)
		write_checksum(&bd, i);
	*len = bd.len;
	return bd.b;
}

void packet_recompute(struct packet *p)
{
	static const char *const computed[] = { "len", "ihl", "doff", "checksum" };

	for (size_t i = 0; i < p->count; i++) {
		for (size_t k = 0; k < sizeof(computed) / sizeof(computed[0]); k++)
			packet_unset(p->layer[i], computed[k]);
	}
}
