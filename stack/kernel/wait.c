/* SPDX-License-Identifier: MIT */
/* Wait queues (wait.h). */
#include "kernel/wait.h"

void init_waitqueue_head(struct wait_queue_head *q)
{
	q->head.first = NULL;
}

void init_waitqueue_entry(struct wait_queue_entry *e, wait_queue_fn fn, void *private)
{
	*e = (struct wait_queue_entry){ .fn = fn, .private = private };
}

void add_wait_queue(struct wait_queue_head *q, struct wait_queue_entry *e)
{
	e->exclusive = false;
	hlist_add_head(&e->entry, &q->head);
}

void add_wait_queue_exclusive(struct wait_queue_head *q, struct wait_queue_entry *e)
{
	e->exclusive = true;
	hlist_add_tail(&e->entry, &q->head);
}

void remove_wait_queue(struct wait_queue_entry *e)
{
	hlist_del_init(&e->entry);
}

void wake_up_poll(struct wait_queue_head *q, u32 key)
{
	hlist_for_each_safe(pos, tmp, &q->head)
	{
		struct wait_queue_entry *e = container_of(pos, struct wait_queue_entry, entry);
		bool exclusive = e->exclusive;

		if (e->fn(e, key) && exclusive)
			return;
	}
}
