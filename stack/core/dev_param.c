/* SPDX-License-Identifier: MIT */
/* Settings of a device that the stack itself obeys, whatever its driver: GRO (`ethtool -K`,
 * /sys/class/net/X). The driver's ndo_nic_set passes here what is not the device's. */
#include "core/netdevice.h"
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
