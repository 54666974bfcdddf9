/* SPDX-License-Identifier: MIT */
/*
 * The parser of packetdrill scripts: each construct of the language, and what is wrong in a script
 * named by file and line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packetdrill/script.h"

static struct pd_script *script;
static struct pd_error error;

static const struct pd_define defines[] = { { "COOKIE", "0011223344556677" },
					    { "CODE", "host_unreachable" },
					    { "LEVEL", "SOL_IP" },
					    { "SELF", "OTHER" },
					    { "OTHER", "SELF" } };

/* The script's first event, or NULL when it does not parse. */
static const struct pd_event *parse_bytes(const char *text, size_t len, enum pd_family family)
{
	struct pd_parse_config config = { .path = "x.pkt",
					  .family = family,
					  .define = defines,
					  .defines = sizeof(defines) / sizeof(defines[0]) };

	pd_script_free(script);
	script = pd_script_parse(text, len, &config, &error);
	return script && script->events ? &script->event[0] : NULL;
}

static const struct pd_event *parse(const char *text)
{
	return parse_bytes(text, strlen(text), PD_IPV4);
}

static const struct pd_tcp *tcp(const char *text)
{
	const struct pd_event *e = parse(text);

	if (!e)
		fail_msg("%s", error.text);
	assert_int_equal(e->kind, PD_PACKET);
	assert_int_equal(e->packet.kind, PD_PACKET_TCP);
	return &e->packet.tcp;
}

static void refused(const char *text, enum pd_error_kind kind, const char *message)
{
	if (parse(text) || script)
		fail_msg("parsed: %s", text);
	assert_int_equal(error.kind, kind);
	assert_string_equal(error.text, message);
}

static void test_times(void **state)
{
	const struct pd_event *e;

	(void)state;
	e = parse("+.01~+.02 > . 1:1(0) ack 1\n* > . 1:1(0) ack 1\n0...0.2 read(3, ..., 1) = 1\n"
		  "1.000000001 close(3) = 0\n+.09 ... .14 close(3) = 0\n`true`");
	assert_non_null(e);
	assert_int_equal(script->events, 6);
	assert_int_equal(e[0].time.kind, PD_TIME_RELATIVE);
	assert_true(e[0].time.range);
	assert_int_equal(e[0].time.at, 10000000);
	assert_int_equal(e[0].time.until, 20000000);
	assert_int_equal(e[1].time.kind, PD_TIME_ANY);
	assert_int_equal(e[2].time.kind, PD_TIME_ABSOLUTE);
	assert_true(e[2].time.blocking);
	assert_int_equal(e[2].time.end, 200000000);
	assert_int_equal(e[3].time.at, 1000000001);
	assert_int_equal(e[4].time.kind, PD_TIME_RELATIVE);
	assert_int_equal(e[4].time.at, 90000000);
	assert_int_equal(e[4].time.end, 140000000);
	assert_int_equal(e[5].time.kind, PD_TIME_NONE);
	assert_int_equal(e[5].line, 6);
}

static void test_options(void **state)
{
	(void)state;
	assert_non_null(parse("// comment\n--ip_version=ipv6\n--tcp_ts_ecr_scaled // for 5\n"
			      "--mtu=1280 /* two\nlines */ -D FD=7\n+0 close(FD) = 0"));
	assert_int_equal(script->options, 4);
	assert_string_equal(pd_script_find(script, "ip_version")->value.p, "ipv6");
	assert_string_equal(pd_script_find(script, "mtu")->value.p, "1280");
	assert_null(pd_script_find(script, "tcp_ts_ecr_scaled")->value.p);
	assert_null(pd_script_find(script, "mss"));
	assert_int_equal(script->event[0].syscall.arg[0]->num, 7);
	assert_int_equal(script->event[0].line, 6);
	assert_string_equal(script->event[0].source.p, "close(FD) = 0");
}

