/* SPDX-License-Identifier: MIT */
/*
 * Recovery: Open, Disorder, CWR, Recovery, Loss, and how an ACK moves between them
 * (tcp_fastretrans_alert); PRR (RFC 6937), F-RTO (RFC 5682). What is lost is decided by
 * tcp_rack.c, what is only late by tcp_reordering.c, taking wrong decisions back by tcp_undo.c.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_undo.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"

void tcp_count_delivered(struct tcp_sock *tp, u32 delivered, bool ece_ack)
{
	tp->delivered += delivered;
	if (ece_ack)
		tp->delivered_ce += delivered;
}

bool tcp_any_retrans_done(const struct sock *sk)
{
	const struct sk_buff *skb;

	if (tcp_sk(sk)->retrans_out)
		return true;
	skb = tcp_rtx_queue_head(sk);
	return skb && TCP_SKB_CB(skb)->sacked & TCPCB_EVER_RETRANS;
}

void tcp_clear_retrans(struct tcp_sock *tp)
{
	tp->retrans_out = 0;
	tp->lost_out = 0;
	tp->sacked_out = 0;
	if (!tcp_loss_seen(tp))
		return;
	tcp_loss_own(tp)->undo_marker = 0;
	tcp_loss_own(tp)->undo_retrans = -1;
	tcp_loss_own(tp)->highest_sack = NULL;
	tcp_loss_own(tp)->retransmit_skb_hint = NULL;
}

void tcp_mark_skb_lost(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss = tcp_loss_own(tp);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 pcount = tcp_skb_pcount(skb);

	if (cb->sacked & TCPCB_SACKED_ACKED)
		return;
	if ((!loss->retransmit_skb_hint && tp->retrans_out >= tp->lost_out) ||
	    (loss->retransmit_skb_hint &&
	     before(cb->seq, TCP_SKB_CB(loss->retransmit_skb_hint)->seq)))
		loss->retransmit_skb_hint = skb;
	if (!(cb->sacked & TCPCB_LOST)) {
		tp->lost_out += pcount;
		cb->sacked |= TCPCB_LOST;
	} else if (cb->sacked & TCPCB_SACKED_RETRANS) {
		/* The retransmission was lost too. */
		cb->sacked &= (u8)~TCPCB_SACKED_RETRANS;
		tp->retrans_out -= pcount;
		MIB_ADD(sk->net, TcpExtTCPLostRetransmit, pcount);
	} else {
		return;
	}
	loss->lost += pcount;
}

/* ---- cutting cwnd ---- */

u32 tcp_current_ssthresh(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 state = inet_csk(sk)->icsk_ca_state;

	if (state == TCP_CA_CWR || state == TCP_CA_Recovery)
		return tp->snd_ssthresh;
	return max_u32(tp->snd_ssthresh, (tp->snd_cwnd >> 1) + (tp->snd_cwnd >> 2));
}

static void tcp_init_cwnd_reduction(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss = tcp_loss_own(tp);

	loss->high_seq = tp->snd_nxt;
	loss->tlp_high_seq = 0;
	tp->snd_cwnd_cnt = 0;
	loss->prior_cwnd = tp->snd_cwnd;
	loss->prr_delivered = 0;
	loss->prr_out = 0;
	tp->snd_ssthresh = inet_csk(sk)->icsk_ca_ops->ssthresh(sk);
	tcp_ecn_queue_cwr(tp);
}

