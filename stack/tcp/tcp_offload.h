/* SPDX-License-Identifier: MIT */
/* TCP's callbacks of struct net_offload (tcp_offload.c). */
#ifndef TAPLINE_TCP_TCP_OFFLOAD_H
#define TAPLINE_TCP_TCP_OFFLOAD_H

#include "skb/skbuff.h"

/* Data at the TCP header; see struct offload_callbacks. */
struct sk_buff *tcp_gso_segment(struct sk_buff *skb, u32 features);

#endif
