/* SPDX-License-Identifier: MIT */
/*
 * Pairs of Ethernet devices (drivers/net/veth.c): what is sent on one comes in by the other, at
 * once and whole, through the backlog of the CPU that sends; often in two namespaces. No queue, no
 * NAPI. The carrier is there while both are up.
 *
 * Invariant: each of a pair knows the other until both go; what one has sent the other has received
 * or it is in rx_dropped of the other and tx_dropped of the one.
 */
#include "drivers/links.h"
#include "core/skb_path.h"

#include "core/errqueue.h"
#include "ethernet/eth.h"
#include "lib/str.h"
#include "stack/errno.h"

#define VETH_MTU_MAX 65535u

struct veth_priv {
	struct net_device *peer;
	u64 sent, refused; /* given to it; dropped by the peer */
	u64 tx_packets, tx_bytes; /* arrived: the peer's received ones */
};

static enum netdev_tx veth_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct veth_priv *priv = dev->priv;
	struct net_device *rcv = priv->peer;
	u32 len = skb->len;

	priv->sent++;
	skb_path(skb, SKB_PATH_VETH_XMIT);
	skb_tx_timestamp(skb);
	if (!dev_forward_skb(rcv, skb)) {
		priv->refused++;
		dev->stats.tx_dropped++;
		return NETDEV_TX_OK;
	}
	skb->protocol = eth_type_trans(skb, rcv);
	if (netif_rx(skb) == NET_RX_SUCCESS) {
		priv->tx_packets++;
		priv->tx_bytes += len;
	} else {
		priv->refused++;
		dev->stats.tx_dropped++;
	}
	return NETDEV_TX_OK;
}

static int veth_open(struct net_device *dev)
{
	const struct veth_priv *priv = dev->priv;

	if (netif_running(priv->peer)) {
		netif_carrier_on(dev);
		netif_carrier_on(priv->peer);
	}
	return 0;
}

static int veth_close(struct net_device *dev)
{
	const struct veth_priv *priv = dev->priv;

	/* Its own is not news: it goes down. */
	dev->carrier = false;
	netif_carrier_off(priv->peer);
	return 0;
}

static void veth_get_stats64(const struct net_device *dev, struct net_device_stats *stats)
{
	const struct veth_priv *priv = dev->priv, *peer = priv->peer->priv;

	stats->tx_packets += priv->tx_packets;
	stats->tx_bytes += priv->tx_bytes;
	stats->rx_packets += peer->tx_packets;
	stats->rx_bytes += peer->tx_bytes;
}

static void veth_check(const struct net_device *dev)
{
	const struct veth_priv *priv = dev->priv, *peer = priv->peer->priv;

	ASSERT(peer->peer == dev);
	ASSERT(priv->sent == priv->tx_packets + priv->refused);
	ASSERT(dev->carrier == (netif_running(dev) && netif_running(priv->peer)));
}

static const struct net_device_ops veth_netdev_ops = {
	.ndo_open = veth_open,
	.ndo_stop = veth_close,
	.ndo_start_xmit = veth_xmit,
	.ndo_get_stats64 = veth_get_stats64,
	.ndo_check = veth_check,
};

static struct net_device *veth_alloc(struct net *net, const struct op_link_add *op,
				     const struct op_bytes *name, int *err)
{
	struct net_device *dev;
	char text[IFNAME_LEN];

	rtnl_link_name(name, "veth%d", text);
	dev = alloc_netdev(net->host, text, 1, 1, sizeof(struct veth_priv));
	*err = -ENOMEM;
	if (!dev)
		return NULL;
	ether_setup(dev);
	dev->netdev_ops = &veth_netdev_ops;
	dev->link_ops = &veth_link_ops;
	dev->max_mtu = VETH_MTU_MAX;
	dev->vlan_features =
		NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
	dev->features = dev->vlan_features | NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX;
	dev->no_queue = true;
	*err = rtnl_link_setup(dev, op);
	if (!*err)
		return dev;
	free_netdev(dev);
	return NULL;
}

/* The one that is named first is registered last, as in Linux. */
static struct net_device *veth_newlink(struct net *net, struct net *peer_net,
				       const struct op_link_add *op, int *err)
{
	/* MTU and address that are asked for are the first one's. */
	struct op_link_add peer_op = { .mtu = op->mtu };
	struct net_device *peer, *dev;

	*err = -EINVAL;
	if (op->peer.len >= IFNAME_LEN)
		return NULL;
	peer = veth_alloc(peer_net, &peer_op, &op->peer, err);
	if (!peer)
		return NULL;
	dev = veth_alloc(net, op, &op->name, err);
	if (!dev)
		goto free_peer;
	((struct veth_priv *)dev->priv)->peer = peer;
	((struct veth_priv *)peer->priv)->peer = dev;
	eth_hw_addr_random(peer);
	if (!op->mac.len)
		eth_hw_addr_random(dev);
	*err = register_netdevice(peer, peer_net);
	if (*err)
		goto free_dev;
	*err = register_netdevice(dev, net);
	if (!*err)
		return dev;
	unregister_netdevice(peer);
free_dev:
	free_netdev(dev);
free_peer:
	free_netdev(peer);
	return NULL;
}

static void veth_dellink(struct net_device *dev)
{
	struct net_device *peer = ((struct veth_priv *)dev->priv)->peer;

	unregister_netdevice(dev);
	unregister_netdevice(peer);
	free_netdev(dev);
	free_netdev(peer);
}

static struct net_device *veth_get_link(const struct net_device *dev)
{
	return ((const struct veth_priv *)dev->priv)->peer;
}

const struct rtnl_link_ops veth_link_ops = {
	.kind = "veth",
	.newlink = veth_newlink,
	.dellink = veth_dellink,
	.get_link = veth_get_link,
	.peer = true,
};
