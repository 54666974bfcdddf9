/* SPDX-License-Identifier: MIT */
/*
 * The interleaving of CPUs. Where several CPUs could take their next step at one instant the stream
 * SCHED decides (cpu_kick); a script can pin the order instead: at each such place its next choice
 * is taken, the lowest CPU when it has no more, and what there was to choose from is kept, so that
 * all orders of a small case can be gone through (OP_SCHED, world_sched_log).
 */
#ifndef TAPLINE_KERNEL_SCHED_H
#define TAPLINE_KERNEL_SCHED_H

#include "kernel/cpu.h"

struct sched_script;

/* One of the CPUs whose step is due now; `cpu`, whose event this is, unless the script chooses
 * another one. Only while there is a script. */
struct cpu *sched_choose(struct cpu *cpu);
/* OP_SCHED. 0 or -errno. */
struct op_sched;
int sched_apply(struct world *w, const struct op_sched *op);
/* Forgets the script. */
void sched_free(struct world *w);

#endif
