/* SPDX-License-Identifier: MIT */
/*
 * Segments that arrive, event processing in the order of RFC 9293 3.10.7: sequence number, RST,
 * SYN (tcp_validate.c), ACK (tcp_ack.c), URG, data (tcp_data.c), FIN. tcp_rcv_established() is
 * ESTABLISHED with header prediction, tcp_rcv_state_process() the other states; SYN-SENT is in
 * tcp_synsent.c.
 *
 * The caller holds a reference to the socket: it may be closed and let go of here.
 */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_metrics.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_syn.h"
#include "tcp/tcp_undo.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_ofo_queue.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"
#include "tcp/tcp_validate.h"

/* Bits of the word at 12 that header prediction does not look at: reserved ones and PSH. */
#define TCP_HP_BITS (~(0x0e000000u | (u32)TCPHDR_PSH << 16))

void tcp_drop_reason(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason)
{
	sk->sk_drops++;
	kfree_skb_reason(skb, reason);
}

/* ---- the end ---- */

/* The other side broke the connection off: what waits is thrown away, the user is told. */
void tcp_reset_with(struct sock *sk, s32 err)
{
	sk->sk_err = (s16)err;
	tcp_write_queue_purge(sk);
	tcp_done(sk);
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_error_report(sk);
}

/* RFC 9293 3.10.7.4. */
void tcp_reset(struct sock *sk, struct sk_buff *skb)
{
	(void)skb;
	switch (sk->sk_state) {
	case TCP_SYN_SENT:
		tcp_reset_with(sk, ECONNREFUSED);
		break;
	case TCP_SYN_RECV: /* from SYN-SENT: a passive one is a request yet */
		tcp_reset_with(sk, sk->net->sysctl.rfc_syn_received ? ECONNREFUSED : ECONNRESET);
		break;
	case TCP_CLOSE_WAIT:
		tcp_reset_with(sk, EPIPE);
		break;
	case TCP_CLOSE:
		break;
	default:
		tcp_reset_with(sk, ECONNRESET);
	}
}

/* RFC 9293 3.10.7.4 eighth. */
void tcp_fin(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	inet_csk_schedule_ack(sk);
	sk->sk_shutdown |= RCV_SHUTDOWN;
	sk->sk_flags |= SOCK_DONE;
	switch (sk->sk_state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		tcp_set_state(sk, TCP_CLOSE_WAIT);
		inet_csk_enter_pingpong_mode(sk);
		break;
	case TCP_FIN_WAIT1:
		/* Simultaneous close. */
		tcp_send_ack(sk);
		tcp_set_state(sk, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT2:
		tcp_send_ack(sk);
		tcp_time_wait(sk, TCP_TIME_WAIT, 0);
		break;
	default:
		/* CLOSE-WAIT, CLOSING, LAST-ACK: it came again. */
		break;
	}
	/* What lies behind a FIN is no part of the stream. */
	tcp_ofo_queue_purge(sk);
	if (tcp_is_sack(tp)) {
		tp->rx_opt.dsack = 0;
		tp->rx_opt.num_sacks = 0;
	}
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_state_change(sk);
}

/* ---- ESTABLISHED ---- */

/* Header prediction (Van Jacobson): may this segment take the short way? */
static bool predicted(struct tcp_sock *tp, const struct sk_buff *skb, const u8 *th)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	if ((get_be32(th + 12) & TCP_HP_BITS) != tp->pred_flags || cb->seq != tp->rcv_nxt ||
	    after(cb->ack_seq, tp->snd_nxt))
		return false;
	if (tp->tcp_header_len != TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED)
		return tp->tcp_header_len == TCP_HLEN;
	if (get_be32(th + TCP_HLEN) != 0x0101080a)
		return false;
	tp->rx_opt.saw_tstamp = 1;
	tp->rx_opt.rcv_tsval = get_be32(th + TCP_HLEN + 4);
	tp->rx_opt.rcv_tsecr = get_be32(th + TCP_HLEN + 8);
	if (tp->rx_opt.rcv_tsecr)
		tp->rx_opt.rcv_tsecr -= tp->tsoffset;
	return (s32)(tp->rx_opt.rcv_tsval - tp->rx_opt.ts_recent) >= 0;
}

