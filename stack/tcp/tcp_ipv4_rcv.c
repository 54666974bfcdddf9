/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv4, the way in (net/ipv4/tcp_ipv4.c): tcp_v4_rcv checks a segment and finds out whose
 * it is: a socket's, a request's, a TIME-WAIT socket's, a listener's, nobody's. tcp_v4_err does the
 * same for ICMP errors.
 *
 * Invariant: behind tcp_v4_rcv() the checksum of a segment is right and its header is linear.
 */
#include "ipv4/icmp.h"
#include "ipv4/ip_sockglue.h"
#include "lib/checksum.h"
#include "tcp/tcp_ipv4.h"
#include "tcp/tcp_observe.h"

/* ---- control block ---- */

void tcp_v4_fill_cb(struct sk_buff *skb)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	const u8 *th = tcp_hdr(skb);
	u8 flags = tcp_flags(th);

	memmove(cb->header, IPCB(skb), sizeof(struct inet_skb_parm));
	cb->seq = tcp_seq(th);
	cb->end_seq = cb->seq + ((flags & TCPHDR_SYN) != 0) + ((flags & TCPHDR_FIN) != 0) +
		      skb->len - tcp_doff(th);
	cb->ack_seq = tcp_ack_seq(th);
	cb->tcp_flags = flags;
	cb->tcp_tw_isn = 0;
	cb->ip_dsfield = ip4_tos(ip_hdr(skb));
	cb->sacked = 0;
	cb->eor = 0;
	cb->payload_csum = 0;
	cb->has_rxtstamp = skb->tstamp != 0;
}

void tcp_v4_restore_cb(struct sk_buff *skb)
{
	memmove(IPCB(skb), TCP_SKB_CB(skb)->header, sizeof(struct inet_skb_parm));
}

/* ---- lookup ---- */

/* What a segment is looked up by. */
struct tcp_v4_key {
	struct inet_addr saddr, daddr;
	u16 sport, dport;
	u32 dif;
};

static struct sock *lookup_listener(struct net *net, const struct tcp_v4_key *k)
{
	return __inet_lookup_listener(inet_hashinfo_of(net), net, AF_INET, &k->saddr, k->sport,
				      &k->daddr, k->dport, k->dif);
}

/* ---- in ---- */

static int tcp_drop(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason)
{
	if (sk)
		sk->sk_drops++;
	kfree_skb_reason(skb, reason);
	return 0;
}

static int tcp_bad(struct net *net, struct sk_buff *skb, enum skb_drop_reason reason)
{
	if (reason == SKB_DROP_REASON_TCP_CSUM)
		MIB_INC(net, TcpInCsumErrors);
	MIB_INC(net, TcpInErrs);
	kfree_skb_reason(skb, reason);
	return 0;
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
static int tcp_v4_listener_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct sock *nsk = tcp_cookie_check(&tcp_request_sock_ipv4_ops, sk, skb);

	if (!nsk) {
		tcp_drop(sk, skb, SKB_DROP_REASON_TCP_LISTEN_OVERFLOW);
		return 0;
	}
	return nsk == sk ? tcp_rcv_state_process(sk, skb) : tcp_child_process(sk, nsk, skb);
}

static void tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	int reason;

	if (sk->sk_state == TCP_ESTABLISHED) {
		tcp_rcv_established(sk, skb);
		return;
	}
	if (sk->sk_state == TCP_LISTEN)
		reason = tcp_v4_listener_rcv(sk, skb);
	else
		reason = tcp_rcv_state_process(sk, skb);
	if (reason) {
		tcp_v4_send_reset(sk, skb, (u32)reason);
		kfree_skb_reason(skb, reset_drop_reason(reason));
	}
}

/* A segment for a full socket; `tw_isn`: of a SYN that ended a TIME-WAIT socket. */
static int tcp_v4_rcv_sk(struct sock *sk, struct sk_buff *skb, u32 tw_isn)
{
	if (ip4_ttl(ip_hdr(skb)) < sk->inet_min_ttl) {
		MIB_INC(sk->net, TcpExtTCPMinTTLDrop);
		return tcp_drop(sk, skb, SKB_DROP_REASON_TCP_MINTTL);
	}
	tcp_v4_fill_cb(skb);
	TCP_SKB_CB(skb)->tcp_tw_isn = tw_isn;
	skb->dev = NULL;
	sock_hold(sk);
	if (sk->sk_state != TCP_LISTEN)
		tcp_segs_in(tcp_sk(sk), skb);
	tcp_v4_do_rcv(sk, skb);
	sock_put(sk);
	return 0;
}

/* RFC 9293 3.10.7.1: CLOSED. */
static int tcp_v4_no_socket(struct sk_buff *skb)
{
	tcp_v4_fill_cb(skb);
	tcp_v4_send_reset(NULL, skb, SK_RST_REASON_NO_SOCKET);
	return tcp_drop(NULL, skb, SKB_DROP_REASON_NO_SOCKET);
}

