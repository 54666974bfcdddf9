/* SPDX-License-Identifier: MIT */
/* dst_entry: where a packet goes next, the result of a route lookup: how it is given on (input,
 * output), the device, the next hop's neighbour, path metrics. */
#ifndef TAPLINE_CORE_DST_H
#define TAPLINE_CORE_DST_H

#include "core/netdevice.h"
#include "stack/rtnetlink.h"

struct neighbour;
struct dst_entry;
struct flowi4;

struct dst_ops {
	u16 family;
	/* Still as the tables would say? (generation, expiry) */
	bool (*check)(const struct dst_entry *dst, u32 cookie);
	u32 (*mtu)(const struct dst_entry *dst);
	u32 (*default_advmss)(const struct dst_entry *dst);
	void (*update_pmtu)(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb, u32 mtu);
	void (*redirect)(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb);
	void (*negative_advice)(struct sock *sk, struct dst_entry *dst);
	/* A packet could not be resolved: err_handler of its socket, host unreachable to a
	 * forwarded sender. */
	void (*link_failure)(struct sk_buff *skb);
	/* The neighbour of the next hop towards daddr; created when needed; NULL on failure. No
	 * reference is taken. */
	struct neighbour *(*neigh_lookup)(struct dst_entry *dst, struct sk_buff *skb,
					  const void *daddr);
	/* At the last reference. */
	void (*destroy)(struct dst_entry *dst);
};

struct dst_entry {
	struct net_device *dev; /* held */
	const struct dst_ops *ops;
	int (*input)(struct sk_buff *skb);
	int (*output)(struct net *net, struct sock *sk, struct sk_buff *skb);
	const u32 *metrics; /* RTAX_MAX of them, of the route */
	u64 expires; /* ns; 0: never */
	s32 error; /* -errno that a packet on it gives */
	u32 refcnt;
	u16 header_len;
	bool obsolete;
};

static inline void dst_hold(struct dst_entry *dst)
{
	dst->refcnt++;
}

/* dst may be NULL. */
void dst_release(struct dst_entry *dst);

/* input and output of a route whose device is gone: drop (DEV_DELETED). */
int dst_discard(struct sk_buff *skb);
int dst_discard_out(struct net *net, struct sock *sk, struct sk_buff *skb);
/* The device goes away: the route lets go of it, holds `instead` (may be NULL) and drops what still
 * comes. */
void dst_dev_put(struct dst_entry *dst, struct net_device *instead);

/* The packet takes over one reference. */
static inline void skb_dst_set(struct sk_buff *skb, struct dst_entry *dst)
{
	skb->dst = dst;
	skb->dst_noref = 0;
}

static inline void skb_dst_set_noref(struct sk_buff *skb, struct dst_entry *dst)
{
	skb->dst = dst;
	skb->dst_noref = 1;
}

/* skb_dst_drop() for those who know what a route is: nearly always a count. */
static inline void skb_dst_release(struct sk_buff *skb)
{
	struct dst_entry *dst = skb->dst;

	if (dst && !skb->dst_noref) {
		if (likely(dst->refcnt > 1))
			dst->refcnt--;
		else
			dst_release(dst);
	}
	skb->dst = NULL;
	skb->dst_noref = 0;
}

static inline int dst_input(struct sk_buff *skb)
{
	return skb->dst->input(skb);
}

static inline int dst_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return skb->dst->output(net, sk, skb);
}

static inline u32 dst_mtu(const struct dst_entry *dst)
{
	return dst->ops->mtu(dst);
}

static inline u32 dst_metric(const struct dst_entry *dst, u32 metric)
{
	return dst->metrics ? dst->metrics[metric] : 0;
}

/* Bit RTAX_LOCK of a route: what is learnt does not change it. */
static inline bool dst_metric_locked(const struct dst_entry *dst, u32 metric)
{
	return dst_metric(dst, RTAX_LOCK) >> metric & 1;
}

#endif
