/* SPDX-License-Identifier: MIT */
/*
 * Out of the ports (net/bridge/br_forward.c): to one, or to all that shall have it. Each frame goes
 * to a port once; what a port can not send is dropped there with a reason.
 */
#include "bridge/br_private.h"
#include "core/offload.h"
#include "core/skb_path.h"

/* should_deliver(): not back to where it came from, nor from one isolated port to another. */
static bool should_deliver(const struct net_bridge_port *p, const struct sk_buff *skb)
{
	const struct net_bridge_port *from = br_port_get(skb->dev);

	if (p->state != BR_STATE_FORWARDING ||
	    (skb->dev == p->dev && !(p->flags & BR_HAIRPIN_MODE)))
		return false;
	return !(from && from->flags & BR_ISOLATED && p->flags & BR_ISOLATED);
}

/* Without the room for a tag that the end of a pair has (is_skb_forwardable()): a tag is not part
 * of skb->len here. */
static bool fits(const struct net_device *dev, const struct sk_buff *skb)
{
	return netif_running(dev) &&
	       (skb_is_gso(skb) || skb->len <= dev->mtu + dev->hard_header_len);
}

/* __br_forward(), br_dev_queue_push_xmit() */
static void deliver(const struct net_bridge_port *to, struct sk_buff *skb)
{
	skb->dev = to->dev;
	skb->net = to->dev->net;
	skb_path(skb, SKB_PATH_BR_FORWARD);
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	if (skb_headroom(skb) < ETH_HLEN && skb_cow_head(skb, ETH_HLEN)) {
		br_drop(to->br, skb, SKB_DROP_REASON_NOMEM);
		return;
	}
	if (skb_warn_if_lro(skb)) {
		br_drop(to->br, skb, SKB_DROP_REASON_LRO_FORWARDING);
		return;
	}
	skb_push(skb, ETH_HLEN);
	if (!fits(to->dev, skb)) { /* as in Linux no device counts it */
		br_drop(to->br, skb, SKB_DROP_REASON_PKT_TOO_BIG);
		return;
	}
	to->br->frames_out++;
	dev_queue_xmit(skb);
}

static void deliver_clone(const struct net_bridge_port *to, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_clone(skb);

	if (!copy) {
		to->br->dev->stats.tx_dropped++;
		return;
	}
	to->br->copies++;
	deliver(to, copy);
}

void br_forward(struct net_bridge_port *to, struct sk_buff *skb, bool keep)
{
	if (should_deliver(to, skb)) {
		if (keep)
			deliver_clone(to, skb);
		else
			deliver(to, skb);
		return;
	}
	if (!keep)
		br_drop(to->br, skb, SKB_DROP_REASON_NO_TX_TARGET);
}

void br_flood(struct net_bridge *br, struct sk_buff *skb, u32 kind, bool keep)
{
	struct net_bridge_port *prev = NULL;

	list_for_each(pos, &br->port_list) {
		struct net_bridge_port *p = list_entry(pos, struct net_bridge_port, list);

		/* The bridge's own broadcasts and multicasts go everywhere. */
		if (!(p->flags & kind) && (kind == BR_FLOOD || skb->dev != br->dev))
			continue;
		if (!should_deliver(p, skb))
			continue;
		if (prev)
			deliver_clone(prev, skb);
		prev = p;
	}
	if (prev && keep)
		deliver_clone(prev, skb);
	else if (prev)
		deliver(prev, skb);
	else if (!keep)
		br_drop(br, skb, SKB_DROP_REASON_NO_TX_TARGET);
}
