/* SPDX-License-Identifier: MIT */
/*
 * The bind tables (net/ipv4/inet_hashtables.c: inet_bind_bucket and its kin): which local ports are
 * in use, on which addresses, by whom. Who may share one and which one is taken is inet_ports.c's.
 *
 * A bucket stands for a port in use, its bhash2 buckets for the addresses it is in use on; owners
 * are sockets and TIME-WAIT sockets. Most ports have one connection each, which then takes the
 * bucket's place in bhash, and gets its buckets when another wants that port; both are accounted
 * for all the while. Invariants: a bucket without owners does not exist; owner -> tb2 -> tb have
 * the port and the address that the owner is bound to.
 */
#include "inet/inet_connection_sock.h"
#include "inet/inet_ports.h"
#include "inet/inet_timewait_sock.h"

/* ---- buckets ---- */

const struct inet_bind2_bucket inet_bind_no_bucket;

#define NO_BUCKET ((struct inet_bind2_bucket *)(uintptr_t)(const void *)&inet_bind_no_bucket)

_Static_assert(offsetof(struct inet_connection_sock, icsk_bind) -
				       offsetof(struct inet_connection_sock, icsk_common) ==
			       sizeof(struct sock_common) &&
		       offsetof(struct inet_timewait_sock, tw_bind) -
				       offsetof(struct inet_timewait_sock, tw_common) ==
			       sizeof(struct sock_common),
	       "an owner's place lies behind its key");

static const struct net *place_net(const struct inet_bind_owner *place)
{
	return inet_bind_alone(place) ? inet_bind_skc(place)->skc_net : inet_bind_tb(place)->net;
}

static u16 place_port(const struct inet_bind_owner *place)
{
	return inet_bind_alone(place) ? inet_bind_skc(place)->skc_num : inet_bind_tb(place)->port;
}

static struct inet_bind2_bucket *tb2_of(const struct hlist_node *n)
{
	return container_of(n, struct inet_bind2_bucket, node);
}

static u32 bhashfn(const struct net *net, u16 port)
{
	return (u32)mix64((u64)net->id << 16 | port);
}

static u32 bhash2fn(const struct net *net, u16 port, const struct inet_addr *addr)
{
	u64 hi = (u64)ntohl(addr->w[0]) << 32 | ntohl(addr->w[1]);
	u64 lo = (u64)ntohl(addr->w[2]) << 32 | ntohl(addr->w[3]);

	return (u32)mix64(mix64(hi ^ mix64(lo)) ^ ((u64)net->id << 16 | port));
}

static u32 place_hash(const struct hlist_node *n)
{
	return bhashfn(place_net(inet_bind_place(n)), place_port(inet_bind_place(n)));
}

static u32 tb2_hash(const struct hlist_node *n)
{
	const struct inet_bind2_bucket *tb2 = tb2_of(n);

	return bhash2fn(tb2->tb->net, tb2->tb->port, &tb2->rcv_saddr);
}

struct inet_bind_owner *inet_bind_find(const struct inet_hashinfo *hi, const struct net *net,
				       u16 port)
{
	hlist_for_each(n, &hi->bhash.heads[bhashfn(net, port) & hi->bhash.mask])
	{
		struct inet_bind_owner *place = inet_bind_place(n);

		if (place_port(place) == port && place_net(place) == net)
			return place;
	}
	return NULL;
}

static struct inet_bind2_bucket *tb2_find(const struct inet_hashinfo *hi,
					  const struct inet_bind_bucket *tb, u8 family,
					  const struct inet_addr *addr)
{
	u32 hash = bhash2fn(tb->net, tb->port, addr);

	hlist_for_each(n, &hi->bhash2.heads[hash & hi->bhash2.mask])
	{
		struct inet_bind2_bucket *tb2 = tb2_of(n);

		if (tb2->tb == tb && tb2->family == family &&
		    inet_addr_equal(&tb2->rcv_saddr, addr))
			return tb2;
	}
	return NULL;
}

struct inet_bind_bucket *inet_bind_bucket_create(struct inet_hashinfo *hi, struct net *net,
						 u16 port)
{
	struct world *w = hi->host->world;
	struct inet_bind_bucket *tb = mem_zalloc(w, MEM_BIND_BUCKET, sizeof(*tb));

	if (!tb)
		return NULL;
	tb->net = net;
	tb->port = port;
	inet_htable_add(w, &hi->bhash, &tb->place.node, place_hash);
	return tb;
}

static void tb_destroy_if_empty(struct inet_hashinfo *hi, struct inet_bind_bucket *tb)
{
	if (tb->bhash2.first)
		return;
	hi->ports_freed[tb->port & 1]++;
	inet_htable_del(&hi->bhash, &tb->place.node);
	mem_free(hi->host->world, MEM_BIND_BUCKET, tb, sizeof(*tb));
}

