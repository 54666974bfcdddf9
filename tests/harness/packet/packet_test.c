/* SPDX-License-Identifier: MIT */
/* The harness's packet codec: building, parsing, comparing, printing; and hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/packet.h"

static void text(struct packet_layer *l, const char *field, const char *value)
{
	char error[PACKET_ERROR_SIZE];

	if (!packet_set_text(l, field, value, strlen(value), error))
		fail_msg("%s", error);
}

static void number(struct packet_layer *l, const char *field, u64 value)
{
	char error[PACKET_ERROR_SIZE];

	if (!packet_set_uint(l, field, value, error))
		fail_msg("%s", error);
}

static u8 *build(const struct packet *p, size_t *len)
{
	char error[PACKET_ERROR_SIZE];
	u8 *b = packet_build(p, len, error);

	if (!b)
		fail_msg("%s", error);
	return b;
}

static struct packet *reparse(const struct packet *p, int link)
{
	size_t len;
	u8 *b = build(p, &len);
	struct packet *q = packet_parse(link, b, len, len);

	free(b);
	return q;
}

static void assert_text(char *got, const char *want)
{
	assert_string_equal(got, want);
	free(got);
}

/* eth / ip / udp / "hello", 192.0.2.9 to 192.0.2.1 */
static struct packet *hello(void)
{
	struct packet *p = packet_new();
	struct packet_layer *l = packet_add(p, PACKET_ETH);

	text(l, "src", "02:00:00:00:00:09");
	text(l, "dst", "02:00:00:00:00:01");
	l = packet_add(p, PACKET_IP);
	text(l, "src", "192.0.2.9");
	text(l, "dst", "192.0.2.1");
	number(l, "id", 0x1234);
	l = packet_add(p, PACKET_UDP);
	number(l, "sport", 5000);
	number(l, "dport", 7);
	packet_add_payload(p, "hello", 5);
	return p;
}

/* Every byte, with checksums computed by hand from the RFCs. */
static void test_build_bytes(void **state)
{
	static const u8 want[] = {
		0x02, 0,    0, 0,  0,	 1,    0x02, 0,	   0,	0,   0,	   9,	 0x08,
		0x00, /* eth */
		0x45, 0,    0, 33, 0x12, 0x34, 0,    0,	   64,	17,  0xe4, 0x8d, /* ip */
		192,  0,    2, 9,  192,	 0,    2,    1, /* */
		0x13, 0x88, 0, 7,  0,	 13,   0x24, 0x68, 'h', 'e', 'l',  'l',	 'o', /* udp */
	};
	struct packet *p = hello();
	size_t len;
	u8 *b = build(p, &len);

	(void)state;
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(b, want, sizeof(want));
	free(b);
	packet_free(p);
}

static void test_parse_reads_what_was_built(void **state)
{
	struct packet *p = hello(), *q = reparse(p, PACKET_LINK_ETHERNET);
	struct packet_diff diff;

	(void)state;
	assert_int_equal(q->count, 4);
	assert_true(packet_match(p, q, &diff));
	assert_int_equal(q->layer[1]->checksum, PACKET_CSUM_GOOD);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_GOOD);
	assert_int_equal(packet_get_uint(q->layer[1], "len", 0), 33);
	assert_int_equal(packet_get_uint(q->layer[1], "ihl", 0), 5);
	assert_int_equal(packet_get_uint(q->layer[2], "len", 0), 13);
	assert_text(packet_line(q), "IP 192.0.2.9.5000 > 192.0.2.1.7: UDP, length 5");
	assert_text(packet_text(q),
		    "eth dst=02:00:00:00:00:01 src=02:00:00:00:00:09 type=ip\n"
		    "ip version=4 ihl=5 dscp=0 ecn=not-ect len=33 id=4660 rf=0 df=0 mf=0 off=0 "
		    "ttl=64 proto=udp checksum=0xe48d src=192.0.2.9 dst=192.0.2.1\n"
		    "udp sport=5000 dport=7 len=13 checksum=0x2468\n"
		    "payload data=\"hello\" (5 bytes)\n");
	packet_free(p);
	packet_free(q);
}

