/* SPDX-License-Identifier: MIT */
/*
 * IPv6 as far as it goes: a parser of what arrives on devices that take every packet
 * (LINK_PARAM_ANYIP). Headers, extension headers, fragments and ICMPv6 are judged and counted as
 * Linux does; there are no addresses, no routes, nothing is sent. On other devices an IPv6 packet
 * ends as IPV6_DISABLED.
 */
#ifndef TAPLINE_IPV6_IPV6_H
#define TAPLINE_IPV6_IPV6_H

#include "core/netdevice.h"
#include "skb/skbuff.h"
#include "wire/ip6.h"

/* IPv6's part of skb->cb, in front of reassembly's (FRAG_CB_OFFSET). */
struct inet6_skb_parm {
	u8 nexthdr; /* of what begins at skb->data */
};

struct inet6_protocol {
	/* Takes the packet: data at the transport header, network header set. */
	int (*handler)(struct sk_buff *skb);
};

struct inet6_protos {
	const struct inet6_protocol *protos[256];
};

static inline struct inet6_skb_parm *IP6CB(const struct sk_buff *skb)
{
	return (struct inet6_skb_parm *)(void *)(uintptr_t)(const void *)skb->cb;
}

static inline const u8 *ipv6_hdr(const struct sk_buff *skb)
{
	return skb_network_header(skb);
}

/* Packet type and protocol table of a host. 0 or -ENOMEM. */
int ipv6_init(struct host *h);
void ipv6_exit(struct host *h);
/* Drops what waits for reassembly. */
void ipv6_net_exit(struct net *net);

/* 0, or -EBUSY when the number is taken. ops must live as long as the host. */
int inet6_add_protocol(struct host *h, u8 protocol, const struct inet6_protocol *ops);
void inet6_del_protocol(struct host *h, u8 protocol, const struct inet6_protocol *ops);

/* True: the transport checksum over the pseudo header (RFC 8200 8.1) is right, or vouched for. */
bool ip6_checksum_complete(struct sk_buff *skb, u8 protocol);

/* ---- rooms of this folder ---- */

/*
 * A fragment header at skb->data (RFC 8200 4.5). True: the packet goes on behind it, whole, with
 * IP6CB's nexthdr set. False: it was taken.
 */
bool ipv6_frag_rcv(struct sk_buff *skb);
int icmpv6_rcv(struct sk_buff *skb);

#endif
