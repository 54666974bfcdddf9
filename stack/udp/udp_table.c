/* SPDX-License-Identifier: MIT */
/*
 * The hash tables of UDP sockets (udp.h): by (net, port) for binding, broadcast and short chains;
 * by (net, address, port) when many share a port; by all four for connected ones. They grow with
 * the number of sockets, so that the cost of a lookup does not hang on it.
 *
 * Invariants: a socket with inet_num is in `port` and `addr` exactly once, and in `flow` exactly
 * when it is connected too; slot counts and table counts are right; a slot's order is that of
 * entry, youngest first, whatever the table's size (so that growing is not seen by anyone).
 */
#include "udp/udp_sock.h"

#include "udp/udp.h"

#ifdef TAPLINE_HOSTILE
#define TABLE_MIN 1u
#define TABLE_MAX 1u
#else
#define TABLE_MIN 16u
#define TABLE_MAX (1u << 24)
#endif

static int htable_init(struct world *w, struct udp_htable *t)
{
	t->slots = mem_alloc_n(w, MEM_HASH_TABLE, TABLE_MIN, sizeof(*t->slots));
	if (!t->slots)
		return -ENOMEM;
	memset(t->slots, 0, TABLE_MIN * sizeof(*t->slots));
	t->mask = TABLE_MIN - 1;
	t->entries = 0;
	return 0;
}

static void htable_free(struct world *w, struct udp_htable *t)
{
	if (!t->slots)
		return;
	ASSERT(t->entries == 0);
	mem_free_n(w, MEM_HASH_TABLE, t->slots, t->mask + 1, sizeof(*t->slots));
	t->slots = NULL;
}

/* Twice the slots. A new slot gets entries of one old slot only, in their order. Without memory the
 * chains grow instead. */
static void htable_grow(struct world *w, struct udp_htable *t)
{
	u32 size = (t->mask + 1) * 2;
	struct udp_hslot *slots;

	if (size > TABLE_MAX)
		return;
	slots = mem_alloc_n(w, MEM_HASH_TABLE, size, sizeof(*slots));
	if (!slots)
		return;
	memset(slots, 0, size * sizeof(*slots));
	for (u32 i = 0; i <= t->mask; i++) {
		struct hlist_node **end[2] = { &slots[i].head.first,
					       &slots[i + size / 2].head.first };

		hlist_for_each_safe(pos, tmp, &t->slots[i].head)
		{
			struct udp_hnode *n = container_of(pos, struct udp_hnode, node);
			u32 half = (n->hash & (size - 1)) >= size / 2;

			pos->next = NULL;
			pos->pprev = end[half];
			*end[half] = pos;
			end[half] = &pos->next;
			slots[i + half * (size / 2)].count++;
		}
	}
	mem_free_n(w, MEM_HASH_TABLE, t->slots, t->mask + 1, sizeof(*t->slots));
	t->slots = slots;
	t->mask = size - 1;
}

void udp_htable_add(struct world *w, struct udp_htable *t, struct udp_hnode *n, u32 hash)
{
	struct udp_hslot *slot;

	ASSERT(hlist_unhashed(&n->node));
	if (t->entries > t->mask)
		htable_grow(w, t);
	n->hash = hash;
	slot = &t->slots[hash & t->mask];
	hlist_add_head(&n->node, &slot->head);
	slot->count++;
	t->entries++;
}

void udp_htable_del(struct udp_htable *t, struct udp_hnode *n)
{
	if (hlist_unhashed(&n->node))
		return;
	hlist_del_init(&n->node);
	t->slots[n->hash & t->mask].count--;
	t->entries--;
}

u32 udp_hash_port(const struct net *net, u16 port)
{
	/* Neighbouring ports, neighbouring slots: nobody outside chooses which are bound. */
	return port + net->id * 0x9e3779b1u;
}

