/* SPDX-License-Identifier: MIT */
/*
 * The tables of a namespace and who fills them (net/ipv4/fib_frontend.c): routes from outside,
 * those that follow from addresses, device events; the lookup over both tables; whether a source
 * address can be right.
 */
#include "ipv4/fib.h"

#include "ipv4/ip.h"
#include "ipv4/ipv4.h"
#include "ipv4/netns_ipv4.h"
#include "kernel/trace.h"

/*
 * Rules 0 (local), 32766 (main), 32767 (default). Until somebody changes them local and main are
 * one trie in the kernel (fib_trie_unmerge): a route of main that is more specific than one of
 * local goes before it.
 */
static int lookup_without_rules(struct net *net, const struct flowi4 *flp, struct fib_result *res)
{
	int err = fib_table_lookup(net->fib_local, flp, res), main_err;
	struct fib_table *deflt;
	struct fib_result other;

	if (err == -EAGAIN) {
		err = fib_table_lookup(net->fib_main, flp, res);
	} else if (res->prefixlen < 32) {
		main_err = fib_table_lookup(net->fib_main, flp, &other);
		if (main_err == -EAGAIN || other.prefixlen <= res->prefixlen)
			return err;
		*res = other;
		return main_err;
	}
	if (err != -EAGAIN || !net_ipv4(net)->tables)
		return err;
	deflt = fib_get_table(net, RT_TABLE_DEFAULT);
	return deflt ? fib_table_lookup(deflt, flp, res) : -EAGAIN;
}

int fib_lookup(struct net *net, const struct flowi4 *flp, struct fib_result *res)
{
	int err;

	if (net_ipv4(net)->rules_set)
		err = fib_rules_lookup(net, flp, res);
	else
		err = lookup_without_rules(net, flp, res);
	if (err == -EAGAIN)
		err = -ENETUNREACH;
	trace(net_world(net), net->host, TRACE_FIB_LOOKUP, ntohl(flp->daddr), ntohl(flp->saddr),
	      err ? 0 : res->type, (u64)(u32)-err);
	return err;
}

struct fib_table *fib_next_table(const struct net *net, const struct fib_table *tb)
{
	if (!tb)
		return net->fib_local;
	if (tb == net->fib_local)
		return net->fib_main;
	return tb == net->fib_main ? net_ipv4(net)->tables : tb->next;
}

struct fib_table *fib_get_table(struct net *net, u32 id)
{
	struct fib_table *tb = NULL;

	if (id == RT_TABLE_UNSPEC)
		id = RT_TABLE_MAIN;
	while ((tb = fib_next_table(net, tb)) != NULL && tb->id != id)
		;
	return tb;
}

struct fib_table *fib_new_table(struct net *net, u32 id)
{
	struct fib_table *tb = fib_get_table(net, id);

	if (tb)
		return tb;
	tb = fib_trie_table(net, id);
	if (!tb)
		return NULL;
	tb->next = net_ipv4(net)->tables;
	net_ipv4(net)->tables = tb;
	return tb;
}

int fib_new_route(struct net *net, const struct fib_config *cfg)
{
	struct fib_table *tb = fib_new_table(net, cfg->table);
	int err = tb ? fib_table_insert(tb, cfg) : -ENOBUFS;

	if (!err && cfg->type == RTN_LOCAL)
		net_ipv4(net)->has_custom_local_routes = true;
	return err;
}

void fib_flush(struct net *net)
{
	for (struct fib_table *tb = NULL; (tb = fib_next_table(net, tb)) != NULL;)
		fib_table_flush(tb);
}

u32 inet_dev_addr_type(struct net *net, const struct net_device *dev, be32 addr)
{
	const struct flowi4 fl4 = { .daddr = addr };
	struct fib_result res;

	if (addr == 0 || ipv4_is_lbcast(addr))
		return RTN_BROADCAST;
	if (ipv4_is_multicast(addr))
		return RTN_MULTICAST;
	if (fib_table_lookup(net->fib_local, &fl4, &res) == 0 && (!dev || dev == res.nh->dev))
		return res.type;
	return RTN_UNICAST;
}

u32 inet_addr_type(struct net *net, be32 addr)
{
	return inet_dev_addr_type(net, NULL, addr);
}

/* ---- sources ---- */

static int validate_source_full(struct sk_buff *skb, be32 src, be32 dst, u8 tos, u32 oif,
				struct net_device *dev, struct in_device *idev, s32 rpf)
{
	struct net *net = dev_net(dev);
	struct flowi4 fl4 = { .daddr = src, .saddr = dst, .tos = tos };
	struct fib_result res;

