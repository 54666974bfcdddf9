/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic, comparison, formatting and the few built-in functions. Nothing here overflows: what
 * leaves 64 bits is an exception.
 */
#include "packetdrill/pyvalue.h"

#include "packetdrill/pysequence.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOO_LARGE "OverflowError: a number leaves 64 bits"
#define NO_MEMORY "MemoryError: a value is too large"
#define BAD_TYPES "TypeError: unsupported operand types"

struct py_value py_int(s64 i)
{
	return (struct py_value){ .kind = PY_INT, .i = i };
}

struct py_value py_bool(bool b)
{
	return (struct py_value){ .kind = PY_INT, .is_bool = true, .i = b };
}

struct py_value py_float(double f)
{
	return (struct py_value){ .kind = PY_FLOAT, .f = f };
}

bool py_true(const struct py_value *v)
{
	switch (v->kind) {
	case PY_INT:
		return v->i != 0;
	case PY_FLOAT:
		return v->f != 0;
	case PY_STRING:
		return v->s.len != 0;
	case PY_TUPLE:
		return v->count != 0;
	default:
		return false;
	}
}

/* The fewest digits that read back as the same float; with an exponent where Python has one. */
static void print_float(double f, struct strbuf *out)
{
	bool plain = !(fabs(f) >= 1e16) && (!(fabs(f) < 1e-4) || !(f < 0 || f > 0));
	char text[48];
	double back;
	int digits;

	for (digits = 1; digits <= 20; digits++) {
		if (plain)
			snprintf(text, sizeof(text), "%.*f", digits, f);
		else
			snprintf(text, sizeof(text), "%.*g", digits, f);
		if (sscanf(text, "%lf", &back) != 1 || !(back < f || back > f))
			break;
	}
	strbuf_puts(out, text);
}

/* As repr() prints it: strings in quotes. */
static void print_repr(const struct py_value *v, struct strbuf *out)
{
	const char *quote;
	size_t i;

	if (v->kind != PY_STRING) {
		py_print(v, out);
		return;
	}
	quote = v->s.len && memchr(v->s.p, '\'', v->s.len) ? "\"" : "'";
	strbuf_puts(out, quote);
	for (i = 0; i < v->s.len; i++) {
		char c = v->s.p[i];

		if (c == '\n' || c == '\t')
			strbuf_puts(out, c == '\n' ? "\\n" : "\\t");
		else
			strbuf_putc(out, c);
	}
	strbuf_puts(out, quote);
}

void py_print(const struct py_value *v, struct strbuf *out)
{
	size_t i;

	switch (v->kind) {
	case PY_NONE:
		strbuf_puts(out, "None");
		break;
	case PY_INT:
		if (v->is_bool)
			strbuf_puts(out, v->i ? "True" : "False");
		else
			strbuf_printf(out, "%lld", (long long)v->i);
		break;
	case PY_FLOAT:
		print_float(v->f, out);
		break;
	case PY_STRING:
		strbuf_add(out, v->s.p, v->s.len);
		break;
	case PY_TUPLE:
		strbuf_putc(out, v->is_list ? '[' : '(');
		for (i = 0; i < v->count; i++) {
			strbuf_puts(out, i ? ", " : "");
			print_repr(&v->item[i], out);
		}
		strbuf_puts(out, v->is_list ? "]" : v->count == 1 ? ",)" : ")");
		break;
	}
}

static double as_float(const struct py_value *v)
{
	return v->kind == PY_FLOAT ? v->f : (double)v->i;
}

static bool is_number(const struct py_value *v)
{
	return v->kind == PY_INT || v->kind == PY_FLOAT;
}

/* A float without its fraction; false when it is too large (or no number). */
static bool to_int(double f, s64 *out)
{
	if (!(f >= -9e18 && f <= 9e18))
		return false;
	*out = (s64)f;
	return true;
}

