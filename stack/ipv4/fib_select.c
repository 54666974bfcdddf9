/* SPDX-License-Identifier: MIT */
/*
 * Which way, where a route leaves a choice (net/ipv4/fib_semantics.c): of several next hops by the
 * flow's hash (fib_multipath.c makes it) in proportion to their weights, of several equal default
 * routes one whose gateway is not known to be dead (RFC 1122 3.3.1.5).
 *
 * Invariant: a flow keeps its next hop while the set of usable ones stays as it is.
 */
#include "ipv4/fib.h"

#include "core/neighbour.h"
#include "ipv4/netns_ipv4.h"

/* ---- several next hops ---- */

static bool usable(const struct fib_nh *nh)
{
	return !(nh->flags & RTNH_F_DEAD) &&
	       (!(nh->flags & RTNH_F_LINKDOWN) || !ip_ignore_linkdown(nh->dev));
}

void fib_rebalance(struct fib_info *fi)
{
	u64 total = 0, sum = 0;

	if (fi->nhs < 2 || fi->dead)
		return;
	for (u32 i = 0; i < fi->nhs; i++)
		total += usable(fib_info_nh(fi, i)) ? fib_info_nh(fi, i)->weight : 0;
	for (u32 i = 0; i < fi->nhs; i++) {
		struct fib_nh *nh = fib_info_nh(fi, i);

		if (!usable(nh)) {
			nh->upper_bound = -1;
			continue;
		}
		sum += nh->weight;
		nh->upper_bound = (s32)((((sum << 31) + total / 2) / total) - 1);
	}
}

static const struct neighbour *nh_neigh(const struct fib_nh *nh)
{
	return neigh_lookup_noref(dev_host(nh->dev)->arp_tbl, &nh->gw, nh->dev);
}

/* fib_good_nh(): nothing speaks against its gateway. */
static bool good_neigh(const struct fib_nh *nh)
{
	const struct neighbour *n = nh->scope == RT_SCOPE_LINK ? nh_neigh(nh) : NULL;

	return !n || n->nud_state & NUD_VALID;
}

/* The one that the hash falls to; but before all one whose own address the flow has already
 * (RFC 1122 3.3.4.2: what a strong host would do). */
static void fib_select_multipath(struct fib_result *res, s32 hash, be32 saddr)
{
	bool use_neigh = res->fi->net->sysctl.fib_multipath_use_neigh;
	u32 best = 0;

	for (u32 i = 0; i < res->fi->nhs; i++) {
		struct fib_nh *nh = fib_info_nh(res->fi, i);
		u32 score = 1;

		if (nh->upper_bound == -1 || (use_neigh && !good_neigh(nh)))
			continue;
		score += saddr && fib_nh_saddr(nh) == saddr ? 2 : 0;
		score += hash <= nh->upper_bound;
		if (score > best) {
			best = score;
			res->nh = nh;
		}
	}
}

/* ---- several default routes ---- */

/* Routes that stand for one another, in their order, as far as they were looked at. */
struct default_choice {
	struct fib_info *last_resort; /* the best of those that are in doubt; NULL: none yet */
	s32 last_idx, order, deflt;
};

/* fib_detect_death(): is there reason to doubt the gateway? One that nobody asked for is good. */
static bool fib_detect_death(struct fib_info *fi, struct default_choice *c)
{
	const struct neighbour *n = nh_neigh(&fi->nh);
	u32 state = n ? n->nud_state : NUD_REACHABLE;

	if (state == NUD_REACHABLE || (state & NUD_VALID && c->order != c->deflt))
		return false;
	if (state & NUD_VALID ||
	    (c->last_idx < 0 && c->order > c->deflt && state != NUD_INCOMPLETE)) {
		c->last_resort = fi;
		c->last_idx = c->order;
	}
	return true;
}

static void choose(struct fib_result *res, struct fib_info *fi)
{
	res->fi = fi;
	res->nh = &fi->nh;
}

/* May `fa` stand for the route that was found? */
static bool is_candidate(const struct fib_alias *fa, const struct fib_result *res)
{
	const struct fib_nh *nh = &fa->fi->nh;

	return fa->fi->scope == res->scope && fa->type == RTN_UNICAST && nh->gw &&
	       nh->scope == RT_SCOPE_LINK && nh->dev;
}

/* The next route of the same TOS and metric behind `fa` (all routes, to begin with: NULL) that may
 * stand for the one that was found; NULL: no other. */
static struct fib_alias *next_candidate(struct fib_alias *fa, const struct fib_result *res,
					const struct flowi4 *flp)
{
	u32 priority = res->fi->priority;
	u8 tos = 0;

	if (fa) {
		priority = fa->fi->priority;
		tos = fa->tos;
	}
	for (fa = fa ? fa->next : res->aliases; fa; fa = fa->next) {
		if (fa->tos && fa->tos != flp->tos)
			continue;
		if (fa->fi->priority > priority && fa->tos == tos) {
			if (tos)
				continue;
			return NULL;
		}
		if (fa->fi->dead)
			continue;
		tos = fa->tos;
		priority = fa->fi->priority;
		if (is_candidate(fa, res))
			return fa;
	}
	return NULL;
}

/*
 * Each lookup goes on from the choice of the last: that one stays while its neighbour is not in
 * doubt, and another takes its place once it is. Where all are in doubt they take turns, so that
 * each is tried.
 */
static void fib_select_default(struct fib_result *res, const struct flowi4 *flp)
{
	struct fib_alias *first = next_candidate(NULL, res, flp), *fa = first;
	struct default_choice c = { .last_idx = -1 };

	if (!first || first->fi != res->fi)
		return;
	c.deflt = first->deflt;
	if (!next_candidate(first, res, flp)) {
		first->deflt = -1;
		return;
	}
	for (; fa; fa = next_candidate(fa, res, flp), c.order++) {
		if (fib_detect_death(fa->fi, &c))
			continue;
		choose(res, fa->fi);
		first->deflt = (s16)c.order;
		return;
	}
	if (c.last_idx >= 0)
		choose(res, c.last_resort);
	first->deflt = (s16)c.last_idx;
}

/* ---- either ---- */

void fib_select_path(struct net *net, struct fib_result *res, const struct flowi4 *flp,
		     const struct sk_buff *skb)
{
	if (flp->oif)
		return;
	if (res->fi->nhs > 1)
		fib_select_multipath(res, (s32)fib_multipath_hash(net, flp, skb),
				     skb ? 0 : flp->saddr);
	else if (!res->prefixlen && res->tb->num_default > 1 && res->type == RTN_UNICAST && !skb)
		fib_select_default(res, flp);
}
