/* SPDX-License-Identifier: MIT */
/*
 * The allocator of a world (mem.h). Size classes: steps of 16 bytes to 1 KiB, of 64 to 2 KiB, four
 * to a doubling to 64 KiB, then powers of two. A block comes from its class's free list (last
 * freed, first used: warm), else small ones from the place of a table that was outgrown or a freed
 * large one, else from the end of the used part of the arena.
 *
 * With AddressSanitizer every block has a poisoned neighbour, freed blocks stay poisoned, and a
 * freed block waits behind QUARANTINE others of its class before it is used again.
 */
#include "kernel/mem.h"

#include "kernel/world.h"
#include "lib/bytes.h"
#include "lib/poison.h"
#include "stack/assert.h"

#define TINY_STEP  16u
#define TINY_MAX   1024u
#define TINY_COUNT (TINY_MAX / TINY_STEP)
#define LINE	   64u /* of a cache: what is carved keeps the end of the used part on one */
#define CLASS_STEP 64u
/* Put between blocks of 2 KiB and more: of sizes near a power of two the same few sets of a cache
 * would hold the headers of all the frames in a ring. */
#define COLOUR	     64u
#define SMALL_MAX    2048u
#define SMALL_COUNT  (TINY_COUNT + (SMALL_MAX - TINY_MAX) / CLASS_STEP)
#define MIDDLE_MAX   65536u
#define MIDDLE_COUNT 20u /* four for each of five doublings */
#define LARGE_POWERS 48u /* no arena holds a block of 2^48 bytes */
#define RECYCLE_MIN  4096u /* what is cut at once fits in */

/* The last class is that of blocks of 2^64 bytes. */
_Static_assert(SMALL_COUNT + MIDDLE_COUNT + 64 - 16 <= MEM_CLASSES, "a free list for each class");

static const char *const kind_names[] = {
#define MEM_KIND(NAME, text, declared) text,
#include "kernel/mem_kinds.def"
#undef MEM_KIND
};

static const u32 kind_declared[] = {
#define MEM_KIND(NAME, text, declared) declared,
#include "kernel/mem_kinds.def"
#undef MEM_KIND
};

const char *mem_kind_name(u32 kind)
{
	return kind < MEM_KIND_COUNT ? kind_names[kind] : NULL;
}

u64 mem_count(const struct world *w, enum mem_kind kind)
{
	return w->mem.kind_objects[kind];
}

/* v is not 0. */
static u32 log2_floor(u64 v)
{
	return 63 - (u32)__builtin_clzll(v);
}

/* The class of a request and the bytes its blocks have. */
static u32 size_class(size_t size, size_t *block)
{
	u32 power, quarter;
	size_t base;

	if (size <= TINY_MAX) {
		u32 n = size ? (u32)((size - 1) / TINY_STEP) : 0;

		*block = (size_t)(n + 1) * TINY_STEP;
		return n;
	}
	if (size <= SMALL_MAX) {
		u32 n = (u32)((size - 1) / CLASS_STEP);

		*block = (size_t)(n + 1) * CLASS_STEP;
		return TINY_COUNT + n - TINY_MAX / CLASS_STEP;
	}
	power = log2_floor(size - 1);
	base = (size_t)1 << power;
	if (size <= MIDDLE_MAX) {
		quarter = (u32)((size - 1) >> (power - 2)) & 3;
		*block = base + (quarter + 1) * (base / 4);
		return SMALL_COUNT + (power - 11) * 4 + quarter;
	}
	*block = base * 2;
	return SMALL_COUNT + MIDDLE_COUNT + (power - 16);
}

#ifdef TAPLINE_ASAN
#define REDZONE	   64u
#define QUARANTINE 32u

/* The free list of a class as a queue: head, tail and length lie in a small block of the arena's
 * own start-up memory. */
struct quarantine {
	void *tail;
	u32 count;
};

static struct quarantine *quarantine_of(struct world *w, u32 cls)
{
	return (struct quarantine *)(void *)w->mem.base + cls;
}

