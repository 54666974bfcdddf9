/* SPDX-License-Identifier: MIT */
/*
 * The addresses that are answered for somebody else, one by one (`ip neigh add proxy`:
 * pneigh_lookup).
 *
 * Requests that are answered for somebody else wait a while (net/core/neighbour.c: pneigh_enqueue,
 * neigh_proxy_process): the one who is asked for, should he be there after all, comes first
 * (RFC 4861 7.2.8 asks for it; proxy ARP does the same). When its time has come the protocol gets
 * the packet again (neigh_table.proxy_redo) and answers.
 *
 * Invariants: the timer is armed while a packet waits; parms->proxy_queued is the number of packets
 * of a device that do.
 */
#include "core/neighbour.h"

#include "core/netdevice.h"
#include "kernel/random.h"

/* ---- for whom ---- */

static struct pneigh_entry *pneigh_find(const struct neigh_table *tbl, const void *key,
					const struct net_device *dev)
{
	list_for_each(pos, &tbl->proxies) {
		struct pneigh_entry *p = list_entry(pos, struct pneigh_entry, list);

		if (p->dev == dev && memcmp(p->key, key, tbl->key_len) == 0)
			return p;
	}
	return NULL;
}

bool pneigh_lookup(const struct neigh_table *tbl, const void *key, const struct net_device *dev)
{
	return pneigh_find(tbl, key, dev) != NULL;
}

int pneigh_create(struct neigh_table *tbl, const void *key, struct net_device *dev)
{
	struct pneigh_entry *p;

	if (pneigh_find(tbl, key, dev))
		return 0;
	p = mem_zalloc(tbl->host->world, MEM_PNEIGH, sizeof(*p));
	if (!p)
		return -ENOBUFS;
	memcpy(p->key, key, tbl->key_len);
	p->dev = dev;
	dev_hold(dev);
	list_add_tail(&p->list, &tbl->proxies);
	return 0;
}

static void pneigh_free(struct neigh_table *tbl, struct pneigh_entry *p)
{
	list_del_init(&p->list);
	dev_put(p->dev);
	mem_free(tbl->host->world, MEM_PNEIGH, p, sizeof(*p));
}

int pneigh_delete(struct neigh_table *tbl, const void *key, const struct net_device *dev)
{
	struct pneigh_entry *p = pneigh_find(tbl, key, dev);

	if (!p)
		return -ENOENT;
	pneigh_free(tbl, p);
	return 0;
}

void pneigh_ifdown(struct neigh_table *tbl, const struct net_device *dev)
{
	list_for_each_safe(pos, tmp, &tbl->proxies) {
		struct pneigh_entry *p = list_entry(pos, struct pneigh_entry, list);

		if (!dev || p->dev == dev)
			pneigh_free(tbl, p);
	}
}

/* ---- when ---- */

static struct neigh_cb *neigh_cb_of(struct sk_buff *skb)
{
	return (struct neigh_cb *)(void *)skb->cb;
}

void pneigh_enqueue(struct neigh_table *tbl, struct neigh_parms *p, struct sk_buff *skb)
{
	u64 when = jiffies(tbl->host) +
		   get_random_u32_below(tbl->host->world, RANDOM_NEIGH, p->proxy_delay_ms);

	if (p->proxy_queued > p->proxy_qlen) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_QUEUEFULL);
		return;
	}
	*neigh_cb_of(skb) = (struct neigh_cb){ .sched_next = when, .parms = p };
	skb_dst_drop(skb);
	skb_queue_tail(&tbl->proxy_queue, skb);
	p->proxy_queued++;
	if (!timer_pending(&tbl->proxy_timer) || when < tbl->proxy_next) {
		tbl->proxy_next = when;
		mod_timer(&tbl->proxy_timer, when);
	}
}

void neigh_proxy_process(struct timer *t)
{
	struct neigh_table *tbl = container_of(t, struct neigh_table, proxy_timer);
	u64 now = jiffies(tbl->host), next = UINT64_MAX;

	for (u32 left = tbl->proxy_queue.qlen; left; left--) {
		struct sk_buff *skb = skb_dequeue(&tbl->proxy_queue);
		u64 when = neigh_cb_of(skb)->sched_next;

		if (when > now) {
			skb_queue_tail(&tbl->proxy_queue, skb);
			next = when < next ? when : next;
			continue;
		}
		neigh_cb_of(skb)->parms->proxy_queued--;
		if (tbl->proxy_redo && skb->dev->flags & IFF_UP)
			tbl->proxy_redo(skb);
		else
			kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
	}
	if (next == UINT64_MAX)
		return;
	tbl->proxy_next = next;
	mod_timer(&tbl->proxy_timer, next);
}

void pneigh_queue_purge(struct neigh_table *tbl, const struct net_device *dev)
{
	for (u32 left = tbl->proxy_queue.qlen; left; left--) {
		struct sk_buff *skb = skb_dequeue(&tbl->proxy_queue);

		if (dev && skb->dev != dev) {
			skb_queue_tail(&tbl->proxy_queue, skb);
			continue;
		}
		neigh_cb_of(skb)->parms->proxy_queued--;
		kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
	}
	if (skb_queue_empty(&tbl->proxy_queue))
		del_timer(&tbl->proxy_timer);
}
