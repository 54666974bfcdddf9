/* SPDX-License-Identifier: MIT */
/*
 * NAPI and the NET_RX softirq: devices with work are on their CPU's poll list; net_rx_action polls
 * them in turn until none is left, the budget (net.core.netdev_budget) or the time
 * (net.core.netdev_budget_usecs) is used up. Between two polls the action returns, so that each
 * poll is one step of the CPU and interrupts and frames can come in between; what the kernel keeps
 * in locals lies in softnet_data.
 *
 * Invariants: an instance is on a list (poll_list, rx_list or repoll of one CPU) only while SCHED
 * is set; only who set SCHED may put it there or clear it.
 */
#include "core/dev_core.h"

/* gro_flush_timeout has passed: polls without an interrupt. */
static void napi_watchdog(struct timer *t)
{
	struct napi_struct *napi = container_of(t, struct napi_struct, timer);

	if (napi_schedule_prep(napi))
		__napi_schedule(napi, napi->cpu);
}

void netif_napi_add(struct host *h, struct net_device *dev, struct napi_struct *napi,
		    s32 (*poll)(struct napi_struct *, s32), s32 weight)
{
	*napi = (struct napi_struct){ .dev = dev, .poll = poll, .weight = weight };
	list_init(&napi->poll_list);
	list_init(&napi->dev_list);
	gro_init(napi);
	timer_setup(&napi->timer, host_cpu(h, 0), napi_watchdog);
	if (dev) {
		list_add_tail(&napi->dev_list, &dev->napi_list);
		napi->napi_id = MIN_NAPI_ID + h->napi_gen_id++;
	}
	/* Added as in Linux: disabled until napi_enable(). */
	napi->state = NAPI_STATE_SCHED | NAPI_STATE_DISABLE;
}

void netif_napi_del(struct napi_struct *napi)
{
	del_timer(&napi->timer);
	list_del_init(&napi->dev_list);
	list_del_init(&napi->poll_list);
}

void napi_enable(struct napi_struct *napi)
{
	napi->state &= ~(u32)(NAPI_STATE_SCHED | NAPI_STATE_MISSED | NAPI_STATE_DISABLE);
}

void napi_disable(struct napi_struct *napi)
{
	list_del_init(&napi->poll_list);
	del_timer(&napi->timer);
	gro_purge(napi, napi->dev && napi->dev->world->ending ? SKB_DROP_REASON_WORLD_END :
								SKB_DROP_REASON_DEV_READY);
	napi->state = NAPI_STATE_SCHED | NAPI_STATE_DISABLE;
}

bool napi_schedule_prep(struct napi_struct *napi)
{
	bool was = napi->state & NAPI_STATE_SCHED;

	if (napi->state & NAPI_STATE_DISABLE)
		return false;
	napi->state |= NAPI_STATE_SCHED;
	if (was)
		napi->state |= NAPI_STATE_MISSED;
	return !was;
}

void __napi_schedule(struct napi_struct *napi, struct cpu *cpu)
{
	struct softnet_data *sd = cpu->softnet;

	napi->cpu = cpu;
	list_add_tail(&napi->poll_list, &sd->poll_list);
	/* An action under way looks at the list again before it ends. */
	if (!sd->rx_active)
		raise_softirq(cpu, NET_RX_SOFTIRQ);
}

/* How long until the next poll without an interrupt; 0: interrupts are wanted, or none is needed.
 * *again: the caller must not ask for interrupts. */
static u64 complete_timeout(struct napi_struct *napi, s32 work_done, bool *again)
{
	const struct net_device *dev = napi->dev;
	u64 timeout = 0;

	*again = false;
	if (!dev)
		return 0;
	if (work_done) {
		if (napi->gro_bitmask)
			timeout = dev->gro_flush_timeout;
		napi->defer_hard_irqs_count = dev->napi_defer_hard_irqs;
	}
	if (napi->defer_hard_irqs_count) {
		napi->defer_hard_irqs_count--;
		timeout = dev->gro_flush_timeout;
		*again = timeout != 0;
	}
	return timeout;
}

