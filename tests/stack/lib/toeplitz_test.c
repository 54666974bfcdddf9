/* SPDX-License-Identifier: MIT */
/* The verification suite that Microsoft publishes for receive side scaling, bit by bit and by
 * table. */
#include "stack/bare_world.h"

#include "lib/bytes.h"
#include "lib/toeplitz.h"

static const u8 key[TOEPLITZ_KEY_LEN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static const struct {
	u8 src[4], dst[4];
	u16 sport, dport;
	u32 hash2, hash4; /* of the addresses, of addresses and ports */
} ipv4[] = {
	{ { 66, 9, 149, 187 }, { 161, 142, 100, 80 }, 2794, 1766, 0x323e8fc2, 0x51ccc178 },
	{ { 199, 92, 111, 2 }, { 65, 69, 140, 83 }, 14230, 4739, 0xd718262a, 0xc626b0ea },
	{ { 24, 19, 198, 95 }, { 12, 22, 207, 184 }, 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
	{ { 38, 27, 205, 30 }, { 209, 142, 163, 6 }, 48228, 2217, 0x82989176, 0xafc7327f },
	{ { 153, 39, 163, 191 }, { 202, 188, 127, 2 }, 44251, 1303, 0x5d1809c5, 0x10e828a2 },
};

static void vectors_ipv4(void **state)
{
	struct toeplitz_lut lut;

	(void)state;
	toeplitz_lut_init(&lut, key);
	for (u32 i = 0; i < ARRAY_SIZE(ipv4); i++) {
		u8 in[12];

		memcpy(in, ipv4[i].src, 4);
		memcpy(in + 4, ipv4[i].dst, 4);
		put_be16(in + 8, ipv4[i].sport);
		put_be16(in + 10, ipv4[i].dport);
		assert_int_equal(toeplitz_hash(key, in, 8), ipv4[i].hash2);
		assert_int_equal(toeplitz_hash(key, in, 12), ipv4[i].hash4);
		assert_int_equal(toeplitz_lut_hash(&lut, in, 8), ipv4[i].hash2);
		assert_int_equal(toeplitz_lut_hash(&lut, in, 12), ipv4[i].hash4);
	}
}

/* 3ffe:2501:200:1fff::7 port 2794 to 3ffe:2501:200:3::1 port 1766. */
static void vector_ipv6(void **state)
{
	static const u8 in[36] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0,
				   0,	 7,    0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0, 3, 0, 0, 0, 0,
				   0,	 0,    0,    1,	   0x0a, 0xea, 0x06, 0xe6 };

	(void)state;
	assert_int_equal(toeplitz_hash(key, in, 32), 0x2cc18cd5);
	assert_int_equal(toeplitz_hash(key, in, 36), 0x40207d3d);
}

/* A key that repeats every 16 bits gives both directions of a flow one hash. */
static void symmetric_key(void **state)
{
	u8 sym[TOEPLITZ_KEY_LEN], a[12], b[12];

	(void)state;
	for (u32 i = 0; i < TOEPLITZ_KEY_LEN; i++)
		sym[i] = i & 1 ? 0x5a : 0x6d;
	for (u32 i = 0; i < 12; i++)
		a[i] = (u8)(i * 37 + 5);
	memcpy(b, a + 4, 4);
	memcpy(b + 4, a, 4);
	memcpy(b + 8, a + 10, 2);
	memcpy(b + 10, a + 8, 2);
	assert_int_equal(toeplitz_hash(sym, a, 12), toeplitz_hash(sym, b, 12));
	assert_int_not_equal(toeplitz_hash(key, a, 12), toeplitz_hash(key, b, 12));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_ipv4),
		cmocka_unit_test(vector_ipv6),
		cmocka_unit_test(symmetric_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
