/* SPDX-License-Identifier: MIT */
/*
 * prio (net/sched/sch_prio.c): bands that are disciplines of their own (pfifo at first); a packet
 * of a later band goes only when those before it are empty. The band is the class that a filter
 * names, the packet's priority when that names one, else what the map says.
 */
#include "sched/cls_api.h"
#include "sched/sch_api.h"

#define PRIO_BANDS_MAX 16u
#define PRIO_BANDS     3u

struct prio_priv {
	u32 bands;
	u8 prio2band[TC_PRIO_MAX + 1];
	struct Qdisc *queues[PRIO_BANDS_MAX];
	struct tcf_block block;
};

/* The map of pfifo_fast. */
#define PRIO_MAP 0x1111111100212221ull

/* prio_classify(). NULL: the packet is gone. */
static struct Qdisc *prio_classify(struct sk_buff *skb, struct Qdisc *sch, int *rc)
{
	struct prio_priv *p = sch->priv;
	u32 band = skb->priority, classid = 0;

	if (TC_H_MAJ(skb->priority) != sch->handle) {
		if (!tcf_classify_qdisc(skb, sch, &p->block, &classid, rc))
			return NULL;
		if (!classid) {
			if (TC_H_MAJ(band))
				band = 0;
			return p->queues[p->prio2band[band & TC_PRIO_MAX]];
		}
		band = classid;
	}
	band = TC_H_MIN(band) - 1;
	return band < p->bands ? p->queues[band] : p->queues[p->prio2band[0]];
}

static int prio_enqueue(struct sk_buff *skb, struct Qdisc *sch)
{
	u32 len = skb->len;
	int rc = NET_XMIT_DROP;
	struct Qdisc *q = prio_classify(skb, sch, &rc);

	if (!q)
		return rc;
	rc = q->ops->enqueue(skb, q);
	if (rc == NET_XMIT_SUCCESS) {
		sch->stats.qlen++;
		sch->stats.backlog += len;
	} else {
		sch->stats.drops++;
	}
	return rc;
}

static struct sk_buff *prio_dequeue(struct Qdisc *sch)
{
	struct prio_priv *p = sch->priv;

	for (u32 i = 0; i < p->bands; i++) {
		struct sk_buff *skb = qdisc_dequeue_child(p->queues[i]);

		if (!skb)
			continue;
		qdisc_qlen_dec(sch, skb);
		return skb;
	}
	return NULL;
}

static void prio_reset(struct Qdisc *sch, enum skb_drop_reason reason)
{
	struct prio_priv *p = sch->priv;

	for (u32 i = 0; i < p->bands; i++)
		if (p->queues[i])
			qdisc_reset(p->queues[i], reason);
	sch->stats.qlen = 0;
	sch->stats.backlog = 0;
}

static void prio_end_queues(struct prio_priv *p, u32 from)
{
	for (u32 i = from; i < PRIO_BANDS_MAX; i++) {
		struct Qdisc *q = p->queues[i];

		if (!q)
			continue;
		qdisc_tree_reduce_backlog(q, q->stats.qlen, q->stats.backlog);
		qdisc_destroy(q, SKB_DROP_REASON_DEV_DELETED);
		p->queues[i] = NULL;
	}
}

/* prio_tune() */
static int prio_change(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct prio_priv *p = sch->priv;
	u64 bands = tca_get(opt, TCA_BANDS, PRIO_BANDS);
	u64 map = tca_get(opt, TCA_PRIOMAP, PRIO_MAP);
	int err = 0;

	if (bands < 2 || bands > PRIO_BANDS_MAX)
		return -EINVAL;
	for (u32 i = 0; i <= TC_PRIO_MAX; i++)
		if ((map >> 4 * i & 15) >= bands)
			return -EINVAL;
	for (u32 i = 0; i < bands && !err; i++)
		if (!p->queues[i])
			p->queues[i] = qdisc_create_child(sch, &pfifo_ops, i + 1, NULL, &err);
	if (err) {
		prio_end_queues(p, p->bands);
		return err;
	}
	p->bands = (u32)bands;
	for (u32 i = 0; i <= TC_PRIO_MAX; i++)
		p->prio2band[i] = map >> 4 * i & 15;
	prio_end_queues(p, p->bands);
	return 0;
}

static int prio_init(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct prio_priv *p = sch->priv;

	tcf_block_init(&p->block, sch->dev);
	return prio_change(sch, opt);
}

static void prio_destroy(struct Qdisc *sch)
{
	struct prio_priv *p = sch->priv;

	tcf_block_put(&p->block);
	for (u32 i = 0; i < PRIO_BANDS_MAX; i++)
		qdisc_destroy(p->queues[i], SKB_DROP_REASON_DEV_DELETED);
}

static struct Qdisc **prio_child(struct Qdisc *sch, u32 minor)
{
	struct prio_priv *p = sch->priv;

	return minor && minor <= p->bands ? &p->queues[minor - 1] : NULL;
}

static struct tcf_block *prio_block(struct Qdisc *sch, u32 minor)
{
	struct prio_priv *p = sch->priv;

	return minor ? NULL : &p->block;
}

static void prio_dump(const struct Qdisc *sch, struct tc_attrs *opt)
{
	const struct prio_priv *p = sch->priv;
	u64 map = 0;

	for (u32 i = 0; i <= TC_PRIO_MAX; i++)
		map |= (u64)p->prio2band[i] << 4 * i;
	tca_put(opt, TCA_BANDS, p->bands);
	tca_put(opt, TCA_PRIOMAP, map);
}

static void prio_class_dump(const struct Qdisc *sch, u32 minor, struct tc_class *c)
{
	const struct prio_priv *p = sch->priv;

	c->leaf = p->queues[minor - 1];
	c->stats = c->leaf->stats;
}

const struct Qdisc_ops prio_ops = {
	.id = "prio",
	.priv_size = sizeof(struct prio_priv),
	.init = prio_init,
	.change = prio_change,
	.destroy = prio_destroy,
	.enqueue = prio_enqueue,
	.dequeue = prio_dequeue,
	.reset = prio_reset,
	.child = prio_child,
	.class_dump = prio_class_dump,
	.tcf_block = prio_block,
	.dump = prio_dump,
};
