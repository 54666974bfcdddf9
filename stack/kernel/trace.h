/* SPDX-License-Identifier: MIT */
/*
 * Trace points. trace() records what happened with four numbers; with nobody listening and no
 * digest it costs one test. The digest is the streaming hash over all records, frames and ops of
 * the world.
 */
#ifndef TAPLINE_KERNEL_TRACE_H
#define TAPLINE_KERNEL_TRACE_H

#include "kernel/world.h"
#include "lib/compiler.h"
#include "stack/trace.h"

void trace_emit(struct world *w, const struct host *h, enum trace_event ev, u64 a, u64 b, u64 c,
		u64 d);

/* `h` may be NULL (a wire). The numbers must be the same on every machine: no pointers, no sizeof.
 */
static inline void trace(struct world *w, const struct host *h, enum trace_event ev, u64 a, u64 b,
			 u64 c, u64 d)
{
	if (unlikely(w->trace_wanted & (1ull << ev)))
		trace_emit(w, h, ev, a, b, c, d);
}

/* The same for what is only looked at: never in the digest, and nothing unless it is asked for. */
void trace_show(struct world *w, const struct host *h, enum trace_event ev, u64 a, u64 b, u64 c,
		u64 d);

/* Shows a frame to world_ops.capture, which there must be. */
static inline void world_capture(struct world *w, u32 point, u32 id, u32 dir, const u8 *frame,
				 u32 len)
{
	w->capturing = true;
	w->ops->capture(w->ops_ctx, point, id, dir, frame, len);
	w->capturing = false;
}

/* Mixes a word, or bytes, into the digest when one is kept. */
void digest_word(struct world *w, u64 v);
void digest_bytes(struct world *w, const u8 *p, u32 len);

#endif
