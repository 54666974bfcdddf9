/* SPDX-License-Identifier: MIT */
/*
 * The kernel's side of ci/linux-differential: runs one sequence of calls (a .lua beside this file)
 * against the kernel of this machine and prints what came of it, line by line, as
 * tests/linux/stack.lua does with the stack. The calls have the names and fields of host:syscall()
 * in docs/lua.md.
 *
 *   kernel DIR FILE [PART]
 *
 * Invariant: all is done in a network namespace of its own; the machine's is not touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#define ROOM	   (1u << 17)
#define POLLS_MAX  64
#define EVENTS_MAX 64

/* The arguments of a call, as the table at index 2 has them. */
struct call {
	int fd;
	lua_Integer arg[4];
	bool has_addr;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	} addr;
	socklen_t addr_len;
	size_t data_len, control_len;
	struct timespec timeout;
	bool waits_for_ever;
	int msg_flags;
};

static unsigned char data[ROOM], control[ROOM];

/* ---- arguments ---- */

static lua_Integer number_field(lua_State *L, const char *name, lua_Integer otherwise)
{
	lua_Integer value = otherwise;

	if (lua_getfield(L, 2, name) != LUA_TNIL)
		value = luaL_checkinteger(L, -1);
	lua_pop(L, 1);
	return value;
}

/* Copies a text to `to`, and makes room of the size that another field asks for. */
static size_t bytes_field(lua_State *L, const char *name, const char *size, unsigned char *to)
{
	lua_Integer room = number_field(L, size, 0);
	size_t len = 0;
	const char *text = NULL;

	if (lua_getfield(L, 2, name) != LUA_TNIL)
		text = luaL_checklstring(L, -1, &len);
	luaL_argcheck(L, len <= ROOM && room >= 0 && room <= ROOM, 2, "too long");
	memset(to, 0, (size_t)room);
	if (text)
		memcpy(to, text, len);
	lua_pop(L, 1);
	return (size_t)room > len ? (size_t)room : len;
}

static void address_fields(lua_State *L, struct call *c)
{
	size_t len;
	const char *addr;

	c->has_addr = lua_getfield(L, 2, "addr") == LUA_TSTRING;
	if (c->has_addr) {
		addr = lua_tolstring(L, -1, &len);
		if (len == 16) {
			memcpy(&c->addr.in6.sin6_addr, addr, 16);
			c->addr.in6.sin6_port = htons((uint16_t)number_field(L, "port", 0));
			c->addr_len = sizeof(c->addr.in6);
		} else {
			memcpy(&c->addr.in.sin_addr, addr, len < 4 ? len : 4);
			c->addr.in.sin_port = htons((uint16_t)number_field(L, "port", 0));
			c->addr_len = sizeof(c->addr.in);
		}
		c->addr.sa.sa_family =
			(sa_family_t)number_field(L, "family", len == 16 ? AF_INET6 : AF_INET);
	}
	lua_pop(L, 1);
}

static void read_call(lua_State *L, struct call *c)
{
	static const char *const args[] = { "arg0", "arg1", "arg2", "arg3" };
	lua_Integer timeout = number_field(L, "timeout", -1);
	int i;

	memset(c, 0, sizeof(*c));
	c->fd = (int)number_field(L, "fd", -1);
	for (i = 0; i < 4; i++)
		c->arg[i] = number_field(L, args[i], 0);
	c->waits_for_ever = timeout < 0;
	c->timeout.tv_sec = timeout / 1000000000;
	c->timeout.tv_nsec = timeout % 1000000000;
	c->data_len = bytes_field(L, "data", "size", data);
	c->control_len = bytes_field(L, "control", "control_size", control);
	address_fields(L, c);
}

/* ---- the calls ---- */

static long call_message(struct call *c, bool send)
{
	struct iovec iov = { .iov_base = data, .iov_len = c->data_len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = c->control_len ? control : NULL,
		.msg_controllen = c->control_len,
	};
	long ret;

	if (send) {
		msg.msg_name = c->has_addr ? &c->addr : NULL;
		msg.msg_namelen = c->has_addr ? c->addr_len : 0;
		return sendmsg(c->fd, &msg, (int)c->arg[0]);
	}
	memset(&c->addr, 0, sizeof(c->addr));
	msg.msg_name = &c->addr;
	msg.msg_namelen = sizeof(c->addr);
	ret = recvmsg(c->fd, &msg, (int)c->arg[0]);
	c->has_addr = ret >= 0 && msg.msg_namelen > 0;
	c->control_len = msg.msg_controllen;
	c->msg_flags = msg.msg_flags;
	return ret;
}

