/* SPDX-License-Identifier: MIT */
/*
 * Generic receive offload: frames of one flow that a NAPI poll finds one behind the other become
 * one packet (net/core/gro.c). What may be merged is the protocols' to say
 * (packet_offload.gro_receive); here lie the held packets of each NAPI instance, their ageing and
 * the batches in which packets go up the stack (net.core.gro_normal_batch).
 *
 * Invariants: a held packet has NAPI_GRO_CB(skb)->count frames, the first in itself, the others in
 * its frag_list, in the order of their arrival; bit i of gro_bitmask is set exactly while bucket i
 * holds some; packets of one flow leave in the order in which they came.
 */
#include "core/dev_core.h"
#include "core/skb_path.h"
#include "core/offload.h"
#include "lib/checksum.h"

/* ---- up the stack ---- */

static void gro_normal_list(struct napi_struct *napi)
{
	struct softnet_data *sd = napi->cpu->softnet;
	struct sk_buff *skb = napi->rx_skbs.next, *next;

	napi->rx_count = 0;
	skb_queue_head_init(&napi->rx_skbs);
	for (; skb; skb = next) {
		next = skb->next;
		skb->next = NULL;
		skb->prev = NULL;
		netif_receive_skb_sd(sd, skb);
	}
}

static void gro_normal_one(struct napi_struct *napi, struct sk_buff *skb, u32 segs)
{
	const struct netns_sysctl *ctl = &napi->cpu->host->init_net->sysctl;

	skb_queue_tail(&napi->rx_skbs, skb);
	napi->rx_count += segs;
	if (napi->rx_count >= (u32)ctl->core_gro_normal_batch)
		gro_normal_list(napi);
}

/* A held packet is whole: its headers are made to say so, and it goes up. */
static void gro_complete(struct napi_struct *napi, struct sk_buff *skb)
{
	u32 count = NAPI_GRO_CB(skb)->count;

	if (count == 1)
		skb_shinfo(skb)->gso_size = 0;
	else
		packet_offload_find(napi->cpu->host, skb->protocol)->callbacks.gro_complete(skb, 0);
	gro_normal_one(napi, skb, count);
}

static void bucket_update(struct napi_struct *napi, u32 bucket)
{
	if (skb_queue_empty(&napi->gro_hash[bucket]))
		napi->gro_bitmask &= ~(1u << bucket);
	else
		napi->gro_bitmask |= 1u << bucket;
}

/* The oldest ones are at the end. flush_old: those of this jiffy stay. */
static void gro_flush_chain(struct napi_struct *napi, u32 bucket, bool flush_old)
{
	struct sk_buff_head *q = &napi->gro_hash[bucket];
	u32 now = (u32)jiffies(napi->cpu->host);

	while (!skb_queue_empty(q)) {
		struct sk_buff *skb = q->prev;

		if (flush_old && NAPI_GRO_CB(skb)->age == now)
			break;
		skb_unlink(q, skb);
		gro_complete(napi, skb);
	}
	bucket_update(napi, bucket);
}

void gro_flush_normal(struct napi_struct *napi, bool flush_old)
{
	for (u32 i = 0; napi->gro_bitmask >> i; i++)
		if (napi->gro_bitmask >> i & 1)
			gro_flush_chain(napi, i, flush_old);
	if (napi->rx_count)
		gro_normal_list(napi);
}

void gro_init(struct napi_struct *napi)
{
	for (u32 i = 0; i < GRO_HASH_BUCKETS; i++)
		skb_queue_head_init(&napi->gro_hash[i]);
	skb_queue_head_init(&napi->rx_skbs);
	napi->gro_bitmask = 0;
	napi->rx_count = 0;
}

void gro_purge(struct napi_struct *napi, enum skb_drop_reason reason)
{
	for (u32 i = 0; i < GRO_HASH_BUCKETS; i++)
		skb_queue_purge_reason(&napi->gro_hash[i], reason);
	skb_queue_purge_reason(&napi->rx_skbs, reason);
	napi->gro_bitmask = 0;
	napi->rx_count = 0;
}

/* ---- merging ---- */

