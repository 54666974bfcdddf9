/* SPDX-License-Identifier: MIT */
/*
 * IPv4 input (net/ipv4/ip_input.c): ip_rcv checks the header, PRE_ROUTING, ip_rcv_finish decides by
 * route and options, ip_local_deliver reassembles, LOCAL_IN, then raw sockets and inet_protos[].
 *
 * Invariants: every packet is counted in IpInReceives first; from ip_rcv_core on the network header
 * is whole and linear, skb->len is the total length, IPCB is the packet's own.
 */
#include "ipv4/ip.h"
#include "core/skb_path.h"
#include "skb/ip_way.h"

#include "ipv4/devinet.h"
#include "ipv4/icmp.h"
#include "ipv4/protocol.h"
#include "lib/checksum.h"
#include "netfilter/nf_hooks.h"

int inet_add_protocol(struct host *h, u8 protocol, const struct net_protocol *ops)
{
	if (h->inet_protos->protos[protocol])
		return -EBUSY;
	h->inet_protos->protos[protocol] = ops;
	return 0;
}

int inet_del_protocol(struct host *h, u8 protocol, const struct net_protocol *ops)
{
	if (h->inet_protos->protos[protocol] != ops)
		return -ENOENT;
	h->inet_protos->protos[protocol] = NULL;
	return 0;
}

/* ---- up ---- */

static inline __attribute__((always_inline)) int
ip_local_deliver_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct inet_protos *protos = net->host->inet_protos;
	u32 protocol = ip4_protocol(ip_hdr(skb));
	const struct net_protocol *ipprot;
	bool raw;

	(void)sk;
	nf_reset_ct(skb);
	skb_pull(skb, ip_hdrlen(skb));
	skb_reset_transport_header(skb);
	for (;;) {
		int ret;

		raw = protos->raw_local_deliver && protos->raw_local_deliver(skb, (u8)protocol);
		ipprot = protos->protos[protocol];
		if (!ipprot)
			break;
		skb->ip_way = IP_WAY_NONE;
		ret = ipprot->handler(skb);
		if (ret >= 0) {
			MIB_INC(net, IpInDelivers);
			return 0;
		}
		skb->ip_way = IP_WAY_IN;
		protocol = (u32)-ret & 255;
	}
	if (raw) {
		MIB_INC(net, IpInDelivers);
		skb->ip_way = IP_WAY_NONE;
		consume_skb(skb);
		return 0;
	}
	/* RFC 1122 3.2.2.1: protocol unreachable. */
	MIB_INC(net, IpInUnknownProtos);
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
	kfree_skb_reason(skb, SKB_DROP_REASON_IP_NOPROTO);
	return 0;
}

static inline __attribute__((always_inline)) int local_deliver(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	int ret;

	skb_path(skb, SKB_PATH_IP_LOCAL_DELIVER);
	if (ip4_is_fragment(ip_hdr(skb)) && ip_defrag(net, skb, IP_DEFRAG_LOCAL_DELIVER))
		return 0;
	ret = nf_hook(AF_INET, NF_INET_LOCAL_IN, net, NULL, skb, skb->dev, NULL,
		      ip_local_deliver_finish);
	return ret == 1 ? ip_local_deliver_finish(net, NULL, skb) : ret;
}

int ip_local_deliver(struct sk_buff *skb)
{
	return local_deliver(skb);
}

/* ---- options and route ---- */

