/* SPDX-License-Identifier: MIT */
/*
 * The evaluator of %{ }% blocks: every construct it takes, and what it says of the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packetdrill/pycode.h"

static struct pd_python *python;
static struct strbuf printed;
static struct pd_error error;

static bool lookup(void *ctx, const char *name, s64 *value)
{
	(void)ctx;
	if (strcmp(name, "tcpi_snd_cwnd") == 0)
		*value = 10;
	else if (strcmp(name, "tcpi_options") == 0)
		*value = 39;
	else
		return false;
	return true;
}

static enum pd_python_result run(const char *code)
{
	return pd_python_run(python, (struct pd_text){ code, strlen(code) }, 5, lookup, NULL,
			     &printed, &error);
}

static void holds(const char *code)
{
	if (run(code) != PD_PYTHON_OK)
		fail_msg("%s: %s", code, error.text);
}

static void fails(const char *code, enum pd_python_result result, const char *text)
{
	assert_int_equal(run(code), result);
	assert_string_equal(error.text, text);
}

static void prints(const char *expression, const char *text)
{
	char code[200];

	snprintf(code, sizeof(code), "print(%s)", expression);
	strbuf_clear(&printed);
	holds(code);
	assert_string_equal(strbuf_text(&printed), text);
}

static int setup(void **state)
{
	(void)state;
	python = pd_python_new("x.pkt");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pd_python_free(python);
	strbuf_free(&printed);
	return 0;
}

static void test_assert(void **state)
{
	(void)state;
	holds("assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd");
	holds(" assert 9 <= tcpi_snd_cwnd < 11; \\\n\t assert (tcpi_options & TCPI_OPT_SYN_DATA) != 0 ");
	holds("\nassert TCP_CA_Recovery == 3 # three\n// not Python's, but scripts have it\n"
	      "assert tcpi_options == (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK |\n TCPI_OPT_WSCALE | 32)\n");
	fails("assert tcpi_snd_cwnd == 11, 'cwnd=%d' % tcpi_snd_cwnd", PD_PYTHON_FAILED,
	      "x.pkt:5: assertion failed: tcpi_snd_cwnd == 11: cwnd=10");
	fails("\n\nassert 1 < 2 < 2", PD_PYTHON_FAILED, "x.pkt:7: assertion failed: 1 < 2 < 2");
	fails("assert 1 == 1\nassert 0, (1, 2.5, 'a')", PD_PYTHON_FAILED,
	      "x.pkt:6: assertion failed: 0: (1, 2.5, 'a')");
	assert_int_equal(error.line, 6);
}

static void test_values(void **state)
{
	(void)state;
	prints("1 + 2 * 3 - 4", "3\n");
	prints("7 / 2, 7 // 2, -7 // 2, -7 % 3, 7 % -3", "3.5 3 -4 2 -2\n");
	prints("2 ** 10, -2 ** 2, 2 ** 3 ** 2", "1024 -4 512\n");
	prints("1 << 4 | 3 & 6 ^ 1, ~5, -1 >> 70", "19 -6 -1\n");
	prints("0x7fffffff, 1e3, 0.1, .5 + 1", "2147483647 1000.0 0.1 1.5\n");
	prints("'a' 'b' + \"c\\n\"", "abc\n\n");
	prints("1 < 2 and 3 or 4, not 0, 0 or '', None", "3 True  None\n");
	prints("1 if 2 > 3 else 5", "5\n");
	prints("(1,), (), 1 == 1.0, 'a' < 'b'", "(1,) () True True\n");
	prints("'%d %5.2f|%-4s|%x %%' % (3.9, 2.0, 'ab', 255)", "3  2.00|ab  |ff %\n");
	prints("'%s' % 1", "1\n");
	prints("round(2.5), round(3.5), round(1.26, 1), abs(-3), abs(-.5)", "2 4 1.3 3 0.5\n");
	prints("min(3, 1, 2), max((1, 5)), len('abc'), len((1, 2))", "1 5 3 2\n");
	prints("int(3.9), float(2), str(5) + 'x', bool(7)", "3 2.0 5x True\n");
}

static void test_variables(void **state)
{
	(void)state;
	holds("a = 3\nb = a, 'x'");
	holds("a += 2; a *= 3; a -= 1; a //= 2; a <<= 2; a |= 1; a ^= 2; a &= 0xff; a %= 20");
	prints("a, b", "11 (3, 'x')\n");
	holds("TCP_INFINITE_SSTHRESH = 0x7fffffff");
	holds("assert TCP_INFINITE_SSTHRESH == 2147483647");
}

static void test_sequences(void **state)
{
	(void)state;
	holds("assert (1, 2) == (1, 2) and (1, 2) != (1, 3) and (1, 2) != [1, 2]");
	holds("assert (1, 2) < (1, 3) and [1] < [1, 0] and not (1, 'a') == (1, 2)");
	holds("x = [3, 1,\n 2]");
	prints("x, x[0], x[-1], x[1:], x[:-1], 'abc'[1], 'abcd'[-3:9]",
	       "[3, 1, 2] 3 2 [1, 2] [3, 1] b bcd\n");
	prints("2 in x, 5 in x, 5 not in x, 'b' in 'abc', 1 is not None",
	       "True False True True True\n");
	prints("sum(x), sorted(x), any([0, 1]), all((1, 0)), max(x), len(x)",
	       "6 [1, 2, 3] True False 3 3\n");
	prints("x + [4], tuple(x), list((1,)), hex(-255), repr('a\"\\n')",
	       "[3, 1, 2, 4] (3, 1, 2) [1] -0xff 'a\"\\n'\n");
	prints("'%s' % [1]", "[1]\n");
	fails("x[3]", PD_PYTHON_FAILED, "x.pkt:5: IndexError: index out of range");
	fails("1[0]", PD_PYTHON_FAILED, "x.pkt:5: TypeError: this has no elements");
	fails("1 in 2", PD_PYTHON_FAILED, "x.pkt:5: TypeError: 'in' needs a sequence");
	fails("(1, 2) < (1, 'a')", PD_PYTHON_FAILED, "x.pkt:5: TypeError: these two have no order");
	fails("[1 for i in x]", PD_PYTHON_ERROR, "x.pkt:5: unknown expression 'for'");
}

static void test_strings(void **state)
{
	(void)state;
	prints("'aB'.upper() + 'aB'.lower(), ' a '.strip(), 'a,b,'.split(','), ' a  b '.split()",
	       "ABab a ['a', 'b', ''] ['a', 'b']\n");
	prints("'-'.join(['a', 'b']), 'aXbX'.replace('X', 'yy'), 'abc'.find('c')",
	       "a-b ayybyy 2\n");
	prints("'abc'.startswith('ab'), 'abc'.endswith('ab'), 'a'.endswith('abc')",
	       "True False False\n");
	prints("'{} {1:x} {:>4}|{:<3}|{{}}'.format(1, 255, 2)", "1 ff  255|2  |{}\n");
	holds("v = 7\nw = 'q'");
	prints("f'{v} {v + 1:03d} {w!r} {{{w:3}}}' 'z', r'\\n', '\\x41\\q'",
	       "7 008 'q' {q  }z \\n A\\q\n");
	prints("'''a\nb'''", "a\nb\n");
	prints("' '.split()[0:], ' '.split() + [1]", "[] [1]\n");
	fails("'%99999d%9d' % (1, 2)", PD_PYTHON_FAILED,
	      "x.pkt:5: MemoryError: a value is too large");
	fails("f'{1:60000}{1:60000}'", PD_PYTHON_FAILED,
	      "x.pkt:5: MemoryError: a value is too large");
	fails("x = f'{1:60000}' f'{1:60000}'", PD_PYTHON_FAILED,
	      "x.pkt:5: MemoryError: a value is too large");
	fails("f'{1:5000}'.replace(' ', '')", PD_PYTHON_FAILED,
	      "x.pkt:5: MemoryError: a value is too large");
	fails("'a'.title()", PD_PYTHON_ERROR, "x.pkt:5: unknown method 'title'");
	fails("'a'.length", PD_PYTHON_ERROR, "x.pkt:5: unknown attribute 'length'");
	fails("'{} {}'.format(1)", PD_PYTHON_FAILED,
	      "x.pkt:5: IndexError: not enough arguments for format()");
	fails("f'{1'", PD_PYTHON_ERROR, "x.pkt:5: '}' is missing at '''");
}

static void test_targets(void **state)
{
	(void)state;
	holds("a, b = 3, 4\na = c = a + b\n(d, e) = (a, 'e')\nd **= 2");
	prints("a, b, c, d, e", "7 4 7 49 e\n");
	fails("a, b = 1, 2, 3", PD_PYTHON_FAILED,
	      "x.pkt:5: ValueError: not as many values as names");
	/* Python 2's. */
	strbuf_clear(&printed);
	holds("print 'a', b; print");
	assert_string_equal(strbuf_text(&printed), "a 4\n\n");
}

