/* SPDX-License-Identifier: MIT */
/*
 * struct world, the universe of one run: clock, events, random streams, memory, faults, trace,
 * hosts and wires. All of it lies in the arena that begins with it. From `skb->dev`, `sk` or `net`
 * one walks up to the world; nothing is reached any other way.
 */
#ifndef TAPLINE_KERNEL_WORLD_H
#define TAPLINE_KERNEL_WORLD_H

#include "kernel/event.h"
#include "kernel/fault.h"
#include "kernel/mem.h"
#include "kernel/random.h"
#include "lib/list.h"
#include "stack/limits.h"
#include "stack/world.h"

struct host;
struct wire;
struct sys_op;
struct dst_entry;
struct nf_conn;

#define MEM_CLASSES 148u /* up to any size_t: mem.c asserts it */

struct mem_account {
	u8 *base, *brk, *end; /* the arena: [base, brk) has been handed out at least once */
	u8 *spare, *spare_end; /* of a freed large block: not yet handed out again */
	u8 *recycled; /* such blocks that outgrown tables left: link and size are in them */
	u8 *spare_look; /* no use to look for one before brk is here */
	void *free[MEM_CLASSES];
	u64 bytes, objects, peak, limit, failed;
	u64 kind_bytes[MEM_KIND_COUNT];
	u32 kind_objects[MEM_KIND_COUNT];
};

/* Calls that have to go up: set by world.c at a world's birth. */
struct world_up {
	void (*dst_hold)(struct dst_entry *dst);
	void (*dst_release)(struct dst_entry *dst);
	void (*nf_ct_hold)(struct nf_conn *ct);
	void (*nf_ct_put)(struct nf_conn *ct);
};

struct world {
	u64 now;
	struct event *heap; /* earliest event at the root */
	u64 arm_number;
	u64 events_run;
	u32 events_armed;
	u32 steps_at_instant;
	bool stop;
	bool ending; /* world_destroy() is under way */
	bool capturing; /* world_ops.capture is being called */
	bool digest_on;
	bool check_events;
	bool profile_rfc;
	u64 trace_wanted; /* bit per event: somebody listens or a digest is kept */
	u64 trace_mask;
	u64 digest;
	u32 steps_limit;
	u32 hosts_count, wires_count;
	u64 skb_count; /* sk_buffs ever made: numbers them for traces */
	/* How they ended: skb/skbuff.c, skb_check(). */
	u64 skb_consumed, skb_dropped, skb_absorbed;
	u64 skb_dropped_alone; /* of those dropped: in no namespace, or in one that has ended */
	u64 calls_count; /* system calls ever submitted */
	struct mem_account mem;
	u64 random[RANDOM_STREAM_COUNT];
	u64 seed;
	struct fault_plan fault;
	struct sched_script
		*sched; /* the order of CPUs is pinned (kernel/sched.c); NULL: it is the seed's */
	struct host *hosts[WORLD_HOSTS_MAX];
	struct wire *wires[WORLD_WIRES_MAX]; /* drivers/ */
	const struct world_ops *ops;
	void *ops_ctx;
	const struct world_up *up;
};

#endif
