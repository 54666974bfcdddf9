/* SPDX-License-Identifier: MIT */
/*
 * The net library from the outside: that what is not as it should be fails, and says so. (That what
 * is right passes is shown by the examples of docs/lua.md and by the suites.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/run/command.h"

#define HEAD                                              \
	"local tap, net = require 'tap', require 'net'\n" \
	"local ip, icmp, udp, arp = net.ip, net.icmp, net.udp, net.arp\n"
#define HOST                                                   \
	"local host = net.host { addr = '192.0.2.1/24' }\n"    \
	"local peer = host.wire:peer { addr = '192.0.2.9' }\n" \
	"host:neigh { addr = peer.addr, mac = peer.mac }\n"

/* Runs a test with this body, between two that pass, and returns what came of it. */
static const struct command *run_body(const char *body)
{
	char text[4000];

	snprintf(text, sizeof(text),
		 HEAD "tap.test('before', function(t) t:ok(true) end)\n"
		      "tap.test('body', function(t)\n%s\nend)\n"
		      "tap.test('after', function(t) t:ok(true) end)\n",
		 body);
	command_file("body.lua", text);
	return command("$TAPLINE run body.lua");
}

static void assert_fails(const char *body, const char *part)
{
	const struct command *c = run_body(body);

	assert_contains(c->out, part);
	assert_contains(c->out, "\nok 1 - body.lua: before\nnot ok 2 - body.lua: body\n");
	assert_contains(c->out, "\nok 3 - body.lua: after\n");
	assert_int_equal(c->status, 1);
}

static void assert_passes(const char *body)
{
	const struct command *c = run_body(body);

	assert_lacks(c->out, "\nnot ok");
	assert_int_equal(c->status, 0);
}

static void test_unexpected_frame(void **state)
{
	(void)state;
	assert_fails(HOST "peer:send(icmp{ type = 'echo', id = 1, seq = 2 }) t:ok(true)",
		     "message: \"1 frame came that the test did not expect");
	assert_fails(HOST "peer:send(icmp{ type = 'echo' }) peer:expect_nothing{ during = '1ms' }",
		     "message: \"a frame came where none was expected\"");
}

static void test_other_frame(void **state)
{
	(void)state;
	assert_fails(HOST "peer:send(icmp{ type = 'echo', id = 1, seq = 2 })\n"
			  "peer:expect(icmp{ type = 'echo-reply', id = 1, seq = 3 })",
		     "diff: \"icmp.seq: expected 3, got 2\"");
	assert_fails(HOST "peer:send(icmp{ type = 'echo' } / 'abc')\n"
			  "peer:expect(icmp{ type = 'echo-reply' } / 'abd')",
		     "message: \"another frame came than the expected one\"");
	/* The addresses are part of every expectation. */
	assert_fails(HOST "peer:send(ip{ src = '192.0.2.77' } / icmp{ type = 'echo' })\n"
			  "host:neigh { addr = '192.0.2.77', mac = peer.mac }\n"
			  "peer:expect(icmp{ type = 'echo-reply' })",
		     "ip.dst: expected 192.0.2.9, got 192.0.2.77");
}

static void test_time(void **state)
{
	(void)state;
	assert_fails(HOST "peer:send(icmp{ type = 'echo' })\n"
			  "peer:expect(icmp{ type = 'echo-reply' }, { at = '+1ms' })",
		     "diff: \"1000000 ns too early\"");
	assert_fails(HOST "peer:expect(icmp{ type = 'echo-reply' }, { within = '3ms' })",
		     "message: \"the expected frame did not come in time\"");
	/* What comes too late is told. */
	assert_fails(HOST "net.spawn(function() net.sleep('5ms')\n"
			  "peer:send(icmp{ type = 'echo' }) end)\n"
			  "peer:expect(icmp{ type = 'echo-reply' }, { within = '1ms' })",
		     "diff: \"the next frame left the host at 5001000 ns\"");
	assert_passes(HOST "peer:send(icmp{ type = 'echo' }) net.sleep('1s')\n"
			   "t:is(peer:expect(icmp{ type = 'echo-reply' }).sent, 1000)\n"
			   "t:is(t:now(), 1000000000)");
}

