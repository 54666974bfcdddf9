/* SPDX-License-Identifier: MIT */
/*
 * `tapline convert`: the capture of a test, made into a test again, passes against the same stack
 * and fails when what the host does is another thing; odd frames are sent byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/capture.h"
#include "convert/notation.h"
#include "harness/run/command.h"

#define HEAD                          \
	"local tap = require 'tap'\n" \
	"local net = require 'net'\n" \
	"local ip, icmp, udp, arp = net.ip, net.icmp, net.udp, net.arp\n"

/* A conversation with all that can be converted. */
#define CONVERSATION                                                                              \
	HEAD "tap.test('talk', function(t)\n"                                                     \
	     "  local host = net.host { addr = '192.0.2.1/24' }\n"                                \
	     "  host:route { dst = '203.0.113.0/24', via = '192.0.2.9' }\n"                       \
	     "  local peer = host.wire:peer { addr = '192.0.2.9' }\n"                             \
	     "  local s = host:socket 'udp'\n"                                                    \
	     "  s:bind(7)\n"                                                                      \
	     "  peer:send(arp{ op = 'request' })\n"                                               \
	     "  peer:expect(arp{ op = 'reply' })\n"                                               \
	     "  for seq = 1, 2 do\n"                                                              \
	     "    peer:send(icmp{ type = 'echo', id = 7, seq = seq } / ('x'):rep(100))\n"         \
	     "    peer:expect(icmp{ type = 'echo-reply' }, { within = '1s' })\n"                  \
	     "    net.sleep '1500ms'\n"                                                           \
	     "  end\n"                                                                            \
	     "  peer:send(ip{ src = '203.0.113.5', ttl = 3, df = true } /\n"                      \
	     "    udp{ sport = 99, dport = 8 } / 'nobody \\0\\255\"\\\\')\n"                      \
	     "  peer:expect(ip{ dst = '203.0.113.5' } / icmp{ type = 3, code = 3 },\n"            \
	     "    { within = '1s' })\n"                                                           \
	     "  peer:send(udp{ sport = 99, dport = 7 } / 'in')\n"                                 \
	     "  t:is((s:recv()), 'in')\n"                                                         \
	     "  s:sendto('out', '192.0.2.9', 99)\n"                                               \
	     "  peer:expect(udp{ sport = 7 } / 'out')\n"                                          \
	     "  s:sendto(('0123456789'):rep(200), '192.0.2.9', 99)\n"                             \
	     "  peer:collect { during = '10ms' }\n"                                               \
	     "  for _, piece in ipairs(net.fragments(ip{ src = '192.0.2.9', dst = '192.0.2.1',\n" \
	     "    id = 77 } / udp{ sport = 5, dport = 7 } / ('y'):rep(60), { 24, 48 })) do\n"     \
	     "    peer:send(piece)\n"                                                             \
	     "  end\n"                                                                            \
	     "  t:is((s:recv()), ('y'):rep(60))\n"                                                \
	     "  peer:send(ip{ checksum = 0xbad } / udp{ sport = 99, dport = 7 } / 'bad')\n"       \
	     "  peer:expect_nothing { during = '1s' }\n"                                          \
	     "end)\n"

static void make_capture(void)
{
	command_file("talk.lua", CONVERSATION);
	command("rm -rf out; $TAPLINE run --capture out talk.lua; mv out/*.pcap* talk.pcap");
}

static void test_round_trip(void **state)
{
	const struct command *c;

	(void)state;
	make_capture();
	c = command("$TAPLINE convert talk.pcap -o again.lua && $TAPLINE run again.lua");
	assert_string_equal(c->err, "");
	assert_string_equal(c->out, "TAP version 13\n1..1\nok 1 - again.lua: as in talk.pcap\n");
	c = command("cat again.lua");
	assert_contains(c->out,
			"net.host { addr = \"192.0.2.1/24\", mac = \"02:00:00:00:00:01\" }");
	assert_contains(c->out, "icmp{ type = \"echo\", id = 7, seq = 2 } / (\"x\"):rep(100))\n");
	assert_contains(c->out, "icmp{ type = \"echo-reply\", code = 0, id = 7, seq = 2 }");
	assert_contains(c->out, "udp{ sport = 99, dport = 8 } / \"nobody \\x00\\xff\\\"\\\\\")\n");
	assert_contains(c->out, ":sendto(\"out\", \"192.0.2.9\", 99)\n");
	assert_contains(c->out, "t:is((sockets[7]:recv()), (\"y\"):rep(60))\n");
	assert_contains(c->out, "off = 185");
	assert_contains(c->out, "checksum = 0x0bad");
	/* And it is the same conversation: converted again, it is the same script. */
	c = command("$TAPLINE run --capture two again.lua >/dev/null; mv two/*.pcap* talk.pcap;"
		    "$TAPLINE convert talk.pcap | grep -v 'at(' > b;"
		    "grep -v 'at(' again.lua | diff - b && echo same");
	assert_string_equal(c->out, "same\n");
}

