/* SPDX-License-Identifier: MIT */
/*
 * Statements of %{ }% blocks, and the variables that live on from block to block.
 */
#include "packetdrill/pycode.h"

#include "packetdrill/pyrun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pd_python *pd_python_new(const char *script_path)
{
	struct pd_python *p = xrealloc(NULL, sizeof(*p));

	*p = (struct pd_python){ .path = xstrdup(script_path), .arena = pd_arena_new() };
	return p;
}

void pd_python_free(struct pd_python *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->variables; i++)
		free(p->variable[i].name);
	free(p->variable);
	free(p->path);
	pd_arena_free(p->arena);
	free(p);
}

/* ---- Statements ---- */

/* A copy that lives as long as the evaluator; *left counts the items that it may have still. */
static struct py_value keep(struct pd_arena *arena, const struct py_value *v, size_t *left)
{
	struct py_value copy = *v, *item;
	size_t i;

	if (*left)
		(*left)--;
	if (*left == 0)
		return py_int(0);
	if (v->kind == PY_STRING)
		copy.s = pd_arena_text(arena, v->s.p, v->s.len);
	if (v->kind == PY_TUPLE) {
		item = pd_arena_alloc(arena, (v->count + 1) * sizeof(*item));
		for (i = 0; i < v->count; i++)
			item[i] = keep(arena, &v->item[i], left);
		copy.item = item;
	}
	return copy;
}

/* False: the value is too large. */
static bool assign(struct pd_python *p, const char *name, const struct py_value *v)
{
	size_t i, left = PY_MAX_ITEMS;

	for (i = 0; i < p->variables && strcmp(p->variable[i].name, name) != 0; i++)
		;
	if (i == p->variables) {
		p->variable = xrealloc(p->variable, (i + 1) * sizeof(*p->variable));
		p->variable[i].name = xstrdup(name);
		p->variables++;
	}
	p->variable[i].value = keep(p->arena, v, &left);
	return left > 0;
}

/* A value, or several with commas between: a tuple. */
static bool parse_values(struct py_run *r, struct py_value *out)
{
	struct py_value item[PY_MAX_ARGS], *copy;
	size_t count = 1;

	if (!py_expression(r, &item[0]))
		return false;
	while (py_take(r, ",")) {
		if (count == PY_MAX_ARGS)
			return py_broken(r, "a list is too long");
		if (!py_expression(r, &item[count++]))
			return false;
	}
	*out = item[0];
	if (count == 1)
		return true;
	copy = pd_arena_alloc(r->arena, count * sizeof(*copy));
	memcpy(copy, item, count * sizeof(*copy));
	*out = (struct py_value){ .kind = PY_TUPLE, .item = copy, .count = count };
	return true;
}

static bool run_assert(struct py_run *r)
{
	struct py_value condition, message;
	struct strbuf text = { 0 };
	const char *begin, *behind, *at;
	bool has_message;

	py_skip_space(r);
	begin = at = r->p;
	if (!py_expression(r, &condition))
		return false;
	behind = r->p;
	has_message = py_take(r, ",");
	if (has_message && !py_expression(r, &message))
		return false;
	if (!r->live || py_true(&condition))
		return true;
	while (behind > begin && strchr(" \t\r\n\\", behind[-1]))
		behind--;
	strbuf_puts(&text, "assertion failed: ");
	for (; begin < behind; begin++)
		strbuf_putc(&text, *begin == '\n' || *begin == '\t' ? ' ' : *begin);
	if (has_message) {
		strbuf_puts(&text, ": ");
		py_print(&message, &text);
	}
	py_fail(r, PD_PYTHON_FAILED, at, NULL, strbuf_text(&text));
	strbuf_free(&text);
	return false;
}

/* Python 2: "print a, b". */
static bool print_statement(struct py_run *r, struct py_value *item, size_t *count)
{
	*count = 0;
	do {
		py_skip_space(r);
		if (r->p == r->end || *r->p == '\n' || *r->p == ';')
			return true;
		if (*count == PY_MAX_ARGS)
			return py_broken(r, "a list is too long");
		if (!py_expression(r, &item[(*count)++]))
			return false;
	} while (py_take(r, ","));
	return true;
}

