/* SPDX-License-Identifier: MIT */
/*
 * The tables of connections and of listeners (inet_hashtables.h; net/ipv4/inet_hashtables.c): what
 * a segment's addresses and ports belong to. Ports and bind buckets are in inet_ports.c.
 *
 * Each table doubles when it holds as many entries as chains: a lookup seldom looks at more than
 * two entries, with one connection and with a million. Doubling splits each chain in two in its
 * order. Peers choose their addresses and ports, so the hash is keyed (RFC 6056 is no help here:
 * the server's side of it).
 */
#include "core/netdevice.h"
#include "core/reuseport.h"
#include "inet/inet_connection_sock.h"
#include "inet/inet_ports.h"
#include "inet/inet_timewait_sock.h"

#ifdef TAPLINE_HOSTILE
#define TABLE_MIN 1u
#define TABLE_MAX 1u
#else
#define TABLE_MIN 16u
#define TABLE_MAX (1u << 24)
#endif

/* ---- tables that grow ---- */

static int htable_init(struct world *w, struct inet_htable *t)
{
	t->heads = mem_alloc_n(w, MEM_HASH_TABLE, TABLE_MIN, sizeof(*t->heads));
	if (!t->heads)
		return -ENOMEM;
	memset(t->heads, 0, TABLE_MIN * sizeof(*t->heads));
	t->mask = TABLE_MIN - 1;
	t->entries = 0;
	return 0;
}

static void htable_free(struct world *w, struct inet_htable *t)
{
	if (!t->heads)
		return;
	ASSERT(t->entries == 0);
	mem_free_n(w, MEM_HASH_TABLE, t->heads, t->mask + 1, sizeof(*t->heads));
	t->heads = NULL;
}

/* Without memory the chains grow longer instead. */
static void htable_grow(struct world *w, struct inet_htable *t,
			u32 (*hash)(const struct hlist_node *n))
{
	u32 size = (t->mask + 1) * 2;
	struct hlist_head *heads;

	if (size > TABLE_MAX)
		return;
	heads = mem_alloc_n(w, MEM_HASH_TABLE, size, sizeof(*heads));
	if (!heads)
		return;
	memset(heads, 0, size * sizeof(*heads));
	for (u32 i = 0; i <= t->mask; i++) {
		struct hlist_node **end[2] = { &heads[i].first, &heads[i + size / 2].first };

		hlist_for_each_safe(n, tmp, &t->heads[i])
		{
			u32 half = (hash(n) & (size - 1)) >= size / 2;

			n->next = NULL;
			n->pprev = end[half];
			*end[half] = n;
			end[half] = &n->next;
		}
	}
	mem_recycle_n(w, MEM_HASH_TABLE, t->heads, t->mask + 1, sizeof(*t->heads));
	t->heads = heads;
	t->mask = size - 1;
}

void inet_htable_add(struct world *w, struct inet_htable *t, struct hlist_node *n,
		     u32 (*hash)(const struct hlist_node *n))
{
	ASSERT(hlist_unhashed(n));
	if (t->entries > t->mask)
		htable_grow(w, t, hash);
	hlist_add_head(n, &t->heads[hash(n) & t->mask]);
	t->entries++;
}

void inet_htable_del(struct inet_htable *t, struct hlist_node *n)
{
	if (hlist_unhashed(n))
		return;
	hlist_del_init(n);
	t->entries--;
}

static struct sock_common *skc_of(const struct hlist_node *n)
{
	return container_of(n, struct sock_common, skc_node);
}

static u32 skc_hash_of(const struct hlist_node *n)
{
	return skc_of(n)->skc_hash;
}

/* ---- keys ---- */

static u64 addr_half(const struct inet_addr *a, u32 first)
{
	return (u64)ntohl(a->w[first]) << 32 | ntohl(a->w[first + 1]);
}

