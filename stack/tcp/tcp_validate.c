/* SPDX-License-Identifier: MIT */
/*
 * Is a segment of this connection? The first to fourth check of RFC 9293 3.10.7.4 (sequence number,
 * reset, security, SYN), PAWS before them (RFC 7323 5.3), and the answers to what does not fit,
 * each within its limit (RFC 5961 3 to 5 and 7).
 *
 * Invariant: what comes through is within a window that was announced, no RST, and no SYN but the
 * SYN-ACK of a simultaneous open.
 */
#include "tcp/tcp_validate.h"

#include "kernel/random.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_recovery.h"

/* ---- answers to what does not fit ---- */

static bool oow_rate_limited(struct net *net, int mib_idx, u32 *last_oow_ack_time)
{
	u32 now = (u32)jiffies(net->host);

	now += !now; /* 0 stands for never */
	if (*last_oow_ack_time) {
		s32 elapsed = (s32)(now - *last_oow_ack_time);

		if (elapsed >= 0 && elapsed < net->sysctl.tcp_invalid_ratelimit) {
			net->mib[mib_idx]++;
			return true;
		}
	}
	*last_oow_ack_time = now;
	return false;
}

bool tcp_oow_rate_limited(struct net *net, const struct sk_buff *skb, int mib_idx,
			  u32 *last_oow_ack_time)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	/* Data is no part of a loop of ACKs that answer ACKs. */
	if (cb->seq != cb->end_seq && !(cb->tcp_flags & TCPHDR_SYN))
		return false;
	return oow_rate_limited(net, mib_idx, last_oow_ack_time);
}

/* The namespace's limit (RFC 5961 7), with a random part so that nobody can count (CVE-2016-5696).
 */
static bool challenge_ack_allowed(struct net *net)
{
	u32 limit = (u32)net->sysctl.tcp_challenge_ack_limit;
	u32 second = (u32)(jiffies(net->host) / HZ) + 1;

	if (limit == INT32_MAX)
		return true;
	if (second != net->tcp_challenge_second) {
		u32 half = (limit + 1) / 2;

		net->tcp_challenge_second = second;
		net->tcp_challenge_count =
			half +
			(limit ? get_random_u32_below(net_world(net), RANDOM_TCP, limit) : 0);
	}
	if (!net->tcp_challenge_count)
		return false;
	net->tcp_challenge_count--;
	return true;
}

void tcp_send_challenge_ack(struct sock *sk, bool reflect)
{
	if (oow_rate_limited(sk->net, MIB_TcpExtTCPACKSkippedChallenge,
			     &tcp_sk(sk)->last_oow_ack_time))
		return;
	if (!challenge_ack_allowed(sk->net))
		return;
	MIB_INC(sk->net, TcpExtTCPChallengeACK);
	if (reflect)
		tcp_send_ack_reflect_ect(sk);
	else
		tcp_send_ack(sk);
}

/* ---- acceptability ---- */

/*
 * RFC 9293 3.10.7.4 first. NOT_SPECIFIED: fine. What was within any window that was ever announced
 * is acceptable (RFC 7323 2.4): when memory ran out the window went back to nothing, and if the
 * ACKs of a peer that had sent more were refused, two such hosts would never hear each other again.
 */
static enum skb_drop_reason tcp_sequence(const struct sock *sk, u32 seq, u32 end_seq)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 limit = tp->rcv_mwnd_seq;

	if (before(end_seq, tp->rcv_wup))
		return SKB_DROP_REASON_TCP_OLD_SEQUENCE;
	if (!after(end_seq, limit))
		return SKB_DROP_REASON_NOT_SPECIFIED;
	if (after(seq, limit))
		return SKB_DROP_REASON_TCP_INVALID_SEQUENCE;
	/* Linux takes what begins in the window and ends behind it only when nothing waits to be
	 * read; the RFC takes the part that fits. */
	if (!skb_queue_empty(&sk->receive_queue) && !net_world(sk->net)->profile_rfc)
		return SKB_DROP_REASON_TCP_INVALID_END_SEQUENCE;
	return SKB_DROP_REASON_NOT_SPECIFIED;
}

/* PAWS failed: is it an old ACK that only came late? NOT_SPECIFIED: let it pass. */
static enum skb_drop_reason disordered_ack(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const u8 *th = tcp_hdr(skb);
	u32 seq = TCP_SKB_CB(skb)->seq, ack = TCP_SKB_CB(skb)->ack_seq;
	s32 replay = (s32)min_u32(inet_csk(sk)->icsk_rto * 1200 / HZ, INT32_MAX);

	if (!(tcp_flags(th) & TCPHDR_ACK) || seq != TCP_SKB_CB(skb)->end_seq)
		return SKB_DROP_REASON_TCP_RFC7323_PAWS;
	if (seq != tp->rcv_nxt)
		return before(seq, tp->rcv_nxt) ? SKB_DROP_REASON_TCP_RFC7323_PAWS_ACK :
						  SKB_DROP_REASON_TCP_RFC7323_PAWS;
	if (ack != tp->snd_una ||
	    tcp_may_update_window(tp, ack, seq, (u32)tcp_window(th) << tp->rx_opt.snd_wscale))
		return SKB_DROP_REASON_TCP_RFC7323_PAWS;
	if ((s32)(tp->rx_opt.ts_recent - tp->rx_opt.rcv_tsval) > replay)
		return SKB_DROP_REASON_TCP_RFC7323_PAWS;
	return SKB_DROP_REASON_NOT_SPECIFIED;
}

