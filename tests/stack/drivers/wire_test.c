/* SPDX-License-Identifier: MIT */
/* The wire: delay, serialisation and its queue, order under jitter, each fault, frames to nobody.
 */
#include "stack/net_world.h"

#include "stack/sys.h"
#include "stack/world.h"

/* A wire whose ends are both free but for a recorder at end 1. */
static struct wire *wire;
static u8 got[4096];
static u64 got_at[4096];
static u32 got_len[4096], got_count;
static u64 flipped;

static void recorder(void *ctx, const struct wire_rx *rx)
{
	const u8 *frame = rx->bytes;
	u32 len = rx->len;

	(void)ctx;
	got_at[got_count] = nw.w->now;
	got_len[got_count] = len;
	got[got_count++] = frame[0];
	for (u32 i = 1; i < len; i++)
		for (u32 b = 0; b < 8; b++)
			flipped += frame[i] >> b & 1;
}

static const struct wire_end_ops recorder_ops = { .receive = recorder };

/* One that lends its memory, and looks whether the frame stands there. */
static u8 shelf[2048];
static u32 on_shelf, summed_from;

static u8 *lender_room(void *ctx, u32 len)
{
	(void)ctx;
	return len <= sizeof(shelf) ? shelf : NULL;
}

static void lender_receive(void *ctx, const struct wire_rx *rx)
{
	on_shelf += rx->bytes == shelf;
	summed_from = rx->summed_from;
	recorder(ctx, rx);
}

static const struct wire_end_ops lender_ops = { .receive = lender_receive, .room = lender_room };

static void begin(u64 delay, u64 rate)
{
	net_world_boot(1);
	got_count = 0;
	flipped = 0;
	assert_int_equal(wire_create(nw.w, delay, rate), 0);
	wire = nw.w->wires[0];
	assert_int_equal(wire_plug(wire, 1, &recorder_ops, NULL), 0);
}

static void end(void)
{
	wire_plug(wire, 1, NULL, NULL);
	net_world_end();
}

/* A frame whose first byte is its number, the others zero. */
static void put(u32 len, u8 number, u32 flags)
{
	static u8 f[70000];

	memset(f, 0, len);
	f[0] = number;
	assert_int_equal(wire_inject(wire, 0, flags, f, len), 0);
}

static void in_order(u32 n)
{
	assert_int_equal(got_count, n);
	for (u32 i = 0; i < n; i++)
		assert_int_equal(got[i], (u8)i);
}

static void delay_is_added(void **state)
{
	(void)state;
	begin(1000, 0);
	put(64, 0, 0);
	net_world_run(999);
	assert_int_equal(got_count, 0);
	net_world_run(1000);
	in_order(1);
	assert_int_equal(got_at[0], 1000);
	end();
}

static void rate_serialises(void **state)
{
	(void)state;
	/* 1 Gbit/s: 8 ns a byte. */
	begin(1000, 1000000000);
	put(100, 0, 0);
	put(50, 1, 0);
	net_world_run(NSEC_PER_SEC);
	in_order(2);
	assert_int_equal(got_at[0], 800 + 1000);
	assert_int_equal(got_at[1], 800 + 400 + 1000);
	/* Idle since: the next one starts now. */
	put(125, 2, 0);
	net_world_run(2 * NSEC_PER_SEC);
	assert_int_equal(got_at[2], NSEC_PER_SEC + 1000 + 1000);
	end();
}

static void no_delay_passes_all(void **state)
{
	(void)state;
	begin(1000, 1000);
	put(64, 1, 0);
	put(64, 0, FRAME_NO_DELAY);
	assert_int_equal(got_count, 1);
	net_world_run(NSEC_PER_SEC);
	in_order(2);
	assert_int_equal(got_at[0], 0);
	end();
}

