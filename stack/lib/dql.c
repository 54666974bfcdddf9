/* SPDX-License-Identifier: MIT */
/* Dynamic queue limits: see dql.h. */
#include "lib/dql.h"

#include "lib/bytes.h"

/* a - b, but not below 0; counters wrap. */
static u32 posdiff(u32 a, u32 b)
{
	return (s32)(a - b) > 0 ? a - b : 0;
}

void dql_init(struct dql *dql, u64 hold_time)
{
	dql->max_limit = DQL_MAX_LIMIT;
	dql->min_limit = 0;
	dql->slack_hold_time = hold_time;
	dql_reset(dql, 0);
}

void dql_reset(struct dql *dql, u64 jiffies)
{
	struct dql fresh = { .max_limit = dql->max_limit,
			     .min_limit = dql->min_limit,
			     .limit = dql->min_limit,
			     .adj_limit = dql->min_limit,
			     .slack_hold_time = dql->slack_hold_time,
			     .lowest_slack = UINT32_MAX,
			     .slack_start_time = jiffies };

	*dql = fresh;
}

/* Everything queued is gone although the limit held something back. */
static u32 starved(struct dql *dql, u32 limit, u32 completed, u64 jiffies)
{
	limit += posdiff(completed, dql->prev_num_queued) + dql->prev_ovlimit;
	dql->slack_start_time = jiffies;
	dql->lowest_slack = UINT32_MAX;
	return limit;
}

/* The queue was busy all the time: what of the limit was not needed is slack. */
static u32 busy(struct dql *dql, u32 limit, u32 done, u64 jiffies)
{
	u32 slack = posdiff(limit + dql->prev_ovlimit, 2 * done);
	u32 last = dql->prev_ovlimit ? posdiff(dql->prev_last_obj_cnt, dql->prev_ovlimit) : 0;

	if (last > slack)
		slack = last;
	if (slack < dql->lowest_slack)
		dql->lowest_slack = slack;
	if (jiffies > dql->slack_start_time + dql->slack_hold_time) {
		limit = posdiff(limit, dql->lowest_slack);
		dql->slack_start_time = jiffies;
		dql->lowest_slack = UINT32_MAX;
	}
	return limit;
}

void dql_completed(struct dql *dql, u32 count, u64 jiffies)
{
	u32 queued = dql->num_queued, completed = dql->num_completed + count, limit = dql->limit;
	u32 ovlimit = posdiff(queued - dql->num_completed, limit);
	u32 inprogress = queued - completed;
	u32 prev_inprogress = dql->prev_num_queued - dql->num_completed;
	bool all_prev_done = (s32)(completed - dql->prev_num_queued) >= 0;

	if ((ovlimit && !inprogress) || (dql->prev_ovlimit && all_prev_done))
		limit = starved(dql, limit, completed, jiffies);
	else if (inprogress && prev_inprogress && !all_prev_done)
		limit = busy(dql, limit, count, jiffies);
	limit = min_u32(max_u32(limit, dql->min_limit), dql->max_limit);
	if (limit != dql->limit) {
		dql->limit = limit;
		ovlimit = 0;
	}
	dql->adj_limit = limit + completed;
	dql->prev_ovlimit = ovlimit;
	dql->prev_last_obj_cnt = dql->last_obj_cnt;
	dql->num_completed = completed;
	dql->prev_num_queued = queued;
}
