/* SPDX-License-Identifier: MIT */
/*
 * TCP's three timers (net/ipv4/tcp_timer.c): retransmission (also loss probe, reordering window,
 * zero window probe), delayed ACK, and keepalive, which is in tcp_keepalive.c.
 *
 * A timer may fire before its time (inet_connection_sock.h): it looks at what is due and sleeps on.
 * Each handler holds the socket, which may end in it.
 */
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_syn.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

#define TCP_THIN_LINEAR_RETRIES 6

/* ---- when to give up (RFC 9293 3.8.3) ---- */

void tcp_write_err(struct sock *sk)
{
	sk->sk_err = sk->sk_err_soft ? sk->sk_err_soft : ETIMEDOUT;
	tcp_write_queue_purge(sk);
	tcp_done(sk);
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_error_report(sk);
	MIB_INC(sk->net, TcpExtTCPAbortOnTimeout);
}

/* It holds more than the least, and TCP as a whole more than it may. */
static bool tcp_out_of_memory(const struct sock *sk)
{
	return sk->sk_wmem_queued > SOCK_MIN_SNDBUF &&
	       sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 2);
}

bool tcp_check_oom(const struct sock *sk, u32 shift)
{
	return inet_csk_orphan_count(sk) << shift > (u32)sk->net->sysctl.tcp_max_orphans ||
	       tcp_out_of_memory(sk);
}

/*
 * Too many orphans, or too little memory for them: this one goes, with a reset when it may still
 * matter. Those whose peer is silent or shows no window count double.
 */
static bool tcp_out_of_resources(struct sock *sk, bool do_reset)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 idle = tcp_jiffies32(sk) - tp->lsndtime, shift = sk->sk_err_soft ? 1 : 0;

	if ((s32)idle > (s32)(2 * tcp_rto_max(sk)) || !do_reset)
		shift++;
	if (!tcp_check_oom(sk, shift))
		return false;
	if ((s32)idle <= (s32)TCP_TIMEWAIT_LEN || (!tp->snd_wnd && !tp->packets_out))
		do_reset = true;
	if (do_reset)
		tcp_send_active_reset(sk, SK_RST_REASON_TCP_ABORT_ON_MEMORY);
	tcp_done(sk);
	MIB_INC(sk->net, TcpExtTCPAbortOnMemory);
	return true;
}

static u32 orphan_retries(const struct sock *sk, bool alive)
{
	u32 retries = (u32)sk->net->sysctl.tcp_orphan_retries;

	if (sk->sk_err_soft && !alive)
		retries = 0;
	return !retries && alive ? 8 : retries;
}

static u32 log2_floor(u32 v)
{
	u32 n = 0;

	while (v >>= 1)
		n++;
	return n;
}

/* ms that `boundary` retransmissions take when the first timeout is rto_base. */
static u32 model_timeout(const struct sock *sk, u32 boundary, u32 rto_base)
{
	u32 max = tcp_rto_max(sk), thresh = log2_floor(max / rto_base);

	if (boundary <= thresh)
		return ((2u << boundary) - 1) * rto_base;
	return ((2u << thresh) - 1) * rto_base + (boundary - thresh) * max;
}

/* Has it been tried for as long as `boundary` retransmissions take, or for `timeout` ms? */
static bool retransmits_timed_out(const struct sock *sk, u32 boundary, u32 timeout)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	bool opening = sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV;

	if (!inet_csk(sk)->icsk_retransmits)
		return false;
	if (!timeout)
		timeout = model_timeout(sk, boundary, opening ? TCP_TIMEOUT_INIT : TCP_RTO_MIN);
	return (s32)(tcp_time_stamp_ms(tp) - tp->retrans_stamp - timeout) >= 0;
}

/*
 * sk_rethink_txhash: the flow gets another hash, so that other paths carry it. What is sent shows
 * no hash, and the host has one way: this is what is told of it.
 */
