/* SPDX-License-Identifier: MIT */
/* What disciplines that look into packets share: the ECN field, sockets that pace. */
#ifndef TAPLINE_SCHED_SCH_FLOWS_H
#define TAPLINE_SCHED_SCH_FLOWS_H

#include "core/sch_generic.h"

/* Congestion Experienced on a packet that says it can carry it (RFC 3168 5). False: it can not. */
bool INET_ECN_set_ce(struct sk_buff *skb);

/* psched_mtu(): the longest frame. */
static inline u32 psched_mtu(const struct net_device *dev)
{
	return dev->mtu + dev->hard_header_len;
}

#endif
