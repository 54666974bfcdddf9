/* SPDX-License-Identifier: MIT */
/*
 * Packets as lists of layers: memory, protocols, adding and finding layers. See packet.h.
 *
 * All that hangs on a packet comes from its own chunks and goes with it; a layer's address does
 * not change while the packet lives.
 */
#include "packet/packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/proto.h"

struct packet_chunk {
	struct packet_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) u8 mem[];
};

enum { CHUNK_SIZE = 4000 };

const struct packet_protocol packet_protocols[PACKET_PROTO_COUNT] = {
	[PACKET_ETH] = { "eth", 14, packet_fields_eth },
	[PACKET_VLAN] = { "vlan", 4, packet_fields_vlan },
	[PACKET_LLC] = { "llc", 3, packet_fields_llc },
	[PACKET_NULL] = { "null", 4, packet_fields_null },
	[PACKET_SLL] = { "sll", 16, packet_fields_sll },
	[PACKET_SLL2] = { "sll2", 20, packet_fields_sll2 },
	[PACKET_ARP] = { "arp", 8, packet_fields_arp },
	[PACKET_IP] = { "ip", 20, packet_fields_ip },
	[PACKET_IP6] = { "ip6", 40, packet_fields_ip6 },
	[PACKET_IP6_EXT] = { "ip6ext", 2, packet_fields_ip6_ext },
	[PACKET_IP6_FRAG] = { "ip6frag", 8, packet_fields_ip6_frag },
	[PACKET_ICMP] = { "icmp", 8, packet_fields_icmp },
	[PACKET_ICMP6] = { "icmp6", 8, packet_fields_icmp6 },
	[PACKET_IGMP] = { "igmp", 8, packet_fields_igmp },
	[PACKET_UDP] = { "udp", 8, packet_fields_udp },
	[PACKET_TCP] = { "tcp", 20, packet_fields_tcp },
	[PACKET_PAYLOAD] = { "payload", 0, packet_fields_payload },
	[PACKET_PAD] = { "pad", 0, packet_fields_payload },
};

const char *packet_proto_name(enum packet_proto proto)
{
	return packet_protocols[proto].name;
}

int packet_proto_by_name(const char *name)
{
	for (int i = 0; i < PACKET_PROTO_COUNT; i++) {
		if (!strcmp(packet_protocols[i].name, name))
			return i;
	}
	return -1;
}

const struct packet_field *packet_fields(enum packet_proto proto)
{
	return packet_protocols[proto].fields;
}

int packet_field_index(enum packet_proto proto, const char *name)
{
	const struct packet_field *f = packet_protocols[proto].fields;

	for (int i = 0; f[i].name; i++) {
		if (!strcmp(f[i].name, name))
			return i;
	}
	return -1;
}

const char *packet_symbol_name(const struct packet_symbol *symbols, u64 value)
{
	for (; symbols && symbols->name; symbols++) {
		if (symbols->value == value)
			return symbols->name;
	}
	return NULL;
}

int packet_tail_field(enum packet_proto proto)
{
	const struct packet_field *f = packet_protocols[proto].fields;

	for (int i = 0; f[i].name; i++) {
		if (f[i].type == PACKET_F_BYTES || f[i].type == PACKET_F_OPTIONS)
			return i;
	}
	return -1;
}

size_t packet_fixed_size(const struct packet_layer *l)
{
	const struct packet_protocol *proto = &packet_protocols[l->proto];
	size_t size = proto->min_header;

	for (int i = 0; proto->fields[i].name; i++) {
		const struct packet_field *f = &proto->fields[i];
		size_t end = (f->bit + f->width + 7u) / 8;

		if (f->width && end > size && (l->value[i].type || (f->present && f->present(l))))
			size = end;
	}
	return size;
}

void *packet_alloc(struct packet *p, size_t size)
{
	struct packet_chunk *c = p->chunks;
	void *mem;

	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		c = malloc(sizeof(*c) + room);
		if (!c)
			abort();
		c->used = 0;
		c->size = room;
		c->next = p->chunks;
		p->chunks = c;
	}
	mem = c->mem + c->used;
	c->used += size;
	return mem;
}

void *packet_copy_bytes(struct packet *p, const void *bytes, size_t len)
{
	void *mem = packet_alloc(p, len ? len : 1);

	if (len)
		memcpy(mem, bytes, len);
	return mem;
}

struct packet *packet_new(void)
{
	struct packet *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->link = -1;
	return p;
}

