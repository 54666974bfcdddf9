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
 *   - 9 CALL nr slot arg: a socket call on one of the descriptors; 13 is about keys
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
#include <stdio.h>
#include <string.h>

#include "tcp_scenario.h"

#define OPS_MAX 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const u8 window_scales[4] = { 0, 2, 7, 14 };

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
	add_option(&g, b, 4 + 8 * n);
	send_segment(f, conn, &g);
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
	sc.sign = 0;
	f->ctx = &sc;
	f->on_tx = saw_frame;
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
