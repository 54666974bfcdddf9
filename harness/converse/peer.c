/* SPDX-License-Identifier: MIT */
/*
 * The peer of a played conversation. What it sends are the segments of the capture, in their order
 * and at their times; its own sequence numbers are the capture's. What refers to the host is
 * rebased: acknowledgement numbers, SACK blocks and echoed time stamps are of what this host chose
 * and sent. It is a TCP besides, as far as a TCP has to answer for what the capture can not know:
 * it acknowledges what the capture's side had acknowledged as soon as the host has sent it, and
 * what comes a second time; it sends again what the host does not acknowledge within a second.
 */
#include "converse/packet.h"
#include "converse/play.h"

#include <string.h>

#define SECOND_NS   1000000000ull
#define CHUNK	    1400u
#define SPLIT	    32768u /* a segment before offload cut it up may not fit into a packet */
#define IN_FLIGHT   32768u
#define TALK_MAX    100000u /* segments besides a few for each of the capture's */
#define BACKOFF_MAX 5u

/* ---- what the sides negotiated ---- */

static const struct cv_segment *syn_of(const struct conversation *c, u32 side)
{
	const struct cv_stream *s = &c->stream[side];

	return s->has_syn ? &c->segment[s->syn] : NULL;
}

/* Without its SYN: what its other segments show. */
static bool ever(const struct conversation *c, u32 side, bool ts)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];

		if (ts ? g->side == side && g->has_ts : g->sack_count > 0)
			return true;
	}
	return false;
}

/* What the peer's SYN offers: what the capture's two sides had agreed on. */
static void offer(const struct cv_play *p, struct cv_tcp *t)
{
	const struct cv_segment *own = syn_of(p->c, p->peer_side);
	const struct cv_segment *other = syn_of(p->c, !p->peer_side);

	t->wscale = CV_NO_WSCALE;
	if (!own) {
		t->has_mss = true;
		t->mss = cv_is_v6(p->c) ? 1440 : 1460;
		t->has_ts = ever(p->c, p->peer_side, true);
		t->sack_permitted = ever(p->c, p->peer_side, false);
		return;
	}
	t->has_mss = own->has_mss;
	t->mss = own->mss;
	if (!other || other->wscale != CV_NO_WSCALE)
		t->wscale = own->wscale;
	t->sack_permitted = own->sack_permitted && (!other || other->sack_permitted);
	t->has_ts = own->has_ts && (!other || other->has_ts);
	t->flags = (u16)(own->flags & ~(CV_ACK | CV_FIN | CV_RST | CV_PSH | CV_URG));
	t->tos = own->tos;
	t->win = own->win;
	t->ts_val = own->ts_val;
}

u32 cv_opener(const struct conversation *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];

		if ((g->flags & (CV_SYN | CV_ACK | CV_RST)) == CV_SYN)
			return g->side;
		if ((g->flags & (CV_SYN | CV_ACK | CV_RST)) == (CV_SYN | CV_ACK))
			return !g->side;
	}
	return CV_CLIENT;
}

/* ---- sending ---- */

/* What the host has sent, as far as it came: bytes, and its FIN. */
static u64 arrived(const struct cv_peer *e)
{
	return e->got.len + e->got.end;
}

static u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static void transmit(struct cv_play *p, struct cv_tcp *t)
{
	u8 packet[CV_PACKET_MAX];
	struct op op = { .kind = OP_FRAME,
			 .u.frame = { .wire = p->wire, .end = 1, .flags = 4 /* no delay */ } };

	t->v6 = cv_is_v6(p->c);
	t->sport = p->c->end[p->peer_side].port;
	t->dport = p->c->end[!p->peer_side].port;
	if (p->peer.sent++ > 8 * p->c->count + TALK_MAX)
		return;
	op.u.frame.bytes = (struct op_bytes){ packet, cv_packet_write(packet, t) };
	if (p->tap)
		p->tap(p->tap_ctx, p->sut->ops->now(p->sut) + p->offset, false, packet,
		       op.u.frame.bytes.len);
	(void)p->sut->ops->apply(p->sut, &op);
}

