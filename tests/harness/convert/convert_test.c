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

/* What was played with this stack, both sides, all that can happen to segments: it passes again. */
static void test_tcp_played(void **state)
{
	/* All but ip6.pcap: it is played over IPv6, which convert leaves out. */
	const struct command *c = command(
		"for f in $TAPLINE_SOURCE_DIR/pcaps/talk/[!i]*.pcap; do for side in client server; do "
		"$TAPLINE replay --converse --side $side -w p.pcap $f >/dev/null || echo $f; "
		"$TAPLINE convert --host 192.0.2.1 -o p.lua p.pcap || echo $f; "
		"$TAPLINE run p.lua | grep -A 20 '^not ok'; done; done; "
		"grep -c 'tap.test' p.lua; grep -c 'peer:expect(\"S' p.lua");

	(void)state;
	assert_string_equal(c->err, "");
	assert_string_equal(c->out, "1\n1\n");
}

#define TCP_TALK                                                                                \
	HEAD "tap.test('tcp', function(t)\n"                                                    \
	     "  local host = net.host { addr = '192.0.2.1/24' }\n"                              \
	     "  local peer = host.wire:peer { addr = '192.0.2.9', port = 4000 }:to(80)\n"       \
	     "  local server = host:socket 'tcp':listen(80)\n"                                  \
	     "  peer:send 'S 0:0(0) win 65535 <mss 1000,sackOK,TS val 5 ecr 0,nop,wscale 3>'\n" \
	     "  peer:expect('S. 0:0(0) ack 1', { within = '1s' })\n"                            \
	     "  peer:send '. 1:1(0) ack 1 win 8000 <nop,nop,TS val 6 ecr 0>'\n"                 \
	     "  local conn = server:accept()\n"                                                 \
	     "  peer:send 'P. 101:201(100) ack 1 win 8000 <nop,nop,TS val 7 ecr 0>'\n"          \
	     "  peer:expect('. 1:1(0) ack 1', { within = '1s' })\n"                             \
	     "  peer:send 'P. 1:101(100) ack 1 win 8000 <nop,nop,TS val 7 ecr 0>'\n"            \
	     "  peer:expect('. 1:1(0) ack 201', { within = '1s' })\n"                           \
	     "  t:is(#conn:recv(), 200)\n"                                                      \
	     "  conn:send(('x'):rep(2500))\n"                                                   \
	     "  peer:collect { during = '1s' }\n"                                               \
	     "  peer:send '. 201:201(0) ack 2501 win 8000 <nop,nop,TS val 8 ecr 0>'\n"          \
	     "  conn:shutdown('wr')\n"                                                          \
	     "  peer:expect('F. 2501:2501(0) ack 201', { within = '1s' })\n"                    \
	     "  peer:send 'F. 201:201(0) ack 2502 win 8000'\n"                                  \
	     "  peer:expect('. 2502:2502(0) ack 202', { within = '1s' })\n"                     \
	     "  peer:fresh { port = 4001, to = 81 }:send 'S 0:0(0) win 65535'\n"                \
	     "  peer:expect('R. 0:0(0) ack 1', { within = '1s' })\n"                            \
	     "end)\n"

/* Over Ethernet: a retransmission, SACK, a refused connection. Each conversation is a test. */
static void test_tcp(void **state)
{
	const struct command *c;

	(void)state;
	command_file("tcp.lua", TCP_TALK);
	c = command("rm -rf out; $TAPLINE run --capture out tcp.lua; mv out/*.pcap* tcp.pcap; "
		    "$TAPLINE convert tcp.pcap -o again.lua && $TAPLINE run again.lua");
	assert_string_equal(c->err, "");
	assert_contains(c->out, "ok 2 - again.lua: as in tcp.pcap, TCP conversation 0: "
				"192.0.2.9:4000 to 192.0.2.1:80\n");
	assert_contains(c->out, "ok 3 - again.lua: as in tcp.pcap, TCP conversation 1: "
				"192.0.2.9:4001 to 192.0.2.1:81\n");
	assert_int_equal(c->status, 0);
	c = command("cat again.lua");
	assert_contains(c->out, "peer:send(\"S 0:0(0) win 65535 "
				"<mss 1000,sackOK,TS val 5 ecr 0,nop,wscale 3>\")\n");
	assert_contains(c->out, "nop,nop,sack 101:201>\", { within = \"1s\" })\n");
	assert_contains(c->out, "app(function() conn:try(\"send\", out:sub(1, 2500)) end)\n");
	assert_contains(c->out, "peer:expect(\"R. 0:0(0) ack 1\", { within = \"1s\" })\n");
	/* Another answer, another stream: not ok. */
	c = command("sed 's/expect(\"\\. 1:1(0) ack 201/expect(\". 1:1(0) ack 200/' again.lua "
		    ">wrong.lua; $TAPLINE run wrong.lua; $TAPLINE run --set "
		    "net.ipv4.tcp_sack=0 again.lua");
	assert_contains(c->out, "not ok 2 - wrong.lua");
	assert_contains(c->out, "not ok 2 - again.lua");
	assert_contains(c->out, "ok 3 - again.lua");
}

