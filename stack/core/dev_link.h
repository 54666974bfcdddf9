/* SPDX-License-Identifier: MIT */
/*
 * Virtual devices by kind (`ip link add NAME type KIND`): each kind gives its operations here, and
 * the ops OP_LINK_ADD, OP_LINK_DEL and OP_LINK_SET find them (net/core/rtnetlink.c). Also what an
 * upper device does to a lower one: becoming its master.
 */
#ifndef TAPLINE_CORE_DEV_LINK_H
#define TAPLINE_CORE_DEV_LINK_H

#include "core/netdevice.h"
#include "stack/op.h"

struct rtnl_link_ops {
	const char *kind;
	/* Makes and registers; `peer_net` is where a pair's other end shall be. NULL with *err. */
	struct net_device *(*newlink)(struct net *net, struct net *peer_net,
				      const struct op_link_add *op, int *err);
	/* Unregisters and frees it and what goes with it; NULL: just it. */
	void (*dellink)(struct net_device *dev);
	/* A setting of its own (LINK_PARAM_*). -ENOENT: not one of its. */
	int (*changelink)(struct net_device *dev, const struct op_link_set *op);
	/* A setting of a port of it. */
	int (*port_changelink)(struct net_device *port, const struct op_link_set *op);
	int (*add_slave)(struct net_device *master, struct net_device *port);
	void (*del_slave)(struct net_device *master, struct net_device *port);
	/* `bridge fdb`; self: of the device itself, not of its master. */
	int (*fdb_set)(struct net_device *dev, const struct op_fdb_set *op);
	/* `ip -d link`: name and value of each setting, in a fixed order. */
	void (*fill_info)(const struct net_device *dev,
			  void (*fn)(void *ctx, const char *name, u64 value), void *ctx);
	void (*port_fill_info)(const struct net_device *port,
			       void (*fn)(void *ctx, const char *name, u64 value), void *ctx);
	/* The device below, or the other end. NULL: none. */
	struct net_device *(*get_link)(const struct net_device *dev);
	bool peer; /* get_link() gives the other end */
};

/* 0 or -ENOMEM. The ops live for ever. */
int rtnl_link_register(struct host *h, const struct rtnl_link_ops *ops);
/* What OP_LINK_ADD says about name, MTU and address goes into a new device; default_name as
 * "veth%d". 0 or -EINVAL. */
int rtnl_link_setup(struct net_device *dev, const struct op_link_add *op);
/* A locally administered address out of the world's own generator (eth_hw_addr_random). */
void eth_hw_addr_random(struct net_device *dev);
/* The name asked for, or a pattern, NUL-terminated. */
void rtnl_link_name(const struct op_bytes *name, const char *pattern, char out[IFNAME_LEN]);
/* Unregisters and frees, its upper devices with it. */
void rtnl_dellink(struct net_device *dev);
/* Leaves its bridge. */
void netdev_leave_master(struct net_device *dev);

/* Ops from outside: 0, an ifindex, or -errno. */
s64 rtnl_op_link_add(struct net *net, struct net *peer_net, const struct op_link_add *op);
s64 rtnl_op_link_del(struct net *net, const struct op_link_del *op);
s64 rtnl_op_fdb_set(struct net *net, const struct op_fdb_set *op);

/* dev_link_set() for what a kind or a bridge knows; target: LINK_PARAM_NETNS's. -ENOENT: nothing of
 * the sort. */
int rtnl_link_set(struct net_device *dev, struct net *target, const struct op_link_set *op);

/* A packet of one device that comes in by another, as from a cable (__dev_forward_skb): its route,
 * marks and owner stay behind; data at the MAC header before, behind it after. False: it is dropped
 * and counted. */
bool dev_forward_skb(struct net_device *dev, struct sk_buff *skb);
/* Would it fit (is_skb_forwardable)? data at the MAC header. */
bool is_skb_forwardable(const struct net_device *dev, const struct sk_buff *skb);

#endif
