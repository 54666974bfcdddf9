/* SPDX-License-Identifier: MIT */
/*
 * Writing packets as Lua. What is sent must come out byte for byte: a field is left out only when
 * the packet without it is built into the same bytes.
 */
#include "convert/notation.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 60

static bool is_plain(u8 c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* A run of one byte is shorter as ("x"):rep(n). */
static bool is_run(const u8 *bytes, size_t len)
{
	size_t i;

	for (i = 1; i < len; i++) {
		if (bytes[i] != bytes[0])
			return false;
	}
	return len > 8;
}

static void put_byte(struct strbuf *out, u8 c)
{
	if (is_plain(c))
		strbuf_putc(out, (char)c);
	else if (c == '\n')
		strbuf_puts(out, "\\n");
	else if (c == '"' || c == '\\')
		strbuf_printf(out, "\\%c", c);
	else
		strbuf_printf(out, "\\x%02x", c);
}

void notation_string(struct strbuf *out, const u8 *bytes, size_t len)
{
	size_t column = 0;
	size_t i;

	if (is_run(bytes, len)) {
		strbuf_puts(out, "(\"");
		put_byte(out, bytes[0]);
		strbuf_printf(out, "\"):rep(%zu)", len);
		return;
	}
	strbuf_putc(out, '"');
	for (i = 0; i < len; i++) {
		/* \z passes over blanks: not before a blank of the text itself. */
		if (column >= LINE_BYTES && bytes[i] != ' ') {
			strbuf_puts(out, "\\z\n      ");
			column = 0;
		}
		put_byte(out, bytes[i]);
		column += is_plain(bytes[i]) ? 1 : 4;
	}
	strbuf_putc(out, '"');
}

void notation_line(struct strbuf *out, const char *text)
{
	strbuf_putc(out, '"');
	for (; *text; text++)
		put_byte(out, (u8)*text);
	strbuf_putc(out, '"');
}

/* -- Fields -- */

static void put_value(struct strbuf *out, const struct packet_layer *l,
		      const struct packet_field *field, const struct packet_value *v)
{
	char *text;

	if (v->type == PACKET_V_BYTES) {
		notation_string(out, v->bytes, v->len);
		return;
	}
	if (field->type == PACKET_F_FLAG) {
		strbuf_puts(out, v->num ? "true" : "false");
		return;
	}
	text = packet_value_text(l, field, v);
	if (v->type == PACKET_V_UINT && text[0] >= '0' && text[0] <= '9')
		strbuf_puts(out, text);
	else
		strbuf_printf(out, "\"%s\"", text);
	free(text);
}

/* "udp{ sport = 5, dport = 7 }"; a payload is its string. */
static void put_layer(struct strbuf *out, const struct packet_layer *l)
{
	const struct packet_field *fields = packet_fields(l->proto);
	const char *separator = " ";
	size_t i;

	if (l->proto == PACKET_PAYLOAD) {
		const struct packet_value *data = packet_get(l, "data");

		if (data)
			notation_string(out, data->bytes, data->len);
		return;
	}
	strbuf_printf(out, "%s{", packet_proto_name(l->proto));
	for (i = 0; fields[i].name; i++) {
		if (fields[i].view || l->value[i].type == PACKET_V_NONE)
			continue;
		strbuf_printf(out, "%s%s = ", separator, fields[i].name);
		put_value(out, l, &fields[i], &l->value[i]);
		separator = ", ";
	}
	strbuf_puts(out, *separator == ',' ? " }" : "}");
}

static void put_packet(struct strbuf *out, const struct packet *p, size_t from)
{
	size_t i;

	for (i = from; i < p->count; i++) {
		if (i > from)
			strbuf_puts(out, " / ");
		put_layer(out, p->layer[i]);
	}
}

static bool copy_field(struct packet_layer *to, const struct packet_layer *from, size_t i)
{
	const struct packet_field *field = &packet_fields(from->proto)[i];
	const struct packet_value *v = &from->value[i];

	switch (v->type) {
	case PACKET_V_UINT:
		return packet_set_uint(to, field->name, v->num, NULL);
	case PACKET_V_MAC:
		return packet_set_bytes(to, field->name, v->addr, 6, NULL);
	case PACKET_V_IP4:
		return packet_set_bytes(to, field->name, v->addr, 4, NULL);
	case PACKET_V_BYTES:
		return packet_set_bytes(to, field->name, v->bytes, v->len, NULL);
	case PACKET_V_NONE:
		return true;
	default:
		return false; /* IPv6 addresses, TCP options: not in what is converted */
	}
}

/* A copy by hand, without padding, and with what an ICMP error quotes as plain bytes. */
static struct packet *copy_packet(const struct packet *p)
{
	struct packet *q = packet_new();
	size_t i, k;

	for (i = 0; i < p->count; i++) {
		const struct packet_layer *from = p->layer[i];
		struct packet_layer *to;

		if (from->proto == PACKET_PAD)
			break;
		if (from->depth) {
			from = p->layer[i - 1];
			packet_add_payload(q, p->bytes + from->body, from->end - from->body);
			break;
		}
		to = packet_add(q, from->proto);
		for (k = 0; packet_fields(from->proto)[k].name; k++) {
			if (!packet_fields(from->proto)[k].view && !copy_field(to, from, k)) {
				packet_free(q);
				return NULL;
			}
		}
	}
	return q;
}

/* -- Sending -- */

static bool builds(const struct packet *q, const u8 *bytes, size_t len)
{
	size_t n;
	u8 *built = packet_build(q, &n, NULL);
	bool equal = built && n == len && memcmp(built, bytes, len) == 0;

	free(built);
	return equal;
}

/* What the library of scripts fills in otherwise, or what a reader wants to see. */
static bool is_kept(u8 proto, const char *field)
{
	static const char *const kept[] = { "src", "dst", "sport", "dport", "op",
					    "sha", "spa", "tha",   "tpa",   "type" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		if (strcmp(field, kept[i]) == 0)
			return proto != PACKET_VLAN &&
			       (proto != PACKET_ETH || strcmp(field, "type") != 0);
	}
	return false;
}

/* Unsets all fields without which the packet is the same. */
static void drop_fields(struct packet *q, const u8 *bytes, size_t len)
{
	size_t i, k;

	for (i = 0; i < q->count; i++) {
		struct packet_layer *l = q->layer[i];
		const struct packet_field *fields = packet_fields(l->proto);

		for (k = 0; fields[k].name && l->proto != PACKET_PAYLOAD; k++) {
			const struct packet_value old = l->value[k];

			if (old.type == PACKET_V_NONE || is_kept(l->proto, fields[k].name))
				continue;
			l->value[k].type = PACKET_V_NONE;
			if (!builds(q, bytes, len))
				l->value[k] = old;
		}
	}
}

/* Whether the library finds the Ethernet header by itself. */
static bool header_is_implied(const struct scene *s, const struct packet *q)
{
	const struct packet_layer *eth = scene_layer(q, PACKET_ETH);
	const struct packet_layer *arp = scene_layer(q, PACKET_ARP);
	const u8 *dst = scene_addr(eth, "dst");
	const u8 *ip = scene_addr(scene_layer(q, PACKET_IP), "dst");
	bool to_all = dst && memcmp(dst, "\xff\xff\xff\xff\xff\xff", 6) == 0;

	if (packet_get(eth, "type") || !dst || (!arp && !ip))
		return false;
	if (arp)
		return packet_get_uint(arp, "op", 0) == 1 ?
			       to_all :
			       s->has_mac && memcmp(dst, s->mac, 6) == 0;
	return ip && s->has_mac && memcmp(dst, s->mac, 6) == 0 && memcmp(ip, s->addr, 4) == 0;
}

/* The bytes without padding; false: the padding is not what a sender would put there. */
static bool without_padding(const struct packet *p, size_t *len)
{
	const struct packet_layer *last = p->layer[p->count - 1];
	size_t i;

	*len = p->len;
	if (last->proto != PACKET_PAD)
		return true;
	for (i = last->start; i < p->len; i++) {
		if (p->bytes[i])
			return false;
	}
	*len = last->start;
	return p->len == 60;
}

bool notation_send(struct strbuf *out, const struct scene *s, const struct scene_frame *f)
{
	const struct packet *p = f->packet;
	struct packet *q = NULL;
	size_t len, from;
	bool ok;

	if (!p->count || !without_padding(p, &len) || !(q = copy_packet(p)))
		return false;
	packet_recompute(q);
	ok = builds(q, p->bytes, len);
	if (!ok) {
		packet_free(q);
		q = copy_packet(p);
		ok = builds(q, p->bytes, len);
	}
	if (ok) {
		drop_fields(q, p->bytes, len);
		from = !s->raw && header_is_implied(s, q);
		if (!s->raw && !from)
			packet_unset(q->layer[0], "src"); /* the peer's own */
		put_packet(out, q, from);
	}
	packet_free(q);
	return ok;
}

/* -- Expecting -- */

static void keep(struct packet *t, const struct packet_layer *from, const char *const *names)
{
	struct packet_layer *to = packet_add(t, from->proto);

	for (; *names; names++) {
		int i = packet_field_index(from->proto, *names);

		if (i >= 0)
			copy_field(to, from, (size_t)i);
	}
}

static void keep_payload(struct packet *t, const struct packet *p, const struct packet_layer *after)
{
	if (after->end > after->body)
		packet_add_payload(t, p->bytes + after->body, after->end - after->body);
}

static void expect_icmp(struct packet *t, const struct packet *p, const struct packet_layer *icmp)
{
	static const char *const echo[] = { "type", "code", "id", "seq", NULL };
	static const char *const timestamp[] = { "type", "code", "id", "seq", "originate", NULL };
	static const char *const other[] = { "type", "code", NULL };
	u64 type = packet_get_uint(icmp, "type", 0);

	keep(t, icmp, type == 0 ? echo : type == 14 ? timestamp : other);
	if (type == 0)
		keep_payload(t, p, icmp);
}

void notation_expect(struct strbuf *out, const struct scene *s, const struct scene_frame *f)
{
	static const char *const eth_fields[] = { "src", "dst", NULL };
	static const char *const arp_fields[] = { "op", "sha", "spa", "tha", "tpa", NULL };
	static const char *const ip_fields[] = { "src", "dst", NULL };
	static const char *const piece_fields[] = { "src", "dst", "proto", "off", "mf", NULL };
	static const char *const udp_fields[] = { "sport", "dport", NULL };
	const struct packet *p = f->packet;
	const struct packet_layer *eth = scene_layer(p, PACKET_ETH);
	const struct packet_layer *arp = scene_layer(p, PACKET_ARP);
	const struct packet_layer *ip = scene_layer(p, PACKET_IP);
	const struct packet_layer *icmp = scene_layer(p, PACKET_ICMP);
	const struct packet_layer *udp = scene_layer(p, PACKET_UDP);
	struct packet *t = packet_new();

	if (eth && !s->raw)
		keep(t, eth, eth_fields);
	if (arp)
		keep(t, arp, arp_fields);
	if (ip)
		keep(t, ip, scene_is_fragment(ip) ? piece_fields : ip_fields);
	if (icmp) {
		expect_icmp(t, p, icmp);
	} else if (udp) {
		keep(t, udp, udp_fields);
		keep_payload(t, p, udp);
	} else if (ip) {
		keep_payload(t, p, ip);
	}
	put_packet(out, t, 0);
	packet_free(t);
}
