/* SPDX-License-Identifier: MIT */
/*
 * A Lua 5.4 state in which a script is a pure function of its text and its seed.
 *
 * Stock Lua leaks the machine into a script in many places (addresses, hash order, the clock, the
 * allocator's luck) and can be made to run for ever inside one library call. Here each of these is
 * replaced or gone: docs/lua.md lists them. Two limits hold: fuel (VM instructions, and the work of
 * library calls in units of about the same size) and memory.
 *
 * Invariants:
 * - Every lua_State of a sandbox (coroutines too) has the count hook and leads to the struct
 *   sandbox through its extra space.
 * - Once fuel has run out, no script code runs any further: the hook then raises at every
 *   instruction, so that no pcall can go on.
 */
#ifndef TAPLINE_LUA_SANDBOX_H
#define TAPLINE_LUA_SANDBOX_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "stack/types.h"
#include "base/strbuf.h"

#define SANDBOX_DEFAULT_FUEL   50000000ull
#define SANDBOX_DEFAULT_MEMORY (128u << 20)

/* Bytes that a test may print, and note: a report is for reading. */
#define SANDBOX_TEXT_LIMIT (1u << 20)

struct sandbox {
	lua_State *L;
	size_t memory_limit;
	size_t memory_used;
	bool collecting; /* the garbage collector is on */
	bool no_fuel;
	u64 fuel_limit;
	u64 fuel;
	u64 random[4];
	u64 object_count; /* objects that were given a number by tostring */
	struct strbuf printed; /* what print() wrote */
	void *owner; /* the test run that this state serves */
};

/* A new state with the standard library's safe part; NULL when memory is short. */
struct sandbox *sandbox_new(u64 fuel, size_t memory, u64 seed);
void sandbox_free(struct sandbox *sb);

struct sandbox *sandbox_of(lua_State *L);

/* Takes fuel for work done inside a library call; raises when there is not enough. */
void sandbox_bill(lua_State *L, u64 work);

/* Like luaL_tolstring, but names objects by number, never by address. */
const char *sandbox_tolstring(lua_State *L, int index, size_t *len);

/*
 * Pushes an array of the keys of the table at index: numbers first, then strings bytewise. Raises
 * for keys of any other type.
 */
void sandbox_sorted_keys(lua_State *L, int index);

/* Raises when a metatable given to setmetatable has got __gc or __mode since. */
void sandbox_check_metatables(lua_State *L);

/* Next random number of the sandbox's own stream. */
u64 sandbox_random(struct sandbox *sb);
void sandbox_random_seed(struct sandbox *sb, u64 seed);

/* The parts of the library, a file each. They change the globals of L. */
void sandbox_open_base(lua_State *L);
void sandbox_open_string(lua_State *L);
void sandbox_open_pattern(lua_State *L); /* find, match, gmatch, gsub into the table on top */
void sandbox_open_table(lua_State *L);
void sandbox_open_math(lua_State *L);

#endif
