/* SPDX-License-Identifier: MIT */
/*
 * The forwarding information base: tables of routes by longest prefix (fib_trie.c) and what a route
 * says (fib_semantics.c). Names are the kernel's include/net/ip_fib.h.
 */
#ifndef TAPLINE_IPV4_FIB_H
#define TAPLINE_IPV4_FIB_H

#include "ipv4/devinet.h"
#include "ipv4/route.h"

#define RTNH_F_DEAD	1u
#define RTNH_F_LINKDOWN 16u

#define FNHE_HASH	   64u
#define FNHE_RECLAIM_DEPTH 5u

/* A destination that is not as its route says: a learnt path MTU, a redirect. */
struct fib_nh_exception {
	struct fib_nh_exception *next;
	be32 daddr, gw; /* gw 0: the route's */
	u32 pmtu; /* 0: none */
	bool mtu_locked;
	u64 expires; /* jiffies; 0: never */
	u64 stamp; /* last use, jiffies */
	struct rtable *rth_input, *rth_output; /* held */
};

struct fib_nh {
	struct net_device *dev; /* held; NULL for routes that only give an error */
	u32 oif;
	u32 flags; /* RTNH_F_* */
	u8 scope;
	be32 gw; /* 0: on the link */
	struct rtable *rth_input, *rth_output; /* held */
	struct fib_nh_exception **exceptions; /* FNHE_HASH chains, NULL until the first */
	u8 weight; /* of several: its share */
	s32 upper_bound; /* of 31 bits of flow hash; -1: it is not to be used */
	struct fib_info *parent;
};

/* What routes of the same shape share. */
struct fib_info {
	struct fib_info *hash_next;
	struct net *net;
	u32 refcnt; /* routes and rtables that use it */
	u32 treeref; /* routes only: 0 means dead */
	bool dead;
	u8 scope, type;
	be32 prefsrc;
	u32 priority;
	u32 table;
	u32 metrics[RTAX_MAX]; /* [RTAX_LOCK]: bits of those that are locked */
	bool has_metrics;
	bool kernel; /* made with an address, not by a user (RTPROT_KERNEL) */
	u32 nhs; /* next hops: 1 and more */
	struct fib_nh nh; /* the first */
	struct fib_nh *more; /* the others; NULL: none */
};

/* The i-th next hop. */
static inline struct fib_nh *fib_info_nh(const struct fib_info *fi, u32 i)
{
	return i ? &fi->more[i - 1] : (struct fib_nh *)(uintptr_t)&fi->nh;
}

#define FIB_NHS_MAX 16u

struct fib_nh_config {
	u32 oif, flags;
	be32 gw;
	u8 weight; /* 0: 1 */
};

/* A route as it is asked for. dst in host byte order. */
struct fib_config {
	u32 dst;
	u8 dst_len, tos, scope, type;
	u32 table, oif, priority, flags;
	be32 gw, prefsrc;
	/* Several next hops instead of oif, gw and flags; nhs 0: none. */
	u32 nhs;
	const struct fib_nh_config *nh;
	const u32 *metrics; /* RTAX_MAX, [0]: bits of those that are locked; NULL: none */
	u8 mode; /* enum route_verb: what if there is one of this prefix, TOS and metric */
	bool append; /* beside an equal prefix, as the kernel's own routes */
};

struct fib_alias;
struct fib_table;

struct fib_result {
	u32 prefix; /* host order */
	u8 prefixlen, type, scope, tos;
	u32 table;
	struct fib_info *fi;
	struct fib_nh *nh;
	struct fib_table *tb;
	struct fib_alias *aliases; /* all of the prefix */
};

struct fib_alias {
	struct fib_alias *next;
	struct fib_info *fi;
	u8 tos, type;
	s16 deflt; /* of equal default routes the one last chosen, by its place; -1: none */
};

struct fib_node;

struct fib_table {
	struct fib_table *next; /* of netns_ipv4.tables */
	u32 id;
	struct net *net;
	struct fib_node *root;
	u32 routes;
	u32 num_default; /* those of prefix 0 */
	u32 nodes;
	/* Nodes with routes, by prefix, once there are many (else NULL). */
	struct fib_node **hash;
	u32 hash_mask;
	u32 prefixes; /* nodes with routes */
	u32 plen_count[33]; /* those of each prefix length */
	u64 plens; /* bit per length that has any */
};

/* fib_trie.c */
struct fib_table *fib_trie_table(struct net *net, u32 id);
/* Removes every route and the table. */
void fib_free_table(struct fib_table *tb);
int fib_table_insert(struct fib_table *tb, const struct fib_config *cfg);
/* type RTN_UNSPEC, gw/oif/prefsrc 0 match any. -ESRCH when there is none. */
int fib_table_delete(struct fib_table *tb, const struct fib_config *cfg);
/* 0 with *res (no reference taken), -EAGAIN when nothing matches, or the error of the route's type.
 */
