/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv4 in GRO and GSO: the checksum with its pseudo header, and which packets of IPv4
 * follow one another; all else is tcp_offload.c (net/ipv4/tcp_offload.c: tcp4_gro_receive).
 */
#include "core/offload.h"
#include "ipv4/ip_offload.h"
#include "lib/checksum.h"
#include "tcp/tcp_ipv4.h"
#include "tcp/tcp_offload.h"

static bool tcp4_gro_continues(struct sk_buff *p, const u8 *iph, u32 len, bool csum_ok)
{
	const u8 *th = iph + IP4_HLEN;
	u32 l4_len = len - IP4_HLEN;

	if (len < IP4_HLEN + TCP_HLEN || !tcp_gro_continues(p, th, l4_len) ||
	    (!csum_ok && csum_tcpudp_magic(ip4_saddr(iph), ip4_daddr(iph), l4_len, IPPROTO_TCP,
					   csum_partial(th, l4_len, 0))))
		return false;
	return inet_gro_continues(p, iph, len);
}

static struct sk_buff *tcp4_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	const u8 *iph = ip_hdr(skb);

	/* What can not be merged is checked later. */
	if (!NAPI_GRO_CB(skb)->flush &&
	    !skb_gro_checksum_validate(skb, csum_tcpudp_nofold(ip4_saddr(iph), ip4_daddr(iph),
							       skb_gro_len(skb), IPPROTO_TCP, 0))) {
		NAPI_GRO_CB(skb)->flush = 1;
		return NULL;
	}
	NAPI_GRO_CB(skb)->continues = tcp4_gro_continues;
	return tcp_gro_receive(held, skb, gro_receive_network_flush);
}

static void tcp4_gro_complete(struct sk_buff *skb, u32 thoff)
{
	const u8 *iph = ip_hdr(skb);

	store_be16(skb->data + thoff + 16,
		   csum_fold_raw(csum_tcpudp_nofold(ip4_saddr(iph), ip4_daddr(iph),
						    skb->len - thoff, IPPROTO_TCP, 0)));
	skb_shinfo(skb)->gso_type =
		SKB_GSO_TCPV4 | (NAPI_GRO_CB(skb)->ip_fixedid ? SKB_GSO_TCP_FIXEDID : 0);
	tcp_gro_complete(skb);
}

const struct net_offload tcpv4_offload = {
	.callbacks = { .gso_segment = tcp_gso_segment,
		       .gro_receive = tcp4_gro_receive,
		       .gro_complete = tcp4_gro_complete },
};
