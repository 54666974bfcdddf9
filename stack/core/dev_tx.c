/* SPDX-License-Identifier: MIT */
/*
 * The transmit entry: dev_queue_xmit() chooses the queue, gives the packet to its discipline (or
 * straight to the driver of a device that has none), cuts super-packets and finishes checksums that
 * the device can not do, shows the packets to the taps and calls the driver. (net/core/dev.c)
 *
 * Invariant: dev_queue_xmit() takes the skb whatever it returns.
 */
#include "core/errqueue.h"
#include "core/dev_core.h"
#include "core/dst.h"
#include "core/offload.h"
#include "core/rps.h"
#include "core/vlan.h"

/* The capture of the device shows what the host sent, the wire's what became of it. */
static void capture_whole(const struct sk_buff *skb, struct sk_buff *segs, struct net_device *dev)
{
	if (capture_wanted(dev->world))
		dev_capture(skb, dev, 1, 0);
	for (; segs; segs = segs->next)
		segs->gso_seg = 1;
}

static struct sk_buff *gso_xmit_skb(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *segs = skb_gso_segment(skb, dev->features);

	if (!segs) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	capture_whole(skb, segs, dev);
	consume_skb(skb);
	return segs;
}

/* The tag goes into the bytes: of each segment, of a super-packet (validate_xmit_vlan). */
static struct sk_buff *vlan_xmit_skb(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *first = NULL, **link = &first, *next;
	be16 proto = skb->vlan_proto;
	u16 tci = skb->vlan_tci;

	if (skb_is_gso(skb)) {
		skb = gso_xmit_skb(skb, dev);
	} else {
		skb->vlan_present = 0;
		skb = validate_xmit_skb(skb, dev);
	}
	for (; skb; skb = next) {
		next = skb->next;
		skb->next = NULL;
		skb->vlan_present = 0;
		skb = vlan_insert_tag(skb, proto, tci);
		if (!skb) {
			dev->stats.tx_dropped++;
			continue;
		}
		*link = skb;
		link = &skb->next;
	}
	return first;
}

struct sk_buff *validate_xmit_skb(struct sk_buff *skb, struct net_device *dev)
{
	if (skb->vlan_present && !vlan_hw_offload_capable(dev->features, skb->vlan_proto))
		return vlan_xmit_skb(skb, dev);
	if (netif_needs_gso(skb, dev->features))
		return gso_xmit_skb(skb, dev);
	if (!skb_gather_ok(skb, dev->features) && skb_linearize(skb))
		goto drop;
	if (skb->ip_summed == CHECKSUM_PARTIAL && !(dev->features & NETIF_F_HW_CSUM) &&
	    skb_checksum_help(skb))
		goto drop;
	return skb;
drop:
	dev->stats.tx_dropped++;
	kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
	return NULL;
}

struct sk_buff *validate_xmit_skb_list(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *first = NULL, **tail = &first;

	if (!skb->next)
		return validate_xmit_skb(skb, dev);
	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		*tail = validate_xmit_skb(skb, dev);
		while (*tail)
			tail = &(*tail)->next;
		skb = next;
	}
	return first;
}

static bool nit_wants(const struct packet_type *pt, const struct sk_buff *skb)
{
	if (pt->ignore_outgoing)
		return false;
	/* skb_loop_sk(): a packet socket does not hear itself. */
	if (!pt->af_packet_priv || !skb->sk)
		return true;
	return pt->id_match ? !pt->id_match(pt, skb->sk) : pt->af_packet_priv != skb->sk;
}

/* Hands a copy to the taps of one list; they share it. False: no memory for one. */
static bool nit_list(struct sk_buff *skb, const struct list_head *taps, struct sk_buff **copy)
{
	list_for_each_safe(p, tmp, taps) {
		const struct packet_type *pt = list_entry(p, struct ptype_entry, list)->pt;

		if (!nit_wants(pt, skb))
			continue;
		if (!*copy) {
			*copy = skb_clone(skb);
			if (!*copy)
				return false;
			(*copy)->tstamp = skb->world->now;
			skb_reset_mac_header(*copy);
			if (skb_network_header(*copy) < (*copy)->data)
				skb_reset_network_header(*copy);
			(*copy)->transport_header = (*copy)->network_header;
			(*copy)->pkt_type = PACKET_OUTGOING;
		}
		pt->func(skb_get(*copy), skb->dev, pt, skb->dev);
	}
	return true;
}

/* dev_queue_xmit_nit(): the taps see what is about to go to the driver. */
static void dev_queue_xmit_nit(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *copy = NULL;

	if (nit_list(skb, &dev->net->ptype_all, &copy))
		nit_list(skb, &dev->ptype_all, &copy);
	consume_skb(copy);
}

static enum netdev_tx xmit_one(struct sk_buff *skb, struct net_device *dev,
			       struct netdev_queue *txq)
{
	struct host *h = dev_host(dev);
	struct world *w = dev->world;
	enum netdev_tx rc;
	u64 id = skb->id;
	u32 len = skb->len;

