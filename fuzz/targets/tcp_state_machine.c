/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: TCP's states, driven by segments that are given relative to where the host stands,
 * by socket calls and by time.
 *
 * Input: seed, topology, host, then records. Topology: bits 0, 1: CPUs and queues; 2..3: the peer's
 * window scale none, 2, 7, 14; 4: it offers time stamps; 5: SACK; 6: calls block until they are
 * given up; 7: urgent data out of line. Host: bits 0..1: SYN cookies never, on overflow, always;
 * 2: no time stamps; 3: no SACK; 4: no scaling; 5: small buffers; 6: a full accept queue resets;
 * 7: RFC 1337. A record is an op byte (modulo 16) and its arguments:
 *
 *   - 0..3 SEG conn base dseq16 dack8 flags8 win8 opt8 len8: a segment of connection `conn`.
 * `base`: bits 0..1: sequence number from RCV.NXT, the peer's SND.NXT, the window's right edge, the
 * ISS; 2..3: acknowledgement from the host's SND.NXT, its highest acknowledged, its ISS, 0; 4: not
 * delivered alone but with the next; 5: damaged after the checksum; 6: dseq in units of 65536; 7:
 * length times 8
 *   - 4 DATA conn len: the peer's next bytes, all acknowledged
 *   - 5 ACK conn win: all acknowledged
 *   - 6 FIN conn: the peer's end, in order
 *   - 7 RST conn: exactly at RCV.NXT
 *   - 8 ESTABLISH conn: listen and SYN, or connect; the handshake; accept
 *   - 9 CALL nr slot arg: a socket call on one of the descriptors
 *   - 10 ADV code: time passes, 2^(code mod 32) us
 *   - 11 TIMER code: to the next event, 1 ns before it, 1 ns on
 *   - 12 SYN conn opt win: a new SYN of the peer at its ISS
 *   - 13 LOSS conn skip len: data with a hole of `skip` before it
 *   - 14 SACK conn n {start len}: an acknowledgement of what was, with blocks above it
 *   - 15 CHECK: everything is checked
 *
 * Connections 0..3 are from the peer's ports 1000.. to the host's port 80, 4..7 between the peer's
 * 2000.. and the host's 5000... Every payload byte is a function of connection and sequence number
 * (peer) or place in the stream (host).
 *
 * Oracles, besides those of all targets: what applications read is the peer's stream without gap
 * or repetition; what the host sends is what applications wrote, again and again the same, never
 * beyond what they wrote or the peer's window, no data after FIN, FIN only where writing ended;
 * acknowledgements name only what was sent; the announced right edge stays; no RST for a RST;
 * once all descriptors are closed and the peer is silent, nothing is left.
 */
#include "fuzz_world.h"

#include <stdio.h>
#include <string.h>

#include "stack/errno.h"
#include "stack/nic.h"
#include "stack/socket.h"
#include "stack/tcp.h"

#define OPS_MAX	    256u
#define CONNS	    8u
#define SLOTS	    8u
#define ISNS	    8u
#define SENT_MAX    600u
#define SEND_MAX    4096u
#define COOKIE_MSS  4u /* values of the MSS that a cookie tells apart */
#define STATE_CLOSE 7u /* TCP_CLOSE, the first byte of TCP_INFO */
#define DELIVERY_NS 10000u /* there and back */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct range {
	u32 seq, end;
};

struct conn {
	u16 sport, dport; /* the peer's, the host's */
	u32 iss; /* the peer's first sequence number */
	u32 nxt; /* the peer's SND.NXT: behind the last that it sent on purpose */
	/* Learnt from the host. */
	u32 rcv_nxt, snd_nxt, isn, acked, ts_recent, edge;
	bool ts_seen, open; /* open: it has answered with a SYN */
	u8 wscale; /* of the windows that it announces */
	bool edge_known, fin_seen, urgent;
	u32 fin_off;
	u32 peer_edge; /* highest sequence number that the peer has allowed */
	u32 written, limit; /* bytes by the application; with those of a call under way */
	u32 isns[ISNS], isn_count;
	u32 syn[ISNS], syn_count; /* the peer's SYNs, where its stream may begin */
	u32 rsts; /* sent by the host */
	struct range sent[SENT_MAX];
	u32 sent_count;
};

struct slot {
	s32 fd; /* -1: free */
	bool listener;
	s32 conn; /* -1: none */
	u32 read, written, candidates;
	bool loose; /* what is read can not be compared */
};

struct scenario {
	struct conn c[CONNS];
	struct slot s[SLOTS];
	u8 topology, host;
	u8 peer_ws;
	bool held; /* frames are under way that were not waited for */
};

static const u8 window_scales[4] = { 0, 2, 7, 14 };

static bool has_cookies(const struct scenario *sc)
{
	return (sc->host & 3) == 1 || (sc->host & 3) == 2;
}

