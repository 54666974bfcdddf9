/* SPDX-License-Identifier: MIT */
/*
 * The dummy device (drivers/net/dummy.c): always there, counts what it is given to send and throws
 * it away. For addresses that belong to no cable, and routes that shall lead nowhere.
 */
#include "drivers/links.h"

#include "core/errqueue.h"
#include "ethernet/eth.h"
#include "stack/errno.h"

static enum netdev_tx dummy_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	skb_tx_timestamp(skb);
	consume_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops dummy_netdev_ops = { .ndo_start_xmit = dummy_xmit };

static struct net_device *dummy_newlink(struct net *net, struct net *peer_net,
					const struct op_link_add *op, int *err)
{
	struct net_device *dev;
	char name[IFNAME_LEN];

	(void)peer_net;
	rtnl_link_name(&op->name, "dummy%d", name);
	dev = alloc_netdev(net->host, name, 1, 1, 0);
	*err = -ENOMEM;
	if (!dev)
		return NULL;
	ether_setup(dev);
	dev->netdev_ops = &dummy_netdev_ops;
	dev->link_ops = &dummy_link_ops;
	dev->flags |= IFF_NOARP;
	dev->flags &= ~IFF_MULTICAST;
	dev->max_mtu = UINT32_MAX;
	dev->vlan_features =
		NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
	dev->features = dev->vlan_features | NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX;
	dev->no_queue = true;
	dev->carrier = true;
	*err = rtnl_link_setup(dev, op);
	if (!*err && !op->mac.len)
		eth_hw_addr_random(dev);
	if (!*err)
		*err = register_netdevice(dev, net);
	if (!*err)
		return dev;
	free_netdev(dev);
	return NULL;
}

const struct rtnl_link_ops dummy_link_ops = { .kind = "dummy", .newlink = dummy_newlink };

int links_init(struct host *h)
{
	int err = rtnl_link_register(h, &veth_link_ops);

	if (!err)
		err = rtnl_link_register(h, &dummy_link_ops);
	if (!err)
		err = rtnl_link_register(h, &vlan_link_ops);
	return err ? err : register_netdevice_notifier(h, vlan_device_event);
}
