/* SPDX-License-Identifier: MIT */
/* SHA-1 (FIPS 180-4 6.1) and HMAC (RFC 2104 2). Invariant: block holds the last bytes % 64 bytes
 * that were given. */
#include "lib/crypto/sha1.h"

#include <string.h>

#include "lib/bytes.h"

static u32 rol32(u32 v, u32 n)
{
	return v << n | v >> (32 - n);
}

/* The function and the constant of a round of twenty steps. */
static u32 mix(u32 round, u32 b, u32 c, u32 d)
{
	switch (round) {
	case 0:
		return ((b & c) | (~b & d)) + 0x5a827999;
	case 1:
		return (b ^ c ^ d) + 0x6ed9eba1;
	case 2:
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	default:
		return (b ^ c ^ d) + 0xca62c1d6;
	}
}

static void transform(u32 *state, const u8 *block)
{
	u32 a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], w[80];

	for (u32 i = 0; i < 16; i++)
		w[i] = get_be32(block + 4 * i);
	for (u32 i = 16; i < 80; i++)
		w[i] = rol32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (u32 i = 0; i < 80; i++) {
		u32 t = rol32(a, 5) + mix(i / 20, b, c, d) + e + w[i];

		e = d;
		d = c;
		c = rol32(b, 30);
		b = a;
		a = t;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

void sha1_init(struct sha1_ctx *ctx)
{
	ctx->state[0] = 0x67452301;
	ctx->state[1] = 0xefcdab89;
	ctx->state[2] = 0x98badcfe;
	ctx->state[3] = 0x10325476;
	ctx->state[4] = 0xc3d2e1f0;
	ctx->bytes = 0;
}

void sha1_update(struct sha1_ctx *ctx, const u8 *data, size_t len)
{
	while (len) {
		size_t used = (size_t)(ctx->bytes % SHA1_BLOCK_SIZE), n = SHA1_BLOCK_SIZE - used;

		if (n > len)
			n = len;
		memcpy(ctx->block + used, data, n);
		ctx->bytes += n;
		data += n;
		len -= n;
		if (used + n == SHA1_BLOCK_SIZE)
			transform(ctx->state, ctx->block);
	}
}

void sha1_final(struct sha1_ctx *ctx, u8 *digest)
{
	static const u8 padding[SHA1_BLOCK_SIZE] = { 0x80 };
	u64 bits = ctx->bytes * 8;
	u8 length[8];

	sha1_update(ctx, padding, (size_t)(119 - ctx->bytes % 64) % 64 + 1);
	put_be64(length, bits);
	sha1_update(ctx, length, sizeof(length));
	for (u32 i = 0; i < 5; i++)
		put_be32(digest + 4 * i, ctx->state[i]);
}

void hmac_sha1_init(struct hmac_sha1_ctx *ctx, const u8 *key, size_t len)
{
	u8 inner_pad[SHA1_BLOCK_SIZE], short_key[SHA1_DIGEST_SIZE];

	if (len > SHA1_BLOCK_SIZE) {
		sha1_init(&ctx->inner);
		sha1_update(&ctx->inner, key, len);
		sha1_final(&ctx->inner, short_key);
		key = short_key;
		len = sizeof(short_key);
	}
	for (size_t i = 0; i < SHA1_BLOCK_SIZE; i++) {
		u8 k = i < len ? key[i] : 0;

		inner_pad[i] = k ^ 0x36;
		ctx->outer_pad[i] = k ^ 0x5c;
	}
	sha1_init(&ctx->inner);
	sha1_update(&ctx->inner, inner_pad, sizeof(inner_pad));
}

void hmac_sha1_update(struct hmac_sha1_ctx *ctx, const u8 *data, size_t len)
{
	sha1_update(&ctx->inner, data, len);
}

void hmac_sha1_final(struct hmac_sha1_ctx *ctx, u8 *mac)
{
	u8 digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx outer;

	sha1_final(&ctx->inner, digest);
	sha1_init(&outer);
	sha1_update(&outer, ctx->outer_pad, sizeof(ctx->outer_pad));
	sha1_update(&outer, digest, sizeof(digest));
	sha1_final(&outer, mac);
}
