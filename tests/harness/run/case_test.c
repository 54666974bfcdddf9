/* SPDX-License-Identifier: MIT */
/*
 * Capture cases (docs/capture-cases.md) through the command: what a path may be, what a failure
 * says, and each kind of bad case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/run/command.h"

#include <string.h>

/* A maker of NAME.pcap whose frames are `frames`; q and r are an echo request and its reply. */
static void make(const char *name, const char *frames)
{
	static const char maker[] =
		"local make = require 'make'\n"
		"local net = require 'net'\n"
		"local host = { mac = '02:00:00:00:00:01', ip = '192.0.2.1' }\n"
		"local peer = { mac = '02:00:00:00:00:09', ip = '192.0.2.9' }\n"
		"make.capture('%s', function(c)\n"
		"  local function q(seq, data)\n"
		"    c:send(peer, host, net.icmp{ type = 'echo', id = 7, seq = seq } / data)\n"
		"  end\n"
		"  local function r(seq, data, id)\n"
		"    c:send(host, peer, net.ip{ ttl = 64, id = id } /\n"
		"      net.icmp{ type = 'echo-reply', id = 7, seq = seq } / data)\n"
		"  end\n"
		"  %s\n"
		"end)\n";
	static char text[4000];
	const struct command *c;

	snprintf(text, sizeof(text), maker, name, frames);
	command_file("make.lua", text);
	c = command("$TAPLINE run --make make.lua && rm make.lua");
	if (c->status)
		print_error("%s%s", c->out, c->err);
	assert_int_equal(c->status, 0);
}

/* NAME.lua, with more options of the case. */
static void script(const char *name, const char *more)
{
	static char text[4000];
	char file[100];

	snprintf(text, sizeof(text),
		 "local case = require 'case'\n"
		 "case.capture('the case', {\n"
		 "  host = { addr = '192.0.2.1/24', mac = '02:00:00:00:00:01' },\n"
		 "  setup = function(host)\n"
		 "    host:neigh{ addr = '192.0.2.9', mac = '02:00:00:00:00:09' }\n"
		 "  end,\n"
		 "%s})\n",
		 more);
	snprintf(file, sizeof(file), "%s.lua", name);
	command_file(file, text);
}

static void clean(void)
{
	command("rm -rf *");
}

/* A case with these frames ends with this status, and says this. */
static void check(const char *frames, const char *more, int status, const char *message)
{
	const struct command *c;

	clean();
	make("a", frames);
	script("a", more);
	c = command("$TAPLINE run a.pcap");
	if (c->status != status)
		print_error("%s%s", c->out, c->err);
	assert_int_equal(c->status, status);
	assert_contains(c->out, message);
}

#define GOOD "q(1, 'data') r(1, 'data', 5) c:at '1s' q(2, 'more') r(2, 'more', 6)"

static void test_good(void **state)
{
	(void)state;
	check(GOOD, "", 0, "1..1\nok 1 - a.lua: the case\n");
	assert_int_equal(command("test -e a.produced.pcapng")->status, 1);
}

/* The capture, its script and the folder are one case, which runs once. */
static void test_paths(void **state)
{
	(void)state;
	check(GOOD, "", 0, "1..1\n");
	assert_contains(command("$TAPLINE run a.lua")->out, "1..1\nok 1 - a.lua: the case\n");
	assert_contains(command("$TAPLINE run .")->out, "1..1\nok 1 - ./a.lua: the case\n");
	assert_contains(command("$TAPLINE run a.pcap a.lua a.pcap")->out, "1..1\nok 1");
	assert_contains(command("$TAPLINE a.pcap")->out, "1..1\nok 1");
	assert_contains(command("$TAPLINE run --list a.pcap")->out, "a.lua: the case\n");
	assert_contains(command("$TAPLINE run --filter 'the c*' a.pcap")->out, "1..1\nok 1");
	assert_int_equal(command("$TAPLINE run --filter other a.pcap")->status, 4);
}

