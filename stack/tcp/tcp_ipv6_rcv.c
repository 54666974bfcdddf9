/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv6, the way in (net/ipv6/tcp_ipv6.c: tcp_v6_rcv) as far as it goes without sockets:
 * header and checksum are judged, and the segment is nobody's. It is not answered: IPv6 sends
 * nothing.
 */
#include "ipv6/ipv6.h"
#include "stack/socket.h"
#include "tcp/tcp_ipv6.h"
#include "tcp/tcp_observe.h"
#include "wire/tcp.h"

static int tcp6_drop(struct sk_buff *skb, enum skb_drop_reason reason)
{
	kfree_skb_reason(skb, reason);
	return 0;
}

static int tcp6_bad(struct net *net, struct sk_buff *skb, enum skb_drop_reason reason)
{
	MIB_INC(net, TcpInErrs);
	return tcp6_drop(skb, reason);
}

static int tcp_v6_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;

	/* Counted even when it is bad. */
	MIB_INC(net, TcpInSegs);
	if (!pskb_may_pull(skb, TCP_HLEN))
		return tcp6_drop(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	if (tcp_doff(skb->data) < TCP_HLEN)
		return tcp6_bad(net, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	if (!pskb_may_pull(skb, tcp_doff(skb->data)))
		return tcp6_drop(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	if (!ip6_checksum_complete(skb, IPPROTO_TCP)) {
		MIB_INC(net, TcpInCsumErrors);
		return tcp6_bad(net, skb, SKB_DROP_REASON_TCP_CSUM);
	}
	if (skb->dev->anyip)
		tcp_observe(net, skb->data);
	return tcp6_drop(skb, SKB_DROP_REASON_NO_SOCKET);
}

static const struct inet6_protocol tcpv6_protocol = { .handler = tcp_v6_rcv };

int tcpv6_init(struct host *h)
{
	return inet6_add_protocol(h, IPPROTO_TCP, &tcpv6_protocol);
}

void tcpv6_exit(struct host *h)
{
	inet6_del_protocol(h, IPPROTO_TCP, &tcpv6_protocol);
}
