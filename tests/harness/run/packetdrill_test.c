/* SPDX-License-Identifier: MIT */
/*
 * packetdrill scripts as tests of `tapline run`: what passes, what fails and how that reads, what
 * is skipped, options and their places, times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/run/command.h"

#define LISTEN                                          \
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" \
	"+0 bind(3, ..., ...) = 0\n"                    \
	"+0 listen(3, 1) = 0\n"
#define SYN "+0 < S 0:0(0) win 65535 <mss 1000>\n"

static const struct command *run(const char *options, const char *script)
{
	char line[300];

	command_file("t.pkt", script);
	snprintf(line, sizeof(line), "$TAPLINE run %s t.pkt", options);
	return command(line);
}

static void a_script_passes(void **state)
{
	const struct command *c = run("", LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n");

	(void)state;
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "ok 1 - t.pkt: ipv4\n");
}

static void a_failure_shows_both_packets(void **state)
{
	const struct command *c = run("", LISTEN SYN "+0 > S. 0:0(0) ack 2 <mss 1460>\n");

	(void)state;
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "not ok 1 - t.pkt: ipv4");
	assert_contains(c->out, "ack: expected 2, got 1");
	assert_contains(c->out, "> S. 0:0(0) ack 1 win 64240 <mss 1460>");
	assert_contains(c->out, "expect: \"> S. 0:0(0) ack 2 <mss 1460>\"");
	assert_contains(c->out, "line: 5");
	assert_contains(c->out, "last trace records");
	/* Options: in that order, and no others. */
	c = run("", LISTEN SYN "+0 > S. 0:0(0) ack 1\n");
	assert_contains(c->out, "the TCP options differ");
	c = run("", LISTEN SYN "+0 > S. 0:0(0) ack 1 <...>\n");
	assert_int_equal(c->status, 0);
}

static void results_of_calls(void **state)
{
	const struct command *c = run("", "+0 close(9) = 0\n");

	(void)state;
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "close() gave another result");
	assert_contains(c->out, "-1 EBADF");
	c = run("", "+0 close(9) = -1 EBADF (Bad file descriptor)\n");
	assert_int_equal(c->status, 0);
	c = run("--non_fatal=syscall", "+0 close(9) = 0\n");
	assert_int_equal(c->status, 0);
	assert_contains(c->err, "t.pkt:1: close() gave -1 EBADF");
}

static void packets_that_are_not_fatal(void **state)
{
	const struct command *c =
		run("--non_fatal=packet", LISTEN SYN "+0 > S. 0:0(0) ack 2 <mss 1460>\n"
						     "+1 > S. 0:0(0) ack 1 <mss 1460>\n");

	(void)state;
	assert_int_equal(c->status, 0);
	assert_contains(c->err, "t.pkt:5: the host sent another packet");
}

static void times(void **state)
{
	const struct command *c = run(
		"", LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n+1.003 > S. 0:0(0) ack 1 <...>\n");

	(void)state;
	assert_int_equal(c->status, 0);
	c = run("--tolerance 0", LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n"
					    "+1.003 > S. 0:0(0) ack 1 <...>\n");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "t.pkt:6: the packet came 3000000 ns too early");
	c = run("", LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n+.3 > S. 0:0(0) ack 1 <...>\n");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "no packet came until 0.337500; the next one came later");
	assert_contains(c->out, "1.000000 > S. 0:0(0)");
	/* The script's own tolerance. */
	c = run("", "--tolerance_usecs=800000\n" LISTEN SYN
		    "+0 > S. 0:0(0) ack 1 <mss 1460>\n+.3 > S. 0:0(0) ack 1 <...>\n");
	assert_int_equal(c->status, 0);
}

static void a_call_that_ends_at_another_time(void **state)
{
	const struct command *c = run("", LISTEN "+0...0.1 accept(3, ..., ...) = 4\n"
						 "+.2 < S 0:0(0) win 65535 <mss 1000>\n"
						 "+0 > S. 0:0(0) ack 1 <mss 1460>\n"
						 "+0 < . 1:1(0) ack 1 win 65535\n");

	(void)state;
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "the call ended at another time than the script says");
	c = run("", LISTEN "+0...0.1 accept(3, ..., ...) = 4\n");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "the call did not end");
}

static void what_is_not_known_is_a_skip(void **state)
{
	const struct command *c = run("", "+0 `frobnicate tun0`\n");

	(void)state;
	assert_int_equal(c->status, 4);
	assert_contains(c->out, "# SKIP t.pkt:1: ");
	assert_contains(c->out, "frobnicate");
	c = run("", "+0 sockett(..., SOCK_STREAM, IPPROTO_TCP) = 3\n");
	assert_contains(c->out, "no system call 'sockett' here; did you mean 'socket'?");
	c = run("", "+0 `sysctl -q net.ipv4.tcp_sak=1`\n");
	assert_contains(c->out,
			"unknown sysctl 'net.ipv4.tcp_sak'; did you mean 'net.ipv4.tcp_sack'?");
	c = run("",
		"+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 %{ assert tcpi_unackd == 0 }%\n");
	assert_contains(c->out, "unknown name 'tcpi_unackd'; did you mean 'tcpi_unacked'?");
	c = run("", "+0 `tc qdisc add dev tun0 root pfifoo`\n");
	assert_contains(c->out, "# SKIP t.pkt:1: unknown qdisc 'pfifoo'");
}

