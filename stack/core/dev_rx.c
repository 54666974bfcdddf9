/* SPDX-License-Identifier: MIT */
/*
 * The receive entry: a packet comes from a driver's poll or a CPU's backlog and goes to the taps,
 * loses its VLAN tag, passes the device's rx_handler and ends at the protocols that asked for its
 * EtherType. (__netif_receive_skb_core of net/core/dev.c, in its order.)
 *
 * Invariant: each skb is handed over once: to a handler (the last one gets the skb itself, those
 * before it a further reference), or it is dropped with a reason.
 */
#include "core/dev_core.h"
#include "core/rps.h"
#include "core/vlan.h"

#define ETH_P_RARP 0x8035

struct cpu *this_cpu(struct host *h)
{
	for (u32 i = 0; i < h->cpus_count; i++)
		if (h->cpus[i]->in_step)
			return h->cpus[i];
	return h->cpus[0];
}

/* A delivery that waits until it is known whether it is the last. */
struct rx_delivery {
	const struct packet_type *pt_prev;
	struct net_device *orig_dev;
};

/* deliver_skb() of the one that waited, with a reference of its own; `pt` waits now. */
static inline void deliver_next(struct rx_delivery *d, struct sk_buff *skb,
				const struct packet_type *pt)
{
	const struct packet_type *prev = d->pt_prev;

	d->pt_prev = pt;
	if (prev)
		prev->func(skb_get(skb), skb->dev, prev, d->orig_dev);
}

static inline void deliver_taps(struct rx_delivery *d, struct sk_buff *skb,
				const struct list_head *taps)
{
	list_for_each_safe(p, tmp, taps)
		deliver_next(d, skb, list_entry(p, struct ptype_entry, list)->pt);
}

/* deliver_ptype_list_skb(). sockets_only: packet sockets, not protocols. */
static inline void deliver_ptype_list(struct rx_delivery *d, struct sk_buff *skb, u16 type,
				      const struct list_head *list, bool sockets_only)
{
	list_for_each_safe(p, tmp, list) {
		const struct packet_type *pt = list_entry(p, struct ptype_entry, list)->pt;

		if (pt->type == type && (!sockets_only || pt->af_packet_priv))
			deliver_next(d, skb, pt);
	}
}

static inline void deliver_protocols(struct rx_delivery *d, struct sk_buff *skb, bool sockets_only)
{
	const struct list_head *sockets = &skb->dev->net->ptype_specific;
	const struct ptype_table *t = dev_host(skb->dev)->ptypes;
	u16 type = ntohs(skb->protocol);

	deliver_ptype_list(d, skb, type, &t->base[type & (PTYPE_HASH_SIZE - 1)], sockets_only);
	if (!list_empty(sockets))
		deliver_ptype_list(d, skb, type, sockets, sockets_only);
	if (!list_empty(&d->orig_dev->ptype_specific))
		deliver_ptype_list(d, skb, type, &d->orig_dev->ptype_specific, sockets_only);
	if (skb->dev != d->orig_dev)
		deliver_ptype_list(d, skb, type, &skb->dev->ptype_specific, sockets_only);
}

/*
 * A tag that no VLAN device took. VLAN 0 is a priority tag: the frame counts as untagged, or a
 * further tag comes behind it. Another one marks it as somebody else's: packet sockets see it, the
 * protocols would drop it as OTHERHOST, so it ends here under a name that says more; but on an
 * AnyIP device everything is for this host. NULL: it ended. *another: a tag behind the priority tag
 * named a VLAN device, where the packet is received again.
 */
static struct sk_buff *rx_vlan(struct rx_delivery *d, struct sk_buff *skb, bool *another)
{
	if (d->pt_prev)
		deliver_next(d, skb, NULL);
	while (skb && skb->vlan_present) {
		if ((skb->vlan_tci & VLAN_VID_MASK) && !skb->dev->anyip) {
			skb->pkt_type = PACKET_OTHERHOST;
			deliver_protocols(d, skb, true);
			if (d->pt_prev)
				deliver_next(d, skb, NULL);
			kfree_skb_reason(skb, SKB_DROP_REASON_VLAN_NO_DEVICE);
			return NULL;
		}
		skb->vlan_present = 0;
		if (!eth_type_vlan(skb->protocol))
			break;
		skb = skb_vlan_untag(skb);
		if (skb && skb->dev->vlan_info && vlan_do_receive(&skb)) {
			*another = true;
			break;
		}
	}
	return skb;
}

static int rx_last(struct rx_delivery *d, struct softnet_data *sd, struct sk_buff *skb)
{
	if (d->pt_prev) {
		sd->rx_delivered++;
		return d->pt_prev->func(skb, skb->dev, d->pt_prev, d->orig_dev);
	}
	sd->rx_unhandled++;
	skb->dev->stats.rx_dropped++;
	kfree_skb_reason(skb, SKB_DROP_REASON_UNHANDLED_PROTO);
	return NET_RX_DROP;
}

/* What no MIB of Linux counts, and a replay wants to know: tags, and RARP, which nobody handles. */
static void rx_link_count(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_RARP))
		MIB_INC(dev_net(skb->dev), LinkInRarp);
	if (!skb->vlan_present)
		return;
	MIB_INC(dev_net(skb->dev), LinkInVlan);
	if (eth_type_vlan(skb->protocol))
		MIB_INC(dev_net(skb->dev), LinkInQinQ);
}

