/* SPDX-License-Identifier: MIT */
/*
 * Routes as packets carry them (net/ipv4/route.c): rtables, their making and end, path MTUs and
 * redirects learnt from ICMP (RFC 1191, RFC 1122 3.2.2.2). The decisions are route_input.c's and
 * route_output.c's.
 *
 * An rtable is cached at its next hop or exception, and input decisions in a small table by flow;
 * each is looked at only while its generation is the namespace's (net->fib_genid grows with every
 * change of routes, addresses, groups and switches). Every rtable is on netns_ipv4.rtables, so that
 * a device that goes away is let go of.
 */
#include "ipv4/route.h"

#include "ipv4/arp.h"
#include "ipv4/icmp.h"
#include "ipv4/route_cache.h"

#define IP_RT_GC_TIMEOUT (300u * HZ)

/* ---- dst_ops ---- */

static struct net *rt_net(const struct rtable *rt)
{
	return rt->net;
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

	if ((!forwarding || rt->rt_mtu_locked || rt->net->sysctl.ip_forward_use_pmtu) &&
	    rt->rt_pmtu && net_world(rt->net)->now < dst->expires)
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

struct rtable *rt_dst_alloc(struct net *net, struct net_device *dev, u32 flags, u16 type)
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

void rt_set_nexthop(struct rtable *rt, const struct fib_result *res, struct fib_nh_exception *e,
		    bool cache)
{
	struct fib_nh *nh = res->nh;
	struct fib_info *fi = res->fi;

	rt->fi = fi;
	fi->refcnt++;
	if (nh->gw && nh->scope == RT_SCOPE_LINK) {
		rt->rt_uses_gateway = true;
		rt->rt_gw4 = nh->gw;
	}
	if (fi->has_metrics) {
		rt->dst.metrics = fi->metrics;
		rt->rt_mtu_locked = dst_metric_locked(&rt->dst, RTAX_MTU);
	}
	if (e) {
		rt->rt_pmtu = e->pmtu;
		rt->rt_mtu_locked |= e->mtu_locked;
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

	if (rt->rt_mtu_locked || old_mtu < mtu)
		return;
	if (mtu < min) {
		lock = true;
		mtu = min_u32(old_mtu, min);
	}
	if (rt->rt_pmtu == mtu && !lock &&
	    net_world(net)->now + expires * JIFFY_NS / 2 < rt->dst.expires)
		return;
	if (fib_lookup(net, fl4, &res))
		return;
	fib_select_path(net, &res, fl4, NULL); /* of equal default routes */
	/* Which of several the flow takes can not be told from the quoted header alone. */
	for (u32 i = 0; i < res.fi->nhs; i++)
		fib_update_exception(fib_info_nh(res.fi, i), fl4->daddr, 0, mtu, lock,
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
	struct flowi4 fl4 = quoted_flow(skb, sk->sk_bound_dev_if, sk->sk_protocol);
	struct rtable *rt;
	int err;

	if (sk->inet_pmtudisc == IP_PMTUDISC_INTERFACE || sk->inet_pmtudisc == IP_PMTUDISC_OMIT)
		return; /* ip_sk_accept_pmtu() */
	ipv4_update_pmtu(skb, sk->net, mtu, sk->sk_bound_dev_if, sk->sk_protocol);
	if (!sk->dst_cache || rt_cache_valid((struct rtable *)(void *)sk->dst_cache))
		return;
	/* A connected socket shows the new path MTU at once (IP_MTU). */
	fl4.mark = sk->sk_mark;
	rt = ip_route_output_flow(sk->net, &fl4, sk, &err);
	sk_dst_set(sk, rt ? &rt->dst : NULL);
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
	if (fib_lookup(rt->net, fl4, &res))
		return;
	fib_select_path(rt->net, &res, fl4, NULL);
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
