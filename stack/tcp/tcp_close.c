/* SPDX-License-Identifier: MIT */
/*
 * States and the end of a connection: close, shutdown, disconnect (RFC 9293 3.10.4, 3.10.5), the
 * transition itself with its counters, the last step of a dead one.
 *
 * Invariants: a socket in CLOSED is in no table and has no timer armed; only an orphan is destroyed
 * by the stack.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_ofo_queue.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

void tcp_set_state(struct sock *sk, u8 state)
{
	u8 old = sk->sk_state;
	bool was_open = old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT;

	switch (state) {
	case TCP_ESTABLISHED:
		if (old != TCP_ESTABLISHED)
			MIB_INC(sk->net, TcpCurrEstab);
		break;
	case TCP_CLOSE_WAIT:
		if (old == TCP_SYN_RECV)
			MIB_INC(sk->net, TcpCurrEstab);
		break;
	case TCP_CLOSE:
		if (was_open)
			MIB_INC(sk->net, TcpEstabResets);
		sk->prot->unhash(sk);
		if (inet_csk(sk)->icsk_bind.tb2 && !(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
			inet_put_port(sk);
		/* fallthrough */
	default:
		if (was_open)
			MIB_DEC(sk->net, TcpCurrEstab);
	}
	trace(net_world(sk->net), sk->net->host, TRACE_INET_SOCK_SET_STATE, sk->inet_num,
	      sk->inet_dport, old, state);
	sk->sk_state = state;
}

void tcp_done(struct sock *sk)
{
	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		MIB_INC(sk->net, TcpAttemptFails);
	tcp_set_state(sk, TCP_CLOSE);
	tcp_clear_xmit_timers(sk);
	if (tcp_sk(sk)->rare->fastopen_rsk)
		tcp_fastopen_remove(sk, false);
	sk->sk_shutdown = SHUTDOWN_MASK;
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_state_change(sk);
	else
		inet_csk_destroy_sock(sk);
}

void tcp_write_queue_purge(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&sk->write_queue)) != NULL)
		tcp_wmem_free_skb(sk, skb);
	tcp_rtx_queue_purge(sk);
	tp->packets_out = 0; /* lost_out, sacked_out and retrans_out tell of the end */
	inet_csk(sk)->icsk_backoff = 0;
	tcp_chrono_stop(sk, TCP_CHRONO_BUSY);
}

u32 tcp_fin_time(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 rto = inet_csk(sk)->icsk_rto;
	u32 timeout = tp->rare->options.linger2 > 0 ? (u32)tp->rare->options.linger2 :
						      (u32)sk->net->sysctl.tcp_fin_timeout * HZ;

	return max_u32(timeout, (rto << 2) - (rto >> 1));
}

/* The state after the user's CLOSE. True: a FIN is to be sent (RFC 9293 3.10.4). */
static bool tcp_close_state(struct sock *sk)
{
	switch (sk->sk_state) {
	case TCP_ESTABLISHED:
	case TCP_SYN_RECV:
		tcp_set_state(sk, TCP_FIN_WAIT1);
		return true;
	case TCP_CLOSE_WAIT:
		tcp_set_state(sk, TCP_LAST_ACK);
		return true;
	case TCP_SYN_SENT:
	case TCP_LISTEN:
		tcp_set_state(sk, TCP_CLOSE);
		return false;
	default:
		return false;
	}
}

void tcp_shutdown(struct sock *sk, int how)
{
	if (!(how & SEND_SHUTDOWN))
		return;
	/* In SYN-RECEIVED it waits for the handshake's end. */
	if (sk->sk_state == TCP_ESTABLISHED || sk->sk_state == TCP_SYN_SENT ||
	    sk->sk_state == TCP_CLOSE_WAIT)
		if (tcp_close_state(sk))
			tcp_send_fin(sk);
}

/* A segment of the receive queue with data that nobody has read. */
static bool unread_data(const struct sock *sk, const struct sk_buff *skb)
{
	u32 end = TCP_SKB_CB(skb)->end_seq - (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN ? 1 : 0);

	return after(end, tcp_sk(sk)->copied_seq);
}