/* ip_options_rcv_srr: at the end of a source route's hop (RFC 791 3.1). */
static int ip_options_rcv_srr(struct sk_buff *skb, struct net_device *dev)
{
	struct ip_options *opt = &IPCB(skb)->opt;
	const struct rtable *rt = skb_rtable(skb);
	u8 *optptr = ip_hdr(skb) + opt->srr;
	enum skb_drop_reason reason;
	u32 ptr;

	if (skb->pkt_type != PACKET_HOST)
		return -EINVAL;
	if (rt->rt_type == RTN_UNICAST) {
		if (!opt->is_strictroute)
			return 0;
		icmp_send(skb, ICMP_PARAMETERPROB, 0, 16u << 24);
		return -EINVAL;
	}
	if (rt->rt_type != RTN_LOCAL)
		return -EINVAL;
	for (ptr = optptr[2]; ptr <= optptr[1]; ptr += 4) {
		struct dst_entry *old = skb->dst;
		be32 nexthop;
		int err;

		if (ptr + 3 > optptr[1]) {
			icmp_send(skb, ICMP_PARAMETERPROB, 0, (u32)(opt->srr + 2) << 24);
			return -EINVAL;
		}
		nexthop = load_be32(optptr + ptr - 1);
		skb->dst = NULL;
		err = ip_route_input(skb, nexthop, ip4_saddr(ip_hdr(skb)), ip4_tos(ip_hdr(skb)),
				     dev, &reason);
		rt = skb_rtable(skb);
		if (err || (rt->rt_type != RTN_UNICAST && rt->rt_type != RTN_LOCAL)) {
			skb_dst_drop(skb);
			skb_dst_set(skb, old);
			return -EINVAL;
		}
		dst_release(old);
		if (rt->rt_type != RTN_LOCAL) {
			opt->srr_is_hit = 1;
			opt->nexthop = nexthop;
			opt->is_changed = 1;
			return 0;
		}
		/* Superfast 8) loopback forward */
		ip4_set_daddr(ip_hdr(skb), nexthop);
		opt->is_changed = 1;
	}
	return 0;
}

static __attribute__((noinline)) int ip_rcv_options(struct sk_buff *skb, struct net_device *dev)
{
	struct ip_options *opt = &IPCB(skb)->opt;
	struct net *net = dev_net(dev);
	const struct in_device *in_dev = dev->ip_ptr;
	u32 pointer;

	MIB_INC(net, SeenIpOptions);
	if (skb_ensure_writable(skb, ip_hdrlen(skb))) {
		MIB_INC(net, IpInDiscards);
		return -ENOMEM;
	}
	opt->optlen = (u8)(ip_hdrlen(skb) - IP4_HLEN);
	if (ip_options_compile(net, opt, skb, NULL, &pointer)) {
		/* RFC 1122 3.2.2.5: a parameter problem points at the offending byte. */
		icmp_send(skb, ICMP_PARAMETERPROB, 0, pointer << 24);
		MIB_INC(net, IpInHdrErrors);
		return -EINVAL;
	}
	if (!opt->srr)
		return 0;
	if (in_dev && !in_dev_andconf(in_dev, IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE))
		return -EINVAL;
	return ip_options_rcv_srr(skb, dev);
}

/* Counters by kind of destination; a unicast packet in a broadcast or multicast frame may have to
 * go (RFC 1122 3.3.6). */
static bool ip_rcv_addressing(struct net *net, struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	const struct in_device *in_dev = skb->dev->ip_ptr;

	if (rt->rt_type == RTN_MULTICAST) {
		MIB_INC(net, IpExtInMcastPkts);
		MIB_ADD(net, IpExtInMcastOctets, skb->len);
	} else if (rt->rt_type == RTN_BROADCAST) {
		MIB_INC(net, IpExtInBcastPkts);
		MIB_ADD(net, IpExtInBcastOctets, skb->len);
	} else if (skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST) {
		return !in_dev || !in_dev_orconf(in_dev, IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST);
	}
	return true;
}

static inline __attribute__((always_inline)) int ip_rcv_finish(struct net *net, struct sock *sk,
							       struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	const u8 *iph = ip_hdr(skb);
	enum skb_drop_reason reason = SKB_DROP_REASON_IP_INNOROUTES;

	(void)sk;
	if (!skb->dst &&
	    ip_route_input(skb, ip4_daddr(iph), ip4_saddr(iph), ip4_tos(iph), dev, &reason)) {
		if (reason == SKB_DROP_REASON_IP_RPFILTER)
			MIB_INC(net, TcpExtIPReversePathFilter);
		kfree_skb_reason(skb, reason);
		return NET_RX_DROP;
	}
	if (ip4_ihl(iph) > IP4_HLEN && ip_rcv_options(skb, dev)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_OPTIONS);
		return NET_RX_DROP;
	}
	if (!ip_rcv_addressing(net, skb)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_UNICAST_IN_L2_MULTICAST);
		return NET_RX_DROP;
	}
	/* No indirect call for what most packets are for (INDIRECT_CALL_INET). */
	if (likely(skb->dst->input == ip_local_deliver))
		return local_deliver(skb);
	return dst_input(skb);
}

