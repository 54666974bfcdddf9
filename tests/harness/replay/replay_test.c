/* SPDX-License-Identifier: MIT */
/* `tapline replay` as a user runs it: counters, policies, what is written, bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/capture.h"
#include "harness/run/command.h"

#define PCAPS "$TAPLINE_SOURCE_DIR/pcaps"

static char *build_capture(size_t *len, const u32 *sizes, size_t count)
{
	static const u8 frame[65550];
	char *bytes, error[CAPTURE_ERROR_SIZE];
	FILE *f = open_memstream(&bytes, len);
	struct capture_writer *w = capture_create_stream(f, CAPTURE_PCAP, 1, 0);

	for (size_t i = 0; i < count; i++) {
		struct capture_frame c = { .caplen = sizes[i], .len = sizes[i], .data = frame };

		capture_write(w, &c);
	}
	assert_true(capture_finish(w, error));
	fclose(f);
	return bytes;
}

static void test_counters(void **state)
{
	const struct command *c = command("$TAPLINE replay " PCAPS "/udp/udp.pcap");

	(void)state;
	assert_int_equal(c->status, 0);
	assert_string_equal(c->err, "");
	assert_contains(c->out, "Replay.Frames 9\n");
	assert_contains(c->out, "IpInReceives 9\n");
	assert_contains(c->out, "eth0.rx_packets 9\n");
	c = command("$TAPLINE replay --json " PCAPS "/udp/udp.pcap");
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "{\n  \"Replay.Frames\": 9,\n");
	assert_contains(c->out, "\"IpInReceives\": 9,\n");
	assert_contains(c->out, "\n}\n");
}

/* Same bytes out on every run; the digest is there only when it is asked for. */
static void test_deterministic(void **state)
{
	const struct command *c = command("$TAPLINE replay --digest " PCAPS "/icmp/icmp.pcap >a && "
					  "$TAPLINE replay --digest - <" PCAPS "/icmp/icmp.pcap >b "
					  "&& cmp a b && grep Digest a");

	(void)state;
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "Digest ");
}

static void test_damaged(void **state)
{
	const struct command *c = command("$TAPLINE replay " PCAPS "/format/damaged.pcap");

	(void)state;
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "damaged.pcap: frame 3: record body cut short: 20 bytes wanted, 3 "
				"left\n");
	assert_contains(c->out, "IpInReceives 2\n");
}

static void test_unusable_files(void **state)
{
	const struct command *c = command("$TAPLINE replay " PCAPS "/format/radio.pcap");

	(void)state;
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "radio.pcap: link type 105 (IEEE802_11) is not supported\n");
	assert_string_equal(c->out, "");
	c = command("$TAPLINE replay missing.pcap");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "missing.pcap: No such file or directory\n");
	command_file("empty.pcap", "");
	c = command("$TAPLINE replay empty.pcap");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "empty.pcap: the file is empty\n");
	command_file("text.pcap", "this is no capture\n");
	c = command("$TAPLINE replay text.pcap");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "text.pcap: not a pcap or pcapng file\n");
	c = command("$TAPLINE replay .");
	assert_int_equal(c->status, 2);
}

static void test_usage(void **state)
{
	static const struct {
		const char *arguments, *message;
	} table[] = {
		{ "", "no file is given" },
		{ "--nonsense x.pcap", "unknown option: --nonsense" },
		{ "--anotate=y x.pcap", "unknown option: --anotate; did you mean '--annotate'?" },
		{ "--cut", "option wants a value: --cut" },
		{ "--cut=some x.pcap", "--cut is pad, drop or keep, not: some" },
		{ "--converse --side=sever x.pcap",
		  "--side is client or server, not: sever; did you mean 'server'?" },
		{ "--checksums never x.pcap",
		  "--checksums is judge, trust-ip or trust, not: never" },
		{ "--backwards 1 x.pcap", "--backwards is hold or error, not: 1" },
		{ "--as 192.0.2 x.pcap", "not an IPv4 address: 192.0.2" },
		{ "--as 192.0.2.1/33 x.pcap", "not a prefix length: 33" },
		{ "--seed x x.pcap", "not a seed: x" },
		{ "--profile bsd x.pcap", "unknown profile: bsd" },
		{ "--set novalue x.pcap", "--set wants KEY=VALUE: novalue" },
		{ "--any=1 x.pcap", "option takes no value: --any" },
		{ "x.pcap y.pcap", "more than one file: y.pcap" },
		{ "--set net.no.such=1 x.pcap", "--set: there is no sysctl 'net.no.such'" },
		{ "--converse --set net.ipv4.tcp_sakc=1 x.pcap",
		  "--set: there is no sysctl 'net.ipv4.tcp_sakc'; did you mean 'net.ipv4.tcp_sack'?" },
		{ "--set net.ipv4.tcp_sack=x x.pcap",
		  "--set: 'x' is no value for net.ipv4.tcp_sack" },
		{ "-w /nonexistent/o.pcap " PCAPS "/udp/udp.pcap",
		  "/nonexistent/o.pcap: No such file or directory" },
	};
	char line[200];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct command *c;

		snprintf(line, sizeof(line), "$TAPLINE replay %s", table[i].arguments);
		c = command(line);
		assert_int_equal(c->status, 2);
		assert_contains(c->err, table[i].message);
	}
	assert_int_equal(command("$TAPLINE replay --help")->status, 0);
}

