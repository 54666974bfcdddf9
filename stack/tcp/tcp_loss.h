/* SPDX-License-Identifier: MIT */
/*
 * What connections have to which something was lost, came twice or out of order, in a part of its
 * own (tcp_loss.c).
 */
#ifndef TAPLINE_TCP_TCP_LOSS_H
#define TAPLINE_TCP_TCP_LOSS_H

#include "tcp/tcp.h"

/* Its own struct tcp_loss, made at the first call. NULL: no memory. */
struct tcp_loss *tcp_loss_get(struct sock *sk);

static inline bool tcp_loss_seen(const struct tcp_sock *tp)
{
	return tp->loss != &tcp_loss_none;
}

/* Of a socket that has one. */
static inline struct tcp_loss *tcp_loss_own(const struct tcp_sock *tp)
{
	ASSERT(tcp_loss_seen(tp));
	return (struct tcp_loss *)(uintptr_t)(const void *)tp->loss;
}

/* As if nothing had ever been lost; the out-of-order queue is empty. */
void tcp_loss_free(struct sock *sk);
/* The same for a socket that goes on (tcp_disconnect): timeout_rehash counts on. */
void tcp_loss_reset(struct sock *sk);

#endif
