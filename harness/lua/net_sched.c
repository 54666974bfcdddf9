/* SPDX-License-Identifier: MIT */
/*
 * The interleaving of CPUs for scripts: what the world chose (net.schedule), and a world that is
 * put back to where it was, so that net.interleavings can go through all orders.
 *
 * Invariant: while a world may be put back, only the running task exists, and no call is under way:
 * the world keeps no pointer to anything of ours.
 */
#include "lua/net.h"

#include "stack/errno.h"

#include <stdlib.h>
#include <string.h>

/* What the world does not know of a run. */
struct net_mark {
	size_t peers, wire_count, size;
	struct net_wire *wires;
	u8 *world;
};

static struct world *world_of(struct net_run *n)
{
	return sut_tapline_world(n->sut);
}

/* native.sched(): choices as a string, how many there were each time as a string. */
static int native_sched(lua_State *L)
{
	u8 choice[WORLD_SCHED_MAX], of[WORLD_SCHED_MAX];
	u32 n = world_sched_log(world_of(net_run_of(L)), choice, of, WORLD_SCHED_MAX);

	lua_pushlstring(L, (const char *)choice, n);
	lua_pushlstring(L, (const char *)of, n);
	return 2;
}

static void check_alone(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	const struct net_task *task;

	for (task = n->tasks; task; task = task->next)
		if (!task->done && task != n->running)
			script_error(L, "net.interleavings: a task still runs: join it first");
}

static void mark_free(struct net_mark *m)
{
	free(m->world);
	free(m->wires);
	*m = (struct net_mark){ 0 };
}

static int mark_gc(lua_State *L)
{
	mark_free(lua_touserdata(L, 1));
	return 0;
}

/* native.mark(): where the world is now. */
static int native_mark(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	struct net_mark *m;

	check_alone(L);
	if (n->frame_count)
		script_error(L, "net.interleavings: frames wait that nobody has taken");
	m = lua_newuserdatauv(L, sizeof(*m), 0);
	*m = (struct net_mark){ .peers = n->peer_count, .wire_count = n->wire_count };
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, mark_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	m->size = world_snapshot_size(world_of(n));
	m->world = xrealloc(NULL, m->size);
	world_snapshot(world_of(n), m->world);
	m->wires = xrealloc(NULL, (n->wire_count + 1) * sizeof(*m->wires));
	if (n->wire_count)
		memcpy(m->wires, n->wires, n->wire_count * sizeof(*m->wires));
	return 1;
}

/* native.restore(mark): back there. What has happened since must have come to its end. */
static int native_restore(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	const struct net_mark *m = lua_touserdata(L, 1);

	check_alone(L);
	if (n->frame_count)
		script_error(L, "net.interleavings: a run ended with frames that nobody took");
	n->sut->ops->check(n->sut, 1);
	world_restore(world_of(n), m->world, m->size);
	n->peer_count = m->peers;
	n->wire_count = m->wire_count;
	n->trace_count = 0;
	if (m->wire_count)
		memcpy(n->wires, m->wires, m->wire_count * sizeof(*m->wires));
	return 0;
}

void net_open_sched(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "sched", native_sched },
		{ "mark", native_mark },
		{ "restore", native_restore },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