static void *link_get(void *block)
{
	void *next;

	unpoison_range(block, sizeof(next));
	memcpy(&next, block, sizeof(next));
	poison_range(block, sizeof(next));
	return next;
}

static void link_set(void *block, void *next)
{
	unpoison_range(block, sizeof(next));
	memcpy(block, &next, sizeof(next));
	poison_range(block, sizeof(next));
}

static void *class_pop(struct world *w, u32 cls)
{
	struct quarantine *q = quarantine_of(w, cls);
	void *p = w->mem.free[cls];

	if (!p || q->count <= QUARANTINE)
		return NULL;
	w->mem.free[cls] = link_get(p);
	q->count--;
	return p;
}

static void class_push(struct world *w, u32 cls, void *p, size_t block)
{
	struct quarantine *q = quarantine_of(w, cls);

	poison_range(p, block);
	link_set(p, NULL);
	if (w->mem.free[cls])
		link_set(q->tail, p);
	else
		w->mem.free[cls] = p;
	q->tail = p;
	q->count++;
}

static size_t start_reserve(void)
{
	return (MEM_CLASSES * sizeof(struct quarantine) + 63) & ~(size_t)63;
}
#else
#define REDZONE 0u

static void *class_pop(struct world *w, u32 cls)
{
	void *p = w->mem.free[cls];

	if (p) {
		memcpy(&w->mem.free[cls], p, sizeof(void *));
		/* The next one's link, and the start of what it will hold. */
		__builtin_prefetch(w->mem.free[cls], 1);
	}
	return p;
}

static void class_push(struct world *w, u32 cls, void *p, size_t block)
{
	(void)block;
	memcpy(p, &w->mem.free[cls], sizeof(void *));
	w->mem.free[cls] = p;
}

static size_t start_reserve(void)
{
	return 0;
}
#endif

bool mem_init(struct world *w, u8 *start, u8 *end, u64 limit)
{
	struct mem_account *m = &w->mem;

	*m = (struct mem_account){ .base = start, .brk = start, .end = end, .limit = limit };
	if ((size_t)(end - start) < start_reserve() + 4096)
		return false;
	memset(start, 0, start_reserve());
	m->brk += start_reserve();
	return true;
}

void mem_exit(struct world *w)
{
	unpoison_range(w->mem.base, (size_t)(w->mem.brk - w->mem.base));
}

/* The place of a table that was outgrown becomes what small blocks are cut from. */
struct recycled {
	u8 *next;
	size_t size;
};

static bool spare_recycle(struct mem_account *m)
{
	struct recycled r;

	if (!m->recycled)
		return false;
	memcpy(&r, m->recycled, sizeof(r));
	m->spare = m->recycled;
	m->spare_end = m->spare + r.size;
	m->recycled = r.next;
	return true;
}

/* So does any large block that is free. False: there is none. */
static bool spare_find(struct world *w)
{
	struct mem_account *m = &w->mem;

	if (spare_recycle(m))
		return true;
	if (m->brk < m->spare_look)
		return false;
	for (u32 power = 16; power < LARGE_POWERS; power++) {
		u8 *large = class_pop(w, SMALL_COUNT + MIDDLE_COUNT + power - 16);

		if (large) {
			m->spare = large;
			m->spare_end = large + (size_t)((u64)2 << power);
			return true;
		}
	}
	/* Not looked for at each block: when so much more is in use that there may be one. */
	m->spare_look = m->brk + min_u64(MIDDLE_MAX, (u64)(m->end - m->brk));
	return false;
}

/*
 * Small blocks are cut from large ones that are free: what is above 64 KiB are tables for the most
 * part, which grow and leave behind what they had.
 */
static u8 *spare_cut(struct world *w, size_t stride)
{
	struct mem_account *m = &w->mem;

	if ((size_t)(m->spare_end - m->spare) < stride && !spare_find(w))
		return NULL;
	m->spare += stride;
	return m->spare - stride;
}

