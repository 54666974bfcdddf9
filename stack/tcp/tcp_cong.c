/* SPDX-License-Identifier: MIT */
/*
 * Congestion control's frame (net/ipv4/tcp_cong.c): choosing a module, telling it events, and the
 * steps that all modules share. A module decides about cwnd while no loss is being repaired; the
 * recovery states (tcp_recovery.c) move cwnd themselves.
 */
#include "lib/str.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_cong.h"

static const struct tcp_congestion_ops *const modules[] = {
	&tcp_reno,
	&tcp_cubic,
	&tcp_dctcp,
};

const char *tcp_ca_name(u32 index)
{
	return index < ARRAY_SIZE(modules) ? modules[index]->name : NULL;
}

s32 tcp_ca_index(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(modules); i++)
		if (str_eq(modules[i]->name, name))
			return (s32)i;
	return -1;
}

static const struct tcp_congestion_ops *tcp_ca_find(const u8 *name, u32 len)
{
	for (u32 i = 0; i < ARRAY_SIZE(modules); i++)
		if (str_eq_n(modules[i]->name, (const char *)name, len))
			return modules[i];
	return NULL;
}

/* One that needs ECN has it on every segment. */
static void mark_ecn(struct sock *sk)
{
	if (tcp_ca_needs_ecn(sk))
		INET_ECN_xmit(sk);
	else
		INET_ECN_dontxmit(sk);
}

void tcp_assign_congestion_control(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_ca_ops = modules[sk->net->sysctl.tcp_congestion_control];
	memset(icsk->icsk_ca_priv, 0, sizeof(icsk->icsk_ca_priv));
	mark_ecn(sk);
}

void tcp_init_congestion_control(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (tcp_loss_seen(tcp_sk(sk)))
		tcp_loss_own(tcp_sk(sk))->prior_ssthresh = 0;
	if (icsk->icsk_ca_ops->init)
		icsk->icsk_ca_ops->init(sk);
	mark_ecn(sk);
	icsk->icsk_ca_initialized = 1;
}

void tcp_cleanup_congestion_control(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ca_initialized && icsk->icsk_ca_ops->release)
		icsk->icsk_ca_ops->release(sk);
	icsk->icsk_ca_initialized = 0;
}

void tcp_ca_dst_init(struct sock *sk, const struct dst_entry *dst)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 key = dst ? dst_metric(dst, RTAX_CC_ALGO) : 0;

	if (!key || key > ARRAY_SIZE(modules) || icsk->icsk_ca_ops == modules[key - 1])
		return;
	tcp_cleanup_congestion_control(sk);
	icsk->icsk_ca_ops = modules[key - 1];
	memset(icsk->icsk_ca_priv, 0, sizeof(icsk->icsk_ca_priv));
	mark_ecn(sk);
}

int tcp_set_congestion_control(struct sock *sk, const u8 *name, u32 len)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_congestion_ops *ca;
	u32 n = 0;

	while (n < len && n < TCP_CA_NAME_MAX - 1 && name[n])
		n++;
	ca = tcp_ca_find(name, n);
	if (!ca)
		return -ENOENT;
	icsk->icsk_ca_setsockopt = 1;
	if (ca == icsk->icsk_ca_ops)
		return 0;
	tcp_cleanup_congestion_control(sk);
	icsk->icsk_ca_ops = ca;
	memset(icsk->icsk_ca_priv, 0, sizeof(icsk->icsk_ca_priv));
	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN)
		tcp_init_congestion_control(sk);
	else
		mark_ecn(sk);
	return 0;
}

void tcp_set_ca_state(struct sock *sk, u8 ca_state)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ca_ops->set_state)
		icsk->icsk_ca_ops->set_state(sk, ca_state);
	icsk->icsk_ca_state = ca_state;
}

void tcp_ca_event(struct sock *sk, enum tcp_ca_event event)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ca_ops->cwnd_event)
		icsk->icsk_ca_ops->cwnd_event(sk, event);
}

bool tcp_is_cwnd_limited(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->is_cwnd_limited)
		return true;
	/* Slow start: as long as half of it is used (RFC 7661 in spirit). */
	return tcp_in_slow_start(tp) && tp->snd_cwnd < 2 * tp->max_packets_out;
}

u32 tcp_slow_start(struct tcp_sock *tp, u32 acked)
{
	u32 cwnd;

	/* RFC 5681 3.1: no more than one segment for an ACK, however much it acknowledges. */
	if (tp->inet_conn.icsk_inet.net->sysctl.rfc_congestion)
		acked = min_u32(acked, 1);
	cwnd = min_u32(tp->snd_cwnd + acked, tp->snd_ssthresh);
	acked -= cwnd - tp->snd_cwnd;
	tcp_snd_cwnd_set(tp, min_u32(cwnd, tp->snd_cwnd_clamp));
	return acked;
}

/* RFC 5681 3.1: one segment more for every w acknowledged (equation 3 with byte counting). */
void tcp_cong_avoid_ai(struct tcp_sock *tp, u32 w, u32 acked)
{
	if (tp->snd_cwnd_cnt >= w) {
		tp->snd_cwnd_cnt = 0;
		tcp_snd_cwnd_set(tp, tp->snd_cwnd + 1);
	}
	tp->snd_cwnd_cnt += acked;
	if (tp->snd_cwnd_cnt >= w) {
		u32 delta = tp->snd_cwnd_cnt / w;

		tp->snd_cwnd_cnt -= delta * w;
		tcp_snd_cwnd_set(tp, tp->snd_cwnd + delta);
	}
	tcp_snd_cwnd_set(tp, min_u32(tp->snd_cwnd, tp->snd_cwnd_clamp));
}

/* RFC 5681 3.1 equation (1), in segments. */
static u32 initial_window_5681(const struct tcp_sock *tp)
{
	if (tp->mss_cache > 2190)
		return 2;
	return tp->mss_cache > 1095 ? 3 : 4;
}

/* Linux's window is that of RFC 6928; profile rfc (tapline.rfc.congestion) keeps to RFC 5681. */
u32 tcp_init_cwnd(const struct tcp_sock *tp, const struct dst_entry *dst)
{
	u32 cwnd = dst ? dst_metric(dst, RTAX_INITCWND) : 0;

	if (!cwnd)
		cwnd = tp->inet_conn.icsk_inet.net->sysctl.rfc_congestion ?
			       initial_window_5681(tp) :
			       TCP_INIT_CWND;
	return min_u32(cwnd, tp->snd_cwnd_clamp);
}
