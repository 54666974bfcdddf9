/* SPDX-License-Identifier: MIT */
/*
 * The interleaving of CPUs, pinned by a script (sched.h).
 *
 * Invariant: a choice changes the order of steps at one instant only; every CPU that could have
 * gone first has its step still, at the same instant.
 */
#include "kernel/sched.h"

#include "kernel/host.h"
#include "kernel/random.h"
#include "kernel/world.h"
#include "lib/bytes.h"
#include "lib/hash.h"
#include "stack/errno.h"
#include "stack/op.h"

struct sched_script {
	u32 len; /* choices given */
	u32 count; /* places where there was a choice */
	u8 wanted[WORLD_SCHED_MAX];
	u8 taken[WORLD_SCHED_MAX];
	u8 of[WORLD_SCHED_MAX];
};

/* Calls fn for every CPU whose step is due now, in the order of hosts and CPUs. */
static u32 due_cpus(struct world *w, u32 n, struct cpu **nth)
{
	u32 count = 0;

	for (u32 i = 0; i < w->hosts_count; i++) {
		const struct host *h = w->hosts[i];

		for (u32 k = 0; h && k < h->cpus_count; k++) {
			struct cpu *cpu = h->cpus[k];

			if (!event_armed(&cpu->step) || cpu->step.time > w->now)
				continue;
			if (count++ == n)
				*nth = cpu;
		}
	}
	return count;
}

struct cpu *sched_choose(struct cpu *cpu)
{
	struct world *w = cpu->host->world;
	struct sched_script *s = w->sched;
	struct cpu *chosen = cpu;
	u32 of, choice = 0;

	/* Its own event is off the queue: back on it, to be one of all. */
	event_arm_priority(w, &cpu->step, w->now, cpu->step_class, 0);
	of = due_cpus(w, 0, &chosen);
	if (of > 1 && s->count < WORLD_SCHED_MAX) {
		choice = s->count < s->len ? s->wanted[s->count] : 0;
		if (choice >= of)
			choice = of - 1;
		s->taken[s->count] = (u8)choice;
		s->of[s->count++] = (u8)(of > UINT8_MAX ? UINT8_MAX : of);
		due_cpus(w, choice, &chosen);
	}
	event_cancel(w, &chosen->step);
	return chosen;
}

void sched_free(struct world *w)
{
	if (w->sched)
		mem_free(w, MEM_MISC, w->sched, sizeof(*w->sched));
	w->sched = NULL;
}

int sched_apply(struct world *w, const struct op_sched *op)
{
	if (op->choices.len > WORLD_SCHED_MAX || op->mode > WORLD_SCHED_SEED)
		return -EINVAL;
	sched_free(w);
	if (op->mode == WORLD_SCHED_SEED)
		w->random[RANDOM_SCHED] = mix64(op->seed);
	if (op->mode != WORLD_SCHED_PINNED)
		return 0;
	w->sched = mem_zalloc(w, MEM_MISC, sizeof(*w->sched));
	if (!w->sched)
		return -ENOMEM;
	w->sched->len = op->choices.len;
	if (op->choices.len)
		memcpy(w->sched->wanted, op->choices.p, op->choices.len);
	return 0;
}

u32 world_sched_log(const struct world *w, u8 *choice, u8 *of, u32 cap)
{
	const struct sched_script *s = w->sched;

	for (u32 i = 0; s && i < s->count && i < cap; i++) {
		choice[i] = s->taken[i];
		of[i] = s->of[i];
	}
	return s ? s->count : 0;
}