/* Proportional rate reduction (RFC 6937 3, with the slow start bound). */
void tcp_cwnd_reduction(struct sock *sk, s32 newly_acked_sacked, u32 newly_lost, u32 flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss = tcp_loss_own(tp);
	u32 in_flight = tcp_packets_in_flight(tp);
	s32 delta = (s32)(tp->snd_ssthresh - in_flight), sndcnt;

	if (newly_acked_sacked <= 0 || !loss->prior_cwnd)
		return;
	loss->prr_delivered += (u32)newly_acked_sacked;
	if (delta < 0) {
		u64 dividend = (u64)tp->snd_ssthresh * loss->prr_delivered + loss->prior_cwnd - 1;

		sndcnt = (s32)(u32)(dividend / loss->prior_cwnd) - (s32)loss->prr_out;
	} else {
		sndcnt = (s32)(loss->prr_delivered - loss->prr_out);
		if (sndcnt < newly_acked_sacked)
			sndcnt = newly_acked_sacked;
		if (flag & FLAG_SND_UNA_ADVANCED && !newly_lost)
			sndcnt++;
		if (sndcnt > delta)
			sndcnt = delta;
	}
	/* The first retransmission goes out in any case. */
	if (sndcnt < (loss->prr_out ? 0 : 1))
		sndcnt = loss->prr_out ? 0 : 1;
	tcp_snd_cwnd_set(tp, max_u32(in_flight + (u32)sndcnt, 1));
}

static void tcp_end_cwnd_reduction(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (inet_csk(sk)->icsk_ca_ops->cong_control)
		return;
	if (tp->snd_ssthresh < TCP_INFINITE_SSTHRESH &&
	    (inet_csk(sk)->icsk_ca_state == TCP_CA_CWR || tp->loss->undo_marker)) {
		tcp_snd_cwnd_set(tp, max_u32(tp->snd_ssthresh, 1));
		tp->snd_cwnd_stamp = tcp_jiffies32(sk);
	}
	tcp_ca_event(sk, CA_EVENT_COMPLETE_CWR);
}

void tcp_enter_cwr(struct sock *sk)
{
	struct tcp_loss *loss = tcp_loss_get(sk);

	if (!loss)
		return;
	loss->prior_ssthresh = 0;
	if (inet_csk(sk)->icsk_ca_state < TCP_CA_CWR) {
		loss->undo_marker = 0;
		tcp_init_cwnd_reduction(sk);
		tcp_set_ca_state(sk, TCP_CA_CWR);
	}
}

/* ---- entering ---- */

void tcp_enter_recovery(struct sock *sk, bool ece_ack)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 state = inet_csk(sk)->icsk_ca_state;

	if (tcp_is_reno(tp))
		MIB_INC(sk->net, TcpExtTCPRenoRecovery);
	else
		MIB_INC(sk->net, TcpExtTCPSackRecovery);
	if (!tcp_any_retrans_done(sk))
		tp->retrans_stamp = 0;
	tcp_loss_own(tp)->prior_ssthresh = 0;
	tcp_init_undo(tp);
	if (state != TCP_CA_CWR && state != TCP_CA_Recovery) {
		if (!ece_ack)
			tcp_loss_own(tp)->prior_ssthresh = tcp_current_ssthresh(sk);
		tcp_init_cwnd_reduction(sk);
	}
	tcp_set_ca_state(sk, TCP_CA_Recovery);
}

/* RFC 6298 5.4, 5.6: all that was not sent a moment ago counts as lost. */
static void tcp_timeout_mark_lost(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *head = tcp_rtx_queue_head(sk);
	bool reneg = head && TCP_SKB_CB(head)->sacked & TCPCB_SACKED_ACKED;

	/* RFC 2018 8: the head would have been acknowledged, had the peer kept it. */
	if (reneg) {
		MIB_INC(sk->net, TcpExtTCPSACKReneging);
		tp->sacked_out = 0;
		tp->is_sack_reneg = 1;
	} else if (tcp_is_reno(tp)) {
		tcp_reset_reno_sack(tp);
	}
	for (struct sk_buff *skb = head; skb; skb = tcp_rtx_queue_next(skb)) {
		if (reneg)
			TCP_SKB_CB(skb)->sacked &= (u8)~TCPCB_SACKED_ACKED;
		else if (tcp_is_sack(tp) && skb != head && tcp_rack_skb_timeout(tp, skb, 0) > 0)
			continue;
		tcp_mark_skb_lost(sk, skb);
	}
	tcp_loss_own(tp)->retransmit_skb_hint = NULL;
}

