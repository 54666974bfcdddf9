/* SPDX-License-Identifier: MIT */
/*
 * The table of IPv6 routes and its lookup (net/ipv6/route.c, ip6_fib.c). Routes are hashed by
 * prefix and length, and a lookup tries the lengths that are in use, longest first: its cost is
 * bounded by the number of different lengths, whatever the number of routes.
 */
#include "ipv6/ip6_route.h"

#include "ipv6/ipv6.h"
#include "lib/hash.h"
#include "stack/errno.h"

static const struct dst_ops ip6_dst_ops;

static struct rt6_info *rt6_of(const struct hlist_node *n)
{
	return container_of(n, struct rt6_info, node);
}

static struct inet_addr prefix_of(const struct inet_addr *a, u32 plen)
{
	struct inet_addr p = { 0 };

	for (u32 i = 0; i < 4 && plen > i * 32; i++) {
		u32 bits = min_u32(plen - i * 32, 32);

		p.w[i] = a->w[i] & htonl(bits == 32 ? UINT32_MAX : ~(UINT32_MAX >> bits));
	}
	return p;
}

static struct hlist_head *bucket(struct netns_ipv6 *ns, const struct inet_addr *prefix, u32 plen)
{
	u64 a = (u64)prefix->w[0] << 32 | prefix->w[1], b = (u64)prefix->w[2] << 32 | prefix->w[3];

	return &ns->routes[mix64(mix64(a) ^ b ^ plen) % IP6_ROUTE_HASH];
}

/* ---- dst_ops ---- */

static bool ip6_dst_check(const struct dst_entry *dst, u32 cookie)
{
	const struct rt6_info *rt = (const struct rt6_info *)(const void *)dst;

	return cookie == rt6_cookie(rt->net) &&
	       !(dst->expires && dst->expires <= net_world(rt->net)->now);
}

static u32 ip6_mtu(const struct dst_entry *dst)
{
	const struct rt6_info *rt = (const struct rt6_info *)(const void *)dst;

	if (rt->pmtu)
		return rt->pmtu;
	return dst_metric(dst, RTAX_MTU) ? dst_metric(dst, RTAX_MTU) : dst->dev->mtu;
}

/* RFC 9293 3.7.1: what fits behind a header without extensions. */
static u32 ip6_default_advmss(const struct dst_entry *dst)
{
	u32 mtu = ip6_mtu(dst);

	return min_u32(mtu > IP6_HLEN + 20 ? mtu - IP6_HLEN - 20 : 0, 65535 - 20);
}

/* RFC 8201 4: a smaller path MTU makes a host route that expires (net.ipv6.route.mtu_expires). */
#define IP6_MTU_EXPIRES_NS (600 * 1000000000ull)

static void ip6_rt_update_pmtu(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb, u32 mtu)
{
	struct rt6_info *rt = (struct rt6_info *)(void *)dst;
	struct rt6_spec spec = { .gateway = rt->gateway,
				 .prefsrc = rt->prefsrc,
				 .plen = 128,
				 .type = rt->type,
				 .has_gateway = rt->has_gateway,
				 .dev = dst->dev };

	(void)skb;
	/* RFC 8201 4: less than every link carries is no path MTU. */
	if (!sk || mtu < IPV6_MIN_MTU || mtu >= ip6_mtu(dst) || rt->type != RTN_UNICAST)
		return;
	spec.prefix = sk->pinet6->daddr;
	spec.pmtu = mtu;
	spec.expires = net_world(rt->net)->now + IP6_MTU_EXPIRES_NS;
	if (rt->pmtu)
		ip6_route_del(rt->net, &spec.prefix, 128, rt->type, dst->dev);
	ip6_route_add(rt->net, &spec);
}

static void ip6_negative_advice(struct sock *sk, struct dst_entry *dst)
{
	const struct rt6_info *rt = (const struct rt6_info *)(const void *)dst;

	if (rt->pmtu)
		sk_dst_reset(sk);
}

static void ip6_dst_destroy(struct dst_entry *dst)
{
	struct rt6_info *rt = (struct rt6_info *)(void *)dst;

	ASSERT(hlist_unhashed(&rt->node));
	if (dst->dev)
		dev_put(dst->dev);
	mem_free(net_world(rt->net), MEM_DST, rt, sizeof(*rt));
}

static const struct dst_ops ip6_dst_ops = {
	.family = AF_INET6,
	.check = ip6_dst_check,
	.mtu = ip6_mtu,
	.default_advmss = ip6_default_advmss,
	.update_pmtu = ip6_rt_update_pmtu,
	.negative_advice = ip6_negative_advice,
	.destroy = ip6_dst_destroy,
};

/* ---- the table ---- */

