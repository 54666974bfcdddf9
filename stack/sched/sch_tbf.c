/* SPDX-License-Identifier: MIT */
/*
 * tbf (net/sched/sch_tbf.c): a token bucket. Packets wait in a child (bfifo) until there are tokens
 * for them; tokens are time: a bucket of `burst` bytes holds the time that they take at `rate`. A
 * second bucket of one MTU at `peakrate` keeps the burst itself to that rate.
 *
 * Invariant: 0 <= tokens <= buffer when no packet waits for them.
 */
#include "sched/sch_api.h"
#include "sched/sch_flows.h"

#include "core/offload.h"
#include "kernel/host.h"

struct tbf_priv {
	u64 rate, peakrate, burst, mtu, limit; /* bytes; peakrate 0: none */
	s64 buffer, mtu_ns; /* what the buckets hold, ns */
	s64 tokens, ptokens;
	u64 t_c; /* when they were counted */
	struct Qdisc *child;
};

/* ns that bytes take at a rate. */
static u64 l2t_ns(u64 rate, u64 bytes)
{
	return bytes * NSEC_PER_SEC / rate;
}

static u64 max_size(const struct tbf_priv *p)
{
	return p->peakrate ? min_u64(p->burst, p->mtu) : p->burst;
}

/* A super-packet larger than the bucket is cut here. */
static int tbf_segment(struct sk_buff *skb, struct Qdisc *sch)
{
	struct tbf_priv *p = sch->priv;
	struct sk_buff *segs = skb_gso_segment(skb, sch->dev->features & ~NETIF_F_TSO);
	u32 taken = 0;
	u64 bytes = 0;

	if (!segs)
		return qdisc_drop(skb, sch);
	while (segs) {
		struct sk_buff *next = segs->next;
		u32 len = segs->len;

		segs->next = NULL;
		if (len > max_size(p)) {
			qdisc_drop(segs, sch);
		} else if (p->child->ops->enqueue(segs, p->child) == NET_XMIT_SUCCESS) {
			sch->stats.qlen++;
			sch->stats.backlog += len;
			taken++;
			bytes += len;
		} else {
			sch->stats.drops++;
		}
		segs = next;
	}
	if (taken)
		qdisc_tree_adjust_backlog(sch, (s64)taken - 1, (s64)bytes - skb->len);
	consume_skb(skb);
	return taken ? NET_XMIT_SUCCESS : NET_XMIT_DROP;
}

static int tbf_enqueue(struct sk_buff *skb, struct Qdisc *sch)
{
	struct tbf_priv *p = sch->priv;
	u32 len = skb->len;
	int rc;

	if (qdisc_pkt_len(skb) > max_size(p))
		return skb_is_gso(skb) ? tbf_segment(skb, sch) : qdisc_drop(skb, sch);
	rc = p->child->ops->enqueue(skb, p->child);
	if (rc != NET_XMIT_SUCCESS) {
		sch->stats.drops++;
		return rc;
	}
	sch->stats.qlen++;
	sch->stats.backlog += len;
	return rc;
}

static struct sk_buff *tbf_dequeue(struct Qdisc *sch)
{
	struct tbf_priv *p = sch->priv;
	struct sk_buff *skb = qdisc_peek_child(p->child);
	u64 now = ktime_get_ns(dev_host(sch->dev));
	s64 toks, ptoks = 0;
	u32 len;

	if (!skb)
		return NULL;
	len = qdisc_pkt_len(skb);
	toks = (s64)min_u64(now - p->t_c, (u64)p->buffer);
	if (p->peakrate) {
		ptoks = toks + p->ptokens;
		if (ptoks > p->mtu_ns)
			ptoks = p->mtu_ns;
		ptoks -= (s64)l2t_ns(p->peakrate, len);
	}
	toks += p->tokens;
	if (toks > p->buffer)
		toks = p->buffer;
	toks -= (s64)l2t_ns(p->rate, len);
	if (toks < 0 || ptoks < 0) {
		qdisc_watchdog_schedule_ns(sch, now + (u64)(toks < ptoks ? -toks : -ptoks));
		sch->stats.overlimits++;
		return NULL;
	}
	skb = qdisc_dequeue_child(p->child);
	p->t_c = now;
	p->tokens = toks;
	p->ptokens = ptoks;
	qdisc_qlen_dec(sch, skb);
	return skb;
}

