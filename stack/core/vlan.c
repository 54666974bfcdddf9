/* SPDX-License-Identifier: MIT */
/*
 * IEEE 802.1Q tags on the way in: the tag leaves the bytes and goes into the sk_buff's fields, so
 * that taps and protocols see an untagged frame (skb_vlan_untag, net/core/skbuff.c); then to the
 * VLAN device it names, if there is one (vlan_do_receive, net/8021q/vlan_core.c). On the way out it
 * goes back into the bytes, unless the device does that.
 *
 * Invariant: a real device has a vlan_info exactly while it has VLAN devices.
 */
#include "core/vlan.h"
#include "core/skb_path.h"

#include "core/dev_core.h"

#define ETH_P_802_3_MIN 0x0600u
#define ETH_P_802_3	0x0001u

/* vlan_set_encap_proto(): EtherType, or IEEE 802.3 length with Novell raw IPX (0xffff) or LLC. */
static u16 vlan_encap_proto(const struct sk_buff *skb, u16 inner)
{
	if (inner >= ETH_P_802_3_MIN)
		return inner;
	if (skb_headlen(skb) >= 2 && get_be16(skb->data) == 0xffff)
		return ETH_P_802_3;
	return ETH_P_802_2;
}

/* data stands behind the EtherType that said VLAN. Takes the skb; NULL when it is dropped. */
struct sk_buff *skb_vlan_untag(struct sk_buff *skb)
{
	u32 mac_len;
	u16 inner;

	skb = skb_share_check(skb);
	if (!skb)
		return NULL;
	if (!pskb_may_pull(skb, VLAN_HLEN)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_HDR_TRUNC);
		return NULL;
	}
	/* The MAC addresses move over the tag. */
	if (skb_cow_head(skb, skb_headroom(skb))) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	skb->vlan_proto = skb->protocol;
	skb->vlan_tci = get_be16(skb->data);
	skb->vlan_present = 1;
	inner = get_be16(skb->data + 2);
	skb_pull_rcsum(skb, VLAN_HLEN);
	skb->protocol = htons(vlan_encap_proto(skb, inner));
	mac_len = (u32)(skb->data - skb_mac_header(skb));
	if (mac_len > VLAN_HLEN + 2)
		memmove(skb_mac_header(skb) + VLAN_HLEN, skb_mac_header(skb),
			mac_len - VLAN_HLEN - 2);
	skb->mac_header = (u16)(skb->mac_header + VLAN_HLEN);
	skb_reset_network_header(skb);
	if (!skb_transport_header_was_set(skb))
		skb_reset_transport_header(skb);
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
	return skb;
}

struct sk_buff *vlan_insert_tag(struct sk_buff *skb, be16 proto, u16 tci)
{
	u8 *p;

	if (skb_cow_head(skb, VLAN_HLEN)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return NULL;
	}
	p = skb_push(skb, VLAN_HLEN);
	memmove(p, p + VLAN_HLEN, 2 * ETH_ALEN);
	put_be16(p + 2 * ETH_ALEN, ntohs(proto));
	put_be16(p + 2 * ETH_ALEN + 2, tci);
	skb->mac_header = (u16)(p - skb->head);
	skb->mac_len = (u16)(skb->mac_len + VLAN_HLEN);
	skb->protocol = proto;
	return skb;
}

/* ---- the VLAN devices of a device ---- */

static u32 proto_index(be16 proto)
{
	return proto == htons(ETH_P_8021AD);
}

struct net_device *vlan_find_dev(const struct net_device *real, be16 proto, u16 vid)
{
	struct net_device **part;

	if (!real->vlan_info)
		return NULL;
	part = real->vlan_info->part[proto_index(proto)][vid / VLAN_PART];
	return part ? part[vid % VLAN_PART] : NULL;
}

/* With the last device all of it goes. */
static void vlan_info_put(struct net_device *real)
{
	struct vlan_info *vi = real->vlan_info;

	if (vi->nr)
		return;
	for (u32 p = 0; p < VLAN_PROTOCOLS; p++)
		for (u32 i = 0; i < VLAN_N_VID / VLAN_PART; i++)
			if (vi->part[p][i])
				mem_free_n(real->world, MEM_NETDEV_PRIV, vi->part[p][i], VLAN_PART,
					   sizeof(struct net_device *));
	mem_free(real->world, MEM_NETDEV_PRIV, vi, sizeof(*vi));
	real->vlan_info = NULL;
}

