/* SPDX-License-Identifier: MIT */
/* Chains of hash tables with a head of one pointer, as the kernel's hlist. Invariant: pprev is NULL
 * exactly when the node is on no chain. */
#ifndef TAPLINE_LIB_HLIST_H
#define TAPLINE_LIB_HLIST_H

#include "stack/types.h"

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline bool hlist_unhashed(const struct hlist_node *n)
{
	return n->pprev == NULL;
}

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (h->first)
		h->first->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}

/* Behind all others: iteration order is then the order of making, whatever the table's size. */
static inline void hlist_add_tail(struct hlist_node *n, struct hlist_head *h)
{
	struct hlist_node **p = &h->first;

	while (*p)
		p = &(*p)->next;
	n->next = NULL;
	n->pprev = p;
	*p = n;
}

static inline void hlist_del_init(struct hlist_node *n)
{
	if (!n->pprev)
		return;
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
	n->next = NULL;
	n->pprev = NULL;
}

/* n takes the place of old, which is on no chain afterwards. */
static inline void hlist_replace(struct hlist_node *old, struct hlist_node *n)
{
	*n = *old;
	*n->pprev = n;
	if (n->next)
		n->next->pprev = &n->next;
	old->next = NULL;
	old->pprev = NULL;
}

#define hlist_for_each(pos, head) for (struct hlist_node *pos = (head)->first; pos; pos = pos->next)
#define hlist_for_each_safe(pos, tmp, head)                                              \
	for (struct hlist_node *pos = (head)->first, *tmp = pos ? pos->next : NULL; pos; \
	     pos = tmp, tmp = pos ? pos->next : NULL)

#endif
