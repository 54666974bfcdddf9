/* SPDX-License-Identifier: MIT */
/* Doubly linked circular lists, as the kernel's list.h. Invariant: an entry is on one list or
 * points to itself. */
#ifndef TAPLINE_LIB_LIST_H
#define TAPLINE_LIB_LIST_H

#include "stack/types.h"

struct list_head {
	struct list_head *next, *prev;
};

static inline void list_init(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline void list_insert_between(struct list_head *e, struct list_head *prev,
				       struct list_head *next)
{
	next->prev = e;
	e->next = next;
	e->prev = prev;
	prev->next = e;
}

/* Right behind the head: a stack. */
static inline void list_add(struct list_head *e, struct list_head *h)
{
	list_insert_between(e, h, h->next);
}

/* Before the head: a queue. */
static inline void list_add_tail(struct list_head *e, struct list_head *h)
{
	list_insert_between(e, h->prev, h);
}

/* Takes an entry off whatever list it is on; harmless on one that is on none. */
static inline void list_del_init(struct list_head *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	list_init(e);
}

/* Moves all of `from` to the end of `to`. */
static inline void list_splice_tail_init(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(ptr, type, member)	     container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_for_each(pos, head) \
	for (struct list_head *pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_safe(pos, tmp, head)                                          \
	for (struct list_head *pos = (head)->next, *tmp = pos->next; pos != (head); \
	     pos = tmp, tmp = pos->next)

#endif