u32 rt6_cookie(const struct net *net)
{
	return netns6(net) ? netns6(net)->genid : 0;
}

static void rt6_unlink(struct netns_ipv6 *ns, struct rt6_info *rt)
{
	hlist_del_init(&rt->node);
	ns->plen_count[rt->plen]--;
	ns->genid++;
	rt->dst.obsolete = true;
	dst_release(&rt->dst);
}

static s32 rt6_error(u8 type)
{
	switch (type) {
	case RTN_UNREACHABLE:
		return -EHOSTUNREACH;
	case RTN_PROHIBIT:
		return -EACCES;
	case RTN_BLACKHOLE:
		return -EINVAL;
	default:
		return 0;
	}
}

int ip6_route_add(struct net *net, const struct rt6_spec *spec)
{
	struct netns_ipv6 *ns = netns6(net);
	struct inet_addr prefix = prefix_of(&spec->prefix, spec->plen);
	struct hlist_head *head = bucket(ns, &prefix, spec->plen);
	struct rt6_info *rt;

	hlist_for_each(n, head)
	{
		rt = rt6_of(n);
		if (rt->plen == spec->plen && inet_addr_equal(&rt->prefix, &prefix) &&
		    rt->metric == spec->metric && rt->dst.dev == spec->dev &&
		    rt->type == spec->type && !rt->pmtu == !spec->pmtu)
			return -EEXIST;
	}
	rt = mem_zalloc(net_world(net), MEM_DST, sizeof(*rt));
	if (!rt)
		return -ENOMEM;
	rt->net = net;
	rt->prefix = prefix;
	rt->gateway = spec->gateway;
	rt->has_gateway = spec->has_gateway;
	rt->prefsrc = spec->prefsrc;
	rt->plen = spec->plen;
	rt->type = spec->type;
	rt->metric = spec->metric;
	rt->pmtu = spec->pmtu;
	rt->metrics[RTAX_MTU] = spec->mtu;
	rt->dst.dev = spec->dev;
	dev_hold(spec->dev);
	rt->dst.ops = &ip6_dst_ops;
	rt->dst.metrics = rt->metrics;
	rt->dst.refcnt = 1;
	rt->dst.expires = spec->expires;
	rt->dst.error = rt6_error(spec->type);
	rt->dst.input = spec->type == RTN_LOCAL ? ip6_input : dst_discard;
	rt->dst.output = rt->dst.error ? dst_discard_out : ip6_output;
	hlist_add_head(&rt->node, head);
	ns->plen_count[rt->plen]++;
	ns->genid++;
	return 0;
}

int ip6_route_del(struct net *net, const struct inet_addr *prefix, u8 plen, u8 type,
		  const struct net_device *dev)
{
	struct netns_ipv6 *ns = netns6(net);
	struct inet_addr p = prefix_of(prefix, plen);

	hlist_for_each(n, bucket(ns, &p, plen))
	{
		struct rt6_info *rt = rt6_of(n);

		if (rt->plen != plen || !inet_addr_equal(&rt->prefix, &p) || rt->type != type ||
		    (dev && rt->dst.dev != dev))
			continue;
		rt6_unlink(ns, rt);
		return 0;
	}
	return -ESRCH;
}

/* dev NULL: all. */
static void flush(struct net *net, const struct net_device *dev)
{
	struct netns_ipv6 *ns = netns6(net);

	for (u32 i = 0; i < IP6_ROUTE_HASH; i++) {
		hlist_for_each_safe(n, tmp, &ns->routes[i])
		{
			struct rt6_info *rt = rt6_of(n);

			if (dev && rt->dst.dev != dev)
				continue;
			/* A socket may hold it longer than the device lives. */
			dst_hold(&rt->dst);
			rt6_unlink(ns, rt);
			if (rt->dst.refcnt > 1)
				dst_dev_put(&rt->dst, net->loopback_dev != rt->dst.dev ?
							      net->loopback_dev :
							      NULL);
			dst_release(&rt->dst);
		}
	}
}

void ip6_route_flush_dev(struct net *net, const struct net_device *dev)
{
	flush(net, dev);
}

void ip6_route_flush(struct net *net)
{
	flush(net, NULL);
}

/* ---- lookup ---- */

static struct rt6_info *fib6_lookup(struct net *net, const struct inet_addr *daddr, u32 oif)
{
	struct netns_ipv6 *ns = netns6(net);
	u64 now = net_world(net)->now;

