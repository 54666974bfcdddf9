/* SPDX-License-Identifier: MIT */
/*
 * What a packet that arrived is (net/ipv4/route.c: ip_route_input_slow): ours, a broadcast, a
 * group's, another host's, or one that can not be (RFC 1122 3.2.1.3, RFC 1812 5.3.7).
 *
 * A decision is remembered by flow in netns_ipv4.rt_input; only those that found a route are, and
 * only for the generation that they were made in.
 */
#include "ipv4/route_cache.h"

static int ip_rt_bug(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	(void)net;
	(void)sk;
	kfree_skb_reason(skb, SKB_DROP_REASON_IP_INVALID_DEST);
	return 0;
}

struct input_request {
	struct sk_buff *skb;
	struct net *net;
	struct net_device *dev;
	struct in_device *in_dev;
	be32 daddr, saddr;
	u8 tos;
	struct fib_result res;
};

static int martian(enum skb_drop_reason *reason, enum skb_drop_reason why, int err)
{
	*reason = why;
	return err;
}

static int martian_source(enum skb_drop_reason *reason, int err)
{
	return martian(reason,
		       err == -EXDEV ? SKB_DROP_REASON_IP_RPFILTER :
				       SKB_DROP_REASON_IP_MARTIAN_SOURCE,
		       err);
}

/* To this host: local, broadcast, a group, or (error set) nowhere. Gives the reference to skb. */
static int input_local(struct input_request *r, u32 flags, u16 type, int error,
		       enum skb_drop_reason *reason)
{
	bool cache = r->res.fi && r->res.nh;
	struct rtable *rt;

	if (cache && rt_cache_valid(r->res.nh->rth_input)) {
		rt = r->res.nh->rth_input;
		dst_hold(&rt->dst);
		skb_dst_set(r->skb, &rt->dst);
		return 0;
	}
	rt = rt_dst_alloc(r->net, r->net->loopback_dev, flags | RTCF_LOCAL, type);
	if (!rt)
		return martian(reason, SKB_DROP_REASON_NOMEM, -ENOBUFS);
	rt->dst.output = ip_rt_bug;
	rt->rt_is_input = true;
	if (error) {
		rt->dst.input = ip_error;
		rt->dst.error = error;
		rt->rt_flags &= ~RTCF_LOCAL;
	}
	if (cache)
		rt_set_nexthop(rt, &r->res, NULL, true);
	skb_dst_set(r->skb, &rt->dst);
	return 0;
}

static int input_broadcast(struct input_request *r, enum skb_drop_reason *reason)
{
	/* The next hop may be cached for forwarding then. */
	if (ipv4_devconf_all(r->net, IPV4_DEVCONF_BC_FORWARDING))
		r->res.fi = NULL;
	if (r->skb->protocol != htons(ETH_P_IP))
		return martian(reason, SKB_DROP_REASON_IP_INVALID_DEST, -EINVAL);
	if (!ipv4_is_zeronet(r->saddr)) {
		int err = fib_validate_source(r->skb, r->saddr, 0, r->tos, 0, r->dev, r->in_dev);

		if (err < 0)
			return martian_source(reason, err);
	}
	return input_local(r, RTCF_BROADCAST, RTN_BROADCAST, 0, reason);
}

/* Of several next hops, by what the hash policy looks at. */
static void input_select_path(struct input_request *r)
{
	struct flowi4 fl4 = { .daddr = r->daddr, .saddr = r->saddr };
	const u8 *iph = r->skb->protocol == htons(ETH_P_IP) ? ip_hdr(r->skb) : NULL, *ports;
	u8 buffer[4];

	if (iph) {
		fl4.proto = ip4_protocol(iph);
		ports = ip4_is_fragment(iph) ?
				NULL :
				skb_header_pointer(r->skb,
						   (u32)skb_network_offset(r->skb) + ip4_ihl(iph),
						   4, buffer);
		if (ports && (fl4.proto == IPPROTO_TCP || fl4.proto == IPPROTO_UDP)) {
			fl4.sport = get_be16(ports);
			fl4.dport = get_be16(ports + 2);
		}
	}
	fib_select_path(r->net, &r->res, &fl4, iph ? r->skb : NULL);
}