/* Wrong values go out as they are, and the parser says what is wrong. */
static void test_wrong_values(void **state)
{
	struct packet *p = hello(), *q;
	struct packet_layer *ip = p->layer[1], *udp = p->layer[2];

	(void)state;
	number(ip, "checksum", 0xbeef);
	number(ip, "len", 9999);
	number(udp, "len", 3);
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_int_equal(q->layer[1]->checksum, PACKET_CSUM_BAD);
	assert_int_equal(packet_get_uint(q->layer[1], "checksum", 0), 0xbeef);
	assert_string_equal(q->layer[1]->reason, "total length 9999 exceeds the frame's 33");
	assert_string_equal(q->layer[2]->reason, "length 3 is less than the header");
	packet_free(q);

	number(ip, "ihl", 3);
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_string_equal(q->layer[1]->reason, "header length 12 is less than 20");
	packet_free(q);

	/* Set right again by unsetting. */
	packet_recompute(p);
	q = reparse(p, PACKET_LINK_ETHERNET);
	for (size_t i = 0; i < q->count; i++)
		assert_null(q->layer[i]->reason);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_GOOD);
	packet_free(q);
	packet_free(p);
}

static void test_setters_refuse(void **state)
{
	struct packet *p = hello();
	struct packet_layer *ip = p->layer[1], *tcp = packet_add(p, PACKET_TCP);
	char error[PACKET_ERROR_SIZE];

	(void)state;
	assert_false(packet_set_uint(ip, "ttl", 256, error));
	assert_string_equal(error, "ip.ttl has 8 bits: 256 is too large");
	assert_false(packet_set_uint(ip, "colour", 1, error));
	assert_string_equal(error, "ip has no field \"colour\"");
	assert_false(packet_set_text(ip, "src", "192.0.2.300", 11, error));
	assert_string_equal(error, "ip.src can not be \"192.0.2.300\"");
	assert_false(packet_set_uint(ip, "src", 1, error));
	assert_false(packet_set_bytes(ip, "src", "abc", 3, error));
	assert_false(packet_set_text(ip, "proto", "nonsense", 8, error));
	assert_false(packet_set_text(tcp, "flags", "SX", 2, error));
	assert_false(packet_set_text(tcp, "sport", "12x", 3, error));
	assert_false(packet_set_options(tcp, "sport", NULL, 0, error));
	assert_true(packet_set_text(tcp, "sport", "0x50", 4, error));
	assert_int_equal(packet_get_uint(tcp, "sport", 0), 80);
	assert_true(packet_set_bytes(ip, "src", "\x0a\x00\x00\x01", 4, error));
	assert_text(packet_value_text(ip, &packet_fields(PACKET_IP)[14], packet_get(ip, "src")),
		    "10.0.0.1");
	packet_free(p);
}

static void test_flags_styles(void **state)
{
	static const struct {
		const char *text;
		u64 bits;
	} table[] = {
		{ "S", 2 },	    { "SA", 0x12 },  { "S.", 0x12 },  { ".", 0x10 },
		{ "FPU", 0x29 },    { "SEW", 0xc2 }, { "SEC", 0xc2 }, { "SEWN", 0x1c2 },
		{ "0x1ff", 0x1ff }, { "", 0 },
	};
	struct packet *p = packet_new();
	struct packet_layer *tcp = packet_add(p, PACKET_TCP);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		text(tcp, "flags", table[i].text);
		assert_int_equal(packet_get_uint(tcp, "flags", 999), table[i].bits);
	}
	packet_free(p);
}

/* tos, dscp and ecn name the same bits: the last to be set counts, for building too. */
static void test_views_follow(void **state)
{
	struct packet *p = hello(), *q = reparse(p, PACKET_LINK_ETHERNET);
	struct packet_layer *ip = q->layer[1];
	size_t len;
	u8 *b;

	(void)state;
	number(ip, "tos", 0xb9);
	assert_int_equal(packet_get_uint(ip, "dscp", 0), 46);
	assert_int_equal(packet_get_uint(ip, "ecn", 0), 1);
	text(ip, "ecn", "ce");
	assert_int_equal(packet_get_uint(ip, "tos", 0), 0xbb);
	b = build(q, &len);
	assert_int_equal(b[15], 0xbb);
	free(b);
	packet_free(p);
	packet_free(q);
}

