/* SPDX-License-Identifier: MIT */
/* Between IPv4 and the offloads above and below it (ip_offload.c). */
#ifndef TAPLINE_IPV4_IP_OFFLOAD_H
#define TAPLINE_IPV4_IP_OFFLOAD_H

#include "core/offload.h"
#include "ipv4/protocol.h"

/* Boot: the packet_offload of IPv4. 0 or -ENOMEM. */
int ip_offload_init(struct host *h);

/* packet_offload: data at the IP header. */
struct sk_buff *inet_gso_segment(struct sk_buff *skb, u32 features);

struct sk_buff *inet_gro_receive(struct sk_buff_head *held, struct sk_buff *skb);
/* Does the IPv4 packet of `len` bytes at iph go on with p, as far as its header tells? Its protocol
 * is asked first: when both say yes it is merged. */
bool inet_gro_continues(struct sk_buff *p, const u8 *iph, u32 len);
void inet_gro_complete(struct sk_buff *skb, u32 nhoff);

#endif
