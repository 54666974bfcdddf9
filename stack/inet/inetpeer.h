/* SPDX-License-Identifier: MIT */
/*
 * What is remembered about other hosts by address (net/ipv4/inetpeer.c): the ICMP token bucket and
 * the count of datagrams seen in fragments. A bounded hash with the least recently used on the way
 * out; nothing in it is needed for being right.
 */
#ifndef TAPLINE_INET_INETPEER_H
#define TAPLINE_INET_INETPEER_H

#include "kernel/host.h"
#include "lib/hlist.h"

#define INETPEER_MAX 65664u /* inet_peer_threshold: 65536 + 128 */

struct inet_peer {
	struct hlist_node hash;
	struct list_head lru; /* of the base, oldest first */
	u64 key[2]; /* address, padded with zeros */
	u32 refcnt; /* of those who keep a pointer; only others are evicted */
	u32 rid; /* datagrams begun by its fragments */
	u64 rate_tokens, rate_last; /* jiffies */
};

struct inet_peer_base {
	struct host *host;
	struct hlist_head *buckets; /* NULL until the first peer */
	u32 hash_bits;
	u32 total;
	struct list_head lru;
	struct siphash_key key;
};

void inet_peer_base_init(struct host *h, struct inet_peer_base *base);
/* All references must have been given back. */
void inet_peer_base_exit(struct inet_peer_base *base);
/* Finds or makes; NULL: no memory. Takes no reference. */
struct inet_peer *inet_getpeer(struct inet_peer_base *base, u64 hi, u64 lo);
/* Token bucket: one token a `timeout` jiffies, at most 6 kept (XRLIM_BURST_FACTOR). */
bool inet_peer_xrlim_allow(struct inet_peer_base *base, struct inet_peer *peer, u32 timeout);

#endif
