/* SPDX-License-Identifier: MIT */
/*
 * The driver's side of the VLAN filter (`ethtool -K rx-vlan-filter`): with it the device takes
 * frames of those 802.1Q VLANs alone that there are devices for, and priority tagged ones; all of
 * them when it is promiscuous.
 */
#include "core/vlan.h"
#include "drivers/nic_driver.h"

void ring_vlan_vid(struct nic_adapter *a, u16 vid, bool on)
{
	u32 bits = nic_hw_read(a->hw, NIC_VFTA, vid / 32), bit = 1u << vid % 32;

	nic_hw_write(a->hw, NIC_VFTA, vid / 32, on ? bits | bit : bits & ~bit);
}

static bool filtering(const struct nic_adapter *a)
{
	return a->up && a->dev->features & NETIF_F_HW_VLAN_CTAG_FILTER;
}

void nic_vlan_rx_add_vid(struct net_device *dev, u16 vid)
{
	struct nic_adapter *a = dev->priv;

	if (filtering(a))
		a->q[0].model->vlan_vid(a, vid, true);
}

void nic_vlan_rx_kill_vid(struct net_device *dev, u16 vid)
{
	struct nic_adapter *a = dev->priv;

	/* Priority tags come in without a device for them, too. */
	if (vid && filtering(a))
		a->q[0].model->vlan_vid(a, vid, false);
}

/* The device has forgotten all in its reset (igb_restore_vlan). VLAN 0 is always there. */
void nic_vlan_configure(struct nic_adapter *a)
{
	if (!filtering(a))
		return;
	nic_vlan_rx_add_vid(a->dev, 0);
	for (u32 vid = 1; a->dev->vlan_info && vid < VLAN_N_VID; vid++)
		if (vlan_find_dev(a->dev, htons(ETH_P_8021Q), (u16)vid))
			nic_vlan_rx_add_vid(a->dev, (u16)vid);
}

/* Of a virtio device it is negotiated: that takes a reset. */
int nic_set_vlan_filter(struct nic_adapter *a, bool on)
{
	if (on && a->q[0].model == &virtio_net_model && a->no_ctrl_vq)
		return -EOPNOTSUPP;
	netdev_set_feature(a->dev, NETIF_F_HW_VLAN_CTAG_FILTER, on);
	return nic_set_rings(a, a->rx_count, a->tx_count);
}
