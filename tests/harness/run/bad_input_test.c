/* SPDX-License-Identifier: MIT */
/*
 * Bad input to `tapline run`: each kind gives a clear message with file and line, the right exit
 * status, and leaves the results of the other tests as they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/run/command.h"

#include <string.h>

#define GOOD                          \
	"local tap = require 'tap'\n" \
	"tap.test('good', function(t) t:ok(true) end)\n"

/* Runs NAME between two good files and checks status, message and the others' results. */
static void check_bad(const char *name, int status, const char *message)
{
	const struct command *c;
	char line[300];

	command_file("first.lua", GOOD);
	command_file("last.lua", GOOD);
	snprintf(line, sizeof(line), "$TAPLINE run first.lua '%s' last.lua", name);
	c = command(line);
	assert_int_equal(c->status, status);
	assert_contains(c->out, message);
	if (status == 2)
		assert_contains(c->err, message);
	assert_contains(c->out, "TAP version 13\n1..3\nok 1 - first.lua: good\n");
	assert_contains(c->out, "\nnot ok 2 - ");
	assert_contains(c->out, "\nok 3 - last.lua: good\n");
}

static void test_missing(void **state)
{
	(void)state;
	check_bad("missing.lua", 2, "missing.lua: cannot read the file: No such file");
}

static void test_empty(void **state)
{
	(void)state;
	command_file("empty.lua", "");
	check_bad("empty.lua", 2, "empty.lua:1: the file is empty");
	command_file("blank.lua", " \n\n");
	check_bad("blank.lua", 2, "blank.lua:1: the file is empty");
	command_file("none.lua", "local x = 1\n");
	check_bad("none.lua", 2, "none.lua:1: no test here");
}

static void test_unreadable(void **state)
{
	(void)state;
	command("ln -s circle.lua circle.lua; mkfifo pipe.lua");
	check_bad("circle.lua", 2, "circle.lua: cannot read the file: Too many levels");
	check_bad("pipe.lua", 2, "pipe.lua: cannot read the file: Not a regular file");
	if (geteuid() != 0) {
		command_file("closed.lua", GOOD);
		command("chmod 0 closed.lua");
		check_bad("closed.lua", 2, "closed.lua: cannot read the file: Permission denied");
	}
}

static void test_binary(void **state)
{
	static const char elf[] = "\n\n\x7f"
				  "ELF\2\1\1\0\0\0";

	(void)state;
	command_bytes("binary.lua", elf, sizeof(elf));
	check_bad("binary.lua", 2, "binary.lua:3: this is a binary file (byte 0x02 at offset 6)");
	command_bytes("bytecode.lua", "\x1bLua\x54", 5);
	check_bad("bytecode.lua", 2, "bytecode.lua:1: this is a binary file (byte 0x1b");
}

static void test_syntax(void **state)
{
	(void)state;
	command_file("syntax.lua", "local tap = require 'tap'\n\nlocal = 3\n");
	check_bad("syntax.lua", 2, "syntax.lua:3: <name> expected near '='");
	command("mkdir -p a-folder-with-quite-a-long-name/and-another-one-below-it-that-is-long");
	command_file("a-folder-with-quite-a-long-name/and-another-one-below-it-that-is-long/s.lua",
		     "x = = 2\n");
	check_bad("a-folder-with-quite-a-long-name/and-another-one-below-it-that-is-long/s.lua", 2,
		  "a-folder-with-quite-a-long-name/and-another-one-below-it-that-is-long/s.lua:1: "
		  "unexpected symbol");
}

static void test_main_chunk(void **state)
{
	(void)state;
	command_file("raise.lua", "\nerror('no way')\n");
	check_bad("raise.lua", 2, "raise.lua:2: no way");
	command_file("spin.lua", "\n\nwhile true do end\n");
	check_bad("spin.lua", 2, "spin.lua:3: step limit");
	command_file("twice.lua", GOOD "tap.test('good', print)\n");
	check_bad("twice.lua", 2, "twice.lua:3: two tests have the name 'good'");
	command_file("module.lua", "\nrequire 'nowhere'\n");
	check_bad("module.lua", 2, "module.lua:2: module 'nowhere' is neither");
	command_file("escape.lua", "require '../../etc/passwd'\n");
	check_bad("escape.lua", 2, "escape.lua:1: '../../etc/passwd' is not a module name");
	command_file("unknown.lua", GOOD "tap.test('x', function(t)\n"
					 "t:shows('RFC1122-3.1-1', t:ok(true))\n"
					 "t:shows(\"RFC9999-1-1\", t:ok(true)) end)\n");
	check_bad("unknown.lua", 2, "unknown.lua:5: no requirement 'RFC9999-1-1'");
	command_file("option.lua", "local tap = require 'tap'\n"
				   "tap.test('x', { skipp = 'y' }, function() end)\n");
	check_bad("option.lua", 2, "option.lua:2: tap.test: unknown option 'skipp'");
}

