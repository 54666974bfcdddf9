/* SPDX-License-Identifier: MIT */
/*
 * RPS, RFS, XPS and the backlog's flow limit (net/core/dev.c: get_rps_cpu, skb_flow_limit,
 * get_xps_queue).
 *
 * Invariant: with RFS a flow changes its CPU only when all its packets that were queued for the old
 * one have been handled: it stays in order.
 */
#include "core/rps.h"
#include "core/dev_core.h"
#include "core/sock.h"
#include "lib/hash.h"

#define FLOW_LIMIT_HISTORY 128u
#define FLOW_LIMIT_BUCKETS 4096u
#define RPS_CPU_BITS	   6u
#define RPS_CPU_MASK	   ((1u << RPS_CPU_BITS) - 1)
_Static_assert(HOST_CPUS_MAX <= RPS_CPU_MASK + 1, "a CPU's number fits beside the hash");

/* ---- settings ---- */

static size_t steering_size(const struct net_device *dev)
{
	return sizeof(struct dev_steering) + dev->num_rx_queues * sizeof(struct netdev_rx_queue);
}

static struct dev_steering *steering_get(struct net_device *dev)
{
	struct world *w = dev->world;
	struct dev_steering *s = dev->steering;

	if (s)
		return s;
	s = mem_zalloc(w, MEM_NETDEV_PRIV, steering_size(dev));
	if (!s)
		return NULL;
	s->xps_cpus = mem_alloc_n(w, MEM_NETDEV_PRIV, 2 * dev->num_tx_queues, sizeof(u64));
	if (!s->xps_cpus) {
		mem_free(w, MEM_NETDEV_PRIV, s, steering_size(dev));
		return NULL;
	}
	memset(s->xps_cpus, 0, 2 * dev->num_tx_queues * sizeof(u64));
	s->xps_rxqs = s->xps_cpus + dev->num_tx_queues;
	dev->steering = s;
	return s;
}

static void flows_free(struct net_device *dev, struct netdev_rx_queue *rxq)
{
	if (rxq->flows)
		mem_free_n(dev->world, MEM_NETDEV_PRIV, rxq->flows, rxq->rps_flow_cnt,
			   sizeof(*rxq->flows));
	rxq->flows = NULL;
	rxq->rps_flow_cnt = 0;
}

void dev_steering_free(struct net_device *dev)
{
	struct dev_steering *s = dev->steering;

	if (!s)
		return;
	for (u32 i = 0; i < dev->num_rx_queues; i++)
		flows_free(dev, &s->rx[i]);
	mem_free_n(dev->world, MEM_NETDEV_PRIV, s->xps_cpus, 2 * dev->num_tx_queues, sizeof(u64));
	mem_free(dev->world, MEM_NETDEV_PRIV, s, steering_size(dev));
	dev->steering = NULL;
}

static u32 roundup_pow_of_two(u64 v)
{
	u32 n = 1;

	while (n < v)
		n *= 2;
	return n;
}

static int set_flow_cnt(struct net_device *dev, struct netdev_rx_queue *rxq, u64 count)
{
	u32 n = count ? roundup_pow_of_two(count) : 0;

	flows_free(dev, rxq);
	if (!n)
		return 0;
	rxq->flows = mem_alloc_n(dev->world, MEM_NETDEV_PRIV, n, sizeof(*rxq->flows));
	if (!rxq->flows)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++)
		rxq->flows[i] = (struct rps_dev_flow){ .cpu = RPS_NO_CPU };
	rxq->rps_flow_cnt = n;
	return 0;
}

static int set_xps(const struct net_device *dev, struct dev_steering *s, u64 *map, u32 queue,
		   u64 mask)
{
	map[queue] = mask;
	s->xps = s->xps_rx = false;
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		s->xps |= s->xps_cpus[i] != 0;
		s->xps_rx |= s->xps_rxqs[i] != 0;
	}
	return 0;
}

