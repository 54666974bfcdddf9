/* SPDX-License-Identifier: MIT */
/*
 * The bridge as a device of its own (net/bridge/br_device.c): what the host sends by it goes out of
 * its ports as if it had come in by one more. Its carrier is there while a port forwards.
 */
#include "bridge/br.h"
#include "core/skb_path.h"
#include "bridge/br_private.h"

#include "ethernet/eth.h"

static enum netdev_tx br_dev_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct net_bridge *br = netdev_br(dev);
	const struct net_bridge_fdb_entry *dst;
	static const u8 all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const u8 *dest;

	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	br->frames_in++;
	skb_path(skb, SKB_PATH_BR_DEV_XMIT);
	if (!pskb_may_pull(skb, ETH_HLEN)) {
		dev->stats.tx_dropped++;
		br_drop(br, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return NETDEV_TX_OK;
	}
	skb_reset_mac_header(skb);
	skb_pull(skb, ETH_HLEN);
	dest = skb_mac_header(skb);
	if (dest[0] & 1) {
		br_flood(br, skb, memcmp(dest, all, ETH_ALEN) ? BR_MCAST_FLOOD : BR_BCAST_FLOOD,
			 false);
		return NETDEV_TX_OK;
	}
	dst = br_fdb_find(br, dest);
	if (dst && dst->dst)
		br_forward(dst->dst, skb, false);
	else
		br_flood(br, skb, BR_FLOOD, false);
	return NETDEV_TX_OK;
}

static int br_dev_open(struct net_device *dev)
{
	(void)dev;
	return 0;
}

static int br_set_mac_address(struct net_device *dev, const u8 *addr)
{
	br_fdb_changeaddr(netdev_br(dev), NULL, addr);
	return 0;
}

static void br_dev_uninit(struct net_device *dev)
{
	struct net_bridge *br = netdev_br(dev);

	ASSERT(list_empty(&br->port_list));
	br_fdb_delete_by_port(br, NULL, true);
	del_timer(&br->gc_work);
}

static void br_dev_check(const struct net_device *dev)
{
	const struct net_bridge *br = netdev_br(dev);
	u32 ports = 0;

	list_for_each(pos, &br->port_list) {
		const struct net_bridge_port *p = list_entry(pos, struct net_bridge_port, list);

		ASSERT(br_port_get(p->dev) == p && p->br == br && p->dev->master == dev);
		ASSERT(p->dev->net == dev->net && p->dev->flags & IFF_PROMISC);
		ASSERT(p->state != BR_STATE_FORWARDING ||
		       (netif_running(dev) && netif_running(p->dev) && p->dev->carrier));
		ports++;
	}
	ASSERT(ports == br->ports);
	ASSERT(host_in_step(dev_host(dev)) ||
	       br->frames_in + br->copies == br->frames_out + br->frames_up + br->frames_dropped);
	br_fdb_check(br);
}

static const struct net_device_ops br_netdev_ops = {
	.ndo_open = br_dev_open,
	.ndo_start_xmit = br_dev_xmit,
	.ndo_set_mac_address = br_set_mac_address,
	.ndo_uninit = br_dev_uninit,
	.ndo_check = br_dev_check,
};

bool netif_is_bridge(const struct net_device *dev)
{
	return dev->netdev_ops == &br_netdev_ops;
}

static void br_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &br_netdev_ops;
	dev->link_ops = &br_link_ops;
	dev->max_mtu = 65535;
	dev->vlan_features =
		NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
	dev->features = dev->vlan_features | NETIF_F_HW_VLAN_CTAG_TX;
	dev->no_queue = true;
	dev->netns_local = true;
}

struct net_device *br_newlink(struct net *net, struct net *peer_net, const struct op_link_add *op,
			      int *err)
{
	struct net_device *dev;
	struct net_bridge *br;
	char name[IFNAME_LEN];

	(void)peer_net;
	rtnl_link_name(&op->name, "bridge%d", name);
	dev = alloc_netdev(net->host, name, 1, 1, sizeof(*br));
	*err = -ENOMEM;
	if (!dev)
		return NULL;
	br = dev->priv;
	br->dev = dev;
	dev->net = net;
	list_init(&br->port_list);
	br->ageing_time = BR_AGEING_TIME;
	br_fdb_init(br);
	br_setup(dev);
	*err = rtnl_link_setup(dev, op);
	if (!*err && !op->mac.len)
		eth_hw_addr_random(dev);
	if (!*err)
		*err = br_fdb_add_local(br, NULL, dev->dev_addr);
	if (!*err)
		*err = register_netdevice(dev, net);
	if (!*err)
		return dev;
	br_fdb_delete_by_port(br, NULL, true);
	free_netdev(dev);
	return NULL;
}
