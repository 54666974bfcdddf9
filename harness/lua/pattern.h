/* SPDX-License-Identifier: MIT */
/*
 * The matcher of Lua patterns (Lua 5.4 manual, 6.4.1) with a budget: every step takes fuel of the
 * sandbox, so that a pattern that backtracks without end raises an error.
 */
#ifndef TAPLINE_LUA_PATTERN_H
#define TAPLINE_LUA_PATTERN_H

#include "lua/sandbox.h"

#define PATTERN_CAPTURES 32

/* Lengths of captures that are none. */
#define CAPTURE_OPEN	 ((size_t)-1)
#define CAPTURE_POSITION ((size_t)-2)

struct matcher {
	lua_State *L;
	const char *text;
	const char *text_end;
	const char *pattern_end;
	u64 steps; /* since the last bill */
	int depth;
	int captures;
	struct {
		const char *start;
		size_t len;
	} capture[PATTERN_CAPTURES];
};

static inline bool pattern_is_digit(u8 c)
{
	return c >= '0' && c <= '9';
}

/* Tries to match the pattern p at s: the end of the match, or NULL. Fills the captures. */
const char *pattern_match(struct matcher *m, const char *s, const char *p);

#endif
