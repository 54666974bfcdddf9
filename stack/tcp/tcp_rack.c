/* SPDX-License-Identifier: MIT */
/*
 * RACK (RFC 8985): a segment is lost when one sent later was delivered and a reordering window has
 * passed since; and NewReno's rule for peers without SACK (RFC 6582).
 *
 * Invariants: tsorted_sent_queue holds the segments of the retransmission queue that are not
 * SACKed, in the order of their last transmission.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"

#define RACK_RECOVERY_PERSIST 16u /* RFC 8985 6.2 step 4 */
#define RACK_LOSS_DETECTION   1
#define RACK_STATIC_REO_WND   2
#define RACK_NO_DUPTHRESH     4
#define RACK_TIMEOUT_MIN_US   2000u

static u32 rack_reo_wnd(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->loss->reord_seen) {
		/* RFC 8985 6.2 step 4: no reordering was ever seen, three are above it. */
		if (inet_csk(sk)->icsk_ca_state >= TCP_CA_Recovery)
			return 0;
		if (tp->sacked_out >= tp->reordering &&
		    !(sk->net->sysctl.tcp_recovery & RACK_NO_DUPTHRESH))
			return 0;
	}
	return (u32)min_u64((u64)(tcp_min_rtt(tp) >> 2) * tp->rack.reo_wnd_steps, tp->srtt_us >> 3);
}

s32 tcp_rack_skb_timeout(const struct tcp_sock *tp, const struct sk_buff *skb, u32 reo_wnd)
{
	u32 age = tcp_stamp_us_delta(tcp_mstamp(tp), tcp_skb_timestamp_us(skb));

	return (s32)(tp->rack.rtt_us + reo_wnd - min_u32(age, INT32_MAX));
}

static bool sent_after(u64 t1, u64 t2, u32 seq1, u32 seq2)
{
	return t1 > t2 || (t1 == t2 && after(seq1, seq2));
}

/* RFC 8985 6.2 step 5. *timeout_us: when the next one would be lost; 0: none. */
static void rack_detect_loss(struct sock *sk, u32 *timeout_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 reo_wnd = rack_reo_wnd(sk);

	*timeout_us = 0;
	list_for_each_safe(pos, tmp, &tp->tsorted_sent_queue) {
		struct tcp_skb_cb *cb = list_entry(pos, struct tcp_skb_cb, tx.tsorted);
		struct sk_buff *skb = container_of(cb, struct sk_buff, cb);
		s32 remaining;

		/* Lost already and not sent again since. */
		if (cb->sacked & TCPCB_LOST && !(cb->sacked & TCPCB_SACKED_RETRANS))
			continue;
		if (!sent_after(tp->rack.mstamp, tcp_skb_timestamp_us(skb), tp->rack.end_seq,
				cb->end_seq))
			break;
		remaining = tcp_rack_skb_timeout(tp, skb, reo_wnd);
		if (remaining <= 0) {
			tcp_mark_skb_lost(sk, skb);
			list_del_init(&cb->tx.tsorted);
		} else {
			*timeout_us = max_u32(*timeout_us, (u32)remaining);
		}
	}
}

bool tcp_rack_mark_lost(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 timeout;

	if (!tp->rack.advanced)
		return false;
	tp->rack.advanced = 0;
	rack_detect_loss(sk, &timeout);
	if (timeout)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_REO_TIMEOUT,
					  (timeout + RACK_TIMEOUT_MIN_US + 999) / 1000,
					  inet_csk(sk)->icsk_rto);
	return timeout != 0;
}

/* RFC 8985 6.2 steps 1 and 2. */
void tcp_rack_advance(struct tcp_sock *tp, u8 sacked, u32 end_seq, u64 xmit_time)
{
	u32 rtt_us = tcp_stamp_us_delta(tcp_mstamp(tp), xmit_time);

	/*
	 * Sent again and back sooner than can be: it was the original that came. Linux has "<":
	 * times that a clock measures are never quite the same, but those of a virtual one are.
	 */
	if (rtt_us <= tcp_min_rtt(tp) && sacked & TCPCB_RETRANS)
		return;
	tp->rack.advanced = 1;
	tp->rack.rtt_us = rtt_us;
	if (sent_after(xmit_time, tp->rack.mstamp, end_seq, tp->rack.end_seq)) {
		tp->rack.mstamp = xmit_time;
		tp->rack.end_seq = end_seq;
	}
}

void tcp_rack_reo_timeout(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 prior = tcp_packets_in_flight(tp), lost = tp->loss->lost, timeout;

	rack_detect_loss(sk, &timeout);
	if (prior != tcp_packets_in_flight(tp)) {
		if (icsk->icsk_ca_state != TCP_CA_Recovery) {
			tcp_enter_recovery(sk, false);
			if (!icsk->icsk_ca_ops->cong_control)
				tcp_cwnd_reduction(sk, 1, tp->loss->lost - lost, 0);
		}
		tcp_xmit_retransmit_queue(sk);
	}
	if (icsk->icsk_pending != ICSK_TIME_RETRANS)
		tcp_rearm_rto(sk);
}

/* RFC 8985 6.2 step 4: a D-SACK round trip widens the window, 16 recoveries without narrow it. */
void tcp_rack_update_reo_wnd(struct sock *sk, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->net->sysctl.tcp_recovery & RACK_STATIC_REO_WND || !rs->prior_delivered)
		return;
	if (before(rs->prior_delivered, tp->rack.last_delivered))
		tp->rack.dsack_seen = 0;
	if (tp->rack.dsack_seen) {
		tp->rack.reo_wnd_steps = (u8)min_u32(255, tp->rack.reo_wnd_steps + 1u);
		tp->rack.dsack_seen = 0;
		tp->rack.last_delivered = tp->delivered;
		tp->rack.reo_wnd_persist = RACK_RECOVERY_PERSIST;
	} else if (!tp->rack.reo_wnd_persist) {
		tp->rack.reo_wnd_steps = 1;
	}
}

/* RFC 6582: three duplicates, or a partial ACK in recovery, tell of the head. */
void tcp_newreno_mark_lost(struct sock *sk, bool snd_una_advanced)
{
	u8 state = inet_csk(sk)->icsk_ca_state;
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	u32 mss;

	if (!((state < TCP_CA_Recovery && tp->sacked_out >= tp->reordering) ||
	      (state == TCP_CA_Recovery && snd_una_advanced)))
		return;
	skb = tcp_rtx_queue_head(sk);
	if (!skb || TCP_SKB_CB(skb)->sacked & TCPCB_LOST)
		return;
	mss = tcp_skb_mss(skb);
	if (tcp_skb_pcount(skb) > 1 && skb->len > mss)
		tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, mss, mss);
	tcp_mark_skb_lost(sk, skb);
}
