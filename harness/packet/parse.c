/* SPDX-License-Identifier: MIT */
/*
 * Bytes to packets. Each parse_*() adds one layer for the header at `at` and hands on to the next;
 * `end` is where the enclosing layer says that its content ends, which may lie beyond the bytes
 * that were captured (then the layer is cut) but never beyond the frame on the wire. Nothing is
 * trusted: a length that can not be is noted in the layer and the bytes there are taken instead.
 */
#include <string.h>

#include "packet/bytes.h"
#include "packet/packet.h"
#include "packet/proto.h"

struct parser {
	struct packet *p;
	const u8 *b;
	size_t len; /* captured */
	enum packet_proto ip; /* the IP header around, for pseudo-headers */
	size_t ip_at;
	size_t ip_header_len;
	bool fragment; /* of a datagram: checksums over it can not be verified */
};

static void parse_ethertype(struct parser *ps, u32 type, size_t at, size_t end);
static void parse_ipproto(struct parser *ps, u32 proto, size_t at, size_t end);

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void read_fields(struct packet_layer *l, const u8 *b, size_t avail)
{
	const struct packet_field *fields = packet_fields((enum packet_proto)l->proto);

	for (int i = 0; fields[i].name; i++) {
		const struct packet_field *f = &fields[i];
		struct packet_value *v = &l->value[i];

		if (!f->width || (f->bit + f->width + 7u) / 8 > avail ||
		    (f->present && !f->present(l)))
			continue;
		switch (f->type) {
		case PACKET_F_MAC:
			v->type = PACKET_V_MAC;
			memcpy(v->addr, b + f->bit / 8, 6);
			break;
		case PACKET_F_IP4:
			v->type = PACKET_V_IP4;
			memcpy(v->addr, b + f->bit / 8, 4);
			break;
		case PACKET_F_IP6:
			v->type = PACKET_V_IP6;
			memcpy(v->addr, b + f->bit / 8, 16);
			break;
		default:
			v->type = PACKET_V_UINT;
			v->num = read_bits(b, f->bit, f->width);
		}
	}
}

static void set_bytes(struct packet_layer *l, int field, const u8 *bytes, size_t len)
{
	l->value[field].type = PACKET_V_BYTES;
	l->value[field].bytes = packet_copy_bytes(l->packet, bytes, len);
	l->value[field].len = len;
}

/* Bytes at `at` that are there and belong to the layer that ends at `end`. */
static size_t available(const struct parser *ps, size_t at, size_t end)
{
	size_t stop = min_size(end, ps->len);

	return at < stop ? stop - at : 0;
}

/* Notes that the bytes end before the header does: cut by the capture, or too short in itself. */
static void short_header(const struct parser *ps, struct packet_layer *l, size_t end,
			 const char *what)
{
	if (end > ps->len || l->depth)
		l->cut = true;
	else
		packet_wrong(l, "%s cut short", what);
}

/* Adds the rest as payload. An empty rest adds nothing, but a cut one marks the layer before. */
static void parse_payload(struct parser *ps, size_t at, size_t end)
{
	size_t avail = available(ps, at, end);
	struct packet_layer *l;

	if (avail) {
		l = packet_add_payload(ps->p, ps->b + at, avail);
		if (!l)
			return;
		l->start = at;
		l->body = l->end = at + avail;
		l->cut = end > ps->len;
	} else if (end > ps->len && at < end && ps->p->count) {
		ps->p->layer[ps->p->count - 1]->cut = true;
	}
}

/*
 * Starts a layer and reads the fields that are there. Returns NULL when the fixed part of its
 * header is not (the layer stays, with what there is of it) or no more layers fit.
 */
static struct packet_layer *begin(struct parser *ps, enum packet_proto proto, size_t at, size_t end)
{
	size_t avail = available(ps, at, end);
	struct packet_layer *l;

	if (ps->p->count + 4 > PACKET_MAX_LAYERS) {
		parse_payload(ps, at, end);
		return NULL;
	}
	l = packet_add(ps->p, proto);
	l->start = at;
	l->end = end;
	read_fields(l, ps->b + at, avail);
	l->body = at + min_size(packet_fixed_size(l), avail);
	if (avail >= packet_fixed_size(l))
		return l;
	short_header(ps, l, end, "header");
	return NULL;
}

