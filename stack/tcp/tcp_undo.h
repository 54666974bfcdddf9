/* SPDX-License-Identifier: MIT */
/* Between tcp_recovery.c, tcp_input.c and tcp_undo.c: taking back a reduction that was not called
 * for. */
#ifndef TAPLINE_TCP_TCP_UNDO_H
#define TAPLINE_TCP_TCP_UNDO_H

#include "tcp/tcp.h"

/* From here on a reduction can be undone. */
void tcp_init_undo(struct tcp_sock *tp);
/* snd_una has reached high_seq. True: the state stays until something above is acknowledged. */
bool tcp_try_undo_recovery(struct sock *sk);
/* D-SACKs have told that every retransmission was needless. */
bool tcp_try_undo_dsack(struct sock *sk);
/* A partial ACK of data that was only late. */
bool tcp_try_undo_partial(struct sock *sk, u32 prior_snd_una);
void tcp_try_keep_open(struct sock *sk);

#endif
