/* SPDX-License-Identifier: MIT */
/* IGMP (RFC 1112 appendix I, RFC 2236, RFC 3376): the messages that this host hears. */
#ifndef TAPLINE_IPV4_IGMP_H
#define TAPLINE_IPV4_IGMP_H

#include "ipv4/ip.h"

#define IGMP_HLEN 8u

#define IGMP_HOST_MEMBERSHIP_QUERY    0x11
#define IGMP_HOST_MEMBERSHIP_REPORT   0x12
#define IGMPV2_HOST_MEMBERSHIP_REPORT 0x16
#define IGMP_HOST_LEAVE_MESSAGE	      0x17
#define IGMPV3_HOST_MEMBERSHIP_REPORT 0x22

/* net_protocol of IPPROTO_IGMP. */
int igmp_rcv(struct sk_buff *skb);

int igmp_init(struct host *h);

#endif