static long call_name(struct call *c, int (*name)(int, struct sockaddr *, socklen_t *))
{
	int ret;

	c->addr_len = sizeof(c->addr);
	ret = name(c->fd, &c->addr.sa, &c->addr_len);
	c->has_addr = ret >= 0;
	return ret;
}

static long call_accept(struct call *c)
{
	int ret;

	c->addr_len = sizeof(c->addr);
	ret = accept4(c->fd, &c->addr.sa, &c->addr_len, (int)c->arg[0]);
	c->has_addr = ret >= 0;
	return ret;
}

static long call_getsockopt(struct call *c)
{
	socklen_t len = (socklen_t)c->data_len;
	int ret = getsockopt(c->fd, (int)c->arg[0], (int)c->arg[1], data, &len);

	return ret < 0 ? ret : (long)len;
}

static long call_ioctl(struct call *c)
{
	int value = 0;
	int ret = ioctl(c->fd, (unsigned long)c->arg[0], &value);

	return ret < 0 ? ret : value;
}

/* `fds` is a list { fd, events, ... }; the table at the top of the stack gets `revents`. */
static long call_poll(lua_State *L, struct call *c)
{
	struct pollfd fds[POLLS_MAX];
	lua_Integer i, count = 0;
	long ret;

	if (lua_getfield(L, 2, "fds") == LUA_TTABLE)
		count = luaL_len(L, -1) / 2;
	luaL_argcheck(L, count <= POLLS_MAX, 2, "too many descriptors");
	for (i = 0; i < count; i++) {
		lua_rawgeti(L, -1, 2 * i + 1);
		lua_rawgeti(L, -2, 2 * i + 2);
		fds[i].fd = (int)lua_tointeger(L, -2);
		fds[i].events = (short)lua_tointeger(L, -1);
		lua_pop(L, 2);
	}
	lua_pop(L, 1);
	ret = ppoll(fds, (nfds_t)count, c->waits_for_ever ? NULL : &c->timeout, NULL);
	lua_createtable(L, (int)count, 0);
	for (i = 0; i < count; i++) {
		lua_pushinteger(L, fds[i].revents & 0xffff);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "revents");
	return ret;
}

static long call_epoll_ctl(struct call *c)
{
	struct epoll_event event;

	memcpy(&event, data, sizeof(event));
	return epoll_ctl(c->fd, (int)c->arg[0], (int)c->arg[1], c->data_len ? &event : NULL);
}

static long call_epoll_wait(struct call *c)
{
	struct epoll_event events[EVENTS_MAX];
	int ret = epoll_pwait2(c->fd, events, c->arg[0] > EVENTS_MAX ? EVENTS_MAX : (int)c->arg[0],
			       c->waits_for_ever ? NULL : &c->timeout, NULL);

	if (ret > 0)
		memcpy(data, events, (size_t)ret * sizeof(events[0]));
	return ret;
}

