/* SPDX-License-Identifier: MIT */
/*
 * What a device shall receive (promiscuous mode, all multicast, the multicast list), and the op
 * OP_LINK_SET (`ip link set`). (net/core/dev_addr_lists.c, dev_ioctl.c)
 *
 * Invariant: IFF_PROMISC and IFF_ALLMULTI are set exactly while their counts are not zero.
 */
#include "core/dev_core.h"
#include "stack/op.h"

void dev_set_rx_mode(struct net_device *dev)
{
	if (netif_running(dev) && dev->netdev_ops->ndo_set_rx_mode)
		dev->netdev_ops->ndo_set_rx_mode(dev);
}

static void dev_count_flag(struct net_device *dev, u32 *count, u32 flag, s32 inc)
{
	ASSERT(inc >= 0 || *count >= (u32)-inc);
	*count += (u32)inc;
	if (*count)
		dev->flags |= flag;
	else
		dev->flags &= ~flag;
	dev_set_rx_mode(dev);
}

void dev_set_promiscuity(struct net_device *dev, s32 inc)
{
	dev_count_flag(dev, &dev->promiscuity, IFF_PROMISC, inc);
}

void dev_set_allmulti(struct net_device *dev, s32 inc)
{
	dev_count_flag(dev, &dev->allmulti, IFF_ALLMULTI, inc);
}

static void mc_sync_add(struct net_device *dev, struct dev_mc *mc)
{
	if (dev->mc_sync_to && !mc->synced)
		mc->synced = dev_mc_add(dev->mc_sync_to, mc->addr) == 0;
}

static void mc_sync_del(struct net_device *dev, struct dev_mc *mc)
{
	if (mc->synced)
		dev_mc_del(dev->mc_sync_to, mc->addr);
	mc->synced = false;
}

void dev_mc_sync(struct net_device *to, struct net_device *from)
{
	from->mc_sync_to = to;
	list_for_each(e, &from->mc_list)
		mc_sync_add(from, list_entry(e, struct dev_mc, list));
}

void dev_mc_unsync(struct net_device *from)
{
	list_for_each(e, &from->mc_list)
		mc_sync_del(from, list_entry(e, struct dev_mc, list));
	from->mc_sync_to = NULL;
}

static struct dev_mc *dev_mc_find(const struct net_device *dev, const u8 *addr)
{
	list_for_each(e, &dev->mc_list) {
		struct dev_mc *mc = list_entry(e, struct dev_mc, list);

		if (memcmp(mc->addr, addr, ETH_ALEN) == 0)
			return mc;
	}
	return NULL;
}

int dev_mc_add(struct net_device *dev, const u8 *addr)
{
	struct dev_mc *mc = dev_mc_find(dev, addr);

	if (mc) {
		mc->refs++;
		return 0;
	}
	mc = mem_alloc(dev->world, MEM_MISC, sizeof(*mc));
	if (!mc)
		return -ENOMEM;
	mc->refs = 1;
	mc->synced = false;
	memcpy(mc->addr, addr, ETH_ALEN);
	list_add_tail(&mc->list, &dev->mc_list);
	mc_sync_add(dev, mc);
	dev_set_rx_mode(dev);
	return 0;
}

int dev_mc_del(struct net_device *dev, const u8 *addr)
{
	struct dev_mc *mc = dev_mc_find(dev, addr);

	if (!mc)
		return -ENOENT;
	if (--mc->refs == 0) {
		mc_sync_del(dev, mc);
		list_del_init(&mc->list);
		mem_free(dev->world, MEM_MISC, mc, sizeof(*mc));
		dev_set_rx_mode(dev);
	}
	return 0;
}

void dev_mc_flush(struct net_device *dev)
{
	list_for_each_safe(e, tmp, &dev->mc_list) {
		struct dev_mc *mc = list_entry(e, struct dev_mc, list);

		mc_sync_del(dev, mc);
		list_del_init(e);
		mem_free(dev->world, MEM_MISC, mc, sizeof(*mc));
	}
}

void dev_mc_walk(const struct net_device *dev, void (*fn)(void *ctx, const u8 *addr), void *ctx)
{
	list_for_each(e, &dev->mc_list)
		fn(ctx, list_entry(e, struct dev_mc, list)->addr);
}

/* `ip link set promisc on|off` is one user among others of the count. */
static int dev_set_user_flag(struct net_device *dev, bool *user, bool on,
			     void (*set)(struct net_device *, s32))
{
	if (*user != on) {
		*user = on;
		set(dev, on ? 1 : -1);
	}
	return 0;
}

static int dev_change_carrier(struct net_device *dev, bool on)
{
	if (dev->netdev_ops->ndo_change_carrier)
		dev->netdev_ops->ndo_change_carrier(dev, on);
	else if (on)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
	return 0;
}

int dev_link_set(struct net_device *dev, const struct op_link_set *op)
{
	u64 value = op->value;

	if (value > UINT32_MAX)
		return -EINVAL;
	if (dev->driver_depth)
		return -EBUSY;
	switch (op->param) {
	case LINK_PARAM_UP:
		if (value)
			return dev_open(dev);
		dev_close(dev);
		return 0;
	case LINK_PARAM_MTU:
		return dev_set_mtu(dev, (u32)value);
	case LINK_PARAM_PROMISC:
		return dev_set_user_flag(dev, &dev->promisc_user, value != 0, dev_set_promiscuity);
	case LINK_PARAM_ALLMULTI:
		return dev_set_user_flag(dev, &dev->allmulti_user, value != 0, dev_set_allmulti);
	case LINK_PARAM_ADDRESS:
		return op->bytes.len == ETH_ALEN ? dev_set_mac_address(dev, op->bytes.p) : -EINVAL;
	case LINK_PARAM_CARRIER:
		return dev_change_carrier(dev, value != 0);
	case LINK_PARAM_TXQLEN:
		dev->tx_queue_len = (u32)value;
		return 0;
	case LINK_PARAM_ANYIP:
		dev->anyip = value != 0;
		return 0;
	default:
		return -EINVAL;
	}
}
