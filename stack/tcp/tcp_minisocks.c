/* SPDX-License-Identifier: MIT */
/*
 * Connections without a full socket: segments for a request (SYN-RECEIVED) and for a TIME-WAIT
 * socket, the child that a request becomes, the TIME-WAIT socket that a connection becomes
 * (net/ipv4/tcp_minisocks.c). Both families.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_metrics.h"
#include "tcp/tcp_syn.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"
#include "tcp/tcp_validate.h"

/* ---- TIME-WAIT ---- */

static enum tcp_tw_status tw_answer(struct inet_timewait_sock *tw, const struct sk_buff *skb,
				    int mib)
{
	if (tcp_oow_rate_limited(tw->tw_common.skc_net, skb, mib, &tw->tw_last_oow_ack_time))
		return TCP_TW_SUCCESS;
	return TCP_TW_ACK_OOW;
}

static void tw_update_ts(struct inet_timewait_sock *tw, const struct tcp_options_received *opt)
{
	if (!opt->saw_tstamp)
		return;
	tw->tw_ts_recent = opt->rcv_tsval;
	tw->tw_ts_recent_stamp = tcp_clock_seconds(tw->tw_common.skc_net->host);
}

/* The peer's FIN has not come yet: our user closed, and FIN-WAIT-2 is waited out here. */
static enum tcp_tw_status fin_wait2(struct inet_timewait_sock *tw, struct sk_buff *skb,
				    const struct tcp_options_received *opt, bool paws_reject)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 rcv_nxt = tw->tw_rcv_nxt;

	if (paws_reject || !tcp_in_window(cb->seq, cb->end_seq, rcv_nxt, rcv_nxt + tw->tw_rcv_wnd))
		return tw_answer(tw, skb, MIB_TcpExtTCPACKSkippedFinWait2);
	if (cb->tcp_flags & TCPHDR_RST) {
		inet_twsk_deschedule_put(tw);
		return TCP_TW_SUCCESS;
	}
	if (cb->tcp_flags & TCPHDR_SYN && !before(cb->seq, rcv_nxt))
		return TCP_TW_RST;
	if (!(cb->tcp_flags & TCPHDR_ACK) || !after(cb->end_seq, rcv_nxt) || cb->end_seq == cb->seq)
		return TCP_TW_SUCCESS; /* no news */
	/* Data for nobody, or a FIN with data before it (RFC 9293 3.10.7.4; RFC 2525 2.17). */
	if (!(cb->tcp_flags & TCPHDR_FIN) || cb->end_seq != rcv_nxt + 1)
		return TCP_TW_RST;
	tw->tw_substate = TCP_TIME_WAIT;
	tw->tw_rcv_nxt = cb->end_seq;
	if (opt->saw_tstamp)
		tw->tw_entry_stamp = tcp_clock_ms(tw->tw_common.skc_net->host);
	tw_update_ts(tw, opt);
	inet_twsk_reschedule(tw, TCP_TIMEWAIT_LEN);
	return TCP_TW_ACK;
}

/* Is the SYN surely a new connection's? (RFC 9293 3.10.7.4, RFC 1122 4.2.2.13, RFC 6191) */
static bool tw_syn_is_new(const struct inet_timewait_sock *tw, const struct sk_buff *skb,
			  const struct tcp_options_received *opt)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	if ((cb->tcp_flags & (TCPHDR_SYN | TCPHDR_RST | TCPHDR_ACK)) != TCPHDR_SYN)
		return false;
	return after(cb->seq, tw->tw_rcv_nxt) ||
	       (opt->saw_tstamp && before(tw->tw_ts_recent, opt->rcv_tsval));
}

