/* SPDX-License-Identifier: MIT */
/*
 * The event queue of a world as a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): arming
 * is O(1), taking the first and cancelling O(log n) amortized, and the links live in the events.
 * Invariants are in event.h; the heap's: no child goes before its parent; `prev` is the left
 * sibling, or the parent for a first child; the root has neither prev nor next.
 */
#include "kernel/event.h"

#include "kernel/event_queue.h"
#include "kernel/world.h"
#include "lib/bytes.h"
#include "stack/assert.h"

/* order: class (4 bits), priority (16), arming number (44). */
#define ORDER_CLASS_SHIFT    60
#define ORDER_PRIORITY_SHIFT 44
#define ORDER_NUMBER_MASK    ((1ull << ORDER_PRIORITY_SHIFT) - 1)

static inline bool goes_before(const struct event *a, const struct event *b)
{
	if (a->time != b->time)
		return a->time < b->time;
	return a->order < b->order;
}

/* Both roots, not NULL. */
static struct event *meld(struct event *a, struct event *b)
{
	if (goes_before(b, a)) {
		struct event *t = a;

		a = b;
		b = t;
	}
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	a->next = NULL;
	a->prev = NULL;
	return a;
}

/* Makes one heap of a list of siblings: pairs from the left, then all from the right. */
static struct event *meld_siblings(struct event *first)
{
	struct event *pairs = NULL;
	struct event *root;

	while (first) {
		struct event *a = first, *b = first->next;

		first = b ? b->next : NULL;
		a->next = NULL;
		a->prev = NULL;
		if (b) {
			b->next = NULL;
			b->prev = NULL;
			a = meld(a, b);
		}
		a->next = pairs;
		pairs = a;
	}
	root = pairs;
	if (!root)
		return NULL;
	pairs = root->next;
	root->next = NULL;
	while (pairs) {
		struct event *rest = pairs->next;

		pairs->next = NULL;
		root = meld(root, pairs);
		pairs = rest;
	}
	return root;
}

void event_init(struct event *ev, event_fn fn)
{
	*ev = (struct event){ .time = TIME_NEVER, .fn = fn };
}

static void heap_remove(struct world *w, struct event *ev)
{
	struct event *rest = meld_siblings(ev->child);

	if (ev == w->heap) {
		w->heap = rest;
	} else {
		ASSERT(ev->prev);
		if (ev->prev->child == ev)
			ev->prev->child = ev->next;
		else
			ev->prev->next = ev->next;
		if (ev->next)
			ev->next->prev = ev->prev;
		if (rest)
			w->heap = meld(w->heap, rest);
	}
	ev->child = NULL;
	ev->next = NULL;
	ev->prev = NULL;
	ev->time = TIME_NEVER;
	w->events_armed--;
}

u64 event_order(struct world *w, enum event_class cls, u16 priority)
{
	return (u64)cls << ORDER_CLASS_SHIFT | (u64)priority << ORDER_PRIORITY_SHIFT |
	       (w->arm_number++ & ORDER_NUMBER_MASK);
}

void event_arm_order(struct world *w, struct event *ev, u64 time, u64 order)
{
	ASSERT(ev->fn);
	if (event_armed(ev))
		heap_remove(w, ev);
	if (time == TIME_NEVER)
		return;
	ASSERT(time >= w->now);
	ev->time = time;
	ev->order = order;
	w->events_armed++;
	w->heap = w->heap ? meld(w->heap, ev) : ev;
}

void event_arm_priority(struct world *w, struct event *ev, u64 time, enum event_class cls,
			u16 priority)
{
	if (time == TIME_NEVER)
		event_cancel(w, ev);
	else
		event_arm_order(w, ev, max_u64(time, w->now), event_order(w, cls, priority));
}

void event_arm(struct world *w, struct event *ev, u64 time, enum event_class cls)
{
	event_arm_priority(w, ev, time, cls, 0);
}

void event_cancel(struct world *w, struct event *ev)
{
	if (event_armed(ev))
		heap_remove(w, ev);
}

void event_queue_run_first(struct world *w)
{
	struct event *ev = w->heap;

	ASSERT(ev);
	ASSERT(ev->time >= w->now);
	if (ev->time != w->now) {
		w->now = ev->time;
		w->steps_at_instant = 0;
	}
	w->steps_at_instant++;
	w->events_run++;
	heap_remove(w, ev);
	ev->fn(w, ev);
}

static u32 heap_check(const struct event *ev, u64 now)
{
	u32 n = 0;

	/* Children hang below in depth; siblings are walked, so the recursion is as deep as the
	 * heap. */
	for (const struct event *c = ev->child; c; c = c->next) {
		ASSERT(!goes_before(c, ev));
		ASSERT(c->prev == ev || c->prev->next == c);
		n += heap_check(c, now);
	}
	ASSERT(ev->time >= now);
	return n + 1;
}

void event_queue_check(const struct world *w)
{
	ASSERT((w->heap ? heap_check(w->heap, w->now) : 0) == w->events_armed);
}
