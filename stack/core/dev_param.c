/* SPDX-License-Identifier: MIT */
/* Settings of a device that the stack itself obeys, whatever its driver: GRO (`ethtool -K`,
 * /sys/class/net/X). The driver's ndo_nic_set passes here what is not the device's. */
#include "core/dev_link.h"
#include "stack/nic.h"

int netdev_set_param(struct net_device *dev, u32 param, u64 value)
{
	switch (param) {
	case NIC_PARAM_GRO:
		netdev_set_feature(dev, NETIF_F_GRO, value != 0);
		return 0;
	case NIC_PARAM_GRO_UDP_FWD:
		netdev_set_feature(dev, NETIF_F_GRO_UDP_FWD, value != 0);
		return 0;
	case NIC_PARAM_GRO_LIST:
		netdev_set_feature(dev, NETIF_F_GRO_FRAGLIST, value != 0);
		return 0;
	case NIC_PARAM_GSO:
		/* TCP makes super-packets all the same and has them cut in software
		 * (sk_setup_caps). */
		netdev_set_feature(dev, NETIF_F_GSO, value != 0);
		return 0;
	case NIC_PARAM_GRO_FLUSH_TIMEOUT:
		dev->gro_flush_timeout = value;
		return 0;
	case NIC_PARAM_DEFER_HARD_IRQS:
		if (value > INT32_MAX)
			return -ERANGE;
		dev->napi_defer_hard_irqs = (u32)value;
		return 0;
	default:
		return -ENOENT;
	}
}

void dev_disable_lro(struct net_device *dev)
{
	const struct rtnl_link_ops *ops = dev->link_ops;

	if (dev->features & NETIF_F_LRO)
		dev->netdev_ops->ndo_nic_set(dev, NIC_PARAM_LRO, 0, 0);
	/* What is below: the device of a VLAN, the ports of a bridge. */
	if (ops && ops->get_link && !ops->peer)
		dev_disable_lro(ops->get_link(dev));
	if (!ops || !ops->add_slave)
		return;
	list_for_each(pos, &dev->net->dev_base) {
		struct net_device *port = list_entry(pos, struct net_device, dev_list);

		if (port->master == dev)
			dev_disable_lro(port);
	}
}
