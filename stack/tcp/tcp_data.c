/* SPDX-License-Identifier: MIT */
/*
 * The data of segments (RFC 9293 3.10.7.4 sixth to eighth): receive queue, when to acknowledge
 * (RFC 9293 3.8.6.3, RFC 5681 4.2), urgent data (RFC 6093).
 *
 * Invariants: the receive queue holds bytes [copied_seq, rcv_nxt), the first packet may begin
 * before; every packet's truesize is part of sk_rmem_alloc.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_ofo_queue.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_user.h"

/* ---- delayed ACK ---- */

static void incr_quickack(struct sock *sk, u32 max_quickacks)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 quickacks = tcp_sk(sk)->rcv_wnd / (2u * icsk->icsk_ack.rcv_mss);

	if (!quickacks)
		quickacks = 2;
	quickacks = min_u32(quickacks, max_quickacks);
	if (quickacks > icsk->icsk_ack.quick)
		icsk->icsk_ack.quick = (u8)quickacks;
}

void tcp_enter_quickack_mode(struct sock *sk, u32 max_quickacks)
{
	incr_quickack(sk, max_quickacks);
	inet_csk_exit_pingpong_mode(sk);
	inet_csk(sk)->icsk_ack.ato = TCP_ATO_MIN;
}

static bool in_quickack_mode(const struct sock *sk)
{
	const struct dst_entry *dst = sk->dst_cache;

	return (dst && dst_metric(dst, RTAX_QUICKACK)) ||
	       (inet_csk(sk)->icsk_ack.quick && !inet_csk_in_pingpong_mode(sk));
}

void tcp_initialize_rcv_mss(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 hint = min_u32(tp->advmss, tp->mss_cache);

	hint = min_u32(hint, tp->rcv_wnd / 2);
	hint = min_u32(hint, TCP_MSS_DEFAULT);
	inet_csk(sk)->icsk_ack.rcv_mss = (u16)max_u32(hint, TCP_MIN_MSS);
}

/* The share of payload in a packet's memory, from a full-sized one. */
static void update_scaling_ratio(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 old = tp->scaling_ratio;
	u64 val = ((u64)skb->len << 8) / skb->truesize;

	tp->scaling_ratio = (u8)min_u64(max_u64(val, 1), 255);
	if (old != tp->scaling_ratio) {
		tcp_set_window_clamp(sk, tcp_win_from_space(sk, (u32)sk->sk_rcvbuf));
		tp->rcvq_space = min_u32(tp->rcvq_space, tp->window_clamp);
	}
}

/* A guess at the size of the peer's segments: what a full one is decides when to acknowledge. */
void tcp_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 last = icsk->icsk_ack.last_seg_size, gso = skb_shinfo(skb)->gso_size;
	u32 len = gso ? gso : skb->len; /* of one segment */
	u8 flags = tcp_flags(tcp_hdr(skb));

	icsk->icsk_ack.last_seg_size = 0;
	if (len >= icsk->icsk_ack.rcv_mss) {
		if (len != icsk->icsk_ack.rcv_mss)
			update_scaling_ratio(sk, skb);
		icsk->icsk_ack.rcv_mss = (u16)min_u32(len, tp->advmss);
		return;
	}
	/* With its header, as RFC 879 counts: not a last one of a write. */
	len += (u32)(skb->data - skb_transport_header(skb));
	if (len >= TCP_MSS_DEFAULT + TCP_HLEN ||
	    (len >= TCP_MIN_MSS + TCP_HLEN &&
	     !(flags & (TCPHDR_FIN | TCPHDR_URG | TCPHDR_SYN | TCPHDR_PSH)))) {
		len -= tp->tcp_header_len;
		icsk->icsk_ack.last_seg_size = (u16)len;
		if (len == last) {
			icsk->icsk_ack.rcv_mss = (u16)len;
			return;
		}
	}
	if (icsk->icsk_ack.pending & ICSK_ACK_PUSHED)
		icsk->icsk_ack.pending |= ICSK_ACK_PUSHED2;
	icsk->icsk_ack.pending |= ICSK_ACK_PUSHED;
}

/* The interval between segments moves the delay of ACKs. */
static void update_ato(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 now = tcp_jiffies32(sk), m = now - icsk->icsk_ack.lrcvtime;

	icsk->icsk_ack.lrcvtime = now;
	if (!icsk->icsk_ack.ato) {
		/* The first data: the sender may be in slow start. */
		incr_quickack(sk, TCP_MAX_QUICKACKS);
		icsk->icsk_ack.ato = TCP_ATO_MIN;
	} else if (m <= TCP_ATO_MIN / 2) {
		icsk->icsk_ack.ato = (icsk->icsk_ack.ato >> 1) + TCP_ATO_MIN / 2;
	} else if (m < icsk->icsk_ack.ato) {
		icsk->icsk_ack.ato = min_u32((icsk->icsk_ack.ato >> 1) + m, icsk->icsk_rto);
	} else if (m > icsk->icsk_rto) {
		/* A long gap: the sender has restarted from a small window. */
		incr_quickack(sk, TCP_MAX_QUICKACKS);
	}
}

