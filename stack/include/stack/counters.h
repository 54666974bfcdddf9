/* SPDX-License-Identifier: MIT */
/*
 * Looking at a world: counters and sysctls by name, as `nstat`, `ip -s link`, `ethtool -S`,
 * `softnet_stat` and `sysctl` print them.
 *
 * Names: MIB counters of the host's first namespace plainly ("IpInReceives",
 * "TcpExtListenOverflows"); drops "Drop.NO_SOCKET"; devices "eth0.rx_packets" (the names of `ip -s
 * -s link` and `ethtool -S`); CPUs "softnet.0.processed"; wires "wire.0.tx_frames".
 */
#ifndef TAPLINE_STACK_COUNTERS_H
#define TAPLINE_STACK_COUNTERS_H

#include "stack/types.h"

struct world;

/* Calls fn for every counter of a host in a fixed order, zeros too. `name` is valid during the
 * call. */
void counters_walk(const struct world *w, u32 host,
		   void (*fn)(void *ctx, const char *name, u64 value), void *ctx);

/* The value of one; false when there is no such name (value untouched). */
bool counter_get(const struct world *w, u32 host, const char *name, u64 *value);

/*
 * Reads a sysctl as text into out (NUL-terminated, cut to cap). Returns the length, or -ENOENT.
 * Setting goes through OP_SYSCTL: -ENOENT no such name, -EINVAL not a number, or outside the
 * kernel's limits.
 */
s32 sysctl_read(const struct world *w, u32 host, const char *name, char *out, u32 cap);
/* Calls fn for every sysctl name of a host in a fixed order. */
void sysctl_walk(const struct world *w, u32 host, void (*fn)(void *ctx, const char *name),
		 void *ctx);

/*
 * Prints one of the views like /proc/net/snmp, /proc/net/dev, /proc/net/arp, /proc/net/route,
 * /proc/net/tcp, /proc/net/udp, /proc/net/sockstat, /proc/net/softnet_stat, /proc/interrupts,
 * /proc/softirqs into out (NUL-terminated, cut to cap). Returns the whole length, or -ENOENT.
 */
s32 proc_read(const struct world *w, u32 host, const char *path, char *out, u32 cap);

#endif
