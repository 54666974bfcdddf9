/* SPDX-License-Identifier: MIT */
/* ARP and the neighbour state machine, to the millisecond. */
#include "stack/ipv4/ip_world.h"

#include "ipv4/arp.h"
#include "ipv4/ip.h"

#define MS NSEC_PER_MSEC

static struct neighbour *entry(u32 addr)
{
	u8 key[4];

	put_be32(key, addr);
	return neigh_lookup_noref(iw.h->arp_tbl, key, iw.dev);
}

static u8 state_of(u32 addr)
{
	const struct neighbour *n = entry(addr);

	return n ? n->nud_state : 0xff;
}

/* A packet of ours to addr: through routing and the neighbour, as any sender's. */
static void send_to(u32 addr)
{
	struct flowi4 fl4 = { .daddr = htonl(addr) };
	struct ipcm_cookie ipc;
	struct sk_buff *skb;
	struct rtable *rt;
	struct inet_cork cork;
	u8 payload[8] = { 0 };
	int err;

	rt = ip_route_output_key(iw.net, &fl4, &err);
	assert_non_null(rt);
	ipcm_init_sk(&ipc, NULL);
	ipc.protocol = 253; /* RFC 3692 */
	skb = ip_make_skb(iw.net, NULL, &fl4, payload, 8, 0, &ipc, &rt, 0, &cork, &err);
	assert_non_null(skb);
	assert_null(rt);
	ip_send_skb(iw.net, skb);
	ipw_run(0);
}

static void expect_request(u32 n, const u8 *dst, u32 target)
{
	struct arp_hdr a;

	assert_true(n < iw.out_count);
	assert_int_equal(eth_type(iw.out[n].bytes), 0x0806);
	assert_memory_equal(iw.out[n].bytes, dst, 6);
	assert_true(arp_parse(iw.out[n].bytes + 14, iw.out[n].len - 14, &a));
	assert_int_equal(a.op, ARPOP_REQUEST);
	assert_int_equal(ntohl(a.tpa), target);
	assert_int_equal(ntohl(a.spa), OUR_IP);
	assert_memory_equal(a.sha, our_mac, 6);
}

static void nobody_answers(void **state)
{
	u64 start;

	(void)state;
	ipw_run(5 * MS);
	start = iw.w->now;
	send_to(PEER_IP);
	assert_int_equal(state_of(PEER_IP), NUD_INCOMPLETE);
	ipw_run(2999 * MS);
	assert_int_equal(iw.out_count, 3);
	for (u32 i = 0; i < 3; i++) {
		expect_request(i, bcast_mac, PEER_IP);
		assert_int_equal(iw.out[i].time, start + i * 1000 * MS);
	}
	assert_int_equal(state_of(PEER_IP), NUD_INCOMPLETE);
	ipw_run(1 * MS);
	assert_int_equal(state_of(PEER_IP), NUD_FAILED);
	assert_int_equal(ipw_counter("Drop.NEIGH_FAILED"), 1);
	/* The sender, ourselves, is told: host unreachable. */
	assert_int_equal(ipw_counter("IcmpInDestUnreachs"), 1);
	assert_int_equal(iw.out_count, 3);
	/* The next packet starts anew. */
	send_to(PEER_IP);
	assert_int_equal(state_of(PEER_IP), NUD_INCOMPLETE);
	expect_request(3, bcast_mac, PEER_IP);
}

static void a_life(void **state)
{
	struct neighbour *n;
	u64 reachable;

	(void)state;
	send_to(PEER_IP);
	send_to(PEER_IP);
	ipw_arp(ARPOP_REPLY, our_mac, PEER_IP, OUR_IP, our_mac);
	assert_int_equal(state_of(PEER_IP), NUD_REACHABLE);
	assert_int_equal(iw.out_count, 3); /* the request, then both in order */
	assert_memory_equal(ipw_out_ip(1) - 14, peer_mac, 6);
	n = entry(PEER_IP);
	reachable = n->parms->reachable_time_ms;
	assert_in_range(reachable, 15000, 45000);
	/* Nothing used it lately: STALE, without a packet. The timer looks again 10 ms later when
	 * it fires at the very end. */
	ipw_run((reachable + 10) * MS);
	assert_int_equal(state_of(PEER_IP), NUD_STALE);
	assert_int_equal(iw.out_count, 3);
	/* Used again: at once sent, 5 s later asked alone three times. */
	send_to(PEER_IP);
	assert_int_equal(state_of(PEER_IP), NUD_DELAY);
	assert_int_equal(iw.out_count, 4);
	ipw_run(5000 * MS);
	assert_int_equal(state_of(PEER_IP), NUD_PROBE);
	ipw_run(2999 * MS);
	assert_int_equal(iw.out_count, 7);
	for (u32 i = 4; i < 7; i++)
		expect_request(i, peer_mac, PEER_IP);
	ipw_run(1 * MS);
	assert_int_equal(state_of(PEER_IP), NUD_FAILED);
}

