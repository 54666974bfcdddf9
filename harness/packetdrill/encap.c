/* SPDX-License-Identifier: MIT */
/*
 * Encapsulations of script packets: IPv4, IPv6, GRE (RFC 2784, RFC 2890) and MPLS (RFC 3032)
 * headers around a packet, written for what is injected, read off and compared for what is
 * expected. What a script leaves out is written as it has to be, and not compared.
 */
#include "packetdrill/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define IP4_HEADER 20u
#define IP6_HEADER 40u

#define PROTO_MPLS 137 /* MPLS in IP, RFC 4023 */

#define ETHERTYPE_IP   0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_MPLS 0x8847

#define GRE_CHECKSUM 0x8000
#define GRE_KEY	     0x2000
#define GRE_SEQ	     0x1000

/* Does layer i (behind the last: the packet itself) begin with an IPv6 header? */
static bool is_v6(const struct pd_run *r, const struct pd_packet *p, size_t i)
{
	struct pd_address src;

	if (i == p->layers)
		return r->settings->local.v6;
	return p->layer[i].kind == PD_LAYER_IPV6 ||
	       (p->layer[i].kind == PD_LAYER_IPV4 && pd_address_parse(p->layer[i].src.p, &src) &&
		src.v6);
}

/* The IP protocol, and the Ethernet type, of what stands behind layer i. */
static u8 proto_behind(const struct pd_run *r, const struct pd_packet *p, size_t i)
{
	if (++i < p->layers && p->layer[i].kind == PD_LAYER_GRE)
		return IPPROTO_GRE;
	if (i < p->layers && p->layer[i].kind == PD_LAYER_MPLS)
		return PROTO_MPLS;
	return is_v6(r, p, i) ? IPPROTO_IPV6 : IPPROTO_IPIP;
}

static u16 type_behind(const struct pd_run *r, const struct pd_packet *p, size_t i)
{
	if (++i < p->layers && p->layer[i].kind == PD_LAYER_MPLS)
		return ETHERTYPE_MPLS;
	return is_v6(r, p, i) ? ETHERTYPE_IPV6 : ETHERTYPE_IP;
}

static u16 gre_flags(const struct pd_layer *l)
{
	if (l->has_gre_flags)
		return l->gre_flags;
	return (u16)((l->gre_has_checksum ? GRE_CHECKSUM : 0) | (l->gre_has_key ? GRE_KEY : 0) |
		     (l->gre_has_seq ? GRE_SEQ : 0));
}

static u16 gre_proto(const struct pd_run *r, const struct pd_packet *p, size_t i)
{
	return p->layer[i].has_gre_proto ? p->layer[i].gre_proto : type_behind(r, p, i);
}

static u32 label_word(const struct pd_mpls_label *m)
{
	return m->label << 12 | (u32)(m->tc & 7) << 9 | (u32)m->bottom << 8 | m->ttl;
}

static bool addresses_of(const struct pd_layer *l, struct pd_address *src, struct pd_address *dst)
{
	return pd_address_parse(l->src.p, src) && pd_address_parse(l->dst.p, dst) &&
	       src->v6 == dst->v6;
}

/* -- Writing -- */

static u32 put_gre(const struct pd_run *r, const struct pd_packet *packet, size_t i, u8 *p)
{
	const struct pd_layer *l = &packet->layer[i];
	u32 at = 4;

	pd_put16(p, gre_flags(l));
	pd_put16(p + 2, gre_proto(r, packet, i));
	if (l->gre_has_checksum) {
		pd_put16(p + at, l->gre_checksum);
		pd_put16(p + at + 2, l->gre_offset);
		at += 4;
	}
	if (l->gre_has_key) {
		pd_put32(p + at, l->gre_key);
		at += 4;
	}
	if (l->gre_has_seq) {
		pd_put32(p + at, l->gre_seq);
		at += 4;
	}
	return at;
}

/* Layer i and all inside of it around the inner packet; returns the length, 0 when it failed. */
static u32 put_layers(struct pd_run *r, const struct pd_event *e, size_t i, u8 *out,
		      const u8 *inner, u32 inner_len)
{
	const struct pd_packet *p = &e->packet;
	const struct pd_layer *l;
	struct pd_address src, dst;
	u32 head = 0, len;
	size_t k;

	if (i == p->layers) {
		memcpy(out, inner, inner_len);
		return inner_len;
	}
	l = &p->layer[i];
	if (l->kind == PD_LAYER_GRE) {
		head = put_gre(r, p, i, out);
	} else if (l->kind == PD_LAYER_MPLS) {
		for (k = 0; k < l->labels; k++, head += 4)
			pd_put32(out + head, label_word(&l->label[k]));
	} else if (addresses_of(l, &src, &dst)) {
		head = src.v6 ? IP6_HEADER : IP4_HEADER;
	} else {
		pd_fail(r, e, NULL, NULL, "'%s' and '%s' are no two addresses of a family",
			l->src.p, l->dst.p);
		return 0;
	}
	len = put_layers(r, e, i + 1, out + head, inner, inner_len);
	if (len && (l->kind == PD_LAYER_IPV4 || l->kind == PD_LAYER_IPV6))
		pd_ip_put(out, &src, &dst, proto_behind(r, p, i), &l->marks, len);
	return len ? head + len : 0;
}

