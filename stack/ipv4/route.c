/* SPDX-License-Identifier: MIT */
/*
 * Routing decisions (net/ipv4/route.c): what a packet that arrived is (ip_route_input), where one
 * of ours goes (ip_route_output), path MTUs and redirects learnt from ICMP.
 *
 * An rtable is cached at its next hop or exception, and input decisions in a small table by flow;
 * each is looked at only while its generation is the namespace's (net->fib_genid grows with every
 * change of routes, addresses, groups and switches). Every rtable is on netns_ipv4.rtables, so that
 * a device that goes away is let go of.
 */
#include "ipv4/route.h"

#include "ipv4/arp.h"
#include "ipv4/fib.h"
#include "ipv4/icmp.h"
#include "ipv4/ip.h"
#include "ipv4/netns_ipv4.h"

#define IP_RT_GC_TIMEOUT (300u * HZ)
#define RT_TOS_MASK	 0x1cu

/* ---- dst_ops ---- */

static struct net *rt_net(const struct rtable *rt)
{
	return rt->net;
}

static bool rt_is_expired(const struct rtable *rt)
{
	return rt->rt_genid != rt->net->fib_genid;
}

/* An exception's route is good until it ages. */
static bool rt_cache_valid(const struct rtable *rt)
{
	return rt && !rt->dst.obsolete && !rt_is_expired(rt) &&
	       (!rt->dst.expires || net_world(rt->net)->now <= rt->dst.expires);
}

static bool ipv4_dst_check(const struct dst_entry *dst, u32 cookie)
{
	(void)cookie;
	return rt_cache_valid((const struct rtable *)(const void *)dst);
}

u32 ip_dst_mtu_maybe_forward(const struct dst_entry *dst, bool forwarding)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;
	u32 mtu;

	if ((!forwarding || rt->rt_mtu_locked) && rt->rt_pmtu &&
	    net_world(rt->net)->now < dst->expires)
		return rt->rt_pmtu;
	mtu = dst_metric(dst, RTAX_MTU);
	if (!mtu)
		mtu = dst->dev ? dst->dev->mtu : IPV4_MIN_MTU;
	return min_u32(mtu, IP_MAX_MTU);
}

static u32 ipv4_mtu(const struct dst_entry *dst)
{
	return ip_dst_mtu_maybe_forward(dst, false);
}

static u32 ipv4_default_advmss(const struct dst_entry *dst)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;
	u32 mtu = ipv4_mtu(dst), min = (u32)rt->net->sysctl.min_adv_mss;

	return min_u32(max_u32(mtu > 40 ? mtu - 40 : 0, min), IP_MAX_MTU - 40);
}

static void ipv4_link_failure(struct sk_buff *skb)
{
	struct rtable *rt;

	__icmp_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, &IPCB(skb)->opt);
	rt = skb_rtable(skb);
	if (rt)
		rt->dst.expires = net_world(rt->net)->now;
}

static struct neighbour *ipv4_neigh_lookup(struct dst_entry *dst, struct sk_buff *skb,
					   const void *daddr)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;
	be32 addr = rt->rt_uses_gateway ? rt->rt_gw4 : 0;

	if (!addr && daddr)
		memcpy(&addr, daddr, sizeof(addr));
	if (!addr && skb)
		addr = ip4_daddr(ip_hdr(skb));
	return ip_neigh_gw4(dst->dev, addr);
}

static void ipv4_dst_destroy(struct dst_entry *dst)
{
	struct rtable *rt = (struct rtable *)(void *)dst;
	struct world *w = net_world(rt->net);

	list_del_init(&rt->list);
	if (dst->dev)
		dev_put(dst->dev);
	fib_info_put(rt->fi);
	mem_free(w, MEM_DST, rt, sizeof(*rt));
}

static void ip_rt_update_pmtu(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb, u32 mtu);
static void ip_do_redirect(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb);
static void ipv4_negative_advice(struct sock *sk, struct dst_entry *dst);

