/* SPDX-License-Identifier: MIT */
/*
 * A connection that stands, segment by segment at exact times: retransmission (RFC 6298), fast
 * retransmit (RFC 5681, RFC 8985), acknowledgements (RFC 9293 3.8.6.3), out-of-order data and SACK
 * (RFC 2018, 2883), windows, urgent data, closing, keepalive, challenge ACKs (RFC 5961).
 */
#include "stack/tcp.h"
#include "stack/tcp/tcp_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, tcp_world_setup, tcp_world_teardown)
#define URG	    TCPHDR_URG
#define ISN	    1000u

/* MSS 1460, SACK permitted. */
static const u8 sack_opts[8] = { 2, 4, 5, 0xb4, 1, 1, 4, 2 };
static const u8 mss_opts[4] = { 2, 4, 5, 0xb4 };
static struct peer bare;
static u8 zeros[65536];

/* An accepted connection; *host the next sequence number of the host. */
static s32 accepted(const u8 *opts, u32 opts_len, u32 *host)
{
	s32 l = t_listener(80, 5), fd;
	struct peer p = { .sport = 4000, .dport = 80, .window = 65535 };

	bare = p;
	p.opts = opts;
	p.opts_len = opts_len;
	peer_send(&p, SYN, ISN, 0, 0);
	*host = expect(SYN | ACK)->tcp.seq + 1;
	peer_send(&bare, ACK, ISN + 1, *host, 0);
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	expect_nothing();
	return fd;
}

static struct segment *expect_at(u8 flags, u64 time)
{
	struct segment *s = expect(flags);

	if (s->time != time)
		print_error("at %llu, not %llu\n", (unsigned long long)s->time,
			    (unsigned long long)time);
	assert_int_equal(s->time, time);
	return s;
}

static void expect_data(u8 flags, u32 seq, u32 len)
{
	struct segment *s = expect(flags);

	assert_int_equal(s->tcp.seq, seq);
	assert_int_equal(s->len, len);
}

/* The SACK blocks of a segment, relative to the peer's ISN. */
static u32 sacks_of(const struct segment *s, u32 blocks[4][2])
{
	for (u32 i = 0; i + 1 < s->opts_len;) {
		if (s->opts[i] == 1) {
			i++;
			continue;
		}
		if (s->opts[i] == 0)
			return 0;
		if (s->opts[i] == 5) {
			u32 n = (s->opts[i + 1] - 2u) / 8;

			for (u32 j = 0; j < n; j++) {
				blocks[j][0] = get_be32(s->opts + i + 2 + 8 * j) - ISN;
				blocks[j][1] = get_be32(s->opts + i + 6 + 8 * j) - ISN;
			}
			return n;
		}
		i += s->opts[i + 1];
	}
	return 0;
}

/* An ACK of the peer with one or two SACK blocks. */
static void peer_sack(u32 ack, u32 s1, u32 e1, u32 s2, u32 e2)
{
	struct peer p = bare;
	u8 o[20] = { 1, 1, 5, s2 != e2 ? 18 : 10 };

	put_be32(o + 4, s1);
	put_be32(o + 8, e1);
	put_be32(o + 12, s2);
	put_be32(o + 16, e2);
	p.opts = o;
	p.opts_len = s2 != e2 ? 20 : 12;
	peer_send(&p, ACK, ISN + 1, ack, 0);
}

/* ---- retransmission ---- */

static void rto_doubles(void **state)
{
	static const u64 at[] = { 0, 200, 600, 1400, 3000, 6200, 12600 };
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);
	u64 start = world_now(w);

	(void)state;
	assert_int_equal(t_send(fd, zeros, 100), 100);
	run_for(13 * SEC);
	for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
		struct segment *s = expect_at(PSH | ACK, start + at[i] * MS);

		assert_int_equal(s->tcp.seq, h);
		assert_int_equal(s->len, 100);
	}
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPTimeouts"), 6);
	assert_int_equal(counter("TcpRetransSegs"), 6);
	peer_send(&bare, ACK, ISN + 1, h + 100, 0);
	run_for(100 * SEC);
	expect_nothing();
}

/* R2 (RFC 9293 3.8.3): given up at the first timeout that lies 924.6 s (tcp_retries2 of 15) behind
 * the first retransmission. */
