/* SPDX-License-Identifier: MIT */
/* ICMP for IPv4 (RFC 792, RFC 1122 3.2.2): errors that this host sends, messages that it hears. */
#ifndef TAPLINE_IPV4_ICMP_H
#define TAPLINE_IPV4_ICMP_H

#include "ipv4/ip.h"
#include "wire/icmp4.h"

/* What an unreachable means to a socket: icmp_err_convert[code]. */
struct icmp_err {
	s32 error; /* errno, positive */
	bool fatal; /* reported even without IP_RECVERR on a connected socket */
};
/* For ICMP_DEST_UNREACH codes 0..NR_ICMP_UNREACH. */
const struct icmp_err *icmp_err_convert(u32 code);

/*
 * Sends an error about skb_in (network header set, skb->dst set when it was routed), unless a rule
 * of RFC 1122 3.2.2 says not to, or the rate limits do. info: second word of the message, host
 * order (MTU, gateway; pointer << 24). Does not take skb_in.
 */
void icmp_send(struct sk_buff *skb_in, u8 type, u8 code, u32 info);
void __icmp_send(struct sk_buff *skb_in, u8 type, u8 code, u32 info, const struct ip_options *opt);

/* net_protocol of IPPROTO_ICMP. */
int icmp_rcv(struct sk_buff *skb);

/* True when the global limit lets one more message out (icmp_msgs_per_sec, icmp_msgs_burst). */
bool icmp_global_allow(struct net *net);
void icmp_out_count(struct net *net, u8 type);

int icmp_init(struct host *h);
int icmp_net_init(struct net *net);

#endif
