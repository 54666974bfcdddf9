/* SPDX-License-Identifier: MIT */
/* Blocks in a list; a piece that is larger than a block gets one of its own. */
#include "packetdrill/arena.h"

#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 16384u
#define ALIGN 16u

struct block {
	struct block *next;
	size_t used, size;
};

struct pd_arena {
	struct block *blocks;
};

/* Where a block's bytes begin. */
#define HEAD ((sizeof(struct block) + ALIGN - 1) / ALIGN * ALIGN)

struct pd_arena *pd_arena_new(void)
{
	struct pd_arena *a = xrealloc(NULL, sizeof(*a));

	a->blocks = NULL;
	return a;
}

void pd_arena_free(struct pd_arena *a)
{
	struct block *b, *next;

	if (!a)
		return;
	for (b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void *pd_arena_alloc(struct pd_arena *a, size_t size)
{
	struct block *b = a->blocks;
	void *p;

	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK ? size : BLOCK;

		b = xrealloc(NULL, HEAD + room);
		b->next = a->blocks;
		b->used = 0;
		b->size = room;
		a->blocks = b;
	}
	p = (char *)b + HEAD + b->used;
	b->used += size;
	memset(p, 0, size);
	return p;
}

struct pd_text pd_arena_text(struct pd_arena *a, const char *p, size_t len)
{
	char *copy = pd_arena_alloc(a, len + 1);

	if (len)
		memcpy(copy, p, len);
	return (struct pd_text){ copy, len };
}

void *pd_arena_grow(struct pd_arena *a, void *list, size_t count, size_t size)
{
	size_t room = count < 4 ? 4 : count;
	void *larger;

	/* Full at 0, 4, 8, 16, ... */
	if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
		return list;
	larger = pd_arena_alloc(a, (count ? 2 * room : room) * size);
	if (count)
		memcpy(larger, list, count * size);
	return larger;
}
