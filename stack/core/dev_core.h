/* SPDX-License-Identifier: MIT */
/*
 * What the files of the device layer (dev*.c, napi.c, backlog.c, ptype.c, sch_generic.c) share and
 * nobody else sees: the tables that a kernel has once, and the inner receive entry.
 */
#ifndef TAPLINE_CORE_DEV_CORE_H
#define TAPLINE_CORE_DEV_CORE_H

#include "core/netdevice.h"
#include "core/sch_generic.h"
#include "kernel/trace.h"
#include "stack/errno.h"
#include "stack/nic.h"

#define NAPI_POLL_WEIGHT   64
#define PTYPE_HASH_SIZE	   16u
#define NETDEV_NOTIFIERS   16u
#define XMIT_RECURSION_MAX 8u
#define DEV_TX_WEIGHT	   64u
#define PACKET_OFFLOADS	   4u
#define LINK_KINDS	   8u

/* A packet type on a list; `pt` is its owner's. */
struct ptype_entry {
	struct list_head list;
	const struct packet_type *pt;
};

/* Of a host: taps, protocols by EtherType, the notifier chain, the qdisc that new devices get. */
struct ptype_table {
	struct list_head base[PTYPE_HASH_SIZE];
	netdev_notifier_fn notifier[NETDEV_NOTIFIERS];
	u32 notifiers;
	const struct Qdisc_ops *default_qdisc, *mq_qdisc;
	const char *tc_extack; /* of the last request to traffic control; NULL: it went well */
	u32 tc_handle; /* handle given out last, without its top bit */
	u32 tc_action_index; /* number given to an action last */
	const struct packet_offload *offload[PACKET_OFFLOADS]; /* core/offload.h */
	u32 offloads;
	u32 *rps_sock_flows; /* rps.c: hash and CPU of the reader, by flow */
	u32 rps_sock_flow_entries;
	const struct rtnl_link_ops *link_ops[LINK_KINDS]; /* core/dev_link.h */
	u32 link_kinds;
};

/* The softnet_data of the step that runs. */
static inline struct softnet_data *this_softnet(struct host *h)
{
	return h->cpus_count == 1 ? h->cpus[0]->softnet : this_cpu(h)->softnet;
}

/* net.core.dev_weight */
static inline s32 dev_weight(const struct softnet_data *sd)
{
	return sd->cpu->host->init_net->sysctl.core_dev_weight;
}

/* Costs nothing without a cost model. */
static inline void cpu_cost_rx(struct cpu *cpu, u32 len)
{
	const u64 *cost = cpu->host->cost;

	if (cost[COST_RX_PACKET])
		cpu_cost(cpu, COST_RX_PACKET, 1);
	if (cost[COST_RX_BYTE])
		cpu_cost(cpu, COST_RX_BYTE, len);
}

/* The receive path, RPS first. Takes the skb. */
int netif_receive_skb_sd(struct softnet_data *sd, struct sk_buff *skb);
/* The receive path proper, on the CPU of `sd`. Takes the skb. */
int __netif_receive_skb(struct softnet_data *sd, struct sk_buff *skb);

/* Hands the frame from `from` (its link header) on to world_ops.capture. Only when one listens. */
void dev_capture(const struct sk_buff *skb, struct net_device *dev, u32 dir, u32 pulled);

static inline bool capture_wanted(const struct world *w)
{
	return w->ops && w->ops->capture;
}

/* The softirq actions (napi.c, sch_generic.c) and the backlog's poll (backlog.c). */
enum softirq_result net_rx_action(struct cpu *cpu);
enum softirq_result net_tx_action(struct cpu *cpu);
s32 process_backlog(struct napi_struct *napi, s32 quota);
void flow_limit_free(struct softnet_data *sd);
/* Onto a CPU's backlog; qtail (may be NULL) becomes its place there. */
int enqueue_to_backlog(struct sk_buff *skb, struct cpu *cpu, u32 *qtail);
/* The CPUs that were given packets are interrupted. */
void net_rps_action(struct softnet_data *sd);
/* Packets of a device that goes leave the backlogs (reason DEV_DELETED). */
void flush_backlog(struct net_device *dev);

/* gso.c: the offload of an EtherType; NULL: none. */
struct packet_offload;
const struct packet_offload *packet_offload_find(const struct host *h, be16 protocol);

/* gro.c: the state of a NAPI instance; all held packets go up (flush_old: but those of this jiffy),
 * and what waits for a batch; all are dropped. */
void gro_init(struct napi_struct *napi);
void gro_flush_normal(struct napi_struct *napi, bool flush_old);
void gro_purge(struct napi_struct *napi, enum skb_drop_reason reason);

/* Qdiscs come and go with IFF_UP and the carrier (sch_generic.c). */
int dev_init_scheduler(struct net_device *dev);
void dev_shutdown(struct net_device *dev);
void dev_activate(struct net_device *dev);
void dev_deactivate(struct net_device *dev);
void dev_watchdog(struct timer *t);

int ptype_init(struct host *h);
void ptype_exit(struct host *h);

/* dev_names.c: the name is valid and free in the namespace (or its own); "eth%d" becomes the first
 * that is free. To `name`, IFNAME_LEN characters. 0, -EINVAL, -EEXIST. */
int dev_prep_valid_name(struct net *net, const struct net_device *dev, const char *want,
			char *name);
/* Of a device that is listed. */
void dev_rename(struct net_device *dev, const char *name);
/* Into the lists of its namespace, and out of them. */
void list_netdevice(struct net_device *dev);
void unlist_netdevice(struct net_device *dev);

/* Multicast list (dev_addr.c). */
void dev_mc_flush(struct net_device *dev);

int call_netdevice_notifiers(struct net_device *dev, enum netdev_event event);

#endif
