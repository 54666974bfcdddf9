/* SPDX-License-Identifier: MIT */
/* tcp_state_machine: what the peer sends, and what the model learns from its having sent it. */
#include "tcp_scenario.h"

#include <string.h>

#include "stack/socket.h"

#define COOKIE_MSS 4u /* values of the MSS that a cookie tells apart */

static void add_place(u32 *list, u32 *count, u32 value)
{
	for (u32 i = 0; i < *count && i < ISNS; i++)
		if (list[i] == value)
			return;
	list[(*count)++ % ISNS] = value;
}

/*
 * A cookie is a sum of the peer's number, a hash and the MSS: an acknowledgement that is off by as
 * much as the sequence number is, or by as few as there are values of the MSS, names a valid one,
 * and a connection begins there.
 */
static void remember_cookie(struct scenario *sc, struct conn *c, const struct segment *g)
{
	u32 isns = c->isn_count < ISNS ? c->isn_count : ISNS;
	u32 syns = c->syn_count < ISNS ? c->syn_count : ISNS;
	bool valid = false;

	if (!has_cookies(sc))
		return;
	for (u32 i = 0; i < isns; i++)
		for (u32 k = 0; k < syns; k++)
			valid = valid ||
				g->ack - 1 - c->isns[i] - (g->seq - c->syn[k]) + COOKIE_MSS <
					2 * COOKIE_MSS;
	if (!valid)
		return;
	add_place(c->isns, &c->isn_count, g->ack - 1);
	add_place(c->syn, &c->syn_count, g->seq);
}

static void remember(struct scenario *sc, struct conn *c, const struct segment *g)
{
	u32 end = g->seq + g->len + (g->flags & SYN ? 1 : 0) + (g->flags & FIN ? 1 : 0);
	u32 edge = g->ack + (g->win << (g->flags & SYN ? 0 : sc->peer_ws));

	if (c->sent_count < SENT_MAX)
		c->sent[c->sent_count++] = (struct range){ g->seq, end };
	if (g->flags & SYN && !(g->flags & RST))
		add_place(c->syn, &c->syn_count, g->seq + 1);
	if (g->flags & ACK) {
		remember_cookie(sc, c, g);
		if (seq_le(c->peer_edge, edge) &&
		    g->ack - c->isn < c->snd_nxt - c->isn + 65536) /* else of no effect */
			c->peer_edge = edge;
		if (seq_le(c->acked, g->ack) && seq_le(g->ack, c->snd_nxt))
			c->acked = g->ack;
	}
	if (g->flags & URG)
		c->urgent = true;
	if (g->flags & RST)
		may_have_ended(sc, c);
	if (seq_le(c->nxt, end) && end - c->nxt < 1u << 20)
		c->nxt = end;
}

void send_segment(struct fuzz_world *f, u32 conn, struct segment *g)
{
	struct scenario *sc = f->ctx;
	struct conn *c = &sc->c[conn];
	u8 frame[14 + 20 + 60 + 1480];
	u8 *ip = frame + 14, *th = ip + 20;
	u32 sign = sign_room(sc), doff, tcp_len, before = c->rsts, sum;
	u64 then = world_now(f->w);

	if ((g->opts_len + 3) / 4 * 4 + sign > sizeof(g->opts))
		sign = 0;
	doff = 20 + sign + (g->opts_len + 3) / 4 * 4;
	if (g->len > 1480 - doff)
		g->len = 1480 - doff;
	tcp_len = doff + g->len;
	memset(frame, 0, 14 + 20 + 60);
	memcpy(frame, FUZZ_HOST_MAC, 6);
	memcpy(frame + 6, FUZZ_PEER_MAC, 6);
	frame[12] = 8;
	ip[0] = 0x45;
	put16(ip + 2, 20 + tcp_len);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, FUZZ_PEER_ADDR, 4);
	memcpy(ip + 16, FUZZ_HOST_ADDR, 4);
	put16(ip + 10, fuzz_csum(ip, 20, 0));
	put16(th, c->sport);
	put16(th + 2, c->dport);
	put32(th + 4, g->seq);
	put32(th + 8, g->ack);
	th[12] = (u8)(doff << 2);
	th[13] = g->flags;
	put16(th + 14, g->win);
	if (g->flags & URG)
		put16(th + 18, g->len ? g->len : 1);
	memcpy(th + 20 + sign, g->opts, g->opts_len);
	for (u32 i = 0; i < g->len; i++)
		th[doff + i] = peer_byte(conn, g->seq + i);
	if (sign) {
		if (g->flags & SYN)
			c->signed_syn = g->seq;
		sign_segment(sc, c, th, tcp_len);
	}
	sum = (u32)(u16)~fuzz_csum(ip + 12, 8, IPPROTO_TCP + tcp_len);
	put16(th + 16, fuzz_csum(th, tcp_len, sum));
	if (g->damaged)
		th[g->len ? doff : 15] ^= 0x10;
	else
		remember(sc, c, g);
	fuzz_frame(f, frame, 34 + tcp_len, 0);
	if (g->held) {
		sc->held = true;
		return;
	}
	run(f, DELIVERY_NS);
	/* Timers go at full milliseconds. */
	if (g->flags & RST && !sc->held && then / NSEC_PER_MSEC == world_now(f->w) / NSEC_PER_MSEC)
		FUZZ_CHECK(c->rsts == before, "a RST was answered by a RST");
	sc->held = false;
}

