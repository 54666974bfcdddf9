/* SPDX-License-Identifier: MIT */
/*
 * SO_REUSEPORT groups (reuseport.h). Invariants: every member's sk_reuseport_cb is the group; a
 * group without members does not exist; order is order of joining but for the last one, which
 * takes the place of one that leaves (as in the kernel: the flows of the others stay where they
 * are).
 */
#include "core/reuseport.h"

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

static void group_join(struct sock_reuseport *g, struct sock *sk)
{
	g->socks[g->num_socks++] = sk;
	sk->sk_reuseport_cb = g;
}

int reuseport_alloc(struct sock *sk, bool bind_inany)
{
	struct sock_reuseport *g;

	if (sk->sk_reuseport_cb) {
		sk->sk_reuseport_cb->bind_inany |= bind_inany;
		return 0;
	}
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
	if (sk->sk_reuseport_cb == g)
		return 0;
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
	for (u32 i = 0; i < g->num_socks; i++) {
		if (g->socks[i] != sk)
			continue;
		g->socks[i] = g->socks[--g->num_socks];
		break;
	}
	if (!g->num_socks)
		group_free(net_world(sk->net), g);
}

struct sock *reuseport_select_sock(const struct sock *sk, u32 hash)
{
	const struct sock_reuseport *g = sk->sk_reuseport_cb;
	u32 first, i;

	if (!g)
		return NULL;
	first = reciprocal_scale(hash, g->num_socks);
	i = first;
	while (g->socks[i]->sk_state == TCP_ESTABLISHED) {
		if (++i == g->num_socks)
			i = 0;
		if (i == first)
			return NULL;
	}
	return g->socks[i];
}