static void timeout_rehash(struct sock *sk)
{
	if (!sk->sk_txrehash)
		return;
	tcp_loss_own(tcp_sk(sk))->timeout_rehash++;
	MIB_INC(sk->net, TcpExtTcpTimeoutRehash);
}

/* True: it is over. */
static bool tcp_write_timeout(struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	bool expired = false;
	u32 retry_until;

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV) {
		u32 max;

		retry_until = icsk->icsk_syn_retries ? icsk->icsk_syn_retries :
						       (u32)sysctl->tcp_syn_retries;
		max = retry_until;
		if (sk->sk_state == TCP_SYN_SENT)
			max += (u32)sysctl->tcp_syn_linear_timeouts;
		expired = icsk->icsk_retransmits >= max;
	} else {
		retry_until = (u32)sysctl->tcp_retries2;
		if (retransmits_timed_out(sk, (u32)sysctl->tcp_retries1, 0)) {
			tcp_mtu_black_hole(sk);
			if (sk->dst_cache && sk->dst_cache->ops->negative_advice)
				sk->dst_cache->ops->negative_advice(sk, sk->dst_cache);
		}
		if (sk->sk_flags & SOCK_DEAD) {
			bool alive = icsk->icsk_rto < tcp_rto_max(sk), do_reset;

			retry_until = orphan_retries(sk, alive);
			do_reset = alive || !retransmits_timed_out(sk, retry_until, 0);
			if (tcp_out_of_resources(sk, do_reset))
				return true;
		}
	}
	if (!expired)
		expired = retransmits_timed_out(sk, retry_until,
						tcp_sk(sk)->rare->options.user_timeout);
	tcp_fastopen_active_detect_blackhole(sk, expired);
	if (expired)
		tcp_write_err(sk);
	else
		timeout_rehash(sk);
	return expired;
}

/* ---- retransmission ---- */

static void count_failure(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 state = inet_csk(sk)->icsk_ca_state;
	bool sack = tcp_is_sack(tp);

	if (state == TCP_CA_Recovery) {
		if (sack)
			MIB_INC(sk->net, TcpExtTCPSackRecoveryFail);
		else
			MIB_INC(sk->net, TcpExtTCPRenoRecoveryFail);
	} else if (state == TCP_CA_Loss) {
		MIB_INC(sk->net, TcpExtTCPLossFailures);
	} else if (state == TCP_CA_Disorder || tp->sacked_out) {
		if (sack)
			MIB_INC(sk->net, TcpExtTCPSackFailures);
		else
			MIB_INC(sk->net, TcpExtTCPRenoFailures);
	}
}

static void update_rto_stats(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss = tcp_loss_own(tp);

	if (!icsk->icsk_retransmits) {
		loss->total_rto_recoveries++;
		loss->rto_stamp = tcp_time_stamp_ms(tp);
	}
	if (icsk->icsk_retransmits < 255)
		icsk->icsk_retransmits++;
	loss->total_rto++;
}

/* RFC 6298 5.5, but not later than TCP_USER_TIMEOUT. */
static u32 clamp_rto_to_user_timeout(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	s32 left;

	if (!tcp_sk(sk)->rare->options.user_timeout)
		return icsk->icsk_rto;
	left = (s32)(tcp_sk(sk)->rare->options.user_timeout -
		     (tcp_time_stamp_ms(tp) - tp->retrans_stamp));
	return left <= 0 ? 1 : min_u32(icsk->icsk_rto, (u32)left);
}

static void back_off(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	bool thin = tp->packets_out < 4 && !tcp_in_initial_slowstart(tp);

	if (sk->sk_state == TCP_ESTABLISHED &&
	    (tp->thin_lto || sk->net->sysctl.tcp_thin_linear_timeouts) && thin &&
	    icsk->icsk_retransmits <= TCP_THIN_LINEAR_RETRIES) {
		icsk->icsk_backoff = 0;
		icsk->icsk_rto = min_u32(__tcp_set_rto(tp), tcp_rto_max(sk));
	} else if (sk->sk_state != TCP_SYN_SENT ||
		   tp->loss->total_rto > (u32)sk->net->sysctl.tcp_syn_linear_timeouts) {
		if (icsk->icsk_backoff < 255)
			icsk->icsk_backoff++;
		icsk->icsk_rto = min_u32(icsk->icsk_rto << 1, tcp_rto_max(sk));
	}
}

