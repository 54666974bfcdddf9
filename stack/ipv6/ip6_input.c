/* SPDX-License-Identifier: MIT */
/*
 * IPv6 input (net/ipv6/ip6_input.c, exthdrs.c): ipv6_rcv checks the header, then extension headers
 * are walked one by one up to a transport, whose handler gets the packet. Nothing is forwarded.
 *
 * Invariants: every packet of a device that takes them is counted in Ip6InReceives first; from
 * ip6_rcv_core on the fixed header is linear and skb->len is what it says. Where Linux
 * would answer by ICMPv6, the packet is only dropped.
 */
#include "ipv6/ip6_route.h"
#include "ipv6/ipv6.h"
#include "wire/ip4.h"

#include "inet/inet_frag.h"
#include "lib/checksum.h"
#include "netfilter/nf_hooks.h"
#include "stack/errno.h"
#include "stack/socket.h"

#define NEXTHDR_HOP	 0
#define NEXTHDR_ROUTING	 43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_NONE	 59
#define NEXTHDR_DEST	 60

#define IPV6_TLV_PAD1  0
#define IPV6_TLV_JUMBO 194

_Static_assert(sizeof(struct inet6_skb_parm) <= FRAG_CB_OFFSET, "IP6CB and FRAG_CB lie apart");

int inet6_add_protocol(struct host *h, u8 protocol, const struct inet6_protocol *ops)
{
	if (h->inet6_protos->protos[protocol])
		return -EBUSY;
	h->inet6_protos->protos[protocol] = ops;
	return 0;
}

void inet6_del_protocol(struct host *h, u8 protocol, const struct inet6_protocol *ops)
{
	if (h->inet6_protos && h->inet6_protos->protos[protocol] == ops)
		h->inet6_protos->protos[protocol] = NULL;
}

bool ip6_checksum_complete(struct sk_buff *skb, u8 protocol)
{
	const u8 *h = ipv6_hdr(skb);

	return skb_checksum_complete(skb, csum_ipv6_nofold(h + 8, h + 24, skb->len, protocol, 0));
}

static bool ip6_drop(struct sk_buff *skb, enum skb_drop_reason reason)
{
	kfree_skb_reason(skb, reason);
	return false;
}

static bool ip6_hdr_error(struct sk_buff *skb, enum skb_drop_reason reason)
{
	MIB_INC(skb->net, Ip6InHdrErrors);
	return ip6_drop(skb, reason);
}

/* ---- extension headers ---- */

/* RFC 8200 4.2: an option that is not known is skipped unless its two high bits say otherwise. */
static bool ip6_parse_tlv(const u8 *p, u32 len)
{
	for (u32 at = 2; at < len;) {
		u32 size;

		if (p[at] == IPV6_TLV_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > len || at + 2u + p[at + 1] > len)
			return false;
		size = 2u + p[at + 1];
		/* Router alert (5), tunnel limit (4), CALIPSO (7) and the like have 00 there. */
		if (p[at] >> 6 != 0 && p[at] != IPV6_TLV_JUMBO)
			return false;
		at += size;
	}
	return true;
}

/* Hop-by-hop and destination options, routing: 8 (n + 1) bytes. False: it was dropped. */
static bool ip6_exthdr(struct sk_buff *skb, u8 type)
{
	u32 len;

	if (!pskb_may_pull(skb, 8))
		return ip6_hdr_error(skb, SKB_DROP_REASON_IPV6_BAD_EXTHDR);
	len = (skb->data[1] + 1u) * 8;
	if (!pskb_may_pull(skb, len))
		return ip6_hdr_error(skb, SKB_DROP_REASON_IPV6_BAD_EXTHDR);
	if (type != NEXTHDR_ROUTING) {
		if (!ip6_parse_tlv(skb->data, len))
			return ip6_hdr_error(skb, SKB_DROP_REASON_IPV6_BAD_EXTHDR);
	} else if (skb->data[3]) { /* RFC 5095, RFC 8200 4.4: segments are left */
		return ip6_hdr_error(skb, SKB_DROP_REASON_IPV6_ROUTING);
	}
	IP6CB(skb)->nexthdr = skb->data[0];
	skb_pull_rcsum(skb, len);
	return true;
}

/* ip6_protocol_deliver_rcu */
static int ip6_deliver(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct inet6_protocol *ipprot;
	bool first = true;
	u8 nexthdr;

	(void)sk;
	nf_reset_ct(skb);
	skb_pull_rcsum(skb, IP6_HLEN);
	for (;; first = false) {
		nexthdr = IP6CB(skb)->nexthdr;
		if (nexthdr == NEXTHDR_FRAGMENT) {
			if (!ipv6_frag_rcv(skb))
				return 0;
		} else if (nexthdr == NEXTHDR_DEST || nexthdr == NEXTHDR_ROUTING ||
			   (nexthdr == NEXTHDR_HOP && first)) {
			if (!ip6_exthdr(skb, nexthdr))
				return 0;
		} else {
			break;
		}
	}
	skb_reset_transport_header(skb);
	ipprot = net->host->inet6_protos->protos[nexthdr];
	if (ipprot) {
		MIB_INC(net, Ip6InDelivers);
		skb->ip_way = IP_WAY_NONE;
		ipprot->handler(skb);
	} else if (nexthdr == NEXTHDR_NONE) {
		MIB_INC(net, Ip6InDelivers);
		skb->ip_way = IP_WAY_NONE;
		consume_skb(skb);
	} else {
		MIB_INC(net, Ip6InUnknownProtos);
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_NOPROTO);
	}
	return 0;
}