enum tcp_tw_status tcp_timewait_state_process(struct inet_timewait_sock *tw, struct sk_buff *skb,
					      u32 *tw_isn, enum skb_drop_reason *reason)
{
	struct net *net = tw->tw_common.skc_net;
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	bool rst = cb->tcp_flags & TCPHDR_RST, paws_reject = false;
	struct tcp_options_received opt;

	memset(&opt, 0, sizeof(opt));
	if (tcp_doff(tcp_hdr(skb)) > TCP_HLEN && tw->tw_ts_recent_stamp) {
		tcp_parse_options(net, skb, &opt, false, NULL);
		if (opt.saw_tstamp) {
			if (opt.rcv_tsecr)
				opt.rcv_tsecr -= tw->tw_ts_offset;
			opt.ts_recent = tw->tw_ts_recent;
			opt.ts_recent_stamp = tw->tw_ts_recent_stamp;
			paws_reject = tcp_paws_reject(net->host, &opt, rst);
		}
	}
	if (tw->tw_substate == TCP_FIN_WAIT2)
		return fin_wait2(tw, skb, &opt, paws_reject);

	/* In the window there can only be a reset or a bare ACK. */
	if (!paws_reject && cb->seq == tw->tw_rcv_nxt && (cb->seq == cb->end_seq || rst)) {
		if (rst && !net->sysctl.tcp_rfc1337) {
			/* RFC 1337 calls this assassination; RFC 9293 3.10.7.4 wants it. */
			inet_twsk_deschedule_put(tw);
			return TCP_TW_SUCCESS;
		}
		if (!rst)
			inet_twsk_reschedule(tw, TCP_TIMEWAIT_LEN);
		tw_update_ts(tw, &opt);
		return TCP_TW_SUCCESS;
	}
	if (!paws_reject && tw_syn_is_new(tw, skb, &opt)) {
		/* RFC 1122 4.2.2.13 (1): above all that was sent before. */
		u32 isn = tw->tw_snd_nxt + 65535 + 2;

		*tw_isn = isn ? isn : 1;
		return TCP_TW_SYN;
	}
	if (paws_reject) {
		*reason = SKB_DROP_REASON_TCP_RFC7323_TW_PAWS;
		MIB_INC(net, TcpExtPAWSTimewait);
	}
	if (rst)
		return TCP_TW_SUCCESS;
	/* A SYN without ACK may be an old one or a new one with an unlucky number: the wait is not
	 * made longer for it. */
	if (paws_reject || cb->tcp_flags & TCPHDR_ACK)
		inet_twsk_reschedule(tw, TCP_TIMEWAIT_LEN);
	return tw_answer(tw, skb, MIB_TcpExtTCPACKSkippedTimeWait);
}

void tcp_time_wait(struct sock *sk, u8 state, u32 timeo)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	struct inet_timewait_sock *tw =
		inet_twsk_alloc(sk, state, tp->rare->auth ? tcp_twsk_auth_size(sk) : 0);
	u32 rto = (icsk->icsk_rto << 2) - (icsk->icsk_rto >> 1);

	if (!tw) {
		MIB_INC(sk->net, TcpExtTCPTimeWaitOverflow);
		tcp_update_metrics(sk);
		tcp_done(sk);
		return;
	}
	tw->tw_rcv_wscale = tp->rx_opt.rcv_wscale;
	tcp_twsk_auth_init(tw, sk);
	tw->tw_entry_stamp = tcp_clock_ms(sk->net->host);
	tw->tw_rcv_nxt = tp->rcv_nxt;
	tw->tw_snd_nxt = tp->snd_nxt;
	/* Without scaling it may be more than the field can say, which Linux then cuts off. */
	tw->tw_rcv_wnd = tcp_receive_window(tp);
	if (net_world(sk->net)->profile_rfc)
		tw->tw_rcv_wnd = min_u32(tw->tw_rcv_wnd, 65535u << tw->tw_rcv_wscale);
	tw->tw_ts_recent = tp->rx_opt.ts_recent;
	tw->tw_ts_recent_stamp = tp->rx_opt.ts_recent_stamp;
	tw->tw_ts_offset = tp->tsoffset;
	/* Long enough for the peer to send its FIN again. */
	timeo = max_u32(timeo, rto);
	if (state == TCP_TIME_WAIT)
		timeo = TCP_TIMEWAIT_LEN;
	inet_twsk_hashdance_schedule(tw, sk, timeo);
	tcp_update_metrics(sk);
	tcp_done(sk);
}

static bool tw_on_loopback(const struct inet_timewait_sock *tw)
{
	const struct sock_common *skc = &tw->tw_common;
	const struct inet_addr *daddr;

	if (skc->skc_bound_dev_if == 1) /* LOOPBACK_IFINDEX */
		return true;
	if (skc->skc_family == AF_INET)
		return ntohl(skc->skc_v4.daddr) >> 24 == 127 ||
		       ntohl(skc->skc_v4.rcv_saddr) >> 24 == 127;
	daddr = &skc->skc_v6->daddr;
	return !(daddr->w[0] | daddr->w[1] | daddr->w[2]) && ntohl(daddr->w[3]) == 1;
}

