/* SPDX-License-Identifier: MIT */
/*
 * Sending: one segment out (tcp_transmit_skb), which of the write queue may go
 * (tcp_write_xmit: windows, Nagle, silly windows), the window that we announce.
 *
 * Invariants: write queue and retransmission queue are one sequence without gaps, up to write_seq;
 * snd_nxt is where the second ends; the right edge of the window that we announce never retreats
 * (RFC 9293 3.8.6.2.2), unless memory is out or tcp_shrink_window is set.
 */
#include "core/offload.h"
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

/* ---- the window that we announce ---- */

static u32 align_up(u32 v, u32 unit)
{
	return (v + unit - 1) & ~(unit - 1);
}

/* RFC 9293 3.8.6.2.2 (receiver's silly window avoidance), in bytes. */
u32 __tcp_select_window(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = icsk->icsk_ack.rcv_mss, free_space = tcp_space(sk);
	u32 allowed = tcp_full_space(sk), full = min_u32(tp->window_clamp, allowed), window;
	u32 unit = 1u << tp->rx_opt.rcv_wscale;

	if (mss > full) {
		mss = full;
		if (!mss)
			return 0;
	}
	if (free_space < full >> 1) {
		icsk->icsk_ack.quick = 0;
		if (sk_under_memory_pressure(sk))
			tcp_adjust_rcv_ssthresh(sk);
		free_space &= ~(unit - 1);
		if (free_space < allowed >> 4 || free_space < mss)
			return 0;
	}
	free_space = min_u32(free_space, tp->rcv_ssthresh);
	if (tp->rx_opt.rcv_wscale)
		return align_up(free_space, unit);
	/* A multiple of the segment size, moved only when that gains one. */
	window = tp->rcv_wnd;
	if (free_space < mss || window <= free_space - mss || window > free_space)
		window = free_space / mss * mss;
	else if (mss == full && free_space > window + (full >> 1))
		window = free_space;
	return window;
}

/* A segment may lie across the right edge, or behind it: what was taken is inside, then. */
static void announce(struct tcp_sock *tp, u32 win)
{
	tp->rcv_wnd = win;
	tp->rcv_wup = tp->rcv_nxt;
	if (after(tp->rcv_wup + win, tp->rcv_mwnd_seq))
		tp->rcv_mwnd_seq = tp->rcv_wup + win;
}

/* The window field of a segment; remembers what was announced. */
static u16 tcp_select_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 old = tp->rcv_wnd, cur, win;

	if (inet_csk(sk)->icsk_ack.pending & ICSK_ACK_NOMEM) {
		tp->pred_flags = 0;
		announce(tp, 0);
		return 0;
	}
	cur = tcp_receive_window(tp);
	win = __tcp_select_window(sk);
	if (win < cur && (!sk->net->sysctl.tcp_shrink_window || !tp->rx_opt.rcv_wscale)) {
		if (!win)
			MIB_INC(sk->net, TcpExtTCPWantZeroWindowAdv);
		win = align_up(cur, 1u << tp->rx_opt.rcv_wscale);
	}
	/* What may arrive is not cut to what the field can say: the room that the SYN had in
	 * mind stays, also for a peer without window scaling (tcp_select_window). */
	announce(tp, win);
	if (!tp->rx_opt.rcv_wscale && sk->net->sysctl.tcp_workaround_signed_windows)
		win = min_u32(win, MAX_TCP_WINDOW);
	else
		win = min_u32(win, 65535u << tp->rx_opt.rcv_wscale);
	win >>= tp->rx_opt.rcv_wscale;
	if (!win) {
		tp->pred_flags = 0;
		if (old)
			MIB_INC(sk->net, TcpExtTCPToZeroWindowAdv);
	} else if (!old) {
		MIB_INC(sk->net, TcpExtTCPFromZeroWindowAdv);
	}
	return (u16)win;
}

/* ---- one segment ---- */

static void dec_quickack_mode(struct inet_connection_sock *icsk)
{
	if (!icsk->icsk_ack.quick)
		return;
	if (--icsk->icsk_ack.quick == 0)
		icsk->icsk_ack.ato = TCP_ATO_MIN;
}