void tcp_enter_loss(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss = tcp_loss_own(tp);
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	bool new_recovery = icsk->icsk_ca_state < TCP_CA_Recovery;

	tcp_timeout_mark_lost(sk);
	/* RFC 5681 3.1: ssthresh is cut once for a window of data. */
	if (icsk->icsk_ca_state <= TCP_CA_Disorder || !after(loss->high_seq, tp->snd_una) ||
	    (icsk->icsk_ca_state == TCP_CA_Loss && !icsk->icsk_retransmits)) {
		loss->prior_ssthresh = tcp_current_ssthresh(sk);
		loss->prior_cwnd = tp->snd_cwnd;
		tp->snd_ssthresh = icsk->icsk_ca_ops->ssthresh(sk);
		tcp_ca_event(sk, CA_EVENT_LOSS);
		tcp_init_undo(tp);
	}
	tcp_snd_cwnd_set(tp, tcp_packets_in_flight(tp) + 1);
	tp->snd_cwnd_cnt = 0;
	tp->snd_cwnd_stamp = tcp_jiffies32(sk);
	/* Duplicates had come, and yet it timed out: reordering was overestimated. */
	if (icsk->icsk_ca_state <= TCP_CA_Disorder && tp->sacked_out >= (u32)sysctl->tcp_reordering)
		tp->reordering = min_u32(tp->reordering, (u32)sysctl->tcp_reordering);
	tcp_set_ca_state(sk, TCP_CA_Loss);
	loss->high_seq = tp->snd_nxt;
	loss->tlp_high_seq = 0;
	tcp_ecn_queue_cwr(tp);
	/* RFC 5682 2.1 step 1. */
	tp->frto = sysctl->tcp_frto && (new_recovery || icsk->icsk_retransmits) &&
		   !tp->rare->mtup.probe_size;
}

void tcp_update_rto_time(struct tcp_sock *tp)
{
	struct tcp_loss *loss;

	if (!tp->loss->rto_stamp)
		return;
	loss = tcp_loss_own(tp);
	loss->total_rto_time += tcp_time_stamp_ms(tp) - loss->rto_stamp;
	loss->rto_stamp = 0;
}

/* Bytes of each packet that this one was cut into. */
static u32 tcp_skb_seglen(const struct sk_buff *skb)
{
	return tcp_skb_pcount(skb) == 1 ? skb->len : tcp_skb_mss(skb);
}

void tcp_simple_retransmit(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = tcp_current_mss(sk);
	/* SYN and data of a fast open lie apart in the queue, but went as one that was too long. */
	bool all = tp->syn_data && sk->sk_state == TCP_SYN_SENT;

	if (!tcp_loss_get(sk))
		return;
	for (struct sk_buff *skb = tcp_rtx_queue_head(sk); skb; skb = tcp_rtx_queue_next(skb))
		if (all || tcp_skb_seglen(skb) > mss)
			tcp_mark_skb_lost(sk, skb);
	tcp_loss_own(tp)->retransmit_skb_hint = NULL;
	if (!tp->lost_out)
		return;
	if (tcp_is_reno(tp))
		tcp_limit_reno_sacked(tp);
	/* The path changed, it is not congested: cwnd stays. */
	tcp_non_congestion_loss_retransmit(sk);
}

void tcp_non_congestion_loss_retransmit(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (icsk->icsk_ca_state != TCP_CA_Loss) {
		struct tcp_loss *loss = tcp_loss_own(tp);

		loss->high_seq = tp->snd_nxt;
		tp->snd_ssthresh = tcp_current_ssthresh(sk);
		loss->prior_ssthresh = 0;
		loss->undo_marker = 0;
		tcp_set_ca_state(sk, TCP_CA_Loss);
	}
	tcp_xmit_retransmit_queue(sk);
}

/* ---- an ACK ---- */

static bool check_sack_reneging(struct sock *sk, u32 *ack_flag)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!(*ack_flag & FLAG_SACK_RENEGING) || !(*ack_flag & FLAG_SND_UNA_ADVANCED))
		return false;
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, max_u32((tp->srtt_us >> 4) / 1000, 10),
				  tcp_rto_max(sk));
	*ack_flag &= ~(u32)FLAG_SET_XMIT_TIMER;
	return true;
}

