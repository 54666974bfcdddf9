/* SPDX-License-Identifier: MIT */
/*
 * The tun device (drivers/net/tun.c, IFF_TUN): raw IP without link header or neighbours. What comes
 * out of its wire enters the stack as if a program had written it to /dev/net/tun; what the stack
 * sends goes onto the wire and is done with at once.
 */
#include "core/dev_link.h"
#include "core/errqueue.h"
#include "drivers/nic.h"
#include "drivers/nic_driver.h"

#define TUN_PAGE 4096u
#define TUN_HEAD 3712u /* SKB_MAX_HEAD(NET_SKB_PAD) */

struct tun_struct {
	struct net_device *dev;
	struct wire *wire;
	u32 end;
};

static int tun_drop(struct net_device *dev, u64 *counter)
{
	(*counter)++;
	dev->stats.rx_dropped++;
	return 0;
}

/* What Linux accounts for it (tun_alloc_skb): a head of a page at most, and pages for the rest. */
static u32 tun_truesize(u32 len)
{
	u32 head = len < TUN_HEAD ? len : TUN_HEAD;
	u32 pages = (len - head + TUN_PAGE - 1) / TUN_PAGE;

	return skb_truesize(NET_SKB_PAD + head) + pages * TUN_PAGE;
}

/* tun_get_user() */
static int tun_get_user(struct tun_struct *tun, const u8 *bytes, u32 len, u32 flags)
{
	struct net_device *dev = tun->dev;
	struct sk_buff *skb;
	u16 proto;

	if (!netif_running(dev) || !dev->carrier)
		return tun_drop(dev, &dev->stats.rx_errors);
	if (len == 0 || len > NIC_MTU_MAX)
		return tun_drop(dev, &dev->stats.rx_length_errors);
	if (bytes[0] >> 4 == 4)
		proto = ETH_P_IP;
	else if (bytes[0] >> 4 == 6)
		proto = ETH_P_IPV6;
	else
		return tun_drop(dev, &dev->stats.rx_errors);
	skb = alloc_skb(dev->world, NET_SKB_PAD + len);
	if (!skb)
		return tun_drop(dev, &dev->stats.rx_missed_errors);
	skb_reserve(skb, NET_SKB_PAD);
	memcpy(skb_put(skb, len), bytes, len);
	skb->truesize = tun_truesize(len);
	skb->dev = dev;
	skb->net = dev->net;
	skb->protocol = htons(proto);
	skb->pkt_type = PACKET_HOST;
	skb_reset_mac_header(skb);
	if (flags & FRAME_CSUM_UNNECESSARY)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += len;
	return netif_rx(skb);
}

static void tun_receive(void *ctx, const struct wire_rx *rx)
{
	tun_get_user(ctx, rx->bytes, rx->len, rx->flags);
}

static const struct wire_end_ops tun_wire_ops = { .receive = tun_receive };

static enum netdev_tx tun_xmit_drop(struct sk_buff *skb, enum skb_drop_reason reason)
{
	skb->dev->stats.tx_dropped++;
	kfree_skb_reason(skb, reason);
	return NETDEV_TX_OK;
}

static enum netdev_tx tun_net_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tun_struct *tun = dev->priv;
	struct wire_frame *f;

	if (!tun->wire)
		return tun_xmit_drop(skb, SKB_DROP_REASON_DEV_READY);
	/* What it takes whole it hands to the reader with right checksums. */
	if (skb_checksum_help(skb))
		return tun_xmit_drop(skb, SKB_DROP_REASON_NOMEM);
	f = wire_frame_get(tun->wire, skb->len);
	if (!f)
		return tun_xmit_drop(skb, SKB_DROP_REASON_NOMEM);
	skb_tx_timestamp(skb);
	skb_orphan_frags(skb);
	skb_copy_bits(skb, 0, wire_frame_bytes(f), skb->len);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	/* Before the frame goes: who reads it may find the socket's buffer free again. */
	consume_skb(skb);
	wire_transmit(tun->wire, tun->end, f, 0);
	return NETDEV_TX_OK;
}

static int tun_attach(struct net_device *dev, struct wire *wire, u32 end)
{
	struct tun_struct *tun = dev->priv;
	int err;

	if (dev->driver_depth || (wire && tun->wire))
		return -EBUSY;
	if (wire) {
		err = wire_plug(wire, end, &tun_wire_ops, tun);
		if (err)
			return err;
	} else if (tun->wire) {
		wire_plug(tun->wire, tun->end, NULL, NULL);
	}
	tun->wire = wire;
	tun->end = end;
	if (wire)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
	return 0;
}

static void tun_uninit(struct net_device *dev)
{
	struct tun_struct *tun = dev->priv;

	if (tun->wire)
		wire_plug(tun->wire, tun->end, NULL, NULL);
	tun->wire = NULL;
}

/* `ethtool -K`: TUNSETOFFLOAD tells what whoever reads the device takes; the rest is the stack's.
 */
static int tun_nic_set(struct net_device *dev, u32 param, u32 index, u64 value)
{
	(void)index;
	if (param != NIC_PARAM_TSO)
		return netdev_set_param(dev, param, value);
	netdev_set_feature(dev, NETIF_F_TSO | NETIF_F_TSO6, value != 0);
	return 0;
}

static const struct net_device_ops tun_netdev_ops = {
	.driver = "tun",
	.ndo_start_xmit = tun_net_xmit,
	.ndo_attach = tun_attach,
	.ndo_nic_set = tun_nic_set,
	.ndo_uninit = tun_uninit,
};

/* A virtual device: it dies with its namespace. */
static const struct rtnl_link_ops tun_link_ops = { .kind = "tun" };

struct net_device *tun_probe(struct net *net, const struct op_nic_add *op, const char *name,
			     int *err)
{
	struct net_device *dev =
		alloc_netdev(net->host, name[0] ? name : "tun%d", 1, 1, sizeof(struct tun_struct));
	struct tun_struct *tun;

	*err = -ENOMEM;
	if (!dev)
		return NULL;
	tun = dev->priv;
	tun->dev = dev;
	dev->netdev_ops = &tun_netdev_ops;
	dev->link_ops = &tun_link_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
	dev->mtu = op->mtu ? (u32)op->mtu : 1500;
	dev->min_mtu = 68;
	dev->max_mtu = NIC_MTU_MAX;
	dev->tx_queue_len = 500;
	/* As its user asks for with TUNSETOFFLOAD: super-packets of TCP come out whole. */
	dev->features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_TSO |
			NETIF_F_TSO6 | NETIF_F_GSO | NETIF_F_GSO_ACCECN;
	*err = register_netdevice(dev, net);
	if (*err) {
		free_netdev(dev);
		return NULL;
	}
	return dev;
}
