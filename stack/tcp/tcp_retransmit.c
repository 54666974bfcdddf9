/* SPDX-License-Identifier: MIT */
/*
 * Sending again (RFC 9293 3.8.1, RFC 6298 5, RFC 5681 3.2) and tail loss probes (RFC 8985 7).
 *
 * Invariants: retrans_out counts the packets with TCPCB_SACKED_RETRANS; nothing beyond the peer's
 * window is sent again but one segment at SND.UNA, which serves as a probe.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"

/* What of the segment is to go, and not more. 0 or -errno. */
static int prepare(struct sock *sk, struct sk_buff *skb, u32 segs)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 mss, len;
	s32 avail, diff;

	if (before(cb->seq, tp->snd_una)) {
		if (cb->tcp_flags & TCPHDR_SYN) {
			cb->tcp_flags &= (u16)~TCPHDR_SYN;
			cb->seq++;
		}
		if (before(cb->seq, tp->snd_una) && tcp_trim_head(sk, skb, tp->snd_una - cb->seq))
			return -ENOMEM;
	}
	if (inet_csk(sk)->icsk_af_ops->rebuild_header(sk))
		return -EHOSTUNREACH;
	mss = tcp_current_mss(sk);
	avail = (s32)(tcp_wnd_end(tp) - cb->seq);
	if (avail <= 0) {
		/* The window was shrunk: only the head, as a probe. */
		if (cb->seq != tp->snd_una)
			return -EAGAIN;
		avail = (s32)mss;
	}
	len = mss * segs;
	if (len > (u32)avail) {
		len = (u32)avail / mss * mss;
		if (!len)
			len = (u32)avail;
	}
	if (skb->len > len)
		return tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, len, mss);
	/* The segment size may have changed since it was sent. */
	diff = (s32)tcp_skb_pcount(skb) - (s32)tcp_set_skb_tso_segs(skb, mss);
	if (diff)
		tcp_adjust_pcount(sk, skb, diff);
	if (skb->len < min_u32((u32)avail, mss))
		tcp_retrans_try_collapse(sk, skb, min_u32((u32)avail, mss));
	return 0;
}

int __tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs)
{
	struct tcp_loss *loss = tcp_loss_get(sk);
	int err;

	if (!loss)
		return -ENOMEM;
	/* Nothing can be told from a probe any more. */
	if (tcp_sk(sk)->rare->mtup.probe_size)
		tcp_rare_own(tcp_sk(sk))->mtup.probe_size = 0;
	err = prepare(sk, skb, segs);
	/* The clone of the last time may be under way still, or lie at a receiver of this host. */
	if (!err)
		err = tcp_skb_unclone(skb);
	if (err)
		return err;
	tcp_ecn_clear_syn(sk, skb);
	segs = tcp_skb_pcount(skb);
	MIB_ADD(sk->net, TcpRetransSegs, segs);
	if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN)
		MIB_INC(sk->net, TcpExtTCPSynRetrans);
	loss->total_retrans += segs;
	loss->bytes_retrans += skb->len;
	err = tcp_transmit_skb(sk, skb, true);
	/* In any case, so that no RTT is taken from a time stamp of something never sent. */
	TCP_SKB_CB(skb)->sacked |= TCPCB_EVER_RETRANS;
	if (!err)
		trace(net_world(sk->net), sk->net->host, TRACE_TCP_RETRANSMIT_SKB, sk->inet_num,
		      sk->inet_dport, TCP_SKB_CB(skb)->seq, skb->len);
	else
		MIB_ADD(sk->net, TcpExtTCPRetransFail, segs);
	return err;
}

int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss = tcp_loss_get(sk);
	int err;

	if (!loss)
		return -ENOMEM;
	err = __tcp_retransmit_skb(sk, skb, segs);
	if (!err) {
		/* TLP or a timeout may have marked it already. */
		if (!(TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_RETRANS))
			tp->retrans_out += tcp_skb_pcount(skb);
		TCP_SKB_CB(skb)->sacked |= TCPCB_SACKED_RETRANS | TCPCB_EVER_RETRANS;
	}
	if (!tp->retrans_stamp)
		tp->retrans_stamp = (u32)(skb->tstamp / NSEC_PER_MSEC);
	if (loss->undo_retrans < 0)
		loss->undo_retrans = 0;
	loss->undo_retrans += (s32)tcp_skb_pcount(skb);
	return err;
}

/* True: sent; false: stop. */
static bool retransmit_one(struct sock *sk, struct sk_buff *skb, u32 segs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 state = inet_csk(sk)->icsk_ca_state;

	if (tcp_retransmit_skb(sk, skb, segs))
		return false;
	if (state != TCP_CA_Loss)
		MIB_ADD(sk->net, TcpExtTCPFastRetrans, tcp_skb_pcount(skb));
	else
		MIB_ADD(sk->net, TcpExtTCPSlowStartRetrans, tcp_skb_pcount(skb));
	if (state == TCP_CA_CWR || state == TCP_CA_Recovery)
		tcp_loss_own(tp)->prr_out += tcp_skb_pcount(skb);
	return true;
}

