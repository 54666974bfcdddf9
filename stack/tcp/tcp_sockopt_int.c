/* SPDX-License-Identifier: MIT */
/*
 * Options of level SOL_TCP that are a number: a row each of the table at the end, with its range
 * and how it is set and read. tcp_sockopt.c has the others.
 *
 * Invariant: a setter sees only values of its option's range; one that fails has changed nothing.
 */
#include "tcp/tcp_ack.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_sockopt.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

static bool is_fresh(const struct sock *sk)
{
	return sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN;
}

/* ---- size and time of segments ---- */

static int set_maxseg(struct sock *sk, s32 v)
{
	if (v && v < (s32)TCP_MIN_MSS)
		return -EINVAL;
	tcp_sk(sk)->rx_opt.user_mss = (u16)v;
	return 0;
}

/* Before the connection stands: what the user asked for. */
static s32 get_maxseg(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->rx_opt.user_mss && is_fresh(sk) ? tp->rx_opt.user_mss : (s32)tp->mss_cache;
}

static int set_nodelay(struct sock *sk, s32 on)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (on) {
		/* What waits goes now, unless it is corked. */
		tp->nonagle |= TCP_NAGLE_OFF | TCP_NAGLE_PUSH;
		tcp_push_pending_frames(sk);
	} else {
		tp->nonagle &= ~TCP_NAGLE_OFF & 15;
	}
	return 0;
}

static s32 get_nodelay(const struct sock *sk)
{
	return (tcp_sk(sk)->nonagle & TCP_NAGLE_OFF) != 0;
}

static int set_cork(struct sock *sk, s32 on)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (on) {
		tp->nonagle |= TCP_NAGLE_CORK;
		return 0;
	}
	tp->nonagle &= ~TCP_NAGLE_CORK & 15;
	if (tp->nonagle & TCP_NAGLE_OFF)
		tp->nonagle |= TCP_NAGLE_PUSH;
	tcp_push_pending_frames(sk);
	return 0;
}

static s32 get_cork(const struct sock *sk)
{
	return (tcp_sk(sk)->nonagle & TCP_NAGLE_CORK) != 0;
}

static int set_notsent_lowat(struct sock *sk, s32 v)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (!rare)
		return -ENOMEM;
	rare->options.notsent_lowat = (u32)v;
	sk_write_space(sk);
	return 0;
}

static s32 get_notsent_lowat(const struct sock *sk)
{
	return (s32)tcp_sk(sk)->rare->options.notsent_lowat;
}

/* Packets leave so many us later, if a qdisc with a clock (fq) holds them back. Of a live flow the
 * RTT will be as much longer (tcp_enable_tx_delay). */
static int set_tx_delay(struct sock *sk, s32 v)
{
	struct tcp_rare *rare = tcp_rare_get(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 us = (u32)v;
	s64 srtt;

	if (!rare)
		return -ENOMEM;
	if (us != rare->options.tx_delay && sk->sk_state == TCP_ESTABLISHED) {
		srtt = (s64)tp->srtt_us + (((s64)us - rare->options.tx_delay) * 8);
		tp->srtt_us = srtt < 1 ? 1 : (u32)min_u64((u64)srtt, UINT32_MAX);
		tcp_set_rto(sk);
		tcp_rtt_min_reset(sk);
		tcp_update_pacing_rate(sk);
	}
	rare->options.tx_delay = us;
	return 0;
}

static s32 get_tx_delay(const struct sock *sk)
{
	return (s32)tcp_sk(sk)->rare->options.tx_delay;
}

/* ---- receiving ---- */

static int set_window_clamp(struct sock *sk, s32 v)
{
	if (v) {
		tcp_set_window_clamp(sk, v > 0 ? (u32)v : 0);
		return 0;
	}
	if (sk->sk_state != TCP_CLOSE)
		return -EINVAL;
	tcp_sk(sk)->window_clamp = 0;
	return 0;
}

static s32 get_window_clamp(const struct sock *sk)
{
	return (s32)tcp_sk(sk)->window_clamp;
}

static int set_quickack(struct sock *sk, s32 v)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (!v) {
		inet_csk_enter_pingpong_mode(sk);
		return 0;
	}
	inet_csk_exit_pingpong_mode(sk);
	if ((sk->sk_state == TCP_ESTABLISHED || sk->sk_state == TCP_CLOSE_WAIT) &&
	    inet_csk_ack_scheduled(sk)) {
		icsk->icsk_ack.pending |= ICSK_ACK_PUSHED;
		tcp_cleanup_rbuf(sk, 1);
		if (!(v & 1))
			inet_csk_enter_pingpong_mode(sk);
	}
	return 0;
}