static void tbf_reset(struct Qdisc *sch, enum skb_drop_reason reason)
{
	struct tbf_priv *p = sch->priv;

	if (p->child)
		qdisc_reset(p->child, reason);
	sch->stats.qlen = 0;
	sch->stats.backlog = 0;
	p->t_c = ktime_get_ns(dev_host(sch->dev));
	p->tokens = p->buffer;
	p->ptokens = p->mtu_ns;
}

static int tbf_change(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct tbf_priv *p = sch->priv, n = *p;

	n.rate = tca_get(opt, TCA_RATE, p->rate);
	n.peakrate = tca_get(opt, TCA_PEAKRATE, p->peakrate);
	n.burst = tca_get(opt, TCA_BURST, p->burst);
	n.mtu = tca_get(opt, TCA_MTU, p->mtu);
	n.limit = tca_get(opt, TCA_LIMIT, p->limit);
	if (!n.rate || n.rate > UINT64_MAX / NSEC_PER_SEC || !n.burst || n.burst > UINT32_MAX ||
	    n.mtu > UINT32_MAX || n.limit > UINT32_MAX ||
	    (n.peakrate && (n.peakrate <= n.rate || !n.mtu)) || !max_size(&n))
		return -EINVAL;
	n.buffer = (s64)l2t_ns(n.rate, n.burst);
	n.mtu_ns = n.peakrate ? (s64)l2t_ns(n.peakrate, n.mtu) : 0;
	n.t_c = ktime_get_ns(dev_host(sch->dev));
	n.tokens = n.buffer;
	n.ptokens = n.mtu_ns;
	*p = n;
	sch->limit = (u32)n.limit;
	if (p->child && p->child->ops == &bfifo_ops)
		p->child->limit = (u32)n.limit;
	return 0;
}

static int tbf_init(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct tbf_priv *p = sch->priv;
	int err = tbf_change(sch, opt);
	struct tc_attrs limit = { .present = 0 };

	if (err)
		return err;
	tca_put(&limit, TCA_LIMIT, p->limit);
	p->child = qdisc_create_child(sch, &bfifo_ops, 1, &limit, &err);
	return p->child ? 0 : err;
}

static void tbf_destroy(struct Qdisc *sch)
{
	struct tbf_priv *p = sch->priv;

	qdisc_destroy(p->child, SKB_DROP_REASON_DEV_DELETED);
}

static struct Qdisc **tbf_child(struct Qdisc *sch, u32 minor)
{
	struct tbf_priv *p = sch->priv;

	return minor <= 1 ? &p->child : NULL;
}

static void tbf_dump(const struct Qdisc *sch, struct tc_attrs *o)
{
	const struct tbf_priv *p = sch->priv;

	tca_put(o, TCA_RATE, p->rate);
	tca_put(o, TCA_BURST, p->burst);
	tca_put(o, TCA_LIMIT, p->limit);
	if (!p->peakrate)
		return;
	tca_put(o, TCA_PEAKRATE, p->peakrate);
	tca_put(o, TCA_MTU, p->mtu);
}

const struct Qdisc_ops tbf_ops = {
	.id = "tbf",
	.priv_size = sizeof(struct tbf_priv),
	.init = tbf_init,
	.change = tbf_change,
	.destroy = tbf_destroy,
	.enqueue = tbf_enqueue,
	.dequeue = tbf_dequeue,
	.reset = tbf_reset,
	.child = tbf_child,
	.dump = tbf_dump,
};
