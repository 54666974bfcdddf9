/* SPDX-License-Identifier: MIT */
/* What sockets of every protocol over IPv6 share (net/ipv6/ipv6_sockglue.c): options of level
 * SOL_IPV6. */
#ifndef TAPLINE_IPV6_IPV6_SOCKGLUE_H
#define TAPLINE_IPV6_IPV6_SOCKGLUE_H

#include "core/sock.h"
#include "lib/bytes.h"

/* What ICMPv6 said of a packet of ours goes to the error queue (IPV6_RECVERR). skb: the message,
 * its data at what was quoted behind the header iph. */
void ipv6_icmp_error(struct sock *sk, struct sk_buff *skb, const u8 *iph, s32 err, u32 info);
/* May ICMPv6 lower the MTU of the path? (ip6_sk_accept_pmtu) */
static inline bool ip6_sk_accept_pmtu(const struct sock *sk)
{
	return sk->pinet6->pmtudisc < IP_PMTUDISC_INTERFACE;
}

int ipv6_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len);
int ipv6_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len);

/* What bind() and connect() say of an address of another family: a struct sockaddr_in is too short,
 * which is found first. */
static inline int ipv6_wrong_family(const struct sock_addr *addr)
{
	return addr->family == AF_INET || addr->family == AF_UNSPEC ? -EINVAL : -EAFNOSUPPORT;
}

/* The address of a struct sock_addr of AF_INET6. */
static inline struct inet_addr ipv6_sock_addr(const struct sock_addr *addr)
{
	return (struct inet_addr){ { load_be32(addr->addr), load_be32(addr->addr + 4),
				     load_be32(addr->addr + 8), load_be32(addr->addr + 12) } };
}

static inline void sock_addr_set_in6(struct sock_addr *addr, const struct inet_addr *a, u16 port)
{
	*addr = (struct sock_addr){ .family = AF_INET6, .port = port };
	for (u32 i = 0; i < 4; i++)
		store_be32(addr->addr + 4 * i, a->w[i]);
}

/* ::ffff:a.b.c.d */
static inline struct inet_addr ipv6_addr_mapped(be32 addr)
{
	return (struct inet_addr){ { 0, 0, htonl(0x0000ffff), addr } };
}

#endif
