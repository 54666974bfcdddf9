/* SPDX-License-Identifier: MIT */
/*
 * Disciplines that are queues. pfifo_fast, the kernel's default: three bands by skb->priority, a
 * lower band goes first, first in first out within one; a band holds tx_queue_len packets. pfifo
 * and bfifo: one queue of so many packets, of so many bytes. mq: takes no packets itself, its
 * children are the queues' own. (net/sched/sch_generic.c, sch_fifo.c, sch_mq.c)
 *
 * What comes to a full queue is dropped (QDISC_DROP).
 */
#include "sched/sch_api.h"

#define PFIFO_FAST_BANDS 3u

struct pfifo_fast_priv {
	struct sk_buff_head band[PFIFO_FAST_BANDS];
};

/* sch_default_prio2band: interactive 0, best effort 1, bulk and filler 2. */
static const u8 prio2band[TC_PRIO_MAX + 1] = { 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 };

static int pfifo_fast_init(struct Qdisc *q, const struct tc_attrs *opt)
{
	struct pfifo_fast_priv *p = q->priv;

	(void)opt;
	for (u32 i = 0; i < PFIFO_FAST_BANDS; i++)
		skb_queue_head_init(&p->band[i]);
	q->can_bypass = true;
	return 0;
}

static int pfifo_fast_enqueue(struct sk_buff *skb, struct Qdisc *q)
{
	struct pfifo_fast_priv *p = q->priv;
	struct sk_buff_head *band = &p->band[prio2band[skb->priority & TC_PRIO_MAX]];

	if (band->qlen >= q->dev->tx_queue_len)
		return qdisc_drop(skb, q);
	qdisc_qlen_inc(q, skb);
	skb_queue_tail(band, skb);
	return NET_XMIT_SUCCESS;
}

static struct sk_buff *pfifo_fast_dequeue(struct Qdisc *q)
{
	struct pfifo_fast_priv *p = q->priv;

	for (u32 i = 0; i < PFIFO_FAST_BANDS; i++) {
		struct sk_buff *skb = skb_dequeue(&p->band[i]);

		if (skb) {
			qdisc_qlen_dec(q, skb);
			return skb;
		}
	}
	return NULL;
}

static void pfifo_fast_reset(struct Qdisc *q, enum skb_drop_reason reason)
{
	for (struct sk_buff *skb; (skb = pfifo_fast_dequeue(q)) != NULL;)
		kfree_skb_reason(skb, reason);
}

static void pfifo_fast_dump(const struct Qdisc *q, struct tc_attrs *opt)
{
	u64 map = 0;

	(void)q;
	for (u32 i = 0; i <= TC_PRIO_MAX; i++)
		map |= (u64)prio2band[i] << 4 * i;
	tca_put(opt, TCA_PRIOMAP, map);
}

const struct Qdisc_ops pfifo_fast_ops = {
	.id = "pfifo_fast",
	.priv_size = sizeof(struct pfifo_fast_priv),
	.init = pfifo_fast_init,
	.enqueue = pfifo_fast_enqueue,
	.dequeue = pfifo_fast_dequeue,
	.reset = pfifo_fast_reset,
	.dump = pfifo_fast_dump,
};

/* ---- pfifo, bfifo ---- */

static bool counts_bytes(const struct Qdisc *q)
{
	return q->ops == &bfifo_ops;
}

static int fifo_change(struct Qdisc *q, const struct tc_attrs *opt)
{
	u64 limit = q->dev->tx_queue_len ? q->dev->tx_queue_len : 1;

	if (counts_bytes(q))
		limit *= q->dev->mtu + q->dev->hard_header_len;
	limit = tca_get(opt, TCA_LIMIT, limit);
	if (limit > UINT32_MAX)
		return -EINVAL;
	q->limit = (u32)limit;
	q->can_bypass = limit >= (counts_bytes(q) ? q->dev->mtu + q->dev->hard_header_len : 1u);
	return 0;
}

static int fifo_init(struct Qdisc *q, const struct tc_attrs *opt)
{
	skb_queue_head_init(q->priv);
	return fifo_change(q, opt);
}

static int pfifo_enqueue(struct sk_buff *skb, struct Qdisc *q)
{
	struct sk_buff_head *queue = q->priv;

	if (counts_bytes(q) ? q->stats.backlog + skb->len > q->limit : queue->qlen >= q->limit)
		return qdisc_drop(skb, q);
	qdisc_qlen_inc(q, skb);
	skb_queue_tail(queue, skb);
	return NET_XMIT_SUCCESS;
}

static struct sk_buff *fifo_dequeue(struct Qdisc *q)
{
	struct sk_buff *skb = skb_dequeue(q->priv);

	if (skb)
		qdisc_qlen_dec(q, skb);
	return skb;
}

static void fifo_reset(struct Qdisc *q, enum skb_drop_reason reason)
{
	for (struct sk_buff *skb; (skb = fifo_dequeue(q)) != NULL;)
		kfree_skb_reason(skb, reason);
}

static void fifo_dump(const struct Qdisc *q, struct tc_attrs *opt)
{
	tca_put(opt, TCA_LIMIT, q->limit);
}

const struct Qdisc_ops pfifo_ops = {
	.id = "pfifo",
	.priv_size = sizeof(struct sk_buff_head),
	.init = fifo_init,
	.change = fifo_change,
	.enqueue = pfifo_enqueue,
	.dequeue = fifo_dequeue,
	.reset = fifo_reset,
	.dump = fifo_dump,
};

const struct Qdisc_ops bfifo_ops = {
	.id = "bfifo",
	.priv_size = sizeof(struct sk_buff_head),
	.init = fifo_init,
	.change = fifo_change,
	.enqueue = pfifo_enqueue,
	.dequeue = fifo_dequeue,
	.reset = fifo_reset,
	.dump = fifo_dump,
};

/* ---- mq ---- */

static int mq_init(struct Qdisc *q, const struct tc_attrs *opt)
{
	if (q->dev->num_tx_queues < 2)
		return -EOPNOTSUPP;
	return opt && opt->present ? -EINVAL : 0;
}

static struct Qdisc **mq_child(struct Qdisc *q, u32 minor)
{
	return minor && minor <= q->dev->num_tx_queues ? &q->dev->tx[minor - 1].qdisc : NULL;
}

const struct Qdisc_ops mq_ops = {
	.id = "mq",
	.multiqueue = true,
	.init = mq_init,
	.child = mq_child,
};
