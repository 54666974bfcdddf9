/* SPDX-License-Identifier: MIT */
/* Addresses as text: what is one and what is none, and that what is written is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/addr_text.h"
#include "lib/hash.h"

static void ip4(void **state)
{
	static const char *const wrong[] = { "",	  "1.2.3",  "1.2.3.4.5",
					     "256.1.1.1", "1..2.3", "1.2.3.4 ",
					     "a.b.c.d",	  "1.2.3.", "1234.1.1.1" };
	char text[ADDR_TEXT_MAX];
	u8 addr[4];

	(void)state;
	assert_true(ip4_from_text("192.0.2.255", addr));
	assert_memory_equal(addr, "\xc0\x00\x02\xff", 4);
	ip4_to_text(addr, text);
	assert_string_equal(text, "192.0.2.255");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(ip4_from_text(wrong[i], addr));
}

static void ip6_read_and_written(void **state)
{
	/* RFC 5952 4: what is read on the left is written as on the right. */
	static const char *const pairs[][2] = {
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:0DB8:0:0:0:0:2:1", "2001:db8::2:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
		{ "::ffff:192.0.2.1", "::ffff:c000:201" },
		{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
	};
	char text[ADDR_TEXT_MAX];
	u8 addr[16];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_true(ip6_from_text(pairs[i][0], addr));
		ip6_to_text(addr, text);
		assert_string_equal(text, pairs[i][1]);
	}
}

static void ip6_wrong(void **state)
{
	static const char *const wrong[] = {
		"",
		":",
		"1",
		":1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"12345::",
		"g::",
		"1:2:3:4:5:6:7:",
		"1:2:3:4:5:6:7:1.2.3.4",
		"::1.2.3",
		"1:::2",
		"::1 ",
		"1:2:3:4::5:6:7:8",
	};
	u8 addr[16];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(ip6_from_text(wrong[i], addr));
}

static void round_trip(void **state)
{
	char text[ADDR_TEXT_MAX];
	u8 addr[16], again[16];

	(void)state;
	for (u64 n = 0; n < 20000; n++) {
		u64 bits = mix64(n), zero = mix64(n + 1000000);

		for (u32 i = 0; i < 16; i++)
			addr[i] = zero >> i / 2 & 1 ? 0 : (u8)mix64(bits + i);
		ip6_to_text(addr, text);
		assert_true(strlen(text) < ADDR_TEXT_MAX);
		assert_true(ip6_from_text(text, again));
		assert_memory_equal(addr, again, 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip4),
		cmocka_unit_test(ip6_read_and_written),
		cmocka_unit_test(ip6_wrong),
		cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
