/* SPDX-License-Identifier: MIT */
/* inet_protos[]: what stands above IPv4, by protocol number, per host (net/ipv4/protocol.c). */
#ifndef TAPLINE_IPV4_PROTOCOL_H
#define TAPLINE_IPV4_PROTOCOL_H

#include "skb/skbuff.h"

struct net_protocol {
	/*
	 * Takes the packet: data at the transport header, network header set, skb->dst set.
	 * Returns < 0 to have it given to protocol -ret instead (then it is not taken).
	 */
	int (*handler)(struct sk_buff *skb);
	/*
	 * An ICMP error about a packet of this protocol. skb->data is at the quoted IP header, at
	 * least its header and 8 bytes more are linear; icmp_hdr is skb_transport_header(skb).
	 * `info`: MTU of a fragmentation needed, gateway of a redirect, pointer of a parameter
	 * problem (the second word of the message in host order; for PMTU its lower half).
	 * Does not take the packet. 0, or -ENOENT when the quoted packet is no one's
	 * (IcmpInErrors is counted by the handler).
	 */
	int (*err_handler)(struct sk_buff *skb, u32 info);
	/* The handler wants quoted packets of ICMP errors only under the strict rules (RFC 5927):
	 * a protocol unreachable is believed only of others. */
	bool icmp_strict_tag_validation;
};

struct net_offload; /* core/offload.h */

struct inet_protos {
	const struct net_protocol *protos[256];
	const struct net_offload *offloads[256]; /* GSO and GRO, by the same number */
	/* raw/: copies for raw sockets. True: one took the packet's copy. NULL: no raw sockets. */
	bool (*raw_local_deliver)(struct sk_buff *skb, u8 protocol);
	void (*raw_icmp_error)(struct sk_buff *skb, u8 protocol, u32 info);
	void *ip_idents; /* ip_output.c: counters of identifications; NULL until the first */
};

/* 0, or -EBUSY when the number is taken. ops must live as long as the host. */
int inet_add_protocol(struct host *h, u8 protocol, const struct net_protocol *ops);
int inet_del_protocol(struct host *h, u8 protocol, const struct net_protocol *ops);
int inet_add_offload(struct host *h, u8 protocol, const struct net_offload *ops);

#endif
