/* SPDX-License-Identifier: MIT */
/* Between the files of the send side: tcp_output.c, tcp_segment.c, tcp_control.c, tcp_retransmit.c.
 */
#ifndef TAPLINE_TCP_TCP_SEND_H
#define TAPLINE_TCP_TCP_SEND_H

#include "tcp/tcp.h"

/* Options of a SYN; bytes they take. */
u32 tcp_syn_options(struct sock *sk, struct tcp_out_options *opts);
/* Is the segment, or its first mss bytes, within the peer's window? */
bool tcp_snd_wnd_test(const struct tcp_sock *tp, const struct sk_buff *skb, u32 mss);
/* The head of the write queue was sent: to the retransmission queue with it. */
void tcp_event_new_data_sent(struct sock *sk, struct sk_buff *skb);
/* ssthresh as it would be now. */
u32 tcp_current_ssthresh(const struct sock *sk);
/* To the end of the write queue. */
void tcp_queue_skb(struct sock *sk, struct sk_buff *skb);
/* Sends a segment again, without account of retransmissions under way. */
int __tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs);

#endif
