/* SPDX-License-Identifier: MIT */
/* Wait queues (wait.h). */
#include "kernel/wait.h"

void init_waitqueue_head(struct wait_queue_head *q)
{
	list_init(&q->head);
}

void init_waitqueue_entry(struct wait_queue_entry *e, wait_queue_fn fn, void *private)
{
	*e = (struct wait_queue_entry){ .fn = fn, .private = private };
	list_init(&e->entry);
}

void add_wait_queue(struct wait_queue_head *q, struct wait_queue_entry *e)
{
	e->exclusive = false;
	list_add(&e->entry, &q->head);
}

void add_wait_queue_exclusive(struct wait_queue_head *q, struct wait_queue_entry *e)
{
	e->exclusive = true;
	list_add_tail(&e->entry, &q->head);
}

void remove_wait_queue(struct wait_queue_entry *e)
{
	list_del_init(&e->entry);
}

void wake_up_poll(struct wait_queue_head *q, u32 key)
{
	list_for_each_safe(pos, tmp, &q->head) {
		struct wait_queue_entry *e = list_entry(pos, struct wait_queue_entry, entry);
		bool exclusive = e->exclusive;

		if (e->fn(e, key) && exclusive)
			return;
	}
}