/*
 * A cookie's acknowledgement makes a connection again after the first has ended; its window need
 * not reach as far as the first one's did.
 */
static void may_have_ended(const struct scenario *sc, struct conn *c)
{
	if (has_cookies(sc))
		c->edge_known = false;
}

/* ---- streams ---- */

static u8 peer_byte(u32 conn, u32 seq)
{
	u32 x = (seq ^ conn << 28) * 2654435761u;

	return (u8)(x >> 24 ^ x >> 13);
}

static u8 host_byte(u32 conn, u32 off)
{
	u32 x = (off + 1 + (conn << 24)) * 2246822519u;

	return (u8)(x >> 24 ^ x >> 11);
}

static u32 get32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void put32(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 24);
	p[1] = (u8)(v >> 16);
	p[2] = (u8)(v >> 8);
	p[3] = (u8)v;
}

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static bool seq_le(u32 a, u32 b)
{
	return b - a < 1u << 31;
}

/* ---- what the host sends ---- */

struct seen {
	u32 seq, ack, win, len;
	u8 flags;
	const u8 *payload;
	s32 wscale; /* -1: no such option */
	bool ts;
	u32 ts_val;
};

/* The codec has found the frame well-formed. */
static void parse_options(struct seen *s, const u8 *p, u32 len)
{
	u32 i = 0;

	s->wscale = -1;
	while (i < len && p[i] != 0) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		FUZZ_CHECK(i + 1 < len && p[i + 1] >= 2 && i + p[i + 1] <= len,
			   "a TCP option of a wrong length was sent");
		if (p[i] == 3)
			s->wscale = p[i + 2];
		if (p[i] == 8) {
			s->ts = true;
			s->ts_val = get32(p + i + 2);
		}
		i += p[i + 1];
	}
}

/* A SYN or SYN-ACK of the host: where its stream begins. */
static void saw_syn(struct scenario *sc, struct conn *c, const struct seen *s)
{
	if (!c->open || c->isn != s->seq) {
		/* With cookies several may stand at once. */
		if ((sc->host & 3) == 0)
			c->isn_count = 0;
		c->isns[c->isn_count++ % ISNS] = s->seq;
		c->fin_seen = false;
		c->peer_edge = s->seq + 1;
		c->acked = s->seq;
		c->snd_nxt = s->seq + 1;
		c->rsts = 0;
	}
	c->open = true;
	c->isn = s->seq;
	c->edge_known = false;
	c->wscale = s->wscale > 0 && ((s->flags & ACK) || sc->peer_ws) ? (u8)s->wscale : 0;
	if (c->wscale > 14)
		fuzz_fail("a window scale above 14");
}

static bool is_place(const struct conn *c, u32 conn, const struct seen *s, u32 isn)
{
	u32 off = s->seq - isn - 1;

	if (off > c->limit || s->len > c->limit - off)
		return false;
	for (u32 i = 0; i < s->len; i++)
		if (s->payload[i] != host_byte(conn, off + i))
			return false;
	return true;
}

static void saw_data(struct conn *c, u32 conn, const struct seen *s)
{
	u32 n = c->isn_count < ISNS ? c->isn_count : ISNS, isn = c->isn;
	bool found = c->isn_count > ISNS; /* forgotten ones */

	for (u32 i = 0; i < n && !found; i++) {
		isn = c->isns[i];
		found = is_place(c, conn, s, isn);
	}
	FUZZ_CHECK(found, "data was sent that was not written there");
	FUZZ_CHECK(n > 1 || seq_le(s->seq + s->len, c->peer_edge),
		   "data was sent beyond the peer's window");
	FUZZ_CHECK(n > 1 || !c->fin_seen || s->seq + s->len - isn - 1 <= c->fin_off,
		   "data was sent behind FIN");
}

static void saw_fin(struct conn *c, const struct seen *s)
{
	u32 off = s->seq + s->len - c->isn - 1;

	if (c->isn_count != 1)
		return;
	FUZZ_CHECK(off == c->written, "FIN is not where writing ended");
	FUZZ_CHECK(!c->fin_seen || off == c->fin_off, "FIN moved");
	c->fin_seen = true;
	c->fin_off = off;
}

static void saw_ack(struct conn *c, const struct seen *s)
{
	u32 edge = s->ack + (s->flags & SYN ? s->win : s->win << c->wscale);
	bool found = false;

	for (u32 i = c->sent_count; i-- > 0 && !found;)
		found = s->ack - c->sent[i].seq <= c->sent[i].end - c->sent[i].seq;
	FUZZ_CHECK(found, "something was acknowledged that was not sent");
	if (s->flags & RST)
		return;
	/* Linux gives the window up when it has no memory at all (RFC 9293 3.8.6 allows it). */
	if (c->edge_known && s->win && !(s->flags & SYN) && c->isn_count == 1) {
		/* Time-wait and request sockets round down to the unit. */
		FUZZ_CHECK(seq_le(c->edge, edge + (1u << c->wscale) - 1),
			   "the window's right edge went back");
	}
	if (!c->edge_known || !s->win || seq_le(c->edge, edge))
		c->edge = edge;
	c->edge_known = true;
	c->rcv_nxt = s->ack;
}

