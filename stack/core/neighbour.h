/* SPDX-License-Identifier: MIT */
/*
 * Neighbours: the map from next-hop addresses to link addresses with the kernel's state machine
 * (NUD), its timers and the queue of packets that wait for an answer. ARP and ND are its two users,
 * through neigh_table.
 *
 * The timer of an entry: armed in INCOMPLETE and PROBE (next solicitation after retrans_time),
 * DELAY (delay_probe_time), REACHABLE (until the confirmation ages); never in NONE, STALE, FAILED,
 * NOARP, PERMANENT. RFC 1122 2.3.2 for ARP, RFC 4861 7.3 for the states.
 */
#ifndef TAPLINE_CORE_NEIGHBOUR_H
#define TAPLINE_CORE_NEIGHBOUR_H

#include "core/netdevice.h"
#include "kernel/timer.h"
#include "lib/hlist.h"

#define NUD_IN_TIMER  (NUD_INCOMPLETE | NUD_REACHABLE | NUD_DELAY | NUD_PROBE)
#define NUD_CONNECTED (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE)
#define NUD_VALID     (NUD_CONNECTED | NUD_PROBE | NUD_STALE | NUD_DELAY)

#define NEIGH_UPDATE_F_OVERRIDE		 0x1u
#define NEIGH_UPDATE_F_WEAK_OVERRIDE	 0x2u
#define NEIGH_UPDATE_F_OVERRIDE_ISROUTER 0x4u
#define NEIGH_UPDATE_F_ISROUTER		 0x40000000u
#define NEIGH_UPDATE_F_ADMIN		 0x80000000u

struct neighbour;
struct neigh_table;

/* Per device and family: net.ipv4.neigh.DEV.*; times in ms. */
struct neigh_parms {
	struct neigh_table *tbl;
	struct net_device *dev; /* NULL: the defaults */
	u32 mcast_solicit, ucast_solicit, app_solicit, mcast_reprobes;
	u32 retrans_time_ms, base_reachable_time_ms, delay_first_probe_time_ms, gc_staletime_ms;
	u32 queue_len_bytes; /* unres_qlen_bytes, in truesize */
	u32 proxy_qlen, anycast_delay_ms, proxy_delay_ms, locktime_ms;
	u32 proxy_queued; /* packets that wait to be answered for somebody else */
	u32 reachable_time_ms; /* drawn: 0.5 to 1.5 of the base, anew every 300 s */
	u64 last_rand; /* jiffies of that draw */
};

struct neigh_ops {
	u16 family;
	void (*solicit)(struct neighbour *n, struct sk_buff *skb);
	void (*error_report)(struct neighbour *n, struct sk_buff *skb);
	int (*output)(struct neighbour *n, struct sk_buff *skb);
	int (*connected_output)(struct neighbour *n, struct sk_buff *skb);
};

struct neighbour {
	struct hlist_node hash;
	struct neigh_table *tbl;
	struct neigh_parms *parms;
	struct net_device *dev; /* held */
	const struct neigh_ops *ops;
	int (*output)(struct neighbour *n, struct sk_buff *skb); /* of ops, by state */
	struct timer timer;
	struct list_head all, gc_list; /* of the table, in order of making; gc: not PERMANENT */
	u64 confirmed, updated, used; /* jiffies */
	u8 nud_state;
	u8 type; /* RTN_* of the address */
	bool dead;
	u8 probes;
	u32 refcnt;
	u8 ha[MAX_ADDR_LEN];
	struct sk_buff_head arp_queue;
	u32 arp_queue_len_bytes;
	u32 flags;
	u8 primary_key[16];
	/* The Ethernet header ready to be copied (hh_cache); hh_len 0: not made yet. */
	u32 hh_len;
	u8 hh[16];
};

/* Counters of /proc/net/stat/arp_cache. */
struct neigh_statistics {
	u64 allocs, destroys, hash_grows, res_failed, lookups, hits, rcv_probes_mcast,
		rcv_probes_ucast, periodic_gc_runs, forced_gc_runs, unres_discards, table_fulls;
};

struct neigh_table {
	struct host *host;
	u16 family;
	u32 key_len;
	u16 protocol; /* EtherType */
	int (*constructor)(struct neighbour *n);
	void (*proxy_redo)(struct sk_buff *skb); /* takes skb */
	struct list_head proxies; /* neigh_proxy.c: pneigh_entry, in order of making */
	struct sk_buff_head proxy_queue; /* neigh_proxy.c */
	struct timer proxy_timer;
	u64 proxy_next; /* jiffies: when proxy_timer is due, while it is armed */
	struct neigh_parms parms; /* defaults */
	u32 gc_thresh1, gc_thresh2, gc_thresh3, gc_interval_ms;
	struct timer gc_work;
	u32 entries, gc_entries; /* gc_entries: those on gc_list, what the thresholds count */
	u64 last_flush; /* jiffies of the last forced collection */
	struct list_head all;
	struct hlist_head *buckets;
	u32 hash_bits;
	struct siphash_key hash_key;
	struct list_head gc_list;
	struct neigh_statistics stats;
};

