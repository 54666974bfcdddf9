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
	u32 num_closed_socks; /* closed listeners whose requests may move (tcp_migrate_req) */
	u32 incoming_cpu; /* how many of socks have SO_INCOMING_CPU */
	bool has_conns; /* one of them is connected: flows are to be scored first */
	bool bind_inany;
	struct sk_filter *prog; /* SO_ATTACH_REUSEPORT_CBPF; NULL: by hash */
	struct sock **socks; /* no references: a socket leaves the group before it goes */
};

/* A group of its own for sk. 0 or -ENOMEM. */
int reuseport_alloc(struct sock *sk, bool bind_inany);
/* sk joins the group of sk2 (which gets one when it has none). 0 or -ENOMEM. */
int reuseport_add_sock(struct sock *sk, struct sock *sk2, bool bind_inany);
/* Harmless when it is in none. */
void reuseport_detach_sock(struct sock *sk);
/*
 * The member for a flow: the one whose number the group's program returns for the packet behind its
 * header of hdr_len bytes (skb NULL: there is none), else by hash, where one of this CPU is
 * preferred. Connected ones are left out. NULL: sk is in no group, or all are connected.
 */
struct sock *reuseport_select_sock(const struct sock *sk, u32 hash, struct sk_buff *skb,
				   u32 hdr_len);
/* A listener closes. With tcp_migrate_req it stays known to its group, so that its requests can
 * find another; else it leaves. */
void reuseport_stop_listen_sock(struct sock *sk);
/* Who takes over a request or child of a listener that closed; `hash`: its flow's. NULL: nobody,
 * its group is gone or net.ipv4.tcp_migrate_req is off. */
struct sock *reuseport_migrate_sock(const struct sock *sk, u32 hash);
/* SO_INCOMING_CPU becomes cpu; sk has a struct sock_rare of its own. */
void reuseport_update_incoming_cpu(struct sock *sk, s32 cpu);
/* SO_ATTACH_REUSEPORT_CBPF with the bytes of the instructions, SO_DETACH_REUSEPORT_BPF. 0; -EINVAL:
 * the socket has not, or had not when it was bound, SO_REUSEPORT, or it is no program; -EPERM;
 * -ENOENT: there is none. */
int reuseport_attach_prog(struct sock *sk, const u8 *bytes, u32 len);
int reuseport_detach_prog(struct sock *sk);

/* It is in no group yet, or in one that it may have left as a listener (tcp_migrate_req). */
static inline bool reuseport_may_join(const struct sock *sk)
{
	return !sk->sk_reuseport_cb || sk->sk_reuseport_cb->num_closed_socks;
}

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