u32 inet_ehashfn(const struct inet_hashinfo *hi, const struct net *net,
		 const struct inet_addr *laddr, u16 lport, const struct inet_addr *faddr, u16 fport)
{
	u64 ports = (u64)net->id << 32 | (u64)lport << 16 | fport;
	u64 addrs = (u64)ntohl(laddr->w[0]) << 32 | ntohl(faddr->w[0]);

	if (laddr->w[1] | laddr->w[2] | laddr->w[3] | faddr->w[1] | faddr->w[2] | faddr->w[3])
		addrs = siphash_4u64(addr_half(laddr, 0), addr_half(laddr, 2), addr_half(faddr, 0),
				     addr_half(faddr, 2), &hi->key);
	return hsiphash_2u64(addrs, ports, &hi->key);
}

/* Of listeners: by own address and port (ipv4_portaddr_hash). */
static u32 inet_lhash2fn(const struct inet_hashinfo *hi, const struct net *net,
			 const struct inet_addr *addr, u16 port)
{
	u64 a = addr_half(addr, 0) ^ mix64(addr_half(addr, 2));

	return (u32)mix64(mix64(a ^ hi->key.key[0]) ^ ((u64)net->id << 16 | port));
}

static bool skc_dev_match(const struct sock_common *skc, u32 dif)
{
	return !skc->skc_bound_dev_if || skc->skc_bound_dev_if == dif;
}

void inet_sk_key(struct sock *sk)
{
	struct sock_common *skc = inet_skc(sk);

	ASSERT(hlist_unhashed(&skc->skc_node));
	skc->skc_net = sk->net;
	skc->skc_kind = SKC_SOCK;
	skc->skc_family = sk_is_ipv6(sk) ? AF_INET6 : AF_INET;
	skc->skc_ipv6only = sk->pinet6 && sk->pinet6->ipv6only;
	skc->skc_bound_dev_if = sk->sk_bound_dev_if;
	skc->skc_rebound = 0;
	skc->skc_num = sk->inet_num;
	skc->skc_dport = sk->inet_dport;
	if (sk_is_ipv6(sk)) {
		sk->pinet6->key = (struct inet6_key){ sk->pinet6->rcv_saddr, sk->pinet6->daddr };
		skc->skc_v6 = &sk->pinet6->key;
	} else {
		skc->skc_v4.rcv_saddr = sk->inet_rcv_saddr;
		skc->skc_v4.daddr = sk->inet_daddr;
	}
}

/* Of the same family. */
static bool skc_addrs_match(const struct sock_common *skc, const struct inet_addr *laddr,
			    const struct inet_addr *faddr)
{
	if (skc->skc_family != AF_INET6)
		return skc->skc_v4.rcv_saddr == laddr->w[0] && skc->skc_v4.daddr == faddr->w[0];
	return inet_addr_equal(&skc->skc_v6->daddr, faddr) &&
	       inet_addr_equal(&skc->skc_v6->rcv_saddr, laddr);
}

/* ---- connected ---- */

static struct sock_common *ehash_find(const struct inet_hashinfo *hi, const struct net *net,
				      u8 family, const struct inet_addr *laddr, u16 lport,
				      const struct inet_addr *faddr, u16 fport, u32 dif, u32 hash)
{
	hlist_for_each(n, &hi->ehash.heads[hash & hi->ehash.mask])
	{
		struct sock_common *skc = skc_of(n);

		if (skc->skc_hash == hash && skc->skc_num == lport && skc->skc_dport == fport &&
		    skc->skc_family == family && skc->skc_net == net &&
		    skc_addrs_match(skc, laddr, faddr) && skc_dev_match(skc, dif))
			return skc;
	}
	return NULL;
}

struct sock_common *__inet_lookup_established(const struct inet_hashinfo *hi, struct net *net,
					      u8 family, const struct inet_addr *saddr, u16 sport,
					      const struct inet_addr *daddr, u16 dport, u32 dif)
{
	u32 hash = inet_ehashfn(hi, net, daddr, dport, saddr, sport);

	return ehash_find(hi, net, family, daddr, dport, saddr, sport, dif, hash);
}

