/* SPDX-License-Identifier: MIT */
/*
 * The matcher behind find, match, gmatch and gsub. Stock Lua's backtracks in time exponential in
 * the number of repetitions, inside one call that no count hook interrupts; this one counts.
 *
 * It knows only ASCII classes, so that no locale can change a result.
 */
#include "lua/pattern.h"

#include <string.h>

#define MAX_DEPTH 200

static const char *match_here(struct matcher *m, const char *s, const char *p);

static void step(struct matcher *m)
{
	if (++m->steps >= 256) {
		sandbox_bill(m->L, m->steps);
		m->steps = 0;
	}
}

static bool is_lower(u8 c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(u8 c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_graph(u8 c)
{
	return c > 0x20 && c < 0x7f;
}

static bool is_alnum(u8 c)
{
	return pattern_is_digit(c) || is_lower(c) || is_upper(c);
}

/* Whether c is in the class that a letter names; a letter that names none means itself. */
static bool in_class(u8 c, u8 letter)
{
	bool negate = is_upper(letter);
	bool in;

	switch (letter | 0x20) {
	case 'a':
		in = is_lower(c) || is_upper(c);
		break;
	case 'c':
		in = c < 0x20 || c == 0x7f;
		break;
	case 'd':
		in = pattern_is_digit(c);
		break;
	case 'g':
		in = is_graph(c);
		break;
	case 'l':
		in = is_lower(c);
		break;
	case 'p':
		in = is_graph(c) && !is_alnum(c);
		break;
	case 's':
		in = c == ' ' || (c >= '\t' && c <= '\r');
		break;
	case 'u':
		in = is_upper(c);
		break;
	case 'w':
		in = is_alnum(c);
		break;
	case 'x':
		in = pattern_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f' && c >= 'A');
		break;
	case 'z':
		in = c == 0;
		break;
	default:
		return c == letter;
	}
	if (!is_lower(letter) && !is_upper(letter))
		return c == letter;
	return in != negate;
}

/* End of the single-character item at p. */
static const char *item_end(struct matcher *m, const char *p)
{
	if (*p == '%') {
		if (p + 1 >= m->pattern_end)
			luaL_error(m->L, "malformed pattern (ends with '%%')");
		return p + 2;
	}
	if (*p != '[')
		return p + 1;
	p++;
	if (p < m->pattern_end && *p == '^')
		p++;
	do {
		if (p >= m->pattern_end)
			luaL_error(m->L, "malformed pattern (missing ']')");
		if (*p++ == '%') {
			if (p >= m->pattern_end)
				luaL_error(m->L, "malformed pattern (missing ']')");
			p++;
		}
	} while (p >= m->pattern_end || *p != ']');
	return p + 1;
}

/* Whether c is in the set from p ('[') to end (the ']'). */
static bool in_set(struct matcher *m, u8 c, const char *p, const char *end)
{
	bool found = true;

	if (p[1] == '^') {
		found = false;
		p++;
	}
	while (++p < end) {
		step(m);
		if (*p == '%') {
			p++;
			if (in_class(c, (u8)*p))
				return found;
		} else if (p[1] == '-' && p + 2 < end) {
			p += 2;
			if ((u8)p[-2] <= c && c <= (u8)*p)
				return found;
		} else if ((u8)*p == c) {
			return found;
		}
	}
	return !found;
}

static bool item_matches(struct matcher *m, const char *s, const char *p, const char *end)
{
	step(m);
	if (s >= m->text_end)
		return false;
	switch (*p) {
	case '.':
		return true;
	case '%':
		return in_class((u8)*s, (u8)p[1]);
	case '[':
		return in_set(m, (u8)*s, p, end - 1);
	default:
		return *p == *s;
	}
}

static const char *match_balance(struct matcher *m, const char *s, const char *p)
{
	u64 open = 1;

	if (p + 1 >= m->pattern_end)
		luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
	if (s >= m->text_end || *s != p[0])
		return NULL;
	while (++s < m->text_end) {
		step(m);
		if (*s == p[1]) {
			if (--open == 0)
				return s + 1;
		} else if (*s == p[0]) {
			open++;
		}
	}
	return NULL;
}

static const char *match_longest(struct matcher *m, const char *s, const char *p, const char *end)
{
	const char *last = s;

	while (item_matches(m, last, p, end))
		last++;
	for (;; last--) {
		const char *r = match_here(m, last, end + 1);

		if (r || last == s)
			return r;
	}
}

static const char *match_shortest(struct matcher *m, const char *s, const char *p, const char *end)
{
	for (;; s++) {
		const char *r = match_here(m, s, end + 1);

		if (r || !item_matches(m, s, p, end))
			return r;
	}
}

static const char *open_capture(struct matcher *m, const char *s, const char *p, size_t what)
{
	const char *r;

	if (m->captures >= PATTERN_CAPTURES)
		luaL_error(m->L, "too many captures");
	m->capture[m->captures].start = s;
	m->capture[m->captures].len = what;
	m->captures++;
	r = match_here(m, s, p);
	if (!r)
		m->captures--;
	return r;
}

static const char *close_capture(struct matcher *m, const char *s, const char *p)
{
	const char *r;
	int i = m->captures - 1;

	while (i >= 0 && m->capture[i].len != CAPTURE_OPEN)
		i--;
	if (i < 0)
		luaL_error(m->L, "invalid pattern capture");
	m->capture[i].len = (size_t)(s - m->capture[i].start);
	r = match_here(m, s, p);
	if (!r)
		m->capture[i].len = CAPTURE_OPEN;
	return r;
}

/* The text captured by %1 ... %9 once more. */
static const char *match_back(struct matcher *m, const char *s, char digit)
{
	int i = digit - '1';
	size_t len;

	if (i < 0 || i >= m->captures || m->capture[i].len == CAPTURE_OPEN)
		luaL_error(m->L, "invalid capture index %%%d", i + 1);
	len = m->capture[i].len;
	if (len == CAPTURE_POSITION || (size_t)(m->text_end - s) < len)
		return NULL;
	sandbox_bill(m->L, len / 16);
	return memcmp(m->capture[i].start, s, len) == 0 ? s + len : NULL;
}

static bool at_frontier(struct matcher *m, const char *s, const char *p, const char *end)
{
	u8 before = s == m->text ? 0 : (u8)s[-1];
	u8 here = s == m->text_end ? 0 : (u8)*s;

	return !in_set(m, before, p, end - 1) && in_set(m, here, p, end - 1);
}

/* The tail of match_here for one single-character item and what repeats it. */
static const char *match_item(struct matcher *m, const char *s, const char **pp, bool *again)
{
	const char *p = *pp;
	const char *end = item_end(m, p);
	char repeat = end < m->pattern_end ? *end : 0;

	*again = false;
	switch (repeat) {
	case '?':
		if (item_matches(m, s, p, end)) {
			const char *r = match_here(m, s + 1, end + 1);

			if (r)
				return r;
		}
		*pp = end + 1;
		*again = true;
		return s;
	case '+':
		return item_matches(m, s, p, end) ? match_longest(m, s + 1, p, end) : NULL;
	case '*':
		return match_longest(m, s, p, end);
	case '-':
		return match_shortest(m, s, p, end);
	default:
		if (!item_matches(m, s, p, end))
			return NULL;
		*pp = end;
		*again = true;
		return s + 1;
	}
}

/* "%b", "%f", "%1": sets *again when the rest of the pattern is still to be matched. */
static const char *match_escape(struct matcher *m, const char *s, const char **pp, bool *again)
{
	const char *p = *pp;
	const char *end;

	*again = true;
	switch (p[1]) {
	case 'b':
		*pp = p + 4;
		return match_balance(m, s, p + 2);
	case 'f':
		p += 2;
		if (p >= m->pattern_end || *p != '[')
			luaL_error(m->L, "missing '[' after '%%f' in pattern");
		end = item_end(m, p);
		*pp = end;
		return at_frontier(m, s, p, end) ? s : NULL;
	default:
		if (pattern_is_digit((u8)p[1])) {
			*pp = p + 2;
			return match_back(m, s, p[1]);
		}
		return match_item(m, s, pp, again);
	}
}

static const char *match_here(struct matcher *m, const char *s, const char *p)
{
	bool again = true;

	if (++m->depth > MAX_DEPTH)
		luaL_error(m->L, "pattern too complex");
	while (again && s && p < m->pattern_end) {
		step(m);
		if (*p == '(') {
			bool position = p + 1 < m->pattern_end && p[1] == ')';

			s = open_capture(m, s, p + 1 + position,
					 position ? CAPTURE_POSITION : CAPTURE_OPEN);
			again = false;
		} else if (*p == ')') {
			s = close_capture(m, s, p + 1);
			again = false;
		} else if (*p == '$' && p + 1 == m->pattern_end) {
			s = s == m->text_end ? s : NULL;
			again = false;
		} else if (*p == '%' && p + 1 < m->pattern_end) {
			s = match_escape(m, s, &p, &again);
		} else {
			s = match_item(m, s, &p, &again);
		}
	}
	m->depth--;
	return s;
}

const char *pattern_match(struct matcher *m, const char *s, const char *p)
{
	m->captures = 0;
	m->depth = 0;
	return match_here(m, s, p);
}
