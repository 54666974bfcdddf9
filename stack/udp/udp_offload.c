/* SPDX-License-Identifier: MIT */
/*
 * UDP's part in super-packets over IPv4 (net/ipv4/udp_offload.c). Out: a datagram that was sent
 * with UDP_SEGMENT is cut into datagrams of gso_size bytes each. In: datagrams of one flow and of
 * one length, the last one perhaps shorter, become one, for sockets with UDP_GRO, for what is
 * forwarded (rx-udp-gro-forwarding), or as a mere list that comes apart unchanged (rx-gro-list).
 *
 * Invariant: datagrams without a checksum, or with bytes behind them, are never merged: they could
 * not be cut again as they were.
 */
#include "core/errqueue.h"
#include "core/offload.h"
#include "ipv4/ip.h"
#include "ipv4/protocol.h"
#include "lib/checksum.h"
#include "udp/udp_sock.h"
#include "wire/udp.h"

/* Datagrams of one packet (UDP_GRO_CNT_MAX). */
#define UDP_GRO_CNT_MAX 64u

/* ---- out ---- */

static void udp_seg_check(struct sk_buff *seg, u32 whole_len)
{
	u8 *uh = skb_transport_header(seg);
	u32 len = seg->len - (u32)(uh - seg->data);
	u32 psum = gso_pseudo_for_len(udp_check(uh), whole_len, len);
	be16 check;

	put_be16(uh + 4, (u16)len);
	if (seg->ip_summed == CHECKSUM_PARTIAL) {
		store_be16(uh + 6, csum_fold_raw(psum));
		return;
	}
	store_be16(uh + 6, 0);
	check = csum_fold(csum_add(psum, csum_partial(uh, UDP_HLEN, seg->csum)));
	store_be16(uh + 6, check ? check : CSUM_MANGLED_0);
}

/* A list that comes apart. What was pulled together since is cut like any other. */
static struct sk_buff *udp_gso_segment_list(struct sk_buff *skb)
{
	struct sk_buff *segs = skb_segment_list(skb);

	for (struct sk_buff *seg = segs; seg; seg = seg->next) {
		u8 *uh = skb_transport_header(seg);

		put_be16(uh + 4, (u16)(seg->len - (u32)(uh - seg->data)));
	}
	return segs;
}

static void udp_hwcsum(struct sk_buff *skb)
{
	const u8 *iph = ip_hdr(skb);

	store_be16(skb_transport_header(skb) + 6,
		   csum_fold_raw(csum_tcpudp_nofold(ip4_saddr(iph), ip4_daddr(iph), skb->len,
						    IPPROTO_UDP, 0)));
	skb->csum_start = skb->transport_header;
	skb->csum_offset = 6;
	skb->ip_summed = CHECKSUM_PARTIAL;
}

static struct sk_buff *udp_gso_segment(struct sk_buff *skb, u32 features)
{
	u32 whole_len = skb->len;
	struct sock *sk = skb->destructor == sock_wfree ? skb->sk : NULL;
	struct sk_buff *segs;
	bool list;

	if (!pskb_may_pull(skb, UDP_HLEN) || skb->len <= UDP_HLEN + skb_shinfo(skb)->gso_size)
		return NULL;
	list = skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST;
	skb_pull(skb, UDP_HLEN);
	if (list && skb_is_list(skb)) {
		segs = udp_gso_segment_list(skb);
		skb_push(skb, UDP_HLEN);
		return segs;
	}
	skb_push(skb, UDP_HLEN);
	if (list)
		udp_hwcsum(skb);
	skb_pull(skb, UDP_HLEN);
	segs = skb_segment(skb, features);
	skb_push(skb, UDP_HLEN);
	if (segs && skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP) {
		skb_shinfo(segs)->tx_flags |= skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP;
		skb_shinfo(segs)->tskey = skb_shinfo(skb)->tskey;
	}
	for (struct sk_buff *seg = segs; seg; seg = seg->next) {
		udp_seg_check(seg, whole_len);
		if (sk)
			skb_set_owner_w(seg, sk);
	}
	return segs;
}

/* ---- in ---- */

/* The held packet between the same ports; the others are told that they are not. */
static struct sk_buff *udp_gro_lookup(const struct sk_buff_head *held, const u8 *uh)
{
	for (struct sk_buff *p = held->next; p; p = p->next) {
		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		if (load_be32(skb_transport_header(p)) == load_be32(uh))
			return p;
		NAPI_GRO_CB(p)->same_flow = 0;
	}
	return NULL;
}

