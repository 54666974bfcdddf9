/* SPDX-License-Identifier: MIT */
/*
 * struct net: one network namespace: its devices, counters, sysctls, and the tables of each family.
 * Data only; the folder named beside a table makes, uses and frees it.
 */
#ifndef TAPLINE_NETNS_NET_H
#define TAPLINE_NETNS_NET_H

#include "kernel/host.h"
#include "kernel/timer.h"
#include "lib/hlist.h"
#include "netns/ip_account.h"
#include "stack/drop_reason.h"
#include "stack/rtnetlink.h"

struct net_device;
struct fib_table;
struct ipv4_frags;
struct nf_hook_entries;
struct nf_queue;
struct netns_ct;
struct netns_xt;
struct dst_entry;
struct tcp_fastopen_context;

enum mib {
#define MIB(name) MIB_##name,
#include "netns/mib.def"
#undef MIB
	MIB_COUNT
};

struct netns_sysctl {
#define SYSCTL(field, name, dflt, rfc, min, max) s32 field;
#include "netns/sysctl.def"
#undef SYSCTL
};

/* First free number of a pattern as "eth%d". */
struct numbered_names {
	char prefix[16];
	u32 first;
};

#define DEV_TABLE_MIN 8u

/* core/dev_names.c: devices by name and by ifindex. */
struct netns_devs {
	struct hlist_head *by_name, *by_index; /* `size` chains each, one behind the other */
	u32 size, count;
	struct hlist_head few[2 * DEV_TABLE_MIN]; /* the tables at first */
	struct numbered_names numbered[8];
	u64 numbers_tried; /* what naming costs */
};

struct net {
	struct list_head list; /* host->nets */
	struct host *host;
	u32 id;
	u32 ifindex_next;
	char name[16];
	struct list_head dev_base; /* core/: net_device.dev_list, by ifindex */
	struct netns_devs devs;
	struct net_device *loopback_dev;
	struct netns_sysctl sysctl;
	u64 mib[MIB_COUNT];
	u64 drops[SKB_DROP_REASON_COUNT];
	struct ip_account ip[2]; /* IPv4, IPv6 */
	u64 icmp_in_type[256], icmp_out_type[256]; /* IcmpMsgInTypeN, IcmpMsgOutTypeN */
	/* netfilter/: chains by hook, IPv4 and IPv6. */
	struct nf_hook_entries *nf_hooks[2][NF_INET_NUMHOOKS];
	struct nf_queue *nf_queue; /* packets that a hook holds; NULL: never any */
	struct netns_ct *ct; /* nf/: connection tracking; NULL: never used */
	struct netns_xt *xt; /* nf/: tables of rules; NULL: never any */
	/* ipv4/ */
	struct fib_table *fib_local, *fib_main;
	struct ipv4_frags *ipv4_frags;
	void *ipv4; /* ipv4/: the rest of the family's state (struct netns_ipv4 in ipv4/) */
	void *ipv6; /* ipv6/: struct netns_ipv6; NULL: it has no address */
	void *ipv6_frags;
	struct list_head ipv4_devconf; /* ipv4/ */
	u32 tcp_challenge_second, tcp_challenge_count; /* tcp/: RFC 5961 7, per second */
	struct tcp_fastopen_context *tcp_fastopen_ctx; /* tcp/: keys of fast open; NULL: none yet */
	u64 tfo_active_disable_stamp; /* tcp/: jiffies: fast open was last given up */
	u32 tfo_active_disable_times;
	u32 tcp_ao_needed; /* tcp/: struct tcp_ao_info there are: 0: nobody uses TCP-AO */
	u32 sock_inuse, tcp_sock_inuse; /* core/: sockets there are (struct sock), of TCP */
	/* core/: taps and packet sockets that are not bound to a device. */
	struct list_head ptype_all, ptype_specific;
	struct list_head packet_sklist; /* socket/: packet sockets */
	u64 *reserved_ports; /* net.ipv4.ip_local_reserved_ports: a bit a port; NULL: none */
	struct list_head packet_fanouts; /* socket/: groups of them */
	u16 packet_fanout_next_id;
	bool dying; /* `ip netns del` was said: it ends with its last socket */
	struct timer cleanup; /* then */
	u32 fib_genid; /* grows with every change of routes and addresses: cached routes of older
			  generations are stale */
};

#define MIB_INC(net, name)    ((net)->mib[MIB_##name]++)
#define MIB_ADD(net, name, n) ((net)->mib[MIB_##name] += (u64)(n))
#define MIB_DEC(net, name)    ((net)->mib[MIB_##name]--)

/* "IpInReceives"; NULL outside the enum. */
const char *mib_name(u32 mib);

/* A new namespace of a host, zeroed by the caller: number, lists, sysctls. It is the host's last.
 */
void netns_init(struct net *net, struct host *h);
/*
 * What ops and calls name as `host`: the number of a host is its first namespace; any other
 * namespace is host | id << NET_REF_SHIFT (OP_NETNS_ADD). NULL: there is none.
 */
#define NET_REF_SHIFT 16
struct net *net_by_ref(const struct world *w, u64 ref);
/* Sets all sysctls to the world's profile. */
void netns_sysctl_defaults(struct net *net);
/* By index 0.. in the order of sysctl.def; NULL past the end. */
const char *netns_sysctl_name(u32 index);
/* The field of a name; NULL when there is none. min and max (may be NULL) receive the limits. */
s32 *netns_sysctl_find(struct net *net, const char *name, s32 *min, s32 *max);

static inline struct world *net_world(const struct net *net)
{
	return net->host->world;
}

#define RESERVED_PORTS_WORDS (65536u / 64)

/* May the stack not choose it, but only a program ask for it? */
static inline bool inet_is_local_reserved_port(const struct net *net, u16 port)
{
	return net->reserved_ports && net->reserved_ports[port >> 6] >> (port & 63) & 1;
}

/* Takes all reservations back. */
void inet_reserved_ports_free(struct net *net);

#endif
