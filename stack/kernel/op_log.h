/* SPDX-License-Identifier: MIT */
/* The writing side of the op stream: whoever applies an op tells it here, once, before it takes
 * effect. */
#ifndef TAPLINE_KERNEL_OP_LOG_H
#define TAPLINE_KERNEL_OP_LOG_H

#include "stack/op.h"
#include "stack/sys.h"

/* Into the digest and to world_ops.op_log. */
void op_log(struct world *w, const struct op *op);

/* The same for a call given to sys_submit(): as OP_SYSCALL. */
void op_log_syscall(struct world *w, const struct sys_op *op);

#endif