static void send_syn(struct cv_play *p, u16 flags)
{
	const struct cv_segment *own = syn_of(p->c, p->peer_side);
	struct cv_peer *e = &p->peer;
	struct cv_tcp t = { .win = 65535 };

	offer(p, &t);
	if (!own || !t.win)
		t.win = 65535;
	t.flags = (u16)((t.flags & ~(CV_SYN | CV_ACK)) | flags);
	t.seq = e->isn;
	if (flags & CV_ACK) {
		/* An answer takes only what was offered. */
		t.ack = e->host_isn + 1;
		t.has_ts = t.has_ts && e->ts;
		t.ts_ecr = t.has_ts ? e->ts_recent : 0;
		t.sack_permitted = t.sack_permitted && e->sack;
		if (e->host_wscale == CV_NO_WSCALE)
			t.wscale = CV_NO_WSCALE;
		e->ts = t.has_ts;
		e->wscale = t.wscale;
	} else if (own && own->len) {
		t.payload = own->payload;
		t.len = own->len < CHUNK ? own->len : CHUNK;
	}
	e->ts_val = t.ts_val;
	transmit(p, &t);
}

/* Blocks of what the host has sent; of others it could not know what they mean. */
static void rebase_sack(const struct cv_play *p, const struct cv_segment *g, struct cv_tcp *t)
{
	const struct cv_stream *s = cv_host_stream(p);
	u32 shift = p->peer.host_isn - s->isn;

	for (u32 i = 0; i < g->sack_count; i++) {
		u64 near = p->peer.got.len;
		s64 end = (s64)near + cv_seq_diff(g->sack[2 * i + 1], s->isn + 1 + (u32)near);
		s64 from = end - (s32)(g->sack[2 * i + 1] - g->sack[2 * i]);

		if (end > (s64)arrived(&p->peer) || from < 0 || from >= end)
			continue;
		t->sack[2 * t->sack_count] = g->sack[2 * i] + shift;
		t->sack[2 * t->sack_count + 1] = g->sack[2 * i + 1] + shift;
		t->sack_count++;
	}
}

void cv_send(struct cv_play *p, const struct cv_out *s)
{
	struct cv_peer *e = &p->peer;
	u64 ack = min_u64(e->said, arrived(e)), end = s->off + s->len + (s->flags & CV_FIN ? 1 : 0);
	u32 scale = e->wscale == CV_NO_WSCALE ? 0 : e->wscale;
	u32 win = (e->win + (1u << scale) - 1) >> scale;
	struct cv_tcp t = { .seq = e->isn + 1 + (u32)s->off,
			    .len = s->len,
			    .payload = s->payload,
			    .flags = (u16)(s->flags | CV_ACK),
			    .urg = s->urg,
			    .tos = s->tos,
			    .win = (u16)(win < 65535 ? win : 65535),
			    .wscale = CV_NO_WSCALE,
			    .has_ts = e->ts };

	if (e->ts && s->like && s->like->has_ts && cv_seq_diff(s->like->ts_val, e->ts_val) > 0)
		e->ts_val = s->like->ts_val;
	t.ts_val = e->ts && s->like && s->like->has_ts ? s->like->ts_val : e->ts_val;
	t.ts_ecr = e->ts_recent;
	if (s->like && e->sack && ack >= e->acked)
		rebase_sack(p, s->like, &t);
	if (ack > e->acked)
		e->acked = ack;
	t.ack = e->host_isn + 1 + (u32)e->acked;
	if ((s64)end > (s64)e->nxt)
		e->nxt = end;
	if ((s->len || s->flags & CV_FIN) && e->timer == TIME_NEVER)
		e->timer = p->sut->ops->now(p->sut) + SECOND_NS;
	transmit(p, &t);
}

static void send_ack(struct cv_play *p)
{
	cv_send(p, &(struct cv_out){ .off = p->peer.nxt });
}

