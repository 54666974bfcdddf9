/* SPDX-License-Identifier: MIT */
/* IPv4 input: header checks in their order and with their counters, martians, options, forwarding.
 */
#include "stack/ipv4/ip_world.h"

#include "ipv4/ip.h"

static u8 frame[128];

/* A good 28-byte packet in a 60-byte frame. */
static u8 *good(void)
{
	struct eth_hdr e = { .type = 0x0800 };
	struct ip4_hdr h = { .ihl = 20,
			     .tot_len = 28,
			     .ttl = 64,
			     .protocol = 253,
			     .saddr = htonl(PEER_IP),
			     .daddr = htonl(OUR_IP) };

	memset(frame, 0, sizeof(frame));
	memcpy(e.dst, our_mac, 6);
	memcpy(e.src, peer_mac, 6);
	eth_build(frame, &e);
	ip4_build(frame + 14, &h);
	ip4_send_check(frame + 14);
	return frame + 14;
}

static void header_checks(void **state)
{
	u8 *ip;

	(void)state;
	good();
	ipw_frame(frame, 60);
	assert_int_equal(ipw_counter("IpInReceives"), 1);
	assert_int_equal(ipw_counter("IpInHdrErrors"), 0);
	assert_int_equal(ipw_counter("IpExtInNoECTPkts"), 1);
	assert_int_equal(ipw_counter("IpExtInOctets"), 46); /* padding and all */
	good()[0] = 0x55;
	ipw_frame(frame, 60);
	good()[0] = 0x44;
	ipw_frame(frame, 60);
	assert_int_equal(ipw_counter("IpInHdrErrors"), 2);
	assert_int_equal(ipw_counter("Drop.IP_INHDR"), 2);
	good()[8]++;
	ipw_frame(frame, 60);
	assert_int_equal(ipw_counter("IpExtInCsumErrors"), 1);
	assert_int_equal(ipw_counter("Drop.IP_CSUM"), 1);
	ip = good();
	ip4_set_tot_len(ip, 19);
	ip4_send_check(ip);
	ipw_frame(frame, 60);
	assert_int_equal(ipw_counter("Drop.IP_INHDR"), 3);
	ip = good();
	ip4_set_tot_len(ip, 47);
	ip4_send_check(ip);
	ipw_frame(frame, 60);
	assert_int_equal(ipw_counter("IpExtInTruncatedPkts"), 1);
	assert_int_equal(ipw_counter("Drop.PKT_TOO_SMALL"), 1);
	/* IHL beyond the frame. */
	ip = good();
	ip[0] = 0x4f;
	ipw_frame(frame, 14 + 59);
	assert_int_equal(ipw_counter("IpInHdrErrors"), 5);
	ip = good();
	ip[1] = 3;
	ip4_send_check(ip);
	ipw_frame(frame, 60);
	assert_int_equal(ipw_counter("IpExtInCEPkts"), 1);
	assert_int_equal(ipw_counter("IpInReceives"), 8);
}

static void from_to(u32 saddr, u32 daddr, const char *counter)
{
	u64 before = ipw_counter(counter);
	u8 *ip = good();

	ip4_set_saddr(ip, htonl(saddr));
	ip4_set_daddr(ip, htonl(daddr));
	ip4_send_check(ip);
	ipw_frame(frame, 60);
	if (ipw_counter(counter) != before + 1)
		fail_msg("%08x -> %08x did not count in %s", saddr, daddr, counter);
}

