/* SPDX-License-Identifier: MIT */
/*
 * VLAN devices (net/8021q/vlan_dev.c, vlan.c): a device of its own for the frames of one 802.1Q or
 * 802.1ad tag on another device. On the way out it puts the tag into the sk_buff's fields and gives
 * the frame to the device below; the way in is core/vlan.c's. What the device below loses (carrier,
 * IFF_UP, MTU) it loses, too.
 *
 * Invariants: it is in the table of the device below under its protocol and id while it is
 * registered; it asks the device below for frames only while it is up.
 */
#include "core/vlan.h"
#include "core/skb_path.h"

#include "drivers/links.h"
#include "ethernet/eth.h"
#include "stack/errno.h"
#include "stack/nic.h"

static struct vlan_dev_priv *vlan_priv(const struct net_device *dev)
{
	return dev->priv;
}

/* ---- out ---- */

/* vlan_dev_get_egress_qos_mask(): the PCP of a socket's or a rule's priority. */
static u16 egress_qos(const struct vlan_dev_priv *vlan, u32 priority)
{
	const struct vlan_priority_map *m = vlan->egress[priority % VLAN_EGRESS_BUCKET];

	while (m && m->priority != priority)
		m = m->next;
	return m ? m->qos : 0;
}

/* vlan_dev_hard_header(): without REORDER_HDR the tag is part of the header from the start. */
static int vlan_header(struct sk_buff *skb, struct net_device *dev, u16 type, const u8 *daddr,
		       const u8 *saddr)
{
	const struct vlan_dev_priv *vlan = dev->priv;

	if (!(vlan->flags & VLAN_FLAG_REORDER_HDR)) {
		u8 *p;

		if (skb_cow_head(skb, ETH_HLEN + VLAN_HLEN))
			return -ENOMEM;
		p = skb_push(skb, VLAN_HLEN);
		put_be16(p, (u16)(vlan->vlan_id | egress_qos(vlan, skb->priority)));
		put_be16(p + 2, type);
		type = ntohs(vlan->vlan_proto);
	}
	return eth_header_ops.create(skb, dev, type, daddr, saddr);
}

static const struct header_ops vlan_header_ops = {
	.create = vlan_header,
};

static enum netdev_tx vlan_xmit(struct sk_buff *skb, struct net_device *dev)
{
	const struct vlan_dev_priv *vlan = dev->priv;
	u32 len = skb->len;
	int rc;

	skb_path(skb, SKB_PATH_VLAN_XMIT);
	if (!pskb_may_pull(skb, ETH_HLEN)) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return NETDEV_TX_OK;
	}
	if (vlan->flags & VLAN_FLAG_REORDER_HDR ||
	    get_be16(skb->data + 2 * ETH_ALEN) != ntohs(vlan->vlan_proto)) {
		skb->vlan_proto = vlan->vlan_proto;
		skb->vlan_tci = (u16)(vlan->vlan_id | egress_qos(vlan, skb->priority));
		skb->vlan_present = 1;
	}
	skb->dev = vlan->real_dev;
	/* Its own namespace may end before the packet does. */
	skb->net = vlan->real_dev->net;
	rc = dev_queue_xmit(skb);
	if (rc == NET_XMIT_SUCCESS || rc == NET_XMIT_CN) {
		dev->stats.tx_packets++;
		dev->stats.tx_bytes += len;
	} else {
		dev->stats.tx_dropped++;
	}
	return NETDEV_TX_OK;
}

/* ---- what it wants from the device below ---- */

static void apply(bool *applied, bool want, struct net_device *real,
		  void (*set)(struct net_device *, s32))
{
	if (*applied == want)
		return;
	*applied = want;
	set(real, want ? 1 : -1);
}

/* `up`: it is, or is about to be. */
static void sync_real(struct net_device *dev, bool up)
{
	struct vlan_dev_priv *vlan = dev->priv;
	struct net_device *real = vlan->real_dev;
	bool other = memcmp(dev->dev_addr, real->dev_addr, ETH_ALEN) != 0;

	apply(&vlan->address_applied, up && other, real, dev_set_promiscuity);
	apply(&vlan->promisc_applied, up && dev->flags & IFF_PROMISC, real, dev_set_promiscuity);
	apply(&vlan->allmulti_applied, up && dev->flags & IFF_ALLMULTI, real, dev_set_allmulti);
}

static void vlan_set_rx_mode(struct net_device *dev)
{
	sync_real(dev, true);
}

static void take_carrier(struct net_device *dev)
{
	if (vlan_priv(dev)->real_dev->carrier)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
}

static int vlan_open(struct net_device *dev)
{
	const struct vlan_dev_priv *vlan = dev->priv;

	if (!netif_running(vlan->real_dev) && !(vlan->flags & VLAN_FLAG_LOOSE_BINDING))
		return -ENETDOWN;
	sync_real(dev, true);
	dev_mc_sync(vlan->real_dev, dev);
	take_carrier(dev);
	return 0;
}

