/* SPDX-License-Identifier: MIT */
/*
 * Neighbour tables (net/core/neighbour.c): life of an entry, the hash, collection of garbage,
 * devices that go. The state machine is neighbour.c's.
 *
 * Entries live in a hash that doubles with their number; the table holds one reference of each.
 * Garbage: forced above gc_thresh2/3 when an entry is made, periodic above gc_thresh1. Everything
 * that walks all entries does so in order of making.
 */
#include "core/neigh_table.h"

#include "stack/errno.h"

static struct world *tbl_world(const struct neigh_table *tbl)
{
	return tbl->host->world;
}

static u64 now_jiffies(const struct neigh_table *tbl)
{
	return jiffies(tbl->host);
}
static u32 neigh_hash(const struct neigh_table *tbl, const void *key, const struct net_device *dev)
{
	u64 lo = 0, hi = 0;

	if (tbl->key_len == 4) {
		lo = get_be32(key);
	} else {
		lo = get_be64(key);
		hi = get_be64((const u8 *)key + 8);
	}
#ifdef TAPLINE_HOSTILE
	return 0;
#endif
	return hsiphash_2u64(lo, hi ^ (u64)dev->ifindex << 32, &tbl->hash_key) &
	       ((1u << tbl->hash_bits) - 1);
}

/* ---- parms ---- */

/* Uniform in 0.5 .. 1.5 of the base (RFC 4861 6.3.2: MIN_RANDOM_FACTOR, MAX_RANDOM_FACTOR). */
static u32 neigh_rand_reach_time(struct neigh_table *tbl, u32 base)
{
	return base ? get_random_u32_below(tbl_world(tbl), RANDOM_NEIGH, base) + (base >> 1) : 0;
}

u32 neigh_reachable_time(struct neigh_parms *p)
{
	u64 now = now_jiffies(p->tbl);

	if (now - p->last_rand > 300 * HZ) {
		p->last_rand = now;
		p->reachable_time_ms = neigh_rand_reach_time(p->tbl, p->base_reachable_time_ms);
	}
	return p->reachable_time_ms;
}

struct neigh_parms *neigh_parms_alloc(struct net_device *dev, struct neigh_table *tbl)
{
	struct neigh_parms *p;

	p = mem_alloc(tbl_world(tbl), MEM_NEIGH_PARMS, sizeof(*p));
	if (!p)
		return NULL;
	*p = tbl->parms;
	p->tbl = tbl;
	p->dev = dev;
	p->last_rand = now_jiffies(tbl);
	p->reachable_time_ms = neigh_rand_reach_time(tbl, p->base_reachable_time_ms);
	return p;
}

void neigh_parms_release(struct neigh_table *tbl, struct neigh_parms *parms)
{
	if (parms)
		mem_free(tbl_world(tbl), MEM_NEIGH_PARMS, parms, sizeof(*parms));
}

/* ---- life of an entry ---- */

void neigh_purge(struct neighbour *n, enum skb_drop_reason reason)
{
	struct sk_buff *skb;

	while ((skb = neigh_dequeue(n)) != NULL)
		kfree_skb_reason(skb, reason);
}

static int neigh_blackhole(struct neighbour *n, struct sk_buff *skb)
{
	(void)n;
	kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_DEAD);
	return -ENETDOWN;
}

static void neigh_destroy(struct neighbour *n)
{
	struct neigh_table *tbl = n->tbl;

	ASSERT(n->dead);
	neigh_purge(n, SKB_DROP_REASON_NEIGH_DEAD);
	dev_put(n->dev);
	tbl->entries--;
	tbl->stats.destroys++;
	mem_free(tbl_world(tbl), MEM_NEIGH, n, sizeof(*n));
}

void neigh_release(struct neighbour *n)
{
	ASSERT(n->refcnt > 0);
	if (--n->refcnt == 0)
		neigh_destroy(n);
}

static void neigh_gc_list_del(struct neighbour *n)
{
	if (list_empty(&n->gc_list))
		return;
	list_del_init(&n->gc_list);
	n->tbl->gc_entries--;
}

