/* SPDX-License-Identifier: MIT */
/* TCP over IPv6: its place in IPv6's table of protocols (tcp_ipv6_rcv.c). */
#ifndef TAPLINE_TCP_TCP_IPV6_H
#define TAPLINE_TCP_TCP_IPV6_H

#include "kernel/host.h"

/* After ipv6_init(). 0 or -EBUSY. */
int tcpv6_init(struct host *h);
void tcpv6_exit(struct host *h);

#endif
