/* SPDX-License-Identifier: MIT */
/*
 * Segments without data of the user: SYN and SYN-ACK, ACK, FIN, RST, probes
 * (net/ipv4/tcp_output.c).
 */
#include "tcp/tcp.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_secure_seq.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_syn.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

/* ---- first numbers ---- */

static u32 ilog2(u32 v)
{
	u32 n = 0;

	while (v >>= 1)
		n++;
	return n;
}

void tcp_select_initial_window(const struct sock *sk, u32 space, u32 mss, u32 *rcv_wnd,
			       u32 *window_clamp, bool wscale_ok, u8 *rcv_wscale, u32 init_rcv_wnd)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;

	if (!*window_clamp)
		*window_clamp = 65535u << TCP_MAX_WSCALE;
	space = min_u32(*window_clamp, space);
	if (mss && space > mss)
		space = space / mss * mss;
	/* What a SYN can say of it is 65535; what may arrive is all of it (since 6.11). */
	*rcv_wnd = sysctl->tcp_workaround_signed_windows ? min_u32(space, MAX_TCP_WINDOW) : space;
	if (init_rcv_wnd)
		*rcv_wnd = min_u32(*rcv_wnd, init_rcv_wnd * mss);
	*rcv_wscale = 0;
	if (wscale_ok) {
		/* For the largest window that there may ever be. */
		space = max_u32(space, (u32)sysctl->tcp_rmem_max);
		space = max_u32(space, (u32)sysctl->core_rmem_max);
		space = min_u32(space, *window_clamp);
		if (space && ilog2(space) > 15)
			*rcv_wscale = (u8)min_u32(ilog2(space) - 15, TCP_MAX_WSCALE);
	}
	*window_clamp = min_u32(65535u << *rcv_wscale, *window_clamp);
}

/* mss: the windows are multiples of it. */
static void req_init_rwin(struct request_sock *req, const struct sock *listener,
			  const struct dst_entry *dst, u32 mss)
{
	u32 clamp = tcp_sk(listener)->window_clamp, full = tcp_full_space(listener);
	u8 wscale;

	req->rsk_window_clamp = clamp ? clamp : dst_metric(dst, RTAX_WINDOW);
	if (listener->sk_userlocks & SOCK_RCVBUF_LOCK &&
	    (req->rsk_window_clamp > full || !req->rsk_window_clamp))
		req->rsk_window_clamp = full;
	tcp_select_initial_window(listener, full, mss, &req->rsk_rcv_wnd, &req->rsk_window_clamp,
				  req->wscale_ok, &wscale, dst_metric(dst, RTAX_INITRWND));
	req->rcv_wscale = (u32)wscale & 15;
}

void tcp_openreq_init_rwin(struct request_sock *req, const struct sock *sk_listener,
			   const struct dst_entry *dst)
{
	u32 mss = tcp_mss_clamp(tcp_sk(sk_listener), (u16)tcp_dst_advmss(dst));

	req_init_rwin(req, sk_listener, dst, mss - (req->tstamp_ok ? TCPOLEN_TSTAMP_ALIGNED : 0));
}

void tcp_cookie_init_rwin(struct request_sock *req, const struct sock *sk_listener,
			  const struct dst_entry *dst)
{
	req_init_rwin(req, sk_listener, dst, req->mss);
}

