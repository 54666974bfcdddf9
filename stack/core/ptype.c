/* SPDX-License-Identifier: MIT */
/*
 * Packet types: who gets which received packet. Taps (ETH_P_ALL) on the namespace's
 * ptype_all, protocols in the host's ptype_base by EtherType, packet sockets of one protocol on the
 * namespace's ptype_specific; either kind for one device on that device's lists. IEEE 802.3
 * frames with LLC (RFC 1042), which no host speaks, are registered here, so that they are dropped
 * for a reason of their own.
 */
#include "core/dev_core.h"

/* ptype_head() */
static struct list_head *ptype_head(struct host *h, const struct packet_type *pt)
{
	struct net *net = pt->af_packet_net;

	if (pt->type == ETH_P_ALL)
		return pt->dev ? &pt->dev->ptype_all : &(net ? net : h->init_net)->ptype_all;
	if (net && !pt->dev)
		return &net->ptype_specific;
	return pt->dev ? &pt->dev->ptype_specific :
			 &h->ptypes->base[pt->type & (PTYPE_HASH_SIZE - 1)];
}

int dev_add_pack(struct host *h, const struct packet_type *pt)
{
	struct ptype_entry *e = mem_alloc(h->world, MEM_PTYPE, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->pt = pt;
	list_add_tail(&e->list, ptype_head(h, pt));
	return 0;
}

void dev_remove_pack(struct host *h, const struct packet_type *pt)
{
	list_for_each_safe(p, tmp, ptype_head(h, pt)) {
		struct ptype_entry *e = list_entry(p, struct ptype_entry, list);

		if (e->pt != pt)
			continue;
		list_del_init(&e->list);
		mem_free(h->world, MEM_PTYPE, e, sizeof(*e));
		return;
	}
}

static int drop_rcv(struct sk_buff *skb, enum skb_drop_reason reason)
{
	if (skb->pkt_type == PACKET_OTHERHOST)
		reason = SKB_DROP_REASON_OTHERHOST;
	kfree_skb_reason(skb, reason);
	return NET_RX_DROP;
}

/* No LLC on a Linux host that does not load it: nobody's packet. */
static int llc_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
		   struct net_device *orig_dev)
{
	(void)pt;
	(void)orig_dev;
	dev->stats.rx_dropped++;
	return drop_rcv(skb, SKB_DROP_REASON_LLC);
}

static const struct packet_type llc_type = { .type = ETH_P_802_2, .func = llc_rcv };

int ptype_init(struct host *h)
{
	struct ptype_table *t = mem_zalloc(h->world, MEM_PTYPE, sizeof(*t));

	if (!t)
		return -ENOMEM;
	for (u32 i = 0; i < PTYPE_HASH_SIZE; i++)
		list_init(&t->base[i]);
	h->ptypes = t;
	if (dev_add_pack(h, &llc_type)) {
		ptype_exit(h);
		return -ENOMEM;
	}
	return 0;
}

void ptype_exit(struct host *h)
{
	struct ptype_table *t = h->ptypes;

	if (!t)
		return;
	dev_remove_pack(h, &llc_type);
	for (u32 i = 0; i < PTYPE_HASH_SIZE; i++)
		ASSERT(list_empty(&t->base[i]));
	mem_free(h->world, MEM_PTYPE, t, sizeof(*t));
	h->ptypes = NULL;
}
