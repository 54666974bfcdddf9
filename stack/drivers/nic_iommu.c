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

void nic_set_iommu(struct nic_adapter *a, bool on)
{
	a->dma_strict = on;
	nic_hw_iommu(a->hw, on ? nic_dma_mapped : NULL, a);
}