/* What a test captured is a capture of the same case. */
static void test_pcapng(void **state)
{
	(void)state;
	check(GOOD, "", 0, "ok 1");
	command("$TAPLINE run --capture out a.pcap; mv out/*.pcapng b.pcapng; cp a.lua b.lua");
	assert_contains(command("$TAPLINE run b.pcapng")->out, "1..1\nok 1 - b.lua: the case\n");
}

static void test_cover(void **state)
{
	(void)state;
	check(GOOD, "  shows = 'RFC792-Echo-1',\n", 0, "ok 1");
	assert_contains(command("$TAPLINE cover --rfc 792 --tsv a.pcap")->out, "792\tMUST\t9\t1\t");
	check(GOOD, "  shows = 'RFC792-Nothing-1',\n", 2, "no requirement \\\"RFC792-Nothing-1");
}

static void test_wrong_byte(void **state)
{
	const struct command *c;

	(void)state;
	check("q(1, 'data') r(1, 'date', 5)", "", 1,
	      "message: \"frame 2 of a.pcap is not what the host sent\"");
	c = command("$TAPLINE run a.pcap");
	assert_contains(c->out, "diff: \"payload.data: expected \\\"date\\\", got \\\"data\\\"");
	assert_contains(c->out, "first difference at byte 37 of the frame");
	assert_contains(c->out, "capture: \"a.produced.pcapng\"");
	/* The produced capture has what really came, and at the capture's times. */
	command("cp a.produced.pcapng b.pcapng; cp a.lua b.lua");
	assert_int_equal(command("$TAPLINE run b.lua")->status, 0);
	/* With --capture it goes there. */
	command("rm a.produced.pcapng; $TAPLINE run --capture out a.pcap");
	assert_int_equal(command("test -e a.produced.pcapng")->status, 1);
	assert_int_equal(command("test -e out/a.lua-1-the-case.pcapng")->status, 0);
}

static void test_frames_missing_or_left(void **state)
{
	(void)state;
	check("q(1, 'data') r(1, 'data', 5) r(2, 'more', 6)", "", 1,
	      "message: \"frame 3 of a.pcap did not come\"\n  got: \"(no frame)\"");
	check("q(1, 'data') r(1, 'data', 5) q(2, 'more')", "", 1,
	      "message: \"the host sent a frame that a.pcap does not have\"");
	check("q(1, 'data')", "  silent = true,\n", 1,
	      "message: \"the host sent a frame that a.pcap does not have\"");
	check("q(1, 'data')", "", 1, "no frame of a.pcap is the host's (02:00:00:00:00:01)");
}

static void test_times(void **state)
{
	static const char late[] = "q(1, 'data') c:at '3ms' r(1, 'data', 5)";

	(void)state;
	check(late, "", 1, "message: \"frame 2 of a.pcap came at another time\"");
	assert_contains(command("$TAPLINE run a.pcap")->out, "diff: \"3000000 ns too early\"");
	check(late, "  tolerance = '3ms',\n", 0, "ok 1");
}

static void test_masks(void **state)
{
	static const char ids[] = "q(1, 'x') r(1, 'x', 5) q(2, 'x') r(2, 'x', 9)";

	(void)state;
	check(ids, "", 1, "diff: \"ip.id: expected 9, got 6");
	check(ids, "  mask = 'ip.id',\n", 0, "ok 1");
	check(ids, "  masks = { [4] = 'ip.id' },\n", 0, "ok 1");
	check(ids, "  masks = { [2] = 'ip.id' },\n", 1, "diff: \"ip.id: expected 9, got 6");
	check(ids, "  masks = { [1] = 'ip.id' },\n", 1,
	      "masks[1]: no frame of the host has this number");
	check(ids, "  mask = 'ip.colour',\n", 1, "a mask is made of names like 'ip.id'");
}

static void test_program(void **state)
{
	(void)state;
	check(GOOD, "  program = function(host) host:socket('udp'):recv() end,\n", 1,
	      "message: \"the host's program has not come to its end\"");
	check(GOOD, "  program = function(host, program) program:at '3s' end,\n", 1,
	      "the host's program has not come to its end");
	check(GOOD, "  program = function(host, program) program:at '500ms' end,\n", 0, "ok 1");
	check(GOOD, "  check = function(host, t) t:is(host:counter 'IcmpInEchos', 3) end,\n", 1,
	      "message: \"values differ\"");
}