/* Throws away what was not read. True: there was some. */
static bool flush_receive_queue(struct sock *sk)
{
	bool unread = false;
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&sk->receive_queue)) != NULL) {
		unread |= unread_data(sk, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_SOCKET_CLOSE);
	}
	return unread;
}

static void close_by_state(struct sock *sk)
{
	bool unread;

	if (sk->sk_state == TCP_LISTEN) {
		tcp_set_state(sk, TCP_CLOSE);
		inet_csk_listen_stop(sk);
		return;
	}
	unread = flush_receive_queue(sk);
	if (sk->sk_state == TCP_CLOSE)
		return;
	if (unread) {
		/* RFC 2525 2.17, RFC 9293 3.6.1: data is lost: the peer is to know. */
		MIB_INC(sk->net, TcpExtTCPAbortOnClose);
		tcp_set_state(sk, TCP_CLOSE);
		tcp_send_active_reset(sk, SK_RST_REASON_TCP_ABORT_ON_CLOSE);
	} else if ((sk->sk_flags & SOCK_LINGER) && !sk->sk_rare->lingertime_s) {
		sk->prot->disconnect(sk);
		MIB_INC(sk->net, TcpExtTCPAbortOnData);
	} else if (tcp_close_state(sk)) {
		tcp_send_fin(sk);
	}
}

/* An orphan in FIN-WAIT-2 lives as something smaller. True: sk is gone. */
static bool orphan_to_timewait(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 tmo;

	if (tp->rare->options.linger2 < 0) {
		tcp_set_state(sk, TCP_CLOSE);
		tcp_send_active_reset(sk, SK_RST_REASON_TCP_ABORT_ON_LINGER);
		MIB_INC(sk->net, TcpExtTCPAbortOnLinger);
		return false;
	}
	tmo = tcp_fin_time(sk);
	if (tmo > TCP_TIMEWAIT_LEN) {
		tcp_reset_keepalive_timer(sk, tmo - TCP_TIMEWAIT_LEN);
		return false;
	}
	tcp_time_wait(sk, TCP_FIN_WAIT2, tmo);
	return true;
}

bool tcp_lingers(struct sock *sk, bool begin)
{
	if (begin) {
		const struct sk_buff *last = sk->receive_queue.qlen ? sk->receive_queue.prev : NULL;

		/* What resets or ends at once is close's own. */
		if ((sk->sk_state != TCP_ESTABLISHED && sk->sk_state != TCP_CLOSE_WAIT &&
		     sk->sk_state != TCP_FIN_WAIT1 && sk->sk_state != TCP_CLOSING &&
		     sk->sk_state != TCP_LAST_ACK) ||
		    (last && unread_data(sk, last)))
			return false;
		sk->sk_shutdown = SHUTDOWN_MASK;
		if (tcp_close_state(sk))
			tcp_send_fin(sk);
	}
	/* sk_stream_closing() */
	return sk->sk_state == TCP_FIN_WAIT1 || sk->sk_state == TCP_CLOSING ||
	       sk->sk_state == TCP_LAST_ACK;
}

void tcp_close(struct sock *sk)
{
	sk->sk_shutdown = SHUTDOWN_MASK;
	close_by_state(sk);
	sock_orphan(sk);
	inet_csk_orphan_add(sk, 1);
	if (sk->sk_state == TCP_FIN_WAIT2 && orphan_to_timewait(sk))
		return;
	if (sk->sk_state != TCP_CLOSE && tcp_check_oom(sk, 0)) {
		tcp_set_state(sk, TCP_CLOSE);
		tcp_send_active_reset(sk, SK_RST_REASON_TCP_ABORT_ON_MEMORY);
		MIB_INC(sk->net, TcpExtTCPAbortOnMemory);
	}
	if (sk->sk_state != TCP_CLOSE)
		return;
	/* Data that nobody read, before the handshake was over. */
	if (tcp_sk(sk)->rare->fastopen_rsk)
		tcp_fastopen_remove(sk, false);
	inet_csk_destroy_sock(sk);
}

static bool need_reset(u8 state)
{
	return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT || state == TCP_FIN_WAIT1 ||
	       state == TCP_FIN_WAIT2 || state == TCP_SYN_RECV;
}

