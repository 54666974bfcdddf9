/* SPDX-License-Identifier: MIT */
/*
 * SO_REUSEPORT groups (reuseport.h). Invariants: every member's sk_reuseport_cb is the group; a
 * group without members does not exist; order is order of joining but for the last one, which
 * takes the place of one that leaves (as in the kernel: the flows of the others stay where they
 * are).
 */
#include "core/reuseport.h"

#include "core/filter.h"
#include "core/netdevice.h"

#define INIT_SOCKS 4u

static struct sock_reuseport *group_alloc(struct world *w)
{
	struct sock_reuseport *g = mem_zalloc(w, MEM_MISC, sizeof(*g));

	if (!g)
		return NULL;
	g->max_socks = INIT_SOCKS;
	g->socks = mem_alloc_n(w, MEM_HASH_TABLE, g->max_socks, sizeof(*g->socks));
	if (!g->socks) {
		mem_free(w, MEM_MISC, g, sizeof(*g));
		return NULL;
	}
	return g;
}

static void group_free(struct world *w, struct sock_reuseport *g)
{
	if (g->prog)
		bpf_prog_put(w, g->prog);
	mem_free_n(w, MEM_HASH_TABLE, g->socks, g->max_socks, sizeof(*g->socks));
	mem_free(w, MEM_MISC, g, sizeof(*g));
}

static int group_grow(struct world *w, struct sock_reuseport *g)
{
	struct sock **more = mem_alloc_n(w, MEM_HASH_TABLE, g->max_socks * 2, sizeof(*more));

	if (!more)
		return -ENOMEM;
	memcpy(more, g->socks, g->num_socks * sizeof(*more));
	mem_free_n(w, MEM_HASH_TABLE, g->socks, g->max_socks, sizeof(*g->socks));
	g->socks = more;
	g->max_socks *= 2;
	return 0;
}

static bool has_incoming_cpu(const struct sock *sk)
{
	return sk->sk_rare->incoming_cpu >= 0;
}

static void group_join(struct sock_reuseport *g, struct sock *sk)
{
	g->socks[g->num_socks++] = sk;
	g->incoming_cpu += has_incoming_cpu(sk);
	sk->sk_reuseport_cb = g;
}

/* Out of the members, if it is one. */
static bool group_leave(struct sock_reuseport *g, const struct sock *sk)
{
	for (u32 i = 0; i < g->num_socks; i++) {
		if (g->socks[i] != sk)
			continue;
		g->socks[i] = g->socks[--g->num_socks];
		g->incoming_cpu -= has_incoming_cpu(sk);
		return true;
	}
	return false;
}

static bool is_member(const struct sock_reuseport *g, const struct sock *sk)
{
	for (u32 i = 0; i < g->num_socks; i++)
		if (g->socks[i] == sk)
			return true;
	return false;
}

int reuseport_alloc(struct sock *sk, bool bind_inany)
{
	struct sock_reuseport *g;

	if (sk->sk_reuseport_cb && is_member(sk->sk_reuseport_cb, sk)) {
		sk->sk_reuseport_cb->bind_inany |= bind_inany;
		return 0;
	}
	/* A listener that was shut down listens again. */
	reuseport_detach_sock(sk);
	g = group_alloc(net_world(sk->net));
	if (!g)
		return -ENOMEM;
	g->bind_inany = bind_inany;
	group_join(g, sk);
	return 0;
}

int reuseport_add_sock(struct sock *sk, struct sock *sk2, bool bind_inany)
{
	struct sock_reuseport *g;

	if (reuseport_alloc(sk2, bind_inany))
		return -ENOMEM;
	g = sk2->sk_reuseport_cb;
	if (sk->sk_reuseport_cb == g && is_member(g, sk))
		return 0;
	/* It opened a group before: with a program, before it was bound. */
	if (sk->sk_reuseport_cb && sk->sk_reuseport_cb != g && sk->sk_reuseport_cb->num_socks > 1)
		return -EBUSY;
	if (g->num_socks == g->max_socks && group_grow(net_world(sk->net), g))
		return -ENOMEM;
	reuseport_detach_sock(sk);
	group_join(g, sk);
	return 0;
}

void reuseport_detach_sock(struct sock *sk)
{
	struct sock_reuseport *g = sk->sk_reuseport_cb;

	if (!g)
		return;
	sk->sk_reuseport_cb = NULL;
	if (!group_leave(g, sk))
		g->num_closed_socks--;
	if (!g->num_socks && !g->num_closed_socks)
		group_free(net_world(sk->net), g);
}

