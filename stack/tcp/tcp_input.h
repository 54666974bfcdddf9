/* SPDX-License-Identifier: MIT */
/*
 * Segments that arrive: their events, data and options (tcp_input.c, tcp_options.c).
 */
#ifndef TAPLINE_TCP_TCP_INPUT_H
#define TAPLINE_TCP_TCP_INPUT_H

#include "tcp/tcp.h"

/* ---- tcp_input.c: segments that arrive ---- */

/* A segment for a socket in ESTABLISHED. Takes skb. */
void tcp_rcv_established(struct sock *sk, struct sk_buff *skb);
/*
 * A segment for a socket in any other state but TIME-WAIT (RFC 9293 3.10.7). 0: done, skb was
 * taken. > 0: a reset is to be sent for it (enum sk_rst_reason) and skb is still the caller's.
 */
int tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb);
/* RFC 9293 3.10.7.3; as tcp_rcv_state_process(). */
int tcp_rcv_synsent_state_process(struct sock *sk, struct sk_buff *skb);
/* Active open is through: ESTABLISHED, callbacks, keepalive. skb may be NULL. */
void tcp_finish_connect(struct sock *sk, struct sk_buff *skb);
/* First numbers of a connection once both ends' SYNs are known (buffers, cwnd, metrics). */
void tcp_init_transfer(struct sock *sk, struct sk_buff *skb);
/* The connection was reset (RFC 9293 3.10.7.4): error to the user, CLOSED. skb may be NULL. */
void tcp_reset(struct sock *sk, struct sk_buff *skb);
void tcp_reset_with(struct sock *sk, s32 err);
void tcp_fin(struct sock *sk);
void tcp_rcv_space_adjust(struct sock *sk);
void tcp_initialize_rcv_mss(struct sock *sk);
void tcp_enter_quickack_mode(struct sock *sk, u32 max_quickacks);
void tcp_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb);

/* ---- tcp_options.c ---- */

/*
 * Reads the options of a segment. `estab`: not a SYN, or options are negotiated: only time stamps
 * and SACK count. Malformed ones end the walk (RFC 9293 3.1). foc: of SYN and SYN-ACK, may be NULL;
 * it is left alone when there is none.
 */
void tcp_parse_options(const struct net *net, const struct sk_buff *skb,
		       struct tcp_options_received *opt_rx, bool estab,
		       struct tcp_fastopen_cookie *foc);
/* The MSS option alone (0: none, TCP_MSS_DEFAULT is the caller's). */
u16 tcp_parse_mss_option(const u8 *th, u16 user_mss);
/* Options of a segment on an established connection, fast when they are just the aligned time
 * stamp. True when time stamps were seen. */
bool tcp_fast_parse_options(const struct net *net, const struct sk_buff *skb, const u8 *th,
			    struct tcp_sock *tp);

#endif