static void confirmed_in_time(void **state)
{
	(void)state;
	assert_int_equal(ipw_neigh(PEER_IP, NUD_STALE), 0);
	send_to(PEER_IP);
	ipw_run(1000 * MS);
	neigh_confirm(entry(PEER_IP)); /* a higher layer heard from it */
	ipw_run(4000 * MS);
	assert_int_equal(state_of(PEER_IP), NUD_REACHABLE);
	assert_int_equal(iw.out_count, 1);
}

static void what_is_learnt(void **state)
{
	static const u8 other_mac[6] = { 2, 0, 0, 0, 0, 8 };

	(void)state;
	/* A reply that nobody asked for makes no entry. */
	ipw_arp(ARPOP_REPLY, our_mac, PEER_IP, OUR_IP, our_mac);
	assert_null(entry(PEER_IP));
	/* Nor does a request for another. */
	ipw_arp(ARPOP_REQUEST, bcast_mac, PEER_IP, 0xc0000250, NULL);
	assert_null(entry(PEER_IP));
	assert_int_equal(iw.out_count, 0);
	/* One for us does, and is answered. */
	ipw_arp(ARPOP_REQUEST, bcast_mac, PEER_IP, OUR_IP, NULL);
	assert_int_equal(state_of(PEER_IP), NUD_STALE);
	assert_int_equal(iw.out_count, 1);
	assert_memory_equal(iw.out[0].bytes, peer_mac, 6);
	assert_int_equal(iw.out[0].bytes[21], ARPOP_REPLY);
	/* Within locktime a second answer does not replace the first; a permanent one is never. */
	assert_int_equal(neigh_update(entry(PEER_IP), other_mac, NUD_STALE, 0), 0);
	assert_memory_equal(entry(PEER_IP)->ha, peer_mac, 6);
	assert_int_equal(
		neigh_update(entry(PEER_IP), other_mac, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE), 0);
	assert_memory_equal(entry(PEER_IP)->ha, other_mac, 6);
	ipw_arp(ARPOP_REPLY, our_mac, PEER_IP, OUR_IP, our_mac);
	assert_memory_equal(entry(PEER_IP)->ha, other_mac, 6);
	ipw_run(1001 * MS);
	ipw_arp(ARPOP_REPLY, our_mac, PEER_IP, OUR_IP, our_mac);
	assert_memory_equal(entry(PEER_IP)->ha, peer_mac, 6);
	assert_int_equal(state_of(PEER_IP), NUD_REACHABLE);
	assert_int_equal(ipw_neigh(PEER_IP, NUD_PERMANENT), 0);
	ipw_run(1001 * MS);
	assert_int_equal(neigh_update(entry(PEER_IP), other_mac, NUD_STALE,
				      NEIGH_UPDATE_F_OVERRIDE),
			 -EPERM);
	assert_memory_equal(entry(PEER_IP)->ha, peer_mac, 6);
}

static void gratuitous(void **state)
{
	(void)state;
	ipw_arp(ARPOP_REQUEST, bcast_mac, PEER_IP, PEER_IP, NULL);
	assert_null(entry(PEER_IP));
	assert_int_equal(ipw_sysctl("net.ipv4.conf.eth0.arp_accept", "1"), 0);
	ipw_arp(ARPOP_REQUEST, bcast_mac, PEER_IP, PEER_IP, NULL);
	assert_int_equal(state_of(PEER_IP), NUD_STALE);
	assert_int_equal(ipw_counter("ArpInGratuitous"), 2);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.eth0.drop_gratuitous_arp", "1"), 0);
	ipw_arp(ARPOP_REQUEST, bcast_mac, PEER_IP, PEER_IP, NULL);
	assert_int_equal(ipw_counter("Drop.ARP_INVALID"), 1);
}

static void probes(void **state)
{
	struct arp_hdr a;

	(void)state;
	ipw_arp(ARPOP_REQUEST, bcast_mac, 0, OUR_IP, NULL);
	assert_int_equal(iw.out_count, 1);
	assert_true(arp_parse(iw.out[0].bytes + 14, iw.out[0].len - 14, &a));
	assert_int_equal(a.op, ARPOP_REPLY);
	assert_int_equal(a.tpa, 0);
	assert_null(entry(0));
	ipw_arp(ARPOP_REQUEST, bcast_mac, 0, 0xc0000250, NULL);
	assert_int_equal(iw.out_count, 1);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.arp_ignore", "8"), 0);
	ipw_arp(ARPOP_REQUEST, bcast_mac, 0, OUR_IP, NULL);
	ipw_arp(ARPOP_REQUEST, bcast_mac, PEER_IP, OUR_IP, NULL);
	assert_int_equal(iw.out_count, 1);
	assert_int_equal(ipw_counter("Drop.ARP_IGNORE"), 2);
	assert_int_equal(ipw_counter("ArpInProbes"), 3);
	/* A request from 0.0.0.0 that names its hardware is no probe. */
	ipw_arp(ARPOP_REQUEST, bcast_mac, 0, OUR_IP, our_mac);
	assert_int_equal(ipw_counter("ArpInProbes"), 3);
}

