/* SPDX-License-Identifier: MIT */
/* Timers that share an event (timer_set.h). */
#include "kernel/timer_set.h"

#include "kernel/cpu_steps.h"
#include "kernel/host.h"
#include "kernel/trace.h"
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
static void event_follow(struct timer_set *ts)
{
	const struct timer_slot *first = &ts->slot[first_slot(ts)];
	struct world *w = ts->cpu->host->world;

	if (ts->event.time == first->time &&
	    (!event_armed(&ts->event) || ts->event.order == first->order))
		return;
	event_arm_order(w, &ts->event, first->time, first->order);
}

static void slot_arm(struct timer_set *ts, u32 slot, u64 time_ns)
{
	struct world *w = ts->cpu->host->world;

	ts->slot[slot] =
		(struct timer_slot){ max_u64(time_ns, w->now), event_order(w, EVENT_TIMER, 0) };
	event_follow(ts);
}

static void timer_set_event(struct world *w, struct event *ev)
{
	struct timer_set *ts = container_of(ev, struct timer_set, event);
	u32 slot = first_slot(ts);
	struct cpu *cpu = ts->cpu;

	if (cpu->busy_until > w->now) {
		slot_arm(ts, slot, cpu->busy_until);
		return;
	}
	ts->slot[slot].time = TIME_NEVER;
	event_follow(ts);
	cpu_step_begin(cpu);
	cpu_cost(cpu, COST_TIMER, 1);
	trace(w, cpu->host, TRACE_TIMER_EXPIRE, 0, jiffies(cpu->host), 0, 0);
	ts->fn[slot](ts); /* may free what the timers are part of */
	cpu_step_end(cpu);
}

void timer_set_init(struct timer_set *ts, struct cpu *cpu, const timer_set_fn *fn)
{
	event_init(&ts->event, timer_set_event);
	ts->cpu = cpu;
	ts->fn = fn;
	for (u32 i = 0; i < TIMER_SET_SLOTS; i++)
		ts->slot[i] = (struct timer_slot){ .time = TIME_NEVER };
}

void timer_set_mod(struct timer_set *ts, u32 slot, u64 expires_jiffies)
{
	slot_arm(ts, slot, timer_expiry_ns(ts->cpu->host, expires_jiffies));
}

void timer_set_start(struct timer_set *ts, u32 slot, u64 time_ns)
{
	slot_arm(ts, slot, time_ns);
}

void timer_set_del(struct timer_set *ts, u32 slot)
{
	ts->slot[slot].time = TIME_NEVER;
	event_follow(ts);
}

void timer_set_clear(struct timer_set *ts)
{
	for (u32 i = 0; i < TIMER_SET_SLOTS; i++)
		ts->slot[i].time = TIME_NEVER;
	event_follow(ts);
}