static void test_ip_options_padded(void **state)
{
	struct packet *p = hello(), *q;
	struct packet_layer *ip = p->layer[1];

	(void)state;
	packet_set_bytes(ip, "options", "\x83\x03\x04\x01\x01", 5, NULL);
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_int_equal(packet_get_uint(q->layer[1], "ihl", 0), 7);
	assert_int_equal(packet_get(q->layer[1], "options")->len, 8);
	assert_int_equal(packet_get_uint(q->layer[1], "len", 0), 41);
	assert_int_equal(q->layer[1]->checksum, PACKET_CSUM_GOOD);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_GOOD);
	packet_free(q);
	packet_free(p);
}

static struct packet *syn(void)
{
	static const struct packet_option options[] = {
		{ .kind = PACKET_OPT_MSS, .count = 1, .num = { 1460 } },
		{ .kind = PACKET_OPT_SACKOK },
		{ .kind = PACKET_OPT_TS, .count = 2, .num = { 100, 200 } },
		{ .kind = PACKET_OPT_NOP },
		{ .kind = PACKET_OPT_WSCALE, .count = 1, .num = { 7 } },
		{ .kind = PACKET_OPT_SACK, .count = 4, .num = { 1, 2, 3, 4 } },
	};
	struct packet *p = packet_new();
	struct packet_layer *l = packet_add(p, PACKET_IP6);

	text(l, "src", "2001:db8::9");
	text(l, "dst", "2001:db8::1");
	l = packet_add(p, PACKET_TCP);
	number(l, "sport", 4000);
	number(l, "dport", 80);
	number(l, "seq", 1);
	number(l, "ack", 0);
	text(l, "flags", "S");
	packet_set_options(l, "options", options, 6, NULL);
	return p;
}

static void test_tcp_options(void **state)
{
	struct packet *p = syn(), *q = reparse(p, PACKET_LINK_RAW);
	const struct packet_option *o;

	(void)state;
	assert_int_equal(q->count, 2);
	assert_int_equal(q->layer[1]->checksum, PACKET_CSUM_GOOD);
	assert_int_equal(packet_get_uint(q->layer[1], "doff", 0), 15);
	o = packet_option_find(q->layer[1], PACKET_OPT_TS);
	assert_non_null(o);
	assert_int_equal(o->num[0], 100);
	assert_int_equal(o->num[1], 200);
	o = packet_option_find(q->layer[1], PACKET_OPT_SACK);
	assert_int_equal(o->count, 4);
	assert_null(packet_option_find(q->layer[1], PACKET_OPT_FASTOPEN));
	assert_text(packet_line(q),
		    "IP6 2001:db8::9.4000 > 2001:db8::1.80: Flags [S], seq 1, win 65535, options "
		    "<mss 1460,sackok,ts val 100 ecr 200,nop,wscale 7,sack 1:2 3:4,eol 00>, "
		    "length 0");
	packet_free(p);
	packet_free(q);
}

