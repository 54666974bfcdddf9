/* SPDX-License-Identifier: MIT */
/*
 * An IOMMU between the software NIC and memory (intel_iommu=on iommu.strict=1): the device touches
 * what lies in the driver's rings and in the buffers that are in them, and nothing else. There is
 * no second table that could go wrong: the rings' own books are asked. What it refuses is counted
 * in dma_faults; with a device that keeps to its descriptors and a driver without faults it is 0.
 */
#include "drivers/nic_driver.h"

static bool nic_dma_mapped(void *ctx, u64 addr, u64 len)
{
	struct nic_adapter *a = ctx;

	for (u32 i = 0; i < a->queues; i++)
		if (a->q[i].model->mapped(&a->q[i], addr, len))
			return true;
	a->dma_faults++;
	return false;
}

int nic_set_iommu(struct nic_adapter *a, bool on)
{
	if (a->dma_strict == on)
		return 0;
	a->dma_strict = on;
	nic_hw_iommu(a->hw, on ? nic_dma_mapped : NULL, a);
	return nic_set_rings(a, a->rx_count, a->tx_count);
}

void nic_rx_clear(const struct nic_queue *q, u8 *head)
{
	if (q->adapter->dma_strict || nic_hw_lied(q->adapter->hw))
		memset(head, 0, NIC_RX_HEADROOM + NIC_RX_BUFFER);
}