/* Quotient and rest towards minus infinity. */
static const char *divide(s64 a, s64 b, s64 *quotient, s64 *rest)
{
	if (b == 0)
		return "ZeroDivisionError: division by zero";
	if (b == -1) {
		*rest = 0;
		return __builtin_sub_overflow(0, a, quotient) ? TOO_LARGE : NULL;
	}
	*quotient = a / b;
	*rest = a % b;
	if (*rest != 0 && (*rest < 0) != (b < 0)) {
		*quotient -= 1;
		*rest += b;
	}
	return NULL;
}

static const char *power(s64 base, s64 exponent, s64 *out)
{
	s64 result = 1;

	if (exponent < 0)
		return "ValueError: a negative power";
	if (base == 0 || base == 1) {
		*out = exponent ? base : 1;
		return NULL;
	}
	/* |base| > 1 leaves 64 bits within 64 steps; -1 only changes its sign. */
	if (base == -1)
		exponent &= 1;
	for (; exponent > 0; exponent--) {
		if (__builtin_mul_overflow(result, base, &result))
			return TOO_LARGE;
	}
	*out = result;
	return NULL;
}

static const char *shift(const char *op, s64 a, s64 b, s64 *out)
{
	if (b < 0)
		return "ValueError: negative shift count";
	if (op[0] == '>') {
		*out = b > 62 ? (a < 0 ? -1 : 0) : (a < 0 ? ~(~a >> b) : a >> b);
		return NULL;
	}
	if (a == 0) {
		*out = 0;
		return NULL;
	}
	if (b > 62 || __builtin_mul_overflow(a, (s64)1 << b, out))
		return TOO_LARGE;
	return NULL;
}

static const char *int_binary(const char *op, s64 a, s64 b, struct py_value *out)
{
	s64 quotient = 0, rest = 0, r = 0;
	const char *error = NULL;

	if (strcmp(op, "+") == 0)
		error = __builtin_add_overflow(a, b, &r) ? TOO_LARGE : NULL;
	else if (strcmp(op, "-") == 0)
		error = __builtin_sub_overflow(a, b, &r) ? TOO_LARGE : NULL;
	else if (strcmp(op, "*") == 0)
		error = __builtin_mul_overflow(a, b, &r) ? TOO_LARGE : NULL;
	else if (strcmp(op, "**") == 0)
		error = power(a, b, &r);
	else if (strcmp(op, "|") == 0)
		r = a | b;
	else if (strcmp(op, "&") == 0)
		r = a & b;
	else if (strcmp(op, "^") == 0)
		r = a ^ b;
	else if (op[0] == '<' || op[0] == '>')
		error = shift(op, a, b, &r);
	else
		error = divide(a, b, &quotient, &rest);
	if (strcmp(op, "//") == 0)
		r = quotient;
	else if (strcmp(op, "%") == 0)
		r = rest;
	*out = py_int(r);
	return error;
}

static const char *float_binary(const char *op, double a, double b, struct py_value *out)
{
	double r;

	if (strcmp(op, "+") == 0)
		r = a + b;
	else if (strcmp(op, "-") == 0)
		r = a - b;
	else if (strcmp(op, "*") == 0)
		r = a * b;
	else if (strcmp(op, "**") == 0)
		r = pow(a, b);
	else if (strchr("/%", op[0])) {
		if (!(b < 0 || b > 0))
			return "ZeroDivisionError: division by zero";
		if (op[0] == '%')
			r = a - b * floor(a / b);
		else
			r = op[1] ? floor(a / b) : a / b;
	} else {
		return BAD_TYPES;
	}
	*out = py_float(r);
	return NULL;
}

/* One conversion "%-5.2f" of format; *at stands behind the "%". */
static const char *format_one(const struct pd_text *format, size_t *at, const struct py_value *v,
			      struct strbuf *out)
{
	char spec[40] = "%";
	struct strbuf text = { 0 };
	size_t n = 1;
	s64 whole = 0;
	char c;

