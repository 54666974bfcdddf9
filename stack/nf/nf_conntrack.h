/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking (net/netfilter/nf_conntrack_core.c and its protocols): which packets belong
 * together, in both directions, and how far they have come. Hooks of it run while somebody uses it
 * (nf_ct_netns_get); a namespace that never did has no table and pays nothing.
 *
 * A packet's way: PRE_ROUTING or LOCAL_OUT (priority -200) finds its connection or makes one, which
 * is the packet's own until LOCAL_IN or POST_ROUTING (last) puts it into the table (confirm).
 *
 * Invariants: an entry is in the table under both tuples or under none; the table, each packet and
 * each walker hold a reference; an entry in the table is confirmed and on the list of all.
 */
#ifndef TAPLINE_NF_NF_CONNTRACK_H
#define TAPLINE_NF_NF_CONNTRACK_H

#include "core/sock.h"
#include "kernel/timer.h"
#include "lib/hlist.h"
#include "netfilter/nf_hooks.h"

enum ip_conntrack_dir { IP_CT_DIR_ORIGINAL, IP_CT_DIR_REPLY, IP_CT_DIR_MAX };

/* How a packet belongs to its connection: skb->nfctinfo. */
enum ip_conntrack_info {
	IP_CT_ESTABLISHED,
	IP_CT_RELATED,
	IP_CT_NEW,
	IP_CT_IS_REPLY, /* from here on: of the reply direction */
	IP_CT_ESTABLISHED_REPLY = IP_CT_ESTABLISHED + IP_CT_IS_REPLY,
	IP_CT_RELATED_REPLY = IP_CT_RELATED + IP_CT_IS_REPLY,
	IP_CT_UNTRACKED = 7,
};

static inline enum ip_conntrack_dir CTINFO2DIR(u32 ctinfo)
{
	return ctinfo >= IP_CT_IS_REPLY ? IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL;
}

#define IPS_EXPECTED   0x001u
#define IPS_SEEN_REPLY 0x002u
#define IPS_ASSURED    0x004u
#define IPS_CONFIRMED  0x008u
#define IPS_DYING      0x200u

/* One direction of a connection: what identifies it. */
struct nf_conntrack_tuple {
	struct inet_addr src, dst; /* IPv4: the first word */
	u16 sport, dport; /* of ICMP: id; type << 8 | code */
	u16 l3num; /* AF_INET, AF_INET6 */
	u8 protonum;
	u8 dir;
};

enum tcp_conntrack {
	TCP_CONNTRACK_NONE,
	TCP_CONNTRACK_SYN_SENT,
	TCP_CONNTRACK_SYN_RECV,
	TCP_CONNTRACK_ESTABLISHED,
	TCP_CONNTRACK_FIN_WAIT,
	TCP_CONNTRACK_CLOSE_WAIT,
	TCP_CONNTRACK_LAST_ACK,
	TCP_CONNTRACK_TIME_WAIT,
	TCP_CONNTRACK_CLOSE,
	TCP_CONNTRACK_SYN_SENT2, /* a SYN each way: simultaneous open */
	TCP_CONNTRACK_MAX, /* in the table of transitions: invalid */
	TCP_CONNTRACK_IGNORE,
};

/* What one side has said: struct ip_ct_tcp_state. */
struct ip_ct_tcp_state {
	u32 td_end; /* max of seq + len */
	u32 td_maxend; /* max of ack + max(win, 1) */
	u32 td_maxwin; /* max(win) */
	u32 td_maxack; /* max of ack */
	u8 td_scale; /* window scale factor */
	u8 flags; /* IP_CT_TCP_FLAG_* */
};

struct ip_ct_tcp {
	struct ip_ct_tcp_state seen[IP_CT_DIR_MAX];
	u8 state; /* enum tcp_conntrack */
	/* Of the last packet that counted. */
	u8 last_dir;
	u8 retrans; /* of the last packet */
	u8 last_index;
	u32 last_seq, last_ack, last_end;
	u16 last_win;
	/* Options of a SYN that was let through and may open the connection anew. */
	u8 last_wscale;
	u8 last_flags;
};

struct nf_conn_counter {
	u64 packets, bytes;
};

struct nf_conn;

