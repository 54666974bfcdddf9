/* SPDX-License-Identifier: MIT */
/* What the files of routing share: making, caching and judging rtables (route.c). */
#ifndef TAPLINE_IPV4_ROUTE_CACHE_H
#define TAPLINE_IPV4_ROUTE_CACHE_H

#include "ipv4/fib.h"
#include "ipv4/ip.h"
#include "ipv4/netns_ipv4.h"

#define RT_TOS_MASK 0x1cu

/* May be used for another packet: current generation, not obsolete, not aged. rt may be NULL. */
static inline bool rt_cache_valid(const struct rtable *rt)
{
	return rt && !rt->dst.obsolete && rt->rt_genid == rt->net->fib_genid &&
	       (!rt->dst.expires || net_world(rt->net)->now <= rt->dst.expires);
}

/* A route out by dev, with one reference. flags RTCF_*, type RTN_*. NULL: no memory. */
struct rtable *rt_dst_alloc(struct net *net, struct net_device *dev, u32 flags, u16 type);

/* Fills in what the route and an exception (may be NULL) say; caches it at them when `cache`. */
void rt_set_nexthop(struct rtable *rt, const struct fib_result *res, struct fib_nh_exception *e,
		    bool cache);

#endif
