/* SPDX-License-Identifier: MIT */
/*
 * ACK compression (tcp_comp_sack.c): of the ACKs of segments out of order the first three go at
 * once, the others are held back; while any is, the timer is armed, and whatever ACK leaves ends
 * both. The counter TCPAckCompressed has those that were never sent.
 */
#include "stack/tcp/tcp_world.h"

#define PORT	 80
#define LEN	 1000u
#define NR	 5u
#define IN_ORDER 40u /* beyond what is acknowledged at once when a connection begins */
#define FIRST	 (1000 + IN_ORDER * LEN)

static struct peer peer = { .sport = 4000, .dport = PORT, .window = 65535 };
static u32 next; /* of the host, what the peer acknowledges */

/* A connection, with SACK or without; the peer has sent some segments in order, which echo a time
 * stamp of 100 ms ago: the receiver knows a round trip. */
static s32 connected(bool sack)
{
	u8 opts[16] = { 2, 4, 5, 180, sack ? 4 : 1, sack ? 2 : 1, 8, 10, 0, 0, 0, 1 };
	static u8 stamp[12];
	s32 listener = t_listener(PORT, 5), fd;
	const struct segment *synack;

	peer.opts = opts;
	peer.opts_len = sizeof(opts);
	peer_send(&peer, SYN, 999, 0, 0);
	synack = expect(SYN | ACK);
	next = synack->tcp.seq + 1;
	memcpy(stamp, (const u8[12]){ 1, 1, 8, 10, 0, 0, 0, 1 }, 8);
	memcpy(stamp + 8, synack->opts + 8, 4);
	peer.opts = stamp;
	peer.opts_len = sizeof(stamp);
	run_for(100 * MS);
	peer_send(&peer, ACK, 1000, next, 0);
	fd = (s32)t_call(SYS_ACCEPT, listener, SOCK_NONBLOCK);
	assert_true(fd >= 0);
	for (u32 i = 0; i < IN_ORDER; i++)
		peer_send(&peer, ACK, FIRST - (IN_ORDER - i) * LEN, next, LEN);
	run_for(100 * MS);
	seen_read = seen_count;
	assert_int_equal(seen[seen_count - 1].tcp.ack_seq, FIRST);
	assert_int_equal(t_close(listener), 0);
	return fd;
}

/* The i-th segment behind a gap of one. */
static void out_of_order(u32 i)
{
	peer_send(&peer, ACK, FIRST + (1 + i) * LEN, next, LEN);
}

/* The first three, each answered at once. */
static void three(void)
{
	for (u32 i = 0; i < 3; i++) {
		out_of_order(i);
		assert_int_equal(expect(ACK)->tcp.ack_seq, FIRST);
	}
	expect_nothing();
}

static void timer_sends_one_for_all(void **state)
{
	(void)state;
	connected(true);
	three();
	for (u32 i = 3; i < 7; i++)
		out_of_order(i);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPAckCompressed"), 0);
	/* A twentieth of the round trip, and no more than a millisecond. */
	run_for(2 * MS);
	assert_int_equal(expect(ACK)->tcp.ack_seq, FIRST);
	assert_int_equal(counter("TcpExtTCPAckCompressed"), 3);
	/* Nothing is left that would be sent. */
	run_for(SEC);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPAckCompressed"), 3);
}

static void any_ack_carries_them(void **state)
{
	s32 fd;

	(void)state;
	fd = connected(true);
	three();
	out_of_order(3);
	out_of_order(4);
	expect_nothing();
	assert_int_equal(t_send(fd, "x", 1), 1);
	assert_int_equal(expect(ACK | PSH)->tcp.ack_seq, FIRST);
	assert_int_equal(counter("TcpExtTCPAckCompressed"), 2);
	peer_send(&peer, ACK, FIRST, next + 1, 0);
	run_for(SEC);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPAckCompressed"), 2);
}

static void as_many_as_the_sysctl_says(void **state)
{
	(void)state;
	set_sysctl("net.ipv4.tcp_comp_sack_nr", "5");
	connected(true);
	three();
	for (u32 i = 0; i < NR; i++)
		out_of_order(3 + i);
	expect_nothing();
	/* The next one is not held back, and none of them any more. */
	out_of_order(3 + NR);
	assert_int_equal(expect(ACK)->tcp.ack_seq, FIRST);
	assert_int_equal(counter("TcpExtTCPAckCompressed"), NR);
	run_for(SEC);
	expect_nothing();
}

static void progress_begins_anew(void **state)
{
	(void)state;
	connected(true);
	three();
	out_of_order(3);
	expect_nothing();
	/* The gap closes: an ACK at once, and three for the next gap. */
	peer_send(&peer, ACK, FIRST, next, LEN);
	assert_int_equal(expect(ACK)->tcp.ack_seq, FIRST + 5 * LEN);
	for (u32 i = 5; i < 8; i++) {
		out_of_order(i);
		assert_int_equal(expect(ACK)->tcp.ack_seq, FIRST + 5 * LEN);
	}
	out_of_order(8);
	expect_nothing();
	run_for(2 * MS);
	expect(ACK);
}

static void not_without_sack(void **state)
{
	(void)state;
	connected(false);
	three();
	for (u32 i = 3; i < 10; i++) {
		out_of_order(i);
		expect(ACK);
	}
	run_for(SEC);
	expect_nothing();
	assert_int_equal(counter("TcpExtTCPAckCompressed"), 0);
}

static void switched_off(void **state)
{
	(void)state;
	set_sysctl("net.ipv4.tcp_comp_sack_nr", "0");
	connected(true);
	for (u32 i = 0; i < 10; i++) {
		out_of_order(i);
		expect(ACK);
	}
	expect_nothing();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tcp_world_setup, tcp_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timer_sends_one_for_all),	  TEST(any_ack_carries_them),
		TEST(as_many_as_the_sysctl_says), TEST(progress_begins_anew),
		TEST(not_without_sack),		  TEST(switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
