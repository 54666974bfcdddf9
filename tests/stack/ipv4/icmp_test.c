/* SPDX-License-Identifier: MIT */
/* ICMP: answers, errors, when none are sent, limits, what errors teach. */
#include "stack/ipv4/ip_world.h"

#include "ipv4/icmp.h"
#include "ipv4/ip.h"

static u8 buf[65535];

static void setup_peer(void)
{
	assert_int_equal(ipw_neigh(PEER_IP, NUD_PERMANENT), 0);
}

/* The ICMP message of what came out last; checked. */
static const u8 *last_icmp(u32 *len)
{
	const u8 *ip = ipw_out_ip(iw.out_count - 1);

	assert_int_equal(ip4_protocol(ip), IPPROTO_ICMP);
	*len = ip4_tot_len(ip) - ip4_ihl(ip);
	assert_int_equal(csum_fold(csum_partial(ip + ip4_ihl(ip), *len, 0)), 0);
	return ip + ip4_ihl(ip);
}

static void echo(u32 daddr, u8 tos, u32 len)
{
	struct ip4_hdr h = { .protocol = IPPROTO_ICMP, .tos = tos, .daddr = htonl(daddr) };

	ipw_echo(buf, len, 77, 3);
	ipw_ip(h, NULL, 0, buf, len);
}

static void echo_is_answered(void **state)
{
	u32 len;
	const u8 *m;

	(void)state;
	setup_peer();
	echo(OUR_IP, 0x28, 64);
	assert_int_equal(iw.out_count, 1);
	m = last_icmp(&len);
	assert_int_equal(len, 64);
	assert_int_equal(m[0], ICMP_ECHOREPLY);
	assert_memory_equal(m + 4, buf + 4, 60);
	assert_int_equal(ip4_tos(ipw_out_ip(0)), 0x28);
	assert_int_equal(ip4_saddr(ipw_out_ip(0)), htonl(OUR_IP));
	assert_int_equal(ip4_ttl(ipw_out_ip(0)), 64);
	assert_int_equal(ipw_counter("IcmpInEchos"), 1);
	assert_int_equal(ipw_counter("IcmpOutEchoReps"), 1);
	assert_int_equal(ipw_counter("IcmpMsgOutType0"), 1);
	/* The smallest. */
	echo(OUR_IP, 0, 8);
	assert_int_equal(iw.out_count, 2);
	assert_int_equal(ipw_sysctl("net.ipv4.icmp_echo_ignore_all", "1"), 0);
	echo(OUR_IP, 0, 8);
	assert_int_equal(iw.out_count, 2);
}

static void broadcast_echo(void **state)
{
	(void)state;
	setup_peer();
	echo(0xc00002ff, 0, 16);
	echo(0xffffffff, 0, 16);
	echo(0xe0000001, 0, 16);
	assert_int_equal(iw.out_count, 0);
	assert_int_equal(ipw_counter("Drop.ICMP_BROADCAST"), 3);
	assert_int_equal(ipw_sysctl("net.ipv4.icmp_echo_ignore_broadcasts", "0"), 0);
	echo(0xc00002ff, 0, 16);
	assert_int_equal(iw.out_count, 1);
	/* From the interface's own address (RFC 1122 3.2.2.6). */
	assert_int_equal(ip4_saddr(ipw_out_ip(0)), htonl(OUR_IP));
}

static void bad_messages(void **state)
{
	struct ip4_hdr h = { .protocol = IPPROTO_ICMP };

	(void)state;
	setup_peer();
	ipw_echo(buf, 16, 1, 1);
	buf[2] ^= 1;
	ipw_ip(h, NULL, 0, buf, 16);
	assert_int_equal(ipw_counter("IcmpInCsumErrors"), 1);
	assert_int_equal(ipw_counter("Drop.ICMP_CSUM"), 1);
	/* Too short, but with a right checksum. */
	memset(buf, 0, 8);
	buf[0] = ICMP_ECHO;
	store_be16(buf + 2, csum_fold(csum_partial(buf, 7, 0)));
	ipw_ip(h, NULL, 0, buf, 7);
	assert_int_equal(ipw_counter("Drop.PKT_TOO_SMALL"), 1);
	/* A type that nobody knows. */
	memset(buf, 0, 8);
	buf[0] = 200;
	store_be16(buf + 2, csum_fold(csum_partial(buf, 8, 0)));
	ipw_ip(h, NULL, 0, buf, 8);
	assert_int_equal(ipw_counter("Drop.ICMP_TYPE"), 1);
	assert_int_equal(ipw_counter("IcmpInMsgs"), 3);
	assert_int_equal(ipw_counter("IcmpInErrors"), 3);
	assert_int_equal(iw.out_count, 0);
}

