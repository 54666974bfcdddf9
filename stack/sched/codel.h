/* SPDX-License-Identifier: MIT */
/*
 * CoDel (RFC 8289): drops from the front of a queue in which packets have stood for longer than
 * `target` during a whole `interval`, at a rate that grows with the square root of the drops, until
 * the standing queue is gone. Times are in units of 1024 ns, as in the kernel
 * (include/net/codel.h).
 */
#ifndef TAPLINE_SCHED_CODEL_H
#define TAPLINE_SCHED_CODEL_H

#include "core/sch_generic.h"

#define CODEL_SHIFT	   10
#define REC_INV_SQRT_BITS  16u
#define REC_INV_SQRT_SHIFT 16u /* rec_inv_sqrt is 1/sqrt(count) as a fraction of 2^32, cut */

typedef u32 codel_time; /* wraps after an hour */

struct codel_params {
	u32 target, interval, ce_threshold; /* ce_threshold UINT32_MAX: none */
	u32 mtu;
	bool ecn;
};

struct codel_vars {
	u32 count, lastcount; /* drops since this state began, when the last one was left */
	bool dropping;
	u16 rec_inv_sqrt;
	codel_time first_above_time; /* when it will have stood for an interval; 0: it does not */
	codel_time drop_next;
};

struct codel_stats {
	u32 maxpacket;
	u64 drop_count, drop_len, ecn_mark, ce_mark;
};

/* The queue that is managed. */
struct codel_queue {
	void *ctx;
	struct sk_buff *(*dequeue)(void *ctx); /* NULL: it is empty */
	void (*drop)(void *ctx, struct sk_buff *skb);
	codel_time (*enqueued)(const struct sk_buff *skb); /* when it came */
	const u64 *backlog; /* bytes in it */
};

static inline codel_time codel_ns(u64 ns)
{
	return (codel_time)(ns >> CODEL_SHIFT);
}

/* The first step of Newton's method for 1/sqrt(count): x(3 - count x^2) / 2. */
void codel_newton_step(struct codel_vars *vars);
/* t + interval / sqrt(count) */
codel_time codel_control_law(codel_time t, codel_time interval, u32 rec_inv_sqrt);
/* The packet to be sent next; those that CoDel drops or marks on the way are gone or marked. */
struct sk_buff *codel_dequeue(const struct codel_queue *queue, const struct codel_params *params,
			      struct codel_vars *vars, struct codel_stats *stats, codel_time now);

#endif
