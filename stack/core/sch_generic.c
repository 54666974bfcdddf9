/* SPDX-License-Identifier: MIT */
/*
 * Between the qdisc and the driver: packets are taken out while the driver takes them; one that it
 * gives back goes first the next time; a stopped queue rests until the driver wakes it, which runs
 * the qdisc in NET_TX; a queue that stays stopped for watchdog_timeo is reported to the driver.
 * (net/sched/sch_generic.c)
 *
 * Invariants: txq->active exactly while the device is up, has a carrier, and has its qdisc; the
 * watchdog is armed while a queue is stopped (and may fire once for nothing afterwards).
 */
#include "core/dev_core.h"
#include "core/offload.h"
#include "wire/tcp.h"

void __netif_schedule(struct Qdisc *q)
{
	struct cpu *cpu = this_cpu(dev_host(q->dev));

	if (q->scheduled)
		return;
	q->scheduled = true;
	list_add_tail(&q->sched, &cpu->softnet->output_queue);
	raise_softirq(cpu, NET_TX_SOFTIRQ);
}

static void qdisc_taken(struct Qdisc *q)
{
	q->scheduled = false;
	list_del_init(&q->sched);
}

/* qdisc_pkt_len_init: bytes on the wire, the headers of every segment counted. */
u32 qdisc_pkt_len(const struct sk_buff *skb)
{
	u32 hdr_len;

	if (!skb_is_gso(skb))
		return skb->len;
	hdr_len =
		(u32)(skb_transport_header(skb) - skb->data) + tcp_doff(skb_transport_header(skb));
	return skb->len + (skb_segs(skb) - 1) * hdr_len;
}

void qdisc_bstats_update(struct Qdisc *q, const struct sk_buff *skb)
{
	q->stats.bytes += qdisc_pkt_len(skb);
	q->stats.packets += skb_segs(skb);
}

/* dev_requeue_skb(): a packet, or the segments that are left of one. `again`: it lay in gso_skb
 * before, and others may lie there behind it. */
static void dev_requeue_skb(struct sk_buff *skb, struct Qdisc *q, struct netdev_queue *txq,
			    bool again)
{
	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		if (again)
			skb_queue_head(&q->gso_skb, skb);
		else
			skb_queue_tail(&q->gso_skb, skb);
		qdisc_qlen_inc(q, skb);
		q->stats.requeues++;
		skb = next;
	}
	/* A stopped queue runs again when it is woken. */
	if (!netif_xmit_stopped(txq))
		__netif_schedule(q);
}

bool sch_direct_xmit(struct sk_buff *skb, struct Qdisc *q, struct netdev_queue *txq, bool validate)
{
	if (validate) {
		skb = validate_xmit_skb_list(skb, q->dev);
		if (!skb)
			return true;
	}
	if (!netif_xmit_stopped(txq))
		skb = dev_hard_start_xmit(skb, q->dev, txq);
	if (!skb)
		return true;
	dev_requeue_skb(skb, q, txq, !validate);
	return false;
}

/* ---- packets of children, and in time ---- */

void qdisc_tree_adjust_backlog(struct Qdisc *q, s64 packets, s64 bytes)
{
	for (q = q->parent_q; q; q = q->parent_q) {
		q->stats.qlen += (u32)packets;
		q->stats.backlog += (u64)bytes;
	}
}

void qdisc_tree_reduce_backlog(struct Qdisc *q, u32 packets, u64 bytes)
{
	qdisc_tree_adjust_backlog(q, -(s64)packets, -(s64)bytes);
	for (q = q->parent_q; q; q = q->parent_q)
		q->stats.drops += packets;
}

struct sk_buff *qdisc_peek_child(struct Qdisc *child)
{
	struct sk_buff *skb = skb_peek(&child->gso_skb);

	if (skb)
		return skb;
	skb = child->ops->dequeue(child);
	if (skb) {
		skb_queue_tail(&child->gso_skb, skb);
		qdisc_qlen_inc(child, skb);
	}
	return skb;
}

struct sk_buff *qdisc_dequeue_child(struct Qdisc *child)
{
	struct sk_buff *skb = skb_dequeue(&child->gso_skb);

	if (skb)
		qdisc_qlen_dec(child, skb);
	else
		skb = child->ops->dequeue(child);
	if (skb)
		qdisc_bstats_update(child, skb);
	return skb;
}