void tcp_connect_init(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct dst_entry *dst = sk->dst_cache;
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	u32 full;
	u8 wscale;

	tp->tcp_header_len = TCP_HLEN;
	if (sysctl->tcp_timestamps)
		tp->tcp_header_len = TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED;
	if (tp->rare->auth) {
		tcp_ao_connect_init(sk);
		tp->tcp_header_len = (u16)(tp->tcp_header_len + tcp_auth_len(sk));
	}
	if (tp->rx_opt.user_mss)
		tp->rx_opt.mss_clamp = tp->rx_opt.user_mss;
	tp->max_window = 0;
	tcp_mtup_init(sk);
	tcp_ca_dst_init(sk, dst);
	tcp_sync_mss(sk, dst_mtu(dst));
	if (!tp->window_clamp)
		tp->window_clamp = dst_metric(dst, RTAX_WINDOW);
	tcp_initialize_advmss(sk, dst);
	tcp_initialize_rcv_mss(sk);
	full = tcp_full_space(sk);
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK && (tp->window_clamp > full || !tp->window_clamp))
		tp->window_clamp = full;
	tcp_select_initial_window(
		sk, full,
		tp->advmss - (tp->rx_opt.ts_recent_stamp ? tp->tcp_header_len - TCP_HLEN : 0),
		&tp->rcv_wnd, &tp->window_clamp, sysctl->tcp_window_scaling, &wscale,
		dst_metric(dst, RTAX_INITRWND));
	tp->rx_opt.rcv_wscale = (u32)wscale & 15;
	tp->rcv_ssthresh = tp->rcv_wnd;
	sk->sk_err = 0;
	sk->sk_flags &= ~SOCK_DONE;
	tp->snd_wnd = 0;
	tp->snd_wl1 = 0;
	tcp_write_queue_purge(sk);
	tp->snd_una = tp->write_seq;
	tp->snd_sml = tp->write_seq;
	tp->snd_up = tp->write_seq;
	tp->snd_nxt = tp->write_seq;
	tp->rcv_nxt = 0;
	tp->rcv_wup = 0;
	tp->copied_seq = 0;
	icsk->icsk_rto = TCP_TIMEOUT_INIT;
	icsk->icsk_retransmits = 0;
	tcp_clear_retrans(tp);
}

/* ---- SYN ---- */

int tcp_connect(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *buff;
	int err;

	if (tp->rare->auth) {
		err = tcp_auth_connect(sk);
		if (err)
			return err;
	}
	if (icsk->icsk_af_ops->rebuild_header(sk))
		return -EHOSTUNREACH;
	tcp_connect_init(sk);
	buff = tcp_stream_alloc_skb(sk, 0);
	if (!buff)
		return -ENOBUFS;
	tcp_init_nondata_skb(buff, tp->write_seq, TCPHDR_SYN);
	tcp_mstamp_refresh(tp);
	tp->retrans_stamp = tcp_time_stamp_ms(tp);
	sk_wmem_queued_add(sk, (s32)buff->truesize);
	tp->write_seq = TCP_SKB_CB(buff)->end_seq;
	tp->packets_out += 1;
	tcp_ecn_send_syn(sk, buff);
	tcp_rtx_queue_insert(sk, buff);
	err = tp->rare->fastopen_req ? tcp_send_syn_data(sk, buff) :
				       tcp_transmit_skb(sk, buff, true);
	if (err == -ECONNREFUSED)
		return err;
	/* Now only, so that it is counted as new. */
	tp->snd_nxt = tp->write_seq;
	buff = tcp_send_head(sk);
	if (buff) /* data that was to go with the SYN, and could not */
		tp->snd_nxt = TCP_SKB_CB(buff)->seq;
	tp->pushed_seq = tp->snd_nxt;
	MIB_INC(sk->net, TcpActiveOpens);
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, icsk->icsk_rto, TCP_RTO_MAX);
	return 0;
}

int tcp_open(struct sock *sk, const struct inet_addr *laddr, const struct inet_addr *faddr)
{
	struct tcp_fastopen_request fo;
	struct tcp_sock *tp = tcp_sk(sk);
	int err;

	/* A TIME-WAIT socket whose place was taken may have given it (RFC 6191). */
	if (!tp->write_seq)
		tp->write_seq = secure_tcp_seq(sk->net, laddr, sk->inet_num, faddr, sk->inet_dport);
	tp->tsoffset = secure_tcp_ts_off(sk->net, laddr, faddr);
	if (tcp_fastopen_defer_connect(sk, &fo))
		return 0;
	err = tcp_connect(sk);
	if (tp->rare->fastopen_req == &fo)
		tcp_rare_own(tp)->fastopen_req = NULL;
	return err;
}

int tcp_connect_deferred(struct sock *sk)
{
	int err = tcp_connect(sk);

	if (err) {
		tcp_set_state(sk, TCP_CLOSE);
		sk->inet_dport = 0;
	}
	return err;
}

