/* SPDX-License-Identifier: MIT */
/*
 * The neighbour state machine (net/core/neighbour.c): RFC 4861 7.3.2's states with the kernel's
 * timers, for ARP too (RFC 1122 2.3.2.1). Entries live in a hash that doubles with their number;
 * the table holds one reference of each. Garbage: forced above gc_thresh2/3 when one is made,
 * periodic above gc_thresh1.
 *
 * Invariant: the timer of an entry is pending exactly in the states of NUD_IN_TIMER; only
 * INCOMPLETE entries have packets queued.
 */
#include "core/neighbour.h"

#include "kernel/trace.h"
#include "stack/errno.h"

#define NEIGH_MIN_TIMER (HZ / 100)

static struct world *tbl_world(const struct neigh_table *tbl)
{
	return tbl->host->world;
}

static u64 now_jiffies(const struct neigh_table *tbl)
{
	return jiffies(tbl->host);
}

/* a is at or before b on the wrapping clock. */
static bool time_before_eq(u64 a, u64 b)
{
	return (s64)(a - b) <= 0;
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
	return hsiphash_2u64(lo, hi ^ (u64)dev->ifindex << 32, &tbl->hash_key) &
	       ((1u << tbl->hash_bits) - 1);
}

/* ---- parms ---- */

/* Uniform in 0.5 .. 1.5 of the base (RFC 4861 6.3.2: MIN_RANDOM_FACTOR, MAX_RANDOM_FACTOR). */
static u32 neigh_rand_reach_time(struct neigh_table *tbl, u32 base)
{
	return base ? get_random_u32_below(tbl_world(tbl), RANDOM_NEIGH, base) + (base >> 1) : 0;
}

static u32 reachable_time(struct neigh_parms *p)
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

static void neigh_trace(const struct neighbour *n, u8 old)
{
	trace(tbl_world(n->tbl), n->tbl->host, TRACE_NEIGH_UPDATE, n->dev->ifindex,
	      get_be32(n->primary_key), old, n->nud_state);
}

static void neigh_set_state(struct neighbour *n, u8 state)
{
	u8 old = n->nud_state;

	n->nud_state = state;
	if (old != state)
		neigh_trace(n, old);
}