static void martians(void **state)
{
	(void)state;
	for (u32 twice = 0; twice < 2; twice++) { /* the remembered decision is the same */
		from_to(0xe0000001, OUR_IP, "Drop.IP_INVALID_SOURCE");
		from_to(0xffffffff, OUR_IP, "Drop.IP_INVALID_SOURCE");
		from_to(0, OUR_IP, "Drop.IP_INVALID_SOURCE");
		from_to(0x7f000001, OUR_IP, "Drop.IP_LOCALNET");
		from_to(PEER_IP, 0x7f000001, "Drop.IP_LOCALNET");
		from_to(PEER_IP, 0, "Drop.IP_INVALID_DEST");
		from_to(OUR_IP, OUR_IP, "Drop.IP_MARTIAN_SOURCE");
		from_to(PEER_IP, 0xc0000250, "Drop.NOT_FORWARDING");
		from_to(PEER_IP, 0x08080808, "Drop.NOT_FORWARDING");
		from_to(PEER_IP, 0xe1010101, "Drop.IP_INVALID_DEST");
		from_to(PEER_IP, OUR_IP, "IpInUnknownProtos");
		from_to(PEER_IP, 0xc00002ff, "IpExtInBcastPkts");
		from_to(0, 0xffffffff, "IpExtInBcastPkts");
		from_to(PEER_IP, 0xe0000001, "IpExtInMcastPkts");
	}
	assert_int_equal(ipw_counter("IpInAddrErrors"), 4);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.accept_local", "1"), 0);
	from_to(OUR_IP, OUR_IP, "IpInUnknownProtos");
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.rp_filter", "1"), 0);
	from_to(0x08080808, OUR_IP, "Drop.IP_RPFILTER");
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.route_localnet", "1"), 0);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.rp_filter", "0"), 0);
	from_to(PEER_IP, 0x7f000001, "IpInUnknownProtos");
}

static void anyip(void **state)
{
	(void)state;
	assert_int_equal(ipw_link(LINK_PARAM_ANYIP, 1), 0);
	from_to(PEER_IP, 0x08080808, "IpInUnknownProtos");
	from_to(PEER_IP, 0xe1010101, "IpInUnknownProtos");
	assert_int_equal(ipw_link(LINK_PARAM_ANYIP, 0), 0);
	from_to(PEER_IP, 0x08080808, "Drop.NOT_FORWARDING");
}

/* RFC 1122 3.3.6 */
static void unicast_in_broadcast(void **state)
{
	(void)state;
	good();
	memset(frame, 0xff, 6);
	ipw_frame(frame, 60);
	assert_int_equal(ipw_counter("IpInUnknownProtos"), 1);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.drop_unicast_in_l2_multicast", "1"), 0);
	ipw_frame(frame, 60);
	assert_int_equal(ipw_counter("Drop.UNICAST_IN_L2_MULTICAST"), 1);
}

/* ---- options ---- */

static void echo_with(const u8 *options, u32 len)
{
	struct ip4_hdr h = { .protocol = IPPROTO_ICMP };
	u8 echo[16];

	iw.out_count = 0;
	ipw_echo(echo, sizeof(echo), 1, 1);
	ipw_ip(h, options, len, echo, sizeof(echo));
}

static void expect_pointer(const u8 *options, u32 len, u32 pointer)
{
	const u8 *ip;

	echo_with(options, len);
	assert_int_equal(iw.out_count, 1);
	ip = ipw_out_ip(0);
	assert_int_equal(icmp4_type(ip + ip4_ihl(ip)), ICMP_PARAMETERPROB);
	assert_int_equal(icmp4_rest(ip + ip4_ihl(ip)) >> 24, pointer);
	ipw_run(10 * NSEC_PER_SEC);
}

