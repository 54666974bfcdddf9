/* SPDX-License-Identifier: MIT */
/*
 * The digest of RFC 2385 over a segment of 45 bytes. The expected value is md5sum(1)'s over pseudo
 * header, header with a checksum of 0, data and key, put down by hand.
 */
#include "tcp/tcp_md5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/tcp.h"

static void digest(void **state)
{
	static const u8 header[TCP_HLEN] = { 0x00, 0x50, 0x0f, 0xa0, 1,	   2,	 3,    4,    5,
					     6,	   7,	 8,    0xa0, 0x18, 0x10, 0x00, 0x12, 0x34 };
	static const u8 want[16] = {
		0x63, 0x29, 0x4c, 0xfc, 0x50, 0x88, 0x63, 0xa4,
		0xb1, 0x7f, 0x51, 0x7e, 0xb5, 0xe3, 0xef, 0x21,
	};
	const struct inet_addr saddr = inet_addr4(htonl(0xc0000201)),
			       daddr = inet_addr4(htonl(0xc0000209));
	const struct tcp_ends ends = { .family = AF_INET, .saddr = &saddr, .daddr = &daddr };
	const struct tcp_md5sig_key key = { .keylen = 4, .key = "-key" };
	u8 segment[45];

	(void)state;
	memcpy(segment, header, TCP_HLEN);
	memcpy(segment + 40, "hello", 5);
	tcp_md5_sign(segment, sizeof(segment), TCP_HLEN, &ends, &key);
	assert_memory_equal(segment + TCP_HLEN + 4, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(digest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