/* The instant that is due is the cause's, also when ARP comes in between, and without link layer.
 */
static void test_exact(void **state)
{
	(void)state;
	assert_passes("local host = net.host { addr = '192.0.2.1/24' }\n"
		      "local peer = host.wire:peer { addr = '192.0.2.9' }\n"
		      "peer:send(icmp{ type = 'echo' })\n"
		      "t:is(peer:expect(icmp{ type = 'echo-reply' }).sent, 3000)");
	assert_passes("local host = net.host { addr = '192.0.2.1/24' }\n"
		      "local peer = host.wire:peer { addr = '192.0.2.9', arp = false }\n"
		      "host:socket('udp'):sendto('x', '192.0.2.9', 9)\n"
		      "peer:expect(arp{ op = 'request', tpa = '192.0.2.9' })\n"
		      "peer:expect(arp{ op = 'request' }, { at = '+1s' })\n"
		      "net.sleep('10ms') peer:send(arp{ op = 'reply' })\n"
		      "peer:expect(udp{ dport = 9 } / 'x')");
	assert_passes("local host = net.host { addr = '192.0.2.1/24', model = 'tun' }\n"
		      "local peer = host.wire:peer { addr = '192.0.2.9' }\n"
		      "peer:send(icmp{ type = 'echo' })\n"
		      "t:is(peer:expect(icmp{ type = 'echo-reply' }).eth, nil)");
	assert_passes(HOST
		      "local f = net.fragments(ip{ src = peer.addr, dst = host.addr, id = 5 } /\n"
		      "icmp{ type = 'echo' } / ('x'):rep(40), { 16, 24 })\n"
		      "for i = #f, 1, -1 do peer:send(f[i]) end\n"
		      "peer:expect(icmp{ type = 'echo-reply' } / ('x'):rep(40))");
	assert_passes(HOST "for i = 1, 2 do\n"
			   "peer:send(udp{ sport = 1, dport = i } / 'x') end\n"
			   "local u = icmp{ type = 'dest-unreach' }\n"
			   "t:is(#peer:expect_all({ u, u }), 2)");
}

static void test_tasks(void **state)
{
	(void)state;
	assert_fails("t:ok(1) net.spawn(function() error('in a task') end) net.sleep(1)",
		     "message: \"body.lua:5: in a task\"");
	assert_fails("t:ok(1) coroutine.wrap(function() net.sleep(1) end)()",
		     "not possible in a coroutine of the script's own, use net.spawn");
	assert_fails("t:ok(1) net.spawn(function() coroutine.yield() end) net.sleep(1)",
		     "message: \"coroutine.yield outside of a coroutine\"");
	assert_fails("t:ok(1) net.sleep('25h')", "message: \"virtual time limit");
	assert_passes("local log = {}\n"
		      "for i = 1, 3 do net.spawn(function() for k = 1, 2 do net.sleep('1ms')\n"
		      "log[#log + 1] = i end end) end net.sleep('2ms') net.sleep(1)\n"
		      "t:is(log, { 1, 2, 3, 1, 2, 3 })");
}