bool tcp_twsk_unique(struct sock *sk, struct inet_timewait_sock *tw, bool bound)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	struct tcp_sock *tp = tcp_sk(sk);
	s32 reuse = sysctl->tcp_tw_reuse;
	u32 age = tcp_clock_ms(sk->net->host) - tw->tw_entry_stamp, seq;

	if (tw->tw_substate == TCP_FIN_WAIT2 || (reuse == 2 && !tw_on_loopback(tw)))
		reuse = 0;
	/* Time stamps keep the old connection's segments out (RFC 7323 B.2 (b), RFC 6191). */
	if (!tw->tw_ts_recent_stamp)
		return false;
	if (!bound && (!reuse || age <= (u32)sysctl->tcp_tw_reuse_delay))
		return false;
	seq = tw->tw_snd_nxt + 65535 + 2;
	tp->write_seq = seq ? seq : 1;
	tp->rx_opt.ts_recent = tw->tw_ts_recent;
	tp->rx_opt.ts_recent_stamp = tw->tw_ts_recent_stamp;
	return true;
}

/* ---- SYN-RECEIVED ---- */

/* Windows of both sides as the handshake left them (RFC 7323 2.2: the third ACK's is scaled). */
static void child_windows(struct tcp_sock *newtp, const struct request_sock *req,
			  const struct sk_buff *skb)
{
	newtp->window_clamp = req->rsk_window_clamp;
	newtp->rcv_ssthresh = req->rsk_rcv_wnd;
	newtp->rcv_wnd = req->rsk_rcv_wnd;
	newtp->rcv_mwnd_seq = newtp->rcv_wup + req->rsk_rcv_wnd;
	newtp->rx_opt.wscale_ok = req->wscale_ok;
	newtp->rx_opt.snd_wscale = 0;
	newtp->rx_opt.rcv_wscale = 0;
	if (req->wscale_ok) {
		newtp->rx_opt.snd_wscale = req->snd_wscale;
		newtp->rx_opt.rcv_wscale = req->rcv_wscale;
	} else {
		newtp->window_clamp = min_u32(newtp->window_clamp, 65535);
	}
	newtp->snd_wnd = (u32)tcp_window(tcp_hdr(skb)) << newtp->rx_opt.snd_wscale;
	newtp->max_window = newtp->snd_wnd;
}

/* The SYN-ACK went more than once. Without memory for it nothing is known of that. */
static void child_synack_again(struct sock *newsk, const struct request_sock *req)
{
	struct tcp_sock *newtp = tcp_sk(newsk);
	struct tcp_loss *loss;

	if (!req->num_retrans && !req->num_timeout)
		return;
	loss = tcp_loss_get(newsk);
	if (!loss)
		return;
	loss->total_retrans = req->num_retrans;
	if (!req->num_timeout)
		return;
	/* It timed out: should that have been needless, it is undone (RFC 5682). */
	newtp->retrans_stamp = (u32)(tcp_synack_sent_us(req) / 1000);
	loss->total_rto = req->num_timeout;
	loss->undo_marker = tcp_rsk(req)->snt_isn;
	loss->total_rto_time = tcp_clock_ms(newsk->net->host) - newtp->retrans_stamp;
	loss->total_rto_recoveries = 1;
}

/* A socket like the listener, without what a listener may still have of a connection that it was.
 * In *rare: what tcp_rare_adopt() gives it. NULL: no memory, or its key is gone. */
static struct sock *child_alloc(const struct sock *sk, struct request_sock *req,
				const struct tcp_rare **rare)
{
	struct sock *newsk;

	if (!tcp_rare_clone(sk, req, rare))
		return NULL;
	newsk = inet_csk_clone_lock((struct sock *)(uintptr_t)(const void *)sk, req);
	if (!newsk) {
		tcp_rare_free(sk->net, *rare);
		return NULL;
	}
	tcp_sk(newsk)->rare = &tcp_rare_default;
	tcp_sk(newsk)->loss = &tcp_loss_none;
	list_init(&tcp_sk(newsk)->tsorted_sent_queue);
	return newsk;
}

/* Both sides behind their SYN. */
static void child_numbers(struct tcp_sock *newtp, const struct tcp_request_sock *treq)
{
	u32 rcv_first = treq->rcv_isn + 1, snd_first = treq->snt_isn + 1;

	newtp->pred_flags = 0;
	newtp->rcv_wup = rcv_first;
	newtp->copied_seq = rcv_first;
	newtp->rcv_nxt = rcv_first;
	newtp->segs_in = 1; /* the SYN */
	newtp->snd_sml = snd_first;
	newtp->snd_una = snd_first;
	newtp->snd_nxt = snd_first;
	newtp->snd_up = snd_first;
	newtp->write_seq = snd_first;
	newtp->pushed_seq = snd_first;
	newtp->snd_wl1 = treq->rcv_isn;
}