/* The SYN in the queue becomes a SYN-ACK. */
int tcp_send_synack(struct sock *sk)
{
	struct sk_buff *skb = tcp_rtx_queue_head(sk);

	if (!skb || !(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN))
		return -EFAULT;
	if (!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_ACK)) {
		TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_ACK;
		tcp_ecn_send_synack(sk, skb);
	}
	if (tcp_skb_unclone(skb))
		return -ENOMEM;
	return tcp_transmit_skb(sk, skb, true);
}

static void synack_options(const struct sock *sk, struct request_sock *req, u16 mss,
			   const struct tcp_fastopen_cookie *foc, const struct tcp_key *key,
			   struct tcp_out_options *opts)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	u32 size;

	*opts = (struct tcp_out_options){ .options = OPTION_MSS,
					  .mss = mss,
					  .auth_len = (u8)tcp_key_len(key) };
	/* No SACK block would fit beside both. */
	if (key->type == TCP_KEY_AO || (key->type == TCP_KEY_MD5 && !req->syncookie))
		req->tstamp_ok &= !req->sack_ok;
	if (req->tstamp_ok) {
		opts->options |= OPTION_TS;
		opts->tsval = req->ts_off + (req->syncookie ? tcp_cookie_tsval(req) :
							      tcp_clock_ms(sk->net->host));
		opts->tsecr = req->ts_recent;
		if (!treq->snt_tsval_first)
			treq->snt_tsval_first = opts->tsval;
		treq->snt_tsval_last = opts->tsval;
	}
	if (req->wscale_ok) {
		opts->options |= OPTION_WSCALE;
		opts->ws = req->rcv_wscale;
	}
	if (req->sack_ok)
		opts->options |= OPTION_SACK_ADVERTISE;
	size = tcp_options_size(opts);
	if (foc && foc->len >= 0)
		size += tcp_fastopen_option(opts, foc, size);
	/* RFC 9768 3.1.4: not again, it may be what is in the way. */
	if (treq->accecn_ok && sk->net->sysctl.tcp_ecn_option && !treq->synack_sent) {
		opts->accecn_synack = true;
		(void)tcp_accecn_fit(opts, 0, MAX_TCP_OPTION_SPACE - size);
	}
	treq->synack_sent = 1;
	treq->syn_ect_snt = sk->inet_tos & 3u;
}

struct sk_buff *tcp_make_synack(struct sock *sk, struct dst_entry *dst, struct request_sock *req,
				const struct tcp_fastopen_cookie *foc)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	const struct inet_addr saddr = skc_rcv_saddr(&req->skc), daddr = skc_daddr(&req->skc);
	const struct tcp_ends ends = { .family = req->skc.skc_family,
				       .saddr = &saddr,
				       .daddr = &daddr };
	u16 mss = tcp_mss_clamp(tcp_sk(sk), (u16)tcp_dst_advmss(dst));
	struct sk_buff *skb;
	struct tcp_out_options opts;
	u8 options[TCP_HLEN_MAX];
	u16 ecn = tcp_ecn_make_synack(req);
	struct tcp_hdr h;
	struct tcp_key key;
	u32 size;

	if (!tcp_auth_synack_key(sk, req, &key))
		return NULL;
	skb = alloc_skb(net_world(sk->net), MAX_TCP_HEADER);
	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	skb->net = sk->net;
	skb->tstamp = tcp_clock_ns(sk->net->host);
	dst_hold(dst);
	skb_dst_set(skb, dst);
	skb->mark = req->ir_mark;
	synack_options(sk, req, mss, foc, &key, &opts);
	size = TCP_HLEN + tcp_options_write(options, NULL, &opts);
	h = (struct tcp_hdr){ .source = req->skc.skc_num,
			      .dest = req->skc.skc_dport,
			      .seq = treq->snt_isn,
			      .ack_seq = treq->rcv_nxt,
			      .doff = (u8)size,
			      .flags = (u8)(TCPHDR_SYN | TCPHDR_ACK | ecn),
			      .res = (u8)(ecn >> 8),
			      .window = (u16)min_u32(req->rsk_rcv_wnd, 65535) };
	skb_push(skb, size);
	skb_reset_transport_header(skb);
	memcpy(skb->data + TCP_HLEN, options + TCP_HLEN, size - TCP_HLEN);
	tcp_build(skb->data, &h);
	tcp_key_sign(&key, skb->data, skb->len, TCP_HLEN, &ends);
	if (!treq->snt_synack)
		treq->snt_synack = max_u32((u32)tcp_skb_timestamp_us(skb), 1);
	MIB_INC(sk->net, TcpOutSegs);
	return skb;
}

