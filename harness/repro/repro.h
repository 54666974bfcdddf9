/* SPDX-License-Identifier: MIT */
/*
 * `tapline repro TARGET INPUT`: runs an input of a fuzz target, says how it ended, and writes what
 * happened to its world as a Lua script (one op a line, docs/lua.md "The op log") and as a capture.
 *
 * The targets lie above the harness (fuzz/); the command's main() hands them in.
 */
#ifndef TAPLINE_REPRO_REPRO_H
#define TAPLINE_REPRO_REPRO_H

#include <stddef.h>
#include <stdint.h>

#include "stack/op.h"

/* What a recorded run is told to. All but `end` come while it runs. */
struct repro_recorder {
	void (*op)(void *ctx, u64 now_ns, u64 events, const struct op *op);
	/* A frame entered a wire at end `dir`; with the harness's conventions 0 is the host's. */
	void (*frame)(void *ctx, u64 now_ns, u32 dir, const u8 *bytes, u32 len);
	/* A hook of the outside has decided. */
	void (*hook)(void *ctx, u32 id, u32 verdict);
	/* The run is over, all of it held. */
	void (*end)(void *ctx, u64 now_ns, u64 events, u64 digest);
	void *ctx;
};

struct repro_target {
	const char *name;
	int (*run)(const uint8_t *data, size_t size);
};

struct repro_targets {
	const struct repro_target *list;
	size_t count;
	u64 seed; /* of the worlds that they make */
	/* From now on the first run of an input is recorded. */
	void (*record)(const struct repro_recorder *r);
};

/* All targets: fuzz/fuzz_targets.c. */
extern const struct repro_targets fuzz_targets;

/* Before the command runs. Without it there are no targets. */
void repro_set_targets(const struct repro_targets *targets);

/*
 * The command. Exit status: 0 the input ran and all held; 1 it did not; 2 usage, or a file that can
 * not be read or written.
 */
int repro_command(int argc, char **argv);

/* `tapline list targets` */
void repro_list_targets(void);

#endif