/* Whatever option bytes come in go out again. */
static void test_option_bytes_kept(void **state)
{
	static const struct {
		u8 bytes[12];
		size_t len;
		const char *wrong;
	} table[] = {
		{ { 2, 3, 5, 1 }, 4, NULL }, /* MSS of another length */
		{ { 2, 0, 5, 1 }, 4, "option length out of range" }, /* length 0 */
		{ { 1, 1, 8, 40 }, 4, "option length out of range" },
		{ { 1, 1, 1, 8 }, 4, "option without length" },
		{ { 0, 1, 2, 3 }, 4, "bytes after the end of the options" },
		{ { 34, 2, 99, 2 }, 4, NULL }, /* empty fast open, unknown kind */
		{ { 4, 2, 5, 10, 1, 2, 3, 4, 5, 6, 7, 8 }, 12, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct packet *p = syn(), *q;
		struct packet_layer *tcp = p->layer[1];
		size_t len;
		u8 *b;

		packet_set_bytes(tcp, "options", table[i].bytes, table[i].len, NULL);
		b = build(p, &len);
		assert_int_equal(len, 60 + table[i].len);
		assert_memory_equal(b + 60, table[i].bytes, table[i].len);
		q = packet_parse(PACKET_LINK_IPV6, b, len, len);
		if (table[i].wrong)
			assert_string_equal(q->layer[1]->reason, table[i].wrong);
		else
			assert_null(q->layer[1]->reason);
		packet_free(q);
		packet_free(p);
		free(b);
	}
}

static void test_icmp_quote(void **state)
{
	struct packet *inner = hello(), *p = packet_new(), *q;
	struct packet_layer *l = packet_add(p, PACKET_IP);
	struct packet *template = packet_new();
	struct packet_diff diff;
	int at;

	(void)state;
	text(l, "src", "192.0.2.1");
	text(l, "dst", "192.0.2.9");
	l = packet_add(p, PACKET_ICMP);
	text(l, "code", "port"); /* before the type: the order does not matter */
	text(l, "type", "dest-unreach");
	for (size_t i = 1; i < inner->count; i++) {
		struct packet *one = packet_clone(inner);

		for (size_t k = 0; k < i; k++) /* only layer i of it */
			one->layer[k] = one->layer[i];
		one->layer[0] = one->layer[i];
		one->count = 1;
		assert_true(packet_join(p, one));
		packet_free(one);
	}
	q = reparse(p, PACKET_LINK_IPV4);
	at = packet_inner(q, 1);
	assert_int_equal(at, 2);
	assert_int_equal(q->layer[at]->proto, PACKET_IP);
	assert_int_equal(packet_get_uint(q->layer[at + 1], "dport", 0), 7);
	assert_int_equal(packet_find(q, PACKET_UDP, 0, 0), -1);
	assert_int_equal(packet_find(q, PACKET_UDP, 0, 1), 3);
	assert_text(packet_line(q), "IP 192.0.2.1 > 192.0.2.9: ICMP dest-unreach port | "
				    "IP 192.0.2.9.5000 > 192.0.2.1.7: UDP, length 5");

	/* A template udp{} does not match what is only quoted. */
	packet_add(template, PACKET_UDP);
	assert_false(packet_match(template, q, &diff));
	assert_string_equal(diff.text, "expected a layer udp, got ip");
	packet_free(template);

	/* 8 bytes of the quoted packet's content: cut, not wrong. */
	packet_free(q);
	{
		size_t len;
		u8 *b;

		l = p->layer[2];
		number(l, "len", 33);
		number(p->layer[3], "len", 13);
		p->count--; /* without the payload */
		b = build(p, &len);
		q = packet_parse(PACKET_LINK_IPV4, b, len, len);
		free(b);
		assert_int_equal(q->layer[1]->checksum, PACKET_CSUM_GOOD);
		assert_null(q->layer[2]->reason);
		assert_true(q->layer[2]->cut);
		assert_int_equal(q->layer[3]->checksum, PACKET_CSUM_UNVERIFIED);
	}
	packet_free(q);
	packet_free(p);
	packet_free(inner);
}

static void test_icmp_fields_by_type(void **state)
{
	static const struct {
		const char *type, *code, *field, *value;
		size_t len;
		const char *line;
	} table[] = {
		{ "echo", "0", "seq", "7", 28, "ICMP echo, id 0, seq 7" },
		{ "redirect", "host", "gateway", "192.0.2.2", 28,
		  "ICMP redirect host, gateway 192.0.2.2" },
		{ "dest-unreach", "frag-needed", "mtu", "1400", 28,
		  "ICMP dest-unreach frag-needed, mtu 1400" },
		{ "param-problem", "pointer", "pointer", "20", 28,
		  "ICMP param-problem pointer, pointer 20" },
		{ "time-exceeded", "reassembly", "rest", "0", 28, "ICMP time-exceeded reassembly" },
		{ "timestamp", "0", "originate", "5", 40, "ICMP timestamp, id 0, seq 0" },
		{ "mask-reply", "0", "mask", "255.255.255.0", 32, "ICMP mask-reply, id 0, seq 0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct packet *p = packet_new(), *q;
		struct packet_layer *l;
		char *line;

		packet_add(p, PACKET_IP);
		l = packet_add(p, PACKET_ICMP);
		text(l, "type", table[i].type);
		text(l, "code", table[i].code);
		text(l, table[i].field, table[i].value);
		q = reparse(p, PACKET_LINK_IPV4);
		assert_int_equal(q->len, table[i].len);
		assert_int_equal(q->layer[1]->checksum, PACKET_CSUM_GOOD);
		line = packet_line(q);
		assert_string_equal(strstr(line, "ICMP"), table[i].line);
		free(line);
		packet_free(p);
		packet_free(q);
	}
}

static void test_arp(void **state)
{
	struct packet *p = packet_new(), *q;
	struct packet_layer *l = packet_add(p, PACKET_ETH);

	(void)state;
	text(l, "dst", "ff:ff:ff:ff:ff:ff");
	l = packet_add(p, PACKET_ARP);
	text(l, "sha", "02:00:00:00:00:09");
	text(l, "spa", "192.0.2.9");
	text(l, "tpa", "192.0.2.1");
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_int_equal(q->len, 42);
	assert_text(packet_line(q), "ARP, Request who-has 192.0.2.1 tell 192.0.2.9");
	packet_free(q);
	text(l, "op", "reply");
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_text(packet_line(q), "ARP, Reply 192.0.2.9 is-at 02:00:00:00:00:09");
	packet_free(q);

	/* Addresses of other lengths: hlen says what is there, and may lie. */
	packet_set_bytes(l, "sha", "abc", 3, NULL);
	number(l, "hlen", 3);
	packet_set_bytes(l, "tha", "xyz", 3, NULL);
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_int_equal(q->len, 36);
	assert_null(q->layer[1]->reason);
	assert_int_equal(packet_get(q->layer[1], "tha")->len, 3);
	packet_free(q);
	number(l, "hlen", 200);
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_string_equal(q->layer[1]->reason, "sha cut short");
	packet_free(q);
	packet_free(p);
}

static void test_vlan_and_padding(void **state)
{
	static const u8 zeros[13];
	struct packet *p = hello(), *q, *r;
	struct packet_layer *l = packet_insert(p, 1, PACKET_VLAN);
	struct packet_diff diff;

	(void)state;
	number(l, "id", 100);
	number(l, "pcp", 5);
	l = packet_add(p, PACKET_PAD);
	packet_set_bytes(l, "data", zeros, sizeof(zeros), NULL);
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_int_equal(q->count, 6);
	assert_int_equal(q->layer[5]->proto, PACKET_PAD);
	assert_int_equal(packet_get_uint(q->layer[1], "id", 0), 100);
	assert_int_equal(packet_get_uint(q->layer[2], "len", 0), 33);
	assert_int_equal(q->layer[3]->checksum, PACKET_CSUM_GOOD);
	assert_true(packet_match(p, q, &diff));
	r = packet_clone(q);
	packet_recompute(r);
	packet_free(q);
	q = reparse(r, PACKET_LINK_ETHERNET);
	assert_true(packet_match(p, q, &diff));
	assert_int_equal(q->layer[3]->checksum, PACKET_CSUM_GOOD);
	packet_free(r);
	packet_free(q);
	packet_free(p);
}

static void test_match_names_the_field(void **state)
{
	struct packet *p = hello(), *q = reparse(p, PACKET_LINK_ETHERNET), *t = packet_new();
	struct packet_layer *udp = packet_add(t, PACKET_UDP);
	struct packet_diff diff;

	(void)state;
	assert_true(packet_match(t, q, &diff)); /* nothing is set */
	number(udp, "dport", 7);
	assert_true(packet_match(t, q, &diff));
	number(udp, "sport", 5001);
	assert_false(packet_match(t, q, &diff));
	assert_string_equal(diff.text, "udp.sport: expected 5001, got 5000");
	assert_string_equal(diff.field, "sport");
	assert_int_equal(diff.layer, 0);
	packet_unset(udp, "sport");
	packet_add_payload(t, "help", 4);
	assert_false(packet_match(t, q, &diff));
	assert_string_equal(diff.text, "payload.data: expected \"help\", got \"hello\" (lengths 4 "
				       "and 5, first difference at byte 3)");
	packet_set_bytes(t->layer[1], "data", "", 0, NULL);
	assert_false(packet_match(t, q, &diff));
	packet_free(t);

	t = packet_new();
	packet_add(t, PACKET_TCP);
	assert_false(packet_match(t, q, &diff));
	assert_string_equal(diff.text, "expected a layer tcp, got eth");
	packet_free(t);
	packet_free(p);
	packet_free(q);
}

static void test_match_bytes(void **state)
{
	struct packet *p = hello();
	struct packet_diff diff;
	size_t len;
	u8 *a = build(p, &len), *b = build(p, &len);

	(void)state;
	assert_true(packet_match_bytes(PACKET_LINK_ETHERNET, a, len, b, len, &diff));
	b[22] = 63;
	assert_false(packet_match_bytes(PACKET_LINK_ETHERNET, a, len, b, len, &diff));
	assert_string_equal(diff.text, "ip.ttl: expected 64, got 63");
	free(a);
	free(b);
	packet_free(p);
}

static void test_fragments_unverified(void **state)
{
	struct packet *p = hello(), *q;

	(void)state;
	number(p->layer[1], "mf", 1);
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_int_equal(q->layer[2]->proto, PACKET_UDP);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_UNVERIFIED);
	packet_free(q);
	number(p->layer[1], "off", 185);
	q = reparse(p, PACKET_LINK_ETHERNET);
	assert_int_equal(q->count, 3);
	assert_int_equal(q->layer[2]->proto, PACKET_PAYLOAD);
	packet_free(q);
	packet_free(p);
}

/* RFC 791: while a source route is not used up, transports sum over its last address. */
static void test_source_route_checksum(void **state)
{
	static const u8 route[] = { 0x83, 7, 4, 198, 51, 100, 7, 0 };
	struct packet *p = hello(), *q;
	u8 *b, *last;
	size_t len;

	(void)state;
	packet_set_bytes(p->layer[1], "options", route, sizeof(route), NULL);
	b = build(p, &len);
	q = packet_parse(PACKET_LINK_ETHERNET, b, len, len);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_GOOD);
	packet_free(q);

	/* The last hop takes its address from the route, and the sum holds still. */
	last = b + 14 + 20;
	for (size_t i = 0; i < 4; i++) {
		u8 hop = b[14 + 16 + i];

		b[14 + 16 + i] = last[3 + i];
		last[3 + i] = hop;
	}
	last[2] = 8;
	q = packet_parse(PACKET_LINK_ETHERNET, b, len, len);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_GOOD);
	packet_free(q);

	/* The sum over the next hop, as Linux has it for UDP; and none that fits. */
	last[2] = 4;
	q = packet_parse(PACKET_LINK_ETHERNET, b, len, len);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_GOOD);
	packet_free(q);
	last[14] ^= 1;
	q = packet_parse(PACKET_LINK_ETHERNET, b, len, len);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_BAD);
	packet_free(q);
	free(b);
	packet_free(p);
}