/* Bytes between the end of an inner layer and that of the one around it. */
static void parse_pad(struct parser *ps, size_t at, size_t end, u8 depth)
{
	size_t avail = available(ps, at, end);
	struct packet_layer *l;

	if (!avail || ps->p->count == PACKET_MAX_LAYERS)
		return;
	l = packet_add(ps->p, PACKET_PAD);
	l->depth = depth;
	l->start = at;
	l->body = l->end = at + avail;
	set_bytes(l, DATA_ONLY, ps->b + at, avail);
}

static u8 judge(bool good)
{
	return good ? PACKET_CSUM_GOOD : PACKET_CSUM_BAD;
}

/* Does the checksum over [start, end) hold, with the pseudo-header below an IP header of this
 * length? */
static bool sum_holds(const struct parser *ps, const struct packet_layer *l, size_t ip_header_len,
		      u32 protocol, size_t end)
{
	u32 sum = 0;

	if (protocol)
		sum = packet_pseudo_sum(ps->ip, ps->b + ps->ip_at, ip_header_len, protocol,
					end - l->start);
	return !packet_fold(packet_sum(sum, ps->b + l->start, end - l->start));
}

/* Verifies a checksum over [start, end) with the pseudo-header when `protocol` is not 0. */
static void verify(const struct parser *ps, struct packet_layer *l, u32 protocol, size_t end)
{
	if (ps->fragment || end > ps->len || l->cut) {
		l->checksum = PACKET_CSUM_UNVERIFIED;
		return;
	}
	/* Linux sums a datagram that has a source route over the next hop, as if there was none. */
	l->checksum = judge(sum_holds(ps, l, ps->ip_header_len, protocol, end) ||
			    (protocol == IPPROTO_N_UDP && sum_holds(ps, l, 20, protocol, end)));
}

static void parse_arp(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_ARP, at, end);
	size_t size[4];

	if (!l)
		return;
	size[0] = size[2] = (size_t)l->value[ARP_HLEN].num;
	size[1] = size[3] = (size_t)l->value[ARP_PLEN].num;
	for (int i = 0; i < 4; i++) {
		const struct packet_field *f = &packet_fields_arp[ARP_SHA + i];
		struct packet_value *v = &l->value[ARP_SHA + i];
		size_t avail = available(ps, l->body, end);

		if (avail < size[i]) {
			short_header(ps, l, end, f->name);
			l->body += avail;
			return;
		}
		if (f->type == PACKET_F_MAC ? size[i] == 6 : size[i] == 4) {
			v->type = size[i] == 6 ? PACKET_V_MAC : PACKET_V_IP4;
			memcpy(v->addr, ps->b + l->body, size[i]);
		} else {
			set_bytes(l, ARP_SHA + i, ps->b + l->body, size[i]);
		}
		l->body += size[i];
	}
	l->end = l->body;
	parse_pad(ps, l->body, end, l->depth);
}

static void parse_igmp(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_IGMP, at, end);

	if (!l)
		return;
	verify(ps, l, 0, end);
	parse_payload(ps, l->body, end);
}

/* The packet that an error quotes: its own lengths and fragmentation, none of ours. */
static void parse_quote(struct parser *ps, size_t at, size_t end)
{
	struct parser inner = { .p = ps->p, .b = ps->b, .len = ps->len };

	if (available(&inner, at, end) && ps->b[at] >> 4 == 4)
		parse_ethertype(&inner, ETHERTYPE_IP4, at, end);
	else if (available(&inner, at, end) && ps->b[at] >> 4 == 6)
		parse_ethertype(&inner, ETHERTYPE_IP6, at, end);
	else
		parse_payload(&inner, at, end);
}

static void parse_icmp(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_ICMP, at, end);

	if (!l)
		return;
	verify(ps, l, 0, end);
	if (packet_icmp_quotes((u32)l->value[ICMP_TYPE].num))
		parse_quote(ps, l->body, end);
	else
		parse_payload(ps, l->body, end);
}

