/* SPDX-License-Identifier: MIT */
/*
 * Inbound script packets become bytes: numbers rebased, options written in order, checksums right
 * (or wrong, where the script says so), encapsulations around it, put onto the host's tun device.
 */
#include "packetdrill/bytes.h"

#include "stack/nic.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define IP4_HEADER   20
#define IP6_HEADER   40
#define TCP_HEADER   20
#define UDP_HEADER   8
#define ICMP_HEADER  8
#define MAX_PACKET   65535
#define DEFAULT_TTL  255
#define FOEXP_MAGIC  0xf989
#define ICMP_QUOTE   8 /* bytes of the TCP header that an ICMP error quotes at least */
#define ECHO_UNKNOWN 0

/* -- Options -- */

static u32 add_option(u8 *out, u32 at, u8 kind, const void *body, u32 len)
{
	if (at + 2 + len <= PD_MAX_OPTION_BYTES) {
		out[at] = kind;
		out[at + 1] = (u8)(2 + len);
		if (len)
			memcpy(out + at + 2, body, len);
	}
	return at + 2 + len;
}

static u32 add_sack(const struct pd_flow *f, const struct pd_packet *p, const struct pd_option *o,
		    u8 *out, u32 at)
{
	u8 body[4 * PD_MAX_OPTION_NUMBERS];
	u32 i;

	for (i = 0; i < o->count; i++) {
		bool out_bound = p->direction == PD_OUTBOUND;
		u32 n = out_bound ? pd_remote_to_live(f, o->num[i], p->tcp.flags & PD_TCP_SYN) :
				    pd_local_to_live(f, o->num[i], p->tcp.flags & PD_TCP_SYN);

		pd_put32(body + 4 * i, n);
	}
	return add_option(out, at, 5, body, 4u * o->count);
}

static u32 add_accecn(const struct pd_option *o, u8 *out, u32 at)
{
	u8 body[9];
	u32 i;

	for (i = 0; i < o->count && i < 3; i++) {
		body[3 * i] = (u8)(o->num[i] >> 16);
		pd_put16(body + 3 * i + 1, o->num[i]);
	}
	return add_option(out, at, o->first_e1b ? 174 : 172, body, 3 * i);
}

static u32 add_fast_open(const struct pd_option *o, u8 *out, u32 at)
{
	u8 body[PD_MAX_OPTION_BYTES] = { 0 };
	u32 magic = o->kind == PD_OPT_FASTOPEN_EXP ? 2 : 0;
	u32 len = (u32)o->data.len;

	if (len + magic > sizeof(body))
		return PD_MAX_OPTION_BYTES + 1;
	pd_put16(body, FOEXP_MAGIC);
	if (len)
		memcpy(body + magic, o->data.p, len);
	return add_option(out, at, magic ? 254 : 34, body, len + magic);
}

u32 pd_options_build(const struct pd_run *r, const struct pd_flow *f, const struct pd_packet *p,
		     u8 *out, int *ts, const struct pd_option **ts_option)
{
	u8 body[16] = { 0 };
	u32 at = 0;
	size_t i;

	*ts = -1;
	for (i = 0; i < p->tcp.options && at <= PD_MAX_OPTION_BYTES; i++) {
		const struct pd_option *o = &p->tcp.option[i];

		switch (o->kind) {
		case PD_OPT_EOL:
		case PD_OPT_NOP:
			if (at < PD_MAX_OPTION_BYTES)
				out[at] = o->kind == PD_OPT_NOP;
			at++;
			break;
		case PD_OPT_MSS:
			pd_put16(body, o->num[0]);
			at = add_option(out, at, 2, body, 2);
			break;
		case PD_OPT_WSCALE:
			body[0] = (u8)o->num[0];
			at = add_option(out, at, 3, body, 1);
			break;
		case PD_OPT_SACKOK:
			at = add_option(out, at, 4, NULL, 0);
			break;
		case PD_OPT_SACK:
			at = add_sack(f, p, o, out, at);
			break;
		case PD_OPT_TS:
			*ts = (int)at + 2;
			*ts_option = o;
			pd_put32(body, o->num[0]);
			pd_put32(body + 4, p->direction == PD_OUTBOUND ?
						   o->num[1] :
						   pd_ts_to_live(r, f, o->num[1]));
			at = add_option(out, at, 8, body, 8);
			break;
		case PD_OPT_FASTOPEN:
		case PD_OPT_FASTOPEN_EXP:
			at = add_fast_open(o, out, at);
			break;
		case PD_OPT_MD5:
			memset(body, 0, sizeof(body));
			if (o->data.len == 16)
				memcpy(body, o->data.p, 16);
			at = add_option(out, at, 19, body, 16);
			break;
		case PD_OPT_AO:
			at = add_option(out, at, 29, o->data.p, (u32)o->data.len);
			break;
		case PD_OPT_ACCECN:
			at = add_accecn(o, out, at);
			break;
		case PD_OPT_GENERIC:
			at = add_option(out, at, o->number, o->data.p, (u32)o->data.len);
			break;
		}
	}
	return at;
}