static void test_calls(void **state)
{
	const struct pd_syscall *c;

	(void)state;
	c = &parse("+0 fcntl(3, F_SETFL, O_RDWR | O_NONBLOCK) = 0x2 (flags O_RDWR)")->syscall;
	assert_string_equal(c->name.p, "fcntl");
	assert_int_equal(c->argc, 3);
	assert_int_equal(c->arg[2]->num, 04002);
	assert_string_equal(c->arg[2]->text.p, "O_RDWR | O_NONBLOCK");
	assert_true(c->result->is_hex);
	assert_string_equal(c->note.p, "flags O_RDWR");
	c = &parse("+0 read(3, ..., 9) = -1 EAGAIN(again)\n+0 close(3) = 0")->syscall;
	assert_int_equal(c->result->num, -1);
	assert_int_equal(c->error, 11);
	assert_string_equal(c->error_name.p, "EAGAIN");
	assert_string_equal(c->note.p, "again");
	assert_int_equal(c->arg[1]->kind, PD_X_ELLIPSIS);
	c = &parse("+0 f(\"a\\n\\x41\\\"\", NULL, ~1, (1<<4)&0x18) = ...")->syscall;
	assert_int_equal(c->arg[0]->text.len, 4);
	assert_memory_equal(c->arg[0]->text.p, "a\nA\"", 4);
	assert_int_equal(c->arg[1]->kind, PD_X_NULL);
	assert_int_equal(c->arg[2]->num, -2);
	assert_int_equal(c->arg[3]->num, 16);
	assert_int_equal(c->result->kind, PD_X_ELLIPSIS);
	c = &parse("+0 write(4, \"abc\"..., 100) = SOMAXCONN")->syscall;
	assert_int_equal(c->arg[1]->kind, PD_X_ELLIPSIS);
	assert_int_equal(c->argc, 3);
	assert_int_equal(c->result->num, 4096);
}

static void test_structs(void **state)
{
	const struct pd_expr *msg, *list, *cmsg;
	const struct pd_syscall *c;

	(void)state;
	c = &parse("+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{...,10}],\n"
		   " msg_flags=MSG_ERRQUEUE|MSG_TRUNC, msg_control=[{cmsg_level=LEVEL,\n"
		   " cmsg_type=IP_RECVERR, cmsg_data={ee_errno=ENOMSG,ee_data=7}}]}, 0) = 0")
		     ->syscall;
	msg = c->arg[1];
	assert_int_equal(msg->kind, PD_X_STRUCT);
	assert_int_equal(msg->count, 4);
	assert_int_equal(msg->item[1]->item[1]->num, 1);
	list = pd_expr_field(msg, "msg_iov");
	assert_int_equal(list->kind, PD_X_LIST);
	assert_int_equal(list->item[0]->kind, PD_X_STRUCT);
	assert_int_equal(list->item[0]->item[1]->num, 10);
	assert_int_equal(pd_expr_field(msg, "msg_flags")->num, 0x2020);
	cmsg = pd_expr_field(msg, "msg_control")->item[0];
	assert_int_equal(pd_expr_field(cmsg, "cmsg_level")->num, 0);
	assert_int_equal(pd_expr_field(pd_expr_field(cmsg, "cmsg_data"), "ee_errno")->num, 42);
	assert_int_equal(pd_expr_field(pd_expr_field(cmsg, "cmsg_data"), "ee_data")->num, 7);
	assert_null(pd_expr_field(cmsg, "ee_data"));
	c = &parse("+0 bind(3, {sa_family = AF_INET, sin_port = htons(80),\n"
		   "sin_addr = inet_addr(\"192.0.2.1\")}, ...) = 0")
		     ->syscall;
	assert_int_equal(pd_expr_field(c->arg[1], "sin_port")->kind, PD_X_CALL);
	assert_int_equal(pd_expr_field(c->arg[1], "sin_port")->item[0]->num, 80);
	assert_string_equal(pd_expr_field(c->arg[1], "sin_addr")->item[0]->text.p, "192.0.2.1");
	assert_non_null(
		parse("+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1"));
	assert_non_null(
		parse("+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=2}, 8) = 0"));
	assert_non_null(parse("+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLET, ptr=9}) = 0"));
}

