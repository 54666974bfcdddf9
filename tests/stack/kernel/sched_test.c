/* SPDX-License-Identifier: MIT */
/* The order of CPUs by a script: every choice is followed, counted and within what there is; all
 * steps are taken whatever is chosen. */
#include "stack/bare_world.h"

#include "kernel/cpu_steps.h"
#include "kernel/sched.h"
#include "stack/errno.h"
#include "stack/op.h"

#define CPUS 3u

static u32 order[16], steps;

static void step_fn(struct task *t)
{
	order[steps++] = t->cpu->id;
}

struct scene {
	struct world *w;
	struct host host;
	struct cpu cpu[CPUS];
	struct cpu *cpus[CPUS];
	struct task task[CPUS];
};

static void scene_begin(struct scene *s)
{
	*s = (struct scene){ .w = bare_world(1) };
	s->host.world = s->w;
	s->host.cpus_count = CPUS;
	for (u32 i = 0; i < CPUS; i++) {
		s->cpus[i] = &s->cpu[i];
		cpu_init(&s->cpu[i], &s->host, i);
		task_init(&s->task[i], &s->cpu[i], step_fn);
	}
	memcpy(s->host.cpus, s->cpus, sizeof(s->cpus));
	s->w->hosts[0] = &s->host;
	s->w->hosts_count = 1;
}

static void scene_end(struct scene *s)
{
	sched_free(s->w);
	for (u32 i = 0; i < CPUS; i++)
		cpu_exit(&s->cpu[i]);
	bare_world_end(s->w);
}

static void run(struct scene *s, const char *choices)
{
	const struct op_sched op = { .mode = WORLD_SCHED_PINNED,
				     .choices = { (const u8 *)choices, (u32)strlen(choices) } };

	assert_int_equal(sched_apply(s->w, &op), 0);
	steps = 0;
	for (u32 i = 0; i < CPUS; i++)
		wake_up_process(&s->task[i]);
	bare_world_run(s->w);
	assert_int_equal(steps, CPUS);
}

static void choices_are_followed(void **state)
{
	struct scene s;
	u8 taken[8], of[8];

	(void)state;
	scene_begin(&s);
	run(&s, "");
	assert_true(order[0] == 0 && order[1] == 1 && order[2] == 2);
	assert_int_equal(world_sched_log(s.w, taken, of, 8), 2);
	assert_true(of[0] == 3 && of[1] == 2);
	run(&s, "\2\1");
	assert_true(order[0] == 2 && order[1] == 1 && order[2] == 0);
	run(&s, "\1");
	assert_true(order[0] == 1 && order[1] == 0 && order[2] == 2);
	/* More than there are: the last. */
	run(&s, "\x7f\x7f\x7f\x7f");
	assert_true(order[0] == 2 && order[1] == 1 && order[2] == 0);
	assert_int_equal(world_sched_log(s.w, taken, of, 8), 2);
	assert_true(taken[0] == 2 && taken[1] == 1);
	scene_end(&s);
}

static void without_a_script(void **state)
{
	const struct op_sched random = { .mode = WORLD_SCHED_RANDOM };
	struct op_sched bad = { .mode = 3 };
	struct scene s;
	u8 b[1];

	(void)state;
	scene_begin(&s);
	run(&s, "\1");
	assert_int_equal(sched_apply(s.w, &random), 0);
	assert_int_equal(world_sched_log(s.w, b, b, 1), 0);
	assert_int_equal(sched_apply(s.w, &bad), -EINVAL);
	bad = (struct op_sched){ .mode = WORLD_SCHED_PINNED,
				 .choices = { b, WORLD_SCHED_MAX + 1 } };
	assert_int_equal(sched_apply(s.w, &bad), -EINVAL);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choices_are_followed),
		cmocka_unit_test(without_a_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
