/* SPDX-License-Identifier: MIT */
/*
 * IPv6's part in super-packets (net/ipv6/ip6_offload.c): segments get their payload lengths; what
 * is above is its protocol's. Packets of ours have no extension headers.
 */
#include "core/offload.h"
#include "ipv6/ipv6.h"
#include "stack/errno.h"

static struct sk_buff *ipv6_gso_segment(struct sk_buff *skb, u32 features)
{
	const struct inet6_protos *protos = skb->net->host->inet6_protos;
	const struct net_offload *ops = protos->offloads[skb->data[6]];
	struct sk_buff *segs;

	if (!ops || !ops->callbacks.gso_segment)
		return NULL;
	skb_pull(skb, IP6_HLEN);
	segs = ops->callbacks.gso_segment(skb, features);
	skb_push(skb, IP6_HLEN);
	for (struct sk_buff *seg = segs; seg; seg = seg->next)
		put_be16(skb_network_header(seg) + 4, (u16)(seg->len - seg->mac_len - IP6_HLEN));
	return segs;
}

static const struct packet_offload ipv6_packet_offload = {
	.type = ETH_P_IPV6,
	.callbacks = { .gso_segment = ipv6_gso_segment },
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
