/* SPDX-License-Identifier: MIT */
/*
 * The window of a tracked TCP connection against a model: two ends that obey RFC 9293 and a network
 * that loses, repeats and reorders. Whatever they say to each other must never be INVALID; what
 * lies far outside must always be.
 */
#include "stack/ipv4/ip_world.h"

#include "lib/hash.h"
#include "nf/nf_conntrack_tcp.h"

static struct nf_conn ct;
static struct sk_buff fake_skb;
static struct nf_hook_state fake_state;
static struct nf_ct_packet fake_packet;

static struct nf_ct_segment segment(u8 flags, u32 seq, u32 ack, u32 len, u16 win)
{
	struct nf_ct_segment s = { .p = &fake_packet };

	s.th.flags = flags;
	s.th.seq = seq;
	s.th.ack_seq = ack;
	s.th.window = win;
	s.th.doff = TCP_HLEN;
	s.end = seq + len + !!(flags & TCPHDR_SYN) + !!(flags & TCPHDR_FIN);
	s.index = flags & TCPHDR_SYN ? flags & TCPHDR_ACK ? TCP_SYNACK_SET : TCP_SYN_SET :
				       TCP_ACK_SET;
	return s;
}

static enum nf_ct_tcp_action say(u8 dir, u8 flags, u32 seq, u32 ack, u32 len, u16 win)
{
	const struct nf_ct_segment s = segment(flags, seq, ack, len, win);

	return tcp_in_window(&ct, &s, dir);
}

/* SYN and SYN-ACK at these numbers, without options. */
static void opened(u32 isn0, u32 isn1, u16 win)
{
	struct ip_ct_tcp_state *first = &ct.proto.tcp.seen[0];

	memset(&ct, 0, sizeof(ct));
	ct.net = iw.net;
	fake_state.net = iw.net;
	fake_packet.skb = &fake_skb;
	fake_packet.state = &fake_state;
	first->td_end = isn0 + 1;
	first->td_maxend = isn0 + 1;
	first->td_maxwin = win;
	ct.proto.tcp.state = TCP_CONNTRACK_SYN_SENT;
	assert_int_equal(say(0, TCPHDR_SYN, isn0, 0, 0, win), NFCT_TCP_ACCEPT);
	assert_int_equal(say(1, TCPHDR_SYN | TCPHDR_ACK, isn1, isn0 + 1, 0, win), NFCT_TCP_ACCEPT);
	ct.proto.tcp.state = TCP_CONNTRACK_ESTABLISHED;
	assert_int_equal(say(0, TCPHDR_ACK, isn0 + 1, isn1 + 1, 0, win), NFCT_TCP_ACCEPT);
}

/* One end: what it has sent and heard. */
struct end {
	u32 snd_una, snd_nxt, rcv_nxt, snd_wnd;
};

/* A segment of `from`: new data within the window, old data again, or an acknowledgment. */
static void one_segment(struct end *from, struct end *to, u8 dir, u64 dice, u16 win)
{
	u32 seq = from->snd_nxt, len = 0, room;

	room = from->snd_una + from->snd_wnd - from->snd_nxt;
	if (dice % 4 == 0 && room)
		len = min_u32((u32)(dice >> 8) % 1460 + 1, room);
	else if (dice % 4 == 1 && from->snd_nxt != from->snd_una) {
		seq = from->snd_una;
		len = min_u32((u32)(dice >> 8) % 1460 + 1, from->snd_nxt - from->snd_una);
	}
	if (after(seq + len, from->snd_nxt))
		from->snd_nxt = seq + len;
	/* Lost in front of the one who watches: he must do without it. */
	if (dice >> 40 & 1)
		return;
	assert_int_equal(say(dir, TCPHDR_ACK, seq, from->rcv_nxt, len, win), NFCT_TCP_ACCEPT);
	/* Lost behind him. */
	if (dice >> 41 & 1)
		return;
	if (!after(seq, to->rcv_nxt) && after(seq + len, to->rcv_nxt))
		to->rcv_nxt = seq + len;
	if (after(from->rcv_nxt, to->snd_una))
		to->snd_una = from->rcv_nxt;
}

static void what_two_ends_say_is_valid(void **state)
{
	static const u32 starts[][2] = { { 1000, 5000 },
					 { 0xfffffff0, 0x7ffffff0 },
					 { 0x7fffffff, 0xffffffff } };

	(void)state;
	for (u64 run = 0; run < 60; run++) {
		u32 a = starts[run % 3][0], b = starts[run % 3][1];
		u16 win = (u16)(1000 + mix64(run) % 60000);
		struct end end[2] = { { a + 1, a + 1, b + 1, win }, { b + 1, b + 1, a + 1, win } };

		opened(a, b, win);
		for (u64 i = 0; i < 400; i++) {
			u64 dice = mix64(run * 1000 + i);
			u8 dir = dice >> 50 & 1;

			one_segment(&end[dir], &end[!dir], dir, dice, win);
		}
	}
}

static void what_lies_far_outside_is_not(void **state)
{
	(void)state;
	opened(1000, 5000, 10000);
	for (u64 n = 0; n < 2000; n++) {
		u32 far = 100000 + (u32)(mix64(n) % 0x7f000000);

		assert_int_equal(say(0, TCPHDR_ACK, 1001 + far, 5001, 100, 10000),
				 NFCT_TCP_INVALID);
		assert_int_equal(say(0, TCPHDR_ACK, 1001, 5001 + far, 100, 10000),
				 NFCT_TCP_INVALID);
		/* Old ones pass and change nothing. */
		assert_int_not_equal(say(1, TCPHDR_ACK, 5001 - far, 1001, 100, 10000),
				     NFCT_TCP_INVALID);
	}
	assert_int_equal(ct.proto.tcp.seen[0].td_maxend, 11001);
	ipw_sysctl("net.netfilter.nf_conntrack_tcp_be_liberal", "1");
	assert_int_equal(say(0, TCPHDR_ACK, 9999999, 5001, 100, 10000), NFCT_TCP_ACCEPT);
}

static void options(void **state)
{
	static const u8 good[] = { 2, 4, 5, 180, 1, 3, 3, 20, 4, 2, 0, 0 };
	static const u8 cut[] = { 1, 1, 3, 9, 7 };
	struct ip_ct_tcp_state seen = { .flags = IP_CT_TCP_FLAG_BE_LIBERAL };
	struct nf_ct_segment s = { .options = good, .options_len = sizeof(good) };

	(void)state;
	tcp_ct_options(&s, &seen);
	/* RFC 7323 2.3: 14 is the most. */
	assert_int_equal(seen.td_scale, 14);
	assert_int_equal(seen.flags, IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_WINDOW_SCALE |
					     IP_CT_TCP_FLAG_SACK_PERM);
	s.options = cut;
	s.options_len = sizeof(cut);
	tcp_ct_options(&s, &seen);
	assert_int_equal(seen.td_scale, 0);
	assert_int_equal(seen.flags, IP_CT_TCP_FLAG_BE_LIBERAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPW_TEST(what_two_ends_say_is_valid),
		IPW_TEST(what_lies_far_outside_is_not),
		IPW_TEST(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
