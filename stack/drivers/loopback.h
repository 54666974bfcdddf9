/* SPDX-License-Identifier: MIT */
/* `lo`, interface 1 of every namespace. */
#ifndef TAPLINE_DRIVERS_LOOPBACK_H
#define TAPLINE_DRIVERS_LOOPBACK_H

#include "core/netdevice.h"

/* Makes, registers and names net->loopback_dev; it is not up yet. 0 or -errno. */
int loopback_init(struct net *net);

#endif
