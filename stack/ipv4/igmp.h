/* SPDX-License-Identifier: MIT */
/* IGMP (RFC 1112 appendix I, RFC 2236, RFC 3376): what this host hears and tells. */
#ifndef TAPLINE_IPV4_IGMP_H
#define TAPLINE_IPV4_IGMP_H

#include "ipv4/devinet.h"
#include "ipv4/ip.h"

#define IGMP_HLEN 8u

#define IGMP_HOST_MEMBERSHIP_QUERY    0x11
#define IGMP_HOST_MEMBERSHIP_REPORT   0x12
#define IGMPV2_HOST_MEMBERSHIP_REPORT 0x16
#define IGMP_HOST_LEAVE_MESSAGE	      0x17
#define IGMPV3_HOST_MEMBERSHIP_REPORT 0x22

/* net_protocol of IPPROTO_IGMP. */
int igmp_rcv(struct sk_buff *skb);

/* igmp.c: a group of an interface is made, was joined, is left. */
void igmp_group_init(struct in_device *in_dev, struct ip_mc_list *im);
void igmp_group_added(struct ip_mc_list *im);
void igmp_group_dropped(struct ip_mc_list *im);
/* The device comes up, goes down, goes away. */
void igmp_up(struct in_device *in_dev);
void igmp_down(struct in_device *in_dev);
void igmp_destroy(struct in_device *in_dev);
/* A query and a report that were heard; p has `len` bytes, 8 at least. */
void igmp_heard_query(struct in_device *in_dev, const u8 *p, u32 len);
void igmp_heard_report(struct in_device *in_dev, be32 group);

/* The version that is spoken on an interface: that of the oldest router heard lately. */
u32 igmp_version(const struct in_device *in_dev);

int igmp_init(struct host *h);

#endif
