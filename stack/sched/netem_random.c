/* SPDX-License-Identifier: MIT */
/* netem's chances (net/sched/sch_netem.c: get_crandom, loss_4state, loss_gilb_ell, tabledist). */
#include "sched/netem.h"

#include "lib/hash.h"

u32 netem_random_u32(struct netem_random *r)
{
	/* SplitMix64 (Steele, Lea, Flood 2014). */
	r->state += 0x9e3779b97f4a7c15ull;
	return (u32)(mix64(r->state) >> 32);
}

u32 get_crandom(struct crndstate *state, struct netem_random *r)
{
	u64 value = netem_random_u32(r), rho;

	if (!state->rho)
		return (u32)value;
	rho = (u64)state->rho + 1;
	state->last = (u32)((value * ((1ull << 32) - rho) + state->last * rho) >> 32);
	return state->last;
}

/* Four states: 1 good, 2 good in a burst, 3 lost in a burst, 4 lost alone. */
static bool loss_4state(struct netem_loss *l, struct netem_random *r)
{
	enum { P13, P31, P32, P23, P14 };
	u32 rnd = netem_random_u32(r);
	const u32 *p = l->p;

	switch (l->state) {
	case 1:
		if (rnd < p[P14]) {
			l->state = 4;
			return true;
		}
		if (rnd < (u64)p[P13] + p[P14]) {
			l->state = 3;
			return true;
		}
		return false;
	case 2:
		if (rnd < p[P23])
			l->state = 3;
		return rnd < p[P23];
	case 3:
		if (rnd < p[P32]) {
			l->state = 2;
			return false;
		}
		if (rnd < (u64)p[P31] + p[P32]) {
			l->state = 1;
			return false;
		}
		return true;
	default:
		l->state = 1;
		return false;
	}
}

/* Gilbert-Elliot: a good and a bad state, packets are lost in both by their own chance. */
static bool loss_gilb_ell(struct netem_loss *l, struct netem_random *r)
{
	enum { P, R, ONE_MINUS_H, ONE_MINUS_K };

	if (l->state == 1) {
		if (netem_random_u32(r) < l->p[P])
			l->state = 2;
		return netem_random_u32(r) < l->p[ONE_MINUS_K];
	}
	if (netem_random_u32(r) < l->p[R])
		l->state = 1;
	return netem_random_u32(r) < l->p[ONE_MINUS_H];
}

bool loss_event(struct netem_loss *l, struct netem_random *r)
{
	switch (l->model) {
	case TC_LOSS_STATE:
		return loss_4state(l, r);
	case TC_LOSS_GEMODEL:
		return loss_gilb_ell(l, r);
	default:
		return l->random && l->random >= get_crandom(&l->cor, r);
	}
}

/* Of 2^16: a Pareto number with the exponent 3, less its mean 1.5, by its deviation 0.75, in the
 * 4096 steps of iproute2's table: 4/3 (1 / cbrt(u) - 1.5). */
static s64 pareto(u32 rnd)
{
	u64 u = 65536 - 16 * (u64)(rnd % 4096), cube = UINT64_MAX / u, low = 0, high = 1u << 21;

	while (low + 1 < high) {
		u64 mid = (low + high) / 2;

		if (mid * mid * mid <= cube)
			low = mid;
		else
			high = mid;
	}
	return ((s64)low - 3 * (1 << 15)) * 4 / 3;
}

s64 tabledist(s64 mu, s64 sigma, struct crndstate *state, struct netem_random *r, u32 distribution)
{
	u64 rnd;
	s64 sum = 0;

	if (!sigma)
		return mu;
	rnd = state ? get_crandom(state, r) : netem_random_u32(r);
	if (distribution == TC_DIST_PARETO)
		return mu + sigma * pareto((u32)rnd) / (1 << 16);
	if (distribution != TC_DIST_NORMAL)
		return (s64)(rnd % (2 * (u64)(u32)sigma)) + mu - sigma;
	/* The sum of twelve uniform numbers of variance 1/12 each; the first has the correlation.
	 */
	for (u32 i = 0; i < 12; i++)
		sum += (s64)(i ? netem_random_u32(r) : rnd) - (s64)(1ull << 31);
	return mu + (sigma >> 16) * (sum >> 16) + ((sigma & 0xffff) * (sum >> 16) >> 16);
}
