/* SPDX-License-Identifier: MIT */
/*
 * The ring NIC's invariants, for world_check(): every frame that arrives or is given to a ring is
 * accounted for once, in the device and in the driver.
 */
#include "drivers/nic_driver.h"

void nic_check(const struct net_device *dev)
{
	const struct nic_adapter *a = dev->priv;
	const struct nic_hw_stats *hw = nic_hw_stats(a->hw);
	u64 fetched = 0;

	/* Off the wire: taken, or refused for one reason. */
	ASSERT(hw->rx_arrived == hw->rx_frames + hw->rx_disabled + hw->rx_crc_errors +
					 hw->rx_length_errors + hw->rx_filtered + hw->rx_missed +
					 hw->rx_bad_descriptor + hw->rx_pause +
					 nic_hw_lro_held(a->hw));
	for (u32 i = 0; i < a->max_queues; i++) {
		const struct nic_queue *q = &a->q[i];

		fetched += q->rx_packets + q->rx_no_skb + q->rx_purged + q->model->rx_waiting(q);
		/* Given to the ring: sent, thrown away with it, or in it. */
		ASSERT(q->tx_queued == q->tx_done + q->tx_purged + q->model->tx_waiting(q));
	}
	/* In the rings: handed to the stack, dropped for want of memory or with the ring, waiting.
	 */
	ASSERT(hw->rx_frames == fetched);
}
