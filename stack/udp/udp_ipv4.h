/* SPDX-License-Identifier: MIT */
/* The calls of UDP over IPv4 for its struct proto (udp_sock_ipv4.c) and net_protocol (udp_ipv4.c).
 */
#ifndef TAPLINE_UDP_UDP_IPV4_H
#define TAPLINE_UDP_UDP_IPV4_H

#include "ipv4/protocol.h"
#include "udp/udp_sock.h"

/* RFC 1122 4.1.4: a socket of one peer. 0 or -errno. */
int ip4_datagram_connect(struct sock *sk, const struct sock_addr *addr);
int udp_disconnect(struct sock *sk);
s64 udp_sendmsg(struct sock *sk, struct msghdr *msg);
s64 udp_recvmsg(struct sock *sk, struct msghdr *msg);

extern const struct net_protocol udp_protocol;

#endif