static void queue_limit_drops(void **state)
{
	(void)state;
	begin(0, 8000); /* 1 byte a ms */
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_QUEUE_BYTES, 250), 0);
	for (u32 i = 0; i < 5; i++)
		put(100, (u8)i, 0);
	net_world_run(NSEC_PER_SEC);
	/* 0 on its way, 1 waits; 2 would make 300. */
	in_order(2);
	assert_int_equal(wire_stats(wire, 0)->queue_dropped, 3);
	end();
}

static void drop_next_and_loss(void **state)
{
	(void)state;
	begin(0, 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_DROP_NEXT, 2), 0);
	put(64, 9, 0);
	put(64, 9, 0);
	put(64, 0, 0);
	net_world_run(1);
	in_order(1);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_LOSS_PPM, 500000), 0);
	for (u32 i = 0; i < 1000; i++)
		put(64, 1, 0);
	net_world_run(2);
	assert_in_range(got_count, 400, 600);
	assert_int_equal(wire_stats(wire, 0)->lost, 2 + 1000 - (got_count - 1));
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_LOSS_PPM, 1000000), 0);
	got_count = 0;
	for (u32 i = 0; i < 100; i++)
		put(64, 1, 0);
	net_world_run(3);
	assert_int_equal(got_count, 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_LOSS_PPM, 1000001), -EINVAL);
	end();
}

static void planted_loss(void **state)
{
	(void)state;
	begin(0, 0);
	fault_plant(nw.w, FAULT_FRAME_LOST, 1, 1);
	for (u32 i = 0; i < 3; i++)
		put(64, (u8)i, 0);
	net_world_run(1);
	assert_int_equal(got_count, 2);
	assert_int_equal(got[0], 0);
	assert_int_equal(got[1], 2);
	end();
}

static void jitter_keeps_order(void **state)
{
	u64 late = 0;

	(void)state;
	begin(1000, 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_JITTER_NS, 5000), 0);
	for (u32 i = 0; i < 200; i++) {
		put(64, (u8)i, 0);
		net_world_run(nw.w->now + 100);
	}
	net_world_run(NSEC_PER_SEC);
	in_order(200);
	for (u32 i = 0; i < 200; i++) {
		assert_in_range(got_at[i], i * 100 + 1000, i * 100 + 6000);
		late += got_at[i] - i * 100 > 1000;
	}
	assert_true(late > 100);
	end();
}

static void reorder_holds_one_back(void **state)
{
	(void)state;
	begin(1000, 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_REORDER_PPM, 1000000), 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_REORDER_NS, 500), 0);
	put(64, 1, 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_REORDER_PPM, 0), 0);
	put(64, 0, 0);
	net_world_run(NSEC_PER_SEC);
	in_order(2);
	assert_int_equal(got_at[0], 1000);
	assert_int_equal(got_at[1], 1500);
	end();
}

static void duplicate_and_corrupt(void **state)
{
	(void)state;
	begin(10, 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_DUPLICATE_PPM, 1000000), 0);
	put(64, 0, 0);
	net_world_run(10);
	assert_int_equal(got_count, 2);
	assert_int_equal(flipped, 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_DUPLICATE_PPM, 0), 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_CORRUPT_PPM, 1000000), 0);
	for (u32 i = 0; i < 64; i++)
		put(64, 0, 0);
	net_world_run(20);
	for (u32 i = 2; i < got_count; i++)
		for (u32 b = 0; b < 8; b++)
			flipped += got[i] >> b & 1;
	assert_int_equal(flipped, 64);
	end();
}

static void send_lent(u32 len)
{
	struct wire_frame *f = wire_frame_get_at(wire, 0, len);

	assert_non_null(f);
	memset(wire_frame_bytes(f), 0, len);
	wire_frame_summed(f, 14, 0);
	wire_transmit(wire, 0, f, 0);
	net_world_run(nw.w->now + 10);
}

