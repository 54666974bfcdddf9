/* SPDX-License-Identifier: MIT */
/*
 * What few connections need, in a part of its own (tcp_rare.c).
 */
#ifndef TAPLINE_TCP_TCP_RARE_H
#define TAPLINE_TCP_TCP_RARE_H

#include "tcp/tcp.h"

/* Its own struct tcp_rare, made at the first call. NULL: no memory. */
struct tcp_rare *tcp_rare_get(struct sock *sk);
/* Of a socket that has one: a default is there for all to read. */
static inline struct tcp_rare *tcp_rare_own(const struct tcp_sock *tp)
{
	ASSERT(tp->rare != &tcp_rare_default);
	return (struct tcp_rare *)(uintptr_t)(const void *)tp->rare;
}
/* The same options for the child of a request of sk, and its keys. False: no memory, or the key
 * that the connection began with is gone. */
bool tcp_rare_clone(const struct sock *sk, const struct request_sock *req,
		    const struct tcp_rare **copy);
/* The child, whose timers are set up, gets it. */
void tcp_rare_adopt(struct sock *sk, const struct tcp_rare *rare);
void tcp_rare_free(struct net *net, const struct tcp_rare *rare);

#endif
