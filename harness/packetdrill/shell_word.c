/* SPDX-License-Identifier: MIT */
/*
 * Words of the shell: quotes, variables, $( ) and arithmetic. What comes from an expansion outside
 * of quotes is split at blanks, as in a shell; there are no patterns for file names.
 */
#include "packetdrill/shell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pd_shell_ends_word(char c)
{
	return c == '\0' || strchr(" \t\r\n;|&()<>", c) != NULL;
}

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* ---- $(( )) ---- */

struct sum {
	struct pd_reader *r;
	const char *p, *end;
	int depth;
	bool failed;
};

static s64 parse_sum(struct sum *s, int level);

static void sum_space(struct sum *s)
{
	while (s->p < s->end && isspace((unsigned char)*s->p))
		s->p++;
}

static s64 sum_operand(struct sum *s)
{
	char name[64], *rest;
	size_t n = 0;
	s64 value;

	sum_space(s);
	if (++s->depth > 64 || s->p == s->end) {
		s->failed = true;
		return 0;
	}
	if (*s->p == '(' || *s->p == '-' || *s->p == '~') {
		char c = *s->p++;

		value = c == '(' ? parse_sum(s, 0) : sum_operand(s);
		sum_space(s);
		if (c == '(' && (s->p == s->end || *s->p++ != ')'))
			s->failed = true;
		s->depth--;
		return c == '-' ? (s64)(0 - (u64)value) : c == '~' ? ~value : value;
	}
	if (*s->p == '$')
		s->p++;
	while (s->p < s->end && n < sizeof(name) - 1 && is_name(*s->p, false))
		name[n++] = *s->p++;
	name[n] = '\0';
	s->depth--;
	if (n && is_name(name[0], true)) {
		const char *variable = pd_shell_get(s->r->shell, name);

		return variable ? strtoll(variable, NULL, 0) : 0;
	}
	value = strtoll(name, &rest, 0);
	if (n == 0 || *rest)
		s->failed = true;
	return value;
}

/* Wraps, as the shell does; a division by zero is an error. */
static s64 sum_apply(struct sum *s, char op, s64 a, s64 b)
{
	u64 x = (u64)a, y = (u64)b;

	switch (op) {
	case '+':
		return (s64)(x + y);
	case '-':
		return (s64)(x - y);
	case '*':
		return (s64)(x * y);
	case '|':
		return (s64)(x | y);
	case '&':
		return (s64)(x & y);
	case '<':
		return (s64)(x << (y & 63));
	case '>':
		return (s64)(x >> (y & 63));
	default:
		if (b == 0 || b == -1) {
			s->failed |= b == 0;
			return op == '/' ? (s64)(0 - x) : 0;
		}
		return op == '/' ? a / b : a % b;
	}
}

static s64 parse_sum(struct sum *s, int level)
{
	static const char *const levels[] = { "|", "&", "<>", "+-", "*/%" };
	s64 value = level == 5 ? sum_operand(s) : parse_sum(s, level + 1);

	if (level == 5)
		return value;
	for (;;) {
		char op;

		sum_space(s);
		if (s->failed || s->p == s->end || !strchr(levels[level], *s->p))
			return value;
		op = *s->p++;
		if ((op == '<' || op == '>') && (s->p == s->end || *s->p++ != op))
			s->failed = true;
		value = sum_apply(s, op, value, parse_sum(s, level + 1));
	}
}

/* ---- Expansion ---- */

struct word {
	struct strbuf text;
	bool open; /* something stands here, be it an empty pair of quotes */
	char **argv;
	int *count;
	struct pd_reader *r;
};

static bool finish(struct word *w)
{
	if (!w->open)
		return true;
	if (*w->count == PD_SHELL_MAX_ARGS) {
		pd_shell_broken(w->r, "too many words in a command");
		return false;
	}
	w->argv[(*w->count)++] = xstrdup(strbuf_text(&w->text));
	strbuf_clear(&w->text);
	w->open = false;
	return true;
}