static void timestamps(void **state)
{
	struct ip4_hdr h = { .protocol = IPPROTO_ICMP };
	u32 len;
	const u8 *m;

	(void)state;
	setup_peer();
	ipw_run(1234567 * NSEC_PER_USEC);
	memset(buf, 0, 20);
	buf[0] = ICMP_TIMESTAMP;
	put_be32(buf + 8, 0x01020304);
	store_be16(buf + 2, csum_fold(csum_partial(buf, 20, 0)));
	ipw_ip(h, NULL, 0, buf, 20);
	m = last_icmp(&len);
	assert_int_equal(len, 20);
	assert_int_equal(m[0], ICMP_TIMESTAMPREPLY);
	assert_int_equal(get_be32(m + 8), 0x01020304);
	assert_int_equal(get_be32(m + 12), 1234);
	assert_int_equal(get_be32(m + 16), 1234);
}

/* A packet of an unknown protocol, payload len. */
static void unknown(struct ip4_hdr h, u32 len)
{
	h.protocol = 253;
	for (u32 i = 0; i < len; i++)
		buf[i] = (u8)i;
	ipw_ip(h, NULL, 0, buf, len);
}

static void protocol_unreachable(void **state)
{
	struct ip4_hdr h = { .tos = 0x1e, .id = 99 };
	u32 len;
	const u8 *m;

	(void)state;
	setup_peer();
	unknown(h, 40);
	assert_int_equal(iw.out_count, 1);
	m = last_icmp(&len);
	assert_int_equal(m[0], ICMP_DEST_UNREACH);
	assert_int_equal(m[1], ICMP_PROT_UNREACH);
	assert_int_equal(len, 8 + 20 + 40);
	assert_int_equal(ip4_id(m + 8), 99);
	assert_memory_equal(m + 28, buf, 40);
	/* Precedence 6, the packet's TOS. */
	assert_int_equal(ip4_tos(ipw_out_ip(0)), 0xde);
	assert_int_equal(ip4_frag(ipw_out_ip(0)), 0);
	assert_int_equal(ipw_counter("IpInUnknownProtos"), 1);
	/* As much of a large one as fits in 576 bytes. */
	unknown(h, 1000);
	m = last_icmp(&len);
	assert_int_equal(len, 576 - 20);
}

static void no_error_about(void **state)
{
	struct ip4_hdr h = { 0 };
	u8 inner[28 + 8] = { 0 };

	(void)state;
	setup_peer();
	h.daddr = htonl(0xc00002ff);
	unknown(h, 8); /* what went to all */
	h.daddr = htonl(0xe0000001);
	unknown(h, 8);
	h.daddr = 0;
	h.frag = 1;
	unknown(h, 8); /* a fragment that is not the first (never complete) */
	h.frag = 0;
	/* An error about nothing of ours. */
	inner[0] = ICMP_DEST_UNREACH;
	inner[1] = ICMP_PORT_UNREACH;
	inner[8] = 0x45;
	inner[8 + 9] = 253;
	store_be16(inner + 2, csum_fold(csum_partial(inner, sizeof(inner), 0)));
	h.protocol = IPPROTO_ICMP;
	ipw_ip(h, NULL, 0, inner, sizeof(inner));
	assert_int_equal(iw.out_count, 0);
	assert_int_equal(ipw_counter("Drop.ICMP_QUOTE"), 1);
	ipw_run(31 * NSEC_PER_SEC);
	assert_int_equal(iw.out_count, 0);
}

/* 6 tokens for a peer at once, one more a second (icmp_ratelimit). */
static void limited_by_peer(void **state)
{
	struct ip4_hdr h = { 0 };

	(void)state;
	setup_peer();
	for (u32 i = 0; i < 20; i++)
		unknown(h, 8);
	assert_int_equal(iw.out_count, 6);
	assert_int_equal(ipw_counter("IcmpOutRateLimitHost"), 14);
	ipw_run(1000 * NSEC_PER_MSEC - 1);
	unknown(h, 8);
	assert_int_equal(iw.out_count, 6);
	ipw_run(1);
	unknown(h, 8);
	assert_int_equal(iw.out_count, 7);
	/* Echo is not limited. */
	for (u32 i = 0; i < 20; i++)
		echo(OUR_IP, 0, 8);
	assert_int_equal(iw.out_count, 27);
}

static void limited_for_all(void **state)
{
	(void)state;
	for (u32 i = 0; i < 200; i++) {
		struct ip4_hdr h = { .saddr = htonl(0xc0000210 + i) };

		ipw_neigh(0xc0000210 + i, NUD_PERMANENT);
		unknown(h, 8);
	}
	/* 50 credits, 0 to 2 spent by each. */
	assert_in_range(iw.out_count, 35, 75);
	assert_int_equal(ipw_counter("IcmpOutRateLimitGlobal") + iw.out_count, 200);
}