/* ---- sending again ---- */

/* How much of its stream the capture has shown to be sent by now, from `off` on: 0, or a run. */
static u32 sendable(const struct cv_play *p, u64 off)
{
	const struct cv_stream *s = cv_peer_stream(p);
	const struct cv_extent *x = cv_stream_at(s, off);

	return x->from < p->peer.now ? (u32)(x->off + x->len - off) : 0;
}

/* The next piece of what is sent again; false: there is none, or no room for it. */
static bool resend_one(struct cv_play *p, bool probe)
{
	const struct cv_stream *s = cv_peer_stream(p);
	struct cv_peer *e = &p->peer;
	struct cv_out o = { .off = e->resend, .flags = CV_PSH };
	u8 bytes[CHUNK];
	u64 n;

	if (e->resend >= e->recover || e->resend >= e->una + IN_FLIGHT)
		return false;
	if (e->resend < s->len) {
		n = min_u64(sendable(p, e->resend), min_u64(CHUNK, e->recover - e->resend));
		n = min_u64(n, e->edge > e->resend ? e->edge - e->resend : probe);
		if (!n)
			return false;
		o.len = (u32)n;
		o.payload = bytes;
		cv_stream_copy(s, e->resend, bytes, o.len);
	}
	if (s->fin && o.off + o.len == s->len && e->recover > s->len)
		o.flags |= CV_FIN;
	if (!o.len && !(o.flags & CV_FIN))
		return false;
	cv_send(p, &o);
	e->again++;
	e->resend += o.len + (o.flags & CV_FIN ? 1 : 0);
	return true;
}

static void resend_on(struct cv_play *p)
{
	if (p->peer.resend < p->peer.una)
		p->peer.resend = p->peer.una;
	while (resend_one(p, false))
		;
}

static void resend_from_una(struct cv_play *p)
{
	struct cv_peer *e = &p->peer;

	e->resend = e->una;
	e->recover = e->nxt;
	if (resend_one(p, true))
		resend_on(p);
}

void cv_peer_timer(struct cv_play *p)
{
	struct cv_peer *e = &p->peer;

	e->timer = TIME_NEVER;
	if (e->una >= e->nxt || e->reset)
		return;
	resend_from_una(p);
	if (e->resends < BACKOFF_MAX)
		e->resends++;
	e->timer = p->sut->ops->now(p->sut) + (SECOND_NS << e->resends);
}

/* ---- receiving ---- */

void cv_take(struct cv_received *r, const struct cv_stream *s, const u8 *bytes, u32 len)
{
	u8 expected[CV_BUFFER];

	sha256_update(&r->sha, len, bytes);
	while (len && !r->differs) {
		u32 n = len < CV_BUFFER ? len : CV_BUFFER;

		if (r->len + n > s->len) {
			r->differs = true;
			break;
		}
		cv_stream_copy(s, r->len, expected, n);
		r->differs = memcmp(expected, bytes, n) != 0;
		r->len += n;
		bytes += n;
		len -= n;
	}
	r->len += len;
}

/* The connection stands: what the SYN carried and was not taken goes again (RFC 7413 4.1.3). */
static void connected(struct cv_play *p)
{
	const struct cv_segment *syn = syn_of(p->c, p->peer_side);
	struct cv_peer *e = &p->peer;

	e->connected = true;
	if (!syn)
		return;
	e->now = cv_peer_stream(p)->syn + 1;
	if (syn->len && min_u64(syn->len, cv_peer_stream(p)->len) > e->nxt)
		e->nxt = min_u64(syn->len, cv_peer_stream(p)->len);
	if (e->una < e->nxt)
		resend_from_una(p);
}

