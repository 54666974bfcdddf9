/* SPDX-License-Identifier: MIT */
/*
 * Reassembly: fragments of an echo request in all orders, with duplicates and overlaps, against an
 * array of bytes that remembers who wrote where. The answer, in fragments itself, must carry what
 * the model holds.
 */
#include "stack/ipv4/ip_world.h"

#include "ipv4/ip_fragment.h"

static u8 datagram[65535];

static void fragment(u32 offset, u32 len, bool more, u16 id)
{
	struct ip4_hdr h = { .id = id, .protocol = IPPROTO_ICMP };

	h.frag = (u16)(offset / 8 | (more ? IP4_MF : 0));
	ipw_ip(h, NULL, 0, datagram + offset, len);
}

/* Puts the fragments that came out (all of one packet) together in order. Returns the length. */
static u32 collect_reply(u8 *to)
{
	u32 end = 0;

	for (u32 i = 0; i < iw.out_count; i++) {
		const u8 *ip = ipw_out_ip(i);
		u32 len = ip4_tot_len(ip) - ip4_ihl(ip), at = (ip4_frag(ip) & IP4_OFFSET) * 8u;

		assert_true(at == end); /* in order, without gap */
		assert_int_equal((ip4_frag(ip) & IP4_MF) != 0, i + 1 < iw.out_count);
		assert_true(ip4_tot_len(ip) <= 1500);
		memcpy(to + at, ip + ip4_ihl(ip), len);
		end = at + len;
	}
	return end;
}

static void expect_echo(u32 len)
{
	static u8 reply[65535];

	assert_true(iw.out_count > 0);
	assert_int_equal(collect_reply(reply), len);
	assert_int_equal(reply[0], ICMP_ECHOREPLY);
	assert_int_equal(csum_fold(csum_partial(reply, len, 0)), 0);
	assert_memory_equal(reply + 4, datagram + 4, len - 4);
	iw.out_count = 0;
}

static void permute(u32 *order, u32 n, u32 k, u32 size, u32 len, u16 *id)
{
	if (k == n) {
		++*id;
		for (u32 i = 0; i < n; i++) {
			u32 at = order[i] * size;

			assert_int_equal(iw.out_count, 0);
			fragment(at, at + size < len ? size : len - at, at + size < len, *id);
		}
		expect_echo(len);
		return;
	}
	for (u32 i = k; i < n; i++) {
		u32 t = order[k];

		order[k] = order[i];
		order[i] = t;
		permute(order, n, k + 1, size, len, id);
		order[i] = order[k];
		order[k] = t;
	}
}

static void every_order(void **state)
{
	u32 order[5] = { 0, 1, 2, 3, 4 };
	u16 id = 0;

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	assert_int_equal(ipw_sysctl("net.ipv4.ipfrag_max_dist", "0"), 0);
	ipw_echo(datagram, 37, 1, 1);
	permute(order, 5, 0, 8, 37, &id);
	assert_int_equal(id, 120);
	assert_int_equal(ipw_counter("IpReasmReqds"), 600);
	assert_int_equal(ipw_counter("IpReasmOKs"), 120);
	assert_int_equal(ipw_counter("IpReasmFails"), 0);
	assert_int_equal(ip_frag_mem(iw.net), 0);
}

static u32 seed;

static u32 rnd(u32 n)
{
	seed = seed * 1664525u + 1013904223u;
	return (u32)((u64)(seed >> 8) * n >> 24);
}

/*
 * Random fragments of random datagrams against a model: a byte map of what is there, runs as the
 * rules see them. What is wholly inside one run is a duplicate, what overlaps otherwise ends the
 * datagram.
 */
