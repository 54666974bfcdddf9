/* SPDX-License-Identifier: MIT */
/*
 * `tapline run` as its users see it: plan and results, selection, exit status, order and equality
 * of the output for every number of jobs, seeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/data.h"
#include "base/glob.h"
#include "base/suggest.h"
#include "harness/run/command.h"
#include "run/options.h"

#define HEAD "local tap = require 'tap'\n"
#define PASS HEAD "tap.test('pass', function(t) t:ok(true) end)\n"
#define FAIL HEAD "tap.test('fail', function(t) t:is(1, 2) end)\n"
#define SKIP HEAD "tap.test('skip', function(t) t:skip('why') end)\n"

static void test_exit_status(void **state)
{
	(void)state;
	command_file("pass.lua", PASS);
	command_file("fail.lua", FAIL);
	command_file("skip.lua", SKIP);
	assert_int_equal(command("$TAPLINE run pass.lua")->status, 0);
	assert_int_equal(command("$TAPLINE pass.lua")->status, 0);
	assert_int_equal(command("$TAPLINE run pass.lua skip.lua")->status, 0);
	assert_int_equal(command("$TAPLINE run pass.lua fail.lua")->status, 1);
	assert_int_equal(command("$TAPLINE run skip.lua")->status, 4);
	assert_int_equal(command("$TAPLINE run skip.lua fail.lua")->status, 1);
	assert_int_equal(command("$TAPLINE run fail.lua none.lua")->status, 2);
	assert_int_equal(command("$TAPLINE run --filter nothing pass.lua")->status, 4);
	assert_int_equal(command("$TAPLINE run --help")->status, 0);
	assert_int_equal(command("$TAPLINE version")->status, 0);
}

static void test_failure_block(void **state)
{
	const struct command *c;

	(void)state;
	command_file("deep.lua", HEAD "tap.test(\"it's # deep\", function(t)\n"
				      "  t:is({ a = { 1, 2 } }, { a = { 1, 3 } }, 'a\"b\\0')\n"
				      "end)\n");
	c = command("$TAPLINE run --seed 7 --set net.ipv4.ip_default_ttl=65 deep.lua");
	assert_string_equal(
		c->out, "TAP version 13\n1..1\n"
			"not ok 1 - deep.lua: it's \\# deep\n"
			"  ---\n"
			"  message: \"a\\\"b\"\n"
			"  diff: \"value.a[2]: got 2, expected 3\"\n"
			"  got: \"{ a = { 1, 2 } }\"\n"
			"  expect: \"{ a = { 1, 3 } }\"\n"
			"  at:\n"
			"    file: \"deep.lua\"\n"
			"    line: 3\n"
			"  seed: 7\n"
			"  rerun: \"tapline run --seed 7 --set net.ipv4.ip_default_ttl=65 --filter "
			"'it'\\\\''s # deep' deep.lua\"\n"
			"  ...\n");
}

static void test_selection(void **state)
{
	const struct command *c;

	(void)state;
	command("mkdir -p tree/b tree/a/lib tree/_x tree/.y");
	command_file("tree/z.lua", PASS);
	command_file("tree/b/Two.lua", PASS);
	command_file("tree/b/one.lua", PASS);
	command_file("tree/a/t.lua", HEAD "tap.test('x [1]', function(t) t:ok(true) end)\n"
					  "tap.test('x 1', function(t) t:ok(true) end)\n");
	command_file("tree/a/lib/no.lua", "error('no')\n");
	command_file("tree/_x/no.lua", "error('no')\n");
	command_file("tree/.y/no.lua", "error('no')\n");
	command_file("tree/_helper.lua", "error('no')\n");
	command_file("tree/readme.txt", "no\n");
	c = command("$TAPLINE run --list tree/ tree/z.lua");
	assert_int_equal(c->status, 0);
	assert_string_equal(c->out, "tree/a/t.lua: x [1]\ntree/a/t.lua: x 1\n"
				    "tree/b/Two.lua: pass\ntree/b/one.lua: pass\n"
				    "tree/z.lua: pass\n");
	c = command("$TAPLINE run --list --filter 'x \\[1]' tree");
	assert_string_equal(c->out, "tree/a/t.lua: x [1]\n");
	c = command("$TAPLINE run --list --filter '*/b/*' tree");
	assert_string_equal(c->out, "tree/b/Two.lua: pass\ntree/b/one.lua: pass\n");
}

/* Every test is in one part, whatever the order and spelling of the paths. */
static void test_shards(void **state)
{
	(void)state;
	command("mkdir -p parts");
	command_file("parts/many.lua", HEAD "for i = 1, 40 do tap.test('n ' .. i, function(t)\n"
					    "t:ok(i ~= 7) end) end\n");
	command_file("parts/bad.lua", "no lua\n");
	command_file("parts/one.lua", PASS);
	assert_string_equal(command("for i in 1 2 3; do $TAPLINE run --list --shard $i/3 parts;"
				    "done 2>err | sort > in-parts; $TAPLINE run --list parts "
				    "2>err-all | sort > all; cmp in-parts all && cmp err err-all &&"
				    "wc -l < all; cat err")
				    ->out,
			    "41\nparts/bad.lua:1: syntax error near 'lua'\n");
	/* Each part has a share, and hangs on the names only. */
	assert_string_equal(command("$TAPLINE run --list --shard 2/3 parts/many.lua | sed 's/.*://'"
				    "> from-here; cd parts; $TAPLINE run --list --shard 2/3 "
				    "one.lua many.lua 2>&1 | grep many | sed 's/.*://' | "
				    "cmp - ../from-here && test $(wc -l < ../from-here) -gt 5 &&"
				    "test $(wc -l < ../from-here) -lt 25 && echo same")
				    ->out,
			    "same\n");
	assert_string_equal(command("for i in 1 2 3 4; do $TAPLINE run --shard $i/4 parts/many.lua "
				    ">/dev/null; echo $?; done | sort")
				    ->out,
			    "0\n0\n0\n1\n");
}

