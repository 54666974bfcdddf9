/* SPDX-License-Identifier: MIT */
/*
 * The comments of frames in captures that tests and replays write: who sent a frame, who took it
 * and what became of it; and that writing them changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/annotate.h"
#include "harness/run/command.h"
#include "stack/drop_reason.h"

/* The comments of a file of the temporary folder, a line a frame. */
static const char *comments(const char *name)
{
	static char text[8192];
	char path[1000], error[CAPTURE_ERROR_SIZE];
	struct capture_reader *r;
	struct capture_frame f;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s", command("pwd")->out);
	path[strcspn(path, "\n")] = '\0';
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", name);
	r = capture_open(path, NULL, error);
	if (!r)
		fail_msg("%s", error);
	text[0] = '\0';
	while (capture_next(r, &f) == CAPTURE_FRAME)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s\n",
				      f.direction == CAPTURE_IN	 ? "> " :
				      f.direction == CAPTURE_OUT ? "< " :
								   "? ",
				      f.comment ? (int)f.comment_len : 1,
				      f.comment ? f.comment : "-");
	capture_close(r);
	return text;
}

#define SCRIPT                                                                           \
	"local tap = require 'tap'\n"                                                    \
	"local net = require 'net'\n"                                                    \
	"local ip, icmp, udp = net.ip, net.icmp, net.udp\n"                              \
	"tap.test('fates', function(t)\n"                                                \
	"  local host = net.host { addr = '192.0.2.1/24' }\n"                            \
	"  local peer = host.wire:peer { addr = '192.0.2.9' }\n"                         \
	"  local s = host:socket 'udp'\n"                                                \
	"  s:bind(7)\n"                                                                  \
	"  host:neigh { addr = '192.0.2.9', mac = peer.mac }\n"                          \
	"  peer:send(icmp{ type = 'echo', id = 1, seq = 1 } / 'x')\n"                    \
	"  peer:expect(icmp{ type = 'echo-reply' })\n"                                   \
	"  peer:send(udp{ sport = 5, dport = 7 } / 'read')\n"                            \
	"  t:is((s:recv()), 'read')\n"                                                   \
	"  peer:send(udp{ sport = 5, dport = 7, checksum = 1 } / 'damaged')\n"           \
	"  net.sleep '1ms'\n"                                                            \
	"  peer:send(ip{} / udp{ sport = 5, dport = 7 } / 'refused', { fcs = 'bad' })\n" \
	"  net.sleep '1ms'\n"                                                            \
	"  host.wire:set { from = 'peer', drop_next = 1 }\n"                             \
	"  peer:send(udp{ sport = 5, dport = 7 } / 'lost')\n"                            \
	"  net.sleep '1ms'\n"                                                            \
	"  peer:send(udp{ sport = 5, dport = 7 } / 'not read')\n"                        \
	"  net.sleep '1ms'\n"                                                            \
	"end)\n"

static void test_of_a_test(void **state)
{
	const struct command *c;

	(void)state;
	command_file("fates.lua", SCRIPT);
	c = command("$TAPLINE run --digest --capture out fates.lua >with; "
		    "$TAPLINE run --digest fates.lua >without; cmp with without; cat with; "
		    "mv out/*.pcapng fates.pcapng");
	assert_string_equal(c->err, "");
	assert_contains(c->out, "\nok 1 - fates.lua: fates\n");
	assert_string_equal(comments("fates.pcapng"), "> host 0 cpu 0: delivered\n"
						      "< host 0 cpu 0: sent\n"
						      "> host 0 cpu 0: delivered\n"
						      "> host 0 cpu 0: dropped: UDP_CSUM\n"
						      "> host 0: refused by the device\n"
						      "> lost on the wire: drop_next\n"
						      "> host 0 cpu 0: still held\n");
}

static void test_of_a_replay(void **state)
{
	const struct command *c = command(
		"f=$TAPLINE_SOURCE_DIR/pcaps/icmp/icmp.pcap; "
		"$TAPLINE replay --as 192.0.2.1 --digest -w sent.pcapng --annotate all.pcapng $f >a; "
		"$TAPLINE replay --as 192.0.2.1 --digest $f >b; cmp a b; "
		"sed -n 's/^Replay.Sent //p; s/^Replay.Injected //p' a");
	char sent[8192];
	u32 in, out, n = 0;

	(void)state;
	assert_string_equal(c->err, "");
	assert_int_equal(sscanf(c->out, "%u %u", &in, &out), 2);
	assert_true(in > 0 && out > 0);
	snprintf(sent, sizeof(sent), "%s", comments("sent.pcapng"));
	assert_int_equal(strncmp(sent, "< host 0 cpu 0: sent\n", 21), 0);
	assert_int_equal(strlen(sent), 21 * out);
	for (const char *p = comments("all.pcapng"); *p; p = strchr(p, '\n') + 1) {
		assert_true(*p == '>' || *p == '<');
		assert_true(p[2] != '-');
		n++;
	}
	assert_int_equal(n, in + out);
	assert_contains(comments("all.pcapng"), "> host 0 cpu 0: delivered\n");
}

