/* SPDX-License-Identifier: MIT */
/*
 * Generic segmentation: a super-packet that the device can not cut is cut in software, last thing
 * before the driver (net/core/gso.c, skb_segment() of net/core/skbuff.c). The bytes are copied, and
 * summed in the same pass when the device does not sum.
 *
 * Invariant: the segments' payloads, one behind the other, are the payload of the whole.
 */
#include "core/dev_core.h"
#include "core/dst.h"
#include "core/offload.h"
#include "lib/checksum.h"
#include "wire/ip4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

int dev_add_offload(struct host *h, const struct packet_offload *po)
{
	struct ptype_table *t = h->ptypes;

	if (t->offloads == PACKET_OFFLOADS)
		return -ENOMEM;
	t->offload[t->offloads++] = po;
	return 0;
}

const struct packet_offload *packet_offload_find(const struct host *h, be16 protocol)
{
	const struct ptype_table *t = h->ptypes;

	for (u32 i = 0; i < t->offloads; i++)
		if (htons(t->offload[i]->type) == protocol)
			return t->offload[i];
	return NULL;
}

/* net_gso_ok(): the feature that a device needs for packets of this type. */
static u32 gso_feature(u32 type)
{
	if (type & SKB_GSO_FRAGLIST)
		return 0; /* no device of ours */
	if (type & SKB_GSO_TCP_ACCECN)
		return NETIF_F_GSO_ACCECN;
	if (type & SKB_GSO_TCPV6)
		return NETIF_F_TSO6;
	return type & SKB_GSO_UDP_L4 ? NETIF_F_GSO_UDP_L4 : NETIF_F_TSO;
}

bool skb_gather_ok(const struct sk_buff *skb, u32 features)
{
	struct skb_piece pieces[SKB_PIECES_MAX];

	if (!skb_is_nonlinear(skb))
		return true;
	if (!(features & NETIF_F_SG))
		return false;
	return features & NETIF_F_FRAGLIST || skb_to_pieces(skb, pieces) != 0;
}

bool netif_needs_gso(const struct sk_buff *skb, u32 features)
{
	u32 type = skb_shinfo(skb)->gso_type;

	if (!skb_is_gso(skb))
		return false;
	if (!skb_gather_ok(skb, features))
		return true;
	return !(features & gso_feature(type)) || skb->ip_summed != CHECKSUM_PARTIAL ||
	       type & SKB_GSO_TCP_FIXEDID;
}

u32 gso_pseudo_for_len(be16 check, u32 from, u32 to)
{
	u8 words[4];

	put_be16(words, (u16)~from);
	put_be16(words + 2, (u16)to);
	return csum_partial(words, 4, (u16)check);
}

struct sk_buff *skb_gso_segment(struct sk_buff *skb, u32 features)
{
	const struct packet_offload *po = packet_offload_find(skb->net->host, skb->protocol);
	struct sk_buff *segs;

	if (!po)
		return NULL;
	skb_reset_mac_header(skb);
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
	skb_pull(skb, skb->mac_len);
	segs = po->callbacks.gso_segment(skb, features);
	/* Pulling may have given it a new buffer. */
	skb_push(skb, (u32)(skb->data - skb_mac_header(skb)));
	return segs;
}

/* Headers that every segment has, from the network header on. */
static u32 gso_network_hdr_len(const struct sk_buff *skb)
{
	return (u32)(skb->transport_header - skb->network_header) +
	       (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4 ? UDP_HLEN :
							     tcp_doff(skb_transport_header(skb)));
}

bool skb_gso_validate_network_len(const struct sk_buff *skb, u32 mtu)
{
	return gso_network_hdr_len(skb) + skb_shinfo(skb)->gso_size <= mtu;
}

/* What a segment has from the whole besides bytes. */
static void segment_head(struct sk_buff *n, const struct sk_buff *skb)
{
	n->dev = skb->dev;
	n->net = skb->net;
	n->protocol = skb->protocol;
	n->pkt_type = skb->pkt_type;
	n->priority = skb->priority;
	n->mark = skb->mark;
	n->queue_mapping = skb->queue_mapping;
	n->hash = skb->hash;
	n->l4_hash = skb->l4_hash;
	n->sw_hash = skb->sw_hash;
	n->skb_iif = skb->skb_iif;
	n->tstamp = skb->tstamp;
	n->ignore_df = skb->ignore_df;
	nf_copy(n, skb);
	n->vlan_present = skb->vlan_present;
	n->vlan_proto = skb->vlan_proto;
	n->vlan_tci = skb->vlan_tci;
	memcpy(n->cb, skb->cb, sizeof(n->cb));
	/* The headers lie at the same places of the new area. */
	n->mac_header = skb->mac_header;
	n->mac_len = skb->mac_len;
	n->network_header = skb->network_header;
	n->transport_header = skb->transport_header;
	if (skb->dst) {
		if (!skb->dst_noref)
			dst_hold(skb->dst);
		n->dst = skb->dst;
		n->dst_noref = skb->dst_noref;
	}
}