static void test_sockets(void **state)
{
	(void)state;
	assert_fails(HOST "host:socket('udp'):recv() t:ok(true)",
		     "waits for something that can not happen any more");
	assert_fails(HOST "local s = host:socket 'udp' s:bind(7) s:bind(8) t:ok(true)",
		     "message: \"body.lua:8: bind: EINVAL\"");
	assert_fails(HOST "host:socket('udp'):bind('nowhere', 3)", "is no IPv4 or IPv6 address");
	assert_fails(HOST "host:socket('udp'):frobnicate()", "a socket has no 'frobnicate'");
	assert_passes(HOST "local s = host:socket 'udp' s:bind(7)\n"
			   "t:is(select(2, s:try('recv', { flags = 'dontwait' })), 'EAGAIN')\n"
			   "t:is(s:poll('in out', 0), { out = true })\n"
			   "t:is(s:poll('in', '1s'), {}) t:is(t:now(), 1000000000)\n"
			   "peer:send(udp{ sport = 1, dport = 7 } / 'x')\n"
			   "t:is(s:poll('in'), { ['in'] = true }) t:is(s:pending(), 1)\n"
			   "t:is((s:recv()), 'x')");
}

static void test_hooks(void **state)
{
	(void)state;
	assert_fails(HOST "host:hook('local_in', function(p) return p.nothing.at_all end)\n"
			  "peer:send(icmp{ type = 'echo' })\n"
			  "peer:expect_nothing { during = '1ms' }",
		     "a packet has no 'nothing'");
	assert_fails(HOST "host:hook('local_in', function(p) net.sleep(1) end)\n"
			  "peer:send(icmp{ type = 'echo' })\n"
			  "peer:expect_nothing { during = '1ms' }",
		     "a hook may not wait");
	assert_fails(HOST "host:hook('local_in', function(p) return 7 end)\n"
			  "peer:send(icmp{ type = 'echo' })\n"
			  "peer:expect_nothing { during = '1ms' }",
		     "a hook must return");
}

/* A name that is not there is answered with the one that was most likely meant. */
static void test_near(void **state)
{
	(void)state;
	assert_fails("net.host { adr = '192.0.2.1/24' }", "did you mean 'addr'?");
	assert_fails(HOST "host:socket 'raw'", "there are: packet packet-dgram tcp tcp6 udp");
	assert_fails(HOST "host:sysctl('net.ipv4.tcp_sak', 1)",
		     "did you mean 'net.ipv4.tcp_sack'?");
	assert_fails(HOST "host:counter('TcpInSeg')", "did you mean 'TcpInSegs'?");
	assert_fails(HOST "host:sockt('tcp')", "did you mean host:socket?");
	assert_fails(HOST "peer:exect(1)", "did you mean peer:expect?");
	assert_fails(HOST "net.advnce(1)", "did you mean net.advance?");
	assert_fails(HOST "t:eq(1, 1)", "did you mean t:is?");
	assert_fails(HOST "t:quux(1, 1)", "docs/lua.md has the names");
	assert_fails(HOST "local s = host:socket 'tcp' s:conect(1)", "did you mean 'connect'?");
	assert_fails(HOST "local s = host:socket 'tcp' s:option('TCP_NODELY')",
		     "did you mean 'TCP_NODELAY'?");
	assert_fails(HOST "local s = host:socket 'tcp' s:recv { flags = 'peak' }",
		     "did you mean 'MSG_PEEK'?");
}

/* getsockopt and setsockopt as C has them are the same as s:option. */
static void test_c_names(void **state)
{
	(void)state;
	assert_passes(HOST "local s = host:socket 'tcp'\n"
			   "s:setsockopt('SOL_TCP', 'TCP_NODELAY', 1)\n"
			   "t:is(s:option 'TCP_NODELAY', 1)\n"
			   "s:setsockopt(net.C.SOL_TCP, 1, 0)\n"
			   "t:is(s:getsockopt('TCP_NODELAY'), 0)\n"
			   "s:setsockopt('TCP_NODELAY', true)\n"
			   "t:is(s:getsockopt('SOL_TCP', 1), 1)\n"
			   "t:is(#s:getsockopt('SOL_TCP', 'TCP_INFO', 8), 8)");
}

