/* SPDX-License-Identifier: MIT */
/*
 * Disciplines that are queues. pfifo_fast, the kernel's default: three bands by skb->priority, a
 * lower band goes first, first in first out within one. A band holds tx_queue_len packets; what
 * comes to a full one is dropped (QDISC_DROP). (net/sched/sch_generic.c)
 */
#include "sched/sch_fifo.h"

#include "lib/str.h"
#include "stack/op.h"

#define PFIFO_FAST_BANDS 3u
#define TC_PRIO_MAX	 15u

struct pfifo_fast_priv {
	struct sk_buff_head band[PFIFO_FAST_BANDS];
};

/* sch_default_prio2band: interactive 0, best effort 1, bulk and filler 2. */
static const u8 prio2band[TC_PRIO_MAX + 1] = { 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 };

static int pfifo_fast_init(struct Qdisc *q)
{
	struct pfifo_fast_priv *p = q->priv;

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

const struct Qdisc_ops pfifo_fast_ops = {
	.id = "pfifo_fast",
	.priv_size = sizeof(struct pfifo_fast_priv),
	.init = pfifo_fast_init,
	.enqueue = pfifo_fast_enqueue,
	.dequeue = pfifo_fast_dequeue,
	.reset = pfifo_fast_reset,
};

/* ---- pfifo (net/sched/sch_fifo.c) ---- */

static int pfifo_init(struct Qdisc *q)
{
	skb_queue_head_init(q->priv);
	if (q->limit == UINT32_MAX)
		q->limit = q->dev->tx_queue_len ? q->dev->tx_queue_len : 1;
	q->can_bypass = q->limit >= 1;
	return 0;
}

static int pfifo_enqueue(struct sk_buff *skb, struct Qdisc *q)
{
	struct sk_buff_head *queue = q->priv;

	if (queue->qlen >= q->limit)
		return qdisc_drop(skb, q);
	qdisc_qlen_inc(q, skb);
	skb_queue_tail(queue, skb);
	return NET_XMIT_SUCCESS;
}

static struct sk_buff *pfifo_dequeue(struct Qdisc *q)
{
	struct sk_buff *skb = skb_dequeue(q->priv);

	if (skb)
		qdisc_qlen_dec(q, skb);
	return skb;
}

static void pfifo_reset(struct Qdisc *q, enum skb_drop_reason reason)
{
	for (struct sk_buff *skb; (skb = pfifo_dequeue(q)) != NULL;)
		kfree_skb_reason(skb, reason);
}

const struct Qdisc_ops pfifo_ops = {
	.id = "pfifo",
	.priv_size = sizeof(struct sk_buff_head),
	.init = pfifo_init,
	.enqueue = pfifo_enqueue,
	.dequeue = pfifo_dequeue,
	.reset = pfifo_reset,
};

int sched_op_qdisc_set(struct net_device *dev, const struct op_qdisc_set *o)
{
	static const struct Qdisc_ops *const kinds[] = { &pfifo_fast_ops, &pfifo_ops };

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq_n(kinds[i]->id, (const char *)o->kind.p, o->kind.len))
			return dev_graft_qdisc(dev, kinds[i], (u32)min_u64(o->limit, UINT32_MAX));
	return -ENOENT;
}

/* ---- boot ---- */

int pktsched_init(struct host *h)
{
	dev_set_default_qdisc(h, &pfifo_fast_ops);
	return 0;
}

void pktsched_exit(struct host *h)
{
	dev_set_default_qdisc(h, NULL);
}