static void test_jobs(void **state)
{
	const struct command *c;
	int i;

	(void)state;
	command("mkdir -p many");
	for (i = 0; i < 12; i++) {
		char name[40];
		char text[600];

		snprintf(name, sizeof(name), "many/%02d.lua", i);
		snprintf(text, sizeof(text),
			 HEAD "tap.test('slow', function(t) for i = 1, %d do end print(%d)\n"
			      "t:note(math.random(1 << 30)) t:ok(%d ~= 5) end)\n"
			      "tap.test('next', function(t) t:note(tostring({})) t:ok(1) end)\n",
			 (12 - i) * 200000, i, i);
		command_file(name, text);
	}
	command_file("many/07.lua", "syntax error here\n");
	c = command("$TAPLINE run -j 1 many > one 2> one.err; echo $?;"
		    "$TAPLINE run -j 4 many > four 2> four.err; echo $?;"
		    "cmp one four && cmp one.err four.err && echo same; head -2 one");
	assert_string_equal(c->out, "2\n2\nsame\nTAP version 13\n1..23\n");
	c = command("cat one.err");
	assert_contains(c->out, "0\n1\n2\n");
}

static void test_seeds(void **state)
{
	(void)state;
	command_file("seed.lua", HEAD "tap.test('a', function(t) t:note(math.random(1 << 40), "
				      "t.seed) t:ok(1) end)\n"
				      "tap.test('b', function(t) t:note(math.random(1 << 40)) "
				      "t:ok(1) end)\n");
	assert_string_equal(command("$TAPLINE seed.lua > s1; $TAPLINE --seed 1 seed.lua > s2;"
				    "$TAPLINE --seed 2 seed.lua > s3; cmp s1 s2 && echo same;"
				    "cmp -s s1 s3 || echo other;"
				    "grep -c '^# ' s1; grep '^# ' s1 | sort -u | wc -l")
				    ->out,
			    "same\nother\n2\n2\n");
	/* One test alone has the seed that it has among others, from any folder. */
	assert_string_equal(command("mkdir -p d; cp seed.lua d; cd d;"
				    "$TAPLINE --filter b seed.lua | grep '^#' > ../s4; cd ..;"
				    "grep '^#' s1 | tail -1 | cmp - s4 && echo same")
				    ->out,
			    "same\n");
	assert_true(test_seed(1, "x/a.lua", "n") == test_seed(1, "a.lua", "n"));
	assert_true(test_seed(1, "a.lua", "bc") != test_seed(1, "a.luab", "c"));
}

