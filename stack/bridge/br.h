/* SPDX-License-Identifier: MIT */
/* The bridge as others see it: boot, and its forwarding database for views. */
#ifndef TAPLINE_BRIDGE_BR_H
#define TAPLINE_BRIDGE_BR_H

#include "core/netdevice.h"

/* Makes the kind "bridge" known. 0 or -ENOMEM. */
int br_init(struct host *h);

/* One line of `bridge fdb show`. */
struct br_fdb_record {
	const u8 *addr;
	const struct net_device *dev; /* the port, or the bridge */
	bool local, is_static, sticky;
	u64 used_ms, updated_ms; /* ago */
};
bool netif_is_bridge(const struct net_device *dev);
void br_fdb_walk(const struct net_device *bridge,
		 void (*fn)(void *ctx, const struct br_fdb_record *rec), void *ctx);
/* "forwarding"; NULL when it is no port. */
const char *br_port_state_name(const struct net_device *dev);

#endif