/* A new piece of the arena: the used part gets larger. */
static u8 *brk_move(struct mem_account *m, size_t stride)
{
	if ((size_t)(m->end - m->brk) < stride)
		return NULL;
	m->brk += stride;
	return m->brk - stride;
}

/*
 * A new block. What is carved stays on a cache line's border: of tiny blocks as many are taken as
 * fill whole lines, and those not asked for are put on the free list.
 */
static __attribute__((noinline, cold)) void *block_carve(struct world *w, u32 cls, size_t block)
{
	size_t stride = block >= SMALL_MAX ? block + COLOUR : block;
	u8 *p = NULL;

	while (stride % LINE)
		stride += REDZONE ? TINY_STEP : block;
	if (!REDZONE && block < SMALL_MAX)
		p = spare_cut(w, stride);
	if (!p)
		p = brk_move(&w->mem, stride);
	if (!p)
		return NULL;
	if (!REDZONE && block < TINY_MAX)
		for (u8 *q = p + stride - block; q != p; q -= block)
			class_push(w, cls, q, block);
	return p;
}

/* A block for `size` bytes, of the class and the bytes that they have. */
static inline __attribute__((always_inline)) void *class_get(struct world *w, u32 cls, size_t block,
							     size_t size)
{
	void *p = class_pop(w, cls);

	if (!p)
		p = block_carve(w, cls, block);
	if (!p)
		return NULL;
	unpoison_range(p, size);
	poison_range((u8 *)p + size, block - size);
	return p;
}

static void *block_get(struct world *w, size_t size)
{
	size_t block;
	u32 cls = size_class(size + REDZONE, &block);

	return class_get(w, cls, block, size);
}

static void block_put(struct world *w, void *p, size_t size)
{
	size_t block;
	u32 cls = size_class(size + REDZONE, &block);

	class_push(w, cls, p, block);
}

static inline void account_add(struct mem_account *m, enum mem_kind kind, u64 declared, u32 objects)
{
	m->bytes += declared;
	m->objects += objects;
	m->kind_bytes[kind] += declared;
	m->kind_objects[kind] += objects;
	if (m->bytes > m->peak)
		m->peak = m->bytes;
}

/* By the limit, or as planned. */
static inline __attribute__((always_inline)) bool refused(struct world *w, u64 declared)
{
	struct mem_account *m = &w->mem;

	if (!(w->fault.armed & 1u << FAULT_ALLOC && should_fail(w, FAULT_ALLOC)) &&
	    !(m->limit && m->bytes + declared > m->limit))
		return false;
	m->failed++;
	return true;
}

/* In line in its callers: two blocks a packet come and go. */
static inline __attribute__((always_inline)) void *
alloc_declared(struct world *w, enum mem_kind kind, size_t size, u64 declared)
{
	struct mem_account *m = &w->mem;
	void *p;

	if (refused(w, declared))
		return NULL;
	p = block_get(w, size);
	if (!p) {
		m->failed++;
		return NULL;
	}
	account_add(m, kind, declared, 1);
	return p;
}

static inline void account_sub(struct mem_account *m, enum mem_kind kind, u64 declared, u32 objects)
{
	ASSERT(m->kind_objects[kind] >= objects);
	ASSERT(m->kind_bytes[kind] >= declared);
	m->bytes -= declared;
	m->objects -= objects;
	m->kind_bytes[kind] -= declared;
	m->kind_objects[kind] -= objects;
}

/* What is given back is a block of this world, and was not given back before. */
static inline void free_check(const struct mem_account *m, const void *p)
{
	ASSERT((const u8 *)p >= m->base && (const u8 *)p < m->brk);
#ifdef TAPLINE_ASAN
	/* A block that is free already is poisoned: this read reports a double free with both
	 * stacks. */
	(void)*(const volatile u8 *)p;
#endif
}