static void bad_options(void **state)
{
	static const struct {
		u8 bytes[12];
		u32 len, pointer;
	} cases[] = {
		{ { 7, 1, 4, 0 }, 4, 20 }, /* length below 2 */
		{ { 7, 9, 4, 0 }, 4, 20 }, /* past the end */
		{ { 1, 1, 1, 7 }, 4, 23 }, /* no room for a length */
		{ { 7, 2, 1, 1 }, 4, 21 }, /* record route without a pointer */
		{ { 7, 7, 3, 0, 0, 0, 0, 0 }, 8, 22 }, /* pointer below 4 */
		{ { 7, 7, 5, 0, 0, 0, 0, 0 }, 8, 22 }, /* no whole address behind it */
		{ { 7, 3, 4, 7, 3, 4, 0, 0 }, 8, 23 }, /* twice */
		{ { 68, 3, 5, 0 }, 4, 21 },
		{ { 68, 8, 4, 0, 0, 0, 0, 0 }, 8, 22 },
		{ { 68, 4, 9, 0xf0 }, 4, 23 }, /* overflow counter full */
		{ { 131, 3, 3, 1 }, 4, 22 },
		{ { 131, 7, 4, 1, 1, 1, 1, 131, 3, 4, 1, 0 }, 12, 27 },
		{ { 148, 3, 0, 0 }, 4, 21 },
	};

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		expect_pointer(cases[i].bytes, cases[i].len, cases[i].pointer);
	assert_int_equal(ipw_counter("IpInHdrErrors"), ARRAY_SIZE(cases));
	assert_int_equal(ipw_counter("Drop.IP_OPTIONS"), ARRAY_SIZE(cases));
}

static void good_options(void **state)
{
	static const u8 rr[12] = { 7, 11, 4 }, ts[8] = { 68, 8, 5, 0 }, odd[4] = { 1, 99, 2, 0 };
	const u8 *ip;

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	ipw_run(5000 * NSEC_PER_MSEC);
	/* We stand in it as the one asked, and as the one that answers. */
	echo_with(rr, sizeof(rr));
	assert_int_equal(iw.out_count, 1);
	ip = ipw_out_ip(0);
	assert_int_equal(ip4_ihl(ip), 32);
	assert_int_equal(ip[20], 7);
	assert_int_equal(ip[22], 12);
	assert_int_equal(get_be32(ip + 23), OUR_IP);
	assert_int_equal(get_be32(ip + 27), OUR_IP);
	assert_int_equal(icmp4_type(ip + 32), ICMP_ECHOREPLY);
	echo_with(ts, sizeof(ts));
	ip = ipw_out_ip(0);
	assert_int_equal(ip4_ihl(ip), 28);
	assert_int_equal(get_be32(ip + 24), 5000);
	assert_int_equal(ip[22], 9);
	echo_with(odd, sizeof(odd)); /* unknown: passed over, not echoed */
	assert_int_equal(iw.out_count, 1);
	assert_int_equal(ip4_ihl(ipw_out_ip(0)), 20);
	assert_int_equal(ipw_counter("IpInHdrErrors"), 0);
}

static void source_routes(void **state)
{
	/* One hop done: the peer's router 192.0.2.8 is where it came through. */
	static const u8 lsrr[8] = { 131, 7, 8, 192, 0, 2, 8, 0 };
	const u8 *ip;

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	ipw_neigh(0xc0000208, NUD_PERMANENT);
	echo_with(lsrr, sizeof(lsrr));
	assert_int_equal(iw.out_count, 0);
	assert_int_equal(ipw_counter("Drop.IP_OPTIONS"), 1);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.accept_source_route", "1"), 0);
	echo_with(lsrr, sizeof(lsrr));
	assert_int_equal(iw.out_count, 1);
	ip = ipw_out_ip(0);
	/* Back the same way: first to the router, the sender at the end of the route. */
	assert_int_equal(ntohl(ip4_daddr(ip)), 0xc0000208);
	assert_int_equal(ip[20], 131);
	assert_int_equal(ip[21], 7);
	assert_int_equal(ip[22], 4);
	assert_int_equal(get_be32(ip + 23), PEER_IP);
}

/* ---- forwarding ---- */

