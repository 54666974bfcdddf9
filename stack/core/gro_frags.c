/* SPDX-License-Identifier: MIT */
/*
 * GRO without an sk_buff for each frame (napi_gro_frags(), the first branch of skb_gro_receive()):
 * a frame that does no more than go on with the packet held last has its payload hung into that
 * packet's frags, and its buffer needs no head of its own. A driver asks here before it makes an
 * sk_buff; whatever is not as plain as that goes the way of all packets (gro.c), with the same
 * result.
 *
 * Invariants: of a packet that was merged with and without sk_buffs, bytes, truesize and the
 * numbers of the packets that follow are the same; frames are taken only where nobody is shown
 * each packet, and where no allocation can be refused but for want of memory.
 */
#include "core/dev_core.h"
#include "core/offload.h"

bool napi_gro_frags_wanted(const struct napi_struct *napi)
{
	const struct world *w = napi->dev->world;

	return napi->dev->features & NETIF_F_GRO && !w->trace_wanted && !w->mem.limit &&
	       !w->fault.armed;
}

/* The packet that the frame may go on with: the newest of its bucket, with the same link header. */
static struct sk_buff *frag_held(const struct napi_struct *napi, const struct gro_frag *f)
{
	struct sk_buff *p = skb_peek(&napi->gro_hash[f->hash & (GRO_HASH_BUCKETS - 1)]);

	if (!p || !NAPI_GRO_CB(p)->continues || p->hash != f->hash || p->vlan_present ||
	    p->mac_len != ETH_HLEN || !same_eth_header(skb_mac_header(p), f->head + f->offset))
		return NULL;
	return p;
}

/* Of `len` bytes at `offset`. The page's head lies at the start of the buffer, where nothing else
 * does. */
static void add_frag(struct sk_buff *skb, const struct gro_frag *f, u32 offset, u32 len)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	shinfo->frags[shinfo->nr_frags++] = (struct skb_frag){
		.page = skb_page_of_area(f->head, f->size),
		.offset = offset,
		.len = len,
	};
	skb->data_len += len;
	skb->len += len;
}

bool napi_gro_frag(struct napi_struct *napi, const struct gro_frag *f)
{
	struct sk_buff *p = frag_held(napi, f), *last;
	struct napi_gro_cb *cb;
	u32 hdrs, len;

	if (!p)
		return false;
	cb = NAPI_GRO_CB(p);
	last = cb->last;
	hdrs = ETH_HLEN + cb->data_offset;
	if (f->len <= hdrs || skb_shinfo(last)->nr_frags == MAX_SKB_FRAGS || cb->is_flist)
		return false;
	len = f->len - hdrs;
	if (p->len + len >= p->dev->gro_max_size ||
	    !cb->continues(p, f->head + f->offset + ETH_HLEN, f->len - ETH_HLEN, f->csum_ok))
		return false;
	cpu_cost_rx(napi->cpu, f->len - ETH_HLEN);
	add_frag(last, f, f->offset + hdrs, len);
	if (last != p) {
		p->data_len += len;
		p->len += len;
	}
	gro_charge(p, skb_truesize(f->size));
	cb->count++;
	/* The packet that it did not become. */
	p->world->skb_count++;
	p->world->skb_absorbed++;
	return true;
}
