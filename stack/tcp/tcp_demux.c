/* SPDX-License-Identifier: MIT */
/*
 * Whose is a segment (tcp_v4_rcv, tcp_v6_rcv behind their checks): a socket's, a request's, a
 * TIME-WAIT socket's, a listener's, nobody's. Both families come here with their key and their ways
 * to answer (struct tcp_family).
 *
 * Invariant: while TCP has a segment its control block is TCP's, with IP's own kept in `header`.
 */
#include "tcp/tcp_demux.h"

#include "core/busy_poll.h"
#include "core/filter.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_minisocks.h"

#include "inet/inet_timewait_sock.h"

/* ---- control block ---- */

/* tcp_v4_fill_cb, tcp_v6_fill_cb: moves IP's control block behind TCP's. */
static void tcp_fill_cb(struct sk_buff *skb, const struct tcp_rcv_key *k)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	const u8 *th = tcp_hdr(skb);
	u8 flags = tcp_flags(th);

	memmove(cb->header, skb->cb, sizeof(cb->header));
	cb->seq = tcp_seq(th);
	cb->end_seq = cb->seq + ((flags & TCPHDR_SYN) != 0) + ((flags & TCPHDR_FIN) != 0) +
		      skb->len - tcp_doff(th);
	cb->ack_seq = tcp_ack_seq(th);
	cb->tcp_flags = flags;
	cb->tcp_tw_isn = 0;
	cb->ip_dsfield = k->dsfield;
	cb->sacked = 0;
	cb->eor = 0;
	cb->payload_csum = 0;
	cb->has_rxtstamp = skb->tstamp != 0;
}

/* And back: what follows reads IP's again. */
static void tcp_restore_cb(struct sk_buff *skb)
{
	memmove(skb->cb, TCP_SKB_CB(skb)->header, sizeof(TCP_SKB_CB(skb)->header));
}

/* ---- lookup ---- */

static struct sock *lookup_listener(const struct tcp_family *af, struct net *net,
				    struct sk_buff *skb, const struct tcp_rcv_key *k)
{
	return __inet_lookup_listener(inet_hashinfo_of(net), net, skb, tcp_doff(tcp_hdr(skb)),
				      af->family, &k->saddr, k->sport, &k->daddr, k->dport, k->dif);
}

/* ---- in ---- */

static int tcp_drop(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason)
{
	if (sk)
		sk->sk_drops++;
	kfree_skb_reason(skb, reason);
	return 0;
}

int tcp_rcv_csum_error(struct net *net, struct sk_buff *skb)
{
	MIB_INC(net, TcpInCsumErrors);
	MIB_INC(net, TcpInErrs);
	return tcp_drop(NULL, skb, SKB_DROP_REASON_TCP_CSUM);
}