static void on_tx(struct fuzz_world *f, const u8 *frame, u32 len)
{
	struct scenario *sc = f->ctx;
	const u8 *ip = frame + 14, *th;
	struct seen s = { 0 };
	struct conn *c = NULL;
	u32 conn, total, doff;

	if (len < 54 || frame[12] != 8 || frame[13] || ip[9] != IPPROTO_TCP || (ip[6] & 0x3f) ||
	    ip[7])
		return;
	total = (u32)ip[2] << 8 | ip[3];
	th = ip + (ip[0] & 15) * 4;
	for (conn = 0; conn < CONNS && !c; conn++)
		if (sc->c[conn].sport == ((u32)th[2] << 8 | th[3]) &&
		    sc->c[conn].dport == ((u32)th[0] << 8 | th[1]))
			c = &sc->c[conn];
	if (!c)
		fprintf(stderr, "from %u to %u\n", (u32)th[0] << 8 | th[1],
			(u32)th[2] << 8 | th[3]);
	if (!c)
		fuzz_fail("a segment was sent to nobody");
	conn--;
	doff = (th[12] >> 4) * 4u;
	s.seq = get32(th + 4);
	s.ack = get32(th + 8);
	s.flags = th[13];
	s.win = (u32)th[14] << 8 | th[15];
	s.payload = th + doff;
	s.len = total - (ip[0] & 15u) * 4 - doff;
	parse_options(&s, th + 20, doff - 20);
	FUZZ_CHECK((s.flags & (SYN | FIN)) != (SYN | FIN) &&
			   (s.flags & (RST | FIN)) != (RST | FIN) &&
			   (s.flags & (RST | SYN)) != (RST | SYN),
		   "flags that go not together were sent");
	if (s.ts) {
		c->ts_recent = s.ts_val;
		c->ts_seen = true;
	}
	if (s.flags & SYN)
		saw_syn(sc, c, &s);
	if (s.flags & RST) {
		FUZZ_CHECK(!s.len, "RST with data was sent");
		c->rsts++;
		may_have_ended(sc, c);
	}
	if (s.flags & ACK)
		saw_ack(c, &s);
	else
		FUZZ_CHECK(s.flags & (SYN | RST), "a segment without ACK was sent");
	if (s.len && !(s.flags & SYN))
		saw_data(c, conn, &s);
	if (s.flags & FIN)
		saw_fin(c, &s);
	if (!(s.flags & RST)) {
		u32 end = s.seq + s.len + ((s.flags & (SYN | FIN)) != 0);

		if (seq_le(c->snd_nxt, end))
			c->snd_nxt = end;
	}
}

/* ---- what the peer sends ---- */

struct segment {
	u32 seq, ack, win, len;
	u8 flags;
	u8 opts[40];
	u32 opts_len;
	bool damaged, held;
};

static void run(struct fuzz_world *f, u64 ns)
{
	FUZZ_CHECK(world_run(f->w, world_now(f->w) + ns) == WORLD_TIME, "a storm of events");
}

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

static void send_segment(struct fuzz_world *f, u32 conn, struct segment *g)
{
	struct scenario *sc = f->ctx;
	struct conn *c = &sc->c[conn];
	u8 frame[14 + 20 + 60 + 1480];
	u8 *ip = frame + 14, *th = ip + 20;
	u32 doff = 20 + (g->opts_len + 3) / 4 * 4, tcp_len, before = c->rsts, sum;
	u64 then = world_now(f->w);

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
	memcpy(th + 20, g->opts, g->opts_len);
	for (u32 i = 0; i < g->len; i++)
		th[doff + i] = peer_byte(conn, g->seq + i);
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

static void opt(struct segment *g, const u8 *bytes, u32 len)
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
	opt(g, b, sizeof(b));
}

static const u16 mss_table[8] = { 1460, 48, 88, 536, 0, 65535, 1, 1000 };
static const u32 delta_table[8] = {
	0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 5000, 0xffff0000, 100
};

/* What a peer of this input's kind puts into a segment; `preset` deviates from it. */
static void add_options(struct fuzz_world *f, struct conn *c, struct segment *g, u8 preset,
			struct fuzz_input *in)
{
	struct scenario *sc = f->ctx;
	u32 what = preset & 7, v = preset >> 3 & 7;