/* skb->cb of a packet that waits (struct neighbour_cb). */
struct neigh_cb {
	u64 sched_next; /* jiffies */
	struct neigh_parms *parms;
};

/* Requests for this address that come by the device are answered in its place. */
struct pneigh_entry {
	struct list_head list;
	struct net_device *dev; /* held */
	u8 key[16];
};

bool pneigh_lookup(const struct neigh_table *tbl, const void *key, const struct net_device *dev);
/* 0, also when it was there; -ENOBUFS. */
int pneigh_create(struct neigh_table *tbl, const void *key, struct net_device *dev);
int pneigh_delete(struct neigh_table *tbl, const void *key, const struct net_device *dev);
/* Those of a device (NULL: of all) go. */
void pneigh_ifdown(struct neigh_table *tbl, const struct net_device *dev);
/* The request is answered after a while of up to proxy_delay: proxy_redo gets it then. Takes skb.
 */
void pneigh_enqueue(struct neigh_table *tbl, struct neigh_parms *p, struct sk_buff *skb);
/* Drops those of a device (NULL: of all). */
void pneigh_queue_purge(struct neigh_table *tbl, const struct net_device *dev);
void neigh_proxy_process(struct timer *t);

/* Makes a table's hash, timers and defaults; the caller has set family, key_len, protocol,
 * constructor, thresholds and parms. 0 or -ENOMEM. */
int neigh_table_init(struct host *h, struct neigh_table *tbl);
void neigh_table_clear(struct neigh_table *tbl);
struct neigh_parms *neigh_parms_alloc(struct net_device *dev, struct neigh_table *tbl);
void neigh_parms_release(struct neigh_table *tbl, struct neigh_parms *parms);
/* With a reference; NULL when there is none. */
struct neighbour *neigh_lookup(struct neigh_table *tbl, const void *key, struct net_device *dev);
/* Without a reference: for use at once (the fast path). */
struct neighbour *neigh_lookup_noref(struct neigh_table *tbl, const void *key,
				     struct net_device *dev);
/* With a reference. NULL: no memory or the table is full (NEIGH_CREATEFAIL). */
struct neighbour *neigh_create(struct neigh_table *tbl, const void *key, struct net_device *dev);
void neigh_release(struct neighbour *n);
/* The state machine's entry for what was heard. lladdr may be NULL. 0 or -errno. */
int neigh_update(struct neighbour *n, const u8 *lladdr, u8 new_state, u32 flags);
/* A packet is to be sent: true when it was queued (or dropped) because the address is not known
 * yet. */
bool neigh_event_send(struct neighbour *n, struct sk_buff *skb);
/* dst.output's last step: header and dev_queue_xmit, or the queue. Takes the skb. */
int neigh_output(struct neighbour *n, struct sk_buff *skb);
int neigh_resolve_output(struct neighbour *n, struct sk_buff *skb);
int neigh_connected_output(struct neighbour *n, struct sk_buff *skb);
int neigh_direct_output(struct neighbour *n, struct sk_buff *skb);
/* The address answered a higher layer (MSG_CONFIRM, TCP progress). */
void neigh_confirm(struct neighbour *n);
/* The device goes down (drops its entries), or its address changed. */
void neigh_ifdown(struct neigh_table *tbl, struct net_device *dev);
/* The carrier is lost: all but PERMANENT ones go (arp_evict_nocarrier). */
void neigh_carrier_down(struct neigh_table *tbl, struct net_device *dev);
void neigh_changeaddr(struct neigh_table *tbl, struct net_device *dev);
int neigh_delete(struct neigh_table *tbl, const void *key, struct net_device *dev);
/* Calls fn for every entry in order of making. */
void neigh_for_each(struct neigh_table *tbl, void (*fn)(void *ctx, struct neighbour *n), void *ctx);

/*
 * net.ipv4.neigh.{default,DEV}.NAME; `prefix` is "net.ipv4.neigh." of the family, `name` the whole
 * name. -ENOENT: no such; -EINVAL: outside the limits.
 */
int neigh_sysctl_get(struct neigh_table *tbl, struct net *net, const char *prefix, const char *name,
		     s32 *value);
int neigh_sysctl_set(struct neigh_table *tbl, struct net *net, const char *prefix, const char *name,
		     s32 value);
void neigh_sysctl_walk(struct neigh_table *tbl, struct net *net, const char *prefix,
		       void (*fn)(void *ctx, const char *name), void *ctx);
/* Panics at a broken invariant. */
void neigh_check(struct neigh_table *tbl);

#endif
