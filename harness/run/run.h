/* SPDX-License-Identifier: MIT */
/*
 * A run: files become a plan, each file runs in a child process, results come out as TAP in the
 * order of the plan whatever the number of jobs.
 */
#ifndef TAPLINE_RUN_RUN_H
#define TAPLINE_RUN_RUN_H

#include "lua/script.h"
#include "run/args.h"
#include "run/options.h"

/* Exit statuses; the highest precedence first: invariant, usage, failed, skipped, passed. */
enum {
	EXIT_PASSED = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_INVARIANT = 3,
	EXIT_SKIPPED = 4,
};

struct plan_test {
	char *name;
	struct script_result *first; /* --audit: what the first of the two runs gave */
};

struct plan_file {
	const char *path;
	struct run_options options; /* the command line's and those of tapline.args above it */
	struct script_config config;
	char *error; /* the file can not be used: one failed test stands for it */
	char *late_error; /* it could not be loaded any more when its tests should run */
	struct plan_test *tests; /* those that the filter lets through */
	size_t count;
	size_t first; /* number of its first test in the plan */
	size_t next; /* tests that have a result */
	struct strbuf out; /* results that wait for their turn */
	struct strbuf err;
};

/* Who takes the results instead of TAP on standard output. */
struct run_observer {
	void (*planned)(void *ctx); /* all files are known: from now on results come */
	void (*result)(void *ctx, const char *path, const char *test,
		       const struct script_result *result);
	void *ctx;
};

enum run_pass {
	RUN_LEARN, /* children tell their tests */
	RUN_FIRST, /* --audit: results are kept */
	RUN_AGAIN, /* --audit: and compared */
	RUN_ONCE,
};

struct run {
	enum run_pass pass;
	const struct run_options *options;
	const struct run_observer *observer; /* NULL: TAP */
	const char *command; /* "run", for messages */
	struct args args;
	struct catalogue catalogue;
	struct plan_file *files;
	size_t file_count;
	size_t test_count; /* in the plan, errors included */
	bool planned;
	size_t front; /* the first file whose results are not all out */
	size_t failed, skipped, passed, errors, invariants;
	bool output_broken;
	int output_errno;
};

/* `tapline run` with the arguments after the command. Returns the exit status. */
int run_command(int argc, char **argv);

/*
 * Runs what the options say. Messages name tapline's command `command`. With an observer nothing
 * is written to standard output. Returns the exit status.
 */
int run_execute(const char *command, const struct run_options *options,
		const struct run_observer *observer);

/* A usage message of tapline's command; returns EXIT_USAGE. */
int run_usage_error(const char *command, const char *message);

/* Whether a test (name "": a file that can not be used) is in the part that --shard wants. */
bool run_in_shard(const struct run_options *o, const char *path, const char *name);

/* The child's side: writes records to fd. */
void child_learn(const struct plan_file *f, int fd);
void child_run(const struct plan_file *f, int fd);

/*
 * Forks a child per file, so many at a time, feeds what they tell to the plan and returns when all
 * are done. Returns the signal that ended the run, 0, or -1 when no process could be started (it
 * said so).
 */
int pool_run(struct run *r, enum run_pass pass);

/* Results, as they come in: adds to the file's output and writes what is due. */
void report_result(struct run *r, struct plan_file *f, size_t i, struct script_result *result);
/* A result for a test whose child did not give one. */
void report_lost(struct run *r, struct plan_file *f, size_t i, const char *message);
void report_error(struct run *r, struct plan_file *f);
void report_flush(struct run *r);
/* Standard output does not take any more; errno says why. */
void broken_output(struct run *r);

#endif
