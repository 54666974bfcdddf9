/* SPDX-License-Identifier: MIT */
/*
 * IPv6 as far as it goes: addresses and routes set by hand, input with extension headers and
 * reassembly, ICMPv6 errors for the transports and echo, output over devices that have no
 * neighbours (tun, lo). There is no neighbour discovery, no autoconfiguration, no forwarding, no
 * fragmenting. On devices that take every packet (LINK_PARAM_ANYIP) headers are judged and counted
 * as Linux does, whatever the destination; where the namespace has no IPv6 address a packet ends as
 * IPV6_DISABLED.
 */
#ifndef TAPLINE_IPV6_IPV6_H
#define TAPLINE_IPV6_IPV6_H

#include "core/sock.h"
#include "skb/skbuff.h"
#include "wire/ip6.h"

/* IPv6's part of skb->cb, in front of reassembly's (FRAG_CB_OFFSET). */
struct inet6_skb_parm {
	u8 nexthdr; /* of what begins at skb->data */
};

struct inet6_protocol {
	/* Takes the packet: data at the transport header, network header set. */
	int (*handler)(struct sk_buff *skb);
	/*
	 * An ICMPv6 error about a packet of ours: skb->data at the quoted transport header, the
	 * quoted IPv6 header right before the extension headers that were skipped (`iph`). Does not
	 * take skb.
	 */
	void (*err_handler)(struct sk_buff *skb, const u8 *iph, u8 type, u8 code, u32 info);
};

struct net_offload;

struct inet6_protos {
	const struct inet6_protocol *protos[256];
	const struct net_offload *offloads[256];
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
/* Addresses and routes go, and what waits for reassembly. */
void ipv6_net_exit(struct net *net);

/* 0, or -EBUSY when the number is taken. ops must live as long as the host. */
int inet6_add_protocol(struct host *h, u8 protocol, const struct inet6_protocol *ops);
void inet6_del_protocol(struct host *h, u8 protocol, const struct inet6_protocol *ops);
int inet6_add_offload(struct host *h, u8 protocol, const struct net_offload *ops);
/* Do the network headers of skb forbid to merge it with p? */
bool ipv6_gro_flush(const struct sk_buff *skb, struct sk_buff *p);

/* True: the transport checksum over the pseudo header (RFC 8200 8.1) is right, or vouched for. */
bool ip6_checksum_complete(struct sk_buff *skb, u8 protocol);

#define IPV6_DEFAULT_HOPLIMIT 64
#define ICMPV6_HLEN	      8u

struct ip6_xmit_args {
	const struct inet_addr *saddr, *daddr;
	u32 flowlabel; /* 20 bits */
	s16 hop_limit; /* -1: the default */
	u8 tclass, protocol;
};
/* Header in front of a packet whose route is set (skb->dst), and out. Takes skb. 0, NET_XMIT_* or
 * -errno. The skb has room in front. */
int ip6_xmit(struct net *net, struct sock *sk, struct sk_buff *skb, const struct ip6_xmit_args *a);

/* Source and destination of the packet's header. */
static inline struct inet_addr ipv6_saddr(const struct sk_buff *skb)
{
	const u8 *h = ipv6_hdr(skb) + 8;

	return (struct inet_addr){ { load_be32(h), load_be32(h + 4), load_be32(h + 8),
				     load_be32(h + 12) } };
}

static inline struct inet_addr ipv6_daddr(const struct sk_buff *skb)
{
	const u8 *h = ipv6_hdr(skb) + 24;

	return (struct inet_addr){ { load_be32(h), load_be32(h + 4), load_be32(h + 8),
				     load_be32(h + 12) } };
}

/* RFC 8200 3: traffic class of a header. */
static inline u8 ipv6_tclass(const u8 *h)
{
	return (u8)(get_be16(h) >> 4);
}

/* errno of an ICMPv6 error (icmpv6_err_convert); true: it is fatal to an attempt to connect. */
bool icmpv6_err_convert(u8 type, u8 code, s32 *err);

/*
 * Sends an error about skb (data at the IPv6 header or in front of it), unless RFC 4443 2.4 says
 * not to. info: the second word, host order. Does not take skb.
 */
void icmpv6_send(struct net *net, struct sk_buff *skb, u8 type, u8 code, u32 info);

/* ---- rooms of this folder ---- */

int ipv6_offload_init(struct host *h);
int ip6_input(struct sk_buff *skb);
int ip6_output(struct net *net, struct sock *sk, struct sk_buff *skb);

/*
 * A fragment header at skb->data (RFC 8200 4.5). True: the packet goes on behind it, whole, with
 * IP6CB's nexthdr set. False: it was taken.
 */
bool ipv6_frag_rcv(struct sk_buff *skb);
int icmpv6_rcv(struct sk_buff *skb);

#endif