void qdisc_watchdog_schedule_ns(struct Qdisc *q, u64 expires)
{
	const struct host *h = dev_host(q->dev);
	u64 now = ktime_get_ns(h), at;

	while (q->parent_q)
		q = q->parent_q;
	at = h->world->now + (expires > now ? expires - now : 0);
	if (timer_pending(&q->watchdog) && q->watchdog.event.time <= at)
		return;
	hrtimer_start(&q->watchdog, at);
}

/* ---- to the driver ---- */

/* The transmit queue that netdev_pick_tx() chose. */
static struct netdev_queue *skb_txq(const struct Qdisc *q, const struct sk_buff *skb)
{
	return q->txq ? q->txq : &q->dev->tx[skb->queue_mapping];
}

/* With byte queue limits: as many as the device has room for go down together. */
static void try_bulk_dequeue_skb(struct Qdisc *q, struct sk_buff *skb)
{
	s64 room = (s64)dql_avail(q->txq->dql) - skb->len;

	while (room > 0) {
		struct sk_buff *next = q->ops->dequeue(q);

		if (!next)
			break;
		qdisc_bstats_update(q, next);
		room -= next->len;
		skb->next = next;
		skb = next;
	}
	skb->next = NULL;
}

/* *validate: it was not given to the driver yet. */
static struct sk_buff *dequeue_skb(struct Qdisc *q, bool *validate)
{
	struct sk_buff *skb = skb_peek(&q->gso_skb);

	*validate = !skb;
	if (skb) {
		if (netif_xmit_stopped(skb_txq(q, skb)))
			return NULL;
		skb_dequeue(&q->gso_skb);
		qdisc_qlen_dec(q, skb);
		return skb;
	}
	if (q->txq && netif_xmit_stopped(q->txq))
		return NULL;
	skb = q->ops->dequeue(q);
	if (!skb)
		return NULL;
	qdisc_bstats_update(q, skb);
	if (q->txq && q->txq->dql)
		try_bulk_dequeue_skb(q, skb);
	return skb;
}

void qdisc_run(struct Qdisc *q)
{
	u32 quota = DEV_TX_WEIGHT;
	struct sk_buff *skb;
	bool validate;

	if (q->running)
		return;
	q->running = true;
	while ((skb = dequeue_skb(q, &validate)) != NULL) {
		if (!sch_direct_xmit(skb, q, skb_txq(q, skb), validate))
			break;
		if (--quota == 0) {
			if (q->stats.qlen)
				__netif_schedule(q);
			break;
		}
	}
	q->running = false;
}

enum softirq_result net_tx_action(struct cpu *cpu)
{
	struct list_head todo;

	list_init(&todo);
	list_splice_tail_init(&cpu->softnet->output_queue, &todo);
	while (!list_empty(&todo)) {
		struct Qdisc *q = list_first_entry(&todo, struct Qdisc, sched);

		qdisc_taken(q);
		qdisc_run(q);
	}
	return SOFTIRQ_DONE;
}

void netif_tx_stop_queue(struct netdev_queue *txq)
{
	struct net_device *dev = txq->dev;

	txq->stopped = true;
	if (!timer_pending(&dev->watchdog) && dev->netdev_ops->ndo_tx_timeout)
		mod_timer(&dev->watchdog,
			  jiffies(dev_host(dev)) + msecs_to_jiffies(dev->watchdog_timeo_ms));
}

void netif_tx_wake_queue(struct netdev_queue *txq)
{
	if (!txq->stopped)
		return;
	txq->stopped = false;
	if (txq->active && txq->qdisc && txq->qdisc->stats.qlen)
		__netif_schedule(txq->qdisc);
}

void dev_watchdog(struct timer *t)
{
	struct net_device *dev = container_of(t, struct net_device, watchdog);
	u64 timeo = (u64)dev->watchdog_timeo_ms * NSEC_PER_MSEC, now = dev->world->now;
	u64 next = TIME_NEVER;

	if (!netif_running(dev) || !dev->carrier)
		return;
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];

		if (!txq->stopped)
			continue;
		if (now >= txq->trans_start + timeo) {
			txq->trans_timeout++;
			txq->trans_start = now;
			dev->netdev_ops->ndo_tx_timeout(dev, i);
		}
		if (txq->stopped)
			next = min_u64(next, txq->trans_start + timeo);
	}
	if (next != TIME_NEVER)
		mod_timer(t, jiffies(dev_host(dev)) + (next - now + JIFFY_NS - 1) / JIFFY_NS);
}
