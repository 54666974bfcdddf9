/* SPDX-License-Identifier: MIT */
/*
 * fq_codel (RFC 8290, net/sched/sch_fq_codel.c): flows by hash into `flows` queues, served in turn
 * by bytes with new ones first, each under CoDel; when all together are too long, or hold too much
 * memory, the head of the longest queue is dropped.
 *
 * Invariants: the backlogs of the queues sum up to the discipline's; memory_usage is the truesize
 * of all in it.
 */
#include "sched/codel.h"
#include "sched/sch_api.h"
#include "sched/sch_flows.h"

#include "kernel/host.h"

struct fqc_flow {
	struct sk_buff_head queue;
	struct list_head list; /* of new_flows or old_flows; empty: it is idle */
	s64 deficit;
	u64 backlog;
	struct codel_vars cvars;
};

struct fqc_priv {
	struct fqc_flow *flows;
	u32 flows_cnt;
	u32 quantum, drop_batch_size;
	u64 memory_limit, memory_usage;
	struct codel_params cparams;
	struct codel_stats cstats;
	u64 drop_overlimit, drop_overmemory, new_flow_count;
	u64 ce_threshold_ns, target_ns, interval_ns;
	struct list_head new_flows, old_flows;
	/* Of the packet that is being taken out. */
	struct Qdisc *sch;
	struct fqc_flow *current;
};

struct fqc_skb_cb {
	codel_time enqueue_time;
};

static struct fqc_skb_cb *fqc_cb(const struct sk_buff *skb)
{
	return (struct fqc_skb_cb *)(void *)(uintptr_t)(const void *)skb->cb;
}

static struct sk_buff *flow_head(struct Qdisc *sch, struct fqc_flow *f)
{
	struct fqc_priv *q = sch->priv;
	struct sk_buff *skb = skb_dequeue(&f->queue);

	if (!skb)
		return NULL;
	f->backlog -= skb->len;
	q->memory_usage -= skb->truesize;
	qdisc_qlen_dec(sch, skb);
	return skb;
}

/* RFC 8290 4.1.3: half of the longest queue, at most a batch. Returns that queue. */
static struct fqc_flow *fq_codel_drop(struct Qdisc *sch, u32 max_packets, u32 *packets, u64 *bytes)
{
	struct fqc_priv *q = sch->priv;
	struct fqc_flow *fat = &q->flows[0];
	u64 threshold, len = 0;
	u32 n = 0;

	for (u32 i = 1; i < q->flows_cnt; i++)
		if (q->flows[i].backlog > fat->backlog)
			fat = &q->flows[i];
	threshold = fat->backlog >> 1;
	do {
		struct sk_buff *skb = flow_head(sch, fat);

		len += skb->len;
		kfree_skb_reason(skb, SKB_DROP_REASON_QDISC_OVERLIMIT);
	} while (++n < max_packets && len < threshold && fat->queue.qlen);
	/* The kernel counts them as drops of CoDel's, too: the next one comes sooner. */
	fat->cvars.count += n;
	sch->stats.drops += n;
	*packets = n;
	*bytes = len;
	return fat;
}

static int fq_codel_enqueue(struct sk_buff *skb, struct Qdisc *sch)
{
	struct fqc_priv *q = sch->priv;
	struct fqc_flow *f = &q->flows[(u64)skb_get_hash(skb) * q->flows_cnt >> 32], *fat;
	bool memory;
	u32 dropped, len = skb->len;
	u64 bytes;

	fqc_cb(skb)->enqueue_time = codel_ns(ktime_get_ns(dev_host(sch->dev)));
	skb_queue_tail(&f->queue, skb);
	f->backlog += skb->len;
	qdisc_qlen_inc(sch, skb);
	if (list_empty(&f->list)) {
		list_add_tail(&f->list, &q->new_flows);
		q->new_flow_count++;
		f->deficit = q->quantum;
	}
	q->memory_usage += skb->truesize;
	memory = q->memory_usage > q->memory_limit;
	if (sch->stats.qlen <= sch->limit && !memory)
		return NET_XMIT_SUCCESS;
	fat = fq_codel_drop(sch, q->drop_batch_size, &dropped, &bytes);
	q->drop_overlimit += dropped;
	if (memory)
		q->drop_overmemory += dropped;
	if (fat != f) {
		qdisc_tree_reduce_backlog(sch, dropped, bytes);
		return NET_XMIT_SUCCESS;
	}
	/* A parent will not count this one as queued. */
	qdisc_tree_reduce_backlog(sch, dropped - 1, bytes - len);
	return NET_XMIT_CN;
}