static void gives_up(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);
	u64 start = world_now(w);
	u8 b[1];

	(void)state;
	t_send(fd, zeros, 100);
	run_for(2000 * SEC);
	assert_int_equal(t_recv(fd, b, 1), -ETIMEDOUT);
	assert_int_equal(counter("TcpExtTCPAbortOnTimeout"), 1);
	assert_true(seen[seen_count - 1].time < start + 930 * SEC);
	assert_int_equal(seen_count - seen_read, 17);
	seen_read = seen_count;
}

/* Karn (RFC 6298 3): the ACK of a retransmission is no sample, the back-off stays. */
static void karn(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	t_send(fd, zeros, 100);
	run_for(300 * MS);
	seen_read = seen_count;
	peer_send(&bare, ACK, ISN + 1, h + 100, 0);
	t_send(fd, zeros, 50);
	expect_at(PSH | ACK, world_now(w));
	run_for(399 * MS);
	expect_nothing();
	run_for(1 * MS);
	expect_data(PSH | ACK, h + 100, 50);
}

static void three_duplicates(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	t_send(fd, zeros, 10 * 1460);
	/* Two super-segments: half of cwnd is the most for one. */
	for (u32 i = 0; i < 10; i++)
		expect_data(i % 5 == 4 ? PSH | ACK : ACK, h + i * 1460, 1460);
	for (u32 i = 0; i < 2; i++) {
		peer_send(&bare, ACK, ISN + 1, h, 0);
		expect_nothing();
	}
	peer_send(&bare, ACK, ISN + 1, h, 0);
	expect_data(ACK, h, 1460);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPRenoRecovery"), 1);
	assert_int_equal(counter("TcpExtTCPFastRetrans"), 1);
	for (u32 i = 0; i < 5; i++) {
		peer_send(&bare, ACK, ISN + 1, h, 0);
		expect_nothing();
	}
	/* A partial ACK: the next hole at once (RFC 6582 3.2). */
	peer_send(&bare, ACK, ISN + 1, h + 2 * 1460, 0);
	expect_data(ACK, h + 2 * 1460, 1460);
	peer_send(&bare, ACK, ISN + 1, h + 10 * 1460, 0);
	run_for(10 * SEC);
	expect_nothing();
}

static void sack_recovery(void **state)
{
	u32 h;
	s32 fd = accepted(sack_opts, 8, &h);

	(void)state;
	t_send(fd, zeros, 10 * 1460);
	seen_read = seen_count;
	run_for(1 * MS);
	/* 2 and 5 are missing. */
	peer_sack(h + 1460, h + 2 * 1460, h + 4 * 1460, 0, 0);
	peer_sack(h + 1460, h + 2 * 1460, h + 4 * 1460, h + 5 * 1460, h + 7 * 1460);
	expect_data(ACK, h + 1460, 1460);
	assert_int_equal(counter("TcpExtTCPSackRecovery"), 1);
	peer_sack(h + 1460, h + 2 * 1460, h + 4 * 1460, h + 5 * 1460, h + 10 * 1460);
	expect_data(ACK, h + 4 * 1460, 1460);
	expect_nothing();
	peer_send(&bare, ACK, ISN + 1, h + 10 * 1460, 0);
	run_for(10 * SEC);
	expect_nothing();
	assert_int_equal(counter("TcpRetransSegs"), 2);
	assert_int_equal(counter("TcpExtTCPTimeouts"), 0);
}

/* The last segment is lost: a probe after two RTTs brings the SACK that tells (RFC 8985 7). */
static void tail_loss_probe(void **state)
{
	u32 h;
	s32 fd = accepted(sack_opts, 8, &h);
	u64 start;

	(void)state;
	/* An RTT of 10 ms first. */
	t_send(fd, zeros, 1460);
	run_for(10 * MS);
	peer_send(&bare, ACK, ISN + 1, h + 1460, 0);
	h += 1460;
	seen_read = seen_count;
	start = world_now(w);
	t_send(fd, zeros, 4 * 1460);
	seen_read = seen_count;
	run_for(10 * MS);
	peer_send(&bare, ACK, ISN + 1, h + 2 * 1460, 0);
	run_for(100 * MS);
	expect_data(PSH | ACK, h + 3 * 1460, 1460);
	assert_true(seen[seen_read - 1].time < start + 60 * MS);
	assert_int_equal(counter("TcpExtTCPLossProbes"), 1);
	assert_int_equal(counter("TcpExtTCPTimeouts"), 0);
	/* The probe arrives, the one before it not: recovery, no timeout. */
	peer_sack(h + 2 * 1460, h + 3 * 1460, h + 4 * 1460, 0, 0);
	run_for(20 * MS);
	expect_data(ACK, h + 2 * 1460, 1460);
	peer_send(&bare, ACK, ISN + 1, h + 4 * 1460, 0);
	run_for(10 * SEC);
	expect_nothing();
}

