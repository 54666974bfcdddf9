/* SPDX-License-Identifier: MIT */
/*
 * IPv6's part in super-packets (net/ipv6/ip6_offload.c). Out: segments get their payload lengths.
 * In: frames with one flow label, hop limit, traffic class and the same extension headers may be
 * one packet. What is above is its protocol's.
 *
 * Extension headers that may stand in such packets: destination options and routing, as in Linux.
 */
#include "core/offload.h"
#include "ipv6/ipv6.h"
#include "stack/errno.h"

#define NEXTHDR_ROUTING 43
#define NEXTHDR_DEST	60

static bool exthdr_ok(u8 nexthdr)
{
	return nexthdr == NEXTHDR_ROUTING || nexthdr == NEXTHDR_DEST;
}

/* Headers from iph on up to the transport's, whose number is *proto. `len`: bytes there are; 0:
 * they are not all there. */
static u32 network_len(const u8 *iph, u32 len, u8 *proto)
{
	u32 at = IP6_HLEN;

	if (len < IP6_HLEN)
		return 0;
	*proto = iph[6];
	while (exthdr_ok(*proto)) {
		if (at + 8 > len || at + (iph[at + 1] + 1u) * 8 > len)
			return 0;
		*proto = iph[at];
		at += (iph[at + 1] + 1u) * 8;
	}
	return at;
}

static struct sk_buff *ipv6_gso_segment(struct sk_buff *skb, u32 features)
{
	u8 proto = 0;
	u32 hlen = network_len(skb->data, skb_headlen(skb), &proto);
	const struct net_offload *ops = skb->net->host->inet6_protos->offloads[proto];
	struct sk_buff *segs;

	if (!hlen || !ops || !ops->callbacks.gso_segment)
		return NULL;
	skb_pull(skb, hlen);
	skb_reset_transport_header(skb);
	segs = ops->callbacks.gso_segment(skb, features);
	skb_push(skb, hlen);
	for (struct sk_buff *seg = segs; seg; seg = seg->next)
		put_be16(skb_network_header(seg) + 4, (u16)(seg->len - seg->mac_len - IP6_HLEN));
	return segs;
}

/* Those of the held that are of other stations, have another flow label or other headers in front
 * of the transport's are not of this flow. Traffic class and hop limit may change within one. */
static void mark_flow(const struct sk_buff_head *held, const u8 *iph, u32 nlen)
{
	for (struct sk_buff *p = held->next; p; p = p->next) {
		const u8 *iph2 = skb_network_header(p);

		if (NAPI_GRO_CB(p)->same_flow &&
		    (((get_be32(iph) ^ get_be32(iph2)) & 0xf00fffff) || iph[6] != iph2[6] ||
		     memcmp(iph + 8, iph2 + 8, 32) != 0 ||
		     (u32)(p->transport_header - p->network_header) != nlen ||
		     memcmp(iph + IP6_HLEN, iph2 + IP6_HLEN, nlen - IP6_HLEN) != 0))
			NAPI_GRO_CB(p)->same_flow = 0;
	}
}

bool ipv6_gro_flush(const struct sk_buff *skb, struct sk_buff *p)
{
	const u8 *iph = skb_network_header(skb), *iph2 = skb_network_header(p);

	return ipv6_tclass(iph) != ipv6_tclass(iph2) || iph[7] != iph2[7];
}

static struct sk_buff *ipv6_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	const u8 *iph = skb_gro_header(skb, IP6_HLEN);
	const struct net_offload *ops = NULL;
	u32 nlen = 0;
	u8 proto = 0;

	if (iph)
		nlen = network_len(iph, skb_headlen(skb), &proto);
	if (nlen)
		ops = skb->net->host->inet6_protos->offloads[proto];
	if (!ops || !ops->callbacks.gro_receive) {
		NAPI_GRO_CB(skb)->flush = 1;
		return NULL;
	}
	mark_flow(held, iph, nlen);
	if (get_be16(iph + 4) + IP6_HLEN != skb_gro_len(skb))
		NAPI_GRO_CB(skb)->flush = 1;
	skb_gro_pull(skb, nlen);
	skb->transport_header = (u16)(skb->network_header + nlen);
	return ops->callbacks.gro_receive(held, skb);
}

static void ipv6_gro_complete(struct sk_buff *skb, u32 nhoff)
{
	u8 *iph = skb->data + nhoff, proto = 0;
	u32 nlen = network_len(iph, skb_headlen(skb) - nhoff, &proto);

	put_be16(iph + 4, (u16)(skb->len - nhoff - IP6_HLEN));
	skb->net->host->inet6_protos->offloads[proto]->callbacks.gro_complete(skb, nhoff + nlen);
}

static const struct packet_offload ipv6_packet_offload = {
	.type = ETH_P_IPV6,
	.callbacks = { .gso_segment = ipv6_gso_segment,
		       .gro_receive = ipv6_gro_receive,
		       .gro_complete = ipv6_gro_complete },
};

int ipv6_offload_init(struct host *h)
{
	return dev_add_offload(h, &ipv6_packet_offload);
}

int inet6_add_offload(struct host *h, u8 protocol, const struct net_offload *ops)
{
	if (h->inet6_protos->offloads[protocol])
		return -EBUSY;
	h->inet6_protos->offloads[protocol] = ops;
	return 0;
}
