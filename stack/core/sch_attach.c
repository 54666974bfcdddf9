/* SPDX-License-Identifier: MIT */
/*
 * Which discipline a device has: the default at registration (one per transmit queue, under mq when
 * there are several), others by dev_graft_*(); what happens to it when the device comes up, goes
 * down and goes away. (net/sched/sch_generic.c: attach_default_qdiscs, dev_graft_qdisc,
 * dev_activate)
 *
 * Invariant: dev->qdisc is the outermost discipline; every queue's `qdisc` is that one, or its own
 * under mq. Both are NULL where there is none (no_queue).
 */
#include "core/dev_core.h"

void dev_set_default_qdisc(struct host *h, const struct Qdisc_ops *ops, const struct Qdisc_ops *mq)
{
	h->ptypes->default_qdisc = ops;
	h->ptypes->mq_qdisc = mq;
}

const struct Qdisc_ops *dev_default_qdisc(const struct host *h)
{
	return h->ptypes->default_qdisc;
}

static void watchdog(struct timer *t)
{
	__netif_schedule(container_of(t, struct Qdisc, watchdog));
}

static void qdisc_free(struct Qdisc *q)
{
	struct world *w = q->dev->world;

	if (q->priv)
		mem_free(w, MEM_QDISC, q->priv, q->ops->priv_size);
	mem_free(w, MEM_QDISC, q, sizeof(*q));
}

struct Qdisc *qdisc_create(struct net_device *dev, struct netdev_queue *txq,
			   const struct Qdisc_ops *ops, const struct tc_attrs *opt, int *err)
{
	struct world *w = dev->world;
	struct Qdisc *q = mem_zalloc(w, MEM_QDISC, sizeof(*q));

	*err = -ENOMEM;
	if (!q)
		return NULL;
	q->ops = ops;
	q->txq = txq;
	q->dev = dev;
	q->parent = TC_H_ROOT;
	list_init(&q->sched);
	skb_queue_head_init(&q->gso_skb);
	timer_setup(&q->watchdog, host_cpu(dev_host(dev), 0), watchdog);
	if (ops->priv_size) {
		q->priv = mem_zalloc(w, MEM_QDISC, ops->priv_size);
		if (!q->priv) {
			qdisc_free(q);
			return NULL;
		}
	}
	*err = ops->init ? ops->init(q, opt) : 0;
	if (!*err)
		return q;
	qdisc_free(q);
	return NULL;
}

static void qdisc_unschedule(struct Qdisc *q)
{
	q->scheduled = false;
	list_del_init(&q->sched);
	del_timer(&q->watchdog);
}

void qdisc_reset(struct Qdisc *q, enum skb_drop_reason reason)
{
	for (struct sk_buff *skb; (skb = skb_dequeue(&q->gso_skb)) != NULL;) {
		qdisc_qlen_dec(q, skb);
		kfree_skb_reason(skb, reason);
	}
	if (q->ops->reset)
		q->ops->reset(q, reason);
	ASSERT(q->stats.qlen == 0);
	ASSERT(q->stats.backlog == 0);
}

void qdisc_destroy(struct Qdisc *q, enum skb_drop_reason reason)
{
	if (!q)
		return;
	qdisc_unschedule(q);
	qdisc_reset(q, reason);
	if (q->ops->destroy)
		q->ops->destroy(q);
	qdisc_free(q);
}

/* All that the device has. */
static void qdiscs_drop(struct net_device *dev)
{
	enum skb_drop_reason reason =
		dev->world->ending ? SKB_DROP_REASON_WORLD_END : SKB_DROP_REASON_DEV_DELETED;
	bool mq = dev->qdisc && dev->qdisc->ops->multiqueue;

	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		if (mq || !dev->qdisc)
			qdisc_destroy(dev->tx[i].qdisc, reason);
		dev->tx[i].qdisc = NULL;
	}
	qdisc_destroy(dev->qdisc, reason);
	dev->qdisc = NULL;
}

/* A discipline for every queue: *children is an array that the caller frees. */
static int mq_children(struct net_device *dev, const struct Qdisc_ops *ops, u32 handle,
		       struct Qdisc ***children)
{
	u32 n = dev->num_tx_queues, made;
	struct Qdisc **q = mem_alloc_n(dev->world, MEM_MISC, n, sizeof(*q));
	int err;