static void parse_icmp6(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_ICMP6, at, end);

	if (!l)
		return;
	verify(ps, l, IPPROTO_N_ICMP6, end);
	if (packet_icmp6_quotes((u32)l->value[ICMP_TYPE].num))
		parse_quote(ps, l->body, end);
	else
		parse_payload(ps, l->body, end);
}

static void parse_udp(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_UDP, at, end);
	size_t len;

	if (!l)
		return;
	len = (size_t)packet_get_uint(l, "len", 0);
	if (len < 8)
		packet_wrong(l, "length %zu is less than the header", len);
	else if (len > end - at && !ps->fragment && !l->depth)
		packet_wrong(l, "length %zu exceeds the packet's %zu", len, end - at);
	else if (len < end - at)
		l->end = at + len;
	if (!packet_get_uint(l, "checksum", 0))
		l->checksum = PACKET_CSUM_ABSENT;
	else if (len > end - at)
		l->checksum = PACKET_CSUM_UNVERIFIED;
	else
		verify(ps, l, IPPROTO_N_UDP, l->end);
	parse_payload(ps, l->body, l->end);
	parse_pad(ps, l->end, end, l->depth);
}

static void parse_tcp_options(struct parser *ps, struct packet_layer *l, size_t len)
{
	int field = packet_tail_field(PACKET_TCP);
	struct packet_option *options;
	const char *wrong;
	const u8 *copy = packet_copy_bytes(ps->p, ps->b + l->body, len);
	size_t n = packet_options_parse(ps->p, copy, len, &options, &wrong);

	l->value[field].type = PACKET_V_OPTIONS;
	l->value[field].options = options;
	l->value[field].len = n;
	l->body += len;
	if (wrong && !l->cut)
		packet_wrong(l, "%s", wrong);
}

static void parse_tcp(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_TCP, at, end);
	size_t size, avail;

	if (!l)
		return;
	size = (size_t)packet_get_uint(l, "doff", 0) * 4;
	avail = available(ps, at, end);
	if (size < 20) {
		packet_wrong(l, "data offset %zu is less than the header", size / 4);
		size = 20;
	} else if (size > avail) {
		short_header(ps, l, end, "options");
		size = avail;
	}
	parse_tcp_options(ps, l, size - 20);
	verify(ps, l, IPPROTO_N_TCP, end);
	parse_payload(ps, l->body, end);
}

static void parse_ip4(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_IP, at, end);
	size_t hlen, total;
	u64 off;

	if (!l)
		return;
	hlen = (size_t)packet_get_uint(l, "ihl", 0) * 4;
	total = (size_t)packet_get_uint(l, "len", 0);
	if (packet_get_uint(l, "version", 0) != 4)
		packet_wrong(l, "version is not 4");
	if (hlen < 20) {
		packet_wrong(l, "header length %zu is less than 20", hlen);
		parse_payload(ps, l->body, end);
		return;
	}
	if (hlen > available(ps, at, end)) {
		short_header(ps, l, end, "options");
		set_bytes(l, packet_tail_field(PACKET_IP), ps->b + at + 20,
			  available(ps, at, end) - 20);
		l->body = at + available(ps, at, end);
		return;
	}
	set_bytes(l, packet_tail_field(PACKET_IP), ps->b + at + 20, hlen - 20);
	l->body = at + hlen;
	l->checksum = judge(!packet_checksum(ps->b + at, hlen));
	if (total && total < hlen)
		packet_wrong(l, "total length %zu is less than the header", total);
	else if (total > end - at && !l->depth)
		packet_wrong(l, "total length %zu exceeds the frame's %zu", total, end - at);
	else if (total && total < end - at)
		l->end = at + total;
	if (l->depth && total > end - at)
		l->cut = true;

	off = packet_get_uint(l, "off", 0);
	ps->ip = PACKET_IP;
	ps->ip_at = at;
	ps->ip_header_len = l->body - at;
	ps->fragment = ps->fragment || off || packet_get_uint(l, "mf", 0) || total > end - at;
	if (off)
		parse_payload(ps, l->body, l->end);
	else
		parse_ipproto(ps, (u32)packet_get_uint(l, "proto", 0), l->body, l->end);
	parse_pad(ps, l->end, end, l->depth);
}

