/* SPDX-License-Identifier: MIT */
/* Calls of af_inet.c that sockets of AF_INET6 make too: nothing in them is of one family. */
#ifndef TAPLINE_SOCKET_AF_INET_H
#define TAPLINE_SOCKET_AF_INET_H

#include "socket/socket.h"

int inet_stream_connect(struct socket *sock, const struct sock_addr *addr, bool resumed);
s64 inet_stream_sendmsg(struct socket *sock, struct msghdr *msg);
int inet_listen(struct socket *sock, u32 backlog);
int inet_accept(struct socket *sock, struct socket *newsock);
int inet_shutdown(struct socket *sock, u32 how);
int inet_send_prepare(struct socket *sock);
s64 inet_sendmsg(struct socket *sock, struct msghdr *msg);
s64 inet_recvmsg(struct socket *sock, struct msghdr *msg);
u32 inet_poll(struct socket *sock, u32 f_flags);
int inet_ioctl(struct socket *sock, u32 cmd, s64 *value);
void inet_release(struct socket *sock);
/* The IPv4 side of bind(2): may sk be bound there? type: what the address is, RTN_*. */
bool inet_addr_valid(const struct sock *sk, be32 addr, u32 type);
/* What inet_create() and inet6_create() set for every protocol. */
void inet_sock_init(struct sock *sk, struct socket *sock, u8 protocol);
/* The second half of bind(2): addresses are set, the port is taken. On an error the port is not,
 * and the caller takes the addresses back. */
int inet_bind_port(struct sock *sk, u16 port, bool named);

#endif
