/* SPDX-License-Identifier: MIT */
/*
 * Ethernet: a received frame is classed by its destination and its type or length field; a header
 * is put in front of one to be sent (RFC 894, RFC 1042; net/ethernet/eth.c). Stands between a
 * driver's poll and netif_receive_skb(), and between the neighbour layer and dev_queue_xmit().
 */
#include "ethernet/eth.h"

#include "stack/errno.h"

static u8 eth_pkt_type(const u8 *dest, const struct net_device *dev)
{
	if (dev->anyip || memcmp(dest, dev->dev_addr, ETH_ALEN) == 0)
		return PACKET_HOST;
	if (!(dest[0] & 1))
		return PACKET_OTHERHOST;
	if (memcmp(dest, dev->broadcast, ETH_ALEN) == 0)
		return PACKET_BROADCAST;
	return PACKET_MULTICAST;
}

be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
	const u8 *eth = skb->data;
	u16 proto;

	ASSERT(skb_headlen(skb) >= ETH_HLEN);
	skb->dev = dev;
	skb->net = dev->net;
	skb_reset_mac_header(skb);
	skb->pkt_type = eth_pkt_type(eth, dev);
	proto = get_be16(eth + 12);
	skb_pull(skb, ETH_HLEN);
	if (proto >= ETH_P_802_3_MIN)
		return htons(proto);
	/* A length: LLC follows, or IPX that has none and begins with 0xffff. */
	if (skb_headlen(skb) >= 2 && get_be16(skb->data) == 0xffff)
		return htons(ETH_P_802_3);
	return htons(ETH_P_802_2);
}

static int eth_header(struct sk_buff *skb, struct net_device *dev, u16 type, const u8 *daddr,
		      const u8 *saddr)
{
	u32 payload = skb->len;
	u8 *eth;

	if ((skb_headroom(skb) < ETH_HLEN || skb_header_cloned(skb)) && skb_cow_head(skb, ETH_HLEN))
		return -ENOMEM;
	eth = skb_push(skb, ETH_HLEN);
	put_be16(eth + 12, type == ETH_P_802_3 || type == ETH_P_802_2 ? (u16)payload : type);
	memcpy(eth + ETH_ALEN, saddr ? saddr : dev->dev_addr, ETH_ALEN);
	if (daddr)
		memcpy(eth, daddr, ETH_ALEN);
	else
		memset(eth, 0, ETH_ALEN);
	return 0;
}

static u32 eth_header_parse(const struct sk_buff *skb, u8 *haddr)
{
	memcpy(haddr, skb_mac_header(skb) + ETH_ALEN, ETH_ALEN);
	return ETH_ALEN;
}

const struct header_ops eth_header_ops = {
	.create = eth_header,
	.parse = eth_header_parse,
};

void ether_setup(struct net_device *dev)
{
	dev->header_ops = &eth_header_ops;
	dev->type = ARPHRD_ETHER;
	dev->hard_header_len = ETH_HLEN;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = 68; /* RFC 791 3.2: what every network must carry */
	dev->max_mtu = ETH_DATA_LEN;
	dev->addr_len = ETH_ALEN;
	dev->tx_queue_len = 1000;
	dev->flags = IFF_BROADCAST | IFF_MULTICAST;
	memset(dev->broadcast, 0xff, ETH_ALEN);
}
