/* SPDX-License-Identifier: MIT */
/* Toeplitz hash (toeplitz.h), bit by bit; the table is made with it. */
#include "lib/toeplitz.h"

#include "lib/bytes.h"

/* The 32 bits of the key from bit `at` on. */
static u32 key_window(const u8 *key, u32 at)
{
	u64 bits = (u64)get_be32(key + at / 8) << 8 | key[at / 8 + 4];

	return (u32)(bits >> (8 - at % 8));
}

u32 toeplitz_hash(const u8 key[TOEPLITZ_KEY_LEN], const u8 *data, u32 len)
{
	u32 hash = 0;

	for (u32 i = 0; i < len * 8; i++)
		if (data[i / 8] >> (7 - i % 8) & 1)
			hash ^= key_window(key, i);
	return hash;
}

void toeplitz_lut_init(struct toeplitz_lut *lut, const u8 key[TOEPLITZ_KEY_LEN])
{
	for (u32 place = 0; place < 2 * TOEPLITZ_LUT_LEN; place++) {
		for (u32 v = 0; v < 16; v++) {
			u32 sum = 0;

			for (u32 bit = 0; bit < 4; bit++)
				if (v >> (3 - bit) & 1)
					sum ^= key_window(key, place * 4 + bit);
			lut->add[place][v] = sum;
		}
	}
}