	while (*at < format->len && strchr("-+ #0123456789.", format->p[*at]) && format->p[*at]) {
		if (n > 6)
			return "ValueError: a format is too long";
		spec[n++] = format->p[(*at)++];
	}
	if (*at == format->len)
		return "ValueError: incomplete format";
	c = format->p[(*at)++];
	if (strchr("diuxXoc", c) && c) {
		if (!is_number(v))
			return "TypeError: %d format: a number is required";
		if (v->kind == PY_INT)
			whole = v->i;
		else if (!to_int(v->f, &whole))
			return TOO_LARGE;
		snprintf(spec + n, sizeof(spec) - n, "ll%c", c == 'i' || c == 'u' ? 'd' : c);
		if (c == 'c')
			snprintf(spec + n, sizeof(spec) - n, "lld");
	} else if (strchr("fFeEgG", c) && c) {
		if (!is_number(v))
			return "TypeError: must be real number";
		snprintf(spec + n, sizeof(spec) - n, "%c", c);
	} else if (c == 's' || c == 'r') {
		snprintf(spec + n, sizeof(spec) - n, "s");
	} else {
		return "ValueError: unsupported format character";
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (c == 's' || c == 'r') {
		if (c == 'r')
			print_repr(v, &text);
		else
			py_print(v, &text);
		strbuf_printf(out, spec, strbuf_text(&text));
		strbuf_free(&text);
	} else if (strchr("fFeEgG", c)) {
		strbuf_printf(out, spec, as_float(v));
	} else {
		strbuf_printf(out, spec, (long long)whole);
	}
#pragma GCC diagnostic pop
	return NULL;
}

static const char *format_string(const struct pd_text *format, const struct py_value *args,
				 struct pd_arena *arena, struct py_value *out)
{
	bool several = args->kind == PY_TUPLE && !args->is_list;
	const struct py_value *item = several ? args->item : args;
	size_t count = several ? args->count : 1;
	struct strbuf text = { 0 };
	const char *error = NULL;
	size_t at = 0, used = 0;

	while (at < format->len && !error) {
		char c = format->p[at++];

		if (c != '%') {
			strbuf_putc(&text, c);
		} else if (at < format->len && format->p[at] == '%') {
			strbuf_putc(&text, '%');
			at++;
		} else if (used == count) {
			error = "TypeError: not enough arguments for format string";
		} else {
			error = format_one(format, &at, &item[used++], &text);
		}
		if (!error && text.len > PY_MAX_STRING)
			error = NO_MEMORY;
	}
	if (!error && used < count)
		error = "TypeError: not all arguments converted during string formatting";
	if (!error) {
		*out = (struct py_value){ .kind = PY_STRING };
		out->s = pd_arena_text(arena, text.data, text.len);
	}
	strbuf_free(&text);
	return error;
}

static const char *join_strings(const struct pd_text *a, const struct pd_text *b,
				struct pd_arena *arena, struct py_value *out)
{
	char *bytes;

	if (a->len + b->len > PY_MAX_STRING)
		return NO_MEMORY;
	bytes = pd_arena_alloc(arena, a->len + b->len + 1);

	memcpy(bytes, a->p, a->len);
	memcpy(bytes + a->len, b->p, b->len);
	*out = (struct py_value){ .kind = PY_STRING, .s = { bytes, a->len + b->len } };
	return NULL;
}

static const char *join_lists(const struct py_value *a, const struct py_value *b,
			      struct pd_arena *arena, struct py_value *out)
{
	struct py_value *item;

