/* SPDX-License-Identifier: MIT */
/*
 * The registry of network devices: made, named, registered in a namespace, brought up and down,
 * taken away; the notifier chain that tells everyone. (net/core/dev.c, net/core/dev_ioctl.c)
 *
 * Invariants: a registered device is in its namespace's lists (dev_names.c); IFF_UP is set
 * exactly while ndo_open has succeeded and ndo_stop has not been called; nobody holds a device that
 * is freed.
 */
#include "core/dev_core.h"
#include "core/dev_link.h"
#include "core/rps.h"
#include "lib/str.h"

int call_netdevice_notifiers(struct net_device *dev, enum netdev_event event)
{
	struct ptype_table *t = dev_host(dev)->ptypes;
	int err = 0;

	for (u32 i = 0; i < t->notifiers; i++) {
		int rc = t->notifier[i](dev, event);

		if (rc && !err)
			err = rc;
	}
	return err;
}

int register_netdevice_notifier(struct host *h, netdev_notifier_fn fn)
{
	struct ptype_table *t = h->ptypes;

	if (t->notifiers == NETDEV_NOTIFIERS)
		return -ENOMEM;
	t->notifier[t->notifiers++] = fn;
	list_for_each(n, &h->nets) {
		struct net *net = list_entry(n, struct net, list);

		list_for_each(d, &net->dev_base) {
			struct net_device *dev = list_entry(d, struct net_device, dev_list);

			fn(dev, NETDEV_REGISTER);
			if (netif_running(dev))
				fn(dev, NETDEV_UP);
		}
	}
	return 0;
}

struct net_device *alloc_netdev(struct host *h, const char *name, u32 tx_queues, u32 rx_queues,
				size_t priv_size)
{
	struct world *w = h->world;
	struct net_device *dev = mem_zalloc(w, MEM_NETDEV, sizeof(*dev));

	if (!dev)
		return NULL;
	dev->tx = mem_alloc_n(w, MEM_NETDEV_PRIV, tx_queues, sizeof(*dev->tx));
	dev->priv = priv_size ? mem_zalloc(w, MEM_NETDEV_PRIV, priv_size) : NULL;
	if (!dev->tx || (priv_size && !dev->priv)) {
		if (dev->tx)
			mem_free_n(w, MEM_NETDEV_PRIV, dev->tx, tx_queues, sizeof(*dev->tx));
		if (dev->priv)
			mem_free(w, MEM_NETDEV_PRIV, dev->priv, priv_size);
		mem_free(w, MEM_NETDEV, dev, sizeof(*dev));
		return NULL;
	}
	dev->world = w;
	dev->priv_size = priv_size;
	str_copy(dev->name, name, sizeof(dev->name));
	dev->num_tx_queues = tx_queues;
	dev->real_num_tx_queues = tx_queues;
	dev->num_rx_queues = rx_queues;
	dev->tx_queue_len = 1000;
	dev->gso_max_size = GSO_MAX_SIZE;
	dev->gso_max_segs = GSO_MAX_SEGS;
	dev->gro_max_size = GSO_MAX_SIZE;
	dev->watchdog_timeo_ms = 5000;
	list_init(&dev->dev_list);
	list_init(&dev->napi_list);
	list_init(&dev->ptype_all);
	list_init(&dev->ptype_specific);
	list_init(&dev->mc_list);
	for (u32 i = 0; i < tx_queues; i++)
		dev->tx[i] = (struct netdev_queue){ .dev = dev, .index = i };
	timer_setup(&dev->watchdog, host_cpu(h, 0), dev_watchdog);
	return dev;
}

void free_netdev(struct net_device *dev)
{
	struct world *w = dev->world;

	ASSERT(dev->refcnt == 0);
	ASSERT(list_empty(&dev->dev_list));
	dev_steering_free(dev);
	mem_free_n(w, MEM_NETDEV_PRIV, dev->tx, dev->num_tx_queues, sizeof(*dev->tx));
	if (dev->priv)
		mem_free(w, MEM_NETDEV_PRIV, dev->priv, dev->priv_size);
	mem_free(w, MEM_NETDEV, dev, sizeof(*dev));
}

int register_netdevice(struct net_device *dev, struct net *net)
{
	char name[IFNAME_LEN];
	int err = dev_prep_valid_name(net, dev, dev->name, name);

	if (err)
		return err;
	str_copy(dev->name, name, sizeof(dev->name));
	if (!net->ifindex_next)
		net->ifindex_next = 1;
	dev->net = net;
	err = dev_init_scheduler(dev);
	if (err)
		return err;
	dev->ifindex = net->ifindex_next++;
	list_netdevice(dev);
	err = call_netdevice_notifiers(dev, NETDEV_REGISTER);
	if (err) {
		call_netdevice_notifiers(dev, NETDEV_UNREGISTER);
		unlist_netdevice(dev);
		dev_shutdown(dev);
		if (dev->ifindex + 1 == net->ifindex_next)
			net->ifindex_next--;
	}
	return err;
}

