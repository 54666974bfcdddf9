/* SPDX-License-Identifier: MIT */
/*
 * In by a port (net/bridge/br_input.c): the source is learned, the frame goes to the port of its
 * destination, to all of them, or up to the host by the bridge device. Frames to the addresses that
 * IEEE 802.1D-2004 7.12.6 reserves for one link stay on it: the port's own device receives them.
 *
 * Invariant: a frame that was taken went out, went up, or was dropped with a reason.
 */
#include "bridge/br_private.h"
#include "core/skb_path.h"

static void br_pass_frame_up(struct net_bridge *br, struct sk_buff *skb)
{
	struct net_device *dev = br->dev;

	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	skb_path(skb, SKB_PATH_BR_PASS_FRAME_UP);
	skb->dev = dev;
	skb->net = dev->net;
	if (!netif_running(dev)) {
		dev->stats.rx_dropped++;
		br_drop(br, skb, SKB_DROP_REASON_DEV_READY);
		return;
	}
	br->frames_up++;
	netif_receive_skb(skb);
}

/* br_handle_frame_finish() */
static void br_handle_forward(struct net_bridge_port *p, struct sk_buff *skb)
{
	struct net_bridge *br = p->br;
	const u8 *dest = skb_mac_header(skb);
	bool local_rcv = (br->dev->flags & IFF_PROMISC) != 0;
	struct net_bridge_fdb_entry *dst = NULL;
	u32 kind = BR_FLOOD;

	if (dest[0] & 1) {
		static const u8 all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

		kind = memcmp(dest, all, ETH_ALEN) == 0 ? BR_BCAST_FLOOD : BR_MCAST_FLOOD;
		if (kind == BR_MCAST_FLOOD)
			br->dev->stats.multicast++;
		local_rcv = true;
	} else {
		dst = br_fdb_find(br, dest);
	}
	if (p->state == BR_STATE_LEARNING) {
		br_drop(br, skb, SKB_DROP_REASON_BRIDGE_INGRESS_STP_STATE);
		return;
	}
	if (dst && (dst->flags & FDB_F_LOCAL || !dst->dst)) {
		br_pass_frame_up(br, skb);
		return;
	}
	if (dst) {
		dst->used = jiffies(dev_host(br->dev));
		br_forward(dst->dst, skb, local_rcv);
	} else {
		br_flood(br, skb, kind, local_rcv);
	}
	if (local_rcv)
		br_pass_frame_up(br, skb);
}

static bool is_link_local_ether_addr(const u8 *addr)
{
	static const u8 group[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	return memcmp(addr, group, sizeof(group)) == 0 && addr[5] < 0x10;
}

/* The link-local ones: forwarded, left to the port's device, or (pause frames) dropped. */
enum link_local { LL_FORWARD, LL_PASS, LL_DROP };

static enum link_local br_link_local(const struct net_bridge_port *p, u8 last)
{
	u32 mask = p->group_fwd_mask;

	if (last == 0x01)
		return LL_DROP;
	/* Without spanning tree its frames are anybody's. */
	if (last == 0x00)
		return LL_FORWARD;
	mask |= p->br->group_fwd_mask;
	return mask >> last & 1 ? LL_FORWARD : LL_PASS;
}

static void br_learn(struct net_bridge_port *p, const struct sk_buff *skb)
{
	if (p->flags & BR_LEARNING &&
	    (p->state == BR_STATE_LEARNING || p->state == BR_STATE_FORWARDING))
		br_fdb_update(p->br, p, skb_mac_header(skb) + ETH_ALEN);
}

static bool valid_source(const u8 *addr)
{
	return !(addr[0] & 1) && (addr[0] | addr[1] | addr[2] | addr[3] | addr[4] | addr[5]);
}

enum rx_handler_result br_handle_frame(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct net_bridge_port *p = br_port_get(skb->dev);
	const u8 *dest;

	if (skb->pkt_type == PACKET_LOOPBACK)
		return RX_HANDLER_PASS;
	skb_path(skb, SKB_PATH_BR_HANDLE_FRAME);
	if (!valid_source(skb_mac_header(skb) + ETH_ALEN)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_MAC_INVALID_SOURCE);
		return RX_HANDLER_CONSUMED;
	}
	skb = *pskb = skb_share_check(skb);
	if (!skb)
		return RX_HANDLER_CONSUMED;
	dest = skb_mac_header(skb);
	if (is_link_local_ether_addr(dest)) {
		enum link_local what = br_link_local(p, dest[5]);

		if (what == LL_DROP) {
			kfree_skb_reason(skb, SKB_DROP_REASON_MAC_IEEE_MAC_CONTROL);
			return RX_HANDLER_CONSUMED;
		}
		if (what == LL_PASS) {
			br_learn(p, skb);
			return RX_HANDLER_PASS;
		}
	}
	p->br->frames_in++;
	if (p->state != BR_STATE_FORWARDING && p->state != BR_STATE_LEARNING) {
		br_drop(p->br, skb, SKB_DROP_REASON_BRIDGE_INGRESS_STP_STATE);
		return RX_HANDLER_CONSUMED;
	}
	if (memcmp(dest, p->br->dev->dev_addr, ETH_ALEN) == 0)
		skb->pkt_type = PACKET_HOST;
	br_learn(p, skb);
	br_handle_forward(p, skb);
	return RX_HANDLER_CONSUMED;
}