	if (a->count + b->count > PY_MAX_ITEMS)
		return NO_MEMORY;
	item = pd_arena_alloc(arena, (a->count + b->count + 1) * sizeof(*item));
	if (a->count)
		memcpy(item, a->item, a->count * sizeof(*item));
	if (b->count)
		memcpy(item + a->count, b->item, b->count * sizeof(*item));
	*out = *a;
	out->item = item;
	out->count = a->count + b->count;
	return NULL;
}

const char *py_binary(const char *op, const struct py_value *a, const struct py_value *b,
		      struct pd_arena *arena, struct py_value *out)
{
	if (a->kind == PY_STRING && strcmp(op, "%") == 0)
		return format_string(&a->s, b, arena, out);
	if (a->kind == PY_STRING && b->kind == PY_STRING && strcmp(op, "+") == 0)
		return join_strings(&a->s, &b->s, arena, out);
	if (a->kind == PY_TUPLE && b->kind == PY_TUPLE && a->is_list == b->is_list &&
	    strcmp(op, "+") == 0)
		return join_lists(a, b, arena, out);
	if (!is_number(a) || !is_number(b))
		return BAD_TYPES;
	/* Division is of floats, as in Python 3. */
	if (a->kind == PY_FLOAT || b->kind == PY_FLOAT || strcmp(op, "/") == 0)
		return float_binary(op, as_float(a), as_float(b), out);
	return int_binary(op, a->i, b->i, out);
}

static int order_of(const struct py_value *a, const struct py_value *b);

/* The first two items that differ decide; then the longer one is the greater. */
static int order_of_items(const struct py_value *a, const struct py_value *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++) {
		int order = order_of(&a->item[i], &b->item[i]);

		if (order != 0)
			return order;
	}
	return a->count < b->count ? -1 : a->count > b->count;
}

/* -1, 0, 1; 2 when there is no order. */
static int order_of(const struct py_value *a, const struct py_value *b)
{
	if (a->kind == PY_INT && b->kind == PY_INT)
		return a->i < b->i ? -1 : a->i > b->i;
	if (is_number(a) && is_number(b)) {
		double x = as_float(a), y = as_float(b);

		return x < y ? -1 : x > y ? 1 : 0;
	}
	if (a->kind == PY_STRING && b->kind == PY_STRING) {
		size_t n = a->s.len < b->s.len ? a->s.len : b->s.len;
		int order = memcmp(a->s.p, b->s.p, n);

		if (order == 0)
			return a->s.len < b->s.len ? -1 : a->s.len > b->s.len;
		return order < 0 ? -1 : 1;
	}
	if (a->kind == PY_TUPLE && b->kind == PY_TUPLE && a->is_list == b->is_list)
		return order_of_items(a, b);
	if (a->kind == PY_NONE && b->kind == PY_NONE)
		return 0;
	return 2;
}

const char *py_compare(const char *op, const struct py_value *a, const struct py_value *b,
		       bool *out)
{
	int order = order_of(a, b);
	const char *error;

	if (op[0] == 'i' && op[1] == 'n')
		return py_contains(b, a, out);
	if (op[0] == 'n') {
		error = py_contains(b, a, out);
		*out = !*out;
		return error;
	}
	/* There is one None, one True, one False: no two values that are alike are not the same. */
	if (strcmp(op, "==") == 0 || strcmp(op, "is") == 0)
		*out = order == 0;
	else if (strcmp(op, "!=") == 0 || strcmp(op, "is not") == 0)
		*out = order != 0;
	else if (order == 2)
		return "TypeError: these two have no order";
	else if (op[0] == '<')
		*out = order < 0 || (op[1] && order == 0);
	else
		*out = order > 0 || (op[1] && order == 0);
	return NULL;
}

static const char *convert_int(const struct py_value *v, struct py_value *out)
{
	s64 whole = v->i;

	if (!is_number(v))
		return "TypeError: int() of this";
	if (v->kind == PY_FLOAT && !to_int(v->f, &whole))
		return TOO_LARGE;
	*out = py_int(whole);
	return NULL;
}