int skb_gro_receive(struct sk_buff *p, struct sk_buff *skb)
{
	struct napi_gro_cb *pcb = NAPI_GRO_CB(p), *cb = NAPI_GRO_CB(skb);
	u32 offset = cb->data_offset, len = skb_gro_len(skb);

	/* The length field of IPv4 ends it, too. */
	if (p->len + len >= p->dev->gro_max_size || cb->flush || skb_is_nonlinear(skb))
		return -E2BIG;
	skb_pull(skb, offset);
	if (pcb->last == p)
		skb_shinfo(p)->frag_list = skb;
	else
		pcb->last->next = skb;
	pcb->last = skb;
	skb->prev = NULL;
	skb->next = NULL;
	gro_charge(p, skb->truesize);
	p->data_len += len;
	p->len += len;
	pcb->count += cb->count;
	cb->same_flow = 1;
	return 0;
}

bool skb_gro_checksum_validate(struct sk_buff *skb, u32 psum)
{
	u32 sum;

	if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		return true;
	if (skb->ip_summed != CHECKSUM_NONE)
		return false;
	sum = skb_checksum(skb, NAPI_GRO_CB(skb)->data_offset, skb_gro_len(skb), psum);
	if (csum_fold(sum))
		return false;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return true;
}

/* Nearly all have 14 bytes. */
static inline bool same_link_header(const u8 *a, const u8 *b, u32 len)
{
	return len == ETH_HLEN ? same_eth_header(a, b) : !memcmp(a, b, len);
}

/* Which held packets have the same link header and hash: they may be of the same flow. */
static void gro_list_prepare(const struct sk_buff_head *held, const struct sk_buff *skb)
{
	u32 maclen = skb->mac_len;

	for (struct sk_buff *p = held->next; p; p = p->next)
		NAPI_GRO_CB(p)->same_flow =
			p->hash == skb->hash && p->dev == skb->dev &&
			p->protocol == skb->protocol && p->vlan_present == skb->vlan_present &&
			p->vlan_tci == skb->vlan_tci && p->mac_len == maclen &&
			same_link_header(skb_mac_header(p), skb_mac_header(skb), maclen);
}

enum gro_result { GRO_MERGED, GRO_HELD, GRO_NORMAL };

static void cb_init(struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);

	*cb = (struct napi_gro_cb){ .count = 1 };
	if (!skb_is_gso(skb))
		return;
	/* The device has merged frames already (LRO): believed for TCP. */
	cb->count = skb_shinfo(skb)->gso_segs;
	if (!(skb_shinfo(skb)->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)))
		cb->flush = 1;
}

/* Holds skb as the newest of its bucket; a full one gives up its oldest. */
static void gro_hold(struct napi_struct *napi, struct sk_buff_head *held, struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);

	if (held->qlen >= MAX_GRO_SKBS) {
		struct sk_buff *oldest = held->prev;

		skb_unlink(held, oldest);
		gro_complete(napi, oldest);
	}
	cb->age = (u32)jiffies(napi->cpu->host);
	cb->last = skb;
	if (!skb_is_gso(skb))
		skb_shinfo(skb)->gso_size = (u16)skb_gro_len(skb);
	skb_queue_head(held, skb);
}

static enum gro_result dev_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	const struct packet_offload *po = packet_offload_find(napi->cpu->host, skb->protocol);
	u32 bucket = skb->hash & (GRO_HASH_BUCKETS - 1);
	struct sk_buff_head *held = &napi->gro_hash[bucket];
	struct sk_buff *pp;
	enum gro_result ret = GRO_MERGED;
	bool same_flow;

	if (!po || !po->callbacks.gro_receive || skb_is_nonlinear(skb))
		return GRO_NORMAL;
	skb_reset_network_header(skb);
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
	cb_init(skb);
	gro_list_prepare(held, skb);
	pp = po->callbacks.gro_receive(held, skb);
	/* Merged, it goes with pp, and may be no more when gro_complete() returns. */
	same_flow = NAPI_GRO_CB(skb)->same_flow;
	if (pp) {
		skb_unlink(held, pp);
		gro_complete(napi, pp);
	}
	if (!same_flow) {
		ret = NAPI_GRO_CB(skb)->flush ? GRO_NORMAL : GRO_HELD;
		if (ret == GRO_HELD)
			gro_hold(napi, held, skb);
	}
	if (pp || ret == GRO_HELD)
		bucket_update(napi, bucket);
	return ret;
}

int napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	skb_path(skb, SKB_PATH_NAPI_GRO_RECEIVE);
	cpu_cost_rx(napi->cpu, skb->len);
	if (!(skb->dev->features & NETIF_F_GRO))
		return netif_receive_skb_sd(napi->cpu->softnet, skb);
	if (dev_gro_receive(napi, skb) == GRO_NORMAL)
		gro_normal_one(napi, skb, 1);
	return NET_RX_SUCCESS;
}
