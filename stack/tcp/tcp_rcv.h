/* SPDX-License-Identifier: MIT */
/* Between the files of the receive side: tcp_input.c, tcp_data.c, tcp_ofo_queue.c, tcp_sack.c. */
#ifndef TAPLINE_TCP_TCP_RCV_H
#define TAPLINE_TCP_TCP_RCV_H

#include "tcp/tcp.h"

/* RCV.NXT moves; it never goes back. */
static inline void tcp_rcv_nxt_update(struct tcp_sock *tp, u32 seq)
{
	u32 delta = seq - tp->rcv_nxt;

	tp->bytes_received += delta;
	tp->rcv_nxt = seq;
}

/* ---- tcp_data.c ---- */

/* RFC 9293 3.10.7.4 seventh: the data of an acceptable segment. Takes skb, header pulled or not. */
void tcp_data_queue(struct sock *sk, struct sk_buff *skb);
/* Into the receive queue; header of hdrlen bytes pulled. */
void tcp_queue_rcv(struct sock *sk, struct sk_buff *skb, u32 hdrlen);
/* ACK at once, delayed, or none yet (RFC 9293 3.8.6.3, RFC 5681 4.2). */
void tcp_ack_snd_check(struct sock *sk);
void __tcp_ack_snd_check(struct sock *sk, bool ofo_possible);
/* tcp_comp_sack.c. True: the ACK of a segment out of order is held back. */
bool tcp_compress_ack(struct sock *sk);
/* An ACK left while some were held back. */
void tcp_compressed_ack_sent(struct sock *sk);
/* What is held back goes now. */
void tcp_compressed_ack_kick(struct sock *sk);
/* When the last that was held back is due. */
void tcp_compressed_ack_timer(struct timer *t);
void tcp_event_data_recv(struct sock *sk, struct sk_buff *skb);
/* After an ACK: send what may be sent now, wake who waits for room. */
void tcp_data_snd_check(struct sock *sk);
void tcp_check_space(struct sock *sk);
/* tcp_prune.c: the buffer and the memory of all TCP have room for this skb, or room was made. 0;
 * -1: drop it. */
int tcp_try_rmem_schedule(struct sock *sk, const struct sk_buff *skb, u32 size);
/* Under memory pressure the window is no more than four segments. */
void tcp_adjust_rcv_ssthresh(struct sock *sk);
void tcp_grow_window(struct sock *sk, const struct sk_buff *skb);
void tcp_clamp_window(struct sock *sk);
/* The most that is offered; a larger one also lets the next window be what the last one was. */
void tcp_set_window_clamp(struct sock *sk, u32 val);
void tcp_init_buffer_space(struct sock *sk);
/* tcp_data.c: RFC 9293 3.10.7.4 sixth. */
void tcp_urg(struct sock *sk, struct sk_buff *skb, const u8 *th);
void tcp_drop_reason(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason);

#endif
