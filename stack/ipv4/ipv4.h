/* SPDX-License-Identifier: MIT */
/*
 * IPv4 as a whole, for the assembler: boot and end of a host and of a namespace, ops, sysctls per
 * device, checks. Order at boot: net_dev_init, ipv4_init (before any device registers), protocols
 * above (inet_add_protocol), ipv4_net_init per namespace (before its loopback registers).
 */
#ifndef TAPLINE_IPV4_IPV4_H
#define TAPLINE_IPV4_IPV4_H

#include "ipv4/devinet.h"

/* Packet types, ARP table, protocol table, device notifier. 0 or -ENOMEM. */
int ipv4_init(struct host *h);
/* After all namespaces are gone. */
void ipv4_exit(struct host *h);
/* FIB tables, reassembly, sysctls of one namespace. */
int ipv4_net_init(struct net *net);
/* After all its devices are unregistered. */
void ipv4_net_exit(struct net *net);

/* OP_ROUTE_*, OP_NEIGH_*: 0 or -errno. */
int inet_rtm_newroute(struct net *net, const struct op_route_add *op);
int inet_rtm_delroute(struct net *net, const struct op_route_del *op);
int inet_op_neigh_set(struct net *net, const struct op_neigh_set *op);
int inet_op_neigh_del(struct net *net, const struct op_neigh_del *op);
int inet_op_neigh_proxy(struct net *net, const struct op_neigh_proxy *op);

/* Sysctls with a device in their name (net.ipv4.conf.*, net.ipv4.neigh.*): -ENOENT for any other.
 */
int ipv4_sysctl_get(struct net *net, const char *name, s32 *value);
int ipv4_sysctl_set(struct net *net, const char *name, s32 value);
void ipv4_sysctl_walk(struct net *net, void (*fn)(void *ctx, const char *name), void *ctx);
/* A sysctl of the namespace was set (netns_sysctl_find): ip_forward reaches into devices. */
void ipv4_sysctl_changed(struct net *net, const s32 *field);

/* Panics at a broken invariant (stack/assert.h). */
void ipv4_check(struct host *h, u32 level);

#endif
