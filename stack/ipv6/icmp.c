/* SPDX-License-Identifier: MIT */
/*
 * ICMPv6 messages that arrive (net/ipv6/icmp.c: icmpv6_rcv; RFC 4443): checksum, then the kind is
 * counted. An error goes to the transport that its quotation names, an echo request is answered;
 * all else ends here: no neighbour discovery, no groups.
 */
#include "ipv6/ip6_route.h"
#include "ipv6/ipv6.h"
#include "lib/checksum.h"
#include "stack/socket.h"

#define NEXTHDR_FRAGMENT 44
#define IPV6_MIN_MTU	 1280u

#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PKT_TOOBIG   2
#define ICMPV6_TIME_EXCEED  3
#define ICMPV6_PARAMPROB    4
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_REPLY   129

/* tab_unreach[] of Linux: RFC 4443 3.1. */
static const struct {
	s32 err;
	bool fatal;
} unreach[] = {
	{ ENETUNREACH, false }, { EACCES, true }, { EHOSTUNREACH, false }, { EHOSTUNREACH, false },
	{ ECONNREFUSED, true }, { EACCES, true }, { EACCES, true },
};

bool icmpv6_err_convert(u8 type, u8 code, s32 *err)
{
	*err = EPROTO;
	switch (type) {
	case ICMPV6_DEST_UNREACH:
		if (code >= ARRAY_SIZE(unreach))
			return true;
		*err = unreach[code].err;
		return unreach[code].fatal;
	case ICMPV6_PKT_TOOBIG:
		*err = EMSGSIZE;
		return false;
	case ICMPV6_PARAMPROB:
		return true;
	case ICMPV6_TIME_EXCEED:
		*err = EHOSTUNREACH;
		return false;
	default:
		return false;
	}
}

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

/* icmpv6_notify: skb->data at the ICMPv6 header. */
static void icmpv6_notify(struct net *net, struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct inet6_protocol *ipprot;
	u32 skip = ICMPV6_HLEN + IP6_HLEN;
	u8 nexthdr;

	if (!pskb_may_pull(skb, skip) || skb->data[ICMPV6_HLEN] >> 4 != 6) {
		MIB_INC(net, Icmp6InErrors);
		return;
	}
	nexthdr = skb->data[ICMPV6_HLEN + 6];
	if (nexthdr == NEXTHDR_FRAGMENT) {
		if (!pskb_may_pull(skb, skip + 8))
			return;
		nexthdr = skb->data[skip];
		skip += 8;
	}
	if (!pskb_may_pull(skb, skip + 8))
		return;
	ipprot = net->host->inet6_protos->protos[nexthdr];
	if (!ipprot || !ipprot->err_handler)
		return;
	skb_pull(skb, skip);
	ipprot->err_handler(skb, skb->data - skip + ICMPV6_HLEN, type, code, info);
}

/*
 * A message from src to dst: 8 bytes of head, then len bytes of skb from offset on. The checksum is
 * filled in. False: there is no way there.
 */
static bool icmpv6_push(struct net *net, const struct inet_addr *src, const struct inet_addr *dst,
			const u8 head[ICMPV6_HLEN], const struct sk_buff *skb, u32 offset, u32 len)
{
	struct flowi6 fl6 = { .saddr = *src, .daddr = *dst };
	struct ip6_xmit_args args = { .daddr = dst, .hop_limit = -1, .protocol = IPPROTO_ICMPV6 };
	struct sk_buff *message;
	struct rt6_info *rt;
	u8 s[16], d[16], *p;
	int err;

	rt = ip6_route_output(net, &fl6, &err);
	if (!rt)
		return false;
	message = alloc_skb(skb->world, LL_MAX_HEADER + IP6_HLEN + ICMPV6_HLEN + len);
	if (!message) {
		MIB_INC(net, Icmp6OutErrors);
		dst_release(&rt->dst);
		return false;
	}
	skb_reserve(message, LL_MAX_HEADER + IP6_HLEN);
	p = skb_put(message, ICMPV6_HLEN + len);
	memcpy(p, head, ICMPV6_HLEN);
	if (!skb_copy_bits(skb, offset, p + ICMPV6_HLEN, len))
		BUG("ICMPv6 quotes bytes that are not there");
	store_be16(p + 2, 0);
	for (u32 i = 0; i < 4; i++) {
		store_be32(s + 4 * i, fl6.saddr.w[i]);
		store_be32(d + 4 * i, dst->w[i]);
	}
	store_be16(p + 2, csum_fold(csum_ipv6_nofold(s, d, message->len, IPPROTO_ICMPV6,
						     csum_partial(p, message->len, 0))));
	args.saddr = &fl6.saddr;
	message->net = net;
	skb_reset_transport_header(message);
	skb_dst_set(message, &rt->dst);
	MIB_INC(net, Icmp6OutMsgs);
	ip6_xmit(net, NULL, message, &args);
	return true;
}

/* RFC 4443 4.2: the data comes back unchanged. */
static void icmpv6_echo_reply(struct net *net, struct sk_buff *skb)
{
	const struct inet_addr src = ipv6_saddr(skb), dst = ipv6_daddr(skb);
	u8 head[ICMPV6_HLEN];

	if (!ipv6_chk_addr(net, &dst) || !skb_copy_bits(skb, 0, head, sizeof(head)))
		return;
	head[0] = ICMPV6_ECHO_REPLY;
	if (icmpv6_push(net, &dst, &src, head, skb, ICMPV6_HLEN, skb->len - ICMPV6_HLEN))
		MIB_INC(net, Icmp6OutEchoReplies);
}

/* RFC 4443 2.4 (e): no error about an error, or to what is not one host. */
static bool icmpv6_send_allowed(const struct sk_buff *skb, u32 nhoff)
{
	const struct inet_addr src = ipv6_saddr(skb);
	const struct inet_addr none = { { 0 } };
	u8 buffer[1];
	const u8 *type;

	if (skb->pkt_type != PACKET_HOST || ipv6_hdr(skb)[24] == 0xff || ipv6_hdr(skb)[8] == 0xff ||
	    inet_addr_equal(&src, &none))
		return false;
	if (ipv6_hdr(skb)[6] != IPPROTO_ICMPV6)
		return true;
	type = skb_header_pointer(skb, nhoff + IP6_HLEN, 1, buffer);
	return type && *type >= ICMPV6_ECHO_REQUEST;
}

void icmpv6_send(struct net *net, struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	u32 nhoff = (u32)skb_network_offset(skb);
	const struct inet_addr to = ipv6_saddr(skb);
	struct inet_addr from = ipv6_daddr(skb);
	u8 head[ICMPV6_HLEN] = { type, code };

	if (!icmpv6_send_allowed(skb, nhoff))
		return;
	put_be32(head + 4, info);
	/* RFC 4443 2.2: from the address that was reached, else one of the way back. */
	if (!ipv6_chk_addr(net, &from))
		from = (struct inet_addr){ { 0 } };
	if (icmpv6_push(net, &from, &to, head, skb, nhoff,
			min_u32(skb->len - nhoff, IPV6_MIN_MTU - IP6_HLEN - ICMPV6_HLEN)) &&
	    type == ICMPV6_DEST_UNREACH)
		MIB_INC(net, Icmp6OutDestUnreachs);
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
	if (skb->data[0] == ICMPV6_ECHO_REQUEST)
		icmpv6_echo_reply(net, skb);
	else if (skb->data[0] <= ICMPV6_PARAMPROB)
		icmpv6_notify(net, skb, skb->data[0], skb->data[1], get_be32(skb->data + 4));
	consume_skb(skb);
	return 0;
}
