/* SPDX-License-Identifier: MIT */
/* What the files tcp_ipv4*.c, the only ones of tcp/ that see ipv4/, share. */
#ifndef TAPLINE_TCP_TCP_IPV4_H
#define TAPLINE_TCP_TCP_IPV4_H

#include "ipv4/ip.h"
#include "ipv4/protocol.h"
#include "tcp/tcp.h"
#include "tcp/tcp_syn.h"

/* IP's part of the control block, behind TCP's (tcp_demux.c). */
static inline struct inet_skb_parm *tcp_v4_skb_parm(const struct sk_buff *skb)
{
	return (struct inet_skb_parm *)(void *)TCP_SKB_CB(skb)->header;
}

/* ---- tcp_ipv4.c ---- */

extern const struct tcp_request_sock_ops tcp_request_sock_ipv4_ops;

/* Routes for a SYN-ACK and for the child of a request, with a reference; NULL: none (counted). */
struct dst_entry *inet_csk_route_req(const struct sock *sk, const struct request_sock *req);
struct dst_entry *inet_csk_route_child_sock(const struct sock *sk, const struct sock *newsk,
					    const struct request_sock *req);
/* Calls of tcp_prot that those of AF_INET6 make too: connect to an IPv4 address, the end of a
 * socket. */
int tcp_v4_connect(struct sock *sk, const struct sock_addr *addr);
void tcp_v4_destroy_sock(struct sock *sk);
void tcp_v4_rehash(struct sock *sk);
/* proto.destruct of both families. */
void tcp_sock_destruct(struct sock *sk);
void tcp_v4_mtu_reduced(struct sock *sk, u32 mtu);
struct sock *tcp_v4_syn_recv_sock(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
				  struct dst_entry *dst, struct request_sock *req_unhash,
				  bool *own_req);

/* ---- tcp_ipv4_rcv.c ---- */

int tcp_v4_err(struct sk_buff *skb, u32 info);

/* ---- tcp_ipv4_reply.c: answers without a connection's socket ---- */

/*
 * RFC 9293 3.10.7.1 and 3.5.2: the reset for a segment (skb->data at the TCP header, control block
 * filled in), unless it is one itself. sk: a socket or listener that it is for, NULL: none.
 */
void tcp_v4_send_reset(struct sock *sk, struct sk_buff *skb, u32 reason);
/* The same for a TIME-WAIT socket. */
void tcp_v4_timewait_reset(const struct inet_timewait_sock *tw, struct sk_buff *skb);
void tcp_v4_timewait_ack(const struct inet_timewait_sock *tw, struct sk_buff *skb);
void tcp_v4_reqsk_send_ack(struct sock *sk, struct sk_buff *skb, struct request_sock *req);
/* Fills in the checksum of a segment that leaves, skb->data at the TCP header. */
void __tcp_v4_send_check(struct sk_buff *skb, be32 saddr, be32 daddr);

/* ---- tcp_ipv4_offload.c ---- */

extern const struct net_offload tcpv4_offload;

#endif