/* -- IP -- */

static u8 tos_of(const struct pd_ip_marks *m)
{
	static const u8 ecn[] = {
		[PD_ECN_ECT0] = 2, [PD_ECN_ECT1] = 1, [PD_ECN_ECT01] = 2, [PD_ECN_CE] = 3
	};

	return (u8)((m->has_tos ? m->tos & 0xfc : 0) |
		    (m->ecn != PD_ECN_UNSPECIFIED ? (m->ecn < ARRAY_SIZE(ecn) ? ecn[m->ecn] : 0) :
		     m->has_tos			  ? m->tos & 3 :
						    0));
}

u32 pd_ip_put(u8 *p, const struct pd_address *src, const struct pd_address *dst, u8 proto,
	      const struct pd_ip_marks *m, u32 len)
{
	u8 ttl = m->has_ttl ? m->ttl : DEFAULT_TTL;

	if (src->v6) {
		pd_put32(p,
			 6u << 28 | (u32)tos_of(m) << 20 | (m->has_flow_label ? m->flow_label : 0));
		pd_put16(p + 4, len);
		p[6] = proto;
		p[7] = ttl;
		memcpy(p + 8, src->bytes, 16);
		memcpy(p + 24, dst->bytes, 16);
		return IP6_HEADER;
	}
	memset(p, 0, IP4_HEADER);
	p[0] = 0x45;
	p[1] = tos_of(m);
	pd_put16(p + 2, IP4_HEADER + len);
	p[8] = ttl;
	p[9] = proto;
	memcpy(p + 12, src->bytes, 4);
	memcpy(p + 16, dst->bytes, 4);
	pd_put16(p + 10, packet_checksum(p, IP4_HEADER));
	return IP4_HEADER;
}

/* The checksum over pseudo header and segment. */
static u16 l4_checksum(const struct pd_address *src, const struct pd_address *dst, u8 proto,
		       const u8 *segment, u32 len)
{
	u32 size = src->v6 ? 16 : 4;
	u8 *sum = xrealloc(NULL, 2 * size + 8 + len);
	u16 result;

	memcpy(sum, src->bytes, size);
	memcpy(sum + size, dst->bytes, size);
	pd_put32(sum + 2 * size, len);
	pd_put32(sum + 2 * size + 4, proto);
	memcpy(sum + 2 * size + 8, segment, len);
	result = packet_checksum(sum, 2 * size + 8 + len);
	free(sum);
	return result;
}

/* -- TCP -- */

static u16 header_flags(const struct pd_tcp *t)
{
	u16 flags = t->flags;

	if (t->ace >= 0)
		flags = (u16)(flags | (u16)t->ace << 6);
	return flags;
}

