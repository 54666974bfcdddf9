/* SPDX-License-Identifier: MIT */
/*
 * The bridge (net/bridge): one device above several ports, each frame to the port behind which its
 * destination was seen, to all when none was (IEEE 802.1D-2004 7.7 to 7.9). No spanning tree: a
 * port forwards while it is up. In the packet's way it is the rx_handler of its ports.
 *
 * Invariants: an address is in the forwarding database once; an entry's port is a port of this
 * bridge; learned entries are counted, and while there is one the timer that ages them is armed.
 */
#ifndef TAPLINE_BRIDGE_BR_PRIVATE_H
#define TAPLINE_BRIDGE_BR_PRIVATE_H

#include "core/dev_link.h"
#include "lib/hlist.h"
#include "stack/errno.h"
#include "stack/nic.h"

#define BR_FDB_HASH_BITS 8u
#define BR_AGEING_TIME	 300000u /* jiffies: 300 s, IEEE 802.1D-2004 table 7-5 */
#define BR_PORTS_MAX	 1024u
/* 01-80-C2-00-00-00 to 02: never forwarded, whatever the mask (IEEE 802.1D-2004 7.12.6). */
#define BR_GROUPFWD_RESTRICTED 0x0007u

enum br_state {
	BR_STATE_DISABLED,
	BR_STATE_LISTENING,
	BR_STATE_LEARNING,
	BR_STATE_FORWARDING,
	BR_STATE_BLOCKING,
	BR_STATE_COUNT
};

#define BR_LEARNING	1u
#define BR_FLOOD	2u
#define BR_MCAST_FLOOD	4u
#define BR_BCAST_FLOOD	8u
#define BR_HAIRPIN_MODE 16u
#define BR_ISOLATED	32u

struct net_bridge_port {
	struct list_head list; /* of the bridge, the newest first */
	struct net_bridge *br;
	struct net_device *dev; /* held */
	u16 port_no;
	u8 state; /* enum br_state */
	u32 flags;
	u32 group_fwd_mask;
};

#define FDB_DYNAMIC 16u /* learned: counted against the limit */

struct net_bridge_fdb_entry {
	struct hlist_node hash;
	struct list_head list; /* of the bridge, in order of making */
	u8 addr[ETH_ALEN];
	struct net_bridge_port *dst; /* NULL: the bridge itself */
	u32 flags; /* FDB_F_*, FDB_DYNAMIC */
	u64 updated, used; /* jiffies */
};

/* dev->priv of a bridge. */
struct net_bridge {
	struct net_device *dev;
	struct list_head port_list;
	u32 ports;
	struct hlist_head fdb_hash[1u << BR_FDB_HASH_BITS];
	struct list_head fdb_list;
	u32 fdb_n_learned, fdb_max_learned; /* max 0: no limit */
	u64 ageing_time; /* jiffies */
	u32 group_fwd_mask;
	struct timer gc_work;
	/* Conservation: frames taken from ports and from the host, copies made of them; where they
	 * went. */
	u64 frames_in, copies, frames_out, frames_up, frames_dropped;
};

static inline struct net_bridge *netdev_br(const struct net_device *dev)
{
	return dev->priv;
}

extern const struct rtnl_link_ops br_link_ops;

static inline void br_drop(struct net_bridge *br, struct sk_buff *skb, enum skb_drop_reason reason)
{
	br->frames_dropped++;
	kfree_skb_reason(skb, reason);
}

/* ---- br_fdb.c ---- */

void br_fdb_init(struct net_bridge *br);
struct net_bridge_fdb_entry *br_fdb_find(const struct net_bridge *br, const u8 *addr);
/* The source of a frame that came in by a port. */
void br_fdb_update(struct net_bridge *br, struct net_bridge_port *source, const u8 *addr);
/* An address of the host's own; 0 or -ENOMEM. p NULL: the bridge's. */
int br_fdb_add_local(struct net_bridge *br, struct net_bridge_port *p, const u8 *addr);
/* The port's device, or the bridge, has another address. */
void br_fdb_changeaddr(struct net_bridge *br, struct net_bridge_port *p, const u8 *addr);
/* Entries of a port (NULL: of all); all: also those that do not age. */
void br_fdb_delete_by_port(struct net_bridge *br, const struct net_bridge_port *p, bool all);
int br_fdb_set(struct net_device *dev, const struct op_fdb_set *op);
void br_fdb_ageing_changed(struct net_bridge *br);
void br_fdb_check(const struct net_bridge *br);
static inline u64 br_fdb_expires(const struct net_bridge *br, const struct net_bridge_fdb_entry *f)
{
	return f->updated + br->ageing_time;
}

/* ---- br_if.c ---- */

struct net_bridge_port *br_port_get(const struct net_device *dev);
/* What follows for the bridge from its ports' states: carrier, MTU, address. */
void br_ports_changed(struct net_bridge *br);
int br_device_event(struct net_device *dev, enum netdev_event event);

/* ---- br_device.c ---- */

struct net_device *br_newlink(struct net *net, struct net *peer_net, const struct op_link_add *op,
			      int *err);

/* ---- br_forward.c, br_input.c ---- */

/* To one port; takes the packet unless `keep`. data is at the network header. */
void br_forward(struct net_bridge_port *to, struct sk_buff *skb, bool keep);
/* To all ports that want it. kind: BR_FLOOD, BR_MCAST_FLOOD or BR_BCAST_FLOOD. */
void br_flood(struct net_bridge *br, struct sk_buff *skb, u32 kind, bool keep);
enum rx_handler_result br_handle_frame(struct sk_buff **pskb);

#endif
