/* SPDX-License-Identifier: MIT */
/* AES-CMAC with a key of 128 bits (RFC 4493, FIPS 197), for TCP-AO (RFC 5926). */
#ifndef TAPLINE_LIB_CRYPTO_AES_CMAC_H
#define TAPLINE_LIB_CRYPTO_AES_CMAC_H

#include "stack/types.h"

#define AES_BLOCK_SIZE	16u
#define AES128_KEY_SIZE 16u
#define AES128_ROUNDS	10u

struct aes128_ctx {
	u8 round_key[AES128_ROUNDS + 1][AES_BLOCK_SIZE];
};

void aes128_init(struct aes128_ctx *ctx, const u8 *key);
/* In place. */
void aes128_encrypt(const struct aes128_ctx *ctx, u8 *block);

struct aes_cmac_ctx {
	struct aes128_ctx aes;
	u8 mac[AES_BLOCK_SIZE]; /* of the blocks before the last */
	u8 last[AES_BLOCK_SIZE]; /* `used` bytes of the block that may be the last */
	u32 used;
};

void aes_cmac_init(struct aes_cmac_ctx *ctx, const u8 *key);
void aes_cmac_update(struct aes_cmac_ctx *ctx, const u8 *data, size_t len);
void aes_cmac_final(struct aes_cmac_ctx *ctx, u8 *mac);

#endif