/* Writes header, options and payload; returns the length, 0 when it failed. */
static u32 put_tcp(struct pd_run *r, const struct pd_event *e, const struct pd_flow *f, u8 *p)
{
	const struct pd_packet *packet = &e->packet;
	const struct pd_tcp *t = &packet->tcp;
	const struct pd_option *ts_option;
	u8 options[PD_MAX_OPTION_BYTES] = { 0 };
	u32 len, i;
	int ts;

	len = pd_options_build(r, f, packet, options, &ts, &ts_option);
	if (len > PD_MAX_OPTION_BYTES || len % 4) {
		pd_fail(r, e, NULL, NULL,
			"the TCP options are %" PRIu32 " bytes, not a multiple of 4 "
			"up to 40",
			len);
		return 0;
	}
	pd_put16(p, f->remote_port);
	pd_put16(p + 2, f->local_port);
	pd_put32(p + 4, pd_remote_to_live(f, t->seq, t->flags & PD_TCP_SYN));
	pd_put32(p + 8, t->has_ack ? pd_local_to_live(f, t->ack, t->flags & PD_TCP_SYN) : 0);
	pd_put16(p + 12, (TCP_HEADER + len) / 4 << 12 | (header_flags(t) & 0x1ff));
	pd_put16(p + 14, t->win);
	pd_put16(p + 16, 0);
	pd_put16(p + 18, t->has_urg ? t->urg : 0);
	memcpy(p + TCP_HEADER, options, len);
	for (i = 0; i < t->len; i++)
		p[TCP_HEADER + len + i] = (u8)(t->seq + i);
	return TCP_HEADER + len + t->len;
}

static u32 put_udp(const struct pd_flow *f, const struct pd_packet *p, u8 *out)
{
	pd_put16(out, f->remote_port);
	pd_put16(out + 2, f->local_port);
	pd_put16(out + 4, UDP_HEADER + p->udp_len);
	pd_put16(out + 6, 0);
	memset(out + UDP_HEADER, 0, p->udp_len);
	return UDP_HEADER + p->udp_len;
}

/* -- ICMP -- */

/* An error quotes the packet that the host has sent: header and the first bytes of what follows. */
static u32 put_icmp_error(const struct pd_run *r, const struct pd_flow *f,
			  const struct pd_packet *p, u8 *out)
{
	const struct pd_icmp *c = &p->icmp;
	const struct pd_ip_marks none = { .has_ttl = true, .ttl = 64 };
	bool udp = c->echo_udp || f->protocol == IPPROTO_UDP;
	u32 header = udp ? UDP_HEADER : TCP_HEADER;
	u32 len = c->has_echo ? c->echo_len : 0;
	u32 quote = r->settings->local.v6 ? header : ICMP_QUOTE;
	u32 ip;
	u8 *l4;

	memset(out, 0, ICMP_HEADER);
	out[0] = c->type;
	out[1] = c->code;
	if (c->has_mtu)
		pd_put32(out + 4, c->mtu);
	ip = pd_ip_put(out + ICMP_HEADER, &r->settings->local, &r->settings->remote,
		       udp ? IPPROTO_UDP : IPPROTO_TCP, &none, header + len);
	l4 = out + ICMP_HEADER + ip;
	memset(l4, 0, header);
	pd_put16(l4, f->local_port);
	pd_put16(l4 + 2, f->remote_port);
	if (udp)
		pd_put16(l4 + 4, UDP_HEADER + len);
	else
		pd_put32(l4 + 4,
			 pd_local_to_live(f, c->has_echo ? c->echo_seq : ECHO_UNKNOWN, false));
	return ICMP_HEADER + ip + quote;
}

static u32 put_icmp(const struct pd_run *r, const struct pd_flow *f, const struct pd_packet *p,
		    u8 *out)
{
	const struct pd_icmp *c = &p->icmp;
	bool query = c->v6 ? c->type == 128 || c->type == 129 : c->type == 8 || c->type == 0;

	if (!query)
		return put_icmp_error(r, f, p, out);
	memset(out, 0, ICMP_HEADER + c->len);
	out[0] = c->type;
	out[1] = c->code;
	pd_put16(out + 4, c->id);
	return ICMP_HEADER + c->len;
}

/* -- All of it -- */

