/* SPDX-License-Identifier: MIT */
/* CoDel: see codel.h. */
#include "sched/codel.h"

#include "sched/sch_flows.h"

static bool time_after(codel_time a, codel_time b)
{
	return (s32)(a - b) > 0;
}

void codel_newton_step(struct codel_vars *vars)
{
	u32 invsqrt = (u32)vars->rec_inv_sqrt << REC_INV_SQRT_SHIFT;
	u32 invsqrt2 = (u32)((u64)invsqrt * invsqrt >> 32);
	u64 val = (3ull << 32) - (u64)vars->count * invsqrt2;

	/* Two bits fewer, so that it fits into 64. */
	val >>= 2;
	val = val * invsqrt >> (32 - 2 + 1);
	vars->rec_inv_sqrt = (u16)(val >> REC_INV_SQRT_SHIFT);
}

codel_time codel_control_law(codel_time t, codel_time interval, u32 rec_inv_sqrt)
{
	return t + (codel_time)((u64)interval * (rec_inv_sqrt << REC_INV_SQRT_SHIFT) >> 32);
}

/* RFC 8289 5.6 (dodequeue): has the queue stood above target for an interval? */
static bool codel_should_drop(const struct sk_buff *skb, const struct codel_queue *queue,
			      const struct codel_params *params, struct codel_vars *vars,
			      struct codel_stats *stats, codel_time now)
{
	u32 sojourn;

	if (!skb) {
		vars->first_above_time = 0;
		return false;
	}
	sojourn = now - queue->enqueued(skb);
	if (skb->len > stats->maxpacket)
		stats->maxpacket = skb->len;
	/* A queue of less than a packet is no queue (RFC 8289 4.4). */
	if (sojourn < params->target || *queue->backlog <= params->mtu) {
		vars->first_above_time = 0;
		return false;
	}
	if (!vars->first_above_time) {
		vars->first_above_time = now + params->interval;
		if (!vars->first_above_time)
			vars->first_above_time = 1;
		return false;
	}
	return time_after(now, vars->first_above_time);
}

static void codel_drop(const struct codel_queue *queue, struct codel_stats *stats,
		       struct sk_buff *skb)
{
	stats->drop_len += skb->len;
	stats->drop_count++;
	queue->drop(queue->ctx, skb);
}

/* In the dropping state, and the time for the next has come: drops (or marks one) until the queue
 * is good again, or the next drop is in the future. */
static struct sk_buff *codel_dropping(struct sk_buff *skb, const struct codel_queue *queue,
				      const struct codel_params *params, struct codel_vars *vars,
				      struct codel_stats *stats, codel_time now)
{
	while (vars->dropping && !time_after(vars->drop_next, now)) {
		vars->count++;
		codel_newton_step(vars);
		if (params->ecn && INET_ECN_set_ce(skb)) {
			stats->ecn_mark++;
			vars->drop_next = codel_control_law(vars->drop_next, params->interval,
							    vars->rec_inv_sqrt);
			break;
		}
		codel_drop(queue, stats, skb);
		skb = queue->dequeue(queue->ctx);
		if (!codel_should_drop(skb, queue, params, vars, stats, now))
			vars->dropping = false;
		else
			vars->drop_next = codel_control_law(vars->drop_next, params->interval,
							    vars->rec_inv_sqrt);
	}
	return skb;
}

/* The first drop of a dropping state: soon after the last one it goes on at nearly its rate. */
static struct sk_buff *codel_begin(struct sk_buff *skb, const struct codel_queue *queue,
				   const struct codel_params *params, struct codel_vars *vars,
				   struct codel_stats *stats, codel_time now)
{
	u32 delta;

	if (params->ecn && INET_ECN_set_ce(skb)) {
		stats->ecn_mark++;
	} else {
		codel_drop(queue, stats, skb);
		skb = queue->dequeue(queue->ctx);
		codel_should_drop(skb, queue, params, vars, stats, now);
	}
	vars->dropping = true;
	delta = vars->count - vars->lastcount;
	if (delta > 1 && (s32)(now - vars->drop_next - 16 * params->interval) < 0) {
		vars->count = delta;
		codel_newton_step(vars);
	} else {
		vars->count = 1;
		vars->rec_inv_sqrt = (u16)(UINT32_MAX >> REC_INV_SQRT_SHIFT);
	}
	vars->lastcount = vars->count;
	vars->drop_next = codel_control_law(now, params->interval, vars->rec_inv_sqrt);
	return skb;
}

struct sk_buff *codel_dequeue(const struct codel_queue *queue, const struct codel_params *params,
			      struct codel_vars *vars, struct codel_stats *stats, codel_time now)
{
	struct sk_buff *skb = queue->dequeue(queue->ctx);
	bool drop;

	if (!skb) {
		vars->dropping = false;
		return NULL;
	}
	drop = codel_should_drop(skb, queue, params, vars, stats, now);
	if (vars->dropping) {
		if (!drop)
			vars->dropping = false;
		else
			skb = codel_dropping(skb, queue, params, vars, stats, now);
	} else if (drop) {
		skb = codel_begin(skb, queue, params, vars, stats, now);
	}
	if (skb && time_after(now - queue->enqueued(skb), params->ce_threshold) &&
	    params->ce_threshold != UINT32_MAX && INET_ECN_set_ce(skb))
		stats->ce_mark++;
	return skb;
}
