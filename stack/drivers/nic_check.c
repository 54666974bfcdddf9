/* SPDX-License-Identifier: MIT */
/*
 * The ring NIC's invariants, for world_check(): every frame that arrives or is given to a ring is
 * accounted for once, in the device and in the driver. A device that has lied (nic_hw_lied) is not
 * believed until it is reset: then both accounts must agree again.
 */
#include "drivers/nic_driver.h"

/* What the driver has seen of the frames that the device has put into rings: handed to the stack,
 * dropped for want of memory, with the ring or as not possible, waiting. */
static u64 nic_fetched(const struct nic_adapter *a)
{
	u64 n = a->rx_unaccounted;

	for (u32 i = 0; i < a->max_queues; i++) {
		const struct nic_queue *q = &a->q[i];

		n += q->rx_packets + q->rx_no_skb + q->rx_purged + q->rx_length_errors +
		     q->model->rx_waiting(q);
	}
	return n;
}

void nic_settle(struct nic_adapter *a)
{
	a->rx_unaccounted += nic_hw_stats(a->hw)->rx_frames - nic_fetched(a);
}

void nic_check(const struct net_device *dev)
{
	const struct nic_adapter *a = dev->priv;
	const struct nic_hw_stats *hw = nic_hw_stats(a->hw);

	/* Off the wire: taken, or refused for one reason. */
	ASSERT(hw->rx_arrived == hw->rx_frames + hw->rx_disabled + hw->rx_crc_errors +
					 hw->rx_length_errors + hw->rx_filtered + hw->rx_missed +
					 hw->rx_bad_descriptor + hw->rx_pause +
					 nic_hw_lro_held(a->hw));
	for (u32 i = 0; i < a->max_queues; i++) {
		const struct nic_queue *q = &a->q[i];

		/* Given to the ring: sent, thrown away with it, or in it. */
		ASSERT(q->tx_queued == q->tx_done + q->tx_purged + q->model->tx_waiting(q));
	}
	ASSERT(nic_hw_lied(a->hw) || hw->rx_frames == nic_fetched(a));
}