	fl4.iif = oif ? oif : net->loopback_dev->ifindex;
	fl4.mark = in_dev_orconf(idev, IPV4_DEVCONF_SRC_VMARK) ? skb->mark : 0;
	if (fib_lookup(net, &fl4, &res))
		return rpf ? -EXDEV : 0;
	if (res.type != RTN_UNICAST &&
	    (res.type != RTN_LOCAL || !in_dev_orconf(idev, IPV4_DEVCONF_ACCEPT_LOCAL)))
		return -EINVAL;
	if (fib_info_nh_uses_dev(res.fi, dev) ||
	    (res.type == RTN_LOCAL && dev == net->loopback_dev))
		return res.nh->scope >= RT_SCOPE_HOST;
	if (!idev->ifa_list)
		return rpf ? -EXDEV : 0;
	if (rpf == 1)
		return -EXDEV;
	fl4.oif = dev->ifindex;
	fl4.flags = FLOWI_FLAG_IGNORE_LINKSTATE;
	if (fib_lookup(net, &fl4, &res) == 0 && res.type == RTN_UNICAST)
		return res.nh->scope >= RT_SCOPE_HOST;
	return 0;
}

int fib_validate_source(struct sk_buff *skb, be32 src, be32 dst, u8 tos, u32 oif,
			struct net_device *dev, struct in_device *idev)
{
	const struct netns_ipv4 *v4 = net_ipv4(dev_net(dev));
	s32 rpf = in_dev_maxconf(idev, IPV4_DEVCONF_RP_FILTER);

	/* What left by loopback keeps its route; one that lost it is still ours. */
	if (dev->flags & IFF_LOOPBACK)
		return 0;
	if (!rpf && (dev->ifindex != oif || !in_dev_orconf(idev, IPV4_DEVCONF_SEND_REDIRECTS))) {
		if (in_dev_orconf(idev, IPV4_DEVCONF_ACCEPT_LOCAL))
			return 0;
		/* One of our own addresses does not come in from outside (RFC 1812 5.3.7 in
		 * spirit). */
		if (!v4->has_custom_local_routes && !v4->rules_set)
			return inet_lookup_ifaddr(dev_net(dev), src) ? -EINVAL : 0;
	}
	return validate_source_full(skb, src, dst, tos, oif, dev, idev, rpf);
}

be32 fib_compute_spec_dst(struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	const u8 *iph = ip_hdr(skb);
	struct net_device *dev = skb->dev;
	struct net *net = dev_net(dev);
	u32 scope = RT_SCOPE_UNIVERSE;

	if ((rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST | RTCF_LOCAL)) == RTCF_LOCAL)
		return ip4_daddr(iph);
	if (!ipv4_is_zeronet(ip4_saddr(iph))) {
		struct flowi4 fl4 = { .daddr = ip4_saddr(iph), .tos = ip4_tos(iph) & 0x1c };
		struct fib_result res;

		fl4.iif = net->loopback_dev->ifindex;
		if (fib_lookup(net, &fl4, &res) == 0)
			return fib_result_prefsrc(&res);
	} else {
		scope = RT_SCOPE_LINK;
	}
	return inet_select_addr(dev, ip4_saddr(iph), scope);
}

/* ---- routes of addresses ---- */

static void fib_magic(bool add, u8 type, be32 dst, u32 dst_len, const struct in_ifaddr *ifa)
{
	struct net_device *dev = ifa->dev->dev;
	struct net *net = dev_net(dev);
	struct fib_config cfg = { .type = type, .append = true, .prefsrc = ifa->local };
	struct fib_table *tb = type == RTN_UNICAST ? net->fib_main : net->fib_local;

	cfg.dst = ntohl(dst);
	cfg.dst_len = (u8)dst_len;
	cfg.table = tb->id;
	cfg.oif = dev->ifindex;
	cfg.scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK;
	/* What fails is missing afterwards, as in the kernel: there is nobody to tell. */
	if (add)
		fib_table_insert(tb, &cfg);
	else
		fib_table_delete(tb, &cfg);
}