static void tcp_event_data_sent(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 now = tcp_jiffies32(sk);

	if (!tcp_packets_in_flight(tp))
		tcp_ca_event(sk, CA_EVENT_TX_START);
	tp->lsndtime = now;
	/* An answer soon after a question: ACKs will ride on answers. */
	if (now - icsk->icsk_ack.lrcvtime < icsk->icsk_ack.ato)
		inet_csk_inc_pingpong_cnt(sk);
}

bool tcp_urg_mode(const struct tcp_sock *tp)
{
	return tp->snd_una != tp->snd_up;
}

/* RFC 9293 3.8.5: the pointer, relative to the segment. */
static u16 urgent_pointer(const struct tcp_sock *tp, struct tcp_hdr *h)
{
	if (!tcp_urg_mode(tp) || !before(h->seq, tp->snd_up))
		return 0;
	if (before(tp->snd_up, h->seq + 0x10000)) {
		h->flags |= TCPHDR_URG;
		return (u16)(tp->snd_up - h->seq);
	}
	if (after(h->seq + 0xffff, tp->snd_nxt)) {
		h->flags |= TCPHDR_URG;
		return 0xffff;
	}
	return 0;
}

/* Pushes and fills in the header. Returns its length. */
static u32 build_header(struct sock *sk, struct sk_buff *skb, u32 rcv_nxt)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct tcp_out_options opts = { 0 };
	bool syn = cb->tcp_flags & TCPHDR_SYN;
	u32 size = TCP_HLEN + (syn ? tcp_syn_options(sk, cb->tcp_flags & TCPHDR_ACK, &opts) :
				     tcp_established_options(sk, skb, &opts));
	struct tcp_hdr h = {
		.source = inet_skc(sk)->skc_num, /* a closed socket may have none of its own */
		.dest = sk->inet_dport,
		.seq = cb->seq,
		.ack_seq = cb->tcp_flags & TCPHDR_ACK ? rcv_nxt : 0,
		.doff = (u8)size
	};
	u16 flags = cb->tcp_flags | (syn ? 0 : tcp_ecn_send(sk, skb, skb->len));
	u8 *th = skb_push(skb, size);

	ASSERT(skb_headroom(skb) < 0xffff); /* where offsets of headers end */
	/* So that the receiver's GRO hands the burst on at once. */
	if (tcp_skb_pcount(skb) > 1)
		cb->tcp_flags |= TCPHDR_PSH;
	h.flags = (u8)(flags | (cb->tcp_flags & TCPHDR_PSH));
	h.res = (u8)(flags >> 8 & 1);
	skb_reset_transport_header(skb);
	h.urg_ptr = urgent_pointer(tp, &h);
	/* The window of a SYN is never scaled (RFC 7323 2.2). */
	h.window = syn ? (u16)min_u32(tp->rcv_wnd, 65535) : tcp_select_window(sk);
	tcp_build(th, &h);
	tcp_options_write(th, tp, &opts);
	/* RFC 2385, RFC 5925 7.4: last of all, but before the checksum. */
	if (opts.auth_len)
		tcp_auth_sign(sk, skb);
	return size;
}

void tcp_skb_set_owner_w(struct sock *sk, struct sk_buff *skb)
{
	if (!sk->sk_wmem_alloc)
		sock_hold(sk);
	skb->sk = sk;
	skb->destructor = tcp_wfree;
	sk->sk_wmem_alloc += skb->truesize;
	skb->priority = sk->sk_priority;
	skb->mark = sk->sk_mark;
}

static void count_sent(struct sock *sk, const struct sk_buff *skb, u32 payload)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 segs = tcp_skb_pcount(skb);

	if (payload) {
		tcp_event_data_sent(sk);
		tp->data_segs_out += segs;
		tp->bytes_sent += payload;
	}
	/* RFC 4022 tcpOutSegs: without those sent again. */
	if (after(cb->end_seq, tp->snd_nxt) || cb->seq == cb->end_seq)
		MIB_ADD(sk->net, TcpOutSegs, segs);
	tp->segs_out += segs;
}

/* What the layers below must know to cut it. */
static void set_gso(const struct sock *sk, struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	bool several = tcp_skb_pcount(skb) > 1;

	shinfo->gso_segs = (u16)tcp_skb_pcount(skb);
	shinfo->gso_size = several ? (u16)tcp_skb_mss(skb) : 0;
	shinfo->gso_type = !several ? 0 : sk_is_ipv6(sk) ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
	if (several && tcp_ecn_mode_accecn(tcp_sk(sk)))
		shinfo->gso_type |= SKB_GSO_TCP_ACCECN;
}

int tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone)
{
	return __tcp_transmit_skb(sk, skb, clone, tcp_sk(sk)->rcv_nxt);
}

int __tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone, u32 rcv_nxt)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *oskb = NULL;
	u64 prior_wstamp;
	u32 size;
	int err;

	tcp_mstamp_refresh(tp);
	prior_wstamp = tp->tcp_wstamp_ns;
	tp->tcp_wstamp_ns = max_u64(prior_wstamp, tp->tcp_clock_cache);
	skb->tstamp = tp->tcp_wstamp_ns;
	if (clone) {
		oskb = skb;
		if (!oskb->nohdr)
			skb_header_release(oskb);
		skb = skb_clone(oskb);
		if (!skb)
			return -ENOBUFS;
		skb->dev = NULL;
	}
	/* Only the copy's: the time on the way counts into the RTT (TCP_TX_DELAY). */
	skb->tstamp += tp->rare->options.tx_delay * NSEC_PER_USEC;
	size = build_header(sk, skb, rcv_nxt);
	/* Nothing is under way that it could overtake: it may take another transmit queue. */
	skb->ooo_okay = !sk->sk_wmem_alloc || tcp_rtx_queue_empty(sk);
	tcp_skb_set_owner_w(sk, skb);
	if (tcp_skb_pcount(skb) > 1)
		TCP_SKB_CB(skb)->payload_csum = 0; /* each of its segments has a sum of its own */
	icsk->icsk_af_ops->send_check(sk, skb);
	if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_ACK && rcv_nxt == tp->rcv_nxt) {
		dec_quickack_mode(icsk);
		inet_csk_clear_delack_timer(sk);
		if (tp->loss->compressed_ack)
			tcp_compressed_ack_sent(sk);
	}
	count_sent(sk, skb, skb->len - size);
	set_gso(sk, skb);
	skb->dst_pending_confirm = sk->sk_dst_pending_confirm;
	memset(skb->cb, 0, sizeof(skb->cb));
	err = icsk->icsk_af_ops->queue_xmit(sk, skb);
	if (err > 0) {
		/* Local congestion (RFC 5681 needs no loss to slow down). */
		tcp_enter_cwr(sk);
		err = err == NET_XMIT_CN ? 0 : err;
	}
	if (!err && oskb) {
		tcp_update_skb_after_send(sk, oskb, prior_wstamp);
		list_del_init(&TCP_SKB_CB(oskb)->tx.tsorted);
		list_add_tail(&TCP_SKB_CB(oskb)->tx.tsorted, &tp->tsorted_sent_queue);
		tcp_rate_skb_sent(sk, oskb);
	}
	return err;
}

/* ---- cwnd and idle time ---- */

void tcp_slow_start_after_idle_check(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct inet_connection_sock *icsk = inet_csk(sk);
	s32 delta = (s32)(tcp_jiffies32(sk) - tp->lsndtime);
	u32 cwnd = tp->snd_cwnd, restart;

	if (!sk->net->sysctl.tcp_slow_start_after_idle || tp->packets_out ||
	    icsk->icsk_ca_ops->cong_control || delta <= (s32)icsk->icsk_rto)
		return;
	/* RFC 2861: half for every RTO without a segment, not below the initial window. */
	restart = min_u32(tcp_init_cwnd(tp, sk->dst_cache), cwnd);
	tcp_ca_event(sk, CA_EVENT_CWND_RESTART);
	tp->snd_ssthresh = tcp_current_ssthresh(sk);
	while ((delta -= (s32)icsk->icsk_rto) > 0 && cwnd > restart)
		cwnd >>= 1;
	tcp_snd_cwnd_set(tp, max_u32(max_u32(cwnd, restart), 1));
	tp->snd_cwnd_stamp = tcp_jiffies32(sk);
	tp->snd_cwnd_used = 0;
}

