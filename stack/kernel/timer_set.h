/* SPDX-License-Identifier: MIT */
/*
 * Several timers of one object that share an event: an object of which there may be a million has
 * one place in the event queue, and a timer that is not its first touches no queue at all. Each
 * fires when and in the order in which a struct timer of its own would.
 *
 * The event's function is its owner's, who knows the CPU and what each slot is for:
 * timer_set_begin(), what the slot stands for, timer_end().
 *
 * Invariant: the event is armed with time and order of the slot that goes first, and not at all
 * when no slot is armed.
 */
#ifndef TAPLINE_KERNEL_TIMER_SET_H
#define TAPLINE_KERNEL_TIMER_SET_H

#include "kernel/timer.h"

#define TIMER_SET_SLOTS 3u

struct timer_slot {
	u64 time; /* TIME_NEVER when it is not armed */
	u64 order; /* struct event's */
};

struct timer_set {
	struct event event;
	struct timer_slot slot[TIMER_SET_SLOTS];
};

/* `fn`: the event's. */
void timer_set_init(struct timer_set *ts, event_fn fn);

/* As mod_timer() and del_timer(), of one slot. */
void timer_set_mod(struct timer_set *ts, const struct host *h, u32 slot, u64 expires_jiffies);
void timer_set_del(struct timer_set *ts, const struct host *h, u32 slot);

/* None is armed afterwards. */
void timer_set_clear(struct timer_set *ts, const struct host *h);

/* The event fired: the slot that is due, no longer armed, or TIMER_SET_SLOTS: the CPU is busy, the
 * event comes again. */
u32 timer_set_begin(struct timer_set *ts, struct cpu *cpu);

static inline bool timer_set_pending(const struct timer_set *ts, u32 slot)
{
	return ts->slot[slot].time != TIME_NEVER;
}

#endif