/* The peer closed its window below what is under way. True: given up. */
static bool shrunken_window(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 user_timeout = tcp_sk(sk)->rare->options.user_timeout, limit = tcp_rto_max(sk) * 2;
	u32 silent = tcp_jiffies32(sk) - tp->rcv_tstamp;
	u32 trying = tp->retrans_stamp ? tcp_time_stamp_ms(tp) - tp->retrans_stamp : 0;

	/* It goes on as long as the peer answers. */
	if (user_timeout)
		limit = user_timeout;
	if (silent > limit && trying > limit) {
		tcp_write_err(sk);
		return true;
	}
	tcp_enter_loss(sk);
	tcp_retransmit_skb(sk, skb, 1);
	sk_dst_reset(sk);
	return false;
}

/* The SYN-ACK of a fast open child again; until it is acknowledged nothing else is sent again. */
static void fastopen_synack_timer(struct sock *sk, struct request_sock *req)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 max = icsk->icsk_syn_retries ? icsk->icsk_syn_retries :
					   (u32)sk->net->sysctl.tcp_synack_retries + 1;
	u64 next;

	reqsk_ops(req)->syn_ack_timeout(req);
	if (req->num_timeout >= max) {
		tcp_write_err(sk);
		return;
	}
	/* RFC 5681 3.1: one segment when the SYN-ACK got lost. */
	if (icsk->icsk_retransmits == 1)
		tcp_enter_loss(sk);
	tcp_rtx_synack(sk, req);
	req->num_timeout++;
	update_rto_stats(sk);
	if (!tp->retrans_stamp)
		tp->retrans_stamp = tcp_time_stamp_ms(tp);
	next = (u64)req->timeout << min_u32(req->num_timeout, 30);
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, (u32)min_u64(next, TCP_RTO_MAX),
				  TCP_RTO_MAX);
}

/* This host lacks what a retransmission needs: soon again, which counts as none. */
static void retransmit_later(struct sock *sk)
{
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_RESOURCE_PROBE_INTERVAL, TCP_RTO_MAX);
}

/*
 * No memory to recover with (tcp_loss_get), so that nothing of `head` on was ever sent again. For
 * as long as a peer may be silent it is tried; connections that hold all the memory would wait for
 * it for ever.
 */
static void no_memory(struct sock *sk, const struct sk_buff *head)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 retries = sk->sk_flags & SOCK_DEAD ? orphan_retries(sk, true) :
						 (u32)sk->net->sysctl.tcp_retries2;
	u32 limit = tp->rare->options.user_timeout;
	const struct request_sock *req = tp->rare->fastopen_rsk;
	u64 sent = 0;

	if (!limit)
		limit = model_timeout(sk, retries, TCP_RTO_MIN);
	if (head)
		sent = tcp_skb_timestamp_us(head);
	else if (tcp_rsk(req)->snt_synack)
		sent = tcp_synack_sent_us(req);
	if (sent && (tcp_mstamp(tp) - sent) / 1000 >= limit)
		tcp_write_err(sk);
	else
		retransmit_later(sk);
}