/* Every prefix of a frame: never an over-read (the sanitizers watch), always said to be cut. */
static void test_cut_at_every_byte(void **state)
{
	struct packet *sources[] = { hello(), syn() };
	static const int links[] = { PACKET_LINK_ETHERNET, PACKET_LINK_RAW };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		u8 *b = build(sources[i], &len);

		for (size_t n = 0; n < len; n++) {
			u8 *exact = malloc(n ? n : 1);
			struct packet *p;

			assert_non_null(exact);
			memcpy(exact, b, n);
			p = packet_parse(links[i], exact, n, len);
			assert_true(p->count >= 1);
			assert_true(p->layer[p->count - 1]->cut);
			for (size_t k = 0; k < p->count; k++)
				assert_null(p->layer[k]->reason);
			free(packet_line(p));
			packet_free(p);

			p = packet_parse(links[i], exact, n, n);
			free(packet_text(p));
			packet_free(p);
			free(exact);
		}
		free(b);
		packet_free(sources[i]);
	}
}

/* Random bytes under every link type, many of them near-misses of real packets. */
static void test_hostile_bytes(void **state)
{
	static const int links[] = { PACKET_LINK_NULL, PACKET_LINK_ETHERNET, PACKET_LINK_RAW,
				     PACKET_LINK_LOOP, PACKET_LINK_SLL,	     PACKET_LINK_SLL2,
				     PACKET_LINK_IPV4, PACKET_LINK_IPV6,     4711 };
	struct packet *base = hello();
	u32 seed = 1;
	size_t len;
	u8 *b = build(base, &len);

	(void)state;
	for (int round = 0; round < 20000; round++) {
		u8 copy[64];
		size_t n = 0, out;
		struct packet *p;
		u8 *again;

		memcpy(copy, b, len);
		for (int k = 0; k < 8; k++) {
			seed = seed * 1103515245 + 12345;
			if (round % 2)
				copy[(seed >> 8) % len] = (u8)(seed >> 16);
			n = (seed >> 4) % (len + 1);
		}
		p = packet_parse(links[(size_t)round % (sizeof(links) / sizeof(links[0]))], copy, n,
				 n);
		free(packet_line(p));
		free(packet_text(p));
		again = packet_build(p, &out, NULL);
		free(again);
		packet_free(p);
	}
	free(b);
	packet_free(base);
}

