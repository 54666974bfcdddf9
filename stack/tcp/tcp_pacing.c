/* SPDX-License-Identifier: MIT */
/*
 * How fast a socket gives packets to the layers below: the rate that cwnd and RTT amount to
 * (tcp_update_pacing_rate), pacing by TCP itself (tcp_pacing_check), small queues: not more than
 * about a millisecond of packets waits in qdisc and device (tcp_small_queue_check), small writes
 * wait for them too (tcp_should_autocork). What was held back goes on from resume_timer, when its
 * time has come or the device has freed a packet (net/ipv4/tcp_output.c, tcp_input.c, tcp.c). The
 * timer is in struct tcp_rare: who gets no memory for that is not held back.
 *
 * Invariant: a socket that is held back by small queues (tsq_throttled) has packets below, the last
 * of which, when it is freed, arms that timer.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_rtx_queue.h"

/* 200% of a window in a round trip in slow start, 120% later. Bytes a second. */
void tcp_update_pacing_rate(struct sock *sk)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 rate = (u64)tp->mss_cache * (1000000 / 100 << 3);

	rate *= (u32)(tp->snd_cwnd < tp->snd_ssthresh / 2 ? sysctl->tcp_pacing_ss_ratio :
							    sysctl->tcp_pacing_ca_ratio);
	rate *= max_u32(tp->snd_cwnd, tp->packets_out);
	if (tp->srtt_us)
		rate /= tp->srtt_us;
	sk->sk_pacing_rate = min_u64(rate, sk->sk_rare->max_pacing_rate);
}

void tcp_update_skb_after_send(struct sock *sk, const struct sk_buff *skb, u64 prior_wstamp)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u64 rate = sk->sk_pacing_rate, len_ns;

	/* The first ten segments are not paced, as with fq. */
	if (sk->sk_pacing_status == SK_PACING_NONE || rate == UINT64_MAX || !rate ||
	    tp->data_segs_out < 10)
		return;
	len_ns = (u64)skb->len * NSEC_PER_SEC / rate;
	/* Who comes late has a credit. */
	len_ns -= min_u64(len_ns / 2, tp->tcp_wstamp_ns - prior_wstamp);
	tp->tcp_wstamp_ns += len_ns;
}

bool tcp_pacing_check(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_rare *rare;

	if (sk->sk_pacing_status != SK_PACING_NEEDED || tp->tcp_wstamp_ns <= tp->tcp_clock_cache)
		return false;
	rare = tcp_rare_get(sk);
	if (!rare)
		return false;
	if (!timer_pending(&rare->resume_timer))
		hrtimer_start(&rare->resume_timer,
			      net_world(sk->net)->now + tp->tcp_wstamp_ns - tp->tcp_clock_cache);
	return true;
}

/* ---- small queues ---- */

/* Where a socket may have something to send. */
static bool may_send(const struct sock *sk)
{
	return sk->sk_state == TCP_ESTABLISHED || sk->sk_state == TCP_FIN_WAIT1 ||
	       sk->sk_state == TCP_CLOSING || sk->sk_state == TCP_CLOSE_WAIT ||
	       sk->sk_state == TCP_LAST_ACK;
}

void tcp_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	struct tcp_sock *tp = tcp_sk(sk);

	ASSERT(sk->sk_wmem_alloc >= skb->truesize);
	sk->sk_wmem_alloc -= skb->truesize;
	if (tp->tsq_throttled) {
		tp->tsq_throttled = 0;
		/* Not from here: the layers below are at work. */
		if (may_send(sk))
			hrtimer_start(&tcp_rare_own(tp)->resume_timer, net_world(sk->net)->now);
	}
	if (!sk->sk_wmem_alloc)
		sock_put(sk);
}

bool tcp_small_queue_check(struct sock *sk, const struct sk_buff *skb, u32 factor)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u64 limit = max_u64(2ull * skb->truesize, sk->sk_pacing_rate >> sk->sk_pacing_shift);

	limit = min_u64(limit, (u64)sk->net->sysctl.tcp_limit_output_bytes) << factor;
	/* What waits for TCP_TX_DELAY, with as much overhead again. */
	if (tp->rare->options.tx_delay)
		limit += sk->sk_pacing_rate * tp->rare->options.tx_delay >> 19;
	if (sk->sk_wmem_alloc <= limit)
		return false;
	/* With nothing or one packet under way completions may be slow: it goes. */
	if (tp->rtx_last == tcp_rtx_queue_head(sk) || !tcp_rare_get(sk))
		return false;
	tp->tsq_throttled = 1;
	return true;
}

bool tcp_should_autocork(struct sock *sk, const struct sk_buff *skb, u32 size_goal)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (skb->len >= size_goal || !sk->net->sysctl.tcp_autocorking || tcp_rtx_queue_empty(sk) ||
	    sk->sk_wmem_alloc <= skb->truesize || TCP_SKB_CB(skb)->eor || !tcp_rare_get(sk))
		return false;
	if (!tp->tsq_throttled) {
		MIB_INC(sk->net, TcpExtTCPAutoCorking);
		tp->tsq_throttled = 1;
	}
	return true;
}

/* tcp_tsq_write(), tcp_pace_kick() */
void tcp_resume_timer(struct timer *t)
{
	struct sock *sk = container_of(t, struct tcp_rare, resume_timer)->sk;
	struct tcp_sock *tp = tcp_sk(sk);

	if (!may_send(sk))
		return;
	sock_hold(sk);
	if (tp->lost_out > tp->retrans_out && tp->snd_cwnd > tcp_packets_in_flight(tp)) {
		tcp_mstamp_refresh(tp);
		tcp_xmit_retransmit_queue(sk);
	}
	tcp_write_xmit(sk, tcp_current_mss(sk), tp->nonagle, 0);
	sock_put(sk);
}

void tcp_clear_xmit_timers(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	inet_csk_clear_xmit_timers(sk);
	if (tp->rare != &tcp_rare_default)
		del_timer(&tcp_rare_own(tp)->resume_timer);
	if (tcp_loss_seen(tp))
		del_timer(&tcp_loss_own(tp)->compressed_ack_timer);
	tp->tsq_throttled = 0;
}
