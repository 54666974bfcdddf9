/* SPDX-License-Identifier: MIT */
/*
 * Strings of %{ }% blocks as they are written: quotes of both kinds, in threes, prefixes (r, b, u),
 * and the expressions in an f-string, which run where they stand.
 */
#include "packetdrill/pyrun.h"
#include "packetdrill/pysequence.h"

#include <string.h>

#define NO_MEMORY "MemoryError: a value is too large"

struct literal {
	bool raw, format;
	size_t quotes; /* 1 or 3 of them */
	char quote;
};

static bool is_quote(char c)
{
	return c == '\'' || c == '"';
}

bool py_string_here(const struct py_run *r)
{
	const char *p = r->p;

	while (p < r->end && p - r->p < 2 && *p && strchr("rRbBuUfF", *p))
		p++;
	return p < r->end && is_quote(*p);
}

/* Takes the prefix and the opening quotes. */
static void open_literal(struct py_run *r, struct literal *l)
{
	*l = (struct literal){ .quotes = 1 };
	for (; !is_quote(*r->p); r->p++) {
		l->raw |= *r->p == 'r' || *r->p == 'R';
		l->format |= *r->p == 'f' || *r->p == 'F';
	}
	l->quote = *r->p;
	if (r->end - r->p >= 3 && r->p[1] == l->quote && r->p[2] == l->quote)
		l->quotes = 3;
	r->p += l->quotes;
}

static bool at_close(const struct py_run *r, const struct literal *l)
{
	size_t i;

	if ((size_t)(r->end - r->p) < l->quotes)
		return false;
	for (i = 0; i < l->quotes; i++) {
		if (r->p[i] != l->quote)
			return false;
	}
	return true;
}

static int hex_digit(char c)
{
	if (py_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash. */
static void take_escape(struct py_run *r, struct strbuf *text)
{
	static const char names[] = "ntr0abfv", bytes[] = "\n\t\r\0\a\b\f\v";
	char c = *r->p++;
	const char *found = strchr(names, c);

	if (c == '\n')
		return;
	if (c == 'x' && r->end - r->p >= 2 && hex_digit(r->p[0]) >= 0 && hex_digit(r->p[1]) >= 0) {
		strbuf_putc(text, (char)(hex_digit(r->p[0]) * 16 + hex_digit(r->p[1])));
		r->p += 2;
	} else if (found && c) {
		strbuf_putc(text, bytes[found - names]);
	} else {
		if (!strchr("\\'\"", c))
			strbuf_putc(text, '\\');
		strbuf_putc(text, c);
	}
}

/* "{expression}", "{expression!r:spec}" behind the brace. */
static bool take_field(struct py_run *r, const struct literal *l, struct strbuf *text)
{
	struct pd_text spec = { r->p, 0 };
	struct py_value value;
	const char *exception = NULL, *at = r->p;

	r->brackets++;
	if (!py_expression(r, &value))
		return false;
	r->brackets--;
	if (py_take(r, "!r")) {
		struct py_value inner = value;
		bool known;

		exception = py_call("repr", &inner, 1, r->arena, &value, &known);
	} else {
		py_take(r, "!s");
	}
	if (py_take(r, ":")) {
		spec.p = r->p;
		while (r->p < r->end && *r->p != '}' && *r->p != '\n' && !at_close(r, l))
			r->p++;
		spec.len = (size_t)(r->p - spec.p);
	}
	if (!py_take(r, "}"))
		return py_broken(r, "'}' is missing");
	if (r->live && !exception)
		exception = py_format_field(&value, spec, r->arena, text);
	if (!exception && text->len > PY_MAX_STRING)
		exception = NO_MEMORY;
	return py_check(r, exception, at);
}

static bool take_body(struct py_run *r, const struct literal *l, struct strbuf *text)
{
	while (r->p < r->end && !at_close(r, l) && (*r->p != '\n' || l->quotes == 3)) {
		char c = *r->p++;
		bool twice = r->p < r->end && *r->p == c;

		if (c == '\\' && !l->raw && r->p < r->end) {
			take_escape(r, text);
		} else if (l->format && (c == '{' || c == '}') && twice) {
			r->p++;
			strbuf_putc(text, c);
		} else if (l->format && c == '{') {
			if (!take_field(r, l, text))
				return false;
		} else {
			strbuf_putc(text, c);
		}
	}
	if (!at_close(r, l))
		return py_broken(r, "a string has no end");
	r->p += l->quotes;
	return true;
}

static bool one_string(struct py_run *r, struct py_value *out)
{
	struct strbuf text = { 0 };
	struct literal l;
	bool ok;

	open_literal(r, &l);
	ok = take_body(r, &l, &text);
	*out = (struct py_value){ .kind = PY_STRING };
	out->s = pd_arena_text(r->arena, strbuf_text(&text), text.len);
	strbuf_free(&text);
	return ok;
}

bool py_strings(struct py_run *r, struct py_value *out)
{
	const char *at = r->p;
	struct py_value next;

	if (!one_string(r, out))
		return false;
	while (py_skip_space(r), py_string_here(r)) {
		struct py_value first = *out;

		if (!one_string(r, &next))
			return false;
		if (!py_check(r, py_binary("+", &first, &next, r->arena, out), at))
			return false;
	}
	return true;
}
