/* SPDX-License-Identifier: MIT */
/*
 * IPv4's part in super-packets (net/ipv4/af_inet.c): segments get the identifications that follow
 * on, each its length and header checksum; what is above is its protocol's (inet_offloads).
 */
#include "ipv4/ip.h"
#include "ipv4/ip_offload.h"

struct sk_buff *inet_gso_segment(struct sk_buff *skb, u32 features)
{
	const struct inet_protos *protos = skb->net->host->inet_protos;
	const struct net_offload *ops = protos->offloads[ip4_protocol(skb->data)];
	u32 hlen = ip4_ihl(skb->data);
	u16 id = ip4_id(skb->data);
	struct sk_buff *segs;

	if (!ops || !ops->callbacks.gso_segment)
		return NULL;
	skb_pull(skb, hlen);
	segs = ops->callbacks.gso_segment(skb, features);
	skb_push(skb, hlen);
	for (struct sk_buff *seg = segs; seg; seg = seg->next) {
		u8 *iph = skb_network_header(seg);

		ip4_set_id(iph, id++);
		ip4_set_tot_len(iph, seg->len - seg->mac_len);
		ip4_send_check(iph);
	}
	return segs;
}

static const struct packet_offload ip_packet_offload = {
	.type = ETH_P_IP,
	.callbacks = { .gso_segment = inet_gso_segment },
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
