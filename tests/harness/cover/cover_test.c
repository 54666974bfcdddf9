/* SPDX-License-Identifier: MIT */
/*
 * `tapline cover` with a catalogue of its own: each requirement is in the column that it belongs
 * to, in all formats, and the exit status is that of the run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cover/matrix.h"
#include "harness/run/command.h"

#define HEAD "local tap = require 'tap'\n"

static int setup(void **state)
{
	if (command_setup(state))
		return -1;
	command("mkdir -p data/docs/requirements; ln -s $TAPLINE_SOURCE_DIR/scripts data/scripts");
	command_file("data/docs/requirements/a.tsv",
		     "id\trfc\tsection\tlevel\trole\trequirement\tobservable\tnote\n"
		     "RFC12-1-1\t12\t1\tMUST\thost\tIs \"good\"\twire\t\n"
		     "RFC12-1-2\t12\t1\tMUST\thost\tIs better\tapi\tprose\n"
		     "RFC12-1-3\t12\t1\tMUST\thost\tIs best\ttimer\t\n"
		     "RFC12-1-4\t12\t1\tMUST\thost\tIs not seen\tnone\t\n"
		     "RFC12-1-5\t12\t1\tMAY\thost\tIs done\twire\t\n"
		     "RFC12-1-6\t12\t1\tSHOULD\thost\tIs good\twire\told; see RFC12-1-1; x\n"
		     "RFC12-1-7\t12\t1\tSHOULD\thost\tIs bad\twire\tsee RFC12-1-1\n");
	command_file("data/docs/requirements/not-shown.tsv",
		     "id\treason\nRFC12-1-7\tnobody \"wants\" it\n");
	command_file("data/docs/requirements/b.tsv",
		     "id\trfc\tsection\tlevel\trole\trequirement\tobservable\tnote\n"
		     "RFC9-1-1\t9\t1\tMUST NOT\thost\tIs never\twire\t\n");
	command_file("pass.lua", HEAD "tap.test('pass', function(t)\n"
				      "t:shows('RFC12-1-1', t:ok(1)) end)\n");
	command_file("fail.lua", HEAD "tap.test('fail', function(t)\n"
				      "t:shows('RFC12-1-1', t:ok(1))\n"
				      "t:shows('RFC12-1-2', t:ok(1)) t:ok(false) end)\n"
				      "tap.test('skip', function(t)\n"
				      "t:shows('RFC12-1-5', t:ok(1)) t:skip('no') end)\n");
	return 0;
}

#define COVER "TAPLINE_DATA=data $TAPLINE cover "

static void test_matrix(void **state)
{
	const struct command *c;

	(void)state;
	c = command(COVER "pass.lua fail.lua");
	assert_int_equal(c->status, 1);
	assert_string_equal(c->out,
			    "RFC    level      observable    shown  failing  missing   listed\n"
			    "9      MUST NOT            1        0        0        1        0\n"
			    "12     MUST                3        1        1        1        0\n"
			    "12     SHOULD              2        1        0        0        1\n"
			    "12     MAY                 1        0        0        1        0\n"
			    "\n"
			    "all    MUST                3        1        1        1        0\n"
			    "all    MUST NOT            1        0        0        1        0\n"
			    "all    SHOULD              2        1        0        0        1\n"
			    "all    MAY                 1        0        0        1        0\n"
			    "all    all                 7        2        1        3        1\n");
	assert_string_equal(c->err, "not ok - fail.lua: fail\n");
}

static void test_selection(void **state)
{
	const struct command *c;

	(void)state;
	c = command(COVER "--tsv --rfc 12 --level must pass.lua");
	assert_int_equal(c->status, 0);
	assert_string_equal(c->out, "rfc\tlevel\tobservable\tshown\tfailing\tmissing\tlisted\n"
				    "12\tMUST\t3\t1\t0\t2\t0\n");
	c = command(COVER "--tsv --level=must-not --rfc RFC9 pass.lua");
	assert_string_equal(c->out, "rfc\tlevel\tobservable\tshown\tfailing\tmissing\tlisted\n"
				    "9\tMUST NOT\t1\t0\t0\t1\t0\n");
	/* The options of run choose what runs. */
	c = command(COVER "--tsv --rfc 12 --filter skip --level MUST -j 2 pass.lua fail.lua");
	assert_int_equal(c->status, 4);
	assert_contains(c->out, "12\tMUST\t3\t0\t0\t3\t0\n");
}

