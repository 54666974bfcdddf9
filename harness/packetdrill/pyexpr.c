/* SPDX-License-Identifier: MIT */
/*
 * Expressions of %{ }% blocks: operands, operators by level, and the reading of words.
 */
#include "packetdrill/pyrun.h"
#include "packetdrill/pysequence.h"
#include "packetdrill/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_of(const struct py_run *r, const char *at)
{
	int line = r->first_line;
	const char *p;

	for (p = r->begin; p < at; p++)
		line += *p == '\n';
	return line;
}

bool py_fail(struct py_run *r, enum pd_python_result result, const char *at, const char *word,
	     const char *text)
{
	if (r->result != PD_PYTHON_OK)
		return false;
	r->result = result;
	pd_error_set(r->error, word ? PD_ERROR_UNKNOWN : PD_ERROR_SYNTAX, r->py->path,
		     line_of(r, at), word, "%s%s%s%s", text, word ? " '" : "", word ? word : "",
		     word ? "'" : "");
	return false;
}

bool py_broken(struct py_run *r, const char *text)
{
	char message[120];
	int n = 0;

	while (r->p + n < r->end && n < 20 && r->p[n] >= ' ' && r->p[n] <= '~')
		n++;
	snprintf(message, sizeof(message), "%s at '%.*s'", text, n, r->p);
	return py_fail(r, PD_PYTHON_ERROR, r->p, NULL, message);
}

bool py_check(struct py_run *r, const char *exception, const char *at)
{
	if (!exception || !r->live)
		return r->result == PD_PYTHON_OK;
	return py_fail(r, PD_PYTHON_FAILED, at, NULL, exception);
}

bool py_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool py_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool py_starts(const struct py_run *r, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(r->end - r->p) >= len && memcmp(r->p, text, len) == 0;
}

size_t py_joined(const struct py_run *r)
{
	const char *p = r->p;

	if (p == r->end || *p++ != '\\')
		return 0;
	while (p < r->end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p < r->end && *p == '\n' ? (size_t)(p + 1 - r->p) : 0;
}

void py_skip_space(struct py_run *r)
{
	size_t n;

	for (;;) {
		if (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r' ||
				      (*r->p == '\n' && r->brackets)))
			r->p++;
		else if ((n = py_joined(r)))
			r->p += n;
		else if (r->p < r->end && *r->p == '#')
			while (r->p < r->end && *r->p != '\n')
				r->p++;
		else
			break;
	}
}

bool py_take(struct py_run *r, const char *text)
{
	py_skip_space(r);
	if (!py_starts(r, text))
		return false;
	r->p += strlen(text);
	return true;
}

bool py_at_word(struct py_run *r, const char *word)
{
	size_t len = strlen(word);

	py_skip_space(r);
	return py_starts(r, word) &&
	       !(r->p + len < r->end && (py_is_letter(r->p[len]) || py_is_digit(r->p[len])));
}

bool py_take_word(struct py_run *r, const char *word)
{
	if (!py_at_word(r, word))
		return false;
	r->p += strlen(word);
	return true;
}

/* ---- Operands ---- */

static bool parse_number(struct py_run *r, struct py_value *out)
{
	char text[64];
	size_t n = 0;
	bool hex = py_starts(r, "0x") || py_starts(r, "0X"), fraction = false;
	unsigned long long value;
	char *rest;

	while (r->p + n < r->end && n < sizeof(text) - 1) {
		char c = r->p[n];
		bool exponent = !hex && n && (text[n - 1] == 'e' || text[n - 1] == 'E');

		if (!(py_is_digit(c) || py_is_letter(c) || c == '.' ||
		      (exponent && (c == '-' || c == '+'))))
			break;
		fraction |= !hex && (c == '.' || c == 'e' || c == 'E');
		text[n++] = c;
	}
	text[n] = '\0';
	if (fraction) {
		*out = py_float(strtod(text, &rest));
	} else {
		value = strtoull(text, &rest, hex ? 16 : 10);
		if (value > 0x7fffffffffffffff)
			return py_broken(r, "a number is too large");
		*out = py_int((s64)value);
	}
	if (*rest)
		return py_broken(r, "this is no number");
	r->p += n;
	return true;
}

