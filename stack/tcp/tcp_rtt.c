/* SPDX-License-Identifier: MIT */
/*
 * Round-trip time and retransmission timeout (RFC 6298, with Linux's mean deviation that does not
 * grow when the RTT falls), the windowed minimum of the RTT, the receiver's own estimate.
 *
 * Invariants: srtt_us is 0 until the first measurement; rttvar_us >= rto_min once there is one;
 * icsk_rto <= rto_max. Karn's rule (RFC 6298 3): only segments never sent again are measured,
 * unless a time stamp says which copy is meant.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_syn.h"
#include "tcp/tcp_timer.h"

#define MIN_RTT_NONE UINT32_MAX

u32 tcp_rto_max(const struct sock *sk)
{
	return inet_csk(sk)->icsk_rto_max;
}

u32 tcp_rto_min(const struct sock *sk)
{
	const struct dst_entry *dst = sk->dst_cache;
	u32 route = dst ? dst_metric(dst, RTAX_RTO_MIN) : 0;

	return route ? route : inet_csk(sk)->icsk_rto_min;
}

u32 tcp_rto_min_us(const struct sock *sk)
{
	return tcp_rto_min(sk) * 1000;
}

/* RFC 6298 2.2, 2.3: m in us; srtt scaled by 8, mdev and rttvar by 4. */
void tcp_rtt_estimator(struct sock *sk, s64 mrtt_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	s64 m = mrtt_us;
	u32 srtt = tp->srtt_us;

	if (srtt) {
		m -= srtt >> 3;
		srtt = (u32)(srtt + m);
		if (m < 0) {
			m = -m;
			m -= tp->mdev_us >> 2;
			/* The RTT falls: a large step down must not make the RTO grow. */
			if (m > 0)
				m >>= 3;
		} else {
			m -= tp->mdev_us >> 2;
		}
		tp->mdev_us = (u32)(tp->mdev_us + m);
		if (tp->mdev_us > tp->mdev_max_us) {
			tp->mdev_max_us = tp->mdev_us;
			if (tp->mdev_max_us > tp->rttvar_us)
				tp->rttvar_us = tp->mdev_max_us;
		}
		if (after(tp->snd_una, tp->rtt_seq)) {
			if (tp->mdev_max_us < tp->rttvar_us)
				tp->rttvar_us -= (tp->rttvar_us - tp->mdev_max_us) >> 2;
			tp->rtt_seq = tp->snd_nxt;
			tp->mdev_max_us = tcp_rto_min_us(sk);
		}
	} else {
		srtt = (u32)m << 3;
		tp->mdev_us = (u32)m << 1;
		tp->rttvar_us = max_u32(tp->mdev_us, tcp_rto_min_us(sk));
		tp->mdev_max_us = tp->rttvar_us;
		tp->rtt_seq = tp->snd_nxt;
	}
	tp->srtt_us = max_u32(1, srtt);
}

static u32 usecs_to_jiffies(u32 us)
{
	return (us + 999) / 1000;
}

u32 __tcp_set_rto(const struct tcp_sock *tp)
{
	return usecs_to_jiffies((tp->srtt_us >> 3) + tp->rttvar_us);
}

void tcp_bound_rto(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_rto = min_u32(icsk->icsk_rto, icsk->icsk_rto_max);
}

void tcp_set_rto(struct sock *sk)
{
	inet_csk(sk)->icsk_rto = __tcp_set_rto(tcp_sk(sk));
	tcp_bound_rto(sk);
}

/* ---- windowed minimum (Kathleen Nichols' algorithm): best, second, third of parts of the window
 * -- */

u32 tcp_min_rtt(const struct tcp_sock *tp)
{
	return tp->rtt_min.s[0][1];
}

static void minmax_reset(struct tcp_sock *tp, u32 t, u32 v)
{
	for (u32 i = 0; i < 3; i++) {
		tp->rtt_min.s[i][0] = t;
		tp->rtt_min.s[i][1] = v;
	}
}

void tcp_rtt_min_reset(struct sock *sk)
{
	minmax_reset(tcp_sk(sk), tcp_jiffies32(sk), UINT32_MAX);
}

static void minmax_shift(struct tcp_sock *tp)
{
	memcpy(tp->rtt_min.s[0], tp->rtt_min.s[1], sizeof(tp->rtt_min.s[0]));
	memcpy(tp->rtt_min.s[1], tp->rtt_min.s[2], sizeof(tp->rtt_min.s[0]));
}

static void minmax_set(struct tcp_sock *tp, u32 i, u32 t, u32 v)
{
	for (; i < 3; i++) {
		tp->rtt_min.s[i][0] = t;
		tp->rtt_min.s[i][1] = v;
	}
}

static void minmax_age(struct tcp_sock *tp, u32 win, u32 t, u32 v)
{
	u32 dt = t - tp->rtt_min.s[0][0];

	if (dt > win) {
		minmax_shift(tp);
		minmax_set(tp, 2, t, v);
		if (t - tp->rtt_min.s[0][0] > win) {
			minmax_shift(tp);
			minmax_set(tp, 2, t, v);
		}
	} else if (tp->rtt_min.s[1][0] == tp->rtt_min.s[0][0] && dt > win / 4) {
		minmax_set(tp, 1, t, v);
	} else if (tp->rtt_min.s[2][0] == tp->rtt_min.s[1][0] && dt > win / 2) {
		minmax_set(tp, 2, t, v);
	}
}

