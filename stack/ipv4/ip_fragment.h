/* SPDX-License-Identifier: MIT */
/* Reassembly of a namespace: its making, its end, what /proc/net/sockstat tells of it. */
#ifndef TAPLINE_IPV4_IP_FRAGMENT_H
#define TAPLINE_IPV4_IP_FRAGMENT_H

#include "netns/net.h"

int ipfrag_net_init(struct net *net);
void ipfrag_net_exit(struct net *net);
/* FRAG: inuse and memory of /proc/net/sockstat. */
u32 ip_frag_queues(const struct net *net);
u64 ip_frag_mem(const struct net *net);
void ipfrag_check(const struct net *net);

#endif