bool py_list(struct py_run *r, const char *closing, struct py_value *item, size_t *count,
	     size_t *commas)
{
	*count = *commas = 0;
	r->brackets++;
	while (!py_take(r, closing)) {
		if (*count == PY_MAX_ARGS)
			return py_broken(r, "a list is too long");
		if (!py_expression(r, &item[(*count)++]))
			return false;
		if (py_take(r, ","))
			(*commas)++;
		else if (py_at_word(r, "for"))
			return py_fail(r, PD_PYTHON_ERROR, r->p, "for", "unknown expression");
		else if (!(py_skip_space(r), py_starts(r, closing)))
			return py_broken(r, "a closing bracket is missing");
	}
	r->brackets--;
	return true;
}

/* "(a, b)", "[a, b]" behind the bracket, or what brackets only hold together. */
static bool parse_paren(struct py_run *r, bool square, struct py_value *out)
{
	struct py_value item[PY_MAX_ARGS], *copy;
	size_t count, commas;

	if (!py_list(r, square ? "]" : ")", item, &count, &commas))
		return false;
	if (count == 1 && commas == 0 && !square) {
		*out = item[0];
		return true;
	}
	copy = pd_arena_alloc(r->arena, (count + 1) * sizeof(*copy));
	memcpy(copy, item, count * sizeof(*copy));
	*out = (struct py_value){
		.kind = PY_TUPLE, .is_list = square, .item = copy, .count = count
	};
	return true;
}

static const struct py_value *find_variable(const struct pd_python *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->variables; i++) {
		if (strcmp(p->variable[i].name, name) == 0)
			return &p->variable[i].value;
	}
	return NULL;
}

bool py_name(struct py_run *r, struct pd_text name, const char *at, struct py_value *out)
{
	const struct py_value *variable = find_variable(r->py, name.p);
	s64 number;

	*out = py_int(0);
	if (variable)
		*out = *variable;
	else if (strcmp(name.p, "True") == 0 || strcmp(name.p, "False") == 0)
		*out = py_bool(name.p[0] == 'T');
	else if (strcmp(name.p, "None") == 0)
		*out = (struct py_value){ .kind = PY_NONE };
	else if (r->lookup && r->live && r->lookup(r->ctx, name.p, &number))
		*out = py_int(number);
	else if (pd_symbol_find_info(name.p, name.len, &number) ||
		 pd_symbol_find(name.p, name.len, &number))
		*out = py_int(number);
	else if (r->live)
		return py_fail(r, PD_PYTHON_ERROR, at, name.p, "unknown name");
	return true;
}

static struct pd_text take_word(struct py_run *r)
{
	const char *at = r->p;

	while (r->p < r->end && (py_is_letter(*r->p) || py_is_digit(*r->p)))
		r->p++;
	return pd_arena_text(r->arena, at, (size_t)(r->p - at));
}

static bool parse_name(struct py_run *r, struct py_value *out)
{
	struct py_value arg[PY_MAX_ARGS];
	const char *at = r->p, *exception;
	struct pd_text name = take_word(r);
	size_t count, commas;
	bool known;

	if (!py_take(r, "("))
		return py_name(r, name, at, out);
	if (!py_list(r, ")", arg, &count, &commas))
		return false;
	exception = py_call(name.p, arg, count, r->arena, out, &known);
	if (!known)
		return py_fail(r, PD_PYTHON_ERROR, at, name.p, "unknown function");
	if (exception)
		*out = py_int(0);
	return py_check(r, exception, at);
}

static bool parse_atom(struct py_run *r, struct py_value *out)
{
	*out = py_int(0);
	if (py_take(r, "("))
		return parse_paren(r, false, out);
	if (py_take(r, "["))
		return parse_paren(r, true, out);
	if (py_string_here(r))
		return py_strings(r, out);
	if (r->p < r->end &&
	    (py_is_digit(*r->p) || (*r->p == '.' && r->p + 1 < r->end && py_is_digit(r->p[1]))))
		return parse_number(r, out);
	if (r->p < r->end && py_is_letter(*r->p))
		return parse_name(r, out);
	return py_broken(r, "a value is missing");
}

