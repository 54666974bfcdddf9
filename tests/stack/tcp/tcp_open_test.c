/* SPDX-License-Identifier: MIT */
/*
 * Opening and what meets no connection, segment by segment: resets (RFC 9293 3.10.7.1), requests
 * (3.10.7.2, 3.10.7.4 SYN-RECEIVED), queue limits, active open and its errors, ISNs (RFC 6528).
 */
#include "stack/tcp/tcp_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, tcp_world_setup, tcp_world_teardown)

static const u8 mss_opt[4] = { 2, 4, 5, 0xb4 };
static const struct peer peer = {
	.sport = 4000, .dport = 80, .window = 65535, .opts = mss_opt, .opts_len = 4
};
static const struct peer bare = { .sport = 4000, .dport = 80, .window = 65535 };

/* ---- nobody there ---- */

static void resets_of_closed(void **state)
{
	struct segment *s;

	(void)state;
	peer_send(&peer, SYN, 1000, 0, 0);
	s = expect(RST | ACK);
	assert_int_equal(s->tcp.seq, 0);
	assert_int_equal(s->tcp.ack_seq, 1001);
	assert_int_equal(s->tcp.window, 0);
	assert_int_equal(s->tcp.doff, 20);
	assert_int_equal(s->tcp.source, 80);
	assert_int_equal(s->tcp.dest, 4000);
	assert_int_equal(s->ip.ttl, 64);
	assert_int_equal(s->ip.frag, IP4_DF);
	assert_int_equal(s->ip.id, 0);
	peer_send(&bare, SYN | FIN, 1000, 0, 10);
	assert_int_equal(expect(RST | ACK)->tcp.ack_seq, 1012);
	peer_send(&bare, ACK, 1000, 5555, 10);
	assert_int_equal(expect(RST)->tcp.seq, 5555);
	peer_send(&bare, RST, 1000, 0, 0);
	peer_send(&bare, RST | ACK, 1000, 1, 0);
	expect_nothing();
	assert_int_equal(counter("TcpInSegs"), 5);
	assert_int_equal(counter("TcpOutRsts"), 3);
	assert_int_equal(counter("TcpOutSegs"), 3);
	assert_int_equal(counter("Drop.NO_SOCKET"), 5);
	assert_int_equal(counter("TcpInErrs"), 0);
}

static void damaged_ones(void **state)
{
	u8 frame[100] = { 0 }, *th = frame + 34;
	struct tcp_hdr h = { .source = 1, .dest = 2, .doff = 20, .flags = SYN };

	(void)state;
	tcp_build(th, &h);
	inject(frame, ip_frame(frame, IPPROTO_TCP, 20)); /* checksum 0 */
	assert_int_equal(counter("TcpInCsumErrors"), 1);
	assert_int_equal(counter("TcpInErrs"), 1);
	inject(frame, ip_frame(frame, IPPROTO_TCP, 19));
	assert_int_equal(counter("Drop.PKT_TOO_SMALL"), 1);
	h.doff = 16;
	tcp_build(th, &h);
	inject(frame, ip_frame(frame, IPPROTO_TCP, 20));
	assert_int_equal(counter("TcpInErrs"), 2);
	h.doff = 60;
	tcp_build(th, &h);
	inject(frame, ip_frame(frame, IPPROTO_TCP, 59));
	assert_int_equal(counter("Drop.PKT_TOO_SMALL"), 3);
	assert_int_equal(counter("TcpInSegs"), 4);
	expect_nothing();
}

/* ---- requests ---- */

static void three_way(void **state)
{
	s32 l = t_listener(80, 5), fd;
	struct segment *s;
	u32 isn;

	(void)state;
	assert_int_equal(t_call(SYS_ACCEPT, l, 0), -EAGAIN);
	peer_send(&peer, SYN, 1000, 0, 0);
	s = expect(SYN | ACK);
	isn = s->tcp.seq;
	assert_int_equal(s->tcp.ack_seq, 1001);
	assert_int_equal(s->opts_len, 4);
	assert_memory_equal(s->opts, mss_opt, 4);
	assert_int_equal(t_call(SYS_ACCEPT, l, 0), -EAGAIN);
	peer_send(&bare, ACK, 1001, isn + 1, 0);
	expect_nothing();
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	assert_int_equal(counter("TcpPassiveOpens"), 1);
	assert_int_equal(counter("TcpCurrEstab"), 1);
	peer_send(&bare, RST, 1001, 0, 0);
	assert_int_equal(counter("TcpCurrEstab"), 0);
	assert_int_equal(t_getopt(fd, SOL_SOCKET, SO_ERROR), ECONNRESET);
}