static void random_fragments(void **state)
{
	u32 done = 0, dup = 0, overlap = 0;

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	assert_int_equal(ipw_sysctl("net.ipv4.ipfrag_max_dist", "0"), 0);
	seed = 99;
	for (u32 round = 1; round <= 400; round++) {
		u32 units = 2 + rnd(12), len = units * 8 - rnd(8), meat = 0;
		u8 map[16] = { 0 };
		bool alive = true;
		u64 overlaps = ipw_counter("IpExtReasmOverlaps"),
		    dups = ipw_counter("Drop.DUP_FRAG");

		ipw_echo(datagram, len, (u16)round, 1);
		iw.out_count = 0;
		for (u32 i = 0; i < 200 && alive; i++) {
			u32 at = rnd(units), n = 1 + rnd(3), have = 0;

			if (at + n > units)
				n = units - at;
			if (n == units) /* that would be no fragment */
				n--;
			for (u32 j = at; j < at + n; j++)
				have += map[j] != 0;
			fragment(at * 8, at + n == units ? len - at * 8 : n * 8, at + n < units,
				 (u16)round);
			if (!have) {
				memset(map + at, 1, n);
				meat += n;
				assert_int_equal(ipw_counter("IpExtReasmOverlaps"), overlaps);
				assert_int_equal(ipw_counter("Drop.DUP_FRAG"), dups);
			} else if (have < n) { /* part of it is new: an overlap for sure */
				assert_int_equal(ipw_counter("IpExtReasmOverlaps"), overlaps + 1);
				overlap++;
				alive = false;
			} else if (ipw_counter("Drop.DUP_FRAG") > dups) {
				dups++;
				dup++;
			} else { /* all there, but over the seam of two runs */
				assert_true(n > 1);
				assert_int_equal(ipw_counter("IpExtReasmOverlaps"), overlaps + 1);
				overlap++;
				alive = false;
			}
			if (alive && meat == units) {
				expect_echo(len);
				done++;
				alive = false;
			}
		}
		ipw_run(31 * NSEC_PER_SEC);
		iw.out_count = 0;
		assert_int_equal(ip_frag_mem(iw.net), 0);
	}
	assert_true(done > 50 && dup > 50 && overlap > 50);
}

static void the_largest(void **state)
{
	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	ipw_echo(datagram, 65515, 1, 1);
	for (u32 at = 0; at < 65515; at += 1480)
		fragment(at, at + 1480 < 65515 ? 1480 : 65515 - at, at + 1480 < 65515, 7);
	expect_echo(65515);
	/* One byte more does not fit in a total length. */
	for (u32 at = 0; at < 65516; at += 1480)
		fragment(at, at + 1480 < 65516 ? 1480 : 65516 - at, at + 1480 < 65516, 8);
	assert_int_equal(iw.out_count, 0);
	assert_int_equal(ipw_counter("IpReasmFails"), 1);
	assert_int_equal(ipw_counter("Drop.FRAG_INVALID"), 45);
	assert_int_equal(ip_frag_mem(iw.net), 0);
}

static void contradictions(void **state)
{
	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	ipw_echo(datagram, 100, 1, 1);
	fragment(64, 36, false, 1); /* the end is at 100 */
	fragment(96, 8, true, 1); /* past it */
	assert_int_equal(ipw_counter("IpReasmFails"), 1);
	fragment(64, 36, false, 2);
	fragment(64, 28, false, 2); /* another end */
	assert_int_equal(ipw_counter("IpReasmFails"), 2);
	fragment(8, 0, true, 3); /* nothing in it */
	assert_int_equal(ipw_counter("IpReasmFails"), 3);
	assert_int_equal(ipw_counter("Drop.FRAG_INVALID"), 5);
	/* Not a multiple of 8 and not the last: cut, so the rest must come again. */
	fragment(0, 68, true, 4);
	fragment(64, 36, false, 4);
	expect_echo(100);
}

