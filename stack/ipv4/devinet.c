/* SPDX-License-Identifier: MIT */
/*
 * IPv4 addresses of devices (net/ipv4/devinet.c): adding, removing, promoting; which address to
 * use; groups listened to; what device events do to them. The routes that follow from an address
 * are fib_frontend.c's.
 *
 * Invariants: primaries stand before secondaries; a secondary's network is a primary's; every
 * address is in netns_ipv4.addr_hash once.
 */
#include "ipv4/devinet.h"

#include "ipv4/arp.h"
#include "ipv4/fib.h"
#include "ipv4/igmp.h"
#include "ipv4/netns_ipv4.h"

static u32 addr_bucket(be32 addr)
{
	return (u32)mix64(ntohl(addr)) & (INET_ADDR_HASH - 1);
}

static void addr_hash_insert(struct in_ifaddr *ifa)
{
	struct in_ifaddr **p =
		&net_ipv4(dev_net(ifa->dev->dev))->addr_hash[addr_bucket(ifa->local)];

	while (*p)
		p = &(*p)->hash_next;
	ifa->hash_next = NULL;
	*p = ifa;
}

static void addr_hash_remove(struct in_ifaddr *ifa)
{
	struct in_ifaddr **p =
		&net_ipv4(dev_net(ifa->dev->dev))->addr_hash[addr_bucket(ifa->local)];

	while (*p != ifa)
		p = &(*p)->hash_next;
	*p = ifa->hash_next;
}

struct in_ifaddr *inet_lookup_ifaddr(const struct net *net, be32 addr)
{
	struct in_ifaddr *ifa = net_ipv4(net)->addr_hash[addr_bucket(addr)];

	while (ifa && ifa->local != addr)
		ifa = ifa->hash_next;
	return ifa;
}

struct net_device *ip_dev_find(struct net *net, be32 addr)
{
	const struct in_ifaddr *ifa = inet_lookup_ifaddr(net, addr);
	struct flowi4 fl4 = { .daddr = addr };
	struct fib_result res;

	if (ifa)
		return ifa->dev->dev;
	/* An address that only a local route makes ours: 127.0.0.2, AnyIP. */
	if (fib_table_lookup(net->fib_local, &fl4, &res) == 0 && res.type == RTN_LOCAL)
		return res.nh->dev;
	return NULL;
}

const struct in_ifaddr *inet_ifa_byprefix(const struct in_device *in_dev, be32 prefix, be32 mask)
{
	const struct in_ifaddr *ifa = in_dev->ifa_list;

	while (ifa && (ifa->mask != mask || !inet_ifa_match(prefix, ifa)))
		ifa = ifa->next;
	return ifa;
}

bool inet_addr_onlink(const struct in_device *in_dev, be32 a, be32 b)
{
	for (const struct in_ifaddr *ifa = in_dev->ifa_list; ifa; ifa = ifa->next) {
		if (ifa->flags & IFA_F_SECONDARY)
			continue;
		if (inet_ifa_match(a, ifa) && (!b || inet_ifa_match(b, ifa)))
			return true;
	}
	return false;
}

/* ---- choosing an address ---- */

static u32 localnet_scope(const struct in_device *in_dev)
{
	return in_dev_orconf(in_dev, IPV4_DEVCONF_ROUTE_LOCALNET) ? RT_SCOPE_LINK : RT_SCOPE_HOST;
}

static be32 in_dev_select_addr(const struct in_device *in_dev, u32 scope)
{
	for (const struct in_ifaddr *ifa = in_dev->ifa_list; ifa; ifa = ifa->next)
		if (!(ifa->flags & IFA_F_SECONDARY) && ifa->scope != RT_SCOPE_LINK &&
		    ifa->scope <= scope)
			return ifa->local;
	return 0;
}

be32 inet_select_addr(const struct net_device *dev, be32 dst, u32 scope)
{
	const struct in_device *in_dev = dev->ip_ptr;
	be32 addr = 0;

	for (const struct in_ifaddr *ifa = in_dev ? in_dev->ifa_list : NULL; ifa; ifa = ifa->next) {
		if (ifa->flags & IFA_F_SECONDARY ||
		    min_u32(ifa->scope, localnet_scope(in_dev)) > scope)
			continue;
		if (!dst || inet_ifa_match(dst, ifa))
			return ifa->local;
		if (!addr)
			addr = ifa->local;
	}
	if (addr)
		return addr;
	/* Addresses on loopback that are not loopback's own are preferred: lo comes first. */
	list_for_each(pos, &dev_net(dev)->dev_base) {
		in_dev = list_entry(pos, struct net_device, dev_list)->ip_ptr;
		if (in_dev && (addr = in_dev_select_addr(in_dev, scope)) != 0)
			return addr;
	}
	return 0;
}