void tcp_retransmit_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_rtx_queue_head(sk);

	if ((tp->rare->fastopen_rsk || skb) && !tcp_loss_get(sk)) {
		no_memory(sk, skb);
		return;
	}
	if (tp->rare->fastopen_rsk) {
		fastopen_synack_timer(sk, tp->rare->fastopen_rsk);
		return;
	}
	if (!tp->packets_out || !skb)
		return;
	if (!tp->snd_wnd && !(sk->sk_flags & SOCK_DEAD) && sk->sk_state != TCP_SYN_SENT &&
	    sk->sk_state != TCP_SYN_RECV) {
		if (shrunken_window(sk, skb))
			return;
	} else {
		MIB_INC(sk->net, TcpExtTCPTimeouts);
		if (tcp_write_timeout(sk))
			return;
		if (!icsk->icsk_retransmits)
			count_failure(sk);
		tcp_enter_loss(sk);
		update_rto_stats(sk);
		if (tcp_retransmit_skb(sk, tcp_rtx_queue_head(sk), 1) > 0) {
			/* Nothing left this host. */
			retransmit_later(sk);
			return;
		}
	}
	back_off(sk);
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, clamp_rto_to_user_timeout(sk),
				  TCP_RTO_MAX);
	if (retransmits_timed_out(sk, (u32)sk->net->sysctl.tcp_retries1 + 1, 0))
		sk_dst_reset(sk);
}

void tcp_ld_RTO_revert(struct sock *sk, u32 seq)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb;
	u64 rto, passed;

	if (seq != tp->snd_una || !icsk->icsk_retransmits || !icsk->icsk_backoff)
		return;
	skb = tcp_rtx_queue_head(sk);
	if (!skb)
		return;
	icsk->icsk_backoff--;
	icsk->icsk_rto = tp->srtt_us ? __tcp_set_rto(tp) : TCP_TIMEOUT_INIT;
	rto = min_u64((u64)icsk->icsk_rto << icsk->icsk_backoff, tcp_rto_max(sk));
	icsk->icsk_rto = (u32)rto;
	tcp_mstamp_refresh(tp);
	passed = tcp_stamp_us_delta(tcp_mstamp(tp), tcp_skb_timestamp_us(skb)) / 1000;
	if (passed < rto)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, (u32)(rto - passed),
					  tcp_rto_max(sk));
	else
		tcp_retransmit_timer(sk);
}

/* ---- zero window (RFC 9293 3.8.6.1) ---- */

u32 tcp_probe0_base(const struct sock *sk)
{
	return max_u32(inet_csk(sk)->icsk_rto, TCP_RTO_MIN);
}

u32 tcp_probe0_when(const struct sock *sk, u32 max_when)
{
	u32 backoff =
		min_u32(log2_floor(TCP_RTO_MAX / TCP_RTO_MIN) + 1, inet_csk(sk)->icsk_backoff);

	return (u32)min_u64((u64)tcp_probe0_base(sk) << backoff, max_when);
}

u32 tcp_clamp_probe0_to_user_timeout(const struct sock *sk, u32 when)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	s32 left;

	if (!tcp_sk(sk)->rare->options.user_timeout || !icsk->icsk_probes_tstamp)
		return when;
	left = (s32)(tcp_sk(sk)->rare->options.user_timeout -
		     (tcp_jiffies32(sk) - icsk->icsk_probes_tstamp));
	return min_u32((u32)(left < (s32)TCP_TIMEOUT_MIN ? (s32)TCP_TIMEOUT_MIN : left), when);
}

void tcp_check_probe_timer(struct sock *sk)
{
	if (!tcp_sk(sk)->packets_out && !inet_csk(sk)->icsk_pending)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_PROBE0,
					  tcp_clamp_probe0_to_user_timeout(sk, tcp_probe0_base(sk)),
					  tcp_rto_max(sk));
}

