/* SPDX-License-Identifier: MIT */
/*
 * What %{ }% blocks can do with tuples, lists and strings as sequences: elements, slices, `in`,
 * methods of strings, and the {fields} of format() and f-strings.
 */
#ifndef TAPLINE_PACKETDRILL_PYSEQUENCE_H
#define TAPLINE_PACKETDRILL_PYSEQUENCE_H

#include "packetdrill/pyvalue.h"

/* All of these: NULL, or the exception's text. */

/* v[index] */
const char *py_element(const struct py_value *v, const struct py_value *index,
		       struct pd_arena *arena, struct py_value *out);

/* v[from:to]; NULL: from its beginning, to its end. */
const char *py_slice(const struct py_value *v, const struct py_value *from,
		     const struct py_value *to, struct pd_arena *arena, struct py_value *out);

/* item in v */
const char *py_contains(const struct py_value *v, const struct py_value *item, bool *out);

/* sum, any, all, sorted, tuple, list; *known is false for other names. */
const char *py_call_sequence(const char *name, const struct py_value *v, struct pd_arena *arena,
			     struct py_value *out, bool *known);

/* self.name(arg, ...) of a string; *known is false for methods that there are not. */
const char *py_method(const char *name, const struct py_value *self, const struct py_value *arg,
		      size_t count, struct pd_arena *arena, struct py_value *out, bool *known);

/* One value as `{:spec}` prints it; an empty spec: as str() does. */
const char *py_format_field(const struct py_value *v, struct pd_text spec, struct pd_arena *arena,
			    struct strbuf *out);

#endif
