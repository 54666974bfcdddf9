/* SPDX-License-Identifier: MIT */
/*
 * IEEE 802.1Q and 802.1ad tags: out of received bytes into the sk_buff's fields and back, and the
 * table of VLAN devices on a device, by tag protocol and VLAN id. The devices themselves are
 * drivers/vlan_dev.c's. (net/8021q/vlan_core.c, net/core/skbuff.c)
 */
#ifndef TAPLINE_CORE_VLAN_H
#define TAPLINE_CORE_VLAN_H

#include "core/netdevice.h"

#define VLAN_HLEN	4u
#define VLAN_VID_MASK	0x0fffu
#define VLAN_PRIO_SHIFT 13u
#define VLAN_N_VID	4096u
/* IEEE 802.1Q-2018 9.6: VID 0 is a priority tag, 0xfff is reserved. */
#define VLAN_VID_MAX	   4094u
#define VLAN_PART	   512u
#define VLAN_PROTOCOLS	   2u
#define VLAN_EGRESS_BUCKET 16u

/* enum vlan_flags of Linux. */
#define VLAN_FLAG_REORDER_HDR	1u
#define VLAN_FLAG_LOOSE_BINDING 4u

/* Of a real device: made with its first VLAN device, gone with the last. */
struct vlan_info {
	u32 nr;
	struct net_device **part[VLAN_PROTOCOLS][VLAN_N_VID / VLAN_PART];
};

struct vlan_priority_map {
	struct vlan_priority_map *next;
	u32 priority; /* skb->priority */
	u16 qos; /* PCP, in its place in the TCI */
};

/* dev->priv of a VLAN device. */
struct vlan_dev_priv {
	struct net_device *real_dev; /* held */
	be16 vlan_proto;
	u16 vlan_id;
	u32 flags; /* VLAN_FLAG_* */
	u32 ingress_priority_map[8]; /* PCP to skb->priority */
	struct vlan_priority_map *egress[VLAN_EGRESS_BUCKET];
	/* What it has asked of the real device: all frames, as its address is another, or as it is
	 * itself asked for; all multicast ones. */
	bool address_applied, promisc_applied, allmulti_applied;
};

static inline bool eth_type_vlan(be16 protocol)
{
	return protocol == htons(ETH_P_8021Q) || protocol == htons(ETH_P_8021AD);
}

static inline bool vlan_hw_offload_capable(u32 features, be16 proto)
{
	return proto == htons(ETH_P_8021Q) && features & NETIF_F_HW_VLAN_CTAG_TX;
}

/* A tag behind the MAC header into the skb's fields. Takes the skb; NULL: it is dropped. */
struct sk_buff *skb_vlan_untag(struct sk_buff *skb);
/* The tag into the bytes; data is at the MAC header. Takes the skb; NULL: dropped (NOMEM). */
struct sk_buff *vlan_insert_tag(struct sk_buff *skb, be16 proto, u16 tci);

/* NULL: there is none. */
struct net_device *vlan_find_dev(const struct net_device *real, be16 proto, u16 vid);
/* 0, -EEXIST, -ENOMEM. */
int vlan_group_add(struct net_device *real, be16 proto, u16 vid, struct net_device *dev);
void vlan_group_del(struct net_device *real, be16 proto, u16 vid);
/* Calls fn for each VLAN device of a device, by protocol and id; fn may end the one it is given. */
void vlan_group_for_each(struct net_device *real, void (*fn)(struct net_device *dev, void *ctx),
			 void *ctx);

/*
 * The received packet, whose tag is in its fields, belongs to a VLAN device: it becomes that one's.
 * False: no such device (the packet is as it was), or it was dropped (*pskb is NULL).
 */
bool vlan_do_receive(struct sk_buff **pskb);

#endif
