/* SPDX-License-Identifier: MIT */
/*
 * tapline.args: what is found, what it holds for, who has the last word, and what is wrong in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/run/command.h"
#include "run/args.h"

#define TEST                                                                                    \
	"local tap = require 'tap'\n"                                                           \
	"local net = require 'net'\n"                                                           \
	"tap.test('values', function(t)\n"                                                      \
	"  local host = net.host {}\n"                                                          \
	"  t:note(host:sysctl 'net.ipv4.ip_default_ttl', host:sysctl 'net.ipv4.ipfrag_time',\n" \
	"    host:sysctl 'tapline.rfc.syn_received', t.seed)\n"                                 \
	"  t:ok(1)\n"                                                                           \
	"end)\n"

/* What the test in a folder sees: time to live, reassembly time, profile. */
static const char *seen(const char *folder, const char *options)
{
	static char text[100];
	const struct command *c;
	char line[300];

	snprintf(line, sizeof(line), "$TAPLINE run %s %s | sed -n 's/^# \\(.*\\) [0-9]*$/\\1/p'",
		 options, folder);
	c = command(line);
	snprintf(text, sizeof(text), "%s", c->out);
	return text;
}

static void make_tree(void)
{
	command("mkdir -p top/below/deep top/other");
	command_file("top/below/t.lua", TEST);
	command_file("top/below/deep/t.lua", TEST);
	command_file("top/other/t.lua", TEST);
	command_file("top/tapline.args", "# for all\n"
					 "--set net.ipv4.ip_default_ttl=11\n"
					 "\t--set=net.ipv4.ipfrag_time=41 \r\n\n"
					 "[6]\n--set net.ipv4.ip_default_ttl=66\n"
					 "--profile rfc\n"
					 "[4]\n--set net.ipv4.ipfrag_time=42\n"
					 "[mapped]\n--set net.ipv4.ipfrag_time=43\n");
	command_file("top/below/tapline.args", "--set net.ipv4.ip_default_ttl=12\n--profile rfc\n");
	command_file("top/below/deep/tapline.args", "--profile=linux");
}

static void test_nesting(void **state)
{
	(void)state;
	make_tree();
	assert_string_equal(seen("top/other", ""), "11 42 0\n");
	assert_string_equal(seen("top/below/t.lua", ""), "12 42 1\n");
	assert_string_equal(seen("top/below/deep", ""), "12 42 0\n");
	assert_string_equal(seen("top", ""), "12 42 0\n12 42 1\n11 42 0\n");
}

static void test_command_line(void **state)
{
	(void)state;
	make_tree();
	assert_string_equal(seen("top/below/t.lua", "--set net.ipv4.ip_default_ttl=13"),
			    "13 42 1\n");
	assert_string_equal(seen("top/below/t.lua", "--profile linux"), "12 42 0\n");
	assert_string_equal(seen("top/other", "--profile rfc"), "11 42 1\n");
}

/* From anywhere, however the path is written. */
static void test_places(void **state)
{
	(void)state;
	make_tree();
	assert_contains(
		command("cd top/below/deep; $TAPLINE t.lua | grep '^#' > ../../../a;"
			"$TAPLINE ../../other/../below/deep/t.lua | grep '^#' > ../../../b;"
			"here=$PWD; cd /; $TAPLINE $here/t.lua | grep '^#' > $here/../../../c;"
			"cd $here/../../..; cmp a b && cmp a c && cat a")
			->out,
		"# 12 42 0 ");
}

/* The seed of a file's folder is in the command that runs a failed test again. */
static void test_seed_and_rerun(void **state)
{
	const struct command *c;

	(void)state;
	command("mkdir -p seeded");
	command_file("seeded/tapline.args", "--seed 77\n--set net.ipv4.ip_default_ttl=9\n");
	command_file("seeded/t.lua", "require 'tap'.test('x', function(t) t:ok(false) end)\n");
	c = command("$TAPLINE run seeded");
	assert_contains(c->out, "  seed: 77\n");
	assert_contains(c->out, "rerun: \"tapline run --seed 77 --set net.ipv4.ip_default_ttl=9 "
				"--filter x seeded/t.lua\"");
	c = command("$TAPLINE run --seed 5 seeded");
	assert_contains(c->out, "  seed: 5\n");
}