/* The transport header and what is behind it; returns its length and sets its checksum. */
static u32 put_l4(struct pd_run *r, const struct pd_event *e, const struct pd_flow *f, u8 *out,
		  u8 *proto)
{
	const struct pd_packet *p = &e->packet;
	const struct pd_settings *s = r->settings;
	u32 len, at;
	u16 sum;

	switch (p->kind) {
	case PD_PACKET_TCP:
		*proto = IPPROTO_TCP;
		at = 16;
		len = put_tcp(r, e, f, out);
		break;
	case PD_PACKET_UDP:
		*proto = IPPROTO_UDP;
		at = 6;
		len = put_udp(f, p, out);
		break;
	default:
		*proto = s->remote.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		at = 2;
		len = put_icmp(r, f, p, out);
		break;
	}
	if (!len)
		return 0;
	sum = *proto == IPPROTO_ICMP ? packet_checksum(out, len) :
				       l4_checksum(&s->remote, &s->local, *proto, out, len);
	pd_put16(out + at, p->bad_checksum ? (u16)(sum + 1) : sum);
	return len;
}

static bool send_bytes(struct pd_run *r, const struct pd_event *e, const u8 *bytes, u32 len,
		       u64 at_ns)
{
	struct op op = { .kind = OP_FRAME };
	s64 err;

	/*
	 * What is injected comes before the timers of its instant: it starts a nanosecond before
	 * and travels so long. When the instant has begun already it goes in at once.
	 */
	if (pd_now(r) < at_ns && !pd_reach(r, at_ns - 1))
		return false;
	op.u.frame.wire = PD_WIRE;
	op.u.frame.end = PD_SCRIPT_END;
	op.u.frame.flags = pd_now(r) < at_ns ? 0 : FRAME_NO_DELAY;
	op.u.frame.bytes = (struct op_bytes){ bytes, len };
	err = r->sut->ops->apply(r->sut, &op);
	if (err < 0)
		return pd_fail(r, e, NULL, NULL, "the packet could not be injected: errno %d",
			       (int)-err);
	return pd_reach(r, at_ns);
}

bool pd_packet_bytes(struct pd_run *r, const struct pd_event *e, u8 **bytes, u32 *len,
		     struct pd_flow **flow)
{
	const struct pd_settings *s = r->settings;
	const struct pd_packet *p = &e->packet;
	const u32 head = s->remote.v6 ? IP6_HEADER : IP4_HEADER;
	u32 inner_len;
	u8 *inner;
	u8 proto = 0;

	*bytes = NULL;
	*flow = NULL;
	*len = (u32)p->raw.len;
	if (p->kind == PD_PACKET_RAW) {
		*bytes = xrealloc(NULL, p->raw.len + !p->raw.len);
		memcpy(*bytes, p->raw.p, p->raw.len);
		return true;
	}
	*flow = pd_flow_of_script(r, p);
	if (!*flow)
		return pd_fail(r, e, NULL, NULL, "no socket is there for this packet");
	if (p->tcp.len > MAX_PACKET - 100 || p->udp_len > MAX_PACKET - 100 ||
	    p->icmp.len > MAX_PACKET - 100)
		return pd_fail(r, e, NULL, NULL, "the packet is longer than 65535 bytes");
	inner = xrealloc(NULL, 2 * MAX_PACKET);
	*bytes = xrealloc(NULL, 3 * MAX_PACKET);
	*len = 0;
	inner_len = put_l4(r, e, *flow, inner + head, &proto);
	if (inner_len) {
		pd_ip_put(inner, &s->remote, &s->local, proto, &p->marks, inner_len);
		*len = pd_encap_put(r, e, *bytes, inner, head + inner_len);
	}
	free(inner);
	if (*len)
		return true;
	free(*bytes);
	return false;
}

bool pd_inject(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct pd_flow *f;
	u8 *bytes;
	u32 len;
	bool ok;

	if (!pd_packet_bytes(r, e, &bytes, &len, &f))
		return false;
	ok = send_bytes(r, e, bytes, len, at_ns);
	if (ok && f)
		pd_flow_injected(f, &e->packet);
	free(bytes);
	return ok;
}
