/* SPDX-License-Identifier: MIT */
/*
 * Undo: time stamps (Eifel, RFC 3522), D-SACK (RFC 3708) or F-RTO show that nothing was lost; cwnd
 * and ssthresh become what they were (RFC 4015 in spirit).
 *
 * undo_marker: snd_una when cwnd was cut, 0: nothing to undo. undo_retrans: retransmissions since
 * then that no D-SACK has told to be needless.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_undo.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"

void tcp_init_undo(struct tcp_sock *tp)
{
	struct tcp_loss *loss = tcp_loss_own(tp);

	loss->undo_marker = tp->snd_una;
	loss->undo_retrans = (s32)tp->retrans_out;
	if (loss->tlp_high_seq && tp->tlp_retrans)
		loss->undo_retrans++;
	/* 0 would mean: all were needless. */
	if (!loss->undo_retrans)
		loss->undo_retrans = -1;
}

static bool packet_delayed(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->retrans_stamp)
		return tcp_tsopt_ecr_before(tp, tp->retrans_stamp);
	/* No retransmission yet; but non_sack_preventing_reopen() forgets the one there was. */
	if (!tcp_is_sack(tp) && !before(tp->snd_una, tp->loss->high_seq))
		return false;
	return sk->sk_state != TCP_SYN_SENT;
}

static bool may_undo(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->loss->undo_marker && (!tp->loss->undo_retrans || packet_delayed(sk));
}

static void undo_cwnd_reduction(struct sock *sk, bool unmark_loss)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (unmark_loss) {
		for (struct sk_buff *skb = tcp_rtx_queue_head(sk); skb;
		     skb = tcp_rtx_queue_next(skb))
			TCP_SKB_CB(skb)->sacked &= (u8)~TCPCB_LOST;
		tp->lost_out = 0;
		tcp_loss_own(tp)->retransmit_skb_hint = NULL;
	}
	if (tp->loss->prior_ssthresh) {
		tcp_snd_cwnd_set(tp, inet_csk(sk)->icsk_ca_ops->undo_cwnd(sk));
		if (tp->loss->prior_ssthresh > tp->snd_ssthresh) {
			tp->snd_ssthresh = tp->loss->prior_ssthresh;
			tcp_ecn_withdraw_cwr(tp);
		}
	}
	tp->snd_cwnd_stamp = tcp_jiffies32(sk);
	tcp_loss_own(tp)->undo_marker = 0;
	tp->rack.advanced = 1; /* look for losses again */
}

/* Without SACK a duplicate ACK below high_seq can not be told from one of the recovery: RFC 6582
 * 3.2 step 1 keeps the state until more is acknowledged. */
static bool non_sack_preventing_reopen(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->snd_una != tp->loss->high_seq || !tcp_is_reno(tp))
		return false;
	if (!tcp_any_retrans_done(sk))
		tp->retrans_stamp = 0;
	return true;
}

void tcp_try_keep_open(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 state = tcp_left_out(tp) || tcp_any_retrans_done(sk) ? TCP_CA_Disorder : TCP_CA_Open;

	if (inet_csk(sk)->icsk_ca_state != state) {
		tcp_set_ca_state(sk, state);
		tcp_loss_own(tp)->high_seq = tp->snd_nxt;
	}
}

bool tcp_try_undo_recovery(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (may_undo(sk)) {
		bool loss = inet_csk(sk)->icsk_ca_state == TCP_CA_Loss;

		undo_cwnd_reduction(sk, false);
		if (loss)
			MIB_INC(sk->net, TcpExtTCPLossUndo);
		else
			MIB_INC(sk->net, TcpExtTCPFullUndo);
	} else if (tp->rack.reo_wnd_persist) {
		tp->rack.reo_wnd_persist = (tp->rack.reo_wnd_persist - 1) & 31;
	}
	if (non_sack_preventing_reopen(sk))
		return true;
	tcp_set_ca_state(sk, TCP_CA_Open);
	tp->is_sack_reneg = 0;
	return false;
}

bool tcp_try_undo_dsack(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->loss->undo_marker || tp->loss->undo_retrans)
		return false;
	if (tp->rack.reo_wnd_persist < 16)
		tp->rack.reo_wnd_persist = (tp->rack.reo_wnd_persist + 1) & 31;
	undo_cwnd_reduction(sk, false);
	MIB_INC(sk->net, TcpExtTCPDSACKUndo);
	return true;
}

bool tcp_try_undo_loss(struct sock *sk, bool frto_undo)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!frto_undo && !may_undo(sk))
		return false;
	undo_cwnd_reduction(sk, true);
	MIB_INC(sk->net, TcpExtTCPLossUndo);
	if (frto_undo)
		MIB_INC(sk->net, TcpExtTCPSpuriousRTOs);
	inet_csk(sk)->icsk_retransmits = 0;
	if (non_sack_preventing_reopen(sk))
		return true;
	if (frto_undo || tcp_is_sack(tp)) {
		tcp_set_ca_state(sk, TCP_CA_Open);
		tp->is_sack_reneg = 0;
	}
	return true;
}

bool tcp_try_undo_partial(struct sock *sk, u32 prior_snd_una)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->loss->undo_marker || !packet_delayed(sk))
		return false;
	/* The hole was filled by the original: it was reordered. */
	tcp_check_sack_reordering(sk, prior_snd_una, 1);
	/* Retransmissions are under way: their ACKs will tell. */
	if (tp->retrans_out)
		return true;
	if (!tcp_any_retrans_done(sk))
		tp->retrans_stamp = 0;
	undo_cwnd_reduction(sk, true);
	MIB_INC(sk->net, TcpExtTCPPartialUndo);
	tcp_try_keep_open(sk);
	return true;
}