/* False: the filters on the way in took or dropped it. */
static bool sch_handle_ingress(struct sk_buff *skb)
{
	struct Qdisc *q = skb->dev->clsact;

	switch (q->ops->filter(q, skb, true)) {
	case TC_ACT_SHOT:
		kfree_skb_reason(skb, SKB_DROP_REASON_TC_INGRESS);
		return false;
	case TC_ACT_STOLEN:
		return false;
	default:
		return true;
	}
}

/* The device has received it. */
static inline void rx_count(struct softnet_data *sd, struct sk_buff *skb)
{
	skb->skb_iif = skb->dev->ifindex;
	sd->processed++;
}

/* One round of __netif_receive_skb_core(): the packet as it comes out of skb->dev. NULL: it went
 * its way; *another: a VLAN device or a bridge made it one of theirs, and it comes out of that. */
static struct sk_buff *rx_round(struct rx_delivery *d, struct softnet_data *sd, struct sk_buff *skb,
				bool *another)
{
	rx_count(sd, skb);
	if (eth_type_vlan(skb->protocol) && !skb->vlan_present) {
		skb = skb_vlan_untag(skb);
		if (!skb)
			return NULL;
	}
	if (skb->dev == d->orig_dev)
		rx_link_count(skb);
	deliver_taps(d, skb, &skb->dev->net->ptype_all);
	deliver_taps(d, skb, &skb->dev->ptype_all);
	if (skb->dev->clsact) {
		if (d->pt_prev)
			deliver_next(d, skb, NULL);
		if (!sch_handle_ingress(skb))
			return NULL;
	}
	if (skb->vlan_present && skb->dev->vlan_info) {
		if (d->pt_prev)
			deliver_next(d, skb, NULL);
		*another = vlan_do_receive(&skb);
		if (*another || !skb)
			return skb;
	}
	if (skb->dev->rx_handler) {
		enum rx_handler_result result;

		if (d->pt_prev)
			deliver_next(d, skb, NULL);
		result = skb->dev->rx_handler(&skb);
		*another = result == RX_HANDLER_ANOTHER;
		if (*another || result == RX_HANDLER_CONSUMED)
			return *another ? skb : NULL;
	}
	return skb->vlan_present ? rx_vlan(d, skb, another) : skb;
}

/* Does somebody look at all packets of the device, or has this one a tag? */
static inline bool rx_watched(const struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;

	return skb->vlan_present || eth_type_vlan(skb->protocol) || dev->clsact ||
	       dev->rx_handler || !list_empty(&dev->net->ptype_all) || !list_empty(&dev->ptype_all);
}

/* All the places where a packet can be seen, changed, taken or given to another device. */
static __attribute__((noinline)) int rx_rounds(struct softnet_data *sd, struct sk_buff *skb)
{
	struct rx_delivery d = { .orig_dev = skb->dev };
	bool another;

	for (;;) {
		another = false;
		skb = rx_round(&d, sd, skb, &another);
		if (!skb) {
			sd->rx_taken++;
			return NET_RX_SUCCESS;
		}
		if (!another)
			break;
		sd->rx_again++;
	}
	deliver_protocols(&d, skb, false);
	return rx_last(&d, sd, skb);
}

int __netif_receive_skb(struct softnet_data *sd, struct sk_buff *skb)
{
	struct rx_delivery d = { .orig_dev = skb->dev };
	struct world *w = skb->world;

	trace(w, dev_host(skb->dev), TRACE_NETIF_RECEIVE_SKB, skb->id, skb->dev->ifindex, skb->len,
	      ntohs(skb->protocol));
	if (!skb->tstamp)
		skb->tstamp = w->now;
	skb_reset_network_header(skb);
	if (!skb_transport_header_was_set(skb))
		skb_reset_transport_header(skb);
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
	if (capture_wanted(w))
		dev_capture(skb, skb->dev, 0, skb->mac_len);
	if (unlikely(rx_watched(skb)))
		return rx_rounds(sd, skb);
	rx_count(sd, skb);
	rx_link_count(skb);
	deliver_protocols(&d, skb, false);
	return rx_last(&d, sd, skb);
}

int netif_receive_skb_sd(struct softnet_data *sd, struct sk_buff *skb)
{
	struct cpu *cpu;
	u32 *qtail;

	if (likely(!skb->dev->steering))
		return __netif_receive_skb(sd, skb);
	if (!skb->tstamp)
		skb->tstamp = skb->world->now;
	cpu = get_rps_cpu(skb->dev, skb, &qtail);
	return cpu ? enqueue_to_backlog(skb, cpu, qtail) : __netif_receive_skb(sd, skb);
}

int netif_receive_skb(struct sk_buff *skb)
{
	return netif_receive_skb_sd(this_softnet(dev_host(skb->dev)), skb);
}

void dev_capture(const struct sk_buff *skb, struct net_device *dev, u32 dir, u32 pulled)
{
	struct world *w = dev->world;
	u32 id = dev_host(dev)->id << 16 | dev->ifindex;
	u32 len = skb->len + pulled;
	u8 *copy;

	if (!skb_is_nonlinear(skb)) {
		world_capture(w, CAPTURE_DEVICE, id, dir, skb->data - pulled, len);
		return;
	}
	copy = mem_alloc_n(w, MEM_MISC, len, 1);
	if (!copy)
		return;
	memcpy(copy, skb->data - pulled, pulled);
	if (skb_copy_bits(skb, 0, copy + pulled, skb->len))
		world_capture(w, CAPTURE_DEVICE, id, dir, copy, len);
	mem_free_n(w, MEM_MISC, copy, len, 1);
}