void tcp_update_rtt_min(struct sock *sk, u32 rtt_us, u32 flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 win = (u32)sk->net->sysctl.tcp_min_rtt_wlen * HZ;
	u32 now = tcp_jiffies32(sk);

	/* An ACK that was delayed for one last small segment says little. */
	if (flag & FLAG_ACK_MAYBE_DELAYED && rtt_us > tcp_min_rtt(tp))
		return;
	rtt_us = rtt_us ? rtt_us : 1000;
	if (rtt_us <= tp->rtt_min.s[0][1] || now - tp->rtt_min.s[2][0] > win) {
		minmax_reset(tp, now, rtt_us);
		return;
	}
	if (rtt_us <= tp->rtt_min.s[1][1])
		minmax_set(tp, 1, now, rtt_us);
	else if (rtt_us <= tp->rtt_min.s[2][1])
		minmax_set(tp, 2, now, rtt_us);
	minmax_age(tp, win, now, rtt_us);
}

/* ---- measurements ---- */

/* RTT by the echoed time stamp (RFC 7323 4.1), us; -1: none. */
static s64 tcp_rtt_tsopt_us(const struct tcp_sock *tp)
{
	u32 delta = tcp_time_stamp_ms(tp) - tp->rx_opt.rcv_tsecr;

	if (delta >= INT32_MAX / 1000)
		return -1;
	return (s64)(delta ? delta : 1) * 1000;
}

bool tcp_ack_update_rtt(struct sock *sk, u32 flag, s64 seq_rtt_us, s64 sack_rtt_us, s64 ca_rtt_us,
			struct rate_sample *rs)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* The time since the segment was sent is exact; time stamps are for segments sent again. */
	if (seq_rtt_us < 0)
		seq_rtt_us = sack_rtt_us;
	if (seq_rtt_us < 0 && tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr && flag & FLAG_ACKED) {
		seq_rtt_us = tcp_rtt_tsopt_us(tp);
		ca_rtt_us = seq_rtt_us;
	}
	rs->rtt_us = ca_rtt_us;
	if (seq_rtt_us < 0)
		return false;
	tcp_update_rtt_min(sk, (u32)ca_rtt_us, flag);
	tcp_rtt_estimator(sk, seq_rtt_us);
	tcp_set_rto(sk);
	/* RFC 6298 5.7, 3: a valid sample ends the back-off. */
	inet_csk(sk)->icsk_backoff = 0;
	return true;
}

void tcp_synack_rtt_meas(struct sock *sk, struct request_sock *req)
{
	struct rate_sample rs = { 0 };
	s64 rtt_us = -1;

	if (req && !req->num_retrans && tcp_rsk(req)->snt_synack)
		rtt_us = tcp_stamp_us_delta(tcp_clock_us(sk->net->host), tcp_synack_sent_us(req));
	tcp_ack_update_rtt(sk, FLAG_SYN_ACKED, rtt_us, -1, rtt_us, &rs);
}

/* ---- the receiver's estimate, for the size of its buffer ---- */

static void tcp_rcv_rtt_update(struct tcp_sock *tp, u32 sample, bool win_dep)
{
	u32 old = tp->rcv_rtt_us, m = sample << 3;

	if (!old) {
		tp->rcv_rtt_us = m;
	} else if (!win_dep) {
		tp->rcv_rtt_us = old - (old >> 3) + sample;
	} else if (m < old) {
		tp->rcv_rtt_us = m;
	}
}

/* Without time stamps: the time that a window takes to come in. */
void tcp_rcv_rtt_measure(struct tcp_sock *tp)
{
	if (tp->rcv_rtt_time) {
		u32 delta;

		if (before(tp->rcv_nxt, tp->rcv_rtt_seq))
			return;
		delta = tcp_stamp_us_delta(tcp_mstamp(tp), tp->rcv_rtt_time);
		tcp_rcv_rtt_update(tp, min_u32(max_u32(delta, 1), 1u << 28), true);
	}
	tp->rcv_rtt_seq = tp->rcv_nxt + tp->rcv_wnd;
	tp->rcv_rtt_time = tcp_mstamp(tp);
}

void tcp_rcv_rtt_measure_ts(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	s64 delta;

	if (tp->rx_opt.rcv_tsecr == tp->rcv_rtt_last_tsecr)
		return;
	tp->rcv_rtt_last_tsecr = tp->rx_opt.rcv_tsecr;
	if (TCP_SKB_CB(skb)->end_seq - TCP_SKB_CB(skb)->seq < inet_csk(sk)->icsk_ack.rcv_mss)
		return;
	delta = tcp_rtt_tsopt_us(tp);
	if (delta > 0)
		tcp_rcv_rtt_update(tp, (u32)delta, false);
}