/* What an expansion gave; outside of quotes it is split at blanks. */
static bool add_expansion(struct word *w, const char *text, size_t len, bool quoted)
{
	size_t i;

	if (w->text.len + len > PD_SHELL_MAX_WORD) {
		pd_shell_broken(w->r, "a word is too long");
		return false;
	}
	for (i = 0; i < len; i++) {
		if (!quoted && isspace((unsigned char)text[i])) {
			if (!finish(w))
				return false;
			continue;
		}
		strbuf_putc(&w->text, text[i]);
		w->open = true;
	}
	return true;
}

/* Behind "$(" up to the ")" that closes it; NULL when there is none. */
static const char *closing(const char *p, const char *end)
{
	int depth = 1;
	char quote = '\0';

	for (; p < end; p++) {
		if (quote) {
			if (*p == quote)
				quote = '\0';
		} else if (*p == '\'' || *p == '"') {
			quote = *p;
		} else if (*p == '(') {
			depth++;
		} else if (*p == ')' && --depth == 0) {
			return p;
		}
	}
	return NULL;
}

static bool expand_sum(struct word *w, const char *begin, const char *end, bool quoted)
{
	struct sum s = { .r = w->r, .p = begin, .end = end };
	char text[32];
	s64 value = parse_sum(&s, 0);

	sum_space(&s);
	if (s.failed || s.p != end) {
		pd_shell_broken(w->r, "$(( )) is not understood");
		return false;
	}
	snprintf(text, sizeof(text), "%lld", (long long)value);
	return add_expansion(w, text, strlen(text), quoted);
}

/* Output of a command in place of it, without the newlines at its end. */
static bool expand_command(struct word *w, const char *begin, const char *end, bool quoted)
{
	struct pd_reader *r = w->r, inner = *r;
	struct strbuf out = { 0 };
	bool ok;

	inner.begin = inner.p = begin;
	inner.end = end;
	inner.out = &out;
	ok = pd_shell_read(&inner);
	r->status = inner.status;
	while (out.len && out.data[out.len - 1] == '\n')
		out.len--;
	ok = ok && add_expansion(w, out.data ? out.data : "", out.len, quoted);
	strbuf_free(&out);
	return ok;
}

static bool expand_paren(struct word *w, bool quoted)
{
	struct pd_reader *r = w->r;
	const char *begin = r->p + 1, *end = closing(begin, r->end);

	if (!end) {
		pd_shell_broken(r, "$( has no end");
		return false;
	}
	r->p = end + 1;
	if (!r->live)
		return true;
	if (*begin == '(' && end[-1] == ')' && end - begin >= 2)
		return expand_sum(w, begin + 1, end - 1, quoted);
	return expand_command(w, begin, end, quoted);
}

/* $1, $#, $@, $?, $$: false when it is none of these. */
static bool special_value(struct pd_reader *r, char c, char *text, size_t size)
{
	size_t n = 0;
	int i;

	text[0] = '\0';
	if (c == '?') {
		snprintf(text, size, "%d", r->status);
	} else if (c == '#') {
		snprintf(text, size, "%d", r->args ? r->args - 1 : 0);
	} else if (c == '$') {
		snprintf(text, size, "1001");
	} else if (c >= '0' && c <= '9') {
		if (c - '0' < r->args)
			snprintf(text, size, "%s", r->arg[c - '0']);
	} else if (c == '@' || c == '*') {
		for (i = 1; i < r->args && n + 1 < size; i++)
			n += (size_t)snprintf(text + n, size - n, "%s%s", i > 1 ? " " : "",
					      r->arg[i]);
	} else {
		return false;
	}
	return true;
}

