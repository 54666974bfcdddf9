/* SPDX-License-Identifier: MIT */
/*
 * Queueing disciplines as the device layer sees them, between dev_queue_xmit() and ndo_start_xmit:
 * one for a device, one for each of its transmit queues (under `mq`), or none. The disciplines
 * themselves are in sched/ and come in through Qdisc_ops.
 *
 * Invariants: qlen counts the packets inside the discipline (those of its child too) and those
 * taken back from the driver (gso_skb); `sched` is on a softnet's output_queue exactly while
 * `scheduled`; what waits in a discipline is waited for by a stopped queue, by NET_TX, or by the
 * watchdog.
 */
#ifndef TAPLINE_CORE_SCH_GENERIC_H
#define TAPLINE_CORE_SCH_GENERIC_H

#include "core/netdevice.h"
#include "lib/dql.h"
#include "stack/tc.h"

struct Qdisc;
struct tcf_block;
struct tc_class;

/* Options by TCA_*: of a request (`present` has the bits of those given), or shown. */
struct tc_attrs {
	u64 present;
	u64 value[TCA_COUNT];
};
_Static_assert(TCA_COUNT <= 64, "a bit for every option");

static inline bool tca_given(const struct tc_attrs *a, enum tca id)
{
	return a && a->present >> id & 1;
}

static inline u64 tca_get(const struct tc_attrs *a, enum tca id, u64 otherwise)
{
	return tca_given(a, id) ? a->value[id] : otherwise;
}

static inline void tca_put(struct tc_attrs *a, enum tca id, u64 value)
{
	a->present |= 1ull << id;
	a->value[id] = value;
}

struct Qdisc_ops {
	const char *id;
	u32 priv_size;
	bool multiqueue; /* `mq`: takes no packets, has a discipline for every transmit queue */
	/* Sets priv (zeroed) up. opt may be NULL. 0 or -errno, with nothing to be undone. */
	int (*init)(struct Qdisc *q, const struct tc_attrs *opt);
	/* Other options on the fly. NULL: it can not. */
	int (*change)(struct Qdisc *q, const struct tc_attrs *opt);
	/* Gives back what init took; after reset. NULL: nothing. */
	void (*destroy)(struct Qdisc *q);
	/* Takes the packet: NET_XMIT_SUCCESS, or drops it (qdisc_drop) with NET_XMIT_DROP or _CN.
	 */
	int (*enqueue)(struct sk_buff *skb, struct Qdisc *q);
	/* The next packet to go, or NULL. */
	struct sk_buff *(*dequeue)(struct Qdisc *q);
	/* Drops all it holds. */
	void (*reset)(struct Qdisc *q, enum skb_drop_reason reason);
	/* Where the discipline of class `minor` hangs; NULL: there is no such class. NULL: it has
	 * no classes. */
	struct Qdisc **(*child)(struct Qdisc *q, u32 minor);
	/* The number of its n-th class; 0: it has no more. NULL: they are numbered from 1. */
	u32 (*class_at)(const struct Qdisc *q, u32 n);
	/* `tc class`: makes (parent: of another class, 0: none) or changes one, ends one. NULL: it
	 * can not. -errno with *why, which may be NULL. */
	int (*class_change)(struct Qdisc *q, u32 minor, u32 parent, const struct tc_attrs *opt,
			    const char **why);
	int (*class_delete)(struct Qdisc *q, u32 minor, const char **why);
	void (*class_dump)(const struct Qdisc *q, u32 minor, struct tc_class *c);
	/* The filters of the discipline (minor 0), of a class. NULL: none can hang there. */
	struct tcf_block *(*tcf_block)(struct Qdisc *q, u32 minor);
	/* clsact: what its filters say of a packet that comes in or goes out: TC_ACT_*. */
	s32 (*filter)(struct Qdisc *q, struct sk_buff *skb, bool ingress);
	/* Its options as they are. NULL: it has none. */
	void (*dump)(const struct Qdisc *q, struct tc_attrs *opt);
	/* Its own statistics (stack/tc.h), how many. NULL: none. */
	u32 (*dump_stats)(struct Qdisc *q, u64 stats[TC_XSTATS_MAX]);
};

/* `tc -s qdisc`. */
struct gnet_stats {
	u64 bytes, packets, drops, requeues, overlimits;
	u64 backlog; /* bytes queued */
	u32 qlen; /* packets queued */
};

/* `tc -s class`. */
struct tc_class {
	u32 parent; /* the class above; 0: none */
	bool inner; /* it has classes below, no discipline */
	const struct Qdisc *leaf;
	struct tc_attrs opt;
	struct gnet_stats stats;
	u64 lends, borrows;
	s64 tokens, ctokens; /* ns */
};

