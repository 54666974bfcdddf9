/* SPDX-License-Identifier: MIT */
/* The kinds of virtual devices of this folder (core/dev_link.h): made known to a host at boot. */
#ifndef TAPLINE_DRIVERS_LINKS_H
#define TAPLINE_DRIVERS_LINKS_H

#include "core/dev_link.h"

extern const struct rtnl_link_ops veth_link_ops, dummy_link_ops, vlan_link_ops;

/* 0 or -ENOMEM. */
int links_init(struct host *h);
/* vlan_dev.c: what happens to a device below happens to its VLAN devices. */
int vlan_device_event(struct net_device *dev, enum netdev_event event);

#endif
