/* SPDX-License-Identifier: MIT */
/*
 * The acknowledgement of a segment (RFC 9293 3.10.7.4 fifth; RFC 5681, RFC 7323 4.3): SND.UNA, the
 * send window, what leaves the retransmission queue, RTT, congestion control, the timer. Recovery
 * is tcp_recovery.c's, marks of SACK tcp_sacktag.c's.
 *
 * Invariants: snd_una <= ack <= snd_nxt for every ACK taken; a segment leaves the queue when all of
 * it is acknowledged; the retransmission timer runs while packets_out > 0 (RFC 6298 5.1 to 5.3).
 */
#include "core/errqueue.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"
#include "tcp/tcp_validate.h"

/* ---- time stamps ---- */

static void store_ts_recent(struct tcp_sock *tp)
{
	tp->rx_opt.ts_recent = tp->rx_opt.rcv_tsval;
	tp->rx_opt.ts_recent_stamp = tcp_clock_seconds(tp->inet_conn.icsk_inet.net->host);
}

/* RFC 7323 4.3 (3): only a segment that begins at or before what was last acknowledged. */
u32 tcp_replace_ts_recent(struct tcp_sock *tp, u32 seq)
{
	const struct host *h = tp->inet_conn.icsk_inet.net->host;
	s32 delta = (s32)(tp->rx_opt.rcv_tsval - tp->rx_opt.ts_recent);

	if (!(tp->rx_opt.saw_tstamp && !after(seq, tp->rcv_wup) &&
	      tcp_paws_check(h, &tp->rx_opt, 0)))
		return 0;
	store_ts_recent(tp);
	return delta > 0 ? FLAG_TS_PROGRESS : 0;
}

bool tcp_paws_check(const struct host *h, const struct tcp_options_received *rx_opt, s32 paws_win)
{
	if ((s32)(rx_opt->ts_recent - rx_opt->rcv_tsval) <= paws_win)
		return true;
	/* RFC 7323 5.5: TS.Recent of more than 24 days ago means nothing. */
	if (tcp_clock_seconds(h) - rx_opt->ts_recent_stamp >= TCP_PAWS_24DAYS)
		return true;
	/* Some send zero on resets or when they begin: believed when we have none. */
	return !rx_opt->ts_recent;
}

bool tcp_paws_reject(const struct host *h, const struct tcp_options_received *rx_opt, bool rst)
{
	if (tcp_paws_check(h, rx_opt, 0))
		return false;
	/* RFC 7323 5.2: a reset is not subject to PAWS; within a minute it is looked at all the
	 * same, as the kernel does. */
	return !(rst && tcp_clock_seconds(h) - rx_opt->ts_recent_stamp >= TCP_PAWS_MSL);
}

/* ---- window ---- */

bool tcp_may_update_window(const struct tcp_sock *tp, u32 ack, u32 ack_seq, u32 nwin)
{
	return after(ack, tp->snd_una) || after(ack_seq, tp->snd_wl1) ||
	       (ack_seq == tp->snd_wl1 && (nwin > tp->snd_wnd || !nwin));
}

void tcp_fast_path_on(struct tcp_sock *tp)
{
	u32 window = tp->snd_wnd >> tp->rx_opt.snd_wscale;
	u32 ace = tcp_ecn_mode_accecn(tp) ? (tp->delivered_ce + TCP_ACCECN_CEP_INIT) & 7 : 0;

	tp->pred_flags =
		((u32)tp->tcp_header_len << 26) | ace << 22 | (u32)TCPHDR_ACK << 16 | window;
}

void tcp_fast_path_check(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->loss->ooo_last_skb && tp->rcv_wnd && sk->sk_rmem_alloc < (u32)sk->sk_rcvbuf &&
	    !tp->urg_data)
		tcp_fast_path_on(tp);
}

static void snd_una_update(struct tcp_sock *tp, u32 ack)
{
	tp->bytes_acked += ack - tp->snd_una;
	tp->snd_una = ack;
}