static void time_runs_out(void **state)
{
	const u8 *ip, *icmp;

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	ipw_echo(datagram, 100, 1, 1);
	fragment(8, 8, true, 1); /* no first fragment: no error (RFC 792) */
	ipw_run(30 * NSEC_PER_SEC - 1);
	assert_int_equal(ipw_counter("IpReasmTimeout"), 0);
	ipw_run(1);
	assert_int_equal(ipw_counter("IpReasmTimeout"), 1);
	assert_int_equal(iw.out_count, 0);
	fragment(0, 16, true, 2);
	fragment(32, 8, true, 2);
	ipw_run(30 * NSEC_PER_SEC);
	assert_int_equal(iw.out_count, 1);
	ip = ipw_out_ip(0);
	icmp = ip + 20;
	assert_int_equal(icmp4_type(icmp), ICMP_TIME_EXCEEDED);
	assert_int_equal(icmp4_code(icmp), ICMP_EXC_FRAGTIME);
	assert_int_equal(ip4_id(icmp + 8), 2);
	assert_int_equal(ip4_tot_len(ip), 20 + 8 + 20 + 16);
	assert_memory_equal(icmp + 28, datagram, 16);
	assert_int_equal(ipw_counter("Drop.FRAG_REASM_TIMEOUT"), 3);
}

static void codepoints(void **state)
{
	static const struct {
		u8 first, second;
		s32 result; /* -1: refused */
	} cases[] = {
		{ 0, 0, 0 }, { 1, 1, 1 },  { 2, 2, 2 },	 { 3, 3, 3 },  { 1, 3, 3 },  { 2, 3, 3 },
		{ 3, 2, 3 }, { 0, 3, -1 }, { 3, 0, -1 }, { 0, 2, -1 }, { 1, 0, -1 },
	};

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip4_hdr h = { .id = (u16)(i + 1), .protocol = IPPROTO_ICMP };

		iw.out_count = 0;
		ipw_echo(datagram, 24, 1, 1);
		h.tos = cases[i].first;
		h.frag = IP4_MF;
		ipw_ip(h, NULL, 0, datagram, 16);
		h.tos = cases[i].second;
		h.frag = 2;
		ipw_ip(h, NULL, 0, datagram + 16, 8);
		assert_int_equal(iw.out_count, cases[i].result >= 0);
		/* The echo answers with the TOS that it was asked with. */
		if (cases[i].result >= 0)
			assert_int_equal(ip4_tos(ipw_out_ip(0)) & 3, cases[i].result);
	}
}

static void memory_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(ipw_sysctl("net.ipv4.ipfrag_low_thresh", "0"), 0);
	assert_int_equal(ipw_sysctl("net.ipv4.ipfrag_high_thresh", "20000"), 0);
	ipw_echo(datagram, 1000, 1, 1);
	for (u16 id = 1; id <= 100; id++)
		fragment(8, 800, true, id);
	assert_true(ip_frag_mem(iw.net) <= 20000 + 192 + 4096);
	assert_true(ipw_counter("Drop.FRAG_HIGH_MEM") > 50);
	assert_int_equal(ipw_counter("Drop.FRAG_HIGH_MEM"), ipw_counter("IpReasmFails"));
	ipw_run(30 * NSEC_PER_SEC);
	assert_int_equal(ip_frag_mem(iw.net), 0);
}

/* Fragments of more than 64 other datagrams of the sender came between. */
static void too_far(void **state)
{
	(void)state;
	ipw_echo(datagram, 100, 1, 1);
	fragment(0, 16, true, 1);
	for (u16 id = 2; id < 70; id++)
		fragment(0, 16, true, id);
	fragment(16, 16, true, 1);
	assert_int_equal(ipw_counter("Drop.FRAG_TOO_FAR"), 1);
	assert_int_equal(ipw_counter("IpReasmFails"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPW_TEST(every_order),	     IPW_TEST(random_fragments), IPW_TEST(the_largest),
		IPW_TEST(contradictions),    IPW_TEST(time_runs_out),	 IPW_TEST(codepoints),
		IPW_TEST(memory_is_bounded), IPW_TEST(too_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
