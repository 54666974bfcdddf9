/* SPDX-License-Identifier: MIT */
/* From captured frames to Ethernet frames: link layers, cut frames, offload's leavings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/packet.h"
#include "replay/frame.h"

static const u8 mac[6] = { 2, 0, 0, 0, 0, 1 };
static struct replay_frame made; /* large: not on the stack */

static enum frame_verdict make(u16 link, const void *data, u32 caplen, u32 len,
			       const struct replay_options *o)
{
	/* exactly as long as captured, so that the sanitizers see an over-read */
	u8 *copy = malloc(caplen ? caplen : 1);
	struct capture_frame f = { .link = link, .data = copy, .caplen = caplen, .len = len };
	enum frame_verdict v;

	assert_non_null(copy);
	memcpy(copy, data, caplen);
	v = replay_frame_make(&made, &f, o, mac);
	free(copy);
	return v;
}

/* An IPv4 packet of 28 bytes with UDP. */
static u8 *udp_bytes(size_t *len)
{
	struct packet *p = packet_new();
	u8 *b;

	packet_add(p, PACKET_IP);
	packet_add(p, PACKET_UDP);
	b = packet_build(p, len, NULL);
	packet_free(p);
	return b;
}

static void test_ethernet_as_it_is(void **state)
{
	const struct replay_options o = { 0 };
	u8 frame[64];

	(void)state;
	memset(frame, 0x5a, sizeof(frame));
	for (u32 len = 0; len <= sizeof(frame); len++) {
		assert_int_equal(make(1, frame, len, len, &o), FRAME_INJECT);
		assert_int_equal(made.len, len);
		assert_memory_equal(made.bytes, frame, len);
		assert_false(made.vouched);
	}
}

static void test_link_headers(void **state)
{
	static const u8 sll[16] = { 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 0x08, 0x00 };
	static const u8 sll2[20] = { 0x08, 0x00, 0, 0, 0, 0, 0, 1, 0, 1,
				     2,	   6,	 2, 0, 0, 0, 0, 9, 0, 0 };
	static const struct {
		u16 link;
		u8 header[20];
		u32 len;
		u8 dst; /* first byte of the destination */
	} table[] = {
		{ PACKET_LINK_RAW, { 0 }, 0, 2 },
		{ PACKET_LINK_IPV4, { 0 }, 0, 2 },
		{ PACKET_LINK_NULL, { 2, 0, 0, 0 }, 4, 2 },
		{ PACKET_LINK_NULL, { 0, 0, 0, 2 }, 4, 2 },
		{ PACKET_LINK_LOOP, { 0, 0, 0, 2 }, 4, 2 },
	};
	const struct replay_options o = { 0 };
	size_t len;
	u8 *ip = udp_bytes(&len), b[64];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memcpy(b, table[i].header, table[i].len);
		memcpy(b + table[i].len, ip, len);
		assert_int_equal(make(table[i].link, b, table[i].len + (u32)len,
				      table[i].len + (u32)len, &o),
				 FRAME_INJECT);
		assert_int_equal(made.len, 14 + len);
		assert_int_equal(made.bytes[0], table[i].dst);
		assert_memory_equal(made.bytes + 12, "\x08\x00", 2);
		assert_memory_equal(made.bytes + 14, ip, len);
	}
	memcpy(b, sll, 16);
	memcpy(b + 16, ip, len);
	make(PACKET_LINK_SLL, b, 16 + (u32)len, 16 + (u32)len, &o);
	assert_memory_equal(made.bytes, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x09\x08\0", 14);
	memcpy(b, sll2, 20);
	memcpy(b + 20, ip, len);
	make(PACKET_LINK_SLL2, b, 20 + (u32)len, 20 + (u32)len, &o);
	assert_int_equal(made.len, 14 + len);
	assert_memory_equal(made.bytes, "\x01\0\x5e\0\0\x01\x02\0\0\0\0\x09\x08\0", 14);
	free(ip);
}

/* Every length of every link type, also shorter than its header. */
static void test_short_link_headers(void **state)
{
	static const u16 links[] = { PACKET_LINK_NULL, PACKET_LINK_LOOP, PACKET_LINK_SLL,
				     PACKET_LINK_SLL2, PACKET_LINK_RAW,	 PACKET_LINK_IPV6 };
	const struct replay_options trust = { .checksums = CHECKSUMS_TRUST };
	u8 b[64];

	(void)state;
	memset(b, 0x45, sizeof(b));
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		for (u32 len = 0; len <= sizeof(b); len++) {
			assert_int_equal(make(links[i], b, len, len, &trust), FRAME_INJECT);
			assert_true(made.len >= 14 && made.len <= 14 + len);
		}
	}
}