/* A test that goes wrong costs itself, not its neighbours in the file. */
static void check_test(const char *body, const char *message)
{
	const struct command *c;
	char text[1000];

	snprintf(text, sizeof(text),
		 "local tap = require 'tap'\n"
		 "tap.test('before', function(t) t:ok(true) end)\n"
		 "tap.test('bad', function(t)\n%s\nend)\n"
		 "tap.test('after', function(t) t:ok(true) end)\n",
		 body);
	command_file("three.lua", text);
	c = command("$TAPLINE run three.lua");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "\nok 1 - three.lua: before\nnot ok 2 - three.lua: bad\n  ---\n");
	assert_contains(c->out, "  ...\nok 3 - three.lua: after\n");
	assert_contains(c->out, message);
}

static void test_endless(void **state)
{
	(void)state;
	check_test("while true do end", "message: \"three.lua:4: step limit");
	check_test("while true do pcall(function() while true do end end) end",
		   "message: \"three.lua:4: step limit");
	check_test("string.find(('a'):rep(40), ('a-'):rep(40) .. 'b')",
		   "message: \"three.lua:4: step limit");
	check_test("local s = ('x'):rep(1e15)", "message: \"three.lua:4: step limit");
	check_test("table.move({}, 1, math.maxinteger - 1, 2, setmetatable({}, "
		   "{ __newindex = rawequal }))",
		   "message: \"three.lua:4: step limit");
	check_test("while true do coroutine.wrap(function() end)() end",
		   "message: \"three.lua:4: step limit");
}

static void test_memory(void **state)
{
	(void)state;
	check_test("local x = {} while true do x[#x + 1] = ('x'):rep(1000000) .. #x end",
		   "message: \"three.lua:4: memory limit: the test needs more than 128 MiB\"");
	check_test("local s = 'x' while true do s = s .. s end",
		   "message: \"three.lua:4: memory limit: the test needs more than 128 MiB\"");
	check_test("while true do print(('x'):rep(1000000)) end",
		   "three.lua:4: print: text limit: the test printed more than 1 MiB");
}

static void test_asserts_nothing(void **state)
{
	(void)state;
	check_test("", "message: \"the test asserts nothing\"");
	check_test("pcall(function() t:is(1, 2) end)", "line: 4");
	check_test("error(setmetatable({}, { __tostring = function() error('x') end }))",
		   "message: \"(the error has no text)\"");
	check_test("coroutine.yield()", "message: \"coroutine.yield outside of a coroutine\"");
	check_test("t:shows('RFC1122-3.1-1', true)", "needs what an assertion");
	check_test("local id = 'RFC1-1' t:shows(id, t:ok(1))", "no requirement 'RFC1-1'");
}

/* Fifty tests of which each takes a while: something to be in the midst of. */
static void write_spinning(void)
{
	command_file("spin.lua", "local tap = require 'tap'\n"
				 "tap.test('before', function(t) t:ok(true) end)\n"
				 "for i = 1, 50 do\n"
				 "tap.test('spin ' .. i, function(t) while true do end end) end\n"
				 "tap.test('after', function(t) t:ok(true) end)\n");
	command_file("last.lua", GOOD);
}

/* The file of the test before must not be taken for this one's: the shell may be slow to empty it.
 */
#define RUN_SPINNING(limit)                                                           \
	"rm -f spin.out\n"                                                            \
	"$TAPLINE run --wall-timeout " limit " spin.lua last.lua > spin.out & p=$!\n" \
	"until grep -qs '^ok 1' spin.out; do sleep 0.02; done\n"
/* The kernel may leave out children from this list while processes come and go: asked again. */
#define SIGNAL_SPINNING(signal)                                       \
	"for i in $(seq 50); do c=$(cat /proc/$p/task/$p/children)\n" \
	"[ -z \"$c\" ] || break; sleep 0.02; done\n"                  \
	"kill -" signal " $c; wait $p; s=$?; cat spin.out; exit $s"

/* How often a text stands in another. Which spinning test is hit hangs on the machine; that it is
 * one does not. */
static int count_of(const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text++;
	}
	return n;
}

/* A child that is stopped says nothing any more: as one that hangs outside of all counting. */
static void test_wall_clock(void **state)
{
	const struct command *c;

	(void)state;
	write_spinning();
	c = command(RUN_SPINNING("2") SIGNAL_SPINNING("STOP"));
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "ok 1 - spin.lua: before\nnot ok 2 - spin.lua: spin 1\n");
	assert_int_equal(
		count_of(c->out, "message: \"wall clock limit: no result after 2 s of real time\""),
		1);
	assert_contains(c->out, "not ok 52 - spin.lua: after\n  ---\n  message: \"not run: ");
	assert_contains(c->out, "\nok 53 - last.lua: good\n");
}