/* "[i]", "[a:b]" behind the bracket. */
static bool parse_subscript(struct py_run *r, struct py_value *v)
{
	struct py_value from, to, whole = *v;
	const char *at = r->p, *exception;
	bool has_from, has_to = false, slice;

	*v = py_int(0);
	r->brackets++;
	has_from = !(py_skip_space(r), py_starts(r, ":"));
	if (has_from && !py_expression(r, &from))
		return false;
	slice = py_take(r, ":");
	has_to = slice && !(py_skip_space(r), py_starts(r, "]"));
	if (has_to && !py_expression(r, &to))
		return false;
	if (!py_take(r, "]"))
		return py_broken(r, "a closing bracket is missing");
	r->brackets--;
	if (!r->live)
		return true;
	exception = slice ? py_slice(&whole, has_from ? &from : NULL, has_to ? &to : NULL, r->arena,
				     v) :
			    py_element(&whole, &from, r->arena, v);
	return py_check(r, exception, at);
}

/* ".name(...)" behind the dot. */
static bool parse_method(struct py_run *r, struct py_value *v)
{
	struct py_value arg[PY_MAX_ARGS], self = *v;
	const char *at = r->p, *exception;
	struct pd_text name = take_word(r);
	size_t count, commas;
	bool known;

	if (!py_take(r, "("))
		return py_fail(r, PD_PYTHON_ERROR, at, name.p, "unknown attribute");
	if (!py_list(r, ")", arg, &count, &commas))
		return false;
	*v = py_int(0);
	if (!r->live)
		return true;
	exception = py_method(name.p, &self, arg, count, r->arena, v, &known);
	if (!known)
		return py_fail(r, PD_PYTHON_ERROR, at, name.p, "unknown method");
	return py_check(r, exception, at);
}

static bool parse_operand(struct py_run *r, struct py_value *out)
{
	if (!parse_atom(r, out))
		return false;
	for (;;) {
		bool dot;

		py_skip_space(r);
		dot = py_starts(r, ".") && r->p + 1 < r->end && py_is_letter(r->p[1]);
		if (dot)
			r->p++;
		else if (!py_take(r, "["))
			return true;
		if (!(dot ? parse_method(r, out) : parse_subscript(r, out)))
			return false;
	}
}

/* ---- Operators ---- */

static bool parse_unary(struct py_run *r, struct py_value *out)
{
	struct py_value zero = py_int(0), inner;
	const char *at, *exception;
	bool ok;
	char c;

	py_skip_space(r);
	at = r->p;
	c = r->p < r->end ? *r->p : '\0';
	if (c != '-' && c != '+' && c != '~') {
		if (!parse_operand(r, out))
			return false;
		if (!py_take(r, "**"))
			return true;
		inner = *out;
		if (++r->depth > PY_MAX_DEPTH)
			return py_broken(r, "brackets or operators are nested too deep");
		ok = parse_unary(r, &zero);
		r->depth--;
		return ok && py_check(r, py_binary("**", &inner, &zero, r->arena, out), at);
	}
	r->p++;
	if (++r->depth > PY_MAX_DEPTH)
		return py_broken(r, "brackets or operators are nested too deep");
	ok = parse_unary(r, &inner);
	r->depth--;
	if (!ok)
		return false;
	if (c == '~')
		zero = py_int(-1);
	exception = py_binary(c == '~' ? "^" : c == '-' ? "-" : "+", &zero, &inner, r->arena, out);
	return py_check(r, exception, at);
}

