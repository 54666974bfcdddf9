/* SPDX-License-Identifier: MIT */
/*
 * Small segments that are sent again become one (tcp_collapse.c) where it fits into an MSS and the
 * peer's window; what the peer has SACKed and an end of record stay apart. run_for() holds the
 * counts of what is out, lost and retransmitted to the queue at every step.
 */
#include "stack/tcp/tcp_world.h"
#include "stack/tcp.h"

#define PORT  80
#define LEN   100u
#define COUNT 10u

static struct peer peer = { .sport = 4000, .dport = PORT, .window = 65535 };
static u32 first; /* number of the host's first octet */
static u32 peer_next; /* of the peer's next */

static s32 connected(u16 mss, bool sack)
{
	u8 opts[8] = { 2, 4, (u8)(mss >> 8), (u8)mss, sack ? 4 : 1, sack ? 2 : 1, 1, 1 };
	s32 listener = t_listener(PORT, 5), fd;

	peer.window = 65535;
	peer_next = 1000;
	peer.opts = opts;
	peer.opts_len = sizeof(opts);
	peer_send(&peer, SYN, 999, 0, 0);
	first = expect(SYN | ACK)->tcp.seq + 1;
	peer.opts_len = 0;
	peer_send(&peer, ACK, 1000, first, 0);
	fd = (s32)t_call(SYS_ACCEPT, listener, SOCK_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(t_setopt(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	assert_int_equal(t_close(listener), 0);
	return fd;
}

/* Segments of LEN octets, each sent at once; the `eor`-th is the end of a record (0: none). */
static void send_small(s32 fd, u32 eor)
{
	static const u8 data[LEN];

	for (u32 i = 1; i <= COUNT; i++) {
		struct sys_op op = call_of(SYS_SENDMSG, fd);

		op.data = (u8 *)(uintptr_t)data;
		op.data_len = LEN;
		op.arg[0] = i == eor ? MSG_EOR : 0;
		assert_int_equal(finish(&op), LEN);
		assert_int_equal(expect(ACK | PSH)->len, LEN);
	}
	expect_nothing();
}

/* The first segment that is sent again from the beginning: how many octets it has. */
static u32 sent_again(void)
{
	for (u32 i = 0; i < 400; i++) {
		run_for(MS);
		while (seen_read < seen_count) {
			const struct segment *s = next_segment();

			if (s->tcp.seq == first)
				return s->len;
		}
	}
	fail();
	return 0;
}

/* The peer acknowledges all; nothing is left to be sent. */
static void all_there(void)
{
	peer.opts_len = 0;
	peer_send(&peer, ACK, peer_next, first + COUNT * LEN, 0);
	seen_read = seen_count;
	run_for(SEC);
	expect_nothing();
}

static void all_in_one(void **state)
{
	(void)state;
	send_small(connected(1460, false), 0);
	assert_int_equal(sent_again(), COUNT * LEN);
	assert_int_equal(counter("TcpRetransSegs"), 1);
	all_there();
}

static void no_more_than_an_mss(void **state)
{
	(void)state;
	send_small(connected(536, false), 0);
	assert_int_equal(sent_again(), 5 * LEN);
	all_there();
}

static void no_more_than_the_window(void **state)
{
	(void)state;
	send_small(connected(1460, false), 0);
	peer.window = 3 * LEN + 1;
	/* A window that shrinks is believed of a segment with a new number only. */
	peer_send(&peer, ACK, peer_next++, first, 1);
	peer_send(&peer, ACK, peer_next++, first, 1);
	assert_int_equal(sent_again(), 3 * LEN);
	all_there();
}

static void end_of_record_stays(void **state)
{
	(void)state;
	send_small(connected(1460, false), 4);
	assert_int_equal(sent_again(), 4 * LEN);
	all_there();
}

static void sacked_stays_apart(void **state)
{
	u8 sack[12] = { 1, 1, 5, 10 };

	(void)state;
	send_small(connected(1460, true), 0);
	put_be32(sack + 4, first + 2 * LEN);
	put_be32(sack + 8, first + 3 * LEN);
	peer.opts = sack;
	peer.opts_len = sizeof(sack);
	peer_send(&peer, ACK, 1000, first, 0);
	assert_int_equal(sent_again(), 2 * LEN);
	all_there();
}

static void switched_off(void **state)
{
	(void)state;
	set_sysctl("net.ipv4.tcp_retrans_collapse", "0");
	send_small(connected(1460, false), 0);
	assert_int_equal(sent_again(), LEN);
	all_there();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tcp_world_setup, tcp_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_in_one),	   TEST(no_more_than_an_mss), TEST(no_more_than_the_window),
		TEST(end_of_record_stays), TEST(sacked_stays_apart),  TEST(switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
