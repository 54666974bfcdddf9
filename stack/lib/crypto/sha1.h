/* SPDX-License-Identifier: MIT */
/* SHA-1 (FIPS 180-4) and HMAC-SHA1 (RFC 2104), for TCP-AO (RFC 5926): MAC and key derivation. */
#ifndef TAPLINE_LIB_CRYPTO_SHA1_H
#define TAPLINE_LIB_CRYPTO_SHA1_H

#include "stack/types.h"

#define SHA1_DIGEST_SIZE 20u
#define SHA1_BLOCK_SIZE	 64u

struct sha1_ctx {
	u32 state[5];
	u64 bytes;
	u8 block[SHA1_BLOCK_SIZE];
};

void sha1_init(struct sha1_ctx *ctx);
void sha1_update(struct sha1_ctx *ctx, const u8 *data, size_t len);
void sha1_final(struct sha1_ctx *ctx, u8 *digest);

struct hmac_sha1_ctx {
	struct sha1_ctx inner;
	u8 outer_pad[SHA1_BLOCK_SIZE];
};

/* A key longer than a block is its digest. */
void hmac_sha1_init(struct hmac_sha1_ctx *ctx, const u8 *key, size_t len);
void hmac_sha1_update(struct hmac_sha1_ctx *ctx, const u8 *data, size_t len);
void hmac_sha1_final(struct hmac_sha1_ctx *ctx, u8 *mac);

#endif