/* The application did not use the window for an RTO: it shrinks towards what was used. */
static void cwnd_application_limited(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (inet_csk(sk)->icsk_ca_state == TCP_CA_Open && !sk->sk_nospace) {
		u32 used = max_u32(tp->snd_cwnd_used, tcp_init_cwnd(tp, sk->dst_cache));

		if (used < tp->snd_cwnd) {
			tp->snd_ssthresh = tcp_current_ssthresh(sk);
			tcp_snd_cwnd_set(tp, (tp->snd_cwnd + used) >> 1);
		}
		tp->snd_cwnd_used = 0;
	}
	tp->snd_cwnd_stamp = tcp_jiffies32(sk);
}

static void tcp_cwnd_validate(struct sock *sk, bool is_cwnd_limited)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 now = tcp_jiffies32(sk);

	if (!before(tp->snd_una, tp->cwnd_usage_seq) || is_cwnd_limited ||
	    (!tp->is_cwnd_limited && tp->packets_out > tp->max_packets_out)) {
		tp->is_cwnd_limited = is_cwnd_limited;
		tp->max_packets_out = tp->packets_out;
		tp->cwnd_usage_seq = tp->snd_nxt;
	}
	if (tcp_is_cwnd_limited(sk)) {
		tp->snd_cwnd_used = 0;
		tp->snd_cwnd_stamp = now;
		return;
	}
	tp->snd_cwnd_used = max_u32(tp->snd_cwnd_used, tp->packets_out);
	if (sk->net->sysctl.tcp_slow_start_after_idle &&
	    (s32)(now - tp->snd_cwnd_stamp) >= (s32)icsk->icsk_rto &&
	    !icsk->icsk_ca_ops->cong_control)
		cwnd_application_limited(sk);
	if (tcp_write_queue_empty(sk) && sk->sk_nospace &&
	    (sk->sk_state == TCP_ESTABLISHED || sk->sk_state == TCP_CLOSE_WAIT))
		tcp_chrono_start(sk, TCP_CHRONO_SNDBUF_LIMITED);
}

/* ---- what may go ---- */

static u32 tcp_cwnd_test(const struct tcp_sock *tp)
{
	u32 in_flight = tcp_packets_in_flight(tp), cwnd = tp->snd_cwnd;

	return in_flight >= cwnd ? 0 : min_u32(max_u32(cwnd >> 1, 1), cwnd - in_flight);
}

bool tcp_snd_wnd_test(const struct tcp_sock *tp, const struct sk_buff *skb, u32 mss)
{
	u32 end_seq = TCP_SKB_CB(skb)->end_seq;

	if (skb->len > mss)
		end_seq = TCP_SKB_CB(skb)->seq + mss;
	return !after(end_seq, tcp_wnd_end(tp));
}

/* RFC 9293 3.7.4. True: it may go. */
static bool tcp_nagle_test(const struct tcp_sock *tp, const struct sk_buff *skb, u32 mss,
			   u32 nonagle)
{
	if (nonagle & TCP_NAGLE_PUSH)
		return true;
	if (tcp_urg_mode(tp) || TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN)
		return true;
	if (skb->len >= mss)
		return true;
	if (nonagle & TCP_NAGLE_CORK)
		return false;
	return nonagle || !tp->packets_out || !tcp_minshall_check(tp);
}

void tcp_event_new_data_sent(struct sock *sk, struct sk_buff *skb)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 prior = tp->packets_out;

	tp->snd_nxt = TCP_SKB_CB(skb)->end_seq;
	skb_unlink(&sk->write_queue, skb);
	tcp_rtx_queue_insert(sk, skb);
	if (tcp_loss_seen(tp) && !tp->loss->highest_sack)
		tcp_loss_own(tp)->highest_sack = skb;
	tp->packets_out += tcp_skb_pcount(skb);
	if (!prior || icsk->icsk_pending == ICSK_TIME_LOSS_PROBE)
		tcp_rearm_rto(sk);
	MIB_ADD(sk->net, TcpExtTCPOrigDataSent, tcp_skb_pcount(skb));
	tcp_check_space(sk);
}