static void child_clocks(struct sock *newsk)
{
	struct tcp_sock *newtp = tcp_sk(newsk);
	u32 now = tcp_jiffies32(newsk);

	for (u32 i = 0; i < 3; i++) {
		newtp->rtt_min.s[i][0] = now;
		newtp->rtt_min.s[i][1] = UINT32_MAX;
	}
	inet_csk(newsk)->icsk_ack.lrcvtime = now;
	newtp->lsndtime = now;
}

/* What the SYNs agreed upon, and the room that it takes in every header. */
static void child_options(struct sock *newsk, const struct request_sock *req)
{
	struct tcp_sock *newtp = tcp_sk(newsk);
	struct tcp_options_received *opt = &newtp->rx_opt;

	opt->tstamp_ok = req->tstamp_ok;
	opt->sack_ok = req->sack_ok ? TCP_SACK_SEEN : 0;
	opt->num_sacks = 0;
	opt->dsack = 0;
	opt->mss_clamp = req->mss;
	opt->ts_recent_stamp = 0;
	newtp->tsoffset = req->ts_off;
	newtp->tcp_header_len = TCP_HLEN;
	if (req->tstamp_ok) {
		opt->ts_recent = req->ts_recent;
		opt->ts_recent_stamp = tcp_clock_seconds(newsk->net->host);
		newtp->tcp_header_len = TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED;
	}
	if (newtp->rare->auth) {
		newsk->sk_gso_disabled = true;
		newtp->tcp_header_len = (u16)(newtp->tcp_header_len + tcp_auth_len(newsk));
	}
}

struct sock *tcp_create_openreq_child(const struct sock *sk, struct request_sock *req,
				      struct sk_buff *skb)
{
	const struct tcp_rare *rare;
	struct sock *newsk = child_alloc(sk, req, &rare);
	struct tcp_sock *newtp;

	if (!newsk)
		return NULL;
	newtp = tcp_sk(newsk);
	child_numbers(newtp, tcp_rsk(req));
	child_clocks(newsk);
	tcp_init_xmit_timers(newsk);
	tcp_rare_adopt(newsk, rare);
	child_synack_again(newsk, req);
	if (newsk->sk_flags & SOCK_KEEPOPEN)
		tcp_reset_keepalive_timer(newsk, keepalive_time_when(newtp));
	child_options(newsk, req);
	child_windows(newtp, req, skb);
	tcp_ecn_openreq_child(newsk, req, skb);
	if (skb->len >= TCP_MSS_DEFAULT + newtp->tcp_header_len)
		inet_csk(newsk)->icsk_ack.last_seg_size =
			(u16)min_u32(skb->len - newtp->tcp_header_len, UINT16_MAX);
	MIB_INC(newsk->net, TcpPassiveOpens);
	return newsk;
}

/* The AccECN option of the third ACK. */
static void req_saw_accecn(struct tcp_request_sock *treq, u8 saw)
{
	if (treq->saw_accecn_opt >= TCP_ACCECN_OPT_COUNTER_SEEN)
		return;
	treq->saw_accecn_opt = saw & 3u;
	if (saw == TCP_ACCECN_OPT_FAIL_SEEN)
		treq->accecn_fail_mode = (treq->accecn_fail_mode | TCP_ACCECN_OPT_FAIL_RECV) & 15u;
}

/* What the time stamp of a segment for a request says against it. */
static void req_check_tstamp(struct request_sock *req, const struct sk_buff *skb,
			     struct tcp_options_received *opt, bool *paws_reject,
			     bool *tsecr_reject)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	const struct host *h = req->skc.skc_net->host;

	memset(opt, 0, sizeof(*opt));
	*paws_reject = false;
	*tsecr_reject = false;
	if (tcp_doff(tcp_hdr(skb)) <= TCP_HLEN)
		return;
	tcp_parse_options(req->skc.skc_net, skb, opt, false, NULL);
	if (treq->accecn_ok && opt->accecn)
		req_saw_accecn(treq, tcp_accecn_option_init(tcp_hdr(skb), opt->accecn));
	if (!opt->saw_tstamp)
		return;
	if (opt->rcv_tsecr) {
		if (req->tstamp_ok)
			*tsecr_reject = !between(opt->rcv_tsecr, treq->snt_tsval_first,
						 treq->snt_tsval_last);
		opt->rcv_tsecr -= req->ts_off;
	}
	opt->ts_recent = req->ts_recent;
	/* When it was taken is not kept: about one time-out ago. */
	opt->ts_recent_stamp = tcp_clock_seconds(h) - tcp_reqsk_timeout(req) / HZ;
	*paws_reject = tcp_paws_reject(h, opt, (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_RST) != 0);
}

