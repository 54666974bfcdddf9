/* SPDX-License-Identifier: MIT */
/* Fault points for OP_FAULT. The list is fault.def. */
#ifndef TAPLINE_STACK_FAULT_H
#define TAPLINE_STACK_FAULT_H

#include "stack/types.h"

enum fault_point {
#define FAULT_POINT(NAME, text, doc) FAULT_##NAME,
#include "stack/fault.def"
#undef FAULT_POINT
	FAULT_POINT_COUNT
};

/* "alloc"; NULL outside the enum. */
const char *fault_name(u32 point);
/* One line of documentation; NULL outside the enum. */
const char *fault_doc(u32 point);

#endif