/* Hop-by-hop, routing, destination options: all of one shape (RFC 8200 4). */
static void parse_ip6_ext(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_IP6_EXT, at, end);
	size_t size, avail;

	if (!l)
		return;
	size = (size_t)(packet_get_uint(l, "len", 0) + 1) * 8;
	avail = available(ps, at, end);
	if (size > avail) {
		short_header(ps, l, end, "extension header");
		size = avail;
	}
	set_bytes(l, packet_tail_field(PACKET_IP6_EXT), ps->b + at + 2, size - 2);
	l->body = at + size;
	if (!l->cut && !l->reason)
		parse_ipproto(ps, (u32)packet_get_uint(l, "next", 0), l->body, end);
}

static void parse_ip6_frag(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_IP6_FRAG, at, end);

	if (!l)
		return;
	if (packet_get_uint(l, "off", 0)) {
		ps->fragment = true;
		parse_payload(ps, l->body, end);
		return;
	}
	ps->fragment = ps->fragment || packet_get_uint(l, "mf", 0);
	parse_ipproto(ps, (u32)packet_get_uint(l, "next", 0), l->body, end);
}

static void parse_ip6(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_IP6, at, end);
	size_t len;

	if (!l)
		return;
	len = (size_t)packet_get_uint(l, "len", 0) + 40;
	if (packet_get_uint(l, "version", 0) != 6)
		packet_wrong(l, "version is not 6");
	if (len > end - at && !l->depth)
		packet_wrong(l, "payload length %zu exceeds the frame's %zu", len - 40,
			     end - at - 40);
	else if (len > 40 && len < end - at) /* 0: a jumbogram, RFC 2675 */
		l->end = at + len;
	if (l->depth && len > end - at)
		l->cut = true;
	ps->ip = PACKET_IP6;
	ps->ip_at = at;
	ps->ip_header_len = 40;
	ps->fragment = ps->fragment || len > end - at;
	parse_ipproto(ps, (u32)packet_get_uint(l, "next", 0), l->body, l->end);
	parse_pad(ps, l->end, end, l->depth);
}

static void parse_ipproto(struct parser *ps, u32 proto, size_t at, size_t end)
{
	bool six = ps->ip == PACKET_IP6;

	if (at >= end) {
		return;
	} else if (six && (proto == IPPROTO_N_HOPOPTS || proto == IPPROTO_N_ROUTING ||
			   proto == IPPROTO_N_DSTOPTS)) {
		parse_ip6_ext(ps, at, end);
	} else if (six && proto == IPPROTO_N_FRAG) {
		parse_ip6_frag(ps, at, end);
	} else if (proto == IPPROTO_N_ICMP && !six) {
		parse_icmp(ps, at, end);
	} else if (proto == IPPROTO_N_ICMP6 && six) {
		parse_icmp6(ps, at, end);
	} else if (proto == IPPROTO_N_IGMP && !six) {
		parse_igmp(ps, at, end);
	} else if (proto == IPPROTO_N_UDP) {
		parse_udp(ps, at, end);
	} else if (proto == IPPROTO_N_TCP) {
		parse_tcp(ps, at, end);
	} else if (proto == IPPROTO_N_IP4) {
		parse_ip4(ps, at, end);
	} else if (proto == IPPROTO_N_IP6) {
		parse_ip6(ps, at, end);
	} else {
		parse_payload(ps, at, end);
	}
}

static void parse_vlan(struct parser *ps, size_t at, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_VLAN, at, end);

	if (l)
		parse_ethertype(ps, (u32)packet_get_uint(l, "type", 0), l->body, end);
}

/* IEEE 802.3: the type is a length, what follows it is padding. */
static void parse_llc(struct parser *ps, size_t len, size_t at, size_t end)
{
	size_t stop = min_size(end, at + len);
	struct packet_layer *l = begin(ps, PACKET_LLC, at, stop);

	if (l)
		parse_payload(ps, l->body, stop);
	parse_pad(ps, stop, end, 0);
}

