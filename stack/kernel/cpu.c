/* SPDX-License-Identifier: MIT */
/*
 * What runs on a CPU (cpu.h): the choice of the next step, hard interrupts, the softirq round of
 * __do_softirq, ksoftirqd and tasks.
 *
 * Invariants: a CPU's step event is armed exactly when it has work and no step is running; its time
 * is not before busy_until; a line or a task is on at most one CPU's list; a round under way
 * (softirq_round) goes on before any task of that CPU.
 */
#include "kernel/cpu.h"

#include "kernel/cpu_steps.h"
#include "kernel/host.h"
#include "kernel/sched.h"
#include "kernel/trace.h"
#include "lib/bytes.h"
#include "lib/str.h"
#include "stack/assert.h"
#include "stack/errno.h"

static u32 lowest_bit(u32 mask)
{
	u32 n = 0;

	ASSERT(mask);
	while (!(mask & 1u << n))
		n++;
	return n;
}

static bool round_in_ksoftirqd(const struct cpu *cpu)
{
	return cpu->softirq_round && cpu->ksoftirqd_runnable;
}

/* invoke_softirq(): pending softirqs run on the way out of an interrupt unless ksoftirqd has them.
 */
static bool softirq_due(const struct cpu *cpu)
{
	if (cpu->softirq_round)
		return !round_in_ksoftirqd(cpu);
	return cpu->softirq_pending && !cpu->ksoftirqd_runnable;
}

void cpu_kick(struct cpu *cpu)
{
	struct world *w = cpu->host->world;
	enum event_class cls;
	u16 priority = 0;
	u64 at;

	if (cpu->in_step)
		return;
	if (!list_empty(&cpu->irqs) || softirq_due(cpu))
		cls = EVENT_IRQ;
	else if (round_in_ksoftirqd(cpu) || !list_empty(&cpu->runqueue))
		cls = EVENT_TASK;
	else
		return;
	at = max_u64(w->now, cpu->busy_until);
	if (event_armed(&cpu->step) && cpu->step_class == cls && cpu->step.time <= at)
		return;
	/* Several CPUs could go next: the seed decides. */
	if (cpu->host->cpus_count > 1 && !w->sched)
		priority = (u16)get_random_u32_below(w, RANDOM_SCHED, 65536);
	cpu->step_class = cls;
	event_arm_priority(w, &cpu->step, at, cls, priority);
}

bool cpu_idle_now(const struct cpu *cpu)
{
	const struct world *w = cpu->host->world;

	return !cpu->in_step && cpu->busy_until <= w->now && list_empty(&cpu->irqs) &&
	       !cpu->softirq_pending && !cpu->softirq_round && list_empty(&cpu->runqueue) &&
	       (!w->heap || w->heap->time > w->now);
}

void cpu_step_begin(struct cpu *cpu)
{
	ASSERT(!cpu->in_step);
	cpu->in_step = true;
	cpu->step_cost = 0;
	cpu->steps++;
}

void cpu_step_end(struct cpu *cpu)
{
	ASSERT(cpu->in_step);
	cpu->in_step = false;
	if (cpu->step_cost)
		cpu->busy_until = cpu->host->world->now + cpu->step_cost;
	cpu_kick(cpu);
}

void cpu_cost(struct cpu *cpu, enum cost_kind kind, u64 n)
{
	u64 ns = cpu->host->cost[kind];

	if (!ns)
		return;
	cpu->step_cost += kind == COST_RX_BYTE || kind == COST_TX_BYTE ? n * ns / 1000 : n * ns;
}

static void run_irq(struct cpu *cpu)
{
	struct irq_desc *irq = list_first_entry(&cpu->irqs, struct irq_desc, pending);

	list_del_init(&irq->pending);
	irq->count++;
	cpu_cost(cpu, COST_IRQ, 1);
	trace(cpu->host->world, cpu->host, TRACE_IRQ_ENTRY, irq->irq, cpu->id, irq->count, 0);
	irq->handler(irq->dev_id);
}

