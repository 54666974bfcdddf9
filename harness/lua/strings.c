/* SPDX-License-Identifier: MIT */
/*
 * The sandbox's string functions that are not about patterns: format without addresses, rep with a
 * bill, pack and unpack that mean the same on every machine, no dump.
 */
#include "lua/sandbox.h"

#include <string.h>

/* Calls the stock function in upvalue 1 with all arguments on the stack. */
static int call_stock(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/*
 * string.format: the stock one, after %p was refused and the arguments of %s were made text by our
 * own tostring (the stock one prints addresses).
 */
static int string_format(lua_State *L)
{
	size_t len;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *end = s + len;
	int arg = 1;

	sandbox_bill(L, len / 16 + 1);
	while (s < end) {
		if (*s++ != '%')
			continue;
		if (s < end && *s == '%') {
			s++;
			continue;
		}
		arg++;
		while (s < end && strchr("-+ #0123456789.", *s) && *s)
			s++;
		if (s >= end)
			break;
		if (*s == 'p')
			return luaL_error(L, "string.format: '%%p' is not available, "
					     "addresses differ from run to run");
		if (*s == 's' && arg <= lua_gettop(L)) {
			sandbox_tolstring(L, arg, NULL);
			lua_replace(L, arg);
		}
		s++;
	}
	return call_stock(L);
}

static int string_rep(lua_State *L)
{
	size_t len, separator;
	lua_Integer n;

	luaL_checklstring(L, 1, &len);
	n = luaL_checkinteger(L, 2);
	luaL_optlstring(L, 3, "", &separator);
	if (n <= 0 || len + separator == 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	sandbox_bill(L, (u64)n / 8 + (u64)n / 64 * (len + separator));
	return call_stock(L);
}

/*
 * A format of string.pack whose meaning depends on the machine is refused; where none is given the
 * byte order is little endian.
 */
static int string_pack(lua_State *L)
{
	const char *s = luaL_checkstring(L, 1);
	const char *bad = NULL;

	for (; *s && !bad; s++) {
		bool digit = s[1] >= '0' && s[1] <= '9';

		if (*s == '=')
			bad = "native byte order; write '<' or '>'";
		else if (strchr("lLT", *s))
			bad = "a size that depends on the machine; write i[n] or I[n]";
		else if (*s == 's' && !digit)
			bad = "a size that depends on the machine; write s[n]";
		else if (*s == '!' && !digit)
			bad = "an alignment that depends on the machine; write ![n]";
	}
	if (bad)
		return luaL_error(L, "'%c' in a pack format is %s", s[-1], bad);
	lua_pushliteral(L, "<");
	lua_pushvalue(L, 1);
	lua_concat(L, 2);
	lua_replace(L, 1);
	return call_stock(L);
}

void sandbox_open_string(lua_State *L)
{
	static const luaL_Reg wrapped[] = {
		{ "format", string_format }, { "rep", string_rep },	  { "pack", string_pack },
		{ "unpack", string_pack },   { "packsize", string_pack },
	};
	size_t i;

	lua_getglobal(L, LUA_STRLIBNAME);
	for (i = 0; i < ARRAY_SIZE(wrapped); i++) {
		lua_getfield(L, -1, wrapped[i].name);
		lua_pushcclosure(L, wrapped[i].func, 1);
		lua_setfield(L, -2, wrapped[i].name);
	}
	lua_pushnil(L);
	lua_setfield(L, -2, "dump");
	sandbox_open_pattern(L);
	lua_pop(L, 1);
}