static s32 get_quickack(const struct sock *sk)
{
	return !inet_csk_in_pingpong_mode(sk);
}

static int set_inq(struct sock *sk, s32 on)
{
	tcp_sk(sk)->recvmsg_inq = (u32)on & 1;
	return 0;
}

static s32 get_inq(const struct sock *sk)
{
	return tcp_sk(sk)->recvmsg_inq;
}

/* ---- keepalive ---- */

static int set_keepidle(struct sock *sk, s32 v)
{
	struct tcp_rare *rare = tcp_rare_get(sk);
	u32 time = (u32)v * HZ, elapsed;

	if (!rare)
		return -ENOMEM;
	rare->options.keepalive_time = time;
	if (sk->sk_flags & SOCK_KEEPOPEN && !is_fresh(sk)) {
		elapsed = keepalive_time_elapsed(tcp_sk(sk));
		tcp_reset_keepalive_timer(sk, time > elapsed ? time - elapsed : 0);
	}
	return 0;
}

static s32 get_keepidle(const struct sock *sk)
{
	return (s32)(keepalive_time_when(tcp_sk(sk)) / HZ);
}

static int set_keepintvl(struct sock *sk, s32 v)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (!rare)
		return -ENOMEM;
	rare->options.keepalive_intvl = (u32)v * HZ;
	return 0;
}

static s32 get_keepintvl(const struct sock *sk)
{
	return (s32)(keepalive_intvl_when(tcp_sk(sk)) / HZ);
}

static int set_keepcnt(struct sock *sk, s32 v)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (!rare)
		return -ENOMEM;
	rare->options.keepalive_probes = (u8)v;
	return 0;
}

static s32 get_keepcnt(const struct sock *sk)
{
	return (s32)keepalive_probes(tcp_sk(sk));
}

/* ---- timeouts ---- */

static int set_syncnt(struct sock *sk, s32 v)
{
	inet_csk(sk)->icsk_syn_retries = (u8)v;
	return 0;
}

static s32 get_syncnt(const struct sock *sk)
{
	u8 own = inet_csk(sk)->icsk_syn_retries;

	return own ? own : sk->net->sysctl.tcp_syn_retries;
}

static int set_linger2(struct sock *sk, s32 v)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (!rare)
		return -ENOMEM;
	if (v < 0)
		rare->options.linger2 = -1;
	else if (v > (s32)(TCP_FIN_TIMEOUT_MAX / HZ))
		rare->options.linger2 = (s32)TCP_FIN_TIMEOUT_MAX;
	else
		rare->options.linger2 = v * (s32)HZ;
	return 0;
}

static s32 get_linger2(const struct sock *sk)
{
	s32 v = tcp_sk(sk)->rare->options.linger2;

	if (v < 0)
		return v;
	return v ? v / (s32)HZ : sk->net->sysctl.tcp_fin_timeout;
}

static int set_user_timeout(struct sock *sk, s32 ms)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (!rare)
		return -ENOMEM;
	rare->options.user_timeout = (u32)ms;
	return 0;
}

static s32 get_user_timeout(const struct sock *sk)
{
	return (s32)tcp_sk(sk)->rare->options.user_timeout;
}

static int set_thin_linear_timeouts(struct sock *sk, s32 on)
{
	tcp_sk(sk)->thin_lto = (u32)on & 1;
	return 0;
}

static s32 get_thin_linear_timeouts(const struct sock *sk)
{
	return tcp_sk(sk)->thin_lto;
}

static u32 us_to_jiffies(s32 us)
{
	return ((u32)us + 999) / 1000;
}

static int set_rto_min_us(struct sock *sk, s32 us)
{
	if (us_to_jiffies(us) < TCP_TIMEOUT_MIN)
		return -EINVAL;
	inet_csk(sk)->icsk_rto_min = us_to_jiffies(us);
	return 0;
}