void unregister_netdevice(struct net_device *dev)
{
	ASSERT(dev->driver_depth == 0);
	netdev_leave_master(dev);
	dev_close(dev);
	call_netdevice_notifiers(dev, NETDEV_UNREGISTER);
	unlist_netdevice(dev);
	flush_backlog(dev);
	dev_shutdown(dev);
	dev_mc_flush(dev);
	if (dev->netdev_ops->ndo_uninit)
		dev->netdev_ops->ndo_uninit(dev);
	del_timer(&dev->watchdog);
	ASSERT(list_empty(&dev->ptype_all));
	ASSERT(list_empty(&dev->ptype_specific));
	ASSERT(list_empty(&dev->napi_list));
	ASSERT(!dev->vlan_info && !dev->master && !dev->rx_handler);
}

static void dev_update_running(struct net_device *dev)
{
	if (netif_running(dev) && dev->carrier)
		dev->flags |= IFF_RUNNING;
	else
		dev->flags &= ~IFF_RUNNING;
}

int dev_open(struct net_device *dev)
{
	int err;

	if (netif_running(dev))
		return 0;
	if (dev->driver_depth)
		return -EBUSY;
	err = dev->netdev_ops->ndo_open ? dev->netdev_ops->ndo_open(dev) : 0;
	if (err)
		return err;
	dev->flags |= IFF_UP;
	dev_update_running(dev);
	dev_set_rx_mode(dev);
	dev_activate(dev);
	call_netdevice_notifiers(dev, NETDEV_UP);
	return 0;
}

void dev_close(struct net_device *dev)
{
	if (!netif_running(dev) || dev->driver_depth)
		return;
	call_netdevice_notifiers(dev, NETDEV_GOING_DOWN);
	dev_deactivate(dev);
	if (dev->netdev_ops->ndo_stop)
		dev->netdev_ops->ndo_stop(dev);
	dev->flags &= ~IFF_UP;
	dev_update_running(dev);
	call_netdevice_notifiers(dev, NETDEV_DOWN);
}

int dev_set_mtu(struct net_device *dev, u32 mtu)
{
	u32 old = dev->mtu;
	int err;

	if (mtu == dev->mtu)
		return 0;
	if (mtu < dev->min_mtu || (dev->max_mtu && mtu > dev->max_mtu))
		return -EINVAL;
	if (dev->driver_depth)
		return -EBUSY;
	err = dev->netdev_ops->ndo_change_mtu ? dev->netdev_ops->ndo_change_mtu(dev, mtu) : 0;
	if (err)
		return err;
	dev->mtu = mtu;
	err = call_netdevice_notifiers(dev, NETDEV_CHANGEMTU);
	if (err) {
		if (dev->netdev_ops->ndo_change_mtu)
			dev->netdev_ops->ndo_change_mtu(dev, old);
		dev->mtu = old;
		call_netdevice_notifiers(dev, NETDEV_CHANGEMTU);
	}
	return err;
}

int dev_set_mac_address(struct net_device *dev, const u8 *addr)
{
	int err;

	if (dev->type != ARPHRD_ETHER)
		return -EOPNOTSUPP;
	if ((addr[0] & 1) || !(addr[0] | addr[1] | addr[2] | addr[3] | addr[4] | addr[5]))
		return -EADDRNOTAVAIL;
	if (dev->driver_depth)
		return -EBUSY;
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	err = dev->netdev_ops->ndo_set_mac_address ?
		      dev->netdev_ops->ndo_set_mac_address(dev, addr) :
		      0;
	if (!err)
		call_netdevice_notifiers(dev, NETDEV_CHANGEADDR);
	return err;
}

void netif_carrier_on(struct net_device *dev)
{
	if (dev->carrier)
		return;
	dev->carrier = true;
	dev->carrier_changes += dev->net != NULL;
	if (!dev->net || !netif_running(dev))
		return;
	dev_update_running(dev);
	dev_activate(dev);
	call_netdevice_notifiers(dev, NETDEV_CHANGE);
}

void netif_carrier_off(struct net_device *dev)
{
	if (!dev->carrier)
		return;
	dev->carrier = false;
	dev->carrier_changes += dev->net != NULL;
	if (!dev->net || !netif_running(dev))
		return;
	dev_update_running(dev);
	dev_deactivate(dev);
	call_netdevice_notifiers(dev, NETDEV_CHANGE);
}

void dev_get_stats(const struct net_device *dev, struct net_device_stats *stats)
{
	*stats = dev->stats;
	if (dev->netdev_ops->ndo_get_stats64)
		dev->netdev_ops->ndo_get_stats64(dev, stats);
}
