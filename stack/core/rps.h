/* SPDX-License-Identifier: MIT */
/*
 * Steering of packets between CPUs (core/rps.c): RPS spreads the flows of a receive queue over a
 * set of CPUs, RFS sends a flow where its reader runs, XPS chooses the transmit queue by the CPU
 * that sends. Set as through /sys/class/net/X/queues.
 */
#ifndef TAPLINE_CORE_RPS_H
#define TAPLINE_CORE_RPS_H

#include "core/netdevice.h"

struct rps_dev_flow {
	u16 cpu; /* RPS_NO_CPU: none yet */
	u32 last_qtail; /* of that CPU's backlog when the flow's last packet was queued there */
};
#define RPS_NO_CPU 0xffffu

struct netdev_rx_queue {
	u64 rps_cpus; /* mask; 0: off */
	u32 rps_flow_cnt; /* a power of two; 0: off */
	struct rps_dev_flow *flows;
};

/* What a device has when something is set. */
struct dev_steering {
	u64 *xps_cpus; /* by transmit queue: CPUs that use it */
	u64 *xps_rxqs; /* by transmit queue: receive queues whose sockets use it */
	bool xps, xps_rx; /* any is set */
	struct netdev_rx_queue rx[];
};

/* NIC_PARAM_RPS_CPUS, _RPS_FLOW_CNT, _XPS_CPUS, _XPS_RXQS of queue `index`. -ENOENT: it is another
 * param. */
int dev_steering_set(struct net_device *dev, u32 param, u32 index, u64 value);
void dev_steering_free(struct net_device *dev);

/* The CPU that is to handle the packet; NULL: whoever has it. *qtail: where to note the place in
 * its backlog (RFS), or NULL. */
struct cpu *get_rps_cpu(struct net_device *dev, struct sk_buff *skb, u32 **qtail);
/* The transmit queue of a packet (netdev_pick_tx). */
u32 netdev_pick_tx(struct net_device *dev, struct sk_buff *skb);

/* net.core.rps_sock_flow_entries was set: the table of all sockets. 0 or -ENOMEM. */
int rps_sock_flow_resize(struct host *h);
void rps_sock_flow_free(struct host *h);

/* enqueue_to_backlog: is the flow of this packet too large a part of a long backlog? */
bool skb_flow_limit(struct softnet_data *sd, struct sk_buff *skb, u32 qlen);

#endif