/* More layers than a packet may have: the rest is payload, and nothing is lost. */
static void test_too_many_layers(void **state)
{
	u8 frame[14 + 4 * 60] = { 0 };
	struct packet *p;
	size_t out;
	u8 *b;

	(void)state;
	for (size_t at = 12; at < sizeof(frame); at += 4)
		frame[at] = 0x81;
	p = packet_parse(PACKET_LINK_ETHERNET, frame, sizeof(frame), sizeof(frame));
	assert_true(p->count <= PACKET_MAX_LAYERS);
	b = build(p, &out);
	assert_int_equal(out, sizeof(frame));
	assert_memory_equal(b, frame, out);
	free(b);
	packet_free(p);
}

static void test_link_layers(void **state)
{
	static const struct {
		int link;
		enum packet_proto proto;
		size_t header;
	} table[] = {
		{ PACKET_LINK_NULL, PACKET_NULL, 4 },
		{ PACKET_LINK_LOOP, PACKET_NULL, 4 },
		{ PACKET_LINK_SLL, PACKET_SLL, 16 },
		{ PACKET_LINK_SLL2, PACKET_SLL2, 20 },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct packet *p = packet_new(), *q;

		p->link = table[i].link;
		packet_add(p, table[i].proto);
		packet_add(p, PACKET_IP);
		packet_add(p, PACKET_UDP);
		q = reparse(p, table[i].link);
		assert_int_equal(q->count, 3);
		assert_int_equal(q->layer[1]->start, table[i].header);
		assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_GOOD);
		packet_free(p);
		packet_free(q);
	}
}

