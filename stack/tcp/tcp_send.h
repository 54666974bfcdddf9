/* SPDX-License-Identifier: MIT */
/* Between the files of the send side: tcp_output.c, tcp_segment.c, tcp_control.c, tcp_retransmit.c.
 */
#ifndef TAPLINE_TCP_TCP_SEND_H
#define TAPLINE_TCP_TCP_SEND_H

#include "tcp/tcp.h"
#include "tcp/tcp_output.h"

/* Options of a SYN, or of the SYN-ACK of a simultaneous open; bytes they take. */
u32 tcp_syn_options(struct sock *sk, bool synack, struct tcp_out_options *opts);
/* Bytes that options of a SYN-ACK take without a cookie. */
u32 tcp_options_size(const struct tcp_out_options *opts);
/* The cookie too, when it fits behind `size` bytes of others; bytes that it takes. */
u32 tcp_fastopen_option(struct tcp_out_options *opts, const struct tcp_fastopen_cookie *foc,
			u32 size);
/* Is the segment, or its first mss bytes, within the peer's window? */
bool tcp_snd_wnd_test(const struct tcp_sock *tp, const struct sk_buff *skb, u32 mss);
/* The head of the write queue was sent: to the retransmission queue with it. */
void tcp_event_new_data_sent(struct sock *sk, struct sk_buff *skb);
/* ssthresh as it would be now. */
u32 tcp_current_ssthresh(const struct sock *sk);
/* To the end of the write queue. */
void tcp_queue_skb(struct sock *sk, struct sk_buff *skb);
/* tcp_tso.c: where the first packet of the write queue is cut: what the window takes, at most
 * max_segs segments, without a rest that Nagle would keep back. */
u32 tcp_mss_split_point(const struct sock *sk, const struct sk_buff *skb, u32 mss_now, u32 max_segs,
			u32 nonagle);
/* True: better to wait for an ACK that lets a larger packet go. */
bool tcp_tso_should_defer(struct sock *sk, const struct sk_buff *skb, bool *is_cwnd_limited,
			  bool *is_rwnd_limited, u32 max_segs);
/* May the bytes of `from` follow on in the same segment? */
bool tcp_skb_can_collapse(const struct sk_buff *to, const struct sk_buff *from);
/* Segments behind `to` become part of it while they fit into `space` bytes. */
void tcp_retrans_try_collapse(struct sock *sk, struct sk_buff *to, u32 space);
void tcp_grow_skb(struct sock *sk, struct sk_buff *skb, u32 amount);
/* With pacing: when the next may go. prior_wstamp: tcp_wstamp_ns before this one. */
void tcp_update_skb_after_send(struct sock *sk, const struct sk_buff *skb, u64 prior_wstamp);
/* Is there urgent data that is not acknowledged? */
bool tcp_urg_mode(const struct tcp_sock *tp);
/* tcp_mtu.c: 1: a probe was sent, 0: wait, the next ACK may let one go, -1: none is due. */
int tcp_mtu_probe(struct sock *sk);
/* Sends a segment again, without account of retransmissions under way. */
int __tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs);

#endif
