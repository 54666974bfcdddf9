/* SPDX-License-Identifier: MIT */
/*
 * IGMP messages that arrive (net/ipv4/igmp.c: igmp_rcv): length and checksum are judged (RFC 2236
 * 2.3), the kinds counted; queries and reports of others go to igmp.c.
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

static void igmp_act(struct sk_buff *skb)
{
	struct in_device *in_dev = skb->dev->ip_ptr;
	u32 len = skb->len;

	if (!in_dev)
		return;
	if (skb->data[0] == IGMP_HOST_MEMBERSHIP_QUERY) {
		if (len == IGMP_HLEN || pskb_may_pull(skb, 12))
			igmp_heard_query(in_dev, skb->data, len);
	} else if ((skb->data[0] == IGMP_HOST_MEMBERSHIP_REPORT ||
		    skb->data[0] == IGMPV2_HOST_MEMBERSHIP_REPORT) &&
		   /* Not our own that was looped back. */
		   (skb->pkt_type == PACKET_MULTICAST || skb->pkt_type == PACKET_BROADCAST)) {
		igmp_heard_report(in_dev, load_be32(skb->data + 4));
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
	igmp_act(skb);
	consume_skb(skb);
	return 0;
}

static const struct net_protocol igmp_protocol = { .handler = igmp_rcv };

int igmp_init(struct host *h)
{
	return inet_add_protocol(h, IPPROTO_IGMP, &igmp_protocol);
}
