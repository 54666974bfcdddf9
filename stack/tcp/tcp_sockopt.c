/* SPDX-License-Identifier: MIT */
/*
 * Options of level SOL_TCP (do_tcp_setsockopt, do_tcp_getsockopt), in Linux x86-64's layout on
 * every machine. Other levels go to the family.
 */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_md5.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_user.h"

/* ---- set ---- */

static int set_maxseg(struct tcp_sock *tp, s32 v)
{
	if (v && (v < (s32)TCP_MIN_MSS || v > (s32)MAX_TCP_WINDOW))
		return -EINVAL;
	tp->rx_opt.user_mss = (u16)v;
	return 0;
}

static void set_nodelay(struct sock *sk, bool on)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (on) {
		/* What waits goes now, unless it is corked. */
		tp->nonagle |= TCP_NAGLE_OFF | TCP_NAGLE_PUSH;
		tcp_push_pending_frames(sk);
	} else {
		tp->nonagle &= ~TCP_NAGLE_OFF & 15;
	}
}

static void set_cork(struct sock *sk, bool on)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (on) {
		tp->nonagle |= TCP_NAGLE_CORK;
		return;
	}
	tp->nonagle &= ~TCP_NAGLE_CORK & 15;
	if (tp->nonagle & TCP_NAGLE_OFF)
		tp->nonagle |= TCP_NAGLE_PUSH;
	tcp_push_pending_frames(sk);
}

static void set_keepidle(struct sock *sk, struct tcp_rare_options *opt, s32 v)
{
	opt->keepalive_time = (u32)v * HZ;
	if (sk->sk_flags & SOCK_KEEPOPEN && sk->sk_state != TCP_CLOSE &&
	    sk->sk_state != TCP_LISTEN) {
		u32 elapsed = keepalive_time_elapsed(tcp_sk(sk));

		tcp_reset_keepalive_timer(
			sk, opt->keepalive_time > elapsed ? opt->keepalive_time - elapsed : 0);
	}
}

static s32 linger2_value(s32 v)
{
	if (v < 0)
		return -1;
	return v > (s32)(TCP_FIN_TIMEOUT_MAX / HZ) ? (s32)TCP_FIN_TIMEOUT_MAX : v * (s32)HZ;
}

/* Packets leave so many us later, if a qdisc with a clock (fq) holds them back. Of a live flow the
 * RTT will be as much longer (tcp_enable_tx_delay). */
static void set_tx_delay(struct sock *sk, struct tcp_rare_options *opt, u32 us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	s64 srtt = (s64)tp->srtt_us + (((s64)us - opt->tx_delay) * 8);

	if (us != opt->tx_delay && sk->sk_state == TCP_ESTABLISHED) {
		tp->srtt_us = srtt < 1 ? 1 : (u32)min_u64((u64)srtt, UINT32_MAX);
		tcp_set_rto(sk);
		tcp_rtt_min_reset(sk);
		tcp_update_pacing_rate(sk);
	}
	opt->tx_delay = us;
}

/* The options that lie in struct tcp_rare; -ENOPROTOOPT: it is none of them. */
static int set_rare(struct sock *sk, u32 name, s32 v)
{
	static const struct {
		u32 name;
		s32 min, max;
	} range[] = {
		{ TCP_KEEPIDLE, 1, (s32)MAX_TCP_KEEPIDLE },
		{ TCP_KEEPINTVL, 1, (s32)MAX_TCP_KEEPINTVL },
		{ TCP_KEEPCNT, 1, (s32)MAX_TCP_KEEPCNT },
		{ TCP_LINGER2, INT32_MIN, INT32_MAX },
		{ TCP_USER_TIMEOUT, 0, INT32_MAX },
		{ TCP_NOTSENT_LOWAT, INT32_MIN, INT32_MAX },
		/* In us, where srtt_us has three more bits and a sign. */
		{ TCP_TX_DELAY, 0, (1 << 28) - 1 },
	};
	struct tcp_rare *rare;
	u32 i = 0;

	while (i < ARRAY_SIZE(range) && range[i].name != name)
		i++;
	if (i == ARRAY_SIZE(range))
		return -ENOPROTOOPT;
	if (v < range[i].min || v > range[i].max)
		return -EINVAL;
	rare = tcp_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	switch (name) {
	case TCP_KEEPIDLE:
		set_keepidle(sk, &rare->options, v);
		break;
	case TCP_KEEPINTVL:
		rare->options.keepalive_intvl = (u32)v * HZ;
		break;
	case TCP_KEEPCNT:
		rare->options.keepalive_probes = (u8)v;
		break;
	case TCP_LINGER2:
		rare->options.linger2 = linger2_value(v);
		break;
	case TCP_TX_DELAY:
		set_tx_delay(sk, &rare->options, (u32)v);
		break;
	case TCP_USER_TIMEOUT:
		rare->options.user_timeout = (u32)v;
		break;
	default:
		rare->options.notsent_lowat = (u32)v;
		sk_write_space(sk);
	}
	return 0;
}