	if (!list_empty(&dev->net->ptype_all) || !list_empty(&dev->ptype_all))
		dev_queue_xmit_nit(skb, dev);
	if (capture_wanted(w) && !skb->gso_seg)
		dev_capture(skb, dev, 1, 0);
	if (h->cost[COST_TX_PACKET])
		cpu_cost(this_cpu(h), COST_TX_PACKET, 1);
	if (h->cost[COST_TX_BYTE])
		cpu_cost(this_cpu(h), COST_TX_BYTE, len);
	dev->driver_depth++;
	rc = dev->netdev_ops->ndo_start_xmit(skb, dev);
	dev->driver_depth--;
	if (rc == NETDEV_TX_OK)
		txq->trans_start = w->now;
	trace(w, h, TRACE_NET_DEV_XMIT, id, dev->ifindex, len, (u64)rc);
	return rc;
}

struct sk_buff *dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev,
				    struct netdev_queue *txq)
{
	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		dev->xmit_more = next && txq->dql;
		if (xmit_one(skb, dev, txq) != NETDEV_TX_OK) {
			skb->next = next;
			return skb;
		}
		skb = next;
		if (skb && netif_xmit_stopped(txq))
			return skb;
	}
	return NULL;
}

/* What is left of a list of segments. */
static int xmit_drop_list(struct sk_buff *skb, enum skb_drop_reason reason, int rc)
{
	struct net_device *dev = skb->dev;

	for (const struct sk_buff *s = skb; s; s = s->next)
		dev->stats.tx_dropped++;
	kfree_skb_list_reason(skb, reason);
	return rc;
}

static int xmit_drop(struct sk_buff *skb, enum skb_drop_reason reason, int rc)
{
	skb->dev->stats.tx_dropped++;
	kfree_skb_reason(skb, reason);
	return rc;
}

/* A device without queue: the driver takes it or it is dropped. */
static int xmit_noqueue(struct sk_buff *skb, struct net_device *dev, struct netdev_queue *txq)
{
	struct softnet_data *sd = this_softnet(dev_host(dev));

	if (!netif_running(dev))
		return xmit_drop(skb, SKB_DROP_REASON_DEV_READY, -ENETDOWN);
	if (sd->xmit_recursion >= XMIT_RECURSION_MAX)
		return xmit_drop(skb, SKB_DROP_REASON_XMIT_RECURSION, -ENETDOWN);
	skb = validate_xmit_skb(skb, dev);
	if (!skb)
		return -ENOMEM;
	if (netif_xmit_stopped(txq))
		return xmit_drop_list(skb, SKB_DROP_REASON_FULL_RING, -ENETDOWN);
	sd->xmit_recursion++;
	skb = dev_hard_start_xmit(skb, dev, txq);
	sd->xmit_recursion--;
	if (skb)
		return xmit_drop_list(skb, SKB_DROP_REASON_FULL_RING, -ENETDOWN);
	return NET_XMIT_SUCCESS;
}

/* __dev_xmit_skb() */
static int xmit_qdisc(struct sk_buff *skb, struct Qdisc *q, struct netdev_queue *txq)
{
	int rc;

	if (q->can_bypass && !q->stats.qlen && !q->running) {
		q->running = true;
		qdisc_bstats_update(q, skb);
		sch_direct_xmit(skb, q, txq, true);
		q->running = false;
		return NET_XMIT_SUCCESS;
	}
	rc = q->ops->enqueue(skb, q);
	qdisc_run(q);
	return rc;
}

/* netdev_core_pick_tx() */
static struct netdev_queue *pick_tx(struct net_device *dev, struct sk_buff *skb)
{
	u32 index = dev->real_num_tx_queues > 1 ? netdev_pick_tx(dev, skb) : 0;

	skb->queue_mapping = (u16)index;
	return &dev->tx[index];
}

/* False: the filters on the way out took or dropped it. */
static bool sch_handle_egress(struct sk_buff *skb, int *rc)
{
	struct Qdisc *q = skb->dev->clsact;

	*rc = NET_XMIT_SUCCESS;
	switch (q->ops->filter(q, skb, false)) {
	case TC_ACT_SHOT:
		kfree_skb_reason(skb, SKB_DROP_REASON_TC_EGRESS);
		*rc = NET_XMIT_DROP;
		return false;
	case TC_ACT_STOLEN:
		return false;
	default:
		return true;
	}
}

int dev_queue_xmit(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct netdev_queue *txq;
	int rc;

	skb_reset_mac_header(skb);
	if (skb_shinfo(skb)->tx_flags & SKBTX_SCHED_TSTAMP)
		__skb_tstamp_tx(skb, NULL, skb->sk, SCM_TSTAMP_SCHED, 0);
	if (!skb->net)
		skb->net = dev->net;
	if (!dev->keep_dst) {
		skb_dst_drop(skb);
	} else if (skb->dst && skb->dst_noref) {
		dst_hold(skb->dst);
		skb->dst_noref = 0;
	}
	if (dev->clsact && !sch_handle_egress(skb, &rc))
		return rc;
	txq = pick_tx(dev, skb);
	trace(dev->world, dev_host(dev), TRACE_NET_DEV_QUEUE, skb->id, dev->ifindex, skb->len,
	      ntohs(skb->protocol));
	if (dev->no_queue)
		return xmit_noqueue(skb, dev, txq);
	if (!txq->active) {
		/* noop_qdisc: no error, the sender goes on as over a cable that is cut. */
		kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
		return NET_XMIT_CN;
	}
	return xmit_qdisc(skb, txq->qdisc, txq);
}
