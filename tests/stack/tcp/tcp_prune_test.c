/* SPDX-License-Identifier: MIT */
/*
 * A receive buffer that is full of small segments, in order and out of order, with sequence numbers
 * that wrap: nothing is lost and nothing is made up when they are copied together (tcp_prune.c).
 * run_for() holds every step to the invariants of queues and accounts.
 */
#include "stack/tcp/tcp_world.h"

#define PORT 80

static const u8 sack_opts[4] = { 2, 4, 5, 180 }, no_opts[1];
static struct peer peer = { .sport = 4000, .dport = PORT, .window = 65535 };

/* A connection whose receiver has room for `rcvbuf` bytes; the peer's first byte has number isn
 * + 1. Returns the descriptor. */
static s32 connected(u32 isn, s32 rcvbuf, u32 *host_isn)
{
	s32 listener = t_listener(PORT, 5), fd;

	assert_int_equal(t_setopt(listener, SOL_SOCKET, SO_RCVBUF, rcvbuf), 0);
	peer.opts = sack_opts;
	peer.opts_len = 4;
	peer_send(&peer, SYN, isn, 0, 0);
	*host_isn = expect(SYN | ACK)->tcp.seq;
	peer.opts = no_opts;
	peer.opts_len = 0;
	peer_send(&peer, ACK, isn + 1, *host_isn + 1, 0);
	fd = (s32)t_call(SYS_ACCEPT, listener, SOCK_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(t_close(listener), 0);
	return fd;
}

/* Bytes that can be read, all of them. */
static u32 drain(s32 fd)
{
	static u8 buf[65536];
	u32 sum = 0;
	s64 n;

	while ((n = t_recv(fd, buf, sizeof(buf))) > 0) {
		for (s64 i = 0; i < n; i++)
			assert_int_equal(buf[i], 'x');
		sum += (u32)n;
	}
	assert_int_equal(n, -EAGAIN);
	return sum;
}

static void bye(s32 fd)
{
	u8 linger[8] = { 1 };
	struct sys_op op = call_of(SYS_SETSOCKOPT, fd);

	op.arg[0] = SOL_SOCKET;
	op.arg[1] = SO_LINGER;
	op.data = linger;
	op.data_len = sizeof(linger);
	assert_int_equal(finish(&op), 0);
	assert_int_equal(t_close(fd), 0);
}

/* Where the numbers begin: at once, at the wrap of signed and of unsigned ones. */
static const u32 starts[] = { 1000, 0x7ffff800, 0xfffff800 };

static void in_order(void **state)
{
	(void)state;
	for (u32 i = 0; i < 3; i++) {
		u32 isn = starts[i], host_isn, before = (u32)counter("TcpExtTCPRcvCollapsed");
		s32 fd = connected(isn, 8000, &host_isn);

		for (u32 at = 0; at < 4000; at += 50)
			peer_send(&peer, ACK, isn + 1 + at, host_isn + 1, 50);
		assert_true(counter("TcpExtTCPRcvCollapsed") > before);
		assert_int_equal(counter("TcpExtRcvPruned"), 0);
		assert_int_equal(drain(fd), 4000);
		bye(fd);
		run_for(SEC);
		seen_read = seen_count = 0;
		peer.sport++;
	}
}

/* Every second one first, so that the queue is all holes, then the others. */
static void holes_filled(void **state)
{
	(void)state;
	for (u32 i = 0; i < 3; i++) {
		u32 isn = starts[i], host_isn;
		s32 fd = connected(isn, 60000, &host_isn);

		for (u32 odd = 2; odd-- > 0;)
			for (u32 at = odd * 50; at < 4000; at += 100) {
				peer_send(&peer, ACK, isn + 1 + at, host_isn + 1, 50);
				seen_read = seen_count = 0;
			}
		assert_int_equal(drain(fd), 4000);
		bye(fd);
		run_for(SEC);
		seen_read = seen_count = 0;
		peer.sport++;
	}
}

/* A run out of order that overlaps itself, behind a hole, in a small buffer: each byte once. */
static void overlaps(void **state)
{
	(void)state;
	for (u32 i = 0; i < 3; i++) {
		u32 isn = starts[i], host_isn;
		s32 fd = connected(isn, 8000, &host_isn);

		for (u32 at = 100; at < 3000; at += 40)
			peer_send(&peer, ACK, isn + 1 + at, host_isn + 1, 50);
		seen_read = seen_count = 0;
		assert_true(counter("TcpExtTCPRcvCollapsed") > 0);
		assert_int_equal(drain(fd), 0);
		peer_send(&peer, ACK, isn + 1, host_isn + 1, 100);
		assert_int_equal(drain(fd), 3030);
		bye(fd);
		run_for(SEC);
		seen_read = seen_count = 0;
		peer.sport++;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order, tcp_world_setup, tcp_world_teardown),
		cmocka_unit_test_setup_teardown(holes_filled, tcp_world_setup, tcp_world_teardown),
		cmocka_unit_test_setup_teardown(overlaps, tcp_world_setup, tcp_world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