static void neigh_purge(struct neighbour *n, enum skb_drop_reason reason)
{
	skb_queue_purge_reason(&n->arp_queue, reason);
	n->arp_queue_len_bytes = 0;
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
static void neigh_update_gc_list(struct neighbour *n)
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

static void neigh_timer_handler(struct timer *t);

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

/* ---- the state machine ---- */

static void neigh_suspect(struct neighbour *n)
{
	n->output = n->ops->output;
}

static void neigh_connect(struct neighbour *n)
{
	n->output = n->ops->connected_output;
}

static void neigh_add_timer(struct neighbour *n, u64 when)
{
	mod_timer(&n->timer, when);
}

static u64 retrans_time(const struct neighbour *n)
{
	return max_u32(n->parms->retrans_time_ms, NEIGH_MIN_TIMER);
}

static void neigh_probe(struct neighbour *n)
{
	struct sk_buff *skb = n->arp_queue.qlen ? n->arp_queue.prev : NULL;

	if (n->ops->solicit)
		n->ops->solicit(n, skb);
	n->probes++;
}

static u32 neigh_max_probes(const struct neighbour *n)
{
	const struct neigh_parms *p = n->parms;

	return p->ucast_solicit + p->app_solicit +
	       (n->nud_state & NUD_PROBE ? p->mcast_reprobes : p->mcast_solicit);
}

static void neigh_invalidate(struct neighbour *n)
{
	struct sk_buff *skb;

	n->tbl->stats.res_failed++;
	n->updated = now_jiffies(n->tbl);
	/* error_report may send and come back here: the state is looked at again each time. */
	n->refcnt++;
	while (n->nud_state == NUD_FAILED && (skb = skb_dequeue(&n->arp_queue)) != NULL) {
		n->arp_queue_len_bytes -= skb->truesize;
		n->ops->error_report(n, skb);
	}
	neigh_purge(n, SKB_DROP_REASON_NEIGH_FAILED);
	neigh_release(n);
}

static u64 timer_reachable(struct neighbour *n, u64 now)
{
	u64 delay = n->parms->delay_first_probe_time_ms;

	if (time_before_eq(now, n->confirmed + reachable_time(n->parms)))
		return n->confirmed + reachable_time(n->parms);
	n->updated = now;
	neigh_suspect(n);
	neigh_set_state(n, time_before_eq(now, n->used + delay) ? NUD_DELAY : NUD_STALE);
	return now + delay;
}

static u64 timer_delay(struct neighbour *n, u64 now)
{
	n->updated = now;
	if (time_before_eq(now, n->confirmed + n->parms->delay_first_probe_time_ms)) {
		neigh_set_state(n, NUD_REACHABLE);
		neigh_connect(n);
		return n->confirmed + reachable_time(n->parms);
	}
	neigh_set_state(n, NUD_PROBE);
	n->probes = 0;
	return now + retrans_time(n);
}

static void neigh_timer_handler(struct timer *t)
{
	struct neighbour *n = container_of(t, struct neighbour, timer);
	u64 now = now_jiffies(n->tbl), next;

	if (n->nud_state & NUD_REACHABLE)
		next = timer_reachable(n, now);
	else if (n->nud_state & NUD_DELAY)
		next = timer_delay(n, now);
	else
		next = now + retrans_time(n);

	if (n->nud_state & (NUD_INCOMPLETE | NUD_PROBE) && n->probes >= neigh_max_probes(n)) {
		neigh_set_state(n, NUD_FAILED);
		neigh_invalidate(n);
		return;
	}
	if (n->nud_state & NUD_IN_TIMER) {
		if ((s64)(next - (now + NEIGH_MIN_TIMER)) < 0)
			next = now + NEIGH_MIN_TIMER;
		neigh_add_timer(n, next);
	}
	if (n->nud_state & (NUD_INCOMPLETE | NUD_PROBE))
		neigh_probe(n);
}

/* Into the queue of an INCOMPLETE entry; the oldest go when it gets too long. */
static void neigh_queue(struct neighbour *n, struct sk_buff *skb)
{
	while (n->arp_queue_len_bytes + skb->truesize > n->parms->queue_len_bytes) {
		struct sk_buff *old = skb_dequeue(&n->arp_queue);

		if (!old)
			break;
		n->arp_queue_len_bytes -= old->truesize;
		kfree_skb_reason(old, SKB_DROP_REASON_NEIGH_QUEUEFULL);
		n->tbl->stats.unres_discards++;
	}
	skb_queue_tail(&n->arp_queue, skb);
	n->arp_queue_len_bytes += skb->truesize;
}

bool neigh_event_send(struct neighbour *n, struct sk_buff *skb)
{
	u64 now = now_jiffies(n->tbl);
	bool probe = false;

	n->used = now;
	if (n->nud_state & (NUD_CONNECTED | NUD_DELAY | NUD_PROBE))
		return false;
	if (n->dead) {
		if (n->nud_state & NUD_STALE)
			return false;
		kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_DEAD);
		return true;
	}
	if (n->nud_state & NUD_STALE) {
		n->updated = now;
		neigh_set_state(n, NUD_DELAY);
		neigh_add_timer(n, now + n->parms->delay_first_probe_time_ms);
		return false;
	}
	if (!(n->nud_state & NUD_INCOMPLETE)) {
		n->updated = now;
		if (!(n->parms->mcast_solicit + n->parms->app_solicit)) {
			neigh_set_state(n, NUD_FAILED);
			kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_FAILED);
			return true;
		}
		n->probes = (u8)n->parms->ucast_solicit;
		neigh_set_state(n, NUD_INCOMPLETE);
		neigh_add_timer(n, now + retrans_time(n));
		probe = true;
	}
	if (skb)
		neigh_queue(n, skb);
	if (probe)
		neigh_probe(n);
	return true;
}

static void neigh_update_hh(struct neighbour *n)
{
	if (n->hh_len)
		memcpy(n->hh, n->ha, ETH_ALEN);
}

/* What was waiting for the address goes out. */
static void neigh_flush_queue(struct neighbour *n)
{
	struct sk_buff *skb;

	n->refcnt++;
	while (n->nud_state & NUD_VALID && (skb = skb_dequeue(&n->arp_queue)) != NULL) {
		n->arp_queue_len_bytes -= skb->truesize;
		n->output(n, skb);
	}
	neigh_purge(n, SKB_DROP_REASON_NEIGH_FAILED);
	neigh_release(n);
}

/* neigh_update() to a state without an address. */
static int neigh_update_invalid(struct neighbour *n, u8 new)
{
	u8 old = n->nud_state;

	del_timer(&n->timer);
	if (old & NUD_CONNECTED)
		neigh_suspect(n);
	neigh_set_state(n, new);
	neigh_update_gc_list(n);
	if (old & (NUD_INCOMPLETE | NUD_PROBE) && new &NUD_FAILED)
		neigh_invalidate(n);
	return 0;
}

