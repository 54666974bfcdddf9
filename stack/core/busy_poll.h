/* SPDX-License-Identifier: MIT */
/* Busy polling (core/busy_poll.c): sockets with SO_BUSY_POLL look for their packets themselves. */
#ifndef TAPLINE_CORE_BUSY_POLL_H
#define TAPLINE_CORE_BUSY_POLL_H

#include "core/sock.h"

#define BUSY_POLL_BUDGET  8
#define BUSY_POLL_LOOK_NS 1000u /* virtual time from one look to the next */

static inline bool sk_can_busy_loop(const struct sock *sk)
{
	return sk->sk_rare->ll_usec != 0;
}
/* One look into the queue that the socket's packets come by; false: it is not known. */
bool sk_busy_poll(struct sock *sk);
/* SO_INCOMING_NAPI_ID; 0: nothing came by a NAPI yet. */
u32 sk_napi_id(const struct sock *sk);

/* Remembers where the packets of a socket that polls come by; `once`: the first one counts. */
void __sk_mark_napi_id(struct sock *sk, const struct sk_buff *skb);
static inline void sk_mark_napi_id(struct sock *sk, const struct sk_buff *skb, bool once)
{
	if (sk_can_busy_loop(sk) && !(once && sk->sk_rare->rx_ifindex))
		__sk_mark_napi_id(sk, skb);
}

#endif