/* The SYN again: so does the SYN-ACK, and its timer starts anew. */
static void req_syn_again(struct sock *sk, struct request_sock *req, const struct sk_buff *skb,
			  bool fastopen)
{
	if (tcp_oow_rate_limited(sk->net, skb, MIB_TcpExtTCPACKSkippedSynRecv,
				 &tcp_rsk(req)->last_oow_ack_time))
		return;
	if (!tcp_rtx_synack(sk, req) && !fastopen && event_armed(&req->rsk_timer))
		reqsk_mod_timer(req, jiffies(sk->net->host) + tcp_reqsk_timeout(req));
}

/* RFC 9293 3.10.7.4 first: not acceptable: an ACK, and it is dropped. */
static void req_out_of_window(struct sock *sk, struct request_sock *req, struct sk_buff *skb,
			      bool paws_reject, bool tsecr_reject, enum skb_drop_reason *reason)
{
	if (!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_RST) &&
	    !tcp_oow_rate_limited(sk->net, skb, MIB_TcpExtTCPACKSkippedSynRecv,
				  &tcp_rsk(req)->last_oow_ack_time))
		reqsk_ops(req)->send_ack(sk, skb, req);
	if (paws_reject) {
		*reason = SKB_DROP_REASON_TCP_RFC7323_PAWS;
		MIB_INC(sk->net, TcpExtPAWSEstab);
	} else if (tsecr_reject) {
		*reason = SKB_DROP_REASON_TCP_RFC7323_TSECR;
		MIB_INC(sk->net, TcpExtTSEcrRejected);
	} else {
		*reason = SKB_DROP_REASON_TCP_OVERWINDOW;
	}
}

static struct sock *req_embryonic_reset(struct sock *sk, struct request_sock *req,
					struct sk_buff *skb, u8 flags)
{
	if (!(flags & TCPHDR_RST))
		reqsk_ops(req)->send_reset(sk, skb, SK_RST_REASON_INVALID_SYN);
	if (inet_csk_reqsk_queue_drop(sk, req))
		MIB_INC(sk->net, TcpExtEmbryonicRsts);
	return NULL;
}

/*
 * RST or SYN in the window of a request. A RST at RCV.NXT ends it, another gets a challenge ACK
 * (RFC 9293 3.10.7.4 second, RFC 5961 3.2). Of a SYN Linux ends it with an answer, the RFC
 * (tapline.rfc.syn_received) wants no more than going back to LISTEN.
 */
static void req_rst_or_syn(struct sock *sk, struct request_sock *req, struct sk_buff *skb, u8 flags,
			   enum skb_drop_reason *reason)
{
	bool rfc = sk->net->sysctl.rfc_syn_received;

	*reason = flags & TCPHDR_RST ? SKB_DROP_REASON_TCP_RESET : SKB_DROP_REASON_TCP_INVALID_SYN;
	if (flags & TCPHDR_RST && TCP_SKB_CB(skb)->seq != tcp_rsk(req)->rcv_nxt) {
		*reason = SKB_DROP_REASON_TCP_INVALID_SEQUENCE;
		if (!tcp_oow_rate_limited(sk->net, skb, MIB_TcpExtTCPACKSkippedSynRecv,
					  &tcp_rsk(req)->last_oow_ack_time)) {
			MIB_INC(sk->net, TcpExtTCPChallengeACK);
			reqsk_ops(req)->send_ack(sk, skb, req);
		}
		return;
	}
	MIB_INC(sk->net, TcpAttemptFails);
	req_embryonic_reset(sk, req, skb, rfc ? TCPHDR_RST : flags);
}

/* The same of a fast open child: an RST at the right place ends it, a SYN is only answered, so that
 * nobody outside can break the connection with one. */