u32 tcp_ack_update_window(struct sock *sk, const struct sk_buff *skb, u32 ack, u32 ack_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 nwin = tcp_window(tcp_hdr(skb)), flag = 0;

	if (!(tcp_flags(tcp_hdr(skb)) & TCPHDR_SYN))
		nwin <<= tp->rx_opt.snd_wscale;
	if (tcp_may_update_window(tp, ack, ack_seq, nwin)) {
		flag |= FLAG_WIN_UPDATE;
		tp->snd_wl1 = ack_seq;
		if (tp->snd_wnd != nwin) {
			tp->snd_wnd = nwin;
			/* Header prediction names the window. */
			tp->pred_flags = 0;
			tcp_fast_path_check(sk);
			if (!tcp_write_queue_empty(sk))
				tcp_slow_start_after_idle_check(sk);
			if (nwin > tp->max_window) {
				tp->max_window = nwin;
				tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
			}
		}
	}
	snd_una_update(tp, ack);
	return flag;
}

/* ---- timers ---- */

void tcp_rearm_rto(struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 rto = icsk->icsk_rto;

	/* The timer is the SYN-ACK's. */
	if (tp->rare->fastopen_rsk)
		return;
	if (!tp->packets_out) {
		inet_csk_clear_xmit_timer(sk);
		return;
	}
	/* A probe or RACK's timer took the place of the timeout: count from the head's time. */
	if (icsk->icsk_pending == ICSK_TIME_REO_TIMEOUT ||
	    icsk->icsk_pending == ICSK_TIME_LOSS_PROBE) {
		const struct sk_buff *head = tcp_rtx_queue_head(sk);
		u64 due = tcp_skb_timestamp_us(head) + (u64)rto * 1000;

		rto = due > tcp_mstamp(tp) ? (u32)((due - tcp_mstamp(tp) + 999) / 1000) : 1;
		rto = max_u32(rto, 1);
	}
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, rto, tcp_rto_max(sk));
}

void tcp_set_xmit_timer(struct sock *sk)
{
	if (!tcp_schedule_loss_probe(sk, true))
		tcp_rearm_rto(sk);
}

/* ---- what is acknowledged ---- */

struct clean {
	const struct sk_buff *ack; /* the segment that acknowledges */
	u64 first_ackt, last_ackt; /* us: send times */
	u32 pkts_acked, prior_sacked, reord;
	u32 flag;
	bool fully_acked;
	struct tcp_sacktag_state *sack;
};

/* Packets of a segment that is acknowledged in part; its front is cut off. */
static u32 tcp_tso_acked(struct sock *sk, struct sk_buff *skb)
{
	u32 before_cut = tcp_skb_pcount(skb);

	if (tcp_trim_head(sk, skb, tcp_sk(sk)->snd_una - TCP_SKB_CB(skb)->seq))
		return 0;
	return before_cut - tcp_skb_pcount(skb);
}

/* One segment, acked packets of which are acknowledged now; it began at start_seq. */
static void clean_account(struct sock *sk, struct clean *c, struct sk_buff *skb, u32 acked,
			  u32 start_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u8 sacked = cb->sacked;

	if (sacked & TCPCB_RETRANS) {
		if (sacked & TCPCB_SACKED_RETRANS)
			tp->retrans_out -= acked;
		c->flag |= FLAG_RETRANS_DATA_ACKED;
	} else if (!(sacked & TCPCB_SACKED_ACKED)) {
		c->last_ackt = tcp_skb_timestamp_us(skb);
		if (!c->first_ackt)
			c->first_ackt = c->last_ackt;
		if (before(start_seq, c->reord))
			c->reord = start_seq;
		if (!after(cb->end_seq, tp->loss->high_seq))
			c->flag |= FLAG_ORIG_SACK_ACKED;
	}
	if (!(sacked & TCPCB_SACKED_ACKED))
		c->sack->delivered_bytes +=
			(before(cb->end_seq, tp->snd_una) ? cb->end_seq : tp->snd_una) - start_seq;
	if (sacked & TCPCB_SACKED_ACKED) {
		tp->sacked_out -= acked;
	} else if (tcp_is_sack(tp)) {
		tcp_count_delivered(tp, acked, c->flag & FLAG_ECE);
		if (!tcp_skb_spurious_retrans(tp, skb))
			tcp_rack_advance(tp, sacked, cb->end_seq, tcp_skb_timestamp_us(skb));
	}
	if (sacked & TCPCB_LOST)
		tp->lost_out -= acked;
	tp->packets_out -= acked;
	c->pkts_acked += acked;
	tcp_rate_skb_delivered(sk, skb, c->sack->rate);
	if (cb->tcp_flags & TCPHDR_SYN) {
		c->flag |= FLAG_SYN_ACKED;
		tp->retrans_stamp = 0;
	} else {
		c->flag |= FLAG_DATA_ACKED;
	}
}

