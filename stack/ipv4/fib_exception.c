/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of next hops (net/ipv4/route.c, fib_semantics.c: struct fib_nh_exception): path MTUs
 * and redirects that were learnt for one destination (RFC 1191, RFC 1122 3.2.2.2).
 *
 * Invariant: a chain is no longer than twice FNHE_RECLAIM_DEPTH.
 */
#include "ipv4/fib.h"

#include "ipv4/netns_ipv4.h"

/* Keyed: nobody outside knows what shares a chain (CVE-2021-20322). */
static u32 fnhe_bucket(const struct fib_nh *nh, be32 daddr)
{
#ifdef TAPLINE_HOSTILE
	return 0; /* one chain for all */
#endif
	return (u32)siphash_1u64(ntohl(daddr), &nh->parent->net->host->flow_key) & (FNHE_HASH - 1);
}

static void rt_slot_drop(struct rtable **slot)
{
	struct rtable *rt = *slot;

	*slot = NULL;
	if (rt) {
		rt->dst.obsolete = true;
		dst_release(&rt->dst);
	}
}

static void fnhe_free(struct world *w, struct fib_nh_exception *e)
{
	rt_slot_drop(&e->rth_input);
	rt_slot_drop(&e->rth_output);
	mem_free(w, MEM_FIB_ALIAS, e, sizeof(*e));
}

static void nh_exceptions_free(struct fib_nh *nh)
{
	struct net *net;

	/* Of a route that was not finished not even the parent is there. */
	if (!nh->exceptions)
		return;
	net = nh->parent->net;
	for (u32 i = 0; i < FNHE_HASH; i++) {
		while (nh->exceptions[i]) {
			struct fib_nh_exception *e = nh->exceptions[i];

			nh->exceptions[i] = e->next;
			fnhe_free(net_world(net), e);
		}
	}
	mem_free_n(net_world(net), MEM_HASH_TABLE, nh->exceptions, FNHE_HASH,
		   sizeof(struct fib_nh_exception *));
	nh->exceptions = NULL;
}

void fib_nh_release_routes(struct fib_nh *nh)
{
	nh_exceptions_free(nh);
	rt_slot_drop(&nh->rth_input);
	rt_slot_drop(&nh->rth_output);
}

struct fib_nh_exception *fib_find_exception(struct fib_nh *nh, be32 daddr)
{
	u64 now = jiffies(nh->parent->net->host);

	if (!nh->exceptions)
		return NULL;
	for (struct fib_nh_exception **p = &nh->exceptions[fnhe_bucket(nh, daddr)]; *p;
	     p = &(*p)->next) {
		struct fib_nh_exception *e = *p;

		if (e->daddr != daddr)
			continue;
		if (e->expires && now > e->expires) {
			*p = e->next;
			fnhe_free(net_world(nh->parent->net), e);
			return NULL;
		}
		return e;
	}
	return NULL;
}

static void fnhe_remove_oldest(struct world *w, struct fib_nh_exception **chain)
{
	struct fib_nh_exception **oldest = chain, *e;

	for (struct fib_nh_exception **p = chain; *p; p = &(*p)->next)
		if ((*p)->stamp < (*oldest)->stamp)
			oldest = p;
	e = *oldest;
	*oldest = e->next;
	fnhe_free(w, e);
}

/* The oldest of a full chain make room. How long a full one is hangs on chance: who could count
 * what is forgotten would learn what else is in the chain (CVE-2021-20322). */
static void fnhe_reclaim(struct world *w, struct fib_nh_exception **chain)
{
	u32 depth = 0, max_depth;

	for (const struct fib_nh_exception *e = *chain; e; e = e->next)
		depth++;
	if (depth <= FNHE_RECLAIM_DEPTH)
		return;
	max_depth = FNHE_RECLAIM_DEPTH + get_random_u32_below(w, RANDOM_HASH, FNHE_RECLAIM_DEPTH);
	for (; depth > max_depth; depth--)
		fnhe_remove_oldest(w, chain);
}

static struct fib_nh_exception *fnhe_create(struct fib_nh *nh, be32 daddr)
{
	struct world *w = net_world(nh->parent->net);
	struct fib_nh_exception **chain, *e;

	if (!nh->exceptions) {
		nh->exceptions = mem_alloc_n(w, MEM_HASH_TABLE, FNHE_HASH, sizeof(e));
		if (!nh->exceptions)
			return NULL;
		for (u32 i = 0; i < FNHE_HASH; i++)
			nh->exceptions[i] = NULL;
	}
	chain = &nh->exceptions[fnhe_bucket(nh, daddr)];
	fnhe_reclaim(w, chain);
	e = mem_zalloc(w, MEM_FIB_ALIAS, sizeof(*e));
	if (!e)
		return NULL;
	e->daddr = daddr;
	e->next = *chain;
	*chain = e;
	/* Whoever holds the plain route must look again. */
	rt_slot_drop(&nh->rth_input);
	rt_slot_drop(&nh->rth_output);
	return e;
}

void fib_update_exception(struct fib_nh *nh, be32 daddr, be32 gw, u32 pmtu, bool lock, u64 expires)
{
	struct fib_nh_exception *e = fib_find_exception(nh, daddr);

	if (!e)
		e = fnhe_create(nh, daddr);
	if (!e)
		return;
	if (gw)
		e->gw = gw;
	if (pmtu) {
		e->pmtu = pmtu;
		e->mtu_locked = lock;
	}
	e->expires = expires ? expires : 1;
	e->stamp = jiffies(nh->parent->net->host);
	rt_slot_drop(&e->rth_input);
	rt_slot_drop(&e->rth_output);
	/* Remembered input decisions may carry the old one. */
	rt_cache_flush(nh->parent->net);
}