static void test_tcp(void **state)
{
	const struct pd_tcp *t;

	(void)state;
	t = tcp("+0 < SEWA 10:20(10) ack 7 win 65536 urg 3");
	assert_int_equal(t->flags, PD_TCP_SYN | PD_TCP_ECE | PD_TCP_CWR | PD_TCP_AE);
	assert_int_equal(t->ace, -1);
	assert_int_equal(t->len, 10);
	assert_int_equal(t->ack, 7);
	assert_int_equal(t->win, 65536);
	assert_int_equal(t->urg, 3);
	assert_true(t->no_options);
	t = tcp("+0 > [ect0] P5. 4294967295:0(1)");
	assert_int_equal(t->ace, 5);
	assert_int_equal(t->flags, PD_TCP_PSH | PD_TCP_ACK | PD_TCP_ECE | PD_TCP_AE);
	assert_false(t->has_ack);
	assert_false(t->has_win);
	assert_int_equal(script->event[0].packet.marks.ecn, PD_ECN_ECT0);
	t = tcp("+0 > - 1:1(0) <...>");
	assert_int_equal(t->flags, 0);
	assert_true(t->any_options);
	t = tcp("+0 < [tos 0x10, ttl 3] (flowlabel 0x12345) 5000 > 80 . 1:1(0) ack 1 win 2");
	assert_int_equal(script->event[0].packet.marks.tos, 16);
	assert_int_equal(script->event[0].packet.marks.ttl, 3);
	assert_int_equal(script->event[0].packet.marks.flow_label, 0x12345);
	assert_int_equal(script->event[0].packet.src_port, 5000);
	assert_int_equal(script->event[0].packet.dst_port, 80);
	assert_int_equal(t->flags, PD_TCP_ACK);
}

static void test_tcp_options(void **state)
{
	const struct pd_option *o;
	const struct pd_tcp *t;

	(void)state;
	t = tcp("+0 < S 0:0(0) win 1 <mss 1460, nop,eol,sackOK,wscale 7,TS val 1 ecr *,\n"
		"sack 1:2 3:4,FO COOKIE,FOEXP,FO abcd,md5 00112233445566778899aabbccddeeff,"
		"ECN e1b 1 ceb 2 e0b 3,ECN e0b 1,kind 253 01ff,ao 0705aabbccdd>");
	o = t->option;
	assert_int_equal(t->options, 15);
	assert_int_equal(o[0].kind, PD_OPT_MSS);
	assert_int_equal(o[0].num[0], 1460);
	assert_int_equal(o[4].num[0], 7);
	assert_int_equal(o[5].num[0], 1);
	assert_true(o[5].ts_ecr_any);
	assert_int_equal(o[6].count, 4);
	assert_int_equal(o[6].num[3], 4);
	assert_int_equal(o[7].data.len, 8);
	assert_memory_equal(o[7].data.p, "\x00\x11\x22\x33\x44\x55\x66\x77", 8);
	assert_int_equal(o[8].kind, PD_OPT_FASTOPEN_EXP);
	assert_int_equal(o[8].data.len, 0);
	assert_memory_equal(o[9].data.p, "\xab\xcd", 2);
	assert_int_equal(o[10].data.len, 16);
	assert_true(o[11].first_e1b);
	assert_int_equal(o[11].num[2], 3);
	assert_false(o[12].first_e1b);
	assert_int_equal(o[12].count, 1);
	assert_int_equal(o[13].number, 253);
	assert_int_equal(o[13].data.len, 2);
	assert_int_equal(o[14].kind, PD_OPT_AO);
	assert_memory_equal(o[14].data.p, "\x07\x05\xaa\xbb\xcc\xdd", 6);
}