static void malformed(void **state)
{
	u8 frame[60] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 8, 6 };
	struct arp_hdr a = { .hrd = 1, .pro = 0x0800, .hln = 6, .pln = 4, .op = 1 };
	static const struct {
		u32 at;
		u8 value;
	} cases[] = { { 15, 7 }, { 16, 0 },   { 18, 5 },  { 19, 16 },
		      { 21, 3 }, { 38, 224 }, { 38, 127 } };

	(void)state;
	a.spa = htonl(PEER_IP);
	a.tpa = htonl(OUR_IP);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		arp_build(frame + 14, &a);
		frame[cases[i].at] = cases[i].value;
		ipw_frame(frame, sizeof(frame));
		assert_int_equal(ipw_counter("Drop.ARP_INVALID"), i + 1);
	}
	ipw_frame(frame, 14 + 27);
	assert_int_equal(ipw_counter("Drop.ARP_INVALID"), ARRAY_SIZE(cases) + 1);
	assert_int_equal(iw.out_count, 0);
}

/* unres_qlen_bytes: the oldest go. */
static void the_queue_is_bounded(void **state)
{
	u32 kept;

	(void)state;
	assert_int_equal(ipw_sysctl("net.ipv4.neigh.eth0.unres_qlen_bytes", "8000"), 0);
	for (u32 i = 0; i < 30; i++)
		send_to(PEER_IP);
	assert_true(entry(PEER_IP)->arp_queue_len_bytes <= 8000);
	kept = entry(PEER_IP)->arp_queue.qlen;
	assert_true(kept > 1 && kept < 30);
	assert_int_equal(ipw_counter("Drop.NEIGH_QUEUEFULL"), 30 - kept);
	ipw_arp(ARPOP_REPLY, our_mac, PEER_IP, OUR_IP, our_mac);
	assert_int_equal(iw.out_count, 1 + kept);
}

static void the_table_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(ipw_addr(0x0a000001, 8, true), 0);
	for (u32 i = 0; i < 3000; i++) {
		send_to(0x0a010000 + i);
		iw.out_count = 0;
	}
	/* All INCOMPLETE and fresh: nothing to collect. */
	assert_int_equal(iw.h->arp_tbl->gc_entries, 1024);
	assert_int_equal(ipw_counter("Drop.NEIGH_CREATEFAIL"), 3000 - 1024);
	assert_int_equal(iw.h->arp_tbl->stats.table_fulls, 3000 - 1024);
	for (u32 i = 0; i < 7; i++) {
		ipw_run(500 * MS);
		iw.out_count = 0;
	}
	/* FAILED ones make room: down to gc_thresh2. */
	send_to(0x0a7f0001);
	assert_true(iw.h->arp_tbl->gc_entries <= 513);
	iw.out_count = 0;
	/* The periodic run takes the rest, above gc_thresh1. */
	for (u32 i = 0; i < 200; i++) {
		ipw_run(500 * MS);
		iw.out_count = 0;
	}
	assert_true(iw.h->arp_tbl->entries <= 128);
}

static void groups_need_no_answer(void **state)
{
	static const u8 want[6] = { 0x01, 0x00, 0x5e, 0x01, 0x02, 0x03 };
	struct flowi4 fl4 = { .daddr = htonl(0xe0810203), .oif = 2 };
	struct ipcm_cookie ipc;
	struct sk_buff *skb;
	struct rtable *rt;
	struct inet_cork cork;
	u8 payload[8] = { 0 };
	int err;

	(void)state;
	rt = ip_route_output_key(iw.net, &fl4, &err);
	assert_non_null(rt);
	assert_int_equal(fl4.saddr, htonl(OUR_IP));
	ipcm_init_sk(&ipc, NULL);
	ipc.protocol = 253;
	skb = ip_make_skb(iw.net, NULL, &fl4, payload, 8, 0, &ipc, &rt, 0, &cork, &err);
	assert_non_null(skb);
	ip_send_skb(iw.net, skb);
	ipw_run(0);
	assert_int_equal(iw.out_count, 1);
	assert_memory_equal(iw.out[0].bytes, want, 6);
	assert_int_equal(ip4_ttl(ipw_out_ip(0)), 1);
	assert_int_equal(ipw_counter("IpExtOutMcastPkts"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPW_TEST(nobody_answers),
		IPW_TEST(a_life),
		IPW_TEST(confirmed_in_time),
		IPW_TEST(what_is_learnt),
		IPW_TEST(gratuitous),
		IPW_TEST(probes),
		IPW_TEST(malformed),
		IPW_TEST(the_queue_is_bounded),
		IPW_TEST(the_table_is_bounded),
		IPW_TEST(groups_need_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