static long run_call(lua_State *L, const char *name, struct call *c)
{
	const void *value = c->data_len ? data : (const unsigned char *)"";

	if (strcmp(name, "socket") == 0)
		return socket((int)c->arg[0], (int)c->arg[1], (int)c->arg[2]);
	if (strcmp(name, "bind") == 0)
		return bind(c->fd, &c->addr.sa, c->addr_len);
	if (strcmp(name, "connect") == 0)
		return connect(c->fd, &c->addr.sa, c->addr_len);
	if (strcmp(name, "listen") == 0)
		return listen(c->fd, (int)c->arg[0]);
	if (strcmp(name, "accept") == 0)
		return call_accept(c);
	if (strcmp(name, "sendmsg") == 0)
		return call_message(c, true);
	if (strcmp(name, "recvmsg") == 0)
		return call_message(c, false);
	if (strcmp(name, "shutdown") == 0)
		return shutdown(c->fd, (int)c->arg[0]);
	if (strcmp(name, "close") == 0)
		return close(c->fd);
	if (strcmp(name, "getsockname") == 0)
		return call_name(c, getsockname);
	if (strcmp(name, "getpeername") == 0)
		return call_name(c, getpeername);
	if (strcmp(name, "setsockopt") == 0)
		return setsockopt(c->fd, (int)c->arg[0], (int)c->arg[1], value,
				  (socklen_t)c->data_len);
	if (strcmp(name, "getsockopt") == 0)
		return call_getsockopt(c);
	if (strcmp(name, "poll") == 0)
		return call_poll(L, c);
	if (strcmp(name, "fcntl") == 0)
		return fcntl(c->fd, (int)c->arg[0], (int)c->arg[1]);
	if (strcmp(name, "ioctl") == 0)
		return call_ioctl(c);
	if (strcmp(name, "dup") == 0)
		return dup(c->fd);
	if (strcmp(name, "epoll_create") == 0)
		return epoll_create1(0);
	if (strcmp(name, "epoll_ctl") == 0)
		return call_epoll_ctl(c);
	if (strcmp(name, "epoll_wait") == 0)
		return call_epoll_wait(c);
	return luaL_error(L, "there is no call '%s'", name);
}

/* ---- results ---- */

static void push_address(lua_State *L, const struct call *c)
{
	bool v6 = c->addr.sa.sa_family == AF_INET6;

	if (v6)
		lua_pushlstring(L, (const char *)&c->addr.in6.sin6_addr, 16);
	else
		lua_pushlstring(L, (const char *)&c->addr.in.sin_addr, 4);
	lua_setfield(L, -2, "addr");
	lua_pushinteger(L, ntohs(v6 ? c->addr.in6.sin6_port : c->addr.in.sin_port));
	lua_setfield(L, -2, "port");
	lua_pushinteger(L, c->addr.sa.sa_family);
	lua_setfield(L, -2, "family");
}

static size_t result_bytes(const char *name, const struct call *c, long ret)
{
	size_t got = (size_t)ret;

	if (strcmp(name, "epoll_wait") == 0)
		return got * sizeof(struct epoll_event);
	if (strcmp(name, "recvmsg") == 0 || strcmp(name, "getsockopt") == 0)
		return got < c->data_len ? got : c->data_len;
	return 0;
}

/* sys(name, fields): a table of what came of it, or nil and the name of the error. */
static int lua_sys(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	struct call c;
	size_t bytes;
	long ret;

	luaL_checktype(L, 2, LUA_TTABLE);
	read_call(L, &c);
	lua_createtable(L, 0, 6);
	ret = run_call(L, name, &c);
	if (ret < 0) {
		lua_pushnil(L);
		lua_pushstring(L, strerrorname_np(errno));
		return 2;
	}
	bytes = result_bytes(name, &c, ret);
	lua_pushinteger(L, ret);
	lua_setfield(L, -2, "ret");
	lua_pushinteger(L, c.msg_flags);
	lua_setfield(L, -2, "msg_flags");
	if (bytes || strcmp(name, "recvmsg") == 0) {
		lua_pushlstring(L, (const char *)data, bytes);
		lua_setfield(L, -2, "data");
	}
	if (c.has_addr)
		push_address(L, &c);
	if (strcmp(name, "recvmsg") == 0 && c.control_len) {
		lua_pushlstring(L, (const char *)control, c.control_len);
		lua_setfield(L, -2, "control");
	}
	return 1;
}

/* ---- the rest of a world: time, commands, files, packets ---- */

static int lua_sleep(lua_State *L)
{
	lua_Integer ns = luaL_checkinteger(L, 1);
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
	return 0;
}

/* clock(): nanoseconds of a clock that only runs. */
static int lua_clock(lua_State *L)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	lua_pushinteger(L, (lua_Integer)t.tv_sec * 1000000000 + t.tv_nsec);
	return 1;
}

/* command(words): what it printed, and whether it ended with 0. */
static int lua_command(lua_State *L)
{
	FILE *pipe = popen(luaL_checkstring(L, 1), "re");
	luaL_Buffer text;
	size_t len;

	if (!pipe)
		return luaL_error(L, "popen: %s", strerror(errno));
	luaL_buffinit(L, &text);
	while ((len = fread(data, 1, sizeof(data), pipe)) > 0)
		luaL_addlstring(&text, (const char *)data, len);
	luaL_pushresult(&text);
	lua_pushboolean(L, pclose(pipe) == 0);
	return 2;
}