static void tcp_probe_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 max_probes = (u32)sk->net->sysctl.tcp_retries2, now = tcp_jiffies32(sk);

	if (tp->packets_out || tcp_write_queue_empty(sk)) {
		icsk->icsk_probes_out = 0;
		icsk->icsk_probes_tstamp = 0;
		return;
	}
	/* RFC 1122 4.2.2.17: for ever, as long as the peer answers (icsk_probes_out is cleared by
	 * every ACK). */
	if (!icsk->icsk_probes_tstamp) {
		icsk->icsk_probes_tstamp = now ? now : 1;
	} else if (tcp_sk(sk)->rare->options.user_timeout &&
		   now - icsk->icsk_probes_tstamp >= tcp_sk(sk)->rare->options.user_timeout) {
		tcp_write_err(sk);
		return;
	}
	if (sk->sk_flags & SOCK_DEAD) {
		u64 interval = (u64)icsk->icsk_rto << min_u32(icsk->icsk_backoff, 20);
		bool alive = interval < tcp_rto_max(sk);

		max_probes = orphan_retries(sk, alive);
		if (!alive && icsk->icsk_backoff >= max_probes) {
			tcp_write_err(sk);
			return;
		}
		if (tcp_out_of_resources(sk, true))
			return;
	}
	if (icsk->icsk_probes_out >= max_probes)
		tcp_write_err(sk);
	else
		tcp_send_probe0(sk);
}

void tcp_write_timer_handler(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u8 event = icsk->icsk_pending;

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN || !event)
		return;
	if (inet_csk_not_due(sk, icsk->icsk_timeout)) {
		inet_csk_timer_at(sk, ICSK_TIMER_XMIT, icsk->icsk_timeout);
		return;
	}
	tcp_mstamp_refresh(tcp_sk(sk));
	switch (event) {
	case ICSK_TIME_REO_TIMEOUT:
		tcp_rack_reo_timeout(sk);
		break;
	case ICSK_TIME_LOSS_PROBE:
		tcp_send_loss_probe(sk);
		break;
	case ICSK_TIME_RETRANS:
		icsk->icsk_pending = 0;
		tcp_retransmit_timer(sk);
		break;
	case ICSK_TIME_PROBE0:
		icsk->icsk_pending = 0;
		tcp_probe_timer(sk);
		break;
	default:
		BUG("a timer of no kind");
	}
}

/* ---- delayed ACK ---- */

void tcp_delack_timer_handler(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN ||
	    !(icsk->icsk_ack.pending & ICSK_ACK_TIMER))
		return;
	if (inet_csk_not_due(sk, icsk->icsk_ack.timeout)) {
		inet_csk_timer_at(sk, ICSK_TIMER_DELACK, icsk->icsk_ack.timeout);
		return;
	}
	icsk->icsk_ack.pending &= (u8)~ICSK_ACK_TIMER;
	if (!inet_csk_ack_scheduled(sk))
		return;
	if (!inet_csk_in_pingpong_mode(sk)) {
		/* No data came to carry it, no second segment: wait longer next time. */
		icsk->icsk_ack.ato = min_u32(icsk->icsk_ack.ato << 1, icsk->icsk_rto);
	} else {
		inet_csk_exit_pingpong_mode(sk);
		icsk->icsk_ack.ato = TCP_ATO_MIN;
	}
	tcp_mstamp_refresh(tcp_sk(sk));
	tcp_send_ack(sk);
	MIB_INC(sk->net, TcpExtDelayedACKs);
}

/* ---- as a whole ---- */

/* tcp_write_timer(), tcp_delack_timer(), tcp_keepalive_timer() */
static void tcp_timer_event(struct world *w, struct event *ev)
{
	struct sock *sk = inet_csk_timer_sk(ev);
	struct cpu *cpu = inet_csk_timer_cpu(sk);
	u32 timer = timer_set_begin(&inet_csk(sk)->icsk_timers, cpu);

	(void)w;
	if (timer == TIMER_SET_SLOTS)
		return;
	sock_hold(sk);
	if (timer == ICSK_TIMER_XMIT)
		tcp_write_timer_handler(sk);
	else if (timer == ICSK_TIMER_DELACK)
		tcp_delack_timer_handler(sk);
	else
		tcp_keepalive_timer_handler(sk);
	sock_put(sk);
	timer_end(cpu);
}

void tcp_init_xmit_timers(struct sock *sk)
{
	inet_csk_init_xmit_timers(sk, tcp_timer_event);
	tcp_sk(sk)->tsq_throttled = 0;
}