/* ---- acknowledging ---- */

static void delayed_ack(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);
	u64 start;

	(void)state;
	(void)fd;
	assert_int_equal(t_setopt(fd, SOL_TCP, TCP_QUICKACK, 0), 0);
	start = world_now(w);
	peer_send(&bare, ACK, ISN + 1, h, 536);
	expect_nothing();
	run_for(1 * SEC);
	expect_at(ACK, start + 40 * MS);
	assert_int_equal(counter("TcpExtDelayedACKs"), 1);
}

/* RFC 5681 4.2: an ACK for at least every second full-sized segment. */
static void every_second(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	for (u32 i = 0; i < 40; i++)
		peer_send(&bare, ACK, ISN + 1 + i * 1460, h, 1460);
	assert_true(seen_count - seen_read >= 20);
	seen_read = seen_count;
	(void)fd;
}

static void out_of_order(void **state)
{
	u32 blocks[4][2], h;
	s32 fd = accepted(sack_opts, 8, &h);
	struct segment *s;

	(void)state;
	set_sysctl("net.ipv4.tcp_comp_sack_nr", "0"); /* an ACK for each */
	peer_send(&bare, ACK, ISN + 101, h, 100);
	s = expect(ACK);
	assert_int_equal(s->tcp.ack_seq, ISN + 1);
	assert_int_equal(sacks_of(s, blocks), 1);
	assert_int_equal(blocks[0][0], 101);
	assert_int_equal(blocks[0][1], 201);
	peer_send(&bare, ACK, ISN + 301, h, 100);
	s = expect(ACK);
	assert_int_equal(sacks_of(s, blocks), 2);
	assert_int_equal(blocks[0][0], 301); /* the newest first (RFC 2018 4) */
	assert_int_equal(blocks[1][0], 101);
	peer_send(&bare, ACK, ISN + 201, h, 100);
	s = expect(ACK);
	assert_int_equal(sacks_of(s, blocks), 1);
	assert_int_equal(blocks[0][0], 101);
	assert_int_equal(blocks[0][1], 401);
	/* A duplicate above: D-SACK (RFC 2883 4.1.2). */
	peer_send(&bare, ACK, ISN + 201, h, 100);
	s = expect(ACK);
	assert_int_equal(sacks_of(s, blocks), 2);
	assert_int_equal(blocks[0][0], 201);
	assert_int_equal(blocks[0][1], 301);
	assert_int_equal(blocks[1][0], 101);
	peer_send(&bare, ACK, ISN + 1, h, 100);
	s = expect(ACK);
	assert_int_equal(s->tcp.ack_seq, ISN + 401);
	assert_int_equal(sacks_of(s, blocks), 0);
	assert_int_equal(t_recv(fd, zeros, sizeof(zeros)), 400);
	memset(zeros, 0, sizeof(zeros));
	/* And one below. */
	peer_send(&bare, ACK, ISN + 101, h, 100);
	s = expect(ACK);
	assert_int_equal(sacks_of(s, blocks), 1);
	assert_int_equal(blocks[0][0], 101);
	assert_int_equal(blocks[0][1], 201);
}

/* Random overlapping segments against an array of what came. */
static void ofo_model(void **state)
{
	static bool have[8000];
	u32 h, rnd = 12345, next = 0, blocks[4][2];
	s32 fd = accepted(sack_opts, 8, &h);

	(void)state;
	memset(have, 0, sizeof(have));
	for (u32 step = 0; step < 600; step++) {
		u32 at, len, n;

		rnd = rnd * 1664525u + 1013904223u;
		at = (rnd >> 8) % 7000;
		len = 1 + (rnd >> 24) * 3 % 900;
		if (step % 20 == 19)
			at = next;
		at = at < 7000 ? at : 7000;
		seen_count = 0;
		seen_read = 0;
		peer_send(&bare, ACK, ISN + 1 + at, h, len);
		for (u32 i = 0; i < len && at + i < 8000; i++)
			have[at + i] = true;
		while (next < 8000 && have[next])
			next++;
		run_for(50 * MS);
		assert_true(seen_count > 0);
		assert_int_equal(seen[seen_count - 1].tcp.ack_seq, ISN + 1 + next);
		n = sacks_of(&seen[seen_count - 1], blocks);
		for (u32 j = 0; j < n; j++)
			for (u32 b = blocks[j][0]; b < blocks[j][1]; b++)
				assert_true(have[b - 1]);
	}
	assert_int_equal(t_recv(fd, zeros, sizeof(zeros)), (s64)next);
	memset(zeros, 0, sizeof(zeros));
	seen_read = seen_count;
}

