/* SPDX-License-Identifier: MIT */
/*
 * Timers of a connection (tcp_timer.c, tcp_keepalive.c).
 */
#ifndef TAPLINE_TCP_TCP_TIMER_H
#define TAPLINE_TCP_TCP_TIMER_H

#include "tcp/tcp.h"

void tcp_init_xmit_timers(struct sock *sk);
void tcp_reset_keepalive_timer(struct sock *sk, u32 len);
void tcp_set_keepalive(struct sock *sk, bool on);
u32 keepalive_time_when(const struct tcp_sock *tp);
u32 keepalive_intvl_when(const struct tcp_sock *tp);
u32 keepalive_probes(const struct tcp_sock *tp);
u32 keepalive_time_elapsed(const struct tcp_sock *tp);
void tcp_delack_timer_handler(struct sock *sk);
void tcp_keepalive_timer_handler(struct sock *sk);
void tcp_write_timer_handler(struct sock *sk);
void tcp_retransmit_timer(struct sock *sk);
/* RFC 6069: an unreachable about the segment (seq) that timed out says that it did not get lost to
 * congestion: one doubling of the timer is taken back. */
void tcp_ld_RTO_revert(struct sock *sk, u32 seq);
/* Interval to the next zero window probe, jiffies, at most max_when. */
u32 tcp_probe0_when(const struct sock *sk, u32 max_when);
u32 tcp_probe0_base(const struct sock *sk);
u32 tcp_clamp_probe0_to_user_timeout(const struct sock *sk, u32 when);
void tcp_check_probe_timer(struct sock *sk);
void tcp_write_err(struct sock *sk);
u32 tcp_rto_max(const struct sock *sk);

#endif