u32 pd_encap_put(struct pd_run *r, const struct pd_event *e, u8 *out, const u8 *inner, u32 len)
{
	return put_layers(r, e, 0, out, inner, len);
}

/* -- Reading -- */

struct view {
	const u8 *p;
	u32 len;
	struct strbuf *what;
};

static bool differs(struct view *v, const char *field, u32 want, u32 got)
{
	if (want == got)
		return false;
	strbuf_printf(v->what, "%s: expected 0x%" PRIx32 ", got 0x%" PRIx32, field, want, got);
	return true;
}

/* The header's bytes are used up. False: the frame ends before. */
static bool take(struct view *v, u32 len)
{
	if (v->len < len) {
		strbuf_puts(v->what, "the frame ends in an encapsulation");
		return false;
	}
	v->p += len;
	v->len -= len;
	return true;
}

static bool marks_fit(struct view *v, const struct pd_ip_marks *m, u32 tos, u32 ttl, u32 label)
{
	return !pd_tos_differs(m, tos, v->what) &&
	       !(m->has_ttl && differs(v, "outer ttl", m->ttl, ttl)) &&
	       !(m->has_flow_label && differs(v, "outer flow label", m->flow_label, label));
}

static bool take_ip(struct pd_run *r, const struct pd_packet *p, size_t i, struct view *v)
{
	const struct pd_layer *l = &p->layer[i];
	const u8 *h = v->p;
	struct pd_address src, dst;
	u32 header, size;

	if (!addresses_of(l, &src, &dst) || !v->len)
		return false;
	if (differs(v, "outer IP version", src.v6 ? 6 : 4, h[0] >> 4))
		return false;
	header = src.v6 ? IP6_HEADER : (h[0] & 15u) * 4;
	size = src.v6 ? 16 : 4;
	if (header < IP4_HEADER || !take(v, header))
		return false;
	if (differs(v, "outer IP protocol", proto_behind(r, p, i), src.v6 ? h[6] : h[9]))
		return false;
	if (memcmp(h + (src.v6 ? 8 : 12), src.bytes, size) != 0 ||
	    memcmp(h + (src.v6 ? 8 : 12) + size, dst.bytes, size) != 0) {
		strbuf_puts(v->what, "the outer addresses differ");
		return false;
	}
	if (src.v6)
		return marks_fit(v, &l->marks, pd_get32(h) >> 20 & 255, h[7],
				 pd_get32(h) & 0xfffff);
	return marks_fit(v, &l->marks, h[1], h[8], 0);
}

/* A field of GRE: there as the header's own flags say. */
static bool take_gre_field(struct view *v, const char *name, bool wanted, u32 want, u32 *got)
{
	*got = v->len >= 4 ? pd_get32(v->p) : 0;
	return take(v, 4) && !(wanted && differs(v, name, want, *got));
}

static bool take_gre(struct pd_run *r, const struct pd_packet *p, size_t i, struct view *v)
{
	const struct pd_layer *l = &p->layer[i];
	const u8 *h = v->p;
	u32 flags, got;

	if (!take(v, 4))
		return false;
	flags = pd_get16(h);
	if (differs(v, "GRE flags", gre_flags(l), flags) ||
	    differs(v, "GRE protocol", gre_proto(r, p, i), pd_get16(h + 2)))
		return false;
	if ((flags & GRE_CHECKSUM) &&
	    (!take_gre_field(v, "GRE checksum", false, 0, &got) ||
	     (l->gre_has_checksum && differs(v, "GRE checksum", l->gre_checksum, got >> 16))))
		return false;
	return !((flags & GRE_KEY) &&
		 !take_gre_field(v, "GRE key", l->gre_has_key, l->gre_key, &got)) &&
	       !((flags & GRE_SEQ) &&
		 !take_gre_field(v, "GRE sequence number", l->gre_has_seq, l->gre_seq, &got));
}

static bool take_mpls(const struct pd_layer *l, struct view *v)
{
	size_t i;

	for (i = 0; i < l->labels; i++) {
		u32 got = v->len >= 4 ? pd_get32(v->p) : 0;

		if (!take(v, 4) || differs(v, "MPLS label", label_word(&l->label[i]), got))
			return false;
	}
	return true;
}

bool pd_encap_take(struct pd_run *r, const struct pd_packet *p, const u8 *frame, u32 len,
		   u32 *inner, struct strbuf *what)
{
	struct view v = { frame, len, what };
	size_t i;

	for (i = 0; i < p->layers; i++) {
		bool ok;

		switch (p->layer[i].kind) {
		case PD_LAYER_GRE:
			ok = take_gre(r, p, i, &v);
			break;
		case PD_LAYER_MPLS:
			ok = take_mpls(&p->layer[i], &v);
			break;
		default:
			ok = take_ip(r, p, i, &v);
			break;
		}
		if (!ok)
			return false;
	}
	*inner = len - v.len;
	return true;
}
