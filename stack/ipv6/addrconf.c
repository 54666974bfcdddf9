/* SPDX-License-Identifier: MIT */
/*
 * The addresses of a namespace (net/ipv6/addrconf.c), set by hand: no duplicate address detection,
 * no router advertisements, no link-local address of its own making. An address brings a local
 * route and its prefix's route with it.
 */
#include "ipv6/ip6_route.h"
#include "ipv6/ipv6.h"
#include "stack/errno.h"

#define IP6_RT_PRIO_ADDRCONF 256u

static struct inet_addr in6addr_loopback_be(void)
{
	return (struct inet_addr){ { 0, 0, 0, htonl(1) } };
}

u32 ipv6_addr_diff(const struct inet_addr *a, const struct inet_addr *b)
{
	for (u32 i = 0; i < 4; i++) {
		u32 x = ntohl(a->w[i] ^ b->w[i]);

		if (x)
			return i * 32 + (u32)__builtin_clz(x);
	}
	return 128;
}

static struct inet6_ifaddr *find(const struct net *net, const struct inet_addr *addr)
{
	if (!netns6(net))
		return NULL;
	list_for_each(pos, &netns6(net)->addrs) {
		struct inet6_ifaddr *ifa = list_entry(pos, struct inet6_ifaddr, list);

		if (inet_addr_equal(&ifa->addr, addr))
			return ifa;
	}
	return NULL;
}

bool ipv6_chk_addr(const struct net *net, const struct inet_addr *addr)
{
	return find(net, addr) != NULL;
}

bool ipv6_enabled(const struct net *net)
{
	return netns6(net) && netns6(net)->global_addrs;
}

static int ifa_add(struct net *net, struct net_device *dev, const struct inet_addr *addr, u8 plen)
{
	struct rt6_spec local = { .prefix = *addr, .plen = 128, .type = RTN_LOCAL, .dev = dev };
	struct rt6_spec prefix = { .prefix = *addr,
				   .plen = plen,
				   .type = RTN_UNICAST,
				   .metric = IP6_RT_PRIO_ADDRCONF,
				   .dev = dev };
	struct inet6_ifaddr *ifa;
	int err;

	if (find(net, addr))
		return -EEXIST;
	ifa = mem_zalloc(net_world(net), MEM_MISC, sizeof(*ifa));
	if (!ifa)
		return -ENOBUFS;
	/* What is sent to oneself goes through lo, as in Linux. */
	local.dev = net->loopback_dev;
	err = ip6_route_add(net, &local);
	if (!err && plen < 128) {
		err = ip6_route_add(net, &prefix);
		if (err == -EEXIST)
			err = 0; /* another address of the same prefix brought it */
		if (err)
			ip6_route_del(net, addr, 128, RTN_LOCAL, NULL);
	}
	if (err) {
		mem_free(net_world(net), MEM_MISC, ifa, sizeof(*ifa));
		return err;
	}
	ifa->addr = *addr;
	ifa->plen = plen;
	ifa->dev = dev;
	list_add_tail(&ifa->list, &netns6(net)->addrs);
	netns6(net)->global_addrs += dev != net->loopback_dev;
	return 0;
}

static void ifa_free(struct net *net, struct inet6_ifaddr *ifa)
{
	list_del_init(&ifa->list);
	netns6(net)->global_addrs -= ifa->dev != net->loopback_dev;
	mem_free(net_world(net), MEM_MISC, ifa, sizeof(*ifa));
}

static bool prefix_in_use(const struct net *net, const struct inet6_ifaddr *gone)
{
	list_for_each(pos, &netns6(net)->addrs) {
		const struct inet6_ifaddr *ifa = list_entry(pos, struct inet6_ifaddr, list);

		if (ifa != gone && ifa->dev == gone->dev && ifa->plen == gone->plen &&
		    ipv6_addr_diff(&ifa->addr, &gone->addr) >= gone->plen)
			return true;
	}
	return false;
}

static void ifa_del(struct net *net, struct inet6_ifaddr *ifa)
{
	ip6_route_del(net, &ifa->addr, 128, RTN_LOCAL, NULL);
	if (ifa->plen < 128 && !prefix_in_use(net, ifa))
		ip6_route_del(net, &ifa->addr, ifa->plen, RTN_UNICAST, ifa->dev);
	ifa_free(net, ifa);
}

static bool op_addr(const struct op_bytes *b, struct inet_addr *a)
{
	if (b->len != 16)
		return false;
	for (u32 i = 0; i < 4; i++)
		a->w[i] = load_be32(b->p + 4 * i);
	return true;
}

int inet6_rtm_newaddr(struct net *net, const struct op_addr_add *op)
{
	struct net_device *dev = dev_get_by_index(net, (u32)op->ifindex);
	struct inet_addr addr;

	if (!dev || op->ifindex > UINT32_MAX)
		return -ENODEV;
	if (!op_addr(&op->addr, &addr) || op->prefix_len > 128 || op->broadcast.len ||
	    inet_addr_any(&addr) || ntohl(addr.w[0]) >> 24 == 0xff)
		return -EINVAL;
	if (addrconf_net_init(net))
		return -ENOBUFS;
	return ifa_add(net, dev, &addr, (u8)op->prefix_len);
}

int inet6_rtm_deladdr(struct net *net, const struct op_addr_del *op)
{
	struct inet_addr addr;
	struct inet6_ifaddr *ifa;

	if (!op_addr(&op->addr, &addr))
		return -EINVAL;
	ifa = find(net, &addr);
	if (!ifa || ifa->dev->ifindex != op->ifindex || ifa->plen != op->prefix_len)
		return -EADDRNOTAVAIL;
	ifa_del(net, ifa);
	return 0;
}

void addrconf_ifdown(struct net_device *dev)
{
	struct net *net = dev_net(dev);

	if (!netns6(net))
		return;
	list_for_each_safe(pos, tmp, &netns6(net)->addrs) {
		struct inet6_ifaddr *ifa = list_entry(pos, struct inet6_ifaddr, list);

		if (ifa->dev == dev)
			ifa_del(net, ifa);
	}
	ip6_route_flush_dev(net, dev);
}

int addrconf_net_init(struct net *net)
{
	const struct inet_addr loopback = in6addr_loopback_be();
	struct netns_ipv6 *ns;
	int err;

	if (net->ipv6)
		return 0;
	ns = mem_zalloc(net_world(net), MEM_MISC, sizeof(*ns));
	if (!ns)
		return -ENOMEM;
	list_init(&ns->addrs);
	ns->genid = 1;
	net->ipv6 = ns;
	err = ifa_add(net, net->loopback_dev, &loopback, 128);
	if (err)
		addrconf_net_exit(net);
	return err ? -ENOMEM : 0;
}

void addrconf_net_exit(struct net *net)
{
	struct netns_ipv6 *ns = netns6(net);

	if (!ns)
		return;
	list_for_each_safe(pos, tmp, &ns->addrs)
		ifa_free(net, list_entry(pos, struct inet6_ifaddr, list));
	ip6_route_flush(net);
	net->ipv6 = NULL;
	mem_free(net_world(net), MEM_MISC, ns, sizeof(*ns));
}