static void test_build_refuses(void **state)
{
	struct packet *p = packet_new();
	char error[PACKET_ERROR_SIZE];
	u8 *big = calloc(1, 262145);
	size_t len;

	(void)state;
	assert_null(packet_build(p, &len, error));
	assert_string_equal(error, "a packet without layers");
	packet_add_payload(p, big, 262145);
	assert_null(packet_build(p, &len, error));
	assert_string_equal(error, "a packet of 262145 bytes is too long");
	free(big);
	packet_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_bytes),
		cmocka_unit_test(test_parse_reads_what_was_built),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_setters_refuse),
		cmocka_unit_test(test_flags_styles),
		cmocka_unit_test(test_views_follow),
		cmocka_unit_test(test_ip_options_padded),
		cmocka_unit_test(test_tcp_options),
		cmocka_unit_test(test_option_bytes_kept),
		cmocka_unit_test(test_icmp_quote),
		cmocka_unit_test(test_icmp_fields_by_type),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_vlan_and_padding),
		cmocka_unit_test(test_match_names_the_field),
		cmocka_unit_test(test_match_bytes),
		cmocka_unit_test(test_fragments_unverified),
		cmocka_unit_test(test_source_route_checksum),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_too_many_layers),
		cmocka_unit_test(test_link_layers),
		cmocka_unit_test(test_build_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