int ip6_input(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;

	return NF_HOOK(AF_INET6, NF_INET_LOCAL_IN, dev_net(dev), NULL, skb, dev, NULL, ip6_deliver);
}

/* ---- the header ---- */

/* RFC 2675: the length is in an option of the hop-by-hop header, which ends the frame's packet. */
static bool ip6_is_jumbo(const u8 *h)
{
	return !get_be16(h + 4) && h[6] == NEXTHDR_HOP;
}

static bool ip6_rcv_core(struct net *net, struct sk_buff *skb)
{
	const u8 *h;
	u32 len;

	MIB_INC(net, Ip6InReceives);
	skb->ip_way = IP_WAY_IN;
	MIB_ADD(net, Ip6InOctets, skb->len);
	if (!pskb_may_pull(skb, 1))
		return ip6_hdr_error(skb, SKB_DROP_REASON_IP_INHDR);
	if (skb->data[0] >> 4 != 6)
		return ip6_hdr_error(skb, SKB_DROP_REASON_IPV6_VERSION);
	if (!pskb_may_pull(skb, IP6_HLEN))
		return ip6_hdr_error(skb, SKB_DROP_REASON_IP_INHDR);
	skb_reset_network_header(skb);
	h = skb->data;
	memset(IP6CB(skb), 0, sizeof(struct inet6_skb_parm));
	IP6CB(skb)->nexthdr = h[6];
	if (h[6] == NEXTHDR_HOP || h[6] == NEXTHDR_ROUTING || h[6] == NEXTHDR_FRAGMENT ||
	    h[6] == NEXTHDR_DEST)
		MIB_INC(net, SeenIp6Exts);
	/* Frames, however many are in it: Ip6InNoECTPkts, Ip6InECT1Pkts, Ip6InECT0Pkts,
	 * Ip6InCEPkts. */
	net->mib[MIB_Ip6InNoECTPkts + (h[1] >> 4 & INET_ECN_MASK)] +=
		max_u32(1, skb_shinfo(skb)->gso_segs);
	len = get_be16(h + 4) + IP6_HLEN;
	if (!ip6_is_jumbo(h)) {
		if (len > skb->len) {
			MIB_INC(net, Ip6InTruncatedPkts);
			return ip6_drop(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		}
		if (pskb_trim_rcsum(skb, len)) {
			MIB_INC(net, Ip6InDiscards);
			return ip6_drop(skb, SKB_DROP_REASON_NOMEM);
		}
	}
	return true;
}

/* ip6_rcv_finish: is it for us? */
static int ip6_rcv_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct inet_addr daddr = ipv6_daddr(skb);
	struct rt6_info *rt = (struct rt6_info *)(void *)skb->dst;

	(void)sk;
	/* What came by lo has the route that it was sent by. */
	if (!rt) {
		rt = ip6_route_input(net, &daddr);
		if (rt)
			skb_dst_set_noref(skb, &rt->dst);
	}
	if ((rt && rt->type == RTN_LOCAL) || skb->dev->anyip)
		return ip6_input(skb);
	if (!rt)
		MIB_INC(net, Ip6InNoRoutes);
	else
		MIB_INC(net, Ip6InAddrErrors);
	kfree_skb_reason(skb, SKB_DROP_REASON_IP_INNOROUTES);
	return NET_RX_DROP;
}

static int ipv6_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
		    struct net_device *orig_dev)
{
	(void)pt;
	(void)orig_dev;
	if (skb->pkt_type == PACKET_OTHERHOST) {
		kfree_skb_reason(skb, SKB_DROP_REASON_OTHERHOST);
		return NET_RX_DROP;
	}
	if (!dev->anyip && !netns6(dev_net(dev))) {
		MIB_INC(dev_net(dev), Ip6InReceives);
		skb->ip_way = IP_WAY_IN;
		kfree_skb_reason(skb, SKB_DROP_REASON_IPV6_DISABLED);
		return NET_RX_DROP;
	}
	skb = skb_share_check(skb);
	if (!skb)
		return NET_RX_DROP;
	if (!ip6_rcv_core(dev_net(dev), skb))
		return NET_RX_DROP;
	return NF_HOOK(AF_INET6, NF_INET_PRE_ROUTING, dev_net(dev), NULL, skb, dev, NULL,
		       ip6_rcv_finish);
}

/* ---- boot ---- */

static int addrconf_event(struct net_device *dev, enum netdev_event event)
{
	if (event == NETDEV_UNREGISTER)
		addrconf_ifdown(dev);
	return 0;
}

static const struct packet_type ipv6_packet_type = { .type = ETH_P_IPV6, .func = ipv6_rcv };
static const struct inet6_protocol icmpv6_protocol = { .handler = icmpv6_rcv };

int ipv6_init(struct host *h)
{
	h->inet6_protos = mem_zalloc(h->world, MEM_HOST, sizeof(*h->inet6_protos));
	if (!h->inet6_protos)
		return -ENOMEM;
	inet6_add_protocol(h, IPPROTO_ICMPV6, &icmpv6_protocol);
	if (ipv6_offload_init(h) || dev_add_pack(h, &ipv6_packet_type) ||
	    register_netdevice_notifier(h, addrconf_event)) {
		ipv6_exit(h);
		return -ENOMEM;
	}
	return 0;
}

/* Copes with what ipv6_init() did not get to. */
void ipv6_exit(struct host *h)
{
	if (!h->inet6_protos)
		return;
	dev_remove_pack(h, &ipv6_packet_type);
	mem_free(h->world, MEM_HOST, h->inet6_protos, sizeof(*h->inet6_protos));
	h->inet6_protos = NULL;
}
