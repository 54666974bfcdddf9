/* SPDX-License-Identifier: MIT */
/* From frames to conversations; see conversation.h. */
#include "converse/conversation.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* More segments than this are not taken: the conversation can not be played. */
#define SEGMENTS_MAX (1u << 22)

void *cv_grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	array = realloc(array, *room * size);
	if (!array)
		abort();
	return array;
}

/* ---- finding the conversation ---- */

/* In the tree: the two ends in a fixed order, and the newest conversation between them. */
struct pair {
	struct cv_addr end[2];
	struct conversation *c;
};

static int compare_addr(const struct cv_addr *a, const struct cv_addr *b)
{
	int n = memcmp(a->bytes, b->bytes, sizeof(a->bytes));

	if (a->len != b->len)
		return a->len - b->len;
	return n ? n : a->port - b->port;
}

static int compare_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int n = compare_addr(&x->end[0], &y->end[0]);

	return n ? n : compare_addr(&x->end[1], &y->end[1]);
}

static struct pair *find_pair(struct conversations *all, const struct cv_addr *from,
			      const struct cv_addr *to)
{
	int order = compare_addr(from, to) > 0;
	struct pair key = { .c = NULL }, *new;
	void *node;

	key.end[order] = *from;
	key.end[!order] = *to;
	node = tfind(&key, &all->by_ends, compare_pair);
	if (node)
		return *(struct pair **)node;
	new = malloc(sizeof(*new));
	if (!new)
		abort();
	*new = key;
	if (!tsearch(new, &all->by_ends, compare_pair))
		abort();
	return new;
}

/* A SYN at another place than where the sender's stream began. */
static bool begins_anew(const struct conversation *c, u32 side, const struct cv_segment *s)
{
	return (s->flags & (CV_SYN | CV_ACK)) == CV_SYN && c->spoken[side] &&
	       c->first_seq[side] != s->seq;
}

static struct conversation *new_conversation(struct conversations *all, const struct cv_addr *from,
					     const struct cv_addr *to)
{
	struct conversation *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->end[CV_CLIENT] = *from;
	c->end[CV_SERVER] = *to;
	if (!compare_addr(from, to))
		c->unplayable = "both ends are the same address and port";
	else if (!from->port || !to->port)
		c->unplayable = "a port is 0";
	all->list = cv_grow(all->list, all->count, &all->room, sizeof(struct conversation *));
	all->list[all->count++] = c;
	return c;
}

static void append(struct conversations *all, const struct cv_addr *from, const struct cv_addr *to,
		   const struct cv_segment *s, const u8 *payload, bool cut)
{
	struct pair *pair = find_pair(all, from, to);
	struct conversation *c = pair->c;
	u32 side = c && compare_addr(&c->end[CV_CLIENT], from) ? CV_SERVER : CV_CLIENT;
	struct cv_segment *n;

	if (!c || begins_anew(c, side, s)) {
		c = pair->c = new_conversation(all, from, to);
		side = CV_CLIENT;
	}
	if (!c->spoken[side]) {
		c->spoken[side] = true;
		c->first_seq[side] = s->flags & CV_SYN ? s->seq : s->seq - 1;
	}
	if (c->count == SEGMENTS_MAX) {
		c->unplayable = "too many segments";
		return;
	}
	c->cut = c->cut || (cut && s->len);
	c->segment = cv_grow(c->segment, c->count, &c->room, sizeof(*c->segment));
	n = &c->segment[c->count++];
	*n = *s;
	n->side = side;
	if (n->len) {
		n->payload = malloc(n->len);
		if (!n->payload)
			abort();
		memcpy(n->payload, payload, n->len);
	}
}

/* ---- reading a segment ---- */

static void read_options(struct cv_segment *s, const struct packet_layer *tcp)
{
	const struct packet_option *o;

	s->wscale = CV_NO_WSCALE;
	o = packet_option_find(tcp, PACKET_OPT_MSS);
	if (o && o->count == 1) {
		s->has_mss = true;
		s->mss = (u16)o->num[0];
	}
	o = packet_option_find(tcp, PACKET_OPT_WSCALE);
	if (o && o->count == 1)
		s->wscale = (u8)(o->num[0] < 14 ? o->num[0] : 14);
	s->sack_permitted = packet_option_find(tcp, PACKET_OPT_SACKOK) != NULL;
	o = packet_option_find(tcp, PACKET_OPT_TS);
	if (o && o->count == 2) {
		s->has_ts = true;
		s->ts_val = o->num[0];
		s->ts_ecr = o->num[1];
	}
	o = packet_option_find(tcp, PACKET_OPT_SACK);
	for (u32 i = 0; o && i < o->count && i < 2 * CV_SACK_MAX; i++)
		s->sack[i] = o->num[i];
	s->sack_count = o ? (u8)(o->count / 2) : 0;
}

