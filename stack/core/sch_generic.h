/* SPDX-License-Identifier: MIT */
/*
 * Queueing disciplines as the device layer sees them: one per transmit queue, between
 * dev_queue_xmit() and ndo_start_xmit. The disciplines themselves are in sched/ and come in through
 * Qdisc_ops.
 *
 * Invariants: qlen counts the packets inside the discipline and those taken back from the driver
 * (gso_skb); `sched` is on a softnet's output_queue exactly while `scheduled`.
 */
#ifndef TAPLINE_CORE_SCH_GENERIC_H
#define TAPLINE_CORE_SCH_GENERIC_H

#include "core/netdevice.h"

struct Qdisc;

struct Qdisc_ops {
	const char *id;
	u32 priv_size;
	/* Sets priv (zeroed) up. 0 or -errno. */
	int (*init)(struct Qdisc *q);
	/* Takes the packet: NET_XMIT_SUCCESS, or drops it (qdisc_drop) with NET_XMIT_DROP or _CN.
	 */
	int (*enqueue)(struct sk_buff *skb, struct Qdisc *q);
	/* The next packet to go, or NULL. */
	struct sk_buff *(*dequeue)(struct Qdisc *q);
	/* Drops all it holds. */
	void (*reset)(struct Qdisc *q, enum skb_drop_reason reason);
};

/* `tc -s qdisc`. */
struct gnet_stats {
	u64 bytes, packets, drops, requeues, overlimits;
	u64 backlog; /* bytes queued */
	u32 qlen; /* packets queued */
};

struct Qdisc {
	const struct Qdisc_ops *ops;
	struct netdev_queue *txq;
	struct net_device *dev;
	struct list_head sched;
	bool scheduled;
	bool running;
	u32 limit; /* packets, of those that have a limit; before init: UINT32_MAX: the default */
	bool can_bypass; /* an empty one may be passed by (TCQ_F_CAN_BYPASS) */
	struct sk_buff_head gso_skb; /* given back by the driver: goes first */
	struct gnet_stats stats;
	void *priv;
};

/* What devices get when they come up; the ops live for ever. */
void dev_set_default_qdisc(struct host *h, const struct Qdisc_ops *ops);

static inline bool netif_xmit_stopped(const struct netdev_queue *txq)
{
	return txq->stopped;
}

/* Another discipline for all queues of the device; what the old one held is dropped. 0, -EOPNOTSUPP
 * (a device without queue), -EBUSY (in the middle of a transmission), -ENOMEM. */
int dev_graft_qdisc(struct net_device *dev, const struct Qdisc_ops *ops, u32 limit);

/* For Qdisc_ops.enqueue and dequeue: the packet is in, out, refused. */
static inline void qdisc_qlen_inc(struct Qdisc *q, const struct sk_buff *skb)
{
	q->stats.qlen++;
	q->stats.backlog += skb->len;
}

static inline void qdisc_qlen_dec(struct Qdisc *q, const struct sk_buff *skb)
{
	q->stats.qlen--;
	q->stats.backlog -= skb->len;
}

static inline int qdisc_drop(struct sk_buff *skb, struct Qdisc *q)
{
	q->stats.drops++;
	kfree_skb_reason(skb, SKB_DROP_REASON_QDISC_DROP);
	return NET_XMIT_DROP;
}

/* Gives packets to the driver while there are some and it takes them. */
void qdisc_run(struct Qdisc *q);
/* Straight to the driver, `validate`: not seen by validate_xmit_skb() yet. False: it was given
 * back, and is queued. */
bool sch_direct_xmit(struct sk_buff *skb, struct Qdisc *q, struct netdev_queue *txq, bool validate);
/* Bytes that a packet is on the wire, and the account of one that leaves the discipline. */
u32 qdisc_pkt_len(const struct sk_buff *skb);
void qdisc_bstats_update(struct Qdisc *q, const struct sk_buff *skb);
/* Later, in NET_TX of this CPU. */
void __netif_schedule(struct Qdisc *q);

/* dev_tx.c: checks and completes a packet for what the device can do; a super-packet becomes a list
 * of its segments. NULL: dropped. */
struct sk_buff *validate_xmit_skb(struct sk_buff *skb, struct net_device *dev);
/* Taps, then the driver, one after the other of the list. What the driver did not take, the
 * caller's again; NULL: all is gone. */
struct sk_buff *dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev,
				    struct netdev_queue *txq);

#endif