static be32 confirm_addr_indev(const struct in_device *in_dev, be32 dst, be32 local, u32 scope)
{
	bool same = false;
	be32 addr = 0;

	for (const struct in_ifaddr *ifa = in_dev->ifa_list; ifa; ifa = ifa->next) {
		u32 min_scope = min_u32(ifa->scope, localnet_scope(in_dev));

		if (!addr && (local == ifa->local || !local) && min_scope <= scope) {
			addr = ifa->local;
			if (same)
				break;
		}
		if (same)
			continue;
		same = (!local || inet_ifa_match(local, ifa)) && (!dst || inet_ifa_match(dst, ifa));
		if (!same || !addr)
			continue;
		if (local || !dst || inet_ifa_match(addr, ifa))
			break;
		if (min_scope <= scope) {
			addr = ifa->local;
			break;
		}
		same = false;
	}
	return same ? addr : 0;
}

be32 inet_confirm_addr(struct net *net, const struct in_device *in_dev, be32 dst, be32 local,
		       u32 scope)
{
	be32 addr;

	if (in_dev)
		return confirm_addr_indev(in_dev, dst, local, scope);
	list_for_each(pos, &net->dev_base) {
		in_dev = list_entry(pos, struct net_device, dev_list)->ip_ptr;
		if (in_dev && (addr = confirm_addr_indev(in_dev, dst, local, scope)) != 0)
			return addr;
	}
	return 0;
}

/* ---- adding and removing ---- */

static struct in_ifaddr *inet_alloc_ifa(struct net *net)
{
	return mem_zalloc(net_world(net), MEM_IFADDR, sizeof(struct in_ifaddr));
}

static void inet_free_ifa(struct net *net, struct in_ifaddr *ifa)
{
	mem_free(net_world(net), MEM_IFADDR, ifa, sizeof(*ifa));
}

/* Takes ifa. 0, -EEXIST, -EINVAL. */
static int inet_insert_ifa(struct in_ifaddr *ifa)
{
	struct in_device *in_dev = ifa->dev;
	struct net *net = dev_net(in_dev->dev);
	struct in_ifaddr **last_primary = &in_dev->ifa_list, **p;

	ifa->flags &= ~IFA_F_SECONDARY;
	for (p = &in_dev->ifa_list; *p; p = &(*p)->next) {
		if (!((*p)->flags & IFA_F_SECONDARY) && ifa->scope <= (*p)->scope)
			last_primary = &(*p)->next;
		if ((*p)->mask != ifa->mask || !inet_ifa_match((*p)->address, ifa))
			continue;
		if ((*p)->local == ifa->local || (*p)->scope != ifa->scope) {
			int err = (*p)->local == ifa->local ? -EEXIST : -EINVAL;

			inet_free_ifa(net, ifa);
			return err;
		}
		ifa->flags |= IFA_F_SECONDARY;
	}
	if (!(ifa->flags & IFA_F_SECONDARY))
		p = last_primary;
	ifa->next = *p;
	*p = ifa;
	addr_hash_insert(ifa);
	fib_add_ifaddr(ifa);
	fib_inetaddr_changed(in_dev);
	return 0;
}

/* Secondaries of a primary that goes, when they are not promoted, go too. */
static struct in_ifaddr *del_secondaries(struct in_device *in_dev, struct in_ifaddr *ifa1,
					 struct in_ifaddr **prev_prom)
{
	struct net *net = dev_net(in_dev->dev);
	struct in_ifaddr **p = &ifa1->next, *ifa;

	while ((ifa = *p) != NULL) {
		if (!(ifa->flags & IFA_F_SECONDARY) && ifa1->scope <= ifa->scope)
			*prev_prom = ifa;
		if (!(ifa->flags & IFA_F_SECONDARY) || ifa1->mask != ifa->mask ||
		    !inet_ifa_match(ifa1->address, ifa)) {
			p = &ifa->next;
			continue;
		}
		if (in_dev_orconf(in_dev, IPV4_DEVCONF_PROMOTE_SECONDARIES))
			return ifa;
		*p = ifa->next;
		addr_hash_remove(ifa);
		fib_del_ifaddr(ifa, NULL);
		inet_free_ifa(net, ifa);
	}
	return NULL;
}