/* A socket as new, but for what the user has set, the numbers it must not use again, and what Linux
 * forgets: icsk_retransmits, which the next connect() clears, and timeout_rehash. */
static void tcp_reinit(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u16 user_mss = tp->rx_opt.user_mss;

	tp->write_seq += tp->max_window + 2;
	if (!tp->write_seq)
		tp->write_seq = 1;
	tp->srtt_us = 0;
	tp->mdev_us = TCP_TIMEOUT_INIT * 1000;
	tp->rcv_rtt_last_tsecr = 0;
	tp->rcv_rtt_us = 0;
	icsk->icsk_backoff = 0;
	icsk->icsk_probes_out = 0;
	icsk->icsk_probes_tstamp = 0;
	icsk->icsk_rto = TCP_TIMEOUT_INIT;
	tcp_cleanup_congestion_control(sk);
	tcp_set_ca_state(sk, TCP_CA_Open);
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tcp_snd_cwnd_set(tp, TCP_INIT_CWND);
	tp->snd_cwnd_cnt = 0;
	tp->is_cwnd_limited = 0;
	tp->max_packets_out = 0;
	tp->window_clamp = 0;
	tp->delivered = 0;
	tp->delivered_ce = 0;
	tcp_accecn_free(sk);
	tp->ecn_flags = 0;
	tp->is_sack_reneg = 0;
	tcp_clear_retrans(tp);
	tcp_loss_reset(sk);
	inet_csk_delack_init(sk);
	icsk->icsk_ack.rcv_mss = TCP_MIN_MSS;
	memset(&tp->rx_opt, 0, sizeof(tp->rx_opt));
	tp->rx_opt.user_mss = user_mss;
	tp->bytes_acked = 0;
	tp->bytes_received = 0;
	tp->bytes_sent = 0;
	tp->data_segs_in = 0;
	tp->data_segs_out = 0;
	tp->segs_in = 0;
	tp->segs_out = 0;
	tp->retrans_stamp = 0;
	tp->syn_fastopen = 0;
	tp->syn_data = 0;
	tp->syn_data_acked = 0;
	tp->syn_fastopen_child = 0;
	tp->fastopen_client_fail = 0;
	tp->defer_connect = 0;
	tp->urg_data = 0;
	tp->copied_seq = tp->rcv_nxt;
	tp->rate_app_limited = 1;
	tp->rack = (struct tcp_rack){ .reo_wnd_steps = 1 };
}

int tcp_disconnect(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 old = sk->sk_state;

	if (old != TCP_CLOSE)
		tcp_set_state(sk, TCP_CLOSE);
	if (old == TCP_LISTEN) {
		inet_csk_listen_stop(sk);
	} else if (need_reset(old)) {
		tcp_send_active_reset(sk, SK_RST_REASON_TCP_STATE);
		sk->sk_err = ECONNRESET;
	} else if (tp->snd_nxt != tp->write_seq && (old == TCP_CLOSING || old == TCP_LAST_ACK)) {
		tcp_send_active_reset(sk, SK_RST_REASON_TCP_DISCONNECT_WITH_DATA);
		sk->sk_err = ECONNRESET;
	} else if (old == TCP_SYN_SENT) {
		sk->sk_err = ECONNRESET;
	}
	tcp_clear_xmit_timers(sk);
	if (tp->rare->fastopen_rsk)
		tcp_fastopen_remove(sk, false);
	if (tp->rare->saved_syn)
		tcp_saved_syn_free(sk->net, &tcp_rare_own(tp)->saved_syn);
	skb_queue_purge_reason(&sk->receive_queue, SKB_DROP_REASON_SOCKET_CLOSE);
	tcp_write_queue_purge(sk);
	tcp_ofo_queue_purge(sk);
	sk->inet_dport = 0;
	inet_bhash2_reset_saddr(sk);
	sk->sk_shutdown = 0;
	sk->sk_flags &= ~SOCK_DONE;
	tcp_reinit(sk);
	sk_dst_reset(sk);
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_error_report(sk);
	return 0;
}
