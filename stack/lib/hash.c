/* SPDX-License-Identifier: MIT */
/* SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), 2-4 and 1-3 rounds. */
#include "lib/hash.h"

#include "lib/bytes.h"

struct sip {
	u64 v0, v1, v2, v3;
};

static inline u64 rotl(u64 x, u32 n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline struct sip sip_begin(const struct siphash_key *key)
{
	return (struct sip){ .v0 = 0x736f6d6570736575ull ^ key->key[0],
			     .v1 = 0x646f72616e646f6dull ^ key->key[1],
			     .v2 = 0x6c7967656e657261ull ^ key->key[0],
			     .v3 = 0x7465646279746573ull ^ key->key[1] };
}

static inline void sip_word(struct sip *s, u64 m, u32 rounds)
{
	s->v3 ^= m;
	while (rounds--)
		sip_round(s);
	s->v0 ^= m;
}

static inline u64 sip_end(struct sip *s, u64 last, u32 c, u32 d)
{
	sip_word(s, last, c);
	s->v2 ^= 0xff;
	while (d--)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

u64 siphash(const u8 *data, size_t len, const struct siphash_key *key)
{
	struct sip s = sip_begin(key);
	u64 last = (u64)(len & 0xff) << 56;
	size_t n = len;

	for (; n >= 8; n -= 8, data += 8)
		sip_word(&s, get_le64(data), 2);
	for (u32 i = 0; i < n; i++)
		last |= (u64)data[i] << (8 * i);
	return sip_end(&s, last, 2, 4);
}

u64 siphash_1u64(u64 a, const struct siphash_key *key)
{
	struct sip s = sip_begin(key);

	sip_word(&s, a, 2);
	return sip_end(&s, 8ull << 56, 2, 4);
}

u64 siphash_2u64(u64 a, u64 b, const struct siphash_key *key)
{
	struct sip s = sip_begin(key);

	sip_word(&s, a, 2);
	sip_word(&s, b, 2);
	return sip_end(&s, 16ull << 56, 2, 4);
}

u64 siphash_3u64(u64 a, u64 b, u64 c, const struct siphash_key *key)
{
	struct sip s = sip_begin(key);

	sip_word(&s, a, 2);
	sip_word(&s, b, 2);
	sip_word(&s, c, 2);
	return sip_end(&s, 24ull << 56, 2, 4);
}

u64 siphash_4u64(u64 a, u64 b, u64 c, u64 d, const struct siphash_key *key)
{
	struct sip s = sip_begin(key);

	sip_word(&s, a, 2);
	sip_word(&s, b, 2);
	sip_word(&s, c, 2);
	sip_word(&s, d, 2);
	return sip_end(&s, 32ull << 56, 2, 4);
}

u32 hsiphash_3u32(u32 a, u32 b, u32 c, const struct siphash_key *key)
{
	struct sip s = sip_begin(key);

	sip_word(&s, (u64)b << 32 | a, 1);
	return (u32)sip_end(&s, 12ull << 56 | c, 1, 3);
}

u32 hsiphash_2u64(u64 a, u64 b, const struct siphash_key *key)
{
	struct sip s = sip_begin(key);

	sip_word(&s, a, 1);
	sip_word(&s, b, 1);
	return (u32)sip_end(&s, 16ull << 56, 1, 3);
}
