/* SPDX-License-Identifier: MIT */
/*
 * The sandbox's base functions: pairs and next in a fixed order, tostring without addresses,
 * metatables without finalizers and weak tables, load of text only, collectgarbage without
 * figures, print into the test's own output.
 */
#include "lua/sandbox.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char key_numbers = 0; /* registry: object -> number, weak keys */
static const char key_metatables = 0; /* registry: metatable -> true */

/* -- Order of keys -- */

struct key {
	bool is_string;
	bool is_float;
	lua_Integer i;
	lua_Number n;
	const char *s;
	size_t len;
};

static int compare_strings(const struct key *a, const struct key *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->s, b->s, n);

	if (order)
		return order;
	return (a->len > b->len) - (a->len < b->len);
}

/*
 * Integers and floats. Floats that are whole and fit are integers as keys, so a float is either
 * below 2^53 with a fraction (and the conversion of an integer can not jump over it) or out of the
 * integers' range, where only the tie at 2^63 needs care.
 */
static int compare_mixed(lua_Integer i, lua_Number n)
{
	lua_Number d = (lua_Number)i;

	if (d < n)
		return -1;
	if (d > n)
		return 1;
	return n > 0 ? -1 : 1;
}

static int compare_keys(const void *pa, const void *pb)
{
	const struct key *a = pa;
	const struct key *b = pb;

	if (a->is_string != b->is_string)
		return a->is_string ? 1 : -1;
	if (a->is_string)
		return compare_strings(a, b);
	if (!a->is_float && !b->is_float)
		return (a->i > b->i) - (a->i < b->i);
	if (a->is_float && b->is_float)
		return (a->n > b->n) - (a->n < b->n);
	return a->is_float ? -compare_mixed(b->i, a->n) : compare_mixed(a->i, b->n);
}

/* The key at a stack index. The string belongs to the table for as long as the key is in it. */
static struct key read_key(lua_State *L, int index)
{
	struct key k = { 0 };
	int type = lua_type(L, index);

	if (type == LUA_TSTRING) {
		k.is_string = true;
		k.s = lua_tolstring(L, index, &k.len);
	} else if (type == LUA_TNUMBER && lua_isinteger(L, index)) {
		k.i = lua_tointeger(L, index);
	} else if (type == LUA_TNUMBER) {
		k.is_float = true;
		k.n = lua_tonumber(L, index);
	} else {
		luaL_error(L, "keys of type %s have no order: use numbers and strings as keys",
			   lua_typename(L, type));
	}
	return k;
}

static void push_key(lua_State *L, const struct key *k)
{
	if (k->is_string)
		lua_pushlstring(L, k->s, k->len);
	else if (k->is_float)
		lua_pushnumber(L, k->n);
	else
		lua_pushinteger(L, k->i);
}

void sandbox_sorted_keys(lua_State *L, int index)
{
	struct key *keys;
	size_t count = 0;
	size_t i;

	index = lua_absindex(L, index);
	luaL_checkstack(L, 6, NULL);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		lua_pop(L, 1);
		count++;
	}
	sandbox_bill(L, count);
	lua_createtable(L, (int)count, 0);
	if (!count)
		return;
	keys = lua_newuserdatauv(L, count * sizeof(*keys), 0);
	i = 0;
	lua_pushnil(L);
	while (lua_next(L, index)) {
		lua_pop(L, 1);
		keys[i++] = read_key(L, -1);
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (i = 0; i < count; i++) {
		push_key(L, &keys[i]);
		lua_rawseti(L, -3, (lua_Integer)i + 1);
	}
	lua_pop(L, 1);
}

/* Iterator of pairs; upvalues: table, keys, place. Entries removed meanwhile are passed over. */
static int pairs_step(lua_State *L)
{
	lua_Integer place = lua_tointeger(L, lua_upvalueindex(3));

	for (;;) {
		lua_rawgeti(L, lua_upvalueindex(2), ++place);
		if (lua_isnil(L, -1))
			return 1;
		lua_pushvalue(L, -1);
		lua_rawget(L, lua_upvalueindex(1));
		if (!lua_isnil(L, -1))
			break;
		lua_pop(L, 2);
	}
	lua_pushinteger(L, place);
	lua_replace(L, lua_upvalueindex(3));
	return 2;
}

static int base_pairs(lua_State *L)
{
	luaL_checkany(L, 1);
	if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
		lua_pushvalue(L, 1);
		lua_call(L, 1, 3);
		return 3;
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_pushvalue(L, 1);
	sandbox_sorted_keys(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, pairs_step, 3);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

/* next(t, k): the least key above k. A search through the whole table, but in order. */
static int base_next(lua_State *L)
{
	struct key from = { 0 };
	struct key best = { 0 };
	bool has_from, found = false;
	u64 work = 0;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	has_from = !lua_isnil(L, 2);
	if (has_from)
		from = read_key(L, 2);
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		struct key k;

		lua_pop(L, 1);
		k = read_key(L, -1);
		work++;
		if (has_from && compare_keys(&k, &from) <= 0)
			continue;
		if (!found || compare_keys(&k, &best) < 0)
			best = k;
		found = true;
	}
	sandbox_bill(L, work);
	if (!found) {
		lua_pushnil(L);
		return 1;
	}
	push_key(L, &best);
	lua_pushvalue(L, -1);
	lua_rawget(L, 1);
	return 2;
}

/* -- Text of values -- */

