/* SPDX-License-Identifier: MIT */
/*
 * Looking at a world from a script: counters, sysctls, /proc views, trace records.
 */
#include "lua/net.h"

#include "stack/cost.h"
#include "stack/drop_reason.h"
#include "stack/errno.h"
#include "stack/fault.h"
#include "stack/nic.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"
#include "stack/tcp.h"

#include <stdlib.h>
#include <string.h>

/* native.counter(host, name): its value, or nil. */
static int native_counter(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	u32 host = (u32)luaL_checkinteger(L, 1);
	u64 value;

	if (!n->sut->ops->counter(n->sut, host, luaL_checkstring(L, 2), &value))
		return 0;
	lua_pushinteger(L, (lua_Integer)value);
	return 1;
}

static void add_counter(void *ctx, const char *name, u64 value)
{
	lua_State *L = ctx;

	lua_pushinteger(L, (lua_Integer)value);
	lua_setfield(L, -2, name);
}

static int native_counters(lua_State *L)
{
	struct net_run *n = net_run_of(L);

	lua_newtable(L);
	n->sut->ops->counters(n->sut, (u32)luaL_checkinteger(L, 1), add_counter, L);
	return 1;
}

static int native_sysctl(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	char value[512];
	s32 len = n->sut->ops->sysctl(n->sut, (u32)luaL_checkinteger(L, 1), luaL_checkstring(L, 2),
				      value, sizeof(value));

	if (len < 0)
		return 0;
	lua_pushstring(L, value);
	return 1;
}

static void add_name(void *ctx, const char *name)
{
	lua_State *L = ctx;

	lua_pushstring(L, name);
	lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int native_sysctls(lua_State *L)
{
	struct net_run *n = net_run_of(L);

	lua_newtable(L);
	n->sut->ops->sysctls(n->sut, (u32)luaL_checkinteger(L, 1), add_name, L);
	return 1;
}

static int native_proc(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	u32 host = (u32)luaL_checkinteger(L, 1);
	const char *path = luaL_checkstring(L, 2);
	u32 size = 1u << 16;
	s32 len;
	char *text;

	/* Lua's memory, so that nothing is lost if it runs out. */
	text = lua_newuserdatauv(L, size, 0);
	len = n->sut->ops->proc(n->sut, host, path, text, size);
	if (len < 0)
		return 0;
	if ((u32)len >= size) {
		size = (u32)len + 1;
		text = lua_newuserdatauv(L, size, 0);
		n->sut->ops->proc(n->sut, host, path, text, size);
	}
	lua_pushlstring(L, text, (size_t)len);
	return 1;
}

/* -- Trace -- */

static void push_record(lua_State *L, const struct trace_record *rec)
{
	const char *args = trace_event_args(rec->event);
	size_t i;

	lua_createtable(L, 0, 8);
	lua_pushinteger(L, (lua_Integer)rec->time_ns);
	lua_setfield(L, -2, "time");
	lua_pushstring(L, trace_event_name(rec->event));
	lua_setfield(L, -2, "event");
	lua_pushinteger(L, rec->host);
	lua_setfield(L, -2, "host");
	lua_pushinteger(L, rec->cpu);
	lua_setfield(L, -2, "cpu");
	for (i = 0; args && *args && i < 4; i++) {
		size_t len = strcspn(args, " ");

		lua_pushlstring(L, args, len);
		if (rec->event == TRACE_SKB_PATH && i == 1)
			lua_pushstring(L, skb_path_name((u32)rec->arg[i]));
		else if (rec->event == TRACE_KFREE_SKB && len == 6 && !memcmp(args, "reason", 6))
			lua_pushstring(L, drop_reason_name((u32)rec->arg[i]));
		else
			lua_pushinteger(L, (lua_Integer)rec->arg[i]);
		lua_rawset(L, -3);
		args += len + (args[len] == ' ');
	}
}

/* native.traces(): the records so far, and forgets them. */
static int native_traces(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	size_t i;

	lua_createtable(L, (int)n->trace_count, 0);
	for (i = 0; i < n->trace_count; i++) {
		push_record(L, &n->traces[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	n->trace_count = 0;
	return 1;
}

/* -- Constants -- */

/* native.names(kind): name -> number of a list. */
static int native_names(lua_State *L)
{
	static const char *const kinds[] = { "trace", "fault", "drop", NULL };
	static const char *(*const name_of[])(u32) = { trace_event_name, fault_name,
						       drop_reason_name };
	int kind = luaL_checkoption(L, 1, NULL, kinds);
	const char *name;
	u32 i;

	lua_newtable(L);
	for (i = 0; (name = name_of[kind](i)); i++) {
		lua_pushinteger(L, i);
		lua_setfield(L, -2, name);
	}
	return 1;
}

void net_open_look(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "counter", native_counter },
		{ "counters", native_counters },
		{ "sysctl", native_sysctl },
		{ "sysctls", native_sysctls },
		{ "proc", native_proc },
		{ "traces", native_traces },
		{ "constants", net_constants },
		{ "names", native_names },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
