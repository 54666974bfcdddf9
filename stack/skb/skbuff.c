/* SPDX-License-Identifier: MIT */
/*
 * Birth, sharing and end of sk_buffs (skbuff.h). The data area is one block: `size` usable bytes,
 * then skb_shared_info. Its bytes are never zeroed.
 *
 * With AddressSanitizer the bytes between tail and end stay poisoned, so that a read past the end
 * of a packet is reported; skb_put() opens them.
 */
#include "skb/skbuff.h"

#include "kernel/trace.h"
#include "lib/poison.h"
#include "skb/ip_way.h"

/* The block of an area for `size` bytes. */
static inline size_t skb_area_size(u32 size)
{
	return skb_data_align(size) + sizeof(struct skb_shared_info);
}

u8 *skb_data_alloc(struct world *w, u32 size)
{
	return mem_alloc_n(w, MEM_SKB_DATA, 1, skb_area_size(size));
}

u32 skb_data_alloc_bulk(struct world *w, u32 size, u8 **heads, u32 count)
{
	return mem_alloc_bulk(w, MEM_SKB_DATA, 1, skb_area_size(size), heads, count);
}

void skb_data_free(struct world *w, u8 *head, u32 size)
{
	/* Bytes never put are poisoned; the allocator looks at the first to find a double free. */
	unpoison_range(head, skb_data_align(size));
	mem_free_n(w, MEM_SKB_DATA, head, 1, skb_area_size(size));
}

/* In pieces that the compiler makes wide stores of: as one it is a string instruction that takes
 * three times as long. */
static inline void skb_zero(struct sk_buff *skb)
{
	u8 *p = (u8 *)skb;

	_Static_assert(sizeof(*skb) >= 128 && sizeof(*skb) <= 256, "sk_buff in four pieces");
	memset(p, 0, 64);
	memset(p + 64, 0, 64);
	memset(p + sizeof(*skb) - 128, 0, 64);
	memset(p + sizeof(*skb) - 64, 0, 64);
}

static inline void skb_init(struct sk_buff *skb, struct world *w, u8 *head, u32 end, u32 truesize)
{
	struct skb_shared_info *shinfo;

	skb_zero(skb);
	skb->world = w;
	skb->id = ++w->skb_count;
	skb->head = head;
	skb->data = head;
	skb->end = end;
	skb->mac_header = 0xffff;
	skb->network_header = 0xffff;
	skb->transport_header = 0xffff;
	skb->users = 1;
	skb->truesize = truesize;
	poison_range(head, end);
	shinfo = skb_shinfo(skb);
	/* frags[] beyond nr_frags is never read. */
	memset(shinfo, 0, offsetof(struct skb_shared_info, frags));
	shinfo->dataref = 1;
}

struct sk_buff *__build_skb(struct world *w, u8 *head, u32 end, u32 truesize)
{
	struct sk_buff *skb = mem_alloc(w, MEM_SKB, sizeof(*skb));

	if (skb)
		skb_init(skb, w, head, end, truesize);
	return skb;
}

struct sk_buff *alloc_skb(struct world *w, u32 size)
{
	u8 *head = skb_data_alloc(w, size);
	struct sk_buff *skb;

	if (!head)
		return NULL;
	skb = build_skb(w, head, size);
	if (!skb)
		skb_data_free(w, head, size);
	return skb;
}

struct sk_buff *netdev_alloc_skb(struct net_device *dev, struct world *w, u32 size)
{
	struct sk_buff *skb = alloc_skb(w, size + NET_SKB_PAD);

	if (skb) {
		skb_reserve(skb, NET_SKB_PAD);
		skb->dev = dev;
	}
	return skb;
}

void skb_page_put(struct world *w, struct skb_page *page)
{
	if (--page->refs)
		return;
	if (skb_page_is_area(page)) {
		skb_data_free(w, page->bytes, page->size);
		return;
	}
	mem_free_n(w, MEM_SKB_DATA, page->bytes, page->size, 1);
	mem_free_n(w, MEM_SKB_DATA, page, 1, sizeof(*page));
}

/* References to the pages of all frags. Areas of a received packet are of one size, and have no
 * other owner: they go together. */
static void skb_frags_put(struct world *w, const struct skb_shared_info *shinfo)
{
	u8 *areas[MAX_SKB_FRAGS];
	u32 n = 0, size = 0;

	for (u32 i = 0; i < shinfo->nr_frags; i++) {
		struct skb_page *page = shinfo->frags[i].page;

		if (!skb_page_is_area(page) || page->refs != 1 || (n && page->size != size)) {
			skb_page_put(w, page);
			continue;
		}
		size = page->size;
		unpoison_range(page->bytes, skb_data_align(size));
		areas[n++] = page->bytes;
	}
	if (n)
		mem_free_bulk(w, MEM_SKB_DATA, 1, skb_area_size(size), areas, n);
}