void fib_add_ifaddr(struct in_ifaddr *ifa)
{
	struct net_device *dev = ifa->dev->dev;
	const struct in_ifaddr *prim = ifa;
	be32 prefix = ifa->address & ifa->mask;

	if (ifa->flags & IFA_F_SECONDARY) {
		prim = inet_ifa_byprefix(ifa->dev, prefix, ifa->mask);
		if (!prim)
			return;
	}
	fib_magic(true, RTN_LOCAL, ifa->local, 32, prim);
	if (!(dev->flags & IFF_UP))
		return;
	if (ifa->broadcast && !ipv4_is_lbcast(ifa->broadcast))
		fib_magic(true, RTN_BROADCAST, ifa->broadcast, 32, prim);
	if (ipv4_is_zeronet(prefix) || ifa->flags & IFA_F_SECONDARY ||
	    (prefix == ifa->local && ifa->prefixlen == 32))
		return;
	fib_magic(true, dev->flags & IFF_LOOPBACK ? RTN_LOCAL : RTN_UNICAST, prefix, ifa->prefixlen,
		  prim);
	if (ifa->prefixlen < 31) /* RFC 3021: no broadcast address in a /31 */
		fib_magic(true, RTN_BROADCAST, prefix | ~ifa->mask, 32, prim);
}

/* What of the routes of a removed address other addresses of the host still need. */
struct ifa_claims {
	bool brd, brd1, local;
};

static void ifa_claims_find(const struct in_ifaddr *gone, be32 brd1, struct ifa_claims *c)
{
	for (const struct in_ifaddr *ifa = gone->dev->ifa_list; ifa; ifa = ifa->next) {
		if (ifa == gone)
			continue;
		if (ifa->local == gone->local)
			c->local = true;
		if (gone->broadcast && ifa->broadcast == gone->broadcast)
			c->brd = true;
		if (brd1 && ifa->broadcast == brd1)
			c->brd1 = true;
		if (ifa->prefixlen < 31 && !(ifa->flags & IFA_F_SECONDARY)) {
			be32 net_brd = (ifa->address & ifa->mask) | ~ifa->mask;

			c->brd |= gone->broadcast && net_brd == gone->broadcast;
			c->brd1 |= brd1 && net_brd == brd1;
		}
	}
}

void fib_del_ifaddr(struct in_ifaddr *ifa, struct in_ifaddr *iprim)
{
	struct net *net = dev_net(ifa->dev->dev);
	struct net_device *dev = ifa->dev->dev;
	const struct in_ifaddr *prim = ifa;
	be32 prefix = ifa->address & ifa->mask, brd1 = 0;
	struct ifa_claims claims = { 0 };

	if (ifa->flags & IFA_F_SECONDARY) {
		prim = iprim ? iprim : inet_ifa_byprefix(ifa->dev, prefix, ifa->mask);
		if (!prim)
			prim = ifa;
	} else if (!ipv4_is_zeronet(prefix) && !(prefix == ifa->local && ifa->prefixlen == 32)) {
		fib_magic(false, dev->flags & IFF_LOOPBACK ? RTN_LOCAL : RTN_UNICAST, prefix,
			  ifa->prefixlen, prim);
		if (ifa->prefixlen < 31)
			brd1 = prefix | ~ifa->mask;
	}
	ifa_claims_find(ifa, brd1, &claims);
	if (ifa->broadcast && !claims.brd && !ipv4_is_lbcast(ifa->broadcast))
		fib_magic(false, RTN_BROADCAST, ifa->broadcast, 32, prim);
	if (brd1 && !claims.brd1 && brd1 != ifa->broadcast)
		fib_magic(false, RTN_BROADCAST, brd1, 32, prim);
	if (!claims.local) {
		fib_magic(false, RTN_LOCAL, ifa->local, 32, prim);
		if (inet_addr_type(net, ifa->local) != RTN_LOCAL &&
		    fib_sync_down_addr(net, ifa->local))
			fib_flush(net);
	}
}

static void fib_disable_ip(struct net_device *dev, enum netdev_event event, bool force)
{
	if (fib_sync_down_dev(dev, event, force))
		fib_flush(dev_net(dev));
	rt_cache_flush(dev_net(dev));
	neigh_ifdown(dev_host(dev)->arp_tbl, dev);
}

/* With its last address IP on a device ends, and all routes by it. */
void fib_inetaddr_changed(struct in_device *in_dev)
{
	if (in_dev->ifa_list)
		fib_sync_up(in_dev->dev);
	else
		fib_disable_ip(in_dev->dev, NETDEV_DOWN, true);
	rt_cache_flush(dev_net(in_dev->dev));
}

/* ---- devices ---- */

void fib_netdev_event(struct net_device *dev, enum netdev_event event)
{
	switch (event) {
	case NETDEV_UP:
		for (struct in_ifaddr *ifa = dev->ip_ptr->ifa_list; ifa; ifa = ifa->next)
			fib_add_ifaddr(ifa);
		fib_sync_up(dev);
		rt_cache_flush(dev_net(dev));
		break;
	case NETDEV_DOWN:
		fib_disable_ip(dev, event, false);
		break;
	case NETDEV_UNREGISTER:
		fib_disable_ip(dev, event, true);
		rt_flush_dev(dev);
		break;
	case NETDEV_CHANGE:
		fib_sync_carrier(dev);
		rt_cache_flush(dev_net(dev));
		break;
	case NETDEV_CHANGEMTU:
		rt_cache_flush(dev_net(dev));
		break;
	default:
		break;
	}
}

