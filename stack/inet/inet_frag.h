/* SPDX-License-Identifier: MIT */
/*
 * Reassembly of datagrams, both families (net/ipv4/inet_fragment.c): queues of fragments by key, a
 * tree of runs in each, the memory limit and the timeout of a namespace.
 *
 * A run is a fragment and those that arrived right behind it in order; the tree holds the first of
 * each run. RFC 791 3.2, RFC 815, RFC 5722 (overlaps throw the datagram away).
 */
#ifndef TAPLINE_INET_INET_FRAG_H
#define TAPLINE_INET_INET_FRAG_H

#include "inet/inetpeer.h"
#include "kernel/timer.h"
#include "lib/hlist.h"
#include "skb/skbuff.h"

#define INET_FRAG_FIRST_IN 0x1u /* offset 0 is there */
#define INET_FRAG_LAST_IN  0x2u /* the one without MF is there: len is final */
#define INET_FRAG_COMPLETE 0x4u /* off the table: killed or reassembled */

/* Bytes of skb->cb in front of what reassembly keeps there are the family's (IPCB). */
#define FRAG_CB_OFFSET 40u

/* Where a fragment stands; at FRAG_CB_OFFSET of its cb. */
struct frag_cb {
	struct sk_buff *next_frag; /* of its run */
	u32 run_len; /* bytes of the run; of a run's first one only */
	u32 offset;
};

struct inet_frag_key {
	u8 saddr[16], daddr[16];
	u32 id; /* and what else tells datagrams apart: */
	u32 user, vif;
	u8 protocol;
};

struct fqdir;

struct inet_frag_queue {
	struct hlist_node hash;
	struct list_head all; /* of the fqdir, in order of making */
	struct fqdir *fqdir;
	struct inet_frag_key key;
	struct timer timer;
	struct rb_root runs;
	struct sk_buff *tail, *last_run; /* the fragment that ends last, and its run's first */
	u32 flags; /* INET_FRAG_* */
	u32 len; /* bytes of the datagram: the end of what is there, final with LAST_IN */
	u32 meat; /* bytes there */
	u32 mem; /* truesize of them, accounted in fqdir->mem */
	u32 iif;
	u32 refcnt; /* the table's and those of calls under way */
	u64 stamp;
	u16 max_size, max_df_size; /* largest fragment with its header; largest with DF */
	u8 ecn; /* bit per codepoint seen */
	struct inet_peer *peer; /* held; NULL: no limit on disorder */
	u32 rid; /* the peer's count at the last fragment */
};

/* The reassembly of one namespace and family. */
struct fqdir {
	struct host *host;
	struct net *net;
	void (*expire)(struct inet_frag_queue *q);
	struct hlist_head *buckets; /* NULL until the first queue */
	u32 hash_bits, count;
	struct list_head all;
	struct siphash_key key;
	u64 mem; /* declared bytes of all queues and their fragments */
};

enum inet_frag_result { IPFRAG_OK, IPFRAG_DUP, IPFRAG_OVERLAP };

static inline struct frag_cb *FRAG_CB(const struct sk_buff *skb)
{
	return (struct frag_cb *)(void *)((uintptr_t)(const void *)skb->cb + FRAG_CB_OFFSET);
}

void fqdir_init(struct fqdir *f, struct net *net, void (*expire)(struct inet_frag_queue *q));
/* Drops all (FRAG_NETNS_EXIT). */
void fqdir_exit(struct fqdir *f);
/* The queue of a key, made when there is none; its time-out is armed then (timeout in jiffies).
 * NULL: no memory, or mem is over high_thresh. *created tells which. */
struct inet_frag_queue *inet_frag_find(struct fqdir *f, const struct inet_frag_key *key,
				       u64 high_thresh, u64 timeout, bool *created);
/* Off the table, no longer timed; fragments stay until the last reference. */
void inet_frag_kill(struct inet_frag_queue *q);
/* Gives a reference back; the last one drops what fragments are left for `reason`. */
void inet_frag_put(struct inet_frag_queue *q, enum skb_drop_reason reason);
/* Drops all fragments, the queue stays. */
void inet_frag_purge(struct inet_frag_queue *q, enum skb_drop_reason reason);
/* Puts a fragment [offset, end) in. On IPFRAG_OK it is the queue's and accounted. */
enum inet_frag_result inet_frag_queue_insert(struct inet_frag_queue *q, struct sk_buff *skb,
					     u32 offset, u32 end);
/* Takes the first fragment out of a queue that is killed (for an ICMP error); NULL: none. */
struct sk_buff *inet_frag_pull_head(struct inet_frag_queue *q);
/*
 * Joins all fragments into one packet, which comes to stand in `skb`, the one that arrived last
 * (its contents change places with the first fragment's); the others hang in its frag_list.
 * 0 or -ENOMEM (all still queued).
 */
int inet_frag_reasm(struct inet_frag_queue *q, struct sk_buff *skb);
/* Panics at a broken invariant. */
void fqdir_check(const struct fqdir *f);

#endif