/* Each kind of error: the tests below are one failure, the others run. */
static void check_bad(const char *text, const char *message)
{
	const struct command *c;

	command("mkdir -p bad good");
	command_file("bad/tapline.args", text);
	command_file("bad/t.lua", TEST);
	command_file("good/t.lua", TEST);
	c = command("$TAPLINE run bad good");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, message);
	assert_contains(c->out, "TAP version 13\n1..2\nnot ok 1 - bad/t.lua\n");
	assert_contains(c->out, message);
	assert_contains(c->out, "file: \"bad/tapline.args\"\n");
	assert_contains(c->out, "\nok 2 - good/t.lua: values\n");
}

static void test_bad(void **state)
{
	(void)state;
	check_bad("\n--sett a=b\n", "bad/tapline.args:2: unknown option '--sett'; did you mean "
				    "'--set'?");
	check_bad("set a=b\n", "bad/tapline.args:1: 'set a=b' is neither an option nor a section");
	check_bad("[5]\n", "bad/tapline.args:1: '[5]' is no section");
	check_bad("--set net.ipv4.ip_default_tll=1\n",
		  "bad/tapline.args:1: --set: there is no sysctl 'net.ipv4.ip_default_tll'");
	check_bad("# x\n[6]\n--set net.ipv4.ip_default_ttl=y\n",
		  "bad/tapline.args:3: --set: 'y' is no value");
	check_bad("--filter x\n", "bad/tapline.args:1: --filter is for the command line only");
	check_bad("--profile\n", "bad/tapline.args:1: --profile needs a value");
	check_bad("--env x\n", "bad/tapline.args:1: --env needs NAME=VALUE");
	check_bad("--mtu\n", "bad/tapline.args:1: --mtu needs a value");
	check_bad("--dry_run=1\n", "bad/tapline.args:1: --dry_run takes no value");
	command("rm bad/tapline.args; mkdir bad/tapline.args");
	assert_contains(command("$TAPLINE run bad good")->err,
			"bad/tapline.args:1: cannot read the file: Is a directory");
}

/* packetdrill's own spellings are read, each with its families. */
static void test_packetdrill(void **state)
{
	struct args_file f = { .name = xstrdup("x"), .folder = xstrdup("") };
	struct strbuf error = { 0 };
	struct args a = { 0 };

	(void)state;
	strbuf_puts(&f.text, "--tolerance_usecs=1000000\n--non_fatal=packet\n[4]\n"
			     "--ip_version=ipv4\n-D CODE=a b\n[mapped]\n--env xtables=iptables\n"
			     "--strict_segments\n");
	assert_true(args_parse(&f, &error));
	assert_int_equal(f.count, 6);
	assert_string_equal(f.options[0].name, "--tolerance_usecs");
	assert_string_equal(f.options[0].value, "1000000");
	assert_int_equal(f.options[0].families, ARGS_ALL);
	assert_string_equal(f.options[3].name, "-D");
	assert_string_equal(f.options[3].value, "CODE=a b");
	assert_int_equal(f.options[3].families, ARGS_4);
	assert_string_equal(f.options[4].value, "xtables=iptables");
	assert_int_equal(f.options[4].families, ARGS_MAPPED);
	assert_null(f.options[5].value);
	assert_int_equal(f.options[5].line, 8);
	a.files = xrealloc(NULL, sizeof(*a.files));
	a.files[0] = xrealloc(NULL, sizeof(f));
	*a.files[0] = f;
	a.count = 1;
	args_free(&a);
	command("mkdir -p pkt");
	command_file("pkt/tapline.args", "--ip_version=ipv4\n-D X=1\n");
	command_file("pkt/t.lua", TEST);
	assert_int_equal(command("$TAPLINE run pkt")->status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nesting), cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_places),	cmocka_unit_test(test_seed_and_rerun),
		cmocka_unit_test(test_bad),	cmocka_unit_test(test_packetdrill),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
