/* SPDX-License-Identifier: MIT */
/*
 * The stack under test, as suites and front ends see it: hosts and wires made by ops, sockets,
 * frames, a virtual clock, counters. tapline's own stack is the first behind it (sut_tapline);
 * others come later and may refuse an op with -EOPNOTSUPP. What is beyond the basic set is a named
 * extra that a suite asks for with sut_has().
 *
 * One sut is one world. Nothing here is shared between two.
 */
#ifndef TAPLINE_SUT_SUT_H
#define TAPLINE_SUT_SUT_H

#include "stack/counters.h"
#include "stack/op.h"
#include "stack/sys.h"
#include "stack/trace.h"
#include "stack/world.h"

struct sut;

struct sut_ops {
	const char *name; /* "tapline" */
	/* A fresh world; NULL when memory is short. `callbacks` and `ctx` must outlive it. */
	struct sut *(*create)(const struct world_config *config, const struct world_ops *callbacks,
			      void *ctx);
	/* Ends it. Fills leaks (may be NULL) with what was not given back. */
	void (*destroy)(struct sut *s, struct world_leaks *leaks);
	/* As world_apply(): number or 0, or -errno. */
	s64 (*apply)(struct sut *s, const struct op *op);
	int (*submit)(struct sut *s, struct sys_op *op);
	void (*cancel)(struct sut *s, struct sys_op *op);
	enum world_stop (*run)(struct sut *s, u64 until_ns);
	/* One event; false when there is none. */
	bool (*step)(struct sut *s);
	/* From a callback: run() returns after the present event. */
	void (*stop)(struct sut *s);
	u64 (*now)(const struct sut *s);
	u64 (*next_event)(const struct sut *s);
	bool (*counter)(const struct sut *s, u32 host, const char *name, u64 *value);
	void (*counters)(const struct sut *s, u32 host,
			 void (*fn)(void *ctx, const char *name, u64 value), void *ctx);
	s32 (*sysctl)(const struct sut *s, u32 host, const char *name, char *out, u32 cap);
	void (*sysctls)(const struct sut *s, u32 host, void (*fn)(void *ctx, const char *name),
			void *ctx);
	s32 (*proc)(const struct sut *s, u32 host, const char *path, char *out, u32 cap);
	void (*check)(struct sut *s, u32 level);
	void (*trace)(struct sut *s, u64 mask);
	u64 (*digest)(const struct sut *s);
	void (*digest_add)(struct sut *s, const void *bytes, u32 len);
	void (*memory)(const struct sut *s, struct world_memory *out);
	/* Is there the extra: "trace", "nic", "cost", "faults", "hooks", "proc", "digest"? */
	bool (*has)(const struct sut *s, const char *extra);
};

/* Every implementation's struct sut begins with this. */
struct sut {
	const struct sut_ops *ops;
};

/* tapline's own stack. */
extern const struct sut_ops sut_tapline;

/* The Linux kernel of this machine, in real time; create() is NULL without the rights for it. */
extern const struct sut_ops sut_kernel;

/*
 * For a process that wants to see whether anything hangs on it: from now on worlds of sut_tapline
 * lie at other addresses, in memory that is full of junk.
 */
void sut_tapline_perturb(void);

/* The world behind a sut of sut_tapline: for the extras that have no entry above. */
struct world *sut_tapline_world(struct sut *s);

#endif
