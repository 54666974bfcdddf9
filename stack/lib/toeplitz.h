/* SPDX-License-Identifier: MIT */
/* The Toeplitz hash of receive side scaling: the hash of an input is the sum without carry of the
 * 32 bits of the key from each place on where the input has a one. */
#ifndef TAPLINE_LIB_TOEPLITZ_H
#define TAPLINE_LIB_TOEPLITZ_H

#include "stack/types.h"

#define TOEPLITZ_KEY_LEN 40u
/* The longest input: two IPv6 addresses and two ports. */
#define TOEPLITZ_INPUT_MAX 36u

/* Hashes len <= TOEPLITZ_INPUT_MAX bytes in network order. */
u32 toeplitz_hash(const u8 key[TOEPLITZ_KEY_LEN], const u8 *data, u32 len);

/* The same by table, for inputs of up to TOEPLITZ_LUT_LEN bytes (addresses and ports of IPv4): what
 * each value of each half byte adds. */
#define TOEPLITZ_LUT_LEN 12u
struct toeplitz_lut {
	u32 add[2 * TOEPLITZ_LUT_LEN][16];
};
void toeplitz_lut_init(struct toeplitz_lut *lut, const u8 key[TOEPLITZ_KEY_LEN]);
static inline u32 toeplitz_lut_hash(const struct toeplitz_lut *lut, const u8 *data, u32 len)
{
	u32 hash = 0;

	for (u32 i = 0; i < len; i++)
		hash ^= lut->add[2 * i][data[i] >> 4] ^ lut->add[2 * i + 1][data[i] & 15];
	return hash;
}

#endif
