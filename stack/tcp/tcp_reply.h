/* SPDX-License-Identifier: MIT */
/*
 * Segments that no connection's socket sends, for both families: the header of a reset, and of an
 * ACK of a request or of a TIME-WAIT socket, signed (RFC 2385) where what it answers for has a key.
 * tcp_ipv4_reply.c and tcp_ipv6_reply.c give it a way back.
 */
#ifndef TAPLINE_TCP_TCP_REPLY_H
#define TAPLINE_TCP_TCP_REPLY_H

#include "tcp/tcp_md5.h"
#include "tcp/tcp_syn.h"

/* What is answered: addresses as of the segment that arrived. */
struct tcp_reply_to {
	struct net *net;
	const struct sk_buff *skb;
	u8 family;
	struct inet_addr saddr, daddr;
	const struct tcp_md5sig_key *key; /* NULL: none */
};

struct tcp_reply {
	u8 bytes[TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED + TCPOLEN_MD5SIG_ALIGNED];
	u32 len;
};

/* The key of sk for the segment's sender. */
const struct tcp_md5sig_key *tcp_reply_key(const struct sock *sk, const struct tcp_reply_to *to);
/*
 * Without a connection: the listener at the local port may have a key for the sender. False: it
 * has, and the segment is not signed with it: it gets no answer (RFC 2385 2.0).
 */
bool tcp_reply_listener_key(struct tcp_reply_to *to, u32 dif);

/* RFC 9293 3.10.7.1; counted. */
void tcp_reply_reset(const struct tcp_reply_to *to, u32 reason, struct tcp_reply *out);
/* The ACK of a TIME-WAIT socket. */
void tcp_reply_timewait(const struct tcp_reply_to *to, const struct inet_timewait_sock *tw,
			struct tcp_reply *out);
/* The ACK of a request. */
void tcp_reply_request(const struct tcp_reply_to *to, const struct request_sock *req,
		       struct tcp_reply *out);

#endif