/* ---- windows ---- */

static void sender_keeps_window(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	peer_send(&bare, ACK, ISN + 1, h, 1);
	bare.window = 3000;
	peer_send(&bare, ACK, ISN + 2, h, 0);
	seen_read = seen_count;
	assert_int_equal(t_send(fd, zeros, 5000), 5000);
	expect_data(ACK, h, 1460);
	expect_data(ACK, h + 1460, 1460);
	/* Nothing else is under way: a super-segment goes up to the window's edge. */
	expect_data(PSH | ACK, h + 2920, 80);
	expect_nothing();
	bare.window = 0;
	peer_send(&bare, ACK, ISN + 2, h + 3000, 0);
	/* Probes: one byte below, intervals doubled (RFC 9293 3.8.6.1). */
	run_for(1500 * MS);
	expect_data(ACK, h + 2999, 0);
	expect_data(ACK, h + 2999, 0);
	expect_data(ACK, h + 2999, 0);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPWinProbe"), 3);
	bare.window = 10000;
	peer_send(&bare, ACK, ISN + 2, h + 3000, 0);
	expect_data(ACK, h + 3000, 1460);
	expect_data(PSH | ACK, h + 4460, 540);
	peer_send(&bare, ACK, ISN + 2, h + 5000, 0);
}

static void receiver_closes_window(void **state)
{
	u32 h, seq = ISN + 1, edge = 0;
	s32 fd = accepted(mss_opts, 4, &h);
	u8 *buf = malloc(1u << 20);

	(void)state;
	assert_non_null(buf);
	for (u32 i = 0; i < 400; i++) {
		struct segment *s;

		peer_send(&bare, ACK, seq, h, 1460);
		run_for(50 * MS);
		s = &seen[seen_count - 1];
		/* The right edge never retreats. */
		assert_true((s32)(s->tcp.ack_seq + s->tcp.window - edge) >= 0 || !edge);
		edge = s->tcp.ack_seq + s->tcp.window;
		seen_read = seen_count;
		seen_count = 0;
		seen_read = 0;
		seq = s->tcp.ack_seq;
		if (s->tcp.window < 1460)
			break;
	}
	assert_true(edge - seq < 1460);
	/* Reading opens it again, with an update at once. */
	seen_count = 0;
	assert_true(t_recv(fd, buf, 1u << 20) > 40000);
	assert_true(seen_count >= 1);
	assert_true(seen[seen_count - 1].tcp.window > 2920);
	seen_read = seen_count;
	free(buf);
}

/* Nagle (RFC 9293 3.7.4), TCP_NODELAY, TCP_CORK. */
static void nagle(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	t_send(fd, zeros, 10);
	expect_data(PSH | ACK, h, 10);
	t_send(fd, zeros, 20);
	t_send(fd, zeros, 30);
	expect_nothing();
	peer_send(&bare, ACK, ISN + 1, h + 10, 0);
	expect_data(PSH | ACK, h + 10, 50);
	t_send(fd, zeros, 5);
	expect_nothing();
	assert_int_equal(t_setopt(fd, SOL_TCP, TCP_NODELAY, 1), 0);
	expect_data(PSH | ACK, h + 60, 5);
	t_send(fd, zeros, 5);
	expect_data(PSH | ACK, h + 65, 5);
	assert_int_equal(t_setopt(fd, SOL_TCP, TCP_CORK, 1), 0);
	t_send(fd, zeros, 1470);
	peer_send(&bare, ACK, ISN + 1, h + 70, 0);
	expect_data(ACK, h + 70, 1460);
	expect_nothing();
	assert_int_equal(t_setopt(fd, SOL_TCP, TCP_CORK, 0), 0);
	expect_data(PSH | ACK, h + 1530, 10);
	peer_send(&bare, ACK, ISN + 1, h + 1540, 0);
}

/* ---- urgent data ---- */

