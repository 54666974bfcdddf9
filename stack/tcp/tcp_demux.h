/* SPDX-License-Identifier: MIT */
/* Between tcp_demux.c and the files of one family, tcp_ipv4*.c and tcp_ipv6*.c. */
#ifndef TAPLINE_TCP_TCP_DEMUX_H
#define TAPLINE_TCP_TCP_DEMUX_H

#include "tcp/tcp.h"
#include "tcp/tcp_syn.h"

/* What a segment is looked up by, and what of its IP header TCP looks at. */
struct tcp_rcv_key {
	struct inet_addr saddr, daddr;
	u16 sport, dport;
	u32 dif;
	u8 dsfield; /* TOS or traffic class */
	u8 ttl; /* or hop limit */
};

/* How a family answers segments that no connection's socket takes. */
struct tcp_family {
	u8 family;
	const struct tcp_request_sock_ops *rsk_ops;
	void (*send_reset)(struct sock *sk, struct sk_buff *skb, u32 reason);
	void (*timewait_reset)(const struct inet_timewait_sock *tw, struct sk_buff *skb);
	void (*timewait_ack)(const struct inet_timewait_sock *tw, struct sk_buff *skb);
};

/*
 * RFC 9293 3.10.7: gives a checked segment (skb->data at its linear header) to whom it is for.
 * Takes skb.
 */
int tcp_demux(const struct tcp_family *af, struct net *net, struct sk_buff *skb,
	      const struct tcp_rcv_key *k);

/* Header there, whole, and with a sane length, counted in TcpInSegs. False: it was dropped. */
bool tcp_rcv_header(struct net *net, struct sk_buff *skb);
/* The checksum was wrong. */
int tcp_rcv_csum_error(struct net *net, struct sk_buff *skb);

#endif
