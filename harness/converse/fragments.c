/* SPDX-License-Identifier: MIT */
/*
 * Putting IP fragments of a capture together, for the harness's own eyes: the first copy of a byte
 * wins, nothing ever times out. At most DATAGRAMS_MAX are under way; the oldest gives way.
 */
#include "converse/conversation.h"

#include <stdlib.h>
#include <string.h>

#include "packet/bytes.h"

enum { DATAGRAMS_MAX = 64, DATA_MAX = 65535, IP4_HEADER = 20, PROTO_TCP = 6 };

struct datagram {
	u8 key[16 + 16 + 4 + 2]; /* addresses, id, protocol, length of an address */
	u8 tos;
	bool used, cut;
	u32 end; /* of the last fragment; 0: not known */
	u32 have; /* bytes */
	u8 *bytes;
	u8 *there; /* one a byte */
};

struct cv_fragments {
	struct datagram d[DATAGRAMS_MAX];
	u32 next;
};

static void clear(struct datagram *d)
{
	free(d->bytes);
	free(d->there);
	*d = (struct datagram){ 0 };
}

static struct datagram *find(struct cv_fragments *all, const u8 *key)
{
	struct datagram *d;

	for (u32 i = 0; i < DATAGRAMS_MAX; i++) {
		if (all->d[i].used && !memcmp(all->d[i].key, key, sizeof(all->d[i].key)))
			return &all->d[i];
	}
	d = &all->d[all->next++ % DATAGRAMS_MAX];
	clear(d);
	d->used = true;
	memcpy(d->key, key, sizeof(d->key));
	d->bytes = calloc(1, DATA_MAX);
	d->there = calloc(1, DATA_MAX);
	if (!d->bytes || !d->there)
		abort();
	return d;
}

/* IPv4 or IPv6 with these addresses around the data; as long as an IPv4 packet can be. */
static u8 *whole(struct datagram *d, size_t *len)
{
	bool ip4 = d->key[37] == 4;
	size_t head = ip4 ? (size_t)IP4_HEADER : 40;
	u8 *p = calloc(1, head + d->end);

	if (!p)
		abort();
	if (ip4) {
		p[0] = 0x45;
		p[1] = d->tos;
		write_be16(p + 2, (u32)head + d->end);
		p[8] = 64;
		p[9] = d->key[36];
		memcpy(p + 12, d->key, 4);
		memcpy(p + 16, d->key + 16, 4);
		write_be16(p + 10, packet_checksum(p, IP4_HEADER));
	} else {
		p[0] = 0x60;
		write_be16(p + 4, d->end);
		p[6] = d->key[36];
		p[7] = 64;
		memcpy(p + 8, d->key, 32);
	}
	memcpy(p + head, d->bytes, d->end);
	*len = head + d->end;
	return p;
}

static void put(struct datagram *d, u32 off, const u8 *bytes, u32 len)
{
	for (u32 i = 0; i < len && off + i < DATA_MAX; i++) {
		if (d->there[off + i])
			continue;
		d->there[off + i] = 1;
		d->bytes[off + i] = bytes[i];
		d->have++;
	}
}

u8 *cv_fragments_add(struct cv_fragments **all, const struct packet *p, int ip, const u8 *bytes,
		     size_t *len, bool cut, bool *any_cut)
{
	const struct packet_layer *l = p->layer[ip];
	bool ip4 = l->proto == PACKET_IP;
	const struct packet_layer *f = l;
	u8 key[38] = { 0 };
	struct datagram *d;
	u32 off, size;
	u8 *out;

	if (!ip4)
		f = p->layer[packet_find(p, PACKET_IP6_FRAG, (size_t)ip, l->depth)];
	if (packet_get_uint(f, ip4 ? "proto" : "next", 0) != PROTO_TCP || f->end < f->body)
		return NULL;
	memcpy(key, packet_get(l, "src")->addr, ip4 ? 4 : 16);
	memcpy(key + 16, packet_get(l, "dst")->addr, ip4 ? 4 : 16);
	write_be32(key + 32, (u32)packet_get_uint(f, "id", 0));
	key[36] = PROTO_TCP;
	key[37] = ip4 ? 4 : 16;
	if (!*all)
		*all = calloc(1, sizeof(**all));
	if (!*all)
		abort();
	d = find(*all, key);
	off = (u32)packet_get_uint(f, "off", 0) * 8;
	size = (u32)(f->end - f->body);
	d->cut = d->cut || cut;
	d->tos = ip4 ? (u8)packet_get_uint(l, "tos", 0) : 0;
	put(d, off, bytes + f->body, size);
	if (!packet_get_uint(f, "mf", 0) && !d->end)
		d->end = off + size < DATA_MAX - IP4_HEADER ? off + size : DATA_MAX - IP4_HEADER;
	if (!d->end || d->have < d->end)
		return NULL;
	*any_cut = d->cut;
	out = whole(d, len);
	clear(d);
	return out;
}

void cv_fragments_free(struct cv_fragments *all)
{
	for (u32 i = 0; all && i < DATAGRAMS_MAX; i++)
		clear(&all->d[i]);
	free(all);
}