struct Qdisc {
	const struct Qdisc_ops *ops;
	struct netdev_queue *txq; /* NULL: it serves all of the device's queues */
	struct net_device *dev;
	struct list_head sched;
	bool scheduled;
	bool running;
	bool can_bypass; /* an empty one may be passed by (TCQ_F_CAN_BYPASS) */
	u32 limit; /* packets, of those that have a limit */
	u32 handle, parent; /* TC_H_*; handle 0: nobody made it */
	u32 u32_tables; /* numbers given to tables of u32 filters */
	struct Qdisc *parent_q; /* whose child it is; NULL: it meets the device itself */
	struct sk_buff_head gso_skb; /* given back by the driver: goes first; of a child: looked at
					by its parent */
	struct gnet_stats stats;
	struct timer watchdog; /* of the outermost: runs it when packets' time has come */
	void *priv;
};

/* What devices get when they come up, and what holds a discipline per queue of those that have
 * several; the ops live for ever. */
void dev_set_default_qdisc(struct host *h, const struct Qdisc_ops *ops, const struct Qdisc_ops *mq);
const struct Qdisc_ops *dev_default_qdisc(const struct host *h);

static inline bool netif_xmit_stopped(const struct netdev_queue *txq)
{
	return txq->stopped | txq->stack_xoff;
}

/* Makes one for `txq` (NULL: all queues). NULL with *err: -ENOMEM, or what its init said. */
struct Qdisc *qdisc_create(struct net_device *dev, struct netdev_queue *txq,
			   const struct Qdisc_ops *ops, const struct tc_attrs *opt, int *err);
/* q may be NULL. */
void qdisc_destroy(struct Qdisc *q, enum skb_drop_reason reason);
void qdisc_reset(struct Qdisc *q, enum skb_drop_reason reason);
/* The outermost discipline of the device; takes it. What the old one held is
 * dropped. 0, -EBUSY (in the middle of a transmission), -ENOMEM: not taken. */
int dev_graft_qdisc(struct net_device *dev, struct Qdisc *root);
/* The same for one queue of a device whose outermost one is mq. */
int dev_graft_queue(struct net_device *dev, u32 queue, struct Qdisc *q);
/* What devices of its sort have. 0, -EBUSY, -ENOMEM: it has what it had. */
int dev_graft_default(struct net_device *dev);
/* The filters on the way in and out, if there are any. */
void dev_clsact_end(struct net_device *dev);
/* The device, which is down, is as new: without filters, with what its sort has by default. 0,
 * -ENOMEM: it has what it had. */
int dev_forget_qdiscs(struct net_device *dev);
/* No discipline at all: straight to the driver. */
int dev_graft_noqueue(struct net_device *dev);

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

static inline int qdisc_drop_reason(struct sk_buff *skb, struct Qdisc *q,
				    enum skb_drop_reason reason)
{
	q->stats.drops++;
	kfree_skb_reason(skb, reason);
	return NET_XMIT_DROP;
}

static inline int qdisc_drop(struct sk_buff *skb, struct Qdisc *q)
{
	return qdisc_drop_reason(skb, q, SKB_DROP_REASON_QDISC_DROP);
}

/* A child dropped packets that its parents count as queued. */
void qdisc_tree_reduce_backlog(struct Qdisc *q, u32 packets, u64 bytes);
/* A child made one packet into several. */
void qdisc_tree_adjust_backlog(struct Qdisc *q, s64 packets, s64 bytes);
/* The next packet of a child, left in it; and out of it, its account settled. */
struct sk_buff *qdisc_peek_child(struct Qdisc *child);
struct sk_buff *qdisc_dequeue_child(struct Qdisc *child);
/* Runs the outermost discipline at this time (ktime_get_ns), unless it will earlier. */
void qdisc_watchdog_schedule_ns(struct Qdisc *q, u64 expires);

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
/* The same for each packet of a list. */
struct sk_buff *validate_xmit_skb_list(struct sk_buff *skb, struct net_device *dev);
/* Taps, then the driver, one after the other of the list. What the driver did not take, the
 * caller's again; NULL: all is gone. */
struct sk_buff *dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev,
				    struct netdev_queue *txq);
/* For ndo_start_xmit: another packet follows at once, the doorbell can wait. */
static inline bool netdev_xmit_more(const struct net_device *dev)
{
	return dev->xmit_more;
}

/* ---- byte queue limits (core/bql.c) ---- */

void __netdev_tx_sent_queue(struct netdev_queue *txq, u32 bytes);
void __netdev_tx_completed_queue(struct netdev_queue *txq, u32 bytes);

/* For drivers: bytes were given to the device; were sent; the ring is empty and as new. */
static inline void netdev_tx_sent_queue(struct netdev_queue *txq, u32 bytes)
{
	if (txq->dql)
		__netdev_tx_sent_queue(txq, bytes);
}

static inline void netdev_tx_completed_queue(struct netdev_queue *txq, u32 bytes)
{
	if (txq->dql)
		__netdev_tx_completed_queue(txq, bytes);
}

void netdev_tx_reset_queue(struct netdev_queue *txq);
/* NIC_PARAM_BQL*. -ENOENT: it is another param. */
int bql_set(struct net_device *dev, u32 param, u32 index, u64 value);
void bql_free(struct net_device *dev);

#endif