/* Gives up this head's share of the data area. */
static void skb_release_data(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct sk_buff *frag, *next;

	if (skb->nohdr)
		shinfo->payload_refs--;
	if (--shinfo->dataref)
		return;
	if (shinfo->nr_frags)
		skb_frags_put(skb->world, shinfo);
	for (frag = shinfo->frag_list; frag; frag = next) {
		next = frag->next;
		skb_part_put(frag);
	}
	if (shinfo->ubuf)
		ubuf_put(shinfo->ubuf);
	skb_data_free(skb->world, skb->head, skb->end);
}

void skb_dst_drop(struct sk_buff *skb)
{
	if (skb->dst && !skb->dst_noref)
		skb->world->up->dst_release(skb->dst);
	skb->dst = NULL;
	skb->dst_noref = 0;
}

static void skb_release_head_state(struct sk_buff *skb)
{
	skb_dst_drop(skb);
	if (skb->nfct)
		nf_reset_ct(skb);
	if (skb->destructor)
		skb->destructor(skb);
	skb->sk = NULL;
	skb->destructor = NULL;
}

static void skb_free(struct sk_buff *skb)
{
	skb_release_head_state(skb);
	skb_release_data(skb);
	mem_free(skb->world, MEM_SKB, skb, sizeof(*skb));
}

/* A reference given up; `end`: what counts it when it was the last. */
static inline void skb_put_ref(struct sk_buff *skb, u64 *end)
{
	ASSERT(skb->users > 0);
	if (--skb->users)
		return;
	++*end;
	skb_free(skb);
}

/* A reference given up without a record: the parts of a packet are not packets. */
void skb_part_put(struct sk_buff *skb)
{
	skb_put_ref(skb, &skb->world->skb_absorbed);
}

static void ip_way_drop(const struct sk_buff *skb, enum skb_drop_reason reason)
{
	ip_account_lost(ip_account_of(skb), skb->ip_way, reason);
}

void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason)
{
	if (!skb)
		return;
	ASSERT(reason < SKB_DROP_REASON_COUNT);
	if (skb->users == 1) {
		if (skb->net)
			skb->net->drops[reason]++;
		else
			skb->world->skb_dropped_alone++;
		if (skb->ip_way)
			ip_way_drop(skb, reason);
		trace(skb->world, skb->net ? skb->net->host : NULL, TRACE_KFREE_SKB, skb->id,
		      reason, ntohs(skb->protocol), skb->len);
	}
	skb_put_ref(skb, &skb->world->skb_dropped);
}

void consume_skb(struct sk_buff *skb)
{
	if (!skb)
		return;
	if (skb->users == 1)
		trace(skb->world, skb->net ? skb->net->host : NULL, TRACE_CONSUME_SKB, skb->id, 0,
		      0, 0);
	skb_put_ref(skb, &skb->world->skb_consumed);
}

static u64 net_drops(const struct net *net)
{
	u64 n = 0;

	for (u32 i = 0; i < SKB_DROP_REASON_COUNT; i++)
		n += net->drops[i];
	return n;
}

void skb_net_exit(const struct net *net)
{
	net_world(net)->skb_dropped_alone += net_drops(net);
}

void skb_check(const struct world *w)
{
	u64 dropped = w->skb_dropped_alone;

	ASSERT(w->skb_count ==
	       w->mem.kind_objects[MEM_SKB] + w->skb_consumed + w->skb_dropped + w->skb_absorbed);
	for (u32 i = 0; i < w->hosts_count; i++)
		list_for_each(pos, &w->hosts[i]->nets)
			dropped += net_drops(list_entry(pos, struct net, list));
	ASSERT(w->skb_dropped == dropped);
}

void kfree_skb_list_reason(struct sk_buff *list, enum skb_drop_reason reason)
{
	while (list) {
		struct sk_buff *next = list->next;

		list->next = NULL;
		kfree_skb_reason(list, reason);
		list = next;
	}
}

/* The head's fields for a second owner of the same packet: all but links, owner and counts. */
static void copy_head(struct sk_buff *to, const struct sk_buff *from)
{
	u64 id = to->id;

	*to = *from;
	to->id = id;
	to->next = NULL;
	to->prev = NULL;
	to->sk = NULL;
	to->destructor = NULL;
	to->users = 1;
	to->cloned = 0;
	to->nohdr = 0;
	to->ip_way = IP_WAY_NONE;
	if (to->dst && !to->dst_noref)
		to->world->up->dst_hold(to->dst);
	if (to->nfct)
		to->world->up->nf_ct_hold(to->nfct);
}

struct sk_buff *skb_clone(struct sk_buff *skb)
{
	struct sk_buff *n = mem_alloc(skb->world, MEM_SKB, sizeof(*n));

	if (!n)
		return NULL;
	n->id = ++skb->world->skb_count;
	copy_head(n, skb);
	n->cloned = 1;
	skb->cloned = 1;
	skb_shinfo(skb)->dataref++;
	return n;
}

/* What the area holds besides bytes, for a private copy of the area. */
static void copy_shinfo(struct skb_shared_info *to, const struct skb_shared_info *from)
{
	to->tx_flags = from->tx_flags;
	to->gso_size = from->gso_size;
	to->gso_segs = from->gso_segs;
	to->gso_type = from->gso_type;
	to->tskey = from->tskey;
	to->hwtstamp = from->hwtstamp;
}

