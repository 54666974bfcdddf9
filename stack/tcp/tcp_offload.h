/* SPDX-License-Identifier: MIT */
/* TCP's callbacks of struct net_offload (tcp_offload.c). */
#ifndef TAPLINE_TCP_TCP_OFFLOAD_H
#define TAPLINE_TCP_TCP_OFFLOAD_H

#include "skb/skbuff.h"

/* Data at the TCP header; see struct offload_callbacks. */
struct sk_buff *tcp_gso_segment(struct sk_buff *skb, u32 features);
/* GRO: data_offset at the TCP header, checksum checked by the family. `network_flush`: may the
 * network headers of skb and p be one? */
struct sk_buff *tcp_gro_receive(struct sk_buff_head *held, struct sk_buff *skb,
				bool (*network_flush)(const struct sk_buff *skb,
						      struct sk_buff *p));
/* Does the segment of `len` bytes at th go on with p, with nothing that would end it? */
bool tcp_gro_continues(const struct sk_buff *p, const u8 *th, u32 len);
/* The rest of a merged packet: what hardware would tell of it. The pseudo header's sum is the
 * family's. */
void tcp_gro_complete(struct sk_buff *skb);

#endif
