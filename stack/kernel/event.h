/* SPDX-License-Identifier: MIT */
/*
 * The event queue: everything that happens later is an event in it. Events are part of the objects
 * they belong to; arming, moving and cancelling one allocates nothing and costs O(log n) at most (a
 * pairing heap: Fredman et al. 1986).
 *
 * Order: (time, class, arming order). Invariants: an armed event is in the heap exactly once; its
 * time is not before the clock; events of one (time, class) run in the order in which they were
 * armed.
 */
#ifndef TAPLINE_KERNEL_EVENT_H
#define TAPLINE_KERNEL_EVENT_H

#include "stack/types.h"

struct world;
struct event;

/* Who goes first at one instant. */
enum event_class {
	EVENT_WIRE, /* frames that arrive, input of the script */
	EVENT_IRQ, /* steps of CPUs in interrupt and softirq context */
	EVENT_TIMER,
	EVENT_TASK, /* steps of CPUs in task context */
};

typedef void (*event_fn)(struct world *w, struct event *ev);

struct event {
	u64 time; /* TIME_NEVER when it is not armed */
	u64 order; /* class in the upper byte, arming number below */
	event_fn fn;
	struct event *child, *next, *prev; /* heap links: prev is the parent for a first child */
};

/* Must be called once before any other use. */
void event_init(struct event *ev, event_fn fn);

/* Arms, or moves, to an absolute time (ns; a time in the past is taken as now). */
void event_arm(struct world *w, struct event *ev, u64 time, enum event_class cls);

/*
 * As event_arm(), with a number that goes before the arming order: events of one (time, class) with
 * a smaller `priority` (0..65535) run first. The world uses it where several CPUs could go next.
 */
void event_arm_priority(struct world *w, struct event *ev, u64 time, enum event_class cls,
			u16 priority);

/* The order that event_arm_priority() would give an event armed now; counts as an arming. */
u64 event_order(struct world *w, enum event_class cls, u16 priority);

/* Arms or moves to a time that is not past, with an order that event_order() gave. TIME_NEVER:
 * disarms. */
void event_arm_order(struct world *w, struct event *ev, u64 time, u64 order);

/* Harmless when it is not armed. */
void event_cancel(struct world *w, struct event *ev);

static inline bool event_armed(const struct event *ev)
{
	return ev->time != TIME_NEVER;
}

#endif