static void tb2_add(struct inet_hashinfo *hi, struct inet_bind2_bucket *tb2,
		    struct inet_bind_bucket *tb, u8 family, const struct inet_addr *addr)
{
	*tb2 = (struct inet_bind2_bucket){ .tb = tb, .family = family, .rcv_saddr = *addr };
	hlist_add_head(&tb2->bhash_node, &tb->bhash2);
	inet_htable_add(hi->host->world, &hi->bhash2, &tb2->node, tb2_hash);
}

static struct inet_bind2_bucket *tb2_find_or_create(struct inet_hashinfo *hi,
						    struct inet_bind_bucket *tb, u8 family,
						    const struct inet_addr *addr)
{
	struct world *w = hi->host->world;
	struct inet_bind2_bucket *tb2 = tb2_find(hi, tb, family, addr);

	if (tb2)
		return tb2;
	tb2 = mem_alloc(w, MEM_BIND2_BUCKET, sizeof(*tb2));
	if (tb2)
		tb2_add(hi, tb2, tb, family, addr);
	return tb2;
}

static void tb2_destroy_if_empty(struct inet_hashinfo *hi, struct inet_bind2_bucket *tb2)
{
	struct inet_bind_bucket *tb = tb2->tb;

	if (tb2->owners.first || tb2->deathrow.first)
		return;
	inet_htable_del(&hi->bhash2, &tb2->node);
	hlist_del_init(&tb2->bhash_node);
	mem_free(hi->host->world, MEM_BIND2_BUCKET, tb2, sizeof(*tb2));
	tb_destroy_if_empty(hi, tb);
}

static void owner_add(struct inet_bind_owner *o, struct inet_bind2_bucket *tb2)
{
	bool tw = inet_bind_skc(o)->skc_kind == SKC_TIMEWAIT;

	o->tb2 = tb2;
	hlist_add_head(&o->node, tw ? &tb2->deathrow : &tb2->owners);
}

void inet_bind_owner_add_tw(struct inet_bind_owner *o, struct inet_bind_owner *from)
{
	ASSERT(from->tb2);
	if (inet_bind_alone(from)) {
		hlist_replace(&from->node, &o->node);
		o->tb2 = NO_BUCKET;
		from->tb2 = NULL;
	} else {
		owner_add(o, from->tb2);
	}
}

static void owner_del_alone(struct inet_hashinfo *hi, struct inet_bind_owner *o)
{
	struct world *w = hi->host->world;

	hi->ports_freed[inet_bind_skc(o)->skc_num & 1]++;
	inet_htable_del(&hi->bhash, &o->node);
	o->tb2 = NULL;
	mem_uncharge(w, MEM_BIND2_BUCKET);
	mem_uncharge(w, MEM_BIND_BUCKET);
}

void inet_bind_owner_del(struct inet_hashinfo *hi, struct inet_bind_owner *o)
{
	struct inet_bind2_bucket *tb2 = o->tb2;

	if (!tb2)
		return;
	if (inet_bind_alone(o)) {
		owner_del_alone(hi, o);
		return;
	}
	hlist_del_init(&o->node);
	o->tb2 = NULL;
	tb2_destroy_if_empty(hi, tb2);
}

int inet_bind_first(struct inet_hashinfo *hi, struct inet_bind_owner *o)
{
	struct world *w = hi->host->world;

	ASSERT(!o->tb2);
	if (!mem_charge(w, MEM_BIND_BUCKET))
		return -ENOMEM;
	if (!mem_charge(w, MEM_BIND2_BUCKET)) {
		mem_uncharge(w, MEM_BIND_BUCKET);
		return -ENOMEM;
	}
	o->tb2 = NO_BUCKET;
	inet_htable_add(w, &hi->bhash, &o->node, place_hash);
	return 0;
}

struct inet_bind_bucket *inet_bind_bucket_get(struct inet_hashinfo *hi,
					      struct inet_bind_owner *place)
{
	struct world *w = hi->host->world;
	const struct sock_common *skc;
	struct inet_bind_bucket *tb;
	struct inet_bind2_bucket *tb2;
	struct inet_addr addr;

	if (!inet_bind_alone(place))
		return inet_bind_tb(place);
	tb = mem_alloc_charged(w, sizeof(*tb));
	if (!tb)
		return NULL;
	tb2 = mem_alloc_charged(w, sizeof(*tb2));
	if (!tb2) {
		mem_free_charged(w, tb, sizeof(*tb));
		return NULL;
	}
	skc = inet_bind_skc(place);
	addr = skc_rcv_saddr(skc);
	*tb = (struct inet_bind_bucket){
		.net = skc->skc_net, .port = skc->skc_num, .fastreuse = -1, .fastreuseport = -1
	};
	hlist_replace(&place->node, &tb->place.node);
	tb2_add(hi, tb2, tb, skc->skc_family, &addr);
	owner_add(place, tb2);
	return tb;
}

int inet_bind_hash(struct inet_hashinfo *hi, struct sock *sk, struct inet_bind_bucket *tb)
{
	const struct sock_common *skc = inet_skc(sk);
	const struct inet_addr addr = skc_rcv_saddr(skc);
	struct inet_bind_owner *o = &inet_csk(sk)->icsk_bind;
	struct inet_bind2_bucket *tb2 = tb2_find_or_create(hi, tb, skc->skc_family, &addr);

	ASSERT(!o->tb2);
	if (!tb2) {
		tb_destroy_if_empty(hi, tb);
		return -ENOMEM;
	}
	owner_add(o, tb2);
	return 0;
}

