/* SPDX-License-Identifier: MIT */
/* Ethernet II (RFC 894) for devices: what a received frame is, the header of one to be sent, the
 * defaults of an Ethernet device. */
#ifndef TAPLINE_ETHERNET_ETH_H
#define TAPLINE_ETHERNET_ETH_H

#include "core/netdevice.h"

#define ETH_DATA_LEN	1500u
#define ETH_P_802_3	0x0001u /* IEEE 802.3 without LLC (Novell raw IPX) */
#define ETH_P_802_3_MIN 0x0600u /* from here on the field is an EtherType */

/* Sets type, lengths, header ops, broadcast address and flags of an Ethernet device. */
void ether_setup(struct net_device *dev);

/*
 * A frame as it came from the device, data at the destination MAC, at least ETH_HLEN bytes linear:
 * sets dev, MAC header and pkt_type, pulls the header. Returns what skb->protocol shall be.
 */
be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev);

extern const struct header_ops eth_header_ops;

#endif