int dev_steering_set(struct net_device *dev, u32 param, u32 index, u64 value)
{
	u32 cpus = dev_host(dev)->cpus_count;
	u64 all = cpus == 64 ? ~0ull : (1ull << cpus) - 1;
	bool tx = param == NIC_PARAM_XPS_CPUS || param == NIC_PARAM_XPS_RXQS;
	struct dev_steering *s;

	if (!tx && param != NIC_PARAM_RPS_CPUS && param != NIC_PARAM_RPS_FLOW_CNT)
		return -ENOENT;
	if (index >= (tx ? dev->num_tx_queues : dev->num_rx_queues))
		return -EINVAL;
	s = steering_get(dev);
	if (!s)
		return -ENOMEM;
	if (param == NIC_PARAM_RPS_FLOW_CNT)
		return value > 1u << 20 ? -EINVAL : set_flow_cnt(dev, &s->rx[index], value);
	if (param == NIC_PARAM_XPS_RXQS)
		return set_xps(dev, s, s->xps_rxqs, index, value);
	if (tx)
		return set_xps(dev, s, s->xps_cpus, index, value & all);
	s->rx[index].rps_cpus = value & all;
	return 0;
}

/* The n-th CPU of a mask. */
static u32 mask_nth(u64 mask, u32 n)
{
	while (n--)
		mask &= mask - 1;
	return (u32)__builtin_ctzll(mask);
}

static u32 mask_pick(u64 mask, u32 hash)
{
	u32 count = 0;

	for (u64 m = mask; m; m &= m - 1)
		count++;
	return mask_nth(mask, (u32)((u64)hash * count >> 32));
}

/* ---- RFS: where readers run ---- */

int rps_sock_flow_resize(struct host *h)
{
	struct ptype_table *t = h->ptypes;
	u32 want = (u32)h->init_net->sysctl.core_rps_sock_flow_entries;
	u32 n = want ? roundup_pow_of_two(want) : 0;

	rps_sock_flow_free(h);
	if (!n)
		return 0;
	t->rps_sock_flows = mem_alloc_n(h->world, MEM_HASH_TABLE, n, sizeof(u32));
	if (!t->rps_sock_flows)
		return -ENOMEM;
	/* The CPU of an empty entry is out of the question: no hash fits it. */
	memset(t->rps_sock_flows, 0xff, n * sizeof(u32));
	t->rps_sock_flow_entries = n;
	return 0;
}

void rps_sock_flow_free(struct host *h)
{
	struct ptype_table *t = h->ptypes;

	if (t->rps_sock_flows)
		mem_free_n(h->world, MEM_HASH_TABLE, t->rps_sock_flows, t->rps_sock_flow_entries,
			   sizeof(u32));
	t->rps_sock_flows = NULL;
	t->rps_sock_flow_entries = 0;
}

void sock_rps_record_flow(const struct sock *sk)
{
	struct host *h = sk->net->host;
	struct ptype_table *t = h->ptypes;

	if (!t->rps_sock_flows || !sk->sk_rxhash)
		return;
	t->rps_sock_flows[sk->sk_rxhash & (t->rps_sock_flow_entries - 1)] =
		(sk->sk_rxhash & ~RPS_CPU_MASK) | this_cpu(h)->id;
}

/* The CPU by RFS; RPS_NO_CPU: it has no opinion. */
static u32 rfs_cpu(struct net_device *dev, struct netdev_rx_queue *rxq, u32 hash, u32 **qtail)
{
	struct host *h = dev_host(dev);
	const struct ptype_table *t = h->ptypes;
	struct rps_dev_flow *flow;
	u32 ident, next;

	if (!rxq->flows || !t->rps_sock_flows)
		return RPS_NO_CPU;
	ident = t->rps_sock_flows[hash & (t->rps_sock_flow_entries - 1)];
	next = ident & RPS_CPU_MASK;
	if ((ident ^ hash) & ~RPS_CPU_MASK || next >= h->cpus_count)
		return RPS_NO_CPU;
	flow = &rxq->flows[hash & (rxq->rps_flow_cnt - 1)];
	if (flow->cpu != next &&
	    (flow->cpu == RPS_NO_CPU ||
	     (s32)(h->cpus[flow->cpu]->softnet->input_queue_head - flow->last_qtail) >= 0)) {
		flow->cpu = (u16)next;
		flow->last_qtail = h->cpus[next]->softnet->input_queue_head;
	}
	*qtail = &flow->last_qtail;
	return flow->cpu;
}

struct cpu *get_rps_cpu(struct net_device *dev, struct sk_buff *skb, u32 **qtail)
{
	struct dev_steering *s = dev->steering;
	struct netdev_rx_queue *rxq;
	u32 hash, cpu;

