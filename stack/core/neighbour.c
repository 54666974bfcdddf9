/* SPDX-License-Identifier: MIT */
/*
 * The neighbour state machine (net/core/neighbour.c): RFC 4861 7.3.2's states with the kernel's
 * timers, for ARP too (RFC 1122 2.3.2.1), and output by what it knows. Entries and their table are
 * neigh_table.c's.
 *
 * Invariant: the timer of an entry is pending exactly in the states of NUD_IN_TIMER; only
 * INCOMPLETE entries have packets queued.
 */
#include "core/neigh_table.h"
#include "core/skb_path.h"
#include "skb/ip_way.h"

#include "stack/errno.h"

#define NEIGH_MIN_TIMER (HZ / 100)

static u64 now_jiffies(const struct neigh_table *tbl)
{
	return jiffies(tbl->host);
}

/* a is at or before b on the wrapping clock. */
static bool time_before_eq(u64 a, u64 b)
{
	return (s64)(a - b) <= 0;
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

struct sk_buff *neigh_dequeue(struct neighbour *n)
{
	struct sk_buff *skb = skb_dequeue(&n->arp_queue);

	if (!skb)
		return NULL;
	n->arp_queue_len_bytes -= skb->truesize;
	ip_way_unhold(skb);
	return skb;
}

static void neigh_invalidate(struct neighbour *n)
{
	struct sk_buff *skb;

	n->tbl->stats.res_failed++;
	n->updated = now_jiffies(n->tbl);
	/* error_report may send and come back here: the state is looked at again each time. */
	n->refcnt++;
	while (n->nud_state == NUD_FAILED && (skb = neigh_dequeue(n)) != NULL)
		n->ops->error_report(n, skb);
	neigh_purge(n, SKB_DROP_REASON_NEIGH_FAILED);
	neigh_release(n);
}

static u64 timer_reachable(struct neighbour *n, u64 now)
{
	u64 delay = n->parms->delay_first_probe_time_ms;

	if (time_before_eq(now, n->confirmed + neigh_reachable_time(n->parms)))
		return n->confirmed + neigh_reachable_time(n->parms);
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
		return n->confirmed + neigh_reachable_time(n->parms);
	}
	neigh_set_state(n, NUD_PROBE);
	n->probes = 0;
	return now + retrans_time(n);
}

void neigh_timer_handler(struct timer *t)
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
		struct sk_buff *old = neigh_dequeue(n);

		if (!old)
			break;
		kfree_skb_reason(old, SKB_DROP_REASON_NEIGH_QUEUEFULL);
		n->tbl->stats.unres_discards++;
	}
	skb_queue_tail(&n->arp_queue, skb);
	ip_way_hold(skb);
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
	while (n->nud_state & NUD_VALID && (skb = neigh_dequeue(n)) != NULL)
		n->output(n, skb);
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
		neigh_add_timer(n, now + (new &NUD_REACHABLE ? neigh_reachable_time(n->parms) : 0));
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

static int neigh_xmit(struct sk_buff *skb)
{
	ip_account_of(skb)->resolved++;
	skb->ip_way = IP_WAY_NONE;
	return dev_queue_xmit(skb);
}

static int neigh_xmit_header(struct neighbour *n, struct sk_buff *skb)
{
	skb_pull(skb, (u32)skb_network_offset(skb));
	if (dev_hard_header(skb, n->dev, ntohs(skb->protocol), n->ha, NULL) < 0) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return -EINVAL;
	}
	return neigh_xmit(skb);
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
	return neigh_xmit(skb);
}

int neigh_output(struct neighbour *n, struct sk_buff *skb)
{
	skb_path(skb, SKB_PATH_NEIGH_OUTPUT);
	if (n->nud_state & NUD_CONNECTED && n->hh_len && skb_headroom(skb) >= n->hh_len &&
	    skb->protocol == htons(n->tbl->protocol)) {
		memcpy(skb_push(skb, n->hh_len), n->hh, ETH_HLEN);
		return neigh_xmit(skb);
	}
	return n->output(n, skb);
}
