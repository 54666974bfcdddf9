/* SPDX-License-Identifier: MIT */
/*
 * Invariants (tcp_check.c).
 */
#ifndef TAPLINE_TCP_TCP_CHECK_H
#define TAPLINE_TCP_TCP_CHECK_H

#include "tcp/tcp.h"

/* Panics at the first broken invariant of any TCP socket of the host. */
void tcp_check_host(struct host *h, u32 level);
/* Of one socket. */
void tcp_check_sk(const struct sock *sk, u32 level);

#endif