static inline __attribute__((always_inline)) void free_declared(struct world *w, enum mem_kind kind,
								void *p, size_t size, u64 declared)
{
	free_check(&w->mem, p);
	account_sub(&w->mem, kind, declared, 1);
	block_put(w, p, size);
}

void *mem_alloc(struct world *w, enum mem_kind kind, size_t size)
{
	return alloc_declared(w, kind, size, kind_declared[kind]);
}

void *mem_zalloc(struct world *w, enum mem_kind kind, size_t size)
{
	void *p = mem_alloc(w, kind, size);

	if (p)
		memset(p, 0, size);
	return p;
}

void mem_free(struct world *w, enum mem_kind kind, void *p, size_t size)
{
	if (p)
		free_declared(w, kind, p, size, kind_declared[kind]);
}

bool mem_charge(struct world *w, enum mem_kind kind)
{
	if (refused(w, kind_declared[kind]))
		return false;
	account_add(&w->mem, kind, kind_declared[kind], 1);
	return true;
}

void mem_uncharge(struct world *w, enum mem_kind kind)
{
	account_sub(&w->mem, kind, kind_declared[kind], 1);
}

void *mem_alloc_charged(struct world *w, size_t size)
{
	void *p = block_get(w, size);

	w->mem.failed += !p;
	return p;
}

void mem_free_charged(struct world *w, void *p, size_t size)
{
	block_put(w, p, size);
}

/* Arrays from a line on begin at a line: all blocks do, with AddressSanitizer, which is to see
 * where the array ends. */
static size_t array_size(size_t bytes)
{
	return REDZONE || bytes < LINE ? bytes : (bytes + LINE - 1) & ~(size_t)(LINE - 1);
}

void *mem_alloc_n(struct world *w, enum mem_kind kind, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 4)
		return NULL;
	return alloc_declared(w, kind, array_size(bytes), (u64)n * kind_declared[kind]);
}

u32 mem_alloc_bulk(struct world *w, enum mem_kind kind, size_t n, size_t size, u8 **p, u32 count)
{
	struct mem_account *m = &w->mem;
	size_t bytes = array_size(n * size), block;
	u64 declared = (u64)n * kind_declared[kind];
	u32 cls = size_class(bytes + REDZONE, &block), got = 0;

	if (w->fault.armed & 1u << FAULT_ALLOC ||
	    (m->limit && m->bytes + count * declared > m->limit)) {
		while (got < count && (p[got] = mem_alloc_n(w, kind, n, size)) != NULL)
			got++;
		return got;
	}
	while (got < count && (p[got] = class_get(w, cls, block, bytes)) != NULL)
		got++;
	account_add(m, kind, got * declared, got);
	m->failed += got < count;
	return got;
}

void mem_free_n(struct world *w, enum mem_kind kind, void *p, size_t n, size_t size)
{
	if (p)
		free_declared(w, kind, p, array_size(n * size), (u64)n * kind_declared[kind]);
}

void mem_free_bulk(struct world *w, enum mem_kind kind, size_t n, size_t size, u8 *const *p,
		   u32 count)
{
	size_t block;
	u32 cls = size_class(array_size(n * size) + REDZONE, &block);

	account_sub(&w->mem, kind, (u64)count * n * kind_declared[kind], count);
	for (u32 i = 0; i < count; i++) {
		free_check(&w->mem, p[i]);
		class_push(w, cls, p[i], block);
	}
}

void mem_recycle_n(struct world *w, enum mem_kind kind, void *p, size_t n, size_t size)
{
	struct mem_account *m = &w->mem;
	struct recycled r = { .next = m->recycled };

	(void)size_class(array_size(n * size) + REDZONE, &r.size);
	if (REDZONE || !p || r.size < RECYCLE_MIN) {
		mem_free_n(w, kind, p, n, size);
		return;
	}
	free_check(m, p);
	account_sub(m, kind, (u64)n * kind_declared[kind], 1);
	memcpy(p, &r, sizeof(r));
	m->recycled = p;
}