static void urgent(void **state)
{
	struct sys_op op;
	u8 buf[64];
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	op = call_of(SYS_SENDMSG, fd);
	op.arg[0] = MSG_OOB;
	op.data = zeros;
	op.data_len = 3;
	assert_int_equal(finish(&op), 3);
	assert_int_equal(expect(PSH | ACK | URG)->tcp.urg_ptr, 3);
	peer_send(&bare, ACK, ISN + 1, h + 3, 0);

	/* From the peer: ten bytes, the last of them urgent. The pointer of peer_send() is 0, which
	 * says the byte before: none that counts. So a frame by hand. */
	{
		u8 frame[200], *th = frame + 34;
		struct tcp_hdr t = { .source = 4000,
				     .dest = 80,
				     .seq = ISN + 1,
				     .ack_seq = h + 3,
				     .doff = 20,
				     .flags = ACK | PSH | URG,
				     .window = 65535,
				     .urg_ptr = 10 };

		tcp_build(th, &t);
		memcpy(th + 20, "abcdefghi!klm", 13);
		store_be16(th + 16,
			   csum_fold(csum_partial(th, 33,
						  csum_tcpudp_nofold(load_be32(peer_ip),
								     load_be32(host_ip), 33,
								     IPPROTO_TCP, 0))));
		inject(frame, ip_frame(frame, IPPROTO_TCP, 33));
	}
	assert_int_equal(t_recv(fd, buf, 64), 9);
	assert_memory_equal(buf, "abcdefghi", 9);
	op = call_of(SYS_IOCTL, fd);
	op.arg[0] = SIOCATMARK;
	assert_int_equal(finish(&op), 1);
	op = call_of(SYS_RECVMSG, fd);
	op.arg[0] = MSG_OOB;
	op.data = buf;
	op.data_len = 1;
	assert_int_equal(finish(&op), 1);
	assert_int_equal(buf[0], '!');
	assert_int_equal(t_recv(fd, buf, 64), 3);
	assert_memory_equal(buf, "klm", 3);
	seen_read = seen_count;
}

/* ---- closing ---- */

static void passive_close(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);
	u8 b[8];

	(void)state;
	peer_send(&bare, FIN | ACK, ISN + 1, h, 5);
	run_for(100 * MS);
	assert_int_equal(expect(ACK)->tcp.ack_seq, ISN + 7);
	assert_int_equal(t_recv(fd, b, 8), 5);
	assert_int_equal(t_recv(fd, b, 8), 0);
	assert_int_equal(t_send(fd, zeros, 10), 10);
	expect_data(PSH | ACK, h, 10);
	assert_int_equal(t_close(fd), 0);
	expect_data(FIN | ACK, h + 10, 0);
	peer_send(&bare, ACK, ISN + 7, h + 11, 0);
	expect_nothing();
	assert_int_equal(counter("TcpCurrEstab"), 0);
	/* It is gone: a segment is nobody's. */
	peer_send(&bare, ACK, ISN + 7, h + 11, 0);
	expect(RST);
}

static void active_close(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	assert_int_equal(t_close(fd), 0);
	expect_data(FIN | ACK, h, 0);
	peer_send(&bare, ACK, ISN + 1, h + 1, 0);
	peer_send(&bare, FIN | ACK, ISN + 1, h + 1, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, ISN + 2);
	assert_int_equal(counter("TcpExtTW"), 1);
	run_for(61 * SEC);
	expect_nothing();
	peer_send(&bare, ACK, ISN + 2, h + 1, 0);
	expect(RST);
}

static void simultaneous_close(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	assert_int_equal(t_close(fd), 0);
	expect_data(FIN | ACK, h, 0);
	peer_send(&bare, FIN | ACK, ISN + 1, h, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, ISN + 2);
	peer_send(&bare, ACK, ISN + 2, h + 1, 0);
	run_for(61 * SEC);
	assert_int_equal(counter("TcpExtTW"), 1);
	expect_nothing();
}

/* RFC 2525 2.17: closed with data unread. */
static void close_unread(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	peer_send(&bare, PSH | ACK, ISN + 1, h, 5);
	seen_read = seen_count;
	assert_int_equal(t_close(fd), 0);
	expect_data(RST | ACK, h, 0);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPAbortOnClose"), 1);
}

/* Data for an orphan (RFC 1122 4.2.2.13). */
static void data_after_close(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	assert_int_equal(t_close(fd), 0);
	expect_data(FIN | ACK, h, 0);
	peer_send(&bare, PSH | ACK, ISN + 1, h, 5);
	expect(RST);
	assert_int_equal(counter("TcpExtTCPAbortOnData"), 1);
}

/* ---- keepalive ---- */

