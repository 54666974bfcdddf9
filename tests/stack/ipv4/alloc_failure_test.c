/* SPDX-License-Identifier: MIT */
/*
 * One scenario through all of IPv4, run again and again with the n-th allocation failing: any
 * outcome, but no broken invariant, no leak, and a host that still answers afterwards.
 */
#include "stack/ipv4/ip_world.h"

static u8 buf[4000];

static void fault(u64 skip, u64 count)
{
	struct op op = { .kind = OP_FAULT };

	op.u.fault.point = 0; /* alloc */
	op.u.fault.skip = skip;
	op.u.fault.count = count;
	assert_int_equal(ipw_apply(&op), 0);
}

static void route(u32 dst, u32 plen, u32 gw)
{
	u8 d[4], g[4];
	struct op op = { .kind = OP_ROUTE_ADD };

	put_be32(d, dst);
	put_be32(g, gw);
	op.u.route_add.scope = 255;
	op.u.route_add.prefix_len = plen;
	op.u.route_add.dst = (struct op_bytes){ d, 4 };
	op.u.route_add.gateway = (struct op_bytes){ g, 4 };
	ipw_apply(&op);
}

/* A frame that may not get in: the wire needs memory too. */
static void frame(const u8 *bytes, u32 len)
{
	struct op op = { .kind = OP_FRAME };

	op.u.frame.end = 1;
	op.u.frame.bytes = (struct op_bytes){ bytes, len };
	ipw_apply(&op);
	ipw_run(0);
}

static void packet(struct ip4_hdr h, const u8 *options, u32 optlen, u32 at, u32 len)
{
	static u8 f[2000];
	struct eth_hdr e = { .type = 0x0800 };

	memcpy(e.dst, our_mac, 6);
	memcpy(e.src, peer_mac, 6);
	eth_build(f, &e);
	h.ihl = (u8)(20 + optlen);
	h.tot_len = (u16)(20 + optlen + len);
	h.ttl = 9;
	h.saddr = htonl(PEER_IP);
	if (!h.daddr)
		h.daddr = htonl(OUR_IP);
	ip4_build(f + 14, &h);
	if (optlen)
		memcpy(f + 34, options, optlen);
	ip4_send_check(f + 14);
	memcpy(f + 34 + optlen, buf + at, len);
	frame(f, 34 + optlen + len);
}

static void scenario(void)
{
	static const u8 rr[8] = { 7, 7, 4 };
	struct ip4_hdr h = { .protocol = IPPROTO_ICMP, .id = 1 };
	u8 arp[60] = { 0 };
	struct eth_hdr e = { .type = 0x0806 };
	struct arp_hdr a = { .hrd = 1, .pro = 0x0800, .hln = 6, .pln = 4, .op = ARPOP_REQUEST };

	ipw_addr(0x0a000001, 24, true);
	route(0x0b000000, 8, 0x0a000002);
	memset(e.dst, 255, 6);
	memcpy(e.src, peer_mac, 6);
	eth_build(arp, &e);
	memcpy(a.sha, peer_mac, 6);
	a.spa = htonl(PEER_IP);
	a.tpa = htonl(OUR_IP);
	arp_build(arp + 14, &a);
	frame(arp, sizeof(arp));
	ipw_echo(buf, 3000, 1, 1);
	for (u32 at = 0; at < 3000; at += 1000) { /* reassembled, answered in fragments */
		h.frag = (u16)(at / 8 | (at < 2000 ? IP4_MF : 0));
		packet(h, NULL, 0, at, 1000);
	}
	h.frag = IP4_MF;
	h.id = 2;
	packet(h, NULL, 0, 0, 1000); /* never complete */
	h.frag = 0;
	ipw_echo(buf, 16, 1, 1);
	packet(h, rr, sizeof(rr), 0, 16);
	h.protocol = 253;
	packet(h, NULL, 0, 0, 100); /* protocol unreachable */
	ipw_sysctl("net.ipv4.ip_forward", "1");
	h.daddr = htonl(0x0b000001);
	packet(h, NULL, 0, 0, 100); /* forwarded: to a neighbour that never answers */
	ipw_run(40 * NSEC_PER_SEC);
	ipw_addr(0x0a000001, 24, false);
	ipw_link(LINK_PARAM_UP, 0);
	ipw_link(LINK_PARAM_UP, 1);
}

static void each_in_turn(void **state)
{
	u32 n;

	for (n = 0;; n++) {
		struct world_memory m;

		assert_int_equal(ipw_setup(state), 0);
		fault(n, 1);
		scenario();
		world_memory(iw.w, &m);
		assert_int_equal(ipw_teardown(state), 0);
		if (m.failed == 0)
			break;
	}
	assert_true(n > 50); /* so many chances there were */
}

/* From the n-th on, all fail, for a while; then the host works again. */
static void for_a_while(void **state)
{
	for (u32 n = 0; n < 120; n += 7) {
		struct ip4_hdr h = { .protocol = IPPROTO_ICMP, .id = 9 };
		u32 before;

		assert_int_equal(ipw_setup(state), 0);
		fault(n, 1000000);
		scenario();
		fault(0, 0);
		iw.w->fault.armed = 0;
		ipw_addr(OUR_IP, 24, false);
		ipw_link(LINK_PARAM_UP, 0);
		assert_int_equal(ipw_link(LINK_PARAM_UP, 1), 0);
		assert_int_equal(ipw_addr(OUR_IP, 24, true), 0);
		assert_int_equal(ipw_neigh(PEER_IP, NUD_PERMANENT), 0);
		before = iw.out_count;
		ipw_echo(buf, 16, 1, 1);
		packet(h, NULL, 0, 0, 16);
		assert_int_equal(iw.out_count, before + 1);
		assert_int_equal(ipw_teardown(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_in_turn),
		cmocka_unit_test(for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
