/* SPDX-License-Identifier: MIT */
/*
 * Addresses and routes of IPv6 (addrconf.c, route.c): what a namespace calls its own, and where a
 * packet goes. Every route is its own dst_entry (struct rt6_info), so that a lookup allocates
 * nothing; a path MTU or a redirect adds a host route that expires.
 *
 * Invariant: a route in the table is held by it; one that was taken out is obsolete, and lives on
 * only while somebody holds it.
 */
#ifndef TAPLINE_IPV6_IP6_ROUTE_H
#define TAPLINE_IPV6_IP6_ROUTE_H

#include "core/dst.h"
#include "core/sock.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"

#define IPV6_MIN_MTU 1280u /* RFC 8200 5 */

struct rt6_info {
	struct dst_entry dst; /* first */
	struct hlist_node node; /* netns_ipv6.routes */
	struct net *net;
	struct inet_addr prefix, gateway, prefsrc;
	u8 plen;
	u8 type; /* RTN_UNICAST, RTN_LOCAL, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_BLACKHOLE */
	bool has_gateway;
	u32 metric; /* of the table: smaller is better */
	u32 pmtu; /* of an exception; 0: the device's */
	u32 metrics[RTAX_MAX];
};

/* The key of a lookup. Addresses as on the wire, 0 where unknown. */
struct flowi6 {
	u32 oif;
	struct inet_addr saddr, daddr;
	u32 flowlabel;
};

/*
 * Where a packet of ours goes; fills in fl6->saddr when it is unspecified (a cut of RFC 6724: of
 * the device, with the longest common prefix, else of any). With a reference for the caller; NULL
 * and *err: -ENETUNREACH, -EADDRNOTAVAIL or what the route says.
 */
struct rt6_info *ip6_route_output(struct net *net, struct flowi6 *fl6, int *err);
/* What a packet that arrived is to this host. No reference. NULL: no route. */
struct rt6_info *ip6_route_input(struct net *net, const struct inet_addr *daddr);
/* The value to give to sk_dst_check(): a route found under another one is looked up anew. */
u32 rt6_cookie(const struct net *net);

/* Does the namespace have this address? */
bool ipv6_chk_addr(const struct net *net, const struct inet_addr *addr);
/* Does it speak IPv6 at all: has it any address but loopback's? */
bool ipv6_enabled(const struct net *net);

/* OP_ADDR_ADD, OP_ADDR_DEL, OP_ROUTE_ADD, OP_ROUTE_DEL with addresses of 16 bytes. 0 or -errno as
 * ip-address(8), ip-route(8) see it. */
int inet6_rtm_newaddr(struct net *net, const struct op_addr_add *op);
int inet6_rtm_deladdr(struct net *net, const struct op_addr_del *op);
int inet6_rtm_newroute(struct net *net, const struct op_route_add *op);
int inet6_rtm_delroute(struct net *net, const struct op_route_del *op);

/* ---- rooms of this folder ---- */

struct inet6_ifaddr {
	struct list_head list; /* netns_ipv6.addrs */
	struct inet_addr addr;
	u8 plen;
	struct net_device *dev;
};

#define IP6_ROUTE_HASH 64u

struct netns_ipv6 {
	struct list_head addrs;
	struct hlist_head routes[IP6_ROUTE_HASH]; /* by prefix and its length */
	u32 plen_count[129]; /* routes of a prefix length */
	u32 genid; /* grows with every change */
	u32 global_addrs; /* all but ::1 */
};

static inline struct netns_ipv6 *netns6(const struct net *net)
{
	return net->ipv6;
}

/* Enters a route. 0, -EEXIST, -ENOMEM. metrics may be NULL. */
struct rt6_spec {
	struct inet_addr prefix, gateway, prefsrc;
	u8 plen, type;
	bool has_gateway;
	u32 metric, mtu, pmtu;
	u64 expires;
	struct net_device *dev;
};
int ip6_route_add(struct net *net, const struct rt6_spec *spec);
/* Takes out the first route of prefix, length, type and device (dev NULL: any). 0 or -ESRCH. */
int ip6_route_del(struct net *net, const struct inet_addr *prefix, u8 plen, u8 type,
		  const struct net_device *dev);
/* All routes over a device that goes. */
void ip6_route_flush_dev(struct net *net, const struct net_device *dev);
void ip6_route_flush(struct net *net);

/* Addresses with their routes go with the device. */
void addrconf_ifdown(struct net_device *dev);
/* A host that no one gave an IPv6 address or socket pays nothing for it: the tables are made when
 * they are first needed, with ::1 on lo. 0 or -ENOMEM. */
int addrconf_net_init(struct net *net);
void addrconf_net_exit(struct net *net);

/* Bits that both addresses have in common from the front. */
u32 ipv6_addr_diff(const struct inet_addr *a, const struct inet_addr *b);

#endif
