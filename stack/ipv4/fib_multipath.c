/* SPDX-License-Identifier: MIT */
/*
 * Several next hops of a route (net/ipv4/fib_semantics.c, route.c): each has a part of the range of
 * a flow's hash as large as its weight; those that are dead have none.
 *
 * Invariant: a flow keeps its next hop while the set of usable ones stays as it is.
 */
#include "ipv4/fib.h"

#include "ipv4/ip.h"
#include "ipv4/netns_ipv4.h"

static bool usable(const struct fib_nh *nh)
{
	return !(nh->flags & RTNH_F_DEAD);
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

/* net.ipv4.fib_multipath_hash_policy 0: by addresses; 1: by addresses, protocol and ports. */
static u32 fib_multipath_hash(const struct net *net, const struct flowi4 *flp)
{
	u64 words[2] = { (u64)ntohl(flp->saddr) << 32 | ntohl(flp->daddr), 0 };
	u8 in[16];

	if (net->sysctl.fib_multipath_hash_policy == 1)
		words[1] = (u64)flp->sport << 32 | (u64)flp->dport << 16 | flp->proto;
	put_le64(in, words[0]);
	put_le64(in + 8, words[1]);
	return (u32)siphash(in, sizeof(in), &net->host->flow_key) >> 1;
}

void fib_select_path(struct net *net, struct fib_result *res, const struct flowi4 *flp)
{
	s32 hash;

	if (res->fi->nhs < 2 || flp->oif)
		return;
	hash = (s32)fib_multipath_hash(net, flp);
	for (u32 i = 0; i < res->fi->nhs; i++) {
		struct fib_nh *nh = fib_info_nh(res->fi, i);

		if (hash > nh->upper_bound)
			continue;
		res->nh = nh;
		return;
	}
}