static void inet_del_ifa(struct in_device *in_dev, struct in_ifaddr **slot)
{
	struct net *net = dev_net(in_dev->dev);
	struct in_ifaddr *ifa1 = *slot, *promote = NULL, *prev_prom = NULL;

	if (!(ifa1->flags & IFA_F_SECONDARY))
		promote = del_secondaries(in_dev, ifa1, &prev_prom);
	*slot = ifa1->next;
	addr_hash_remove(ifa1);
	/* Routes through ifa1's own prefix must go before the promoted one brings them back. */
	fib_del_ifaddr(ifa1, NULL);
	if (promote) {
		struct in_ifaddr **p = &in_dev->ifa_list;

		while (*p != promote)
			p = &(*p)->next;
		*p = promote->next;
		for (struct in_ifaddr *ifa = promote->next; ifa; ifa = ifa->next)
			if (ifa1->mask == ifa->mask && inet_ifa_match(ifa1->address, ifa))
				fib_del_ifaddr(ifa, ifa1);
		promote->flags &= ~IFA_F_SECONDARY;
		p = prev_prom ? &prev_prom->next : slot;
		promote->next = *p;
		*p = promote;
		fib_add_ifaddr(promote);
		for (struct in_ifaddr *ifa = promote->next; ifa; ifa = ifa->next)
			if (ifa1->mask == ifa->mask && inet_ifa_match(ifa1->address, ifa))
				fib_add_ifaddr(ifa);
	}
	inet_free_ifa(net, ifa1);
	fib_inetaddr_changed(in_dev);
}

static struct in_device *op_in_dev(struct net *net, u64 ifindex, int *err)
{
	struct net_device *dev = ifindex <= UINT32_MAX ? dev_get_by_index(net, (u32)ifindex) : NULL;

	*err = !dev ? -ENODEV : !dev->ip_ptr ? -ENOBUFS : 0;
	return dev ? dev->ip_ptr : NULL;
}

int inet_rtm_newaddr(struct net *net, const struct op_addr_add *op)
{
	struct in_ifaddr *ifa;
	int err;
	struct in_device *in_dev = op_in_dev(net, op->ifindex, &err);

	if (!in_dev)
		return err;
	if (op->addr.len != 4 || op->prefix_len > 32 ||
	    (op->broadcast.len != 0 && op->broadcast.len != 4))
		return -EINVAL;
	ifa = inet_alloc_ifa(net);
	if (!ifa)
		return -ENOBUFS;
	ifa->dev = in_dev;
	ifa->local = ifa->address = load_be32(op->addr.p);
	ifa->prefixlen = (u8)op->prefix_len;
	ifa->mask = inet_make_mask(ifa->prefixlen);
	ifa->broadcast = op->broadcast.len ? load_be32(op->broadcast.p) : 0;
	/* As ip-address(8) does when no scope is given. */
	ifa->scope = ipv4_is_loopback(ifa->local) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	return inet_insert_ifa(ifa);
}

