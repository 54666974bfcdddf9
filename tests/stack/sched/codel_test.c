/* SPDX-License-Identifier: MIT */
/* CoDel's control law (RFC 8289 5.3): Newton's steps against the true root, times between drops,
 * the restart near the last rate; fq's order of flows in time. */
#include "sched/codel.h"
#include "stack/net_world.h"

/* The largest x with x * x <= v. */
static u64 root(u64 v)
{
	u64 x = 0;

	for (u64 bit = 1ull << 31; bit; bit >>= 1)
		if ((x | bit) * (x | bit) <= v)
			x |= bit;
	return x;
}

static void newton_is_near_the_root(void **state)
{
	struct codel_vars v = { .count = 1, .rec_inv_sqrt = 0xffff };

	(void)state;
	for (v.count = 1; v.count < 5000; v.count++) {
		/* interval / sqrt(count), by integers: sqrt(interval^2 / count). */
		u64 want = root(100000ull * 100000 / v.count), got;

		codel_newton_step(&v);
		got = codel_control_law(0, 100000, v.rec_inv_sqrt);
		/* One step is coarse while the count is small. */
		if (v.count > 8)
			assert_true(got <= want + want / 50 + 2 && got + want / 50 + 2 >= want);
	}
}

static struct sk_buff *queue[600];
static u32 head, tail, dropped;
static u64 backlog;
static codel_time came[600];

static struct sk_buff *take(void *ctx)
{
	(void)ctx;
	if (head == tail)
		return NULL;
	backlog -= queue[head]->len;
	return queue[head++];
}

static void throw_away(void *ctx, struct sk_buff *skb)
{
	(void)ctx;
	dropped++;
	kfree_skb_reason(skb, SKB_DROP_REASON_QDISC_CONGESTED);
}

static codel_time when(const struct sk_buff *skb)
{
	return came[skb->mark];
}

static void put(codel_time now)
{
	struct sk_buff *skb = alloc_skb(nw.w, 1500);

	assert_non_null(skb);
	skb_put(skb, 1500);
	skb->mark = tail;
	came[tail] = now;
	queue[tail++] = skb;
	backlog += 1500;
}

static void drops_come_faster_until_the_queue_is_short(void **state)
{
	const struct codel_queue q = {
		.dequeue = take, .drop = throw_away, .enqueued = when, .backlog = &backlog
	};
	const struct codel_params p = {
		.target = 5, .interval = 100, .ce_threshold = UINT32_MAX, .mtu = 1500
	};
	struct codel_stats stats = { 0 };
	struct codel_vars vars = { 0 };
	u32 at[64], n = 0;
	codel_time now = 1000;

	(void)state;
	net_world_boot(1);
	head = tail = dropped = 0;
	backlog = 0;
	for (u32 i = 0; i < 20; i++)
		put(now);
	/* One comes and one goes a tick: the queue of 20 stands. */
	for (u32 i = 0; i < 500; i++, now++) {
		u32 before = dropped;
		struct sk_buff *skb;

		put(now);
		skb = codel_dequeue(&q, &p, &vars, &stats, now);
		consume_skb(skb);
		for (; before < dropped && n < 64; before++)
			at[n++] = now - 1000;
	}
	assert_true(n >= 8);
	/* It is above target from tick 5 on, for an interval; then 100, and by one step of
	 * Newton's 50 where the root says 71, 56 for 58. */
	assert_in_range(at[0], 105, 107);
	assert_in_range(at[1] - at[0], 95, 102);
	assert_in_range(at[2] - at[1], 48, 53);
	assert_in_range(at[3] - at[2], 54, 60);
	assert_int_equal(stats.drop_count, dropped);
	/* An empty queue ends it. */
	while (head != tail)
		consume_skb(codel_dequeue(&q, &p, &vars, &stats, now));
	assert_null(codel_dequeue(&q, &p, &vars, &stats, now));
	assert_false(vars.dropping);
	net_world_end();
}

/* A packet that is to leave at `at` ns from now. */
static void timed(u64 at, u8 byte)
{
	struct sk_buff *skb = alloc_skb(nw.w, 256);

	assert_non_null(skb);
	skb_reserve(skb, 64);
	memset(skb_put(skb, 100), byte, 100);
	skb->dev = nw.dev;
	skb->tstamp = ktime_get_ns(nw.w->hosts[0]) + at;
	skb_reset_network_header(skb);
	assert_int_equal(dev_hard_header(skb, nw.dev, TEST_PROTO, peer_mac, NULL), 0);
	assert_int_equal(dev_queue_xmit(skb), NET_XMIT_SUCCESS);
}

static void fq_sorts_by_time(void **state)
{
	static const u32 ms[] = { 5, 3, 9, 3, 1, 7 };
	static const u8 order[] = { 4, 1, 3, 0, 5, 2 };
	struct Qdisc *q;
	int err;

	(void)state;
	net_world_boot(1);
	net_world_nic(1, 16, 8);
	q = qdisc_create(nw.dev, &nw.dev->tx[0], &fq_ops, NULL, &err);
	assert_non_null(q);
	assert_int_equal(dev_graft_qdisc(nw.dev, q), 0);
	for (u32 i = 0; i < ARRAY_SIZE(ms); i++)
		timed(ms[i] * NSEC_PER_MSEC, (u8)i);
	net_world_run(NSEC_PER_MSEC - 1);
	assert_int_equal(nw.out_count, 0);
	net_world_run(NSEC_PER_SEC);
	assert_int_equal(nw.out_count, ARRAY_SIZE(ms));
	for (u32 i = 0; i < ARRAY_SIZE(ms); i++)
		assert_int_equal(nw.out[i].byte, order[i]);
	/* Beyond the horizon of ten seconds. */
	timed(9 * NSEC_PER_SEC, 1);
	assert_int_equal(q->stats.qlen, 1);
	net_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newton_is_near_the_root),
		cmocka_unit_test(drops_come_faster_until_the_queue_is_short),
		cmocka_unit_test(fq_sorts_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
