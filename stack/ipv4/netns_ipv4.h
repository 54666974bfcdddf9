/* SPDX-License-Identifier: MIT */
/* What IPv4 keeps per namespace beyond what netns/net.h names (struct netns_ipv4): net->ipv4. */
#ifndef TAPLINE_IPV4_NETNS_IPV4_H
#define TAPLINE_IPV4_NETNS_IPV4_H

#include "inet/inetpeer.h"
#include "ipv4/devinet.h"

struct rtable;
struct fib_info;

#define INET_ADDR_HASH 64u
#define RT_INPUT_CACHE 64u

/* One remembered decision of ip_route_input(): valid while genid is the namespace's. */
struct rt_input_slot {
	be32 saddr, daddr;
	u32 iif, genid;
	u32 mark;
	u8 tos;
	bool doredirect; /* IPSKB_DOREDIRECT was set with it */
	bool anyip; /* LINK_PARAM_ANYIP stood so */
	struct rtable *rt; /* held; NULL: empty */
};

struct netns_ipv4 {
	struct net *net;
	struct ipv4_devconf all, dflt;
	struct in_ifaddr *addr_hash[INET_ADDR_HASH]; /* by local address: in_ifaddr.hash_next */
	struct list_head rtables; /* every rtable of the namespace: rtable.list */
	struct fib_info **fib_info_hash;
	u32 fib_info_bits, fib_info_count;
	struct fib_table *tables; /* besides local and main */
	struct fib_rule *rules; /* by priority; NULL: those that Linux begins with */
	bool rules_set; /* NULL means: none at all */
	bool has_custom_local_routes; /* of type local, that no address made */
	struct inet_peer_base peers;
	/* icmp_global_allow(): credits and the jiffy they were last filled up. */
	u32 icmp_global_credit;
	u64 icmp_global_stamp;
	struct rt_input_slot rt_input[RT_INPUT_CACHE];
};

static inline struct netns_ipv4 *net_ipv4(const struct net *net)
{
	return net->ipv4;
}

#endif
