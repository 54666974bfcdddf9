/* SPDX-License-Identifier: MIT */
/*
 * A device changes its namespace, or its name (net/core/dev.c: dev_change_net_namespace). For all
 * who hear of devices it is unregistered in the one and registered in the other: addresses, routes
 * and neighbours stay behind; its queueing disciplines and filters end; statistics, settings and
 * what is below or above it go along.
 *
 * Invariant: the device is in the lists of exactly one namespace.
 */
#include "core/dev_core.h"
#include "core/dev_link.h"
#include "lib/str.h"

int dev_change_name(struct net_device *dev, const char *name)
{
	char valid[IFNAME_LEN];
	int err;

	if (netif_running(dev))
		return -EBUSY;
	if (!dev->link_ops && dev->flags & IFF_LOOPBACK)
		return -EOPNOTSUPP;
	err = dev_prep_valid_name(dev_net(dev), dev, name, valid);
	if (!err)
		dev_rename(dev, valid);
	return err;
}

/* Without memory it is there all the same, but IP does not know it. */
static int enter_net(struct net_device *dev, struct net *net, const char *name)
{
	dev->net = net;
	str_copy(dev->name, name, sizeof(dev->name));
	if (dev_get_by_index(net, dev->ifindex))
		dev->ifindex = net->ifindex_next;
	if (dev->ifindex >= net->ifindex_next)
		net->ifindex_next = dev->ifindex + 1;
	list_netdevice(dev);
	return call_netdevice_notifiers(dev, NETDEV_REGISTER);
}

static void leave_net(struct net_device *dev)
{
	dev->moving = true;
	call_netdevice_notifiers(dev, NETDEV_UNREGISTER);
	dev->moving = false;
	unlist_netdevice(dev);
	flush_backlog(dev);
	dev_mc_flush(dev);
}

int dev_change_net_namespace(struct net_device *dev, struct net *net, const char *name)
{
	struct net *old = dev_net(dev);
	char old_name[IFNAME_LEN], new_name[IFNAME_LEN];
	u32 old_ifindex = dev->ifindex;
	int err;

	if (dev->netns_local || dev->flags & IFF_LOOPBACK || net->host != old->host)
		return -EINVAL;
	if (net == old)
		return 0;
	if (dev->driver_depth)
		return -EBUSY;
	/* Before anything is done: is there room for the name? */
	err = dev_prep_valid_name(net, dev, name ? name : dev->name, new_name);
	if (err)
		return err;
	dev_close(dev);
	err = dev_forget_qdiscs(dev);
	if (err)
		return err;
	str_copy(old_name, dev->name, sizeof(old_name));
	leave_net(dev);
	err = enter_net(dev, net, new_name);
	if (err) {
		leave_net(dev);
		dev->ifindex = old_ifindex;
		(void)enter_net(dev, old, old_name);
	}
	return err;
}