	if (g->flags & SYN) {
		u8 mss[4] = { 2, 4 }, ws[4] = { 1, 3, 3, sc->peer_ws };

		put16(mss + 2, mss_table[what == 2 ? v : 0]);
		if (what != 1)
			opt(g, mss, 4);
		if (sc->peer_ws)
			opt(g, ws, 4);
		if (sc->topology & 32 && what != 1)
			opt(g, (const u8 *)"\x01\x01\x04\x02", 4);
	}
	if (what == 6) {
		size_t got;
		const u8 *raw = fuzz_bytes(in, v * 4, &got);

		/* Scaling is this input's for all, so that the oracle knows it. */
		for (size_t i = 0; i < got; i++)
			if (raw[i] == 3 && g->flags & SYN)
				return;
		opt(g, raw, (u32)got);
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
		opt(g, b, sizeof(b));
	}
	if (what == 7)
		opt(g, (const u8 *)"\xfe\x04\xf9\x89\x22\x02\x01\x01", 8);
}

static u32 window(u8 code)
{
	/* 0 is a wide one: an input of zeros is a polite peer. */
	static const u16 table[8] = { 65535, 0, 1, 100, 1460, 8192, 32768, 512 };

	return code < 192 ? table[code % 8] : (code - 192) * 64u;
}

static struct segment plain(struct conn *c, u8 flags)
{
	return (struct segment){
		.seq = c->rcv_nxt, .ack = c->snd_nxt, .win = 65535, .flags = flags
	};
}

static void op_seg(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario *sc = f->ctx;
	u32 conn = fuzz_u8(in) % CONNS, dseq;
	struct conn *c = &sc->c[conn];
	u8 base = fuzz_u8(in), preset, len8;
	struct segment g = { 0 };

	dseq = fuzz_u16(in);
	g.ack = (u32)(s32)(s8)fuzz_u8(in);
	g.flags = fuzz_u8(in);
	g.win = window(fuzz_u8(in));
	preset = fuzz_u8(in);
	len8 = fuzz_u8(in);
	dseq = base & 64 ? dseq << 16 : (u32)(s32)(s16)dseq;
	g.seq = dseq + (base % 4 == 0 ? c->rcv_nxt :
			base % 4 == 1 ? c->nxt :
			base % 4 == 2 ? c->edge :
					c->iss);
	switch (base >> 2 & 3) {
	case 0:
		g.ack += c->snd_nxt;
		break;
	case 1:
		g.ack += c->acked;
		break;
	case 2:
		g.ack += c->isn;
		break;
	default:
		break;
	}
	g.held = base & 16;
	g.damaged = base & 32;
	g.len = base & 128 ? len8 * 8u : len8;
	add_options(f, c, &g, preset, in);
	send_segment(f, conn, &g);
}

static void op_plain(struct fuzz_world *f, struct fuzz_input *in, u8 what)
{
	struct scenario *sc = f->ctx;
	u32 conn = fuzz_u8(in) % CONNS;
	struct conn *c = &sc->c[conn];
	struct segment g = plain(c, ACK);

	if (what == 4) {
		g.len = fuzz_u8(in) * 8u;
		g.flags |= PSH;
	} else if (what == 5) {
		g.win = window(fuzz_u8(in));
	} else if (what == 6) {
		g.seq = c->nxt;
		g.flags |= FIN;
	} else if (what == 7) {
		g.flags = RST;
	} else {
		g.seq += fuzz_u8(in) * 8u;
		g.len = fuzz_u8(in) * 8u;
	}
	add_options(f, c, &g, 0, in);
	send_segment(f, conn, &g);
}

static void op_sack(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario *sc = f->ctx;
	u32 conn = fuzz_u8(in) % CONNS, n = fuzz_u8(in) % 4 + 1;
	struct conn *c = &sc->c[conn];
	struct segment g = plain(c, ACK);
	u8 b[36] = { 1, 1, 5 };

	g.ack = c->acked;
	add_options(f, c, &g, 0, in);
	while (g.opts_len + 4 + 8 * n > 40)
		n--;
	b[3] = (u8)(2 + 8 * n);
	for (u32 i = 0; i < n; i++) {
		u32 start = c->acked + fuzz_u8(in) * 90u;

		put32(b + 4 + 8 * i, start);
		put32(b + 8 + 8 * i, start + fuzz_u8(in) * 90u);
	}
	opt(&g, b, 4 + 8 * n);
	send_segment(f, conn, &g);
}

static void peer_syn(struct fuzz_world *f, u32 conn, u8 flags, u8 preset, u32 win,
		     struct fuzz_input *in)
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

/* ---- socket calls ---- */

static struct slot *free_slot(struct scenario *sc)
{
	for (u32 i = 0; i < SLOTS; i++)
		if (sc->s[i].fd < 0)
			return &sc->s[i];
	return NULL;
}

static s64 call(struct fuzz_world *f, s32 fd, u32 nr, u64 arg)
{
	struct sys_op op = { .nr = nr, .fd = fd };

	op.arg[0] = arg;
	return fuzz_call(f, &op);
}

