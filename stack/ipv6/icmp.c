/* SPDX-License-Identifier: MIT */
/*
 * ICMPv6 messages that arrive (net/ipv6/icmp.c: icmpv6_rcv; RFC 4443): checksum, then the kind is
 * counted and the message ends here: no host behaviour, no neighbour discovery, no groups.
 */
#include "ipv6/ipv6.h"

#include "stack/socket.h"

#define ICMPV6_HLEN	 8u
#define NEXTHDR_FRAGMENT 44

/* Where a type is counted; NULL: a type that Linux gives no name (RFC 4443 2.1). */
static u64 *icmpv6_counter(struct net *net, u8 type)
{
	switch (type) {
	case 1:
		return &net->mib[MIB_Icmp6InDestUnreachs];
	case 2:
		return &net->mib[MIB_Icmp6InPktTooBigs];
	case 3:
		return &net->mib[MIB_Icmp6InTimeExcds];
	case 4:
		return &net->mib[MIB_Icmp6InParmProblems];
	case 128:
		return &net->mib[MIB_Icmp6InEchos];
	case 129:
		return &net->mib[MIB_Icmp6InEchoReplies];
	case 130:
		return &net->mib[MIB_Icmp6InGroupMembQueries];
	case 131:
		return &net->mib[MIB_Icmp6InGroupMembResponses];
	case 132:
		return &net->mib[MIB_Icmp6InGroupMembReductions];
	case 133:
		return &net->mib[MIB_Icmp6InRouterSolicits];
	case 134:
		return &net->mib[MIB_Icmp6InRouterAdvertisements];
	case 135:
		return &net->mib[MIB_Icmp6InNeighborSolicits];
	case 136:
		return &net->mib[MIB_Icmp6InNeighborAdvertisements];
	case 137:
		return &net->mib[MIB_Icmp6InRedirects];
	case 143:
		return &net->mib[MIB_Icmp6InMLDv2Reports];
	default:
		return NULL;
	}
}

static int icmpv6_error_drop(struct net *net, struct sk_buff *skb, enum skb_drop_reason reason)
{
	MIB_INC(net, Icmp6InErrors);
	kfree_skb_reason(skb, reason);
	return 0;
}

/* An error quotes a packet whose fixed header is followed by a fragment header. */
static bool icmpv6_quotes_fragment(struct sk_buff *skb)
{
	return skb->data[0] < 128 && pskb_may_pull(skb, ICMPV6_HLEN + IP6_HLEN) &&
	       skb->data[ICMPV6_HLEN] >> 4 == 6 && skb->data[ICMPV6_HLEN + 6] == NEXTHDR_FRAGMENT;
}

int icmpv6_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	u64 *counter;

	MIB_INC(net, Icmp6InMsgs);
	if (!ip6_checksum_complete(skb, IPPROTO_ICMPV6)) {
		MIB_INC(net, Icmp6InCsumErrors);
		return icmpv6_error_drop(net, skb, SKB_DROP_REASON_ICMP_CSUM);
	}
	if (!pskb_may_pull(skb, ICMPV6_HLEN))
		return icmpv6_error_drop(net, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	MIB_ADD(net, SeenIcmp6FragQuotes, icmpv6_quotes_fragment(skb));
	counter = icmpv6_counter(net, skb->data[0]);
	if (!counter) {
		kfree_skb_reason(skb, SKB_DROP_REASON_ICMP_TYPE);
		return 0;
	}
	++*counter;
	consume_skb(skb);
	return 0;
}
