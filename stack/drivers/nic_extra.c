/* SPDX-License-Identifier: MIT */
/* The ring NIC's driver: what its device has and a virtio one has not. Tags taken out and put in
 * (`ethtool -K rxvlan txvlan`), stamps, pause frames (-A), loopback. */
#include "drivers/nic_driver.h"

int nic_configure_lro(struct nic_adapter *a)
{
	u32 descs = min_u32(NIC_LRO_DESCS, a->rx_count / 2), max = 0;

	if (!a->up)
		return 0;
	if (a->dev->features & NETIF_F_LRO)
		max = descs * NIC_RX_BUFFER - (a->rx_tstamp ? 8 : 0);
	if (max != nic_hw_read(a->hw, NIC_LROC, 0))
		nic_hw_write(a->hw, NIC_LROC, 0, max);
	if (max == nic_hw_read(a->hw, NIC_LROC, 0))
		return 0;
	netdev_set_feature(a->dev, NETIF_F_LRO, false);
	return -ENOMEM;
}

void nic_configure_extra(struct nic_adapter *a)
{
	if (a->q[0].model != &nic_ring_model)
		return;
	nic_hw_write(a->hw, NIC_VLANC, 0, a->rx_vlan);
	nic_hw_write(a->hw, NIC_TSYNC, 0, a->rx_tstamp);
	nic_hw_write(a->hw, NIC_LOOP, 0, a->loopback);
	nic_configure_lro(a);
	nic_hw_write(a->hw, NIC_PAUSEC, 0,
		     (a->rx_pause ? PAUSE_RX : 0) | (a->tx_pause ? PAUSE_TX : 0));
}

/* Its buffers have to be given anew: the stamp stands in front of the frame. */
static int set_tstamp(struct nic_adapter *a, bool on)
{
	if (a->rx_tstamp == on)
		return 0;
	a->rx_tstamp = on;
	return nic_set_rings(a, a->rx_count, a->tx_count);
}

int nic_set_extra(struct nic_adapter *a, u32 param, u64 value)
{
	bool on = value != 0;

	if (a->q[0].model != &nic_ring_model)
		return -EOPNOTSUPP;
	switch (param) {
	case NIC_PARAM_RX_TSTAMP:
		return set_tstamp(a, on);
	case NIC_PARAM_TX_TSTAMP:
		a->tx_tstamp = on;
		return 0;
	case NIC_PARAM_TX_VLAN:
		netdev_set_feature(a->dev, NETIF_F_HW_VLAN_CTAG_TX, on);
		return 0;
	case NIC_PARAM_RX_VLAN:
		netdev_set_feature(a->dev, NETIF_F_HW_VLAN_CTAG_RX, on);
		a->rx_vlan = on;
		break;
	case NIC_PARAM_LOOPBACK:
		a->loopback = on;
		break;
	case NIC_PARAM_RX_PAUSE:
		a->rx_pause = on;
		break;
	default:
		a->tx_pause = on;
		break;
	}
	if (a->up)
		nic_configure_extra(a);
	return 0;
}
