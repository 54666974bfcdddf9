/* SPDX-License-Identifier: MIT */
/* Entry to the drivers of devices that OP_NIC_ADD can make. */
#ifndef TAPLINE_DRIVERS_NIC_H
#define TAPLINE_DRIVERS_NIC_H

#include "core/netdevice.h"
#include "stack/op.h"

/* Plugs a board into the host and binds its driver: the device is registered in `net`, down,
 * without cable. NULL: *err is -errno. Its end is unregister_netdevice() and free_netdev(). */
struct net_device *nic_probe(struct net *net, const struct op_nic_add *op, int *err);

#endif