int inet_rtm_deladdr(struct net *net, const struct op_addr_del *op)
{
	int err;
	struct in_device *in_dev = op_in_dev(net, op->ifindex, &err);

	if (!in_dev)
		return err;
	if (op->addr.len != 4 || op->prefix_len > 32)
		return -EINVAL;
	for (struct in_ifaddr **p = &in_dev->ifa_list; *p; p = &(*p)->next) {
		if ((*p)->local != load_be32(op->addr.p) || (*p)->prefixlen != op->prefix_len)
			continue;
		inet_del_ifa(in_dev, p);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

/* ---- groups ---- */

bool ip_check_mc(const struct in_device *in_dev, be32 group)
{
	for (const struct ip_mc_list *im = in_dev->mc_list; im; im = im->next)
		if (im->multiaddr == group)
			return true;
	return false;
}

/* The device hears the group from the first user to the last (ip_mc_filter_add). */
static int ip_mc_filter(struct net_device *dev, be32 addr, bool add)
{
	u8 ha[ETH_ALEN];

	if (dev->type != ARPHRD_ETHER)
		return 0;
	ip_eth_mc_map(addr, ha);
	return add ? dev_mc_add(dev, ha) : dev_mc_del(dev, ha);
}

int ip_mc_inc_group(struct in_device *in_dev, be32 addr)
{
	struct ip_mc_list *im;

	for (im = in_dev->mc_list; im; im = im->next) {
		if (im->multiaddr == addr) {
			im->users++;
			return 0;
		}
	}
	im = mem_alloc(dev_world(in_dev->dev), MEM_MC_LIST, sizeof(*im));
	if (!im)
		return -ENOMEM;
	if (ip_mc_filter(in_dev->dev, addr, true)) {
		mem_free(dev_world(in_dev->dev), MEM_MC_LIST, im, sizeof(*im));
		return -ENOMEM;
	}
	im->multiaddr = addr;
	im->users = 1;
	igmp_group_init(in_dev, im);
	im->next = in_dev->mc_list;
	in_dev->mc_list = im;
	igmp_group_added(im);
	rt_cache_flush(dev_net(in_dev->dev));
	return 0;
}

void ip_mc_dec_group(struct in_device *in_dev, be32 addr)
{
	for (struct ip_mc_list **p = &in_dev->mc_list; *p; p = &(*p)->next) {
		struct ip_mc_list *im = *p;

		if (im->multiaddr != addr)
			continue;
		if (--im->users == 0) {
			igmp_group_dropped(im);
			ip_mc_filter(in_dev->dev, addr, false);
			*p = im->next;
			mem_free(dev_world(in_dev->dev), MEM_MC_LIST, im, sizeof(*im));
			rt_cache_flush(dev_net(in_dev->dev));
		}
		return;
	}
}

/* ---- devices ---- */

#define IGMP_ALL_HOSTS htonl(0xe0000001u) /* 224.0.0.1: RFC 1112 4, joined on every interface */

static int inetdev_init(struct net_device *dev)
{
	struct world *w = dev_world(dev);
	struct in_device *in_dev = mem_zalloc(w, MEM_IN_DEVICE, sizeof(*in_dev));

	if (!in_dev)
		return -ENOMEM;
	in_dev->cnf = net_ipv4(dev_net(dev))->dflt;
	in_dev->cnf.set_mask = 0;
	in_dev->dev = dev;
	dev->arp_parms = neigh_parms_alloc(dev, dev_host(dev)->arp_tbl);
	if (!dev->arp_parms || ip_mc_inc_group(in_dev, IGMP_ALL_HOSTS)) {
		neigh_parms_release(dev_host(dev)->arp_tbl, dev->arp_parms);
		dev->arp_parms = NULL;
		mem_free(w, MEM_IN_DEVICE, in_dev, sizeof(*in_dev));
		return -ENOMEM;
	}
	dev_hold(dev);
	dev->ip_ptr = in_dev;
	if (in_dev->cnf.data[IPV4_DEVCONF_FORWARDING])
		dev_disable_lro(dev);
	return 0;
}

static void inetdev_destroy(struct net_device *dev)
{
	struct in_device *in_dev = dev->ip_ptr;
	struct world *w = dev_world(dev);

	in_dev->dead = true;
	igmp_destroy(in_dev);
	while (in_dev->ifa_list)
		inet_del_ifa(in_dev, &in_dev->ifa_list);
	while (in_dev->mc_list) {
		struct ip_mc_list *im = in_dev->mc_list;

		ip_mc_filter(dev, im->multiaddr, false);
		in_dev->mc_list = im->next;
		mem_free(w, MEM_MC_LIST, im, sizeof(*im));
	}
}

static void inetdev_free(struct net_device *dev)
{
	struct in_device *in_dev = dev->ip_ptr;

	neigh_ifdown(dev_host(dev)->arp_tbl, dev);
	neigh_parms_release(dev_host(dev)->arp_tbl, dev->arp_parms);
	dev->arp_parms = NULL;
	dev->ip_ptr = NULL;
	rt_cache_flush(dev_net(dev));
	mem_free(dev_world(dev), MEM_IN_DEVICE, in_dev, sizeof(*in_dev));
	dev_put(dev);
}

static void inetdev_up(struct net_device *dev)
{
	struct in_device *in_dev = dev->ip_ptr;

	if (dev->flags & IFF_LOOPBACK && !in_dev->ifa_list) {
		struct in_ifaddr *ifa = inet_alloc_ifa(dev_net(dev));

		if (ifa) {
			ifa->dev = in_dev;
			ifa->local = ifa->address = htonl(0x7f000001u);
			ifa->prefixlen = 8;
			ifa->mask = inet_make_mask(8);
			ifa->scope = RT_SCOPE_HOST;
			inet_insert_ifa(ifa);
		}
	}
	igmp_up(in_dev);
	if (in_dev_orconf(in_dev, IPV4_DEVCONF_ARP_NOTIFY))
		arp_send_gratuitous(in_dev);
}

static int inetdev_event(struct net_device *dev, enum netdev_event event)
{
	if (event == NETDEV_REGISTER)
		return dev->ip_ptr ? 0 : inetdev_init(dev);
	if (!dev->ip_ptr)
		return 0;
	arp_netdev_event(dev, event);
	if (event == NETDEV_UP)
		inetdev_up(dev);
	if (event == NETDEV_DOWN)
		igmp_down(dev->ip_ptr);
	if (event == NETDEV_NOTIFY_PEERS)
		arp_send_gratuitous(dev->ip_ptr);
	if (event == NETDEV_CHANGEADDR && in_dev_orconf(dev->ip_ptr, IPV4_DEVCONF_ARP_NOTIFY))
		arp_send_gratuitous(dev->ip_ptr);
	if (event == NETDEV_UNREGISTER)
		inetdev_destroy(dev);
	fib_netdev_event(dev, event);
	if (event == NETDEV_UNREGISTER)
		inetdev_free(dev);
	return 0;
}

int devinet_init(struct host *h)
{
	return register_netdevice_notifier(h, inetdev_event);
}