void tcp_event_data_recv(struct sock *sk, struct sk_buff *skb)
{
	inet_csk_schedule_ack(sk);
	tcp_measure_rcv_mss(sk, skb);
	tcp_rcv_rtt_measure(tcp_sk(sk));
	update_ato(sk);
	tcp_data_ecn_check(sk, skb);
	if (skb->len >= 128)
		tcp_grow_window(sk, skb);
}

void __tcp_ack_snd_check(struct sock *sk, bool ofo_possible)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	/* More than one full segment (RFC 5681 4.2), and the window moves on with it. */
	if ((tp->rcv_nxt - tp->rcv_wup > icsk->icsk_ack.rcv_mss &&
	     (tp->rcv_nxt - tp->copied_seq < (u32)sk->sk_rare->rcvlowat ||
	      __tcp_select_window(sk) >= tp->rcv_wnd)) ||
	    in_quickack_mode(sk) || icsk->icsk_ack.pending & ICSK_ACK_NOW)
		tcp_send_ack(sk);
	else if (!ofo_possible || !tp->loss->ooo_last_skb)
		tcp_send_delayed_ack(sk);
	else if (!tcp_compress_ack(sk))
		tcp_send_ack(sk); /* RFC 5681 4.2: out of order, at once */
}

void tcp_ack_snd_check(struct sock *sk)
{
	if (inet_csk_ack_scheduled(sk))
		__tcp_ack_snd_check(sk, true);
}

/* ---- after an ACK ---- */

void tcp_data_snd_check(struct sock *sk)
{
	tcp_push_pending_frames(sk);
	tcp_check_space(sk);
}

/* ---- queues ---- */

void tcp_queue_rcv(struct sock *sk, struct sk_buff *skb, u32 hdrlen)
{
	skb_pull(skb, hdrlen);
	skb_dst_drop(skb);
	skb->dev = NULL;
	tcp_rcv_nxt_update(tcp_sk(sk), TCP_SKB_CB(skb)->end_seq);
	skb_set_owner_r(skb, sk);
	skb_queue_tail(&sk->receive_queue, skb);
}

static void queue_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_data_ecn_check(sk, skb);
	if (!tcp_loss_get(sk) || tcp_try_rmem_schedule(sk, skb, skb->truesize)) {
		MIB_INC(sk->net, TcpExtTCPOFODrop);
		sk_data_ready(sk);
		tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_OFO_DROP);
		return;
	}
	tcp_measure_rcv_mss(sk, skb);
	tp->pred_flags = 0;
	inet_csk_schedule_ack(sk);
	tcp_loss_own(tp)->rcv_ooopack++;
	MIB_INC(sk->net, TcpExtTCPOFOQueue);
	skb_dst_drop(skb);
	skb->dev = NULL;
	tcp_data_queue_ofo(sk, skb);
}

/* Next in order, perhaps with a front that is old. Takes skb, header pulled. */
static void queue_in_order(struct sock *sk, struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	bool fin = TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN;

	if (tcp_try_rmem_schedule(sk, skb, skb->truesize)) {
		/* Tell the sender at once that the window is closed. */
		icsk->icsk_ack.pending |= ICSK_ACK_NOMEM | ICSK_ACK_NOW;
		inet_csk_schedule_ack(sk);
		sk_data_ready(sk);
		if (!skb_queue_empty(&sk->receive_queue) && skb->len) {
			MIB_INC(sk->net, TcpExtTCPRcvQDrop);
			tcp_drop_reason(sk, skb, SKB_DROP_REASON_PROTO_MEM);
			return;
		}
		/* A first segment is taken whatever it costs, or the reader would never get on. */
	}
	tcp_queue_rcv(sk, skb, 0);
	if (skb->len)
		tcp_event_data_recv(sk, skb);
	if (fin)
		tcp_fin(sk);
	if (tp->loss->ooo_last_skb) {
		tcp_ofo_queue(sk);
		/* RFC 5681 4.2: a gap was filled. */
		if (!tp->loss->ooo_last_skb)
			icsk->icsk_ack.pending |= ICSK_ACK_NOW;
	}
	if (tp->rx_opt.num_sacks)
		tcp_sack_remove(tp);
	tcp_fast_path_check(sk);
	if (!(sk->sk_flags & SOCK_DEAD))
		tcp_data_ready(sk);
}