static void tcp_try_to_open(struct sock *sk, u32 flag)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_any_retrans_done(sk))
		tp->retrans_stamp = 0;
	if (flag & FLAG_ECE)
		tcp_enter_cwr(sk);
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_CWR)
		tcp_try_keep_open(sk);
}

static void tcp_identify_packet_loss(struct sock *sk, u32 *ack_flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 prior_retrans = tp->retrans_out;

	if (tcp_rtx_queue_empty(sk))
		return;
	if (tcp_is_reno(tp)) {
		tcp_newreno_mark_lost(sk, *ack_flag & FLAG_SND_UNA_ADVANCED);
		return;
	}
	if (tcp_rack_mark_lost(sk))
		*ack_flag &= ~(u32)FLAG_SET_XMIT_TIMER;
	if (prior_retrans > tp->retrans_out)
		*ack_flag |= FLAG_LOST_RETRANS;
}

/* RFC 5682 3: after a timeout. */
static void tcp_process_loss(struct sock *sk, u32 flag, u32 num_dupack, int *rexmit)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool recovered = !before(tp->snd_una, tp->loss->high_seq);

	if (flag & FLAG_SND_UNA_ADVANCED && tcp_try_undo_loss(sk, false))
		return;
	if (tp->frto) {
		/* Step 3.b: data never sent again was delivered: the timeout was spurious. */
		if (flag & FLAG_ORIG_SACK_ACKED && tcp_try_undo_loss(sk, true))
			return;
		if (after(tp->snd_nxt, tp->loss->high_seq)) {
			if (flag & FLAG_DATA_SACKED || num_dupack)
				tp->frto = 0; /* step 3.a: the loss was real */
		} else if (flag & FLAG_SND_UNA_ADVANCED && !recovered) {
			tcp_loss_own(tp)->high_seq = tp->snd_nxt;
			/* Step 2.b: new data, when there is some that may be sent. */
			if (!tcp_write_queue_empty(sk) && after(tcp_wnd_end(tp), tp->snd_nxt)) {
				*rexmit = REXMIT_NEW;
				return;
			}
			tp->frto = 0;
		} else if (num_dupack && net_world(sk->net)->profile_rfc) {
			tp->frto = 0; /* step 2.a, which Linux has not */
		}
	}
	if (recovered) {
		tcp_try_undo_recovery(sk);
		return;
	}
	if (tcp_is_reno(tp)) {
		if (after(tp->snd_nxt, tp->loss->high_seq) && num_dupack)
			tcp_add_reno_sack(sk, num_dupack, flag & FLAG_ECE);
		else if (flag & FLAG_SND_UNA_ADVANCED)
			tcp_reset_reno_sack(tp);
	}
	*rexmit = REXMIT_LOST;
}

/* snd_una has passed high_seq: the state ends. True: the ACK is dealt with. */
static bool check_state_exit(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	switch (inet_csk(sk)->icsk_ca_state) {
	case TCP_CA_CWR:
		/* One above high_seq, as ECN's reaction holds for a whole window. */
		if (tp->snd_una != tp->loss->high_seq) {
			tcp_end_cwnd_reduction(sk);
			tcp_set_ca_state(sk, TCP_CA_Open);
		}
		return false;
	case TCP_CA_Recovery:
		if (tcp_is_reno(tp))
			tcp_reset_reno_sack(tp);
		if (tcp_try_undo_recovery(sk))
			return true;
		tcp_end_cwnd_reduction(sk);
		return false;
	default:
		return false;
	}
}

/* True: go on and send what is lost. */
static bool ack_in_recovery(struct sock *sk, u32 prior_snd_una, u32 num_dupack, u32 *ack_flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 flag = *ack_flag;

	if (!(flag & FLAG_SND_UNA_ADVANCED)) {
		if (tcp_is_reno(tp))
			tcp_add_reno_sack(sk, num_dupack, flag & FLAG_ECE);
	} else if (tcp_try_undo_partial(sk, prior_snd_una)) {
		return false;
	}
	if (tcp_try_undo_dsack(sk))
		tcp_try_to_open(sk, flag);
	tcp_identify_packet_loss(sk, ack_flag);
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_Recovery) {
		if (!tp->lost_out)
			return false;
		tcp_enter_recovery(sk, flag & FLAG_ECE);
	}
	return true;
}

