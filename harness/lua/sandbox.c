/* SPDX-License-Identifier: MIT */
/*
 * The sandboxed state: allocator with a limit, fuel, and which libraries are there. The parts of
 * the library that are replaced stand in base.c, strings.c, pattern.c, tables.c and maths.c.
 */
#include "lua/sandbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* VM instructions between two calls of the hook. */
#define HOOK_INTERVAL 1000

/* Below this the collector stays off: most tests end before they need it. */
#define COLLECT_ABOVE (8u << 20)

struct sandbox *sandbox_of(lua_State *L)
{
	struct sandbox *sb;

	memcpy(&sb, lua_getextraspace(L), sizeof(sb));
	return sb;
}

static void *sandbox_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
	struct sandbox *sb = ud;
	size_t old = ptr ? osize : 0;
	void *p;

	if (nsize == 0) {
		free(ptr);
		sb->memory_used -= old;
		return NULL;
	}
	if (nsize > old && nsize - old > sb->memory_limit - sb->memory_used) {
		/* Lua collects all garbage and asks again; a second refusal is the error. */
		return NULL;
	}
	p = realloc(ptr, nsize);
	if (p)
		sb->memory_used = sb->memory_used - old + nsize;
	return p;
}

static int raise_no_fuel(lua_State *L, struct sandbox *sb, int level)
{
	luaL_where(L, level);
	lua_pushfstring(L, "step limit: the test took more than %I million steps",
			(LUAI_UACINT)(sb->fuel_limit / 1000000));
	lua_concat(L, 2);
	return lua_error(L);
}

static void hook(lua_State *L, lua_Debug *ar)
{
	struct sandbox *sb = sandbox_of(L);

	(void)ar;
	if (!sb->collecting && sb->memory_used > COLLECT_ABOVE) {
		sb->collecting = true;
		lua_gc(L, LUA_GCRESTART);
	}
	if (!sb->no_fuel && sb->fuel >= HOOK_INTERVAL) {
		sb->fuel -= HOOK_INTERVAL;
		return;
	}
	sb->no_fuel = true;
	sb->fuel = 0;
	lua_sethook(L, hook, LUA_MASKCOUNT, 1);
	raise_no_fuel(L, sb, 0);
}

void sandbox_bill(lua_State *L, u64 work)
{
	struct sandbox *sb = sandbox_of(L);

	if (!sb->no_fuel && sb->fuel >= work) {
		sb->fuel -= work;
		return;
	}
	sb->no_fuel = true;
	sb->fuel = 0;
	lua_sethook(L, hook, LUA_MASKCOUNT, 1);
	raise_no_fuel(L, sb, 1);
}

static int panic(lua_State *L)
{
	const char *text = lua_tostring(L, -1);

	fprintf(stderr, "tapline: unprotected Lua error: %s\n", text ? text : "(not a string)");
	return 0;
}

static int open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base },	   { LUA_COLIBNAME, luaopen_coroutine },
		{ LUA_TABLIBNAME, luaopen_table }, { LUA_STRLIBNAME, luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math }, { LUA_UTF8LIBNAME, luaopen_utf8 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(libraries); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	sandbox_open_base(L);
	sandbox_open_string(L);
	sandbox_open_table(L);
	sandbox_open_math(L);
	/*
	 * Messages name functions by a search through the loaded modules, in hash order. With none
	 * loaded they take the name that the call has in the script.
	 */
	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	return 0;
}

#ifdef __i386__
/*
 * Lua computes in double. The x87 would keep 64 bits of mantissa in registers, and results would
 * differ from those of other machines: make it round to 53.
 */
static void set_float_precision(void)
{
	unsigned short control;

	__asm__ volatile("fnstcw %0" : "=m"(control));
	control = (unsigned short)((control & ~0x300u) | 0x200u);
	__asm__ volatile("fldcw %0" : : "m"(control));
}
#else
static void set_float_precision(void)
{
}
#endif

struct sandbox *sandbox_new(u64 fuel, size_t memory, u64 seed)
{
	struct sandbox *sb = xrealloc(NULL, sizeof(*sb));

	set_float_precision();
	*sb = (struct sandbox){ .memory_limit = memory, .fuel_limit = fuel, .fuel = fuel };
	sandbox_random_seed(sb, seed);
	sb->L = lua_newstate(sandbox_alloc, sb);
	if (!sb->L) {
		free(sb);
		return NULL;
	}
	memcpy(lua_getextraspace(sb->L), &sb, sizeof(sb));
	lua_atpanic(sb->L, panic);
	lua_gc(sb->L, LUA_GCSTOP);
	lua_pushcfunction(sb->L, open_libraries);
	if (lua_pcall(sb->L, 0, 0, 0) != LUA_OK) {
		sandbox_free(sb);
		return NULL;
	}
	lua_sethook(sb->L, hook, LUA_MASKCOUNT, HOOK_INTERVAL);
	return sb;
}

void sandbox_free(struct sandbox *sb)
{
	if (!sb)
		return;
	lua_close(sb->L);
	strbuf_free(&sb->printed);
	free(sb);
}
