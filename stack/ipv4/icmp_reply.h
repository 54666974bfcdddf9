/* SPDX-License-Identifier: MIT */
/* Between the two halves of ICMP: an answer to be sent. */
#ifndef TAPLINE_IPV4_ICMP_REPLY_H
#define TAPLINE_IPV4_ICMP_REPLY_H

#include "ipv4/fib.h"
#include "ipv4/icmp.h"

/* Header bytes (checksum filled in later), then data_len bytes of skb from offset on. */
struct icmp_message {
	u8 head[20];
	u32 head_len;
	struct sk_buff *skb;
	u32 offset, data_len;
};

/* To the sender of skb, with its options turned round, its TOS and the right source address. */
void icmp_reply(struct sk_buff *skb, const struct icmp_message *m);

#endif
