/* SPDX-License-Identifier: MIT */
/*
 * Shell patterns. Own, because fnmatch(3) depends on the locale and some take exponential time.
 */
#include "base/glob.h"

#include <string.h>

/* Matches one character against the set at p ("[..."); *end is what follows the set, NULL: none. */
static bool glob_set(const char *p, char c, const char **end)
{
	bool negate = p[1] == '!' || p[1] == '^';
	const char *s = p + 1 + negate;
	const char *first = s;
	bool found = false;

	for (; *s && (*s != ']' || s == first); s++) {
		u8 low, high;

		if (*s == '\\' && s[1])
			s++;
		low = high = (u8)*s;
		if (s[1] == '-' && s[2] && s[2] != ']') {
			s += 2;
			if (*s == '\\' && s[1])
				s++;
			high = (u8)*s;
		}
		if ((u8)c >= low && (u8)c <= high)
			found = true;
	}
	*end = *s ? s + 1 : NULL;
	return found != negate;
}

/* One step: does the pattern's head match c; *next is the rest of the pattern. */
static bool glob_one(const char *p, char c, const char **next)
{
	const char *end;
	bool in;

	*next = p + 1;
	if (*p == '?')
		return true;
	if (*p == '[') {
		in = glob_set(p, c, &end);
		if (end) {
			*next = end;
			return in;
		}
	}
	if (*p == '\\' && p[1]) {
		*next = p + 2;
		return p[1] == c;
	}
	return *p == c;
}

bool glob_match(const char *pattern, const char *text)
{
	const char *star = NULL;
	const char *mark = NULL;

	while (*text) {
		const char *next;

		if (*pattern == '*') {
			star = ++pattern;
			mark = text;
		} else if (*pattern && glob_one(pattern, *text, &next)) {
			pattern = next;
			text++;
		} else if (star) {
			pattern = star;
			text = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

void glob_escape(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("*?[\\", *text))
			strbuf_putc(out, '\\');
		strbuf_putc(out, *text);
	}
}
