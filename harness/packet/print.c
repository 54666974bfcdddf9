/* SPDX-License-Identifier: MIT */
/*
 * Packets as text: packet_line() for traces, as near to tcpdump's lines as is useful, and
 * packet_text() for got/expect in reports, with every field and what is wrong. Both take parsed
 * packets and templates alike.
 */
#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "packet/proto.h"
#include "packet/text.h"

/* A field's text, or `otherwise` when it is not set. */
static void add_field(struct text *t, const struct packet_layer *l, const char *field,
		      const char *otherwise)
{
	const struct packet_value *v = packet_get(l, field);
	int i = packet_field_index((enum packet_proto)l->proto, field);
	char *s;

	if (!v) {
		text_add(t, otherwise);
		return;
	}
	s = packet_value_text(l, &packet_fields((enum packet_proto)l->proto)[i], v);
	text_add(t, s);
	free(s);
}

/* Bytes of content from layer i on: payload that there is. */
static size_t payload_len(const struct packet *p, size_t i)
{
	const struct packet_value *v;

	if (i + 1 >= p->count || p->layer[i + 1]->proto != PACKET_PAYLOAD)
		return 0;
	v = packet_get(p->layer[i + 1], "data");
	return v ? v->len : 0;
}

static void line_arp(struct text *t, const struct packet_layer *l)
{
	u64 op = packet_get_uint(l, "op", 1);

	text_add(t, "ARP, ");
	if (op == 1) {
		text_add(t, "Request who-has ");
		add_field(t, l, "tpa", "?");
		text_add(t, " tell ");
		add_field(t, l, "spa", "?");
	} else if (op == 2) {
		text_add(t, "Reply ");
		add_field(t, l, "spa", "?");
		text_add(t, " is-at ");
		add_field(t, l, "sha", "?");
	} else {
		add_field(t, l, "op", "?");
	}
}

static void line_addrs(struct text *t, const struct packet *p, size_t ip, size_t i)
{
	const struct packet_layer *l = p->layer[ip];
	bool ports = p->layer[i]->proto == PACKET_UDP || p->layer[i]->proto == PACKET_TCP;

	text_add(t, l->proto == PACKET_IP ? "IP " : "IP6 ");
	add_field(t, l, "src", "*");
	if (ports) {
		text_add(t, ".");
		add_field(t, p->layer[i], "sport", "*");
	}
	text_add(t, " > ");
	add_field(t, l, "dst", "*");
	if (ports) {
		text_add(t, ".");
		add_field(t, p->layer[i], "dport", "*");
	}
	text_add(t, ": ");
}

static void line_frag(struct text *t, const struct packet_layer *ip)
{
	u64 off = packet_get_uint(ip, "off", 0), mf = packet_get_uint(ip, "mf", 0);

	if (off || mf)
		text_f(t, "frag id %llu, offset %llu%s, ",
		       (unsigned long long)packet_get_uint(ip, "id", 0),
		       (unsigned long long)off * 8, mf ? "+" : "");
}

static void line_tcp(struct text *t, const struct packet *p, size_t i)
{
	const struct packet_layer *l = p->layer[i];
	const struct packet_value *o = packet_get(l, "options");
	size_t len = payload_len(p, i);

	text_add(t, "Flags [");
	add_field(t, l, "flags", "*");
	text_add(t, "], seq ");
	add_field(t, l, "seq", "*");
	if (len)
		text_f(t, ":%u", (u32)packet_get_uint(l, "seq", 0) + (u32)len);
	if (packet_get_uint(l, "flags", 0x10) & 0x10) {
		text_add(t, ", ack ");
		add_field(t, l, "ack", "*");
	}
	text_add(t, ", win ");
	add_field(t, l, "window", "*");
	if (packet_get_uint(l, "flags", 0) & 0x20) {
		text_add(t, ", urg ");
		add_field(t, l, "urg", "*");
	}
	if (o && o->len) {
		text_add(t, ", options ");
		add_field(t, l, "options", "");
	}
	text_f(t, ", length %zu", len);
}

static void line_icmp(struct text *t, const struct packet *p, size_t i)
{
	const struct packet_layer *l = p->layer[i];
	static const char *const more[] = { "id", "seq", "mtu", "gateway", "pointer", "target" };

	text_add(t, l->proto == PACKET_ICMP ? "ICMP " : "ICMP6 ");
	add_field(t, l, "type", "*");
	if (packet_get_uint(l, "code", 0) ||
	    (l->proto == PACKET_ICMP && packet_icmp_quotes((u32)packet_get_uint(l, "type", 8)))) {
		text_add(t, " ");
		add_field(t, l, "code", "*");
	}
	for (size_t k = 0; k < sizeof(more) / sizeof(more[0]); k++) {
		if (packet_get(l, more[k])) {
			text_f(t, ", %s ", more[k]);
			add_field(t, l, more[k], "");
		}
	}
	if (payload_len(p, i))
		text_f(t, ", length %zu", payload_len(p, i));
}

