/* SPDX-License-Identifier: MIT */
/*
 * Virtual devices by kind, for the ops from outside (net/core/rtnetlink.c); and what they share:
 * names, addresses, a packet handed from one device to another (dev_forward_skb, net/core/dev.c).
 *
 * Invariant: no device comes or goes while a step of its host runs, as what runs there may hold it.
 */
#include "core/dev_link.h"

#include "core/dev_core.h"
#include "core/offload.h"
#include "kernel/random.h"
#include "lib/str.h"

int rtnl_link_register(struct host *h, const struct rtnl_link_ops *ops)
{
	struct ptype_table *t = h->ptypes;

	if (t->link_kinds == LINK_KINDS)
		return -ENOMEM;
	t->link_ops[t->link_kinds++] = ops;
	return 0;
}

static const struct rtnl_link_ops *link_ops_find(const struct host *h, const struct op_bytes *kind)
{
	const struct ptype_table *t = h->ptypes;

	for (u32 i = 0; i < t->link_kinds; i++)
		if (str_eq_n(t->link_ops[i]->kind, (const char *)kind->p, kind->len))
			return t->link_ops[i];
	return NULL;
}

bool host_in_step(const struct host *h)
{
	for (u32 i = 0; i < h->cpus_count; i++)
		if (h->cpus[i]->in_step)
			return true;
	return false;
}

void eth_hw_addr_random(struct net_device *dev)
{
	u64 bits = get_random_u64(dev->world, RANDOM_LINK);

	for (u32 i = 0; i < ETH_ALEN; i++)
		dev->dev_addr[i] = (u8)(bits >> (8 * i));
	dev->dev_addr[0] = (u8)((dev->dev_addr[0] & 0xfe) | 0x02);
}

void rtnl_link_name(const struct op_bytes *name, const char *pattern, char out[IFNAME_LEN])
{
	if (name->len)
		str_copy_n(out, IFNAME_LEN, (const char *)name->p, name->len);
	else
		str_copy(out, pattern, IFNAME_LEN);
}

int rtnl_link_setup(struct net_device *dev, const struct op_link_add *op)
{
	if ((op->mac.len != 0 && op->mac.len != ETH_ALEN) || (op->mac.len && op->mac.p[0] & 1) ||
	    op->name.len >= IFNAME_LEN)
		return -EINVAL;
	if (op->mac.len) {
		memcpy(dev->dev_addr, op->mac.p, ETH_ALEN);
		dev->addr_user = true;
	}
	if (op->mtu) {
		if (op->mtu < dev->min_mtu || op->mtu > dev->max_mtu)
			return -EINVAL;
		dev->mtu = (u32)op->mtu;
		dev->mtu_user = true;
	}
	return 0;
}

/* ---- ops ---- */

s64 rtnl_op_link_add(struct net *net, struct net *peer_net, const struct op_link_add *op)
{
	const struct rtnl_link_ops *ops = link_ops_find(net->host, &op->kind);
	struct net_device *dev;
	int err = 0;

	if (!ops || !ops->newlink)
		return -EOPNOTSUPP;
	if (op->mtu > UINT32_MAX || op->link > UINT32_MAX)
		return -EINVAL;
	if (host_in_step(net->host))
		return -EBUSY;
	dev = ops->newlink(net, peer_net, op, &err);
	return dev ? (s64)dev->ifindex : err;
}

void netdev_leave_master(struct net_device *dev)
{
	if (dev->master)
		dev->master->link_ops->del_slave(dev->master, dev);
}

void rtnl_dellink(struct net_device *dev)
{
	if (dev->link_ops && dev->link_ops->dellink) {
		dev->link_ops->dellink(dev);
		return;
	}
	unregister_netdevice(dev);
	free_netdev(dev);
}

s64 rtnl_op_link_del(struct net *net, const struct op_link_del *op)
{
	struct net_device *dev =
		op->ifindex <= UINT32_MAX ? dev_get_by_index(net, (u32)op->ifindex) : NULL;

	if (!dev)
		return -ENODEV;
	/* A board is not unplugged, and lo stays. */
	if (!dev->link_ops)
		return -EOPNOTSUPP;
	if (host_in_step(net->host))
		return -EBUSY;
	rtnl_dellink(dev);
	return 0;
}

