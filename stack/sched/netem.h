/* SPDX-License-Identifier: MIT */
/* netem's chances: numbers with a correlation, and models of loss (netem_random.c). */
#ifndef TAPLINE_SCHED_NETEM_H
#define TAPLINE_SCHED_NETEM_H

#include "core/sch_generic.h"

/* A sequence of numbers, each of which takes `rho` (of 2^32) after the one before. */
struct crndstate {
	u32 last, rho;
};

/* Its own generator, so that a seed makes a run again whatever else happens. */
struct netem_random {
	u64 state;
};

struct netem_loss {
	u32 model; /* TC_LOSS_* */
	u32 state; /* of the Markov chain */
	u32 random; /* share of 2^32 that is lost */
	struct crndstate cor;
	u32 p[5]; /* TCA_LOSS_P1 and on */
};

u32 netem_random_u32(struct netem_random *r);
u32 get_crandom(struct crndstate *state, struct netem_random *r);
/* Is the next packet lost? */
bool loss_event(struct netem_loss *loss, struct netem_random *r);
/* mu and about sigma around it, by distribution: ns, may be below 0. state NULL: no correlation. */
s64 tabledist(s64 mu, s64 sigma, struct crndstate *state, struct netem_random *r, u32 distribution);

#endif