static u32 skc_ehashfn(const struct inet_hashinfo *hi, const struct sock_common *skc)
{
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);

	return inet_ehashfn(hi, skc->skc_net, &laddr, skc->skc_num, &faddr, skc->skc_dport);
}

void inet_ehash_insert(struct inet_hashinfo *hi, struct sock_common *skc)
{
	skc->skc_hash = skc_ehashfn(hi, skc);
	inet_htable_add(hi->host->world, &hi->ehash, &skc->skc_node, skc_hash_of);
}

void inet_ehash_remove(struct inet_hashinfo *hi, struct sock_common *skc)
{
	hi->ports_freed[skc->skc_num & 1]++;
	inet_htable_del(&hi->ehash, &skc->skc_node);
}

bool inet_ehash_nolisten(struct sock *sk, struct sock_common *osk)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);

	if (osk) {
		if (hlist_unhashed(&osk->skc_node))
			return false;
		inet_ehash_remove(hi, osk);
	}
	inet_sk_key(sk);
	inet_ehash_insert(hi, inet_skc(sk));
	return true;
}

struct sock_common *inet_ehash_conflict(struct sock *sk, u16 lport)
{
	const struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct sock_common *skc = inet_skc(sk);
	struct inet_addr laddr, faddr;

	inet_sk_key(sk);
	laddr = skc_rcv_saddr(skc);
	faddr = skc_daddr(skc);
	skc->skc_num = lport;
	skc->skc_hash = skc_ehashfn(hi, skc);
	return ehash_find(hi, sk->net, skc->skc_family, &laddr, lport, &faddr, skc->skc_dport,
			  skc->skc_bound_dev_if, skc->skc_hash);
}

int __inet_check_established(struct sock *sk, u16 lport, bool bound)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct sock_common *skc = inet_skc(sk), *skc2 = inet_ehash_conflict(sk, lport);
	struct inet_timewait_sock *tw = NULL;

	if (skc2) {
		if (skc2->skc_kind != SKC_TIMEWAIT || !hi->twsk_unique ||
		    !hi->twsk_unique(sk, inet_twsk(skc2), bound))
			return -EADDRNOTAVAIL;
		tw = inet_twsk(skc2);
	}
	sk->inet_num = lport;
	inet_htable_add(hi->host->world, &hi->ehash, &skc->skc_node, skc_hash_of);
	if (tw) {
		MIB_INC(sk->net, TcpExtTWRecycled);
		inet_twsk_deschedule_put(tw);
	}
	return 0;
}

/* ---- listeners ---- */

/* < 0: it does not hear this. A bound device beats the family and SO_INCOMING_CPU, which beat
 * nothing. */
static s32 compute_score(struct sock_common *skc, const struct net *net, u8 family,
			 const struct inet_addr *daddr, u16 dport, u32 dif)
{
	const struct inet_addr laddr = skc_rcv_saddr(skc);
	s32 incoming_cpu;

	if (skc->skc_net != net || skc->skc_num != dport)
		return -1;
	if (skc->skc_family != family && (skc->skc_family != AF_INET6 || skc->skc_ipv6only))
		return -1;
	if (!inet_addr_equal(&laddr, daddr) || !skc_dev_match(skc, dif))
		return -1;
	incoming_cpu = inet_sk_of(skc)->sk_rare->incoming_cpu;
	return (skc->skc_bound_dev_if ? 2 : 1) + (skc->skc_family == family) +
	       (incoming_cpu >= 0 && incoming_cpu == (s32)this_cpu(net->host)->id);
}

/* What a segment's listener is looked for by. */
struct listener_key {
	const struct net *net;
	const struct inet_addr *saddr, *daddr;
	struct sk_buff *skb; /* NULL: it is about no packet */
	u32 hdr_len; /* of its TCP header */
	u32 dif;
	u16 sport, dport;
	u8 family;
};

