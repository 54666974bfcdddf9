/* SPDX-License-Identifier: MIT */
/*
 * CPUs of a host and what runs on them: hard interrupts, softirqs, ksoftirqd, tasks. A CPU runs
 * steps: one interrupt handler, one softirq action (or one NAPI poll of it), one task slice. A step
 * is atomic; it costs what cpu_cost() was told during it, and the CPU's next step is an event at
 * its end. With no cost model all steps take no time, through the same loop.
 *
 * Which step comes next on a CPU: a pending hard interrupt; then the softirq round under way or a
 * new one when softirqs are pending (unless they were handed to ksoftirqd); then tasks, ksoftirqd
 * one of them, in turn.
 */
#ifndef TAPLINE_KERNEL_CPU_H
#define TAPLINE_KERNEL_CPU_H

#include "kernel/event.h"
#include "lib/list.h"
#include "stack/cost.h"

struct host;
struct cpu;
struct softnet_data;

/* In the order of their priority (Linux interrupt.h). */
enum softirq_nr {
	HI_SOFTIRQ,
	TIMER_SOFTIRQ,
	NET_TX_SOFTIRQ,
	NET_RX_SOFTIRQ,
	BLOCK_SOFTIRQ,
	IRQ_POLL_SOFTIRQ,
	TASKLET_SOFTIRQ,
	SCHED_SOFTIRQ,
	HRTIMER_SOFTIRQ,
	RCU_SOFTIRQ,
	NR_SOFTIRQS
};

#define MAX_SOFTIRQ_RESTART 10
#define MAX_SOFTIRQ_TIME_NS (2 * NSEC_PER_MSEC)

enum softirq_result {
	SOFTIRQ_DONE, /* the action is through */
	SOFTIRQ_AGAIN, /* one step of the action is: call it again as the next step (NAPI's poll
			  loop between two polls) */
};

typedef enum softirq_result (*softirq_fn)(struct cpu *cpu);

/* A task of a host: a system call under way, ksoftirqd. `run` is called for a slice whenever it is
 * runnable and its turn. */
struct task {
	struct list_head run; /* on the CPU's run queue while runnable */
	struct cpu *cpu;
	void (*fn)(struct task *t);
};

/* What OP_SOFTIRQ has asked for: work of so many ns, again so often. */
struct softirq_load {
	u64 ns;
	u32 again;
};

struct cpu {
	struct host *host;
	u32 id;
	u64 busy_until;
	struct event step;
	enum event_class step_class; /* of the armed step */
	bool in_step;
	u64 step_cost; /* ns, of the step that is running */
	struct list_head irqs; /* pending irq_desc, in order of arrival */
	u32 softirq_pending;
	/* The softirq round under way (__do_softirq): what is left of its mask; whether it runs in
	 * ksoftirqd. */
	u32 softirq_active;
	u32 softirq_restarts;
	u64 softirq_end_ns;
	bool softirq_round;
	bool ksoftirqd_runnable;
	struct task ksoftirqd;
	struct list_head runqueue;
	struct softnet_data *softnet; /* core/ */
	u64 softirq_count[NR_SOFTIRQS];
	struct softirq_load softirq_load[NR_SOFTIRQS];
	u64 ksoftirqd_wakeups;
	u64 steps;
};

/* A hard interrupt line (an MSI-X vector). */
struct irq_desc {
	struct list_head pending; /* on its CPU's list while it waits to be handled */
	struct list_head all; /* of the host, in order of request */
	struct cpu *cpu;
	u32 irq;
	void (*handler)(void *dev_id);
	void *dev_id;
	u64 count;
	char name[32];
};

/* CPU number `id` of a host, `id` < its count. */
struct cpu *host_cpu(struct host *h, u32 id);

/* Adds to the cost of the step now running on this CPU: `n` times the host's cost of that kind. */
void cpu_cost(struct cpu *cpu, enum cost_kind kind, u64 n);

/* Makes sure that the CPU looks at its pending work. */
void cpu_kick(struct cpu *cpu);

/* The softirq action of the whole host (open_softirq). */
void open_softirq(struct host *h, enum softirq_nr nr, softirq_fn fn);
/* From any context: marks it pending on that CPU. */
void raise_softirq(struct cpu *cpu, enum softirq_nr nr);

/* OP_SOFTIRQ: raises a kind; one that no subsystem here has opened is given work. 0 or -EINVAL. */
int softirq_apply(struct cpu *cpu, u64 nr, u64 ns, u64 again);

/* A line for a handler, on CPU `cpu`; NULL when memory is refused. name is cut to 31 characters. */
struct irq_desc *request_irq(struct host *h, u32 cpu, void (*handler)(void *), void *dev_id,
			     const char *name);
void free_irq(struct irq_desc *irq);
/* The device signals. One that is pending already stays pending once, as an edge does. */
void irq_raise(struct irq_desc *irq);
/* /proc/irq/N/smp_affinity: later interrupts go to that CPU. */
void irq_set_affinity(struct irq_desc *irq, u32 cpu);

void task_init(struct task *t, struct cpu *cpu, void (*fn)(struct task *t));
/* Runnable, at the end of its CPU's queue; harmless when it is already. */
void wake_up_process(struct task *t);
/* Takes it from the run queue: it is going away. */
void task_exit(struct task *t);

#endif
