/* SPDX-License-Identifier: MIT */
/*
 * ICMP messages that arrive (net/ipv4/icmp.c: icmp_rcv; RFC 1122 3.2.2): checksum, type, then echo,
 * timestamp, or an error that is handed to the protocol whose packet it quotes.
 */
#include "ipv4/devinet.h"
#include "core/skb_path.h"
#include "ipv4/icmp_reply.h"
#include "ipv4/ip_options.h"
#include "ipv4/netns_ipv4.h"
#include "ipv4/protocol.h"

#define ICMP_OK SKB_DROP_REASON_COUNT /* a handler is through with the message */

static void icmp_in_count(struct net *net, u8 type, u8 code)
{
	net->icmp_in_type[type]++;
	switch (type) {
	case ICMP_ECHOREPLY:
		MIB_INC(net, IcmpInEchoReps);
		break;
	case ICMP_DEST_UNREACH:
		MIB_INC(net, IcmpInDestUnreachs);
		if (code == ICMP_FRAG_NEEDED)
			MIB_INC(net, SeenIcmpFragNeededs);
		break;
	case ICMP_SOURCE_QUENCH:
		MIB_INC(net, IcmpInSrcQuenchs);
		break;
	case ICMP_REDIRECT:
		MIB_INC(net, IcmpInRedirects);
		break;
	case ICMP_ECHO:
		MIB_INC(net, IcmpInEchos);
		break;
	case ICMP_TIME_EXCEEDED:
		MIB_INC(net, IcmpInTimeExcds);
		break;
	case ICMP_PARAMETERPROB:
		MIB_INC(net, IcmpInParmProbs);
		break;
	case ICMP_TIMESTAMP:
		MIB_INC(net, IcmpInTimestamps);
		break;
	case ICMP_TIMESTAMPREPLY:
		MIB_INC(net, IcmpInTimestampReps);
		break;
	case ICMP_ADDRESS:
		MIB_INC(net, IcmpInAddrMasks);
		break;
	case ICMP_ADDRESSREPLY:
		MIB_INC(net, IcmpInAddrMaskReps);
		break;
	default:
		break;
	}
}

/* RFC 1122 3.2.2.6 */
static enum skb_drop_reason icmp_echo(struct net *net, struct sk_buff *skb)
{
	struct icmp_message m = { .head_len = ICMP4_HLEN, .skb = skb };

	if (net->sysctl.icmp_echo_ignore_all)
		return SKB_DROP_REASON_ICMP_TYPE;
	memcpy(m.head, skb_transport_header(skb), ICMP4_HLEN);
	m.head[0] = ICMP_ECHOREPLY;
	m.data_len = skb->len;
	icmp_reply(skb, &m);
	return ICMP_OK;
}

/* RFC 1122 3.2.2.8; RFC 792: originate as it came, receive and transmit of ours. */
static enum skb_drop_reason icmp_timestamp(struct net *net, struct sk_buff *skb)
{
	struct icmp_message m = { .head_len = 20, .skb = skb };
	be32 now = inet_current_timestamp(net);

	if (skb->len < 4 || !skb_copy_bits(skb, 0, m.head + 8, 4)) {
		MIB_INC(net, IcmpInErrors);
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	}
	memcpy(m.head, skb_transport_header(skb), ICMP4_HLEN);
	m.head[0] = ICMP_TIMESTAMPREPLY;
	m.head[1] = 0;
	store_be32(m.head + 12, now);
	store_be32(m.head + 16, now);
	icmp_reply(skb, &m);
	return ICMP_OK;
}

/* To the protocol whose packet is quoted: its header and 8 bytes more must be there. */
static enum skb_drop_reason icmp_socket_deliver(struct net *net, struct sk_buff *skb, u32 info)
{
	const struct inet_protos *protos = net->host->inet_protos;
	const struct net_protocol *ipprot;
	u8 protocol = ip4_protocol(skb->data);

	if (!pskb_may_pull(skb, ip4_ihl(skb->data) + 8)) {
		MIB_INC(net, IcmpInErrors);
		return SKB_DROP_REASON_ICMP_QUOTE;
	}
	if (protos->raw_icmp_error)
		protos->raw_icmp_error(skb, protocol, info);
	ipprot = protos->protos[protocol];
	if (!ipprot || !ipprot->err_handler)
		return SKB_DROP_REASON_ICMP_QUOTE;
	return ipprot->err_handler(skb, info) ? SKB_DROP_REASON_ICMP_QUOTE : ICMP_OK;
}

/* MTU of a fragmentation needed by ip_no_pmtu_disc; false: the message is to be ignored. */
static bool frag_needed_info(struct net *net, struct sk_buff *skb, u32 *info)
{
	const struct net_protocol *ipprot = net->host->inet_protos->protos[ip4_protocol(skb->data)];

	switch (net->sysctl.ip_no_pmtu_disc) {
	case 0:
		break;
	case 2:
		return false;
	case 3:
		if (!ipprot || !ipprot->icmp_strict_tag_validation)
			return false;
		break;
	default:
		return true;
	}
	*info = icmp4_mtu(skb_transport_header(skb));
	return true;
}

static enum skb_drop_reason icmp_unreach(struct net *net, struct sk_buff *skb)
{
	const u8 *icmph = skb_transport_header(skb);
	u32 info = 0;