/* The byte that a time stamp is wanted for is acknowledged now. */
static void tcp_ack_tstamp(struct sock *sk, struct sk_buff *skb, const struct sk_buff *ack,
			   u32 prior_snd_una)
{
	u32 tskey;

	if (!TCP_SKB_CB(skb)->txstamp_ack)
		return;
	tskey = skb_shinfo(skb)->tskey;
	if (!before(tskey, prior_snd_una) && before(tskey, tcp_sk(sk)->snd_una))
		__skb_tstamp_tx(skb, ack, sk, SCM_TSTAMP_ACK, 0);
}

static void clean_queue(struct sock *sk, struct clean *c, u32 prior_snd_una)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb, *next;

	for (skb = tcp_rtx_queue_head(sk); skb; skb = next) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		u32 acked = tcp_skb_pcount(skb), start_seq = cb->seq;

		if (after(cb->end_seq, tp->snd_una)) {
			if (acked == 1 || !after(tp->snd_una, cb->seq))
				break;
			acked = tcp_tso_acked(sk, skb);
			if (!acked)
				break;
			c->fully_acked = false;
		}
		clean_account(sk, c, skb, acked, start_seq);
		if (!c->fully_acked)
			break;
		next = tcp_rtx_queue_next(skb);
		tcp_ack_tstamp(sk, skb, c->ack, prior_snd_una);
		if (skb == tp->loss->retransmit_skb_hint)
			tcp_loss_own(tp)->retransmit_skb_hint = NULL;
		if (skb == tp->loss->highest_sack)
			tcp_loss_own(tp)->highest_sack = next;
		tcp_rtx_queue_unlink_and_free(sk, skb);
	}
	if (skb)
		tcp_ack_tstamp(sk, skb, c->ack, prior_snd_una);
	if (!skb)
		tcp_chrono_stop(sk, TCP_CHRONO_BUSY);
	else if (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_ACKED)
		c->flag |= FLAG_SACK_RENEGING;
}

/* Sequence numbers of segments that were acknowledged out of the order of sending. */
static void clean_reordering(struct sock *sk, struct clean *c, u32 prior_fack, bool ece_ack)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_is_reno(tp)) {
		tcp_remove_reno_sacks(sk, c->pkts_acked, ece_ack);
		/* A hole that was never sent again was filled: RFC 6582 keeps F-RTO's view. */
		if (c->flag & FLAG_RETRANS_DATA_ACKED)
			c->flag &= ~(u32)FLAG_ORIG_SACK_ACKED;
		return;
	}
	if (before(c->reord, prior_fack))
		tcp_check_sack_reordering(sk, c->reord, 0);
}