void packet_free(struct packet *p)
{
	if (!p)
		return;
	for (struct packet_chunk *c = p->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(p);
}

struct packet_layer *packet_insert(struct packet *p, size_t at, enum packet_proto proto)
{
	struct packet_layer *l;

	if (p->count == PACKET_MAX_LAYERS || at > p->count)
		return NULL;
	l = packet_alloc(p, sizeof(*l));
	memset(l, 0, sizeof(*l));
	l->proto = (u8)proto;
	l->packet = p;
	memmove(&p->layer[at + 1], &p->layer[at], (p->count - at) * sizeof(p->layer[0]));
	p->layer[at] = l;
	p->count++;
	return l;
}

/* Whether what comes after this layer is a quoted packet. */
static bool quotes(const struct packet_layer *l)
{
	u32 type = l->value[ICMP_TYPE].type == PACKET_V_UINT ? (u32)l->value[ICMP_TYPE].num : 255;

	return (l->proto == PACKET_ICMP && packet_icmp_quotes(type)) ||
	       (l->proto == PACKET_ICMP6 && packet_icmp6_quotes(type));
}

struct packet_layer *packet_add(struct packet *p, enum packet_proto proto)
{
	const struct packet_layer *before = p->count ? p->layer[p->count - 1] : NULL;
	struct packet_layer *l = packet_insert(p, p->count, proto);

	if (l && before) {
		l->depth = before->depth;
		if ((proto == PACKET_IP || proto == PACKET_IP6) && quotes(before))
			l->depth++;
	}
	return l;
}

struct packet_layer *packet_add_payload(struct packet *p, const void *bytes, size_t len)
{
	struct packet_layer *l = packet_add(p, PACKET_PAYLOAD);

	if (l)
		packet_set_bytes(l, "data", bytes, len, NULL);
	return l;
}

static struct packet_value copy_value(struct packet *p, const struct packet_value *v)
{
	struct packet_value copy = *v;

	if (v->type == PACKET_V_BYTES)
		copy.bytes = packet_copy_bytes(p, v->bytes, v->len);
	if (v->type == PACKET_V_OPTIONS) {
		struct packet_option *o = packet_alloc(p, sizeof(*o) * (v->len ? v->len : 1));

		for (size_t i = 0; i < v->len; i++) {
			o[i] = v->options[i];
			if (o[i].data)
				o[i].data = packet_copy_bytes(p, o[i].data, o[i].data_len);
		}
		copy.options = o;
	}
	return copy;
}

static void copy_layer(struct packet_layer *to, const struct packet_layer *from)
{
	to->checksum = from->checksum;
	to->cut = from->cut;
	to->start = from->start;
	to->body = from->body;
	to->end = from->end;
	if (from->reason)
		to->reason = packet_copy_bytes(to->packet, from->reason, strlen(from->reason) + 1);
	for (int i = 0; i < PACKET_MAX_FIELDS; i++)
		to->value[i] = copy_value(to->packet, &from->value[i]);
}

bool packet_join(struct packet *p, const struct packet *from)
{
	size_t n = from->count;

	if (p->count + n > PACKET_MAX_LAYERS)
		return false;
	for (size_t i = 0; i < n; i++)
		copy_layer(packet_add(p, (enum packet_proto)from->layer[i]->proto), from->layer[i]);
	return true;
}

struct packet *packet_clone(const struct packet *p)
{
	struct packet *copy = packet_new();

	packet_join(copy, p);
	for (size_t i = 0; i < p->count; i++)
		copy->layer[i]->depth = p->layer[i]->depth;
	if (p->bytes)
		copy->bytes = packet_copy_bytes(copy, p->bytes, p->len);
	copy->len = p->len;
	copy->wire_len = p->wire_len;
	copy->link = p->link;
	return copy;
}

int packet_find(const struct packet *p, enum packet_proto proto, size_t from, unsigned int depth)
{
	for (size_t i = from; i < p->count; i++) {
		if (p->layer[i]->proto == proto && p->layer[i]->depth == depth)
			return (int)i;
	}
	return -1;
}

int packet_inner(const struct packet *p, unsigned int depth)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->layer[i]->depth == depth)
			return (int)i;
	}
	return -1;
}

void packet_wrong(struct packet_layer *l, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	if (l->reason)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->reason = packet_copy_bytes(l->packet, text, strlen(text) + 1);
}

const char *packet_checksum_name(enum packet_checksum_status status)
{
	static const char *const names[] = {
		[PACKET_CSUM_NONE] = "none",
		[PACKET_CSUM_GOOD] = "good",
		[PACKET_CSUM_BAD] = "bad",
		[PACKET_CSUM_ABSENT] = "absent",
		[PACKET_CSUM_UNVERIFIED] = "unverified",
	};

	return names[status];
}