static void third_ack_with_data(void **state)
{
	s32 l = t_listener(80, 5), fd;
	u8 buf[100];
	u32 isn;

	(void)state;
	peer_send(&peer, SYN, 1000, 0, 0);
	isn = expect(SYN | ACK)->tcp.seq;
	peer_send(&bare, ACK | PSH, 1001, isn + 1, 10);
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	assert_int_equal(t_recv(fd, buf, 100), 10);
	run_for(1 * SEC);
	assert_int_equal(expect(ACK)->tcp.ack_seq, 1011);
}

static void synack_again(void **state)
{
	static const u64 at[] = { 0, 1, 3, 7, 15, 31 };
	u64 start;
	u32 isn = 0;

	(void)state;
	t_listener(80, 5);
	start = world_now(w);
	peer_send(&peer, SYN, 1000, 0, 0);
	run_for(62 * SEC);
	for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
		struct segment *s = expect(SYN | ACK);

		assert_int_equal(s->time - start, at[i] * SEC);
		if (i)
			assert_int_equal(s->tcp.seq, isn);
		isn = s->tcp.seq;
	}
	assert_int_equal(counter("TcpRetransSegs"), 5);
	run_for(2 * SEC);
	expect_nothing();
	/* It is forgotten: its ACK comes too late. */
	peer_send(&bare, ACK, 1001, isn + 1, 0);
	expect(RST);
}

static void syn_again(void **state)
{
	u32 isn;

	(void)state;
	t_listener(80, 5);
	peer_send(&peer, SYN, 1000, 0, 0);
	isn = expect(SYN | ACK)->tcp.seq;
	run_for(600 * MS);
	peer_send(&peer, SYN, 1000, 0, 0);
	assert_int_equal(expect(SYN | ACK)->tcp.seq, isn);
	assert_int_equal(counter("TcpExtTCPSynRetrans"), 1);
	/* The timer has started anew. */
	run_for(999 * MS);
	expect_nothing();
	run_for(1 * MS);
	expect(SYN | ACK);
}

static void bad_ack_of_synack(void **state)
{
	s32 l = t_listener(80, 5);
	u32 isn;

	(void)state;
	peer_send(&peer, SYN, 1000, 0, 0);
	isn = expect(SYN | ACK)->tcp.seq;
	peer_send(&bare, ACK, 1001, isn, 0);
	assert_int_equal(expect(RST)->tcp.seq, isn);
	peer_send(&bare, ACK, 1001, isn + 2, 0);
	assert_int_equal(expect(RST)->tcp.seq, isn + 2);
	/* The request is still there. */
	peer_send(&bare, ACK, 1001, isn + 1, 0);
	expect_nothing();
	assert_true(t_call(SYS_ACCEPT, l, 0) >= 0);
}

static void reset_of_request(void **state)
{
	u32 isn;

	(void)state;
	t_listener(80, 5);
	peer_send(&peer, SYN, 1000, 0, 0);
	isn = expect(SYN | ACK)->tcp.seq;
	peer_send(&bare, RST, 1000, 0, 0); /* left of the window */
	peer_send(&bare, RST, 1001 + 70000, 0, 0);
	expect_nothing();
	assert_int_equal(counter("TcpAttemptFails"), 0);
	peer_send(&bare, RST, 1001, 0, 0);
	assert_int_equal(counter("TcpAttemptFails"), 1);
	assert_int_equal(counter("TcpExtEmbryonicRsts"), 1);
	peer_send(&bare, ACK, 1001, isn + 1, 0);
	expect(RST);
}

