/* SPDX-License-Identifier: MIT */
/* Steps of a CPU: interrupt before softirq before task, the cost model, the softirq round's limits
 * and ksoftirqd. */
#include "stack/bare_world.h"

#include "kernel/timer.h"

static char order[256];
static u64 times[256];
static u32 count;

static void note(struct world *w, char c)
{
	times[count] = w->now;
	order[count++] = c;
	order[count] = 0;
}

static struct host *boot(struct world *w)
{
	struct host *h = host_create(w, 1, "h");

	assert_non_null(h);
	count = 0;
	order[0] = 0;
	return h;
}

static void halt(struct world *w, struct host *h)
{
	host_free(h);
	bare_world_end(w);
}

static void irq_handler(void *dev_id)
{
	struct host *h = dev_id;

	note(h->world, 'i');
	raise_softirq(host_cpu(h, 0), NET_RX_SOFTIRQ);
}

static enum softirq_result rx_action(struct cpu *cpu)
{
	note(cpu->host->world, 'r');
	return SOFTIRQ_DONE;
}

static void task_fn(struct task *t)
{
	note(t->cpu->host->world, 't');
}

static void interrupt_softirq_task(void **state)
{
	struct world *w = bare_world(1);
	struct host *h = boot(w);
	struct irq_desc *irq = request_irq(h, 0, irq_handler, h, "nic");
	struct task t;

	(void)state;
	open_softirq(h, NET_RX_SOFTIRQ, rx_action);
	task_init(&t, host_cpu(h, 0), task_fn);
	wake_up_process(&t);
	irq_raise(irq);
	irq_raise(irq); /* an edge: pending once */
	bare_world_run(w);
	assert_string_equal(order, "irt");
	assert_int_equal(irq->count, 1);
	free_irq(irq);
	halt(w, h);
}

static void steps_cost_time(void **state)
{
	struct world *w = bare_world(1);
	struct host *h = boot(w);
	struct irq_desc *irq = request_irq(h, 0, irq_handler, h, "nic");
	struct task t;

	(void)state;
	h->cost[COST_IRQ] = 100;
	h->cost[COST_SOFTIRQ] = 10;
	open_softirq(h, NET_RX_SOFTIRQ, rx_action);
	task_init(&t, host_cpu(h, 0), task_fn);
	wake_up_process(&t);
	irq_raise(irq);
	bare_world_run(w);
	assert_string_equal(order, "irt");
	assert_int_equal(times[0], 0);
	assert_int_equal(times[1], 100);
	assert_int_equal(times[2], 110);
	free_irq(irq);
	halt(w, h);
}

/* An action that is pending again each time it ran. */
static enum softirq_result busy_action(struct cpu *cpu)
{
	note(cpu->host->world, 'b');
	if (count < 40)
		raise_softirq(cpu, NET_RX_SOFTIRQ);
	return SOFTIRQ_DONE;
}

static void a_round_that_never_ends_goes_to_ksoftirqd(void **state)
{
	struct world *w = bare_world(1);
	struct host *h = boot(w);
	struct task t;

	(void)state;
	open_softirq(h, NET_RX_SOFTIRQ, busy_action);
	task_init(&t, host_cpu(h, 0), task_fn);
	raise_softirq(host_cpu(h, 0), NET_RX_SOFTIRQ);
	wake_up_process(&t);
	bare_world_run(w);
	/* MAX_SOFTIRQ_RESTART turns before any task; then ksoftirqd takes its turn behind the task
	 * that waited. */
	assert_int_equal(MAX_SOFTIRQ_RESTART, 10);
	assert_memory_equal(order, "bbbbbbbbbbt", 11);
	assert_int_equal(order[11], 'b');
	assert_int_equal(host_cpu(h, 0)->ksoftirqd_wakeups, 1);
	assert_int_equal(count, 40);
	halt(w, h);
}

static void two_milliseconds_end_a_round(void **state)
{
	struct world *w = bare_world(1);
	struct host *h = boot(w);
	struct task t;

	(void)state;
	h->cost[COST_SOFTIRQ] = 700 * NSEC_PER_USEC;
	open_softirq(h, NET_RX_SOFTIRQ, busy_action);
	task_init(&t, host_cpu(h, 0), task_fn);
	raise_softirq(host_cpu(h, 0), NET_RX_SOFTIRQ);
	wake_up_process(&t);
	bare_world_run(w);
	/* 0.7, 1.4, 2.1 ms: the third is the last. */
	assert_memory_equal(order, "bbbt", 4);
	halt(w, h);
}

/* An action of three steps, as net_rx_action's polls. */
static u32 steps_left;
static struct irq_desc *line;

static enum softirq_result stepping_action(struct cpu *cpu)
{
	note(cpu->host->world, 's');
	if (steps_left == 2)
		irq_raise(line);
	return --steps_left ? SOFTIRQ_AGAIN : SOFTIRQ_DONE;
}

static void plain_irq(void *dev_id)
{
	struct host *h = dev_id;

	note(h->world, 'i');
}

static void an_interrupt_comes_between_two_steps_of_an_action(void **state)
{
	struct world *w = bare_world(1);
	struct host *h = boot(w);

	(void)state;
	line = request_irq(h, 0, plain_irq, h, "nic");
	steps_left = 3;
	open_softirq(h, NET_RX_SOFTIRQ, stepping_action);
	raise_softirq(host_cpu(h, 0), NET_RX_SOFTIRQ);
	bare_world_run(w);
	assert_string_equal(order, "ssis");
	free_irq(line);
	halt(w, h);
}

static void softirqs_run_by_priority(void **state)
{
	struct world *w = bare_world(1);
	struct host *h = boot(w);

	(void)state;
	open_softirq(h, NET_RX_SOFTIRQ, rx_action);
	steps_left = 1;
	open_softirq(h, HI_SOFTIRQ, stepping_action);
	raise_softirq(host_cpu(h, 0), NET_RX_SOFTIRQ);
	raise_softirq(host_cpu(h, 0), HI_SOFTIRQ);
	bare_world_run(w);
	assert_string_equal(order, "sr");
	halt(w, h);
}

static void timer_fires(struct timer *t)
{
	note(t->cpu->host->world, 'T');
}

static void timers_are_exact_and_wait_for_a_busy_cpu(void **state)
{
	struct world *w = bare_world(1);
	struct host *h = boot(w);
	struct timer t;

	(void)state;
	w->now = 500;
	timer_setup(&t, host_cpu(h, 0), timer_fires);
	mod_timer(&t, jiffies(h) + 200);
	assert_true(timer_pending(&t));
	bare_world_run(w);
	assert_int_equal(times[0], 500 + 200 * NSEC_PER_MSEC);
	hrtimer_start(&t, w->now + 10);
	host_cpu(h, 0)->busy_until = w->now + 25;
	bare_world_run(w);
	assert_int_equal(times[1], times[0] + 25);
	mod_timer(&t, jiffies(h));
	assert_true(del_timer(&t));
	assert_false(del_timer(&t));
	halt(w, h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupt_softirq_task),
		cmocka_unit_test(steps_cost_time),
		cmocka_unit_test(a_round_that_never_ends_goes_to_ksoftirqd),
		cmocka_unit_test(two_milliseconds_end_a_round),
		cmocka_unit_test(an_interrupt_comes_between_two_steps_of_an_action),
		cmocka_unit_test(softirqs_run_by_priority),
		cmocka_unit_test(timers_are_exact_and_wait_for_a_busy_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