	if (!q)
		return -ENOMEM;
	for (made = 0; made < n; made++) {
		q[made] = qdisc_create(dev, &dev->tx[made], ops, NULL, &err);
		if (!q[made])
			break;
		q[made]->parent = TC_H_MAJ(handle) | (made + 1);
	}
	*children = q;
	if (made == n)
		return 0;
	while (made)
		qdisc_destroy(q[--made], SKB_DROP_REASON_DEV_DELETED);
	mem_free_n(dev->world, MEM_MISC, q, n, sizeof(*q));
	return err;
}

int dev_graft_qdisc(struct net_device *dev, struct Qdisc *root)
{
	struct Qdisc **children = NULL;
	const struct Qdisc_ops *ops = dev_default_qdisc(dev_host(dev));
	int err;

	if (dev->driver_depth)
		return -EBUSY;
	if (root->ops->multiqueue) {
		err = mq_children(dev, ops, root->handle, &children);
		if (err)
			return err;
	}
	qdiscs_drop(dev);
	dev->qdisc = root;
	dev->no_queue = false;
	for (u32 i = 0; i < dev->num_tx_queues; i++)
		dev->tx[i].qdisc = children ? children[i] : root;
	if (children)
		mem_free_n(dev->world, MEM_MISC, children, dev->num_tx_queues, sizeof(*children));
	return 0;
}

int dev_graft_queue(struct net_device *dev, u32 queue, struct Qdisc *q)
{
	ASSERT(dev->qdisc && dev->qdisc->ops->multiqueue && queue < dev->num_tx_queues);
	if (dev->driver_depth)
		return -EBUSY;
	qdisc_destroy(dev->tx[queue].qdisc, SKB_DROP_REASON_DEV_DELETED);
	dev->tx[queue].qdisc = q;
	return 0;
}

int dev_graft_noqueue(struct net_device *dev)
{
	if (dev->driver_depth)
		return -EBUSY;
	qdiscs_drop(dev);
	dev->no_queue = true;
	return 0;
}

/* What it has when nobody configured anything (attach_default_qdiscs). */
static int attach_default(struct net_device *dev)
{
	const struct Qdisc_ops *ops = dev_default_qdisc(dev_host(dev));
	bool mq = dev->num_tx_queues > 1;
	struct Qdisc *root;
	int err;

	if (dev->no_queue_default)
		return dev_graft_noqueue(dev);
	ASSERT(ops);
	root = qdisc_create(dev, mq ? NULL : &dev->tx[0],
			    mq ? dev_host(dev)->ptypes->mq_qdisc : ops, NULL, &err);
	if (!root)
		return err;
	err = dev_graft_qdisc(dev, root);
	if (err)
		qdisc_destroy(root, SKB_DROP_REASON_DEV_DELETED);
	return err;
}

int dev_graft_default(struct net_device *dev)
{
	return dev->driver_depth ? -EBUSY : attach_default(dev);
}

void dev_clsact_end(struct net_device *dev)
{
	qdisc_destroy(dev->clsact, SKB_DROP_REASON_DEV_DELETED);
	dev->clsact = NULL;
}

int dev_forget_qdiscs(struct net_device *dev)
{
	int err = attach_default(dev);

	if (err)
		return err;
	dev_clsact_end(dev);
	dev->qdisc_attached = false;
	return 0;
}

/* At registration, so that coming up can not fail. */
int dev_init_scheduler(struct net_device *dev)
{
	dev->no_queue_default = dev->no_queue;
	return attach_default(dev);
}

void dev_shutdown(struct net_device *dev)
{
	dev_clsact_end(dev);
	for (u32 i = 0; i < dev->num_tx_queues; i++)
		dev->tx[i].active = false;
	qdiscs_drop(dev);
	bql_free(dev);
}

void netif_set_real_num_tx_queues(struct net_device *dev, u32 n)
{
	for (u32 i = n; i < dev->real_num_tx_queues; i++) {
		if (!dev->tx[i].qdisc)
			continue;
		qdisc_unschedule(dev->tx[i].qdisc);
		qdisc_reset(dev->tx[i].qdisc, SKB_DROP_REASON_DEV_READY);
		dev->tx[i].stopped = false;
		netdev_tx_reset_queue(&dev->tx[i]);
	}
	dev->real_num_tx_queues = n;
}

/* net.core.default_qdisc counts when a device comes up for the first time. */
static void default_changed(struct net_device *dev)
{
	if (dev->qdisc_attached)
		return;
	dev->qdisc_attached = true;
	if (dev->qdisc && !dev->qdisc->handle &&
	    dev->tx[0].qdisc->ops != dev_default_qdisc(dev_host(dev)))
		attach_default(dev);
}

void dev_activate(struct net_device *dev)
{
	if (!netif_running(dev) || !dev->carrier)
		return;
	default_changed(dev);
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