static void neigh_enter_state(struct neighbour *n, u8 new, u64 now)
{
	del_timer(&n->timer);
	if (new &NUD_PROBE)
		n->probes = 0;
	if (new &NUD_IN_TIMER)
		neigh_add_timer(n, now + (new &NUD_REACHABLE ? reachable_time(n->parms) : 0));
	neigh_set_state(n, new);
}

int neigh_update(struct neighbour *n, const u8 *lladdr, u8 new, u32 flags)
{
	u8 old = n->nud_state;
	u64 now = now_jiffies(n->tbl);
	u32 alen = n->dev->addr_len;
	bool changed;

	if (n->dead || (!(flags & NEIGH_UPDATE_F_ADMIN) && old & (NUD_NOARP | NUD_PERMANENT)))
		return -EPERM;
	if (!(new &NUD_VALID))
		return neigh_update_invalid(n, new);
	if (!lladdr && alen && !(old & NUD_VALID))
		return -EINVAL;
	changed = lladdr && alen && (!(old & NUD_VALID) || memcmp(lladdr, n->ha, alen) != 0);
	if (new &NUD_CONNECTED)
		n->confirmed = now;
	if (old & NUD_VALID) {
		if (changed && !(flags & NEIGH_UPDATE_F_OVERRIDE)) {
			if (!(flags & NEIGH_UPDATE_F_WEAK_OVERRIDE) || !(old & NUD_CONNECTED))
				return 0;
			changed = false;
			new = NUD_STALE;
		} else if (!changed && new == NUD_STALE && !(flags & NEIGH_UPDATE_F_ADMIN)) {
			new = old;
		}
	}
	if (new != old || changed)
		n->updated = now;
	if (new != old)
		neigh_enter_state(n, new, now);
	if (changed) {
		memcpy(n->ha, lladdr, alen);
		neigh_update_hh(n);
		if (!(new &NUD_CONNECTED))
			n->confirmed = now - ((u64)n->parms->base_reachable_time_ms << 1);
	}
	if (new == old)
		return 0;
	neigh_update_gc_list(n);
	if (new &NUD_CONNECTED)
		neigh_connect(n);
	else
		neigh_suspect(n);
	if (!(old & NUD_VALID))
		neigh_flush_queue(n);
	return 0;
}

void neigh_confirm(struct neighbour *n)
{
	n->confirmed = now_jiffies(n->tbl);
}

/* ---- output ---- */

/* Only plain Ethernet headers are kept ready. */
static void neigh_hh_init(struct neighbour *n)
{
	struct net_device *dev = n->dev;

	if (n->hh_len || !dev->header_ops || dev->type != ARPHRD_ETHER ||
	    dev->hard_header_len != ETH_HLEN)
		return;
	memcpy(n->hh, n->ha, ETH_ALEN);
	memcpy(n->hh + ETH_ALEN, dev->dev_addr, ETH_ALEN);
	put_be16(n->hh + 12, n->tbl->protocol);
	n->hh_len = ETH_HLEN;
}

static int neigh_xmit_header(struct neighbour *n, struct sk_buff *skb)
{
	skb_pull(skb, (u32)skb_network_offset(skb));
	if (dev_hard_header(skb, n->dev, ntohs(skb->protocol), n->ha, NULL) < 0) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return -EINVAL;
	}
	return dev_queue_xmit(skb);
}

int neigh_resolve_output(struct neighbour *n, struct sk_buff *skb)
{
	if (neigh_event_send(n, skb))
		return 0;
	neigh_hh_init(n);
	return neigh_xmit_header(n, skb);
}

int neigh_connected_output(struct neighbour *n, struct sk_buff *skb)
{
	neigh_hh_init(n);
	return neigh_xmit_header(n, skb);
}

int neigh_direct_output(struct neighbour *n, struct sk_buff *skb)
{
	(void)n;
	return dev_queue_xmit(skb);
}

int neigh_output(struct neighbour *n, struct sk_buff *skb)
{
	if (n->nud_state & NUD_CONNECTED && n->hh_len && skb_headroom(skb) >= n->hh_len &&
	    skb->protocol == htons(n->tbl->protocol)) {
		memcpy(skb_push(skb, n->hh_len), n->hh, ETH_HLEN);
		return dev_queue_xmit(skb);
	}
	return n->output(n, skb);
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
