/* SPDX-License-Identifier: MIT */
/* Hashes: SipHash (Aumasson, Bernstein 2012) where an attacker picks the input, a mixer where not.
 * Results are the same on every machine. */
#ifndef TAPLINE_LIB_HASH_H
#define TAPLINE_LIB_HASH_H

#include "stack/types.h"

struct siphash_key {
	u64 key[2];
};

/* SipHash-2-4 of bytes. */
u64 siphash(const u8 *data, size_t len, const struct siphash_key *key);
u64 siphash_1u64(u64 a, const struct siphash_key *key);
u64 siphash_2u64(u64 a, u64 b, const struct siphash_key *key);
u64 siphash_3u64(u64 a, u64 b, u64 c, const struct siphash_key *key);
u64 siphash_4u64(u64 a, u64 b, u64 c, u64 d, const struct siphash_key *key);

/* SipHash-1-3, for hash tables: the kernel's hsiphash on 64 bit. */
u32 hsiphash_3u32(u32 a, u32 b, u32 c, const struct siphash_key *key);
u32 hsiphash_2u64(u64 a, u64 b, const struct siphash_key *key);

/* Good mixer of one word (splitmix64's finalizer). Not for input from the wire that an attacker may
 * aim. */
static inline u64 mix64(u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	x ^= x >> 31;
	return x;
}

#endif
