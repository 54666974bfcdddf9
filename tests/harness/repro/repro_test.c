/* SPDX-License-Identifier: MIT */
/*
 * `tapline repro`: inputs of every fuzz target, written as scripts, give the same digest; what
 * crashes is told, and written as far as it came.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/run/command.h"
#include "repro/repro.h"

/* Every 40th input of each corpus: script and capture, run again, the same digest. Targets without
 * a world have neither. */
static void test_corpus(void **state)
{
	const struct command *c =
		command("for t in $($TAPLINE list targets); do i=0; "
			"for f in $TAPLINE_SOURCE_DIR/corpus/$t/*; do "
			"i=$((i + 1)); [ $((i % 40)) = 1 ] || continue; "
			"$TAPLINE repro $t $f >out; grep -q '^ops 0$' out && { i=21; break; }; "
			"$TAPLINE repro $t $f --lua $t-$i.lua --pcap x.pcapng >out || cat out; "
			"grep -q -e \"$(sed -n 's/^digest //p' out)\" $t-$i.lua || echo $f; "
			"$TAPLINE replay x.pcapng >counters || echo $f; "
			"[ \"$(awk '/^frames/ { n += $2 } END { print n }' out)\" = "
			"\"$(sed -n 's/^Replay.Frames //p' counters)\" ] || echo $f; "
			"done; [ $i -gt 20 ] || echo $t: few; done; "
			"$TAPLINE run -j 2 *.lua >tap; status=$?; grep -A 9 '^not ok' tap; "
			"[ $(grep -c '^ok' tap) -ge 15 ] || cat tap; exit $status");

	(void)state;
	assert_string_equal(c->out, "");
	assert_string_equal(c->err, "");
	assert_int_equal(c->status, 0);
}

/* The oracle of the script can fail: another digest, another number of events. */
static void test_script_differs(void **state)
{
	const struct command *c = command(
		"f=$(ls $TAPLINE_SOURCE_DIR/corpus/tcp_state_machine/* | head -n 3 | tail -n 1); "
		"$TAPLINE repro tcp_state_machine $f --lua a.lua >out; "
		"sed 's/t:is(log:digest(), \"./t:is(log:digest(), \"-/' a.lua >b.lua; "
		"sed '/\"neigh_set\"/d' a.lua >c.lua; $TAPLINE run a.lua b.lua c.lua");

	(void)state;
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "\nok 1 - a.lua: ");
	assert_contains(c->out, "\nnot ok 2 - b.lua: ");
	assert_contains(c->out, "\nnot ok 3 - c.lua: ");
}

static void test_usage(void **state)
{
	const struct command *c;

	(void)state;
	c = command("$TAPLINE repro packetdrill_parse "
		    "$TAPLINE_SOURCE_DIR/corpus/packetdrill_parse/broken --lua a.lua");
	assert_non_null(
		strstr(c->err, "broken: does nothing to a world: there is no test to write"));
	assert_int_equal(c->status, 2);
	c = command("$TAPLINE repro tcp_state_machines x");
	assert_int_equal(c->status, 2);
	assert_contains(c->err,
			"no target 'tcp_state_machines'; did you mean 'tcp_state_machine'?");
	c = command("$TAPLINE repro ip_defrag nowhere");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "nowhere: No such file or directory");
	c = command("$TAPLINE repro ip_defrag");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "a target and an input are needed");
	c = command(": >empty; $TAPLINE repro ip_defrag empty --lua /dev/null/x");
	assert_int_equal(c->status, 2);
	assert_contains(c->out, "verdict ok\n");
	assert_contains(c->err, "/dev/null/x: Not a directory");
}

/* ---- targets that fail ---- */

static const struct repro_recorder *told;

static void record(const struct repro_recorder *r)
{
	told = r;
}

static int crash(const uint8_t *data, size_t size)
{
	const struct op op = { .kind = OP_HOST_ADD, .u.host_add = { .cpus = 2 } };

	told->op(told->ctx, 5, 0, &op);
	told->hook(told->ctx, 3, 1);
	told->hook(told->ctx, 3, 0);
	told->hook(told->ctx, 7, 0);
	told->hook(told->ctx, 3, 0);
	told->frame(told->ctx, 6, 1, data, (u32)size);
	fprintf(stderr, "what is wrong\n\n");
	signal(SIGABRT, SIG_DFL);
	abort();
}

static int leave(const uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
	_exit(7);
}

/* The command's standard output, and its status. */
static const char *repro(int *status, char **argv, int argc)
{
	static char text[2000];
	int keep = dup(STDOUT_FILENO);
	FILE *f = tmpfile();
	size_t n;

	assert_non_null(f);
	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	*status = repro_command(argc, argv);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void test_failing_targets(void **state)
{
	static const struct repro_target list[] = { { "crash", crash }, { "leave", leave } };
	static const struct repro_targets targets = { list, 2, 42, record };
	char lua[] = "/tmp/tapline-repro-XXXXXX", name[] = "crash", option[] = "--lua";
	char *argv[] = { name, lua, option, lua, NULL };
	const char *out;
	int status, fd = mkstemp(lua);
	char text[2000];
	FILE *f;
	size_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "input", 5), 5);
	close(fd);
	repro_set_targets(&targets);
	out = repro(&status, argv, 4);
	assert_int_equal(status, 1);
	assert_contains(out, "verdict not ok: signal 6: what is wrong\n");
	assert_contains(out, "ops 1\nframes_in 1\nframes_out 0\n");
	assert_lacks(out, "digest");
	f = fopen(lua, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	assert_contains(text, "net.oplog { seed = 42 }\n");
	assert_contains(text, "  log:hook(3, { \"accept\", 1, \"drop\", 2 })\n"
			      "  log:hook(7, { \"drop\", 1 })\n"
			      "  log:at(5, 0)\n"
			      "  log:op(\"host_add\", { cpus = 2 })\n"
			      "end)\n");
	memcpy(name, "leave", sizeof(name));
	out = repro(&status, argv, 2);
	assert_int_equal(status, 1);
	assert_contains(out, "verdict not ok: exit status 7: ");
	unlink(lua);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_script_differs),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_failing_targets),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
