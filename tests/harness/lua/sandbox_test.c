/* SPDX-License-Identifier: MIT */
/*
 * The sandbox's rules of determinism and safety, one test each: first that stock Lua 5.4 breaks the
 * rule (its output differs between runs, or it does what must not be), then that a tapline script
 * keeps it. Where the `lua5.4` command is missing only the second half runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/run/command.h"

/* Runs of stock Lua that are compared; two alike by chance are possible, all of them are not. */
#define STOCK_RUNS "12"

static bool have_stock_lua(void)
{
	return command("command -v lua5.4")->status == 0;
}

/* Whether the output of a script differs between runs of stock Lua. */
static void assert_stock_varies(const char *script)
{
	if (!have_stock_lua())
		return;
	command_file("stock.lua", script);
	command("i=0; while [ $i -lt " STOCK_RUNS " ]; do lua5.4 stock.lua 2>&1 | cksum;"
		"i=$((i + 1)); done | sort -u | wc -l > distinct");
	assert_int_not_equal(strtol(command("cat distinct")->out, NULL, 10), 1);
}

/* Stock Lua prints this for the script. */
static void assert_stock_prints(const char *script, const char *text)
{
	if (!have_stock_lua())
		return;
	command_file("stock.lua", script);
	assert_string_equal(command("timeout 2 lua5.4 stock.lua; echo $?")->out, text);
}

/* The same script as a test prints this text, always; print gives notes there. */
static void assert_sandbox_prints(const char *script, const char *text)
{
	char full[4000];
	const struct command *c;

	snprintf(full, sizeof(full),
		 "local tap = require 'tap'\n"
		 "tap.test('x', function(T) local function print(...) T:note(...) end\n"
		 "%s\nT:ok(true) end)\n",
		 script);
	command_file("boxed.lua", full);
	c = command("$TAPLINE boxed.lua | sed -n 's/^# //p' > 1; $TAPLINE boxed.lua |"
		    "sed -n 's/^# //p' > 2; cmp 1 2 && cat 1; $TAPLINE boxed.lua | "
		    "sed -n 's/^  message: \"boxed.lua:[0-9]*: //p'");
	assert_string_equal(c->out, text);
}

static void test_pairs(void **state)
{
	static const char script[] = "local t = { zoo = 1, b = 2, ['a\\0b'] = 3, a = 4, ab = 5 }\n"
				     "t[2.5] = 6 t[-1] = 7 t[10] = 8 t[3] = 9 t[1e300] = 10\n"
				     "local s = {}\n"
				     "for k, v in pairs(t) do s[#s + 1] = v end\n"
				     "print(table.concat(s, ' '))\n";

	(void)state;
	assert_stock_varies(script);
	assert_sandbox_prints(script, "7 6 9 8 10 4 3 5 2 1\n");
	assert_sandbox_prints(
		"for k in pairs({ [{}] = 1 }) do end",
		"keys of type table have no order: use numbers and strings as keys\"\n");
	assert_sandbox_prints("local t = { a = 1, b = 2, c = 3 } local s = ''\n"
			      "for k in pairs(t) do s = s .. k t.b = nil end print(s)",
			      "ac\n");
	assert_sandbox_prints("local t = setmetatable({}, { __pairs = function() return next,\n"
			      "{ 5 } end }) for k, v in pairs(t) do print(k, v) end",
			      "1 5\n");
}

static void test_next(void **state)
{
	static const char script[] = "local t = { zoo = 1, bar = 2, qux = 3, foo = 4 }\n"
				     "local k, v = next(t) print(k, v)\n"
				     "local s = '' while k do s = s .. k k = next(t, k) end\n"
				     "print(s)\n";

	(void)state;
	assert_stock_varies(script);
	assert_sandbox_prints(script, "bar 2\nbarfooquxzoo\n");
}

static void test_addresses(void **state)
{
	static const char script[] = "local a, f = {}, function() end\n"
				     "print(tostring(a), tostring(f), tostring(a))\n"
				     "print(string.format('%s', coroutine.create(f)))\n";

	(void)state;
	assert_stock_prints("print((tostring({}):gsub('0x%x+', 'address')))",
			    "table: address\n0\n");
	assert_sandbox_prints(script, "table: 1 function: 2 table: 1\nthread: 3\n");
	assert_stock_prints("print((string.format('%p', {}):gsub('0x%x+', 'address')))",
			    "address\n0\n");
	assert_sandbox_prints("print(string.format('%10p', {}))",
			      "string.format: '%p' is not available, addresses differ from run to "
			      "run\"\n");
}

