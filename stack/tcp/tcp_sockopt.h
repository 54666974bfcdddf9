/* SPDX-License-Identifier: MIT */
/* Options of level SOL_TCP that are a number (tcp_sockopt_int.c). 0 or -errno; -ENOPROTOOPT: it is
 * none of them. */
#ifndef TAPLINE_TCP_TCP_SOCKOPT_H
#define TAPLINE_TCP_TCP_SOCKOPT_H

#include "tcp/tcp.h"

int tcp_set_int(struct sock *sk, u32 name, s32 v);
int tcp_get_int(const struct sock *sk, u32 name, s32 *v);

#endif