/* ---- CoDel's view of a flow ---- */

static struct sk_buff *codel_take(void *ctx)
{
	const struct fqc_priv *q = ctx;

	return flow_head(q->sch, q->current);
}

static void codel_throw(void *ctx, struct sk_buff *skb)
{
	const struct fqc_priv *q = ctx;

	qdisc_tree_reduce_backlog(q->sch, 1, skb->len);
	qdisc_drop_reason(skb, q->sch, SKB_DROP_REASON_QDISC_CONGESTED);
}

static codel_time codel_enqueued(const struct sk_buff *skb)
{
	return fqc_cb(skb)->enqueue_time;
}

/* RFC 8290 4.2 */
static struct sk_buff *fq_codel_dequeue(struct Qdisc *sch)
{
	struct fqc_priv *q = sch->priv;
	struct codel_queue queue = { .ctx = q,
				     .dequeue = codel_take,
				     .drop = codel_throw,
				     .enqueued = codel_enqueued,
				     .backlog = &sch->stats.backlog };

	for (;;) {
		bool is_new = !list_empty(&q->new_flows);
		struct list_head *head = is_new ? &q->new_flows : &q->old_flows;
		struct sk_buff *skb;
		struct fqc_flow *f;

		if (list_empty(head))
			return NULL;
		f = list_first_entry(head, struct fqc_flow, list);
		if (f->deficit <= 0) {
			f->deficit += q->quantum;
			list_del_init(&f->list);
			list_add_tail(&f->list, &q->old_flows);
			continue;
		}
		q->current = f;
		skb = codel_dequeue(&queue, &q->cparams, &f->cvars, &q->cstats,
				    codel_ns(ktime_get_ns(dev_host(sch->dev))));
		if (skb) {
			f->deficit -= (s64)qdisc_pkt_len(skb);
			return skb;
		}
		/* Through the old ones once more, so that they are not starved. */
		list_del_init(&f->list);
		if (is_new && !list_empty(&q->old_flows))
			list_add_tail(&f->list, &q->old_flows);
	}
}

/* ---- life ---- */

static void fq_codel_reset(struct Qdisc *sch, enum skb_drop_reason reason)
{
	struct fqc_priv *q = sch->priv;

	for (u32 i = 0; i < q->flows_cnt; i++) {
		struct fqc_flow *f = &q->flows[i];

		for (struct sk_buff *skb; (skb = flow_head(sch, f)) != NULL;)
			kfree_skb_reason(skb, reason);
		list_del_init(&f->list);
		f->cvars = (struct codel_vars){ .count = 0 };
	}
}

static int fq_codel_check(const struct tc_attrs *opt)
{
	if (tca_get(opt, TCA_LIMIT, 1) - 1 >= UINT32_MAX ||
	    tca_get(opt, TCA_QUANTUM, 1) - 1 >= 1u << 20 ||
	    tca_get(opt, TCA_TARGET, 0) > 1000 * NSEC_PER_SEC ||
	    tca_get(opt, TCA_INTERVAL, 0) > 1000 * NSEC_PER_SEC ||
	    tca_get(opt, TCA_DROP_BATCH, 1) > UINT32_MAX ||
	    tca_get(opt, TCA_MEMORY_LIMIT, 1) > UINT32_MAX)
		return -EINVAL;
	return 0;
}

static int fq_codel_change(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct fqc_priv *q = sch->priv;

	/* The number of flows is for ever. */
	if (fq_codel_check(opt) || tca_get(opt, TCA_FLOWS, q->flows_cnt) != q->flows_cnt)
		return -EINVAL;
	sch->limit = (u32)tca_get(opt, TCA_LIMIT, sch->limit);
	q->target_ns = tca_get(opt, TCA_TARGET, q->target_ns);
	q->interval_ns = tca_get(opt, TCA_INTERVAL, q->interval_ns);
	q->ce_threshold_ns = tca_get(opt, TCA_CE_THRESHOLD, q->ce_threshold_ns);
	q->cparams.target = codel_ns(q->target_ns);
	q->cparams.interval = codel_ns(q->interval_ns);
	q->cparams.ce_threshold =
		q->ce_threshold_ns == UINT64_MAX ? UINT32_MAX : codel_ns(q->ce_threshold_ns);
	q->cparams.ecn = tca_get(opt, TCA_ECN, q->cparams.ecn) != 0;
	q->quantum = max_u32(256, (u32)tca_get(opt, TCA_QUANTUM, q->quantum));
	q->drop_batch_size = max_u32(1, (u32)tca_get(opt, TCA_DROP_BATCH, q->drop_batch_size));
	q->memory_limit = tca_get(opt, TCA_MEMORY_LIMIT, q->memory_limit);
	/* What the driver gave back is out of reach. */
	while ((sch->stats.qlen > sch->limit || q->memory_usage > q->memory_limit) &&
	       sch->stats.qlen > sch->gso_skb.qlen) {
		u32 packets;
		u64 bytes;

		fq_codel_drop(sch, 1, &packets, &bytes);
		qdisc_tree_reduce_backlog(sch, packets, bytes);
	}
	return 0;
}