/* ---- the header ---- */

static struct sk_buff *ip_rcv_drop(struct sk_buff *skb, enum skb_drop_reason reason)
{
	kfree_skb_reason(skb, reason);
	return NULL;
}

static struct sk_buff *ip_rcv_hdr_error(struct sk_buff *skb, struct net *net,
					enum skb_drop_reason reason)
{
	MIB_INC(net, IpInHdrErrors);
	return ip_rcv_drop(skb, reason);
}

static struct sk_buff *ip_rcv_core(struct sk_buff *skb, struct net *net)
{
	const u8 *iph;
	u32 len, ihl;

	if (skb->pkt_type == PACKET_OTHERHOST)
		return ip_rcv_drop(skb, SKB_DROP_REASON_OTHERHOST);
	MIB_INC(net, IpInReceives);
	MIB_ADD(net, IpExtInOctets, skb->len);
	skb = skb_share_check(skb);
	if (!skb) {
		MIB_INC(net, IpInDiscards);
		ip_account_lost(&net->ip[0], IP_WAY_IN, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	skb->ip_way = IP_WAY_IN;
	if (!pskb_may_pull(skb, IP4_HLEN))
		return ip_rcv_hdr_error(skb, net, SKB_DROP_REASON_IP_INHDR);
	/* RFC 1122 3.2.1.1, 3.2.1.2: version, checksum; then the lengths. */
	iph = ip_hdr(skb);
	ihl = ip4_ihl(iph);
	if (ihl < IP4_HLEN || ip4_version(iph) != 4)
		return ip_rcv_hdr_error(skb, net, SKB_DROP_REASON_IP_INHDR);
	/* Frames, however many are in it: IpExtInNoECTPkts, IpExtInECT1Pkts, IpExtInECT0Pkts,
	 * IpExtInCEPkts. */
	net->mib[MIB_IpExtInNoECTPkts + (ip4_tos(iph) & INET_ECN_MASK)] +=
		max_u32(1, skb_shinfo(skb)->gso_segs);
	if (unlikely(ihl > IP4_HLEN) && !pskb_may_pull(skb, ihl))
		return ip_rcv_hdr_error(skb, net, SKB_DROP_REASON_IP_INHDR);
	iph = ip_hdr(skb);
	if (ip_fast_csum(iph, ihl / 4)) {
		MIB_INC(net, IpExtInCsumErrors);
		return ip_rcv_hdr_error(skb, net, SKB_DROP_REASON_IP_CSUM);
	}
	len = ip4_tot_len(iph);
	if (skb->len < len) {
		MIB_INC(net, IpExtInTruncatedPkts);
		return ip_rcv_drop(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	}
	if (len < ihl)
		return ip_rcv_hdr_error(skb, net, SKB_DROP_REASON_IP_INHDR);
	/* The link may have padded the frame. */
	if (skb->len != len && pskb_trim_rcsum(skb, len)) {
		MIB_INC(net, IpInDiscards);
		return ip_rcv_drop(skb, SKB_DROP_REASON_NOMEM);
	}
	skb->transport_header = (u16)(skb->network_header + ihl);
	memset(IPCB(skb), 0, sizeof(struct inet_skb_parm));
	IPCB(skb)->iif = skb->skb_iif;
	return skb;
}

int ip_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
	   struct net_device *orig_dev)
{
	struct net *net = dev_net(dev);
	int ret;

	(void)pt;
	(void)orig_dev;
	skb_reset_network_header(skb);
	skb_path(skb, SKB_PATH_IP_RCV);
	skb = ip_rcv_core(skb, net);
	if (!skb)
		return NET_RX_DROP;
	/* Not NF_HOOK(): the next step is known here, and follows in line. */
	ret = nf_hook(AF_INET, NF_INET_PRE_ROUTING, net, NULL, skb, dev, NULL, ip_rcv_finish);
	return ret == 1 ? ip_rcv_finish(net, NULL, skb) : ret;
}
