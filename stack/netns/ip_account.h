/* SPDX-License-Identifier: MIT */
/*
 * Where packets of one family are between IP's entry and IP's ends, and what became of them. What
 * MIB-II counts already is not counted again: inet/ip_account.c has the equations.
 */
#ifndef TAPLINE_NETNS_IP_ACCOUNT_H
#define TAPLINE_NETNS_IP_ACCOUNT_H

#include "stack/drop_reason.h"
#include "stack/types.h"

/* skb->ip_way: whose the packet is at the moment; a drop is counted there. */
enum ip_way {
	IP_WAY_NONE, /* of the layers below or above */
	IP_WAY_IN, /* counted in IpInReceives, not yet delivered or forwarded */
	IP_WAY_OUT, /* generated or forwarded, not yet counted in IpOutTransmits */
	IP_WAY_NEIGH, /* counted there, and the neighbour has it */
	IP_WAY_COUNT
};

struct ip_account {
	u64 drops[IP_WAY_COUNT]; /* all of dropped[way] */
	u64 dropped[IP_WAY_COUNT][SKB_DROP_REASON_COUNT];
	u64 held[IP_WAY_COUNT]; /* that wait now: fragments, packets of a queue rule, unresolved */
	u64 joined[IP_WAY_COUNT]; /* fragments that became part of another */
	u64 ended[IP_WAY_COUNT]; /* came to a proper end on the way: a hook took them, or multicast
				    with TTL 0 */
	u64 pieces; /* made of packets that were cut: fragments, segments */
	u64 cut; /* those packets */
	u64 copies; /* made for this host's own groups and for broadcasts */
	u64 looped; /* of which given back to the way in */
	u64 resolved; /* that a neighbour gave to the device */
};

#endif