/* PERMANENT entries do not count against the thresholds. */
void neigh_update_gc_list(struct neighbour *n)
{
	bool exempt = n->nud_state & NUD_PERMANENT;

	if (n->dead)
		return;
	if (exempt) {
		neigh_gc_list_del(n);
	} else if (list_empty(&n->gc_list)) {
		list_add_tail(&n->gc_list, &n->tbl->gc_list);
		n->tbl->gc_entries++;
	}
}

/* Off the table; who still holds a reference finds it dead. */
static void neigh_unlink(struct neighbour *n)
{
	if (n->dead)
		return;
	hlist_del_init(&n->hash);
	list_del_init(&n->all);
	neigh_gc_list_del(n);
	del_timer(&n->timer);
	n->dead = true;
	if (n->refcnt != 1) {
		neigh_purge(n, SKB_DROP_REASON_NEIGH_DEAD);
		n->output = neigh_blackhole;
		neigh_set_state(n, n->nud_state & NUD_VALID ? NUD_NOARP : NUD_NONE);
	}
	neigh_release(n);
}

static u32 neigh_forced_gc(struct neigh_table *tbl)
{
	u64 now = now_jiffies(tbl);
	u32 max_clean = tbl->gc_entries > tbl->gc_thresh2 ? tbl->gc_entries - tbl->gc_thresh2 : 0;
	u32 shrunk = 0;

	tbl->stats.forced_gc_runs++;
	list_for_each_safe(pos, tmp, &tbl->gc_list) {
		struct neighbour *n = list_entry(pos, struct neighbour, gc_list);

		if (shrunk >= max_clean)
			break;
		if (n->refcnt != 1)
			continue;
		if (n->nud_state == NUD_FAILED || n->nud_state == NUD_NOARP ||
		    now - n->updated > 5 * HZ) {
			neigh_unlink(n);
			shrunk++;
		}
	}
	tbl->last_flush = now;
	return shrunk;
}

/* At the next multiple of the period, as if it had run ever since boot; only while it could find
 * something. */
static void gc_work_arm(struct neigh_table *tbl)
{
	u64 period = max_u32(tbl->parms.base_reachable_time_ms / 2, 1);
	u64 now = now_jiffies(tbl);

	if (tbl->gc_entries >= tbl->gc_thresh1 && tbl->entries && !timer_pending(&tbl->gc_work))
		mod_timer(&tbl->gc_work, now + period - now % period);
}

static void neigh_periodic_work(struct timer *t)
{
	struct neigh_table *tbl = container_of(t, struct neigh_table, gc_work);
	u64 now = now_jiffies(tbl);

	tbl->stats.periodic_gc_runs++;
	if (tbl->gc_entries >= tbl->gc_thresh1) {
		list_for_each_safe(pos, tmp, &tbl->all) {
			struct neighbour *n = list_entry(pos, struct neighbour, all);

			if (n->nud_state & (NUD_PERMANENT | NUD_IN_TIMER))
				continue;
			if ((s64)(n->used - n->confirmed) < 0)
				n->used = n->confirmed;
			if (n->refcnt == 1 && (n->nud_state == NUD_FAILED ||
					       now - n->used >= n->parms->gc_staletime_ms))
				neigh_unlink(n);
		}
	}
	gc_work_arm(tbl);
}

static void neigh_hash_grow(struct neigh_table *tbl)
{
	struct world *w = tbl_world(tbl);
	struct hlist_head *old = tbl->buckets, *buckets;
	size_t size = 1u << tbl->hash_bits;

	buckets = mem_alloc_n(w, MEM_NEIGH_HASH, size * 2, sizeof(*buckets));
	if (!buckets)
		return;
	memset(buckets, 0, size * 2 * sizeof(*buckets));
	tbl->stats.hash_grows++;
	tbl->hash_bits++;
	tbl->buckets = buckets;
	list_for_each(pos, &tbl->all) {
		struct neighbour *n = list_entry(pos, struct neighbour, all);

		hlist_del_init(&n->hash);
		hlist_add_head(&n->hash, &buckets[neigh_hash(tbl, n->primary_key, n->dev)]);
	}
	mem_free_n(w, MEM_NEIGH_HASH, old, size, sizeof(*old));
}