void tcp_xmit_retransmit_queue(struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *head = tcp_rtx_queue_head(sk), *skb, *hole = NULL;
	u32 max_segs, segs;
	bool rearm = false;

	if (!tp->packets_out || tcp_pacing_check(sk))
		return;
	max_segs = tcp_tso_segs(sk, tcp_current_mss(sk));
	for (skb = tp->loss->retransmit_skb_hint ? tp->loss->retransmit_skb_hint : head; skb;
	     skb = tcp_rtx_queue_next(skb)) {
		u8 sacked = TCP_SKB_CB(skb)->sacked;

		/* What lies before it needs no look next time. */
		if (!hole)
			tcp_loss_own(tp)->retransmit_skb_hint = skb;
		if (tp->snd_cwnd <= tcp_packets_in_flight(tp))
			break;
		if (tp->retrans_out >= tp->lost_out)
			break;
		if (!(sacked & TCPCB_LOST)) {
			if (!hole && !(sacked & (TCPCB_SACKED_RETRANS | TCPCB_SACKED_ACKED)))
				hole = skb;
			continue;
		}
		if (sacked & (TCPCB_SACKED_ACKED | TCPCB_SACKED_RETRANS))
			continue;
		if (tcp_small_queue_check(sk, skb, 1))
			break;
		segs = min_u32(tp->snd_cwnd - tcp_packets_in_flight(tp), max_segs);
		if (!retransmit_one(sk, skb, segs))
			break;
		if (skb == head && icsk->icsk_pending != ICSK_TIME_REO_TIMEOUT)
			rearm = true;
	}
	if (rearm)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, icsk->icsk_rto, tcp_rto_max(sk));
}

/* ---- tail loss probe ---- */

static u32 jiffies_of_us(u64 us)
{
	return (u32)((us + 999) / 1000);
}

/* How long until the retransmission timeout of the head, us; may be past. */
static s64 rto_delta_us(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = tcp_rtx_queue_head(sk);
	u32 rto = inet_csk(sk)->icsk_rto;

	if (!skb)
		return (s64)rto * 1000;
	return (s64)(tcp_skb_timestamp_us(skb) + (u64)rto * 1000 - tcp_mstamp(tp));
}

bool tcp_schedule_loss_probe(struct sock *sk, bool advancing_rto)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	s32 early = sk->net->sysctl.tcp_early_retrans;
	u32 timeout;
	s64 delta;

	/* None before the handshake of a fast open is over. */
	if (tp->rare->fastopen_rsk)
		return false;
	/* RFC 8985 7.2: with SACK, in Open, something under way. */
	if ((early != 3 && early != 4) || !tp->packets_out || !tcp_is_sack(tp) ||
	    (icsk->icsk_ca_state != TCP_CA_Open && icsk->icsk_ca_state != TCP_CA_CWR))
		return false;
	if (tp->srtt_us) {
		timeout = jiffies_of_us(tp->srtt_us >> 2);
		/* One segment: its ACK may be delayed. */
		if (tp->packets_out == 1)
			timeout += tcp_rto_min(sk);
		else
			timeout += TCP_TIMEOUT_MIN;
	} else {
		timeout = TCP_TIMEOUT_INIT;
	}
	delta = advancing_rto ? (s64)icsk->icsk_rto * 1000 : rto_delta_us(sk);
	if (delta > 0)
		timeout = min_u32(timeout, jiffies_of_us((u64)delta));
	inet_csk_reset_xmit_timer((struct sock *)(uintptr_t)sk, ICSK_TIME_LOSS_PROBE, timeout,
				  tcp_rto_max(sk));
	return true;
}

/* Sends new data, else the last segment again. True: sent. */
static bool send_probe(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_send_head(sk);
	u32 mss = tcp_current_mss(sk), prior = tp->packets_out;

	tp->tlp_retrans = 0;
	if (skb && tcp_snd_wnd_test(tp, skb, mss)) {
		/* What Nagle holds back is the best of probes. */
		tcp_write_xmit(sk, mss, TCP_NAGLE_OFF, 2);
		return tp->packets_out > prior;
	}
	skb = tcp_rtx_queue_tail(sk);
	if (tcp_skb_pcount(skb) > 1 && skb->len > (tcp_skb_pcount(skb) - 1) * mss) {
		if (tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, (tcp_skb_pcount(skb) - 1) * mss,
				 mss))
			return false;
		skb = tcp_rtx_queue_next(skb);
	}
	if (__tcp_retransmit_skb(sk, skb, 1))
		return false;
	tp->tlp_retrans = 1;
	return true;
}

void tcp_send_loss_probe(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_rtx_queue_empty(sk) && !tcp_send_head(sk)) {
		icsk->icsk_pending = 0;
		return;
	}
	if (!tcp_rtx_queue_empty(sk) && !tp->loss->tlp_high_seq && tcp_loss_get(sk) &&
	    send_probe(sk)) {
		tcp_loss_own(tp)->tlp_high_seq = tp->snd_nxt;
		MIB_INC(sk->net, TcpExtTCPLossProbes);
		/* The timeout counts from now. */
		icsk->icsk_pending = 0;
	}
	tcp_rearm_rto(sk);
}