static s64 call_addr(struct fuzz_world *f, s32 fd, u32 nr, u16 family, const char *addr, u16 port)
{
	struct sys_op op = { .nr = nr, .fd = fd, .has_addr = true };

	op.addr.family = family;
	op.addr.port = port;
	memcpy(op.addr.addr, addr, 4);
	return fuzz_call(f, &op);
}

static void set_option(struct fuzz_world *f, s32 fd, u32 level, u32 name, u32 a, u32 b, u32 len)
{
	struct sys_op op = { .nr = SYS_SETSOCKOPT, .fd = fd };
	u8 v[8];

	for (u32 i = 0; i < 4; i++) {
		v[i] = (u8)(a >> 8 * i);
		v[4 + i] = (u8)(b >> 8 * i);
	}
	op.arg[0] = level;
	op.arg[1] = name;
	op.data = v;
	op.data_len = len;
	(void)fuzz_call(f, &op);
}

static struct slot *new_socket(struct fuzz_world *f, s32 conn)
{
	struct scenario *sc = f->ctx;
	struct slot *s = free_slot(sc);
	struct sys_op op = { .nr = SYS_SOCKET, .fd = -1 };
	s64 fd;

	if (!s)
		return NULL;
	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_STREAM | (sc->topology & 64 ? 0u : SOCK_NONBLOCK);
	fd = fuzz_call(f, &op);
	FUZZ_CHECK(fd >= 0, "no socket");
	*s = (struct slot){ .fd = (s32)fd, .conn = conn };
	set_option(f, s->fd, SOL_SOCKET, SO_REUSEADDR, 1, 0, 4);
	if (!(sc->topology & 128))
		set_option(f, s->fd, SOL_SOCKET, SO_OOBINLINE, 1, 0, 4);
	return s;
}

static void do_close(struct fuzz_world *f, struct slot *s)
{
	(void)call(f, s->fd, SYS_CLOSE, 0);
	s->fd = -1;
	run(f, DELIVERY_NS);
}

static void do_listen(struct fuzz_world *f, u32 backlog)
{
	struct scenario *sc = f->ctx;
	struct slot *s;

	for (u32 i = 0; i < SLOTS; i++) {
		if (sc->s[i].fd >= 0 && sc->s[i].listener) {
			(void)call(f, sc->s[i].fd, SYS_LISTEN, backlog);
			return;
		}
	}
	s = new_socket(f, -1);
	if (!s)
		return;
	s->listener = true;
	(void)call_addr(f, s->fd, SYS_BIND, AF_INET, FUZZ_HOST_ADDR, 80);
	(void)call(f, s->fd, SYS_LISTEN, backlog);
}

static void begin_stream(struct scenario *sc, struct slot *s, u32 conn)
{
	struct conn *c = &sc->c[conn];

	s->conn = (s32)conn;
	s->read = 0;
	s->written = 0;
	s->candidates = ~0u;
	c->written = 0;
	c->limit = 0;
}

static void do_connect(struct fuzz_world *f, struct slot *s, u32 conn)
{
	struct scenario *sc = f->ctx;
	struct conn *c = &sc->c[conn];
	s64 r;

	if (!s) {
		s = new_socket(f, (s32)conn);
		if (!s)
			return;
		if (call_addr(f, s->fd, SYS_BIND, AF_INET, FUZZ_HOST_ADDR, c->dport)) {
			do_close(f, s);
			return;
		}
	} else if (s->listener || s->conn != (s32)conn) {
		return;
	}
	r = call_addr(f, s->fd, SYS_CONNECT, AF_INET, FUZZ_PEER_ADDR, c->sport);
	if (r == -EINPROGRESS || r == -EINTR) /* 0: it was connected before */
		begin_stream(sc, s, conn);
	run(f, DELIVERY_NS);
}

static void do_accept(struct fuzz_world *f, struct slot *l)
{
	struct scenario *sc = f->ctx;
	struct slot *s = free_slot(sc);
	struct sys_op op = { .nr = SYS_ACCEPT, .fd = l->fd };
	s64 fd;

	if (!s)
		return;
	op.arg[0] = sc->topology & 64 ? 0 : SOCK_NONBLOCK;
	fd = fuzz_call(f, &op);
	if (fd < 0)
		return;
	for (u32 i = 0; i < CONNS; i++) {
		if (op.addr.port != sc->c[i].sport)
			continue;
		*s = (struct slot){ .fd = (s32)fd };
		begin_stream(sc, s, i);
		return;
	}
	fuzz_fail("a connection of nobody was accepted");
}

