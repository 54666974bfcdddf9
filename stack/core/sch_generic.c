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

void dev_set_default_qdisc(struct host *h, const struct Qdisc_ops *ops)
{
	h->ptypes->default_qdisc = ops;
}

void __netif_schedule(struct Qdisc *q)
{
	struct cpu *cpu = this_cpu(dev_host(q->dev));

	if (q->scheduled)
		return;
	q->scheduled = true;
	list_add_tail(&q->sched, &cpu->softnet->output_queue);
	raise_softirq(cpu, NET_TX_SOFTIRQ);
}

static void qdisc_unschedule(struct Qdisc *q)
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
static void dev_requeue_skb(struct sk_buff *skb, struct Qdisc *q, bool again)
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
	if (!netif_xmit_stopped(q->txq))
		__netif_schedule(q);
}

bool sch_direct_xmit(struct sk_buff *skb, struct Qdisc *q, struct netdev_queue *txq, bool validate)
{
	if (validate) {
		skb = validate_xmit_skb(skb, q->dev);
		if (!skb)
			return true;
	}
	if (!netif_xmit_stopped(txq))
		skb = dev_hard_start_xmit(skb, q->dev, txq);
	if (!skb)
		return true;
	dev_requeue_skb(skb, q, !validate);
	return false;
}

/* *validate: it was not given to the driver yet. */
static struct sk_buff *dequeue_skb(struct Qdisc *q, bool *validate)
{
	struct sk_buff *skb;

	if (netif_xmit_stopped(q->txq))
		return NULL;
	skb = skb_dequeue(&q->gso_skb);
	*validate = !skb;
	if (skb) {
		qdisc_qlen_dec(q, skb);
		return skb;
	}
	skb = q->ops->dequeue(q);
	if (skb)
		qdisc_bstats_update(q, skb);
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
		if (!sch_direct_xmit(skb, q, q->txq, validate))
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

		qdisc_unschedule(q);
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

/* One that passes nothing on: qdiscs are made at registration, so that coming up can not fail. */
static struct Qdisc *qdisc_create(struct net_device *dev, struct netdev_queue *txq,
				  const struct Qdisc_ops *ops, u32 limit)
{
	struct world *w = dev->world;
	struct Qdisc *q = mem_zalloc(w, MEM_QDISC, sizeof(*q));

	if (!q)
		return NULL;
	q->ops = ops;
	q->txq = txq;
	q->dev = dev;
	q->limit = limit;
	list_init(&q->sched);
	skb_queue_head_init(&q->gso_skb);
	if (ops->priv_size) {
		q->priv = mem_zalloc(w, MEM_QDISC, ops->priv_size);
		if (!q->priv)
			goto fail;
	}
	if (ops->init && ops->init(q))
		goto fail;
	return q;
fail:
	if (q->priv)
		mem_free(w, MEM_QDISC, q->priv, ops->priv_size);
	mem_free(w, MEM_QDISC, q, sizeof(*q));
	return NULL;
}

static void qdisc_reset(struct Qdisc *q, enum skb_drop_reason reason)
{
	for (struct sk_buff *skb; (skb = skb_dequeue(&q->gso_skb)) != NULL;) {
		qdisc_qlen_dec(q, skb);
		kfree_skb_reason(skb, reason);
	}
	q->ops->reset(q, reason);
	ASSERT(q->stats.qlen == 0);
	ASSERT(q->stats.backlog == 0);
}

static void qdisc_destroy(struct Qdisc *q)
{
	struct world *w = q->dev->world;

	qdisc_unschedule(q);
	qdisc_reset(q, w->ending ? SKB_DROP_REASON_WORLD_END : SKB_DROP_REASON_DEV_DELETED);
	if (q->priv)
		mem_free(w, MEM_QDISC, q->priv, q->ops->priv_size);
	mem_free(w, MEM_QDISC, q, sizeof(*q));
}

void netif_set_real_num_tx_queues(struct net_device *dev, u32 n)
{
	for (u32 i = n; i < dev->real_num_tx_queues; i++) {
		if (!dev->tx[i].qdisc)
			continue;
		qdisc_unschedule(dev->tx[i].qdisc);
		qdisc_reset(dev->tx[i].qdisc, SKB_DROP_REASON_DEV_READY);
		dev->tx[i].stopped = false;
	}
	dev->real_num_tx_queues = n;
}

int dev_init_scheduler(struct net_device *dev)
{
	const struct Qdisc_ops *ops = dev_host(dev)->ptypes->default_qdisc;

	if (dev->no_queue)
		return 0;
	ASSERT(ops);
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		dev->tx[i].qdisc = qdisc_create(dev, &dev->tx[i], ops, UINT32_MAX);
		if (!dev->tx[i].qdisc) {
			dev_shutdown(dev);
			return -ENOMEM;
		}
	}
	return 0;
}

int dev_graft_qdisc(struct net_device *dev, const struct Qdisc_ops *ops, u32 limit)
{
	if (dev->no_queue)
		return -EOPNOTSUPP;
	if (dev->driver_depth)
		return -EBUSY;
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct Qdisc *q = qdisc_create(dev, &dev->tx[i], ops, limit);

		if (!q)
			return -ENOMEM;
		qdisc_destroy(dev->tx[i].qdisc);
		dev->tx[i].qdisc = q;
	}
	return 0;
}

void dev_shutdown(struct net_device *dev)
{
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		if (dev->tx[i].qdisc)
			qdisc_destroy(dev->tx[i].qdisc);
		dev->tx[i].qdisc = NULL;
		dev->tx[i].active = false;
	}
}

void dev_activate(struct net_device *dev)
{
	if (!netif_running(dev) || !dev->carrier)
		return;
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		dev->tx[i].active = true;
		dev->tx[i].trans_start = dev->world->now;
	}
}

void dev_deactivate(struct net_device *dev)
{
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];

		txq->active = false;
		if (!txq->qdisc)
			continue;
		qdisc_unschedule(txq->qdisc);
		qdisc_reset(txq->qdisc, dev->world->ending ? SKB_DROP_REASON_WORLD_END :
							     SKB_DROP_REASON_DEV_READY);
	}
	del_timer(&dev->watchdog);
}
