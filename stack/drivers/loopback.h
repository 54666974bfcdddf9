/* SPDX-License-Identifier: MIT */
/* `lo`, interface 1 of every namespace. */
#ifndef TAPLINE_DRIVERS_LOOPBACK_H
#define TAPLINE_DRIVERS_LOOPBACK_H

#include "core/netdevice.h"

/* Makes net->loopback_dev, registers it and brings it up. 0 or -errno. */
int loopback_net_init(struct net *net);

#endif
