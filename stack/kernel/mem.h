/* SPDX-License-Identifier: MIT */
/*
 * The memory account and allocator of a world. All memory is carved from the world's arena; freed
 * blocks go to free lists by size class, so that the same ops touch the same bytes. Sizes are given
 * again at free: no header, no search.
 *
 * Two sizes: the real one (sizeof, differs between machines) and the declared one (mem_kinds.def:
 * Linux x86-64's), which the account, the limit and every script see. Allocation may fail (limit,
 * planted fault, arena full): every caller handles NULL.
 */
#ifndef TAPLINE_KERNEL_MEM_H
#define TAPLINE_KERNEL_MEM_H

#include "stack/types.h"

struct world;

enum mem_kind {
#define MEM_KIND(NAME, text, declared) MEM_##NAME,
#include "kernel/mem_kinds.def"
#undef MEM_KIND
	MEM_KIND_COUNT
};

/*
 * One object of a fixed kind, `size` its sizeof; or n elements of a table or buffer (mem_alloc_n).
 * Not zeroed. NULL when refused. Aligned to 16.
 */
void *mem_alloc(struct world *w, enum mem_kind kind, size_t size);
void *mem_zalloc(struct world *w, enum mem_kind kind, size_t size);
void mem_free(struct world *w, enum mem_kind kind, void *p, size_t size);

/* n elements of `size` bytes, declared as n times the kind's declared size. Data areas are
 * cache-line aligned from 64 bytes on. */
void *mem_alloc_n(struct world *w, enum mem_kind kind, size_t n, size_t size);
void mem_free_n(struct world *w, enum mem_kind kind, void *p, size_t n, size_t size);

/* As mem_free_n(), of a table that was outgrown: nobody will ask for one of that size again, so
 * small blocks are cut from its place. */
void mem_recycle_n(struct world *w, enum mem_kind kind, void *p, size_t n, size_t size);

/* Up to `count` blocks as from mem_alloc_n(w, kind, n, size), to p[]: how many there were
 * (kmem_cache_alloc_bulk). Fewer: the next one was refused. */
u32 mem_alloc_bulk(struct world *w, enum mem_kind kind, size_t n, size_t size, u8 **p, u32 count);
/* Gives `count` blocks of mem_alloc_n(w, kind, n, size) back. */
void mem_free_bulk(struct world *w, enum mem_kind kind, size_t n, size_t size, u8 *const *p,
		   u32 count);

/* An object that lies in another one here, and has a block of its own in Linux: accounted for, and
 * refused, like any. */
bool mem_charge(struct world *w, enum mem_kind kind);
void mem_uncharge(struct world *w, enum mem_kind kind);
/* A block of its own for one that is charged, which mem_free() frees with its charge and
 * mem_free_charged() without. NULL: the arena is full. */
void *mem_alloc_charged(struct world *w, size_t size);
void mem_free_charged(struct world *w, void *p, size_t size);

u64 mem_count(const struct world *w, enum mem_kind kind);
/* Takes over [start, end) at a world's birth, gives it back at its end. False: too small. */
bool mem_init(struct world *w, u8 *start, u8 *end, u64 limit);
void mem_exit(struct world *w);

const char *mem_kind_name(u32 kind);

#endif