static void test_cut(void **state)
{
	struct replay_options o = { .cut = CUT_PAD };
	u8 b[60];

	(void)state;
	memset(b, 0x77, sizeof(b));
	assert_int_equal(make(1, b, 60, 100, &o), FRAME_INJECT);
	assert_true(made.cut);
	assert_true(made.vouched);
	assert_int_equal(made.len, 100);
	assert_int_equal(made.bytes[59], 0x77);
	assert_int_equal(made.bytes[60], 0);
	/* a length beyond all sense: as long as a device takes */
	assert_int_equal(make(1, b, 60, 0xffffffff, &o), FRAME_INJECT);
	assert_int_equal(made.len, FRAME_LEN_MAX);
	/* a header that was cut can not be judged: its checksum is set right */
	memset(b, 0x45, sizeof(b));
	memcpy(b + 12, "\x08\0\x45", 3);
	make(1, b, 30, 60, &o);
	assert_true(made.fixed);
	assert_int_equal(packet_checksum(made.bytes + 14, 20), 0);
	make(1, b, 34, 60, &o);
	assert_false(made.fixed);
	memset(b, 0x77, sizeof(b));
	o.cut = CUT_KEEP;
	assert_int_equal(make(1, b, 60, 100, &o), FRAME_INJECT);
	assert_int_equal(made.len, 60);
	assert_false(made.vouched);
	o.cut = CUT_DROP;
	assert_int_equal(make(1, b, 60, 100, &o), FRAME_LEAVE_OUT);
	assert_int_equal(make(1, b, 60, 60, &o), FRAME_INJECT);
	/* a damaged file may say less than it has */
	assert_int_equal(make(1, b, 60, 10, &o), FRAME_INJECT);
	assert_int_equal(made.len, 60);
}

static void test_old_tags(void **state)
{
	struct replay_options o = { .any = true };
	u8 b[60] = { [12] = 0x91, [16] = 0x81, [20] = 0x91, [24] = 0x08 };

	(void)state;
	make(1, b, 60, 60, &o);
	assert_true(made.renamed);
	assert_memory_equal(made.bytes + 12, "\x88\xa8\0\0\x81\0\0\0\x88\xa8\0\0\x08\0", 14);
	o.any = false;
	make(1, b, 60, 60, &o);
	assert_memory_equal(made.bytes, b, 60);
}

static void test_too_long(void **state)
{
	const struct replay_options o = { 0 };
	u8 *b = calloc(1, FRAME_LEN_MAX + 1);

	(void)state;
	assert_int_equal(make(1, b, FRAME_LEN_MAX, FRAME_LEN_MAX, &o), FRAME_INJECT);
	assert_false(made.shortened);
	assert_int_equal(make(1, b, FRAME_LEN_MAX + 1, FRAME_LEN_MAX + 1, &o), FRAME_INJECT);
	assert_true(made.shortened && made.vouched);
	assert_int_equal(made.len, FRAME_LEN_MAX);
	assert_int_equal(make(PACKET_LINK_RAW, b, FRAME_LEN_MAX - 14, FRAME_LEN_MAX - 14, &o),
			 FRAME_INJECT);
	assert_false(made.shortened);
	assert_int_equal(make(PACKET_LINK_RAW, b, FRAME_LEN_MAX - 13, FRAME_LEN_MAX - 13, &o),
			 FRAME_INJECT);
	assert_true(made.shortened);
	free(b);
}

/* Under trust the header is right again: behind tags too, and where the length was left 0. */
static void test_offload(void **state)
{
	struct replay_options o = { .checksums = CHECKSUMS_JUDGE };
	struct packet *p = packet_new(), *q;
	struct packet_layer *l;
	size_t len;
	u8 *b;

	(void)state;
	packet_add(p, PACKET_ETH);
	packet_set_uint(packet_add(p, PACKET_VLAN), "id", 5, NULL);
	l = packet_add(p, PACKET_IP);
	packet_set_uint(l, "len", 0, NULL);
	packet_set_uint(l, "checksum", 0x1234, NULL);
	packet_set_uint(packet_add(p, PACKET_UDP), "checksum", 0x1234, NULL);
	b = packet_build(p, &len, NULL);
	make(1, b, (u32)len, (u32)len, &o);
	assert_memory_equal(made.bytes, b, len);
	assert_false(made.fixed);
	o.checksums = CHECKSUMS_TRUST_IP;
	make(1, b, (u32)len, (u32)len, &o);
	assert_true(made.fixed);
	assert_false(made.vouched);
	o.checksums = CHECKSUMS_TRUST;
	make(1, b, (u32)len, (u32)len, &o);
	assert_true(made.fixed);
	assert_true(made.vouched);
	q = packet_parse(1, made.bytes, made.len, made.len);
	assert_int_equal(q->layer[2]->checksum, PACKET_CSUM_GOOD);
	assert_int_equal(packet_get_uint(q->layer[2], "len", 0), 28);
	packet_free(q);
	packet_free(p);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ethernet_as_it_is),
		cmocka_unit_test(test_link_headers),
		cmocka_unit_test(test_short_link_headers),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_old_tags),
		cmocka_unit_test(test_offload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