static void out_of_window_at_request(void **state)
{
	struct segment *s;
	u32 isn;

	(void)state;
	t_listener(80, 5);
	peer_send(&peer, SYN, 1000, 0, 0);
	isn = expect(SYN | ACK)->tcp.seq;
	peer_send(&bare, ACK, 1001 + 100000, isn + 1, 0);
	s = expect(ACK);
	assert_int_equal(s->tcp.seq, isn + 1);
	assert_int_equal(s->tcp.ack_seq, 1001);
	assert_int_equal(s->ip.frag, IP4_DF);
	/* Limited: tcp_invalid_ratelimit. */
	peer_send(&bare, ACK, 1001 + 100000, isn + 1, 0);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPACKSkippedSynRecv"), 1);
	/* A SYN within the window. */
	peer_send(&bare, SYN, 1010, 0, 0);
	expect(RST | ACK);
	assert_int_equal(counter("TcpAttemptFails"), 1);
}

/* tapline.rfc.syn_received: RFC 9293 3.10.7.4 to the letter. */
static void rfc_syn_received(void **state)
{
	u32 isn;

	(void)state;
	set_sysctl("tapline.rfc.syn_received", "1");
	t_listener(80, 5);
	peer_send(&peer, SYN, 1000, 0, 0);
	isn = expect(SYN | ACK)->tcp.seq;
	peer_send(&bare, RST, 1002, 0, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, 1001);
	peer_send(&bare, SYN, 1002, 0, 0);
	expect_nothing();
	peer_send(&bare, ACK, 1001, isn + 1, 0);
	expect(RST);
	assert_int_equal(counter("TcpAttemptFails"), 1);
}

static void listener_closes(void **state)
{
	s32 l = t_listener(80, 5);
	struct peer other = bare;
	u32 isn;

	(void)state;
	other.sport = 4001;
	peer_send(&peer, SYN, 1000, 0, 0);
	isn = expect(SYN | ACK)->tcp.seq;
	peer_open(&other, 2000);
	assert_int_equal(t_close(l), 0);
	/* The child that nobody accepted is reset, the request at its next segment. */
	assert_int_equal(expect(RST | ACK)->tcp.dest, 4001);
	peer_send(&bare, ACK, 1001, isn + 1, 0);
	assert_int_equal(expect(RST)->tcp.dest, 4000);
}

static void icmp_for_request(void **state)
{
	struct segment *s;

	(void)state;
	t_listener(80, 5);
	peer_send(&peer, SYN, 1000, 0, 0);
	s = expect(SYN | ACK);
	peer_icmp(s, 3, 3, 0); /* port unreachable: the timer will tell */
	assert_int_equal(counter("TcpExtListenDrops"), 0);
	s->tcp.seq++;
	peer_icmp(s, 3, 1, 0);
	assert_int_equal(counter("TcpExtOutOfWindowIcmps"), 1);
	s->tcp.seq--;
	peer_icmp(s, 3, 1, 0);
	assert_int_equal(counter("TcpExtListenDrops"), 1);
	run_for(5 * SEC);
	expect_nothing();
}

/* ---- limits ---- */

/* A listener of backlog 2 with three children (backlog + 1) that nobody accepts, and in front of
 * the door two requests, of which the second gets the place that one accept() makes. Returns the
 * ISN of the first one's SYN-ACK. */
static u32 fill_accept_queue(s32 l, struct peer *p)
{
	u32 isn, isn2;

	for (u16 i = 0; i < 3; i++) {
		p->sport = (u16)(5000 + i);
		peer_open(p, 100);
	}
	expect_nothing();
	/* Full: a SYN is not heard. */
	p->sport = 5003;
	peer_send(p, SYN, 100, 0, 0);
	expect_nothing();
	assert_int_equal(counter("TcpExtListenOverflows"), 1);
	assert_int_equal(counter("TcpExtListenDrops"), 1);
	assert_true(t_call(SYS_ACCEPT, l, 0) >= 0);
	peer_send(p, SYN, 100, 0, 0);
	isn = expect(SYN | ACK)->tcp.seq;
	p->sport = 5004;
	peer_send(p, SYN, 100, 0, 0);
	isn2 = expect(SYN | ACK)->tcp.seq;
	peer_send(p, ACK, 101, isn2 + 1, 0);
	assert_int_equal(counter("TcpExtListenOverflows"), 1);
	p->sport = 5003;
	return isn;
}

