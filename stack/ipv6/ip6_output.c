/* SPDX-License-Identifier: MIT */
/*
 * IPv6 output (net/ipv6/ip6_output.c): ip6_xmit puts the header in front of a transport's packet
 * and gives it to its route; ip6_output hands it to the device. Devices without neighbours (tun,
 * lo) take it as it is; on others there is no neighbour discovery yet, and the packet ends there.
 *
 * Invariant: what leaves has a hop limit, a payload length that is true, and fits the path MTU or
 * is left to GSO.
 */
#include "ipv6/ip6_route.h"
#include "ipv6/ipv6.h"
#include "netfilter/nf_hooks.h"
#include "stack/errno.h"

static void store_addr(u8 *p, const struct inet_addr *a)
{
	for (u32 i = 0; i < 4; i++)
		store_be32(p + 4 * i, a->w[i]);
}

static int ip6_local_out_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dst_output(net, sk, skb);
}

int ip6_xmit(struct net *net, struct sock *sk, struct sk_buff *skb, const struct ip6_xmit_args *a)
{
	struct ip6_hdr h = { .tclass = a->tclass,
			     .flow = a->flowlabel & 0xfffff,
			     .payload_len = (u16)skb->len,
			     .nexthdr = a->protocol,
			     .hop_limit = (u8)(a->hop_limit < 0 ? IPV6_DEFAULT_HOPLIMIT :
								  a->hop_limit) };

	/* RFC 2675 is not spoken: a super-segment of more tells its length by GSO. */
	if (skb->len > 65535)
		h.payload_len = 0;
	store_addr(h.saddr, a->saddr);
	store_addr(h.daddr, a->daddr);
	skb_push(skb, IP6_HLEN);
	skb_reset_network_header(skb);
	ip6_build(skb->data, &h);
	skb->protocol = htons(ETH_P_IPV6);
	MIB_INC(net, Ip6OutRequests);
	skb->ip_way = IP_WAY_OUT;
	return NF_HOOK(AF_INET6, NF_INET_LOCAL_OUT, net, sk, skb, NULL, skb->dst->dev,
		       ip6_local_out_finish);
}

static int ip6_finish_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;

	(void)sk;
	if (skb->len > dst_mtu(skb->dst) && !skb_shinfo(skb)->gso_size) {
		MIB_INC(net, Ip6FragFails);
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_BIG);
		return -EMSGSIZE;
	}
	if (dev->header_ops && !(dev->flags & (IFF_NOARP | IFF_LOOPBACK))) {
		MIB_INC(net, Ip6OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL);
		return -EHOSTUNREACH;
	}
	MIB_INC(net, Ip6OutTransmits);
	skb->ip_way = IP_WAY_NONE;
	MIB_ADD(net, Ip6OutOctets, skb->len);
	if (dev->header_ops &&
	    dev_hard_header(skb, dev, ETH_P_IPV6, dev->dev_addr, dev->dev_addr) < 0) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NEIGH_CREATEFAIL);
		return -EINVAL;
	}
	return dev_queue_xmit(skb);
}

int ip6_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct net_device *in = skb->dev, *dev = skb->dst->dev;

	skb->dev = dev;
	skb->protocol = htons(ETH_P_IPV6);
	return NF_HOOK(AF_INET6, NF_INET_POST_ROUTING, net, sk, skb, in, dev, ip6_finish_output);
}
