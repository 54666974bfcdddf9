/* SPDX-License-Identifier: MIT */
/*
 * The memory that the sockets of a protocol hold together, against net.ipv4.tcp_mem and udp_mem
 * (__sk_mem_schedule, sk_mem_charge, sk_mem_uncharge of include/net/sock.h; net/core/sock.c).
 *
 * A socket holds its bytes, sk_rmem_alloc + sk_wmem_queued, in whole pages: what Linux keeps as
 * sk_forward_alloc is the rest of the last page, which therefore needs no field. A CPU tells the
 * host of pages taken and given only when they are net.core.mem_pcpu_rsv: limits, sockstat and
 * /proc/net/protocols see what was told.
 *
 * Invariant: what was told and what the CPUs keep to themselves are together the pages of all
 * sockets of the protocol.
 */
#ifndef TAPLINE_CORE_SOCK_MEM_H
#define TAPLINE_CORE_SOCK_MEM_H

#include "core/sock.h"

#define SK_MEM_SHIFT 12u /* PAGE_SIZE of x86-64 */

enum sk_mem_dir { SK_MEM_SEND, SK_MEM_RECV };

static inline struct proto_mem *sk_proto_mem(const struct sock *sk)
{
	return &sk->net->host->proto_mem[sk->prot->memory];
}

static inline u32 sk_mem_pages(u32 bytes)
{
	return (bytes + (1u << SK_MEM_SHIFT) - 1) >> SK_MEM_SHIFT;
}

/* sk_forward_alloc: what the socket may take without asking. */
static inline u32 sk_forward_alloc(const struct sock *sk)
{
	return (0u - (sk->sk_rmem_alloc + sk->sk_wmem_queued)) & ((1u << SK_MEM_SHIFT) - 1);
}

/* Pages taken (> 0) or given back. */
void sk_memory_allocated_add(const struct sock *sk, s32 pages);

/* The socket's bytes become `bytes` more or fewer; the caller moves the account that they are in
 * afterwards. */
static inline void sk_mem_charge(const struct sock *sk, u32 bytes)
{
	u32 held = sk->sk_rmem_alloc + sk->sk_wmem_queued;
	s32 pages = (s32)(sk_mem_pages(held + bytes) - sk_mem_pages(held));

	if (pages)
		sk_memory_allocated_add(sk, pages);
}

static inline void sk_mem_uncharge(const struct sock *sk, u32 bytes)
{
	sk_mem_charge(sk, 0u - bytes);
}

/* Bytes of the write queue, charged. */
static inline void sk_wmem_queued_add(struct sock *sk, s32 bytes)
{
	sk_mem_charge(sk, (u32)bytes);
	sk->sk_wmem_queued += (u32)bytes;
}

/* As far as told, pages. */
static inline s64 sk_memory_allocated(const struct sock *sk)
{
	return sk_proto_mem(sk)->allocated;
}

/* tcp_mem[i], udp_mem[i]. */
s64 sk_prot_mem_limits(const struct sock *sk, u32 i);

/* Is it one whose protocol enters pressure, and has it? (tcp_under_memory_pressure) */
static inline bool sk_under_memory_pressure(const struct sock *sk)
{
	return sk_proto_mem(sk)->pressure != 0;
}

void sk_enter_memory_pressure(const struct sock *sk);

bool __sk_mem_schedule(struct sock *sk, u32 size, enum sk_mem_dir dir);

/* So far below the lowest limit that what CPUs have not told yet does not matter? Nearly always. */
static inline bool sk_mem_plenty(const struct sock *sk)
{
	const struct proto_mem *mem = sk_proto_mem(sk);
	const struct netns_sysctl *sysctl = &sk->net->host->init_net->sysctl;
	s64 low = sk->prot->memory == PROTO_MEM_TCP ? sysctl->tcp_mem_low : sysctl->udp_mem_low;

	return !mem->pressure && mem->allocated + sysctl->core_mem_pcpu_rsv <= low;
}

/* May the socket take `size` bytes more? What is asked for is charged by whoever takes it. */
static inline bool sk_wmem_schedule(struct sock *sk, u32 size)
{
	return size <= sk_forward_alloc(sk) || sk_mem_plenty(sk) ||
	       __sk_mem_schedule(sk, size, SK_MEM_SEND);
}

static inline bool sk_rmem_schedule(struct sock *sk, u32 size)
{
	return size <= sk_forward_alloc(sk) || sk_mem_plenty(sk) ||
	       __sk_mem_schedule(sk, size, SK_MEM_RECV);
}

/* The send buffer shrinks to half of what is queued, unless the user fixed it. */
void sk_stream_moderate_sndbuf(struct sock *sk);

#endif
