/* SPDX-License-Identifier: MIT */
/* The Internet checksum against the plain definition (RFC 1071), at all lengths, alignments and
 * splits. */
#include "stack/bare_world.h"

#include "lib/bytes.h"
#include "lib/checksum.h"

/* RFC 1071 4.1, in network byte order. */
static u16 naive(const u8 *p, u32 len, u32 sum)
{
	for (u32 i = 0; i + 1 < len; i += 2)
		sum += get_be16(p + i);
	if (len & 1)
		sum += (u32)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

static void equals_the_definition(void **state)
{
	struct world *w = bare_world(3);
	u8 buf[1700];

	(void)state;
	for (u32 len = 0; len < 1600; len++) {
		u32 off = get_random_u32_below(w, RANDOM_WIRE, 64);

		for (u32 i = 0; i < sizeof(buf); i++)
			buf[i] = len % 3 ? (u8)get_random_u32(w, RANDOM_WIRE) : 0xff;
		assert_int_equal(ntohs(csum_fold(csum_partial(buf + off, len, 0))),
				 naive(buf + off, len, 0));
	}
	bare_world_end(w);
}

static void blocks_add_up_at_any_split(void **state)
{
	struct world *w = bare_world(3);
	u8 buf[257], copy[257];
	u32 whole;

	(void)state;
	for (u32 i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)get_random_u32(w, RANDOM_WIRE);
	whole = csum_partial(buf, sizeof(buf), 0);
	for (u32 cut = 0; cut <= sizeof(buf); cut++) {
		u32 sum = csum_partial(buf, cut, 0);

		sum = csum_block_add(sum, csum_partial(buf + cut, (u32)sizeof(buf) - cut, 0), cut);
		assert_int_equal(csum_fold(sum), csum_fold(whole));
	}
	assert_int_equal(csum_fold(csum_partial_copy(copy, buf, sizeof(buf), 0)), csum_fold(whole));
	assert_memory_equal(copy, buf, sizeof(buf));
	bare_world_end(w);
}

static bool all_are(const u8 *p, u32 len, u8 byte)
{
	for (u32 i = 0; i < len; i++)
		if (p[i] != byte)
			return false;
	return true;
}

/* Every length, places of all remainders modulo a block on both sides; bytes that carry most, least
 * and at random. Nothing beside the destination is touched. */
static void copying_sums_the_same(void **state)
{
	enum { LEN = 700, PAD = 64 };
	struct world *w = bare_world(5);
	u8 src[LEN + PAD], dst[LEN + 2 * PAD];

	(void)state;
	for (u32 len = 0; len <= LEN; len++) {
		u32 from = get_random_u32_below(w, RANDOM_WIRE, PAD), to = PAD / 2 + len % 32;
		u32 start = len % 2 ? get_random_u32(w, RANDOM_WIRE) : 0xffffffff, sum;

		for (u32 i = 0; i < sizeof(src); i++)
			src[i] = len % 5 == 0 ? 0xff :
				 len % 5 == 1 ? 0 :
						(u8)get_random_u32(w, RANDOM_WIRE);
		memset(dst, 0x5a, sizeof(dst));
		sum = csum_partial_copy(dst + to, src + from, len, start);
		assert_memory_equal(dst + to, src + from, len);
		assert_true(all_are(dst, to, 0x5a));
		assert_true(all_are(dst + to + len, (u32)sizeof(dst) - to - len, 0x5a));
		assert_int_equal(csum_fold(sum), csum_fold(csum_partial(src + from, len, start)));
		assert_int_equal(ntohs(csum_fold(csum_partial_copy(dst, src + from, len, 0))),
				 naive(src + from, len, 0));
	}
	bare_world_end(w);
}

/* More blocks of ones than are summed in one run. */
static void long_runs_do_not_overflow(void **state)
{
	const u32 len = (33u << 20) + 7;
	u8 *p = malloc(len), *to = malloc(len);

	(void)state;
	assert_true(p && to);
	memset(p, 0xff, len);
	assert_int_equal(ntohs(csum_fold(csum_partial(p, len, 0))), 0x00ff);
	assert_int_equal(ntohs(csum_fold(csum_partial_copy(to, p, len, 0))), 0x00ff);
	p[len - 8] = 0xfe;
	assert_int_equal(ntohs(csum_fold(csum_partial(p, len, 0))), 0x00ff + 1);
	assert_memory_equal(to, p, len - 8);
	free(p);
	free(to);
}

static void the_two_zeros_are_the_same(void **state)
{
	(void)state;
	assert_true(csum_same(0, 0xffff));
	assert_true(csum_same(0xffffffff, 0));
	assert_true(csum_same(0x10001, 2));
	assert_false(csum_same(1, 0xffff));
	assert_false(csum_same(0x10001, 1));
}

static void pseudo_header(void **state)
{
	/* A datagram worked out by hand: 10.0.0.1:1 -> 10.0.0.2:2, "ab". */
	u8 udp[10] = { 0, 1, 0, 2, 0, 10, 0, 0, 'a', 'b' };
	u8 saddr[4] = { 10, 0, 0, 1 }, daddr[4] = { 10, 0, 0, 2 };
	/* 0a00+0001+0a00+0002+0011+000a + 0001+0002+000a+6162 = 758d -> 8a72 */
	be16 sum = csum_tcpudp_magic(load_be32(saddr), load_be32(daddr), 10, 17,
				     csum_partial(udp, sizeof(udp), 0));

	(void)state;
	assert_int_equal(ntohs(sum), 0x8a72);
	store_be16(udp + 6, sum);
	assert_int_equal(csum_tcpudp_magic(load_be32(saddr), load_be32(daddr), 10, 17,
					   csum_partial(udp, sizeof(udp), 0)),
			 0);
}

static void incremental_update(void **state)
{
	struct world *w = bare_world(4);
	u8 h[20];

	(void)state;
	for (u32 n = 0; n < 2000; n++) {
		be16 old, field;

		for (u32 i = 0; i < sizeof(h); i++)
			h[i] = (u8)get_random_u32(w, RANDOM_WIRE);
		store_be16(h + 10, 0);
		field = ip_fast_csum(h, 5);
		store_be16(h + 10, field);
		assert_int_equal(ip_fast_csum(h, 5), 0);
		old = load_be16(h + 8);
		h[8] = (u8)(h[8] - 1);
		store_be16(h + 10, csum_replace2(field, old, load_be16(h + 8)));
		assert_int_equal(ip_fast_csum(h, 5), 0);
	}
	bare_world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_definition),
		cmocka_unit_test(blocks_add_up_at_any_split),
		cmocka_unit_test(copying_sums_the_same),
		cmocka_unit_test(long_runs_do_not_overflow),
		cmocka_unit_test(the_two_zeros_are_the_same),
		cmocka_unit_test(pseudo_header),
		cmocka_unit_test(incremental_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