static void predicted_ts_recent(struct tcp_sock *tp)
{
	if (tp->rx_opt.saw_tstamp && tp->rcv_nxt == tp->rcv_wup)
		tcp_replace_ts_recent(tp, tp->rcv_nxt);
}

/* Next in order, nothing unusual. Takes skb. */
static void fast_data(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool ack_due = true;

	tcp_ecn_received_counters(sk, skb);
	predicted_ts_recent(tp);
	tcp_rcv_rtt_measure_ts(sk, skb);
	MIB_INC(sk->net, TcpExtTCPHPHits);
	tcp_queue_rcv(sk, skb, tp->tcp_header_len);
	tcp_event_data_recv(sk, skb);
	if (TCP_SKB_CB(skb)->ack_seq != tp->snd_una) {
		tcp_ack(sk, skb, FLAG_DATA);
		tcp_data_snd_check(sk);
		ack_due = inet_csk_ack_scheduled(sk);
	} else {
		tp->snd_wl1 = TCP_SKB_CB(skb)->seq;
	}
	if (ack_due)
		__tcp_ack_snd_check(sk, false);
	tcp_data_ready(sk);
}

void tcp_rcv_established(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const u8 *th = tcp_hdr(skb);
	int ack;

	tcp_mstamp_refresh(tp);
	tp->rx_opt.saw_tstamp = 0;
	TCP_SKB_CB(skb)->sacked = 0;
	if (predicted(tp, skb, th)) {
		if (skb->len == tp->tcp_header_len) {
			predicted_ts_recent(tp);
			tcp_ecn_received_counters(sk, skb);
			tcp_ack(sk, skb, 0);
			consume_skb(skb);
			tcp_data_snd_check(sk);
			tp->rcv_rtt_last_tsecr = tp->rx_opt.rcv_tsecr;
			return;
		}
		if (sk->sk_rmem_alloc + skb->truesize <= (u32)sk->sk_rcvbuf &&
		    skb->truesize <= sk_forward_alloc(sk) &&
		    TCP_SKB_CB(skb)->end_seq - tp->rcv_nxt <= tcp_receive_window(tp) &&
		    /* Linux takes the data whatever old it acknowledges (RFC 5961 5.2). */
		    (!before(TCP_SKB_CB(skb)->ack_seq, tp->snd_una) ||
		     !net_world(sk->net)->profile_rfc)) {
			fast_data(sk, skb);
			return;
		}
	}
	if (!(tcp_flags(th) & (TCPHDR_ACK | TCPHDR_RST | TCPHDR_SYN))) {
		tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_FLAGS);
		return;
	}
	if (!tcp_validate_incoming(sk, skb, true))
		return;
	tcp_ecn_received_counters(sk, skb);
	ack = tcp_ack(sk, skb, FLAG_SLOWPATH | FLAG_UPDATE_TS_RECENT);
	if (ack < 0) {
		tcp_drop_reason(sk, skb,
				ack == -SK_RST_REASON_TCP_TOO_OLD_ACK ?
					SKB_DROP_REASON_TCP_TOO_OLD_ACK :
					SKB_DROP_REASON_TCP_ACK_UNSENT_DATA);
		return;
	}
	tcp_rcv_rtt_measure_ts(sk, skb);
	tcp_urg(sk, skb, th);
	tcp_data_queue(sk, skb);
	tcp_data_snd_check(sk);
	tcp_ack_snd_check(sk);
}

/* ---- the other states ---- */

/* RFC 9293 3.10.7.2. */
static int rcv_listen(struct sock *sk, struct sk_buff *skb)
{
	u8 flags = tcp_flags(tcp_hdr(skb));
	enum skb_drop_reason reason = SKB_DROP_REASON_TCP_FLAGS;

	if (flags & TCPHDR_ACK)
		return SK_RST_REASON_TCP_FLAGS;
	if (flags & TCPHDR_RST)
		reason = SKB_DROP_REASON_TCP_RESET;
	if (flags & TCPHDR_SYN && !(flags & (TCPHDR_RST | TCPHDR_FIN))) {
		inet_csk(sk)->icsk_af_ops->conn_request(sk, skb);
		consume_skb(skb);
		return 0;
	}
	tcp_drop_reason(sk, skb, reason);
	return 0;
}