static u32 tcp_clean_rtx_queue(struct sock *sk, const struct sk_buff *ack, u32 prior_fack,
			       u32 prior_snd_una, struct tcp_sacktag_state *sack, bool ece_ack)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct clean c = { .ack = ack,
			   .reord = tp->snd_nxt,
			   .prior_sacked = tp->sacked_out,
			   .fully_acked = true,
			   .flag = ece_ack ? FLAG_ECE : 0,
			   .sack = sack };
	s64 seq_rtt_us = -1, sack_rtt_us = -1, ca_rtt_us = -1;
	bool rtt_update;

	clean_queue(sk, &c, prior_snd_una);
	/* The urgent byte is acknowledged, or there is none: the pointer goes along. */
	if (between(tp->snd_up, prior_snd_una, tp->snd_una))
		tp->snd_up = tp->snd_una;
	if (c.first_ackt && !(c.flag & FLAG_RETRANS_DATA_ACKED)) {
		seq_rtt_us = tcp_stamp_us_delta(tcp_mstamp(tp), c.first_ackt);
		ca_rtt_us = tcp_stamp_us_delta(tcp_mstamp(tp), c.last_ackt);
		/* One small segment whose ACK may have been delayed. */
		if (c.pkts_acked == 1 && c.fully_acked &&
		    tp->snd_una - prior_snd_una < tp->mss_cache &&
		    sack->rate->prior_delivered + 1 == tp->delivered &&
		    !(c.flag & (FLAG_ECE | FLAG_SYN_ACKED)))
			c.flag |= FLAG_ACK_MAYBE_DELAYED;
	}
	if (sack->first_sackt) {
		sack_rtt_us = tcp_stamp_us_delta(tcp_mstamp(tp), sack->first_sackt);
		ca_rtt_us = tcp_stamp_us_delta(tcp_mstamp(tp), sack->last_sackt);
	}
	rtt_update = tcp_ack_update_rtt(sk, c.flag, seq_rtt_us, sack_rtt_us, ca_rtt_us, sack->rate);
	if (c.flag & FLAG_ACKED) {
		c.flag |= FLAG_SET_XMIT_TIMER; /* RFC 6298 5.3 */
		if (tp->rare->mtup.probe_size && !after(tp->rare->mtup.probe_seq_end, tp->snd_una))
			tcp_mtup_probe_success(sk);
		clean_reordering(sk, &c, prior_fack, ece_ack);
	} else if (rtt_update && sack_rtt_us >= 0 && tcp_rtx_queue_head(sk) &&
		   sack_rtt_us > tcp_stamp_us_delta(tcp_mstamp(tp),
						    tcp_skb_timestamp_us(tcp_rtx_queue_head(sk)))) {
		/* The RTO came from a younger sample than the head: it must not fire at once. */
		c.flag |= FLAG_SET_XMIT_TIMER;
	}
	if (icsk->icsk_ca_ops->pkts_acked) {
		const struct ack_sample sample = { .pkts_acked = c.pkts_acked,
						   .rtt_us = (s32)sack->rate->rtt_us };

		icsk->icsk_ca_ops->pkts_acked(sk, &sample);
	}
	return c.flag & ~(u32)FLAG_ECE;
}

/* A probe of a zero window was answered. */
static void tcp_ack_probe(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct sk_buff *head = tcp_send_head(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!head)
		return;
	if (!after(TCP_SKB_CB(head)->end_seq, tcp_wnd_end(tp))) {
		icsk->icsk_backoff = 0;
		icsk->icsk_probes_tstamp = 0;
		inet_csk_clear_xmit_timer(sk);
	} else {
		u32 when = tcp_probe0_when(sk, tcp_rto_max(sk));

		when = tcp_clamp_probe0_to_user_timeout(sk, when);
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_PROBE0, when, tcp_rto_max(sk));
	}
}

static bool tcp_ack_is_dubious(const struct sock *sk, u32 flag)
{
	return !(flag & FLAG_NOT_DUP) || flag & FLAG_CA_ALERT ||
	       inet_csk(sk)->icsk_ca_state != TCP_CA_Open;
}

static bool tcp_may_raise_cwnd(const struct sock *sk, u32 flag)
{
	/* With reordering seen, SACKs are progress as well as ACKs. */
	if (tcp_sk(sk)->reordering > (u32)sk->net->sysctl.tcp_reordering)
		return flag & FLAG_FORWARD_PROGRESS;
	return flag & FLAG_DATA_ACKED;
}

