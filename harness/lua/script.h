/* SPDX-License-Identifier: MIT */
/*
 * A file of Lua tests: loading it, knowing its tests, running one of them.
 *
 * The main chunk runs once to learn which tests it registers, and once more, in a state of its own,
 * before each test: what one test does can not reach another. The file is compiled once.
 */
#ifndef TAPLINE_LUA_SCRIPT_H
#define TAPLINE_LUA_SCRIPT_H

#include "base/data.h"
#include "lua/sandbox.h"
#include "tap/tap.h"

struct sut_ops;

struct script_setting {
	const char *key;
	const char *value;
};

/* What holds for all tests of a run. */
struct script_config {
	u64 seed; /* of the run */
	const char *profile;
	bool profile_given; /* by the command line: tests that are for another one are skipped */
	const struct sut_ops *sut; /* the stack under test; NULL: tapline's */
	const char *nic; /* model of the cards that a script leaves open; NULL: ring */
	const char *offload; /* "gro=off,tso=on" for those cards, or NULL */
	const struct script_setting *settings;
	size_t setting_count;
	const char *capture_dir; /* NULL: none */
	bool make; /* captures that scripts make are written */
	bool digest;
	u64 fuel;
	size_t memory;
	const struct catalogue *requirements; /* NULL: t:shows can not be checked */
};

struct script;

/* Loads a file. On failure returns NULL and one "FILE:LINE: message" in `error`. */
struct script *script_load(const char *path, const struct script_config *config,
			   struct strbuf *error);
void script_free(struct script *s);

size_t script_test_count(const struct script *s);
const char *script_test_name(const struct script *s, size_t i);

struct script_result {
	enum tap_verdict verdict;
	bool invariant; /* an invariant of the stack broke */
	struct strbuf directive; /* why it was skipped */
	struct strbuf diagnosis; /* YAML block of a failure, ready to print */
	struct strbuf message; /* the same in one line, for `tapline convert` */
	int line; /* of the file, where it failed; 0: not known */
	struct strbuf comments; /* TAP comments, ready to print */
	struct strbuf printed; /* for standard error */
	struct strbuf shown; /* requirement ids, one a line */
	struct strbuf digest; /* "digest NAME HEX", when it is wanted */
};

/* Runs test i. `rerun` is the command that does it again. */
void script_run(struct script *s, size_t i, const char *rerun, struct script_result *result);
void script_result_free(struct script_result *r);

#endif
