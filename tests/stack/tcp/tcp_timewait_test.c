/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT and the FIN-WAIT-2 of orphans, segment by segment: RFC 9293 3.10.7.4, RFC
 * 1122 4.2.2.13, RFC 1337, RFC 6191.
 */
#include "stack/tcp/tcp_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, tcp_world_setup, tcp_world_teardown)

static const struct peer bare = { .sport = 4000, .dport = 80, .window = 65535 };
static u32 isn;

/* The host's side has sent its FIN and has it acknowledged; no FIN of the peer's yet. */
static s32 to_fin_wait2(const struct peer *p)
{
	s32 l = t_listener(80, 5), fd;

	isn = peer_open(p, 1000);
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	assert_int_equal(t_close(fd), 0);
	assert_int_equal(expect(FIN | ACK)->tcp.seq, isn + 1);
	peer_send(p, ACK, 1001, isn + 2, 0);
	expect_nothing();
	return l;
}

static s32 to_time_wait(const struct peer *p)
{
	s32 l = to_fin_wait2(p);

	peer_send(p, FIN | ACK, 1001, isn + 2, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, 1002);
	assert_int_equal(counter("TcpCurrEstab"), 0);
	return l;
}

static void ends_after_a_minute(void **state)
{
	struct segment *s;

	(void)state;
	to_time_wait(&bare);
	run_for(59999 * MS);
	/* Its FIN again: the ACK got lost. The wait starts anew. */
	peer_send(&bare, FIN | ACK, 1001, isn + 2, 0);
	s = expect(ACK);
	assert_int_equal(s->tcp.seq, isn + 2);
	assert_int_equal(s->tcp.ack_seq, 1002);
	run_for(59999 * MS);
	peer_send(&bare, ACK, 1002, isn + 2, 0); /* in window: no answer, the wait anew */
	expect_nothing();
	run_for(59999 * MS);
	peer_send(&bare, SYN, 900, 0, 0); /* may be old: ACK, and no longer for it */
	expect(ACK);
	run_for(1 * MS);
	peer_send(&bare, ACK, 1002, isn + 2, 0);
	expect(RST);
}

static void answers_are_limited(void **state)
{
	(void)state;
	to_time_wait(&bare);
	peer_send(&bare, ACK, 5000, isn + 2, 0);
	expect(ACK);
	run_for(400 * MS);
	peer_send(&bare, ACK, 5000, isn + 2, 0);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPACKSkippedTimeWait"), 1);
	run_for(101 * MS);
	peer_send(&bare, ACK, 5000, isn + 2, 0);
	expect(ACK);
}

/* RFC 1122 4.2.2.13: a new SYN above what was received opens anew, above what was sent. */
static void new_syn_reopens(void **state)
{
	s32 l;

	(void)state;
	l = to_time_wait(&bare);
	peer_send(&bare, SYN, 1002, 0, 0); /* not above */
	expect(ACK);
	peer_send(&bare, SYN, 1003, 0, 0);
	assert_int_equal(expect(SYN | ACK)->tcp.seq, isn + 2 + 65537);
	peer_send(&bare, ACK, 1004, isn + 2 + 65538, 0);
	assert_true(t_call(SYS_ACCEPT, l, 0) >= 0);
}

static void syn_without_listener(void **state)
{
	s32 l;

	(void)state;
	l = to_time_wait(&bare);
	assert_int_equal(t_close(l), 0);
	peer_send(&bare, SYN, 5000, 0, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, 1002);
}

static void reset_ends_it(void **state)
{
	(void)state;
	to_time_wait(&bare);
	peer_send(&bare, RST, 1001, 0, 0); /* not at RCV.NXT */
	peer_send(&bare, RST, 1003, 0, 0);
	peer_send(&bare, ACK, 1002, isn + 2, 0);
	expect_nothing();
	peer_send(&bare, RST, 1002, 0, 0);
	peer_send(&bare, ACK, 1002, isn + 2, 0);
	assert_int_equal(expect(RST)->tcp.seq, isn + 2);
}

static void rfc1337(void **state)
{
	(void)state;
	to_time_wait(&bare);
	set_sysctl("net.ipv4.tcp_rfc1337", "1");
	peer_send(&bare, RST, 1002, 0, 0);
	peer_send(&bare, ACK, 1002, isn + 2, 0);
	expect_nothing();
}

/* ---- time stamps ---- */

static struct peer with_ts(u8 opts[12], u32 tsval, u32 tsecr)
{
	struct peer p = bare;

	put_be32(opts, 0x0101080a);
	put_be32(opts + 4, tsval);
	put_be32(opts + 8, tsecr);
	p.opts = opts;
	p.opts_len = 12;
	return p;
}

static u32 tsval_of(const struct segment *s)
{
	assert_int_equal(s->opts[s->opts_len - 10], 8);
	return get_be32(s->opts + s->opts_len - 8);
}

