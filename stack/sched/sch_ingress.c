/* SPDX-License-Identifier: MIT */
/*
 * clsact and ingress (net/sched/sch_ingress.c): no queues, but filters of a device on the way in
 * (right behind the taps) and, of clsact, on the way out (before a queue is chosen).
 */
#include "sched/cls_api.h"
#include "sched/sch_api.h"

struct clsact_priv {
	struct tcf_block ingress, egress;
};

static int clsact_init(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct clsact_priv *p = sch->priv;

	(void)opt;
	tcf_block_init(&p->ingress, sch->dev);
	tcf_block_init(&p->egress, sch->dev);
	return 0;
}

static void clsact_destroy(struct Qdisc *sch)
{
	struct clsact_priv *p = sch->priv;

	tcf_block_put(&p->ingress);
	tcf_block_put(&p->egress);
}

static struct tcf_block *clsact_block(struct Qdisc *sch, u32 minor)
{
	struct clsact_priv *p = sch->priv;

	if (minor == TC_H_MIN_INGRESS)
		return &p->ingress;
	return minor == TC_H_MIN_EGRESS ? &p->egress : NULL;
}

/* Whatever class is named: there is one. */
static struct tcf_block *ingress_block(struct Qdisc *sch, u32 minor)
{
	struct clsact_priv *p = sch->priv;

	(void)minor;
	return &p->ingress;
}

/* tc_run() */
static s32 clsact_filter(struct Qdisc *sch, struct sk_buff *skb, bool ingress)
{
	struct clsact_priv *p = sch->priv;
	struct tcf_block *b = ingress ? &p->ingress : &p->egress;
	u32 classid;
	s32 verdict;

	if (list_empty(&b->protos))
		return TC_ACT_UNSPEC;
	sch->stats.bytes += qdisc_pkt_len(skb) + (ingress ? skb->mac_len : 0);
	sch->stats.packets++;
	verdict = tcf_classify(skb, b, ingress, &classid);
	if (verdict == TC_ACT_SHOT)
		sch->stats.drops++;
	return verdict;
}

const struct Qdisc_ops clsact_ops = {
	.id = "clsact",
	.priv_size = sizeof(struct clsact_priv),
	.init = clsact_init,
	.destroy = clsact_destroy,
	.tcf_block = clsact_block,
	.filter = clsact_filter,
};

const struct Qdisc_ops ingress_ops = {
	.id = "ingress",
	.priv_size = sizeof(struct clsact_priv),
	.init = clsact_init,
	.destroy = clsact_destroy,
	.tcf_block = ingress_block,
	.filter = clsact_filter,
};
