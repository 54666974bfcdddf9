/* SPDX-License-Identifier: MIT */
/*
 * Requests, TIME-WAIT, cookies, beginning and end of a host's TCP (tcp_minisocks.c, tcp_ipv4.c,
 * tcp_syncookies.c).
 */
#ifndef TAPLINE_TCP_TCP_MINISOCKS_H
#define TAPLINE_TCP_TCP_MINISOCKS_H

#include "tcp/tcp.h"

/* What tcp_timewait_state_process wants done with the segment. */
enum tcp_tw_status { TCP_TW_SUCCESS, TCP_TW_RST, TCP_TW_ACK, TCP_TW_SYN, TCP_TW_ACK_OOW };

/* A segment for a TIME-WAIT socket (RFC 9293 3.10.7.4, RFC 6191). *tw_isn: ISN for a new
 * incarnation. Does not take skb. */
enum tcp_tw_status tcp_timewait_state_process(struct inet_timewait_sock *tw, struct sk_buff *skb,
					      u32 *tw_isn, enum skb_drop_reason *reason);
/* sk is replaced by a small socket in TIME-WAIT (or FIN-WAIT-2 of an orphan) for timeo jiffies and
 * is done with (tcp_done). */
void tcp_time_wait(struct sock *sk, u8 state, u32 timeo);
/*
 * A segment for a request. The child (or the listener itself: let it look on), or NULL: dropped or
 * answered. Does not take skb.
 */
struct sock *tcp_check_req(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
			   bool fastopen, bool *lost_race, enum skb_drop_reason *reason);
/* The child gets the segment that made it. As tcp_rcv_state_process(): 0: skb was taken; > 0: a
 * reset is to be sent for it. */
int tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb);
struct sock *tcp_create_openreq_child(const struct sock *sk, struct request_sock *req,
				      struct sk_buff *skb);
struct tcp_request_sock_ops;
/* A SYN for a listener: request made, SYN-ACK sent. */
int tcp_conn_request(const struct tcp_request_sock_ops *rsk_ops, struct sock *sk,
		     struct sk_buff *skb);

extern const struct proto tcp_prot;
extern const struct proto tcpv6_prot;
/* Of both. */
extern const struct sock_calls tcp_calls;
extern const struct inet_connection_sock_af_ops ipv4_specific;

int tcp_v4_rcv(struct sk_buff *skb);
/* Boot: tables, the IPv4 protocol. After ipv4_init(). 0 or -errno. */
int tcp_init(struct host *h);
/* After all sockets are closed. */
void tcp_exit(struct host *h);
int tcp_net_init(struct net *net);
void tcp_net_exit(struct net *net);

#endif
