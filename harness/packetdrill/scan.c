/* SPDX-License-Identifier: MIT */
/*
 * See scan.h. Invariant: frame[0].p only moves forward, and line counts the newlines it passed.
 */
#include "packetdrill/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

void pd_scan_init(struct pd_scan *s, const char *text, size_t len, const char *path,
		  struct pd_arena *arena, struct pd_error *error)
{
	*s = (struct pd_scan){
		.path = path,
		.arena = arena,
		.frame[0] = { text, text + len },
		.begin = text,
		.token_end = text,
		.line = 1,
		.token_line = 1,
		.error = error,
	};
}

void pd_error_set(struct pd_error *error, enum pd_error_kind kind, const char *path, int line,
		  const char *word, const char *format, ...)
{
	char message[400];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	error->kind = kind;
	error->line = line;
	snprintf(error->word, sizeof(error->word), "%s", word ? word : "");
	snprintf(error->text, sizeof(error->text), "%.100s:%d: %s", path, line, message);
}

bool pd_scan_fail(struct pd_scan *s, const char *format, ...)
{
	char message[300];
	va_list args;

	if (s->failed)
		return false;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	s->failed = true;
	pd_error_set(s->error, PD_ERROR_SYNTAX, s->path, s->line, NULL, "%s", message);
	return false;
}

bool pd_scan_unknown(struct pd_scan *s, const char *what, struct pd_text word)
{
	return pd_scan_unknown_near(s, what, word, NULL);
}

bool pd_scan_unknown_near(struct pd_scan *s, const char *what, struct pd_text word,
			  const char *near)
{
	int len = word.len < 60 ? (int)word.len : 60;
	char copy[64];

	if (s->failed)
		return false;
	s->failed = true;
	snprintf(copy, sizeof(copy), "%.*s", len, word.p);
	pd_error_set(s->error, PD_ERROR_UNKNOWN, s->path, s->line, copy, "unknown %s '%s'%s%s%s",
		     what, copy, near ? "; did you mean '" : "", near ? near : "",
		     near ? "'?" : "");
	return false;
}

/* What can be shown of a byte in a message. */
static bool printable(char c)
{
	return c >= ' ' && c <= '~';
}