static s32 get_rto_min_us(const struct sock *sk)
{
	return (s32)inet_csk(sk)->icsk_rto_min * 1000;
}

static int set_delack_max_us(struct sock *sk, s32 us)
{
	if (us_to_jiffies(us) < TCP_TIMEOUT_MIN)
		return -EINVAL;
	inet_csk(sk)->icsk_delack_max = us_to_jiffies(us);
	return 0;
}

static s32 get_delack_max_us(const struct sock *sk)
{
	return (s32)inet_csk(sk)->icsk_delack_max * 1000;
}

static int set_rto_max_ms(struct sock *sk, s32 ms)
{
	inet_csk(sk)->icsk_rto_max = (u32)ms;
	return 0;
}

static s32 get_rto_max_ms(const struct sock *sk)
{
	return (s32)inet_csk(sk)->icsk_rto_max;
}

/* ---- listeners ---- */

/* TCP_DEFER_ACCEPT in seconds is kept as the number of SYN-ACK timeouts that it lasts. */
static u8 secs_to_retrans(s32 seconds, u32 timeout, u32 rto_max)
{
	u64 period = timeout;
	u8 res = 0;

	if (seconds <= 0)
		return 0;
	for (res = 1; (u64)seconds * HZ > period && res < 255; res++) {
		timeout = min_u32(timeout << 1, rto_max);
		period += timeout;
	}
	return res;
}

static s32 retrans_to_secs(u8 retrans, u32 timeout, u32 rto_max)
{
	u64 period = 0;

	if (!retrans)
		return 0;
	period = timeout;
	while (--retrans) {
		timeout = min_u32(timeout << 1, rto_max);
		period += timeout;
	}
	return (s32)(period / HZ);
}

static int set_defer_accept(struct sock *sk, s32 v)
{
	struct request_sock_queue *q = inet_csk_queue_get(sk);

	if (!q)
		return -ENOMEM;
	q->rskq_defer_accept = secs_to_retrans(v, TCP_TIMEOUT_INIT, TCP_RTO_MAX);
	return 0;
}

static s32 get_defer_accept(const struct sock *sk)
{
	return retrans_to_secs(inet_csk(sk)->icsk_accept_queue->rskq_defer_accept, TCP_TIMEOUT_INIT,
			       TCP_RTO_MAX);
}

static int set_save_syn(struct sock *sk, s32 v)
{
	tcp_sk(sk)->save_syn = (u32)v & 3;
	return 0;
}

static s32 get_save_syn(const struct sock *sk)
{
	return tcp_sk(sk)->save_syn;
}

/* ---- fast open ---- */

static int set_fastopen(struct sock *sk, s32 v)
{
	if (!is_fresh(sk))
		return -EINVAL;
	tcp_fastopen_init_key_once(sk->net);
	return tcp_fastopen_queue_tune(sk, v);
}

static s32 get_fastopen(const struct sock *sk)
{
	return (s32)inet_csk(sk)->icsk_accept_queue->fastopenq.max_qlen;
}

static int set_fastopen_connect(struct sock *sk, s32 on)
{
	if (!(sk->net->sysctl.tcp_fastopen & TFO_CLIENT_ENABLE))
		return -EOPNOTSUPP;
	if (sk->sk_state != TCP_CLOSE)
		return -EINVAL;
	tcp_sk(sk)->fastopen_connect = (u32)on & 1;
	return 0;
}

static s32 get_fastopen_connect(const struct sock *sk)
{
	return tcp_sk(sk)->fastopen_connect;
}

static int set_fastopen_no_cookie(struct sock *sk, s32 on)
{
	if (!is_fresh(sk))
		return -EINVAL;
	tcp_sk(sk)->fastopen_no_cookie = (u32)on & 1;
	return 0;
}

static s32 get_fastopen_no_cookie(const struct sock *sk)
{
	return tcp_sk(sk)->fastopen_no_cookie;
}

/* ---- others ---- */

/* Only to repair a connection, which there is no way to here. */
static int set_timestamp(struct sock *sk, s32 v)
{
	(void)sk;
	(void)v;
	return -EPERM;
}

/* The lowest bit tells a clock of microseconds. */
static s32 get_timestamp(const struct sock *sk)
{
	return (s32)((tcp_clock_ms(sk->net->host) + tcp_sk(sk)->tsoffset) & ~1u);
}