/* ---- routes from outside ---- */

static int op_prefix(const struct op_bytes *b, u64 plen, struct fib_config *cfg)
{
	if (plen > 32 || (b->len != 4 && !(b->len == 0 && plen == 0)))
		return -EINVAL;
	cfg->dst = b->len ? get_be32(b->p) : 0;
	cfg->dst_len = (u8)plen;
	return 0;
}

static int op_addr(const struct op_bytes *b, be32 *addr)
{
	if (b->len != 0 && b->len != 4)
		return -EINVAL;
	*addr = b->len ? load_be32(b->p) : 0;
	return 0;
}

/* As ip-route(8) chooses what is not said. */
u32 fib_default_table(u64 table, u64 type)
{
	if (table)
		return (u32)table;
	return type == RTN_LOCAL || type == RTN_BROADCAST || type == RTN_ANYCAST ? RT_TABLE_LOCAL :
										   RT_TABLE_MAIN;
}

static u8 default_scope(const struct op_route_add *op)
{
	if (op->scope != RT_SCOPE_NOWHERE)
		return (u8)op->scope;
	if (op->type == RTN_LOCAL)
		return RT_SCOPE_HOST;
	if (op->type == RTN_BROADCAST || op->type == RTN_MULTICAST || op->type == RTN_ANYCAST)
		return RT_SCOPE_LINK;
	return op->type <= RTN_UNICAST && !op->gateway.len ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

int inet_rtm_newroute(struct net *net, const struct op_route_add *op)
{
	struct fib_config cfg = { 0 };
	u32 metrics[RTAX_MAX] = { 0 };

	if (op->scope > 255 || op->type > RTN_THROW || op->tos > 255 || op->metric > UINT32_MAX ||
	    op->oif > UINT32_MAX || op->table > UINT32_MAX || op->mtu > 65535 ||
	    op->flags > UINT32_MAX)
		return -EINVAL;
	if (op_prefix(&op->dst, op->prefix_len, &cfg) || op_addr(&op->gateway, &cfg.gw) ||
	    op_addr(&op->prefsrc, &cfg.prefsrc))
		return -EINVAL;
	cfg.type = (u8)(op->type ? op->type : RTN_UNICAST);
	cfg.table = fib_default_table(op->table, op->type);
	cfg.scope = default_scope(op);
	cfg.tos = (u8)op->tos;
	cfg.priority = (u32)op->metric;
	cfg.oif = (u32)op->oif;
	if (op->mtu) {
		metrics[RTAX_MTU] = (u32)op->mtu;
		cfg.metrics = metrics;
	}
	cfg.flags = (u32)op->flags;
	return fib_new_route(net, &cfg);
}

int inet_rtm_delroute(struct net *net, const struct op_route_del *op)
{
	struct fib_config cfg = { .scope = RT_SCOPE_NOWHERE };
	struct fib_table *tb;

	if (op->type > RTN_THROW || op->tos > 255 || op->metric > UINT32_MAX ||
	    op->table > UINT32_MAX || op_prefix(&op->dst, op->prefix_len, &cfg))
		return -EINVAL;
	cfg.type = (u8)op->type;
	cfg.tos = (u8)op->tos;
	cfg.priority = (u32)op->metric;
	tb = fib_get_table(net, fib_default_table(op->table, op->type));
	return tb ? fib_table_delete(tb, &cfg) : -ESRCH;
}

int fib_net_init(struct net *net)
{
	net->fib_genid = 1;
	net->fib_local = fib_trie_table(net, RT_TABLE_LOCAL);
	net->fib_main = fib_trie_table(net, RT_TABLE_MAIN);
	if (net->fib_local && net->fib_main)
		return 0;
	fib_net_exit(net);
	return -ENOMEM;
}

void fib_net_exit(struct net *net)
{
	struct fib_table *next;

	fib_rules_exit(net);
	for (struct fib_table *tb = net->ipv4 ? net_ipv4(net)->tables : NULL; tb; tb = next) {
		next = tb->next;
		fib_free_table(tb);
	}
	fib_free_table(net->fib_main);
	fib_free_table(net->fib_local);
	net->fib_main = net->fib_local = NULL;
}