static void tcp_cong_control(struct sock *sk, u32 ack, s32 acked_sacked, u32 flag,
			     const struct rate_sample *rs)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ca_ops->cong_control) {
		icsk->icsk_ca_ops->cong_control(sk, ack, (int)flag, rs);
		return;
	}
	if (icsk->icsk_ca_state == TCP_CA_CWR || icsk->icsk_ca_state == TCP_CA_Recovery) {
		tcp_cwnd_reduction(sk, acked_sacked, (u32)rs->losses, flag);
	} else if (tcp_may_raise_cwnd(sk, flag)) {
		icsk->icsk_ca_ops->cong_avoid(sk, ack, (u32)acked_sacked);
		tcp_sk(sk)->snd_cwnd_stamp = tcp_jiffies32(sk);
	}
	tcp_update_pacing_rate(sk);
}

/* ---- the ACK ---- */

/* Below snd_una, or beyond snd_nxt. 1: old but fine; 0 and below as tcp_ack(). */
static int ack_out_of_range(struct sock *sk, const struct sk_buff *skb, u32 flag,
			    struct tcp_sacktag_state *sack)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 ack = TCP_SKB_CB(skb)->ack_seq, prior_snd_una = tp->snd_una;
	int rexmit = REXMIT_NONE;

	if (after(ack, tp->snd_nxt)) {
		/* RFC 9293 3.10.7.4: an ACK for what was not sent is answered. */
		if (!(flag & FLAG_NO_CHALLENGE_ACK))
			tcp_send_challenge_ack(sk, false);
		return -SK_RST_REASON_TCP_ACK_UNSENT_DATA;
	}
	/* RFC 5961 5.2: older than the largest window ever seen, or than the connection. */
	if (before(ack, prior_snd_una - (u32)min_u64(tp->max_window, tp->bytes_acked))) {
		if (!(flag & FLAG_NO_CHALLENGE_ACK))
			tcp_send_challenge_ack(sk, false);
		return -SK_RST_REASON_TCP_TOO_OLD_ACK;
	}
	/* Old; its SACK blocks may be news all the same. */
	if (TCP_SKB_CB(skb)->sacked) {
		flag |= tcp_sacktag_write_queue(sk, skb, prior_snd_una, sack);
		/* What they tell is not counted as delivered (Linux 6.18: only tcp_ack()'s end
		 * does). */
		tcp_fastretrans_alert(sk, prior_snd_una, 0, &flag, &rexmit);
		tcp_xmit_recovery(sk, rexmit);
	}
	return 0;
}

/* AccECN: segments with CE that the ACK tells of; FLAG_ECE then. `delivered` by it so far. */
static u32 accecn_feedback(struct sock *sk, const struct sk_buff *skb, u32 delivered,
			   const struct tcp_sacktag_state *sack, u32 *flag)
{
	u32 ce;

	if (!tcp_ecn_mode_accecn(tcp_sk(sk)))
		return 0;
	ce = tcp_accecn_process(sk, skb, delivered, sack->delivered_bytes, *flag);
	*flag |= ce ? FLAG_ECE : 0;
	return ce;
}

/* Nothing is under way: the window may have opened, probes may stop. */
static int ack_no_queue(struct sock *sk, struct tcp_sacktag_state *sack, u32 prior_snd_una,
			u32 *flag, u32 ack)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int rexmit = REXMIT_NONE;

	if (sack->flag & FLAG_DSACKING_ACK) {
		tcp_fastretrans_alert(sk, prior_snd_una, 0, flag, &rexmit);
		tp->delivered += sack->sack_delivered;
	}
	tcp_ack_probe(sk);
	if (tp->loss->tlp_high_seq)
		tcp_process_tlp_ack(sk, ack, *flag);
	return 1;
}

