/* SPDX-License-Identifier: MIT */
/* Formats as bytes: what is built is read back, short ones are refused, option walks end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/checksum.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

static u32 seed = 3;

static u8 rnd8(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (u8)(seed >> 24);
}

static void fill(u8 *p, u32 n)
{
	for (u32 i = 0; i < n; i++)
		p[i] = rnd8();
}

/* Random bytes, read and built again, are the same bytes. */
static void round_trips(void **state)
{
	u8 in[64], out[64];

	(void)state;
	for (u32 i = 0; i < 2000; i++) {
		struct eth_hdr eth;
		struct vlan_tag vlan;
		struct arp_hdr arp;
		struct udp_hdr udp;
		struct tcp_hdr tcp;
		struct icmp4_hdr icmp;
		struct ip6_hdr ip6;
		struct ip4_hdr ip;

		fill(in, sizeof(in));
		assert_true(eth_parse(in, 14, &eth));
		eth_build(out, &eth);
		assert_memory_equal(in, out, 14);
		assert_true(vlan_parse(in, 4, &vlan));
		vlan_build(out, &vlan);
		assert_memory_equal(in, out, 4);
		assert_true(udp_parse(in, 8, &udp));
		udp_build(out, &udp);
		assert_memory_equal(in, out, 8);
		assert_true(icmp4_parse(in, 8, &icmp));
		icmp4_build(out, &icmp);
		assert_memory_equal(in, out, 8);
		in[4] = 6;
		in[5] = 4;
		assert_true(arp_parse(in, 28, &arp));
		arp_build(out, &arp);
		assert_memory_equal(in, out, 28);
		in[12] |= 0x50;
		in[12] &= 0xdf;
		assert_true(tcp_parse(in, 60, &tcp));
		tcp_build(out, &tcp);
		assert_memory_equal(in, out, 20);
		in[0] = (u8)(0x60 | (in[0] & 15));
		assert_true(ip6_parse(in, 40, &ip6));
		ip6_build(out, &ip6);
		assert_memory_equal(in, out, 40);
		in[0] = (u8)(0x45 + rnd8() % 11);
		put_be16(in + 2, 60);
		ip4_send_check(in);
		assert_int_equal(ip4_parse(in, 60, &ip), IP4_OK);
		ip4_build(out, &ip);
		assert_memory_equal(in, out, 20);
	}
}

static void refusals(void **state)
{
	u8 p[64] = { 0x45, 0, 0, 20 };
	struct ip4_hdr ip;
	struct tcp_hdr tcp;
	struct udp_hdr udp;
	struct arp_hdr arp;
	struct ip6_hdr ip6;

	(void)state;
	ip4_send_check(p);
	assert_int_equal(ip4_parse(p, 19, &ip), IP4_SHORT);
	assert_int_equal(ip4_parse(p, 20, &ip), IP4_OK);
	p[10] ^= 1;
	assert_int_equal(ip4_parse(p, 20, &ip), IP4_CSUM);
	p[0] = 0x44;
	assert_int_equal(ip4_parse(p, 20, &ip), IP4_VERSION);
	p[0] = 0x55;
	assert_int_equal(ip4_parse(p, 20, &ip), IP4_VERSION);
	p[0] = 0x46;
	assert_int_equal(ip4_parse(p, 23, &ip), IP4_SHORT);
	p[0] = 0x45;
	p[3] = 19;
	ip4_send_check(p);
	assert_int_equal(ip4_parse(p, 20, &ip), IP4_LENGTH);
	p[3] = 21;
	ip4_send_check(p);
	assert_int_equal(ip4_parse(p, 20, &ip), IP4_LENGTH);
	assert_false(ip6_parse(p, 40, &ip6));
	assert_false(udp_parse(p, 7, &udp));
	assert_false(arp_parse(p, 27, &arp));
	p[12] = 0x40;
	assert_false(tcp_parse(p, 60, &tcp));
	p[12] = 0x60;
	assert_false(tcp_parse(p, 23, &tcp));
	assert_true(tcp_parse(p, 24, &tcp));
}

/* RFC 1141: the same checksum as from scratch. */
static void ttl(void **state)
{
	u8 p[20], q[20];

	(void)state;
	for (u32 i = 0; i < 1000; i++) {
		fill(p, sizeof(p));
		p[0] = 0x45;
		p[8] |= 1;
		ip4_send_check(p);
		memcpy(q, p, 20);
		q[8]--;
		ip4_send_check(q);
		assert_int_equal(ip4_decrease_ttl(p), q[8]);
		assert_int_equal(ip_fast_csum(p, 5), 0);
		/* 0 and 0xffff are the same sum. */
		if (ip4_check(p) != 0xffff)
			assert_memory_equal(p, q, 20);
	}
}

/* A walk over any bytes ends, stays inside, and moves forward. */
static void walks_end(void **state)
{
	u8 p[40];

	(void)state;
	for (u32 i = 0; i < 5000; i++) {
		u32 len = rnd8() % 41, at = 0, optlen, next;
		u8 type;

		fill(p, sizeof(p));
		for (u32 j = 0; j < sizeof(p); j++)
			if (rnd8() & 1)
				p[j] &= 7;
		do {
			next = ip4_option_next(p, len, at, &type, &optlen);
			assert_true(at + optlen <= len);
			assert_true(!next || (next == at + optlen && next < len && optlen));
			at = next;
		} while (at);
		do {
			next = tcp_option_next(p, len, at, &type, &optlen);
			assert_true(at + optlen <= len);
			assert_true(!next || (next == at + optlen && next < len && optlen));
			at = next;
		} while (at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(refusals),
		cmocka_unit_test(ttl),
		cmocka_unit_test(walks_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
