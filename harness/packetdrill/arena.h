/* SPDX-License-Identifier: MIT */
/* Memory of one script: handed out in pieces, given back all at once. */
#ifndef TAPLINE_PACKETDRILL_ARENA_H
#define TAPLINE_PACKETDRILL_ARENA_H

#include <stddef.h>

#include "packetdrill/script.h"

struct pd_arena;

struct pd_arena *pd_arena_new(void);
void pd_arena_free(struct pd_arena *a);

/* Zeroed memory, aligned for anything. */
void *pd_arena_alloc(struct pd_arena *a, size_t size);

/* A copy with a zero behind it. */
struct pd_text pd_arena_text(struct pd_arena *a, const char *p, size_t len);

/*
 * Room for one more element in a list of `count`: doubles it when it is full. Lists start as NULL
 * with count 0.
 */
void *pd_arena_grow(struct pd_arena *a, void *list, size_t count, size_t size);

#endif
