/* SPDX-License-Identifier: MIT */
/*
 * A world with nothing in it but kernel/: for tests of single rooms. Includes the headers that
 * cmocka wants first.
 */
#ifndef TAPLINE_TESTS_STACK_BARE_WORLD_H
#define TAPLINE_TESTS_STACK_BARE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/event_queue.h"
#include "kernel/host.h"
#include "kernel/random_init.h"
#include "kernel/world.h"

#define BARE_ARENA (4u << 20)

static inline struct world *bare_world(u64 seed)
{
	u8 *arena = aligned_alloc(64, BARE_ARENA);
	struct world *w = (struct world *)(void *)arena;

	assert_non_null(arena);
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->steps_limit = 1000;
	assert_true(mem_init(w, arena + ((sizeof(*w) + 63) & ~(size_t)63), arena + BARE_ARENA, 0));
	random_init(w);
	return w;
}

/* All given back? */
static inline void bare_world_end(struct world *w)
{
	assert_int_equal(w->mem.objects, 0);
	assert_int_equal(w->mem.bytes, 0);
	assert_int_equal(w->events_armed, 0);
	mem_exit(w);
	free(w);
}

static inline void bare_world_run(struct world *w)
{
	while (w->heap)
		event_queue_run_first(w);
}

#endif
