/* SPDX-License-Identifier: MIT */
/*
 * Socket calls from scripts. A call that can not complete at once suspends its task; the buffers
 * live here until the world is done with them.
 *
 * Invariant: every call that was submitted and is not completed is in the run's list, and is
 * cancelled before the world ends.
 */
#include "lua/net.h"

#include "stack/errno.h"
#include "stack/socket.h"

#include <stdlib.h>
#include <string.h>

#define EPOLL_EVENT_BYTES 12u /* struct epoll_event of Linux x86-64 */

const char *net_errno_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
#define E(x) { x, #x }
		E(EPERM),	  E(ENOENT),	   E(ESRCH),	       E(EINTR),
		E(EIO),		  E(ENXIO),	   E(E2BIG),	       E(EBADF),
		E(EAGAIN),	  E(ENOMEM),	   E(EACCES),	       E(EFAULT),
		E(EBUSY),	  E(EEXIST),	   E(ENODEV),	       E(ENOTDIR),
		E(EINVAL),	  E(EMFILE),	   E(ENOTTY),	       E(ENOSPC),
		E(EPIPE),	  E(EDOM),	   E(ERANGE),	       E(ENOSYS),
		E(ELOOP),	  E(EXFULL),	   E(EBADMSG),	       E(EOVERFLOW),
		E(EUSERS),	  E(ENOTSOCK),	   E(EDESTADDRREQ),    E(EMSGSIZE),
		E(EPROTOTYPE),	  E(ENOPROTOOPT),  E(EPROTONOSUPPORT), E(ESOCKTNOSUPPORT),
		E(EOPNOTSUPP),	  E(EPFNOSUPPORT), E(EAFNOSUPPORT),    E(EADDRINUSE),
		E(EADDRNOTAVAIL), E(ENETDOWN),	   E(ENETUNREACH),     E(ENETRESET),
		E(ECONNABORTED),  E(ECONNRESET),   E(ENOBUFS),	       E(EISCONN),
		E(ENOTCONN),	  E(ETIMEDOUT),	   E(ECONNREFUSED),    E(EHOSTDOWN),
		E(EHOSTUNREACH),  E(EALREADY),	   E(EINPROGRESS),     E(EPROTO),
		E(ENODATA),	  E(ENOMSG),	   { 64, "ENONET" },   E(EKEYREJECTED),
		E(ENFILE),
#undef E
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].code == code)
			return names[i].name;
	}
	return "EUNKNOWN";
}