/* The SYN-ACK of a fast open child is acknowledged (tcp_rcv_synrecv_state_fastopen). */
static void synrecv_fastopen(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	/* Still at the SYN-ACK's time-out: the time stamp may tell that it was needless. */
	if (icsk->icsk_ca_state == TCP_CA_Loss && !tp->packets_out)
		tcp_try_undo_recovery(sk);
	tcp_update_rto_time(tp);
	tp->retrans_stamp = 0;
	icsk->icsk_retransmits = 0;
	tcp_fastopen_remove(sk, false);
	/* Data may be under way already. */
	tcp_rearm_rto(sk);
}

/* The ACK of our SYN: SYN-RECEIVED becomes ESTABLISHED. */
static void ack_in_syn_recv(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	tp->delivered++;
	if (!tp->srtt_us)
		tcp_synack_rtt_meas(sk, tp->rare->fastopen_rsk);
	if (tp->rx_opt.tstamp_ok)
		tp->advmss = (u16)(tp->advmss - TCPOLEN_TSTAMP_ALIGNED);
	if (tp->rare->fastopen_rsk) {
		synrecv_fastopen(sk);
	} else {
		tp->retrans_stamp = 0;
		tcp_init_transfer(sk, skb);
		tp->copied_seq = tp->rcv_nxt;
	}
	tcp_set_state(sk, TCP_ESTABLISHED);
	sk_state_change(sk);
	tp->snd_una = cb->ack_seq;
	tp->snd_wnd = (u32)tcp_window(tcp_hdr(skb)) << tp->rx_opt.snd_wscale;
	tp->snd_wl1 = cb->seq;
	if (!inet_csk(sk)->icsk_ca_ops->cong_control)
		tcp_update_pacing_rate(sk);
	tp->lsndtime = tcp_jiffies32(sk);
	tcp_initialize_rcv_mss(sk);
	if (tcp_ecn_mode_accecn(tp))
		tcp_accecn_third_ack(sk, skb);
	tcp_fast_path_on(tp);
	if (sk->sk_shutdown & SEND_SHUTDOWN)
		tcp_shutdown(sk, SEND_SHUTDOWN);
}

/* Is there data behind what was received (a FIN does not count)? */
static bool has_new_data(const struct tcp_sock *tp, const struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 end = cb->end_seq - (cb->tcp_flags & TCPHDR_FIN ? 1 : 0);

	return cb->end_seq != cb->seq && after(end, tp->rcv_nxt);
}

enum ack_result { ACK_GO_ON, ACK_CONSUMED, ACK_RESET };

/* Our FIN is acknowledged: FIN-WAIT-1 becomes FIN-WAIT-2, or, without a user, something small. */
static enum ack_result ack_in_fin_wait1(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 tmo;

	if (tp->rare->fastopen_rsk)
		synrecv_fastopen(sk);
	if (tp->snd_una != tp->write_seq)
		return ACK_GO_ON;
	tcp_set_state(sk, TCP_FIN_WAIT2);
	sk->sk_shutdown |= SEND_SHUTDOWN;
	sk_dst_confirm(sk);
	if (!(sk->sk_flags & SOCK_DEAD)) {
		sk_state_change(sk);
		return ACK_GO_ON;
	}
	/* RFC 1122 4.2.2.13: data for nobody is answered by a reset. */
	if (tp->rare->options.linger2 < 0 || has_new_data(tp, skb)) {
		tcp_done(sk);
		MIB_INC(sk->net, TcpExtTCPAbortOnData);
		return ACK_RESET;
	}
	tmo = tcp_fin_time(sk);
	if (tmo > TCP_TIMEWAIT_LEN) {
		tcp_reset_keepalive_timer(sk, tmo - TCP_TIMEWAIT_LEN);
	} else if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN) {
		tcp_reset_keepalive_timer(sk, tmo);
	} else {
		tcp_time_wait(sk, TCP_FIN_WAIT2, tmo);
		return ACK_CONSUMED;
	}
	return ACK_GO_ON;
}

