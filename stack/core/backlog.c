/* SPDX-License-Identifier: MIT */
/*
 * softnet_data, one per CPU, and its backlog: packets that did not come from a device's own poll
 * (loopback, tun, RPS) wait in input_pkt_queue for the CPU's backlog NAPI. Longer than
 * net.core.netdev_max_backlog it does not grow: dropped with CPU_BACKLOG.
 */
#include "core/dev_core.h"
#include "core/skb_path.h"
#include "core/rps.h"

static void backlog_splice(struct softnet_data *sd)
{
	ASSERT(skb_queue_empty(&sd->process_queue));
	sd->process_queue = sd->input_pkt_queue;
	skb_queue_head_init(&sd->input_pkt_queue);
}

s32 process_backlog(struct napi_struct *napi, s32 quota)
{
	struct softnet_data *sd = napi->cpu->softnet;
	s32 work = 0;

	/* Packets for others, from before: they need not wait for the end of the softirq. */
	net_rps_action(sd);
	napi->weight = dev_weight(sd);
	for (;;) {
		struct sk_buff *skb;

		while ((skb = skb_dequeue(&sd->process_queue)) != NULL) {
			cpu_cost_rx(napi->cpu, skb->len);
			__netif_receive_skb(sd, skb);
			sd->input_queue_head++;
			if (++work >= quota)
				return work;
		}
		if (skb_queue_empty(&sd->input_pkt_queue)) {
			/* Not napi_complete_done(): enqueue_to_backlog() schedules it again. */
			napi->state &= ~(u32)(NAPI_STATE_SCHED | NAPI_STATE_MISSED);
			return work;
		}
		backlog_splice(sd);
	}
}

/* napi_schedule_rps(): another CPU is told at the end of this one's softirq. */
static void napi_schedule_rps(struct softnet_data *sd)
{
	struct softnet_data *mine = this_softnet(sd->cpu->host);

	if (!napi_schedule_prep(&sd->backlog))
		return;
	if (mine == sd) {
		__napi_schedule(&sd->backlog, sd->cpu);
		return;
	}
	list_add_tail(&sd->rps_ipi, &mine->rps_ipi_list);
	if (!mine->rx_active)
		raise_softirq(mine->cpu, NET_RX_SOFTIRQ);
}

void net_rps_action(struct softnet_data *sd)
{
	while (!list_empty(&sd->rps_ipi_list)) {
		struct softnet_data *other =
			list_first_entry(&sd->rps_ipi_list, struct softnet_data, rps_ipi);

		/* rps_trigger_softirq(), in the interrupt there. */
		list_del_init(&other->rps_ipi);
		other->received_rps++;
		cpu_cost(sd->cpu, COST_IPI, 1);
		__napi_schedule(&other->backlog, other->cpu);
	}
}

int enqueue_to_backlog(struct sk_buff *skb, struct cpu *cpu, u32 *qtail)
{
	struct softnet_data *sd = cpu->softnet;
	enum skb_drop_reason reason = SKB_DROP_REASON_DEV_READY;

	if (netif_running(skb->dev)) {
		u32 max = (u32)cpu->host->init_net->sysctl.core_netdev_max_backlog;
		u32 qlen = sd->input_pkt_queue.qlen;

		reason = SKB_DROP_REASON_CPU_BACKLOG;
		if (qlen <= max && !skb_flow_limit(this_softnet(cpu->host), skb, qlen)) {
			skb_path(skb, SKB_PATH_ENQUEUE_TO_BACKLOG);
			skb_queue_tail(&sd->input_pkt_queue, skb);
			sd->input_queue_tail++;
			if (qtail)
				*qtail = sd->input_queue_tail;
			if (!(sd->backlog.state & NAPI_STATE_SCHED))
				napi_schedule_rps(sd);
			return NET_RX_SUCCESS;
		}
		sd->dropped++;
	}
	skb->dev->stats.rx_dropped++;
	kfree_skb_reason(skb, reason);
	return NET_RX_DROP;
}

int netif_rx(struct sk_buff *skb)
{
	struct cpu *cpu = NULL;
	u32 *qtail = NULL;

	if (!skb->tstamp)
		skb->tstamp = skb->world->now;
	if (skb->dev->steering)
		cpu = get_rps_cpu(skb->dev, skb, &qtail);
	return enqueue_to_backlog(skb, cpu ? cpu : this_cpu(dev_host(skb->dev)), qtail);
}

static u32 flush_queue(struct sk_buff_head *q, const struct net_device *dev)
{
	struct sk_buff *next;
	u32 n = 0;

	for (struct sk_buff *skb = skb_peek(q); skb; skb = next) {
		next = skb->next;
		if (skb->dev != dev)
			continue;
		skb_unlink(q, skb);
		n++;
		kfree_skb_reason(skb, skb->world->ending ? SKB_DROP_REASON_WORLD_END :
							   SKB_DROP_REASON_DEV_DELETED);
	}
	return n;
}

void flush_backlog(struct net_device *dev)
{
	struct host *h = dev_host(dev);

	for (u32 i = 0; i < h->cpus_count; i++) {
		struct softnet_data *sd = h->cpus[i]->softnet;

		sd->input_queue_head += flush_queue(&sd->input_pkt_queue, dev);
		sd->input_queue_head += flush_queue(&sd->process_queue, dev);
	}
}

static int softnet_init(struct cpu *cpu)
{
	struct softnet_data *sd = mem_zalloc(cpu->host->world, MEM_SOFTNET, sizeof(*sd));

	if (!sd)
		return -ENOMEM;
	sd->cpu = cpu;
	list_init(&sd->poll_list);
	list_init(&sd->rx_list);
	list_init(&sd->repoll);
	list_init(&sd->output_queue);
	list_init(&sd->rps_ipi_list);
	list_init(&sd->rps_ipi);
	skb_queue_head_init(&sd->input_pkt_queue);
	skb_queue_head_init(&sd->process_queue);
	netif_napi_add(cpu->host, NULL, &sd->backlog, process_backlog, NAPI_POLL_WEIGHT);
	napi_enable(&sd->backlog);
	cpu->softnet = sd;
	return 0;
}

int net_dev_init(struct host *h)
{
	int err = ptype_init(h);

	for (u32 i = 0; !err && i < h->cpus_count; i++)
		err = softnet_init(h->cpus[i]);
	if (err) {
		net_dev_exit(h);
		return err;
	}
	open_softirq(h, NET_TX_SOFTIRQ, net_tx_action);
	open_softirq(h, NET_RX_SOFTIRQ, net_rx_action);
	return 0;
}

void net_dev_exit(struct host *h)
{
	for (u32 i = 0; i < h->cpus_count; i++) {
		struct softnet_data *sd = h->cpus[i]->softnet;

		if (!sd)
			continue;
		/* Devices took their packets with them: flush_backlog(). */
		ASSERT(skb_queue_empty(&sd->input_pkt_queue));
		ASSERT(skb_queue_empty(&sd->process_queue));
		netif_napi_del(&sd->backlog);
		list_del_init(&sd->rps_ipi);
		flow_limit_free(sd);
		mem_free(h->world, MEM_SOFTNET, sd, sizeof(*sd));
		h->cpus[i]->softnet = NULL;
	}
	if (h->ptypes)
		rps_sock_flow_free(h);
	ptype_exit(h);
}
