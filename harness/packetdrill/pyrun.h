/* SPDX-License-Identifier: MIT */
/*
 * A running %{ }% block, as pyexpr.c (expressions) and pycode.c (statements) share it. Code is read
 * and run in one pass: what stands in a branch that is not taken is read without being run (`live`
 * is false).
 *
 * Invariants: p only moves forward; after the first error (or failed assertion) nothing runs.
 */
#ifndef TAPLINE_PACKETDRILL_PYRUN_H
#define TAPLINE_PACKETDRILL_PYRUN_H

#include "packetdrill/pycode.h"
#include "packetdrill/pyvalue.h"

#define PY_MAX_DEPTH 100
#define PY_MAX_ARGS  32

struct py_variable {
	char *name;
	struct py_value value; /* strings and tuples lie in the evaluator's arena */
};

struct pd_python {
	char *path;
	struct pd_arena *arena;
	struct py_variable *variable;
	size_t variables;
};

struct py_run {
	struct pd_python *py;
	const char *begin, *p, *end;
	int first_line;
	int depth; /* of brackets and operators in each other */
	int brackets; /* inside of them a newline is space */
	bool live;
	enum pd_python_result result;
	pd_python_lookup *lookup;
	void *ctx;
	struct strbuf *out;
	struct pd_error *error;
	struct pd_arena *arena; /* of this run's values */
};

/* All of these are false, always or after an error. */

bool py_fail(struct py_run *r, enum pd_python_result result, const char *at, const char *word,
	     const char *text);

/* Not well formed, or not known. */
bool py_broken(struct py_run *r, const char *text);

/* An exception; nothing where the code only is read. */
bool py_check(struct py_run *r, const char *exception, const char *at);

bool py_is_letter(char c);
bool py_is_digit(char c);
bool py_starts(const struct py_run *r, const char *text);

/* Length of a line's end that a backslash joins to the next one; 0 when there is none. */
size_t py_joined(const struct py_run *r);
void py_skip_space(struct py_run *r);
/* Goes to the next statement of a block; its column, -1: there is none. */
int py_next_line(struct py_run *r);

/* Takes the text, the word when it stands there behind space. */
bool py_take(struct py_run *r, const char *text);
bool py_at_word(struct py_run *r, const char *word);
bool py_take_word(struct py_run *r, const char *word);

/* Values up to the closing bracket; *commas counts the commas. */
bool py_list(struct py_run *r, const char *closing, struct py_value *item, size_t *count,
	     size_t *commas);

/* The value of a name; `at` is where it stands. */
bool py_name(struct py_run *r, struct pd_text name, const char *at, struct py_value *out);

/* Strings (pystring.c): is one here, with its prefix; those that stand side by side, as one. */
bool py_string_here(const struct py_run *r);
bool py_strings(struct py_run *r, struct py_value *out);

bool py_expression(struct py_run *r, struct py_value *out);

#endif