static int fq_codel_init(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct fqc_priv *q = sch->priv;
	u64 flows = tca_get(opt, TCA_FLOWS, 1024);
	int err;

	if (flows < 1 || flows > 65536)
		return -EINVAL;
	q->flows_cnt = (u32)flows;
	q->flows = mem_alloc_n(sch->dev->world, MEM_MISC, q->flows_cnt * sizeof(*q->flows), 1);
	if (!q->flows)
		return -ENOMEM;
	for (u32 i = 0; i < q->flows_cnt; i++) {
		q->flows[i] = (struct fqc_flow){ .backlog = 0 };
		list_init(&q->flows[i].list);
	}
	list_init(&q->new_flows);
	list_init(&q->old_flows);
	q->sch = sch;
	sch->limit = 10 * 1024;
	q->drop_batch_size = 64;
	q->memory_limit = 32u << 20;
	q->quantum = psched_mtu(sch->dev);
	q->target_ns = 5 * NSEC_PER_MSEC;
	q->interval_ns = 100 * NSEC_PER_MSEC;
	q->ce_threshold_ns = UINT64_MAX;
	q->cparams.mtu = psched_mtu(sch->dev);
	q->cparams.ecn = true;
	err = fq_codel_change(sch, opt);
	if (err)
		mem_free_n(sch->dev->world, MEM_MISC, q->flows, q->flows_cnt * sizeof(*q->flows),
			   1);
	return err;
}

static void fq_codel_destroy(struct Qdisc *sch)
{
	struct fqc_priv *q = sch->priv;

	mem_free_n(sch->dev->world, MEM_MISC, q->flows, q->flows_cnt * sizeof(*q->flows), 1);
}

static void fq_codel_dump(const struct Qdisc *sch, struct tc_attrs *o)
{
	const struct fqc_priv *q = sch->priv;

	tca_put(o, TCA_LIMIT, sch->limit);
	tca_put(o, TCA_FLOWS, q->flows_cnt);
	tca_put(o, TCA_QUANTUM, q->quantum);
	tca_put(o, TCA_TARGET, q->target_ns);
	tca_put(o, TCA_CE_THRESHOLD, q->ce_threshold_ns);
	tca_put(o, TCA_INTERVAL, q->interval_ns);
	tca_put(o, TCA_MEMORY_LIMIT, q->memory_limit);
	tca_put(o, TCA_ECN, q->cparams.ecn);
	tca_put(o, TCA_DROP_BATCH, q->drop_batch_size);
}

static u32 list_length(const struct list_head *head)
{
	u32 n = 0;

	list_for_each(p, head)
		n++;
	return n;
}

static u32 fq_codel_dump_stats(struct Qdisc *sch, u64 stats[TC_XSTATS_MAX])
{
	const struct fqc_priv *q = sch->priv;

	stats[FQC_MAXPACKET] = q->cstats.maxpacket;
	stats[FQC_DROP_OVERLIMIT] = q->drop_overlimit;
	stats[FQC_NEW_FLOWS] = q->new_flow_count;
	stats[FQC_ECN_MARK] = q->cstats.ecn_mark;
	stats[FQC_CE_MARK] = q->cstats.ce_mark;
	stats[FQC_MEMORY] = q->memory_usage;
	stats[FQC_DROP_OVERMEMORY] = q->drop_overmemory;
	stats[FQC_NEW_LEN] = list_length(&q->new_flows);
	stats[FQC_OLD_LEN] = list_length(&q->old_flows);
	return FQC_XSTATS;
}

const struct Qdisc_ops fq_codel_ops = {
	.id = "fq_codel",
	.priv_size = sizeof(struct fqc_priv),
	.init = fq_codel_init,
	.change = fq_codel_change,
	.destroy = fq_codel_destroy,
	.enqueue = fq_codel_enqueue,
	.dequeue = fq_codel_dequeue,
	.reset = fq_codel_reset,
	.dump = fq_codel_dump,
	.dump_stats = fq_codel_dump_stats,
};