static void test_sort(void **state)
{
	static const char script[] =
		"local t, stable = {}, true\n"
		"for i = 1, 2000 do t[i] = { key = i % 3, i = i } end\n"
		"table.sort(t, function(a, b) return a.key < b.key end)\n"
		"for i = 2, 2000 do if t[i - 1].key == t[i].key and t[i - 1].i > t[i].i\n"
		"then stable = false end end print(stable)\n";

	(void)state;
	assert_stock_prints(script, "false\n0\n");
	assert_sandbox_prints(script, "true\n");
	assert_sandbox_prints("local t = {}\n"
			      "for i = 1, 2000 do t[i] = { key = i % 3, i = i } end\n"
			      "table.sort(t, function(a, b) return a.key < b.key end)\n"
			      "for i = 2, 2000 do assert(t[i - 1].key < t[i].key or\n"
			      "  t[i - 1].key == t[i].key and t[i - 1].i < t[i].i) end\n"
			      "print(t[1].i, t[2000].i)",
			      "3 2000\n");
	assert_sandbox_prints(
		"local t = { 3, 1, 2 } table.sort(t, function(a, b) return a <= b end)\n"
		"table.sort(t, function(a, b) return true end)",
		"invalid order function for sorting: it puts each of two elements "
		"before the other\"\n");
	assert_sandbox_prints("local t = { 'b', 'a', 'B' } table.sort(t)\n"
			      "print(table.concat(t)) table.sort({ 1, 'x' })",
			      "Bab\n");
}

static void test_random(void **state)
{
	static const char script[] = "print(math.random(1 << 40), math.random())";

	(void)state;
	assert_stock_varies(script);
	assert_sandbox_prints("math.randomseed(1) local a = math.random(1 << 40)\n"
			      "math.randomseed(1) print(a == math.random(1 << 40))\n"
			      "for i = 1, 1000 do local r = math.random(-3, 3)\n"
			      "assert(r >= -3 and r <= 3) r = math.random()\n"
			      "assert(r >= 0 and r < 1) end",
			      "true\n");
}

static void test_collector(void **state)
{
	(void)state;
	assert_stock_prints("local s = ''\n"
			    "setmetatable({}, { __gc = function() s = s .. 'gc' end })\n"
			    "collectgarbage() print(s)",
			    "gc\n0\n");
	assert_sandbox_prints("setmetatable({}, { __gc = function() end })",
			      "metatable field '__gc': finalizers are not available, when they act "
			      "depends on the collector\"\n");
	assert_stock_prints("local w = setmetatable({}, { __mode = 'k' }) w[{}] = 1\n"
			    "collectgarbage() print(next(w))",
			    "nil\n0\n");
	assert_sandbox_prints("setmetatable({}, { __mode = 'k' })",
			      "metatable field '__mode': weak tables are not available, when they "
			      "act depends on the collector\"\n");
	assert_sandbox_prints("collectgarbage() collectgarbage('count')",
			      "collectgarbage: only \\\"collect\\\" and \\\"step\\\" are "
			      "available\"\n");
}

static void test_outside(void **state)
{
	(void)state;
	assert_stock_prints("print(os ~= nil, io ~= nil, debug ~= nil, dofile ~= nil)",
			    "true\ttrue\ttrue\ttrue\n0\n");
	assert_sandbox_prints("print(os, io, debug, dofile, loadfile, package, warn)\n"
			      "print(math.sin, math.exp, math.log, string.dump)",
			      "nil nil nil nil nil nil nil\nnil nil nil nil\n");
	assert_stock_varies("print(os.clock(), os.tmpname())");
}

static void test_binary_chunks(void **state)
{
	static const char script[] = "print((load('\\27Lua\\x54', 'x', 'b')))\n"
				     "print((load('\\27Lua')))\n"
				     "print(load('return 1 + 1')())";

	(void)state;
	/* Stock Lua reads the header of a chunk that it is given, whatever bytes follow. */
	assert_stock_prints("print(type(load(string.dump(function() end))))", "function\n0\n");
	assert_sandbox_prints(script, "nil\nnil\n2\n");
	assert_sandbox_prints("print(load('\\27Lua', 'x', 'bt'))",
			      "nil attempt to load a binary chunk (mode is 't')\n");
}

static void test_bounded_patterns(void **state)
{
	static const char script[] = "string.find(('a'):rep(60), ('a-'):rep(60) .. 'b')";

	(void)state;
	/* 124 is the status of timeout(1). */
	assert_stock_prints(script, "124\n");
	assert_sandbox_prints(script, "step limit: the test took more than 50 million steps\"\n");
	assert_sandbox_prints("string.rep('', 1 << 62) print('done')", "done\n");
}