static void test_isolation(void **state)
{
	const struct command *c;

	(void)state;
	command_file("leak.lua", HEAD "local up = 0\n"
				      "for i = 1, 3 do tap.test('leak ' .. i, function(t)\n"
				      "  t:is(up, 0) t:is(global, nil) t:is(string.mine, nil)\n"
				      "  up, global, string.mine = 1, 1, 1\n"
				      "end) end\n");
	command_file("mod.lua", PASS "local m = require 'helper'\n"
				     "tap.test('m', function(t) t:is(m.bump(), 1) end)\n"
				     "tap.test('n', function(t) t:is(m.bump(), 1) end)\n");
	command_file("helper.lua", "local n = 0\n"
				   "return { bump = function() n = n + 1 return n end }\n");
	c = command("$TAPLINE run leak.lua mod.lua");
	assert_int_equal(c->status, 0);
}

/* The worlds of a test have the profile's defaults. */
static void test_profile(void **state)
{
	(void)state;
	command_file("profile.lua",
		     HEAD "local net = require 'net'\n"
			  "tap.test('p', function(t)\n"
			  "  t:is(net.host {}:sysctl 'tapline.rfc.syn_received', '1')\n"
			  "  t:is(net.host {}:sysctl 'net.ipv4.ipfrag_time', '60') end)\n");
	assert_int_equal(command("$TAPLINE run --profile rfc profile.lua")->status, 0);
	assert_int_equal(command("$TAPLINE run --profile linux profile.lua")->status, 1);
	assert_contains(command("$TAPLINE run profile.lua")->out, "got: \"\\\"0\\\"\"");
}

static void test_many(void **state)
{
	const struct command *c;

	(void)state;
	command_file("many.lua", HEAD "for i = 1, 300 do tap.test('n ' .. i, function(t)\n"
				      "t:is({ i }, { i }) end) end\n");
	c = command("$TAPLINE run --wall-timeout 2 many.lua");
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "\n1..300\n");
	assert_contains(c->out, "\nok 300 - many.lua: n 300\n");
}

static void test_glob(void **state)
{
	(void)state;
	assert_true(glob_match("a*c?", "abbcd"));
	assert_true(glob_match("*", ""));
	assert_true(glob_match("[a-c]x[!0-9]", "bxq"));
	assert_true(glob_match("[]]", "]"));
	assert_true(glob_match("\\*", "*"));
	assert_true(glob_match("a[b", "a[b"));
	assert_false(glob_match("a*c", "abd"));
	assert_false(glob_match("\\*", "x"));
	assert_false(glob_match("[!a]", "a"));
	assert_false(glob_match("a", ""));
	/* Not exponential. */
	assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*b",
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void test_suggest(void **state)
{
	static const char *const words[] = { "run", "replay", "list" };

	(void)state;
	assert_string_equal(suggest("rnu", words, 3), "run");
	assert_string_equal(suggest("rep", words, 3), "replay");
	assert_string_equal(suggest("lists", words, 3), "list");
	assert_null(suggest("quux", words, 3));
	assert_null(suggest("", words, 3));
}

static void test_numbers(void **state)
{
	u64 n;

	(void)state;
	assert_true(run_parse_u64("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX);
	assert_true(run_parse_u64("0xFf", 255, &n) && n == 255);
	assert_false(run_parse_u64("256", 255, &n));
	assert_false(run_parse_u64("3", 2, &n));
	assert_false(run_parse_u64("18446744073709551616", UINT64_MAX, &n));
	assert_false(run_parse_u64("", 9, &n));
	assert_false(run_parse_u64("0x", 9, &n));
	assert_false(run_parse_u64("1a", 99, &n));
	assert_false(run_parse_u64(" 1", 99, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_status), cmocka_unit_test(test_failure_block),
		cmocka_unit_test(test_selection),   cmocka_unit_test(test_jobs),
		cmocka_unit_test(test_seeds),	    cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_many),	    cmocka_unit_test(test_shards),
		cmocka_unit_test(test_profile),	    cmocka_unit_test(test_glob),
		cmocka_unit_test(test_suggest),	    cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