int fib_table_lookup(struct fib_table *tb, const struct flowi4 *flp, struct fib_result *res);
/* Removes routes whose fib_info is dead. Returns how many. */
u32 fib_table_flush(struct fib_table *tb);
/* Every route in order of prefix. */
void fib_table_walk(const struct fib_table *tb,
		    void (*fn)(void *ctx, u32 prefix, u32 plen, const struct fib_alias *fa),
		    void *ctx);
void fib_table_check(const struct fib_table *tb);

/* fib_semantics.c */
extern const s32 fib_type_error[];
struct fib_info *fib_create_info(struct net *net, const struct fib_config *cfg, int *err);
void fib_info_put(struct fib_info *fi); /* a reference of an rtable */
void fib_release_info(struct fib_info *fi); /* a reference of a route */
bool fib_nh_match(const struct fib_config *cfg, const struct fib_info *fi);
/* Marks routes that use the device dead; those of local addresses only by force. Returns how many.
 */
u32 fib_sync_down_dev(struct net_device *dev, enum netdev_event event, bool force);
u32 fib_sync_down_addr(struct net *net, be32 local);
void fib_sync_carrier(struct net_device *dev);
/* The device came up. */
void fib_sync_up(struct net_device *dev);
void fib_flush_caches(struct net *net, struct net_device *dev);
bool fib_info_nh_uses_dev(const struct fib_info *fi, const struct net_device *dev);
/* The address that its device would choose towards it; 0: none. */
be32 fib_nh_saddr(const struct fib_nh *nh);
be32 fib_result_prefsrc(const struct fib_result *res);

/* fib_exception.c */
struct fib_nh_exception *fib_find_exception(struct fib_nh *nh, be32 daddr);
void fib_update_exception(struct fib_nh *nh, be32 daddr, be32 gw, u32 pmtu, bool lock, u64 expires);
/* Exceptions and cached routes go. */
void fib_nh_release_routes(struct fib_nh *nh);

/* fib_frontend.c */
/* The rules that Linux begins with: local, main and default. 0; or -ENETUNREACH, -EHOSTUNREACH,
 * -EACCES, -EINVAL. */
int fib_lookup(struct net *net, const struct flowi4 *flp, struct fib_result *res);
struct fib_table *fib_get_table(struct net *net, u32 id);
/* < 0: -EINVAL (a martian: ours), -EXDEV (reverse path); > 0: the sender is on the same link. */
int fib_validate_source(struct sk_buff *skb, be32 src, be32 dst, u8 tos, u32 oif,
			struct net_device *dev, struct in_device *idev);
/* The address that an answer to skb should come from (RFC 1122 3.2.1.3). */
be32 fib_compute_spec_dst(struct sk_buff *skb);
void fib_add_ifaddr(struct in_ifaddr *ifa);
void fib_del_ifaddr(struct in_ifaddr *ifa, struct in_ifaddr *iprim);
void fib_netdev_event(struct net_device *dev, enum netdev_event event);
/* The device got an address, or lost one. */
void fib_inetaddr_changed(struct in_device *in_dev);
int fib_net_init(struct net *net);
void fib_net_exit(struct net *net);
/* All tables of the namespace: local, main, others. */
struct fib_table *fib_next_table(const struct net *net, const struct fib_table *tb);
struct fib_table *fib_new_table(struct net *net, u32 id);
/* A route that was asked for from outside, into its table, which is made when it is not there. */
int fib_new_route(struct net *net, const struct fib_config *cfg);

/* fib_rules.c: which tables are asked, in which order. NULL list: the rules that Linux begins with.
 */
struct fib_rule;
int fib_rules_lookup(struct net *net, const struct flowi4 *flp, struct fib_result *res);
void fib_rules_exit(struct net *net);
struct op_rule;
int fib_op_rule(struct net *net, const struct op_rule *o);
/* A rule as `ip rule` shows it. */
struct fib_rule_info {
	u32 priority, table, mark, mask, target, iif, oif;
	be32 src, dst;
	u8 src_len, dst_len, action, tos;
	s32 suppress; /* -1: none */
	bool invert;
};
void fib_rules_walk(const struct net *net, void (*fn)(void *ctx, const struct fib_rule_info *r),
		    void *ctx);

/* fib_op.c; ca_index: of the congestion control + 1, 0: none was named. */
struct op_route;
int fib_op_route(struct net *net, const struct op_route *o, u32 ca_index);
/* The table of a route that names none. */
u32 fib_default_table(u64 table, u64 type);

/* fib_multipath.c: 31 bits. */
u32 fib_multipath_hash(const struct net *net, const struct flowi4 *flp, const struct sk_buff *skb);

/* fib_select.c */
void fib_rebalance(struct fib_info *fi);
/* Which of several next hops, by flow; of packets of ours (skb NULL) also which of equal default
 * routes. */
void fib_select_path(struct net *net, struct fib_result *res, const struct flowi4 *flp,
		     const struct sk_buff *skb);
void fib_flush(struct net *net);

/* route.c */
/* All cached routes that point to dev let go of it. */
void rt_flush_dev(struct net_device *dev);
void rt_input_cache_flush(struct net *net);

#endif
