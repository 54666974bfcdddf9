/* SPDX-License-Identifier: MIT */
/*
 * SO_REUSEPORT groups: sockets of one address and port between which arriving flows are spread by
 * hash (net/core/sock_reuseport.c). Used by UDP and by TCP listeners.
 */
#ifndef TAPLINE_CORE_REUSEPORT_H
#define TAPLINE_CORE_REUSEPORT_H

#include "core/sock.h"

struct sock_reuseport {
	u32 num_socks, max_socks;
	bool has_conns; /* one of them is connected: flows are to be scored first */
	bool bind_inany;
	struct sock **socks; /* no references: a socket leaves the group before it goes */
};

/* A group of its own for sk. 0 or -ENOMEM. */
int reuseport_alloc(struct sock *sk, bool bind_inany);
/* sk joins the group of sk2 (which gets one when it has none). 0 or -ENOMEM. */
int reuseport_add_sock(struct sock *sk, struct sock *sk2, bool bind_inany);
/* Harmless when it is in none. */
void reuseport_detach_sock(struct sock *sk);
/* The member for a flow's hash; connected ones are left out. NULL: sk is in no group, or all are
 * connected. */
struct sock *reuseport_select_sock(const struct sock *sk, u32 hash);

static inline bool reuseport_has_conns(const struct sock *sk)
{
	return sk->sk_reuseport_cb && sk->sk_reuseport_cb->has_conns;
}

static inline void reuseport_has_conns_set(struct sock *sk)
{
	if (sk->sk_reuseport_cb)
		sk->sk_reuseport_cb->has_conns = true;
}

/* Maps a 32-bit hash evenly onto 0..n-1. */
static inline u32 reciprocal_scale(u32 hash, u32 n)
{
	return (u32)((u64)hash * n >> 32);
}

#endif