static const struct dst_ops ipv4_dst_ops = {
	.family = AF_INET,
	.check = ipv4_dst_check,
	.mtu = ipv4_mtu,
	.default_advmss = ipv4_default_advmss,
	.update_pmtu = ip_rt_update_pmtu,
	.redirect = ip_do_redirect,
	.negative_advice = ipv4_negative_advice,
	.link_failure = ipv4_link_failure,
	.neigh_lookup = ipv4_neigh_lookup,
	.destroy = ipv4_dst_destroy,
};

static int ip_rt_bug(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	(void)net;
	(void)sk;
	kfree_skb_reason(skb, SKB_DROP_REASON_IP_INVALID_DEST);
	return 0;
}

static struct rtable *rt_dst_alloc(struct net *net, struct net_device *dev, u32 flags, u16 type)
{
	struct rtable *rt = mem_zalloc(net_world(net), MEM_DST, sizeof(*rt));

	if (!rt)
		return NULL;
	rt->net = net;
	rt->dst.dev = dev;
	dev_hold(dev);
	rt->dst.ops = &ipv4_dst_ops;
	rt->dst.refcnt = 1;
	rt->dst.output = ip_output;
	rt->rt_genid = net->fib_genid;
	rt->rt_flags = flags;
	rt->rt_type = type;
	if (flags & RTCF_LOCAL)
		rt->dst.input = ip_local_deliver;
	list_add_tail(&rt->list, &net_ipv4(net)->rtables);
	return rt;
}

static void slot_set(struct rtable **slot, struct rtable *rt)
{
	struct rtable *old = *slot;

	dst_hold(&rt->dst);
	*slot = rt;
	if (old)
		dst_release(&old->dst);
}

/* Fills in what the route and an exception say; caches at them when `cache`. */
static void rt_set_nexthop(struct rtable *rt, const struct fib_result *res,
			   struct fib_nh_exception *e, bool cache)
{
	struct fib_nh *nh = res->nh;
	struct fib_info *fi = res->fi;

	rt->fi = fi;
	fi->refcnt++;
	if (nh->gw && nh->scope == RT_SCOPE_LINK) {
		rt->rt_uses_gateway = true;
		rt->rt_gw4 = nh->gw;
	}
	if (fi->has_metrics)
		rt->dst.metrics = fi->metrics;
	if (e) {
		rt->rt_pmtu = e->pmtu;
		rt->rt_mtu_locked = e->mtu_locked;
		/* In ns; an entry that says 1 aged at once. */
		rt->dst.expires = net_world(rt->net)->now;
		if (e->expires > jiffies(rt->net->host))
			rt->dst.expires += (e->expires - jiffies(rt->net->host)) * JIFFY_NS;
		if (e->gw) {
			rt->rt_flags |= RTCF_REDIRECTED;
			rt->rt_uses_gateway = true;
			rt->rt_gw4 = e->gw;
		}
		e->stamp = jiffies(rt->net->host);
	}
	if (!cache)
		return;
	if (e)
		slot_set(rt->rt_is_input ? &e->rth_input : &e->rth_output, rt);
	else
		slot_set(rt->rt_is_input ? &nh->rth_input : &nh->rth_output, rt);
}

/* ---- input ---- */

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

