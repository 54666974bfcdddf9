/* SPDX-License-Identifier: MIT */
/* The Lua script of a recorded run. */
#ifndef TAPLINE_REPRO_SCRIPT_H
#define TAPLINE_REPRO_SCRIPT_H

#include "repro/record.h"

/*
 * Reads the record from its beginning and writes a test that applies the same ops at the same
 * times, and, if the run came to its end, compares the digest. `command` is what made it (behind
 * "tapline"), target and input name the test.
 */
void repro_script(struct strbuf *out, FILE *record, const char *command, const char *target,
		  const char *input, u64 seed);

#endif
