/* SPDX-License-Identifier: MIT */
/*
 * Values of %{ }% blocks and what can be done with them, as Python does: whole numbers, floats,
 * strings, tuples, lists and None. Whole numbers have 64 bits here; what does not fit is an error.
 */
#ifndef TAPLINE_PACKETDRILL_PYVALUE_H
#define TAPLINE_PACKETDRILL_PYVALUE_H

#include "base/strbuf.h"
#include "packetdrill/arena.h"

enum py_kind { PY_NONE, PY_INT, PY_FLOAT, PY_STRING, PY_TUPLE };

struct py_value {
	enum py_kind kind;
	bool is_bool; /* of PY_INT: True or False */
	s64 i;
	double f;
	struct pd_text s;
	bool is_list; /* of PY_TUPLE: its brackets are square */
	const struct py_value *item; /* of a tuple */
	size_t count;
};

#define PY_MAX_STRING 65536u
#define PY_MAX_ITEMS  4096u /* in a variable, tuples in tuples counted through */

struct py_value py_int(s64 i);
struct py_value py_bool(bool b);
struct py_value py_float(double f);

bool py_true(const struct py_value *v);

/* As str() prints it. */
void py_print(const struct py_value *v, struct strbuf *out);

/*
 * One operation: "+", "-", "*", "/", "//", "%", "**", "|", "&", "^", "<<", ">>". NULL, or the
 * exception's text.
 */
const char *py_binary(const char *op, const struct py_value *a, const struct py_value *b,
		      struct pd_arena *arena, struct py_value *out);

/* "<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not". */
const char *py_compare(const char *op, const struct py_value *a, const struct py_value *b,
		       bool *out);

/* A call of round, abs, min, max, len, float, int, str, repr, hex, bool, or of py_call_sequence();
 * *known is false for others. */
const char *py_call(const char *name, const struct py_value *arg, size_t count,
		    struct pd_arena *arena, struct py_value *out, bool *known);

#endif