/* read_file(path): its text, or nil and an error's name. */
static int lua_read_file(lua_State *L)
{
	int fd = open(luaL_checkstring(L, 1), O_RDONLY | O_CLOEXEC);
	luaL_Buffer text;
	ssize_t len = -1;

	if (fd >= 0) {
		luaL_buffinit(L, &text);
		while ((len = read(fd, data, sizeof(data))) > 0)
			luaL_addlstring(&text, (const char *)data, (size_t)len);
		luaL_pushresult(&text);
		close(fd);
	}
	if (len == 0)
		return 1;
	lua_pushnil(L);
	lua_pushstring(L, strerrorname_np(errno));
	return 2;
}

/* write_file(path, text): true, or nil and an error's name. One write, as `sysctl -w` does it. */
static int lua_write_file(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	int fd = open(luaL_checkstring(L, 1), O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, len) >= 0) {
		close(fd);
		lua_pushboolean(L, true);
		return 1;
	}
	lua_pushnil(L);
	lua_pushstring(L, strerrorname_np(errno));
	if (fd >= 0)
		close(fd);
	return 2;
}

/* tun(name): the descriptor at which packets of a new device come out and go in. */
static int lua_tun(lua_State *L)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", luaL_checkstring(L, 1));
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		return luaL_error(L, "tun: %s", strerror(errno));
	lua_pushinteger(L, fd);
	return 1;
}

/* inject(fd, packet): lets the device receive a packet. */
static int lua_inject(lua_State *L)
{
	size_t len;
	const char *packet = luaL_checklstring(L, 2, &len);

	if (write((int)luaL_checkinteger(L, 1), packet, len) != (ssize_t)len)
		return luaL_error(L, "inject: %s", strerror(errno));
	return 0;
}

/* take(fd, ms): the next packet that the device sends, nil when none comes for so long. */
static int lua_take(lua_State *L)
{
	struct pollfd p = { .fd = (int)luaL_checkinteger(L, 1), .events = POLLIN };
	ssize_t len;

	if (poll(&p, 1, (int)luaL_checkinteger(L, 2)) <= 0)
		return 0;
	len = read(p.fd, data, sizeof(data));
	if (len <= 0)
		return 0;
	lua_pushlstring(L, (const char *)data, (size_t)len);
	return 1;
}

static int lua_emit(lua_State *L)
{
	printf("%s\t%s\n", luaL_checkstring(L, 1), luaL_checkstring(L, 2));
	return 0;
}

/* ---- */

static int fail(lua_State *L, const char *sequence)
{
	fprintf(stderr, "kernel: %s: %s\n", sequence, lua_tostring(L, -1));
	lua_close(L);
	return 1;
}

int main(int argc, char **argv)
{
	static const luaL_Reg world[] = {
		{ "sys", lua_sys },
		{ "sleep", lua_sleep },
		{ "command", lua_command },
		{ "read_file", lua_read_file },
		{ "inject", lua_inject },
		{ "write_file", lua_write_file },
		{ "take", lua_take },
		{ "tun", lua_tun },
		{ "emit", lua_emit },
		{ "clock", lua_clock },
		{ NULL, NULL },
	};
	lua_State *L;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: kernel DIR FILE [PART]\n");
		return 2;
	}
	if (unshare(CLONE_NEWNET)) {
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	L = luaL_newstate();
	if (!L)
		return 1;
	luaL_openlibs(L);
	lua_getglobal(L, "package");
	lua_pushfstring(L, "%s/?.lua", argv[1]);
	lua_setfield(L, -2, "path");
	lua_getglobal(L, "require");
	lua_pushstring(L, "kernel");
	if (lua_pcall(L, 1, 1, 0))
		return fail(L, argv[2]);
	luaL_newlib(L, world);
	lua_pushstring(L, argv[2]);
	lua_pushstring(L, argv[3] ? argv[3] : "");
	if (lua_pcall(L, 3, 0, 0))
		return fail(L, argv[2]);
	lua_close(L);
	return 0;
}
