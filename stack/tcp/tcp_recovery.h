/* SPDX-License-Identifier: MIT */
/*
 * SACK, RACK, and how loss is seen and repaired (tcp_sack.c, tcp_recovery.c, tcp_rack.c).
 */
#ifndef TAPLINE_TCP_TCP_RECOVERY_H
#define TAPLINE_TCP_TCP_RECOVERY_H

#include "tcp/tcp.h"
#include "tcp/tcp_ack.h"

/* ---- tcp_sack.c (RFC 2018, 2883) ---- */

/* Receiver: blocks to announce. */
void tcp_sack_new_ofo_skb(struct sock *sk, u32 seq, u32 end_seq);
void tcp_sack_remove(struct tcp_sock *tp);
void tcp_dsack_set(struct sock *sk, u32 seq, u32 end_seq);
void tcp_dsack_extend(struct sock *sk, u32 seq, u32 end_seq);
/* A segment that is a duplicate as a whole: D-SACK and quick ACK. */
void tcp_send_dupack(struct sock *sk, const struct sk_buff *skb);
/* Sender: the SACK option of an ACK marks the retransmission queue. Returns FLAG_*. */
u32 tcp_sacktag_write_queue(struct sock *sk, const struct sk_buff *ack_skb, u32 prior_snd_una,
			    struct tcp_sacktag_state *state);
void tcp_highest_sack_reset(struct sock *sk);
/* skb goes away or is acknowledged: hints that point to it move on. */
void tcp_advance_highest_sack(struct sock *sk, struct sk_buff *skb);
u32 tcp_highest_sack_seq(const struct tcp_sock *tp);

/* ---- tcp_recovery.c: loss detection and recovery states ---- */

void tcp_fastretrans_alert(struct sock *sk, u32 prior_snd_una, u32 num_dupack, u32 *ack_flag,
			   int *rexmit);
void tcp_enter_loss(struct sock *sk);
void tcp_enter_cwr(struct sock *sk);
/* What was under way at the time-out is acknowledged: TCP_INFO tells how long that took. */
void tcp_update_rto_time(struct tcp_sock *tp);
void tcp_cwnd_reduction(struct sock *sk, s32 newly_acked_sacked, u32 newly_lost, u32 flag);
void tcp_process_tlp_ack(struct sock *sk, u32 ack, u32 flag);
void tcp_simple_retransmit(struct sock *sk); /* RFC 1191: MTU shrank */
/* What is marked lost goes again, and cwnd stays. */
void tcp_non_congestion_loss_retransmit(struct sock *sk);
void tcp_clear_retrans(struct tcp_sock *tp);
void tcp_mark_skb_lost(struct sock *sk, struct sk_buff *skb);
void tcp_check_sack_reordering(struct sock *sk, u32 low_seq, s32 ts);
/* No more than what is out, less what is lost. True: it was more, so nothing but the order changed.
 */
bool tcp_limit_reno_sacked(struct tcp_sock *tp);
void tcp_check_reno_reordering(struct sock *sk, u32 addend);
void tcp_add_reno_sack(struct sock *sk, u32 num_dupack, bool ece_ack);
void tcp_remove_reno_sacks(struct sock *sk, u32 acked, bool ece_ack);
void tcp_reset_reno_sack(struct tcp_sock *tp);
void tcp_xmit_recovery(struct sock *sk, int rexmit);
bool tcp_try_undo_loss(struct sock *sk, bool frto_undo);
#define REXMIT_NONE 0
#define REXMIT_LOST 1
#define REXMIT_NEW  2

/* ---- tcp_rack.c (RFC 8985) ---- */

void tcp_rack_advance(struct tcp_sock *tp, u8 sacked, u32 end_seq, u64 xmit_time);
bool tcp_rack_mark_lost(struct sock *sk);
void tcp_rack_reo_timeout(struct sock *sk);
void tcp_rack_update_reo_wnd(struct sock *sk, const struct rate_sample *rs);
void tcp_newreno_mark_lost(struct sock *sk, bool snd_una_advanced);
s32 tcp_rack_skb_timeout(const struct tcp_sock *tp, const struct sk_buff *skb, u32 reo_wnd);
void tcp_enter_recovery(struct sock *sk, bool ece_ack);
void tcp_count_delivered(struct tcp_sock *tp, u32 delivered, bool ece_ack);
bool tcp_any_retrans_done(const struct sock *sk);

#endif