void add_option(struct segment *g, const u8 *bytes, u32 len)
{
	if (g->opts_len + len > sizeof(g->opts))
		return;
	memcpy(g->opts + g->opts_len, bytes, len);
	g->opts_len += len;
}

static void opt_timestamp(struct fuzz_world *f, struct conn *c, struct segment *g, u32 val, u32 ecr)
{
	u8 b[12] = { 1, 1, 8, 10 };

	put32(b + 4, (u32)(world_now(f->w) / NSEC_PER_MSEC) + 1000 + val);
	put32(b + 8, (g->flags & ACK ? c->ts_recent : 0) + ecr);
	add_option(g, b, sizeof(b));
}

static const u16 mss_table[8] = { 1460, 48, 88, 536, 0, 65535, 1, 1000 };
static const u32 delta_table[8] = {
	0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 5000, 0xffff0000, 100
};

/* What a peer of this input's kind puts into a segment; `preset` deviates from it. */
void add_options(struct fuzz_world *f, struct conn *c, struct segment *g, u8 preset,
		 struct fuzz_input *in)
{
	struct scenario *sc = f->ctx;
	u32 what = preset & 7, v = preset >> 3 & 7;

	if (g->flags & SYN) {
		u8 mss[4] = { 2, 4 }, ws[4] = { 1, 3, 3, sc->peer_ws };

		put16(mss + 2, mss_table[what == 2 ? v : 0]);
		if (what != 1)
			add_option(g, mss, 4);
		if (sc->peer_ws)
			add_option(g, ws, 4);
		if (sc->topology & 32 && what != 1)
			add_option(g, (const u8 *)"\x01\x01\x04\x02", 4);
	}
	if (what == 6) {
		size_t got;
		const u8 *raw = fuzz_bytes(in, v * 4, &got);

		/* Scaling is this input's for all, so that the oracle knows it. */
		for (size_t i = 0; i < got; i++)
			if (raw[i] == 3 && g->flags & SYN)
				return;
		add_option(g, raw, (u32)got);
		return;
	}
	if (what == 1)
		return;
	if (sc->topology & 16 && (c->ts_seen || g->flags & SYN))
		opt_timestamp(f, c, g, what == 3 ? delta_table[v] : 0,
			      what == 4 ? delta_table[v] : 0);
	if (what == 5) {
		u8 b[12] = { 1, 1, 5, 10 };

		put32(b + 4, c->acked + v * 536);
		put32(b + 8, c->acked + v * 536 + 1 + (preset >> 6) * 700u);
		add_option(g, b, sizeof(b));
	}
	if (what == 7)
		add_option(g, (const u8 *)"\xfe\x04\xf9\x89\x22\x02\x01\x01", 8);
}

u32 window(u8 code)
{
	/* 0 is a wide one: an input of zeros is a polite peer. */
	static const u16 table[8] = { 65535, 0, 1, 100, 1460, 8192, 32768, 512 };

	return code < 192 ? table[code % 8] : (code - 192) * 64u;
}

struct segment plain(const struct conn *c, u8 flags)
{
	return (struct segment){
		.seq = c->rcv_nxt, .ack = c->snd_nxt, .win = 65535, .flags = flags
	};
}

void peer_syn(struct fuzz_world *f, u32 conn, u8 flags, u8 preset, u32 win, struct fuzz_input *in)
{
	struct scenario *sc = f->ctx;
	struct conn *c = &sc->c[conn];
	struct segment g = { .seq = c->iss, .ack = c->snd_nxt, .win = win, .flags = flags };

	if (!(flags & ACK))
		g.ack = 0;
	c->nxt = c->iss;
	add_options(f, c, &g, preset, in);
	send_segment(f, conn, &g);
}
