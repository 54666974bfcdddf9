/* SPDX-License-Identifier: MIT */
/*
 * The sandbox's math: random numbers from the test's seed (xoshiro256**, whose output is the same
 * on every machine), and no function whose last bit differs between C libraries and processors.
 */
#include "lua/sandbox.h"

static u64 rotate(u64 x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

u64 sandbox_random(struct sandbox *sb)
{
	u64 *s = sb->random;
	u64 result = rotate(s[1] * 5, 7) * 9;
	u64 t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

void sandbox_random_seed(struct sandbox *sb, u64 seed)
{
	size_t i;

	/* splitmix64 spreads the seed over the state */
	for (i = 0; i < ARRAY_SIZE(sb->random); i++) {
		u64 z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		sb->random[i] = z ^ z >> 31;
	}
}

/* A number from 0 to limit without bias: masked draws until one fits. */
static u64 random_up_to(struct sandbox *sb, u64 limit)
{
	u64 mask = limit;
	unsigned int shift;
	u64 n;

	for (shift = 1; shift < 64; shift *= 2)
		mask |= mask >> shift;
	do
		n = sandbox_random(sb) & mask;
	while (n > limit);
	return n;
}

/* math.random(), (m), (m, n) as in stock Lua. */
static int math_random(lua_State *L)
{
	struct sandbox *sb = sandbox_of(L);
	lua_Integer low = 1;
	lua_Integer high;

	switch (lua_gettop(L)) {
	case 0:
		lua_pushnumber(L, (lua_Number)(sandbox_random(sb) >> 11) * 0x1p-53);
		return 1;
	case 1:
		high = luaL_checkinteger(L, 1);
		if (high == 0) {
			lua_pushinteger(L, (lua_Integer)sandbox_random(sb));
			return 1;
		}
		break;
	case 2:
		low = luaL_checkinteger(L, 1);
		high = luaL_checkinteger(L, 2);
		break;
	default:
		return luaL_error(L, "wrong number of arguments");
	}
	luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
	lua_pushinteger(L, (lua_Integer)(random_up_to(sb, (u64)high - (u64)low) + (u64)low));
	return 1;
}

static int math_randomseed(lua_State *L)
{
	sandbox_random_seed(sandbox_of(L), (u64)luaL_checkinteger(L, 1));
	return 0;
}

void sandbox_open_math(lua_State *L)
{
	/* Their results are not rounded exactly: C libraries and FMA units disagree. */
	static const char *const removed[] = { "sin",  "cos",  "tan", "asin",
					       "acos", "atan", "exp", "log" };
	static const luaL_Reg functions[] = {
		{ "random", math_random },
		{ "randomseed", math_randomseed },
		{ NULL, NULL },
	};
	size_t i;

	lua_getglobal(L, LUA_MATHLIBNAME);
	luaL_setfuncs(L, functions, 0);
	for (i = 0; i < ARRAY_SIZE(removed); i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, removed[i]);
	}
	lua_pop(L, 1);
}
