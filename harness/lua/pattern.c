/* SPDX-License-Identifier: MIT */
/*
 * Lua patterns with a budget: find, match, gmatch and gsub as in the Lua 5.4 manual (6.4.1), but
 * every step of the matcher takes fuel. The stock matcher backtracks in time exponential in the
 * number of repetitions, inside one call that no count hook interrupts.
 *
 * The matcher knows only ASCII classes, so that no locale can change a result.
 */
#include "lua/sandbox.h"

#include <string.h>

#define MAX_CAPTURES 32
#define MAX_DEPTH    200

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
	} capture[MAX_CAPTURES];
};

static const char *match_here(struct matcher *m, const char *s, const char *p);

static void step(struct matcher *m)
{
	if (++m->steps >= 256) {
		sandbox_bill(m->L, m->steps);
		m->steps = 0;
	}
}

static bool is_digit(u8 c)
{
	return c >= '0' && c <= '9';
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
	return is_digit(c) || is_lower(c) || is_upper(c);
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
		in = is_digit(c);
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
		in = is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f' && c >= 'A');
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

	if (m->captures >= MAX_CAPTURES)
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
		if (is_digit((u8)p[1])) {
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

/* -- Captures -- */

static void push_capture(struct matcher *m, int i, const char *start, const char *end)
{
	if (i >= m->captures) {
		if (i != 0)
			luaL_error(m->L, "invalid capture index %%%d", i + 1);
		lua_pushlstring(m->L, start, (size_t)(end - start));
	} else if (m->capture[i].len == CAPTURE_POSITION) {
		lua_pushinteger(m->L, m->capture[i].start - m->text + 1);
	} else if (m->capture[i].len == CAPTURE_OPEN) {
		luaL_error(m->L, "unfinished capture");
	} else {
		lua_pushlstring(m->L, m->capture[i].start, m->capture[i].len);
	}
}

/* Pushes all captures, or the whole match when there are none and start is given. */
static int push_captures(struct matcher *m, const char *start, const char *end)
{
	int count = m->captures == 0 && start ? 1 : m->captures;
	int i;

	luaL_checkstack(m->L, count, "too many captures");
	for (i = 0; i < count; i++)
		push_capture(m, i, start, end);
	return count;
}

static void matcher_init(struct matcher *m, lua_State *L, const char *text, size_t len,
			 const char *pattern, size_t pattern_len)
{
	m->L = L;
	m->text = text;
	m->text_end = text + len;
	m->pattern_end = pattern + pattern_len;
	m->steps = 0;
	m->depth = 0;
	m->captures = 0;
}

static const char *try_at(struct matcher *m, const char *s, const char *p)
{
	m->captures = 0;
	m->depth = 0;
	return match_here(m, s, p);
}

/* -- find and match -- */

static const char *find_plain(lua_State *L, const char *s, size_t len, const char *word, size_t n)
{
	const char *end = s + len;

	if (n == 0)
		return s;
	while ((size_t)(end - s) >= n) {
		const char *c = memchr(s, *word, (size_t)(end - s) - n + 1);

		if (!c)
			return NULL;
		sandbox_bill(L, 1 + (u64)(c - s) / 16 + n / 16);
		if (memcmp(c, word, n) == 0)
			return c;
		s = c + 1;
	}
	return NULL;
}

static bool has_specials(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] && strchr("^$*+?.([%-", p[i]))
			return true;
	}
	return false;
}

/* Start index (from 0) from an optional argument that may count from the end. */
static size_t start_argument(lua_State *L, int arg, size_t len)
{
	lua_Integer i = luaL_optinteger(L, arg, 1);

	if (i > 0)
		return (size_t)i - 1 > len ? len + 1 : (size_t)i - 1;
	if (i == 0 || i < -(lua_Integer)len)
		return 0;
	return len - (size_t)-i;
}

static int find_or_match(lua_State *L, bool find)
{
	size_t len, plen;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *p = luaL_checklstring(L, 2, &plen);
	size_t start = start_argument(L, 3, len);
	struct matcher m;
	const char *at;
	bool anchor;

	sandbox_bill(L, 1);
	if (start > len) {
		lua_pushnil(L);
		return 1;
	}
	if (find && (lua_toboolean(L, 4) || !has_specials(p, plen))) {
		at = find_plain(L, s + start, len - start, p, plen);
		if (!at) {
			lua_pushnil(L);
			return 1;
		}
		lua_pushinteger(L, at - s + 1);
		lua_pushinteger(L, at - s + (lua_Integer)plen);
		return 2;
	}
	anchor = plen && *p == '^';
	matcher_init(&m, L, s, len, p, plen);
	for (at = s + start; at <= s + len; at++) {
		const char *end = try_at(&m, at, p + anchor);

		if (end && find) {
			lua_pushinteger(L, at - s + 1);
			lua_pushinteger(L, end - s);
			return 2 + push_captures(&m, NULL, NULL);
		}
		if (end)
			return push_captures(&m, at, end);
		if (anchor)
			break;
	}
	lua_pushnil(L);
	return 1;
}

