/* SPDX-License-Identifier: MIT */
/*
 * How far segments come out of order (tp->reordering): of a peer without SACK duplicate ACKs stand
 * for packets delivered (RFC 5681 3.2), and more of them than can be tell that no packet was lost;
 * with SACK it is seen (tcp_check_sack_reordering).
 *
 * Invariant: reordering is not raised above net.ipv4.tcp_max_reordering.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"

/* Without memory it counts as none. */
static void count_reordering(struct sock *sk)
{
	struct tcp_loss *loss = tcp_loss_get(sk);

	if (loss)
		loss->reord_seen++;
}

/* ---- without SACK ---- */

void tcp_reset_reno_sack(struct tcp_sock *tp)
{
	tp->sacked_out = 0;
}

bool tcp_limit_reno_sacked(struct tcp_sock *tp)
{
	u32 holes = min_u32(max_u32(tp->lost_out, 1), tp->packets_out);

	if (tp->sacked_out + holes <= tp->packets_out)
		return false;
	tp->sacked_out = tp->packets_out - holes;
	return true;
}

void tcp_check_reno_reordering(struct sock *sk, u32 addend)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_limit_reno_sacked(tp))
		return;
	tp->reordering = min_u32(tp->packets_out + addend, (u32)sk->net->sysctl.tcp_max_reordering);
	count_reordering(sk);
	MIB_INC(sk->net, TcpExtTCPRenoReorder);
}

void tcp_add_reno_sack(struct sock *sk, u32 num_dupack, bool ece_ack)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 prior = tp->sacked_out;

	if (!num_dupack)
		return;
	tp->sacked_out += num_dupack;
	tcp_check_reno_reordering(sk, 0);
	if (tp->sacked_out > prior)
		tcp_count_delivered(tp, tp->sacked_out - prior, ece_ack);
}

void tcp_remove_reno_sacks(struct sock *sk, u32 acked, bool ece_ack)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (acked) {
		/* One of them filled the hole, the others had been told by duplicates. */
		tcp_count_delivered(tp,
				    acked > tp->sacked_out ? max_u32(acked - tp->sacked_out, 1) : 1,
				    ece_ack);
		tp->sacked_out = acked - 1 >= tp->sacked_out ? 0 : tp->sacked_out - (acked - 1);
	}
	tcp_check_reno_reordering(sk, acked);
}

/* ---- with SACK ---- */

void tcp_check_sack_reordering(struct sock *sk, u32 low_seq, s32 ts)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = tp->mss_cache, fack = tcp_highest_sack_seq(tp), metric;

	if (!before(low_seq, fack))
		return;
	metric = fack - low_seq;
	if (mss && metric > tp->reordering * mss)
		tp->reordering =
			min_u32((metric + mss - 1) / mss, (u32)sk->net->sysctl.tcp_max_reordering);
	count_reordering(sk);
	if (ts)
		MIB_INC(sk->net, TcpExtTCPTSReorder);
	else
		MIB_INC(sk->net, TcpExtTCPSACKReorder);
}
