/* SPDX-License-Identifier: MIT */
/*
 * A world: hosts, wires and a virtual clock in one arena. This is all that a program needs to make
 * one, drive it by ops (stack/op.h, stack/sys.h), let time pass and look at it. A world is a pure
 * function of its ops and its seed; two worlds never touch.
 */
#ifndef TAPLINE_STACK_WORLD_H
#define TAPLINE_STACK_WORLD_H

#include "stack/types.h"

struct world;
struct op;
struct trace_record;

/* A packet at a hook of the outside. */
struct nf_hook_packet {
	u32 id; /* of OP_HOOK_ADD */
	u32 hook, family; /* NF_INET_*, AF_* */
	u32 in_ifindex, out_ifindex; /* 0: none */
	u64 packet_id; /* its number in this world */
	u8 *data; /* from the network header on; may be changed in place */
	u32 len;
	/* Set by the callback: other bytes for the whole packet, valid until the next call. */
	const u8 *replace;
	u32 replace_len;
};

/* What a world calls out to. Every pointer may be NULL. A callback may apply ops and submit calls
 * (but for capture), and must not run the world. */
struct world_ops {
	/*
	 * A frame came out of the free end of a wire, at world_now(). `len` bytes from the
	 * destination MAC on (no FCS), valid during the call.
	 */
	void (*wire_rx)(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len);
	/* A frame passed a capture point (CAPTURE_*). Valid during the call, which only looks: ops
	 * and calls are refused (-EBUSY). */
	void (*capture)(void *ctx, u32 point, u32 id, u32 dir, const u8 *frame, u32 len);
	/* A trace record was made. Called only for the events chosen with world_trace(). */
	void (*trace)(void *ctx, const struct trace_record *rec);
	/*
	 * An op is about to be applied, after `event_count` events: op_encode() makes its log
	 * record.
	 */
	void (*op_log)(void *ctx, u64 event_count, const struct op *op);
	/*
	 * A netfilter hook that an OP_HOOK_ADD registered saw a packet. Returns a verdict: NF_DROP
	 * (or NF_DROP | errno << 16), NF_ACCEPT, NF_STOLEN (the packet ends here), NF_REPEAT (call
	 * me again), NF_QUEUE (it waits for an OP_NF_VERDICT with its packet_id).
	 */
	u32 (*nf_hook)(void *ctx, struct nf_hook_packet *p);
};

struct world_config {
	u64 seed;
	u64 start_ns; /* the clock at birth; 0 is usual */
	u64 memory_limit; /* declared bytes the world may hold; 0: as much as the arena has room for
			   */
	u32 steps_limit; /* events at one instant before a storm is declared; 0: the default of
			    limits.h */
	bool profile_rfc; /* defaults of profile `rfc` instead of `linux` */
	bool digest; /* keep the digest (costs a hash per frame and op) */
	bool check_events; /* world_check(w, 0) after every event */
};

/*
 * Builds a world in `arena`. The arena is the caller's, aligned to 64 bytes, need not be zeroed,
 * and holds everything the world ever allocates. `ops` (may be NULL) and `ctx` must outlive the
 * world. NULL when the arena is too small for an empty world (64 KiB is enough).
 */
struct world *world_create(void *arena, size_t arena_size, const struct world_config *config,
			   const struct world_ops *ops, void *ctx);

/* What was still there when a world had ended; all zero when every module gave back what it took.
 */
struct world_leaks {
	u64 bytes; /* declared bytes still accounted */
	u32 objects;
	u32 timers; /* events still armed */
	const char *kind; /* name of one kind that leaked, or NULL */
};

/*
 * Ends a world as a shutdown does: kills tasks, closes descriptors, unregisters devices and
 * namespaces, frees tables. Nothing is swept: `leaks` (may be NULL) tells what modules forgot. The
 * arena may be used again at once.
 */
void world_destroy(struct world *w, struct world_leaks *leaks);

/* Nanoseconds of virtual time. */
u64 world_now(const struct world *w);

/* Time of the next event, TIME_NEVER when there is none. */
u64 world_next_event(const struct world *w);

/* How many events have run. Op log records are placed by this number. */
u64 world_event_count(const struct world *w);

enum world_stop {
	WORLD_TIME, /* the clock stands at the time asked for, and nothing is due at or before it */
	WORLD_STOPPED, /* world_stop() was called from a callback; the clock stands where that was
			*/
	WORLD_STORM, /* more than steps_limit events at one instant: a named error, the world is
			still whole */
};

/* Runs all events due at or before `until_ns` and leaves the clock there. */
enum world_stop world_run(struct world *w, u64 until_ns);

/* Runs exactly one event and moves the clock to it. False when there is none. */
bool world_step(struct world *w);

/* From a callback: makes world_run() return after the present event. */
void world_stop(struct world *w);

/* Runs the checkers of every module: 0 cheap ones, 1 all. Panics (stack/assert.h) at the first
 * broken invariant. */
void world_check(struct world *w, u32 level);

/* Hash over all frames, ops, verdicts and trace records so far; 0 unless config.digest. */
u64 world_digest(const struct world *w);

/* Mixes bytes of the caller's into the digest (a test's verdict, what a script saw). */
void world_digest_add(struct world *w, const void *bytes, u32 len);

/*
 * Chooses which trace events (stack/trace.h, bit n of `mask` for event n) are handed to
 * world_ops.trace. The digest covers all of them whatever the mask.
 */
void world_trace(struct world *w, u64 mask);

/* OP_SCHED: who goes next where several CPUs could. */
enum world_sched {
	WORLD_SCHED_RANDOM, /* the seed decides, as at first */
	WORLD_SCHED_PINNED, /* the op's choices, then the lowest CPU */
	WORLD_SCHED_SEED, /* the seed decides, another one from now on */
};
#define WORLD_SCHED_MAX 4096u /* choices that are followed and kept; later ones are 0 */

/* Pinned: how many places there were so far, what was chosen there (0..) out of how many. */
u32 world_sched_log(const struct world *w, u8 *choice, u8 *of, u32 cap);

/* Declared bytes and objects now accounted, and the highest the bytes have been. */
struct world_memory {
	u64 bytes, objects, peak;
	u64 arena_used; /* bytes of the arena ever touched */
	u64 failed; /* allocations refused so far */
};
void world_memory(const struct world *w, struct world_memory *out);

/*
 * Copies the used part of the arena out, and back. `world_snapshot_size` bytes are needed.
 * Restoring makes the world exactly what it was; outside pointers into it (sys_op that are pending)
 * must be the same then as they were.
 */
size_t world_snapshot_size(const struct world *w);
void world_snapshot(const struct world *w, void *out);
void world_restore(struct world *w, const void *snapshot, size_t size);

#endif