/* ---- by itself ---- */

static char *file_bytes;
static size_t file_len;
static FILE *file;
static struct capture_writer *writer;
static struct annotator *a;

static void begin(void)
{
	file = open_memstream(&file_bytes, &file_len);
	assert_non_null(file);
	writer = capture_create_stream(file, CAPTURE_PCAPNG, 1, 0);
	a = annotator_new();
	annotator_writer(a, writer);
}

static void frame(u32 end, u32 len)
{
	static const u8 bytes[256];
	struct capture_frame f = { .caplen = len, .len = len, .data = bytes };

	annotator_frame(a, 0, end, &f);
}

static void traced(u32 event, u16 host, u16 cpu, u64 x, u64 y, u64 z, u64 u)
{
	struct trace_record r = { .event = event, .host = host, .cpu = cpu, .arg = { x, y, z, u } };

	annotator_trace(a, &r);
}

static void expect(const char *const *want)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture_reader *r;
	struct capture_frame f;

	annotator_finish(a);
	assert_true(capture_finish(writer, error));
	fclose(file);
	r = capture_open_memory(file_bytes, file_len, NULL, error);
	assert_non_null(r);
	for (; *want; want++) {
		assert_int_equal(capture_next(r, &f), CAPTURE_FRAME);
		assert_int_equal(f.comment_len, strlen(*want));
		assert_memory_equal(f.comment, *want, f.comment_len);
	}
	assert_int_equal(capture_next(r, &f), CAPTURE_END);
	capture_close(r);
	free(file_bytes);
}

/* Frames of one length in turn, others by their length, what GRO joined all together. */
static void test_which_frame(void **state)
{
	static const char *const want[] = {
		"host 0: sent; host 1 cpu 1: delivered",
		"host 0: sent; host 1 cpu 2: dropped: NO_SOCKET",
		"host 0: sent; host 1 cpu 1: forwarded",
		"host 0: sent; host 1 cpu 0: delivered",
		"host 0: sent; host 1 cpu 0: delivered",
		"host 0: sent; host 1: missed: no receive descriptor",
		"host 0: sent; on its way",
		NULL,
	};

	(void)state;
	begin();
	annotator_attach(a, 0, 0, 0, 2);
	annotator_attach(a, 0, 1, 1, 2);
	frame(0, 114);
	frame(0, 114);
	frame(0, 64);
	traced(TRACE_NETIF_RECEIVE_SKB, 1, 1, 70, 2, 50, 0);
	traced(TRACE_NETIF_RECEIVE_SKB, 1, 1, 71, 2, 100, 0);
	traced(TRACE_NETIF_RECEIVE_SKB, 1, 2, 72, 2, 100, 0);
	traced(TRACE_NETIF_RECEIVE_SKB, 1, 0, 73, 2, 100, 0); /* nobody's */
	traced(TRACE_KFREE_SKB, 1, 2, 72, SKB_DROP_REASON_NO_SOCKET, 0, 0);
	traced(TRACE_NET_DEV_XMIT, 1, 1, 70, 3, 50, 0);
	traced(TRACE_CONSUME_SKB, 0xffff, 1, 71, 0, 0, 0);
	traced(TRACE_CONSUME_SKB, 0xffff, 1, 70, 0, 0, 0);
	frame(0, 100);
	frame(0, 80);
	traced(TRACE_NETIF_RECEIVE_SKB, 1, 0, 74, 2, 126, 0);
	traced(TRACE_CONSUME_SKB, 1, 0, 74, 0, 0, 0);
	frame(0, 60);
	traced(TRACE_NIC_RX_MISSED, 1, 0xffff, 2, 0, 60, 1);
	frame(0, 60);
	expect(want);
}

/* More than can be held: the first ones are written as they are. */
static void test_many(void **state)
{
	const char *want[5001];

	(void)state;
	begin();
	annotator_attach(a, 0, 1, 0, 2);
	for (u32 i = 0; i < 5000; i++) {
		frame(0, 60);
		want[i] = "on its way";
	}
	want[5000] = NULL;
	expect(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_a_test),
		cmocka_unit_test(test_of_a_replay),
		cmocka_unit_test(test_which_frame),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
