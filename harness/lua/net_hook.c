/* SPDX-License-Identifier: MIT */
/*
 * Netfilter hooks in Lua: the one place where the world calls a script. The call is protected and
 * may not wait; an error in it drops the packet and fails the test.
 */
#include "lua/net.h"

#include "stack/limits.h"
#include "stack/rtnetlink.h"

#include <string.h>

static const char key_hooks = 0; /* registry: id -> function */
static const char key_replace = 0; /* registry: bytes that a hook returned last */

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
	struct nf_hook_packet *p;
	u32 verdict;
};

static const struct {
	const char *name;
	u32 verdict;
} verdicts[] = {
	{ "accept", NF_ACCEPT }, { "drop", NF_DROP },	  { "stolen", NF_STOLEN },
	{ "queue", NF_QUEUE },	 { "repeat", NF_REPEAT },
};

static u32 check_verdict(lua_State *L, int index)
{
	const char *name;

	if (lua_isnil(L, index))
		return NF_ACCEPT;
	if (lua_isinteger(L, index))
		return (u32)lua_tointeger(L, index);
	name = lua_tostring(L, index);
	for (size_t i = 0; name && i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (strcmp(verdicts[i].name, name) == 0)
			return verdicts[i].verdict;
	return (u32)luaL_error(L, "a hook must return \"accept\", \"drop\", \"stolen\", \"queue\", "
				  "\"repeat\" or a packet");
}

/* The function gets packet, ifindex in, ifindex out, the packet's number; it returns a verdict and,
 * maybe, bytes to go on instead of the packet's. */
static int call_hook(lua_State *L)
{
	struct hook_call *c = lua_touserdata(L, 1);
	struct nf_hook_packet *p = c->p;
	const char *bytes;
	size_t len;

	lua_rawgetp(L, LUA_REGISTRYINDEX, &key_hooks);
	lua_rawgeti(L, -1, p->id);
	net_push_packet(L, packet_parse(PACKET_LINK_RAW, p->data, p->len, p->len));
	lua_pushinteger(L, p->in_ifindex);
	lua_pushinteger(L, p->out_ifindex);
	lua_pushinteger(L, (lua_Integer)p->packet_id);
	lua_call(L, 4, 2);
	c->verdict = check_verdict(L, -2);
	bytes = lua_tolstring(L, -1, &len);
	if (bytes && (len == 0 || len > FRAME_LEN_MAX))
		return luaL_error(L, "a hook returned a packet of %d bytes", (int)len);
	if (!bytes)
		return 0;
	/* They must outlive this call: the registry keeps them until the next. */
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key_replace);
	p->replace = (const u8 *)bytes;
	p->replace_len = (u32)len;
	return 0;
}

u32 net_on_hook(void *ctx, struct nf_hook_packet *p)
{
	struct net_run *n = ctx;
	lua_State *L = n->test->sb->L;
	struct hook_call c = { p, NF_DROP };
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
		p->replace = NULL;
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
