/* SPDX-License-Identifier: MIT */
/* UDP as the rest of the stack sees it: boot and end, the protocol for af_inet, views and checks.
 */
#ifndef TAPLINE_UDP_UDP_H
#define TAPLINE_UDP_UDP_H

#include "core/sock.h"

extern const struct proto udp_prot;

/* Tables, and IPPROTO_UDP of IPv4. After ipv4_init(). 0 or -errno. */
int udp_init(struct host *h);
/* After all sockets are closed. Copes with an init that failed. */
void udp_exit(struct host *h);

/* Panics when tables, counts and accounts do not agree. */
void udp_check(struct host *h, u32 level);
/* Calls fn for every bound socket of net, in order of ports. */
void udp_table_walk(const struct net *net, void (*fn)(void *ctx, const struct sock *sk), void *ctx);

#endif