static void forwards(void **state)
{
	static const u8 net[4] = { 10, 9, 0, 0 }, gateway[4] = { 10, 0, 0, 5 };
	struct op op = { .kind = OP_ROUTE_ADD };
	struct ip4_hdr h = { .protocol = 253, .daddr = htonl(0x0a000005), .ttl = 2 };
	u8 payload[1480] = { 0 };
	const u8 *ip;

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	assert_int_equal(ipw_addr(0x0a000001, 24, true), 0);
	ipw_neigh(0x0a000005, NUD_PERMANENT);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.all.send_redirects", "0"), 0);
	assert_int_equal(ipw_sysctl("net.ipv4.conf.eth0.send_redirects", "0"), 0);
	assert_int_equal(ipw_sysctl("net.ipv4.ip_forward", "1"), 0);
	ipw_ip(h, NULL, 0, payload, 100);
	assert_int_equal(iw.out_count, 1);
	assert_int_equal(ip4_ttl(ipw_out_ip(0)), 1);
	assert_int_equal(ipw_counter("IpForwDatagrams"), 1);
	h.ttl = 1;
	ipw_ip(h, NULL, 0, payload, 100);
	assert_int_equal(iw.out_count, 2);
	ip = ipw_out_ip(1);
	assert_int_equal(icmp4_type(ip + 20), ICMP_TIME_EXCEEDED);
	assert_int_equal(icmp4_code(ip + 20), ICMP_EXC_TTL);
	assert_int_equal(ipw_counter("Drop.TTL_EXCEEDED"), 1);
	/* Too large for the way: told, or cut. */
	op.u.route_add.prefix_len = 16;
	op.u.route_add.mtu = 1000;
	op.u.route_add.scope = 255;
	op.u.route_add.dst = (struct op_bytes){ net, 4 };
	op.u.route_add.gateway = (struct op_bytes){ gateway, 4 };
	assert_int_equal(ipw_apply(&op), 0);
	h.daddr = htonl(0x0a090102);
	h.ttl = 64;
	h.frag = IP4_DF;
	iw.out_count = 0;
	ipw_ip(h, NULL, 0, payload, 986);
	assert_int_equal(iw.out_count, 1);
	ip = ipw_out_ip(0);
	assert_int_equal(icmp4_code(ip + 20), ICMP_FRAG_NEEDED);
	assert_int_equal(icmp4_mtu(ip + 20), 1000);
	h.frag = 0;
	ipw_ip(h, NULL, 0, payload, 986);
	assert_int_equal(iw.out_count, 3);
	assert_int_equal(ip4_frag(ipw_out_ip(1)), IP4_MF);
	assert_int_equal(ip4_tot_len(ipw_out_ip(1)), 996);
	assert_int_equal(ip4_frag(ipw_out_ip(2)), 976 / 8);
	assert_int_equal(ip4_tot_len(ipw_out_ip(2)), 30);
	assert_int_equal(ipw_counter("IpFragOKs"), 1);
	assert_int_equal(ipw_counter("IpFragCreates"), 2);
}

/* Out by the way it came: the sender is told of the better one. */
static void sends_redirects(void **state)
{
	struct ip4_hdr h = { .protocol = 253, .daddr = htonl(0xc0000208), .ttl = 9 };
	u8 payload[20] = { 0 };
	const u8 *ip;

	(void)state;
	ipw_neigh(PEER_IP, NUD_PERMANENT);
	ipw_neigh(0xc0000208, NUD_PERMANENT);
	assert_int_equal(ipw_sysctl("net.ipv4.ip_forward", "1"), 0);
	ipw_ip(h, NULL, 0, payload, sizeof(payload));
	assert_int_equal(iw.out_count, 2);
	ip = ipw_out_ip(0);
	assert_int_equal(icmp4_type(ip + 20), ICMP_REDIRECT);
	assert_int_equal(get_be32(ip + 24), 0xc0000208);
	assert_int_equal(ip4_protocol(ipw_out_ip(1)), 253);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPW_TEST(header_checks),	IPW_TEST(martians),    IPW_TEST(anyip),
		IPW_TEST(unicast_in_broadcast), IPW_TEST(bad_options), IPW_TEST(good_options),
		IPW_TEST(source_routes),	IPW_TEST(forwards),    IPW_TEST(sends_redirects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
