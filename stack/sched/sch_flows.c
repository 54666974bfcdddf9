/* SPDX-License-Identifier: MIT */
/* INET_ECN_set_ce() of queues that mark instead of dropping (include/net/inet_ecn.h). */
#include "sched/sch_flows.h"

#include "wire/ip4.h"
#include "wire/ip6.h"

bool INET_ECN_set_ce(struct sk_buff *skb)
{
	s32 offset = skb_network_offset(skb);
	u8 *p;

	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6))
		return false;
	if (offset < 0 || skb_headlen(skb) < (u32)offset + IP4_HLEN ||
	    skb_ensure_writable(skb, (u32)offset + IP4_HLEN))
		return false;
	p = skb_network_header(skb);
	if (skb->protocol == htons(ETH_P_IP)) {
		if ((ip4_tos(p) & INET_ECN_MASK) == INET_ECN_NOT_ECT)
			return false;
		p[1] |= INET_ECN_CE;
		ip4_send_check(p);
		return true;
	}
	/* The traffic class lies across the first two bytes. */
	if (!(p[1] & INET_ECN_MASK << 4))
		return false;
	p[1] |= INET_ECN_CE << 4;
	return true;
}