	*qtail = NULL;
	rxq = &s->rx[skb->queue_mapping < dev->num_rx_queues ? skb->queue_mapping : 0];
	if (!rxq->rps_cpus && !rxq->flows)
		return NULL;
	skb_reset_network_header(skb);
	hash = skb_get_hash(skb);
	if (!hash)
		return NULL;
	cpu = rfs_cpu(dev, rxq, hash, qtail);
	if (cpu == RPS_NO_CPU) {
		if (!rxq->rps_cpus)
			return NULL;
		cpu = mask_pick(rxq->rps_cpus, hash);
	}
	return dev_host(dev)->cpus[cpu];
}

/* ---- flow limit ---- */

struct sd_flow_limit {
	u32 history_head;
	u16 history[FLOW_LIMIT_HISTORY];
	u8 buckets[FLOW_LIMIT_BUCKETS];
};

void flow_limit_free(struct softnet_data *sd)
{
	if (sd->flow_limit)
		mem_free(sd->cpu->host->world, MEM_SOFTNET, sd->flow_limit,
			 sizeof(*sd->flow_limit));
	sd->flow_limit = NULL;
}

bool skb_flow_limit(struct softnet_data *sd, struct sk_buff *skb, u32 qlen)
{
	const struct netns_sysctl *ctl = &sd->cpu->host->init_net->sysctl;
	struct sd_flow_limit *fl = sd->flow_limit;
	u16 flow, old;

	if (qlen < (u32)ctl->core_netdev_max_backlog >> 1 || sd->cpu->id >= 31 ||
	    !((u32)ctl->core_flow_limit_cpu_bitmap >> sd->cpu->id & 1))
		return false;
	if (!fl) {
		fl = mem_zalloc(sd->cpu->host->world, MEM_SOFTNET, sizeof(*fl));
		if (!fl)
			return false;
		sd->flow_limit = fl;
	}
	flow = (u16)(mix64(skb_get_hash(skb)) & (FLOW_LIMIT_BUCKETS - 1));
	old = fl->history[fl->history_head];
	fl->history[fl->history_head] = flow;
	fl->history_head = (fl->history_head + 1) & (FLOW_LIMIT_HISTORY - 1);
	if (fl->buckets[old])
		fl->buckets[old]--;
	if (++fl->buckets[flow] <= FLOW_LIMIT_HISTORY >> 1)
		return false;
	sd->flow_limit_count++;
	return true;
}

/* ---- transmit queues ---- */

/* One of the queues whose mask has the bit, by flow. -1: none has. */
static s32 get_xps_queue_idx(const struct net_device *dev, struct sk_buff *skb, const u64 *map,
			     u32 bit)
{
	u64 queues = 0;

	for (u32 i = 0; bit < 64 && i < dev->real_num_tx_queues && i < 64; i++)
		queues |= (map[i] >> bit & 1) << i;
	if (!queues)
		return -1;
	return (s32)(queues & (queues - 1) ? mask_pick(queues, skb_get_hash(skb)) :
					     mask_nth(queues, 0));
}

/* By the receive queue that the socket's packets come in by; else by the CPU. -1: nothing is set.
 */
static s32 get_xps_queue(const struct net_device *dev, struct sk_buff *skb)
{
	const struct dev_steering *s = dev->steering;
	s32 queue = -1;

	if (!s)
		return -1;
	if (s->xps_rx && skb->sk && skb->sk->sk_rx_queue)
		queue = get_xps_queue_idx(dev, skb, s->xps_rxqs, skb->sk->sk_rx_queue - 1u);
	if (queue < 0 && s->xps)
		queue = get_xps_queue_idx(dev, skb, s->xps_cpus, this_cpu(dev_host(dev))->id);
	return queue;
}

u32 netdev_pick_tx(struct net_device *dev, struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	s32 queue;

	/* A socket stays with its queue while packets of it may be under way there. */
	if (sk && sk->sk_tx_queue && sk->sk_tx_queue <= dev->real_num_tx_queues && !skb->ooo_okay)
		return sk->sk_tx_queue - 1u;
	queue = get_xps_queue(dev, skb);
	if (queue < 0)
		queue = (s32)((u64)skb_get_hash(skb) * dev->real_num_tx_queues >> 32);
	if (sk && sk->dst_cache)
		sk->sk_tx_queue = (u16)(queue + 1);
	return (u32)queue;
}
