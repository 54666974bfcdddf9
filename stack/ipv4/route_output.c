/* SPDX-License-Identifier: MIT */
/* Where a packet of ours goes, and from which address (net/ipv4/route.c: ip_route_output_key_hash;
 * RFC 1122 3.3.1, 3.3.4). */
#include "ipv4/route_cache.h"

struct output_request {
	struct net *net;
	struct flowi4 *fl4;
	struct fib_result *res; /* fi NULL: none */
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
		o->res->fi = NULL; /* no gateway */
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
		if (o->res->fi && o->res->prefixlen < 4) /* by the default route: no gateway */
			o->res->fi = NULL;
	} else if (o->type == RTN_LOCAL && o->orig_oif && o->orig_oif != o->dev->ifindex) {
		cache = false;
	}
	cache = cache && o->res->fi;
	if (o->res->fi) {
		struct rtable *cached;

		e = fib_find_exception(o->res->nh, fl4->daddr);
		cached = e ? e->rth_output : o->res->nh->rth_output;
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
	if (o->res->fi)
		rt_set_nexthop(rt, o->res, e, cache);
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

	o->res->fi = NULL;
	o->res->tb = NULL;
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
	int err = fib_lookup(o->net, fl4, o->res);

	if (err)
		return output_onlink(o, err);
	o->type = o->res->type;
	if (o->type == RTN_LOCAL) {
		if (!fl4->saddr)
			fl4->saddr = o->res->fi->prefsrc ? o->res->fi->prefsrc : fl4->daddr;
		o->orig_oif = o->res->nh->oif;
		o->dev = o->net->loopback_dev;
		fl4->oif = o->dev->ifindex;
		o->flags |= RTCF_LOCAL;
		return 0;
	}
	fib_select_path(o->net, o->res, fl4, NULL);
	if (!fl4->saddr)
		fl4->saddr = fib_result_prefsrc(o->res);
	o->dev = o->res->nh->dev;
	return o->dev ? 0 : -ENETUNREACH;
}

struct rtable *ip_route_output_key_hash(struct net *net, struct flowi4 *fl4, struct fib_result *res,
					int *err)
{
	struct output_request o = { .net = net, .fl4 = fl4, .res = res, .orig_oif = fl4->oif };

	res->fi = NULL;
	res->tb = NULL;
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

struct rtable *ip_route_output_key(struct net *net, struct flowi4 *fl4, int *err)
{
	struct fib_result res;

	return ip_route_output_key_hash(net, fl4, &res, err);
}

struct rtable *ip_route_output_flow(struct net *net, struct flowi4 *fl4, const struct sock *sk,
				    int *err)
{
	(void)sk; /* IPsec would ask it */
	return ip_route_output_key(net, fl4, err);
}

struct rtable *ip_route_connect(struct net *net, struct flowi4 *fl4, const struct sock *sk,
				int *err)
{
	u32 oif = fl4->oif;

	if (!fl4->daddr || !fl4->saddr) {
		struct rtable *rt = ip_route_output_key(net, fl4, err);

		if (!rt)
			return NULL;
		dst_release(&rt->dst);
		fl4->oif = oif;
	}
	return ip_route_output_flow(net, fl4, sk, err);
}

struct rtable *ip_route_newports(struct flowi4 *fl4, struct rtable *rt, const struct sock *sk,
				 int *err)
{
	if (!(fl4->flags & FLOWI_FLAG_ANY_SPORT))
		return rt;
	dst_release(&rt->dst);
	fl4->flags &= (u8)~FLOWI_FLAG_ANY_SPORT;
	fl4->sport = sk->inet_num;
	fl4->oif = sk->sk_bound_dev_if;
	return ip_route_output_flow(sk->net, fl4, sk, err);
}
