/* SPDX-License-Identifier: MIT */
/*
 * Kernel timers on the event queue (timer.h). A timer that fires is a TIMER_SOFTIRQ of its CPU
 * (run_timer_softirq), raised and run at once; one that falls due while its CPU is in softirq waits
 * for the end of the round, which ksoftirqd takes over after MAX_SOFTIRQ_TIME_NS at the latest.
 */
#include "kernel/timer.h"

#include "kernel/cpu_steps.h"
#include "kernel/host.h"
#include "kernel/trace.h"

u64 jiffies(const struct host *h)
{
	return INITIAL_JIFFIES + (h->world->now - h->born_ns) / JIFFY_NS;
}

u64 ktime_get_ns(const struct host *h)
{
	return h->world->now - h->born_ns + KTIME_BASE;
}

bool timer_begin(struct cpu *cpu, struct event *ev)
{
	struct world *w = cpu->host->world;

	if (cpu->busy_until > w->now) {
		event_arm(w, ev, cpu->busy_until, EVENT_TIMER);
		return false;
	}
	cpu_step_begin(cpu);
	cpu->softirq_count[TIMER_SOFTIRQ]++;
	cpu_cost(cpu, COST_TIMER, 1);
	trace(w, cpu->host, TRACE_TIMER_EXPIRE, 0, jiffies(cpu->host), 0, 0);
	return true;
}

void timer_end(struct cpu *cpu)
{
	cpu_step_end(cpu);
}

static void timer_event(struct world *w, struct event *ev)
{
	struct timer *t = container_of(ev, struct timer, event);
	struct cpu *cpu = t->cpu;

	(void)w;
	if (!timer_begin(cpu, ev))
		return;
	t->fn(t); /* may free what the timer is part of */
	timer_end(cpu);
}

void timer_setup(struct timer *t, struct cpu *cpu, timer_fn fn)
{
	event_init(&t->event, timer_event);
	t->cpu = cpu;
	t->fn = fn;
}

u64 timer_expiry_ns(const struct host *h, u64 expires_jiffies)
{
	u64 now_jiffies = jiffies(h);
	u64 wait = expires_jiffies > now_jiffies ? expires_jiffies - now_jiffies : 1;

	return h->world->now + wait * JIFFY_NS;
}

void mod_timer(struct timer *t, u64 expires_jiffies)
{
	const struct host *h = t->cpu->host;

	event_arm(h->world, &t->event, timer_expiry_ns(h, expires_jiffies), EVENT_TIMER);
}

void hrtimer_start(struct timer *t, u64 time_ns)
{
	event_arm(t->cpu->host->world, &t->event, time_ns, EVENT_TIMER);
}

bool del_timer(struct timer *t)
{
	bool pending = timer_pending(t);

	event_cancel(t->cpu->host->world, &t->event);
	return pending;
}
