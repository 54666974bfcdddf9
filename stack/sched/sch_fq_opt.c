/* SPDX-License-Identifier: MIT */
/* fq's options (net/sched/sch_fq.c: fq_change, fq_init): defaults, limits, and what `tc` shows. */
#include "sched/sch_fq.h"
#include "sched/sch_flows.h"

#include "kernel/host.h"

static bool fq_priomap_ok(u64 map)
{
	for (u32 i = 0; i <= TC_PRIO_MAX; i++)
		if ((map >> 4 * i & 15) >= FQ_BANDS)
			return false;
	return true;
}

static int fq_check(const struct tc_attrs *opt)
{
	u64 buckets = tca_get(opt, TCA_BUCKETS, 1024);

	if (buckets < 1 || buckets > 256 * 1024 || buckets & (buckets - 1) ||
	    tca_get(opt, TCA_QUANTUM, 1) - 1 >= 1u << 20 ||
	    tca_get(opt, TCA_LIMIT, 0) > UINT32_MAX ||
	    tca_get(opt, TCA_INITIAL_QUANTUM, 0) > INT32_MAX ||
	    tca_get(opt, TCA_HORIZON, 0) > UINT32_MAX * NSEC_PER_USEC ||
	    tca_get(opt, TCA_OFFLOAD_HORIZON, 0) > NSEC_PER_SEC ||
	    tca_get(opt, TCA_REFILL_DELAY, 0) > UINT32_MAX * NSEC_PER_USEC ||
	    !fq_priomap_ok(tca_get(opt, TCA_PRIOMAP, 0)))
		return -EINVAL;
	for (u32 i = 0; i < FQ_BANDS; i++)
		if (tca_get(opt, TCA_WEIGHT0 + i, 16384) - 1 >= INT32_MAX)
			return -EINVAL;
	return 0;
}

int fq_change(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct fq_sched_data *q = sch->priv;

	if (fq_check(opt))
		return -EINVAL;
	sch->limit = (u32)tca_get(opt, TCA_LIMIT, sch->limit);
	q->flow_plimit = tca_get(opt, TCA_FLOW_LIMIT, q->flow_plimit);
	q->quantum = tca_get(opt, TCA_QUANTUM, q->quantum);
	q->initial_quantum = tca_get(opt, TCA_INITIAL_QUANTUM, q->initial_quantum);
	q->flow_max_rate = tca_get(opt, TCA_MAXRATE, q->flow_max_rate);
	q->low_rate_threshold = tca_get(opt, TCA_LOW_RATE_THRESHOLD, q->low_rate_threshold);
	q->rate_enable = tca_get(opt, TCA_PACING, q->rate_enable) != 0;
	q->refill_delay = tca_get(opt, TCA_REFILL_DELAY, q->refill_delay * JIFFY_NS) / JIFFY_NS;
	q->orphan_mask = tca_get(opt, TCA_ORPHAN_MASK, q->orphan_mask);
	q->buckets = tca_get(opt, TCA_BUCKETS, q->buckets);
	q->ce_threshold = tca_get(opt, TCA_CE_THRESHOLD, q->ce_threshold);
	q->timer_slack = tca_get(opt, TCA_TIMER_SLACK, q->timer_slack);
	q->horizon = tca_get(opt, TCA_HORIZON, q->horizon);
	q->horizon_drop = tca_get(opt, TCA_HORIZON_DROP, q->horizon_drop) != 0;
	q->offload_horizon = tca_get(opt, TCA_OFFLOAD_HORIZON, q->offload_horizon);
	q->priomap = tca_get(opt, TCA_PRIOMAP, q->priomap);
	for (u32 i = 0; i < FQ_BANDS; i++)
		q->band[i].quantum = tca_get(opt, TCA_WEIGHT0 + i, q->band[i].quantum);
	/* Those over a lower limit go, the first first. */
	while (sch->stats.qlen > sch->limit) {
		u64 bytes = sch->stats.backlog;
		struct sk_buff *skb = fq_dequeue(sch);

		if (!skb)
			break;
		qdisc_tree_reduce_backlog(sch, 1, bytes - sch->stats.backlog);
		qdisc_drop(skb, sch);
	}
	return 0;
}