static void test_cut_policies(void **state)
{
	const struct command *c = command("$TAPLINE replay " PCAPS "/truncated/snaplen.pcap");

	(void)state;
	assert_contains(c->out, "Replay.Cut 2\n");
	assert_contains(c->out, "Replay.Padded 2\n");
	assert_contains(c->out, "IpExtInTruncatedPkts 0\n");
	c = command("$TAPLINE replay --cut keep " PCAPS "/truncated/snaplen.pcap");
	assert_contains(c->out, "Replay.Padded 0\n");
	assert_contains(c->out, "IpExtInTruncatedPkts 2\n");
	c = command("$TAPLINE replay --cut drop " PCAPS "/truncated/snaplen.pcap");
	assert_contains(c->out, "Replay.LeftOut 2\n");
	assert_contains(c->out, "IpInReceives 1\n");
}

static void test_backwards_policies(void **state)
{
	const struct command *c = command("$TAPLINE replay " PCAPS "/time/backwards.pcap");

	(void)state;
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "Replay.Backwards 1\n");
	assert_contains(c->out, "Replay.GapsShortened 1\n");
	assert_contains(c->out, "IpInReceives 4\n");
	c = command("$TAPLINE replay --backwards error " PCAPS "/time/backwards.pcap");
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "backwards.pcap: frame 2: older than the one before\n");
	assert_contains(c->out, "IpInReceives 1\n");
}

static void test_checksum_policies(void **state)
{
	const struct command *c = command("$TAPLINE replay " PCAPS "/icmp/icmp.pcap");

	(void)state;
	assert_contains(c->out, "IpExtInCsumErrors 1\n");
	assert_contains(c->out, "IcmpInCsumErrors 1\n");
	assert_contains(c->out, "IcmpInMsgs 10\n");
	c = command("$TAPLINE replay --checksums trust-ip " PCAPS "/icmp/icmp.pcap");
	assert_contains(c->out, "IpExtInCsumErrors 0\n");
	assert_contains(c->out, "IcmpInCsumErrors 2\n");
	assert_contains(c->out, "Replay.HeadersFixed 1\n");
	c = command("$TAPLINE replay --checksums trust " PCAPS "/icmp/icmp.pcap");
	assert_contains(c->out, "IcmpInCsumErrors 0\n");
	assert_contains(c->out, "IcmpInEchos 3\n");
}

/* Frames of 0, 13, 14, 65535 and more bytes than any device takes. */
static void test_frame_sizes(void **state)
{
	static const u32 sizes[] = { 0, 13, 14, 15, 60, 65535, 65549, 65550 };
	const struct command *c;
	size_t len;
	char *bytes = build_capture(&len, sizes, 8);

	(void)state;
	command_bytes("sizes.pcap", bytes, len);
	free(bytes);
	c = command("$TAPLINE replay sizes.pcap");
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "Replay.Frames 8\n");
	assert_contains(c->out, "Replay.Shortened 1\n");
	assert_contains(c->out, "eth0.rx_packets 6\n");
	assert_contains(c->out, "eth0.rx_length_errors 2\n");
}

/* --as: the host answers as that address, with the MAC that it has in the capture. */
static void test_as(void **state)
{
	const struct command *c =
		command("$TAPLINE replay --as 192.0.2.1 -w out.pcap " PCAPS "/arp/arp.pcap");

	(void)state;
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "Replay.Sent ");
	c = command("od -An -tx1 -v out.pcap | tr -d ' \\n'");
	/* ARP reply: 192.0.2.1 is at 02:00:00:00:00:01 */
	assert_contains(c->out, "08060001080006040002020000000001c0000201020000000009c0000209");
}

static void test_full_disk(void **state)
{
	const struct command *c =
		command("test ! -w /dev/full && echo skipped || $TAPLINE replay " PCAPS
			"/udp/udp.pcap >/dev/full");

	(void)state;
	if (!strcmp(c->out, "skipped\n"))
		skip();
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "standard output: can not be written\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_unusable_files),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_cut_policies),
		cmocka_unit_test(test_backwards_policies),
		cmocka_unit_test(test_checksum_policies),
		cmocka_unit_test(test_frame_sizes),
		cmocka_unit_test(test_as),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
