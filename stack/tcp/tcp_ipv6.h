/* SPDX-License-Identifier: MIT */
/* What the files tcp_ipv6*.c, the only ones of tcp/ that see ipv6/, share. */
#ifndef TAPLINE_TCP_TCP_IPV6_H
#define TAPLINE_TCP_TCP_IPV6_H

#include "ipv6/ip6_route.h"
#include "ipv6/ipv6.h"
#include "tcp/tcp.h"
#include "tcp/tcp_demux.h"
#include "tcp/tcp_syn.h"

/* After ipv6_init(). 0 or -EBUSY. */
int tcpv6_init(struct host *h);
void tcpv6_exit(struct host *h);

/* ---- tcp_ipv6.c ---- */

extern const struct tcp_request_sock_ops tcp_request_sock_ipv6_ops;

void tcp_v6_mtu_reduced(struct sock *sk, u32 mtu);
/* Is the packet of IPv4 (for a socket of AF_INET6 that takes mapped addresses)? */
static inline bool tcp_skb_is_ipv4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

/* ---- tcp_ipv6_reply.c: answers without a connection's socket, as tcp_ipv4_reply.c ---- */

void tcp_v6_send_reset(struct sock *sk, struct sk_buff *skb, u32 reason);
void tcp_v6_timewait_reset(const struct inet_timewait_sock *tw, struct sk_buff *skb);
void tcp_v6_timewait_ack(const struct inet_timewait_sock *tw, struct sk_buff *skb);
void tcp_v6_reqsk_send_ack(struct sock *sk, struct sk_buff *skb, struct request_sock *req);
/* Fills in the checksum of a segment that leaves, skb->data at the TCP header. */
void __tcp_v6_send_check(struct sk_buff *skb, const struct inet_addr *saddr,
			 const struct inet_addr *daddr);

#endif