static void line_link(struct text *t, const struct packet *p, size_t i)
{
	const struct packet_layer *l = p->layer[i];
	bool last = i + 1 == p->count || p->layer[i + 1]->proto == PACKET_PAYLOAD;

	if (l->proto == PACKET_VLAN) {
		text_add(t, "vlan ");
		add_field(t, l, "id", "*");
		text_add(t, ", ");
	}
	if (!last)
		return;
	add_field(t, l, l->proto == PACKET_ETH ? "src" : "type", "*");
	if (l->proto == PACKET_ETH) {
		text_add(t, " > ");
		add_field(t, l, "dst", "*");
		text_add(t, ", ethertype ");
		add_field(t, l, "type", "*");
	}
	text_f(t, ", length %zu", payload_len(p, i));
}

static void line_layer(struct text *t, const struct packet *p, size_t i, size_t *ip)
{
	const struct packet_layer *l = p->layer[i];

	switch (l->proto) {
	case PACKET_ETH:
	case PACKET_VLAN:
		line_link(t, p, i);
		break;
	case PACKET_ARP:
		line_arp(t, l);
		break;
	case PACKET_IP:
	case PACKET_IP6:
		if (l->depth && l->depth > p->layer[*ip < p->count ? *ip : 0]->depth)
			text_add(t, " | ");
		*ip = i;
		if (i + 1 < p->count && p->layer[i + 1]->proto != PACKET_PAYLOAD &&
		    p->layer[i + 1]->proto != PACKET_PAD)
			break;
		line_addrs(t, p, i, i);
		line_frag(t, l);
		add_field(t, l, l->proto == PACKET_IP ? "proto" : "next", "*");
		text_f(t, ", length %zu", payload_len(p, i));
		break;
	case PACKET_IP6_FRAG:
		line_frag(t, l);
		break;
	case PACKET_LLC:
	case PACKET_IGMP:
		if (*ip < p->count)
			line_addrs(t, p, *ip, i);
		text_add(t, packet_proto_name((enum packet_proto)l->proto));
		break;
	case PACKET_ICMP:
	case PACKET_ICMP6:
	case PACKET_UDP:
	case PACKET_TCP:
		if (*ip < p->count) {
			line_addrs(t, p, *ip, i);
			line_frag(t, p->layer[*ip]);
		}
		if (l->proto == PACKET_UDP)
			text_f(t, "UDP, length %zu", payload_len(p, i));
		else if (l->proto == PACKET_TCP)
			line_tcp(t, p, i);
		else
			line_icmp(t, p, i);
		break;
	default:
		break;
	}
	if (l->checksum == PACKET_CSUM_BAD)
		text_f(t, " [bad %s checksum]", packet_proto_name((enum packet_proto)l->proto));
	if (l->reason)
		text_f(t, " [%s: %s]", packet_proto_name((enum packet_proto)l->proto), l->reason);
}

char *packet_line(const struct packet *p)
{
	struct text t = { 0 };
	size_t ip = p->count;

	for (size_t i = 0; i < p->count; i++)
		line_layer(&t, p, i, &ip);
	if (!t.len)
		text_f(&t, "%zu bytes", p->len);
	if (p->len < p->wire_len)
		text_f(&t, " [cut: %zu of %zu bytes]", p->len, p->wire_len);
	return text_take(&t);
}

static void text_layer(struct text *t, const struct packet_layer *l)
{
	const struct packet_field *fields = packet_fields((enum packet_proto)l->proto);

	for (unsigned int i = 0; i < l->depth; i++)
		text_add(t, "  ");
	text_add(t, packet_proto_name((enum packet_proto)l->proto));
	for (int i = 0; fields[i].name; i++) {
		const struct packet_value *v = &l->value[i];
		char *s;

		if (!v->type || fields[i].view)
			continue;
		if ((v->type == PACKET_V_BYTES || v->type == PACKET_V_OPTIONS) && !v->len &&
		    l->proto != PACKET_PAYLOAD)
			continue;
		s = packet_value_text(l, &fields[i], v);
		text_f(t, " %s=%s", fields[i].name, s);
		free(s);
		if (v->type == PACKET_V_BYTES)
			text_f(t, " (%zu bytes)", v->len);
		if (l->checksum > PACKET_CSUM_GOOD && !strcmp(fields[i].name, "checksum"))
			text_f(t, " (%s)",
			       packet_checksum_name((enum packet_checksum_status)l->checksum));
	}
	if (l->cut)
		text_add(t, " [cut]");
	if (l->reason)
		text_f(t, " [%s]", l->reason);
	text_add(t, "\n");
}

char *packet_text(const struct packet *p)
{
	struct text t = { 0 };

	for (size_t i = 0; i < p->count; i++)
		text_layer(&t, p->layer[i]);
	return text_take(&t);
}