/* RFC 1191: the quoted packet's destination has a smaller MTU from now on. */
static void path_mtu(void **state)
{
	u8 m[8 + 20 + 8] = { ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED };
	struct ip4_hdr h = { .protocol = IPPROTO_ICMP };
	struct ip4_hdr q = { .ihl = 20,
			     .tot_len = 1500,
			     .ttl = 60,
			     .protocol = IPPROTO_ICMP,
			     .saddr = htonl(OUR_IP),
			     .daddr = htonl(PEER_IP) };
	struct flowi4 fl4 = { .daddr = htonl(PEER_IP) };
	struct rtable *rt;
	int err;

	(void)state;
	setup_peer();
	put_be16(m + 6, 1000);
	ip4_build(m + 8, &q);
	m[28] = ICMP_ECHO;
	store_be16(m + 2, csum_fold(csum_partial(m, sizeof(m), 0)));
	ipw_ip(h, NULL, 0, m, sizeof(m));
	rt = ip_route_output_key(iw.net, &fl4, &err);
	assert_non_null(rt);
	assert_int_equal(dst_mtu(&rt->dst), 1000);
	dst_release(&rt->dst);
	/* Answers are cut to it. */
	echo(OUR_IP, 0, 1400);
	assert_int_equal(iw.out_count, 2);
	assert_int_equal(ip4_tot_len(ipw_out_ip(0)), 996);
	iw.out_count = 0;
	/* It is forgotten after mtu_expires. */
	ipw_run(601 * NSEC_PER_SEC);
	echo(OUR_IP, 0, 1400);
	assert_int_equal(iw.out_count, 1);
	/* Below min_pmtu: min_pmtu, locked. */
	put_be16(m + 6, 68);
	put_be16(m + 2, 0);
	store_be16(m + 2, csum_fold(csum_partial(m, sizeof(m), 0)));
	ipw_ip(h, NULL, 0, m, sizeof(m));
	rt = ip_route_output_key(iw.net, &fl4, &err);
	assert_int_equal(dst_mtu(&rt->dst), 552);
	assert_true(rt->rt_mtu_locked);
	dst_release(&rt->dst);
}

/* A redirect of the present gateway is believed, one of another is not (RFC 1122 3.2.2.2). */
static void redirects(void **state)
{
	static const u8 any[4], gateway[4] = { 192, 0, 2, 9 };
	u8 m[8 + 20 + 8] = { ICMP_REDIRECT, ICMP_REDIR_HOST, 0, 0, 192, 0, 2, 8 };
	struct ip4_hdr h = { .protocol = IPPROTO_ICMP, .saddr = htonl(0xc0000207) };
	struct ip4_hdr q = { .ihl = 20,
			     .tot_len = 28,
			     .ttl = 60,
			     .protocol = IPPROTO_ICMP,
			     .saddr = htonl(OUR_IP),
			     .daddr = htonl(0x08080808) };
	struct flowi4 fl4 = { .daddr = htonl(0x08080808) };
	struct op op = { .kind = OP_ROUTE_ADD };
	struct rtable *rt;
	int err;

	(void)state;
	setup_peer();
	ipw_neigh(0xc0000208, NUD_PERMANENT);
	op.u.route_add.dst = (struct op_bytes){ any, 4 };
	op.u.route_add.gateway = (struct op_bytes){ gateway, 4 };
	op.u.route_add.scope = 255;
	assert_int_equal(ipw_apply(&op), 0);
	ip4_build(m + 8, &q);
	store_be16(m + 2, csum_fold(csum_partial(m, sizeof(m), 0)));
	ipw_ip(h, NULL, 0, m, sizeof(m));
	rt = ip_route_output_key(iw.net, &fl4, &err);
	assert_int_equal(rt->rt_gw4, htonl(PEER_IP));
	dst_release(&rt->dst);
	h.saddr = htonl(PEER_IP);
	ipw_ip(h, NULL, 0, m, sizeof(m));
	rt = ip_route_output_key(iw.net, &fl4, &err);
	assert_int_equal(rt->rt_gw4, htonl(0xc0000208));
	assert_true(rt->rt_flags & RTCF_REDIRECTED);
	dst_release(&rt->dst);
	fl4.daddr = htonl(0x08080809);
	fl4.saddr = 0;
	fl4.oif = 0;
	rt = ip_route_output_key(iw.net, &fl4, &err);
	assert_int_equal(rt->rt_gw4, htonl(PEER_IP));
	dst_release(&rt->dst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPW_TEST(echo_is_answered),
		IPW_TEST(broadcast_echo),
		IPW_TEST(bad_messages),
		IPW_TEST(timestamps),
		IPW_TEST(protocol_unreachable),
		IPW_TEST(no_error_about),
		IPW_TEST(limited_by_peer),
		IPW_TEST(limited_for_all),
		IPW_TEST(path_mtu),
		IPW_TEST(redirects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