static bool run_print(struct py_run *r)
{
	struct py_value item[PY_MAX_ARGS];
	size_t count, commas, i;

	if (!py_take(r, "(")) {
		if (!print_statement(r, item, &count))
			return false;
	} else if (!py_list(r, ")", item, &count, &commas)) {
		return false;
	}
	for (i = 0; r->live && i < count; i++) {
		strbuf_puts(r->out, i ? " " : "");
		py_print(&item[i], r->out);
	}
	if (r->live)
		strbuf_putc(r->out, '\n');
	return true;
}

/* The name that stands here. */
static struct pd_text take_name(struct py_run *r)
{
	const char *begin = r->p;

	while (r->p < r->end && (py_is_letter(*r->p) || py_is_digit(*r->p)))
		r->p++;
	return pd_arena_text(r->arena, begin, (size_t)(r->p - begin));
}

/* "a, b =" or "(a, b) =": the names; false, and nothing taken: something else stands here. */
static bool take_targets(struct py_run *r, struct pd_text *name, size_t *count)
{
	const char *here = r->p;
	bool bracket = py_take(r, "("), comma;

	*count = 0;
	do {
		py_skip_space(r);
		if (*count == PY_MAX_ARGS || r->p == r->end || !py_is_letter(*r->p))
			break;
		name[(*count)++] = take_name(r);
		comma = py_take(r, ",");
	} while (comma);
	if ((!bracket || py_take(r, ")")) && *count > 1 && py_take(r, "=") && !py_starts(r, "="))
		return true;
	r->p = here;
	return false;
}

/* Each of the names gets the item at its place. */
static bool unpack(struct py_run *r, const struct pd_text *name, size_t count)
{
	const char *at = r->p;
	struct py_value value;
	size_t i;

	if (!parse_values(r, &value) || !r->live)
		return r->result == PD_PYTHON_OK;
	if (value.kind != PY_TUPLE || value.count != count)
		return py_check(r, "ValueError: not as many values as names", at);
	for (i = 0; i < count; i++) {
		if (!assign(r->py, name[i].p, &value.item[i]))
			return py_check(r, "MemoryError: a value is too large", at);
	}
	return true;
}

static bool run_assignment(struct py_run *r, struct py_value *out);

/* What stands behind "=": values, or another assignment ("a = b = 1"), whose value it is. */
static bool assigned_value(struct py_run *r, struct py_value *out)
{
	const char *here;
	bool chain;

	py_skip_space(r);
	here = r->p;
	chain = take_name(r).len && py_take(r, "=") && !py_starts(r, "=");
	r->p = here;
	return chain ? run_assignment(r, out) : parse_values(r, out);
}

/* "name = value", "name += value" and so on; else a value that is thrown away. */
static bool run_assignment(struct py_run *r, struct py_value *out)
{
	static const char *const operators[] = { "=",  "+=", "-=", "**=", "*=",	 "//=", "/=",
						 "%=", "|=", "&=", "^=",  "<<=", ">>=" };
	const char *begin = r->p;
	struct py_value value, old;
	struct pd_text name;
	char op[4];
	size_t i, len;

	name = take_name(r);
	py_skip_space(r);
	for (i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (py_starts(r, operators[i]) && !py_starts(r, "=="))
			break;
	}
	if (i == sizeof(operators) / sizeof(operators[0]) || name.len == 0) {
		r->p = begin;
		return parse_values(r, out);
	}
	len = strlen(operators[i]);
	snprintf(op, sizeof(op), "%.*s", (int)(len - 1), operators[i]);
	r->p += len;
	if (++r->depth > PY_MAX_DEPTH)
		return py_broken(r, "assignments are nested too deep");
	if (!(len > 1 ? parse_values(r, &value) : assigned_value(r, &value)))
		return false;
	r->depth--;
	*out = value;
	if (!r->live)
		return true;
	if (len > 1) {
		struct py_value right = value;

		if (!py_name(r, name, begin, &old) ||
		    !py_check(r, py_binary(op, &old, &right, r->arena, &value), begin))
			return false;
	}
	if (!assign(r->py, name.p, &value))
		return py_check(r, "MemoryError: a value is too large", begin);
	return true;
}

static bool run_simple(struct py_run *r)
{
	static const char *const others[] = { "import", "from", "def",	  "class", "while", "for",
					      "return", "with", "lambda", "try",   "raise", "del",
					      "global", "if",	"else",	  "elif" };
	struct pd_text name[PY_MAX_ARGS];
	struct py_value value;
	size_t i, count;

	py_skip_space(r);
	if (py_take_word(r, "assert"))
		return run_assert(r);
	if (py_take_word(r, "print"))
		return run_print(r);
	if (py_take_word(r, "pass"))
		return true;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (py_at_word(r, others[i]))
			return py_fail(r, PD_PYTHON_ERROR, r->p, others[i], "unknown statement");
	}
	if (take_targets(r, name, &count))
		return unpack(r, name, count);
	return run_assignment(r, &value);
}

