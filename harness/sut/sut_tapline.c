/* SPDX-License-Identifier: MIT */
/*
 * tapline's own stack as a stack under test: a world in an arena of its own, address space that is
 * touched only as it is used.
 */
#include "sut/sut.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Address space of a world; the memory limit (declared bytes) strikes long before. */
#ifdef __LP64__
#define ARENA_SIZE (8ull << 30)
#else
#define ARENA_SIZE (512ull << 20)
#endif
#define MEMORY_LIMIT_DEFAULT (256ull << 20)

struct sut_world {
	struct sut sut;
	struct world *world;
	void *arena;
};

static struct sut_world *self(const struct sut *s)
{
	return (struct sut_world *)(void *)(uintptr_t)s;
}

/*
 * The arena of the last world that ended, for the next one: its pages are there already. What they
 * hold does not matter to a world.
 */
static void *arena_spare;

/* Of sut_tapline_perturb: how much of an arena is filled, and how far into it a world lies. */
#define JUNK_SIZE  (1u << 20)
#define JUNK_SHIFT (64u * 37)
static u32 arena_shift;

void sut_tapline_perturb(void)
{
	/* A mapping between keeps the next arena from the place of the last. */
	if (!arena_shift)
		(void)mmap(NULL, 5 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			   -1, 0);
	if (arena_spare)
		munmap(arena_spare, ARENA_SIZE);
	arena_spare = NULL;
	arena_shift = JUNK_SHIFT;
}

/* The kernel gives pages when they are touched; NORESERVE, as most never are. */
static void *arena_get(void)
{
	void *p = arena_spare;

	arena_spare = NULL;
	if (p)
		return p;
	p = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void arena_put(void *arena)
{
	if (arena_spare)
		munmap(arena, ARENA_SIZE);
	else
		arena_spare = arena;
}

static struct sut *tapline_create(const struct world_config *config,
				  const struct world_ops *callbacks, void *ctx)
{
	struct world_config c = *config;
	struct sut_world *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (!c.memory_limit)
		c.memory_limit = MEMORY_LIMIT_DEFAULT;
	s->sut.ops = &sut_tapline;
	s->arena = arena_get();
	if (s->arena && arena_shift)
		memset(s->arena, 0xa5, JUNK_SIZE);
	if (s->arena)
		s->world = world_create((u8 *)s->arena + arena_shift, ARENA_SIZE - arena_shift, &c,
					callbacks, ctx);
	if (!s->world) {
		if (s->arena)
			arena_put(s->arena);
		free(s);
		return NULL;
	}
	return &s->sut;
}

static void tapline_destroy(struct sut *s, struct world_leaks *leaks)
{
	world_destroy(self(s)->world, leaks);
	arena_put(self(s)->arena);
	free(s);
}

static s64 tapline_apply(struct sut *s, const struct op *op)
{
	return world_apply(self(s)->world, op);
}

static int tapline_submit(struct sut *s, struct sys_op *op)
{
	return sys_submit(self(s)->world, op);
}

static void tapline_cancel(struct sut *s, struct sys_op *op)
{
	sys_cancel(self(s)->world, op);
}

static enum world_stop tapline_run(struct sut *s, u64 until_ns)
{
	return world_run(self(s)->world, until_ns);
}

static bool tapline_step(struct sut *s)
{
	return world_step(self(s)->world);
}

static void tapline_stop(struct sut *s)
{
	world_stop(self(s)->world);
}

static u64 tapline_now(const struct sut *s)
{
	return world_now(self(s)->world);
}

static u64 tapline_next_event(const struct sut *s)
{
	return world_next_event(self(s)->world);
}

static bool tapline_counter(const struct sut *s, u32 host, const char *name, u64 *value)
{
	return counter_get(self(s)->world, host, name, value);
}

static void tapline_counters(const struct sut *s, u32 host,
			     void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	counters_walk(self(s)->world, host, fn, ctx);
}

static s32 tapline_sysctl(const struct sut *s, u32 host, const char *name, char *out, u32 cap)
{
	return sysctl_read(self(s)->world, host, name, out, cap);
}

static void tapline_sysctls(const struct sut *s, u32 host, void (*fn)(void *ctx, const char *name),
			    void *ctx)
{
	sysctl_walk(self(s)->world, host, fn, ctx);
}

static s32 tapline_proc(const struct sut *s, u32 host, const char *path, char *out, u32 cap)
{
	return proc_read(self(s)->world, host, path, out, cap);
}

static void tapline_check(struct sut *s, u32 level)
{
	world_check(self(s)->world, level);
}

static void tapline_trace(struct sut *s, u64 mask)
{
	world_trace(self(s)->world, mask);
}

static u64 tapline_digest(const struct sut *s)
{
	return world_digest(self(s)->world);
}

static void tapline_digest_add(struct sut *s, const void *bytes, u32 len)
{
	world_digest_add(self(s)->world, bytes, len);
}

static void tapline_memory(const struct sut *s, struct world_memory *out)
{
	world_memory(self(s)->world, out);
}

static bool tapline_has(const struct sut *s, const char *extra)
{
	static const char *const extras[] = { "trace", "nic",  "cost",	"faults",
					      "hooks", "proc", "digest" };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(extras); i++)
		if (strcmp(extras[i], extra) == 0)
			return true;
	return false;
}

struct world *sut_tapline_world(struct sut *s)
{
	return s->ops == &sut_tapline ? self(s)->world : NULL;
}

const struct sut_ops sut_tapline = {
	.name = "tapline",
	.create = tapline_create,
	.destroy = tapline_destroy,
	.apply = tapline_apply,
	.submit = tapline_submit,
	.cancel = tapline_cancel,
	.run = tapline_run,
	.step = tapline_step,
	.stop = tapline_stop,
	.now = tapline_now,
	.next_event = tapline_next_event,
	.counter = tapline_counter,
	.counters = tapline_counters,
	.sysctl = tapline_sysctl,
	.sysctls = tapline_sysctls,
	.proc = tapline_proc,
	.check = tapline_check,
	.trace = tapline_trace,
	.digest = tapline_digest,
	.digest_add = tapline_digest_add,
	.memory = tapline_memory,
	.has = tapline_has,
};