static void do_send(struct fuzz_world *f, struct slot *s, u32 len, u32 flags)
{
	struct scenario *sc = f->ctx;
	static u8 bytes[SEND_MAX];
	struct sys_op op = { .nr = SYS_SENDMSG, .fd = s->fd };
	struct conn *c;
	s64 r;

	if (s->conn < 0)
		return;
	c = &sc->c[s->conn];
	for (u32 i = 0; i < len; i++)
		bytes[i] = host_byte((u32)s->conn, s->written + i);
	op.arg[0] = flags | MSG_NOSIGNAL;
	op.data = bytes;
	op.data_len = len;
	if (s->written + len > c->limit)
		c->limit = s->written + len;
	r = fuzz_call(f, &op);
	FUZZ_CHECK(r <= (s64)len, "more was sent than was given");
	if (r > 0) {
		s->written += (u32)r;
		c->written = s->written;
		f->own_frames += 64 + (u32)r / 2;
	}
	run(f, DELIVERY_NS);
	c->limit = c->written;
}

/* Which of the peer's SYNs began the stream shows in its bytes. */
static void check_read(struct scenario *sc, struct slot *s, const u8 *bytes, u32 len)
{
	struct conn *c = &sc->c[s->conn];
	u32 n = c->syn_count < ISNS ? c->syn_count : ISNS, good = 0;

	if (c->syn_count > ISNS || (c->urgent && sc->topology & 128))
		s->loose = true;
	if (s->loose)
		return;
	for (u32 k = 0; k < n; k++) {
		bool same = s->candidates >> k & 1;

		for (u32 i = 0; i < len && same; i++)
			same = bytes[i] == peer_byte((u32)s->conn, c->syn[k] + s->read + i);
		good |= (u32)same << k;
	}
	FUZZ_CHECK(good, "what was read is not what the peer sent there");
	s->candidates = good;
}

static void do_recv(struct fuzz_world *f, struct slot *s, u32 len, u32 flags)
{
	struct scenario *sc = f->ctx;
	static u8 bytes[65536];
	struct sys_op op = { .nr = SYS_RECVMSG, .fd = s->fd };
	s64 r;

	op.arg[0] = flags;
	op.data = bytes;
	op.data_len = len;
	r = fuzz_call(f, &op);
	FUZZ_CHECK(r <= (s64)len, "more was read than there is room for");
	if (r <= 0 || s->conn < 0 || flags & MSG_OOB)
		return;
	if (!(flags & MSG_TRUNC))
		check_read(sc, s, bytes, (u32)r);
	if (!(flags & MSG_PEEK))
		s->read += (u32)r;
}

static const struct {
	u16 level, name;
	u32 a, b, len;
} options[] = {
	{ SOL_TCP, TCP_NODELAY, 1, 0, 4 },
	{ SOL_TCP, TCP_NODELAY, 0, 0, 4 },
	{ SOL_TCP, TCP_CORK, 1, 0, 4 },
	{ SOL_TCP, TCP_CORK, 0, 0, 4 },
	{ SOL_TCP, TCP_MAXSEG, 88, 0, 4 },
	{ SOL_TCP, TCP_MAXSEG, 536, 0, 4 },
	{ SOL_TCP, TCP_KEEPIDLE, 1, 0, 4 },
	{ SOL_TCP, TCP_KEEPINTVL, 1, 0, 4 },
	{ SOL_TCP, TCP_KEEPCNT, 2, 0, 4 },
	{ SOL_SOCKET, SO_KEEPALIVE, 1, 0, 4 },
	{ SOL_SOCKET, SO_KEEPALIVE, 0, 0, 4 },
	{ SOL_TCP, TCP_SYNCNT, 1, 0, 4 },
	{ SOL_TCP, TCP_LINGER2, 1, 0, 4 },
	{ SOL_TCP, TCP_LINGER2, 0xffffffff, 0, 4 },
	{ SOL_TCP, TCP_DEFER_ACCEPT, 3, 0, 4 },
	{ SOL_TCP, TCP_WINDOW_CLAMP, 1000, 0, 4 },
	{ SOL_TCP, TCP_QUICKACK, 1, 0, 4 },
	{ SOL_TCP, TCP_QUICKACK, 0, 0, 4 },
	{ SOL_TCP, TCP_USER_TIMEOUT, 3000, 0, 4 },
	{ SOL_TCP, TCP_NOTSENT_LOWAT, 100, 0, 4 },
	{ SOL_SOCKET, SO_RCVBUF, 1, 0, 4 },
	{ SOL_SOCKET, SO_RCVBUF, 20000, 0, 4 },
	{ SOL_SOCKET, SO_SNDBUF, 1, 0, 4 },
	{ SOL_SOCKET, SO_LINGER, 1, 0, 8 },
	{ SOL_SOCKET, SO_LINGER, 1, 2, 8 },
	{ SOL_SOCKET, SO_LINGER, 0, 0, 8 },
	{ SOL_SOCKET, SO_RCVLOWAT, 1000, 0, 4 },
	{ SOL_SOCKET, SO_RCVLOWAT, 100000, 0, 4 },
	{ SOL_TCP, TCP_RTO_MAX_MS, 2000, 0, 4 },
	{ SOL_TCP, TCP_TIMESTAMP, 77, 0, 4 },
};
#define OPTIONS (u32)(sizeof(options) / sizeof(options[0]))