/* The first of the best, where a group that is better than those before it decides at once
 * (inet_lhash2_lookup). `addr`: the local address that listeners must have. */
static struct sock *lhash2_lookup(const struct inet_hashinfo *hi, const struct listener_key *k,
				  const struct inet_addr *addr)
{
	u32 hash = inet_lhash2fn(hi, k->net, addr, k->dport);
	struct sock *best = NULL;
	s32 best_score = 0;

	hlist_for_each(n, &hi->lhash2.heads[hash & hi->lhash2.mask])
	{
		s32 score = compute_score(skc_of(n), k->net, k->family, addr, k->dport, k->dif);
		struct sock *sk = inet_sk_of(skc_of(n)), *member = NULL;

		if (score <= best_score)
			continue;
		if (sk->sk_reuseport) {
			u32 flow = inet_ehashfn(hi, k->net, k->daddr, k->dport, k->saddr, k->sport);

			member = reuseport_select_sock(sk, flow, k->skb, k->hdr_len);
		}
		if (member)
			return member;
		best = sk;
		best_score = score;
	}
	return best;
}

struct sock *__inet_lookup_listener(const struct inet_hashinfo *hi, const struct net *net,
				    struct sk_buff *skb, u32 hdr_len, u8 family,
				    const struct inet_addr *saddr, u16 sport,
				    const struct inet_addr *daddr, u16 dport, u32 dif)
{
	static const struct inet_addr any;
	const struct listener_key k = {
		net, saddr, daddr, skb, hdr_len, dif, sport, dport, family
	};
	struct sock *sk = lhash2_lookup(hi, &k, daddr);

	return sk ? sk : lhash2_lookup(hi, &k, &any);
}

/* sk joins the group of another listener of its kind, or founds one. */
static int inet_reuseport_add_sock(struct inet_hashinfo *hi, struct sock *sk)
{
	const struct sock_common *skc = inet_skc(sk);
	const struct inet_addr laddr = skc_rcv_saddr(skc);

	hlist_for_each(n, &hi->lhash2.heads[skc->skc_hash & hi->lhash2.mask])
	{
		const struct sock_common *skc2 = skc_of(n);
		const struct inet_addr laddr2 = skc_rcv_saddr(skc2);
		struct sock *sk2 = inet_sk_of(skc_of(n));

		if (skc2->skc_net == skc->skc_net && skc2->skc_num == skc->skc_num &&
		    skc2->skc_family == skc->skc_family &&
		    skc2->skc_ipv6only == skc->skc_ipv6only &&
		    skc2->skc_bound_dev_if == skc->skc_bound_dev_if && sk2->sk_reuseport &&
		    inet_addr_equal(&laddr2, &laddr))
			return reuseport_add_sock(sk, sk2, inet_addr_any(&laddr));
	}
	return reuseport_alloc(sk, inet_addr_any(&laddr));
}

int inet_hash(struct sock *sk)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct sock_common *skc = inet_skc(sk);
	struct inet_addr laddr;

	if (sk->sk_state != TCP_LISTEN) {
		inet_ehash_nolisten(sk, NULL);
		return 0;
	}
	inet_sk_key(sk);
	skc->skc_kind = SKC_LISTEN;
	if (skc->skc_family == AF_INET6)
		sk->pinet6->key.daddr = (struct inet_addr){ 0 };
	else
		skc->skc_v4.daddr = 0;
	skc->skc_dport = 0;
	laddr = skc_rcv_saddr(skc);
	skc->skc_hash = inet_lhash2fn(hi, sk->net, &laddr, skc->skc_num);
	if (sk->sk_reuseport) {
		int err = inet_reuseport_add_sock(hi, sk);

		if (err)
			return err;
	}
	inet_htable_add(hi->host->world, &hi->lhash2, &skc->skc_node, skc_hash_of);
	return 0;
}

