/* SPDX-License-Identifier: MIT */
/* A system call of the interface (stack/sys.h) made by the kernel of this machine. */
#ifndef TAPLINE_SUT_KERNEL_CALL_H
#define TAPLINE_SUT_KERNEL_CALL_H

#include "stack/sys.h"

/* Can the call wait? Then it wants a thread of its own. */
bool kernel_call_may_block(const struct sys_op *op);

/*
 * Makes the call in this thread, which may block, and fills in what comes out of it except `ret`:
 * that is what it returns, >= 0 or -errno. `epoch_ns`: wall time when the world's clock showed 0.
 */
s64 kernel_call(struct sys_op *op, u64 epoch_ns);

#endif