/* A minute: a sanitizer takes its time over the report of a crash. */
static void test_crash(void **state)
{
	const struct command *c;

	(void)state;
	write_spinning();
	c = command(RUN_SPINNING("60") SIGNAL_SPINNING("SEGV"));
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "ok 1 - spin.lua: before\nnot ok 2 - spin.lua: spin 1\n");
	assert_int_equal(count_of(c->out, "message: \"crash: the test process "), 1);
	assert_contains(c->out, "not ok 52 - spin.lua: after\n  ---\n  message: \"not run: ");
	assert_contains(c->out, "\nok 53 - last.lua: good\n");
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
	command_file("good.lua", GOOD);
	check_usage("$TAPLINE", "usage: tapline COMMAND");
	check_usage("$TAPLINE rnu good.lua", "'rnu' is neither a command nor a file; did you mean "
					     "'run'?");
	check_usage("$TAPLINE run", "no file or folder given");
	check_usage("$TAPLINE run ''", "a path is empty");
	check_usage("$TAPLINE run --sede 3 good.lua", "unknown option '--sede'; did you mean "
						      "'--seed'?");
	check_usage("$TAPLINE run --seed", "--seed needs a value: N");
	check_usage("$TAPLINE run --seed x good.lua", "--seed: 'x' is not a number");
	check_usage("$TAPLINE run --seed 18446744073709551616 good.lua", "is not a number");
	check_usage("$TAPLINE run --seed -1 good.lua", "is not a number");
	check_usage("$TAPLINE run -j 0 good.lua", "'0' is not a number from 1 to 1024");
	check_usage("$TAPLINE run --list=yes good.lua", "--list takes no value");
	check_usage("$TAPLINE run --profile linus good.lua", "did you mean 'linux'?");
	check_usage("$TAPLINE run --shard 3/2 good.lua", "--shard: '3/2' is not I/N");
	check_usage("$TAPLINE run --shard 0/2 good.lua", "--shard: '0/2' is not I/N");
	check_usage("$TAPLINE run --shard 1 good.lua", "--shard: '1' is not I/N");
	check_usage("$TAPLINE run --set nothing good.lua", "'nothing' is not KEY=VALUE");
	check_usage("$TAPLINE run --set net.ipv4.ip_default_tll=3 good.lua",
		    "there is no sysctl 'net.ipv4.ip_default_tll'; did you mean "
		    "'net.ipv4.ip_default_ttl'?");
	check_usage("$TAPLINE run --set net.ipv4.ip_default_ttl=x good.lua",
		    "'x' is no value for net.ipv4.ip_default_ttl");
	check_usage("$TAPLINE list suite", "did you mean 'suites'?");
	check_usage("mkdir -p hollow; $TAPLINE run hollow",
		    "no test file (*.lua, *.pkt) in 'hollow'");
}

static void test_capture_folder(void **state)
{
	(void)state;
	command_file("good.lua", GOOD);
	check_usage("$TAPLINE run --capture good.lua/x good.lua",
		    "--capture: cannot write to 'good.lua/x': Not a directory");
	check_usage("$TAPLINE run --capture /proc/none good.lua",
		    "--capture: cannot write to '/proc/none'");
}

static void test_output(void **state)
{
	const struct command *c;

	(void)state;
	command_file("good.lua", GOOD);
	c = command("$TAPLINE run good.lua > /dev/full");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "the results could not be written: No space left");
	command_file("slow.lua", "local tap = require 'tap'\n"
				 "for i = 1, 3 do tap.test('spin ' .. i, function(t)\n"
				 "for j = 1, 5000000 do end t:ok(true) end) end\n");
	c = command("{ $TAPLINE run slow.lua; echo $? > status; } | true; cat status");
	assert_string_equal(c->out, "2\n");
	assert_contains(c->err, "the results could not be written: Broken pipe");
}

static void test_interrupt(void **state)
{
	const struct command *c;

	(void)state;
	command_file("spin.lua", "local tap = require 'tap'\n"
				 "for i = 1, 50 do\n"
				 "tap.test('spin ' .. i, function(t) while true do end end) end\n");
	/* Not before the plan is out, however long the start takes. */
	c = command("$TAPLINE run spin.lua > out & p=$!; "
		    "until grep -q '^1[.]' out; do sleep 0.05; done; "
		    "kill -TERM $p; wait $p; s=$?; cat out; exit $s");
	assert_int_equal(c->status, 128 + 15);
	assert_contains(c->err, "tapline: interrupted by SIGTERM");
	assert_contains(c->out, "Bail out! interrupted by SIGTERM\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_unreadable),	cmocka_unit_test(test_binary),
		cmocka_unit_test(test_syntax),		cmocka_unit_test(test_main_chunk),
		cmocka_unit_test(test_endless),		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_asserts_nothing), cmocka_unit_test(test_wall_clock),
		cmocka_unit_test(test_crash),		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_capture_folder),	cmocka_unit_test(test_output),
		cmocka_unit_test(test_interrupt),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
