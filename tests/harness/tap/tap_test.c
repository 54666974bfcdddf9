/* SPDX-License-Identifier: MIT */
/*
 * The TAP writer: whatever a name or value holds, the stream stays what a strict reader expects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tap/tap.h"

static struct strbuf out;

/* What was written since the last call. */
static const char *written(void)
{
	static char text[4000];

	assert_true(out.len < sizeof(text));
	memcpy(text, strbuf_text(&out), out.len + 1);
	strbuf_free(&out);
	return text;
}

static void test_plan(void **state)
{
	(void)state;
	tap_plan(&out, 3, NULL);
	assert_string_equal(written(), "TAP version 13\n1..3\n");
	tap_plan(&out, 0, "no test matches");
	assert_string_equal(written(), "TAP version 13\n1..0 # SKIP no test matches\n");
}

static void test_result(void **state)
{
	(void)state;
	tap_result(&out, 1, TAP_OK, "plain", NULL);
	tap_result(&out, 2, TAP_NOT_OK, "a # b \\ c\nd\x80", NULL);
	tap_result(&out, 3, TAP_SKIP, "\xc3\xa4", "why # not");
	assert_string_equal(written(), "ok 1 - plain\n"
				       "not ok 2 - a \\# b \\\\ c\\x0Ad\\x80\n"
				       "ok 3 - \xc3\xa4 # SKIP why \\# not\n");
}

static void test_quote(void **state)
{
	/* Overlong, surrogate, cut, line separator: none of them may pass as it is. */
	static const char bad[] = "\xc0\x80|\xed\xa0\x80|\xe2\x82|\xe2\x80\xa8|\x7f|\x1b|\xff";

	(void)state;
	tap_quote(&out, "a\"b\\c\n\t", 7);
	assert_string_equal(written(), "\"a\\\"b\\\\c\\n\\t\"");
	tap_quote(&out, "\xe2\x82\xac \xf0\x9f\x98\x80", 8);
	assert_string_equal(written(), "\"\xe2\x82\xac \xf0\x9f\x98\x80\"");
	tap_quote(&out, bad, sizeof(bad) - 1);
	assert_string_equal(written(), "\"\\xC0\\x80|\\xED\\xA0\\x80|\\xE2\\x82|\\xE2\\x80\\xA8|"
				       "\\x7F|\\x1B|\\xFF\"");
}

static void test_yaml(void **state)
{
	const struct tap_diagnosis d = {
		.message = "it: failed",
		.got = "one\ntwo \"2\"\n",
		.expect = "",
		.file = "a b.lua",
		.line = 7,
		.has_time = true,
		.time_virtual_ns = 0,
		.seed = UINT64_MAX,
		.rerun = "tapline run 'a b.lua'",
	};

	(void)state;
	tap_yaml(&out, &d);
	assert_string_equal(written(), "  ---\n"
				       "  message: \"it: failed\"\n"
				       "  got:\n"
				       "    - \"one\"\n"
				       "    - \"two \\\"2\\\"\"\n"
				       "  expect: \"\"\n"
				       "  at:\n"
				       "    file: \"a b.lua\"\n"
				       "    line: 7\n"
				       "  time_virtual_ns: 0\n"
				       "  seed: 18446744073709551615\n"
				       "  rerun: \"tapline run 'a b.lua'\"\n"
				       "  ...\n");
}

static void test_comment(void **state)
{
	(void)state;
	tap_comment(&out, "one\nok 1 - two\n\nthree\x1b");
	assert_string_equal(written(), "# one\n# ok 1 - two\n# \n# three\\x1B\n");
	tap_bail_out(&out, "no\nway");
	assert_string_equal(written(), "Bail out! no\\x0Away\n");
}

static void test_shell_word(void **state)
{
	(void)state;
	tap_shell_word(&out, "a/b.lua");
	assert_string_equal(written(), "a/b.lua");
	tap_shell_word(&out, "it's $x");
	assert_string_equal(written(), "'it'\\''s $x'");
	tap_shell_word(&out, "");
	assert_string_equal(written(), "''");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),	cmocka_unit_test(test_result),
		cmocka_unit_test(test_quote),	cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_comment), cmocka_unit_test(test_shell_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