/* Binary operators from the loosest level to the tightest; longer ones before their beginnings. */
static const char *const levels[][5] = {
	{ "|" }, { "^" }, { "&" }, { "<<", ">>" }, { "+", "-" }, { "*", "//", "/", "%" },
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

/* The op of that level that stands here; NULL when none does. */
static const char *operator_here(struct py_run *r, size_t level)
{
	size_t i;

	py_skip_space(r);
	for (i = 0; levels[level][i]; i++) {
		const char *op = levels[level][i];
		size_t len = strlen(op);

		/* Not "*" of "**", nor any of "+=". */
		if (py_starts(r, op) && !py_starts(r, "**") &&
		    !(r->p + len < r->end && r->p[len] == '='))
			return op;
	}
	return NULL;
}

static bool parse_level(struct py_run *r, size_t level, struct py_value *out)
{
	const char *op;

	if (level == LEVELS)
		return parse_unary(r, out);
	if (!parse_level(r, level + 1, out))
		return false;
	while ((op = operator_here(r, level))) {
		struct py_value left = *out, right;
		const char *at = r->p;

		r->p += strlen(op);
		if (!parse_level(r, level + 1, &right))
			return false;
		*out = py_int(0);
		if (r->live && !py_check(r, py_binary(op, &left, &right, r->arena, out), at))
			return false;
	}
	return true;
}

/* The comparison that stands here, which is taken; NULL when none does. */
static const char *comparison_here(struct py_run *r)
{
	static const char *const operators[] = { "==", "!=", "<=", ">=", "<", ">" };
	const char *here;
	size_t i;

	py_skip_space(r);
	for (i = 0; i < 6; i++) {
		if (py_take(r, operators[i]))
			return operators[i];
	}
	if (py_take_word(r, "in"))
		return "in";
	if (py_take_word(r, "is"))
		return py_take_word(r, "not") ? "is not" : "is";
	here = r->p;
	if (py_take_word(r, "not") && py_take_word(r, "in"))
		return "not in";
	r->p = here;
	return NULL;
}

/* a < b <= c: all of the neighbours. */
static bool parse_comparison(struct py_run *r, struct py_value *out)
{
	const char *op;
	struct py_value left;
	bool all = true, any = false, one = true;

	if (!parse_level(r, 0, out))
		return false;
	while ((op = comparison_here(r))) {
		const char *at = r->p;

		left = *out;
		any = true;
		if (!parse_level(r, 0, out))
			return false;
		if (r->live && !py_check(r, py_compare(op, &left, out, &one), at))
			return false;
		all = all && one;
	}
	if (any)
		*out = py_bool(all);
	return true;
}

static bool parse_not(struct py_run *r, struct py_value *out)
{
	bool ok;

	if (!py_take_word(r, "not"))
		return parse_comparison(r, out);
	if (++r->depth > PY_MAX_DEPTH)
		return py_broken(r, "brackets or operators are nested too deep");
	ok = parse_not(r, out);
	r->depth--;
	if (ok)
		*out = py_bool(!py_true(out));
	return ok;
}

/* and, or: the right side runs only when the left one does not decide; the value is a side's. */
static bool parse_logic(struct py_run *r, bool is_or, struct py_value *out)
{
	if (!(is_or ? parse_logic(r, false, out) : parse_not(r, out)))
		return false;
	while (py_take_word(r, is_or ? "or" : "and")) {
		bool live = r->live, decided = py_true(out) == is_or;
		struct py_value right;

		r->live = live && !decided;
		if (!(is_or ? parse_logic(r, false, &right) : parse_not(r, &right)))
			return false;
		r->live = live;
		if (!decided)
			*out = right;
	}
	return true;
}

/*
 * An expression: "a", or "a if b else c". Python runs `a` only when b holds; here it runs at once,
 * as it has no effects: only an exception in it would show.
 */
bool py_expression(struct py_run *r, struct py_value *out)
{
	struct py_value condition, other;
	bool live = r->live;

	if (++r->depth > PY_MAX_DEPTH)
		return py_broken(r, "brackets or operators are nested too deep");
	if (!parse_logic(r, true, out))
		return false;
	if (py_take_word(r, "if")) {
		if (!parse_logic(r, true, &condition))
			return false;
		if (!py_take_word(r, "else"))
			return py_broken(r, "'else' is missing");
		r->live = live && !py_true(&condition);
		if (!py_expression(r, &other))
			return false;
		r->live = live;
		if (!py_true(&condition))
			*out = other;
	}
	r->depth--;
	return true;
}