static int call_number(const char *name)
{
	static const char *const names[SYS_NR_COUNT] = {
		[SYS_SOCKET] = "socket",
		[SYS_BIND] = "bind",
		[SYS_CONNECT] = "connect",
		[SYS_LISTEN] = "listen",
		[SYS_ACCEPT] = "accept",
		[SYS_SENDMSG] = "sendmsg",
		[SYS_RECVMSG] = "recvmsg",
		[SYS_SHUTDOWN] = "shutdown",
		[SYS_CLOSE] = "close",
		[SYS_GETSOCKNAME] = "getsockname",
		[SYS_GETPEERNAME] = "getpeername",
		[SYS_SETSOCKOPT] = "setsockopt",
		[SYS_GETSOCKOPT] = "getsockopt",
		[SYS_POLL] = "poll",
		[SYS_FCNTL] = "fcntl",
		[SYS_IOCTL] = "ioctl",
		[SYS_DUP] = "dup",
		[SYS_EPOLL_CREATE] = "epoll_create",
		[SYS_EPOLL_CTL] = "epoll_ctl",
		[SYS_EPOLL_WAIT] = "epoll_wait",
		[SYS_PIPE] = "pipe",
		[SYS_SPLICE] = "splice",
		[SYS_SENDFILE] = "sendfile",
		[SYS_MEMFD] = "memfd",
	};
	int i;

	for (i = 0; i < SYS_NR_COUNT; i++) {
		if (names[i] && strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

/* -- Arguments: a table at index 2 -- */

static lua_Integer number_field(lua_State *L, const char *field, lua_Integer otherwise)
{
	lua_Integer value = otherwise;

	if (lua_getfield(L, 2, field) != LUA_TNIL) {
		if (!lua_isinteger(L, -1))
			luaL_error(L, "'%s' must be an integer", field);
		value = lua_tointeger(L, -1);
	}
	lua_pop(L, 1);
	return value;
}

static const char *text_field(lua_State *L, const char *field, size_t *len)
{
	const char *text = NULL;

	*len = 0;
	if (lua_getfield(L, 2, field) != LUA_TNIL) {
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "'%s' must be a string", field);
		text = lua_tolstring(L, -1, len);
	}
	lua_pop(L, 1);
	return text;
}

static void free_call(struct net_run *n, struct net_call *call)
{
	struct net_call **link = &n->calls;

	while (*link && *link != call)
		link = &(*link)->next;
	if (*link)
		*link = call->next;
	free(call->data);
	free(call->control);
	free(call);
}

void net_calls_cancel(struct net_run *n)
{
	struct net_call *call;

	for (call = n->calls; call; call = call->next) {
		call->task = NULL;
		if (!call->op.completed)
			n->sut->ops->cancel(n->sut, &call->op);
	}
}

void net_calls_free(struct net_run *n)
{
	while (n->calls)
		free_call(n, n->calls);
}

/* A buffer of `size` bytes that begins with these. */
static u8 *buffer(const char *bytes, size_t len, size_t size)
{
	u8 *b = xrealloc(NULL, size ? size : 1);

	memset(b, 0, size);
	if (len)
		memcpy(b, bytes, len);
	return b;
}

static size_t buffer_size(lua_State *L, const char *field, size_t len)
{
	lua_Integer size = number_field(L, field, 0);

	if (size < 0 || size > 1 << 24)
		luaL_error(L, "'%s' must be from 0 to 16777216", field);
	return (size_t)size > len ? (size_t)size : len;
}

/* The list { fd, events, fd, events, ... } of a poll, as a string of struct sys_pollfd; nil: none.
 */
static void pack_pollfds(lua_State *L)
{
	struct sys_pollfd *fds;
	lua_Integer count, i;

	if (lua_getfield(L, 2, "fds") == LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	count = luaL_len(L, -1) / 2;
	if (count < 1 || count > 1024)
		luaL_error(L, "a poll is for 1 to 1024 descriptors");
	fds = lua_newuserdatauv(L, (size_t)count * sizeof(*fds), 0);
	for (i = 0; i < count; i++) {
		lua_rawgeti(L, -2, 2 * i + 1);
		lua_rawgeti(L, -3, 2 * i + 2);
		fds[i] = (struct sys_pollfd){ (s32)lua_tointeger(L, -2), (u16)lua_tointeger(L, -1),
					      0 };
		lua_pop(L, 2);
	}
	lua_pushlstring(L, (const char *)fds, (size_t)count * sizeof(*fds));
	lua_setfield(L, 2, "data");
	lua_pop(L, 2);
}

/* All that can raise comes first, so that nothing is lost. */
static struct net_call *make_call(lua_State *L, struct net_run *n, int nr)
{
	size_t data_len, control_len, addr_len, data_size, control_size;
	const char *data = text_field(L, "data", &data_len);
	const char *control = text_field(L, "control", &control_len);
	const char *addr = text_field(L, "addr", &addr_len);
	struct sys_op op = { .nr = (u32)nr, .done = net_call_done };
	struct net_call *call;

	op.host = (u32)number_field(L, "host", 0);
	op.fd = (s32)number_field(L, "fd", -1);
	op.arg[0] = (u64)number_field(L, "arg0", 0);
	op.arg[1] = (u64)number_field(L, "arg1", 0);
	op.arg[2] = (u64)number_field(L, "arg2", 0);
	op.arg[3] = (u64)number_field(L, "arg3", 0);
	op.timeout_ns = (u64)number_field(L, "timeout", -1);
	if (addr) {
		op.has_addr = true;
		op.addr.family = (u16)number_field(L, "family", addr_len == 16 ? 10 : 2);
		op.addr.port = (u16)number_field(L, "port", 0);
		op.addr.scope_id = (u32)number_field(L, "scope", 0);
		memcpy(op.addr.addr, addr, addr_len < 16 ? addr_len : 16);
	}
	data_size = buffer_size(L, "size", data_len);
	control_size = buffer_size(L, "control_size", control_len);
	call = xrealloc(NULL, sizeof(*call));
	*call = (struct net_call){ .op = op, .data_size = (u32)data_size };
	call->data = buffer(data, data_len, data_size);
	call->control = buffer(control, control_len, control_size);
	call->op.data = call->data;
	if (number_field(L, "fault", 0))
		call->op.data = NULL; /* EFAULT */
	call->op.data_len = (u32)data_size;
	call->op.control = control_size ? call->control : NULL;
	call->op.control_len = (u32)control_size;
	call->op.ctx = call;
	call->task = n->running;
	call->next = n->calls;
	n->calls = call;
	return call;
}

void net_call_done(struct sys_op *op)
{
	struct net_call *call = op->ctx;

	if (call->task)
		net_task_wake(test_run_of(call->task->co)->net, call->task);
}

/* -- Results -- */

static size_t result_bytes(const struct net_call *call)
{
	u64 got = (u64)call->op.ret;

	switch (call->op.nr) {
	case SYS_RECVMSG:
	case SYS_GETSOCKOPT:
		return got < call->data_size ? (size_t)got : call->data_size;
	case SYS_EPOLL_WAIT:
		return (size_t)got * EPOLL_EVENT_BYTES;
	default:
		return 0;
	}
}

static void push_revents(lua_State *L, const struct net_call *call)
{
	size_t count = call->data_size / sizeof(struct sys_pollfd);
	size_t i;

	lua_createtable(L, (int)count, 0);
	for (i = 0; i < count; i++) {
		struct sys_pollfd fd;

		memcpy(&fd, call->data + i * sizeof(fd), sizeof(fd));
		lua_pushinteger(L, fd.revents);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "revents");
}

static int push_result(lua_State *L, struct net_run *n, struct net_call *call)
{
	const struct sys_op *op = &call->op;
	size_t bytes;

	if (op->ret < 0) {
		lua_pushnil(L);
		lua_pushstring(L, net_errno_name((int)-op->ret));
		free_call(n, call);
		return 2;
	}
	bytes = result_bytes(call);
	lua_createtable(L, 0, 6);
	lua_pushinteger(L, (lua_Integer)op->ret);
	lua_setfield(L, -2, "ret");
	lua_pushinteger(L, (lua_Integer)op->msg_flags);
	lua_setfield(L, -2, "msg_flags");
	if (bytes || op->nr == SYS_RECVMSG) {
		lua_pushlstring(L, (const char *)call->data, bytes);
		lua_setfield(L, -2, "data");
	}
	if (op->nr == SYS_POLL)
		push_revents(L, call);
	if (op->has_addr || op->addr.family) {
		lua_pushlstring(L, (const char *)op->addr.addr,
				op->addr.family == AF_INET ? 4 : 16);
		lua_pushinteger(L, op->addr.scope_id);
		lua_setfield(L, -3, "scope");
		lua_setfield(L, -2, "addr");
		lua_pushinteger(L, op->addr.port);
		lua_setfield(L, -2, "port");
		lua_pushinteger(L, op->addr.family);
		lua_setfield(L, -2, "family");
	}
	if (op->nr == SYS_RECVMSG && op->control && op->control_len) {
		lua_pushlstring(L, (const char *)op->control, op->control_len);
		lua_setfield(L, -2, "control");
	}
	free_call(n, call);
	return 1;
}

static int call_resumed(lua_State *L, int status, lua_KContext context)
{
	struct net_call *call = (struct net_call *)context;

	(void)status;
	if (!call->op.completed) {
		lua_pushlightuserdata(L, test_run_of(L));
		return lua_yieldk(L, 1, context, call_resumed);
	}
	return push_result(L, net_run_of(L), call);
}

/* native.sys(name, arguments): what came of it, or nil and the name of the error. */
static int native_sys(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	int nr = call_number(luaL_checkstring(L, 1));
	struct net_call *call;
	int error;

	luaL_checktype(L, 2, LUA_TTABLE);
	luaL_argcheck(L, nr >= 0, 1, "no such call");
	net_task_check(L);
	net_touch(n);
	if (nr == SYS_POLL)
		pack_pollfds(L);
	call = make_call(L, n, nr);
	/* What completes at once wakes nobody. */
	call->task = NULL;
	error = n->sut->ops->submit(n->sut, &call->op);
	if (error) {
		free_call(n, call);
		lua_pushnil(L);
		lua_pushstring(L, net_errno_name(-error));
		return 2;
	}
	call->task = n->running;
	return call_resumed(L, LUA_OK, (lua_KContext)call);
}

void net_open_calls(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "sys", native_sys },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