struct nf_conntrack_tuple_hash {
	struct hlist_node hnnode;
	struct nf_conn *ct;
	struct nf_conntrack_tuple tuple;
	u32 hash;
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[IP_CT_DIR_MAX];
	struct list_head list; /* netns_ct.all, in order of confirmation */
	struct net *net;
	u32 refs;
	u32 id; /* by which the outside names it: counts from 1 in its namespace */
	u32 status; /* IPS_* */
	u32 mark;
	u64 timeout; /* jiffies: when it ends; until it is confirmed: how long from then on */
	u64 start_ns; /* when it was confirmed */
	bool acct; /* counts: nf_conntrack_acct was on when it was made */
	struct nf_conn_counter counters[IP_CT_DIR_MAX];
	union {
		struct ip_ct_tcp tcp;
		u64 udp_stream_ts; /* jiffies: from when on an answer makes it a stream */
	} proto;
};

/* `conntrack -S`. insert is what user space puts in (ctnetlink): nothing here does. */
#define NF_CT_STATS(X)   \
	X(found)         \
	X(invalid)       \
	X(insert)        \
	X(insert_failed) \
	X(drop) X(early_drop) X(error) X(search_restart) X(clash_resolve) X(chaintoolong)

struct ip_conntrack_stat {
#define X(name) u64 name;
	NF_CT_STATS(X)
#undef X
};

/* Connection tracking of a namespace: net->ct. */
struct netns_ct {
	struct net *net;
	struct hlist_head *hash;
	u32 hash_bits;
	struct siphash_key key;
	struct list_head all;
	u32 count; /* entries there are, unconfirmed ones too */
	u32 last_id;
	u32 users[2]; /* nf_ct_netns_get calls, IPv4 and IPv6 */
	bool early_drop; /* the next collection ends what is closing, too */
	struct timer gc_work;
	struct ip_conntrack_stat stat;
};

/* The parts of a packet that a protocol looks at. */
struct nf_ct_packet {
	struct sk_buff *skb;
	const struct nf_hook_state *state;
	u32 dataoff; /* of the transport header from skb->data */
	u32 len; /* of the transport's bytes: behind dataoff */
	u8 protonum;
};

static inline u16 nf_ct_l3num(const struct nf_conn *ct)
{
	return ct->tuplehash[0].tuple.l3num;
}

static inline u8 nf_ct_protonum(const struct nf_conn *ct)
{
	return ct->tuplehash[0].tuple.protonum;
}

static inline bool nf_ct_is_confirmed(const struct nf_conn *ct)
{
	return (ct->status & IPS_CONFIRMED) != 0;
}

static inline bool nf_ct_is_expired(const struct nf_conn *ct)
{
	return ct->timeout <= jiffies(ct->net->host);
}

/* Jiffies until it ends. */
static inline u64 nf_ct_expires(const struct nf_conn *ct)
{
	return nf_ct_is_expired(ct) ? 0 : ct->timeout - jiffies(ct->net->host);
}

/* The packet's connection and how it belongs there; NULL: none (*ctinfo tells IP_CT_UNTRACKED). */
static inline struct nf_conn *nf_ct_get(const struct sk_buff *skb, u32 *ctinfo)
{
	*ctinfo = skb->nfctinfo;
	return skb->nfct;
}

/* ---- for users: rules, views, world.c ---- */

/* Tracks the family's packets from now on, until as many nf_ct_netns_put(). 0 or -ENOMEM. */
int nf_ct_netns_get(struct net *net, u16 pf);
void nf_ct_netns_put(struct net *net, u16 pf);
void nf_conntrack_net_exit(struct net *net);
void nf_conntrack_check(struct host *h, u32 level);
/* world_up entries. */
void nf_ct_hold(struct nf_conn *ct);
void nf_ct_put(struct nf_conn *ct);

/* Marks the packet as one that is not to be tracked (-j NOTRACK). */
void nf_ct_set_untracked(struct sk_buff *skb);
/* The connection that owns `from` owns `skb`, a packet the other way (nf_conntrack_attach). */
void nf_conntrack_attach(struct sk_buff *skb, const struct sk_buff *from);
/* Out of the table and no longer found. False: somebody was faster. */
bool nf_ct_kill(struct nf_conn *ct);

