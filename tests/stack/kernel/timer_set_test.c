/* SPDX-License-Identifier: MIT */
/* Timers that share an event fire as timers of their own would: the same random orders to both, in
 * two worlds. */
#include "stack/bare_world.h"

#include "kernel/timer_set.h"

#define SETS 5u

struct firing {
	u64 time;
	u32 id;
};

static struct timer_set sets[SETS];
static struct timer timers[SETS * TIMER_SET_SLOTS];
static struct firing shared[20000], own[20000];
static u32 shared_count, own_count;

static struct cpu *shared_cpu;

static void fire_shared(struct world *w, struct event *ev)
{
	struct timer_set *ts = container_of(ev, struct timer_set, event);
	u32 slot = timer_set_begin(ts, shared_cpu);

	if (slot == TIMER_SET_SLOTS)
		return;
	shared[shared_count++] =
		(struct firing){ w->now, (u32)(ts - sets) * TIMER_SET_SLOTS + slot };
	assert_false(timer_set_pending(ts, slot));
	timer_end(shared_cpu);
}

static void fire_own(struct timer *t)
{
	own[own_count++] = (struct firing){ t->cpu->host->world->now, (u32)(t - timers) };
}

static void run_one(struct world *w)
{
	if (w->heap)
		event_queue_run_first(w);
	event_queue_check(w);
}

static void same_order_as_timers_of_their_own(void **state)
{
	struct world *w[2] = { bare_world(1), bare_world(1) };
	struct host *h[2] = { host_create(w[0], 1, "h"), host_create(w[1], 1, "h") };

	(void)state;
	shared_cpu = host_cpu(h[0], 0);
	for (u32 i = 0; i < SETS; i++)
		timer_set_init(&sets[i], fire_shared);
	for (u32 i = 0; i < ARRAY_SIZE(timers); i++)
		timer_setup(&timers[i], host_cpu(h[1], 0), fire_own);
	for (u32 n = 0; n < 20000; n++) {
		u32 set = get_random_u32_below(w[0], RANDOM_WIRE, SETS);
		u32 slot = get_random_u32_below(w[0], RANDOM_WIRE, TIMER_SET_SLOTS);
		u32 ahead = get_random_u32_below(w[0], RANDOM_WIRE, 20);
		u32 what = get_random_u32_below(w[0], RANDOM_WIRE, 10);
		struct timer *t = &timers[set * TIMER_SET_SLOTS + slot];

		if (what < 4) {
			timer_set_mod(&sets[set], h[0], slot, jiffies(h[0]) + ahead);
			mod_timer(t, jiffies(h[1]) + ahead);
		} else if (what < 5) {
			/* Who is due now waits: the CPU is busy. */
			shared_cpu->busy_until = w[0]->now + ahead * NSEC_PER_USEC;
			host_cpu(h[1], 0)->busy_until = w[1]->now + ahead * NSEC_PER_USEC;
		} else if (what < 6) {
			timer_set_del(&sets[set], h[0], slot);
			del_timer(t);
		} else {
			run_one(w[0]);
			run_one(w[1]);
		}
		assert_int_equal(timer_set_pending(&sets[set], slot), timer_pending(t));
	}
	for (u32 i = 0; i < SETS; i++) {
		timer_set_clear(&sets[i], h[0]);
		assert_false(event_armed(&sets[i].event));
	}
	for (u32 i = 0; i < ARRAY_SIZE(timers); i++)
		del_timer(&timers[i]);
	assert_true(own_count > 1000);
	assert_int_equal(shared_count, own_count);
	for (u32 i = 0; i < own_count; i++) {
		assert_int_equal(shared[i].time, own[i].time);
		assert_int_equal(shared[i].id, own[i].id);
	}
	for (u32 i = 0; i < 2; i++) {
		host_free(h[i]);
		bare_world_end(w[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_order_as_timers_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
