/* SPDX-License-Identifier: MIT */
/*
 * Memory of a protocol's sockets: who may take more, and when the protocol is under pressure
 * (__sk_mem_raise_allocated, __sk_mem_reduce_allocated of net/core/sock.c;
 * tcp_enter_memory_pressure of net/ipv4/tcp.c).
 *
 * Invariant: pressure is not 0 only for protocols that know it (TCP), between the pages passing
 * tcp_mem[1] and their falling to tcp_mem[0].
 */
#include "core/sock_mem.h"

#include "core/netdevice.h"
#include "kernel/timer.h"

s64 sk_prot_mem_limits(const struct sock *sk, u32 i)
{
	const struct netns_sysctl *sysctl = &sk->net->host->init_net->sysctl;
	bool tcp = sk->prot->memory == PROTO_MEM_TCP;

	ASSERT(i < 3 && sk->prot->memory != PROTO_MEM_NONE);
	if (!i)
		return tcp ? sysctl->tcp_mem_low : sysctl->udp_mem_low;
	if (i == 1)
		return tcp ? sysctl->tcp_mem_pressure : sysctl->udp_mem_pressure;
	return tcp ? sysctl->tcp_mem_high : sysctl->udp_mem_high;
}

static bool has_memory_pressure(const struct sock *sk)
{
	return sk->prot->memory == PROTO_MEM_TCP;
}

void sk_enter_memory_pressure(const struct sock *sk)
{
	struct proto_mem *mem = sk_proto_mem(sk);
	u64 now = jiffies(sk->net->host);

	if (!has_memory_pressure(sk) || mem->pressure)
		return;
	mem->pressure = now ? now : 1;
	MIB_INC(sk->net, TcpExtTCPMemoryPressures);
}

static void sk_leave_memory_pressure(const struct sock *sk)
{
	struct proto_mem *mem = sk_proto_mem(sk);

	if (!mem->pressure)
		return;
	MIB_ADD(sk->net, TcpExtTCPMemoryPressuresChrono, jiffies(sk->net->host) - mem->pressure);
	mem->pressure = 0;
}

/* A CPU's pages; it tells of them when they are many. */
static void cpu_pages_add(const struct sock *sk, s32 pages)
{
	struct host *h = sk->net->host;
	struct proto_mem *mem = sk_proto_mem(sk);
	s32 *fw = &mem->fw_alloc[h->cpus_count == 1 ? 0 : this_cpu(h)->id];
	s32 rsv = h->init_net->sysctl.core_mem_pcpu_rsv;

	*fw += pages;
	if (*fw >= rsv || *fw <= -rsv) {
		mem->allocated += *fw;
		*fw = 0;
	}
}

void sk_memory_allocated_add(const struct sock *sk, s32 pages)
{
	cpu_pages_add(sk, pages);
	if (pages < 0 && sk_under_memory_pressure(sk) &&
	    sk_memory_allocated(sk) < sk_prot_mem_limits(sk, 0))
		sk_leave_memory_pressure(sk);
}

void sk_stream_moderate_sndbuf(struct sock *sk)
{
	if (!(sk->sk_userlocks & SOCK_SNDBUF_LOCK))
		sk->sk_sndbuf = (s32)max_u32(min_u32((u32)sk->sk_sndbuf, sk->sk_wmem_queued >> 1),
					     SOCK_MIN_SNDBUF);
}

/* Every socket may have this much, so that it gets on (RFC 7323 needs it). */
static bool below_minimum(const struct sock *sk, enum sk_mem_dir dir)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	bool tcp = sk->prot->memory == PROTO_MEM_TCP;

	if (dir == SK_MEM_RECV)
		return sk->sk_rmem_alloc < (u32)(tcp ? sysctl->tcp_rmem_min : sysctl->udp_rmem_min);
	return (tcp ? sk->sk_wmem_queued : sk->sk_wmem_alloc) <
	       (u32)(tcp ? sysctl->tcp_wmem_min : sysctl->udp_wmem_min);
}

/* Under pressure: those that hold less than the average of all that the hard limit allows. */
static bool below_average(const struct sock *sk)
{
	const struct proto_mem *mem = sk_proto_mem(sk);
	u32 held = sk->sk_rmem_alloc + sk->sk_wmem_queued;

	return has_memory_pressure(sk) &&
	       (!mem->pressure ||
		sk_prot_mem_limits(sk, 2) > (s64)mem->sockets * sk_mem_pages(held));
}

/* The pages are taken as far as limits can see. (__sk_mem_raise_allocated) */
static bool may_raise(struct sock *sk, u32 size, enum sk_mem_dir dir)
{
	s64 allocated = sk_memory_allocated(sk);

	if (allocated <= sk_prot_mem_limits(sk, 0)) {
		sk_leave_memory_pressure(sk);
		return true;
	}
	if (allocated > sk_prot_mem_limits(sk, 1))
		sk_enter_memory_pressure(sk);
	if (allocated <= sk_prot_mem_limits(sk, 2) && (below_minimum(sk, dir) || below_average(sk)))
		return true;
	if (dir == SK_MEM_RECV || sk->sk_type != SOCK_STREAM)
		return false;
	sk_stream_moderate_sndbuf(sk);
	/* One that is over its send buffer can wait for room; the others it would not help. */
	return sk->sk_wmem_queued + size >= (u32)sk->sk_sndbuf;
}

bool __sk_mem_schedule(struct sock *sk, u32 size, enum sk_mem_dir dir)
{
	s32 pages = (s32)sk_mem_pages(size - sk_forward_alloc(sk));
	bool ok;

	/* What the caller takes counts already while it is decided. */
	cpu_pages_add(sk, pages);
	ok = may_raise(sk, size, dir);
	cpu_pages_add(sk, -pages);
	return ok;
}