static void round_begin(struct cpu *cpu)
{
	cpu->softirq_round = true;
	cpu->softirq_active = cpu->softirq_pending;
	cpu->softirq_pending = 0;
	cpu->softirq_restarts = MAX_SOFTIRQ_RESTART;
	cpu->softirq_end_ns = cpu->host->world->now + MAX_SOFTIRQ_TIME_NS;
}

/* The round has handled all it took on: another turn, ksoftirqd, or the end. */
static void round_restart_or_end(struct cpu *cpu)
{
	u64 now = cpu->host->world->now + cpu->step_cost;

	if (!cpu->softirq_pending) {
		cpu->softirq_round = false;
		return;
	}
	if (now < cpu->softirq_end_ns && --cpu->softirq_restarts > 0) {
		cpu->softirq_active = cpu->softirq_pending;
		cpu->softirq_pending = 0;
		return;
	}
	cpu->softirq_round = false;
	if (cpu->ksoftirqd_runnable)
		return; /* it runs in ksoftirqd, which looks again itself */
	cpu->ksoftirqd_runnable = true;
	cpu->ksoftirqd_wakeups++;
	trace(cpu->host->world, cpu->host, TRACE_KSOFTIRQD_WAKE, cpu->id, cpu->softirq_pending, 0,
	      0);
	wake_up_process(&cpu->ksoftirqd);
}

/* Work of a kind that nobody here does (host:softirq): takes its time, and comes again so often. */
static enum softirq_result softirq_load(struct cpu *cpu, u32 nr)
{
	struct softirq_load *load = &cpu->softirq_load[nr];

	cpu->step_cost += load->ns;
	if (load->again) {
		load->again--;
		raise_softirq(cpu, (enum softirq_nr)nr);
	} else {
		load->ns = 0;
	}
	return SOFTIRQ_DONE;
}

/* More would be a storm. */
#define SOFTIRQ_AGAIN_MAX 10000u

int softirq_apply(struct cpu *cpu, u64 nr, u64 ns, u64 again)
{
	if (nr >= NR_SOFTIRQS || ns > NSEC_PER_SEC || again > SOFTIRQ_AGAIN_MAX)
		return -EINVAL;
	if (!cpu->host->softirq[nr])
		cpu->softirq_load[nr] = (struct softirq_load){ .ns = ns, .again = (u32)again };
	raise_softirq(cpu, (enum softirq_nr)nr);
	return 0;
}

/* One step of the round: one action, or one poll of it. */
static void run_softirq(struct cpu *cpu)
{
	softirq_fn action;
	u32 nr;

	if (!cpu->softirq_round)
		round_begin(cpu);
	nr = lowest_bit(cpu->softirq_active);
	cpu->softirq_count[nr]++;
	cpu_cost(cpu, COST_SOFTIRQ, 1);
	trace(cpu->host->world, cpu->host, TRACE_SOFTIRQ_ENTRY, nr, cpu->id, 0, 0);
	action = cpu->host->softirq[nr];
	if ((action ? action(cpu) : softirq_load(cpu, nr)) == SOFTIRQ_AGAIN)
		return;
	cpu->softirq_active &= ~(1u << nr);
	if (!cpu->softirq_active)
		round_restart_or_end(cpu);
}

/* run_ksoftirqd(): begins a round, and stays runnable, behind the other tasks, as long as something
 * is pending. */
static void ksoftirqd_fn(struct task *t)
{
	struct cpu *cpu = t->cpu;

	if (cpu->softirq_pending)
		run_softirq(cpu);
	if (cpu->softirq_round || cpu->softirq_pending)
		wake_up_process(t);
	else
		cpu->ksoftirqd_runnable = false;
}

static void run_task(struct cpu *cpu)
{
	struct task *t = list_first_entry(&cpu->runqueue, struct task, run);

	list_del_init(&t->run);
	t->fn(t);
}