static void after_burst(struct sock *sk, u32 sent, bool cwnd_limited, bool rwnd_limited,
			int push_one)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 state = inet_csk(sk)->icsk_ca_state;

	if (rwnd_limited)
		tcp_chrono_start(sk, TCP_CHRONO_RWND_LIMITED);
	else
		tcp_chrono_stop(sk, TCP_CHRONO_RWND_LIMITED);
	cwnd_limited |= tcp_packets_in_flight(tp) >= tp->snd_cwnd;
	if (sent || cwnd_limited)
		tcp_cwnd_validate(sk, cwnd_limited);
	if (!sent)
		return;
	if (state == TCP_CA_CWR || state == TCP_CA_Recovery)
		tcp_loss_own(tp)->prr_out += sent;
	if (push_one != 2)
		tcp_schedule_loss_probe(sk, false);
}

/* What one round of tcp_write_xmit() knows. */
struct xmit_round {
	u32 mss_now, nonagle, max_segs;
	int push_one;
	bool cwnd_limited, rwnd_limited;
};

/* Cuts the head of the write queue to what may go now. False: nothing may. */
static bool prepare_head(struct sock *sk, struct sk_buff *skb, struct xmit_round *x)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = x->mss_now, quota, limit = mss, segs;

	if (tcp_pacing_check(sk))
		return false;
	quota = tcp_cwnd_test(tp);
	if (!quota) {
		if (x->push_one != 2)
			return false;
		quota = 1; /* a loss probe goes past cwnd */
	}
	quota = min_u32(quota, x->max_segs);
	if (quota * mss > skb->len)
		tcp_grow_skb(sk, skb, quota * mss - skb->len);
	segs = tcp_set_skb_tso_segs(skb, mss);
	if (!tcp_snd_wnd_test(tp, skb, mss)) {
		x->rwnd_limited = true;
		return false;
	}
	if (segs == 1) {
		if (!tcp_nagle_test(tp, skb, mss, skb->next ? TCP_NAGLE_PUSH : x->nonagle))
			return false;
	} else if (!x->push_one &&
		   tcp_tso_should_defer(sk, skb, &x->cwnd_limited, &x->rwnd_limited, x->max_segs)) {
		return false;
	}
	if (segs > 1 && !tcp_urg_mode(tp))
		limit = tcp_mss_split_point(sk, skb, mss, quota, x->nonagle);
	if (skb->len > limit && tcp_fragment(sk, TCP_FRAG_IN_WRITE_QUEUE, skb, limit, mss))
		return false;
	return !tcp_small_queue_check(sk, skb, 0);
}

/*
 * push_one: 0 all that may go, 1 one packet, 2 one segment beyond cwnd (loss probe). True: nothing
 * is under way and something waits: the window must be probed.
 */
bool tcp_write_xmit(struct sock *sk, u32 mss_now, u32 nonagle, int push_one)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct xmit_round x = { .mss_now = mss_now, .nonagle = nonagle, .push_one = push_one };
	struct sk_buff *skb;
	u32 sent = 0;

	tcp_mstamp_refresh(tp);
	if (!push_one && inet_csk(sk)->icsk_mtup_enabled) {
		int probe = tcp_mtu_probe(sk);

		if (!probe)
			return false;
		sent = probe > 0;
	}
	x.max_segs = tcp_tso_segs(sk, mss_now);
	while ((skb = tcp_send_head(sk)) != NULL) {
		if (!prepare_head(sk, skb, &x) || tcp_transmit_skb(sk, skb, true))
			break;
		if (skb->len < tcp_skb_pcount(skb) * mss_now)
			tp->snd_sml = TCP_SKB_CB(skb)->end_seq;
		tcp_event_new_data_sent(sk, skb);
		sent += tcp_skb_pcount(skb);
		if (push_one)
			break;
	}
	after_burst(sk, sent, x.cwnd_limited, x.rwnd_limited, push_one);
	return !sent && !tp->packets_out && !tcp_write_queue_empty(sk);
}

void __tcp_push_pending_frames(struct sock *sk, u32 cur_mss, u32 nonagle)
{
	if (sk->sk_state == TCP_CLOSE)
		return;
	if (tcp_write_xmit(sk, cur_mss, nonagle, 0))
		tcp_check_probe_timer(sk);
}

void tcp_push_pending_frames(struct sock *sk)
{
	if (tcp_send_head(sk))
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), tcp_sk(sk)->nonagle);
}

void tcp_push_one(struct sock *sk, u32 mss_now)
{
	tcp_write_xmit(sk, mss_now, TCP_NAGLE_PUSH, 1);
}