static void accept_queue_overflows(void **state)
{
	s32 l = t_listener(80, 2);
	struct peer p = bare;
	u32 isn = fill_accept_queue(l, &p);

	(void)state;
	peer_send(&p, ACK, 101, isn + 1, 0);
	expect_nothing();
	assert_int_equal(counter("TcpExtListenOverflows"), 2);
	assert_int_equal(counter("TcpExtListenDrops"), 2);
	assert_int_equal(counter("Drop.TCP_LISTEN_OVERFLOW"), 1);
	/* When there is room, a later ACK makes the connection. */
	for (u32 i = 0; i < 3; i++)
		assert_true(t_call(SYS_ACCEPT, l, 0) >= 0);
	assert_int_equal(t_call(SYS_ACCEPT, l, 0), -EAGAIN);
	peer_send(&p, ACK, 101, isn + 1, 0);
	assert_true(t_call(SYS_ACCEPT, l, 0) >= 0);
	assert_int_equal(counter("TcpPassiveOpens"), 5);
}

static void abort_on_overflow(void **state)
{
	s32 l = t_listener(80, 2);
	struct peer p = bare;
	u32 isn = fill_accept_queue(l, &p);

	(void)state;
	set_sysctl("net.ipv4.tcp_abort_on_overflow", "1");
	peer_send(&p, ACK, 101, isn + 1, 0);
	assert_int_equal(expect(RST)->tcp.seq, isn + 1);
	assert_int_equal(counter("TcpExtEmbryonicRsts"), 1);
}

static void syn_queue_overflows(void **state)
{
	struct peer p = bare;

	(void)state;
	set_sysctl("net.ipv4.tcp_syncookies", "0");
	t_listener(80, 2); /* one more has room, as in the accept queue */
	for (u16 i = 0; i < 3; i++) {
		p.sport = (u16)(5000 + i);
		peer_send(&p, SYN, 100, 0, 0);
		expect(SYN | ACK);
	}
	p.sport = 5003;
	peer_send(&p, SYN, 100, 0, 0);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPReqQFullDrop"), 1);
	assert_int_equal(counter("TcpExtListenDrops"), 1);
	assert_int_equal(counter("TcpExtListenOverflows"), 0);
	/* The last quarter of tcp_max_syn_backlog is kept free. */
	set_sysctl("net.ipv4.tcp_max_syn_backlog", "2");
	run_for(100 * SEC);
	seen_read = seen_count;
	for (u16 i = 0; i < 3; i++) {
		p.sport = (u16)(6000 + i);
		peer_send(&p, SYN, 100, 0, 0);
	}
	assert_int_equal(seen_count - seen_read, 3);
}

/* RFC 4987 3.6. */
static void syn_cookies(void **state)
{
	static const u8 opts[20] = {
		2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 77, 0, 0, 0, 0, 1, 3, 3, 7
	};
	s32 l = t_listener(80, 0), fd;
	struct peer p = bare, full = bare;
	u8 ts[12] = { 1, 1, 8, 10, 0, 0, 0, 78 };
	struct segment *s;
	u32 cookie;

	(void)state;
	peer_send(&peer, SYN, 1000, 0, 0); /* fills the queue */
	expect(SYN | ACK);
	p.sport = 5000;
	peer_send(&p, SYN, 1000, 0, 0);
	cookie = expect(SYN | ACK)->tcp.seq;
	assert_int_equal(counter("TcpExtTCPReqQFullDoCookies"), 1);
	assert_int_equal(counter("TcpExtSyncookiesSent"), 1);
	/* Not kept: nothing is sent again, a wrong one is reset. */
	peer_send(&p, ACK, 1001, cookie + 101, 0);
	expect(RST);
	peer_send(&p, ACK, 1002, cookie + 1, 0);
	expect(RST);
	assert_int_equal(counter("TcpExtSyncookiesFailed"), 2);
	peer_send(&p, ACK, 1001, cookie + 1, 0);
	expect_nothing();
	assert_int_equal(counter("TcpExtSyncookiesRecv"), 1);
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	/* No MSS option was there: 536 bytes a segment. */
	assert_int_equal(t_getopt(fd, SOL_TCP, 2 /* TCP_MAXSEG */), 536);
	/* With time stamps all options come back. */
	full.sport = 5001;
	full.opts = opts;
	full.opts_len = 20;
	peer_send(&full, SYN, 1000, 0, 0);
	s = expect(SYN | ACK);
	assert_int_equal(s->opts_len, 20);
	full.opts = ts;
	full.opts_len = 12;
	memcpy(ts + 8, s->opts + 8, 4);
	peer_send(&full, ACK, 1001, s->tcp.seq + 1, 0);
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	assert_int_equal(t_getopt(fd, SOL_TCP, 2), 1448);
	/* Too old after two minutes. */
	p.sport = 5002;
	peer_send(&peer, SYN, 1000, 0, 0);
	expect(SYN | ACK);
	peer_send(&p, SYN, 1000, 0, 0);
	cookie = expect(SYN | ACK)->tcp.seq;
	run_for(125 * SEC);
	seen_read = seen_count;
	peer_send(&p, ACK, 1001, cookie + 1, 0);
	expect(RST);
}