/* The peer has closed and lost its state: its reset carries the number of its FIN. */
static bool reset_after_fin(const struct sock *sk, const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->seq == tcp_sk(sk)->rcv_nxt - 1 &&
	       (sk->sk_state == TCP_CLOSE_WAIT || sk->sk_state == TCP_LAST_ACK ||
		sk->sk_state == TCP_CLOSING);
}

/* RFC 5961 3.2, and the right edge of what is SACKed (as the peer's RCV.NXT may not be ours). */
static bool reset_valid(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = TCP_SKB_CB(skb)->seq, edge;

	if (seq == tp->rcv_nxt || reset_after_fin(sk, skb))
		return true;
	if (!tcp_is_sack(tp) || !tp->rx_opt.num_sacks)
		return false;
	edge = tp->loss->selective_acks[0].end_seq;
	for (u32 i = 1; i < tp->rx_opt.num_sacks; i++)
		if (after(tp->loss->selective_acks[i].end_seq, edge))
			edge = tp->loss->selective_acks[i].end_seq;
	return seq == edge;
}

static void syn_challenge(struct sock *sk, struct sk_buff *skb, bool inerr)
{
	bool accecn = tcp_ecn_mode_accecn(tcp_sk(sk));

	if (inerr)
		MIB_INC(sk->net, TcpInErrs);
	if (accecn)
		tcp_sk(sk)->rare->accecn->syn_ect_rcv = TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK;
	MIB_INC(sk->net, TcpExtTCPSYNChallenge);
	tcp_send_challenge_ack(sk, accecn);
	tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_INVALID_SYN);
}

/* RFC 7323 5.3 R1. True: go on; false: skb is gone. */
static bool validate_paws(struct sock *sk, struct sk_buff *skb, bool inerr)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const u8 *th = tcp_hdr(skb);
	enum skb_drop_reason reason;

	if (!tcp_fast_parse_options(sk->net, skb, th, tp) || !tp->rx_opt.saw_tstamp ||
	    tcp_paws_check(sk->net->host, &tp->rx_opt,
			   net_world(sk->net)->profile_rfc ? 0 : TCP_PAWS_WINDOW))
		return true;
	reason = disordered_ack(sk, skb);
	/* A reset is good even when it does not pass. */
	if (reason == SKB_DROP_REASON_NOT_SPECIFIED || tcp_flags(th) & TCPHDR_RST)
		return true;
	if (tcp_flags(th) & TCPHDR_SYN) {
		syn_challenge(sk, skb, inerr);
		return false;
	}
	if (reason == SKB_DROP_REASON_TCP_RFC7323_PAWS_ACK) {
		MIB_INC(sk->net, TcpExtPAWSOldAck);
	} else {
		MIB_INC(sk->net, TcpExtPAWSEstab);
		if (!tcp_oow_rate_limited(sk->net, skb, MIB_TcpExtTCPACKSkippedPAWS,
					  &tp->last_oow_ack_time))
			tcp_send_dupack(sk, skb);
	}
	tcp_drop_reason(sk, skb, reason);
	return false;
}

static void reset_and_free(struct sock *sk, struct sk_buff *skb)
{
	tcp_reset(sk, skb);
	kfree_skb_reason(skb, SKB_DROP_REASON_TCP_RESET);
}

/* Out of the window: RFC 9293 3.10.7.4 first. */
static void unacceptable(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason,
			 bool inerr)
{
	u8 flags = tcp_flags(tcp_hdr(skb));

	if (flags & TCPHDR_RST) {
		if (reset_after_fin(sk, skb)) {
			reset_and_free(sk, skb);
			return;
		}
	} else if (flags & TCPHDR_SYN) {
		syn_challenge(sk, skb, inerr);
		return;
	} else {
		if (reason != SKB_DROP_REASON_TCP_OLD_SEQUENCE)
			MIB_INC(sk->net, TcpExtBeyondWindow);
		if (!tcp_oow_rate_limited(sk->net, skb, MIB_TcpExtTCPACKSkippedSeq,
					  &tcp_sk(sk)->last_oow_ack_time))
			tcp_send_dupack(sk, skb);
	}
	tcp_drop_reason(sk, skb, reason);
}

bool tcp_validate_incoming(struct sock *sk, struct sk_buff *skb, bool inerr)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u8 flags = tcp_flags(tcp_hdr(skb));
	enum skb_drop_reason reason;

	if (!validate_paws(sk, skb, inerr))
		return false;
	reason = tcp_sequence(sk, cb->seq, cb->end_seq);
	if (reason != SKB_DROP_REASON_NOT_SPECIFIED) {
		unacceptable(sk, skb, reason, inerr);
		return false;
	}
	if (flags & TCPHDR_RST) {
		if (reset_valid(sk, skb)) {
			reset_and_free(sk, skb);
			return false;
		}
		tcp_send_challenge_ack(sk, false);
		tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_RESET);
		return false;
	}
	if (!(flags & TCPHDR_SYN))
		return true;
	/* The SYN-ACK of a simultaneous open (RFC 9293 3.5): it is no new SYN. */
	if (sk->sk_state == TCP_SYN_RECV && sk->socket && flags & TCPHDR_ACK &&
	    cb->seq + 1 == cb->end_seq && cb->seq + 1 == tp->rcv_nxt && cb->ack_seq == tp->snd_nxt)
		return true;
	syn_challenge(sk, skb, inerr);
	return false;
}