static struct neighbour *neigh_find(struct neigh_table *tbl, const void *key,
				    const struct net_device *dev)
{
	hlist_for_each(pos, &tbl->buckets[neigh_hash(tbl, key, dev)])
	{
		struct neighbour *n = container_of(pos, struct neighbour, hash);

		if (n->dev == dev && memcmp(n->primary_key, key, tbl->key_len) == 0)
			return n;
	}
	return NULL;
}

struct neighbour *neigh_lookup_noref(struct neigh_table *tbl, const void *key,
				     struct net_device *dev)
{
	return neigh_find(tbl, key, dev);
}

struct neighbour *neigh_lookup(struct neigh_table *tbl, const void *key, struct net_device *dev)
{
	struct neighbour *n = neigh_find(tbl, key, dev);

	tbl->stats.lookups++;
	if (n) {
		tbl->stats.hits++;
		n->refcnt++;
	}
	return n;
}

static bool neigh_table_room(struct neigh_table *tbl)
{
	u64 now = now_jiffies(tbl);

	if (should_fail(tbl_world(tbl), FAULT_NEIGH_FULL)) {
		tbl->stats.table_fulls++;
		return false;
	}
	if (tbl->gc_entries < tbl->gc_thresh3 &&
	    (tbl->gc_entries < tbl->gc_thresh2 || now - tbl->last_flush <= 5 * HZ))
		return true;
	if (neigh_forced_gc(tbl) || tbl->gc_entries < tbl->gc_thresh3)
		return true;
	tbl->stats.table_fulls++;
	return false;
}

static struct neighbour *neigh_alloc(struct neigh_table *tbl, struct net_device *dev)
{
	struct neighbour *n;

	if (!neigh_table_room(tbl))
		return NULL;
	n = mem_zalloc(tbl_world(tbl), MEM_NEIGH, sizeof(*n));
	if (!n)
		return NULL;
	tbl->stats.allocs++;
	tbl->entries++;
	n->tbl = tbl;
	n->dev = dev;
	dev_hold(dev);
	n->parms = dev->arp_parms && dev->arp_parms->tbl == tbl ? dev->arp_parms : &tbl->parms;
	n->nud_state = NUD_NONE;
	n->output = neigh_blackhole;
	n->refcnt = 1;
	n->updated = n->used = now_jiffies(tbl);
	skb_queue_head_init(&n->arp_queue);
	timer_setup(&n->timer, host_cpu(tbl->host, 0), neigh_timer_handler);
	list_init(&n->gc_list);
	list_init(&n->all);
	return n;
}

struct neighbour *neigh_create(struct neigh_table *tbl, const void *key, struct net_device *dev)
{
	struct neighbour *n = neigh_find(tbl, key, dev);

	if (n) {
		n->refcnt++;
		return n;
	}
	n = neigh_alloc(tbl, dev);
	if (!n)
		return NULL;
	memcpy(n->primary_key, key, tbl->key_len);
	if (tbl->constructor && tbl->constructor(n)) {
		n->dead = true;
		neigh_release(n);
		return NULL;
	}
	n->confirmed = now_jiffies(tbl) - ((u64)n->parms->base_reachable_time_ms << 1);
	if (tbl->entries > 1u << tbl->hash_bits)
		neigh_hash_grow(tbl);
	hlist_add_head(&n->hash, &tbl->buckets[neigh_hash(tbl, key, dev)]);
	list_add_tail(&n->all, &tbl->all);
	neigh_update_gc_list(n);
	n->refcnt++;
	gc_work_arm(tbl);
	return n;
}

/* ---- devices and the table ---- */

static void neigh_flush_dev(struct neigh_table *tbl, const struct net_device *dev)
{
	list_for_each_safe(pos, tmp, &tbl->all) {
		struct neighbour *n = list_entry(pos, struct neighbour, all);

		if (!dev || n->dev == dev)
			neigh_unlink(n);
	}
}

void neigh_ifdown(struct neigh_table *tbl, struct net_device *dev)
{
	pneigh_queue_purge(tbl, dev);
	pneigh_ifdown(tbl, dev);
	neigh_flush_dev(tbl, dev);
}