static int set_window_clamp(struct sock *sk, s32 v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!v) {
		if (sk->sk_state != TCP_CLOSE)
			return -EINVAL;
		tp->window_clamp = 0;
		return 0;
	}
	tcp_set_window_clamp(sk, v > 0 ? (u32)v : 0);
	return 0;
}

static void set_quickack(struct sock *sk, s32 v)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (!v) {
		inet_csk_enter_pingpong_mode(sk);
		return;
	}
	inet_csk_exit_pingpong_mode(sk);
	if ((sk->sk_state == TCP_ESTABLISHED || sk->sk_state == TCP_CLOSE_WAIT) &&
	    inet_csk_ack_scheduled(sk)) {
		icsk->icsk_ack.pending |= ICSK_ACK_PUSHED;
		tcp_cleanup_rbuf(sk, 1);
		if (!(v & 1))
			inet_csk_enter_pingpong_mode(sk);
	}
}

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

static int in_range(s32 v, s32 min, s32 max)
{
	return v < min || v > max ? -EINVAL : 0;
}

static bool is_fresh(const struct sock *sk)
{
	return sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN;
}

static int set_fastopen(struct sock *sk, u32 name, s32 v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	switch (name) {
	case TCP_FASTOPEN:
		if (v < 0 || !is_fresh(sk))
			return -EINVAL;
		tcp_fastopen_init_key_once(sk->net);
		return tcp_fastopen_queue_tune(sk, v);
	case TCP_FASTOPEN_CONNECT:
		if (v < 0 || v > 1)
			return -EINVAL;
		if (!(sk->net->sysctl.tcp_fastopen & TFO_CLIENT_ENABLE))
			return -EOPNOTSUPP;
		if (sk->sk_state != TCP_CLOSE)
			return -EINVAL;
		tp->fastopen_connect = (u32)v & 1;
		return 0;
	default: /* TCP_FASTOPEN_NO_COOKIE */
		if (v < 0 || v > 1 || !is_fresh(sk))
			return -EINVAL;
		tp->fastopen_no_cookie = (u32)v & 1;
		return 0;
	}
}

static int set_fastopen_key(struct sock *sk, const u8 *val, u32 len)
{
	if (len != TCP_FASTOPEN_KEY_LENGTH && len != TCP_FASTOPEN_KEY_MAX * TCP_FASTOPEN_KEY_LENGTH)
		return -EINVAL;
	return tcp_fastopen_reset_cipher(sk->net, sk, val, len / TCP_FASTOPEN_KEY_LENGTH);
}

static u32 us_to_jiffies(s32 us)
{
	return ((u32)us + 999) / 1000;
}

