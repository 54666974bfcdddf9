/* SPDX-License-Identifier: MIT */
/* The inside of a CPU for the rest of kernel/ and for socket/sys.c, which runs calls at once when
 * nothing is in the way. */
#ifndef TAPLINE_KERNEL_CPU_STEPS_H
#define TAPLINE_KERNEL_CPU_STEPS_H

#include "kernel/cpu.h"

void cpu_init(struct cpu *cpu, struct host *h, u32 id);
void cpu_exit(struct cpu *cpu);

/* No step is running, none is due on this CPU, and nothing else is due at this instant: a step may
 * run here and now instead of as an event. */
bool cpu_idle_now(const struct cpu *cpu);

/* Around what counts as a step but is not begun by the CPU itself: timers, a call that runs at
 * once. */
void cpu_step_begin(struct cpu *cpu);
void cpu_step_end(struct cpu *cpu);

#endif
