/* SPDX-License-Identifier: MIT */
/*
 * TCP-AO's mathematics (RFC 5926) against `openssl mac`: traffic keys of both algorithms and
 * families (the key "testvector" is not 16 bytes long, RFC 5926 3.1.1.2), MACs with and without the
 * options; the sequence number extension (RFC 5925 6.2); which key is found.
 */
#include "tcp/tcp_ao.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/tcp.h"

static const u32 a4 = 0xc0000201, b4 = 0xc0000209;

struct vector {
	u8 alg, family, keyflags;
	const char *key;
	u32 keylen;
	u8 traffic_key[TCP_AO_MAX_TRAFFIC_KEY_LEN];
	u8 mac[12];
};

static const u8 aes_key[] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
			      0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };

static const struct vector vectors[] = {
	{ TCP_AO_HMAC_SHA1,
	  AF_INET,
	  0,
	  "testvector",
	  10,
	  { 0x53, 0x72, 0xf9, 0x8a, 0x38, 0xd3, 0x14, 0x39, 0xd1, 0x86,
	    0xe6, 0x33, 0x2d, 0x4b, 0x58, 0xf2, 0xb1, 0xd7, 0x6d, 0x33 },
	  { 0x79, 0x44, 0xf9, 0x71, 0x96, 0xf1, 0x55, 0xea, 0xf1, 0xc6, 0x93, 0x85 } },
	{ TCP_AO_HMAC_SHA1,
	  AF_INET,
	  TCP_AO_KEYF_EXCLUDE_OPT,
	  "testvector",
	  10,
	  { 0x53, 0x72, 0xf9, 0x8a, 0x38, 0xd3, 0x14, 0x39, 0xd1, 0x86,
	    0xe6, 0x33, 0x2d, 0x4b, 0x58, 0xf2, 0xb1, 0xd7, 0x6d, 0x33 },
	  { 0x86, 0xe5, 0x75, 0x39, 0x5c, 0x0f, 0x7d, 0x45, 0x2e, 0xf1, 0xaf, 0x92 } },
	{ TCP_AO_AES_128_CMAC,
	  AF_INET,
	  0,
	  "testvector",
	  10,
	  { 0xc4, 0x19, 0x01, 0x64, 0xf5, 0x10, 0x8f, 0x89, 0xc5, 0xd0, 0x3b, 0xcf, 0xcb, 0xbe,
	    0xc2, 0xa2 },
	  { 0x60, 0x79, 0x10, 0xf2, 0x35, 0x85, 0xdb, 0x39, 0xc1, 0xde, 0xfc, 0xba } },
	{ TCP_AO_HMAC_SHA1,
	  AF_INET6,
	  0,
	  "testvector",
	  10,
	  { 0x47, 0xe5, 0x98, 0xd0, 0x91, 0xc2, 0xf8, 0x8c, 0x0e, 0x79,
	    0xac, 0x64, 0x2c, 0x8a, 0x2b, 0x45, 0x02, 0x62, 0x67, 0xaa },
	  { 0xae, 0xcf, 0x77, 0x79, 0x4f, 0x35, 0x74, 0x03, 0x9d, 0x03, 0x4f, 0x2c } },
	{ TCP_AO_AES_128_CMAC,
	  AF_INET6,
	  0,
	  (const char *)aes_key,
	  16,
	  { 0xe4, 0x34, 0x91, 0x8b, 0xd0, 0xc8, 0x54, 0xb1, 0x52, 0xe6, 0x26, 0x19, 0x94, 0xe5,
	    0xb4, 0xf1 },
	  { 0xb8, 0xc4, 0x6e, 0xa2, 0x1f, 0xe0, 0x00, 0x04, 0x8c, 0xfa, 0xcb, 0x61 } },
};

static struct inet_addr addr(const struct vector *v, bool peer)
{
	struct inet_addr a = { { 0 } };

	if (v->family == AF_INET)
		return inet_addr4(htonl(peer ? b4 : a4));
	a.w[0] = htonl(0x20010db8);
	a.w[3] = htonl(peer ? 9 : 1);
	return a;
}

