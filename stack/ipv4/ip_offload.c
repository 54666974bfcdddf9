/* SPDX-License-Identifier: MIT */
/*
 * IPv4's part in super-packets (net/ipv4/af_inet.c). Out: segments get the identifications that
 * follow on, each its length and header checksum. In: which frames may be one packet. What is above
 * is its protocol's (inet_offloads).
 */
#include "ipv4/ip.h"
#include "ipv4/ip_offload.h"
#include "lib/checksum.h"

struct sk_buff *inet_gso_segment(struct sk_buff *skb, u32 features)
{
	const struct inet_protos *protos = skb->net->host->inet_protos;
	const struct net_offload *ops = protos->offloads[ip4_protocol(skb->data)];
	u32 hlen = ip4_ihl(skb->data);
	u16 id = ip4_id(skb->data);
	bool fixed = skb_shinfo(skb)->gso_type & SKB_GSO_TCP_FIXEDID;
	struct sk_buff *segs;

	if (!ops || !ops->callbacks.gso_segment)
		return NULL;
	skb_pull(skb, hlen);
	skb_reset_transport_header(skb);
	segs = ops->callbacks.gso_segment(skb, features);
	skb_push(skb, hlen);
	for (struct sk_buff *seg = segs; seg; seg = seg->next) {
		u8 *iph = skb_network_header(seg);

		ip4_set_id(iph, fixed ? id : id++);
		ip4_set_tot_len(iph, seg->len - seg->mac_len);
		ip4_send_check(iph);
	}
	return segs;
}

/* Fields that every frame of a packet must share, beside what same_flow tells. */
static bool inet_gro_flush(const u8 *iph, const u8 *iph2, struct sk_buff *p)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(p);
	bool df = ip4_frag(iph) & IP4_DF;
	u16 offset = (u16)(ip4_id(iph) - ip4_id(iph2));

	if (ip4_ttl(iph) != ip4_ttl(iph2) || ip4_tos(iph) != ip4_tos(iph2) ||
	    df != ((ip4_frag(iph2) & IP4_DF) != 0))
		return true;
	/* RFC 6864 4.1: atomic datagrams need none; the second frame tells which it is. */
	if (cb->count == 1 && df && !offset)
		cb->ip_fixedid = 1;
	return offset != (cb->ip_fixedid ? 0 : (u16)cb->count);
}

bool gro_receive_network_flush(const struct sk_buff *skb, struct sk_buff *p)
{
	return inet_gro_flush(skb_network_header(skb), skb_network_header(p), p);
}

bool inet_gro_continues(struct sk_buff *p, const u8 *iph, u32 len)
{
	const u8 *iph2 = skb_network_header(p);

	return len > IP4_HLEN && iph[0] == 0x45 && !(ip4_frag(iph) & (IP4_MF | IP4_OFFSET)) &&
	       ip4_tot_len(iph) == len && ip4_protocol(iph) == ip4_protocol(iph2) &&
	       ip4_saddr(iph) == ip4_saddr(iph2) && ip4_daddr(iph) == ip4_daddr(iph2) &&
	       !ip_fast_csum(iph, 5) && !inet_gro_flush(iph, iph2, p);
}

/* Those of the held that have other addresses are not of this flow. */
static void mark_flow(const struct sk_buff_head *held, const u8 *iph)
{
	for (struct sk_buff *p = held->next; p; p = p->next) {
		const u8 *iph2 = skb_network_header(p);

		if (NAPI_GRO_CB(p)->same_flow &&
		    (ip4_protocol(iph) != ip4_protocol(iph2) || ip4_saddr(iph) != ip4_saddr(iph2) ||
		     ip4_daddr(iph) != ip4_daddr(iph2)))
			NAPI_GRO_CB(p)->same_flow = 0;
	}
}

struct sk_buff *inet_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	const struct inet_protos *protos = skb->net->host->inet_protos;
	const u8 *iph = skb_gro_header(skb, IP4_HLEN);
	const struct net_offload *ops;

	if (!iph)
		goto flush;
	ops = protos->offloads[ip4_protocol(iph)];
	if (!ops || !ops->callbacks.gro_receive ||
	    (ops->gro_features && !(skb->dev->features & ops->gro_features)))
		goto flush;
	/* Options, fragments and damaged headers are for ip_rcv() to see. */
	if (iph[0] != 0x45 || ip4_frag(iph) & (IP4_MF | IP4_OFFSET) || ip_fast_csum(iph, 5))
		goto flush;
	mark_flow(held, iph);
	if (ip4_tot_len(iph) != skb_gro_len(skb))
		NAPI_GRO_CB(skb)->flush = 1;
	skb_gro_pull(skb, IP4_HLEN);
	skb->transport_header = (u16)(skb->network_header + IP4_HLEN);
	return ops->callbacks.gro_receive(held, skb);
flush:
	NAPI_GRO_CB(skb)->flush = 1;
	return NULL;
}

void inet_gro_complete(struct sk_buff *skb, u32 nhoff)
{
	u8 *iph = skb->data + nhoff;
	const struct net_offload *ops = skb->net->host->inet_protos->offloads[ip4_protocol(iph)];

	ip4_set_tot_len(iph, skb->len - nhoff);
	ip4_send_check(iph);
	ops->callbacks.gro_complete(skb, nhoff + IP4_HLEN);
}

static const struct packet_offload ip_packet_offload = {
	.type = ETH_P_IP,
	.callbacks = { .gso_segment = inet_gso_segment,
		       .gro_receive = inet_gro_receive,
		       .gro_complete = inet_gro_complete },
};

int ip_offload_init(struct host *h)
{
	return dev_add_offload(h, &ip_packet_offload);
}

int inet_add_offload(struct host *h, u8 protocol, const struct net_offload *ops)
{
	if (h->inet_protos->offloads[protocol])
		return -EBUSY;
	h->inet_protos->offloads[protocol] = ops;
	return 0;
}
