/* SPDX-License-Identifier: MIT */
/* MD5 against the vectors of RFC 1321 A.5, whole and in pieces. */
#include "lib/crypto/md5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text, *digest;
} vectors[] = {
	{ "", "d41d8cd98f00b204e9800998ecf8427e" },
	{ "a", "0cc175b9c0f1b6a831c399e269772661" },
	{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
	{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
	{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
	{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	  "d174ab98d277d9f5a5611c2c9f419d9f" },
	{ "1234567890123456789012345678901234567890"
	  "1234567890123456789012345678901234567890",
	  "57edf4a22be3c955ac49da2e2107b67a" },
};

static void check(const char *text, size_t piece, const char *want)
{
	struct md5_ctx ctx;
	u8 digest[MD5_DIGEST_SIZE];
	char hex[33];
	size_t len = strlen(text);

	md5_init(&ctx);
	for (size_t at = 0; at < len; at += piece)
		md5_update(&ctx, (const u8 *)text + at, len - at < piece ? len - at : piece);
	md5_final(&ctx, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, want);
}

static void rfc1321(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		for (size_t piece = 1; piece < 90; piece += 11)
			check(vectors[i].text, piece, vectors[i].digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rfc1321) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
