/* SPDX-License-Identifier: MIT */
/*
 * Independent eyes: the harness's codec and the stack's wire formats read the same random headers
 * and must see the same, field by field; the checksums of both must agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/checksum.h"
#include "packet/packet.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

enum { ROUNDS = 5000, ROOM = 128 };

/* xorshift: the same bytes on every machine. */
static u32 draw(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (u32)(*state >> 16);
}

static void random_bytes(u64 *state, u8 *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		b[i] = (u8)draw(state);
}

static struct packet_layer *find(struct packet *p, enum packet_proto proto)
{
	int i = packet_find(p, proto, 0, 0);

	return i < 0 ? NULL : p->layer[i];
}

#define SAME(l, field, value) \
	assert_int_equal(packet_get_uint((l), field, UINT64_MAX), (u64)(value))

static bool same_addr(const struct packet_layer *l, const char *field, const void *addr, size_t len)
{
	const struct packet_value *v = packet_get(l, field);

	return v && !memcmp(v->addr, addr, len);
}

/* An IPv4 packet whose header is likely to be right, random otherwise. */
static size_t random_ip4(u64 *state, u8 *b, u8 proto)
{
	size_t len = 20 + draw(state) % (ROOM - 20), ihl = 5 + draw(state) % 3;

	random_bytes(state, b, len);
	if (draw(state) % 8)
		b[0] = (u8)(0x40 | ihl);
	if (draw(state) % 8) {
		b[2] = 0;
		b[3] = (u8)(draw(state) % 4 ? len : len - draw(state) % 8);
	}
	if (draw(state) % 4)
		b[6] = b[7] = 0;
	b[9] = proto;
	if (draw(state) % 4 && ip4_ihl(b) >= 20 && ip4_ihl(b) <= len)
		ip4_send_check(b);
	return len;
}

static void compare_ip4(struct packet *p, const u8 *b, size_t len)
{
	struct packet_layer *l = find(p, PACKET_IP);
	struct ip4_hdr h;
	enum ip4_parse_result r = ip4_parse(b, (u32)len, &h);

	assert_non_null(l);
	if (r == IP4_SHORT || r == IP4_VERSION) {
		assert_non_null(l->reason);
		return;
	}
	SAME(l, "ihl", h.ihl / 4);
	SAME(l, "tos", h.tos);
	SAME(l, "len", h.tot_len);
	SAME(l, "id", h.id);
	SAME(l, "off", h.frag & IP4_OFFSET);
	SAME(l, "mf", (h.frag & IP4_MF) != 0);
	SAME(l, "df", (h.frag & IP4_DF) != 0);
	SAME(l, "ttl", h.ttl);
	SAME(l, "proto", h.protocol);
	assert_true(same_addr(l, "src", &h.saddr, 4));
	assert_true(same_addr(l, "dst", &h.daddr, 4));
	assert_int_equal(l->checksum == PACKET_CSUM_BAD, r == IP4_CSUM);
	if (r == IP4_OK)
		assert_null(l->reason);
	/* A total length of 0 is TSO's to the one, wrong to the other. */
	if (r == IP4_LENGTH && h.tot_len)
		assert_non_null(l->reason);
}

static void test_ip4(void **state)
{
	u64 seed = 1;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		u8 b[ROOM];
		size_t len = random_ip4(&seed, b, 200);
		struct packet *p = packet_parse(PACKET_LINK_IPV4, b, len, len);

		compare_ip4(p, b, len);
		packet_free(p);
	}
}

/* The transport behind an IPv4 header that both find right. */
static void test_transports(void **state)
{
	static const u8 protos[] = { 1, 6, 17 };
	u64 seed = 2;
	int compared = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		u8 b[ROOM];
		u8 proto = protos[i % 3];
		size_t len = random_ip4(&seed, b, proto);
		struct packet *p = packet_parse(PACKET_LINK_IPV4, b, len, len);
		struct ip4_hdr h;
		struct packet_layer *l;
		struct udp_hdr udp;
		struct tcp_hdr tcp;
		struct icmp4_hdr icmp;

		compare_ip4(p, b, len);
		if (ip4_parse(b, (u32)len, &h) != IP4_OK || (h.frag & (IP4_OFFSET | IP4_MF))) {
			packet_free(p);
			continue;
		}
		if ((l = find(p, PACKET_UDP)) && udp_parse(b + h.ihl, h.tot_len - h.ihl, &udp)) {
			SAME(l, "sport", udp.source);
			SAME(l, "dport", udp.dest);
			SAME(l, "len", udp.len);
			compared++;
		}
		if ((l = find(p, PACKET_TCP)) && tcp_parse(b + h.ihl, h.tot_len - h.ihl, &tcp)) {
			SAME(l, "sport", tcp.source);
			SAME(l, "dport", tcp.dest);
			SAME(l, "seq", tcp.seq);
			SAME(l, "ack", tcp.ack_seq);
			SAME(l, "doff", tcp.doff / 4);
			SAME(l, "flags", (tcp.res & 1) << 8 | tcp.flags);
			SAME(l, "reserved", tcp.res >> 1);
			SAME(l, "window", tcp.window);
			SAME(l, "urg", tcp.urg_ptr);
			compared++;
		}
		if ((l = find(p, PACKET_ICMP)) &&
		    icmp4_parse(b + h.ihl, h.tot_len - h.ihl, &icmp)) {
			SAME(l, "type", icmp.type);
			SAME(l, "code", icmp.code);
			SAME(l, "rest", icmp.rest);
			compared++;
		}
		packet_free(p);
	}
	assert_true(compared > ROUNDS / 8);
}

