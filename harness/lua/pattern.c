/* SPDX-License-Identifier: MIT */
/*
 * find, match, gmatch and gsub as in the Lua 5.4 manual (6.4), on our own matcher.
 */
#include "lua/pattern.h"

#include <string.h>

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
		const char *end = pattern_match(&m, at, p + anchor);

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
		const char *end = pattern_match(&m, s + place, p);

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
		} else if (pattern_is_digit((u8)text[i])) {
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
		const char *end = pattern_match(&m, s, p + anchor);

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