/* Entries that `match` says yes to (NULL: all) end. Returns their number. */
u32 nf_ct_iterate_cleanup(struct net *net, bool (*match)(const struct nf_conn *ct, void *data),
			  void *data);
/* The module's parameter enable_hooks: tracks without a rule that asks. 0 or -ENOMEM. */
int nf_conntrack_enable_hooks(struct net *net, bool on);

const char *nf_ct_tcp_state_name(u32 state);
/* The keyword of a protocol in listings ("tcp", "unknown"). */
const char *nf_ct_l4proto_name(u8 protonum);

/* ---- rooms of connection tracking ---- */

/*
 * A protocol's look at a packet of ct: NF_ACCEPT; -NF_ACCEPT: it is invalid, let it go on without a
 * connection; -NF_DROP; -NF_REPEAT: ct is gone, look again.
 */
int nf_conntrack_tcp_packet(struct nf_conn *ct, const struct nf_ct_packet *p, u32 ctinfo);
int nf_conntrack_udp_packet(struct nf_conn *ct, const struct nf_ct_packet *p, u32 ctinfo);
int nf_conntrack_icmp_packet(struct nf_conn *ct, const struct nf_ct_packet *p);
int nf_conntrack_icmpv6_packet(struct nf_conn *ct, const struct nf_ct_packet *p);
int nf_conntrack_generic_packet(struct nf_conn *ct, const struct nf_ct_packet *p);
/* Is a connection on its way out, so that it may go when room is needed? */
bool nf_ct_tcp_can_early_drop(const struct nf_conn *ct);

/*
 * An ICMP message before its own tracking: NF_ACCEPT: it goes on (an error about a known connection
 * is set as RELATED to it); -NF_ACCEPT: invalid.
 */
int nf_conntrack_handle_icmp(const struct nf_ct_packet *p);

/* The tuple of the packet whose network header lies at nhoff of skb's data. False: it has none. */
bool nf_ct_get_tuple(const struct sk_buff *skb, u32 dataoff, u16 l3num, u8 protonum,
		     const struct nf_conntrack_tuple *addrs, struct nf_conntrack_tuple *tuple);
/* The other direction's. False: there is none (an ICMP type that has no answer). */
bool nf_ct_invert_tuple(struct nf_conntrack_tuple *inverse, const struct nf_conntrack_tuple *orig);
bool nf_ct_tuple_equal(const struct nf_conntrack_tuple *a, const struct nf_conntrack_tuple *b);
/* Where the transport header begins, from skb->data; addresses into *addrs. False: it can not be
 * told (a later fragment, headers cut off). */
bool nf_ct_get_l4proto(const struct sk_buff *skb, u32 nhoff, u16 l3num, u8 *protonum, u32 *dataoff,
		       struct nf_conntrack_tuple *addrs);

/* Whose tuple it is: takes no reference. Ends what it meets and has run out. */
struct nf_conntrack_tuple_hash *nf_conntrack_find(struct netns_ct *cn,
						  const struct nf_conntrack_tuple *tuple);
/* ct becomes the packet's, with a reference that the caller gives. */
void nf_ct_set(struct sk_buff *skb, struct nf_conn *ct, u32 ctinfo);

/* It lives for that many jiffies from now on, and the packet is counted. */
void nf_ct_refresh_acct(struct nf_conn *ct, const struct sk_buff *skb, u32 ctinfo, u64 jiffies);
void nf_ct_acct_update(struct nf_conn *ct, const struct sk_buff *skb, u32 dir);

/* Why a packet is invalid: traced as nf_ct_invalid. */
enum nf_ct_invalid {
#define INVALID(NAME, text) NF_CT_INVALID_##NAME,
#include "nf/nf_ct_invalid.def"
#undef INVALID
	NF_CT_INVALID_COUNT
};
void nf_ct_l4proto_log_invalid(const struct nf_ct_packet *p, enum nf_ct_invalid why);
/* The transport checksum of a packet that arrived is right, or need not be looked at. */
bool nf_ct_checksum_ok(const struct nf_ct_packet *p);

static inline u64 nf_ct_seconds(s32 seconds)
{
	return (u64)(u32)seconds * HZ;
}

#endif
