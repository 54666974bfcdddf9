/* SPDX-License-Identifier: MIT */
/* MD5 (RFC 1321 3). Invariant: block holds the last bytes % 64 bytes that were given. */
#include "lib/crypto/md5.h"

#include <string.h>

#include "lib/bytes.h"

/* RFC 1321 3.4: floor(2^32 * |sin(i + 1)|). */
static const u32 sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391
};

static const u8 shifts[4][4] = {
	{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
};

static void transform(u32 *state, const u8 *block)
{
	u32 a = state[0], b = state[1], c = state[2], d = state[3];

	for (u32 i = 0; i < 64; i++) {
		u32 round = i / 16, f, k, s = shifts[round][i % 4];

		if (round == 0) {
			f = (b & c) | (~b & d);
			k = i;
		} else if (round == 1) {
			f = (d & b) | (~d & c);
			k = (5 * i + 1) % 16;
		} else if (round == 2) {
			f = b ^ c ^ d;
			k = (3 * i + 5) % 16;
		} else {
			f = c ^ (b | ~d);
			k = 7 * i % 16;
		}
		f += a + sines[i] + get_le32(block + 4 * k);
		a = d;
		d = c;
		c = b;
		b += f << s | f >> (32 - s);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void md5_init(struct md5_ctx *ctx)
{
	ctx->state[0] = 0x67452301;
	ctx->state[1] = 0xefcdab89;
	ctx->state[2] = 0x98badcfe;
	ctx->state[3] = 0x10325476;
	ctx->bytes = 0;
}

void md5_update(struct md5_ctx *ctx, const u8 *data, size_t len)
{
	while (len) {
		size_t used = (size_t)(ctx->bytes % 64), n = 64 - used;

		if (n > len)
			n = len;
		memcpy(ctx->block + used, data, n);
		ctx->bytes += n;
		data += n;
		len -= n;
		if (used + n == 64)
			transform(ctx->state, ctx->block);
	}
}

void md5_final(struct md5_ctx *ctx, u8 *digest)
{
	static const u8 padding[64] = { 0x80 };
	u64 bits = ctx->bytes * 8;
	u8 length[8];

	md5_update(ctx, padding, (size_t)(119 - ctx->bytes % 64) % 64 + 1);
	put_le64(length, bits);
	md5_update(ctx, length, sizeof(length));
	for (u32 i = 0; i < 4; i++)
		put_le32(digest + 4 * i, ctx->state[i]);
}