u32 udp_hash_addr(const struct udp_table *t, const struct net *net, u32 addr, u16 port)
{
	u64 x = (u64)ntohl(addr) << 32 | (u64)net->id << 16 | port;

	return (u32)mix64(x ^ t->key.key[0]);
}

u32 udp_hash_flow(const struct udp_table *t, const struct net *net, u32 laddr, u16 lport, u32 raddr,
		  u16 rport)
{
	u64 local = (u64)ntohl(laddr) << 32 | (u64)net->id << 16 | lport;
	u64 remote = (u64)ntohl(raddr) << 32 | rport;

	return hsiphash_2u64(local, remote, &t->key);
}

int udp_table_init(struct host *h)
{
	struct world *w = h->world;
	struct udp_table *t = mem_zalloc(w, MEM_MISC, sizeof(*t));

	if (!t)
		return -ENOMEM;
	h->udp_table = t;
	get_random_siphash_key(w, RANDOM_HASH, &t->key);
	if (htable_init(w, &t->port) || htable_init(w, &t->addr) || htable_init(w, &t->flow)) {
		udp_table_free(h);
		return -ENOMEM;
	}
	return 0;
}

void udp_table_free(struct host *h)
{
	struct udp_table *t = h->udp_table;

	if (!t)
		return;
	htable_free(h->world, &t->port);
	htable_free(h->world, &t->addr);
	htable_free(h->world, &t->flow);
	mem_free(h->world, MEM_MISC, t, sizeof(*t));
	h->udp_table = NULL;
}

static void htable_check(const struct udp_htable *t)
{
	u32 entries = 0;

	for (u32 i = 0; i <= t->mask; i++) {
		u32 n = 0;

		hlist_for_each(pos, &t->slots[i].head)
		{
			const struct udp_hnode *e = container_of(pos, struct udp_hnode, node);

			ASSERT((e->hash & t->mask) == i);
			ASSERT(*pos->pprev == pos);
			n++;
		}
		ASSERT(n == t->slots[i].count);
		entries += n;
	}
	ASSERT(entries == t->entries);
}

static void udp_sock_check(struct udp_sock *up)
{
	struct sock *sk = &up->sk;
	const struct udp_table *t = udp_table_of(sk);
	bool connected = sk->sk_state == TCP_ESTABLISHED;

	sk_check(sk, up->forward_deficit);
	ASSERT(sk->inet_num != 0);
	ASSERT(up->by_port.hash == udp_hash_port(sk->net, sk->inet_num));
	ASSERT(!hlist_unhashed(&up->by_addr.node));
	ASSERT(up->by_addr.hash == udp_hash_addr(t, sk->net, sk->inet_rcv_saddr, sk->inet_num));
	ASSERT(connected == !hlist_unhashed(&up->by_flow.node));
	ASSERT(up->reader_qlen <= sk->receive_queue.qlen);
	ASSERT(up->pending || skb_queue_empty(&sk->write_queue));
}

void udp_check(struct host *h, u32 level)
{
	const struct udp_table *t = h->udp_table;

	if (!t || !level)
		return;
	htable_check(&t->port);
	htable_check(&t->addr);
	htable_check(&t->flow);
	ASSERT(t->port.entries == t->addr.entries);
	for (u32 i = 0; i <= t->port.mask; i++)
		hlist_for_each(pos, &t->port.slots[i].head) udp_sock_check(udp_by_port(pos));
}

void udp_table_walk(const struct net *net, void (*fn)(void *ctx, const struct sock *sk), void *ctx)
{
	const struct udp_htable *t = &net->host->udp_table->port;

	for (u32 port = 1; port < 65536; port++) {
		const struct udp_hslot *slot = udp_htable_slot(t, udp_hash_port(net, (u16)port));

		hlist_for_each(pos, &slot->head)
		{
			const struct udp_sock *up = udp_by_port(pos);

			if (up->sk.net == net && up->sk.inet_num == port)
				fn(ctx, &up->sk);
		}
	}
}
