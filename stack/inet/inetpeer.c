/* SPDX-License-Identifier: MIT */
/* Memory of other hosts (net/ipv4/inetpeer.c). See inetpeer.h. */
#include "inet/inetpeer.h"

#include <string.h>

#include "kernel/timer.h"
#include "stack/assert.h"

#define XRLIM_BURST_FACTOR 6u
/* Declared size of one: inet_peer_cache on Linux x86-64. */
#define INETPEER_SIZE 192u

_Static_assert(sizeof(struct inet_peer) <= INETPEER_SIZE, "declared size covers the real one");

void inet_peer_base_init(struct host *h, struct inet_peer_base *base)
{
	base->host = h;
	base->buckets = NULL;
	base->hash_bits = 4;
	base->total = 0;
	list_init(&base->lru);
	get_random_siphash_key(h->world, RANDOM_HASH, &base->key);
}

static u32 peer_bucket(const struct inet_peer_base *base, u64 hi, u64 lo)
{
#ifdef TAPLINE_HOSTILE
	return 0; /* one chain for all */
#endif
	return hsiphash_2u64(hi, lo, &base->key) & ((1u << base->hash_bits) - 1);
}

static void peer_free(struct inet_peer_base *base, struct inet_peer *p)
{
	hlist_del_init(&p->hash);
	list_del_init(&p->lru);
	base->total--;
	mem_free_n(base->host->world, MEM_MISC, p, INETPEER_SIZE, 1);
}

static void buckets_free(struct inet_peer_base *base)
{
	if (base->buckets)
		mem_free_n(base->host->world, MEM_HASH_TABLE, base->buckets, 1u << base->hash_bits,
			   sizeof(*base->buckets));
	base->buckets = NULL;
}

void inet_peer_base_exit(struct inet_peer_base *base)
{
	list_for_each_safe(pos, tmp, &base->lru) {
		struct inet_peer *p = list_entry(pos, struct inet_peer, lru);

		ASSERT(p->refcnt == 0);
		peer_free(base, p);
	}
	buckets_free(base);
}

/* A table of 2^bits buckets with all peers in it; the old one stays when memory is refused. */
static bool peer_rehash(struct inet_peer_base *base, u32 bits)
{
	struct hlist_head *buckets;

	buckets = mem_alloc_n(base->host->world, MEM_HASH_TABLE, 1u << bits, sizeof(*buckets));
	if (!buckets)
		return base->buckets != NULL;
	memset(buckets, 0, (size_t)(1u << bits) * sizeof(*buckets));
	list_for_each(pos, &base->lru) {
		hlist_del_init(&list_entry(pos, struct inet_peer, lru)->hash);
	}
	buckets_free(base);
	base->buckets = buckets;
	base->hash_bits = bits;
	list_for_each(pos, &base->lru) {
		struct inet_peer *p = list_entry(pos, struct inet_peer, lru);

		hlist_add_head(&p->hash, &buckets[peer_bucket(base, p->key[0], p->key[1])]);
	}
	return true;
}

static void peer_evict(struct inet_peer_base *base)
{
	list_for_each(pos, &base->lru) {
		struct inet_peer *p = list_entry(pos, struct inet_peer, lru);

		if (p->refcnt == 0) {
			peer_free(base, p);
			return;
		}
	}
}

struct inet_peer *inet_getpeer(struct inet_peer_base *base, u64 hi, u64 lo)
{
	struct inet_peer *p;

	if (!base->buckets && !peer_rehash(base, base->hash_bits))
		return NULL;
	hlist_for_each(pos, &base->buckets[peer_bucket(base, hi, lo)])
	{
		p = container_of(pos, struct inet_peer, hash);
		if (p->key[0] != hi || p->key[1] != lo)
			continue;
		list_del_init(&p->lru);
		list_add_tail(&p->lru, &base->lru);
		return p;
	}
	if (base->total >= INETPEER_MAX)
		peer_evict(base);
	p = mem_alloc_n(base->host->world, MEM_MISC, INETPEER_SIZE, 1);
	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->key[0] = hi;
	p->key[1] = lo;
	/* A new peer starts with a full bucket (inet_getpeer: rate_last 60 s ago). */
	p->rate_last = jiffies(base->host) - 60 * HZ;
	list_add_tail(&p->lru, &base->lru);
	if (++base->total > 2u << base->hash_bits)
		peer_rehash(base, base->hash_bits + 1);
	hlist_del_init(&p->hash);
	hlist_add_head(&p->hash, &base->buckets[peer_bucket(base, hi, lo)]);
	return p;
}

bool inet_peer_xrlim_allow(struct inet_peer_base *base, struct inet_peer *peer, u32 timeout)
{
	u64 now = jiffies(base->host);
	bool allow = false;

	if (!peer)
		return true;
	peer->rate_tokens += now - peer->rate_last;
	peer->rate_last = now;
	if (peer->rate_tokens > (u64)XRLIM_BURST_FACTOR * timeout)
		peer->rate_tokens = (u64)XRLIM_BURST_FACTOR * timeout;
	if (peer->rate_tokens >= timeout) {
		peer->rate_tokens -= timeout;
		allow = true;
	}
	return allow;
}