static void test_misuse(void **state)
{
	const struct command *c;

	(void)state;
	assert_fails("net.host { adr = '192.0.2.1/24' }", "net.host: unknown option 'adr'");
	assert_fails("net.host { addr = '192.0.2.300/24' }", "is no IPv4 or IPv6 address");
	assert_fails(HOST "peer:send(ip{ colour = 1 })", "ip has no field 'colour'");
	assert_fails(HOST "peer:send(ip{ ttl = 256 })", "message: \"body.lua:8: ");
	assert_fails(HOST "peer:send(7)", "peer:send needs a packet");
	assert_fails(HOST "host:sysctl('net.nothing', 1)", "net.nothing");
	assert_fails(HOST "host:counter('NoSuchCounter')", "there is no counter");
	assert_fails(HOST "net.sleep('1 fortnight')", "is no duration");
	assert_fails(HOST "peer:send(net.tcp{ sprt = 1 })", "it has: sport dport seq ack");
	assert_fails(HOST "net.tcp{ mss = 1460 }", "options = {");
	assert_fails(HOST "net.udp{ payload = 'x' }", "the payload is joined: net.udp{} / ");
	command_file("early.lua", HEAD "\nnet.host {}\n");
	c = command("$TAPLINE run early.lua");
	assert_int_equal(c->status, 2);
	assert_contains(c->out, "early.lua:4: a world exists only inside of a test");
}

static void test_capture(void **state)
{
	const struct command *c;

	(void)state;
	command_file("cap.lua", HEAD "tap.test('x / #1', function(t)\n" HOST
				     "peer:send(icmp{ type = 'echo' })\n"
				     "peer:expect(icmp{ type = 'echo-reply' }) t:ok(false) end)\n"
				     "tap.test('no world', function(t) t:ok(true) end)\n");
	c = command("$TAPLINE run --capture dir/sub cap.lua; ls dir/sub;"
		    "od -An -tx1 -N4 dir/sub/*; stat -c %s dir/sub/*");
	assert_contains(c->out, "\n  capture: \"dir/sub/cap.lua-1-x----1.pcapng\"\n");
	assert_contains(c->out, "\ncap.lua-1-x----1.pcapng\n 0a 0d 0d 0a\n");
	/* The end of the world resets the connection: that frame is no longer the test's. */
	command_file("open.lua",
		     HEAD "tap.test('open', function(t)\n" HOST "host:socket 'tcp':listen(80)\n"
			  "local p = host.wire:peer { addr = '192.0.2.77', port = 4000 }:to(80)\n"
			  "p:send 'S 0:0(0) win 65535 <mss 1460>' p:expect 'S. 0:0(0) ack 1'\n"
			  "p:send '. 1:1(0) ack 1 win 65535' end)\n");
	c = command("$TAPLINE run --capture dir/tcp open.lua; ls dir/tcp");
	assert_int_equal(c->status, 0);
	assert_contains(c->out, "\nok 1 - open.lua: open\n");
	assert_contains(c->out, "\nopen.lua-1-open.pcapng\n");
}

static void test_digest(void **state)
{
	const struct command *c;

	(void)state;
	command_file("dig.lua",
		     HEAD "tap.test('a', function(t)\n" HOST "peer:send(icmp{ type = 'echo' })\n"
			  "peer:expect(icmp{ type = 'echo-reply' }) end)\n");
	c = command(
		"$TAPLINE run --digest dig.lua > 1; $TAPLINE run --digest -j 2 dig.lua > 2;"
		"cmp 1 2 && grep -c '^# digest a [0-9a-f]\\{16\\}$' 1;"
		"sed 's/echo-reply/echo-reply\", id = 0, type = \"echo-reply/' dig.lua |"
		"sed \"s/type = 'echo' }/type = 'echo', seq = 9 }/\" | tr '\"' \"'\" > o.lua;"
		"$TAPLINE run --digest o.lua > 3; grep -c digest 3; cmp -s 1 3 || echo differs");
	assert_string_equal(c->out, "1\n1\ndiffers\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unexpected_frame),
		cmocka_unit_test(test_other_frame),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_c_names),
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