/* ip_mkroute_input: on to another host. */
static int input_forward(struct input_request *r, enum skb_drop_reason *reason)
{
	struct in_device *out_dev;
	struct net_device *out;
	struct fib_nh_exception *e;
	struct rtable *rt, *cached;
	int err;

	if (r->res.fi->nhs > 1)
		input_select_path(r);
	out = r->res.nh->dev;
	out_dev = out ? out->ip_ptr : NULL;
	if (!out_dev)
		return martian(reason, SKB_DROP_REASON_IP_INNOROUTES, -EINVAL);
	err = fib_validate_source(r->skb, r->saddr, r->daddr, r->tos, r->res.nh->oif, r->dev,
				  r->in_dev);
	if (err < 0)
		return martian_source(reason, err);
	if (out_dev == r->in_dev && err && in_dev_orconf(out_dev, IPV4_DEVCONF_SEND_REDIRECTS) &&
	    (in_dev_orconf(out_dev, IPV4_DEVCONF_SHARED_MEDIA) ||
	     inet_addr_onlink(out_dev, r->saddr, r->res.nh->gw)))
		IPCB(r->skb)->flags |= IPSKB_DOREDIRECT;
	/* Not IP: proxy ARP asks, and does not answer for its own link. */
	if (r->skb->protocol != htons(ETH_P_IP) && out_dev == r->in_dev)
		return martian(reason, SKB_DROP_REASON_ARP_IGNORE, -EINVAL);
	e = fib_find_exception(r->res.nh, r->daddr);
	cached = e ? e->rth_input : r->res.nh->rth_input;
	if (rt_cache_valid(cached)) {
		dst_hold(&cached->dst);
		skb_dst_set(r->skb, &cached->dst);
		return 0;
	}
	rt = rt_dst_alloc(r->net, out, 0, r->res.type);
	if (!rt)
		return martian(reason, SKB_DROP_REASON_NOMEM, -ENOBUFS);
	rt->rt_is_input = true;
	rt->dst.input = ip_forward;
	rt_set_nexthop(rt, &r->res, e, true);
	skb_dst_set(r->skb, &rt->dst);
	return 0;
}

/* Addresses that no route need be asked about. 0: go on. */
static int input_martians(const struct input_request *r, enum skb_drop_reason *reason)
{
	bool lo = r->dev->flags & IFF_LOOPBACK ||
		  in_dev_orconf(r->in_dev, IPV4_DEVCONF_ROUTE_LOCALNET);

	if (ipv4_is_zeronet(r->saddr))
		return martian(reason, SKB_DROP_REASON_IP_INVALID_SOURCE, -EINVAL);
	if (ipv4_is_zeronet(r->daddr))
		return martian(reason, SKB_DROP_REASON_IP_INVALID_DEST, -EINVAL);
	/* RFC 1122 3.2.1.3 (g): 127/8 is never seen outside a host. */
	if ((ipv4_is_loopback(r->daddr) || ipv4_is_loopback(r->saddr)) && !lo)
		return martian(reason, SKB_DROP_REASON_IP_LOCALNET, -EINVAL);
	return 0;
}

static int ip_route_input_slow(struct input_request *r, enum skb_drop_reason *reason)
{
	struct flowi4 fl4 = { .daddr = r->daddr, .saddr = r->saddr, .tos = r->tos };
	int err;

	if (ipv4_is_multicast(r->saddr) || ipv4_is_lbcast(r->saddr))
		return martian(reason, SKB_DROP_REASON_IP_INVALID_SOURCE, -EINVAL);
	if (ipv4_is_lbcast(r->daddr) || (r->saddr == 0 && r->daddr == 0))
		return input_broadcast(r, reason);
	err = input_martians(r, reason);
	if (err)
		return err;
	fl4.iif = r->dev->ifindex;
	fl4.mark = r->skb->mark;
	err = fib_lookup(r->net, &fl4, &r->res);
	if (err || r->res.type == RTN_UNICAST) {
		if (err || !in_dev_forward(r->in_dev)) {
			r->res.fi = NULL;
			return input_local(r, 0, RTN_UNREACHABLE,
					   in_dev_forward(r->in_dev) ? err : -EHOSTUNREACH, reason);
		}
		return input_forward(r, reason);
	}
	if (r->res.type == RTN_BROADCAST) {
		if (in_dev_andconf(r->in_dev, IPV4_DEVCONF_BC_FORWARDING))
			return input_forward(r, reason);
		return input_broadcast(r, reason);
	}
	if (r->res.type != RTN_LOCAL)
		return martian(reason, SKB_DROP_REASON_IP_INVALID_DEST, -EINVAL);
	err = fib_validate_source(r->skb, r->saddr, r->daddr, r->tos, 0, r->dev, r->in_dev);
	if (err < 0)
		return martian_source(reason, err);
	return input_local(r, 0, RTN_LOCAL, 0, reason);
}

