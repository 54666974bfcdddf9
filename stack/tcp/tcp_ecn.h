/* SPDX-License-Identifier: MIT */
/*
 * Explicit congestion notification (RFC 3168 6.1; include/net/tcp_ecn.h): negotiated with ECE and
 * CWR on the SYNs; then the receiver of a CE mark sends ECE until it sees CWR, and the sender that
 * sees ECE halves its window once a round trip and says CWR.
 */
#ifndef TAPLINE_TCP_TCP_ECN_H
#define TAPLINE_TCP_TCP_ECN_H

#include "tcp/tcp.h"
#include "tcp/tcp_cong.h"
#include "wire/ip4.h"

#define RTAX_FEATURE_ECN 1u

#define TCPHDR_SYN_ECN (TCPHDR_SYN | TCPHDR_ECE | TCPHDR_CWR)

static inline bool tcp_ca_needs_ecn(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ca_ops->needs_ecn;
}

static inline void INET_ECN_xmit(struct sock *sk)
{
	sk->inet_tos = (u8)((sk->inet_tos & ~INET_ECN_MASK) | INET_ECN_ECT_0);
	if (sk->pinet6)
		sk->pinet6->tclass = (u8)((sk->pinet6->tclass & ~INET_ECN_MASK) | INET_ECN_ECT_0);
}

static inline void INET_ECN_dontxmit(struct sock *sk)
{
	sk->inet_tos &= (u8)~INET_ECN_MASK;
	if (sk->pinet6)
		sk->pinet6->tclass &= (u8)~INET_ECN_MASK;
}

/* What was negotiated. PENDING: our SYN asks for AccECN. */
static inline u8 tcp_ecn_mode(const struct tcp_sock *tp)
{
	return tp->ecn_flags & TCP_ECN_MODE_ANY;
}

static inline bool tcp_ecn_mode_rfc3168(const struct tcp_sock *tp)
{
	return tcp_ecn_mode(tp) == TCP_ECN_MODE_RFC3168;
}

static inline bool tcp_ecn_mode_accecn(const struct tcp_sock *tp)
{
	return tcp_ecn_mode(tp) == TCP_ECN_MODE_ACCECN;
}

static inline void tcp_ecn_mode_set(struct tcp_sock *tp, u8 mode)
{
	tp->ecn_flags = (u8)((tp->ecn_flags & ~TCP_ECN_MODE_ANY) | mode);
}

static inline void tcp_ecn_queue_cwr(struct tcp_sock *tp)
{
	if (tcp_ecn_mode_rfc3168(tp))
		tp->ecn_flags |= TCP_ECN_QUEUE_CWR;
}

static inline void tcp_ecn_withdraw_cwr(struct tcp_sock *tp)
{
	tp->ecn_flags &= (u8)~TCP_ECN_QUEUE_CWR;
}

/* ---- opening ---- */

/* Flags of our SYN (RFC 3168 6.1.1). */
void tcp_ecn_send_syn(struct sock *sk, struct sk_buff *skb);
/* Our SYN goes again: perhaps the flags are what is in the way (RFC 3168 6.1.1.1). */
void tcp_ecn_clear_syn(const struct sock *sk, struct sk_buff *skb);
/* What the SYN-ACK, or the SYN that crossed ours, says. */
void tcp_ecn_rcv_synack(struct sock *sk, const struct sk_buff *skb);
void tcp_ecn_rcv_syn(struct sock *sk, const struct sk_buff *skb);
/* The SYN in the queue becomes a SYN-ACK (simultaneous open). */
void tcp_ecn_send_synack(struct sock *sk, struct sk_buff *skb);
/* May a peer that asks for it have it? */
bool tcp_ecn_allowed(const struct sock *sk, const struct dst_entry *dst);
/* A SYN for a listener. */
void tcp_ecn_create_request(struct request_sock *req, const struct sk_buff *skb,
			    const struct sock *listener, const struct dst_entry *dst);

/* TCPHDR_* bits of the SYN-ACK that answers a request. */
u16 tcp_ecn_make_synack(const struct request_sock *req);
/* A connection that a request became; skb: the segment that made it. */
void tcp_ecn_openreq_child(struct sock *sk, const struct request_sock *req,
			   const struct sk_buff *skb);

/* ---- segments ---- */

/* Flags for a segment (no SYN) that goes out with `len` bytes of payload; marks the socket's TOS.
 */
u16 tcp_ecn_send(struct sock *sk, const struct sk_buff *skb, u32 len);
/* Does the segment tell that one of ours was marked? flags: of its header. */
static inline bool tcp_ecn_rcv_ecn_echo(const struct tcp_sock *tp, u8 flags)
{
	return (flags & (TCPHDR_ECE | TCPHDR_SYN)) == TCPHDR_ECE && tcp_ecn_mode_rfc3168(tp);
}
void tcp_accecn_received(struct sock *sk, const struct sk_buff *skb, u32 len);
/* The marks on a segment of a connection that has agreed on no counters: TCP_INFO tells of them. */
void tcp_ecn_count_marks(struct sock *sk, const struct sk_buff *skb);
/* A segment that is accepted (any, with or without payload), header not pulled. */
static inline void tcp_ecn_received_counters(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_ecn_mode_accecn(tp)) {
		tcp_accecn_received(sk, skb, skb->len - tcp_doff(tcp_hdr(skb)));
	} else if (TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK) {
		if (!tcp_ecn_mode_rfc3168(tp))
			tp->ecn_flags |= TCP_ECN_SEEN;
		tcp_ecn_count_marks(sk, skb);
	}
}
/* The mark of a data segment. */
void tcp_data_ecn_check(struct sock *sk, const struct sk_buff *skb);
/* A segment with CWR. */
void tcp_ecn_accept_cwr(struct sock *sk, const struct sk_buff *skb);

#endif
