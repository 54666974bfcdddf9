/* SPDX-License-Identifier: MIT */
/*
 * IGMP messages that arrive (net/ipv4/igmp.c: igmp_rcv): length and checksum are judged (RFC 2236
 * 2.3), the kinds counted, and the message ends here: this host reports no membership, so a query
 * has nothing to ask it, and another host's report nothing to suppress.
 */
#include "ipv4/igmp.h"

#include "ipv4/protocol.h"

static int igmp_drop(struct sk_buff *skb, enum skb_drop_reason reason)
{
	kfree_skb_reason(skb, reason);
	return 0;
}

/* False: of no type that is known (RFC 2236 2.1: silently ignored). */
static bool igmp_in_count(struct net *net, u8 type)
{
	switch (type) {
	case IGMP_HOST_MEMBERSHIP_QUERY:
		MIB_INC(net, IgmpInQueries);
		return true;
	case IGMP_HOST_MEMBERSHIP_REPORT:
	case IGMPV2_HOST_MEMBERSHIP_REPORT:
	case IGMPV3_HOST_MEMBERSHIP_REPORT:
		MIB_INC(net, IgmpInReports);
		return true;
	case IGMP_HOST_LEAVE_MESSAGE:
		MIB_INC(net, IgmpInLeaves);
		return true;
	default:
		return false;
	}
}

int igmp_rcv(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);

	MIB_INC(net, IgmpInMsgs);
	if (!pskb_may_pull(skb, IGMP_HLEN))
		return igmp_drop(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	if (!skb_checksum_complete(skb, 0)) {
		MIB_INC(net, IgmpInCsumErrors);
		return igmp_drop(skb, SKB_DROP_REASON_IGMP_CSUM);
	}
	if (!igmp_in_count(net, skb->data[0]))
		return igmp_drop(skb, SKB_DROP_REASON_IGMP_TYPE);
	consume_skb(skb);
	return 0;
}

static const struct net_protocol igmp_protocol = { .handler = igmp_rcv };

int igmp_init(struct host *h)
{
	return inet_add_protocol(h, IPPROTO_IGMP, &igmp_protocol);
}