static int set_int(struct sock *sk, u32 name, s32 v)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	int err = set_rare(sk, name, v);

	if (err != -ENOPROTOOPT)
		return err;
	switch (name) {
	case TCP_NODELAY:
		set_nodelay(sk, v != 0);
		return 0;
	case TCP_MAXSEG:
		return set_maxseg(tp, v);
	case TCP_CORK:
		set_cork(sk, v != 0);
		return 0;
	case TCP_SYNCNT:
		if (in_range(v, 1, (s32)MAX_TCP_SYNCNT))
			return -EINVAL;
		icsk->icsk_syn_retries = (u8)v;
		return 0;
	case TCP_DEFER_ACCEPT:
		return set_defer_accept(sk, v);
	case TCP_WINDOW_CLAMP:
		return set_window_clamp(sk, v);
	case TCP_QUICKACK:
		set_quickack(sk, v);
		return 0;
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
	case TCP_FASTOPEN_NO_COOKIE:
		return set_fastopen(sk, name, v);
	case TCP_INQ:
		if (in_range(v, 0, 1))
			return -EINVAL;
		tp->recvmsg_inq = (u32)v & 1;
		return 0;
	case TCP_SAVE_SYN:
		if (in_range(v, 0, 2))
			return -EINVAL;
		tp->save_syn = (u32)v & 3;
		return 0;
	case TCP_THIN_LINEAR_TIMEOUTS:
		if (in_range(v, 0, 1))
			return -EINVAL;
		tp->thin_lto = (u32)v & 1;
		return 0;
	case TCP_THIN_DUPACK: /* without effect in Linux too, since 4.15 */
		return in_range(v, 0, 1);
	case TCP_TIMESTAMP:
		return -EPERM; /* only to repair */
	case TCP_RTO_MIN_US:
		if (in_range(v, 1, (s32)TCP_RTO_MIN * 1000) || us_to_jiffies(v) < TCP_TIMEOUT_MIN)
			return -EINVAL;
		icsk->icsk_rto_min = us_to_jiffies(v);
		return 0;
	case TCP_DELACK_MAX_US:
		if (in_range(v, 1, (s32)TCP_DELACK_MAX * 1000) ||
		    us_to_jiffies(v) < TCP_TIMEOUT_MIN)
			return -EINVAL;
		icsk->icsk_delack_max = us_to_jiffies(v);
		return 0;
	case TCP_RTO_MAX_MS:
		if (in_range(v, 1000, (s32)TCP_RTO_MAX))
			return -EINVAL;
		icsk->icsk_rto_max = (u32)v;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_setsockopt(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len)
{
	s32 v;

	if (level != SOL_TCP)
		return inet_csk(sk)->icsk_af_ops->setsockopt(sk, level, name, val, len);
	if (name == TCP_CONGESTION)
		return len < 1 ? -EINVAL : tcp_set_congestion_control(sk, val, len);
	if (name == TCP_ULP) /* tcp_ulp_find_autoload: there is none */
		return len < 1 ? -EINVAL : -ENOENT;
	if (name == TCP_MD5SIG || name == TCP_MD5SIG_EXT)
		return tcp_parse_md5_keys(sk, name == TCP_MD5SIG_EXT, val, len);
	if (name >= TCP_AO_ADD_KEY && name <= TCP_AO_REPAIR)
		return tcp_ao_setsockopt(sk, name, val, len);
	if (name == TCP_FASTOPEN_KEY)
		return set_fastopen_key(sk, val, len);
	if (sock_get_int(val, len, &v))
		return -EINVAL;
	return set_int(sk, name, v);
}

/* ---- get ---- */

static int get_maxseg(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* Before the connection stands: what the user asked for. */
	if (tp->rx_opt.user_mss && (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN))
		return tp->rx_opt.user_mss;
	return (int)tp->mss_cache;
}

static int get_int(const struct sock *sk, u32 name, s32 *v)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct netns_sysctl *sysctl = &sk->net->sysctl;

	switch (name) {
	case TCP_NODELAY:
		*v = (tp->nonagle & TCP_NAGLE_OFF) != 0;
		break;
	case TCP_MAXSEG:
		*v = get_maxseg(sk);
		break;
	case TCP_CORK:
		*v = (tp->nonagle & TCP_NAGLE_CORK) != 0;
		break;
	case TCP_KEEPIDLE:
		*v = (s32)(keepalive_time_when(tp) / HZ);
		break;
	case TCP_KEEPINTVL:
		*v = (s32)(keepalive_intvl_when(tp) / HZ);
		break;
	case TCP_KEEPCNT:
		*v = (s32)keepalive_probes(tp);
		break;
	case TCP_SYNCNT:
		*v = icsk->icsk_syn_retries ? icsk->icsk_syn_retries : sysctl->tcp_syn_retries;
		break;
	case TCP_LINGER2:
		*v = tp->rare->options.linger2;
		if (*v >= 0)
			*v = *v ? *v / (s32)HZ : sysctl->tcp_fin_timeout;
		break;
	case TCP_DEFER_ACCEPT:
		*v = retrans_to_secs(icsk->icsk_accept_queue->rskq_defer_accept, TCP_TIMEOUT_INIT,
				     TCP_RTO_MAX);
		break;
	case TCP_WINDOW_CLAMP:
		*v = (s32)tp->window_clamp;
		break;
	case TCP_QUICKACK:
		*v = !inet_csk_in_pingpong_mode(sk);
		break;
	case TCP_USER_TIMEOUT:
		*v = (s32)tcp_sk(sk)->rare->options.user_timeout;
		break;
	case TCP_TX_DELAY:
		*v = (s32)tp->rare->options.tx_delay;
		break;
	case TCP_NOTSENT_LOWAT:
		*v = (s32)tp->rare->options.notsent_lowat;
		break;
	case TCP_INQ:
		*v = tp->recvmsg_inq;
		break;
	case TCP_SAVE_SYN:
		*v = tp->save_syn;
		break;
	case TCP_THIN_LINEAR_TIMEOUTS:
		*v = tp->thin_lto;
		break;
	case TCP_THIN_DUPACK:
		*v = 0;
		break;
	case TCP_TIMESTAMP:
		/* The lowest bit tells a clock of microseconds. */
		*v = (s32)((tcp_clock_ms(sk->net->host) + tp->tsoffset) & ~1u);
		break;
	case TCP_RTO_MIN_US:
		*v = (s32)icsk->icsk_rto_min * 1000;
		break;
	case TCP_DELACK_MAX_US:
		*v = (s32)icsk->icsk_delack_max * 1000;
		break;
	case TCP_FASTOPEN:
		*v = (s32)icsk->icsk_accept_queue->fastopenq.max_qlen;
		break;
	case TCP_FASTOPEN_CONNECT:
		*v = tp->fastopen_connect;
		break;
	case TCP_FASTOPEN_NO_COOKIE:
		*v = tp->fastopen_no_cookie;
		break;
	case TCP_RTO_MAX_MS:
		*v = (s32)icsk->icsk_rto_max;
		break;
	case TCP_IS_MPTCP: /* IPPROTO_TCP is what it is */
		*v = 0;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return 0;
}

static int get_bytes(u8 *val, u32 len, const void *from, u32 size)
{
	u32 n = min_u32(len, size);

	if (n)
		memcpy(val, from, n);
	return (int)n;
}

/* Given once. */
static int get_saved_syn(struct sock *sk, u8 *val, u32 len)
{
	const struct saved_syn *saved = tcp_sk(sk)->rare->saved_syn;
	int n;

	if (!saved)
		return 0;
	if (len < saved->len)
		return -EINVAL;
	n = get_bytes(val, len, saved->data, saved->len);
	tcp_saved_syn_free(sk->net, &tcp_rare_own(tcp_sk(sk))->saved_syn);
	return n;
}

static int get_cc_info(const struct sock *sk, u8 *val, u32 len)
{
	const struct tcp_congestion_ops *ca = inet_csk(sk)->icsk_ca_ops;
	u8 info[16];

	return ca->get_info ? get_bytes(val, len, info, ca->get_info(sk, info)) : 0;
}

int tcp_getsockopt(struct sock *sk, u32 level, u32 name, u8 *val, u32 len)
{
	u8 info[TCP_INFO_SIZE], ca[TCP_CA_NAME_MAX] = { 0 };
	u8 keys[TCP_FASTOPEN_KEY_MAX * TCP_FASTOPEN_KEY_LENGTH];
	s32 v;
	int err;

	if (level != SOL_TCP)
		return inet_csk(sk)->icsk_af_ops->getsockopt(sk, level, name, val, len);
	if (name == TCP_INFO) {
		tcp_get_info(sk, info);
		return get_bytes(val, len, info, sizeof(info));
	}
	if (name == TCP_CONGESTION) {
		const char *s = inet_csk(sk)->icsk_ca_ops->name;

		for (u32 i = 0; s[i] && i + 1 < sizeof(ca); i++)
			ca[i] = (u8)s[i];
		return get_bytes(val, len, ca, sizeof(ca));
	}
	if (name >= TCP_AO_INFO && name <= TCP_AO_REPAIR)
		return tcp_ao_getsockopt(sk, name, val, len);
	if (name == TCP_ULP)
		return 0;
	if (name == TCP_SAVED_SYN)
		return get_saved_syn(sk, val, len);
	if (name == TCP_CC_INFO)
		return get_cc_info(sk, val, len);
	if (name == TCP_FASTOPEN_KEY)
		return get_bytes(val, len, keys,
				 tcp_fastopen_get_cipher(sk->net, sk, keys) *
					 TCP_FASTOPEN_KEY_LENGTH);
	err = get_int(sk, name, &v);
	return err ? err : sock_put_int(val, len, v);
}
