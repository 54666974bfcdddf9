/* SPDX-License-Identifier: MIT */
/* SipHash against its authors' vectors; random streams that do not shift one another. */
#include "stack/bare_world.h"

#include "lib/bytes.h"
#include "lib/hash.h"

/* First outputs for key 00..0f and inputs of 0, 1, 2, ... 15 bytes 00 01 02 ... (the reference
 * implementation's vectors.h, SipHash-2-4). */
static const struct {
	u32 len;
	u64 hash;
} vectors[] = {
	{ 0, 0x726fdb47dd0e0e31ull }, { 1, 0x74f839c593dc67fdull },  { 7, 0xab0200f58b01d137ull },
	{ 8, 0x93f5f5799a932462ull }, { 15, 0xa129ca6149be45e5ull },
};

static struct siphash_key test_key(void)
{
	return (struct siphash_key){ { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } };
}

static void reference_vectors(void **state)
{
	struct siphash_key key = test_key();
	u8 in[16];

	(void)state;
	for (u8 i = 0; i < 16; i++)
		in[i] = i;
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		assert_true(siphash(in, vectors[i].len, &key) == vectors[i].hash);
}

static void words_hash_as_their_bytes(void **state)
{
	struct siphash_key key = test_key();
	u8 in[32];

	(void)state;
	for (u32 i = 0; i < 4; i++)
		put_le64(in + 8 * i, 0x0123456789abcdefull * (i + 1));
	assert_true(siphash_1u64(get_le64(in), &key) == siphash(in, 8, &key));
	assert_true(siphash_2u64(get_le64(in), get_le64(in + 8), &key) == siphash(in, 16, &key));
	assert_true(siphash_3u64(get_le64(in), get_le64(in + 8), get_le64(in + 16), &key) ==
		    siphash(in, 24, &key));
	assert_true(siphash_4u64(get_le64(in), get_le64(in + 8), get_le64(in + 16),
				 get_le64(in + 24), &key) == siphash(in, 32, &key));
}

static void a_draw_in_one_stream_does_not_shift_another(void **state)
{
	struct world *a = bare_world(9), *b = bare_world(9), *c = bare_world(10);

	(void)state;
	for (u32 i = 0; i < 100; i++)
		(void)get_random_u64(a, RANDOM_WIRE);
	assert_true(get_random_u64(a, RANDOM_ISN) == get_random_u64(b, RANDOM_ISN));
	assert_true(get_random_u64(a, RANDOM_ISN) != get_random_u64(c, RANDOM_ISN));
	for (u32 i = 0; i < 10000; i++)
		assert_in_range(get_random_u32_below(a, RANDOM_PORT, 7), 0, 6);
	bare_world_end(a);
	bare_world_end(b);
	bare_world_end(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_vectors),
		cmocka_unit_test(words_hash_as_their_bytes),
		cmocka_unit_test(a_draw_in_one_stream_does_not_shift_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
