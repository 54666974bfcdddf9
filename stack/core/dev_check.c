/* SPDX-License-Identifier: MIT */
/* The device layer's invariants, for world_check(): flags against counts, queues against their
 * sums, work that waits against what will bring it about. */
#include "core/dev_core.h"

static void queue_check(const struct sk_buff_head *q)
{
	u32 n = 0;

	for (const struct sk_buff *skb = skb_peek(q); skb; skb = skb->next)
		n++;
	ASSERT(n == q->qlen);
}

static void txq_check(const struct net_device *dev, const struct netdev_queue *txq)
{
	const struct Qdisc *q = txq->qdisc;

	ASSERT(dev->no_queue == !q);
	ASSERT(!txq->active || (netif_running(dev) && dev->carrier));
	/* Called by a listener from within a transmission: it is all in motion. */
	if (!q || q->running || dev->driver_depth)
		return;
	ASSERT(txq->active || !q->txq || q->stats.qlen == 0);
	ASSERT((q->stats.qlen == 0) == (q->stats.backlog == 0));
	/* What waits is waited for: by the driver that will wake the queue, or NET_TX. */
	ASSERT(q->stats.qlen == 0 || !q->txq || netif_xmit_stopped(txq) || q->scheduled ||
	       timer_pending(&q->watchdog));
	ASSERT(q->scheduled == !list_empty(&q->sched));
	ASSERT(!txq->stopped || !txq->active || !dev->netdev_ops->ndo_tx_timeout ||
	       timer_pending(&dev->watchdog));
}

/* Held packets are in buckets that say so, and will be seen to: by the poll, or the timer. */
static void gro_check(const struct napi_struct *napi)
{
	u32 held = 0;

	for (u32 i = 0; i < GRO_HASH_BUCKETS; i++) {
		ASSERT(((napi->gro_bitmask >> i & 1) != 0) == !skb_queue_empty(&napi->gro_hash[i]));
		ASSERT(napi->gro_hash[i].qlen <= MAX_GRO_SKBS);
		held += napi->gro_hash[i].qlen;
	}
	ASSERT(!held || napi->state & NAPI_STATE_SCHED || timer_pending(&napi->timer));
}

static void netdev_check(const struct net_device *dev)
{
	ASSERT(((dev->flags & IFF_PROMISC) != 0) == (dev->promiscuity != 0));
	ASSERT(((dev->flags & IFF_ALLMULTI) != 0) == (dev->allmulti != 0));
	ASSERT(((dev->flags & IFF_RUNNING) != 0) == (netif_running(dev) && dev->carrier));
	for (u32 i = 0; i < dev->num_tx_queues; i++)
		txq_check(dev, &dev->tx[i]);
	list_for_each(n, &dev->napi_list)
		gro_check(list_entry(n, struct napi_struct, dev_list));
	if (dev->netdev_ops->ndo_check && !dev->driver_depth)
		dev->netdev_ops->ndo_check(dev);
}

/* Between steps everything that came in has come to something, and what was put onto the backlog is
 * off it again or there. */
static void softnet_check(const struct softnet_data *sd)
{
	ASSERT(sd->processed == sd->rx_delivered + sd->rx_unhandled + sd->rx_taken + sd->rx_again);
	ASSERT(sd->input_queue_tail - sd->input_queue_head ==
	       sd->input_pkt_queue.qlen + sd->process_queue.qlen);
}

void net_dev_check(const struct host *h, u32 level)
{
	bool quiet = !host_in_step(h);

	for (u32 i = 0; i < h->cpus_count; i++) {
		const struct softnet_data *sd = h->cpus[i]->softnet;

		/* Packets in the backlog have a poll that will fetch them. */
		if (sd->input_pkt_queue.qlen || sd->process_queue.qlen)
			ASSERT(sd->backlog.state & NAPI_STATE_SCHED);
		if (quiet)
			softnet_check(sd);
		if (!level)
			continue;
		queue_check(&sd->input_pkt_queue);
		queue_check(&sd->process_queue);
	}
	list_for_each(n, &h->nets) {
		const struct net *net = list_entry(n, struct net, list);

		list_for_each(d, &net->dev_base) {
			const struct net_device *dev = list_entry(d, struct net_device, dev_list);

			netdev_check(dev);
			if (!level)
				continue;
			ASSERT(dev_get_by_name(net, dev->name) == dev);
			ASSERT(dev_get_by_index(net, dev->ifindex) == dev);
		}
	}
}