static const u16 send_sizes[8] = { 1, 10, 100, 536, 1000, 1448, 3000, SEND_MAX };
static const u32 recv_sizes[8] = { 65536, 1, 10, 100, 1000, 1448, 5000, 0 };

static void look(struct fuzz_world *f, struct slot *s, u8 arg)
{
	u8 info[TCP_INFO_SIZE];
	struct sys_op op = { .nr = SYS_GETSOCKOPT, .fd = s->fd };
	struct sys_pollfd p = { .fd = s->fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };
	s64 r;

	switch (arg % 4) {
	case 0:
		op.arg[0] = SOL_TCP;
		op.arg[1] = TCP_INFO;
		op.data = info;
		op.data_len = sizeof(info);
		FUZZ_CHECK(fuzz_call(f, &op) >= 0, "TCP_INFO was refused");
		break;
	case 1:
		op = (struct sys_op){ .nr = SYS_POLL, .fd = -1 };
		op.data = (u8 *)&p;
		op.data_len = sizeof(p);
		FUZZ_CHECK(fuzz_call(f, &op) >= 0, "poll was refused");
		break;
	case 2:
		r = call(f, s->fd, SYS_IOCTL, SIOCINQ);
		FUZZ_CHECK(r <= 1 << 28, "more is there to read than can be");
		break;
	default:
		r = call(f, s->fd, SYS_IOCTL, SIOCOUTQ);
		/* As with Linux a disconnected one counts from its old place. */
		op.arg[0] = SOL_TCP;
		op.arg[1] = TCP_INFO;
		op.data = info;
		op.data_len = sizeof(info);
		FUZZ_CHECK(fuzz_call(f, &op) >= 0, "TCP_INFO was refused");
		FUZZ_CHECK(info[0] == STATE_CLOSE || r <= (s64)s->written + 1,
			   "more is unacknowledged than was written");
		break;
	}
}

static void op_call(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario *sc = f->ctx;
	static const u16 backlogs[4] = { 8, 0, 1, 4096 };
	u8 nr = fuzz_u8(in) % 16, at = fuzz_u8(in) % SLOTS, arg = fuzz_u8(in);
	struct slot *s = &sc->s[at];

	if (nr == 0) {
		do_listen(f, backlogs[arg % 4]);
		return;
	}
	if (nr == 1) {
		do_connect(f, NULL, 4 + arg % 4);
		return;
	}
	if (s->fd < 0)
		return;
	switch (nr) {
	case 2:
		do_accept(f, s);
		break;
	case 3:
	case 4:
		do_send(f, s, send_sizes[arg % 8], arg & 8 ? MSG_MORE : arg & 16 ? MSG_OOB : 0);
		break;
	case 5:
	case 6:
		do_recv(f, s, recv_sizes[arg % 8],
			(arg & 8 ? MSG_PEEK : 0) | (arg & 16 ? MSG_TRUNC : 0) |
				(arg & 32 ? MSG_WAITALL : 0) | ((arg & 192) == 192 ? MSG_OOB : 0));
		break;
	case 7:
		(void)call(f, s->fd, SYS_SHUTDOWN, arg % 3);
		run(f, DELIVERY_NS);
		break;
	case 8:
		do_close(f, s);
		break;
	case 9:
	case 10:
		set_option(f, s->fd, options[arg % OPTIONS].level, options[arg % OPTIONS].name,
			   options[arg % OPTIONS].a, options[arg % OPTIONS].b,
			   options[arg % OPTIONS].len);
		run(f, DELIVERY_NS);
		break;
	case 11:
		(void)call_addr(f, s->fd, SYS_CONNECT, AF_UNSPEC, "\0\0\0", 0);
		if (!s->listener && s->conn >= 0)
			s->loose = true; /* what a new connection will bring begins anew */
		run(f, DELIVERY_NS);
		break;
	case 12:
		if (s->conn >= 4) {
			s->loose = true;
			do_connect(f, s, (u32)s->conn);
		}
		break;
	default:
		look(f, s, arg);
		break;
	}
}

static void op_establish(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario *sc = f->ctx;
	u32 conn = fuzz_u8(in) % CONNS;
	struct conn *c = &sc->c[conn];
	struct segment g;

	if (conn >= 4) {
		do_connect(f, NULL, conn);
		peer_syn(f, conn, SYN | ACK, 0, 65535, in);
		return;
	}
	do_listen(f, 8);
	peer_syn(f, conn, SYN, 0, 65535, in);
	g = plain(c, ACK);
	add_options(f, c, &g, 0, in);
	send_segment(f, conn, &g);
	for (u32 i = 0; i < SLOTS; i++) {
		if (sc->s[i].fd >= 0 && sc->s[i].listener && !(sc->topology & 64)) {
			do_accept(f, &sc->s[i]);
			break;
		}
	}
}

