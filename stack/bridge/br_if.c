/* SPDX-License-Identifier: MIT */
/*
 * The ports of a bridge (net/bridge/br_if.c, br.c): coming and going, their states and flags, and
 * what the bridge takes from them: its carrier, MTU and address.
 *
 * Invariants: a port's device is promiscuous, has the bridge's rx_handler and points to the bridge
 * as its master; a port forwards only while it and the bridge are up and it has a carrier.
 */
#include "bridge/br_private.h"

#include "bridge/br.h"

struct net_bridge_port *br_port_get(const struct net_device *dev)
{
	return dev->rx_handler == br_handle_frame ? dev->rx_handler_data : NULL;
}

static bool port_usable(const struct net_bridge_port *p)
{
	return netif_running(p->br->dev) && netif_running(p->dev) && p->dev->carrier;
}

/* br_stp_enable_port() and disable: without spanning tree at once from the one to the other. */
static void port_select(struct net_bridge_port *p)
{
	u8 state = port_usable(p) ? BR_STATE_FORWARDING : BR_STATE_DISABLED;

	if (state == BR_STATE_DISABLED && p->state != state)
		br_fdb_delete_by_port(p->br, p, false);
	if (state == BR_STATE_DISABLED || p->state == BR_STATE_DISABLED)
		p->state = state;
}

/* The lowest address of the ports, unless the user gave it one (br_stp_recalculate_bridge_id). */
static void recalculate_address(struct net_bridge *br)
{
	const u8 *lowest = NULL;

	if (br->dev->addr_user)
		return;
	list_for_each(pos, &br->port_list) {
		const u8 *addr = list_entry(pos, struct net_bridge_port, list)->dev->dev_addr;

		if (!lowest || memcmp(addr, lowest, ETH_ALEN) < 0)
			lowest = addr;
	}
	if (!lowest || memcmp(lowest, br->dev->dev_addr, ETH_ALEN) == 0)
		return;
	(void)dev_set_mac_address(br->dev, lowest);
}

static void recalculate_mtu(struct net_bridge *br)
{
	u32 mtu = 0;

	if (br->dev->mtu_user)
		return;
	list_for_each(pos, &br->port_list) {
		const struct net_device *dev = list_entry(pos, struct net_bridge_port, list)->dev;

		mtu = mtu ? min_u32(mtu, dev->mtu) : dev->mtu;
	}
	(void)dev_set_mtu(br->dev, mtu ? mtu : 1500);
}

void br_ports_changed(struct net_bridge *br)
{
	bool live = false;

	list_for_each(pos, &br->port_list) {
		struct net_bridge_port *p = list_entry(pos, struct net_bridge_port, list);

		port_select(p);
		live |= p->state == BR_STATE_FORWARDING;
	}
	if (live)
		netif_carrier_on(br->dev);
	else
		netif_carrier_off(br->dev);
}

/* ---- coming and going ---- */

static int br_may_add(const struct net_bridge *br, const struct net_device *dev)
{
	if (dev->flags & IFF_LOOPBACK || dev->type != ARPHRD_ETHER)
		return -EINVAL;
	if (netif_is_bridge(dev))
		return -ELOOP;
	if (dev->master || dev->rx_handler)
		return -EBUSY;
	return br->ports < BR_PORTS_MAX && dev->net == br->dev->net ? 0 : -EXFULL;
}

static u16 find_portno(const struct net_bridge *br)
{
	for (u16 no = 1;; no++) {
		bool taken = false;

		list_for_each(pos, &br->port_list)
			taken |= list_entry(pos, struct net_bridge_port, list)->port_no == no;
		if (!taken)
			return no;
	}
}

