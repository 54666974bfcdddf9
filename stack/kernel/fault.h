/* SPDX-License-Identifier: MIT */
/* The fault plan: faults planted by OP_FAULT strike where the code asks. */
#ifndef TAPLINE_KERNEL_FAULT_H
#define TAPLINE_KERNEL_FAULT_H

#include "stack/fault.h"

struct world;

struct fault_plan {
	u64 skip[FAULT_POINT_COUNT];
	u64 count[FAULT_POINT_COUNT]; /* left to strike; TIME_NEVER: for ever */
	u64 struck[FAULT_POINT_COUNT];
	u32 armed; /* bit per point: planted and not used up */
};

/* True: fail here. Costs one test while no fault is planted. */
bool should_fail(struct world *w, enum fault_point point);
void fault_plant(struct world *w, enum fault_point point, u64 skip, u64 count);

#endif