static int vlan_stop(struct net_device *dev)
{
	const struct vlan_dev_priv *vlan = dev->priv;

	dev_mc_unsync(dev);
	sync_real(dev, false);
	if (!(vlan->flags & VLAN_FLAG_LOOSE_BINDING))
		dev->carrier = false;
	return 0;
}

static int vlan_change_mtu(struct net_device *dev, u32 mtu)
{
	return mtu > vlan_priv(dev)->real_dev->mtu ? -ERANGE : 0;
}

static int vlan_set_mac_address(struct net_device *dev, const u8 *addr)
{
	(void)addr;
	sync_real(dev, netif_running(dev));
	return 0;
}

/* ---- settings ---- */

static int set_flag(struct vlan_dev_priv *vlan, u32 flag, bool on)
{
	vlan->flags = on ? vlan->flags | flag : vlan->flags & ~flag;
	return 0;
}

static int set_egress(struct net_device *dev, u32 priority, u32 pcp)
{
	struct vlan_dev_priv *vlan = dev->priv;
	struct vlan_priority_map **bucket = &vlan->egress[priority % VLAN_EGRESS_BUCKET], *m;

	for (m = *bucket; m && m->priority != priority; m = m->next)
		;
	if (!m) {
		m = mem_alloc(dev->world, MEM_NETDEV_PRIV, sizeof(*m));
		if (!m)
			return -ENOBUFS;
		m->priority = priority;
		m->next = *bucket;
		*bucket = m;
	}
	m->qos = (u16)((pcp & 7) << VLAN_PRIO_SHIFT);
	return 0;
}

static int vlan_changelink(struct net_device *dev, const struct op_link_set *op)
{
	struct vlan_dev_priv *vlan = dev->priv;

	switch (op->param) {
	case LINK_PARAM_REORDER_HDR:
		return set_flag(vlan, VLAN_FLAG_REORDER_HDR, op->value != 0);
	case LINK_PARAM_LOOSE_BINDING:
		return set_flag(vlan, VLAN_FLAG_LOOSE_BINDING, op->value != 0);
	case LINK_PARAM_INGRESS_QOS:
		if (op->bytes.len != 8 || get_be32(op->bytes.p) > 7)
			return -EINVAL;
		vlan->ingress_priority_map[get_be32(op->bytes.p)] = get_be32(op->bytes.p + 4);
		return 0;
	case LINK_PARAM_EGRESS_QOS:
		if (op->bytes.len != 8 || get_be32(op->bytes.p + 4) > 7)
			return -EINVAL;
		return set_egress(dev, get_be32(op->bytes.p), get_be32(op->bytes.p + 4));
	default:
		return -ENOENT;
	}
}

static void vlan_fill_info(const struct net_device *dev,
			   void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	const struct vlan_dev_priv *vlan = dev->priv;

	fn(ctx,
	   vlan->vlan_proto == htons(ETH_P_8021AD) ? "protocol 802.1ad id" : "protocol 802.1Q id",
	   vlan->vlan_id);
}

/* ---- life ---- */

static void vlan_uninit(struct net_device *dev)
{
	struct vlan_dev_priv *vlan = dev->priv;

	vlan_group_del(vlan->real_dev, vlan->vlan_proto, vlan->vlan_id);
	dev_put(vlan->real_dev);
	for (u32 i = 0; i < VLAN_EGRESS_BUCKET; i++)
		while (vlan->egress[i]) {
			struct vlan_priority_map *m = vlan->egress[i];

			vlan->egress[i] = m->next;
			mem_free(dev->world, MEM_NETDEV_PRIV, m, sizeof(*m));
		}
}

static void vlan_check(const struct net_device *dev)
{
	const struct vlan_dev_priv *vlan = dev->priv;

	ASSERT(vlan_find_dev(vlan->real_dev, vlan->vlan_proto, vlan->vlan_id) == dev);
	ASSERT(vlan->real_dev->refcnt > 0);
	ASSERT(!netif_running(dev) || vlan->flags & VLAN_FLAG_LOOSE_BINDING ||
	       netif_running(vlan->real_dev));
	ASSERT(netif_running(dev) || !(vlan->address_applied || vlan->promisc_applied ||
				       vlan->allmulti_applied || dev->mc_sync_to));
}

static const struct net_device_ops vlan_netdev_ops = {
	.ndo_open = vlan_open,
	.ndo_stop = vlan_stop,
	.ndo_start_xmit = vlan_xmit,
	.ndo_set_rx_mode = vlan_set_rx_mode,
	.ndo_change_mtu = vlan_change_mtu,
	.ndo_set_mac_address = vlan_set_mac_address,
	.ndo_check = vlan_check,
	.ndo_uninit = vlan_uninit,
};

static void vlan_setup(struct net_device *dev, struct net_device *real)
{
	ether_setup(dev);
	dev->netdev_ops = &vlan_netdev_ops;
	dev->header_ops = &vlan_header_ops;
	dev->link_ops = &vlan_link_ops;
	dev->hard_header_len = real->hard_header_len;
	dev->needed_headroom = (u16)(real->needed_headroom + VLAN_HLEN);
	dev->min_mtu = 0;
	dev->max_mtu = UINT32_MAX;
	dev->mtu = real->mtu;
	dev->features = real->vlan_features;
	dev->vlan_features = real->vlan_features;
	dev->no_queue = true;
	memcpy(dev->dev_addr, real->dev_addr, ETH_ALEN);
}

