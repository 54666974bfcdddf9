/* SPDX-License-Identifier: MIT */
/*
 * The sandbox's table functions: a stable sort that can not be confused by a bad order function,
 * and the stock functions billed for the work they do.
 */
#include "lua/sandbox.h"

#include <limits.h>

/* -- Sort: bottom-up merge between two arrays on the stack -- */

enum { SORT_TABLE = 1, SORT_LESS = 2, SORT_A = 3, SORT_B = 4 };

/* Whether array[i] < array[j]. */
static bool sort_less(lua_State *L, int array, lua_Integer i, int other, lua_Integer j)
{
	bool less;

	if (lua_isnil(L, SORT_LESS)) {
		lua_rawgeti(L, array, i);
		lua_rawgeti(L, other, j);
		less = lua_compare(L, -2, -1, LUA_OPLT);
		lua_pop(L, 2);
	} else {
		lua_pushvalue(L, SORT_LESS);
		lua_rawgeti(L, array, i);
		lua_rawgeti(L, other, j);
		lua_call(L, 2, 1);
		less = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	return less;
}

static void sort_copy(lua_State *L, int from, lua_Integer i, int to, lua_Integer j)
{
	lua_rawgeti(L, from, i);
	lua_rawseti(L, to, j);
}

static void sort_merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer mid,
		       lua_Integer high)
{
	lua_Integer left = low;
	lua_Integer right = mid;
	lua_Integer out;

	for (out = low; out < high; out++) {
		/* Equal elements keep their order: the right one goes first only if it is less. */
		if (right >= high || (left < mid && !sort_less(L, from, right, from, left)))
			sort_copy(L, from, left++, to, out);
		else
			sort_copy(L, from, right++, to, out);
	}
}

static int table_sort(lua_State *L)
{
	lua_Integer count, width, i;
	int from = SORT_A;
	int to = SORT_B;

	luaL_checktype(L, 1, LUA_TTABLE);
	if (!lua_isnoneornil(L, 2))
		luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	count = luaL_len(L, 1);
	if (count < 2)
		return 0;
	luaL_argcheck(L, count < INT_MAX, 1, "array too big");
	sandbox_bill(L, (u64)count * 4);
	lua_createtable(L, (int)count, 0);
	lua_createtable(L, (int)count, 0);
	for (i = 1; i <= count; i++) {
		lua_geti(L, SORT_TABLE, i);
		if (lua_isnil(L, -1))
			return luaL_error(L, "element %I of the table to sort is nil",
					  (LUAI_UACINT)i);
		lua_rawseti(L, from, i);
	}
	for (width = 1; width < count; width *= 2) {
		int other = from;

		sandbox_bill(L, (u64)count * 4);
		for (i = 1; i <= count; i += 2 * width) {
			lua_Integer mid = i + width <= count ? i + width : count + 1;
			lua_Integer end = mid + width <= count ? mid + width : count + 1;

			sort_merge(L, from, to, i, mid, end);
		}
		from = to;
		to = other;
	}
	for (i = 1; i < count; i++) {
		if (sort_less(L, from, i + 1, from, i))
			return luaL_error(L, "invalid order function for sorting: "
					     "it puts each of two elements before the other");
	}
	for (i = 1; i <= count; i++) {
		lua_rawgeti(L, from, i);
		lua_seti(L, SORT_TABLE, i);
	}
	return 0;
}

/* -- The stock functions, each with the work it does as a bill -- */

static int call_stock(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* The number of elements from argument `first` to argument `last`. */
static u64 span(lua_State *L, int first, int last)
{
	lua_Integer low = luaL_optinteger(L, first, 1);
	lua_Integer high;

	if (lua_isnoneornil(L, last))
		high = luaL_len(L, 1);
	else
		high = luaL_checkinteger(L, last);
	return high < low ? 0 : (u64)high - (u64)low;
}

static int table_insert(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (lua_gettop(L) == 3)
		sandbox_bill(L, span(L, 2, 4));
	return call_stock(L);
}

static int table_remove(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (lua_gettop(L) >= 2)
		sandbox_bill(L, span(L, 2, 3));
	return call_stock(L);
}

static int table_concat(lua_State *L)
{
	luaL_checkany(L, 1);
	sandbox_bill(L, span(L, 3, 4));
	return call_stock(L);
}

static int table_move(lua_State *L)
{
	luaL_checkinteger(L, 2);
	luaL_checkinteger(L, 3);
	sandbox_bill(L, span(L, 2, 3));
	return call_stock(L);
}

static int table_unpack(lua_State *L)
{
	luaL_checkany(L, 1);
	sandbox_bill(L, span(L, 2, 3));
	return call_stock(L);
}

void sandbox_open_table(lua_State *L)
{
	static const luaL_Reg wrapped[] = {
		{ "insert", table_insert }, { "remove", table_remove }, { "concat", table_concat },
		{ "move", table_move },	    { "unpack", table_unpack },
	};
	size_t i;

	lua_getglobal(L, LUA_TABLIBNAME);
	lua_pushcfunction(L, table_sort);
	lua_setfield(L, -2, "sort");
	for (i = 0; i < ARRAY_SIZE(wrapped); i++) {
		lua_getfield(L, -1, wrapped[i].name);
		lua_pushcclosure(L, wrapped[i].func, 1);
		lua_setfield(L, -2, wrapped[i].name);
	}
	lua_pop(L, 1);
}
