/* SPDX-License-Identifier: MIT */
/*
 * SACK (RFC 2018) and D-SACK (RFC 2883), the receiver's side: which blocks the next ACKs announce.
 *
 * Invariants: selective_acks[] are disjoint, lie above rcv_nxt and describe queued bytes; the one
 * that changed last is the first (RFC 2018 4). The sender's side is in tcp_sacktag.c.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"

void tcp_dsack_set(struct sock *sk, u32 seq, u32 end_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_is_sack(tp) || !sk->net->sysctl.tcp_dsack || !tcp_loss_get(sk))
		return;
	if (before(seq, tp->rcv_nxt))
		MIB_INC(sk->net, TcpExtTCPDSACKOldSent);
	else
		MIB_INC(sk->net, TcpExtTCPDSACKOfoSent);
	tp->rx_opt.dsack = 1;
	tcp_loss_own(tp)->duplicate_sack = (struct tcp_sack_block){ seq, end_seq };
}

/* Grows the block when [seq, end_seq) touches it. */
static bool sack_extend(struct tcp_sack_block *sp, u32 seq, u32 end_seq)
{
	if (after(seq, sp->end_seq) || after(sp->start_seq, end_seq))
		return false;
	if (before(seq, sp->start_seq))
		sp->start_seq = seq;
	if (after(end_seq, sp->end_seq))
		sp->end_seq = end_seq;
	return true;
}

void tcp_dsack_extend(struct sock *sk, u32 seq, u32 end_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->rx_opt.dsack)
		tcp_dsack_set(sk, seq, end_seq);
	else
		sack_extend(&tcp_loss_own(tp)->duplicate_sack, seq, end_seq);
}

void tcp_send_dupack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	if (cb->end_seq != cb->seq && before(cb->seq, tp->rcv_nxt)) {
		MIB_INC(sk->net, TcpExtDelayedACKLost);
		tcp_accecn_spurious_retrans(tp, cb->seq);
		tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
		if (tcp_is_sack(tp) && sk->net->sysctl.tcp_dsack) {
			u32 end_seq = cb->end_seq;

			if (after(cb->end_seq, tp->rcv_nxt))
				end_seq = tp->rcv_nxt;
			tcp_dsack_set(sk, cb->seq, end_seq);
		}
	}
	tcp_send_ack(sk);
}

static void sack_drop_block(struct tcp_sock *tp, u32 i)
{
	tp->rx_opt.num_sacks--;
	for (; i < tp->rx_opt.num_sacks; i++)
		tcp_loss_own(tp)->selective_acks[i] = tp->loss->selective_acks[i + 1];
}

/* The first block grew: others that it touches now become part of it. */
static void sack_maybe_coalesce(struct tcp_sock *tp)
{
	struct tcp_sack_block *sp = tcp_loss_own(tp)->selective_acks;

	for (u32 i = 1; i < tp->rx_opt.num_sacks;) {
		if (sack_extend(sp, sp[i].start_seq, sp[i].end_seq))
			sack_drop_block(tp, i);
		else
			i++;
	}
}

void tcp_sack_new_ofo_skb(struct sock *sk, u32 seq, u32 end_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_sack_block *sp = tcp_loss_own(tp)->selective_acks, found;
	u32 n = tp->rx_opt.num_sacks, i;

	for (i = 0; i < n; i++) {
		if (!sack_extend(&sp[i], seq, end_seq))
			continue;
		found = sp[i];
		for (; i > 0; i--)
			sp[i] = sp[i - 1];
		sp[0] = found;
		if (n > 1)
			sack_maybe_coalesce(tp);
		return;
	}
	/* A new one in front; the oldest goes when there are too many. */
	if (n >= TCP_NUM_SACKS) {
		/* What was held back tells of it. */
		tcp_compressed_ack_kick(sk);
		n = --tp->rx_opt.num_sacks;
	}
	for (i = n; i > 0; i--)
		sp[i] = sp[i - 1];
	sp[0] = (struct tcp_sack_block){ seq, end_seq };
	tp->rx_opt.num_sacks++;
}

void tcp_sack_remove(struct tcp_sock *tp)
{
	/* Nothing is out of order any more. */
	if (!tp->loss->ooo_last_skb) {
		tp->rx_opt.num_sacks = 0;
		return;
	}
	for (u32 i = 0; i < tp->rx_opt.num_sacks;) {
		if (!before(tp->rcv_nxt, tp->loss->selective_acks[i].start_seq))
			sack_drop_block(tp, i);
		else
			i++;
	}
}
