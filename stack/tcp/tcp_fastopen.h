/* SPDX-License-Identifier: MIT */
/*
 * TCP fast open (RFC 7413): data in a SYN. The client remembers the cookie that a server gave it
 * (tcp_metrics.c) and shows it with its next SYN; the server makes cookies out of the addresses and
 * a key, and for a right one makes the socket at once, in SYN-RECEIVED, with the data in its queue.
 */
#ifndef TAPLINE_TCP_TCP_FASTOPEN_H
#define TAPLINE_TCP_TCP_FASTOPEN_H

#include "tcp/tcp.h"

#define TCP_FASTOPEN_COOKIE_MIN	  4
#define TCP_FASTOPEN_COOKIE_MAX	  16
#define TCP_FASTOPEN_COOKIE_SIZE  8 /* of those that we make */
#define TCP_FASTOPEN_KEY_LENGTH	  16u
#define TCP_FASTOPEN_KEY_MAX	  2u /* the one in use, and one that is still accepted */
#define TCPOLEN_FASTOPEN_BASE	  2u
#define TCPOLEN_EXP_FASTOPEN_BASE 4u
#define TCPOPT_FASTOPEN_MAGIC	  0xF989u /* RFC 7413 appendix A.1, RFC 6994 */
#define TCP_FASTOPEN_RST_REQ_LIFE (60u * HZ)

/* net.ipv4.tcp_fastopen */
#define TFO_CLIENT_ENABLE	   0x1
#define TFO_SERVER_ENABLE	   0x2
#define TFO_CLIENT_NO_COOKIE	   0x4 /* data in the SYN without a cookie */
#define TFO_SERVER_COOKIE_NOT_REQD 0x200 /* the same on the other side */
#define TFO_SERVER_WO_SOCKOPT1	   0x400 /* every listener, without TCP_FASTOPEN */

/* tcpi_fastopen_client_fail */
enum { TFO_STATUS_UNSPEC, TFO_COOKIE_UNAVAILABLE, TFO_DATA_NOT_ACKED, TFO_SYN_RETRANSMITTED };

struct tcp_fastopen_cookie {
	u8 val[TCP_FASTOPEN_COOKIE_MAX];
	s8 len; /* < 0: no option; 0: one is asked for */
	bool exp; /* in the experimental option */
};

/* Keys of a namespace or of a listener, the one in use first. */
struct tcp_fastopen_context {
	struct siphash_key key[TCP_FASTOPEN_KEY_MAX];
	u32 num;
};

/* What a SYN is to carry, while tcp_connect() sends it. */
struct tcp_fastopen_request {
	struct tcp_fastopen_cookie cookie;
	struct msghdr *msg; /* NULL: no data yet, the option alone */
	u32 copied; /* bytes of msg in the SYN */
};

/* ---- cookies, keys ---- */

/* Key of the namespace, when it has none yet. */
void tcp_fastopen_init_key_once(struct net *net);
void tcp_fastopen_net_exit(struct net *net);
/* Keys of 16 bytes each, one or two; sk NULL: the namespace's. 0 or -ENOMEM. */
int tcp_fastopen_reset_cipher(struct net *net, struct sock *sk, const u8 *keys, u32 num);
/* The keys that sk was given for itself, with sk NULL the namespace's, as bytes; how many. */
u32 tcp_fastopen_get_cipher(const struct net *net, const struct sock *sk, u8 *keys);
void tcp_fastopen_destroy_cipher(struct sock *sk);

/* ---- server ---- */

/* May a cookie be left out on this route, by this socket? flag: TFO_CLIENT_NO_COOKIE or
 * TFO_SERVER_COOKIE_NOT_REQD. */
bool tcp_fastopen_no_cookie(const struct sock *sk, u32 flag);
/*
 * A SYN for a listener: the child that gets its data, or NULL: it goes the usual way. *foc: of the
 * SYN; then: for the SYN-ACK.
 */
struct sock *tcp_try_fastopen(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
			      struct tcp_fastopen_cookie *foc);
/* TCP_FASTOPEN, or listen() where all listeners have it. */
int tcp_fastopen_queue_tune(struct sock *sk, s32 backlog);
/* The handshake of the child is over. reset: by an RST. */
void tcp_fastopen_remove(struct sock *sk, bool reset);
/* The data of a SYN or SYN-ACK to the receive queue; does not take skb. */
void tcp_fastopen_add_skb(struct sock *sk, struct sk_buff *skb);

/* A child whose SYN-ACK is not acknowledged yet. */
static inline bool tcp_passive_fastopen(const struct sock *sk)
{
	return sk->sk_state == TCP_SYN_RECV && tcp_sk(sk)->rare->fastopen_rsk;
}

/* ---- client ---- */

/* proto.connect with TCP_FASTOPEN_CONNECT: true: there is a cookie, the SYN goes with the first
 * data. */
bool tcp_fastopen_defer_connect(struct sock *sk, struct tcp_fastopen_request *fo);
/* The first SYN, with data if possible. As tcp_transmit_skb(). */
int tcp_send_syn_data(struct sock *sk, struct sk_buff *syn);
/* The SYN-ACK of one that had the option or data. True: data goes again (an ACK goes along). */
bool tcp_rcv_fastopen_synack(struct sock *sk, struct sk_buff *synack,
			     struct tcp_fastopen_cookie *cookie);
/* The SYN went unanswered too often: fast open may be what is in the way. */
void tcp_fastopen_active_detect_blackhole(struct sock *sk, bool expired);
/* The end of a connection: did data ever come? */
void tcp_fastopen_active_disable_ofo_check(struct sock *sk);

#endif