static struct sk_buff *udp_gro_receive_segment(struct sk_buff_head *held, struct sk_buff *skb,
					       const u8 *uh)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	u32 ulen = udp_len(uh), first;
	struct sk_buff *p;

	if (!udp_check(uh) || ulen <= UDP_HLEN || ulen != skb_gro_len(skb)) {
		cb->flush = 1;
		return NULL;
	}
	skb_gro_pull(skb, UDP_HLEN);
	p = udp_gro_lookup(held, uh);
	if (!p)
		return NULL;
	if (cb->is_flist != NAPI_GRO_CB(p)->is_flist) {
		cb->flush = 1;
		return p;
	}
	first = udp_len(skb_transport_header(p));
	/* A longer one begins the next packet, a shorter one ends this one. */
	if (ulen > first || gro_receive_network_flush(skb, p) || skb_gro_receive(p, skb) ||
	    ulen != first || NAPI_GRO_CB(p)->count >= UDP_GRO_CNT_MAX)
		return p;
	return NULL;
}

/* Is the datagram to be merged at all? Only where somebody can make use of it. */
static bool udp_gro_wanted(struct sk_buff *skb, const u8 *uh)
{
	const u8 *iph = ip_hdr(skb);
	u32 features = skb->dev->features;
	const struct sock *sk = NULL;
	bool enabled;

	if (udp_gro_needed(skb->net->host))
		sk = __udp4_lib_lookup(skb->net, ip4_saddr(iph), udp_source(uh), ip4_daddr(iph),
				       udp_dest(uh), skb->dev->ifindex);
	enabled = sk && udp_sk_gro_enabled(sk);
	NAPI_GRO_CB(skb)->is_flist = (features & NETIF_F_GRO_FRAGLIST) && !enabled;
	return enabled || (!sk && features & NETIF_F_GRO_UDP_FWD) || NAPI_GRO_CB(skb)->is_flist;
}

static struct sk_buff *udp4_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	const u8 *iph = ip_hdr(skb), *uh = skb_gro_header(skb, UDP_HLEN);

	if (!uh)
		goto flush;
	/* What can not be merged is checked later; a sum of zero is none (RFC 768). */
	if (!NAPI_GRO_CB(skb)->flush && udp_check(uh) &&
	    !skb_gro_checksum_validate(skb, csum_tcpudp_nofold(ip4_saddr(iph), ip4_daddr(iph),
							       skb_gro_len(skb), IPPROTO_UDP, 0)))
		goto flush;
	if (udp_gro_wanted(skb, uh))
		return udp_gro_receive_segment(held, skb, uh);
flush:
	NAPI_GRO_CB(skb)->flush = 1;
	return NULL;
}

static void udp4_gro_complete(struct sk_buff *skb, u32 thoff)
{
	const u8 *iph = ip_hdr(skb);
	u8 *uh = skb->data + thoff;
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	shinfo->gso_segs = (u16)NAPI_GRO_CB(skb)->count;
	put_be16(uh + 4, (u16)(skb->len - thoff));
	if (NAPI_GRO_CB(skb)->is_flist) {
		shinfo->gso_type = SKB_GSO_FRAGLIST | SKB_GSO_UDP_L4;
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		return;
	}
	shinfo->gso_type = SKB_GSO_UDP_L4;
	store_be16(uh + 6, csum_fold_raw(csum_tcpudp_nofold(ip4_saddr(iph), ip4_daddr(iph),
							    skb->len - thoff, IPPROTO_UDP, 0)));
	skb->csum_start = skb->transport_header;
	skb->csum_offset = 6;
	skb->ip_summed = CHECKSUM_PARTIAL;
}

/* Until a socket asks for UDP_GRO only devices that merge for others need to look. */
static const struct net_offload udpv4_offload_quiet = {
	.callbacks = { .gso_segment = udp_gso_segment,
		       .gro_receive = udp4_gro_receive,
		       .gro_complete = udp4_gro_complete },
	.gro_features = NETIF_F_GRO_FRAGLIST | NETIF_F_GRO_UDP_FWD,
};
static const struct net_offload udpv4_offload = {
	.callbacks = { .gso_segment = udp_gso_segment,
		       .gro_receive = udp4_gro_receive,
		       .gro_complete = udp4_gro_complete },
};

bool udp_gro_needed(const struct host *h)
{
	return h->inet_protos->offloads[IPPROTO_UDP] == &udpv4_offload;
}

void udp_gro_enable(struct host *h)
{
	h->inet_protos->offloads[IPPROTO_UDP] = &udpv4_offload;
}

int udpv4_offload_init(struct host *h)
{
	return inet_add_offload(h, IPPROTO_UDP, &udpv4_offload_quiet);
}
