/* SPDX-License-Identifier: MIT */
/*
 * SYN-SENT (RFC 9293 3.10.7.3): the answer to our SYN, the SYN of a simultaneous open, resets; and
 * the moment when a connection stands (tcp_finish_connect, tcp_init_transfer).
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_metrics.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

void tcp_init_transfer(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	(void)skb;
	tcp_mtup_init(sk);
	inet_csk(sk)->icsk_af_ops->rebuild_header(sk);
	tcp_init_metrics(sk);
	/* RFC 5681 3.1: one segment when the SYN or SYN-ACK was lost; Linux: lost twice (RFC 6928
	 * 2). */
	if ((tp->loss->total_retrans > 1 && tp->loss->undo_marker) ||
	    (tp->loss->total_retrans && sk->net->sysctl.rfc_congestion))
		tcp_snd_cwnd_set(tp, 1);
	else
		tcp_snd_cwnd_set(tp, max_u32(tcp_init_cwnd(tp, sk->dst_cache), 1));
	tp->snd_cwnd_stamp = tcp_jiffies32(sk);
	/* TCP_CONGESTION may have come while it opened: what the module has learned since stays. */
	if (!inet_csk(sk)->icsk_ca_initialized)
		tcp_init_congestion_control(sk);
	tcp_init_buffer_space(sk);
	tp->rcv_mwnd_seq = tp->rcv_wup + tp->rcv_wnd;
}

void tcp_finish_connect(struct sock *sk, struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->rare->auth && skb)
		tcp_ao_synsent_syn(sk, TCP_SKB_CB(skb)->seq);
	tcp_set_state(sk, TCP_ESTABLISHED);
	icsk->icsk_ack.lrcvtime = tcp_jiffies32(sk);
	if (skb && icsk->icsk_af_ops->sk_rx_dst_set)
		icsk->icsk_af_ops->sk_rx_dst_set(sk, skb);
	tcp_init_transfer(sk, skb);
	tp->lsndtime = tcp_jiffies32(sk);
	if (sk->sk_flags & SOCK_KEEPOPEN)
		tcp_reset_keepalive_timer(sk, keepalive_time_when(tp));
	if (!tp->rx_opt.snd_wscale)
		tcp_fast_path_on(tp);
	else
		tp->pred_flags = 0;
}

static void store_syn_timestamp(struct tcp_sock *tp)
{
	if (!tp->rx_opt.saw_tstamp) {
		tp->tcp_header_len = TCP_HLEN;
		return;
	}
	tp->rx_opt.tstamp_ok = 1;
	tp->tcp_header_len = TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED;
	tp->rx_opt.ts_recent = tp->rx_opt.rcv_tsval;
	tp->rx_opt.ts_recent_stamp = tcp_clock_seconds(tp->inet_conn.icsk_inet.net->host);
}

static void forget_options(struct tcp_sock *tp, u16 saved_clamp)
{
	tcp_clear_options(&tp->rx_opt);
	tp->rx_opt.mss_clamp = saved_clamp;
}

/* The retransmission of our SYN was needless (RFC 3522 in spirit). */
static void undo_spurious_syn(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 syn_stamp = tp->retrans_stamp;

	if (tp->loss->undo_marker && syn_stamp && tp->rx_opt.saw_tstamp &&
	    syn_stamp == tp->rx_opt.rcv_tsecr)
		tcp_loss_own(tp)->undo_marker = 0;
}

/* SYN and ACK that fits: ESTABLISHED. Takes skb. */
static void synsent_synack(struct sock *sk, struct sk_buff *skb, struct tcp_fastopen_cookie *foc)
{
	bool fastopen_fail;

	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	tcp_ecn_rcv_synack(sk, skb);
	tp->snd_wl1 = cb->seq;
	undo_spurious_syn(sk);
	tcp_ack(sk, skb, FLAG_SLOWPATH);
	tp->rcv_nxt = cb->seq + 1;
	tp->rcv_wup = cb->seq + 1;
	tp->rcv_mwnd_seq = tp->rcv_wup + tp->rcv_wnd;
	tp->snd_wnd = tcp_window(tcp_hdr(skb)); /* never scaled (RFC 7323 2.2) */
	if (!tp->rx_opt.wscale_ok) {
		tp->rx_opt.snd_wscale = 0;
		tp->rx_opt.rcv_wscale = 0;
		tp->window_clamp = min_u32(tp->window_clamp, 65535);
	}
	store_syn_timestamp(tp);
	if (tp->rx_opt.tstamp_ok)
		tp->advmss = (u16)(tp->advmss - TCPOLEN_TSTAMP_ALIGNED);
	tcp_mtup_init(sk);
	tcp_sync_mss(sk, icsk->icsk_pmtu_cookie);
	tcp_initialize_rcv_mss(sk);
	tp->copied_seq = tp->rcv_nxt;
	tcp_finish_connect(sk, skb);
	fastopen_fail = (tp->syn_fastopen || tp->syn_data) && tcp_rcv_fastopen_synack(sk, skb, foc);
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_state_change(sk);
	if (fastopen_fail) {
		/* The data that goes again has carried the ACK. */
		tcp_urg(sk, skb, tcp_hdr(skb));
		consume_skb(skb);
		tcp_data_snd_check(sk);
		return;
	}
	if (sk->sk_write_pending || icsk->icsk_accept_queue->rskq_defer_accept ||
	    inet_csk_in_pingpong_mode(sk)) {
		/* Data of ours will carry the ACK. */
		inet_csk_schedule_ack(sk);
		icsk->icsk_ack.lrcvtime = tcp_jiffies32(sk);
		tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
		inet_csk_reset_delack_timer(sk, TCP_DELACK_MAX, TCP_RTO_MAX);
		consume_skb(skb);
		return;
	}
	if (tcp_ecn_mode_accecn(tp))
		tcp_send_ack_reflect_ect(sk);
	else
		tcp_send_ack(sk);
	tcp_urg(sk, skb, tcp_hdr(skb));
	consume_skb(skb);
	tcp_data_snd_check(sk);
}