/* ---- ACK ---- */

/* The sequence number of a segment without data that the peer will accept: SND.NXT, or the end of
 * its window when that was shrunk. */
static u32 tcp_acceptable_seq(const struct tcp_sock *tp)
{
	if (!before(tcp_wnd_end(tp), tp->snd_nxt) ||
	    (tp->rx_opt.wscale_ok && tp->snd_nxt - tcp_wnd_end(tp) < 1u << tp->rx_opt.rcv_wscale))
		return tp->snd_nxt;
	return tcp_wnd_end(tp);
}

static struct sk_buff *control_skb(struct sock *sk, u32 seq, u16 flags)
{
	struct sk_buff *skb = alloc_skb(net_world(sk->net), MAX_TCP_HEADER);

	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	skb->net = sk->net;
	tcp_init_nondata_skb(skb, seq, flags);
	return skb;
}

void tcp_send_ack(struct sock *sk)
{
	__tcp_send_ack(sk, tcp_sk(sk)->rcv_nxt, 0);
}

void tcp_send_ack_reflect_ect(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	__tcp_send_ack(sk, tp->rcv_nxt, tcp_accecn_reflector_flags(tp->rare->accecn->syn_ect_rcv));
}

void __tcp_send_ack(struct sock *sk, u32 rcv_nxt, u16 flags)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct sk_buff *skb;

	if (sk->sk_state == TCP_CLOSE)
		return;
	skb = control_skb(sk, tcp_acceptable_seq(tcp_sk(sk)), TCPHDR_ACK | flags);
	if (!skb) {
		u32 delay = TCP_DELACK_MAX << icsk->icsk_ack.retry;

		if (delay < tcp_rto_max(sk))
			icsk->icsk_ack.retry++;
		inet_csk_schedule_ack(sk);
		icsk->icsk_ack.ato = TCP_ATO_MIN;
		inet_csk_reset_delack_timer(sk, delay, tcp_rto_max(sk));
		return;
	}
	__tcp_transmit_skb(sk, skb, false, rcv_nxt);
}

/* RFC 9293 3.8.6.3: at most half a second; rather less than the peer's retransmission timeout. */
void tcp_send_delayed_ack(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 ato = icsk->icsk_ack.ato, max_ato = HZ / 2;
	s32 left = (s32)(icsk->icsk_ack.timeout - tcp_jiffies32(sk));

	if (ato > TCP_DELACK_MIN) {
		if (inet_csk_in_pingpong_mode(sk) || icsk->icsk_ack.pending & ICSK_ACK_PUSHED)
			max_ato = TCP_DELACK_MAX;
		if (tp->srtt_us) {
			u32 rtt = max_u32(((tp->srtt_us >> 3) + 999) / 1000, TCP_DELACK_MIN);

			max_ato = min_u32(max_ato, rtt);
		}
		ato = min_u32(ato, max_ato);
	}
	ato = min_u32(ato, icsk->icsk_delack_max);
	if (icsk->icsk_ack.pending & ICSK_ACK_TIMER) {
		if (left <= (s32)(ato >> 2)) {
			tcp_send_ack(sk);
			return;
		}
		ato = min_u32(ato, (u32)left);
	}
	icsk->icsk_ack.pending |= ICSK_ACK_SCHED;
	inet_csk_reset_delack_timer(sk, ato, ato);
}

/* ---- FIN, RST ---- */

/* No memory for a segment of its own: the FIN goes with the last one that is under way, when that
 * is sent again. False: there is none that it can go with. */
static bool fin_with_last(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *tail = tcp_rtx_queue_tail(sk);

	if (!tail || TCP_SKB_CB(tail)->sacked & TCPCB_SACKED_ACKED)
		return false;
	TCP_SKB_CB(tail)->tcp_flags |= TCPHDR_FIN;
	TCP_SKB_CB(tail)->end_seq++;
	tp->write_seq++;
	tp->snd_nxt++;
	return true;
}