static int tcp_v4_rcv_timewait(struct net *net, struct inet_timewait_sock *tw, struct sk_buff *skb,
			       const struct tcp_v4_key *k)
{
	enum skb_drop_reason reason = SKB_DROP_REASON_TCP_TIMEWAIT;
	struct sock *sk;
	u32 isn = 0;

	tcp_v4_fill_cb(skb);
	switch (tcp_timewait_state_process(tw, skb, &isn, &reason)) {
	case TCP_TW_SYN:
		sk = lookup_listener(net, k);
		if (sk) {
			inet_twsk_deschedule_put(tw);
			tcp_v4_restore_cb(skb);
			return tcp_v4_rcv_sk(sk, skb, isn);
		}
		/* Nobody listens: it is answered as any other. */
		tcp_v4_timewait_ack(tw, skb);
		break;
	case TCP_TW_ACK:
	case TCP_TW_ACK_OOW:
		tcp_v4_timewait_ack(tw, skb);
		break;
	case TCP_TW_RST:
		tcp_v4_timewait_reset(tw, skb);
		inet_twsk_deschedule_put(tw);
		break;
	case TCP_TW_SUCCESS:
		break;
	}
	return tcp_drop(NULL, skb, reason);
}

/* True: done with. False: the segment is the listener's. */
static bool tcp_v4_rcv_request(struct sock *sk, struct request_sock *req, struct sk_buff *skb)
{
	enum skb_drop_reason reason = SKB_DROP_REASON_TCP_REQ_DROP;
	bool stolen = false;
	struct sock *nsk;
	int rst;

	reqsk_hold(req);
	tcp_v4_fill_cb(skb);
	nsk = tcp_check_req(sk, skb, req, false, &stolen, &reason);
	reqsk_put(req);
	if (nsk == sk) {
		tcp_v4_restore_cb(skb);
		return false;
	}
	if (!nsk) {
		tcp_drop(sk, skb, reason);
		return true;
	}
	skb->dev = NULL;
	rst = tcp_child_process(sk, nsk, skb);
	if (rst) {
		tcp_v4_send_reset(sk, skb, (u32)rst);
		tcp_drop(sk, skb, reset_drop_reason(rst));
	}
	return true;
}

/* RFC 9293 3.10.7: whose is it? */
static int tcp_v4_demux(struct net *net, struct sk_buff *skb, const struct tcp_v4_key *k)
{
	struct sock_common *skc;
	struct sock *sk;

	while ((skc = __inet_lookup_established(inet_hashinfo_of(net), net, AF_INET, &k->saddr,
						k->sport, &k->daddr, k->dport, k->dif)) != NULL) {
		struct request_sock *req;
		bool done;

		if (skc->skc_kind == SKC_SOCK)
			return tcp_v4_rcv_sk(inet_sk_of(skc), skb, 0);
		if (skc->skc_kind == SKC_TIMEWAIT)
			return tcp_v4_rcv_timewait(net, inet_twsk(skc), skb, k);
		req = inet_reqsk(skc);
		sk = req->rsk_listener;
		if (sk->sk_state != TCP_LISTEN) {
			/* It closed meanwhile. Somebody else may listen now. */
			inet_csk_reqsk_queue_drop(sk, req);
			continue;
		}
		sock_hold(sk);
		done = tcp_v4_rcv_request(sk, req, skb);
		if (!done)
			tcp_v4_rcv_sk(sk, skb, 0);
		sock_put(sk);
		return 0;
	}
	sk = lookup_listener(net, k);
	return sk ? tcp_v4_rcv_sk(sk, skb, 0) : tcp_v4_no_socket(skb);
}

int tcp_v4_rcv(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	struct tcp_v4_key k;
	const u8 *th, *iph;

	if (skb->pkt_type != PACKET_HOST)
		return tcp_drop(NULL, skb, SKB_DROP_REASON_OTHERHOST);
	/* Counted even when it is bad. */
	MIB_INC(net, TcpInSegs);
	if (!pskb_may_pull(skb, TCP_HLEN))
		return tcp_drop(NULL, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	th = skb->data;
	if (tcp_doff(th) < TCP_HLEN)
		return tcp_bad(net, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	if (!pskb_may_pull(skb, tcp_doff(th)))
		return tcp_drop(NULL, skb, SKB_DROP_REASON_PKT_TOO_SMALL);
	th = skb->data;
	iph = ip_hdr(skb);
	if (!skb_checksum_complete(skb, csum_tcpudp_nofold(ip4_saddr(iph), ip4_daddr(iph), skb->len,
							   IPPROTO_TCP, 0)))
		return tcp_bad(net, skb, SKB_DROP_REASON_TCP_CSUM);
	if (skb->dev->anyip)
		tcp_observe(net, th);
	k.saddr = inet_addr4(ip4_saddr(iph));
	k.daddr = inet_addr4(ip4_daddr(iph));
	k.sport = tcp_source(th);
	k.dport = tcp_dest(th);
	k.dif = skb->dev->ifindex;
	return tcp_v4_demux(net, skb, &k);
}

/* ---- ICMP errors ---- */

/* RFC 6069: an unreachable about the segment that timed out says that it did not get lost to
 * congestion: one doubling of the timer is taken back. */
static void tcp_ld_RTO_revert(struct sock *sk, u32 seq)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb;
	u64 rto, passed;

	if (seq != tp->snd_una || !icsk->icsk_retransmits || !icsk->icsk_backoff)
		return;
	skb = tcp_rtx_queue_head(sk);
	if (!skb)
		return;
	icsk->icsk_backoff--;
	icsk->icsk_rto = tp->srtt_us ? __tcp_set_rto(tp) : TCP_TIMEOUT_INIT;
	rto = min_u64((u64)icsk->icsk_rto << icsk->icsk_backoff, tcp_rto_max(sk));
	icsk->icsk_rto = (u32)rto;
	tcp_mstamp_refresh(tp);
	passed = tcp_stamp_us_delta(tp->tcp_mstamp, tcp_skb_timestamp_us(skb)) / 1000;
	if (passed < rto)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, (u32)(rto - passed),
					  tcp_rto_max(sk));
	else
		tcp_retransmit_timer(sk);
}