static void cpu_step(struct world *w, struct event *ev)
{
	struct cpu *cpu = container_of(ev, struct cpu, step);

	if (w->sched)
		cpu = sched_choose(cpu);
	cpu_step_begin(cpu);
	if (!list_empty(&cpu->irqs))
		run_irq(cpu);
	else if (softirq_due(cpu) || round_in_ksoftirqd(cpu))
		run_softirq(cpu);
	else if (!list_empty(&cpu->runqueue))
		run_task(cpu);
	cpu_step_end(cpu);
}

void cpu_init(struct cpu *cpu, struct host *h, u32 id)
{
	*cpu = (struct cpu){ .host = h, .id = id };
	list_init(&cpu->irqs);
	list_init(&cpu->runqueue);
	event_init(&cpu->step, cpu_step);
	task_init(&cpu->ksoftirqd, cpu, ksoftirqd_fn);
}

void cpu_exit(struct cpu *cpu)
{
	event_cancel(cpu->host->world, &cpu->step);
	task_exit(&cpu->ksoftirqd);
	ASSERT(list_empty(&cpu->irqs));
	ASSERT(list_empty(&cpu->runqueue));
}

struct cpu *host_cpu(struct host *h, u32 id)
{
	ASSERT(id < h->cpus_count);
	return h->cpus[id];
}

void open_softirq(struct host *h, enum softirq_nr nr, softirq_fn fn)
{
	h->softirq[nr] = fn;
}

void raise_softirq(struct cpu *cpu, enum softirq_nr nr)
{
	if (cpu->softirq_pending & 1u << nr)
		return;
	cpu->softirq_pending |= 1u << nr;
	trace(cpu->host->world, cpu->host, TRACE_SOFTIRQ_RAISE, nr, cpu->id, 0, 0);
	cpu_kick(cpu);
}

struct irq_desc *request_irq(struct host *h, u32 cpu, void (*handler)(void *), void *dev_id,
			     const char *name)
{
	struct irq_desc *irq = mem_zalloc(h->world, MEM_IRQ, sizeof(*irq));

	if (!irq)
		return NULL;
	irq->cpu = host_cpu(h, cpu);
	irq->irq = h->irqs_count++;
	irq->handler = handler;
	irq->dev_id = dev_id;
	str_copy(irq->name, name, sizeof(irq->name));
	list_init(&irq->pending);
	list_add_tail(&irq->all, &h->irqs);
	return irq;
}

void free_irq(struct irq_desc *irq)
{
	list_del_init(&irq->pending);
	list_del_init(&irq->all);
	mem_free(irq->cpu->host->world, MEM_IRQ, irq, sizeof(*irq));
}

void irq_raise(struct irq_desc *irq)
{
	struct world *w = irq->cpu->host->world;

	if (should_fail(w, FAULT_IRQ_LOST))
		return;
	if (!list_empty(&irq->pending))
		return;
	list_add_tail(&irq->pending, &irq->cpu->irqs);
	cpu_kick(irq->cpu);
}

void irq_set_affinity(struct irq_desc *irq, u32 cpu)
{
	bool pending = !list_empty(&irq->pending);

	list_del_init(&irq->pending);
	irq->cpu = host_cpu(irq->cpu->host, cpu);
	if (pending) {
		list_add_tail(&irq->pending, &irq->cpu->irqs);
		cpu_kick(irq->cpu);
	}
}

void task_init(struct task *t, struct cpu *cpu, void (*fn)(struct task *t))
{
	list_init(&t->run);
	t->cpu = cpu;
	t->fn = fn;
}

void wake_up_process(struct task *t)
{
	if (!list_empty(&t->run))
		return;
	list_add_tail(&t->run, &t->cpu->runqueue);
	cpu_kick(t->cpu);
}

void task_exit(struct task *t)
{
	list_del_init(&t->run);
}
