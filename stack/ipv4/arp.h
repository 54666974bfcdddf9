/* SPDX-License-Identifier: MIT */
/* ARP for IPv4 (RFC 826, RFC 1122 2.3.2, RFC 5227): net/ipv4/arp.c. */
#ifndef TAPLINE_IPV4_ARP_H
#define TAPLINE_IPV4_ARP_H

#include "core/neighbour.h"
#include "wire/arp.h"

/* The table and the packet type. 0 or -ENOMEM. */
int arp_init(struct host *h);
void arp_exit(struct host *h);
int arp_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
	    struct net_device *orig_dev);
/* Sends one packet. dest_hw NULL: broadcast; src_hw NULL: the device's; target_hw NULL: zeros. */
void arp_send(u16 op, be32 dest_ip, struct net_device *dev, be32 src_ip, const u8 *dest_hw,
	      const u8 *src_hw, const u8 *target_hw);
/* An announcement for every address (RFC 5227 3). */
void arp_send_gratuitous(struct in_device *in_dev);
void arp_netdev_event(struct net_device *dev, enum netdev_event event);
/* The link address of a group: 01-00-5e and the lower 23 bits (RFC 1112 6.4). */
void ip_eth_mc_map(be32 addr, u8 *ha);

/* The neighbour of an address on dev, made when needed; no reference; NULL: none could be made. */
static inline struct neighbour *ip_neigh_gw4(struct net_device *dev, be32 addr)
{
	struct neigh_table *tbl = dev_host(dev)->arp_tbl;
	struct neighbour *n;

	/* One entry stands for all on devices without a choice. */
	if (dev->flags & (IFF_LOOPBACK | IFF_POINTOPOINT))
		addr = 0;
	n = neigh_lookup_noref(tbl, &addr, dev);
	if (!n) {
		n = neigh_create(tbl, &addr, dev);
		if (n)
			neigh_release(n);
	}
	return n;
}

#endif