/* ---- the whole ---- */

static void op_timer(struct fuzz_world *f, u8 code)
{
	u64 next = world_next_event(f->w), now = world_now(f->w);

	if (code % 4 == 2 || next == TIME_NEVER || next <= now)
		next = now + 1;
	else if (code % 4 == 1)
		next--;
	if (next - now > 3600 * NSEC_PER_SEC)
		next = now + 3600 * NSEC_PER_SEC;
	run(f, next - now);
}

static void configure(struct fuzz_world *f, u8 host)
{
	static const char *const digits[3] = { "0", "1", "2" };

	if ((host & 3) != 1)
		(void)fuzz_sysctl(f, "net.ipv4.tcp_syncookies", digits[host % 4 % 3]);
	if (host & 4)
		(void)fuzz_sysctl(f, "net.ipv4.tcp_timestamps", "0");
	if (host & 8)
		(void)fuzz_sysctl(f, "net.ipv4.tcp_sack", "0");
	if (host & 16)
		(void)fuzz_sysctl(f, "net.ipv4.tcp_window_scaling", "0");
	if (host & 32) {
		(void)fuzz_sysctl(f, "net.ipv4.tcp_rmem_default", "4096");
		(void)fuzz_sysctl(f, "net.ipv4.tcp_wmem_default", "4096");
	}
	if (host & 64)
		(void)fuzz_sysctl(f, "net.ipv4.tcp_abort_on_overflow", "1");
	if (host & 128)
		(void)fuzz_sysctl(f, "net.ipv4.tcp_rfc1337", "1");
}

static void one_op(struct fuzz_world *f, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in) % 16, preset;
	u32 conn;

	switch (what) {
	case 0:
	case 1:
	case 2:
	case 3:
		op_seg(f, in);
		break;
	case 8:
		op_establish(f, in);
		break;
	case 9:
		op_call(f, in);
		break;
	case 10:
		fuzz_advance(f, fuzz_u8(in));
		f->own_frames += 64; /* retransmissions, probes, keepalives */
		break;
	case 11:
		op_timer(f, fuzz_u8(in));
		f->own_frames += 8;
		break;
	case 12:
		conn = fuzz_u8(in) % CONNS;
		preset = fuzz_u8(in);
		peer_syn(f, conn, SYN, preset, window(fuzz_u8(in)), in);
		break;
	case 14:
		op_sack(f, in);
		break;
	case 15:
		world_check(f->w, 1);
		break;
	default:
		op_plain(f, in, what);
		break;
	}
}

static void scenario(struct fuzz_world *f, struct fuzz_input *in)
{
	static struct scenario sc;
	struct world_memory before, after;

	for (u32 i = 0; i < CONNS; i++) {
		struct conn *c = &sc.c[i];

		/* All but what lies behind sent_count. */
		memset(c, 0, offsetof(struct conn, sent));
		c->sent_count = 0;
		c->sport = (u16)(i < 4 ? 1000 + i : 2000 + i);
		c->dport = (u16)(i < 4 ? 80 : 5000 + i);
		c->iss = i % 2 ? 0xfffffe00u + i : 100000u * (i + 1);
		c->rcv_nxt = c->iss;
		c->nxt = c->iss;
	}
	for (u32 i = 0; i < SLOTS; i++)
		sc.s[i] = (struct slot){ .fd = -1, .conn = -1 };
	sc.topology = fuzz_u8(in);
	sc.host = fuzz_u8(in);
	sc.peer_ws = window_scales[sc.topology >> 2 & 3];
	sc.held = false;
	f->ctx = &sc;
	f->on_tx = on_tx;
	fuzz_boot(f, 1 + (sc.topology & 1), 1 + (sc.topology >> 1 & 1));
	configure(f, sc.host);
	world_memory(f->w, &before);
	for (u32 n = 0; n < OPS_MAX && fuzz_more(in); n++) {
		one_op(f, in);
		world_check(f->w, n % 8 == 7);
	}
	run(f, DELIVERY_NS);
	world_check(f->w, 1);
	for (u32 i = 0; i < SLOTS; i++)
		if (sc.s[i].fd >= 0)
			do_close(f, &sc.s[i]);
	/* No connection outlives its last try to reach a silent peer. */
	f->own_frames += 2048;
	run(f, 3 * 3600 * NSEC_PER_SEC);
	world_memory(f->w, &after);
	if (after.objects > before.objects + 16)
		fprintf(stderr, "%llu objects, at first %llu\n", (unsigned long long)after.objects,
			(unsigned long long)before.objects);
	FUZZ_CHECK(after.objects <= before.objects + 16, "closed connections are still there");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(data, size, scenario);
	return 0;
}
