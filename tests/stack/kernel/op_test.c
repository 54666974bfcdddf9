/* SPDX-License-Identifier: MIT */
/* Op log records: what is written is read back; what is damaged is refused. */
#include "stack/bare_world.h"

#include "stack/op.h"

static struct op sample(void)
{
	static const u8 dst[4] = { 192, 0, 2, 0 }, gw[4] = { 192, 0, 2, 1 };
	struct op op = { .kind = OP_ROUTE_ADD };

	op.u.route_add.host = 3;
	op.u.route_add.metric = 0xffffffffffull;
	op.u.route_add.prefix_len = 24;
	op.u.route_add.dst = (struct op_bytes){ dst, 4 };
	op.u.route_add.gateway = (struct op_bytes){ gw, 4 };
	return op;
}

static void round_trip(void **state)
{
	struct op in = sample(), out;
	u8 buf[256], again[256];
	u32 len = op_encode(123456789, &in, buf, sizeof(buf));
	u64 at = 0;

	(void)state;
	assert_in_range(len, 1, sizeof(buf));
	assert_int_equal(op_decode(buf, len, &at, &out), len);
	assert_int_equal(at, 123456789);
	assert_int_equal(out.kind, OP_ROUTE_ADD);
	assert_int_equal(out.u.route_add.metric, 0xffffffffffull);
	assert_int_equal(out.u.route_add.dst.len, 4);
	assert_memory_equal(out.u.route_add.gateway.p, in.u.route_add.gateway.p, 4);
	assert_int_equal(op_encode(at, &out, again, sizeof(again)), len);
	assert_memory_equal(buf, again, len);
}

static void every_cut_is_refused(void **state)
{
	struct op in = sample(), out;
	u8 buf[256];
	u32 len = op_encode(7, &in, buf, sizeof(buf));
	u64 at;

	(void)state;
	for (u32 cut = 0; cut < len; cut++)
		assert_int_equal(op_decode(buf, cut, &at, &out), 0);
}

static void too_small_a_buffer_is_told(void **state)
{
	struct op in = sample();
	u8 buf[8];
	u8 whole[256];

	(void)state;
	assert_int_equal(op_encode(7, &in, buf, sizeof(buf)), op_encode(7, &in, whole, 256));
}

static void random_bytes_decode_to_what_encodes_the_same(void **state)
{
	struct world *w = bare_world(5);
	u32 good = 0;

	(void)state;
	for (u32 n = 0; n < 200000; n++) {
		u8 in[64], again[64];
		struct op op;
		u64 at;
		u32 used;

		for (u32 i = 0; i < sizeof(in); i++)
			in[i] = (u8)(get_random_u32(w, RANDOM_WIRE) &
				     get_random_u32(w, RANDOM_WIRE));
		used = op_decode(in, sizeof(in), &at, &op);
		if (!used)
			continue;
		good++;
		assert_int_equal(op_encode(at, &op, again, sizeof(again)), used);
		assert_memory_equal(in, again, used);
	}
	assert_true(good > 1000);
	bare_world_end(w);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(op_name(OP_HOST_ADD), "host_add");
	assert_string_equal(op_name(OP_CHECK), "check");
	assert_null(op_name(OP_KIND_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(too_small_a_buffer_is_told),
		cmocka_unit_test(random_bytes_decode_to_what_encodes_the_same),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
