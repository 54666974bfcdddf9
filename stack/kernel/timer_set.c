/* SPDX-License-Identifier: MIT */
/* Timers that share an event (timer_set.h). */
#include "kernel/timer_set.h"

#include "kernel/cpu.h"
#include "kernel/host.h"
#include "lib/bytes.h"

static bool slot_before(const struct timer_slot *a, const struct timer_slot *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static u32 first_slot(const struct timer_set *ts)
{
	u32 first = 0;

	for (u32 i = 1; i < TIMER_SET_SLOTS; i++)
		if (slot_before(&ts->slot[i], &ts->slot[first]))
			first = i;
	return first;
}

/* The event follows the first slot. */
static void event_follow(struct world *w, struct timer_set *ts)
{
	const struct timer_slot *first = &ts->slot[first_slot(ts)];

	if (ts->event.time == first->time &&
	    (!event_armed(&ts->event) || ts->event.order == first->order))
		return;
	event_arm_order(w, &ts->event, first->time, first->order);
}

void timer_set_init(struct timer_set *ts, event_fn fn)
{
	event_init(&ts->event, fn);
	for (u32 i = 0; i < TIMER_SET_SLOTS; i++)
		ts->slot[i] = (struct timer_slot){ .time = TIME_NEVER };
}

void timer_set_mod(struct timer_set *ts, const struct host *h, u32 slot, u64 expires_jiffies)
{
	struct world *w = h->world;

	ts->slot[slot] = (struct timer_slot){ timer_expiry_ns(h, expires_jiffies),
					      event_order(w, EVENT_TIMER, 0) };
	event_follow(w, ts);
}

void timer_set_del(struct timer_set *ts, const struct host *h, u32 slot)
{
	ts->slot[slot].time = TIME_NEVER;
	event_follow(h->world, ts);
}

void timer_set_clear(struct timer_set *ts, const struct host *h)
{
	for (u32 i = 0; i < TIMER_SET_SLOTS; i++)
		ts->slot[i].time = TIME_NEVER;
	event_follow(h->world, ts);
}

u32 timer_set_begin(struct timer_set *ts, struct cpu *cpu)
{
	u32 slot = first_slot(ts);

	if (timer_begin(cpu, &ts->event)) {
		ts->slot[slot].time = TIME_NEVER;
		event_follow(cpu->host->world, ts);
		return slot;
	}
	/* Moved behind what the CPU does: the event may be another slot's now. */
	ts->slot[slot] = (struct timer_slot){ ts->event.time, ts->event.order };
	event_follow(cpu->host->world, ts);
	return TIMER_SET_SLOTS;
}