static void test_missing(void **state)
{
	const struct command *c;

	(void)state;
	c = command(COVER "--missing pass.lua fail.lua");
	assert_string_equal(c->out, "RFC9-1-1\tMUST NOT\tnot shown\tIs never\n"
				    "RFC12-1-2\tMUST\tonly failing\tIs better\n"
				    "RFC12-1-3\tMUST\tnot shown\tIs best\n"
				    "RFC12-1-5\tMAY\tnot shown\tIs done\n");
	c = command(COVER "--missing --json --rfc 12 --level MUST fail.lua");
	assert_string_equal(c->out,
			    "{\n  \"missing\": [\n"
			    "    { \"id\": \"RFC12-1-1\", \"rfc\": \"12\", \"level\": \"MUST\", "
			    "\"state\": \"only failing\", \"requirement\": \"Is \\\"good\\\"\" },\n"
			    "    { \"id\": \"RFC12-1-2\", \"rfc\": \"12\", \"level\": \"MUST\", "
			    "\"state\": \"only failing\", \"requirement\": \"Is better\" },\n"
			    "    { \"id\": \"RFC12-1-3\", \"rfc\": \"12\", \"level\": \"MUST\", "
			    "\"state\": \"not shown\", \"requirement\": \"Is best\" }\n"
			    "  ]\n}\n");
}

static void test_listed(void **state)
{
	(void)state;
	assert_string_equal(command(COVER "--listed pass.lua")->out,
			    "RFC12-1-7\tSHOULD\tlisted\tnobody \"wants\" it\n");
	assert_contains(command(COVER "--listed --json pass.lua")->out,
			"\"state\": \"listed\", \"reason\": \"nobody \\\"wants\\\" it\" }");
	/* The row that is the same rule as one that is not shown. */
	assert_contains(command(COVER "--missing fail.lua")->out,
			"RFC12-1-6\tSHOULD\tonly failing\tIs good\n");
}

static void test_json(void **state)
{
	(void)state;
	assert_string_equal(
		command(COVER "--json --level MUST pass.lua")->out,
		"{\n  \"rows\": [\n"
		"    { \"rfc\": \"12\", \"level\": \"MUST\", \"observable\": 3, \"shown\": 1, "
		"\"failing\": 0, \"missing\": 2, \"listed\": 0 }\n"
		"  ],\n  \"all\": [\n"
		"    { \"rfc\": \"all\", \"level\": \"MUST\", \"observable\": 3, \"shown\": 1, "
		"\"failing\": 0, \"missing\": 2, \"listed\": 0 },\n"
		"    { \"rfc\": \"all\", \"level\": \"all\", \"observable\": 3, \"shown\": 1, "
		"\"failing\": 0, \"missing\": 2, \"listed\": 0 }\n"
		"  ]\n}\n");
}

static void check_usage(const char *line, const char *message)
{
	const struct command *c = command(line);

	assert_int_equal(c->status, 2);
	assert_string_equal(c->out, "");
	assert_contains(c->err, message);
}

static void test_usage(void **state)
{
	(void)state;
	check_usage(COVER, "tapline cover: no file or folder given");
	check_usage(COVER "--rfc 13 pass.lua", "no requirement of RFC '13'");
	check_usage(COVER "--level MUSN pass.lua", "no level 'MUSN' (there are MUST, MUST NOT,");
	check_usage(COVER "--mising pass.lua", "did you mean '--missing'?");
	check_usage(COVER "--filtre pass.lua", "did you mean '--filter'?");
	check_usage(COVER "--list pass.lua", "--list is an option of run only");
	check_usage(COVER "--set no.such=1 pass.lua", "tapline cover: --set: there is no sysctl");
	check_usage("TAPLINE_DATA=/nowhere $TAPLINE cover pass.lua", "no requirement catalogue");
	assert_int_equal(command(COVER "none.lua pass.lua")->status, 2);
	assert_int_equal(command(COVER "pass.lua >/dev/full")->status, 2);
	assert_int_equal(command(COVER "--help")->status, 0);
}

static void test_levels(void **state)
{
	(void)state;
	assert_string_equal(matrix_level("Should-Not"), "SHOULD NOT");
	assert_string_equal(matrix_level("SHOULD"), "SHOULD");
	assert_null(matrix_level("SHOULD NO"));
	assert_null(matrix_level(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),	cmocka_unit_test(test_selection),
		cmocka_unit_test(test_missing), cmocka_unit_test(test_json),
		cmocka_unit_test(test_listed),	cmocka_unit_test(test_usage),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, setup, command_teardown);
}
