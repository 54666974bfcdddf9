/* SPDX-License-Identifier: MIT */
/* Between the state machine of neighbours (neighbour.c) and their table (neigh_table.c). */
#ifndef TAPLINE_CORE_NEIGH_TABLE_H
#define TAPLINE_CORE_NEIGH_TABLE_H

#include "core/neighbour.h"
#include "kernel/trace.h"

/* The oldest packet that waits, no longer the queue's; NULL: none. */
struct sk_buff *neigh_dequeue(struct neighbour *n);
/* Drops what is queued. */
void neigh_purge(struct neighbour *n, enum skb_drop_reason reason);
/* PERMANENT entries do not count against the thresholds: after every change of state. */
void neigh_update_gc_list(struct neighbour *n);
/* Of the device now, in ms: drawn anew every 300 s. */
u32 neigh_reachable_time(struct neigh_parms *p);
/* The timer of an entry. */
void neigh_timer_handler(struct timer *t);

static inline void neigh_set_state(struct neighbour *n, u8 state)
{
	u8 old = n->nud_state;

	n->nud_state = state;
	if (old != state)
		trace(n->tbl->host->world, n->tbl->host, TRACE_NEIGH_UPDATE, n->dev->ifindex,
		      get_be32(n->primary_key), old, state);
}

#endif