int vlan_group_add(struct net_device *real, be16 proto, u16 vid, struct net_device *dev)
{
	struct net_device ***part;

	if (vlan_find_dev(real, proto, vid))
		return -EEXIST;
	if (!real->vlan_info)
		real->vlan_info =
			mem_zalloc(real->world, MEM_NETDEV_PRIV, sizeof(*real->vlan_info));
	if (!real->vlan_info)
		return -ENOMEM;
	part = &real->vlan_info->part[proto_index(proto)][vid / VLAN_PART];
	if (!*part) {
		*part = mem_alloc_n(real->world, MEM_NETDEV_PRIV, VLAN_PART,
				    sizeof(struct net_device *));
		if (!*part) {
			vlan_info_put(real);
			return -ENOMEM;
		}
		for (u32 i = 0; i < VLAN_PART; i++)
			(*part)[i] = NULL;
	}
	(*part)[vid % VLAN_PART] = dev;
	real->vlan_info->nr++;
	if (proto == htons(ETH_P_8021Q) && real->netdev_ops->ndo_vlan_rx_add_vid)
		real->netdev_ops->ndo_vlan_rx_add_vid(real, vid);
	return 0;
}

void vlan_group_del(struct net_device *real, be16 proto, u16 vid)
{
	if (proto == htons(ETH_P_8021Q) && real->netdev_ops->ndo_vlan_rx_kill_vid)
		real->netdev_ops->ndo_vlan_rx_kill_vid(real, vid);
	real->vlan_info->part[proto_index(proto)][vid / VLAN_PART][vid % VLAN_PART] = NULL;
	real->vlan_info->nr--;
	vlan_info_put(real);
}

void vlan_group_for_each(struct net_device *real, void (*fn)(struct net_device *dev, void *ctx),
			 void *ctx)
{
	for (u32 n = 0; real->vlan_info && n < VLAN_PROTOCOLS * VLAN_N_VID; n++) {
		struct net_device **part =
			real->vlan_info->part[n / VLAN_N_VID][n % VLAN_N_VID / VLAN_PART];

		if (!part)
			n += VLAN_PART - 1;
		else if (part[n % VLAN_PART])
			fn(part[n % VLAN_PART], ctx);
	}
}

/* ---- to the VLAN device ---- */

/* Without REORDER_HDR the tag stays where it was, for who reads the device with a tap. */
static struct sk_buff *vlan_keep_tag(struct sk_buff *skb)
{
	be16 protocol = skb->protocol;
	u32 offset = (u32)(skb->data - skb_mac_header(skb));

	skb_push(skb, offset);
	skb = vlan_insert_tag(skb, skb->vlan_proto, skb->vlan_tci);
	if (!skb)
		return NULL;
	skb->protocol = protocol;
	skb_pull(skb, offset + VLAN_HLEN);
	skb->mac_len = (u16)(skb->data - skb_mac_header(skb));
	return skb;
}

bool vlan_do_receive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct net_device *dev =
		vlan_find_dev(skb->dev, skb->vlan_proto, skb->vlan_tci & VLAN_VID_MASK);
	const struct vlan_dev_priv *vlan;

	if (!dev)
		return false;
	skb = *pskb = skb_share_check(skb);
	if (!skb)
		return false;
	if (!netif_running(dev)) {
		kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
		*pskb = NULL;
		return false;
	}
	vlan = dev->priv;
	skb->dev = dev;
	skb->net = dev->net;
	skb_path(skb, SKB_PATH_VLAN_DO_RECEIVE);
	/* The VLAN device may have an address of its own. */
	if (skb->pkt_type == PACKET_OTHERHOST &&
	    memcmp(skb_mac_header(skb), dev->dev_addr, ETH_ALEN) == 0)
		skb->pkt_type = PACKET_HOST;
	if (!(vlan->flags & VLAN_FLAG_REORDER_HDR) && !dev->master) {
		skb = *pskb = vlan_keep_tag(skb);
		if (!skb)
			return false;
	}
	skb->priority = vlan->ingress_priority_map[skb->vlan_tci >> VLAN_PRIO_SHIFT];
	skb->vlan_present = 0;
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	if (skb->pkt_type == PACKET_MULTICAST)
		dev->stats.multicast++;
	return true;
}
