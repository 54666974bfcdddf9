/* SPDX-License-Identifier: MIT */
/*
 * Netfilter hooks in Lua: the one place where the world calls a script. The call is protected and
 * may not wait; an error in it drops the packet and fails the test.
 */
#include "lua/net.h"

#include "stack/rtnetlink.h"

#include <string.h>

static const char key_hooks = 0; /* registry: id -> function */

/* native.hook(id, function): what is called for hooks registered under this id. */
static int native_hook(lua_State *L)
{
	lua_Integer id = luaL_checkinteger(L, 1);

	net_run_of(L);
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key_hooks) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &key_hooks);
	}
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, id);
	return 0;
}

struct hook_call {
	u32 id, hook, in, out;
	u8 *packet;
	u32 len;
	u32 verdict;
};

static int call_hook(lua_State *L)
{
	struct hook_call *c = lua_touserdata(L, 1);
	const char *verdict;

	c->verdict = NF_DROP;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &key_hooks);
	lua_rawgeti(L, -1, c->id);
	net_push_packet(L, packet_parse(PACKET_LINK_RAW, c->packet, c->len, c->len));
	lua_pushinteger(L, c->in);
	lua_pushinteger(L, c->out);
	lua_call(L, 3, 1);
	verdict = lua_isnil(L, -1) ? "accept" : lua_tostring(L, -1);
	if (verdict && strcmp(verdict, "accept") == 0)
		c->verdict = NF_ACCEPT;
	else if (!verdict || strcmp(verdict, "drop") != 0)
		return luaL_error(L, "a hook must return \"accept\" or \"drop\"");
	return 0;
}

u32 net_on_hook(void *ctx, u32 id, u32 hook, u8 *packet, u32 len, u32 in, u32 out)
{
	struct net_run *n = ctx;
	lua_State *L = n->test->sb->L;
	struct hook_call c = { id, hook, in, out, packet, len, NF_DROP };
	struct net_task *running = n->running;

	n->in_hook = true;
	n->running = NULL;
	lua_pushcfunction(L, call_hook);
	lua_pushlightuserdata(L, &c);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		const char *message = lua_tostring(L, -1);

		net_fail(n, message ? message : "error in a hook");
		lua_pop(L, 1);
		c.verdict = NF_DROP;
	}
	n->in_hook = false;
	n->running = running;
	return c.verdict;
}

void net_open_hooks(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "hook", native_hook },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