/* TCP_THIN_DUPACK: without effect in Linux too, since 4.15. */
static int set_nothing(struct sock *sk, s32 v)
{
	(void)sk;
	(void)v;
	return 0;
}

/* And TCP_IS_MPTCP: IPPROTO_TCP is what it is. */
static s32 get_zero(const struct sock *sk)
{
	(void)sk;
	return 0;
}

/* ---- table ---- */

#define ANY INT32_MIN, INT32_MAX

static const struct {
	s32 min, max; /* else: -EINVAL */
	int (*set)(struct sock *sk, s32 v);
	s32 (*get)(const struct sock *sk);
} int_options[] = {
	[TCP_NODELAY] = { ANY, set_nodelay, get_nodelay },
	[TCP_MAXSEG] = { 0, (s32)MAX_TCP_WINDOW, set_maxseg, get_maxseg },
	[TCP_CORK] = { ANY, set_cork, get_cork },
	[TCP_KEEPIDLE] = { 1, (s32)MAX_TCP_KEEPIDLE, set_keepidle, get_keepidle },
	[TCP_KEEPINTVL] = { 1, (s32)MAX_TCP_KEEPINTVL, set_keepintvl, get_keepintvl },
	[TCP_KEEPCNT] = { 1, (s32)MAX_TCP_KEEPCNT, set_keepcnt, get_keepcnt },
	[TCP_SYNCNT] = { 1, (s32)MAX_TCP_SYNCNT, set_syncnt, get_syncnt },
	[TCP_LINGER2] = { ANY, set_linger2, get_linger2 },
	[TCP_DEFER_ACCEPT] = { ANY, set_defer_accept, get_defer_accept },
	[TCP_WINDOW_CLAMP] = { ANY, set_window_clamp, get_window_clamp },
	[TCP_QUICKACK] = { ANY, set_quickack, get_quickack },
	[TCP_THIN_LINEAR_TIMEOUTS] = { 0, 1, set_thin_linear_timeouts, get_thin_linear_timeouts },
	[TCP_THIN_DUPACK] = { 0, 1, set_nothing, get_zero },
	[TCP_USER_TIMEOUT] = { 0, INT32_MAX, set_user_timeout, get_user_timeout },
	[TCP_FASTOPEN] = { 0, INT32_MAX, set_fastopen, get_fastopen },
	[TCP_TIMESTAMP] = { ANY, set_timestamp, get_timestamp },
	[TCP_NOTSENT_LOWAT] = { ANY, set_notsent_lowat, get_notsent_lowat },
	[TCP_SAVE_SYN] = { 0, 2, set_save_syn, get_save_syn },
	[TCP_FASTOPEN_CONNECT] = { 0, 1, set_fastopen_connect, get_fastopen_connect },
	[TCP_FASTOPEN_NO_COOKIE] = { 0, 1, set_fastopen_no_cookie, get_fastopen_no_cookie },
	[TCP_INQ] = { 0, 1, set_inq, get_inq },
	/* In us, where srtt_us has three more bits and a sign. */
	[TCP_TX_DELAY] = { 0, (1 << 28) - 1, set_tx_delay, get_tx_delay },
	[TCP_IS_MPTCP] = { ANY, NULL, get_zero },
	[TCP_RTO_MAX_MS] = { 1000, (s32)TCP_RTO_MAX, set_rto_max_ms, get_rto_max_ms },
	[TCP_RTO_MIN_US] = { 1, (s32)TCP_RTO_MIN * 1000, set_rto_min_us, get_rto_min_us },
	[TCP_DELACK_MAX_US] = { 1, (s32)TCP_DELACK_MAX * 1000, set_delack_max_us,
				get_delack_max_us },
};

int tcp_set_int(struct sock *sk, u32 name, s32 v)
{
	if (name >= ARRAY_SIZE(int_options) || !int_options[name].set)
		return -ENOPROTOOPT;
	if (v < int_options[name].min || v > int_options[name].max)
		return -EINVAL;
	return int_options[name].set(sk, v);
}

int tcp_get_int(const struct sock *sk, u32 name, s32 *v)
{
	if (name >= ARRAY_SIZE(int_options) || !int_options[name].get)
		return -ENOPROTOOPT;
	*v = int_options[name].get(sk);
	return 0;
}