void neigh_changeaddr(struct neigh_table *tbl, struct net_device *dev)
{
	neigh_flush_dev(tbl, dev);
}

void neigh_carrier_down(struct neigh_table *tbl, struct net_device *dev)
{
	list_for_each_safe(pos, tmp, &tbl->all) {
		struct neighbour *n = list_entry(pos, struct neighbour, all);

		if (n->dev == dev && !(n->nud_state & NUD_PERMANENT))
			neigh_unlink(n);
	}
}

int neigh_delete(struct neigh_table *tbl, const void *key, struct net_device *dev)
{
	struct neighbour *n = neigh_lookup(tbl, key, dev);

	if (!n)
		return -ENOENT;
	neigh_update(n, NULL, NUD_FAILED, NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN);
	neigh_unlink(n);
	neigh_release(n);
	return 0;
}

void neigh_for_each(struct neigh_table *tbl, void (*fn)(void *ctx, struct neighbour *n), void *ctx)
{
	list_for_each(pos, &tbl->all) {
		fn(ctx, list_entry(pos, struct neighbour, all));
	}
}

int neigh_table_init(struct host *h, struct neigh_table *tbl)
{
	tbl->host = h;
	tbl->hash_bits = 3;
	tbl->entries = tbl->gc_entries = 0;
	tbl->last_flush = jiffies(h);
	memset(&tbl->stats, 0, sizeof(tbl->stats));
	list_init(&tbl->all);
	list_init(&tbl->gc_list);
	get_random_siphash_key(h->world, RANDOM_NEIGH, &tbl->hash_key);
	timer_setup(&tbl->gc_work, host_cpu(h, 0), neigh_periodic_work);
	list_init(&tbl->proxies);
	skb_queue_head_init(&tbl->proxy_queue);
	timer_setup(&tbl->proxy_timer, host_cpu(h, 0), neigh_proxy_process);
	tbl->parms.tbl = tbl;
	tbl->parms.dev = NULL;
	tbl->parms.last_rand = jiffies(h);
	tbl->parms.reachable_time_ms =
		neigh_rand_reach_time(tbl, tbl->parms.base_reachable_time_ms);
	tbl->buckets = mem_alloc_n(h->world, MEM_NEIGH_HASH, 8, sizeof(*tbl->buckets));
	if (!tbl->buckets)
		return -ENOMEM;
	memset(tbl->buckets, 0, 8 * sizeof(*tbl->buckets));
	return 0;
}

void neigh_table_clear(struct neigh_table *tbl)
{
	if (!tbl->buckets)
		return;
	del_timer(&tbl->gc_work);
	pneigh_queue_purge(tbl, NULL);
	pneigh_ifdown(tbl, NULL);
	neigh_flush_dev(tbl, NULL);
	ASSERT(tbl->entries == 0);
	mem_free_n(tbl_world(tbl), MEM_NEIGH_HASH, tbl->buckets, 1u << tbl->hash_bits,
		   sizeof(*tbl->buckets));
	tbl->buckets = NULL;
}

void neigh_check(struct neigh_table *tbl)
{
	u32 count = 0, gc = 0;

	list_for_each(pos, &tbl->all) {
		const struct neighbour *n = list_entry(pos, struct neighbour, all);
		u32 bytes = 0;

		count++;
		gc += !list_empty(&n->gc_list);
		ASSERT(!n->dead && n->refcnt > 0);
		ASSERT(timer_pending(&n->timer) == !!(n->nud_state & NUD_IN_TIMER));
		ASSERT(n->arp_queue.qlen == 0 || n->nud_state == NUD_INCOMPLETE);
		for (const struct sk_buff *skb = skb_peek(&n->arp_queue); skb; skb = skb->next)
			bytes += skb->truesize;
		ASSERT(bytes == n->arp_queue_len_bytes);
		ASSERT(neigh_find(tbl, n->primary_key, n->dev) == n);
	}
	ASSERT(gc == tbl->gc_entries);
	ASSERT(count <= tbl->entries);
}