static void test_others(void **state)
{
	const struct pd_packet *p;

	(void)state;
	p = &parse("+0 > udp (1000)")->packet;
	assert_int_equal(p->kind, PD_PACKET_UDP);
	assert_int_equal(p->udp_len, 1000);
	p = &parse("+0 < icmp unreachable frag_needed mtu 1200 [1:1001(1000)]")->packet;
	assert_int_equal(p->kind, PD_PACKET_ICMP);
	assert_int_equal(p->icmp.type, 3);
	assert_int_equal(p->icmp.code, 4);
	assert_int_equal(p->icmp.mtu, 1200);
	assert_true(p->icmp.has_echo);
	assert_int_equal(p->icmp.echo_seq, 1);
	assert_int_equal(p->icmp.echo_len, 1000);
	p = &parse("+0 < icmp unreachable CODE\n+1 close(3) = 0")->packet;
	assert_int_equal(p->icmp.code, 1);
	p = &parse("+0 < icmp unreachable port_unreachable [udp (10)]")->packet;
	assert_true(p->icmp.echo_udp);
	p = &parse_bytes("+0 < icmp packet_too_big mtu 1300", 33, PD_IPV6)->packet;
	assert_int_equal(p->icmp.type, 2);
	p = &parse("--ip_version=ipv6\n+0 < icmp unreachable host_unreachable")->packet;
	assert_int_equal(p->icmp.code, 3);
	p = &parse("+0 < icmpv6 type 1 code 2")->packet;
	assert_int_equal(p->icmp.code, 2);
	p = &parse("+0 < raw 4500abcd")->packet;
	assert_int_equal(p->raw.len, 4);
}

static void test_layers(void **state)
{
	const struct pd_packet *p;

	(void)state;
	p = &parse("+0 < [ce] ipv4 192.0.2.1 > 192.0.2.2: gre flags 0x2000, key=5: "
		   "mpls (label 3, tc 1, ttl 9) (label 4 [S]): ipv6 2001:db8::1 > 2001:db8:::"
		   " [ect1] S 0:0(0) win 1")
		     ->packet;
	assert_non_null(p);
	assert_int_equal(p->layers, 4);
	assert_string_equal(p->layer[0].src.p, "192.0.2.1");
	assert_string_equal(p->layer[0].dst.p, "192.0.2.2");
	assert_int_equal(p->layer[1].gre_flags, 0x2000);
	assert_int_equal(p->layer[1].gre_key, 5);
	assert_int_equal(p->layer[2].labels, 2);
	assert_int_equal(p->layer[2].label[0].ttl, 9);
	assert_true(p->layer[2].label[1].bottom);
	assert_string_equal(p->layer[3].dst.p, "2001:db8::");
	assert_int_equal(p->marks.ecn, PD_ECN_ECT1);
}

static void test_blocks(void **state)
{
	const struct pd_event *e;

	(void)state;
	e = parse("`../defaults.sh\n`\n+0 `echo '>' //`\n+.1 %{\nassert a == 1, '}'\n}%\n");
	assert_int_equal(script->events, 3);
	assert_string_equal(e[0].command.p, "../defaults.sh\n");
	assert_string_equal(e[1].command.p, "echo '>' //");
	assert_int_equal(e[2].kind, PD_CODE);
	assert_int_equal(e[2].body_line, 4);
	assert_string_equal(e[2].code.p, "\nassert a == 1, '}'\n");
}