bool napi_complete_done(struct napi_struct *napi, s32 work_done)
{
	bool again;
	u64 timeout;

	ASSERT(napi->state & NAPI_STATE_SCHED);
	if (napi->state & NAPI_STATE_IN_BUSY_POLL)
		return false;
	timeout = complete_timeout(napi, work_done, &again);
	/* Held over several polls they are kept for a jiffy at most. */
	gro_flush_normal(napi, timeout != 0);
	list_del_init(&napi->poll_list);
	if (napi->state & NAPI_STATE_DISABLE)
		return false;
	if (napi->state & NAPI_STATE_MISSED) {
		napi->state &= ~(u32)NAPI_STATE_MISSED;
		__napi_schedule(napi, napi->cpu);
		return false;
	}
	napi->state &= ~(u32)NAPI_STATE_SCHED;
	if (timeout)
		hrtimer_start(&napi->timer, napi->cpu->host->world->now + timeout);
	return !again;
}

/* One poll; the instance goes to `repoll` when it used its whole weight. Returns the work done. */
static s32 napi_poll(struct napi_struct *n, struct list_head *repoll)
{
	struct cpu *cpu = n->cpu;
	struct host *h = cpu->host;
	s32 weight = n->weight, work;

	list_del_init(&n->poll_list);
	cpu_cost(cpu, COST_POLL, 1);
	if (n->dev)
		n->dev->driver_depth++;
	work = n->poll(n, weight);
	if (n->dev)
		n->dev->driver_depth--;
	trace(h->world, h, TRACE_NAPI_POLL, n->dev ? n->dev->ifindex : 0, n->index, (u64)work,
	      (u64)weight);
	ASSERT(work <= weight);
	if (work < weight || !list_empty(&n->poll_list))
		return work;
	gro_flush_normal(n, true);
	if (n->state & NAPI_STATE_SCHED)
		list_add_tail(&n->poll_list, repoll);
	return work;
}

static void net_rx_begin(struct softnet_data *sd)
{
	const struct host *h = sd->cpu->host;
	const struct netns_sysctl *ctl = &h->init_net->sysctl;

	sd->rx_active = true;
	sd->budget = ctl->core_netdev_budget;
	sd->time_limit = jiffies(h) + ((u64)ctl->core_netdev_budget_usecs + 999) / 1000;
	list_splice_tail_init(&sd->poll_list, &sd->rx_list);
}

/* What is left goes back in the order: the rest of this round, what was scheduled since, those that
 * want more. */
static enum softirq_result net_rx_end(struct softnet_data *sd)
{
	struct list_head rest;

	list_init(&rest);
	list_splice_tail_init(&sd->rx_list, &rest);
	list_splice_tail_init(&sd->poll_list, &rest);
	list_splice_tail_init(&sd->repoll, &rest);
	list_splice_tail_init(&rest, &sd->poll_list);
	sd->rx_active = false;
	net_rps_action(sd);
	if (!list_empty(&sd->poll_list))
		raise_softirq(sd->cpu, NET_RX_SOFTIRQ);
	return SOFTIRQ_DONE;
}

/* jiffies as this CPU sees them within a step that has cost time already. */
static u64 cpu_jiffies(const struct cpu *cpu)
{
	return jiffies(cpu->host) +
	       (cpu->step_cost ? (cpu->host->world->now % JIFFY_NS + cpu->step_cost) / JIFFY_NS :
				 0);
}

enum softirq_result net_rx_action(struct cpu *cpu)
{
	struct softnet_data *sd = cpu->softnet;

	if (!sd->rx_active)
		net_rx_begin(sd);
	if (list_empty(&sd->rx_list))
		list_splice_tail_init(&sd->poll_list, &sd->rx_list);
	if (list_empty(&sd->rx_list))
		return net_rx_end(sd);
	sd->budget -= napi_poll(list_first_entry(&sd->rx_list, struct napi_struct, poll_list),
				&sd->repoll);
	if (sd->budget <= 0 || (s64)(cpu_jiffies(cpu) - sd->time_limit) >= 0) {
		sd->time_squeeze++;
		return net_rx_end(sd);
	}
	if (!list_empty(&sd->rx_list))
		return SOFTIRQ_AGAIN;
	/* Those that want more have their next turn in a new round of the softirq, as in Linux; a
	 * device scheduled since, with nobody waiting for more, goes on in this one. */
	if (list_empty(&sd->repoll) && !list_empty(&sd->poll_list))
		return SOFTIRQ_AGAIN;
	return net_rx_end(sd);
}
