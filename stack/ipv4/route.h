/* SPDX-License-Identifier: MIT */
/*
 * Routes: what an IPv4 packet's addresses mean to this host and where the packet goes next. A
 * lookup ends in a `struct rtable`, whose dst_entry carries the packet on. Results are cached at
 * their next hop (as the kernel's nh_rth_input and nh_pcpu_rth_output), so that a packet on a known
 * path allocates nothing.
 *
 * Invariant: a cached rtable is used only while rt_genid equals net->fib_genid.
 */
#ifndef TAPLINE_IPV4_ROUTE_H
#define TAPLINE_IPV4_ROUTE_H

#include "core/dst.h"
#include "stack/errno.h"

struct sock;
struct fib_nh;
struct fib_info;

/* rtable.rt_flags (Linux in_route.h). */
#define RTCF_NOTIFY	0x00010000u
#define RTCF_REDIRECTED 0x00040000u
#define RTCF_DOREDIRECT 0x01000000u
#define RTCF_DIRECTSRC	0x04000000u
#define RTCF_BROADCAST	0x10000000u
#define RTCF_MULTICAST	0x20000000u
#define RTCF_LOCAL	0x80000000u

/* flowi4.flags */
#define FLOWI_FLAG_ANYSRC	    0x01u /* the source need not be ours (transparent sockets) */
#define FLOWI_FLAG_IGNORE_LINKSTATE 0x02u /* a device without carrier is as good as any */
#define FLOWI_FLAG_ANY_SPORT	    0x04u /* the source port is not chosen yet: hash any */

/* The key of a lookup. Addresses as on the wire, ports in host byte order, 0 where unknown. */
struct flowi4 {
	u32 oif; /* 0: any */
	u32 iif; /* of a packet that arrived; loopback's for one of ours */
	u32 mark;
	be32 saddr, daddr;
	u16 sport, dport;
	u8 tos; /* RFC 1349 bits: 0x1c of the field count, and RTO_ONLINK below */
	u8 scope; /* RT_SCOPE_UNIVERSE, or RT_SCOPE_LINK: only what is on the link (MSG_DONTROUTE)
		   */
	u8 proto;
	u8 flags; /* FLOWI_FLAG_* */
};

struct rtable {
	struct dst_entry dst; /* first */
	u32 rt_genid;
	u32 rt_flags;
	u16 rt_type; /* RTN_* */
	bool rt_is_input;
	bool rt_uses_gateway;
	bool rt_mtu_locked;
	struct list_head list; /* netns_ipv4.rtables */
	struct net *net;
	u32 rt_iif;
	be32 rt_gw4; /* next hop when rt_uses_gateway */
	u32 rt_pmtu; /* of an exception; 0: the device's or the route's */
	struct fib_nh *nh; /* for exceptions (PMTU, redirects); may be NULL */
	struct fib_info *fi; /* held: metrics point into it */
};

static inline struct rtable *skb_rtable(const struct sk_buff *skb)
{
	return (struct rtable *)(void *)skb->dst;
}

/* The address to ask the neighbour table for. */
static inline be32 rt_nexthop(const struct rtable *rt, be32 daddr)
{
	return rt->rt_uses_gateway ? rt->rt_gw4 : daddr;
}

/*
 * Where a packet of ours goes. Fills in fl4->saddr (source address selection, RFC 1122 3.3.4.3)
 * when it is 0, fl4->daddr (loopback) when both are, and fl4->oif. Returns a route with a reference
 * for the caller (dst_release), or NULL with *err = -ENETUNREACH, -EHOSTUNREACH, -EINVAL, -EACCES,
 * -ENODEV or -ENOBUFS. IpOutNoRoutes is the caller's to count, as in Linux.
 */
struct rtable *ip_route_output_key(struct net *net, struct flowi4 *fl4, int *err);
/* The same, with what the tables said; res->fi NULL: they were not asked, or knew nothing. */
struct fib_result;
struct rtable *ip_route_output_key_hash(struct net *net, struct flowi4 *fl4, struct fib_result *res,
					int *err);
/* The same on behalf of a socket (which may be NULL). */
struct rtable *ip_route_output_flow(struct net *net, struct flowi4 *fl4, const struct sock *sk,
				    int *err);
/* The same for connect(). Once the source address is chosen the tables are asked again: a rule may
 * say of packets from there what it does not say of others. */
struct rtable *ip_route_connect(struct net *net, struct flowi4 *fl4, const struct sock *sk,
				int *err);
/* Then the source port is chosen, too: asks again if it was open (FLOWI_FLAG_ANY_SPORT). Takes over
 * rt; NULL with *err: there is no way any more. */
struct rtable *ip_route_newports(struct flowi4 *fl4, struct rtable *rt, const struct sock *sk,
				 int *err);

/*
 * What a packet that arrived is: sets skb->dst to a local, forwarding, broadcast, multicast or
 * error route. 0, or -errno with *reason set (IP_MARTIAN_SOURCE, IP_INVALID_DEST, ...) and no dst.
 */
int ip_route_input(struct sk_buff *skb, be32 daddr, be32 saddr, u8 tos, struct net_device *dev,
		   enum skb_drop_reason *reason);

/* RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST, RTN_UNICAST ...: what the local table says of an
 * address. */
u32 inet_addr_type(struct net *net, be32 addr);
/* The same, looking only at what belongs to dev when it is given. */
u32 inet_dev_addr_type(struct net *net, const struct net_device *dev, be32 addr);

/* A source address on dev (NULL: any) for a peer dst (0: any) with at most that scope; 0: none. */
be32 inet_select_addr(const struct net_device *dev, be32 dst, u32 scope);

/* All cached routes are stale from now on (rt_cache_flush). */
static inline void rt_cache_flush(struct net *net)
{
	net->fib_genid++;
}

/* ICMP errors: a smaller path MTU, or a better gateway, towards the flow's destination
 * (RFC 1191 3, RFC 1122 3.2.2.2). skb->data is at the quoted header,
 * skb_transport_header(skb) at the ICMP header. */
void ipv4_update_pmtu(struct sk_buff *skb, struct net *net, u32 mtu, u32 oif, u8 protocol);
void ipv4_sk_update_pmtu(struct sk_buff *skb, struct sock *sk, u32 mtu);
void ipv4_redirect(struct sk_buff *skb, struct net *net, u32 oif, u8 protocol);
void ipv4_sk_redirect(struct sk_buff *skb, struct sock *sk);

/* dst_ops.default_advmss and mtu for callers that hold an rtable. */
u32 ip_dst_mtu_maybe_forward(const struct dst_entry *dst, bool forwarding);

int ip_rt_net_init(struct net *net);
void ip_rt_net_exit(struct net *net);

#endif