static void test_unknown(void **state)
{
	(void)state;
	refused("+0 close(3) = 0\n+0 f(3, SO_NEVER_WAS) = 0", PD_ERROR_UNKNOWN,
		"x.pkt:2: unknown constant 'SO_NEVER_WAS'");
	assert_string_equal(error.word, "SO_NEVER_WAS");
	refused("0 socket(..., SOCK_STREEM, 0) = 3\n", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown constant 'SOCK_STREEM'; did you mean 'SOCK_STREAM'?");
	refused("0 < icmp unreachable NEVER [1:1(0)]\n", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown ICMP code 'NEVER'");
	refused("--frobnicate=1\n", PD_ERROR_UNKNOWN, "x.pkt:1: unknown option 'frobnicate'");
	refused("+0 f(3) = -1 EZZYZX", PD_ERROR_UNKNOWN, "x.pkt:1: unknown error 'EZZYZX'");
	refused("+0 > sctp: INIT", PD_ERROR_UNKNOWN, "x.pkt:1: unknown flags or protocol 'sctp'");
	refused("+0 > . 1:1(0) <mss 1,foo 3>", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown TCP option 'foo'");
	refused("+0 > [pink] . 1:1(0)", PD_ERROR_UNKNOWN, "x.pkt:1: unknown mark 'pink'");
	refused("+0 f({color=3}) = 0", PD_ERROR_UNKNOWN, "x.pkt:1: unknown field 'color'");
	refused("+0 f(sizeof(3)) = 0", PD_ERROR_UNKNOWN, "x.pkt:1: unknown function 'sizeof'");
	refused("+0 < icmp nothing", PD_ERROR_UNKNOWN, "x.pkt:1: unknown ICMP type 'nothing'");
	refused("+0 < icmp unreachable nothing", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown ICMP code 'nothing'");
}

/* A name that is near to one that there is. */
static void test_near(void **state)
{
	(void)state;
	refused("+0 > . 1:1(0) <sackok>", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown TCP option 'sackok'; did you mean 'sackOK'?");
	refused("+0 > [ect] . 1:1(0)", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown mark 'ect'; did you mean 'ect0'?");
	refused("+0 f({msg_nam=3}) = 0", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown field 'msg_nam'; did you mean 'msg_name'?");
	refused("+0 f(hton(3)) = 0", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown function 'hton'; did you mean 'htons'?");
	refused("+0 < icmp unreachabl", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown ICMP type 'unreachabl'; did you mean 'unreachable'?");
	refused("+0 < icmp unreachable frag_need", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown ICMP code 'frag_need'; did you mean 'frag_needed'?");
	refused("+0 > gre [flagz none]: . 1:1(0)", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown field of GRE 'flagz'; did you mean 'flags'?");
	refused("+0 > mpls (labl 1): . 1:1(0)", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown field of MPLS 'labl'; did you mean 'label'?");
	refused("--ip_version=ipv5\n", PD_ERROR_UNKNOWN,
		"x.pkt:1: unknown IP version 'ipv5'; did you mean 'ipv4'?");
}

static void test_bad(void **state)
{
	(void)state;
	refused("+0 f(\"abc\n) = 0", PD_ERROR_SYNTAX,
		"x.pkt:1: a string that begins here has no end");
	refused("\n+0 `ls\n\n", PD_ERROR_SYNTAX,
		"x.pkt:2: a command that begins here has no end: '`' is missing");
	refused("+0 %{ assert", PD_ERROR_SYNTAX,
		"x.pkt:1: a code block that begins here has no end: '}%' is missing");
	refused("\n\n/* for ever", PD_ERROR_SYNTAX,
		"x.pkt:3: a comment that begins here has no end");
	refused("+0 > . 1:1(0) ack", PD_ERROR_SYNTAX,
		"x.pkt:1: expected a number, but the script ends");
	refused("+0 > . 1:1(0) <mss 5", PD_ERROR_SYNTAX,
		"x.pkt:1: expected ',' or '>' in the options, but the script ends");
	refused("+0 > . 1:3(1)", PD_ERROR_SYNTAX,
		"x.pkt:1: 1:3(1): the length is not the difference");
	refused("+0 > . 1:4294967297(0)", PD_ERROR_SYNTAX,
		"x.pkt:1: a number is too large (at most 4294967295)");
	refused("+0 f(99999999999999999999) = 0", PD_ERROR_SYNTAX,
		"x.pkt:1: a number is too large (at most 18446744073709551615)");
	refused("99999999999 close(3) = 0", PD_ERROR_SYNTAX,
		"x.pkt:1: a number is too large (at most 3153600000)");
	refused("hello\n", PD_ERROR_SYNTAX, "x.pkt:1: expected a time, got 'hello'");
	refused("+0 f(3)\n", PD_ERROR_SYNTAX, "x.pkt:1: expected '=', but the script ends");
	refused("+0 f(3, [1, 2) = 0\n", PD_ERROR_SYNTAX, "x.pkt:1: expected ']', got ') = 0'");
	refused("+.2~.1 > . 1:1(0)", PD_ERROR_SYNTAX,
		"x.pkt:1: the time range ends before it begins");
	refused("+1...0 close(3) = 0", PD_ERROR_SYNTAX, "x.pkt:1: the call ends before it begins");
	refused("* < . 1:1(0)", PD_ERROR_SYNTAX, "x.pkt:1: a packet that is sent needs one time");
	refused("+0 < . 1:1(0) ack 1 <FO abc>", PD_ERROR_SYNTAX,
		"x.pkt:1: an odd number of hex digits: 'abc'");
	refused("+0 f(SELF) = 0", PD_ERROR_SYNTAX,
		"x.pkt:1: 'OTHER' is defined by itself, or too deep or too often");
	refused("+0 close(3) = [1]", PD_ERROR_SYNTAX,
		"x.pkt:1: the result of a call is a number or '...'");
}

static void test_binary(void **state)
{
	char bytes[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	assert_null(parse_bytes(bytes, sizeof(bytes), PD_IPV4));
	assert_string_equal(error.text, "x.pkt:1: expected a time, got byte 0x00");
	assert_null(parse_bytes("", 0, PD_IPV4));
	assert_non_null(script);
	assert_int_equal(script->events, 0);
}

static void test_deep(void **state)
{
	char text[4096] = "+0 f(";

	(void)state;
	memset(text + 5, '[', sizeof(text) - 6);
	assert_null(parse(text));
	assert_string_equal(error.text, "x.pkt:1: brackets are nested too deep");
	memset(text + 5, '-', sizeof(text) - 6);
	assert_null(parse(text));
	assert_string_equal(error.text, "x.pkt:1: brackets are nested too deep");
}

/* Every prefix of a script with everything in it: an error or a script, never a crash. */
static void test_prefixes(void **state)
{
	static const char text[] =
		"--mtu=1500\n`./a.sh`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
		"+.1...0.2 recvmsg(3, {msg_name(...)=\"a\\x41\", msg_iov(1)=[{...,1}]}, 0) = -1 E2BIG (x)\n"
		"+0~+1 > [ect0] ipv4 1.2.3.4 > 5.6.7.8: SE. 0:0(0) ack 1 win 5 <mss 5,FO COOKIE,nop>\n"
		"+0 < icmp unreachable CODE mtu 7 [1:2(1)]\n+0 %{ assert 1 }% // end\n/* */";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		char *copy = malloc(i ? i : 1);

		memcpy(copy, text, i);
		parse_bytes(copy, i, PD_IPV4);
		free(copy);
	}
	assert_non_null(parse(text));
	assert_int_equal(script->events, 6);
}

static int teardown(void **state)
{
	(void)state;
	pd_script_free(script);
	script = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_times, teardown),
		cmocka_unit_test_teardown(test_options, teardown),
		cmocka_unit_test_teardown(test_calls, teardown),
		cmocka_unit_test_teardown(test_structs, teardown),
		cmocka_unit_test_teardown(test_tcp, teardown),
		cmocka_unit_test_teardown(test_tcp_options, teardown),
		cmocka_unit_test_teardown(test_others, teardown),
		cmocka_unit_test_teardown(test_layers, teardown),
		cmocka_unit_test_teardown(test_blocks, teardown),
		cmocka_unit_test_teardown(test_unknown, teardown),
		cmocka_unit_test_teardown(test_near, teardown),
		cmocka_unit_test_teardown(test_bad, teardown),
		cmocka_unit_test_teardown(test_binary, teardown),
		cmocka_unit_test_teardown(test_deep, teardown),
		cmocka_unit_test_teardown(test_prefixes, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