int tcp_ack(struct sock *sk, const struct sk_buff *skb, u32 flag)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct rate_sample rs = { .prior_delivered = 0 };
	struct tcp_sacktag_state sack = { .rate = &rs };
	u32 prior_snd_una = tp->snd_una, prior_fack, prior_packets = tp->packets_out;
	u32 ack_seq = TCP_SKB_CB(skb)->seq, ack = TCP_SKB_CB(skb)->ack_seq;
	u32 delivered = tp->delivered, lost = tp->loss->lost, ce;
	bool ece_ack = false;
	int rexmit = REXMIT_NONE;

	if (before(ack, prior_snd_una) || after(ack, tp->snd_nxt))
		return ack_out_of_range(sk, skb, flag, &sack);
	if (after(ack, prior_snd_una)) {
		flag |= FLAG_SND_UNA_ADVANCED;
		icsk->icsk_retransmits = 0;
	}
	prior_fack = tcp_is_sack(tp) ? tcp_highest_sack_seq(tp) : tp->snd_una;
	rs.prior_in_flight = tcp_packets_in_flight(tp);
	if (flag & FLAG_UPDATE_TS_RECENT)
		flag |= tcp_replace_ts_recent(tp, TCP_SKB_CB(skb)->seq);
	if ((flag & (FLAG_SLOWPATH | FLAG_SND_UNA_ADVANCED)) == FLAG_SND_UNA_ADVANCED) {
		/* Header prediction: the window is as it was, there is no SACK. */
		tp->snd_wl1 = ack_seq;
		snd_una_update(tp, ack);
		flag |= FLAG_WIN_UPDATE;
		MIB_INC(sk->net, TcpExtTCPHPAcks);
	} else {
		if (ack_seq != TCP_SKB_CB(skb)->end_seq)
			flag |= FLAG_DATA;
		else
			MIB_INC(sk->net, TcpExtTCPPureAcks);
		flag |= tcp_ack_update_window(sk, skb, ack, ack_seq);
		if (TCP_SKB_CB(skb)->sacked)
			flag |= tcp_sacktag_write_queue(sk, skb, prior_snd_una, &sack);
		ece_ack = tcp_ecn_rcv_ecn_echo(tp, tcp_flags(tcp_hdr(skb)));
		flag |= ece_ack ? FLAG_ECE : 0;
	}
	sk->sk_err_soft = 0;
	icsk->icsk_probes_out = 0;
	tp->rcv_tstamp = tcp_jiffies32(sk);
	if (!prior_packets) {
		accecn_feedback(sk, skb, 0, &sack, &flag);
		return ack_no_queue(sk, &sack, prior_snd_una, &flag, ack);
	}
	flag |= tcp_clean_rtx_queue(sk, skb, prior_fack, prior_snd_una, &sack, ece_ack);
	ce = accecn_feedback(sk, skb, tp->delivered - delivered + sack.sack_delivered, &sack,
			     &flag);
	tcp_rack_update_reo_wnd(sk, &rs);
	if (tp->loss->tlp_high_seq)
		tcp_process_tlp_ack(sk, ack, flag);
	if (tcp_ack_is_dubious(sk, flag)) {
		u32 num_dupack = flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP) ? 0 : 1;

		tcp_fastretrans_alert(sk, prior_snd_una, num_dupack, &flag, &rexmit);
	}
	tcp_count_delivered(tp, sack.sack_delivered, ece_ack);
	if (icsk->icsk_ca_ops->in_ack_event)
		icsk->icsk_ca_ops->in_ack_event(sk, flag);
	/* After the state machine: a probe may take the place of the timeout. */
	if (flag & FLAG_SET_XMIT_TIMER)
		tcp_set_xmit_timer(sk);
	if (flag & FLAG_FORWARD_PROGRESS || !(flag & FLAG_NOT_DUP))
		sk_dst_confirm(sk);
	delivered = tp->delivered - delivered;
	lost = tp->loss->lost - lost;
	MIB_ADD(sk->net, TcpExtTCPDelivered, delivered);
	if (ece_ack || ce)
		MIB_ADD(sk->net, TcpExtTCPDeliveredCE, ece_ack ? delivered : ce);
	tcp_rate_gen(sk, delivered, lost, tp->is_sack_reneg, &rs);
	tcp_cong_control(sk, ack, (s32)delivered, flag, &rs);
	tcp_xmit_recovery(sk, rexmit);
	return 1;
}