int fq_init(struct Qdisc *sch, const struct tc_attrs *opt)
{
	static const u32 weights[FQ_BANDS] = { 9u << 16, 3u << 16, 1u << 16 };
	struct fq_sched_data *q = sch->priv;

	fq_flow_init(&q->internal, 0, 0);
	sch->limit = 10000;
	q->flow_plimit = 100;
	q->quantum = 2 * psched_mtu(sch->dev);
	q->initial_quantum = 10 * psched_mtu(sch->dev);
	q->refill_delay = 40;
	q->flow_max_rate = FQ_NO_RATE;
	q->time_next_delayed_flow = UINT64_MAX;
	q->rate_enable = true;
	q->orphan_mask = q->buckets = 1024;
	q->orphan_mask--;
	q->low_rate_threshold = 550000 / 8;
	q->ce_threshold = UINT64_MAX;
	q->timer_slack = 10 * NSEC_PER_USEC;
	q->horizon = 10 * NSEC_PER_SEC;
	q->horizon_drop = true;
	q->priomap = 0x1111111100212221ull;
	for (u32 i = 0; i < FQ_BANDS; i++) {
		list_init(&q->band[i].new_flows);
		list_init(&q->band[i].old_flows);
		q->band[i].quantum = weights[i];
		q->band[i].credit = weights[i];
	}
	return fq_change(sch, opt);
}

void fq_dump(const struct Qdisc *sch, struct tc_attrs *o)
{
	const struct fq_sched_data *q = sch->priv;

	tca_put(o, TCA_LIMIT, sch->limit);
	tca_put(o, TCA_FLOW_LIMIT, q->flow_plimit);
	tca_put(o, TCA_BUCKETS, q->buckets);
	tca_put(o, TCA_ORPHAN_MASK, q->orphan_mask);
	tca_put(o, TCA_PRIOMAP, q->priomap);
	for (u32 i = 0; i < FQ_BANDS; i++)
		tca_put(o, TCA_WEIGHT0 + i, q->band[i].quantum);
	tca_put(o, TCA_PACING, q->rate_enable);
	tca_put(o, TCA_QUANTUM, q->quantum);
	tca_put(o, TCA_INITIAL_QUANTUM, q->initial_quantum);
	tca_put(o, TCA_MAXRATE, q->flow_max_rate);
	tca_put(o, TCA_LOW_RATE_THRESHOLD, q->low_rate_threshold);
	tca_put(o, TCA_REFILL_DELAY, q->refill_delay * JIFFY_NS);
	tca_put(o, TCA_CE_THRESHOLD, q->ce_threshold);
	tca_put(o, TCA_TIMER_SLACK, q->timer_slack);
	tca_put(o, TCA_HORIZON, q->horizon);
	tca_put(o, TCA_HORIZON_DROP, q->horizon_drop);
	tca_put(o, TCA_OFFLOAD_HORIZON, q->offload_horizon);
}

u32 fq_dump_stats(struct Qdisc *sch, u64 stats[TC_XSTATS_MAX])
{
	const struct fq_sched_data *q = sch->priv;
	u64 now = ktime_get_ns(dev_host(sch->dev));

	memcpy(stats, q->stat, sizeof(q->stat));
	stats[FQ_FLOWS] = q->flows;
	stats[FQ_INACTIVE] = q->inactive_flows;
	stats[FQ_THROTTLED_FLOWS] = q->throttled_flows;
	for (u32 i = 0; i < FQ_BANDS; i++)
		stats[FQ_BAND0 + i] = q->band[i].pkt_count;
	if (q->time_next_delayed_flow != UINT64_MAX && q->time_next_delayed_flow > now)
		stats[FQ_NEXT_DELAY] = q->time_next_delayed_flow - now;
	stats[FQ_LATENCY] = q->unthrottle_latency_ns;
	return FQ_XSTATS;
}