/* The matcher is our own: it must agree with the manual (and with stock Lua) on everything. */
static void test_patterns_agree(void **state)
{
	static const char script[] =
		"local function p(...) local t = table.pack(...)\n"
		"for i = 1, t.n do t[i] = tostring(t[i]) end print(table.concat(t, ' ')) end\n"
		"p(('hello world'):find('o w')) p(('hello'):find('l+')) p(('x'):find('', 2))\n"
		"p(('x'):find('', 3)) p(('a.b'):find('.', 1, true)) p(('a.b'):find('%.'))\n"
		"p(('key = value'):match('^(%w+)%s*=%s*(%w+)$')) p(('abc'):match('()b()'))\n"
		"p(('THE (quick) fox'):find('%((%a+)%)')) p(('f(a(b)c)d'):match('%b()'))\n"
		"p(('THE (quick) fox'):gsub('%f[%a]%a+', '<%0>')) p(('abc'):gsub('', '-'))\n"
		"p(('hello'):gsub('l', { l = 'L' })) p(('hello'):gsub('.', function(c)\n"
		"  if c == 'e' then return false end return c:upper() end, 3))\n"
		"p(('abcabc'):match('(abc)%1')) p(('x]y'):find('[]]')) p(('x^y'):find('[%^]'))\n"
		"p(('a-z'):match('[a%-z]+')) p(('0x1F'):match('%x+$')) p(('\\0a'):find('%z'))\n"
		"p(('aaa'):match('a-$')) p(('aaab'):match('a-b')) p((''):gsub('^', 'x'))\n"
		"for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do p(k, v) end\n"
		"for w in ('one two'):gmatch('%a*') do p('[' .. w .. ']') end\n"
		"p(pcall(string.find, 'a', '[a')) p(pcall(string.find, 'a', '%'))\n"
		"p(pcall(string.find, 'a', '(a')) p(pcall(string.find, 'a', 'a)'))\n"
		"p(pcall(string.gsub, 'a', 'a', '%2')) p(pcall(string.find, 'a', '%f'))\n"
		"p(pcall(string.find, 'a', '%b')) p(pcall(string.gsub, 'a', 'a', '%'))\n"
		"p(('abc'):find('b', -2)) p(('abc'):find('b', -1)) p(('abc'):match('.', -1))\n"
		"p(('a,b,,c'):gsub(',', ';', 2)) p(('äö'):match('[\\128-\\255]+'))\n"
		"for i = 0, 255 do local c = string.char(i) local s = ''\n"
		"for x in ('acdglpsuwx'):gmatch('.') do s = s .. (c:find('%' .. x) and x or '')\n"
		"s = s .. (c:find('[%' .. x:upper() .. ']') and x:upper() or '') end p(i, s) end\n";

	(void)state;
	if (!have_stock_lua())
		skip();
	command_file("stock.lua", script);
	command("lua5.4 stock.lua | sed 's/\\t/ /g' > expect");
	{
		char full[8000];

		snprintf(full, sizeof(full),
			 "local tap = require 'tap'\n"
			 "tap.test('x', function(t)\n%s\nt:ok(true) end)\n",
			 script);
		command_file("boxed.lua", full);
	}
	assert_string_equal(command("$TAPLINE boxed.lua >boxed.tap 2> got; diff expect got")->out,
			    "");
}

static void test_portable_formats(void **state)
{
	(void)state;
	/* What stock Lua writes here depends on the size of long and on the byte order. */
	assert_sandbox_prints("print(('%q'):format(string.pack('I2I4', 1, 2)))",
			      "\"\\1\\0\\2\\0\\0\\0\"\n");
	assert_sandbox_prints("print((string.unpack('>I2', '\\1\\2')))", "258\n");
	assert_sandbox_prints("string.pack('=I2', 1)",
			      "'=' in a pack format is native byte order; write '<' or '>'\"\n");
	assert_sandbox_prints("string.pack('l', 1)", "'l' in a pack format is a size that depends "
						     "on the machine; write i[n] or I[n]\"\n");
	assert_sandbox_prints("print(1e15, 2^53, 0.1, -0.0, 1e100, 3.0, 1/0, 2^-1074, 7 // 0.0)",
			      "1e+15 9.007199254741e+15 0.1 -0.0 1e+100 3.0 inf "
			      "4.9406564584125e-324 inf\n");
}

static void test_coroutines(void **state)
{
	(void)state;
	/* The limit holds inside coroutines, and pcall in one can not catch it. */
	assert_sandbox_prints(
		"coroutine.wrap(function() pcall(function() while true do end end)\n"
		"end)() while true do end",
		"boxed.lua:4: step limit: the test took more than 50 million steps\"\n");
	assert_sandbox_prints("local co = coroutine.wrap(function(a) local b = coroutine.yield(a)\n"
			      "print(a, b) end) co(1) co(2)",
			      "1 2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_collector),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_binary_chunks),
		cmocka_unit_test(test_bounded_patterns),
		cmocka_unit_test(test_patterns_agree),
		cmocka_unit_test(test_portable_formats),
		cmocka_unit_test(test_coroutines),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