static void out_of_window(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason)
{
	tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
	inet_csk_schedule_ack(sk);
	tcp_drop_reason(sk, skb, reason);
}

/*
 * Profile rfc: data and then the FIN behind the window are cut off (RFC 9293 3.10.7.4 first). Linux
 * takes a segment whole or not at all. Header pulled.
 */
static void trim_to_window(struct sock *sk, struct sk_buff *skb, u32 window)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 limit = tcp_sk(sk)->rcv_nxt + window;

	if (!net_world(sk->net)->profile_rfc || !window || !after(cb->end_seq, limit) ||
	    !before(cb->seq, limit))
		return;
	if (pskb_trim(skb, limit - cb->seq))
		return; /* no memory: as Linux takes it */
	cb->tcp_flags &= (u8)~TCPHDR_FIN;
	cb->end_seq = limit;
}

void tcp_data_queue(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 window = tcp_receive_window(tp);

	if (cb->seq == cb->end_seq) {
		consume_skb(skb);
		return;
	}
	skb_pull(skb, tcp_doff(tcp_hdr(skb)));
	trim_to_window(sk, skb, window);
	tcp_ecn_accept_cwr(sk, skb);
	tp->rx_opt.dsack = 0;
	if (cb->seq == tp->rcv_nxt) {
		/* A bare FIN fits into a closed window. */
		if (!window && (skb->len || !(cb->tcp_flags & TCPHDR_FIN))) {
			MIB_INC(sk->net, TcpExtTCPZeroWindowDrop);
			out_of_window(sk, skb, SKB_DROP_REASON_TCP_ZEROWINDOW);
			return;
		}
		queue_in_order(sk, skb);
	} else if (!after(cb->end_seq, tp->rcv_nxt)) {
		/* All old: it was sent again, the ACK was lost. */
		MIB_INC(sk->net, TcpExtDelayedACKLost);
		tcp_dsack_set(sk, cb->seq, cb->end_seq);
		out_of_window(sk, skb, SKB_DROP_REASON_TCP_OLD_DATA);
	} else if (!before(cb->seq, window ? tp->rcv_mwnd_seq : tp->rcv_nxt)) {
		out_of_window(sk, skb, SKB_DROP_REASON_TCP_OVERWINDOW);
	} else if (before(cb->seq, tp->rcv_nxt)) {
		tcp_dsack_set(sk, cb->seq, tp->rcv_nxt);
		if (!window)
			out_of_window(sk, skb, SKB_DROP_REASON_TCP_ZEROWINDOW);
		else
			queue_in_order(sk, skb);
	} else {
		queue_ofo(sk, skb);
	}
}

/* ---- urgent data (RFC 9293 3.8.5, RFC 6093) ---- */

/* A new urgent pointer. It names the byte behind the urgent one unless tcp_stdurg says otherwise.
 */
static void check_urg(struct sock *sk, const u8 *th, u32 seq)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 ptr = tcp_urg_ptr(th);

	if (ptr && !sk->net->sysctl.tcp_stdurg)
		ptr--;
	ptr += seq;
	if (after(tp->copied_seq, ptr) || before(ptr, tp->rcv_nxt))
		return;
	if (tp->urg_data && !after(ptr, tp->urg_seq))
		return;
	/* The reader stands before an old urgent byte that it never read: it becomes plain data
	 * that nobody sees, as in the BSDs. */
	if (tp->urg_seq == tp->copied_seq && tp->urg_data && !(sk->sk_flags & SOCK_URGINLINE) &&
	    tp->copied_seq != tp->rcv_nxt) {
		struct sk_buff *skb = skb_peek(&sk->receive_queue);

		tp->copied_seq++;
		if (skb && !before(tp->copied_seq, TCP_SKB_CB(skb)->end_seq)) {
			skb_unlink(&sk->receive_queue, skb);
			consume_skb(skb);
		}
	}
	tp->urg_data = TCP_URG_NOTYET;
	tp->urg_seq = ptr;
	tp->pred_flags = 0;
}

void tcp_urg(struct sock *sk, struct sk_buff *skb, const u8 *th)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = TCP_SKB_CB(skb)->seq, ptr;
	u8 byte;

	if (tcp_flags(th) & TCPHDR_URG)
		check_urg(sk, th, seq);
	if (tp->urg_data != TCP_URG_NOTYET)
		return;
	ptr = tp->urg_seq - seq + tcp_doff(th) - (tcp_flags(th) & TCPHDR_SYN ? 1 : 0);
	if (ptr >= skb->len || !skb_copy_bits(skb, ptr, &byte, 1))
		return;
	tp->urg_data = (u16)(TCP_URG_VALID | byte);
	if (!(sk->sk_flags & SOCK_DEAD))
		sk_data_ready(sk);
}