void inet_put_port(struct sock *sk)
{
	inet_bind_owner_del(inet_hashinfo_of(sk->net), &inet_csk(sk)->icsk_bind);
	sk->inet_num = 0;
}

int __inet_inherit_port(struct sock *sk, struct sock *child)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct inet_bind2_bucket *tb2 = inet_csk(sk)->icsk_bind.tb2;

	if (!tb2)
		return -ENOENT; /* the listener closed meanwhile */
	ASSERT(tb2 != &inet_bind_no_bucket);
	inet_sk_key(child);
	return inet_bind_hash(hi, child, tb2->tb);
}

int inet_bhash2_update_saddr(struct sock *sk)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct inet_bind_owner *o = &inet_csk(sk)->icsk_bind;
	struct inet_bind2_bucket *old = o->tb2, *tb2;
	struct inet_addr addr;

	inet_sk_key(sk);
	if (!old || inet_bind_alone(o))
		return 0;
	addr = skc_rcv_saddr(inet_skc(sk));
	tb2 = tb2_find_or_create(hi, old->tb, inet_skc(sk)->skc_family, &addr);
	if (!tb2)
		return -ENOMEM;
	if (tb2 == old)
		return 0;
	hlist_del_init(&o->node);
	owner_add(o, tb2);
	tb2_destroy_if_empty(hi, old);
	return 0;
}

void inet_bhash2_reset_saddr(struct sock *sk)
{
	be32 saddr = sk->inet_saddr, rcv_saddr = sk->inet_rcv_saddr;
	struct ipv6_pinfo *np = sk->pinet6, saved = { 0 };

	if (sk->sk_userlocks & SOCK_BINDADDR_LOCK)
		return;
	sk->inet_saddr = 0;
	sk->inet_rcv_saddr = 0;
	if (np) {
		saved = *np;
		np->saddr = np->rcv_saddr = (struct inet_addr){ 0 };
		np->v4mapped = 0;
	}
	if (inet_bhash2_update_saddr(sk)) {
		/* No memory for another bucket: it stays bound to that address. */
		sk->inet_saddr = saddr;
		sk->inet_rcv_saddr = rcv_saddr;
		if (np)
			*np = saved;
		inet_sk_key(sk);
	}
}

/* ---- as a whole ---- */

static u32 tb2_owners_check(const struct inet_bind2_bucket *tb2)
{
	u32 owners = 0;

	hlist_for_each(n, &tb2->owners)
	{
		struct inet_connection_sock *icsk =
			container_of(n, struct inet_connection_sock, icsk_bind.node);

		ASSERT(icsk->icsk_bind.tb2 == tb2);
		ASSERT(icsk->icsk_inet.inet_num == tb2->tb->port);
		ASSERT(icsk->icsk_inet.net == tb2->tb->net);
		owners++;
	}
	hlist_for_each(n, &tb2->deathrow)
	{
		struct inet_timewait_sock *tw =
			container_of(n, struct inet_timewait_sock, tw_bind.node);

		ASSERT(tw->tw_bind.tb2 == tb2);
		ASSERT(tw->tw_common.skc_num == tb2->tb->port);
		owners++;
	}
	return owners;
}

static void alone_check(struct sock_common *skc)
{
	if (skc->skc_kind == SKC_TIMEWAIT)
		return;
	ASSERT(skc->skc_kind == SKC_SOCK);
	ASSERT(inet_sk_of(skc)->inet_num == skc->skc_num);
	ASSERT(inet_sk_of(skc)->net == skc->skc_net);
}

void inet_bind_check(const struct inet_hashinfo *hi)
{
	u32 ports = 0, addrs = 0;

	for (u32 i = 0; i <= hi->bhash.mask; i++) {
		hlist_for_each(n, &hi->bhash.heads[i])
		{
			const struct inet_bind_bucket *tb = inet_bind_tb(inet_bind_place(n));

			ASSERT((place_hash(n) & hi->bhash.mask) == i);
			ports++;
			if (inet_bind_alone(inet_bind_place(n))) {
				alone_check(inet_bind_skc(inet_bind_place(n)));
				continue;
			}
			ASSERT(tb->bhash2.first);
			hlist_for_each(n2, &tb->bhash2)
			{
				const struct inet_bind2_bucket *tb2 =
					container_of(n2, struct inet_bind2_bucket, bhash_node);

				ASSERT(tb2->tb == tb);
				ASSERT(tb2_find(hi, tb, tb2->family, &tb2->rcv_saddr) == tb2);
				ASSERT(tb2_owners_check(tb2) > 0);
				addrs++;
			}
		}
	}
	ASSERT(ports == hi->bhash.entries);
	ASSERT(addrs == hi->bhash2.entries);
}
