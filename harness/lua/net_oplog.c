/* SPDX-License-Identifier: MIT */
/*
 * net.oplog: a world that does what a log of ops says, op by op, each after the same number of
 * events and at the same time as when it was written (stack/op.h). What hosts send is for nobody,
 * calls wait for nobody: the digest in the end tells whether all went the same way.
 */
#include "lua/net.h"

#include "stack/rtnetlink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SOCK_ADDR_BYTES = 24 };

/* native.oplog(seed): makes the test's world, which must not be there yet. */
static int native_oplog(lua_State *L)
{
	struct test_run *t = test_run_of(L);

	if (t->net)
		return luaL_error(L, "net.oplog: the test has a world already");
	t->log_seed = (u64)luaL_checkinteger(L, 1);
	t->log = true;
	net_run_of(L);
	return 0;
}

static struct net_run *log_run(lua_State *L)
{
	if (!test_run_of(L)->log)
		luaL_error(L, "only for the world of net.oplog");
	return net_run_of(L);
}

/*
 * native.log_at(time, events): runs so many events in all, then moves the clock. False when the
 * world has not that many, or more by then.
 */
static int native_log_at(lua_State *L)
{
	struct net_run *n = log_run(L);
	const struct world *w = sut_tapline_world(n->sut);
	u64 time = (u64)luaL_checkinteger(L, 1), events = (u64)luaL_checkinteger(L, 2);
	bool ok = true;

	while (ok && world_event_count(w) < events)
		ok = n->sut->ops->step(n->sut);
	if (ok && n->sut->ops->now(n->sut) < time)
		ok = n->sut->ops->run(n->sut, time) == WORLD_TIME;
	lua_pushboolean(L,
			ok && world_event_count(w) == events && n->sut->ops->now(n->sut) == time);
	return 1;
}

/* A call of the log: its buffers live until the world ends. */
static s64 submit_call(struct net_run *n, const struct op_syscall *o)
{
	struct net_call *call = xrealloc(NULL, sizeof(*call));
	u64 size = o->data.len ? o->data.len : o->capacity;
	u64 control = o->control.len ? o->control.len : o->control_capacity;

	*call = (struct net_call){ .next = n->calls };
	n->calls = call;
	call->data = xrealloc(NULL, size ? size : 1);
	memset(call->data, 0, size);
	call->control = xrealloc(NULL, control ? control : 1);
	memset(call->control, 0, control);
	if (o->data.len)
		memcpy(call->data, o->data.p, o->data.len);
	if (o->control.len)
		memcpy(call->control, o->control.p, o->control.len);
	call->op = (struct sys_op){ .host = (u32)o->host,
				    .nr = (u32)o->nr,
				    .fd = (s32)(s64)o->fd,
				    .arg = { o->arg0, o->arg1, o->arg2, o->arg3 },
				    .data = call->data,
				    .data_len = (u32)size,
				    .control = control ? call->control : NULL,
				    .control_len = (u32)control,
				    .timeout_ns = o->timeout_ns };
	if (o->addr.len == SOCK_ADDR_BYTES) {
		const u8 *p = o->addr.p;

		call->op.has_addr = true;
		call->op.addr.family = (u16)(p[0] | p[1] << 8);
		call->op.addr.port = (u16)(p[2] | p[3] << 8);
		call->op.addr.scope_id =
			(u32)p[4] | (u32)p[5] << 8 | (u32)p[6] << 16 | (u32)p[7] << 24;
		memcpy(call->op.addr.addr, p + 8, 16);
	}
	return n->sut->ops->submit(n->sut, &call->op);
}

/* A call that completed by itself is not cancelled. */
static s64 cancel_call(struct net_run *n, u64 id)
{
	struct net_call *call = n->calls;

	while (call && call->op.id != id)
		call = call->next;
	if (call)
		n->sut->ops->cancel(n->sut, &call->op);
	return 0;
}

/* native.log_op(name, fields): applies it; what came of it. */
static int native_log_op(lua_State *L)
{
	struct net_run *n = log_run(L);
	struct op op = { 0 };
	s64 result;

	net_read_op(L, luaL_checkstring(L, 1), &op);
	if (op.kind == OP_SYSCALL &&
	    (op.u.syscall.capacity > 1u << 24 || op.u.syscall.control_capacity > 1u << 24))
		return luaL_error(L, "syscall: a capacity is more than 16777216");
	if (op.kind == OP_SYSCALL)
		result = submit_call(n, &op.u.syscall);
	else if (op.kind == OP_CANCEL)
		result = cancel_call(n, op.u.cancel.id);
	else
		result = n->sut->ops->apply(n->sut, &op);
	if (result >= 0)
		net_note_op(n, &op);
	lua_pushinteger(L, (lua_Integer)result);
	return 1;
}

static int native_log_digest(lua_State *L)
{
	struct net_run *n = log_run(L);
	char text[17];

	snprintf(text, sizeof(text), "%016" PRIx64, n->sut->ops->digest(n->sut));
	lua_pushstring(L, text);
	return 1;
}

void net_open_oplog(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "oplog", native_oplog },
		{ "log_at", native_log_at },
		{ "log_op", native_log_op },
		{ "log_digest", native_log_digest },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