	for (u32 plen = 128; plen <= 128; plen--) {
		struct inet_addr p;
		struct rt6_info *best = NULL;

		if (!ns->plen_count[plen])
			continue;
		p = prefix_of(daddr, plen);
		hlist_for_each(n, bucket(ns, &p, plen))
		{
			struct rt6_info *rt = rt6_of(n);

			if (rt->plen != plen || !inet_addr_equal(&rt->prefix, &p) ||
			    (oif && rt->dst.dev->ifindex != oif && rt->type != RTN_LOCAL) ||
			    (rt->dst.expires && rt->dst.expires <= now))
				continue;
			/* An exception goes before the route that it was made from. */
			if (!best || rt->metric < best->metric || (rt->pmtu && !best->pmtu))
				best = rt;
		}
		if (best)
			return best;
	}
	return NULL;
}

static bool source_select(struct net *net, const struct rt6_info *rt, struct flowi6 *fl6)
{
	const struct inet6_ifaddr *best = NULL;
	u32 best_score = 0;

	if (!inet_addr_any(&rt->prefsrc)) {
		fl6->saddr = rt->prefsrc;
		return true;
	}
	if (rt->type == RTN_LOCAL) {
		fl6->saddr = fl6->daddr;
		return true;
	}
	list_for_each(pos, &netns6(net)->addrs) {
		const struct inet6_ifaddr *ifa = list_entry(pos, struct inet6_ifaddr, list);
		u32 score = 1 + ipv6_addr_diff(&ifa->addr, &fl6->daddr) +
			    (ifa->dev == rt->dst.dev ? 256 : 0);

		if (ifa->dev != net->loopback_dev && score > best_score) {
			best = ifa;
			best_score = score;
		}
	}
	if (best)
		fl6->saddr = best->addr;
	return best != NULL;
}

struct rt6_info *ip6_route_output(struct net *net, struct flowi6 *fl6, int *err)
{
	struct rt6_info *rt = netns6(net) ? fib6_lookup(net, &fl6->daddr, fl6->oif) : NULL;

	*err = !rt ? -ENETUNREACH : rt->dst.error;
	if (*err)
		return NULL;
	if (inet_addr_any(&fl6->saddr) && !source_select(net, rt, fl6)) {
		*err = -EADDRNOTAVAIL;
		return NULL;
	}
	dst_hold(&rt->dst);
	return rt;
}

struct rt6_info *ip6_route_input(struct net *net, const struct inet_addr *daddr)
{
	return netns6(net) ? fib6_lookup(net, daddr, 0) : NULL;
}

/* ---- configuration ---- */

static bool op_addr6(const struct op_bytes *b, struct inet_addr *a)
{
	if (b->len != 0 && b->len != 16)
		return false;
	*a = (struct inet_addr){ 0 };
	for (u32 i = 0; i < b->len / 4; i++)
		a->w[i] = load_be32(b->p + 4 * i);
	return true;
}

int inet6_rtm_newroute(struct net *net, const struct op_route_add *op)
{
	struct rt6_spec spec = { .type = (u8)(op->type ? op->type : RTN_UNICAST),
				 .plen = (u8)op->prefix_len,
				 .metric = op->metric ? (u32)op->metric : 1024,
				 .mtu = (u32)op->mtu,
				 .has_gateway = op->gateway.len != 0 };
	const struct rt6_info *via;

	if (op->prefix_len > 128 || op->metric > UINT32_MAX || op->oif > UINT32_MAX ||
	    op->type > RTN_THROW || op->mtu > 65535 || !op_addr6(&op->dst, &spec.prefix) ||
	    !op_addr6(&op->gateway, &spec.gateway) || !op_addr6(&op->prefsrc, &spec.prefsrc))
		return -EINVAL;
	if (spec.type != RTN_UNICAST && !rt6_error(spec.type))
		return -EINVAL;
	if (addrconf_net_init(net))
		return -ENOMEM;
	if (op->oif) {
		spec.dev = dev_get_by_index(net, (u32)op->oif);
		if (!spec.dev)
			return -ENODEV;
	} else if (spec.has_gateway) {
		via = fib6_lookup(net, &spec.gateway, 0);
		if (!via || via->has_gateway)
			return -EHOSTUNREACH;
		spec.dev = via->dst.dev;
	} else if (rt6_error(spec.type)) {
		spec.dev = net->loopback_dev;
	} else {
		return -ENODEV;
	}
	return ip6_route_add(net, &spec);
}

int inet6_rtm_delroute(struct net *net, const struct op_route_del *op)
{
	struct inet_addr prefix;

	if (op->prefix_len > 128 || op->type > RTN_THROW || !op_addr6(&op->dst, &prefix))
		return -EINVAL;
	if (!netns6(net))
		return -ESRCH;
	return ip6_route_del(net, &prefix, (u8)op->prefix_len,
			     (u8)(op->type ? op->type : RTN_UNICAST), NULL);
}
