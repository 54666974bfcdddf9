/* SPDX-License-Identifier: MIT */
/*
 * The way of a packet through the stack, for who wants to see it (trace events skb_path and
 * skb_flow): one test where nobody does.
 */
#ifndef TAPLINE_CORE_SKB_PATH_H
#define TAPLINE_CORE_SKB_PATH_H

#include "core/netdevice.h"
#include "kernel/trace.h"

void __skb_path(const struct sk_buff *skb, enum skb_path at);

static inline void skb_path(const struct sk_buff *skb, enum skb_path at)
{
	if (unlikely(skb->world->trace_mask & 1ull << TRACE_SKB_PATH))
		__skb_path(skb, at);
}

#endif
