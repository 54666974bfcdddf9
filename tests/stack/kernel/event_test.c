/* SPDX-License-Identifier: MIT */
/* The event queue: order by (time, class, priority, arming), moving and cancelling, against a naive
 * list. */
#include "stack/bare_world.h"

#define COUNT 200

struct probe {
	struct event ev;
	u64 time;
	u32 cls;
	u64 armed_at; /* place in the order of arming */
	bool armed;
};

static struct probe probes[COUNT];
static u32 fired[COUNT * 10];
static u32 fired_count;

static void fire(struct world *w, struct event *ev)
{
	struct probe *p = container_of(ev, struct probe, ev);

	assert_int_equal(w->now, p->time);
	assert_true(p->armed);
	p->armed = false;
	fired[fired_count++] = (u32)(p - probes);
}

/* The one that must go next. */
static u32 naive_first(void)
{
	u32 best = COUNT;

	for (u32 i = 0; i < COUNT; i++) {
		const struct probe *p = &probes[i], *b = &probes[best % COUNT];

		if (!p->armed)
			continue;
		if (best == COUNT || p->time < b->time ||
		    (p->time == b->time &&
		     (p->cls < b->cls || (p->cls == b->cls && p->armed_at < b->armed_at))))
			best = i;
	}
	return best;
}

static void arm(struct world *w, u32 i, u64 time, u32 cls, u64 *arms)
{
	event_arm(w, &probes[i].ev, time, (enum event_class)cls);
	probes[i].time = time;
	probes[i].cls = cls;
	probes[i].armed_at = (*arms)++;
	probes[i].armed = true;
}

static void random_ops_match_a_naive_list(void **state)
{
	struct world *w = bare_world(1);
	u64 arms = 0;

	(void)state;
	for (u32 i = 0; i < COUNT; i++)
		event_init(&probes[i].ev, fire);
	for (u32 n = 0; n < 20000; n++) {
		u32 i = get_random_u32_below(w, RANDOM_WIRE, COUNT);
		u32 what = get_random_u32_below(w, RANDOM_WIRE, 10);

		if (what < 6) {
			u64 ahead = get_random_u32_below(w, RANDOM_WIRE, 50);

			arm(w, i, w->now + ahead, get_random_u32_below(w, RANDOM_WIRE, 4), &arms);
		} else if (what < 8) {
			event_cancel(w, &probes[i].ev);
			assert_false(event_armed(&probes[i].ev));
			probes[i].armed = false;
		} else if (w->heap) {
			u32 expect = naive_first();

			fired_count = 0;
			event_queue_run_first(w);
			assert_int_equal(fired_count, 1);
			assert_int_equal(fired[0], expect);
		} else {
			assert_int_equal(naive_first(), COUNT);
		}
		if (n % 512 == 0)
			event_queue_check(w);
	}
	for (u32 i = 0; i < COUNT; i++)
		event_cancel(w, &probes[i].ev);
	bare_world_end(w);
}

static void a_past_time_is_now(void **state)
{
	struct world *w = bare_world(1);
	u64 arms = 0;

	(void)state;
	w->now = 1000;
	event_init(&probes[0].ev, fire);
	arm(w, 0, 10, EVENT_TIMER, &arms);
	probes[0].time = 1000;
	fired_count = 0;
	event_queue_run_first(w);
	assert_int_equal(fired_count, 1);
	bare_world_end(w);
}

static void classes_order_one_instant(void **state)
{
	struct world *w = bare_world(1);
	u64 arms = 0;

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		event_init(&probes[i].ev, fire);
		arm(w, i, 5, 3 - i, &arms);
	}
	fired_count = 0;
	bare_world_run(w);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(fired[i], 3 - i);
	bare_world_end(w);
}

static void priority_goes_before_arming_order(void **state)
{
	struct world *w = bare_world(1);

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		event_init(&probes[i].ev, fire);
		event_arm_priority(w, &probes[i].ev, 5, EVENT_IRQ, (u16)(3 - i));
		probes[i].time = 5;
		probes[i].armed = true;
	}
	fired_count = 0;
	bare_world_run(w);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(fired[i], 2 - i);
	bare_world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ops_match_a_naive_list),
		cmocka_unit_test(a_past_time_is_now),
		cmocka_unit_test(classes_order_one_instant),
		cmocka_unit_test(priority_goes_before_arming_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