/* ip_mkroute_input: on to another host. */
static int input_forward(struct input_request *r, enum skb_drop_reason *reason)
{
	struct net_device *out = r->res.nh->dev;
	struct in_device *out_dev = out ? out->ip_ptr : NULL;
	struct fib_nh_exception *e;
	struct rtable *rt, *cached;
	int err;

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

static struct rt_input_slot *input_slot(struct net *net, const struct input_request *r)
{
	u64 h = (u64)r->saddr << 32 ^ r->daddr ^ (u64)r->dev->ifindex << 48;

	h = (u64)ntohl((be32)h) ^ (u64)ntohl((be32)(h >> 32)) << 32;
	return &net_ipv4(net)->rt_input[mix64(h) & (RT_INPUT_CACHE - 1)];
}

static void input_remember(struct rt_input_slot *slot, const struct input_request *r)
{
	struct rtable *rt = skb_rtable(r->skb);
	struct rtable *old = slot->rt;

	if (rt->dst.expires) /* ages by itself */
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

int ip_route_input(struct sk_buff *skb, be32 daddr, be32 saddr, u8 tos, struct net_device *dev,
		   enum skb_drop_reason *reason)
{
	struct input_request r = { .skb = skb,
				   .net = dev_net(dev),
				   .dev = dev,
				   .in_dev = dev->ip_ptr,
				   .daddr = daddr,
				   .saddr = saddr,
				   .tos = (u8)(tos & RT_TOS_MASK) };
	struct rt_input_slot *slot;
	int err;

	if (!r.in_dev)
		return martian(reason, SKB_DROP_REASON_IP_INNOROUTES, -EINVAL);
	slot = input_slot(r.net, &r);
	if (slot->rt && slot->genid == r.net->fib_genid && slot->saddr == saddr &&
	    slot->daddr == daddr && slot->iif == dev->ifindex && slot->tos == r.tos &&
	    slot->mark == skb->mark && slot->anyip == dev->anyip && !slot->rt->dst.obsolete &&
	    skb->protocol == htons(ETH_P_IP)) {
		if (slot->doredirect)
			IPCB(skb)->flags |= IPSKB_DOREDIRECT;
		dst_hold(&slot->rt->dst);
		skb_dst_set(skb, &slot->rt->dst);
		return 0;
	}
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

/* ---- output ---- */

struct output_request {
	struct net *net;
	struct flowi4 *fl4;
	struct fib_result res; /* fi NULL: none */
	struct net_device *dev;
	u32 orig_oif, flags;
	u16 type;
};

static struct rtable *output_fail(int *err, int why)
{
	*err = why;
	return NULL;
}

/* __mkroute_output */
static struct rtable *mkroute_output(struct output_request *o, int *err)
{
	struct in_device *in_dev = o->dev->ip_ptr;
	struct flowi4 *fl4 = o->fl4;
	bool cache, lo = o->dev->flags & IFF_LOOPBACK;
	struct fib_nh_exception *e = NULL;
	struct rtable *rt;

	if (!in_dev)
		return output_fail(err, -EINVAL);
	if (ipv4_is_loopback(fl4->saddr) && !lo &&
	    !in_dev_orconf(in_dev, IPV4_DEVCONF_ROUTE_LOCALNET))
		return output_fail(err, -EINVAL);
	if (ipv4_is_lbcast(fl4->daddr)) {
		o->type = RTN_BROADCAST;
		o->res.fi = NULL; /* no gateway */
	} else if (ipv4_is_multicast(fl4->daddr)) {
		o->type = RTN_MULTICAST;
	} else if (ipv4_is_zeronet(fl4->daddr)) {
		return output_fail(err, -EINVAL);
	}
	if (lo)
		o->flags |= RTCF_LOCAL;
	cache = true;
	if (o->type == RTN_BROADCAST) {
		o->flags |= RTCF_BROADCAST | RTCF_LOCAL;
	} else if (o->type == RTN_MULTICAST) {
		o->flags |= RTCF_MULTICAST | RTCF_LOCAL;
		cache = false;
		if (!ip_check_mc(in_dev, fl4->daddr))
			o->flags &= ~RTCF_LOCAL;
		if (o->res.fi && o->res.prefixlen < 4) /* by the default route: no gateway */
			o->res.fi = NULL;
	} else if (o->type == RTN_LOCAL && o->orig_oif && o->orig_oif != o->dev->ifindex) {
		cache = false;
	}
	cache = cache && o->res.fi;
	if (o->res.fi) {
		struct rtable *cached;

		e = fib_find_exception(o->res.nh, fl4->daddr);
		cached = e ? e->rth_output : o->res.nh->rth_output;
		if (cache && rt_cache_valid(cached)) {
			dst_hold(&cached->dst);
			return cached;
		}
	}
	rt = rt_dst_alloc(o->net, o->dev, o->flags, o->type);
	if (!rt)
		return output_fail(err, -ENOBUFS);
	rt->rt_iif = o->orig_oif;
	if (o->flags & (RTCF_BROADCAST | RTCF_MULTICAST) && o->flags & RTCF_LOCAL && !lo)
		rt->dst.output = ip_mc_output;
	if (o->res.fi)
		rt_set_nexthop(rt, &o->res, e, cache);
	return rt;
}

/* The caller named a source or a device. 0: go on; 1: o->dev is decided; < 0: error. */
static int output_given(struct output_request *o)
{
	struct flowi4 *fl4 = o->fl4;
	bool group = ipv4_is_multicast(fl4->daddr) || ipv4_is_lbcast(fl4->daddr);

	if (fl4->saddr) {
		struct net_device *dev;

		if (ipv4_is_multicast(fl4->saddr) || ipv4_is_lbcast(fl4->saddr))
			return -EINVAL;
		dev = ip_dev_find(o->net, fl4->saddr);
		if (!fl4->oif && group) {
			if (!dev)
				return -ENETUNREACH;
			o->dev = dev;
			fl4->oif = dev->ifindex;
			return 1;
		}
		if (!dev && !(fl4->flags & FLOWI_FLAG_ANYSRC))
			return -ENETUNREACH;
	}
	if (!fl4->oif)
		return 0;
	o->dev = dev_get_by_index(o->net, fl4->oif);
	if (!o->dev)
		return -ENODEV;
	if (!(o->dev->flags & IFF_UP) || !o->dev->ip_ptr)
		return -ENETUNREACH;
	if (ipv4_is_local_multicast(fl4->daddr) || ipv4_is_lbcast(fl4->daddr) ||
	    fl4->proto == IPPROTO_IGMP) {
		if (!fl4->saddr)
			fl4->saddr = inet_select_addr(o->dev, 0, RT_SCOPE_LINK);
		return 1;
	}
	if (!fl4->saddr) {
		if (ipv4_is_multicast(fl4->daddr))
			fl4->saddr = inet_select_addr(o->dev, 0, fl4->scope);
		else if (!fl4->daddr)
			fl4->saddr = inet_select_addr(o->dev, 0, RT_SCOPE_HOST);
	}
	return 0;
}

/* No route: with a device named, the destination is taken to be on its link. */
static int output_onlink(struct output_request *o, int err)
{
	struct flowi4 *fl4 = o->fl4;

	o->res.fi = NULL;
	if (!fl4->oif)
		return err;
	if (!fl4->saddr)
		fl4->saddr = inet_select_addr(o->dev, 0, RT_SCOPE_LINK);
	o->type = RTN_UNICAST;
	return 0;
}

static int output_lookup(struct output_request *o)
{
	struct flowi4 *fl4 = o->fl4;
	int err = fib_lookup(o->net, fl4, &o->res);

	if (err)
		return output_onlink(o, err);
	o->type = o->res.type;
	if (o->type == RTN_LOCAL) {
		if (!fl4->saddr)
			fl4->saddr = o->res.fi->prefsrc ? o->res.fi->prefsrc : fl4->daddr;
		o->orig_oif = o->res.nh->oif;
		o->dev = o->net->loopback_dev;
		fl4->oif = o->dev->ifindex;
		o->flags |= RTCF_LOCAL;
		return 0;
	}
	if (!fl4->saddr)
		fl4->saddr = fib_result_prefsrc(o->net, &o->res);
	o->dev = o->res.nh->dev;
	return o->dev ? 0 : -ENETUNREACH;
}

struct rtable *ip_route_output_key(struct net *net, struct flowi4 *fl4, int *err)
{
	struct output_request o = { .net = net, .fl4 = fl4, .orig_oif = fl4->oif };

	fl4->iif = net->loopback_dev->ifindex;
	fl4->tos &= RT_TOS_MASK;
	*err = output_given(&o);
	if (*err < 0)
		return NULL;
	if (*err == 1) {
		o.type = RTN_UNICAST;
		*err = 0;
	} else if (!fl4->daddr) { /* to no one: to ourselves */
		if (!fl4->saddr)
			fl4->saddr = htonl(0x7f000001u);
		fl4->daddr = fl4->saddr;
		o.dev = net->loopback_dev;
		fl4->oif = o.dev->ifindex;
		o.type = RTN_LOCAL;
		o.flags |= RTCF_LOCAL;
	} else {
		*err = output_lookup(&o);
		if (*err)
			return NULL;
	}
	return mkroute_output(&o, err);
}

struct rtable *ip_route_output_flow(struct net *net, struct flowi4 *fl4, const struct sock *sk,
				    int *err)
{
	(void)sk; /* IPsec would ask it */
	return ip_route_output_key(net, fl4, err);
}

/* ---- what ICMP teaches ---- */

/* The flow of a packet of ours that an error quotes. */
static struct flowi4 quoted_flow(const struct sk_buff *skb, u32 oif, u8 protocol)
{
	struct flowi4 fl4 = { .oif = oif, .proto = protocol };

	fl4.daddr = ip4_daddr(skb->data);
	fl4.saddr = ip4_saddr(skb->data);
	fl4.tos = ip4_tos(skb->data) & RT_TOS_MASK;
	return fl4;
}

static void rt_update_pmtu(struct rtable *rt, struct flowi4 *fl4, u32 mtu)
{
	struct net *net = rt_net(rt);
	u32 old_mtu = ipv4_mtu(&rt->dst), min = (u32)net->sysctl.min_pmtu;
	u64 expires = (u64)net->sysctl.mtu_expires * HZ;
	struct fib_result res;
	bool lock = false;

	if (old_mtu < mtu)
		return;
	if (mtu < min) {
		lock = true;
		mtu = min_u32(old_mtu, min);
	}
	if (rt->rt_pmtu == mtu && !lock &&
	    net_world(net)->now + expires * JIFFY_NS / 2 < rt->dst.expires)
		return;
	if (fib_lookup(net, fl4, &res) == 0)
		fib_update_exception(res.nh, fl4->daddr, 0, mtu, lock,
				     jiffies(net->host) + expires);
}

static void ip_rt_update_pmtu(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb, u32 mtu)
{
	struct rtable *rt = (struct rtable *)(void *)dst;
	struct flowi4 fl4 = { 0 };

	if (skb) {
		fl4 = quoted_flow(skb, 0, ip4_protocol(skb->data));
	} else if (sk) {
		fl4.daddr = sk->inet_daddr;
		fl4.saddr = sk->inet_saddr;
		fl4.tos = sk->inet_tos & RT_TOS_MASK;
		fl4.oif = sk->sk_bound_dev_if;
	}
	rt_update_pmtu(rt, &fl4, mtu);
}

void ipv4_update_pmtu(struct sk_buff *skb, struct net *net, u32 mtu, u32 oif, u8 protocol)
{
	struct flowi4 fl4 = quoted_flow(skb, oif, protocol);
	struct rtable *rt;
	int err;

	fl4.flags = FLOWI_FLAG_ANYSRC;
	rt = ip_route_output_key(net, &fl4, &err);
	if (!rt)
		return;
	rt_update_pmtu(rt, &fl4, mtu);
	dst_release(&rt->dst);
}

void ipv4_sk_update_pmtu(struct sk_buff *skb, struct sock *sk, u32 mtu)
{
	ipv4_update_pmtu(skb, sk->net, mtu, sk->sk_bound_dev_if, sk->sk_protocol);
	if (sk->dst_cache && !rt_cache_valid((struct rtable *)(void *)sk->dst_cache))
		sk_dst_reset(sk);
}

static bool redirect_acceptable(const struct rtable *rt, be32 new_gw, be32 old_gw)
{
	const struct in_device *in_dev = rt->dst.dev ? rt->dst.dev->ip_ptr : NULL;

	/* RFC 1122 3.2.2.2: only from the present first hop, to one on the link. */
	if (!rt->rt_uses_gateway || rt->rt_gw4 != old_gw || !in_dev)
		return false;
	if (new_gw == old_gw || !in_dev_rx_redirects(in_dev) || ipv4_is_multicast(new_gw) ||
	    ipv4_is_lbcast(new_gw) || ipv4_is_zeronet(new_gw))
		return false;
	if (in_dev_orconf(in_dev, IPV4_DEVCONF_SHARED_MEDIA))
		return inet_addr_type(rt->net, new_gw) == RTN_UNICAST;
	return inet_addr_onlink(in_dev, new_gw, old_gw);
}

static void rt_redirect(struct rtable *rt, struct sk_buff *skb, struct flowi4 *fl4)
{
	const u8 *icmph = skb_transport_header(skb);
	be32 new_gw = load_be32(icmph + 4), old_gw = ip4_saddr(ip_hdr(skb));
	struct neighbour *n;
	struct fib_result res;

	if (icmp4_code(icmph) > ICMP_REDIR_HOSTTOS || !redirect_acceptable(rt, new_gw, old_gw))
		return;
	n = ip_neigh_gw4(rt->dst.dev, new_gw);
	if (!n)
		return;
	if (!(n->nud_state & NUD_VALID)) {
		neigh_event_send(n, NULL);
		return;
	}
	if (fib_lookup(rt->net, fl4, &res) == 0)
		fib_update_exception(res.nh, fl4->daddr, new_gw, 0, false,
				     jiffies(rt->net->host) + IP_RT_GC_TIMEOUT);
}

static void ip_do_redirect(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb)
{
	struct flowi4 fl4 = quoted_flow(skb, 0, ip4_protocol(skb->data));

	(void)sk;
	rt_redirect((struct rtable *)(void *)dst, skb, &fl4);
}

void ipv4_redirect(struct sk_buff *skb, struct net *net, u32 oif, u8 protocol)
{
	struct flowi4 fl4 = quoted_flow(skb, oif, protocol);
	struct rtable *rt;
	int err;

	fl4.flags = FLOWI_FLAG_ANYSRC;
	rt = ip_route_output_key(net, &fl4, &err);
	if (!rt)
		return;
	rt_redirect(rt, skb, &fl4);
	dst_release(&rt->dst);
}

void ipv4_sk_redirect(struct sk_buff *skb, struct sock *sk)
{
	ipv4_redirect(skb, sk->net, sk->sk_bound_dev_if, sk->sk_protocol);
}

static void ipv4_negative_advice(struct sock *sk, struct dst_entry *dst)
{
	const struct rtable *rt = (const struct rtable *)(const void *)dst;

	if (dst->obsolete || rt->rt_flags & RTCF_REDIRECTED || dst->expires)
		sk_dst_reset(sk);
}

/* ---- the end of devices and namespaces ---- */

void rt_input_cache_flush(struct net *net)
{
	for (u32 i = 0; i < RT_INPUT_CACHE; i++) {
		struct rtable *rt = net_ipv4(net)->rt_input[i].rt;

		net_ipv4(net)->rt_input[i].rt = NULL;
		if (rt)
			dst_release(&rt->dst);
	}
}

void rt_flush_dev(struct net_device *dev)
{
	struct net *net = dev_net(dev);

	rt_input_cache_flush(net);
	list_for_each(pos, &net_ipv4(net)->rtables) {
		struct rtable *rt = list_entry(pos, struct rtable, list);

		if (rt->dst.dev == dev)
			dst_dev_put(&rt->dst, dev == net->loopback_dev ? NULL : net->loopback_dev);
	}
}

int ip_rt_net_init(struct net *net)
{
	list_init(&net_ipv4(net)->rtables);
	return 0;
}

void ip_rt_net_exit(struct net *net)
{
	rt_input_cache_flush(net);
}