/* A bare SYN: simultaneous open (RFC 9293 3.5 figure 7). Takes skb. */
static void synsent_syn(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = TCP_SKB_CB(skb)->seq;

	tcp_ao_synsent_syn(sk, seq);
	tcp_set_state(sk, TCP_SYN_RECV);
	store_syn_timestamp(tp);
	tp->rcv_nxt = seq + 1;
	tp->copied_seq = tp->rcv_nxt;
	tp->rcv_wup = seq + 1;
	tp->rcv_mwnd_seq = tp->rcv_wup + tp->rcv_wnd;
	tp->snd_wnd = tcp_window(tcp_hdr(skb));
	tp->snd_wl1 = seq;
	tp->max_window = tp->snd_wnd;
	tcp_ecn_rcv_syn(sk, skb);
	/* Linux goes on to scale what it announces, though the peer has not said that it would (RFC
	 * 7323 2.2). */
	if (!tp->rx_opt.wscale_ok && net_world(sk->net)->profile_rfc) {
		tp->rx_opt.snd_wscale = 0;
		tp->rx_opt.rcv_wscale = 0;
		tp->window_clamp = min_u32(tp->window_clamp, 65535);
	}
	tcp_mtup_init(sk);
	tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
	tcp_initialize_rcv_mss(sk);
	tcp_send_synack(sk);
	consume_skb(skb);
}

/* With an ACK. As tcp_rcv_state_process(). */
static int synsent_ack(struct sock *sk, struct sk_buff *skb, u16 saved_clamp,
		       struct tcp_fastopen_cookie *foc)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 ack = TCP_SKB_CB(skb)->ack_seq;
	u8 flags = tcp_flags(tcp_hdr(skb));

	if (!after(ack, tp->snd_una) || after(ack, tp->snd_nxt)) {
		/* An old connection's answer: try again soon, the reset clears the way. */
		if (!inet_csk(sk)->icsk_retransmits)
			inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_TIMEOUT_MIN,
						  TCP_RTO_MAX);
		forget_options(tp, saved_clamp);
		return SK_RST_REASON_TCP_INVALID_ACK_SEQUENCE;
	}
	if (tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr &&
	    !between(tp->rx_opt.rcv_tsecr, tp->retrans_stamp, tcp_time_stamp_ms(tp))) {
		MIB_INC(sk->net, TcpExtPAWSActive);
		forget_options(tp, saved_clamp);
		return SK_RST_REASON_TCP_RFC7323_PAWS;
	}
	if (flags & TCPHDR_RST) {
		tcp_reset(sk, skb);
		kfree_skb_reason(skb, SKB_DROP_REASON_TCP_RESET);
		return 0;
	}
	if (!(flags & TCPHDR_SYN)) {
		forget_options(tp, saved_clamp);
		tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_FLAGS);
		return 0;
	}
	synsent_synack(sk, skb, foc);
	return 0;
}

int tcp_rcv_synsent_state_process(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u16 saved_clamp = tp->rx_opt.mss_clamp;
	struct tcp_fastopen_cookie foc = { .len = -1 };
	u8 flags = tcp_flags(tcp_hdr(skb));
	enum skb_drop_reason reason = SKB_DROP_REASON_TCP_FLAGS;

	tcp_mstamp_refresh(tp);
	tcp_parse_options(sk->net, skb, &tp->rx_opt, false, &foc);
	if (tp->rx_opt.saw_tstamp && tp->rx_opt.rcv_tsecr)
		tp->rx_opt.rcv_tsecr -= tp->tsoffset;
	if (flags & TCPHDR_ACK)
		return synsent_ack(sk, skb, saved_clamp, &foc);
	if (flags & TCPHDR_RST) {
		reason = SKB_DROP_REASON_TCP_RESET;
	} else if (tp->rx_opt.ts_recent_stamp && tp->rx_opt.saw_tstamp &&
		   tcp_paws_reject(sk->net->host, &tp->rx_opt, false)) {
		reason = SKB_DROP_REASON_TCP_RFC7323_PAWS;
	} else if (flags & TCPHDR_SYN) {
		synsent_syn(sk, skb);
		return 0;
	}
	forget_options(tp, saved_clamp);
	tcp_drop_reason(sk, skb, reason);
	return 0;
}
