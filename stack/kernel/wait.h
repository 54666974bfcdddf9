/* SPDX-License-Identifier: MIT */
/* Wait queues: who is to be told when something happens. Entries belong to the waiters; waking
 * allocates nothing. Wake-up order is queue order. */
#ifndef TAPLINE_KERNEL_WAIT_H
#define TAPLINE_KERNEL_WAIT_H

#include "lib/hlist.h"

struct wait_queue_head {
	struct hlist_head head;
};

struct wait_queue_entry;
/* `key`: POLL* bits that became true, 0 when unknown. Returns true when an exclusive waiter was
 * really woken. */
typedef bool (*wait_queue_fn)(struct wait_queue_entry *e, u32 key);

struct wait_queue_entry {
	struct hlist_node entry;
	wait_queue_fn fn;
	void *private;
	bool exclusive;
};

void init_waitqueue_head(struct wait_queue_head *q);
void init_waitqueue_entry(struct wait_queue_entry *e, wait_queue_fn fn, void *private);
/* Non-exclusive ones go first, exclusive ones behind all others, as in Linux. */
void add_wait_queue(struct wait_queue_head *q, struct wait_queue_entry *e);
void add_wait_queue_exclusive(struct wait_queue_head *q, struct wait_queue_entry *e);
void remove_wait_queue(struct wait_queue_entry *e);
/* Wakes all non-exclusive waiters and one exclusive one. A waiter's fn may remove its own entry,
 * and no other. */
void wake_up_poll(struct wait_queue_head *q, u32 key);
static inline bool waitqueue_active(const struct wait_queue_head *q)
{
	return q->head.first != NULL;
}

/* Is it on a queue? */
static inline bool waitqueue_waits(const struct wait_queue_entry *e)
{
	return !hlist_unhashed(&e->entry);
}

#endif