static void deferred_accept(void **state)
{
	s32 l = t_listener(80, 5);
	u32 isn;

	(void)state;
	assert_int_equal(t_setopt(l, SOL_TCP, 9 /* TCP_DEFER_ACCEPT */, 3), 0);
	isn = peer_open(&bare, 1000);
	assert_int_equal(counter("TcpExtTCPDeferAcceptDrop"), 1);
	assert_int_equal(t_call(SYS_ACCEPT, l, 0), -EAGAIN);
	peer_send(&bare, ACK | PSH, 1001, isn + 1, 5);
	assert_true(t_call(SYS_ACCEPT, l, 0) >= 0);
}

/* ---- active open ---- */

static void connect_stands(void **state)
{
	struct peer p = bare;
	s32 fd = t_socket();
	struct segment *s;

	(void)state;
	assert_int_equal(t_addr(SYS_CONNECT, fd, peer_ip, 7), -EINPROGRESS);
	s = expect(SYN);
	assert_int_equal(s->tcp.dest, 7);
	assert_in_range(s->tcp.source, 32768, 60999);
	assert_int_equal(s->tcp.ack_seq, 0);
	assert_int_equal(t_addr(SYS_CONNECT, fd, peer_ip, 7), -EALREADY);
	p.sport = 7;
	p.dport = s->tcp.source;
	peer_send(&p, SYN | ACK, 900, s->tcp.seq + 1, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, 901);
	assert_int_equal(t_addr(SYS_CONNECT, fd, peer_ip, 7), 0);
	assert_int_equal(t_addr(SYS_CONNECT, fd, peer_ip, 7), -EISCONN);
	assert_int_equal(counter("TcpActiveOpens"), 1);
	assert_int_equal(counter("TcpCurrEstab"), 1);
}

static void connect_refused(void **state)
{
	struct peer p = bare;
	s32 fd = t_socket();
	struct segment *s;

	(void)state;
	assert_int_equal(t_addr(SYS_CONNECT, fd, peer_ip, 7), -EINPROGRESS);
	s = expect(SYN);
	p.sport = 7;
	p.dport = s->tcp.source;
	peer_send(&p, RST, 0, 0, 0); /* without ACK it says nothing */
	assert_int_equal(t_addr(SYS_CONNECT, fd, peer_ip, 7), -EALREADY);
	peer_send(&p, RST | ACK, 0, s->tcp.seq + 1, 0);
	assert_int_equal(t_addr(SYS_CONNECT, fd, peer_ip, 7), -ECONNREFUSED);
	assert_int_equal(counter("TcpAttemptFails"), 1);
	expect_nothing();
}

