/* SPDX-License-Identifier: MIT */
/* What the views of TCP's sockets share (proc_tcp.c). */
#ifndef TAPLINE_PROC_PROC_TCP_H
#define TAPLINE_PROC_PROC_TCP_H

#include "proc/seq_file.h"
#include "tcp/tcp.h"

/* An entry of TCP's tables: a socket, a request or a TIME-WAIT socket (skc_kind). */
typedef void (*tcp_entry_fn)(void *ctx, struct sock_common *skc);

/* Those of a namespace: listeners, then connections, requests and TIME-WAIT sockets, in the order
 * of their tables. */
void proc_tcp_walk(const struct net *net, tcp_entry_fn fn, void *ctx);
/* Octets that wait to be read; of a listener: connections that wait for accept(). */
u32 proc_tcp_receive_queue(const struct sock *sk);

#endif
