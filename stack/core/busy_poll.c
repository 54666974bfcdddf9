/* SPDX-License-Identifier: MIT */
/*
 * Busy polling (net/core/dev.c: napi_busy_loop; SO_BUSY_POLL): a call that would sleep looks into
 * the receive queue of its device by itself, before the interrupt comes. Each look is a poll of the
 * NAPI instance that its packets came by, and gives the instance back at its end (busy_poll_stop):
 * in virtual time the caller looks again a microsecond later.
 *
 * Invariant: IN_BUSY_POLL is set only within napi_busy_poll(), together with SCHED.
 */
#include "core/busy_poll.h"
#include "core/dev_core.h"
#include "core/dev_link.h"
#include "core/dst.h"

/* Where the socket's packets come in: a VLAN's device is below it. */
static struct napi_struct *sk_napi(const struct sock *sk)
{
	struct net_device *dev = NULL;
	u32 queue = sk->sk_rare->rx_queue;

	if (sk->sk_rare->rx_ifindex) {
		dev = dev_get_by_index(sk->net, sk->sk_rare->rx_ifindex);
	} else if (sk->dst_cache && sk->sk_rx_queue) {
		dev = sk->dst_cache->dev;
		queue = sk->sk_rx_queue - 1u;
	}
	while (dev && dev->link_ops && dev->link_ops->get_link && !dev->link_ops->peer)
		dev = dev->link_ops->get_link(dev);
	if (!dev)
		return NULL;
	list_for_each(pos, &dev->napi_list) {
		struct napi_struct *napi = list_entry(pos, struct napi_struct, dev_list);

		if (napi->index == queue)
			return napi;
	}
	return NULL;
}

u32 sk_napi_id(const struct sock *sk)
{
	const struct napi_struct *napi = sk_napi(sk);

	return napi ? napi->napi_id : 0;
}

static s32 poll_once(struct napi_struct *napi, s32 budget)
{
	struct world *w = napi->dev->world;
	struct host *h = napi->cpu->host;
	s32 work;

	cpu_cost(napi->cpu, COST_POLL, 1);
	napi->dev->driver_depth++;
	work = napi->poll(napi, budget);
	napi->dev->driver_depth--;
	trace(w, h, TRACE_NAPI_POLL, napi->dev->ifindex, napi->index, (u64)work, (u64)budget);
	return work;
}

/* busy_poll_stop(): the last poll completes the instance, or leaves the rest to the softirq. With
 * SO_PREFER_BUSY_POLL interrupts stay off for gro_flush_timeout, as when packets had come. */
static void busy_poll_stop(struct napi_struct *napi, s32 budget, bool prefer)
{
	const struct net_device *dev = napi->dev;
	bool timed = false;

	napi->state &= ~(u32)(NAPI_STATE_MISSED | NAPI_STATE_IN_BUSY_POLL);
	if (prefer && dev->napi_defer_hard_irqs && dev->gro_flush_timeout) {
		napi->defer_hard_irqs_count = dev->napi_defer_hard_irqs;
		hrtimer_start(&napi->timer, dev->world->now + dev->gro_flush_timeout);
		timed = true;
	}
	if (poll_once(napi, budget) < budget)
		return;
	gro_flush_normal(napi, true);
	if (timed)
		napi->state &= ~(u32)NAPI_STATE_SCHED;
	else
		__napi_schedule(napi, napi->cpu);
}

/* One look. Somebody else polls it already: nothing. */
static void napi_busy_poll(struct napi_struct *napi, s32 budget, bool prefer)
{
	s32 work;

	if (napi->state & (NAPI_STATE_DISABLE | NAPI_STATE_SCHED))
		return;
	napi->state |= NAPI_STATE_SCHED | NAPI_STATE_IN_BUSY_POLL;
	napi->cpu = this_cpu(dev_host(napi->dev));
	work = poll_once(napi, budget);
	gro_flush_normal(napi, true);
	if (work)
		MIB_ADD(napi->dev->net, TcpExtBusyPollRxPackets, (u64)work);
	busy_poll_stop(napi, budget, prefer);
}

bool sk_busy_poll(struct sock *sk)
{
	const struct sock_rare *rare = sk->sk_rare;
	struct napi_struct *napi = sk_napi(sk);

	if (!napi || napi->dev->driver_depth)
		return false;
	napi_busy_poll(napi, rare->busy_poll_budget ? rare->busy_poll_budget : BUSY_POLL_BUDGET,
		       rare->prefer_busy_poll);
	return true;
}

void __sk_mark_napi_id(struct sock *sk, const struct sk_buff *skb)
{
	struct sock_rare *rare = sock_rare_own(sk);

	if (!skb->dev)
		return;
	rare->rx_ifindex = skb->dev->ifindex;
	rare->rx_queue = skb->queue_mapping;
}
