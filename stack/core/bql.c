/* SPDX-License-Identifier: MIT */
/*
 * Byte queue limits: a transmit queue rests (stack_xoff) when more bytes lie in the device than it
 * needs to stay busy, so that packets wait in the discipline, which can choose among them, and not
 * in the ring (include/linux/netdevice.h, lib/dql.h).
 *
 * Off unless it is asked for. Invariant: stack_xoff only while dql_avail() is below 0.
 */
#include "core/dev_core.h"

void __netdev_tx_sent_queue(struct netdev_queue *txq, u32 bytes)
{
	dql_queued(txq->dql, bytes);
	if (dql_avail(txq->dql) < 0)
		txq->stack_xoff = true;
}

void __netdev_tx_completed_queue(struct netdev_queue *txq, u32 bytes)
{
	/* What was sent before limits were switched on is not in the account. */
	u32 queued = txq->dql->num_queued - txq->dql->num_completed;

	if (!bytes || !queued)
		return;
	dql_completed(txq->dql, min_u32(bytes, queued), jiffies(dev_host(txq->dev)));
	if (dql_avail(txq->dql) < 0 || !txq->stack_xoff)
		return;
	txq->stack_xoff = false;
	if (!txq->stopped && txq->active && txq->qdisc && txq->qdisc->stats.qlen)
		__netif_schedule(txq->qdisc);
}

void netdev_tx_reset_queue(struct netdev_queue *txq)
{
	if (!txq->dql)
		return;
	txq->stack_xoff = false;
	dql_reset(txq->dql, jiffies(dev_host(txq->dev)));
}

static int bql_on(struct netdev_queue *txq)
{
	struct world *w = txq->dev->world;

	if (txq->dql)
		return 0;
	txq->dql = mem_alloc(w, MEM_MISC, sizeof(*txq->dql));
	if (!txq->dql)
		return -ENOMEM;
	dql_init(txq->dql, HZ);
	txq->dql->slack_start_time = jiffies(dev_host(txq->dev));
	return 0;
}

static void bql_off(struct netdev_queue *txq)
{
	if (!txq->dql)
		return;
	mem_free(txq->dev->world, MEM_MISC, txq->dql, sizeof(*txq->dql));
	txq->dql = NULL;
	if (!txq->stack_xoff)
		return;
	txq->stack_xoff = false;
	if (!txq->stopped && txq->active && txq->qdisc && txq->qdisc->stats.qlen)
		__netif_schedule(txq->qdisc);
}

int bql_set(struct net_device *dev, u32 param, u32 index, u64 value)
{
	struct netdev_queue *txq;
	int err;

	if (param < NIC_PARAM_BQL || param > NIC_PARAM_BQL_HOLD_TIME)
		return -ENOENT;
	if (index >= dev->num_tx_queues)
		return -EINVAL;
	txq = &dev->tx[index];
	if (param == NIC_PARAM_BQL && !value) {
		bql_off(txq);
		return 0;
	}
	if (value > (param == NIC_PARAM_BQL ? 1 : DQL_MAX_LIMIT))
		return -EINVAL;
	err = bql_on(txq);
	if (err)
		return err;
	if (param == NIC_PARAM_BQL_LIMIT_MAX)
		txq->dql->max_limit = (u32)value;
	else if (param == NIC_PARAM_BQL_LIMIT_MIN)
		txq->dql->min_limit = (u32)value;
	else if (param == NIC_PARAM_BQL_HOLD_TIME)
		txq->dql->slack_hold_time = value;
	return 0;
}

void bql_free(struct net_device *dev)
{
	for (u32 i = 0; i < dev->num_tx_queues; i++)
		bql_off(&dev->tx[i]);
}
