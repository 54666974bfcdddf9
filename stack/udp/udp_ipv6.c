/* SPDX-License-Identifier: MIT */
/*
 * UDP over IPv6, the way in (net/ipv6/udp.c: __udp6_lib_rcv) as far as it goes without sockets:
 * length and checksum are judged, and the datagram is nobody's.
 */
#include "ipv6/ipv6.h"
#include "stack/socket.h"
#include "udp/udp_ipv6.h"
#include "wire/udp.h"

static int udp6_drop(struct net *net, struct sk_buff *skb, enum skb_drop_reason reason)
{
	MIB_INC(net, Udp6InErrors);
	kfree_skb_reason(skb, reason);
	return 0;
}

static int udpv6_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	u32 ulen;

	if (!pskb_may_pull(skb, UDP_HLEN))
		return udp6_drop(net, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	ulen = udp_len(skb->data);
	if (ulen == 0) /* RFC 2675: as long as the packet */
		ulen = skb->len;
	if (ulen > skb->len || ulen < UDP_HLEN || pskb_trim_rcsum(skb, ulen))
		return udp6_drop(net, skb, SKB_DROP_REASON_UDP_LENGTH);
	/* RFC 8200 8.1: unlike over IPv4 there has to be one. */
	if (!udp_check(skb->data)) {
		MIB_INC(net, SeenUdpNoCsums);
		MIB_INC(net, Udp6InCsumErrors);
		return udp6_drop(net, skb, SKB_DROP_REASON_UDP6_NO_CSUM);
	}
	if (!ip6_checksum_complete(skb, IPPROTO_UDP)) {
		MIB_INC(net, Udp6InCsumErrors);
		return udp6_drop(net, skb, SKB_DROP_REASON_UDP_CSUM);
	}
	MIB_INC(net, Udp6NoPorts);
	kfree_skb_reason(skb, SKB_DROP_REASON_NO_SOCKET);
	return 0;
}

static const struct inet6_protocol udpv6_protocol = { .handler = udpv6_rcv };

int udpv6_init(struct host *h)
{
	return inet6_add_protocol(h, IPPROTO_UDP, &udpv6_protocol);
}

void udpv6_exit(struct host *h)
{
	inet6_del_protocol(h, IPPROTO_UDP, &udpv6_protocol);
}
