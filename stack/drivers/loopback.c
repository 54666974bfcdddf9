/* SPDX-License-Identifier: MIT */
/*
 * The loopback device (drivers/net/loopback.c): what is sent comes in again through the backlog of
 * the sending CPU, with the route it was sent by. No queue; a link header as Ethernet's, with
 * zeros.
 */
#include "core/errqueue.h"
#include "core/skb_path.h"
#include "drivers/loopback.h"

#include "core/dst.h"
#include "ethernet/eth.h"
#include "stack/errno.h"

#define LOOPBACK_MTU 65536u

static enum netdev_tx loopback_xmit(struct sk_buff *skb, struct net_device *dev)
{
	u32 len;

	skb_path(skb, SKB_PATH_LOOPBACK_XMIT);
	skb_tx_timestamp(skb);
	skb_orphan_frags(skb);
	skb->tstamp = 0;
	skb_orphan(skb);
	if (skb->dst && skb->dst_noref) {
		dst_hold(skb->dst);
		skb->dst_noref = 0;
	}
	if (!pskb_may_pull(skb, ETH_HLEN)) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return NETDEV_TX_OK;
	}
	skb->protocol = eth_type_trans(skb, dev);
	len = skb->len; /* without the link header, which is not counted here */
	if (netif_rx(skb) == NET_RX_SUCCESS) {
		dev->stats.rx_packets++;
		dev->stats.rx_bytes += len;
		dev->stats.tx_packets++;
		dev->stats.tx_bytes += len;
	}
	return NETDEV_TX_OK;
}

static const struct net_device_ops loopback_ops = {
	.ndo_start_xmit = loopback_xmit,
};

int loopback_net_init(struct net *net)
{
	struct net_device *dev = alloc_netdev(net->host, "lo", 1, 1, 0);
	int err;

	if (!dev)
		return -ENOMEM;
	dev->netdev_ops = &loopback_ops;
	dev->header_ops = &eth_header_ops;
	dev->type = ARPHRD_LOOPBACK;
	dev->flags = IFF_LOOPBACK;
	dev->hard_header_len = ETH_HLEN;
	dev->addr_len = ETH_ALEN;
	dev->mtu = LOOPBACK_MTU;
	dev->features = NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_SG | NETIF_F_FRAGLIST |
			NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_GSO_UDP_L4;
	dev->no_queue = true;
	dev->keep_dst = true;
	dev->netns_local = true;
	dev->carrier = true;
	err = register_netdevice(dev, net);
	if (err) {
		free_netdev(dev);
		return err;
	}
	net->loopback_dev = dev;
	/* Who makes a namespace has to take it up there. */
	return net->id ? 0 : dev_open(dev);
}