/* Bytes [offset, offset + len) of the payload behind hdr_len bytes of headers; data of skb is at
 * the MAC header. */
static struct sk_buff *segment_one(const struct sk_buff *skb, u32 hdr_len, u32 offset, u32 len,
				   bool hw_csum)
{
	u32 headroom = skb_headroom(skb);
	struct sk_buff *n = alloc_skb(skb->world, headroom + hdr_len + len);
	bool whole;

	if (!n)
		return NULL;
	skb_reserve(n, headroom);
	memcpy(skb_put(n, hdr_len), skb->data, hdr_len);
	segment_head(n, skb);
	if (hw_csum) {
		whole = skb_copy_bits(skb, hdr_len + offset, skb_put(n, len), len);
		n->ip_summed = CHECKSUM_PARTIAL;
		n->csum_start = skb->csum_start;
		n->csum_offset = skb->csum_offset;
	} else {
		n->csum = 0;
		whole = skb_copy_and_csum_bits(skb, hdr_len + offset, skb_put(n, len), len,
					       &n->csum);
		n->ip_summed = CHECKSUM_NONE;
	}
	ASSERT(whole);
	return n;
}

struct sk_buff *skb_segment(struct sk_buff *skb, u32 features)
{
	u32 hdr_len = (u32)(skb->data - skb_mac_header(skb)), payload = skb->len;
	u32 mss = skb_shinfo(skb)->gso_size;
	struct sk_buff *first = NULL, **link = &first;

	skb_push(skb, hdr_len);
	for (u32 offset = 0; offset < payload; offset += mss) {
		*link = segment_one(skb, hdr_len, offset, min_u32(mss, payload - offset),
				    features & NETIF_F_HW_CSUM);
		if (!*link) {
			kfree_skb_list_reason(first, SKB_DROP_REASON_NOMEM);
			first = NULL;
			break;
		}
		link = &(*link)->next;
	}
	skb_pull(skb, hdr_len);
	return first;
}

/* ---- lists of packets ---- */

/* A packet of the list: own headers and payload from `from`, data behind `hdr_len` bytes of them;
 * the router's work on the first one's header (TTL, TOS) is done on it, too. */
static struct sk_buff *list_one(const struct sk_buff *skb, const u8 *from, u32 len)
{
	u32 headroom = (u32)(skb_mac_header(skb) - skb->head);
	struct sk_buff *n = alloc_skb(skb->world, headroom + skb->mac_len + len);
	u8 *iph;

	if (!n)
		return NULL;
	skb_reserve(n, headroom);
	memcpy(skb_put(n, skb->mac_len), skb_mac_header(skb), skb->mac_len);
	iph = skb_put(n, len);
	memcpy(iph, from, len);
	segment_head(n, skb);
	n->ip_summed = CHECKSUM_UNNECESSARY;
	ip4_set_tos(iph, ip4_tos(skb_network_header(skb)));
	ip4_set_ttl(iph, ip4_ttl(skb_network_header(skb)));
	return n;
}

bool skb_is_list(const struct sk_buff *skb)
{
	u32 hdr_len = (u32)(skb->data - skb_network_header(skb)), n = 1;

	for (const struct sk_buff *f = skb_shinfo(skb)->frag_list; f; f = f->next, n++)
		if (f->network_header == 0xffff || skb_is_nonlinear(f) ||
		    (u32)(f->data - skb_network_header(f)) != hdr_len)
			return false;
	return n == skb_shinfo(skb)->gso_segs && skb_headlen(skb) == skb_shinfo(skb)->gso_size;
}

struct sk_buff *skb_segment_list(const struct sk_buff *skb)
{
	const u8 *iph = skb_network_header(skb);
	u32 hdr_len = (u32)(skb->data - iph);
	struct sk_buff *first = list_one(skb, iph, hdr_len + skb_headlen(skb));
	struct sk_buff **link = first ? &first->next : NULL;

	for (const struct sk_buff *f = skb_shinfo(skb)->frag_list; link && f; f = f->next) {
		*link = list_one(skb, skb_network_header(f), hdr_len + f->len);
		link = *link ? &(*link)->next : NULL;
	}
	if (link)
		return first;
	kfree_skb_list_reason(first, SKB_DROP_REASON_NOMEM);
	return NULL;
}
