/* SPDX-License-Identifier: MIT */
/*
 * Dynamic queue limits: how much may lie in a device's queue so that it never runs dry and nothing
 * waits there for long (Linux's lib/dynamic_queue_limits.c). Objects are bytes.
 *
 * The limit grows when the queue ran empty although more was to be sent, and shrinks by the least
 * slack that was seen over a hold time. Invariant: counters wrap; num_queued - num_completed is
 * what is in the queue.
 */
#ifndef TAPLINE_LIB_DQL_H
#define TAPLINE_LIB_DQL_H

#include "stack/types.h"

#define DQL_MAX_OBJECT (UINT32_MAX / 16)
#define DQL_MAX_LIMIT  (UINT32_MAX / 2 - DQL_MAX_OBJECT)

struct dql {
	u32 num_queued, num_completed; /* ever */
	u32 adj_limit; /* limit + num_completed */
	u32 last_obj_cnt; /* of the last dql_queued() */
	u32 limit;
	u32 prev_ovlimit; /* by how much the limit was passed at the last completion */
	u32 prev_num_queued, prev_last_obj_cnt;
	u32 lowest_slack;
	u64 slack_start_time; /* jiffies */
	u32 max_limit, min_limit;
	u64 slack_hold_time; /* jiffies */
};

void dql_init(struct dql *dql, u64 hold_time);
/* The queue is empty and as new; limits that were set stay. */
void dql_reset(struct dql *dql, u64 jiffies);
/* `count` objects of the queue are done: the limit is computed anew. */
void dql_completed(struct dql *dql, u32 count, u64 jiffies);

static inline void dql_queued(struct dql *dql, u32 count)
{
	dql->last_obj_cnt = count;
	dql->num_queued += count;
}

/* How much more may be queued; below 0: the last ones went over the limit. */
static inline s32 dql_avail(const struct dql *dql)
{
	return (s32)(dql->adj_limit - dql->num_queued);
}

#endif