static bool ack_in_open(struct sock *sk, u32 num_dupack, u32 *ack_flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 flag = *ack_flag;

	if (tcp_is_reno(tp)) {
		if (flag & FLAG_SND_UNA_ADVANCED)
			tcp_reset_reno_sack(tp);
		tcp_add_reno_sack(sk, num_dupack, flag & FLAG_ECE);
	}
	if (inet_csk(sk)->icsk_ca_state <= TCP_CA_Disorder)
		tcp_try_undo_dsack(sk);
	tcp_identify_packet_loss(sk, ack_flag);
	if (!tp->lost_out) {
		tcp_try_to_open(sk, flag);
		return false;
	}
	if (tcp_mtup_probe_lost(sk))
		return false;
	tcp_enter_recovery(sk, flag & FLAG_ECE);
	return true;
}

void tcp_fastretrans_alert(struct sock *sk, u32 prior_snd_una, u32 num_dupack, u32 *ack_flag,
			   int *rexmit)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->packets_out)
		tp->sacked_out = 0;
	if (!tcp_loss_get(sk))
		return;
	if (*ack_flag & FLAG_ECE)
		tcp_loss_own(tp)->prior_ssthresh = 0;
	if (check_sack_reneging(sk, ack_flag))
		return;
	if (icsk->icsk_ca_state == TCP_CA_Open)
		tp->retrans_stamp = 0;
	else if (!before(tp->snd_una, tp->loss->high_seq) && check_state_exit(sk))
		return;
	if (icsk->icsk_ca_state == TCP_CA_Recovery) {
		if (!ack_in_recovery(sk, prior_snd_una, num_dupack, ack_flag))
			return;
	} else {
		if (icsk->icsk_ca_state == TCP_CA_Loss) {
			tcp_process_loss(sk, *ack_flag, num_dupack, rexmit);
			if (icsk->icsk_ca_state != TCP_CA_Loss)
				tcp_update_rto_time(tp);
			tcp_identify_packet_loss(sk, ack_flag);
			if (icsk->icsk_ca_state != TCP_CA_Open && !(*ack_flag & FLAG_LOST_RETRANS))
				return;
		}
		if (!ack_in_open(sk, num_dupack, ack_flag))
			return;
	}
	*rexmit = REXMIT_LOST;
}

/* RFC 8985 7.4: what the ACK says about the loss probe. */
void tcp_process_tlp_ack(struct sock *sk, u32 ack, u32 flag)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (before(ack, tp->loss->tlp_high_seq))
		return;
	if (!tp->tlp_retrans || flag & FLAG_DSACK_TLP) {
		/* The probe was new data, or it came twice: nothing was lost. */
		tcp_loss_own(tp)->tlp_high_seq = 0;
	} else if (after(ack, tp->loss->tlp_high_seq)) {
		/* The probe repaired a loss, silently: cwnd answers for it. */
		tcp_init_cwnd_reduction(sk);
		tcp_set_ca_state(sk, TCP_CA_CWR);
		tcp_end_cwnd_reduction(sk);
		tcp_try_keep_open(sk);
		MIB_INC(sk->net, TcpExtTCPLossProbeRecovery);
	} else if (!(flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DATA_SACKED))) {
		/* A pure duplicate: the original had arrived. */
		tcp_loss_own(tp)->tlp_high_seq = 0;
	}
}

void tcp_xmit_recovery(struct sock *sk, int rexmit)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (rexmit == REXMIT_NONE || sk->sk_state == TCP_SYN_SENT)
		return;
	if (rexmit == REXMIT_NEW) {
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF);
		if (after(tp->snd_nxt, tp->loss->high_seq))
			return;
		tp->frto = 0;
	}
	tcp_xmit_retransmit_queue(sk);
}