static void push_numbered(lua_State *L, int index, const char *kind)
{
	struct sandbox *sb = sandbox_of(L);
	u64 number;

	lua_rawgetp(L, LUA_REGISTRYINDEX, &key_numbers);
	lua_pushvalue(L, index);
	lua_rawget(L, -2);
	number = (u64)lua_tointeger(L, -1);
	lua_pop(L, 1);
	if (!number) {
		number = ++sb->object_count;
		lua_pushvalue(L, index);
		lua_pushinteger(L, (lua_Integer)number);
		lua_rawset(L, -3);
	}
	lua_pop(L, 1);
	lua_pushfstring(L, "%s: %I", kind, (LUAI_UACINT)number);
}

const char *sandbox_tolstring(lua_State *L, int index, size_t *len)
{
	int type = lua_type(L, index);

	index = lua_absindex(L, index);
	luaL_checkstack(L, 6, NULL);
	if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
		lua_pushvalue(L, index);
		lua_call(L, 1, 1);
		if (!lua_isstring(L, -1))
			luaL_error(L, "'__tostring' must return a string");
		return lua_tolstring(L, -1, len);
	}
	if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING)
		return luaL_tolstring(L, index, len);
	if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) {
		push_numbered(L, index, lua_tostring(L, -1));
		lua_remove(L, -2);
		return lua_tolstring(L, -1, len);
	}
	push_numbered(L, index, lua_typename(L, type));
	return lua_tolstring(L, -1, len);
}

static int base_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	sandbox_tolstring(L, 1, NULL);
	return 1;
}

static int base_print(lua_State *L)
{
	struct sandbox *sb = sandbox_of(L);
	int count = lua_gettop(L);
	int i;

	for (i = 1; i <= count; i++) {
		size_t len;
		const char *text = sandbox_tolstring(L, i, &len);

		if (sb->printed.len + len > SANDBOX_TEXT_LIMIT)
			return luaL_error(L, "print: text limit: the test printed more than 1 MiB");
		sandbox_bill(L, len / 16 + 1);
		if (i > 1)
			strbuf_putc(&sb->printed, '\t');
		strbuf_add(&sb->printed, text, len);
		lua_pop(L, 1);
	}
	strbuf_putc(&sb->printed, '\n');
	return 0;
}

/* -- Metatables -- */

static void check_metatable(lua_State *L, int index)
{
	static const char *const refused[] = { "__gc", "__mode" };
	static const char *const what[] = { "finalizers", "weak tables" };
	size_t i;

	index = lua_absindex(L, index);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		lua_pushstring(L, refused[i]);
		if (lua_rawget(L, index) != LUA_TNIL)
			luaL_error(L,
				   "metatable field '%s': %s are not available, when they act "
				   "depends on the collector",
				   refused[i], what[i]);
		lua_pop(L, 1);
	}
}

static int base_setmetatable(lua_State *L)
{
	int type = lua_type(L, 2);

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	if (type == LUA_TTABLE) {
		check_metatable(L, 2);
		lua_rawgetp(L, LUA_REGISTRYINDEX, &key_metatables);
		lua_pushvalue(L, 2);
		lua_pushboolean(L, 1);
		lua_rawset(L, -3);
		lua_pop(L, 1);
	}
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

void sandbox_check_metatables(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &key_metatables);
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		lua_pop(L, 1);
		check_metatable(L, -1);
	}
	lua_pop(L, 1);
}

/* -- Code -- */

/* load(chunk, name, mode, env), stock load as upvalue: whatever mode says, text only. */
static int base_load(lua_State *L)
{
	int count = lua_gettop(L);
	const char *mode = luaL_optstring(L, 3, "t");

	if (!strchr(mode, 't')) {
		lua_pushnil(L);
		lua_pushliteral(L, "binary chunks are not loaded: they can crash the interpreter");
		return 2;
	}
	if (lua_type(L, 1) == LUA_TSTRING)
		sandbox_bill(L, lua_rawlen(L, 1) / 8);
	lua_settop(L, count < 3 ? 3 : count);
	lua_pushliteral(L, "t");
	lua_replace(L, 3);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

static int base_collectgarbage(lua_State *L)
{
	const char *what = luaL_optstring(L, 1, "collect");

	if (strcmp(what, "collect") != 0 && strcmp(what, "step") != 0)
		return luaL_error(L, "collectgarbage: only \"collect\" and \"step\" are available");
	sandbox_bill(L, 10000);
	lua_gc(L, LUA_GCCOLLECT);
	lua_pushinteger(L, 0);
	return 1;
}

/* coroutine.create and wrap, the stock function as upvalue. Each thread starts a hook interval. */
static int co_create(lua_State *L)
{
	sandbox_bill(L, 1000);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, 1);
	return 1;
}

static void wrap_field(lua_State *L, const char *name, lua_CFunction f)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, f, 1);
	lua_setfield(L, -2, name);
}

void sandbox_open_base(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "pairs", base_pairs },
		{ "next", base_next },
		{ "tostring", base_tostring },
		{ "print", base_print },
		{ "setmetatable", base_setmetatable },
		{ "collectgarbage", base_collectgarbage },
		{ NULL, NULL },
	};
	static const char *const removed[] = { "dofile", "loadfile", "warn" };
	size_t i;

	lua_newtable(L);
	lua_newtable(L);
	lua_pushliteral(L, "k");
	lua_setfield(L, -2, "__mode");
	lua_setmetatable(L, -2);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key_numbers);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key_metatables);

	lua_pushglobaltable(L);
	luaL_setfuncs(L, functions, 0);
	for (i = 0; i < ARRAY_SIZE(removed); i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, removed[i]);
	}
	wrap_field(L, "load", base_load);
	lua_getfield(L, -1, "coroutine");
	wrap_field(L, "create", co_create);
	wrap_field(L, "wrap", co_create);
	lua_pop(L, 2);
}
