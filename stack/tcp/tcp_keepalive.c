/* SPDX-License-Identifier: MIT */
/*
 * Keepalive (RFC 9293 3.8.4; tcp_keepalive_timer of net/ipv4/tcp_timer.c): an idle connection's
 * peer is asked whether it is still there. The same timer ends an orphan in FIN-WAIT-2.
 *
 * As the others (tcp_timer.c) it may fire before its time, and its handler may end the socket.
 */
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

/* ---- options and what they leave to the sysctls ---- */

u32 keepalive_time_when(const struct tcp_sock *tp)
{
	u32 v = tp->rare->options.keepalive_time;

	return v ? v : (u32)tp->inet_conn.icsk_inet.net->sysctl.tcp_keepalive_time * HZ;
}

u32 keepalive_intvl_when(const struct tcp_sock *tp)
{
	u32 v = tp->rare->options.keepalive_intvl;

	return v ? v : (u32)tp->inet_conn.icsk_inet.net->sysctl.tcp_keepalive_intvl * HZ;
}

u32 keepalive_probes(const struct tcp_sock *tp)
{
	u32 v = tp->rare->options.keepalive_probes;

	return v ? v : (u32)tp->inet_conn.icsk_inet.net->sysctl.tcp_keepalive_probes;
}

u32 keepalive_time_elapsed(const struct tcp_sock *tp)
{
	u32 now = tcp_jiffies32(&tp->inet_conn.icsk_inet);

	return min_u32(now - tp->inet_conn.icsk_ack.lrcvtime, now - tp->rcv_tstamp);
}

void tcp_reset_keepalive_timer(struct sock *sk, u32 len)
{
	inet_csk_reset_keepalive_timer(sk, len);
}

void tcp_set_keepalive(struct sock *sk, bool on)
{
	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	if (on && !(sk->sk_flags & SOCK_KEEPOPEN))
		inet_csk_reset_keepalive_timer(sk, keepalive_time_when(tcp_sk(sk)));
	else if (!on)
		inet_csk_delete_keepalive_timer(sk);
}

/* ---- the timer ---- */

/* An orphan has waited long enough for the peer's FIN. */
static void orphan_fin_wait2(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->rare->options.linger2 >= 0) {
		s32 tmo = (s32)(tcp_fin_time(sk) - TCP_TIMEWAIT_LEN);

		if (tmo > 0) {
			tcp_time_wait(sk, TCP_FIN_WAIT2, (u32)tmo);
			return;
		}
	}
	tcp_send_active_reset(sk, SK_RST_REASON_TCP_STATE);
	tcp_done(sk);
}

/* A probe is due. jiffies to the next look; 0: the connection is over. */
static u32 keepalive_probe(struct sock *sk, u32 elapsed)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 user_timeout = tcp_sk(sk)->rare->options.user_timeout;

	if (user_timeout ? elapsed >= user_timeout && icsk->icsk_probes_out > 0 :
			   icsk->icsk_probes_out >= keepalive_probes(tp)) {
		tcp_send_active_reset(sk, SK_RST_REASON_TCP_KEEPALIVE_TIMEOUT);
		tcp_write_err(sk);
		return 0;
	}
	if (tcp_write_wakeup(sk, MIB_TcpExtTCPKeepAlive) <= 0) {
		icsk->icsk_probes_out++;
		return keepalive_intvl_when(tp);
	}
	return TCP_RESOURCE_PROBE_INTERVAL;
}

void tcp_keepalive_timer_handler(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 next, elapsed;

	if (!icsk->icsk_keepalive_timeout || sk->sk_state == TCP_LISTEN)
		return;
	if (inet_csk_not_due(sk, icsk->icsk_keepalive_timeout)) {
		inet_csk_timer_at(sk, ICSK_TIMER_KEEPALIVE, icsk->icsk_keepalive_timeout);
		return;
	}
	icsk->icsk_keepalive_timeout = 0;
	tcp_mstamp_refresh(tcp_sk(sk));
	if (sk->sk_state == TCP_FIN_WAIT2 && sk->sk_flags & SOCK_DEAD) {
		orphan_fin_wait2(sk);
		return;
	}
	if (!(sk->sk_flags & SOCK_KEEPOPEN) || sk->sk_state == TCP_CLOSE ||
	    sk->sk_state == TCP_SYN_SENT)
		return;
	next = keepalive_time_when(tp);
	/* What is under way is timed by itself. */
	if (!tp->packets_out && tcp_write_queue_empty(sk)) {
		elapsed = keepalive_time_elapsed(tp);
		next = elapsed >= next ? keepalive_probe(sk, elapsed) : next - elapsed;
		if (!next)
			return;
	}
	inet_csk_reset_keepalive_timer(sk, next);
}
