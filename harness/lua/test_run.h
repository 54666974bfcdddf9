/* SPDX-License-Identifier: MIT */
/*
 * One execution of a test file: to learn its tests, or to run one of them. What the parts of the
 * Lua binding share; reached from any lua_State through its sandbox.
 */
#ifndef TAPLINE_LUA_TEST_RUN_H
#define TAPLINE_LUA_TEST_RUN_H

#include "lua/script.h"

#define SCRIPT_MAX_TESTS 100000

struct script_test {
	char *name;
	int line;
	char *skip; /* reason given in the options, or NULL */
	char *profile; /* the only one that it is for, or NULL */
};

/* A compiled file of the library or of the script's folder. */
struct script_module {
	char *name;
	char *chunk_name; /* as messages name it, with the leading '@' */
	bool library;
	struct strbuf code; /* bytecode made by this process */
};

struct script {
	const struct script_config *config;
	char *path;
	char *folder; /* with the slash at its end; "" for the working folder */
	char *chunk_name;
	struct strbuf code;
	struct script_test *tests;
	size_t test_count;
	struct script_module *modules;
	size_t module_count;
};

struct net_run;
struct net_task;

struct test_run {
	struct script *script;
	struct sandbox *sb;
	lua_State *task; /* coroutine that runs now */
	bool learning; /* the main chunk runs to learn the tests */
	bool loading; /* the main chunk runs */
	size_t wanted; /* the test to run */
	size_t seen; /* tests registered so far */
	u64 seed;
	const char *profile;
	struct script_result *result;

	bool failed;
	bool skipped;
	size_t assertions;
	size_t shown;
	struct strbuf message, got, expect, diff, traceback, file;
	int line;
	struct net_run *net; /* the world of this test, made at the first use */
	bool log; /* its world is that of an op log (net_oplog.c) ... */
	u64 log_seed; /* ... and has this seed */
	struct net_task *main_task; /* while the test's function runs */
	bool has_time;
	u64 end_time_ns;
	struct strbuf capture; /* path of the file written, if one was */
};

struct test_run *test_run_of(lua_State *L);

/* How a failed assertion and a skip unwind: error values that test_run recognises. */
int test_run_raise_failure(lua_State *L);
int test_run_raise_skip(lua_State *L);

/* Notes the first failure; later ones are consequences. Any text may be NULL. */
void test_run_fail(struct test_run *t, const char *message, const char *got, const char *expect,
		   const char *diff, const char *file, int line);

/* The innermost place in a file that is not of the library. Returns false when there is none. */
bool test_run_where(lua_State *L, int level, struct strbuf *file, int *line);

/*
 * Turns the error value on top of `co`, which died of it, into the test's failure (or skip).
 * `status` is what lua_resume returned.
 */
void test_run_error(struct test_run *t, lua_State *co, int status);

/* Compiles text ("@name" as chunk name) into bytecode; on failure a message in `error`. */
bool script_compile(const char *chunk_name, const char *text, size_t len, struct strbuf *code,
		    struct strbuf *error);

/* Checks and reads a Lua file. On failure false and "FILE:LINE: message". */
bool script_read(const char *path, const char *shown_as, struct strbuf *text, struct strbuf *error);

/* Puts full paths where Lua shortened them ("...long/path.lua:3:"). */
void script_full_names(const struct script *s, const char *message, struct strbuf *out);

/* Raises an error whose place is the innermost one in the script, not in the library. */
int script_error(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* native.test(name, function, skip, profile): what tap.test does. */
int script_register_test(lua_State *L);

/* Opens require, and the native table that library modules get. */
void script_open_require(lua_State *L);
void script_open_tap(lua_State *L); /* adds its functions to the table on top */

#endif
