/* SPDX-License-Identifier: MIT */
/* What sch_fq.c (queues and pacing) and sch_fq_opt.c (options and what is shown) share. */
#ifndef TAPLINE_SCHED_SCH_FQ_H
#define TAPLINE_SCHED_SCH_FQ_H

#include "sched/sch_api.h"

#include "lib/rbtree.h"

#define FQ_BANDS   3u
#define FQ_NO_RATE UINT64_MAX

enum fq_where { FQ_DETACHED, FQ_LISTED, FQ_THROTTLED_FLOW };

struct fq_flow {
	struct rb_node node; /* fq_sched_data.flows_root, by id */
	u64 id;
	struct rb_node rate_node; /* fq_sched_data.delayed, by time_next_packet, then by id */
	struct list_head list; /* of its band */
	struct sk_buff_head queue; /* by time; the few that came out of order were sorted in */
	u64 time_next_packet;
	u64 age; /* jiffies when it became empty */
	s64 credit;
	u8 where; /* FQ_* */
	u8 band;
};

struct fq_band {
	struct list_head new_flows, old_flows;
	s64 credit;
	u64 quantum, pkt_count, drops;
};

struct fq_sched_data {
	struct fq_band band[FQ_BANDS];
	u32 band_nr; /* whose turn it is */
	struct rb_root flows_root, delayed;
	struct fq_flow internal;
	u64 time_next_delayed_flow; /* UINT64_MAX: none */
	u64 unthrottle_latency_ns;
	/* options */
	u64 quantum, initial_quantum, flow_plimit, flow_max_rate, ce_threshold, horizon;
	u64 offload_horizon, low_rate_threshold, refill_delay /* jiffies */, timer_slack, buckets;
	u64 orphan_mask, priomap;
	bool rate_enable, horizon_drop;
	u64 flows, inactive_flows, throttled_flows;
	u64 stat[FQ_XSTATS];
};

void fq_flow_init(struct fq_flow *f, u64 id, s64 credit);
struct sk_buff *fq_dequeue(struct Qdisc *sch);

/* sch_fq_opt.c */
int fq_init(struct Qdisc *sch, const struct tc_attrs *opt);
int fq_change(struct Qdisc *sch, const struct tc_attrs *opt);
void fq_dump(const struct Qdisc *sch, struct tc_attrs *o);
u32 fq_dump_stats(struct Qdisc *sch, u64 stats[TC_XSTATS_MAX]);

#endif
