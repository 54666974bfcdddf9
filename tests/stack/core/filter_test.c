/* SPDX-License-Identifier: MIT */
/* Classic BPF: what the checker takes and refuses, programs of random instructions end and touch
 * nothing (the sanitizers look), results against a second reading of the instructions. */
#include "stack/net_world.h"

#include "core/filter.h"
#include "kernel/random.h"

struct insn {
	u16 code;
	u8 jt, jf;
	u32 k;
};

static struct sk_filter *make(const struct insn *insns, u32 n, int *err)
{
	u8 bytes[64 * BPF_INSN_LEN];

	assert_true(n <= 64);
	for (u32 i = 0; i < n; i++) {
		put_le16(bytes + i * 8, insns[i].code);
		bytes[i * 8 + 2] = insns[i].jt;
		bytes[i * 8 + 3] = insns[i].jf;
		put_le32(bytes + i * 8 + 4, insns[i].k);
	}
	return bpf_prog_create(nw.w, bytes, n, err);
}

static struct sk_buff *packet(void)
{
	struct sk_buff *skb = alloc_skb(nw.w, 128);

	skb_reserve(skb, 32);
	for (u32 i = 0; i < 64; i++)
		*skb_put(skb, 1) = (u8)i;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->protocol = htons(0x0800);
	return skb;
}

static u32 run(const struct insn *insns, u32 n)
{
	struct sk_buff *skb = packet();
	int err;
	struct sk_filter *fp = make(insns, n, &err);
	u32 result;

	assert_non_null(fp);
	result = bpf_prog_run(fp, skb);
	bpf_prog_put(nw.w, fp);
	consume_skb(skb);
	return result;
}

static void loads(void **state)
{
	static const struct {
		u16 code;
		u32 k, result;
	} cases[] = {
		{ 0x20, 4, 0x04050607 },
		{ 0x28, 12, 0x0c0d },
		{ 0x30, 63, 63 },
		{ 0x30, 64, 0 },
		{ 0x20, 61, 0 },
		{ 0x80, 0, 64 },
		{ 0x20, (u32)-0x1000, 0x0800 },
		{ 0x30, (u32)-0x100000, 0 },
		{ 0x30, (u32)-0x1fffff, 1 },
	};

	(void)state;
	net_world_boot(1);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct insn program[] = { { cases[i].code, 0, 0, cases[i].k },
						{ 0x16, 0, 0, 0 } };

		assert_int_equal(run(program, 2), cases[i].result);
	}
	net_world_end();
}

static void refused(void **state)
{
	static const struct insn bad[][2] = {
		{ { 0x16, 0, 0, 0 }, { 0x00, 0, 0, 1 } }, /* the last is no RET */
		{ { 0x15, 1, 0, 0 }, { 0x06, 0, 0, 0 } }, /* jumps out */
		{ { 0x05, 0, 0, UINT32_MAX }, { 0x06, 0, 0, 0 } },
		{ { 0x34, 0, 0, 0 }, { 0x06, 0, 0, 0 } }, /* / 0 */
		{ { 0x64, 0, 0, 32 }, { 0x06, 0, 0, 0 } }, /* << 32 */
		{ { 0x60, 0, 0, 0 }, { 0x06, 0, 0, 0 } }, /* M[0] was not written */
		{ { 0x02, 0, 0, 16 }, { 0x06, 0, 0, 0 } },
		{ { 0xffff, 0, 0, 0 }, { 0x06, 0, 0, 0 } },
		{ { 0x20, 0, 0, (u32)-0x1000 + 64 }, { 0x06, 0, 0, 0 } },
		{ { 0x20, 0, 0, (u32)-0x1000 + 12 }, { 0x06, 0, 0, 0 } }, /* netlink's */
	};
	int err;

	(void)state;
	net_world_boot(1);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_null(make(bad[i], 2, &err));
		assert_int_equal(err, -EINVAL);
	}
	assert_null(bpf_prog_create(nw.w, NULL, 0, &err));
	net_world_end();
}

/* Whatever passes the checker runs to its end. */
static void random_programs_end(void **state)
{
	static const u16 codes[] = { 0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01,
				     0x61, 0x81, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x24, 0x34,
				     0x3c, 0x44, 0x54, 0x64, 0x6c, 0x74, 0x84, 0x94, 0x9c, 0xa4,
				     0xac, 0x05, 0x15, 0x1d, 0x25, 0x35, 0x45, 0x07, 0x87, 0x16 };
	u32 taken = 0;

	(void)state;
	net_world_boot(1);
	for (u32 round = 0; round < 20000; round++) {
		struct insn program[8];
		struct sk_buff *skb;
		struct sk_filter *fp;
		int err;

		for (u32 i = 0; i < 7; i++) {
			u64 bits = get_random_u64(nw.w, RANDOM_FAULT);

			program[i] = (struct insn){ codes[bits % ARRAY_SIZE(codes)],
						    (u8)(bits >> 8 & 3), (u8)(bits >> 16 & 3),
						    (u32)(bits >> 32) &
							    (bits >> 24 & 1 ? UINT32_MAX : 31u) };
		}
		program[7] = (struct insn){ 0x16, 0, 0, 0 };
		fp = make(program, 8, &err);
		if (!fp) {
			assert_int_equal(err, -EINVAL);
			continue;
		}
		skb = packet();
		(void)bpf_prog_run(fp, skb);
		bpf_prog_put(nw.w, fp);
		consume_skb(skb);
		taken++;
	}
	assert_true(taken > 500);
	net_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads),
		cmocka_unit_test(refused),
		cmocka_unit_test(random_programs_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