void reuseport_stop_listen_sock(struct sock *sk)
{
	struct sock_reuseport *g = sk->sk_reuseport_cb;

	if (!g)
		return;
	if (!sk->net->sysctl.tcp_migrate_req) {
		reuseport_detach_sock(sk);
		return;
	}
	if (group_leave(g, sk))
		g->num_closed_socks++;
}

/* ---- whose is it? ---- */

static struct sock *select_by_hash(const struct sock_reuseport *g, struct host *h, u32 hash)
{
	struct sock *first_valid = NULL;
	u32 i = reciprocal_scale(hash, g->num_socks);

	for (u32 n = 0; n < g->num_socks; n++) {
		struct sock *sk = g->socks[i];

		if (sk->sk_state != TCP_ESTABLISHED) {
			if (!g->incoming_cpu || sk->sk_rare->incoming_cpu == (s32)this_cpu(h)->id)
				return sk;
			if (!first_valid)
				first_valid = sk;
		}
		if (++i == g->num_socks)
			i = 0;
	}
	return first_valid;
}

/* The program sees what is behind the header. */
static struct sock *run_bpf_filter(const struct sock_reuseport *g, struct sk_buff *skb, u32 hdr_len)
{
	u32 index;

	if (!pskb_may_pull(skb, hdr_len))
		return NULL;
	skb_pull(skb, hdr_len);
	index = bpf_prog_run(g->prog, skb);
	skb_push(skb, hdr_len);
	return index < g->num_socks ? g->socks[index] : NULL;
}

struct sock *reuseport_select_sock(const struct sock *sk, u32 hash, struct sk_buff *skb,
				   u32 hdr_len)
{
	const struct sock_reuseport *g = sk->sk_reuseport_cb;
	struct sock *chosen = NULL;

	if (!g)
		return NULL;
	if (g->prog && skb)
		chosen = run_bpf_filter(g, skb, hdr_len);
	return chosen ? chosen : select_by_hash(g, sk->net->host, hash);
}

struct sock *reuseport_migrate_sock(const struct sock *sk, u32 hash)
{
	const struct sock_reuseport *g = sk->sk_reuseport_cb;
	struct sock *nsk = NULL;

	if (!g)
		return NULL;
	if (g->num_socks && sk->net->sysctl.tcp_migrate_req)
		nsk = select_by_hash(g, sk->net->host, hash);
	if (!nsk)
		MIB_INC(sk->net, TcpExtTCPMigrateReqFailure);
	return nsk;
}

/* ---- options ---- */

void reuseport_update_incoming_cpu(struct sock *sk, s32 cpu)
{
	struct sock_reuseport *g = sk->sk_reuseport_cb;
	bool member = g && is_member(g, sk);

	if (member)
		g->incoming_cpu -= has_incoming_cpu(sk);
	sock_rare_own(sk)->incoming_cpu = cpu;
	if (member)
		g->incoming_cpu += has_incoming_cpu(sk);
}

/* In no table for packets: not bound, or of TCP neither listening nor connected. */
static bool sk_unhashed(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP ? sk->sk_state == TCP_CLOSE : !sk->inet_num;
}

int reuseport_attach_prog(struct sock *sk, const u8 *bytes, u32 len)
{
	struct world *w = net_world(sk->net);
	bool unhashed = sk_unhashed(sk);
	struct sk_filter *prog;
	int err;

	if (sk->sk_flags & SOCK_FILTER_LOCKED)
		return -EPERM;
	if (!len || len % BPF_INSN_LEN)
		return -EINVAL;
	prog = bpf_prog_create(w, bytes, len / BPF_INSN_LEN, &err);
	if (!prog)
		return err;
	/* Before bind() or listen() there may be no group yet. */
	err = unhashed && sk->sk_reuseport ? reuseport_alloc(sk, false) : 0;
	if (!err && (!sk->sk_reuseport_cb || (unhashed && !sk->sk_reuseport)))
		err = -EINVAL;
	if (err) {
		bpf_prog_put(w, prog);
		return err;
	}
	if (sk->sk_reuseport_cb->prog)
		bpf_prog_put(w, sk->sk_reuseport_cb->prog);
	sk->sk_reuseport_cb->prog = prog;
	return 0;
}

int reuseport_detach_prog(struct sock *sk)
{
	struct sock_reuseport *g = sk->sk_reuseport_cb;

	if (!g)
		return sk->sk_reuseport ? -ENOENT : -EINVAL;
	if (!g->prog)
		return -ENOENT;
	bpf_prog_put(net_world(sk->net), g->prog);
	g->prog = NULL;
	return 0;
}