bool tcp_rcv_header(struct net *net, struct sk_buff *skb)
{
	/* Counted even when it is bad. */
	MIB_INC(net, TcpInSegs);
	if (!pskb_may_pull(skb, TCP_HLEN)) {
		tcp_drop(NULL, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return false;
	}
	if (tcp_doff(skb->data) < TCP_HLEN) {
		MIB_INC(net, TcpInErrs);
		tcp_drop(NULL, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return false;
	}
	if (!pskb_may_pull(skb, tcp_doff(skb->data))) {
		tcp_drop(NULL, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
		return false;
	}
	return true;
}

/* What a segment was dropped for that was answered by a reset. */
static enum skb_drop_reason reset_drop_reason(int rst_reason)
{
	switch (rst_reason) {
	case SK_RST_REASON_NO_SOCKET:
		return SKB_DROP_REASON_NO_SOCKET;
	case SK_RST_REASON_TCP_FLAGS:
		return SKB_DROP_REASON_TCP_FLAGS;
	case SK_RST_REASON_TCP_OLD_ACK:
		return SKB_DROP_REASON_TCP_OLD_ACK;
	case SK_RST_REASON_TCP_TOO_OLD_ACK:
		return SKB_DROP_REASON_TCP_TOO_OLD_ACK;
	case SK_RST_REASON_TCP_ACK_UNSENT_DATA:
		return SKB_DROP_REASON_TCP_ACK_UNSENT_DATA;
	case SK_RST_REASON_TCP_ABORT_ON_DATA:
		return SKB_DROP_REASON_TCP_ABORT_ON_DATA;
	case SK_RST_REASON_INVALID_SYN:
		return SKB_DROP_REASON_TCP_INVALID_SYN;
	case SK_RST_REASON_TCP_RFC7323_PAWS:
		return SKB_DROP_REASON_TCP_RFC7323_PAWS;
	default:
		return SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE;
	}
}

/* A segment for a listener without a request: perhaps the ACK of a SYN cookie. */
static int tcp_listener_rcv(const struct tcp_family *af, struct sock *sk, struct sk_buff *skb)
{
	struct sock *nsk = tcp_cookie_check(af->rsk_ops, sk, skb);

	if (!nsk) {
		tcp_drop(sk, skb, SKB_DROP_REASON_TCP_LISTEN_OVERFLOW);
		return 0;
	}
	return nsk == sk ? tcp_rcv_state_process(sk, skb) : tcp_child_process(sk, nsk, skb);
}

static void tcp_do_rcv(const struct tcp_family *af, struct sock *sk, struct sk_buff *skb)
{
	int reason;

	sock_rps_save_rxhash(sk, skb);
	sk_mark_napi_id(sk, skb, false);
	if (sk->sk_state == TCP_ESTABLISHED) {
		tcp_rcv_established(sk, skb);
		return;
	}
	if (sk->sk_state == TCP_LISTEN)
		reason = tcp_listener_rcv(af, sk, skb);
	else
		reason = tcp_rcv_state_process(sk, skb);
	if (reason) {
		af->send_reset(sk, skb, (u32)reason);
		kfree_skb_reason(skb, reset_drop_reason(reason));
	}
}

static struct tcp_ends ends_of(const struct tcp_family *af, const struct tcp_rcv_key *k)
{
	return (struct tcp_ends){ .family = af->family, .saddr = &k->saddr, .daddr = &k->daddr };
}

/* No options, or the word of NOP NOP TS 10 and its values. */
static bool plain_options(const u8 *th)
{
	u32 doff = tcp_doff(th);

	return doff == TCP_HLEN ||
	       (doff == TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED && get_be32(th + TCP_HLEN) == 0x0101080a);
}

/* RFC 2385, RFC 5925: signed as it must be, and only then? */
static enum skb_drop_reason auth_check(const struct tcp_family *af, struct sock *sk,
				       const struct request_sock *req, const struct sk_buff *skb,
				       const struct tcp_rcv_key *k)
{
	const struct tcp_ends ends = ends_of(af, k);

	/* Without keys, and with nothing to find: the usual case. */
	if (!tcp_sk(sk)->rare->auth && plain_options(tcp_hdr(skb)))
		return SKB_DROP_REASON_NOT_SPECIFIED;
	return tcp_inbound_hash(sk, req, skb, &ends);
}

/* Its header is never cut off. */
static bool tcp_filter(struct sock *sk, struct sk_buff *skb)
{
	return sk_filter_trim_cap(sk, skb, tcp_doff(tcp_hdr(skb)));
}

/* A segment for a full socket; `tw_isn`: of a SYN that ended a TIME-WAIT socket. */
static int tcp_rcv_sk(const struct tcp_family *af, struct sock *sk, struct sk_buff *skb,
		      const struct tcp_rcv_key *k, u32 tw_isn)
{
	enum skb_drop_reason reason;

	if (k->ttl < sk->inet_min_ttl) {
		MIB_INC(sk->net, TcpExtTCPMinTTLDrop);
		return tcp_drop(sk, skb, SKB_DROP_REASON_TCP_MINTTL);
	}
	reason = auth_check(af, sk, NULL, skb, k);
	if (reason != SKB_DROP_REASON_NOT_SPECIFIED)
		return tcp_drop(sk, skb, reason);
	if (!tcp_filter(sk, skb))
		return tcp_drop(sk, skb, SKB_DROP_REASON_SOCKET_FILTER);
	tcp_fill_cb(skb, k);
	TCP_SKB_CB(skb)->tcp_tw_isn = tw_isn;
	skb->dev = NULL;
	sock_hold(sk);
	if (sk->sk_state != TCP_LISTEN)
		tcp_segs_in(tcp_sk(sk), skb);
	tcp_do_rcv(af, sk, skb);
	sock_put(sk);
	return 0;
}

/* RFC 9293 3.10.7.1: CLOSED. */
static int tcp_no_socket(const struct tcp_family *af, struct sk_buff *skb,
			 const struct tcp_rcv_key *k)
{
	tcp_fill_cb(skb, k);
	af->send_reset(NULL, skb, SK_RST_REASON_NO_SOCKET);
	return tcp_drop(NULL, skb, SKB_DROP_REASON_NO_SOCKET);
}

static int tcp_rcv_timewait(const struct tcp_family *af, struct net *net,
			    struct inet_timewait_sock *tw, struct sk_buff *skb,
			    const struct tcp_rcv_key *k)
{
	enum skb_drop_reason reason = SKB_DROP_REASON_TCP_TIMEWAIT;
	struct sock *sk;
	u32 isn = 0;

	if (tcp_twsk_ao_info(tw)) {
		const struct tcp_ends ends = ends_of(af, k);

		reason = tcp_inbound_ao_timewait(tw, skb, &ends);
		if (reason != SKB_DROP_REASON_NOT_SPECIFIED)
			return tcp_drop(NULL, skb, reason);
		reason = SKB_DROP_REASON_TCP_TIMEWAIT;
	}
	tcp_fill_cb(skb, k);
	switch (tcp_timewait_state_process(tw, skb, &isn, &reason)) {
	case TCP_TW_SYN:
		sk = lookup_listener(af, net, skb, k);
		if (sk) {
			inet_twsk_deschedule_put(tw);
			tcp_restore_cb(skb);
			return tcp_rcv_sk(af, sk, skb, k, isn);
		}
		/* Nobody listens: it is answered as any other. */
		af->timewait_ack(tw, skb);
		break;
	case TCP_TW_ACK:
	case TCP_TW_ACK_OOW:
		af->timewait_ack(tw, skb);
		break;
	case TCP_TW_RST:
		af->timewait_reset(tw, skb);
		inet_twsk_deschedule_put(tw);
		break;
	case TCP_TW_SUCCESS:
		break;
	}
	return tcp_drop(NULL, skb, reason);
}

/* True: done with. False: the segment is the listener's. */
static bool tcp_rcv_request(const struct tcp_family *af, struct sock *sk, struct request_sock *req,
			    struct sk_buff *skb, const struct tcp_rcv_key *k)
{
	enum skb_drop_reason reason;
	bool stolen = false;
	struct sock *nsk;
	int rst;

	reason = auth_check(af, sk, req, skb, k);
	if (reason == SKB_DROP_REASON_NOT_SPECIFIED && !tcp_filter(sk, skb))
		reason = SKB_DROP_REASON_SOCKET_FILTER;
	if (reason != SKB_DROP_REASON_NOT_SPECIFIED) {
		tcp_drop(sk, skb, reason);
		return true;
	}
	reason = SKB_DROP_REASON_TCP_REQ_DROP;
	reqsk_hold(req);
	tcp_fill_cb(skb, k);
	nsk = tcp_check_req(sk, skb, req, false, &stolen, &reason);
	reqsk_put(req);
	if (nsk == sk) {
		tcp_restore_cb(skb);
		return false;
	}
	if (!nsk) {
		tcp_drop(sk, skb, reason);
		return true;
	}
	skb->dev = NULL;
	rst = tcp_child_process(sk, nsk, skb);
	if (rst) {
		af->send_reset(sk, skb, (u32)rst);
		tcp_drop(sk, skb, reset_drop_reason(rst));
	}
	return true;
}

/* RFC 9293 3.10.7: whose is it? */
int tcp_demux(const struct tcp_family *af, struct net *net, struct sk_buff *skb,
	      const struct tcp_rcv_key *k)
{
	struct sock_common *skc;
	struct sock *sk;

	while ((skc = __inet_lookup_established(inet_hashinfo_of(net), net, af->family, &k->saddr,
						k->sport, &k->daddr, k->dport, k->dif)) != NULL) {
		struct request_sock *req;
		bool done;

		if (skc->skc_kind == SKC_SOCK)
			return tcp_rcv_sk(af, inet_sk_of(skc), skb, k, 0);
		if (skc->skc_kind == SKC_TIMEWAIT)
			return tcp_rcv_timewait(af, net, inet_twsk(skc), skb, k);
		req = inet_reqsk(skc);
		sk = req->rsk_listener;
		if (sk->sk_state != TCP_LISTEN) {
			/* It closed meanwhile. Another of its group may take over; else somebody
			 * else may listen now. */
			if (!reqsk_migrate(req)) {
				inet_csk_reqsk_queue_drop(sk, req);
				continue;
			}
			sk = req->rsk_listener;
		}
		sock_hold(sk);
		done = tcp_rcv_request(af, sk, req, skb, k);
		if (!done)
			tcp_rcv_sk(af, sk, skb, k, 0);
		sock_put(sk);
		return 0;
	}
	sk = lookup_listener(af, net, skb, k);
	return sk ? tcp_rcv_sk(af, sk, skb, k, 0) : tcp_no_socket(af, skb, k);
}