static void child_rst_or_syn(struct sock *sk, struct request_sock *req, struct sk_buff *skb,
			     u8 flags, enum skb_drop_reason *reason)
{
	MIB_INC(sk->net, TcpAttemptFails);
	if (!(flags & TCPHDR_RST)) {
		*reason = SKB_DROP_REASON_TCP_INVALID_SYN;
		reqsk_ops(req)->send_reset(sk, skb, SK_RST_REASON_INVALID_SYN);
		return;
	}
	*reason = SKB_DROP_REASON_TCP_RESET;
	tcp_fastopen_remove(sk, true);
	tcp_reset_with(sk, ECONNRESET);
}

/* The third ACK is right: the request becomes a socket. */
static struct sock *req_establish(struct sock *sk, struct request_sock *req, struct sk_buff *skb,
				  const struct tcp_options_received *opt, bool *lost_race,
				  enum skb_drop_reason *reason)
{
	bool own_req;
	struct sock *child =
		inet_csk(sk)->icsk_af_ops->syn_recv_sock(sk, skb, req, NULL, req, &own_req);

	if (!child) {
		*reason = SKB_DROP_REASON_TCP_LISTEN_OVERFLOW;
		if (sk->net->sysctl.tcp_abort_on_overflow)
			return req_embryonic_reset(sk, req, skb, 0);
		/* The peer may send its ACK or data again, and find room then. */
		req->acked = 1;
		return NULL;
	}
	if (opt->saw_tstamp && !after(TCP_SKB_CB(skb)->seq, tcp_rsk(req)->rcv_nxt))
		tcp_sk(child)->rx_opt.ts_recent = opt->rcv_tsval;
	tcp_synack_rtt_meas(child, req);
	*lost_race = !own_req;
	return inet_csk_complete_hashdance(sk, child, req, own_req);
}

struct sock *tcp_check_req(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
			   bool fastopen, bool *lost_race, enum skb_drop_reason *reason)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	const struct tcp_request_sock *treq = tcp_rsk(req);
	u8 flags = cb->tcp_flags & (TCPHDR_RST | TCPHDR_SYN | TCPHDR_ACK);
	struct tcp_options_received opt;
	bool paws_reject, tsecr_reject;

	req_check_tstamp(req, skb, &opt, &paws_reject, &tsecr_reject);
	if (cb->seq == treq->rcv_isn && flags == TCPHDR_SYN && !paws_reject) {
		req_syn_again(sk, req, skb, fastopen);
		return NULL;
	}
	/* RFC 9293 3.10.7.4 fifth: an ACK of what was never sent; the listener resets it. First,
	 * as a SYN that was made to cross ours must not get through (draft-ietf-tcpm-tcpsecure). Of
	 * a reset only the sequence number counts (third comes before fifth). */
	if (!fastopen && flags & TCPHDR_ACK && !(flags & TCPHDR_RST) &&
	    cb->ack_seq != treq->snt_isn + 1)
		return sk;
	if (paws_reject || tsecr_reject ||
	    !tcp_in_window(cb->seq, cb->end_seq, treq->rcv_nxt,
			   treq->rcv_nxt + tcp_synack_window(req))) {
		req_out_of_window(sk, req, skb, paws_reject, tsecr_reject, reason);
		return NULL;
	}
	/* A SYN at the number of the first one is left of the window: only the rest counts. */
	if (cb->seq == treq->rcv_isn)
		flags &= (u8)~TCPHDR_SYN;
	/* Second and fourth: RST, SYN. */
	if (flags & (TCPHDR_RST | TCPHDR_SYN)) {
		if (fastopen)
			child_rst_or_syn(sk, req, skb, flags, reason);
		else
			req_rst_or_syn(sk, req, skb, flags, reason);
		return NULL;
	}
	if (!(flags & TCPHDR_ACK))
		return NULL;
	/* sk is the child: it goes on by itself. */
	if (fastopen)
		return sk;
	/* TCP_DEFER_ACCEPT: a bare ACK is not enough. */
	if (req->num_timeout < inet_csk(sk)->icsk_accept_queue->rskq_defer_accept &&
	    cb->end_seq == treq->rcv_isn + 1) {
		req->acked = 1;
		MIB_INC(sk->net, TcpExtTCPDeferAcceptDrop);
		return NULL;
	}
	return req_establish(sk, req, skb, &opt, lost_race, reason);
}

int tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb)
{
	u8 state = child->sk_state;
	int reason;

	sock_hold(child);
	tcp_segs_in(tcp_sk(child), skb);
	reason = tcp_rcv_state_process(child, skb);
	/* Somebody may wait in accept(). */
	if (state == TCP_SYN_RECV && child->sk_state != state)
		sk_data_ready(parent);
	sock_put(child);
	return reason;
}
