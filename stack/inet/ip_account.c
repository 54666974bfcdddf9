/* SPDX-License-Identifier: MIT */
/*
 * Conservation at the IP layer, for world_check(): between steps every packet that IP was given
 * came to something that is counted, or waits where waiting is counted.
 *
 * The ways and their equations; MIB-II's own counters where it has them:
 *
 *   in:    InReceives = InDelivers + ForwDatagrams + joined + ended + held + dropped
 *   out:   OutRequests + ForwDatagrams + pieces + copies
 *            = OutTransmits + cut + looped + ended + held + dropped
 *   neigh: OutTransmits = resolved + held + dropped
 */
#include "inet/ip_account.h"

#include "kernel/host.h"
#include "stack/assert.h"

/* What has left a way, and what waits on it. */
static u64 gone(const struct ip_account *a, enum ip_way way)
{
	return a->joined[way] + a->ended[way] + a->held[way] + a->drops[way];
}

static void check_drops(const struct ip_account *a)
{
	for (u32 way = 0; way < IP_WAY_COUNT; way++) {
		u64 sum = 0;

		for (u32 i = 0; i < SKB_DROP_REASON_COUNT; i++)
			sum += a->dropped[way][i];
		ASSERT(sum == a->drops[way]);
	}
}

static void check_ipv4(const struct net *net)
{
	const struct ip_account *a = &net->ip[0];
	const u64 *m = net->mib;

	ASSERT(m[MIB_IpInReceives] ==
	       m[MIB_IpInDelivers] + m[MIB_IpForwDatagrams] + gone(a, IP_WAY_IN));
	ASSERT(m[MIB_IpOutRequests] + m[MIB_IpForwDatagrams] + a->pieces + a->copies ==
	       m[MIB_IpOutTransmits] + a->cut + a->looped + gone(a, IP_WAY_OUT));
	ASSERT(m[MIB_IpOutTransmits] == a->resolved + gone(a, IP_WAY_NEIGH));
}

/* Nothing is forwarded, cut or resolved. */
static void check_ipv6(const struct net *net)
{
	const struct ip_account *a = &net->ip[1];
	const u64 *m = net->mib;

	ASSERT(m[MIB_Ip6InReceives] == m[MIB_Ip6InDelivers] + gone(a, IP_WAY_IN));
	ASSERT(m[MIB_Ip6OutRequests] == m[MIB_Ip6OutTransmits] + gone(a, IP_WAY_OUT));
}

void ip_account_check(const struct net *net, u32 level)
{
	check_ipv4(net);
	check_ipv6(net);
	if (!level)
		return;
	check_drops(&net->ip[0]);
	check_drops(&net->ip[1]);
}
