/* SPDX-License-Identifier: MIT */
/*
 * Accurate ECN (RFC 9768; include/net/tcp_ecn.h, net/ipv4/tcp_input.c of Linux 6.18): the receiver
 * tells how many segments came with CE, modulo 8, in the ACE field of every segment (AE, CWR, ECE),
 * and in an option how many bytes came with ECT(1), CE and ECT(0). Negotiated with AE, CWR, ECE on
 * the SYN; the SYN-ACK and the third ACK say what mark they answer arrived with.
 */
#ifndef TAPLINE_TCP_TCP_ACCECN_H
#define TAPLINE_TCP_TCP_ACCECN_H

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_output.h"

#define TCPOPT_ACCECN0 172
#define TCPOPT_ACCECN1 174

/* RFC 9768 3.2.2.1, 3.2.3.1: what the counters on the wire begin with. */
#define TCP_ACCECN_CEP_INIT	5u
#define TCP_ACCECN_FIELDS	3u
#define TCPOLEN_ACCECN_BASE	2u
#define TCPOLEN_ACCECN_PERFIELD 3u

/* tcp_accecn.fail_mode: what must not be relied on any more. */
#define TCP_ACCECN_ACE_FAIL_SEND 1u
#define TCP_ACCECN_ACE_FAIL_RECV 2u
#define TCP_ACCECN_OPT_FAIL_SEND 4u
#define TCP_ACCECN_OPT_FAIL_RECV 8u

/* tcp_accecn.saw_opt */
enum tcp_accecn_opt {
	TCP_ACCECN_OPT_NOT_SEEN,
	TCP_ACCECN_OPT_EMPTY_SEEN,
	TCP_ACCECN_OPT_COUNTER_SEEN,
	TCP_ACCECN_OPT_FAIL_SEEN
};

/* Of a connection that has it. Arrays of bytes by ECN codepoint - 1: ECT(1), ECT(0), CE. */
struct tcp_accecn {
	u64 opt_tstamp; /* us: when the option was sent last */
	u32 received_ce; /* segments */
	u32 received_bytes[3], delivered_bytes[3];
	u8 received_ce_pending; /* not told yet, 15 at most */
	u8 opt_demand; /* so many segments more are to have the option */
	u8 minlen; /* fields that the option must have */
	u8 est_ecnfield; /* codepoint whose counter grew last; 0: not known */
	u8 prev_ecnfield; /* of the segment before */
	u8 syn_ect_snt, syn_ect_rcv; /* codepoints of our SYN (or SYN-ACK) and of the peer's */
	u8 saw_opt; /* enum tcp_accecn_opt */
	u8 fail_mode;
	bool opt_sent_w_dsack;
};

/* AE, CWR and ECE of a header as a number. */
static inline u8 tcp_accecn_ace(const u8 *th)
{
	return (u8)((th[12] & 1) << 2 | tcp_flags(th) >> 6);
}

/* The same as TCPHDR_* bits. */
static inline u16 tcp_accecn_flags(u32 ace)
{
	return (u16)((ace & 4 ? TCPHDR_AE : 0) | (ace & 2 ? TCPHDR_CWR : 0) |
		     (ace & 1 ? TCPHDR_ECE : 0));
}

/* RFC 9768 3.1.2: any combination but none and the one of RFC 3168 asks for it. */
static inline bool tcp_accecn_syn_requested(const u8 *th)
{
	u8 ace = tcp_accecn_ace(th);

	return ace && ace != 3;
}

/* RFC 9768 3.2.2.1: how the ACE field tells the codepoint that a SYN or SYN-ACK came with. */
u16 tcp_accecn_reflector_flags(u8 ect);
/* False: the codepoint was changed on the way in a manner that must not be: no feedback by ACE. */
bool tcp_accecn_validate_syn_feedback(const struct net *net, struct tcp_accecn *acc, u8 ace,
				      u8 sent_ect);

/* The state of a connection that negotiates it. False: no memory; it is without. */
bool tcp_accecn_alloc(struct sock *sk);
void tcp_accecn_free(struct sock *sk);
/* The last fields of TCP_INFO, 32 bytes. */
void tcp_accecn_info(const struct tcp_sock *tp, u8 *p);
/* The child of a request that has it; skb: the segment that made it. */
void tcp_accecn_openreq_child(struct sock *sk, const struct request_sock *req,
			      const struct sk_buff *skb);
/* The ACK that ends our handshake, with what it says of our SYN-ACK. */
void tcp_accecn_third_ack(struct sock *sk, const struct sk_buff *skb);
/* A SYN-ACK with the option at `opt` of its header (0: none). */
void tcp_accecn_rcv_synack(struct sock *sk, const struct sk_buff *skb);
/* How the first option that came looks: enum tcp_accecn_opt. */
u8 tcp_accecn_option_init(const u8 *th, u32 at);
/* Stores what tcp_accecn_option_init() found. */
void tcp_accecn_saw_opt(struct tcp_accecn *acc, u8 saw);

/* ---- in ---- */

/* A segment that is accepted, with len bytes of payload. */
void tcp_accecn_received(struct sock *sk, const struct sk_buff *skb, u32 len);
/*
 * Its feedback: segments of ours that came with CE since the last one. delivered and bytes: what
 * the ACK says of new; flag: FLAG_*.
 */
u32 tcp_accecn_process(struct sock *sk, const struct sk_buff *skb, u32 delivered, u32 bytes,
		       u32 flag);

/* A segment that begins at seq came again as a whole: was the ACK lost because of the option? */
void tcp_accecn_spurious_retrans(const struct tcp_sock *tp, u32 seq);

/* ---- out ---- */

/* Makes room for the option with `required` fields at least, and with SACK blocks less when it must
 * be; bytes that it takes of `room` besides the padding of others. */
u32 tcp_accecn_fit(struct tcp_out_options *opts, u32 required, u32 room);
/* Is a segment of the connection to have it? */
bool tcp_accecn_option_due(const struct sock *sk);
/* Of the option with `fields` fields; bytes written. counters NULL: of a SYN-ACK, nothing came. */
u32 tcp_accecn_write(u8 *p, u32 fields, const struct tcp_accecn *acc);

#endif
