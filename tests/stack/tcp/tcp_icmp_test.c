/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors about segments of a connection that stands: soft ones are only remembered (RFC 9293
 * 3.9.2.2, RFC 5461), forged ones have no effect (RFC 5927 4.1), fragmentation needed makes the
 * segments smaller (RFC 1191 3), an unreachable takes back a doubling of the timer (RFC 6069).
 */
#include "stack/tcp/tcp_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, tcp_world_setup, tcp_world_teardown)

static const u8 mss_opt[4] = { 2, 4, 5, 0xb4 };
static const struct peer peer = {
	.sport = 4000, .dport = 80, .window = 65535, .opts = mss_opt, .opts_len = 4
};
static const struct peer bare = { .sport = 4000, .dport = 80, .window = 65535 };
static u8 data[3000];

static s32 established(u32 *isn)
{
	s32 l = t_listener(80, 5), fd;

	*isn = peer_open(&peer, 1000);
	fd = (s32)t_call(SYS_ACCEPT, l, 0);
	assert_true(fd >= 0);
	return fd;
}

static void soft_errors(void **state)
{
	static const u8 codes[] = { 0, 1, 2, 3, 5, 13 };
	struct segment s;
	u32 isn;
	s32 fd = established(&isn);

	(void)state;
	assert_int_equal(t_send(fd, data, 100), 100);
	s = *expect(PSH | ACK);
	for (u32 i = 0; i < ARRAY_SIZE(codes); i++)
		peer_icmp(&s, 3, codes[i], 0);
	peer_icmp(&s, 11, 0, 0);
	peer_icmp(&s, 4, 0, 0); /* source quench: RFC 6633 */
	/* Asked for, it is told once; the connection does not mind. */
	assert_int_equal(t_getopt(fd, SOL_SOCKET, SO_ERROR), EHOSTUNREACH);
	assert_int_equal(t_getopt(fd, SOL_SOCKET, SO_ERROR), 0);
	assert_int_equal(counter("TcpCurrEstab"), 1);
	peer_send(&bare, ACK, 1001, isn + 101, 0);
	assert_int_equal(t_send(fd, data, 10), 10);
	expect(PSH | ACK);
}

static void soft_error_is_told_at_the_end(void **state)
{
	struct segment s;
	u32 isn;
	s32 fd = established(&isn);

	(void)state;
	set_sysctl("net.ipv4.tcp_retries2", "2");
	assert_int_equal(t_send(fd, data, 100), 100);
	s = *expect(PSH | ACK);
	run_for(300 * MS);
	peer_icmp(&s, 3, 1, 0);
	run_for(60 * SEC);
	assert_int_equal(t_getopt(fd, SOL_SOCKET, SO_ERROR), EHOSTUNREACH);
}

static void forged_ones(void **state)
{
	struct segment s;
	u32 isn;
	s32 fd = established(&isn);

	(void)state;
	assert_int_equal(t_send(fd, data, 1460), 1460);
	s = *expect(PSH | ACK);
	s.tcp.seq = isn; /* below SND.UNA */
	peer_icmp(&s, 3, 4, 1000);
	s.tcp.seq = isn + 1462; /* above SND.NXT */
	peer_icmp(&s, 3, 4, 1000);
	assert_int_equal(counter("TcpExtOutOfWindowIcmps"), 2);
	expect_nothing();
	s.tcp.source = 81; /* nobody's */
	peer_icmp(&s, 3, 4, 1000);
	assert_int_equal(counter("IcmpInErrors"), 1);
}

static void path_mtu(void **state)
{
	struct segment s;
	u32 isn, got = 0;
	s32 fd = established(&isn);

	(void)state;
	assert_int_equal(t_send(fd, data, 2920), 2920);
	s = *expect(ACK);
	assert_int_equal(s.len, 1460);
	assert_int_equal(s.ip.frag, IP4_DF);
	assert_int_equal(expect(PSH | ACK)->len, 1460);
	run_for(1 * MS); /* off the ring */
	peer_icmp(&s, 3, 4, 1000);
	/* At once, in pieces that fit. */
	while (seen_read < seen_count) {
		struct segment *again = next_segment();

		assert_int_equal(again->tcp.seq, isn + 1 + got);
		assert_in_range(again->len, 1, 960);
		assert_int_equal(again->ip.frag, IP4_DF);
		got += again->len;
	}
	assert_in_range(got, 960, 2920);
	/* A bigger one is no news, one below the least that is allowed fixes it there. */
	peer_icmp(&s, 3, 4, 1200);
	expect_nothing();
	peer_send(&bare, ACK, 1001, isn + 1 + 2920, 0);
	seen_read = seen_count;
	assert_int_equal(t_send(fd, data, 960), 960);
	assert_int_equal(expect(PSH | ACK)->len, 960);
}

/* RFC 6069: with the doubling taken back the retransmission is due after the same time again. */
static void backoff_is_taken_back(void **state)
{
	struct segment s;
	u64 gap;
	u32 isn;
	s32 fd = established(&isn);

	(void)state;
	assert_int_equal(t_send(fd, data, 100), 100);
	while (seen_count < 6)
		run_for(1 * MS);
	s = seen[5];
	gap = s.time - seen[4].time;
	run_for(10 * MS);
	peer_icmp(&s, 3, 1, 0);
	run_for(2 * gap - 11 * MS);
	assert_int_equal(seen_count, 7);
	assert_in_range(seen[6].time - s.time, gap - MS, gap + MS);
	/* And doubled from there on. */
	run_for(2 * gap);
	assert_int_equal(seen_count, 8);
	assert_in_range(seen[7].time - seen[6].time, 2 * gap - 2 * MS, 2 * gap + 2 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(soft_errors), CLEAN(soft_error_is_told_at_the_end), CLEAN(forged_ones),
		CLEAN(path_mtu),    CLEAN(backoff_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