/* The test fails where the host does something else than in the capture. */
static void test_another_host(void **state)
{
	const struct command *c;

	(void)state;
	make_capture();
	command("$TAPLINE convert talk.pcap -o again.lua");
	c = command("$TAPLINE run --set net.ipv4.icmp_echo_ignore_all=1 again.lua");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "the expected frame did not come in time");
	c = command("sed 's/sendto(\"out\"/sendto(\"other\"/' again.lua > wrong.lua;"
		    "$TAPLINE run wrong.lua");
	assert_int_equal(c->status, 1);
	assert_contains(c->out, "payload");
	c = command("grep -v 'echo-reply' again.lua > less.lua; $TAPLINE run less.lua");
	assert_int_equal(c->status, 1);
}

/* The other side of the same capture. */
static void test_other_side(void **state)
{
	const struct command *c;

	(void)state;
	make_capture();
	c = command("$TAPLINE convert --host 192.0.2.9 talk.pcap");
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "net.host { addr = \"192.0.2.9/24\"");
	assert_contains(c->out, "is left out: the host's own ICMP request\n");
	assert_contains(c->out, "for _, port in ipairs { 5, 99 } do\n");
}

static void check_error(const char *line, const char *message)
{
	const struct command *c = command(line);

	assert_int_equal(c->status, 2);
	assert_string_equal(c->out, "");
	assert_contains(c->err, message);
}

static void test_errors(void **state)
{
	(void)state;
	make_capture();
	check_error("$TAPLINE convert", "no capture file given");
	check_error("$TAPLINE convert none.pcap", "none.pcap: ");
	check_error("$TAPLINE convert talk.pcap x", "one file only");
	check_error("$TAPLINE convert --hots 1.2.3.4 talk.pcap", "did you mean '--host'?");
	check_error("$TAPLINE convert --host 1.2.3.400 talk.pcap", "this is no IPv4 address");
	check_error("$TAPLINE convert -o /nowhere/x talk.pcap", "/nowhere/x: No such file");
	check_error("$TAPLINE convert talk.pcap -o", "a value is missing after '-o'");
	check_error("$TAPLINE convert talk.pcap > /dev/full", "No space left");
	check_error("$TAPLINE convert $TAPLINE_SOURCE_DIR/pcaps/link/sll.pcap",
		    "link type 113 (LINUX_SLL) can not be converted");
	check_error("$TAPLINE convert $TAPLINE_SOURCE_DIR/pcaps/format/empty.pcap", "no frame");
}

/* Captures of our own that hold no answers: a script that runs, and fails only for want of them. */
static void test_own_captures(void **state)
{
	const struct command *c;

	(void)state;
	c = command("cd $TAPLINE_SOURCE_DIR/pcaps; for f in ip/ip4 icmp/icmp arp/arp link/raw "
		    "link/ipv4 udp/udp vlan/vlan ipfrag/order time/backwards truncated/snaplen; do"
		    " $TAPLINE convert $f.pcap > $OLDPWD/own.lua 2>/dev/null && "
		    "$TAPLINE run $OLDPWD/own.lua >$OLDPWD/own.out 2>&1;"
		    " test $? -le 1 || echo $f; grep 'message:' $OLDPWD/own.out;"
		    "done | grep -v 'a frame came where none was expected'");
	assert_string_equal(c->out, "");
}

/* Strings come out as they went in. */
static void test_strings(void **state)
{
	static const u8 bytes[] = "a\"b\\c\0d\xff\n 0123456789012345678901234567890123456789"
				  "01234567890123456789     x";
	struct strbuf text = { 0 };

	(void)state;
	notation_string(&text, bytes, sizeof(bytes) - 1);
	command_file("s.lua", HEAD "tap.test('s', function(t) local s =");
	command_file("string", strbuf_text(&text));
	command_bytes("bytes", bytes, sizeof(bytes) - 1);
	command("{ cat s.lua string; echo ' t:note((s:gsub(\".\", function(c)';"
		"echo 'return (\"%02x\"):format(c:byte()) end))) t:ok(1) end)'; } > t.lua");
	assert_string_equal(command("$TAPLINE run t.lua | sed -n 's/^# //p' > a; "
				    "od -An -v -tx1 bytes | tr -d ' \\n' > b; echo >> b;"
				    "cmp a b && echo same")
				    ->out,
			    "same\n");
	strbuf_clear(&text);
	notation_string(&text, (const u8 *)"zzzzzzzzzzzz", 12);
	assert_string_equal(strbuf_text(&text), "(\"z\"):rep(12)");
	strbuf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_another_host),
		cmocka_unit_test(test_other_side),   cmocka_unit_test(test_errors),
		cmocka_unit_test(test_own_captures), cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
