/* SPDX-License-Identifier: MIT */
/*
 * Segments that no connection's socket sends, for both families: the header of a reset, and of an
 * ACK of a request or of a TIME-WAIT socket, signed (RFC 2385, RFC 5925) where what it answers for
 * has a key. tcp_ipv4_reply.c and tcp_ipv6_reply.c give it a way back.
 */
#ifndef TAPLINE_TCP_TCP_REPLY_H
#define TAPLINE_TCP_TCP_REPLY_H

#include "tcp/tcp_auth.h"
#include "tcp/tcp_syn.h"

/* What is answered: addresses as of the segment that arrived. */
struct tcp_reply_to {
	struct net *net;
	const struct sk_buff *skb;
	u8 family;
	struct inet_addr saddr, daddr;
	struct tcp_key key; /* TCP_KEY_NONE: unsigned */
};

struct tcp_reply {
	u8 bytes[TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED + TCPOLEN_MD5SIG_ALIGNED];
	u32 len;
};

/*
 * What the answer is signed with. False: there is none: the segment is not signed as it must be,
 * or the key for the answer is not known.
 */
/* A reset of a socket, of a TIME-WAIT socket, or (both NULL) of nobody. */
bool tcp_reply_reset_key(struct tcp_reply_to *to, const struct sock *sk,
			 const struct inet_timewait_sock *tw);
/* An ACK of a TIME-WAIT socket, of a request of sk. */
bool tcp_reply_timewait_key(struct tcp_reply_to *to, const struct inet_timewait_sock *tw);
bool tcp_reply_request_key(struct tcp_reply_to *to, const struct sock *sk,
			   const struct request_sock *req);

/* RFC 9293 3.10.7.1; counted. */
void tcp_reply_reset(const struct tcp_reply_to *to, u32 reason, struct tcp_reply *out);
/* The ACK of a TIME-WAIT socket. */
void tcp_reply_timewait(const struct tcp_reply_to *to, const struct inet_timewait_sock *tw,
			struct tcp_reply *out);
/* Where the ACK of a request stands: behind the SYN-ACK, or what fast open's child `sk` has sent.
 */
u32 tcp_reply_request_seq(const struct sock *sk, const struct request_sock *req);
/* The ACK of a request. */
void tcp_reply_request(const struct tcp_reply_to *to, const struct request_sock *req, u32 seq,
		       struct tcp_reply *out);
/* A packet of it, with its room in front; takes dst over, which is gone too when there is no memory
 * (NULL). */
struct sk_buff *tcp_reply_skb(struct net *net, const struct tcp_reply *rep, u32 headroom,
			      struct dst_entry *dst);

#endif