static void parse_ethertype(struct parser *ps, u32 type, size_t at, size_t end)
{
	switch (type) {
	case ETHERTYPE_IP4:
		parse_ip4(ps, at, end);
		break;
	case ETHERTYPE_IP6:
		parse_ip6(ps, at, end);
		break;
	case ETHERTYPE_ARP:
	case ETHERTYPE_RARP:
		parse_arp(ps, at, end);
		break;
	case ETHERTYPE_VLAN:
	case ETHERTYPE_QINQ:
	case ETHERTYPE_QINQ_OLD:
		parse_vlan(ps, at, end);
		break;
	default:
		if (type < ETHERTYPE_MIN)
			parse_llc(ps, type, at, end);
		else
			parse_payload(ps, at, end);
	}
}

/* Address families as NULL headers carry them: IPv6 has another number on every BSD. */
static void parse_null(struct parser *ps, size_t end)
{
	struct packet_layer *l = begin(ps, PACKET_NULL, 0, end);
	struct packet_value *family;

	if (!l)
		return;
	family = &l->value[0];
	if (family->num > 0xffff) { /* the other byte order */
		family->num = (family->num >> 24 & 0xff) | (family->num >> 8 & 0xff00) |
			      (family->num << 8 & 0xff0000) | (family->num << 24 & 0xff000000);
	}
	switch (family->num) {
	case 2:
		parse_ip4(ps, 4, end);
		break;
	case 10:
	case 24:
	case 28:
	case 30:
		parse_ip6(ps, 4, end);
		break;
	default:
		parse_payload(ps, 4, end);
	}
}

static void parse_raw(struct parser *ps, size_t end)
{
	if (ps->len && ps->b[0] >> 4 == 6)
		parse_ip6(ps, 0, end);
	else
		parse_ip4(ps, 0, end);
}

/* The cooked headers' protocol may also be 1 or 4 for the 802.3 and LLC frames of old. */
static void parse_sll(struct parser *ps, enum packet_proto proto, size_t end)
{
	struct packet_layer *l = begin(ps, proto, 0, end);
	u32 type;

	if (!l)
		return;
	type = (u32)packet_get_uint(l, "type", 0);
	if (type == 4)
		parse_llc(ps, end, l->body, end);
	else if (type < ETHERTYPE_MIN)
		parse_payload(ps, l->body, end);
	else
		parse_ethertype(ps, type, l->body, end);
}

static void parse_link(struct parser *ps, int link, size_t end)
{
	struct packet_layer *l;

	switch (link) {
	case PACKET_LINK_ETHERNET:
		l = begin(ps, PACKET_ETH, 0, end);
		if (l)
			parse_ethertype(ps, (u32)packet_get_uint(l, "type", 0), 14, end);
		break;
	case PACKET_LINK_RAW:
	case PACKET_LINK_RAW_BSD:
	case PACKET_LINK_RAW_OPENBSD:
		parse_raw(ps, end);
		break;
	case PACKET_LINK_IPV4:
		parse_ip4(ps, 0, end);
		break;
	case PACKET_LINK_IPV6:
		parse_ip6(ps, 0, end);
		break;
	case PACKET_LINK_NULL:
	case PACKET_LINK_LOOP:
		parse_null(ps, end);
		break;
	case PACKET_LINK_SLL:
		parse_sll(ps, PACKET_SLL, end);
		break;
	case PACKET_LINK_SLL2:
		parse_sll(ps, PACKET_SLL2, end);
		break;
	default:
		parse_payload(ps, 0, end);
	}
}

struct packet *packet_parse(int link, const void *bytes, size_t len, size_t wire_len)
{
	struct parser ps = { .p = packet_new(), .len = len };

	ps.p->bytes = packet_copy_bytes(ps.p, bytes, len);
	ps.p->len = len;
	ps.p->wire_len = wire_len > len ? wire_len : len;
	ps.p->link = link;
	ps.b = ps.p->bytes;
	parse_link(&ps, link, ps.p->wire_len);
	return ps.p;
}
