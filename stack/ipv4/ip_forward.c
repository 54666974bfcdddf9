/* SPDX-License-Identifier: MIT */
/*
 * On to another host (net/ipv4/ip_forward.c; RFC 1812 5.2, 5.3): TTL, source routes, MTU, the
 * FORWARD hook, redirects; and what a route that is an error does (ip_error).
 */
#include "ipv4/devinet.h"
#include "core/offload.h"
#include "core/skb_path.h"
#include "ipv4/icmp.h"
#include "ipv4/ip_sockglue.h"
#include "ipv4/netns_ipv4.h"
#include "netfilter/nf_hooks.h"

static enum skb_drop_reason error_reason(const struct in_device *in_dev, int error)
{
	if (!in_dev_forward(in_dev))
		return SKB_DROP_REASON_NOT_FORWARDING;
	switch (error) {
	case -EACCES:
		return SKB_DROP_REASON_PROHIBIT;
	case -EHOSTUNREACH:
		return SKB_DROP_REASON_UNREACHABLE;
	case -EINVAL:
		return SKB_DROP_REASON_BLACKHOLE;
	default:
		return SKB_DROP_REASON_IP_INNOROUTES;
	}
}

int ip_error(struct sk_buff *skb)
{
	const struct in_device *in_dev = skb->dev->ip_ptr;
	struct net *net = dev_net(skb->dev);
	int error = skb->dst->error;
	u8 code = ICMP_HOST_UNREACH;

	if (!in_dev) {
		kfree_skb_reason(skb, SKB_DROP_REASON_IP_INNOROUTES);
		return 0;
	}
	if (error == -ENETUNREACH) {
		MIB_INC(net, IpExtInNoRoutes);
		code = ICMP_NET_UNREACH;
	} else if (error == -EHOSTUNREACH && !in_dev_forward(in_dev)) {
		MIB_INC(net, IpInAddrErrors);
	} else if (error == -EACCES) {
		code = ICMP_PKT_FILTERED;
	}
	/* ip_error() has a token bucket of its own for the sender; icmp_send()'s is the same
	 * peer's, so one limit stands for both. */
	if (in_dev_forward(in_dev) && error != -EINVAL)
		icmp_send(skb, ICMP_DEST_UNREACH, code, 0);
	kfree_skb_reason(skb, error_reason(in_dev, error));
	return 0;
}

/* ip_forward_options: addresses and times that a router on the way writes. */
static void ip_forward_options(struct sk_buff *skb)
{
	struct ip_options *opt = &IPCB(skb)->opt;
	struct net_device *out = skb->dst->dev;
	u8 *iph = ip_hdr(skb);

	if (opt->rr_needaddr) {
		u8 *p = iph + opt->rr;

		store_be32(p + p[2] - 5, inet_select_addr(out, ip4_daddr(iph), RT_SCOPE_UNIVERSE));
		opt->is_changed = 1;
	}
	if (opt->srr_is_hit) {
		u8 *p = iph + opt->srr;
		u32 ptr;

		for (ptr = p[2]; ptr + 3 <= p[1]; ptr += 4)
			if (opt->nexthop == load_be32(p + ptr - 1))
				break;
		if (ptr + 3 <= p[1]) {
			ip4_set_daddr(iph, opt->nexthop);
			store_be32(p + ptr - 1,
				   inet_select_addr(out, opt->nexthop, RT_SCOPE_UNIVERSE));
			p[2] = (u8)(ptr + 4);
		}
		opt->is_changed = 1;
		if (opt->ts_needaddr) {
			p = iph + opt->ts;
			store_be32(p + p[2] - 9,
				   inet_select_addr(out, ip4_daddr(iph), RT_SCOPE_UNIVERSE));
		}
	} else if (opt->ts_needaddr) {
		u8 *p = iph + opt->ts;

		store_be32(p + p[2] - 9, inet_select_addr(out, ip4_daddr(iph), RT_SCOPE_UNIVERSE));
		opt->is_changed = 1;
	}
	if (opt->is_changed) {
		opt->is_changed = 0;
		ip4_send_check(iph);
	}
}

static int ip_forward_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	MIB_INC(net, IpForwDatagrams);
	skb->ip_way = IP_WAY_OUT;
	if (IPCB(skb)->opt.optlen)
		ip_forward_options(skb);
	return dst_output(net, sk, skb);
}

/* ip_rt_send_redirect (RFC 1812 5.2.7.2), rate limited as other errors are. */
static void ip_rt_send_redirect(struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	be32 gw = rt_nexthop(rt, ip4_daddr(ip_hdr(skb)));

	icmp_send(skb, ICMP_REDIRECT, ICMP_REDIR_HOST, ntohl(gw));
}

static int forward_drop(struct sk_buff *skb, enum skb_drop_reason reason)
{
	kfree_skb_reason(skb, reason);
	return NET_RX_DROP;
}

static int forward_ttl_exceeded(struct net *net, struct sk_buff *skb)
{
	MIB_INC(net, IpInHdrErrors);
	icmp_send(skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
	return forward_drop(skb, SKB_DROP_REASON_TTL_EXCEEDED);
}

/* ip_exceeds_mtu(): too long, and must not be cut. What GRO merged is as long as its segments. */
static bool exceeds_mtu(struct sk_buff *skb, u32 mtu)
{
	if (skb->len <= mtu || !(ip4_frag(ip_hdr(skb)) & IP4_DF))
		return false;
	if (IPCB(skb)->frag_max_size > mtu)
		return true;
	return !skb->ignore_df && !(skb_is_gso(skb) && skb_gso_validate_network_len(skb, mtu));
}

int ip_forward(struct sk_buff *skb)
{
	const struct ip_options *opt = &IPCB(skb)->opt;
	struct rtable *rt = skb_rtable(skb);
	struct net *net = dev_net(rt->dst.dev);
	u32 mtu;

	skb_path(skb, SKB_PATH_IP_FORWARD);
	if (skb->pkt_type != PACKET_HOST)
		return forward_drop(skb, SKB_DROP_REASON_OTHERHOST);
	if (skb_warn_if_lro(skb))
		return forward_drop(skb, SKB_DROP_REASON_LRO_FORWARDING);
	if (ip4_ttl(ip_hdr(skb)) <= 1)
		return forward_ttl_exceeded(net, skb);
	if (opt->is_strictroute && rt->rt_uses_gateway) {
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_SR_FAILED, 0);
		return forward_drop(skb, SKB_DROP_REASON_IP_OPTIONS);
	}
	IPCB(skb)->flags |= IPSKB_FORWARDED;
	mtu = ip_dst_mtu_maybe_forward(&rt->dst, true);
	if (exceeds_mtu(skb, mtu)) {
		MIB_INC(net, IpFragFails);
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
		return forward_drop(skb, SKB_DROP_REASON_PKT_TOO_BIG);
	}
	if (skb_ensure_writable(skb, ip_hdrlen(skb)) ||
	    skb_cow_head(skb, ll_reserved_space(rt->dst.dev))) {
		MIB_INC(net, IpInDiscards);
		return forward_drop(skb, SKB_DROP_REASON_NOMEM);
	}
	if (IPCB(skb)->flags & IPSKB_DOREDIRECT && !opt->srr)
		ip_rt_send_redirect(skb);
	ip4_decrease_ttl(ip_hdr(skb));
	if (net->sysctl.ip_forward_update_priority)
		skb->priority = tos2priority(ip4_tos(ip_hdr(skb)));
	return NF_HOOK(AF_INET, NF_INET_FORWARD, net, NULL, skb, skb->dev, rt->dst.dev,
		       ip_forward_finish);
}