static void keepalive(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);
	u64 start = world_now(w);
	u8 b[1];

	(void)state;
	assert_int_equal(t_setopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	assert_int_equal(t_setopt(fd, SOL_TCP, TCP_KEEPIDLE, 10), 0);
	assert_int_equal(t_setopt(fd, SOL_TCP, TCP_KEEPINTVL, 2), 0);
	assert_int_equal(t_setopt(fd, SOL_TCP, TCP_KEEPCNT, 3), 0);
	run_for(11 * SEC);
	assert_int_equal(expect_at(ACK, start + 10 * SEC)->tcp.seq, h - 1);
	peer_send(&bare, ACK, ISN + 1, h, 0);
	run_for(30 * SEC);
	expect_at(ACK, start + 21 * SEC);
	expect_at(ACK, start + 23 * SEC);
	expect_at(ACK, start + 25 * SEC);
	expect_at(RST | ACK, start + 27 * SEC);
	expect_nothing();
	assert_int_equal(t_recv(fd, b, 1), -ETIMEDOUT);
	assert_int_equal(counter("TcpExtTCPKeepAlive"), 4);
}

/* ---- RFC 5961 ---- */

static void challenges(void **state)
{
	u32 h;
	s32 fd = accepted(mss_opts, 4, &h);

	(void)state;
	/* RST in the window but not at its edge. */
	peer_send(&bare, RST, ISN + 100, 0, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, ISN + 1);
	/* The limit: one in 500 ms. */
	peer_send(&bare, SYN, ISN + 100, 0, 0);
	expect_nothing();
	run_for(501 * MS);
	peer_send(&bare, SYN, ISN + 100, 0, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, ISN + 1);
	run_for(501 * MS);
	/* An ACK of what was not sent. */
	peer_send(&bare, ACK, ISN + 1, h + 1, 0);
	expect(ACK);
	run_for(501 * MS);
	/* One far too old. */
	peer_send(&bare, ACK, ISN + 1, h - 100000, 0);
	expect(ACK);
	assert_int_equal(counter("TcpExtTCPChallengeACK"), 4);
	/* Exactly at the edge: believed. */
	peer_send(&bare, RST, ISN + 1, 0, 0);
	assert_int_equal(t_send(fd, zeros, 1), -ECONNRESET);
	expect_nothing();
}

/* ---- TCP_INFO ---- */

static void info(void **state)
{
	struct sys_op op;
	u8 ti[TCP_INFO_SIZE];
	u32 h;
	s32 fd = accepted(sack_opts, 8, &h);

	(void)state;
	t_send(fd, zeros, 3000);
	run_for(1 * MS);
	peer_send(&bare, ACK, ISN + 1, h + 1460, 0);
	op = call_of(SYS_GETSOCKOPT, fd);
	op.arg[0] = SOL_TCP;
	op.arg[1] = TCP_INFO;
	op.data = ti;
	op.data_len = sizeof(ti);
	assert_int_equal(finish(&op), TCP_INFO_SIZE);
	assert_int_equal(ti[0], 1); /* ESTABLISHED */
	assert_int_equal(ti[1], TCP_CA_Open);
	assert_int_equal(ti[5], TCPI_OPT_SACK);
	assert_int_equal(get_le32(ti + 16), 1460); /* snd_mss */
	assert_int_equal(get_le32(ti + 24), 2); /* unacked */
	assert_int_equal(get_le32(ti + 80), 10); /* snd_cwnd: three were not enough to raise it */
	assert_int_equal(get_le64(ti + 120), 1460); /* bytes_acked */
	assert_int_equal(get_le64(ti + 200), 3000); /* bytes_sent */
	peer_send(&bare, ACK, ISN + 1, h + 3000, 0);
	seen_read = seen_count;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(rto_doubles),
		CLEAN(gives_up),
		CLEAN(karn),
		CLEAN(three_duplicates),
		CLEAN(sack_recovery),
		CLEAN(tail_loss_probe),
		CLEAN(delayed_ack),
		CLEAN(every_second),
		CLEAN(out_of_order),
		CLEAN(ofo_model),
		CLEAN(sender_keeps_window),
		CLEAN(receiver_closes_window),
		CLEAN(nagle),
		CLEAN(urgent),
		CLEAN(passive_close),
		CLEAN(active_close),
		CLEAN(simultaneous_close),
		CLEAN(close_unread),
		CLEAN(data_after_close),
		CLEAN(keepalive),
		CLEAN(challenges),
		CLEAN(info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