/* RFC 9293 3.10.7.4 fifth, what depends on the state. */
static enum ack_result ack_by_state(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	switch (sk->sk_state) {
	case TCP_SYN_RECV:
		ack_in_syn_recv(sk, skb);
		return ACK_GO_ON;
	case TCP_FIN_WAIT1:
		return ack_in_fin_wait1(sk, skb);
	case TCP_CLOSING:
		if (tp->snd_una != tp->write_seq)
			return ACK_GO_ON;
		tcp_time_wait(sk, TCP_TIME_WAIT, 0);
		return ACK_CONSUMED;
	case TCP_LAST_ACK:
		if (tp->snd_una != tp->write_seq)
			return ACK_GO_ON;
		tcp_update_metrics(sk);
		tcp_done(sk);
		return ACK_CONSUMED;
	default:
		return ACK_GO_ON;
	}
}

/* RFC 9293 3.10.7.4 seventh and eighth. > 0: reset. */
static int data_by_state(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	switch (sk->sk_state) {
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		if (!before(TCP_SKB_CB(skb)->seq, tp->rcv_nxt))
			break;
		/* fallthrough */
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		/* RFC 1122 4.2.2.13: nobody will read it. */
		if (sk->sk_shutdown & RCV_SHUTDOWN && has_new_data(tp, skb)) {
			MIB_INC(sk->net, TcpExtTCPAbortOnData);
			tcp_reset(sk, skb);
			return SK_RST_REASON_TCP_ABORT_ON_DATA;
		}
		/* fallthrough */
	case TCP_ESTABLISHED:
		tcp_data_queue(sk, skb);
		skb = NULL;
		break;
	default:
		break;
	}
	if (sk->sk_state != TCP_CLOSE) {
		tcp_data_snd_check(sk);
		tcp_ack_snd_check(sk);
	}
	if (skb)
		consume_skb(skb);
	return 0;
}

/* A segment for a fast open child whose SYN-ACK is not acknowledged. True: it goes on; false: it is
 * dropped (and done with, by what it was). */
static bool rcv_fastopen(struct sock *sk, struct sk_buff *skb)
{
	enum skb_drop_reason reason = SKB_DROP_REASON_TCP_REQ_DROP;
	bool stolen;

	if (tcp_check_req(sk, skb, tcp_sk(sk)->rare->fastopen_rsk, true, &stolen, &reason))
		return true;
	tcp_drop_reason(sk, skb, reason);
	return false;
}

int tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	enum ack_result res;
	int ack;

	switch (sk->sk_state) {
	case TCP_CLOSE:
		tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_CLOSE);
		return 0;
	case TCP_LISTEN:
		return rcv_listen(sk, skb);
	case TCP_SYN_SENT:
		return tcp_rcv_synsent_state_process(sk, skb);
	default:
		break;
	}
	tcp_mstamp_refresh(tp);
	tp->rx_opt.saw_tstamp = 0;
	TCP_SKB_CB(skb)->sacked = 0;
	if (!(tcp_flags(tcp_hdr(skb)) & (TCPHDR_ACK | TCPHDR_RST | TCPHDR_SYN))) {
		tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_FLAGS);
		return 0;
	}
	if (tp->rare->fastopen_rsk && !rcv_fastopen(sk, skb))
		return 0;
	if (!tcp_validate_incoming(sk, skb, false))
		return 0;
	/* What made a child was counted then. Without accurate ECN Linux counts no marks here. */
	if (tcp_ecn_mode_accecn(tp) && (sk->sk_state != TCP_SYN_RECV || sk->socket))
		tcp_ecn_received_counters(sk, skb);
	ack = tcp_ack(sk, skb, FLAG_SLOWPATH | FLAG_UPDATE_TS_RECENT | FLAG_NO_CHALLENGE_ACK);
	if (ack <= 0 && sk->sk_state == TCP_SYN_RECV)
		return ack ? -ack : SK_RST_REASON_TCP_OLD_ACK;
	if (ack < 0) {
		tcp_send_challenge_ack(sk, false);
		tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_OLD_ACK);
		return 0;
	}
	res = ack_by_state(sk, skb);
	if (res == ACK_RESET)
		return SK_RST_REASON_TCP_ABORT_ON_DATA;
	if (res == ACK_CONSUMED) {
		consume_skb(skb);
		return 0;
	}
	tcp_urg(sk, skb, tcp_hdr(skb));
	return data_by_state(sk, skb);
}
