/* SPDX-License-Identifier: MIT */
/*
 * The virtio network device's control queue (Virtual I/O Device Version 1.2, 5.1.6.5): which frames
 * it takes (5.1.6.5.1 to 5.1.6.5.3: modes, addresses, VLANs), which address is its own, that an
 * announcement was made (5.1.6.5.4), how many queue pairs are in use (5.1.6.5.5).
 *
 * Invariant: a command of a class whose feature was not negotiated, of an unknown number or of a
 * wrong length changes nothing and is refused.
 */
#include "drivers/nic_hw_priv.h"
#include "drivers/virtio.h"

#define ADDR_LEN 6u

static bool ctrl_rx(struct nic_hw *hw, u32 command, const u8 *data, u32 len)
{
	u32 bit = command == VIRTIO_NET_CTRL_RX_PROMISC ? RCTL_UPE : RCTL_MPE;

	if (command > VIRTIO_NET_CTRL_RX_ALLMULTI || len != 1)
		return false;
	hw->rctl = data[0] ? hw->rctl | bit : hw->rctl & ~bit;
	return true;
}

/* le32 entries, addresses. Bytes of it; 0: that is not all there. */
static u32 table_size(const u8 *data, u32 len)
{
	u32 n = len >= 4 ? get_le32(data) : UINT32_MAX;

	return n <= (len - 4) / ADDR_LEN ? 4 + n * ADDR_LEN : 0;
}

/* More addresses than there is room for: all of that kind are taken. */
static void table_copy(struct vnet_mac_table *t, const u8 *data)
{
	u32 n = get_le32(data);

	t->overflow = n > VNET_MAC_TABLE;
	t->n = t->overflow ? 0 : n;
	memcpy(t->addr, data + 4, t->n * ADDR_LEN);
}

static bool ctrl_mac(struct nic_hw *hw, u32 command, const u8 *data, u32 len)
{
	u32 uni, multi;

	if (command == VIRTIO_NET_CTRL_MAC_ADDR_SET) {
		if (len != ADDR_LEN || !(hw->vnet_features & VIRTIO_NET_F_CTRL_MAC_ADDR))
			return false;
		memcpy(hw->addr, data, ADDR_LEN);
		return true;
	}
	if (command != VIRTIO_NET_CTRL_MAC_TABLE_SET || !(hw->vnet_features & VIRTIO_NET_F_CTRL_RX))
		return false;
	uni = table_size(data, len);
	multi = uni ? table_size(data + uni, len - uni) : 0;
	if (!multi || uni + multi != len)
		return false;
	table_copy(&hw->vnet_uni, data);
	table_copy(&hw->vnet_multi, data + uni);
	return true;
}

static bool ctrl_vlan(struct nic_hw *hw, u32 command, const u8 *data, u32 len)
{
	u32 vid = len == 2 ? get_le16(data) : UINT32_MAX;

	if (vid > 4095 || command > VIRTIO_NET_CTRL_VLAN_DEL)
		return false;
	if (command == VIRTIO_NET_CTRL_VLAN_ADD)
		hw->vfta[vid / 32] |= 1u << vid % 32;
	else
		hw->vfta[vid / 32] &= ~(1u << vid % 32);
	return true;
}

static bool ctrl_announce(struct nic_hw *hw, u32 command)
{
	if (command != VIRTIO_NET_CTRL_ANNOUNCE_ACK)
		return false;
	hw->vnet_status &= (u16)~VIRTIO_NET_S_ANNOUNCE;
	return true;
}

static bool ctrl_mq(struct nic_hw *hw, u32 command, const u8 *data, u32 len)
{
	u32 pairs = len == 2 ? get_le16(data) : 0;

	if (command != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET || !pairs || pairs > hw->queues)
		return false;
	hw->vnet_pairs = pairs;
	return true;
}

bool vnet_hw_command(struct nic_hw *hw, const u8 *command, u32 len)
{
	static const u64 needs[] = {
		[VIRTIO_NET_CTRL_RX] = VIRTIO_NET_F_CTRL_RX,
		[VIRTIO_NET_CTRL_MAC] = VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_MAC_ADDR,
		[VIRTIO_NET_CTRL_VLAN] = VIRTIO_NET_F_CTRL_VLAN,
		[VIRTIO_NET_CTRL_ANNOUNCE] = VIRTIO_NET_F_GUEST_ANNOUNCE,
		[VIRTIO_NET_CTRL_MQ] = VIRTIO_NET_F_MQ,
	};
	const u8 *data = command + 2;

	if (len < 2 || command[0] >= ARRAY_SIZE(needs) || !(hw->vnet_features & needs[command[0]]))
		return false;
	len -= 2;
	switch (command[0]) {
	case VIRTIO_NET_CTRL_RX:
		return ctrl_rx(hw, command[1], data, len);
	case VIRTIO_NET_CTRL_MAC:
		return ctrl_mac(hw, command[1], data, len);
	case VIRTIO_NET_CTRL_VLAN:
		return ctrl_vlan(hw, command[1], data, len);
	case VIRTIO_NET_CTRL_ANNOUNCE:
		return ctrl_announce(hw, command[1]);
	default:
		return ctrl_mq(hw, command[1], data, len);
	}
}

static bool table_has(const struct vnet_mac_table *t, const u8 *dest)
{
	for (u32 i = 0; i < t->n; i++)
		if (memcmp(t->addr[i], dest, ADDR_LEN) == 0)
			return true;
	return t->overflow;
}

/* Without VIRTIO_NET_F_CTRL_RX nobody could say which frames are wanted: all are. */
bool vnet_hw_filter(const struct nic_hw *hw, const u8 *dest)
{
	if (!(hw->vnet_features & VIRTIO_NET_F_CTRL_RX))
		return true;
	return table_has(dest[0] & 1 ? &hw->vnet_multi : &hw->vnet_uni, dest);
}

u64 vnet_hw_offered(const struct nic_hw *hw)
{
	u64 f = VIRTIO_NET_F_STATUS | VIRTIO_F_EVENT_IDX;

	if (hw->queues > 1)
		f |= VIRTIO_NET_F_HASH_REPORT;
	if (hw->vnet_no_ctrl)
		return f;
	f |= VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_VLAN |
	     VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_GUEST_ANNOUNCE;
	return hw->queues > 1 ? f | VIRTIO_NET_F_MQ : f;
}

u32 vnet_hw_status(const struct nic_hw *hw)
{
	return hw->vnet_status;
}

int vnet_hw_announce(struct nic_hw *hw)
{
	if (!hw->vnet || !(hw->vnet_features & VIRTIO_NET_F_GUEST_ANNOUNCE))
		return -EOPNOTSUPP;
	hw->vnet_status |= VIRTIO_NET_S_ANNOUNCE;
	nic_hw_cause(hw, 0, ICR_LSC); /* the configuration has changed */
	return 0;
}

void vnet_hw_withhold_ctrl(struct nic_hw *hw, bool withhold)
{
	hw->vnet_no_ctrl = withhold;
}

void vnet_hw_ctrl_reset(struct nic_hw *hw)
{
	hw->vnet_features = 0;
	hw->vnet_status = 0;
	hw->vnet_pairs = 1;
	hw->vnet_uni = (struct vnet_mac_table){ .n = 0 };
	hw->vnet_multi = (struct vnet_mac_table){ .n = 0 };
}