static void look(void *ctx, u32 point, u32 id, u32 dir, const u8 *frame, u32 len)
{
	struct op op = { .kind = OP_WIRE_SET };
	struct sys_op call = { .nr = SYS_SOCKET };

	(void)ctx;
	(void)point;
	(void)id;
	(void)dir;
	(void)frame;
	(void)len;
	assert_int_equal(world_apply(nw.w, &op), -EBUSY);
	assert_int_equal(sys_submit(nw.w, &call), -EBUSY);
}

/* Frames are written where they will be received, when that is now and nothing happens to them. */
static void far_end_lends(void **state)
{
	(void)state;
	begin(0, 0);
	wire_plug(wire, 1, NULL, NULL);
	assert_int_equal(wire_plug(wire, 1, &lender_ops, NULL), 0);
	on_shelf = 0;
	send_lent(64);
	assert_int_equal(on_shelf, 1);
	assert_int_equal(summed_from, 14);
	/* Given back, and lent again. */
	wire_frame_put(wire, wire_frame_get_at(wire, 0, 64));
	nw.ops.capture = look;
	send_lent(64);
	nw.ops.capture = NULL;
	assert_int_equal(on_shelf, 2);
	send_lent(sizeof(shelf) + 1);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_DELAY_NS, 5), 0);
	send_lent(64);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_DELAY_NS, 0), 0);
	nw.w->trace_wanted = 1u << TRACE_WIRE_TX;
	send_lent(64);
	nw.w->trace_wanted = 0;
	fault_plant(nw.w, FAULT_ALLOC, 1000, 1);
	send_lent(64);
	assert_int_equal(on_shelf, 2);
	assert_int_equal(got_count, 6);
	wire_plug(wire, 1, NULL, NULL);
	net_world_end();
}

/* A bit that is flipped takes the sender's sum with it; a copy has it. */
static void sum_goes_with_the_bytes(void **state)
{
	(void)state;
	begin(0, 0);
	wire_plug(wire, 1, NULL, NULL);
	assert_int_equal(wire_plug(wire, 1, &lender_ops, NULL), 0);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_DUPLICATE_PPM, 1000000), 0);
	send_lent(64);
	assert_int_equal(got_count, 2);
	assert_int_equal(summed_from, 14);
	assert_int_equal(wire_set(wire, 0, WIRE_PARAM_CORRUPT_PPM, 1000000), 0);
	send_lent(64);
	assert_int_equal(got_count, 4);
	assert_int_equal(summed_from, 0);
	put(64, 0, 0);
	assert_int_equal(summed_from, 0);
	wire_plug(wire, 1, NULL, NULL);
	net_world_end();
}

static void nobody_there(void **state)
{
	(void)state;
	begin(0, 0);
	wire_plug(wire, 1, NULL, NULL);
	nw.ops.wire_rx = NULL;
	put(64, 0, 0);
	net_world_run(1);
	assert_int_equal(wire_stats(wire, 0)->unattached, 1);
	assert_int_equal(wire_plug(wire, 1, &recorder_ops, NULL), 0);
	assert_int_equal(wire_inject(wire, 1, 0, got, 64), -EBUSY);
	assert_int_equal(wire_inject(wire, 2, 0, got, 64), -EINVAL);
	assert_int_equal(wire_inject(wire, 0, 0, got, FRAME_LEN_MAX + 1), -EMSGSIZE);
	end();
}

static void frames_under_way_are_given_back(void **state)
{
	(void)state;
	begin(NSEC_PER_SEC, 0);
	for (u32 i = 0; i < 10; i++)
		put(1514, 0, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delay_is_added),
		cmocka_unit_test(rate_serialises),
		cmocka_unit_test(no_delay_passes_all),
		cmocka_unit_test(queue_limit_drops),
		cmocka_unit_test(drop_next_and_loss),
		cmocka_unit_test(planted_loss),
		cmocka_unit_test(jitter_keeps_order),
		cmocka_unit_test(reorder_holds_one_back),
		cmocka_unit_test(duplicate_and_corrupt),
		cmocka_unit_test(far_end_lends),
		cmocka_unit_test(sum_goes_with_the_bytes),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(frames_under_way_are_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
