/* SPDX-License-Identifier: MIT */
/*
 * Acceptability of segments, and the answers to those that are not (tcp_validate.c).
 */
#ifndef TAPLINE_TCP_TCP_VALIDATE_H
#define TAPLINE_TCP_TCP_VALIDATE_H

#include "tcp/tcp.h"

/*
 * PAWS and the first to fourth check of RFC 9293 3.10.7.4. False: it was answered as it has to be,
 * and skb is gone. inerr: a SYN counts as an error (TcpInErrs).
 */
bool tcp_validate_incoming(struct sock *sk, struct sk_buff *skb, bool inerr);
/* Challenge ACK, within the limits of RFC 5961 7; reflect: with feedback of a SYN (AccECN). */
void tcp_send_challenge_ack(struct sock *sk, bool reflect);
/* May one more answer to an out-of-window segment go out (tcp_invalid_ratelimit)? True: no. */
bool tcp_oow_rate_limited(struct net *net, const struct sk_buff *skb, int mib_idx,
			  u32 *last_oow_ack_time);

#endif
