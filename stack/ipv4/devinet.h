/* SPDX-License-Identifier: MIT */
/*
 * IPv4 addresses of devices and the switches of net.ipv4.conf.DEV.* (net/ipv4/devinet.c).
 * A device has an in_device from its registration on (made when it is registered), addresses live
 * in it: primary ones first by scope, secondaries behind.
 */
#ifndef TAPLINE_IPV4_DEVINET_H
#define TAPLINE_IPV4_DEVINET_H

#include "core/neighbour.h"
#include "stack/errno.h"
#include "stack/op.h"

enum ipv4_devconf_value {
#define DEVCONF(NAME, text, dflt) IPV4_DEVCONF_##NAME,
#include "ipv4/devconf.def"
#undef DEVCONF
	IPV4_DEVCONF_COUNT
};

struct ipv4_devconf {
	s32 data[IPV4_DEVCONF_COUNT];
	u32 set_mask; /* values that were set for this device: a change of `default` passes by */
};

#define IFA_F_SECONDARY 0x01u

struct in_ifaddr {
	struct in_ifaddr *next; /* of the in_device */
	struct in_ifaddr *hash_next; /* of netns_ipv4.addr_hash */
	struct in_device *dev;
	be32 local, address; /* the same but on point-to-point links */
	be32 mask, broadcast; /* broadcast 0: none */
	u8 prefixlen, scope;
	u32 flags; /* IFA_F_* */
};

/* A group the host listens to on a device. */
struct igmp_state;

struct ip_mc_list {
	struct ip_mc_list *next;
	be32 multiaddr;
	u32 users;
	/* igmp.c */
	struct in_device *in_dev;
	u8 crcount; /* how often it is still to be told that it was joined */
	u8 unsolicit_count; /* the same for versions before 3 */
	bool reporter; /* this host told it last */
	struct timer timer; /* an answer to a query */
};

struct in_device {
	struct net_device *dev; /* held */
	struct in_ifaddr *ifa_list;
	struct ip_mc_list *mc_list;
	struct igmp_state *igmp; /* NULL: no group was ever reported */
	struct ipv4_devconf cnf;
	bool dead;
};

static inline struct in_device *in_dev_get(const struct net_device *dev)
{
	return dev->ip_ptr;
}

/* Value for one device; "ANDCONF"/"ORCONF"/"MAXCONF" combine it with `all` as the kernel does. */
s32 ipv4_devconf_all(const struct net *net, enum ipv4_devconf_value v);
static inline s32 in_dev_conf_get(const struct in_device *in_dev, enum ipv4_devconf_value v)
{
	return in_dev->cnf.data[v];
}
bool in_dev_andconf(const struct in_device *in_dev, enum ipv4_devconf_value v);
bool in_dev_orconf(const struct in_device *in_dev, enum ipv4_devconf_value v);
s32 in_dev_maxconf(const struct in_device *in_dev, enum ipv4_devconf_value v);
/* Routes by the device are not used while it has no carrier. */
static inline bool ip_ignore_linkdown(const struct net_device *dev)
{
	return dev && dev->ip_ptr &&
	       in_dev_orconf(dev->ip_ptr, IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN);
}
bool in_dev_forward(const struct in_device *in_dev);
bool in_dev_rx_redirects(const struct in_device *in_dev);

static inline bool inet_ifa_match(be32 addr, const struct in_ifaddr *ifa)
{
	return ((addr ^ ifa->address) & ifa->mask) == 0;
}

static inline be32 inet_make_mask(u32 prefixlen)
{
	return prefixlen ? htonl(~0u << (32 - prefixlen)) : 0;
}

static inline bool ipv4_is_loopback(be32 addr)
{
	return ntohl(addr) >> 24 == 127;
}
static inline bool ipv4_is_multicast(be32 addr)
{
	return ntohl(addr) >> 28 == 0xe;
}
static inline bool ipv4_is_local_multicast(be32 addr)
{
	return ntohl(addr) >> 8 == 0xe00000;
}
static inline bool ipv4_is_lbcast(be32 addr)
{
	return addr == 0xffffffffu;
}
static inline bool ipv4_is_zeronet(be32 addr)
{
	return addr == 0;
}

/* True when addr is of the host on this in_device (inet_addr_onlink, in_dev addresses). */
const struct in_ifaddr *inet_ifa_byprefix(const struct in_device *in_dev, be32 prefix, be32 mask);
bool inet_addr_onlink(const struct in_device *in_dev, be32 a, be32 b);
/* The entry of an address of ours; NULL: none. */
struct in_ifaddr *inet_lookup_ifaddr(const struct net *net, be32 addr);
/* The device that has this address; NULL: none. */
struct net_device *ip_dev_find(struct net *net, be32 addr);
/* inet_confirm_addr: an address of ours of at most that scope on in_dev (NULL: anywhere) that
 * matches local (0: any) and reaches dst; 0: none. */
be32 inet_confirm_addr(struct net *net, const struct in_device *in_dev, be32 dst, be32 local,
		       u32 scope);

/* Host groups (IGMP's reports come with IGMP): 0, -EADDRINUSE is for the socket's own list. */
int ip_mc_inc_group(struct in_device *in_dev, be32 addr);
void ip_mc_dec_group(struct in_device *in_dev, be32 addr);
/* True when packets to this group are for the host on that device. */
bool ip_check_mc(const struct in_device *in_dev, be32 group);

/* OP_ADDR_ADD, OP_ADDR_DEL: 0 or -errno (-EEXIST, -EADDRNOTAVAIL, -ENODEV, -EINVAL, -ENOBUFS). */
int inet_rtm_newaddr(struct net *net, const struct op_addr_add *op);
int inet_rtm_deladdr(struct net *net, const struct op_addr_del *op);

/* net.ipv4.conf.{all,default,DEV}.NAME. `name` is the whole name. -ENOENT, -EINVAL. */
int devinet_sysctl_get(struct net *net, const char *name, s32 *value);
int devinet_sysctl_set(struct net *net, const char *name, s32 value);
void devinet_sysctl_walk(struct net *net, void (*fn)(void *ctx, const char *name), void *ctx);

int devinet_init(struct host *h);
int devinet_net_init(struct net *net);
void devinet_net_exit(struct net *net);

#endif