/* vlan_check_real_dev() and the limits of what was asked for. */
static int vlan_validate(const struct net_device *real, const struct op_link_add *op, be16 *proto)
{
	*proto = htons(op->protocol ? (u16)op->protocol : ETH_P_8021Q);
	if (!real)
		return -ENODEV;
	if (real->type != ARPHRD_ETHER)
		return -EOPNOTSUPP;
	if (op->protocol > 0xffff || !eth_type_vlan(*proto))
		return -EPROTONOSUPPORT;
	if (op->id > VLAN_VID_MAX + 1)
		return -ERANGE;
	if (op->id > VLAN_VID_MAX)
		return -EINVAL;
	if (op->mtu > real->mtu)
		return -ERANGE;
	return vlan_find_dev(real, *proto, (u16)op->id) ? -EEXIST : 0;
}

static struct net_device *vlan_newlink(struct net *net, struct net *peer_net,
				       const struct op_link_add *op, int *err)
{
	struct net_device *real = dev_get_by_index(peer_net, (u32)op->link), *dev;
	struct vlan_dev_priv *vlan;
	char name[IFNAME_LEN];
	be16 proto;

	*err = vlan_validate(real, op, &proto);
	if (*err)
		return NULL;
	rtnl_link_name(&op->name, "vlan%d", name);
	dev = alloc_netdev(net->host, name, 1, 1, sizeof(*vlan));
	*err = -ENOMEM;
	if (!dev)
		return NULL;
	vlan = dev->priv;
	vlan_setup(dev, real);
	*err = rtnl_link_setup(dev, op);
	if (!*err)
		*err = vlan_group_add(real, proto, (u16)op->id, dev);
	if (*err)
		goto free;
	*vlan = (struct vlan_dev_priv){
		.real_dev = real,
		.vlan_proto = proto,
		.vlan_id = (u16)op->id,
		.flags = (op->flags & LINK_ADD_NO_REORDER_HDR ? 0 : VLAN_FLAG_REORDER_HDR) |
			 (op->flags & LINK_ADD_LOOSE_BINDING ? VLAN_FLAG_LOOSE_BINDING : 0),
	};
	dev_hold(real);
	*err = register_netdevice(dev, net);
	if (!*err)
		return dev;
	vlan_uninit(dev);
free:
	free_netdev(dev);
	return NULL;
}

static void vlan_dellink(struct net_device *dev)
{
	/* Its own VLAN devices go by the notifier. */
	unregister_netdevice(dev);
	free_netdev(dev);
}

static struct net_device *vlan_get_link(const struct net_device *dev)
{
	return vlan_priv(dev)->real_dev;
}

const struct rtnl_link_ops vlan_link_ops = {
	.kind = "vlan",
	.newlink = vlan_newlink,
	.dellink = vlan_dellink,
	.changelink = vlan_changelink,
	.fill_info = vlan_fill_info,
	.get_link = vlan_get_link,
};

/* ---- news from below ---- */

static void below_changed_address(struct net_device *dev, const struct net_device *real)
{
	if (!dev->addr_user)
		(void)dev_set_mac_address(dev, real->dev_addr);
	sync_real(dev, netif_running(dev));
}

static void one_vlan_event(struct net_device *dev, void *ctx)
{
	const enum netdev_event event = *(const enum netdev_event *)ctx;
	const struct vlan_dev_priv *vlan = dev->priv;
	struct net_device *real = vlan->real_dev;
	bool loose = (vlan->flags & VLAN_FLAG_LOOSE_BINDING) != 0;

	switch (event) {
	case NETDEV_CHANGE:
		if (netif_running(dev))
			take_carrier(dev);
		break;
	case NETDEV_CHANGEADDR:
		below_changed_address(dev, real);
		break;
	case NETDEV_CHANGEMTU:
		if (dev->mtu > real->mtu)
			(void)dev_set_mtu(dev, real->mtu);
		break;
	case NETDEV_DOWN:
		if (!loose)
			dev_close(dev);
		else if (netif_running(dev))
			take_carrier(dev);
		break;
	case NETDEV_UP:
		if (!loose)
			(void)dev_open(dev);
		else if (netif_running(dev))
			take_carrier(dev);
		break;
	case NETDEV_UNREGISTER:
		vlan_dellink(dev);
		break;
	default:
		break;
	}
}

int vlan_device_event(struct net_device *dev, enum netdev_event event)
{
	/* Into another namespace: they stay where they are. */
	if (!dev->vlan_info || (event == NETDEV_UNREGISTER && dev->moving) ||
	    event == NETDEV_REGISTER)
		return 0;
	vlan_group_for_each(dev, one_vlan_event, &event);
	return 0;
}