/* The same as to_time_wait, with time stamps 100, 101, ... of the peer's. */
static s32 ts_to_time_wait(void)
{
	s32 l = t_listener(80, 5), fd;
	struct segment *s;
	struct peer p;
	u8 o[12];

	p = with_ts(o, 100, 0);
	peer_send(&p, SYN, 1000, 0, 0);
	s = expect(SYN | ACK);
	isn = s->tcp.seq;
	p = with_ts(o, 101, tsval_of(s));
	peer_send(&p, ACK, 1001, isn + 1, 0);
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	assert_int_equal(t_close(fd), 0);
	s = expect(FIN | ACK);
	p = with_ts(o, 102, tsval_of(s));
	peer_send(&p, ACK, 1001, isn + 2, 0);
	p = with_ts(o, 103, tsval_of(s));
	peer_send(&p, FIN | ACK, 1001, isn + 2, 0);
	s = expect(ACK);
	assert_int_equal(get_be32(s->opts + s->opts_len - 4), 103);
	return l;
}

/* RFC 6191: a newer time stamp is enough, whatever the sequence number. */
static void newer_stamp_reopens(void **state)
{
	struct peer p;
	u8 o[12];

	(void)state;
	ts_to_time_wait();
	p = with_ts(o, 103, 0);
	peer_send(&p, SYN, 500, 0, 0);
	expect(ACK);
	p = with_ts(o, 104, 0);
	peer_send(&p, SYN, 500, 0, 0);
	assert_int_equal(expect(SYN | ACK)->tcp.ack_seq, 501);
}

static void older_stamp_is_refused(void **state)
{
	struct segment *s;
	struct peer p;
	u8 o[12];

	(void)state;
	ts_to_time_wait();
	p = with_ts(o, 50, 0);
	peer_send(&p, SYN, 5000, 0, 0);
	s = expect(ACK);
	assert_int_equal(get_be32(s->opts + 8), 103);
	assert_int_equal(counter("TcpExtPAWSTimewait"), 1);
	assert_int_equal(counter("Drop.TCP_RFC7323_TW_PAWS"), 1);
}

/* ---- FIN-WAIT-2 without a user ---- */

static void fin_comes_late(void **state)
{
	(void)state;
	to_fin_wait2(&bare);
	run_for(59 * SEC);
	peer_send(&bare, FIN | ACK, 1001, isn + 2, 0);
	assert_int_equal(expect(ACK)->tcp.ack_seq, 1002);
	run_for(59 * SEC);
	peer_send(&bare, FIN | ACK, 1001, isn + 2, 0);
	expect(ACK);
}

static void fin_never_comes(void **state)
{
	(void)state;
	to_fin_wait2(&bare);
	run_for(60 * SEC);
	peer_send(&bare, FIN | ACK, 1001, isn + 2, 0);
	expect(RST);
}

static void data_for_nobody(void **state)
{
	(void)state;
	to_fin_wait2(&bare);
	peer_send(&bare, ACK | PSH, 1001, isn + 2, 10);
	assert_int_equal(expect(RST)->tcp.seq, isn + 2);
	peer_send(&bare, ACK, 1011, isn + 2, 0);
	expect(RST);
}

static void out_of_window_in_fin_wait2(void **state)
{
	(void)state;
	to_fin_wait2(&bare);
	peer_send(&bare, ACK | PSH, 1001 + 1000000, isn + 2, 10);
	assert_int_equal(expect(ACK)->tcp.ack_seq, 1001);
	peer_send(&bare, RST, 1001, 0, 0);
	peer_send(&bare, ACK, 1001, isn + 2, 0);
	expect(RST);
}

/* ---- limits, ports ---- */

static void too_many(void **state)
{
	(void)state;
	set_sysctl("net.ipv4.tcp_max_tw_buckets", "0");
	to_fin_wait2(&bare);
	assert_int_equal(counter("TcpExtTCPTimeWaitOverflow"), 1);
	peer_send(&bare, FIN | ACK, 1001, isn + 2, 0);
	expect(RST);
}

static void port_stays_bound(void **state)
{
	s32 l = to_time_wait(&bare), fd = t_socket();

	(void)state;
	assert_int_equal(t_close(l), 0);
	assert_int_equal(t_addr(SYS_BIND, fd, any_ip, 80), -EADDRINUSE);
	assert_int_equal(t_setopt(fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(t_addr(SYS_BIND, fd, any_ip, 80), 0);
	assert_int_equal(t_call(SYS_LISTEN, fd, 1), 0);
	assert_int_equal(t_close(fd), 0);
	run_for(60 * SEC);
	fd = t_socket();
	assert_int_equal(t_addr(SYS_BIND, fd, any_ip, 80), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(ends_after_a_minute),
		CLEAN(answers_are_limited),
		CLEAN(new_syn_reopens),
		CLEAN(syn_without_listener),
		CLEAN(reset_ends_it),
		CLEAN(rfc1337),
		CLEAN(newer_stamp_reopens),
		CLEAN(older_stamp_is_refused),
		CLEAN(fin_comes_late),
		CLEAN(fin_never_comes),
		CLEAN(data_for_nobody),
		CLEAN(out_of_window_in_fin_wait2),
		CLEAN(too_many),
		CLEAN(port_stays_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