static void keys_and_macs(void **state)
{
	static const u8 segment[53] = {
		0x00, 0x50, 0x0f, 0xa0, 1,    2,    3,	  4,	5,    6,	 7,
		8,    0xc0, 0x18, 0x10, 0x00, 0x12, 0x34, 0,	0,    TCPOPT_AO, 16,
		61,   84,   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,	 0xff,
		0xff, 0xff, 0xff, 1,	1,    8,    10,	  0,	0,    0,	 1,
		0,    0,    0,	  2,	'h',  'e',  'l',  'l',	'o',
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		const struct inet_addr saddr = addr(v, false), daddr = addr(v, true);
		const struct tcp_ends ends = { .family = v->family,
					       .saddr = &saddr,
					       .daddr = &daddr };
		const struct tcp_ao_context ctx = { .ends = ends,
						    .sport = 80,
						    .dport = 4000,
						    .sisn = 0x01020304,
						    .disn = 0x05060708 };
		const struct tcp_ao_segment seg = { .th = segment,
						    .mac_at = segment + 24,
						    .len = sizeof(segment),
						    .sne = 1,
						    .ends = ends };
		struct tcp_ao_key key = { .alg = v->alg, .keyflags = v->keyflags, .maclen = 12 };
		u8 traffic_key[TCP_AO_MAX_TRAFFIC_KEY_LEN], mac[TCP_AO_MAX_TRAFFIC_KEY_LEN];

		tcp_ao_set_master_key(&key, (const u8 *)v->key, v->keylen);
		tcp_ao_calc_traffic_key(&key, traffic_key, &ctx);
		assert_memory_equal(traffic_key, v->traffic_key, tcp_ao_digest_size(&key));
		tcp_ao_hash(&key, traffic_key, &seg, NULL, mac);
		assert_memory_equal(mac, v->mac, sizeof(v->mac));
	}
}

static void extension(void **state)
{
	struct tcp_ao_sne s = { .sne = 0, .seq = 0xffffff00 };

	(void)state;
	assert_int_equal(tcp_ao_compute_sne(0, 0xffffff00, 0xffffff10), 0);
	assert_int_equal(tcp_ao_compute_sne(0, 0xffffff00, 0x10), 1);
	assert_int_equal(tcp_ao_compute_sne(1, 0x10, 0xffffff00), 0);
	assert_int_equal(tcp_ao_compute_sne(1, 0x10, 0x20), 1);
	assert_int_equal(tcp_ao_compute_sne(5, 0x80000000, 0x7fffffff), 5);
	/* A segment ahead of the wrap, the wrap itself, one sent again from before it. */
	assert_int_equal(tcp_ao_sne_of(&s, 0xffffff00, 0x100), 1);
	assert_int_equal(s.sne, 0);
	assert_int_equal(tcp_ao_sne_of(&s, 0x50, 0x100), 1);
	assert_int_equal(s.sne, 1);
	assert_int_equal(tcp_ao_sne_of(&s, 0x50, 0xfffffff0), 0);
	assert_int_equal(s.sne, 1);
	/* Round again, in steps of a window at most. */
	for (u32 seq = 0x50; seq < 0xc0000000; seq += 0x30000000)
		tcp_ao_sne_of(&s, seq, seq);
	assert_int_equal(tcp_ao_sne_of(&s, 0xf0000000, 0x10), 2);
	/* The first number is the last there is: what follows it is of the next round. */
	s = (struct tcp_ao_sne){ .seq = 0xffffffff };
	assert_int_equal(tcp_ao_sne_of(&s, 0, 0), 1);
	assert_int_equal(tcp_ao_sne_of(&s, 0, 0xffffffff), 0);
}

static void lookup(void **state)
{
	struct tcp_ao_key any = { .family = AF_INET, .sndid = 1, .rcvid = 2 };
	struct tcp_ao_key net = { .family = AF_INET, .prefixlen = 24, .sndid = 3, .rcvid = 4 };
	struct tcp_ao_key peer = { .family = AF_INET, .prefixlen = 32, .sndid = 3, .rcvid = 5 };
	const struct inet_addr b = inet_addr4(htonl(b4)), other = inet_addr4(htonl(0xc0000303));
	struct tcp_ao_info ao;

	(void)state;
	net.addr = inet_addr4(htonl(0xc0000200));
	peer.addr = b;
	list_init(&ao.keys);
	list_add(&any.node, &ao.keys);
	list_add(&net.node, &ao.keys);
	list_add(&peer.node, &ao.keys);
	/* The youngest that fits; one ID or both; any peer. */
	assert_ptr_equal(tcp_ao_do_lookup(&ao, &b, AF_INET, -1, -1), &peer);
	assert_ptr_equal(tcp_ao_do_lookup(&ao, &b, AF_INET, 3, -1), &peer);
	assert_ptr_equal(tcp_ao_do_lookup(&ao, &b, AF_INET, -1, 4), &net);
	assert_ptr_equal(tcp_ao_do_lookup(&ao, &b, AF_INET, 3, 2), NULL);
	assert_ptr_equal(tcp_ao_do_lookup(&ao, &other, AF_INET, -1, -1), &any);
	assert_ptr_equal(tcp_ao_do_lookup(&ao, &other, AF_INET6, -1, -1), NULL);
	assert_ptr_equal(tcp_ao_do_lookup(&ao, &other, AF_INET, -1, 5), NULL);
	assert_ptr_equal(tcp_ao_established_key(&ao, -1, 2), &any);
	assert_ptr_equal(tcp_ao_established_key(&ao, 9, -1), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keys_and_macs),
					    cmocka_unit_test(extension), cmocka_unit_test(lookup) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