void inet_unhash(struct sock *sk)
{
	struct inet_hashinfo *hi = inet_hashinfo_of(sk->net);
	struct sock_common *skc = inet_skc(sk);

	if (skc->skc_kind == SKC_LISTEN) {
		reuseport_stop_listen_sock(sk);
		inet_htable_del(&hi->lhash2, &skc->skc_node);
	} else {
		inet_ehash_remove(hi, skc);
	}
}

/* ---- as a whole ---- */

int inet_hashinfo_init(struct host *h, struct inet_hashinfo *hi)
{
	struct world *w = h->world;

	memset(hi, 0, sizeof(*hi));
	hi->host = h;
	get_random_siphash_key(w, RANDOM_HASH, &hi->key);
	get_random_siphash_key(w, RANDOM_PORT, &hi->port_key);
	if (htable_init(w, &hi->ehash) || htable_init(w, &hi->lhash2) ||
	    htable_init(w, &hi->bhash) || htable_init(w, &hi->bhash2)) {
		inet_hashinfo_exit(hi);
		return -ENOMEM;
	}
	return 0;
}

void inet_hashinfo_exit(struct inet_hashinfo *hi)
{
	struct world *w = hi->host->world;

	ASSERT(hi->tw_count == 0);
	htable_free(w, &hi->ehash);
	htable_free(w, &hi->lhash2);
	htable_free(w, &hi->bhash);
	htable_free(w, &hi->bhash2);
	if (hi->table_perturb)
		mem_free_n(w, MEM_MISC, hi->table_perturb, INET_TABLE_PERTURB_SIZE,
			   sizeof(*hi->table_perturb));
	hi->table_perturb = NULL;
}

/* Nobody in front of it in its chain has the same key. Who changes his device is not looked at: as
 * in Linux he may then stand behind somebody whose segments he would otherwise get. */
static void ehash_unique_check(const struct inet_hashinfo *hi, const struct sock_common *skc)
{
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);
	const struct sock_common *first =
		ehash_find(hi, skc->skc_net, skc->skc_family, &laddr, skc->skc_num, &faddr,
			   skc->skc_dport, skc->skc_bound_dev_if, skc->skc_hash);

	ASSERT(first == skc || first->skc_bound_dev_if != skc->skc_bound_dev_if ||
	       first->skc_rebound || skc->skc_rebound);
}

static void ehash_check(const struct inet_hashinfo *hi)
{
	u32 entries = 0, tw = 0;

	for (u32 i = 0; i <= hi->ehash.mask; i++) {
		hlist_for_each(n, &hi->ehash.heads[i])
		{
			const struct sock_common *skc = skc_of(n);

			ASSERT(*n->pprev == n);
			ASSERT((skc->skc_hash & hi->ehash.mask) == i);
			ASSERT(skc->skc_hash == skc_ehashfn(hi, skc));
			ASSERT(skc->skc_kind != SKC_LISTEN);
			ehash_unique_check(hi, skc);
			tw += skc->skc_kind == SKC_TIMEWAIT;
			entries++;
		}
	}
	ASSERT(entries == hi->ehash.entries);
	ASSERT(tw == hi->tw_count);
}

static void lhash2_check(const struct inet_hashinfo *hi)
{
	u32 entries = 0;

	for (u32 i = 0; i <= hi->lhash2.mask; i++) {
		hlist_for_each(n, &hi->lhash2.heads[i])
		{
			struct sock_common *skc = skc_of(n);

			ASSERT(*n->pprev == n);
			ASSERT((skc->skc_hash & hi->lhash2.mask) == i);
			ASSERT(skc->skc_kind == SKC_LISTEN);
			ASSERT(inet_sk_of(skc)->sk_state == TCP_LISTEN);
			entries++;
		}
	}
	ASSERT(entries == hi->lhash2.entries);
}

void inet_hashinfo_check(const struct inet_hashinfo *hi, u32 level)
{
	if (!level)
		return;
	ehash_check(hi);
	lhash2_check(hi);
	inet_bind_check(hi);
}