struct sk_buff *skb_copy(const struct sk_buff *skb)
{
	u32 headroom = skb_headroom(skb);
	struct sk_buff *n = alloc_skb(skb->world, headroom + skb->len);
	u8 *head, *data;
	u32 end, tail, truesize;
	bool whole;

	if (!n)
		return NULL;
	skb_reserve(n, headroom);
	skb_put(n, skb->len);
	memcpy(n->head, skb->head, headroom);
	whole = skb_copy_bits(skb, 0, n->data, skb->len);
	ASSERT(whole);
	head = n->head;
	data = n->data;
	end = n->end;
	tail = n->tail;
	truesize = n->truesize;
	copy_head(n, skb);
	n->head = head;
	n->data = data;
	n->end = end;
	n->tail = tail;
	n->truesize = truesize;
	n->data_len = 0;
	copy_shinfo(skb_shinfo(n), skb_shinfo(skb));
	return n;
}

struct sk_buff *skb_share_check(struct sk_buff *skb)
{
	struct sk_buff *n;

	if (!skb_shared(skb))
		return skb;
	n = skb_clone(skb);
	if (n)
		consume_skb(skb);
	else
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
	return n;
}

struct sk_buff *skb_unshare(struct sk_buff *skb)
{
	struct sk_buff *n;

	if (!skb_cloned(skb))
		return skb;
	n = skb_copy(skb);
	if (n)
		consume_skb(skb);
	else
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
	return n;
}

int pskb_expand_head(struct sk_buff *skb, u32 nhead, u32 ntail)
{
	struct skb_shared_info *old = skb_shinfo(skb);
	struct skb_shared_info *shinfo;
	u32 size = skb_data_align(nhead + skb->end + ntail);
	u32 used = skb->tail, headroom = skb_headroom(skb);
	u8 *head;

	ASSERT(!skb_shared(skb));
	head = skb_data_alloc(skb->world, size);
	if (!head)
		return -ENOMEM;
	memcpy(head + nhead, skb->head, used);
	shinfo = (struct skb_shared_info *)(void *)(head + size);
	memset(shinfo, 0, offsetof(struct skb_shared_info, frags));
	shinfo->dataref = 1;
	copy_shinfo(shinfo, old);
	shinfo->nr_frags = old->nr_frags;
	shinfo->frag_list = old->frag_list;
	shinfo->ubuf = old->ubuf;
	if (old->ubuf && old->dataref > 1)
		old->ubuf->refs++;
	for (u32 i = 0; i < old->nr_frags; i++)
		shinfo->frags[i] = old->frags[i];
	if (old->dataref > 1) {
		/* The others keep the old area: what hangs on it has one more owner. */
		for (u32 i = 0; i < old->nr_frags; i++)
			old->frags[i].page->refs++;
		for (struct sk_buff *f = old->frag_list; f; f = f->next)
			skb_get(f);
		old->dataref--;
		if (skb->nohdr)
			old->payload_refs--;
	} else {
		skb_data_free(skb->world, skb->head, skb->end);
	}
	skb->head = head;
	skb->data = head + nhead + headroom;
	skb->tail = nhead + used;
	skb->end = size;
	/* An owner's account has the size that it was charged with. */
	if (!skb->sk && skb_truesize(size) > skb->truesize)
		skb->truesize = skb_truesize(size);
	if (skb->mac_header != 0xffff)
		skb->mac_header = (u16)(skb->mac_header + nhead);
	if (skb->network_header != 0xffff)
		skb->network_header = (u16)(skb->network_header + nhead);
	if (skb->transport_header != 0xffff)
		skb->transport_header = (u16)(skb->transport_header + nhead);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb->csum_start = (u16)(skb->csum_start + nhead);
	skb->cloned = 0;
	skb->nohdr = 0;
	poison_range(skb_tail_pointer(skb), skb->end - skb->tail);
	return 0;
}

int skb_cow_head(struct sk_buff *skb, u32 headroom)
{
	u32 delta = headroom > skb_headroom(skb) ? headroom - skb_headroom(skb) : 0;

	if (!delta && !skb_header_cloned(skb))
		return 0;
	return pskb_expand_head(skb, skb_data_align(delta), 0);
}

void skb_compact(struct sk_buff *skb, u32 headroom)
{
	u8 *to = skb->head + headroom;

	ASSERT(!skb_cloned(skb) && !skb_is_nonlinear(skb));
	if (skb->data <= to)
		return;
	memmove(to, skb->data, skb->len);
	skb->data = to;
	skb->tail = headroom + skb->len;
	skb->mac_header = 0xffff;
	skb->network_header = 0xffff;
	skb->transport_header = 0xffff;
	poison_range(skb_tail_pointer(skb), skb->end - skb->tail);
}

int skb_ensure_writable(struct sk_buff *skb, u32 len)
{
	if (!pskb_may_pull(skb, len))
		return -ENOMEM;
	if (!skb_cloned(skb))
		return 0;
	return pskb_expand_head(skb, 0, 0);
}

void skb_orphan(struct sk_buff *skb)
{
	if (skb->destructor)
		skb->destructor(skb);
	skb->destructor = NULL;
	skb->sk = NULL;
}
