/* SPDX-License-Identifier: MIT */
/*
 * Named random streams: each is its own generator, keyed by the world's seed and the stream's name,
 * so that a new draw in one does not shift the others.
 */
#ifndef TAPLINE_KERNEL_RANDOM_H
#define TAPLINE_KERNEL_RANDOM_H

#include "lib/hash.h"

struct world;

/* clang-format off */
#define RANDOM_STREAMS(X) \
	X(ISN) X(PORT) X(HASH) X(RSS) X(FAULT) X(WIRE) X(IPID) X(NEIGH) X(SCHED) X(QDISC) \
	X(TCP) X(TFO) X(IGMP) X(LINK) X(CONNTRACK) X(BPF) X(FANOUT)
/* clang-format on */

enum random_stream {
#define X(NAME) RANDOM_##NAME,
	RANDOM_STREAMS(X)
#undef X
		RANDOM_STREAM_COUNT
};

u64 get_random_u64(struct world *w, enum random_stream s);
u32 get_random_u32(struct world *w, enum random_stream s);
/* 0 .. ceil-1, unbiased; ceil > 0. */
u32 get_random_u32_below(struct world *w, enum random_stream s, u32 ceil);
/* A key for SipHash. */
void get_random_siphash_key(struct world *w, enum random_stream s, struct siphash_key *key);

#endif