/* ${NAME} and ${NAME:-text}. */
static bool expand_braces(struct word *w, bool quoted)
{
	struct pd_reader *r = w->r;
	const char *end = memchr(r->p, '}', (size_t)(r->end - r->p)), *value;
	char name[64];
	size_t n = 0;

	if (!end) {
		pd_shell_broken(r, "${ has no end");
		return false;
	}
	for (r->p++; r->p < end && n < sizeof(name) - 1 && is_name(*r->p, n == 0); r->p++)
		name[n++] = *r->p;
	name[n] = '\0';
	value = r->live ? pd_shell_get(r->shell, name) : "";
	if (n == 0 || (r->p != end && strncmp(r->p, ":-", 2) != 0)) {
		pd_shell_unknown(r, "shell construct", "${");
		return false;
	}
	if (r->p != end && (!value || !*value)) {
		if (!add_expansion(w, r->p + 2, (size_t)(end - r->p - 2), quoted))
			return false;
	} else if (value && !add_expansion(w, value, strlen(value), quoted)) {
		return false;
	}
	r->p = end + 1;
	return true;
}

/* Behind a "$". */
static bool expand(struct word *w, bool quoted)
{
	struct pd_reader *r = w->r;
	char name[1024];
	const char *value;
	size_t n = 0;

	if (r->p < r->end && *r->p == '(')
		return expand_paren(w, quoted);
	if (r->p < r->end && *r->p == '{')
		return expand_braces(w, quoted);
	if (r->p < r->end && special_value(r, *r->p, name, sizeof(name))) {
		r->p++;
		return add_expansion(w, name, strlen(name), quoted);
	}
	while (r->p < r->end && n < 63 && is_name(*r->p, n == 0))
		name[n++] = *r->p++;
	name[n] = '\0';
	if (n == 0) {
		strbuf_putc(&w->text, '$');
		w->open = true;
		return true;
	}
	value = pd_shell_get(r->shell, name);
	return !value || add_expansion(w, value, strlen(value), quoted);
}

static bool double_quoted(struct word *w)
{
	struct pd_reader *r = w->r;

	w->open = true;
	for (r->p++; r->p < r->end && *r->p != '"';) {
		char c = *r->p++;

		if (c == '$') {
			if (!expand(w, true))
				return false;
			continue;
		}
		if (c == '\\' && r->p < r->end && strchr("\"\\$`\n", *r->p)) {
			c = *r->p++;
			if (c == '\n')
				continue;
		}
		strbuf_putc(&w->text, c);
	}
	w->open = true;
	if (r->p == r->end) {
		pd_shell_broken(r, "a string has no end");
		return false;
	}
	r->p++;
	return true;
}

static bool single_quoted(struct word *w)
{
	struct pd_reader *r = w->r;
	const char *end = memchr(r->p + 1, '\'', (size_t)(r->end - r->p - 1));

	if (!end) {
		pd_shell_broken(r, "a string has no end");
		return false;
	}
	strbuf_add(&w->text, r->p + 1, (size_t)(end - r->p - 1));
	w->open = true;
	r->p = end + 1;
	return true;
}

/* `command` inside of a file. */
static bool back_quoted(struct word *w)
{
	struct pd_reader *r = w->r;
	const char *begin = r->p + 1, *end = memchr(begin, '`', (size_t)(r->end - begin));

	if (!end) {
		pd_shell_broken(r, "'`' has no end");
		return false;
	}
	r->p = end + 1;
	return !r->live || expand_command(w, begin, end, false);
}

static bool take_piece(struct word *w)
{
	struct pd_reader *r = w->r;
	char c = *r->p;

	if (c == '"')
		return double_quoted(w);
	if (c == '\'')
		return single_quoted(w);
	if (c == '`')
		return back_quoted(w);
	r->p++;
	if (c == '$')
		return expand(w, false);
	if (c == '\\' && r->p < r->end) {
		c = *r->p++;
		if (c == '\n')
			return true;
	}
	strbuf_putc(&w->text, c);
	w->open = true;
	return true;
}

bool pd_shell_word(struct pd_reader *r, char **argv, int *count)
{
	struct word w = { .argv = argv, .count = count, .r = r };
	bool ok = true;

	while (ok && r->p < r->end && !pd_shell_ends_word(*r->p))
		ok = take_piece(&w);
	ok = ok && finish(&w);
	strbuf_free(&w.text);
	return ok;
}
