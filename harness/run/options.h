/* SPDX-License-Identifier: MIT */
/*
 * The options of `tapline run`: what they are, how they are read from the command line, and how a
 * run's options are written out again so that one test can be run by itself.
 */
#ifndef TAPLINE_RUN_OPTIONS_H
#define TAPLINE_RUN_OPTIONS_H

#include "base/strbuf.h"

#define RUN_DEFAULT_SEED	 1
#define RUN_DEFAULT_WALL_TIMEOUT 60

struct script_setting;

struct run_options {
	u64 seed;
	unsigned int jobs;
	const char *filter; /* NULL: all tests */
	const char *capture_dir; /* NULL: no captures */
	const char *profile; /* "linux" or "rfc" */
	unsigned int wall_timeout; /* seconds per test, 0: no watchdog */
	bool list;
	bool digest;
	bool help;
	struct script_setting *settings;
	size_t setting_count;
	char **paths;
	size_t path_count;
};

/*
 * Reads the arguments after the command's name. Returns false with a message (without newline) in
 * `error`. The strings of argv are borrowed; run_options_free gives the lists back.
 */
bool run_options_parse(struct run_options *o, int argc, char **argv, struct strbuf *error);
void run_options_free(struct run_options *o);

/* The text of `tapline run --help`. */
const char *run_options_help(void);

/* Adds the command that runs just this test of this file in the same way. */
void run_options_rerun(const struct run_options *o, const char *path, const char *name,
		       struct strbuf *out);

/* Strict number: decimal or 0x; false when it is not one, or above max. */
bool run_parse_u64(const char *text, u64 max, u64 *value);

#endif