static bool read_addr(struct cv_addr *a, const struct packet_layer *ip, const char *field,
		      const struct packet_layer *tcp, const char *port)
{
	const struct packet_value *v = packet_get(ip, field);

	*a = (struct cv_addr){ .len = ip->proto == PACKET_IP ? 4 : 16 };
	if (!v)
		return false;
	memcpy(a->bytes, v->addr, a->len);
	a->port = (u16)packet_get_uint(tcp, port, 0);
	return true;
}

static void read_segment(struct conversations *all, u64 time_ns, const struct packet *p, int at_ip,
			 int at_tcp, const u8 *bytes, bool cut)
{
	const struct packet_layer *ip = p->layer[at_ip], *tcp = p->layer[at_tcp];
	struct cv_segment s = { .time_ns = time_ns };
	struct cv_addr from, to;
	u64 doff = packet_get_uint(tcp, "doff", 0);

	/* A header that is damaged, or cut itself, says nothing. */
	if (doff < 5 || tcp->body - tcp->start < doff * 4 || tcp->end < tcp->body ||
	    !read_addr(&from, ip, "src", tcp, "sport") || !read_addr(&to, ip, "dst", tcp, "dport"))
		return;
	s.seq = (u32)packet_get_uint(tcp, "seq", 0);
	s.ack = (u32)packet_get_uint(tcp, "ack", 0);
	s.flags = (u16)packet_get_uint(tcp, "flags", 0);
	s.win = (u16)packet_get_uint(tcp, "window", 0);
	s.urg = (u16)packet_get_uint(tcp, "urg", 0);
	s.tos = (u8)packet_get_uint(ip, ip->proto == PACKET_IP ? "tos" : "tclass", 0);
	s.len = (u32)(tcp->end - tcp->body);
	read_options(&s, tcp);
	s.option_len = (u8)(doff * 4 - 20);
	memcpy(s.option, bytes + tcp->start + 20, s.option_len);
	append(all, &from, &to, &s, bytes + tcp->body, cut);
}

/* The first network layer of a packet that is not quoted; -1: none. */
static int outermost(const struct packet *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->layer[i]->proto == PACKET_IP || p->layer[i]->proto == PACKET_IP6)
			return (int)i;
	}
	return -1;
}

static bool is_fragment(const struct packet *p, int ip)
{
	const struct packet_layer *l = p->layer[ip];
	int at;

	if (l->proto == PACKET_IP6) {
		at = packet_find(p, PACKET_IP6_FRAG, (size_t)ip, l->depth);
		if (at < 0)
			return false;
		l = p->layer[at];
	}
	return packet_get_uint(l, "off", 0) || packet_get_uint(l, "mf", 0);
}

/* TCP right in the packet, with nothing but IPv6 headers between; -1: not there. */
static int find_tcp(const struct packet *p, int ip)
{
	for (size_t i = (size_t)ip + 1; i < p->count; i++) {
		int proto = p->layer[i]->proto;

		if (proto == PACKET_TCP)
			return (int)i;
		if (proto != PACKET_IP6_EXT && proto != PACKET_IP6_FRAG)
			return -1;
	}
	return -1;
}

static void add(struct conversations *all, u64 time_ns, int link, const u8 *bytes, size_t len,
		bool cut)
{
	struct packet *p = packet_parse(link, bytes, len, len);
	int ip = outermost(p), tcp;

	if (ip >= 0 && is_fragment(p, ip)) {
		size_t whole_len;
		bool any_cut;
		u8 *whole =
			cv_fragments_add(&all->fragments, p, ip, bytes, &whole_len, cut, &any_cut);

		if (whole)
			add(all, time_ns, PACKET_LINK_RAW, whole, whole_len, any_cut);
		free(whole);
	} else if (ip >= 0) {
		tcp = find_tcp(p, ip);
		if (tcp >= 0)
			read_segment(all, time_ns, p, ip, tcp, bytes, cut);
	}
	packet_free(p);
}

void conversations_add(struct conversations *all, u64 time_ns, const u8 *bytes, size_t len,
		       bool cut)
{
	add(all, time_ns, PACKET_LINK_ETHERNET, bytes, len, cut);
}

void conversations_finish(struct conversations *all)
{
	for (size_t i = 0; i < all->count; i++) {
		cv_stream_make(all->list[i], CV_CLIENT);
		cv_stream_make(all->list[i], CV_SERVER);
	}
}

static void free_pairs(struct conversations *all)
{
	while (all->by_ends) {
		struct pair *pair = *(struct pair **)all->by_ends;

		tdelete(pair, &all->by_ends, compare_pair);
		free(pair);
	}
}

void conversations_free(struct conversations *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct conversation *c = all->list[i];

		for (size_t n = 0; n < c->count; n++)
			free(c->segment[n].payload);
		free(c->segment);
		free(c->stream[0].extent);
		free(c->stream[1].extent);
		free(c);
	}
	free(all->list);
	free_pairs(all);
	cv_fragments_free(all->fragments);
	*all = (struct conversations){ 0 };
}
