/* SPDX-License-Identifier: MIT */
/* UDP over IPv6: its place in IPv6's table of protocols (udp_ipv6.c). */
#ifndef TAPLINE_UDP_UDP_IPV6_H
#define TAPLINE_UDP_UDP_IPV6_H

#include "kernel/host.h"

/* After ipv6_init(). 0 or -EBUSY. */
int udpv6_init(struct host *h);
void udpv6_exit(struct host *h);

#endif