static void test_if(void **state)
{
	(void)state;
	holds("x = 0\nif 1 > 2:\n  x = nowhere\n  y = 1 / 0\nelif x == 0:\n  if 1:\n    x = 7\n"
	      "  else: x = 8\nelse:\n  x = 9\nz = x");
	prints("z", "7\n");
	holds("if 0: z = 1; y = 2\nz += 1");
	prints("z", "8\n");
	holds("if 0:\n\tpass\nelse:\n\tz = 1\n\n\t# still in it\n\tz = 2");
	prints("z", "2\n");
	fails("if 1:\nz = 1", PD_PYTHON_ERROR, "x.pkt:6: an indented block is missing at 'z = 1'");
}

static void test_exceptions(void **state)
{
	(void)state;
	fails("1 / 0", PD_PYTHON_FAILED, "x.pkt:5: ZeroDivisionError: division by zero");
	fails("1 % 0", PD_PYTHON_FAILED, "x.pkt:5: ZeroDivisionError: division by zero");
	fails("0x7fffffffffffffff + 1", PD_PYTHON_FAILED,
	      "x.pkt:5: OverflowError: a number leaves 64 bits");
	fails("1 << 63", PD_PYTHON_FAILED, "x.pkt:5: OverflowError: a number leaves 64 bits");
	fails("2 ** 64", PD_PYTHON_FAILED, "x.pkt:5: OverflowError: a number leaves 64 bits");
	fails("(-0x7fffffffffffffff - 1) // -1", PD_PYTHON_FAILED,
	      "x.pkt:5: OverflowError: a number leaves 64 bits");
	fails("'a' - 1", PD_PYTHON_FAILED, "x.pkt:5: TypeError: unsupported operand types");
	fails("'a' < 1", PD_PYTHON_FAILED, "x.pkt:5: TypeError: these two have no order");
	fails("'%d' % 'a'", PD_PYTHON_FAILED,
	      "x.pkt:5: TypeError: %d format: a number is required");
	fails("'%d %d' % 1", PD_PYTHON_FAILED,
	      "x.pkt:5: TypeError: not enough arguments for format string");
	fails("'%d' % (1, 2)", PD_PYTHON_FAILED,
	      "x.pkt:5: TypeError: not all arguments converted during string formatting");
	fails("len(1)", PD_PYTHON_FAILED, "x.pkt:5: TypeError: this has no len()");
	holds("0 and 1 / 0");
	holds("1 or 1 / 0");
}