static void test_tcp_left_out(void **state)
{
	const struct command *c =
		command("head -c 1 /dev/null; $TAPLINE convert --host 203.0.113.81 "
			"$TAPLINE_SOURCE_DIR/pcaps/talk/plain.pcap");

	(void)state;
	assert_int_equal(c->status, 2);
	assert_contains(c->err, "nothing of ARP, ICMP, UDP or TCP over IPv4 is to or from "
				"203.0.113.81");
	c = command(
		"f=$TAPLINE_SOURCE_DIR/pcaps/talk/reset.pcap; { head -c 24 $f; tail -c +99 $f; } "
		">cut.pcap; $TAPLINE convert --host 203.0.113.80 -o t.lua cut.pcap; grep -e '^--' t.lua; "
		"$TAPLINE run --list t.lua");
	assert_contains(c->out,
			"-- TCP conversation 0 is left out: the capture has no SYN of the peer\n");
	assert_contains(c->out, "TCP conversation 1: ");
}

/* A test of what our own stack does passes; remarks say where the capture has other things. */
static void test_record(void **state)
{
	const struct command *c = command(
		"for f in reset lost conflicting odd; do "
		"$TAPLINE convert --record -o rec-$f.lua --host 203.0.113.80 "
		"$TAPLINE_SOURCE_DIR/pcaps/talk/$f.pcap; done; $TAPLINE run rec-*.lua | grep -c '^not ok'; "
		"$TAPLINE run rec-*.lua | grep -c '^ok'; grep -c 'the capture has nothing here' rec-reset.lua; "
		"sed 's/peer:expect(\". 1:1(0) ack 8/peer:expect(\". 1:1(0) ack 9/' rec-reset.lua >other.lua; "
		"$TAPLINE run other.lua | grep -c '^not ok'");

	(void)state;
	assert_string_equal(c->out, "0\n5\n2\n1\n");
	c = command("$TAPLINE convert --record x.pkt");
	assert_contains(c->err, "x.pkt: cannot read the file");
	c = command("$TAPLINE convert --info x.pkt");
	assert_contains(
		c->err,
		"--sut and --info are for --record of packetdrill scripts, not for 'x.pkt'");
	c = command("$TAPLINE convert --record --sut linux x.pkt");
	assert_contains(c->err, "--sut: no stack 'linux' (there are tapline and kernel)");
}

/* packetdrill scripts: text to go on with, and what has no Lua is named with its place. */
static void test_packetdrill(void **state)
{
	const struct command *c = command(
		"d=$TAPLINE_SOURCE_DIR/scripts/packetdrill; $TAPLINE convert -o pkt.lua $d/handshake.pkt; "
		"$TAPLINE run pkt.lua | grep -c '^ok'; head -n 1 pkt.lua; grep -c digest pkt.lua; "
		"sed 's/cwnd == 10/cwnd == 11/' pkt.lua >other.lua; $TAPLINE run other.lua | grep '^not ok'");

	(void)state;
	assert_string_equal(c->out, "1\n-- Made by: tapline convert handshake.pkt\n0\n"
				    "not ok 1 - other.lua: ipv4\n");
	assert_string_equal(c->err, "");
	c = command("printf '0 close(3) = 0\\n' >bad.pkt; $TAPLINE convert bad.pkt");
	assert_contains(c->err, "bad.pkt:1: ipv4: the script does not pass: ");
	assert_string_equal(c->out, "");
	assert_int_equal(c->status, 2);
	c = command(
		"printf '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 poll([{fd=3, events=POLLIN}], 1, 0) = 1\n' >form.pkt; $TAPLINE convert form.pkt");
	assert_contains(c->err, "form.pkt:2: 'poll' does not say what events come");
	assert_int_equal(c->status, 2);
	c = command("$TAPLINE convert --family 5 form.pkt");
	assert_contains(c->err, "--family is 4, 6, mapped or all, not '5'");
	c = command("$TAPLINE convert --host=192.0.2.1 form.pkt");
	assert_contains(c->err, "--host is for captures, not for 'form.pkt'");
	c = command("$TAPLINE convert --family=4 x.pcap");
	assert_contains(c->err, "--family is for packetdrill scripts, not for 'x.pcap'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_played),   cmocka_unit_test(test_tcp_left_out),
		cmocka_unit_test(test_another_host), cmocka_unit_test(test_other_side),
		cmocka_unit_test(test_errors),	     cmocka_unit_test(test_own_captures),
		cmocka_unit_test(test_strings),	     cmocka_unit_test(test_packetdrill),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