/* round(): halves go to the even neighbour. */
static const char *round_value(const struct py_value *arg, size_t count, struct py_value *out)
{
	double scale;
	s64 whole;

	if (count == 0 || count > 2 || !is_number(&arg[0]) || (count == 2 && arg[1].kind != PY_INT))
		return "TypeError: round() takes a number, and a number of digits";
	if (arg[0].kind == PY_INT) {
		*out = py_int(arg[0].i);
		return NULL;
	}
	if (count == 2) {
		scale = pow(10, (double)arg[1].i);
		*out = py_float(nearbyint(arg[0].f * scale) / scale);
		return NULL;
	}
	if (!to_int(nearbyint(arg[0].f), &whole))
		return TOO_LARGE;
	*out = py_int(whole);
	return NULL;
}

static const char *extreme(bool largest, const struct py_value *arg, size_t count,
			   struct py_value *out)
{
	size_t i;

	if (count == 1 && arg->kind == PY_TUPLE) {
		count = arg->count;
		arg = arg->item;
	}
	if (count == 0)
		return "TypeError: min() and max() need something to choose from";
	*out = arg[0];
	for (i = 1; i < count; i++) {
		int order = order_of(&arg[i], out);

		if (order == 2)
			return "TypeError: these have no order";
		if (largest ? order > 0 : order < 0)
			*out = arg[i];
	}
	return NULL;
}

static const char *call_one(const char *name, const struct py_value *v, struct pd_arena *arena,
			    struct py_value *out)
{
	struct strbuf text = { 0 };

	if (strcmp(name, "int") == 0)
		return convert_int(v, out);
	if (strcmp(name, "bool") == 0) {
		*out = py_bool(py_true(v));
		return NULL;
	}
	if (strcmp(name, "str") == 0 || strcmp(name, "repr") == 0 || strcmp(name, "hex") == 0) {
		if (name[0] == 'h' && v->kind != PY_INT)
			return "TypeError: hex() of this";
		if (name[0] == 'h')
			strbuf_printf(&text, "%s0x%llx", v->i < 0 ? "-" : "",
				      (unsigned long long)(v->i < 0 ? 0 - (u64)v->i : (u64)v->i));
		else if (name[0] == 'r')
			print_repr(v, &text);
		else
			py_print(v, &text);
		*out = (struct py_value){ .kind = PY_STRING };
		if (text.len <= PY_MAX_STRING)
			out->s = pd_arena_text(arena, text.data, text.len);
		strbuf_free(&text);
		return out->s.p ? NULL : NO_MEMORY;
	}
	if (strcmp(name, "len") == 0) {
		if (v->kind != PY_STRING && v->kind != PY_TUPLE)
			return "TypeError: this has no len()";
		*out = py_int((s64)(v->kind == PY_STRING ? v->s.len : v->count));
		return NULL;
	}
	if (!is_number(v))
		return "TypeError: a number is required";
	if (strcmp(name, "float") == 0)
		*out = py_float(as_float(v));
	else if (v->kind == PY_FLOAT)
		*out = py_float(fabs(v->f));
	else if (v->i < 0)
		return int_binary("-", 0, v->i, out);
	else
		*out = py_int(v->i);
	return NULL;
}

const char *py_call(const char *name, const struct py_value *arg, size_t count,
		    struct pd_arena *arena, struct py_value *out, bool *known)
{
	static const char *const ones[] = { "int",   "bool", "str", "len",
					    "float", "abs",  "hex", "repr" };
	size_t i;

	*known = true;
	if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0)
		return extreme(name[1] == 'a', arg, count, out);
	if (strcmp(name, "round") == 0)
		return round_value(arg, count, out);
	for (i = 0; i < sizeof(ones) / sizeof(ones[0]); i++) {
		if (strcmp(name, ones[i]) == 0)
			return count == 1 ? call_one(name, arg, arena, out) :
					    "TypeError: one argument is expected";
	}
	if (count == 1)
		return py_call_sequence(name, arg, arena, out, known);
	*known = false;
	return NULL;
}
