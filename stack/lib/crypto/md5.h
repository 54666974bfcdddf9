/* SPDX-License-Identifier: MIT */
/* MD5 (RFC 1321), for the TCP option of RFC 2385 and nothing else: it is long broken. */
#ifndef TAPLINE_LIB_CRYPTO_MD5_H
#define TAPLINE_LIB_CRYPTO_MD5_H

#include "stack/types.h"

#define MD5_DIGEST_SIZE 16u

struct md5_ctx {
	u32 state[4];
	u64 bytes;
	u8 block[64];
};

void md5_init(struct md5_ctx *ctx);
void md5_update(struct md5_ctx *ctx, const u8 *data, size_t len);
void md5_final(struct md5_ctx *ctx, u8 *digest);

#endif