static int br_add_if(struct net_device *master, struct net_device *dev)
{
	struct net_bridge *br = netdev_br(master);
	struct net_bridge_port *p;
	int err = br_may_add(br, dev);

	if (err)
		return err;
	p = mem_zalloc(dev->world, MEM_NETDEV_PRIV, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->br = br;
	p->dev = dev;
	p->port_no = find_portno(br);
	p->flags = BR_LEARNING | BR_FLOOD | BR_MCAST_FLOOD | BR_BCAST_FLOOD;
	p->state = BR_STATE_DISABLED;
	err = br_fdb_add_local(br, p, dev->dev_addr);
	if (err) {
		mem_free(dev->world, MEM_NETDEV_PRIV, p, sizeof(*p));
		return err;
	}
	dev_hold(dev);
	list_add(&p->list, &br->port_list);
	br->ports++;
	dev->master = master;
	dev->rx_handler = br_handle_frame;
	dev->rx_handler_data = p;
	dev_disable_lro(dev);
	dev_set_promiscuity(dev, 1);
	recalculate_address(br);
	recalculate_mtu(br);
	br_ports_changed(br);
	return 0;
}

static void br_del_if(struct net_device *master, struct net_device *dev)
{
	struct net_bridge *br = netdev_br(master);
	struct net_bridge_port *p = br_port_get(dev);

	ASSERT(p && p->br == br);
	list_del_init(&p->list);
	br->ports--;
	br_fdb_delete_by_port(br, p, true);
	dev->master = NULL;
	dev->rx_handler = NULL;
	dev->rx_handler_data = NULL;
	dev_set_promiscuity(dev, -1);
	dev_put(dev);
	mem_free(dev->world, MEM_NETDEV_PRIV, p, sizeof(*p));
	recalculate_mtu(br);
	recalculate_address(br);
	br_ports_changed(br);
}

int br_device_event(struct net_device *dev, enum netdev_event event)
{
	struct net_bridge_port *p = br_port_get(dev);

	if (netif_is_bridge(dev) && (event == NETDEV_UP || event == NETDEV_DOWN))
		br_ports_changed(netdev_br(dev));
	if (!p)
		return 0;
	switch (event) {
	case NETDEV_CHANGEMTU:
		recalculate_mtu(p->br);
		break;
	case NETDEV_CHANGEADDR:
		br_fdb_changeaddr(p->br, p, dev->dev_addr);
		recalculate_address(p->br);
		break;
	case NETDEV_CHANGE:
	case NETDEV_UP:
	case NETDEV_DOWN:
		br_ports_changed(p->br);
		break;
	case NETDEV_UNREGISTER:
		br_del_if(dev->master, dev);
		break;
	default:
		break;
	}
	return 0;
}

/* ---- `bridge link set` ---- */

static int set_flag(struct net_bridge_port *p, u32 flag, bool on)
{
	p->flags = on ? p->flags | flag : p->flags & ~flag;
	return 0;
}

static int set_state(struct net_bridge_port *p, u64 state)
{
	if (state >= BR_STATE_COUNT)
		return -EINVAL;
	/* One that is not up stays disabled. */
	if (!port_usable(p) && state != BR_STATE_DISABLED)
		return -ENETDOWN;
	p->state = (u8)state;
	return 0;
}

static int br_port_changelink(struct net_device *port, const struct op_link_set *op)
{
	struct net_bridge_port *p = br_port_get(port);
	bool on = op->value != 0;

	switch (op->param) {
	case LINK_PARAM_LEARNING:
		return set_flag(p, BR_LEARNING, on);
	case LINK_PARAM_FLOOD:
		return set_flag(p, BR_FLOOD, on);
	case LINK_PARAM_MCAST_FLOOD:
		return set_flag(p, BR_MCAST_FLOOD, on);
	case LINK_PARAM_BCAST_FLOOD:
		return set_flag(p, BR_BCAST_FLOOD, on);
	case LINK_PARAM_HAIRPIN:
		return set_flag(p, BR_HAIRPIN_MODE, on);
	case LINK_PARAM_ISOLATED:
		return set_flag(p, BR_ISOLATED, on);
	case LINK_PARAM_PORT_FWD_MASK:
		if (op->value > 0xffff || op->value & BR_GROUPFWD_RESTRICTED)
			return -EINVAL;
		p->group_fwd_mask = (u32)op->value;
		return 0;
	case LINK_PARAM_STATE:
		return set_state(p, op->value);
	default:
		return -ENOENT;
	}
}

static const char *const state_names[BR_STATE_COUNT] = { "disabled", "listening", "learning",
							 "forwarding", "blocking" };

const char *br_port_state_name(const struct net_device *dev)
{
	const struct net_bridge_port *p = br_port_get(dev);

	return p ? state_names[p->state] : NULL;
}

static void br_port_fill_info(const struct net_device *port,
			      void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	const struct net_bridge_port *p = br_port_get(port);

	fn(ctx, "hairpin", (p->flags & BR_HAIRPIN_MODE) != 0);
	fn(ctx, "learning", (p->flags & BR_LEARNING) != 0);
	fn(ctx, "flood", (p->flags & BR_FLOOD) != 0);
	fn(ctx, "mcast_flood", (p->flags & BR_MCAST_FLOOD) != 0);
	fn(ctx, "bcast_flood", (p->flags & BR_BCAST_FLOOD) != 0);
	fn(ctx, "isolated", (p->flags & BR_ISOLATED) != 0);
	fn(ctx, "group_fwd_mask", p->group_fwd_mask);
}

/* ---- the kind ---- */

static int br_changelink(struct net_device *dev, const struct op_link_set *op)
{
	struct net_bridge *br = netdev_br(dev);

	switch (op->param) {
	case LINK_PARAM_AGEING_TIME:
		br->ageing_time = op->value * 10;
		br_fdb_ageing_changed(br);
		return 0;
	case LINK_PARAM_GROUP_FWD_MASK:
		if (op->value > 0xffff || op->value & BR_GROUPFWD_RESTRICTED)
			return -EINVAL;
		br->group_fwd_mask = (u32)op->value;
		return 0;
	case LINK_PARAM_FDB_MAX_LEARNED:
		br->fdb_max_learned = (u32)op->value;
		return 0;
	default:
		return -ENOENT;
	}
}

static void br_fill_info(const struct net_device *dev,
			 void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	const struct net_bridge *br = netdev_br(dev);

	fn(ctx, "ageing_time", br->ageing_time / 10);
	fn(ctx, "stp_state", 0);
	fn(ctx, "group_fwd_mask", br->group_fwd_mask);
	fn(ctx, "fdb_n_learned", br->fdb_n_learned);
	fn(ctx, "fdb_max_learned", br->fdb_max_learned);
}

static void br_dellink(struct net_device *dev)
{
	struct net_bridge *br = netdev_br(dev);

	while (!list_empty(&br->port_list))
		br_del_if(dev, list_first_entry(&br->port_list, struct net_bridge_port, list)->dev);
	unregister_netdevice(dev);
	free_netdev(dev);
}

const struct rtnl_link_ops br_link_ops = {
	.kind = "bridge",
	.newlink = br_newlink,
	.dellink = br_dellink,
	.changelink = br_changelink,
	.port_changelink = br_port_changelink,
	.add_slave = br_add_if,
	.del_slave = br_del_if,
	.fdb_set = br_fdb_set,
	.fill_info = br_fill_info,
	.port_fill_info = br_port_fill_info,
};

int br_init(struct host *h)
{
	int err = rtnl_link_register(h, &br_link_ops);

	return err ? err : register_netdevice_notifier(h, br_device_event);
}