void tcp_send_fin(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (!skb && sk_under_memory_pressure(sk) && fin_with_last(sk))
		return;
	if (skb) {
		TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_FIN;
		TCP_SKB_CB(skb)->end_seq++;
		tp->write_seq++;
	} else {
		skb = tcp_stream_alloc_skb(sk, 0);
		if (!skb && fin_with_last(sk))
			return;
		if (!skb) {
			/* The connection can not be closed in order. */
			sk->sk_err = ENOBUFS;
			MIB_INC(sk->net, TcpExtTCPAbortOnMemory);
			tcp_done(sk);
			return;
		}
		tcp_init_nondata_skb(skb, tp->write_seq, TCPHDR_ACK | TCPHDR_FIN);
		tcp_queue_skb(sk, skb);
	}
	__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF);
}

void tcp_send_active_reset(struct sock *sk, enum sk_rst_reason reason)
{
	struct sk_buff *skb;

	MIB_INC(sk->net, TcpOutRsts);
	skb = control_skb(sk, tcp_acceptable_seq(tcp_sk(sk)), TCPHDR_ACK | TCPHDR_RST);
	if (!skb || tcp_transmit_skb(sk, skb, false))
		MIB_INC(sk->net, TcpExtTCPAbortFailed);
	trace(net_world(sk->net), sk->net->host, TRACE_TCP_SEND_RESET, inet_skc(sk)->skc_num,
	      sk->inet_dport, reason, 0);
}

/* ---- probes ---- */

int tcp_xmit_probe_skb(struct sock *sk, bool urgent, int mib)
{
	struct sk_buff *skb = control_skb(sk, tcp_sk(sk)->snd_una - (urgent ? 0 : 1), TCPHDR_ACK);

	if (!skb)
		return -1;
	sk->net->mib[mib]++;
	return tcp_transmit_skb(sk, skb, false);
}

/* The window is open a little: what fits goes out (RFC 9293 3.8.6.2.1 (4)). */
static int wakeup_data(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = tcp_current_mss(sk), seg_size = tcp_wnd_end(tp) - TCP_SKB_CB(skb)->seq;
	int err;

	if (before(tp->pushed_seq, TCP_SKB_CB(skb)->end_seq))
		tp->pushed_seq = TCP_SKB_CB(skb)->end_seq;
	seg_size = min_u32(seg_size, mss);
	if (seg_size < TCP_SKB_CB(skb)->end_seq - TCP_SKB_CB(skb)->seq &&
	    tcp_fragment(sk, TCP_FRAG_IN_WRITE_QUEUE, skb, seg_size, mss))
		return -1;
	TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_PSH;
	err = tcp_transmit_skb(sk, skb, true);
	if (!err)
		tcp_event_new_data_sent(sk, skb);
	return err;
}

int tcp_write_wakeup(struct sock *sk, int mib)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	if (sk->sk_state == TCP_CLOSE)
		return -1;
	skb = tcp_send_head(sk);
	if (skb && before(TCP_SKB_CB(skb)->seq, tcp_wnd_end(tp)))
		return wakeup_data(sk, skb);
	if (between(tp->snd_up, tp->snd_una + 1, tp->snd_una + 0xffff))
		tcp_xmit_probe_skb(sk, true, mib);
	return tcp_xmit_probe_skb(sk, false, mib);
}

void tcp_send_probe0(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	int err = tcp_write_wakeup(sk, MIB_TcpExtTCPWinProbe);
	u32 timeout;

	if (tp->packets_out || tcp_write_queue_empty(sk)) {
		icsk->icsk_probes_out = 0;
		icsk->icsk_backoff = 0;
		icsk->icsk_probes_tstamp = 0;
		return;
	}
	if (icsk->icsk_probes_out < 255)
		icsk->icsk_probes_out++;
	if (err <= 0) {
		if (icsk->icsk_backoff < sk->net->sysctl.tcp_retries2)
			icsk->icsk_backoff++;
		timeout = tcp_probe0_when(sk, tcp_rto_max(sk));
	} else {
		timeout = TCP_RESOURCE_PROBE_INTERVAL;
	}
	timeout = tcp_clamp_probe0_to_user_timeout(sk, timeout);
	inet_csk_reset_xmit_timer(sk, ICSK_TIME_PROBE0, timeout, tcp_rto_max(sk));
}