static void what_is_wrong_is_an_error(void **state)
{
	const struct command *c = run("", "+0 socket(\n");

	(void)state;
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "t.pkt:");
	c = run("", "--mtu=many\n+0 close(9) = -1\n");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "t.pkt:1: --mtu: 'many' is no value for it");
}

static void families(void **state)
{
	const struct command *c = run("--family all", "+0 close(9) = -1\n");

	(void)state;
	assert_contains(c->out, "ok 1 - t.pkt: ipv4\n");
	assert_contains(c->out, "ok 2 - t.pkt: ipv6\n");
	assert_contains(c->out, "ok 3 - t.pkt: ipv4-mapped-ipv6\n");
	/* A script that says its own. */
	c = run("--family all", "--ip_version=ipv4-mapped-ipv6\n+0 close(9) = -1\n");
	assert_contains(c->out, "1..1\n");
	assert_contains(c->out, "ok 1 - t.pkt: ipv4-mapped-ipv6\n");
	c = run("--family 5", "+0 close(9) = -1\n");
	assert_int_equal(c->status, 2);
	command_file("x-v6.pkt", "+0 close(9) = -1\n");
	c = command("$TAPLINE run --family 4 x-v6.pkt");
	assert_int_equal(c->status, 4);
	assert_contains(c->out, "for IPv6 only");
}

static void options_have_their_places(void **state)
{
	const struct command *c;

	(void)state;
	command("mkdir -p d");
	command_file("d/tapline.args", "-D SEGMENT=1200\n[mapped]\n-D SEGMENT=900\n");
	command_file("d/t.pkt", LISTEN "+0 < S 0:0(0) win 65535 <mss 1000>\n"
				       "+0 > S. 0:0(0) ack 1 <mss SEGMENT>\n");
	c = command("$TAPLINE run --mtu 1240 d");
	assert_int_equal(c->status, 0);
	c = command("$TAPLINE run --mtu 940 --family mapped d");
	assert_int_equal(c->status, 0);
	c = command("$TAPLINE run -D SEGMENT=1460 d");
	assert_int_equal(c->status, 0);
	c = command("$TAPLINE run --mtu 1240 -D SEGMENT=1100 d");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "--mtu 1240 -D SEGMENT=1100 --filter ipv4 d/t.pkt");
	command_file("init.sh", "sysctl -q net.ipv4.tcp_sack=0\n");
	c = run("",
		"--init_scripts=./init.sh,true\n+0 `sysctl -n net.ipv4.tcp_sack | grep -qx 0`\n");
	assert_int_equal(c->status, 0);
	c = run("--init_scripts=false", "+0 `true`\n");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "the command ended with status 1");
	/* A wrong checksum is not answered. */
	c = run("", LISTEN "+0 < S 0:0(0) win 65535 <mss 1000> (sum=bad)\n"
			   "+.1 `nstat -az TcpInCsumErrors | grep -q 'TcpInCsumErrors *1 '`\n");
	assert_int_equal(c->status, 0);
}

static void blocks_and_failures_that_are_wanted(void **state)
{
	const struct command *c = run("", LISTEN "+0 %{ assert tcpi_state == 7, tcpi_state }%\n");

	(void)state;
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "assertion failed: tcpi_state == 7: 10");
	c = run("", "// Failure: Expected .* errno 9\n+0 close(9) = 0\n");
	assert_int_equal(c->status, 0);
	c = run("", "// Failure: Expected .* errno 9\n+0 close(9) = -1\n");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "the script did not fail with");
}

static void captures_and_digests(void **state)
{
	const struct command *c =
		run("--capture c --digest", LISTEN SYN "+0 > S. 0:0(0) ack 1 <...>\n");
	char first[200];

	(void)state;
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "digest ipv4 ");
	snprintf(first, sizeof(first), "%s", strstr(c->out, "digest ipv4 "));
	c = command("ls c; $TAPLINE run --digest t.pkt");
	assert_contains(c->out, "t.pkt-1-ipv4.pcapng");
	assert_contains(c->out, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_script_passes),
		cmocka_unit_test(a_failure_shows_both_packets),
		cmocka_unit_test(results_of_calls),
		cmocka_unit_test(packets_that_are_not_fatal),
		cmocka_unit_test(times),
		cmocka_unit_test(a_call_that_ends_at_another_time),
		cmocka_unit_test(what_is_not_known_is_a_skip),
		cmocka_unit_test(what_is_wrong_is_an_error),
		cmocka_unit_test(families),
		cmocka_unit_test(options_have_their_places),
		cmocka_unit_test(blocks_and_failures_that_are_wanted),
		cmocka_unit_test(captures_and_digests),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