static void receive_syn(struct cv_play *p, const struct cv_tcp *t)
{
	struct cv_peer *e = &p->peer;
	struct cv_tcp offered = { 0 };

	if (e->connected) {
		send_ack(p);
		return;
	}
	offer(p, &offered);
	e->heard = true;
	e->host_isn = t->seq;
	e->host_wscale = t->wscale;
	e->ts = t->has_ts && offered.has_ts;
	e->sack = t->sack_permitted && offered.sack_permitted;
	e->ts_recent = t->ts_val;
	e->wscale = t->wscale == CV_NO_WSCALE ? t->wscale : offered.wscale;
	e->edge = t->win;
	if (!(t->flags & CV_ACK)) {
		send_syn(p, CV_SYN | CV_ACK);
		return;
	}
	e->una = e->nxt = t->ack - e->isn - 1;
	send_ack(p);
	connected(p);
}

/* The host's acknowledgement and window. */
static void receive_ack(struct cv_play *p, const struct cv_tcp *t)
{
	struct cv_peer *e = &p->peer;
	s64 at = (s64)e->una + cv_seq_diff(t->ack, e->isn + 1 + (u32)e->una);
	u32 scale = e->wscale == CV_NO_WSCALE ? 0 : e->host_wscale;

	if (at < (s64)e->una || (u64)at > e->nxt)
		return;
	if (!e->connected)
		connected(p);
	e->edge = (u64)at + ((u64)t->win << scale);
	if ((u64)at == e->una)
		return;
	e->una = (u64)at;
	e->resends = 0;
	e->timer = e->una < e->nxt ? p->sut->ops->now(p->sut) + SECOND_NS : TIME_NEVER;
}

/* The host's bytes and its end. True: it has sent something before. */
static bool receive_data(struct cv_play *p, const struct cv_tcp *t)
{
	struct cv_peer *e = &p->peer;
	u64 was = arrived(e);
	s64 at = (s64)e->got.len + cv_seq_diff(t->seq, e->host_isn + 1 + (u32)e->got.len);
	u64 skip = (s64)e->got.len > at ? e->got.len - (u64)at : 0;

	if (at > (s64)arrived(e))
		return false;
	if (skip < t->len && !e->got.end)
		cv_take(&e->got, cv_host_stream(p), t->payload + skip, t->len - (u32)skip);
	if (t->flags & CV_FIN && at + t->len == (s64)e->got.len)
		e->got.end = true;
	if (t->has_ts && (t->len || t->flags & CV_FIN ? arrived(e) > was : at >= (s64)was))
		e->ts_recent = t->ts_val;
	return at < (s64)was && arrived(e) == was;
}

void cv_peer_receive(struct cv_play *p, const u8 *packet, u32 len)
{
	struct cv_peer *e = &p->peer;
	struct cv_tcp t;
	u64 before = arrived(e);
	bool again;

	if (p->tap)
		p->tap(p->tap_ctx, p->sut->ops->now(p->sut) + p->offset, true, packet, len);
	if (!cv_packet_read(&t, packet, len))
		return;
	if (t.flags & CV_RST) {
		e->reset = true;
		e->timer = TIME_NEVER;
		return;
	}
	if (t.flags & CV_SYN) {
		receive_syn(p, &t);
		return;
	}
	if (!e->heard || !(t.flags & CV_ACK))
		return;
	receive_ack(p, &t);
	again = receive_data(p, &t);
	if (again && e->said < arrived(e))
		e->said = arrived(e);
	if (again || (arrived(e) > before && e->said > e->acked))
		send_ack(p);
	if (e->resend < e->recover)
		resend_on(p);
}

/* ---- the capture's segments ---- */

void cv_peer_begin(struct cv_play *p)
{
	p->peer.isn = cv_peer_stream(p)->isn;
	p->peer.timer = TIME_NEVER;
	p->peer.wscale = CV_NO_WSCALE;
	p->peer.host_wscale = CV_NO_WSCALE;
	p->peer.win = 65535;
	sha256_init(&p->peer.got.sha);
}

void cv_peer_open(struct cv_play *p)
{
	send_syn(p, CV_SYN);
}