bool pd_scan_expected(struct pd_scan *s, const char *what)
{
	const struct pd_scan_text *f = &s->frame[s->top];
	char got[24];
	size_t n = 0;

	if (s->failed)
		return false;
	if (pd_scan_at_end(s)) {
		s->line = s->token_line;
		return pd_scan_fail(s, "expected %s, but the script ends", what);
	}
	f = &s->frame[s->top];
	while (n < sizeof(got) - 1 && f->p + n < f->end && printable(f->p[n])) {
		got[n] = f->p[n];
		n++;
	}
	got[n] = '\0';
	if (n == 0)
		return pd_scan_fail(s, "expected %s, got byte 0x%02x", what, (unsigned char)*f->p);
	return pd_scan_fail(s, "expected %s, got '%s'", what, got);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* Bytes that are left in the frame on top. */
static size_t left(const struct pd_scan *s)
{
	return (size_t)(s->frame[s->top].end - s->frame[s->top].p);
}

static bool starts(const struct pd_scan *s, const char *text)
{
	size_t len = strlen(text);

	return left(s) >= len && memcmp(s->frame[s->top].p, text, len) == 0;
}

static void advance(struct pd_scan *s, size_t n)
{
	struct pd_scan_text *f = &s->frame[s->top];
	size_t i;

	if (s->top == 0) {
		for (i = 0; i < n; i++)
			s->line += f->p[i] == '\n';
	}
	f->p += n;
}

/* The word that stands here, without moving. */
static struct pd_text word_here(const struct pd_scan *s)
{
	const struct pd_scan_text *f = &s->frame[s->top];
	struct pd_text word = { f->p, 0 };

	if (f->p == f->end || !is_letter(*f->p))
		return word;
	while (f->p + word.len < f->end && (is_letter(f->p[word.len]) || is_digit(f->p[word.len])))
		word.len++;
	return word;
}

/* Replaces a defined word: a frame over it. The last define of a name wins. */
static bool enter_define(struct pd_scan *s)
{
	struct pd_text word = word_here(s);
	size_t i;

	for (i = s->defines; word.len && i-- > 0;) {
		const struct pd_define *d = &s->define[i];

		if (strlen(d->name) != word.len || memcmp(d->name, word.p, word.len) != 0)
			continue;
		if (strcmp(d->name, d->value) == 0)
			return false;
		if (s->top + 1 == PD_SCAN_DEPTH || ++s->defined > PD_MAX_DEFINED)
			return pd_scan_fail(
				s, "'%s' is defined by itself, or too deep or too often", d->name);
		advance(s, word.len);
		s->top++;
		s->frame[s->top] = (struct pd_scan_text){ d->value, d->value + strlen(d->value) };
		return true;
	}
	return false;
}

/* Is the byte here the first of its line? */
static bool at_line_start(const struct pd_scan *s)
{
	const char *p = s->frame[0].p;

	while (p > s->begin && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p == s->begin || p[-1] == '\n';
}

/* Skips one comment; false when none stands here. */
static bool skip_comment(struct pd_scan *s)
{
	const struct pd_scan_text *f = &s->frame[s->top];
	int line = s->line;

	if (starts(s, "//") || (s->top == 0 && starts(s, "#") && at_line_start(s))) {
		const char *end = memchr(f->p, '\n', left(s));

		advance(s, end ? (size_t)(end - f->p) : left(s));
		return true;
	}
	if (!starts(s, "/*"))
		return false;
	advance(s, 2);
	while (left(s) && !starts(s, "*/"))
		advance(s, 1);
	if (!left(s)) {
		s->line = line;
		return pd_scan_fail(s, "a comment that begins here has no end");
	}
	advance(s, 2);
	return true;
}

void pd_scan_space(struct pd_scan *s)
{
	if (s->frame[0].p != s->space_end) {
		s->token_end = s->frame[0].p;
		s->token_line = s->line;
	}
	while (!s->failed) {
		if (left(s) == 0 && s->top > 0)
			s->top--;
		else if (left(s) && is_space(*s->frame[s->top].p))
			advance(s, 1);
		else if (!skip_comment(s) && !enter_define(s))
			break;
	}
	s->space_end = s->frame[0].p;
}

bool pd_scan_at_end(struct pd_scan *s)
{
	pd_scan_space(s);
	return !s->failed && left(s) == 0;
}

char pd_scan_peek(struct pd_scan *s)
{
	pd_scan_space(s);
	return s->failed || left(s) == 0 ? '\0' : *s->frame[s->top].p;
}

bool pd_scan_looking_at(struct pd_scan *s, const char *text)
{
	pd_scan_space(s);
	return !s->failed && starts(s, text);
}

bool pd_scan_take(struct pd_scan *s, const char *text)
{
	if (!pd_scan_looking_at(s, text))
		return false;
	advance(s, strlen(text));
	return true;
}

bool pd_scan_take_word(struct pd_scan *s, const char *word)
{
	struct pd_text here;

	pd_scan_space(s);
	here = word_here(s);
	if (s->failed || here.len != strlen(word) || memcmp(here.p, word, here.len) != 0)
		return false;
	advance(s, here.len);
	return true;
}

bool pd_scan_need(struct pd_scan *s, const char *text)
{
	char what[24];

	if (pd_scan_take(s, text))
		return true;
	snprintf(what, sizeof(what), "'%s'", text);
	return pd_scan_expected(s, what);
}

bool pd_scan_word(struct pd_scan *s, struct pd_text *out)
{
	struct pd_text word;

	pd_scan_space(s);
	word = word_here(s);
	if (s->failed || word.len == 0)
		return pd_scan_expected(s, "a name");
	*out = pd_arena_text(s->arena, word.p, word.len);
	advance(s, word.len);
	return true;
}

struct pd_text pd_scan_run(struct pd_scan *s, const char *set)
{
	struct pd_text run;
	size_t n = 0;

	pd_scan_space(s);
	if (!s->failed) {
		while (n < left(s) && s->frame[s->top].p[n] && strchr(set, s->frame[s->top].p[n]))
			n++;
	}
	run = pd_arena_text(s->arena, s->frame[s->top].p, n);
	advance(s, n);
	return run;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool pd_scan_number(struct pd_scan *s, u64 max, u64 *out, bool *is_hex)
{
	u64 value = 0, base = 10;
	size_t digits = 0;
	bool hex;

	pd_scan_space(s);
	if (s->failed)
		return false;
	hex = starts(s, "0x") || starts(s, "0X");
	if (hex) {
		advance(s, 2);
		base = 16;
	}
	for (; left(s); digits++) {
		int digit = hex_digit(*s->frame[s->top].p);

		if (digit < 0 || (u64)digit >= base)
			break;
		if (value > (max - (u64)digit) / base)
			return pd_scan_fail(s, "a number is too large (at most %llu)",
					    (unsigned long long)max);
		value = value * base + (u64)digit;
		advance(s, 1);
	}
	if (digits == 0)
		return pd_scan_expected(s, hex ? "a hex digit" : "a number");
	*out = value;
	if (is_hex)
		*is_hex = hex;
	return true;
}

bool pd_scan_u32(struct pd_scan *s, u32 *out)
{
	u64 value;

	if (!pd_scan_number(s, 0xffffffff, &value, NULL))
		return false;
	*out = (u32)value;
	return true;
}

bool pd_scan_seconds(struct pd_scan *s, s64 *out)
{
	const struct pd_scan_text *f = &s->frame[s->top];
	s64 ns = 0, unit = 100000000;
	u64 seconds = 0;

	pd_scan_space(s);
	f = &s->frame[s->top];
	if (s->failed || !left(s) ||
	    !(is_digit(*f->p) || (*f->p == '.' && left(s) > 1 && is_digit(f->p[1]))))
		return pd_scan_expected(s, "a time");
	if (is_digit(*f->p)) {
		/* A hundred years: sums of times stay far from the end of the type. */
		if (!pd_scan_number(s, 3153600000u, &seconds, NULL))
			return false;
		f = &s->frame[s->top];
	}
	if (left(s) && *f->p == '.' && !starts(s, "..")) {
		advance(s, 1);
		for (; left(s) && is_digit(*f->p); unit /= 10) {
			ns += (*f->p - '0') * unit;
			advance(s, 1);
		}
	}
	*out = (s64)seconds * 1000000000 + ns;
	return true;
}

/* One escape behind its backslash; writes a byte. */
static char escape(struct pd_scan *s)
{
	const struct pd_scan_text *f = &s->frame[s->top];
	char c = *f->p;
	int high, low;

	advance(s, 1);
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case '0':
		return '\0';
	case 'x':
		if (left(s) < 2)
			break;
		high = hex_digit(f->p[0]);
		low = hex_digit(f->p[1]);
		if (high < 0 || low < 0)
			break;
		advance(s, 2);
		return (char)(high * 16 + low);
	default:
		return c;
	}
	pd_scan_fail(s, "\\x needs two hex digits");
	return '\0';
}

bool pd_scan_string(struct pd_scan *s, struct pd_text *out)
{
	const struct pd_scan_text *f;
	const char *close;
	char *bytes;
	size_t n = 0;
	int line;

	if (!pd_scan_need(s, "\""))
		return false;
	f = &s->frame[s->top];
	line = s->line;
	for (close = f->p; close < f->end && *close != '"' && *close != '\n'; close++) {
		if (*close == '\\' && close + 1 < f->end)
			close++;
	}
	if (close == f->end || *close == '\n') {
		s->line = line;
		return pd_scan_fail(s, "a string that begins here has no end");
	}
	bytes = pd_arena_alloc(s->arena, (size_t)(close - f->p) + 1);
	while (f->p < close && !s->failed) {
		char c = *f->p;

		advance(s, 1);
		bytes[n++] = c == '\\' ? escape(s) : c;
	}
	if (s->failed)
		return false;
	advance(s, 1);
	*out = (struct pd_text){ bytes, n };
	return true;
}

bool pd_scan_until(struct pd_scan *s, const char *closing, const char *what, struct pd_text *out)
{
	const struct pd_scan_text *f = &s->frame[s->top];
	size_t len = strlen(closing);
	const char *p;

	if (s->failed)
		return false;
	for (p = f->p; (size_t)(f->end - p) >= len; p++) {
		if (memcmp(p, closing, len) == 0) {
			*out = pd_arena_text(s->arena, f->p, (size_t)(p - f->p));
			advance(s, (size_t)(p - f->p) + len);
			return true;
		}
	}
	return pd_scan_fail(s, "%s that begins here has no end: '%s' is missing", what, closing);
}

bool pd_scan_hex(struct pd_scan *s, struct pd_text *out)
{
	struct pd_text run = pd_scan_run(s, DIGITS "abcdefABCDEF");
	char *bytes;
	size_t i;

	if (s->failed || run.len == 0)
		return false;
	if (run.len % 2)
		return pd_scan_fail(s, "an odd number of hex digits: '%.40s'", run.p);
	bytes = pd_arena_alloc(s->arena, run.len / 2 + 1);
	for (i = 0; i < run.len / 2; i++)
		bytes[i] = (char)(hex_digit(run.p[2 * i]) * 16 + hex_digit(run.p[2 * i + 1]));
	*out = (struct pd_text){ bytes, run.len / 2 };
	return true;
}