static void test_lone_files(void **state)
{
	const struct command *c;

	(void)state;
	check(GOOD, "", 0, "ok 1");
	c = command("rm a.lua; $TAPLINE run a.pcap");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "a.pcap:1: a capture case needs a Lua file of the same name");
	clean();
	script("a", "");
	c = command("$TAPLINE run a.lua");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "a.lua:2: a capture case without its capture: there is no a.pcap");
	make("a", GOOD);
	c = command("cp a.pcap a.pcapng; $TAPLINE run a.lua");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "which is the capture of this case: a.pcap or a.pcapng?");
}

/* Does `damage` to a good capture. */
static void check_damaged(const char *damage, const char *message)
{
	const struct command *c;

	check(GOOD, "", 0, "ok 1");
	command(damage);
	c = command("$TAPLINE run a.pcap");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "a.lua:2: a.pcap: ");
	assert_contains(c->err, message);
}

static void test_damaged(void **state)
{
	(void)state;
	check_damaged("head -c 200 a.pcap >b; mv b a.pcap", "frame 3: ");
	check_damaged("head -c 24 a.pcap >b; mv b a.pcap", "the capture has no frame");
	check_damaged("head -c 20 a.pcap >b; mv b a.pcap", "a.pcap: ");
	check_damaged(": >a.pcap", "a.pcap: ");
	/* Byte 36: the low octet of the first frame's length on the wire. Byte 20: the link type.
	 */
	check_damaged("printf '\\377' | dd of=a.pcap bs=1 seek=36 conv=notrunc",
		      "frame 1: it was cut off by the snapshot length");
	check_damaged("printf '\\161' | dd of=a.pcap bs=1 seek=20 conv=notrunc",
		      "a case is a capture of Ethernet or raw IP");
	/* Byte 100: the second frame's seconds. */
	check_damaged("printf '\\0\\0\\0\\0' | dd of=a.pcap bs=1 seek=100 conv=notrunc",
		      "frame 2: it is earlier than the frame before it");
}

/* A capture that is not what its maker makes is found. */
static void test_maker(void **state)
{
	const struct command *c;

	(void)state;
	clean();
	make("a", GOOD);
	command("cp a.pcap b.pcap");
	make("a", "q(1, 'data') r(1, 'date', 5) c:at '1s' q(2, 'more') r(2, 'more', 6)");
	command_file("make.lua", "local make = require 'make'\n"
				 "make.capture('b', function(c) c:frame(('x'):rep(60)) end)\n"
				 "make.capture('c', function(c) c:frame('x') end)\n"
				 "make.capture('d', function(c) end)\n"
				 "make.capture('e', function(c) c:at '2s' c:at '1s' end)\n");
	c = command("$TAPLINE run make.lua");
	assert_int_equal(c->status, 1);
	assert_contains(c->out,
			"b.pcap: frame 1 is not the one that is made here; `tapline run --make`");
	assert_contains(c->out, "there is no c.pcap; `tapline run --make` writes the file anew");
	assert_contains(c->out, "no frame was made for d.pcap");
	assert_contains(c->out, "time runs forwards only");
	command_file("make.lua", "require('make').capture('../x', function(c) c:frame('x') end)\n");
	assert_contains(command("$TAPLINE run --make make.lua")->err, "the name is made of");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	   cmocka_unit_test(test_paths),
		cmocka_unit_test(test_pcapng),	   cmocka_unit_test(test_cover),
		cmocka_unit_test(test_wrong_byte), cmocka_unit_test(test_frames_missing_or_left),
		cmocka_unit_test(test_times),	   cmocka_unit_test(test_masks),
		cmocka_unit_test(test_program),	   cmocka_unit_test(test_lone_files),
		cmocka_unit_test(test_damaged),	   cmocka_unit_test(test_maker),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