static int string_find(lua_State *L)
{
	return find_or_match(L, true);
}

static int string_match(lua_State *L)
{
	return find_or_match(L, false);
}

/* -- gmatch: upvalues text, pattern, next place, end of the last match (-1: none) -- */

static int gmatch_step(lua_State *L)
{
	size_t len, plen;
	const char *s = lua_tolstring(L, lua_upvalueindex(1), &len);
	const char *p = lua_tolstring(L, lua_upvalueindex(2), &plen);
	lua_Integer place = lua_tointeger(L, lua_upvalueindex(3));
	lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
	struct matcher m;

	matcher_init(&m, L, s, len, p, plen);
	for (; place <= (lua_Integer)len; place++) {
		const char *end = try_at(&m, s + place, p);

		if (!end || end - s == last)
			continue;
		lua_pushinteger(L, end - s);
		lua_copy(L, -1, lua_upvalueindex(3));
		lua_replace(L, lua_upvalueindex(4));
		return push_captures(&m, s + place, end);
	}
	return 0;
}

static int string_gmatch(lua_State *L)
{
	size_t len;
	size_t start;

	luaL_checklstring(L, 1, &len);
	luaL_checkstring(L, 2);
	start = start_argument(L, 3, len);
	sandbox_bill(L, 1);
	lua_settop(L, 2);
	lua_pushinteger(L, (lua_Integer)start);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, gmatch_step, 4);
	return 1;
}

/* -- gsub -- */

static void add_template(struct matcher *m, luaL_Buffer *b, const char *s, const char *end)
{
	size_t len, i;
	const char *text = lua_tolstring(m->L, 3, &len);

	for (i = 0; i < len; i++) {
		if (text[i] != '%') {
			luaL_addchar(b, text[i]);
			continue;
		}
		if (++i >= len)
			luaL_error(m->L, "invalid use of '%%' in replacement string");
		if (text[i] == '%') {
			luaL_addchar(b, '%');
		} else if (text[i] == '0') {
			luaL_addlstring(b, s, (size_t)(end - s));
		} else if (is_digit((u8)text[i])) {
			push_capture(m, text[i] - '1', s, end);
			luaL_tolstring(m->L, -1, NULL);
			lua_remove(m->L, -2);
			luaL_addvalue(b);
		} else {
			luaL_error(m->L, "invalid use of '%%' in replacement string");
		}
	}
}

/* Adds what the match is replaced by; false when it stays as it is. */
static bool add_replacement(struct matcher *m, luaL_Buffer *b, const char *s, const char *end,
			    int type)
{
	lua_State *L = m->L;
	int count;

	if (type == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		count = push_captures(m, s, end);
		lua_call(L, count, 1);
	} else if (type == LUA_TTABLE) {
		push_capture(m, 0, s, end);
		lua_gettable(L, 3);
	} else {
		add_template(m, b, s, end);
		return true;
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(b, s, (size_t)(end - s));
		return false;
	}
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	luaL_addvalue(b);
	return true;
}

static int string_gsub(lua_State *L)
{
	size_t len, plen;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *p = luaL_checklstring(L, 2, &plen);
	int type = lua_type(L, 3);
	lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)len + 1);
	bool anchor = plen && *p == '^';
	bool changed = false;
	const char *text_end = s + len;
	const char *last = NULL;
	lua_Integer count = 0;
	struct matcher m;
	luaL_Buffer b;

	luaL_argexpected(L,
			 type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
				 type == LUA_TTABLE,
			 3, "string/function/table");
	sandbox_bill(L, 1);
	if (type == LUA_TNUMBER)
		luaL_checkstring(L, 3);
	matcher_init(&m, L, s, len, p, plen);
	luaL_buffinit(L, &b);
	while (count < max) {
		const char *end = try_at(&m, s, p + anchor);

		if (end && end != last) {
			count++;
			changed |= add_replacement(&m, &b, s, end, type);
			s = last = end;
		} else if (s < text_end) {
			luaL_addchar(&b, *s);
			s++;
		} else {
			break;
		}
		if (anchor)
			break;
	}
	if (!changed) {
		lua_pushvalue(L, 1);
	} else {
		luaL_addlstring(&b, s, (size_t)(text_end - s));
		luaL_pushresult(&b);
	}
	lua_pushinteger(L, count);
	return 2;
}

void sandbox_open_pattern(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "find", string_find },
		{ "match", string_match },
		{ "gmatch", string_gmatch },
		{ "gsub", string_gsub },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