static void test_unknown(void **state)
{
	(void)state;
	fails("assert\\\n tcpi_nothing", PD_PYTHON_ERROR, "x.pkt:6: unknown name 'tcpi_nothing'");
	assert_int_equal(error.kind, PD_ERROR_UNKNOWN);
	assert_string_equal(error.word, "tcpi_nothing");
	fails("import os", PD_PYTHON_ERROR, "x.pkt:5: unknown statement 'import'");
	fails("x = open('a')", PD_PYTHON_ERROR, "x.pkt:5: unknown function 'open'");
	fails("1 +", PD_PYTHON_ERROR, "x.pkt:5: a value is missing at ''");
	fails("'abc", PD_PYTHON_ERROR, "x.pkt:5: a string has no end at ''");
	fails("(1", PD_PYTHON_ERROR, "x.pkt:5: a closing bracket is missing at ''");
	fails("a b", PD_PYTHON_ERROR, "x.pkt:5: unknown name 'a'");
	fails("1 2", PD_PYTHON_ERROR, "x.pkt:5: the end of the statement is missing at '2'");
	fails("99999999999999999999", PD_PYTHON_ERROR,
	      "x.pkt:5: a number is too large at '99999999999999999999'");
	assert_int_equal(error.kind, PD_ERROR_SYNTAX);
}

static void test_deep(void **state)
{
	char code[2000];
	size_t i;
	static const char opens[] = "(-~";

	(void)state;
	for (i = 0; i < sizeof(opens) - 1; i++) {
		memset(code, opens[i], sizeof(code) - 1);
		code[sizeof(code) - 1] = '\0';
		assert_int_equal(run(code), PD_PYTHON_ERROR);
		assert_non_null(strstr(error.text, "nested too deep"));
	}
}

/* Every prefix: an error or not, never a crash. */
static void test_prefixes(void **state)
{
	static const char code[] =
		"\nif tcpi_snd_cwnd in 1:\n  a = (1, 'x%d' % 2) ; \\\n print(a)\n"
		"elif not 1 or 2 ** 3 < 5: b += min(1, 2)\nelse:\n\tassert 0x1f, 'y'\n"
		"c, d = [1, 2][:1], f'{1:2}' 'a'.replace('a', '''b''')[0]\nprint 1 not in c, d\n";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(code); i++) {
		char *copy = malloc(i ? i : 1);

		memcpy(copy, code, i);
		pd_python_run(python, (struct pd_text){ copy, i }, 1, lookup, NULL, &printed,
			      &error);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_assert, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_variables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sequences, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_if, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exceptions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prefixes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