static void test_ethernet_and_arp(void **state)
{
	u64 seed = 3;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		u8 b[14 + 4 + 40];
		size_t at = 14, len = 14 + draw(&seed) % (sizeof(b) - 13);
		struct packet *p;
		struct packet_layer *l;
		struct eth_hdr eth;
		struct vlan_tag tag;
		struct arp_hdr arp;

		random_bytes(&seed, b, sizeof(b));
		b[12] = 0x08;
		b[13] = 0x06;
		if (i % 2) {
			b[12] = 0x81;
			b[13] = 0x00;
			b[16] = 0x08;
			b[17] = 0x06;
			at = 18;
		}
		if (draw(&seed) % 8) {
			b[at + 4] = 6;
			b[at + 5] = 4;
		}
		p = packet_parse(PACKET_LINK_ETHERNET, b, len, len);
		l = find(p, PACKET_ETH);
		assert_true(eth_parse(b, (u32)len, &eth));
		assert_true(same_addr(l, "dst", eth.dst, 6) && same_addr(l, "src", eth.src, 6));
		SAME(l, "type", eth.type);
		if (i % 2 && vlan_parse(b + 14, (u32)len - 14, &tag)) {
			l = find(p, PACKET_VLAN);
			SAME(l, "pcp", tag.tci >> 13);
			SAME(l, "dei", tag.tci >> 12 & 1);
			SAME(l, "id", tag.tci & 0xfff);
			SAME(l, "type", tag.type);
		}
		l = find(p, PACKET_ARP);
		if (len > at && arp_parse(b + at, (u32)(len - at), &arp)) {
			assert_non_null(l);
			SAME(l, "htype", arp.hrd);
			SAME(l, "ptype", arp.pro);
			SAME(l, "op", arp.op);
			assert_true(same_addr(l, "sha", arp.sha, 6));
			assert_true(same_addr(l, "tha", arp.tha, 6));
			assert_true(same_addr(l, "spa", &arp.spa, 4));
			assert_true(same_addr(l, "tpa", &arp.tpa, 4));
		} else if (l && len >= at + 28) {
			assert_false(packet_get_uint(l, "hlen", 0) == 6 &&
				     packet_get_uint(l, "plen", 0) == 4);
		}
		packet_free(p);
	}
}

static void test_ip6(void **state)
{
	u64 seed = 4;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		u8 b[60];
		size_t len = draw(&seed) % sizeof(b);
		struct packet *p;
		struct packet_layer *l;
		struct ip6_hdr h;

		random_bytes(&seed, b, sizeof(b));
		if (draw(&seed) % 8)
			b[0] = (u8)(0x60 | (b[0] & 15));
		b[6] = 59;
		p = packet_parse(PACKET_LINK_IPV6, b, len, len);
		l = find(p, PACKET_IP6);
		if (!ip6_parse(b, (u32)len, &h)) {
			assert_true(!l || l->reason);
			packet_free(p);
			continue;
		}
		SAME(l, "tclass", h.tclass);
		SAME(l, "flow", h.flow);
		SAME(l, "len", h.payload_len);
		SAME(l, "next", h.nexthdr);
		SAME(l, "hlim", h.hop_limit);
		assert_true(same_addr(l, "src", h.saddr, 16) && same_addr(l, "dst", h.daddr, 16));
		packet_free(p);
	}
}

/* The stack's fast sum against the codec's plain one, at every alignment. */
static void test_checksum(void **state)
{
	u64 seed = 5;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		u8 b[ROOM + 8];
		size_t at = draw(&seed) % 8, len = draw(&seed) % ROOM;
		u16 sum;

		random_bytes(&seed, b, sizeof(b));
		sum = (u16)~packet_checksum(b + at, len); /* unfolded complement: as a number */
		assert_int_equal((u16)~sum, ntohs(csum_fold(csum_partial(b + at, (u32)len, 0))));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_transports),
		cmocka_unit_test(test_ethernet_and_arp),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