/* ip_mc_validate_source, ip_route_input_mc: a group that this host listens to. */
static int input_multicast(struct input_request *r, enum skb_drop_reason *reason)
{
	int err;

	if (!ip_check_mc(r->in_dev, r->daddr))
		return martian(reason, SKB_DROP_REASON_IP_INVALID_DEST, -EINVAL);
	if (ipv4_is_multicast(r->saddr) || ipv4_is_lbcast(r->saddr) ||
	    r->skb->protocol != htons(ETH_P_IP))
		return martian(reason, SKB_DROP_REASON_IP_INVALID_SOURCE, -EINVAL);
	if (ipv4_is_loopback(r->saddr) && !(r->dev->flags & IFF_LOOPBACK) &&
	    !in_dev_orconf(r->in_dev, IPV4_DEVCONF_ROUTE_LOCALNET))
		return martian(reason, SKB_DROP_REASON_IP_LOCALNET, -EINVAL);
	if (ipv4_is_zeronet(r->saddr)) {
		if (!ipv4_is_local_multicast(r->daddr))
			return martian(reason, SKB_DROP_REASON_IP_INVALID_SOURCE, -EINVAL);
	} else {
		err = fib_validate_source(r->skb, r->saddr, 0, r->tos, 0, r->dev, r->in_dev);
		if (err < 0)
			return martian_source(reason, err);
	}
	return input_local(r, RTCF_MULTICAST, RTN_MULTICAST, 0, reason);
}

/* Which slot it is changes no result: a multiplication by large odd numbers is good enough. */
static inline struct rt_input_slot *input_slot(struct net *net, be32 saddr, be32 daddr, u32 ifindex)
{
	u64 h = ntohl(saddr) * 0x9e3779b97f4a7c15ull ^ ntohl(daddr) * 0xc2b2ae3d27d4eb4full ^
		ifindex * 0x165667b19e3779f9ull;

	return &net_ipv4(net)->rt_input[h >> 32 & (RT_INPUT_CACHE - 1)];
}

static void input_remember(struct rt_input_slot *slot, const struct input_request *r)
{
	struct rtable *rt = skb_rtable(r->skb);
	struct rtable *old = slot->rt;

	if (rt->dst.expires || /* ages by itself */
	    (r->res.fi && r->res.fi->nhs > 1)) /* not all of a pair of addresses may go this way */
		return;
	dst_hold(&rt->dst);
	slot->rt = rt;
	if (old)
		dst_release(&old->dst);
	slot->saddr = r->saddr;
	slot->daddr = r->daddr;
	slot->iif = r->dev->ifindex;
	slot->tos = r->tos;
	slot->mark = r->skb->mark;
	slot->anyip = r->dev->anyip;
	slot->genid = r->net->fib_genid;
	slot->doredirect = IPCB(r->skb)->flags & IPSKB_DOREDIRECT;
}

/* The tables are asked, and what they say is remembered in the slot. */
static __attribute__((noinline)) int
ip_route_input_uncached(struct rt_input_slot *slot, struct sk_buff *skb, be32 daddr, be32 saddr,
			u8 tos, struct net_device *dev, enum skb_drop_reason *reason)
{
	struct input_request r = { .skb = skb,
				   .net = dev_net(dev),
				   .dev = dev,
				   .in_dev = dev->ip_ptr,
				   .daddr = daddr,
				   .saddr = saddr,
				   .tos = tos };
	int err;

	if (dev->anyip) /* every packet is for this host, wherever it is from */
		err = input_local(&r, 0, RTN_LOCAL, 0, reason);
	else if (ipv4_is_multicast(daddr))
		err = input_multicast(&r, reason);
	else
		err = ip_route_input_slow(&r, reason);
	if (!err && skb->protocol == htons(ETH_P_IP))
		input_remember(slot, &r);
	return err;
}

int ip_route_input(struct sk_buff *skb, be32 daddr, be32 saddr, u8 tos, struct net_device *dev,
		   enum skb_drop_reason *reason)
{
	struct net *net = dev_net(dev);
	struct rt_input_slot *slot;

	if (unlikely(!dev->ip_ptr))
		return martian(reason, SKB_DROP_REASON_IP_INNOROUTES, -EINVAL);
	tos &= RT_TOS_MASK;
	slot = input_slot(net, saddr, daddr, dev->ifindex);
	if (slot->rt && slot->genid == net->fib_genid && slot->saddr == saddr &&
	    slot->daddr == daddr && slot->iif == dev->ifindex && slot->tos == tos &&
	    slot->mark == skb->mark && slot->anyip == dev->anyip && !slot->rt->dst.obsolete &&
	    skb->protocol == htons(ETH_P_IP)) {
		if (slot->doredirect)
			IPCB(skb)->flags |= IPSKB_DOREDIRECT;
		dst_hold(&slot->rt->dst);
		skb_dst_set(skb, &slot->rt->dst);
		return 0;
	}
	return ip_route_input_uncached(slot, skb, daddr, saddr, tos, dev, reason);
}