/* Simple statements with ";" between, up to the end of the line, which is taken. */
static bool run_line(struct py_run *r)
{
	for (;;) {
		if (!run_simple(r))
			return false;
		py_skip_space(r);
		if (py_take(r, ";")) {
			py_skip_space(r);
			if (r->p == r->end || *r->p == '\n')
				return true;
			continue;
		}
		if (r->p == r->end || *r->p == '\n')
			return true;
		return py_broken(r, "the end of the statement is missing");
	}
}

/*
 * Goes to the first byte of the next statement; its column is the return value, -1 at the end of
 * the block. Lines that hold nothing, or a comment (also in C's manner), are passed.
 */
int py_next_line(struct py_run *r)
{
	int column = 0;

	for (;;) {
		if (r->p == r->end)
			return -1;
		if (*r->p == '\n' || *r->p == ';') {
			r->p++;
			column = 0;
		} else if (py_joined(r)) {
			r->p += py_joined(r);
		} else if (*r->p == ' ' || *r->p == '\r') {
			r->p++;
			column++;
		} else if (*r->p == '\t') {
			r->p++;
			column += 8 - column % 8;
		} else if (*r->p == '#' || py_starts(r, "//")) {
			while (r->p < r->end && *r->p != '\n')
				r->p++;
		} else {
			return column;
		}
	}
}

static bool run_block(struct py_run *r, int column);

/* What stands behind the colon of an if: the rest of its line, or a block farther in. */
static bool run_suite(struct py_run *r, int column, bool live)
{
	bool outer = r->live, ok;
	int inner;

	if (!py_take(r, ":"))
		return py_broken(r, "':' is missing");
	if (++r->depth > PY_MAX_DEPTH)
		return py_broken(r, "blocks are nested too deep");
	r->live = outer && live;
	py_skip_space(r);
	if (r->p < r->end && *r->p != '\n') {
		ok = run_line(r);
	} else {
		inner = py_next_line(r);
		ok = inner > column ? run_block(r, inner) :
				      py_broken(r, "an indented block is missing");
	}
	r->live = outer;
	r->depth--;
	return ok;
}

/* Is the next statement this word, in this column? Takes it then. */
static bool next_clause(struct py_run *r, int column, const char *word)
{
	const char *here = r->p;

	if (py_next_line(r) == column && py_take_word(r, word))
		return true;
	r->p = here;
	return false;
}

static bool run_if(struct py_run *r, int column)
{
	struct py_value condition;
	bool done = false;

	do {
		if (!py_expression(r, &condition) ||
		    !run_suite(r, column, !done && py_true(&condition)))
			return false;
		done = done || py_true(&condition);
	} while (next_clause(r, column, "elif"));
	if (next_clause(r, column, "else"))
		return run_suite(r, column, !done);
	return true;
}

/* Statements that begin in one column, until one does farther out. */
static bool run_block(struct py_run *r, int column)
{
	for (;;) {
		const char *here = r->p;
		int next;

		if (py_take_word(r, "if") ? !run_if(r, column) : !run_line(r))
			return false;
		here = r->p;
		next = py_next_line(r);
		if (next < column) {
			/* The one who runs the outer block counts its column again. */
			r->p = here;
			return true;
		}
		/* What stands behind a joined line, or is aligned by hand, is taken as it is. */
	}
}

enum pd_python_result pd_python_run(struct pd_python *p, struct pd_text code, int line,
				    pd_python_lookup *lookup, void *ctx, struct strbuf *out,
				    struct pd_error *error)
{
	struct py_run r = {
		.py = p,
		.begin = code.p,
		.p = code.p,
		.end = code.p + code.len,
		.first_line = line,
		.live = true,
		.lookup = lookup,
		.ctx = ctx,
		.out = out,
		.error = error,
		.arena = pd_arena_new(),
	};

	*error = (struct pd_error){ .kind = PD_ERROR_NONE };
	while (r.result == PD_PYTHON_OK) {
		int column = py_next_line(&r);

		if (column < 0 || !run_block(&r, column))
			break;
	}
	pd_arena_free(r.arena);
	return r.result;
}