static void connect_unreachable(void **state)
{
	static const struct {
		u8 type, code;
		s32 err;
	} cases[] = { { 3, 0, ENETUNREACH },
		      { 3, 1, EHOSTUNREACH },
		      { 3, 2, ENOPROTOOPT },
		      { 3, 3, ECONNREFUSED },
		      { 11, 0, EHOSTUNREACH } };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		s32 fd = t_socket();
		struct segment *s;

		assert_int_equal(t_addr(SYS_CONNECT, fd, peer_ip, 7), -EINPROGRESS);
		s = expect(SYN);
		s->tcp.seq += 5; /* never sent: forged (RFC 5927 4.1) */
		peer_icmp(s, cases[i].type, cases[i].code, 0);
		s->tcp.seq -= 5;
		assert_int_equal(t_getopt(fd, SOL_SOCKET, SO_ERROR), 0);
		peer_icmp(s, cases[i].type, cases[i].code, 0);
		assert_int_equal(t_getopt(fd, SOL_SOCKET, SO_ERROR), cases[i].err);
		assert_int_equal(t_close(fd), 0);
	}
	assert_int_equal(counter("TcpExtOutOfWindowIcmps"), ARRAY_SIZE(cases));
	run_for(10 * SEC);
	expect_nothing();
}

/* On a device where every destination is local, connections to any address work, answers without
 * a socket too, and go on when routes change. */
static void any_address(void **state)
{
	static const u8 other[4] = { 10, 1, 2, 3 }, more[4] = { 192, 0, 2, 77 };
	struct op op = { .kind = OP_LINK_SET };
	s32 l = t_listener(80, 5), fd;
	struct segment *s;

	(void)state;
	op.u.link_set.ifindex = 2;
	op.u.link_set.param = LINK_PARAM_ANYIP;
	op.u.link_set.value = 1;
	must(&op, 0);
	to_ip = other;
	peer_open(&peer, 1000);
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	assert_int_equal(t_send(fd, "abc", 3), 3);
	s = expect(PSH | ACK);
	assert_int_equal(s->ip.saddr, load_be32(other));
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.ifindex = 2;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ more, 4 };
	must(&op, 0);
	peer_send(&bare, ACK, 1001, s->tcp.seq + 3, 0);
	assert_int_equal(t_send(fd, "def", 3), 3);
	assert_int_equal(expect(PSH | ACK)->ip.saddr, load_be32(other));
	peer_send(&bare, SYN, 1, 0, 0);
	expect(ACK); /* challenge */
	to_ip = more;
	peer_send(&bare, ACK, 1, 7, 0);
	assert_int_equal(expect(RST)->tcp.seq, 7);
}

static void isns_differ(void **state)
{
	struct peer p = bare;
	u32 a, b;

	(void)state;
	t_listener(80, 5);
	peer_send(&p, SYN, 1000, 0, 0);
	a = expect(SYN | ACK)->tcp.seq;
	p.sport = 4001;
	peer_send(&p, SYN, 1000, 0, 0);
	b = expect(SYN | ACK)->tcp.seq;
	assert_int_not_equal(a, b);
	/* The same connection later: 64 ns a step (RFC 6528 3). */
	peer_send(&p, RST, 1001, 0, 0);
	run_for(640);
	peer_send(&p, SYN, 1000, 0, 0);
	assert_int_equal(expect(SYN | ACK)->tcp.seq, b + 10);
	set_sysctl("tapline.tcp.isn_pinned", "1");
	set_sysctl("tapline.tcp.isn", "12345");
	p.sport = 4002;
	peer_send(&p, SYN, 1000, 0, 0);
	assert_int_equal(expect(SYN | ACK)->tcp.seq, 12345);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(resets_of_closed),
		CLEAN(damaged_ones),
		CLEAN(three_way),
		CLEAN(third_ack_with_data),
		CLEAN(synack_again),
		CLEAN(syn_again),
		CLEAN(bad_ack_of_synack),
		CLEAN(reset_of_request),
		CLEAN(out_of_window_at_request),
		CLEAN(rfc_syn_received),
		CLEAN(listener_closes),
		CLEAN(icmp_for_request),
		CLEAN(accept_queue_overflows),
		CLEAN(abort_on_overflow),
		CLEAN(syn_queue_overflows),
		CLEAN(syn_cookies),
		CLEAN(deferred_accept),
		CLEAN(connect_stands),
		CLEAN(connect_refused),
		CLEAN(connect_unreachable),
		CLEAN(any_address),
		CLEAN(isns_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