/* What an ICMP message means to a connection: errno, 0: nothing more. */
static s32 tcp_v4_err_meaning(struct sk_buff *skb, struct sock *sk, u32 info, u32 seq)
{
	const u8 *icmp = skb_transport_header(skb);
	u32 code = icmp4_code(icmp);

	switch (icmp4_type(icmp)) {
	case ICMP_REDIRECT:
		if (sk->sk_state != TCP_LISTEN)
			ipv4_sk_redirect(skb, sk);
		return 0;
	case ICMP_PARAMETERPROB:
		return EPROTO;
	case ICMP_TIME_EXCEEDED:
		return EHOSTUNREACH;
	case ICMP_DEST_UNREACH:
		if (code > NR_ICMP_UNREACH)
			return 0;
		if (code == ICMP_FRAG_NEEDED) {
			if (sk->sk_state == TCP_LISTEN)
				return 0;
			tcp_sk(sk)->mtu_info = info;
			tcp_v4_mtu_reduced(sk);
			return 0;
		}
		if (code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH)
			tcp_ld_RTO_revert(sk, seq);
		return icmp_err_convert(code)->error;
	default: /* source quench and others: RFC 6633 */
		return 0;
	}
}

/*
 * RFC 9293 3.9.2.2, RFC 5461: an error ends an attempt to open; of a connection that stands it is
 * only remembered, for when it times out.
 */
static void tcp_v4_err_sk(struct sk_buff *skb, struct sock *sk, u32 info, u32 seq)
{
	const u8 *iph = skb->data;
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 ihl = ip4_ihl(iph);
	s32 err;

	if (sk->sk_state == TCP_CLOSE)
		return;
	if (ip4_ttl(iph) < sk->inet_min_ttl) {
		MIB_INC(sk->net, TcpExtTCPMinTTLDrop);
		return;
	}
	/* RFC 5927 4.1: about a segment that is under way, or forged. */
	if (sk->sk_state != TCP_LISTEN && !between(seq, tp->snd_una, tp->snd_nxt)) {
		MIB_INC(sk->net, TcpExtOutOfWindowIcmps);
		return;
	}
	err = tcp_v4_err_meaning(skb, sk, info, seq);
	if (!err)
		return;
	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV) {
		if (sk->inet_recverr)
			ip_icmp_error(sk, skb, err, sk->inet_dport, info, ihl + 8);
		sk->sk_err = err;
		tcp_write_queue_purge(sk);
		tcp_done(sk);
		if (!(sk->sk_flags & SOCK_DEAD))
			sk_error_report(sk);
	} else if (sk->inet_recverr) {
		sk->sk_err = err;
		sk_error_report(sk);
	} else {
		sk->sk_err_soft = err;
	}
}

int tcp_v4_err(struct sk_buff *skb, u32 info)
{
	struct net *net = dev_net(skb->dev);
	const u8 *iph = skb->data, *th = iph + ip4_ihl(iph), *icmp = skb_transport_header(skb);
	struct inet_addr laddr = inet_addr4(ip4_saddr(iph)), faddr = inet_addr4(ip4_daddr(iph));
	u32 seq = tcp_seq(th), code = icmp4_code(icmp);
	struct sock_common *skc;
	struct sock *sk;

	/* The quoted segment is ours: its source is the local side. */
	skc = __inet_lookup_established(inet_hashinfo_of(net), net, AF_INET, &faddr, tcp_dest(th),
					&laddr, tcp_source(th), skb->dev->ifindex);
	if (!skc) {
		MIB_INC(net, IcmpInErrors);
		return -ENOENT;
	}
	if (skc->skc_kind == SKC_TIMEWAIT)
		return 0;
	if (skc->skc_kind == SKC_REQUEST) {
		tcp_req_err(inet_reqsk(skc), seq,
			    icmp4_type(icmp) == ICMP_PARAMETERPROB ||
				    icmp4_type(icmp) == ICMP_TIME_EXCEEDED ||
				    (icmp4_type(icmp) == ICMP_DEST_UNREACH &&
				     (code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH)));
		return 0;
	}
	sk = inet_sk_of(skc);
	sock_hold(sk);
	tcp_v4_err_sk(skb, sk, info, seq);
	sock_put(sk);
	return 0;
}