static int set_master(struct net_device *dev, u64 ifindex)
{
	struct net_device *master = ifindex ? dev_get_by_index(dev_net(dev), (u32)ifindex) : NULL;

	if (host_in_step(dev_host(dev)))
		return -EBUSY;
	if (ifindex && !master)
		return -ENODEV;
	if (master && (!master->link_ops || !master->link_ops->add_slave))
		return -EOPNOTSUPP;
	if (master == dev->master)
		return 0;
	netdev_leave_master(dev);
	return master ? master->link_ops->add_slave(master, dev) : 0;
}

static int set_netns(struct net_device *dev, struct net *target)
{
	if (!target)
		return -EINVAL;
	if (host_in_step(dev_host(dev)))
		return -EBUSY;
	return dev_change_net_namespace(dev, target, NULL);
}

static int set_arp(struct net_device *dev, bool on)
{
	dev->flags = on ? dev->flags & ~IFF_NOARP : dev->flags | IFF_NOARP;
	return 0;
}

static int set_name(struct net_device *dev, const struct op_bytes *name)
{
	char text[IFNAME_LEN];

	if (!name->len || name->len >= IFNAME_LEN)
		return -EINVAL;
	str_copy_n(text, sizeof(text), (const char *)name->p, name->len);
	return dev_change_name(dev, text);
}

int rtnl_link_set(struct net_device *dev, struct net *target, const struct op_link_set *op)
{
	int err = -ENOENT;

	if (dev->driver_depth)
		return -EBUSY;
	if (op->value > UINT32_MAX && op->param != LINK_PARAM_NETNS)
		return -EINVAL;
	switch (op->param) {
	case LINK_PARAM_MASTER:
		return set_master(dev, op->value);
	case LINK_PARAM_NETNS:
		return set_netns(dev, target);
	case LINK_PARAM_NAME:
		return set_name(dev, &op->bytes);
	case LINK_PARAM_ARP:
		return set_arp(dev, op->value != 0);
	default:
		break;
	}
	if (op->param == LINK_PARAM_MTU)
		dev->mtu_user = true;
	if (op->param == LINK_PARAM_ADDRESS)
		dev->addr_user = true;
	if (dev->link_ops && dev->link_ops->changelink)
		err = dev->link_ops->changelink(dev, op);
	if (err == -ENOENT && dev->master && dev->master->link_ops->port_changelink)
		err = dev->master->link_ops->port_changelink(dev, op);
	if (err == -ENOENT && op->param >= LINK_PARAM_REORDER_HDR && op->param < LINK_PARAM_COUNT)
		err = -EOPNOTSUPP;
	return err;
}

s64 rtnl_op_fdb_set(struct net *net, const struct op_fdb_set *op)
{
	struct net_device *dev =
		op->ifindex <= UINT32_MAX ? dev_get_by_index(net, (u32)op->ifindex) : NULL;
	const struct net_device *bridge;

	if (!dev)
		return -ENODEV;
	bridge = op->flags & FDB_F_SELF || op->action == FDB_FLUSH ? dev : dev->master;
	if (!bridge || !bridge->link_ops || !bridge->link_ops->fdb_set)
		return -EOPNOTSUPP;
	if (host_in_step(net->host))
		return -EBUSY;
	return bridge->link_ops->fdb_set(dev, op);
}

/* ---- from one device to another ---- */

bool is_skb_forwardable(const struct net_device *dev, const struct sk_buff *skb)
{
	if (!netif_running(dev))
		return false;
	return skb_is_gso(skb) || skb->len <= dev->mtu + dev->hard_header_len + 4u /* a VLAN tag */;
}

bool dev_forward_skb(struct net_device *dev, struct sk_buff *skb)
{
	if (!is_skb_forwardable(dev, skb) || !pskb_may_pull(skb, ETH_HLEN)) {
		dev->stats.rx_dropped++;
		kfree_skb_reason(skb, netif_running(dev) ? SKB_DROP_REASON_PKT_TOO_BIG :
							   SKB_DROP_REASON_DEV_READY);
		return false;
	}
	skb_orphan_frags(skb);
	skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb->skb_iif = 0;
	skb->ignore_df = 0;
	skb->priority = 0;
	if (skb->net != dev->net) {
		skb->mark = 0;
		skb->tstamp = 0;
	}
	return true;
}
