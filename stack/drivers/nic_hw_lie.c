/* SPDX-License-Identifier: MIT */
/*
 * Faults of a software NIC that lies to its driver: what it writes back of frames is not so, or it
 * writes into the rings whatever it likes. Either way it has lied until the next reset: its own
 * counters are no measure of what the driver has seen any more.
 */
#include "drivers/nic_hw_priv.h"
#include "drivers/virtio.h"

bool nic_hw_lied(const struct nic_hw *hw)
{
	return hw->lies.told;
}

void nic_hw_lie(struct nic_hw *hw)
{
	hw->lies.told = true;
}

/* A word of the descriptors of a receive ring; of those of a transmit ring the status alone, as the
 * device writes nothing else there. */
static int ring_scribble(struct nic_hw *hw, u32 queue, bool tx, u32 word, u32 value)
{
	const struct nic_hw_ring *r = tx ? &hw->q[queue].tx : &hw->q[queue].rx;
	struct nic_rx_desc *d;

	if (word / 4 >= r->len)
		return -EINVAL;
	if (tx) {
		tx_desc(hw, r)[word / 4].status = (u8)value;
		return 0;
	}
	d = &rx_desc(hw, r)[word / 4];
	switch (word % 4) {
	case 0:
		d->addr = (d->addr & ~(u64)UINT32_MAX) | value;
		break;
	case 1:
		d->addr = (d->addr & UINT32_MAX) | (u64)value << 32;
		break;
	case 2:
		d->status = value;
		break;
	default:
		d->length = (u16)value;
		d->vlan = (u16)(value >> 16);
	}
	return 0;
}

/* Without an IOMMU nobody could say what memory holds afterwards. */
static int scribble(struct nic_hw *hw, u32 ring, u32 word, u32 value)
{
	int err;

	if (!hw->dma_mapped || ring / 2 >= hw->queues)
		return -EINVAL;
	err = hw->vnet ? vnet_hw_scribble(hw, ring, word, value) :
			 ring_scribble(hw, ring / 2, ring & 1, word, value);
	if (!err)
		hw->lies.told = true;
	return err;
}

int nic_hw_lie_fault(struct nic_hw *hw, u32 param, u32 index, u64 value)
{
	switch (param) {
	case NIC_PARAM_RX_BAD_LEN:
		hw->lies.rx_len = value;
		return 0;
	case NIC_PARAM_RX_NO_EOP:
		hw->lies.rx_no_eop = value;
		return 0;
	case NIC_PARAM_SCRIBBLE:
		return scribble(hw, index, (u32)(value >> 32), (u32)value);
	case NIC_PARAM_USED_BAD_ID:
	case NIC_PARAM_USED_TWICE:
	case NIC_PARAM_USED_AHEAD:
		if (index >= hw->queues)
			return -EINVAL;
		return hw->vnet ? vnet_hw_fault(hw, param, index, value) : -EOPNOTSUPP;
	default:
		return -EOPNOTSUPP;
	}
}