/* What the segment acknowledges of the host's stream, and the window that it announces. */
static void take_ack(struct cv_play *p, const struct cv_segment *g)
{
	const struct cv_segment *own = syn_of(p->c, p->peer_side);
	const struct cv_segment *other = syn_of(p->c, !p->peer_side);
	const struct cv_stream *s = cv_host_stream(p);
	struct cv_peer *e = &p->peer;
	s64 at = (s64)e->said + cv_seq_diff(g->ack, s->isn + 1 + (u32)e->said);
	bool scaled =
		own && own->wscale != CV_NO_WSCALE && (!other || other->wscale != CV_NO_WSCALE);

	if (at > (s64)e->said && at <= (s64)s->len + s->fin)
		e->said = (u64)at;
	e->win = (u32)g->win << (scaled ? own->wscale : 0);
}

/*
 * At most SPLIT bytes of a segment. A byte that the capture has twice with different contents goes
 * with the first: the peer is one TCP, whoever put the other copy into the capture. What is before
 * the stream (a keepalive's byte) goes as it is.
 */
static void send_part(struct cv_play *p, struct cv_out *o)
{
	u32 before = (s64)o->off < 0 ? (u32)(0 - o->off) : 0;
	u8 bytes[SPLIT];

	if (before > o->len)
		before = o->len;
	if (before)
		memcpy(bytes, o->payload, before);
	if (o->len)
		cv_stream_copy(cv_peer_stream(p), o->off + before, bytes + before, o->len - before);
	o->payload = bytes;
	cv_send(p, o);
}

void cv_peer_segment(struct cv_play *p, const struct cv_segment *g)
{
	const struct cv_stream *s = cv_peer_stream(p);
	struct cv_peer *e = &p->peer;
	s64 at = (s64)e->nxt + cv_seq_diff(g->seq, e->isn + 1 + (u32)e->nxt);
	struct cv_out o = { .off = (u64)at, .tos = g->tos, .like = g, .len = g->len };

	if ((g->flags & (CV_SYN | CV_RST | CV_ACK)) != CV_ACK || e->reset)
		return;
	take_ack(p, g);
	if (at + g->len > (s64)s->len + s->fin || (g->len && at + g->len > (s64)s->len)) {
		/* Outside the stream: what it acknowledges stays. */
		o.off = e->nxt;
		o.len = 0;
	}
	o.flags = (u16)(g->flags & ~(CV_FIN | CV_SYN | CV_RST));
	o.urg = g->flags & CV_URG ? g->urg : 0;
	o.payload = g->payload;
	while (o.len > SPLIT) {
		struct cv_out part = o;

		part.len = SPLIT;
		send_part(p, &part);
		o.off += SPLIT;
		o.len -= SPLIT;
		o.payload += SPLIT;
		o.urg = o.urg > SPLIT ? (u16)(o.urg - SPLIT) : 0;
	}
	if (g->flags & CV_FIN && s->fin && (s64)o.off + o.len == (s64)s->len)
		o.flags |= CV_FIN;
	send_part(p, &o);
}

void cv_peer_finish(struct cv_play *p)
{
	const struct cv_stream *s = cv_peer_stream(p);
	struct cv_peer *e = &p->peer;

	if (e->reset)
		return;
	e->now = UINT32_MAX;
	e->nxt = s->len + s->fin;
	e->said = cv_host_stream(p)->len + 1;
	if (e->win < 65535)
		e->win = 65535;
	send_ack(p);
	if (e->una < e->nxt && e->timer == TIME_NEVER)
		e->timer = p->sut->ops->now(p->sut) + SECOND_NS;
}

bool cv_peer_done(const struct cv_play *p)
{
	const struct cv_stream *own = cv_peer_stream(p), *s = cv_host_stream(p);
	const struct cv_peer *e = &p->peer;

	return e->una == own->len + own->fin && e->got.len == s->len && e->got.end == s->fin;
}

void cv_peer_reset(struct cv_play *p)
{
	if (!p->peer.reset)
		cv_send(p, &(struct cv_out){ .off = p->peer.una, .flags = CV_RST });
}