	if (!pskb_may_pull(skb, IP4_HLEN) || ip4_ihl(skb->data) < IP4_HLEN) {
		MIB_INC(net, IcmpInErrors);
		return SKB_DROP_REASON_ICMP_QUOTE;
	}
	icmph = skb_transport_header(skb);
	switch (icmp4_type(icmph)) {
	case ICMP_DEST_UNREACH:
		if (icmp4_code(icmph) > NR_ICMP_UNREACH)
			return SKB_DROP_REASON_ICMP_TYPE;
		if (icmp4_code(icmph) == ICMP_FRAG_NEEDED && !frag_needed_info(net, skb, &info))
			return SKB_DROP_REASON_ICMP_TYPE;
		break;
	case ICMP_PARAMETERPROB:
		info = icmp4_rest(icmph) >> 24;
		break;
	case ICMP_TIME_EXCEEDED:
		if (icmp4_code(icmph) == ICMP_EXC_FRAGTIME)
			return SKB_DROP_REASON_ICMP_TYPE;
		break;
	default: /* source quench: to the protocol, which ignores it (RFC 6633) */
		break;
	}
	if (!net->sysctl.icmp_ignore_bogus_error_responses &&
	    inet_dev_addr_type(net, skb->dev, ip4_daddr(skb->data)) == RTN_BROADCAST)
		return SKB_DROP_REASON_ICMP_QUOTE;
	return icmp_socket_deliver(net, skb, info);
}

static enum skb_drop_reason icmp_redirect(struct net *net, struct sk_buff *skb)
{
	if (skb->len < IP4_HLEN) {
		MIB_INC(net, IcmpInErrors);
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	}
	if (!pskb_may_pull(skb, IP4_HLEN) || ip4_ihl(skb->data) < IP4_HLEN)
		return SKB_DROP_REASON_ICMP_QUOTE;
	return icmp_socket_deliver(net, skb, icmp4_rest(skb_transport_header(skb)));
}

static enum skb_drop_reason icmp_handle(struct net *net, struct sk_buff *skb, u8 type)
{
	switch (type) {
	case ICMP_ECHO:
		return icmp_echo(net, skb);
	case ICMP_ECHOREPLY: /* ping sockets would take it */
		return SKB_DROP_REASON_NO_SOCKET;
	case ICMP_TIMESTAMP:
		return icmp_timestamp(net, skb);
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return icmp_unreach(net, skb);
	case ICMP_REDIRECT:
		return icmp_redirect(net, skb);
	default:
		return SKB_DROP_REASON_ICMP_TYPE;
	}
}

/* What may come by broadcast or multicast (RFC 1122 3.2.2.6, 3.2.2.8). */
static enum skb_drop_reason icmp_broadcast(const struct net *net, u8 type)
{
	if ((type == ICMP_ECHO || type == ICMP_TIMESTAMP) &&
	    net->sysctl.icmp_echo_ignore_broadcasts)
		return SKB_DROP_REASON_ICMP_BROADCAST;
	if (type != ICMP_ECHO && type != ICMP_TIMESTAMP && type != ICMP_ADDRESS &&
	    type != ICMP_ADDRESSREPLY)
		return SKB_DROP_REASON_ICMP_BROADCAST;
	return ICMP_OK;
}

static int icmp_error_drop(struct net *net, struct sk_buff *skb, enum skb_drop_reason reason)
{
	MIB_INC(net, IcmpInErrors);
	kfree_skb_reason(skb, reason);
	return 0;
}

int icmp_rcv(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	const struct rtable *rt = skb_rtable(skb);
	enum skb_drop_reason reason = ICMP_OK;
	u8 type;

	MIB_INC(net, IcmpInMsgs);
	skb_path(skb, SKB_PATH_ICMP_RCV);
	if (!skb_checksum_complete(skb, 0)) {
		MIB_INC(net, IcmpInCsumErrors);
		return icmp_error_drop(net, skb, SKB_DROP_REASON_ICMP_CSUM);
	}
	if (!pskb_may_pull(skb, ICMP4_HLEN))
		return icmp_error_drop(net, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	skb_pull(skb, ICMP4_HLEN);
	type = icmp4_type(skb_transport_header(skb));
	icmp_in_count(net, type, icmp4_code(skb_transport_header(skb)));
	/* RFC 1122 3.2.2: unknown types MUST be silently discarded. */
	if (type > NR_ICMP_TYPES)
		return icmp_error_drop(net, skb, SKB_DROP_REASON_ICMP_TYPE);
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		reason = icmp_broadcast(net, type);
		if (reason != ICMP_OK)
			return icmp_error_drop(net, skb, reason);
	}
	reason = icmp_handle(net, skb, type);
	if (reason == ICMP_OK)
		consume_skb(skb);
	else
		kfree_skb_reason(skb, reason);
	return 0;
}

/* An error about an ICMP message of ours. */
static int icmp_err(struct sk_buff *skb, u32 info)
{
	struct net *net = dev_net(skb->dev);
	const u8 *icmph = skb_transport_header(skb);

	if (icmp4_type(icmph) == ICMP_DEST_UNREACH && icmp4_code(icmph) == ICMP_FRAG_NEEDED)
		ipv4_update_pmtu(skb, net, info, 0, IPPROTO_ICMP);
	else if (icmp4_type(icmph) == ICMP_REDIRECT)
		ipv4_redirect(skb, net, 0, IPPROTO_ICMP);
	return 0;
}

static const struct net_protocol icmp_protocol = {
	.handler = icmp_rcv,
	.err_handler = icmp_err,
};

int icmp_init(struct host *h)
{
	return inet_add_protocol(h, IPPROTO_ICMP, &icmp_protocol);
}

int icmp_net_init(struct net *net)
{
	struct netns_ipv4 *v4 = net_ipv4(net);

	v4->icmp_global_credit = (u32)net->sysctl.icmp_msgs_burst;
	v4->icmp_global_stamp = jiffies(net->host);
	return 0;
}
