/* SPDX-License-Identifier: MIT */
/*
 * Capture files as capture cases and their makers (scripts/lib/case.lua, scripts/lib/make.lua) see
 * them: frames with their times out of a file beside the script, and a file written from frames.
 * What a case really had on its wire is kept in memory and written only when the case fails.
 *
 * Invariant: a script reaches files of its own folder only, and writes none unless the user said so
 * (--make).
 */
#include "lua/net.h"

#include "capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Frames of a case; a longer conversation is for `tapline replay`. */
#define CASE_MAX_FRAMES 100000

/* Ethernet and raw IP are what the wires here carry; -1: another. */
static int case_link(u16 link)
{
	switch (link) {
	case PACKET_LINK_ETHERNET:
		return PACKET_LINK_ETHERNET;
	case PACKET_LINK_RAW_BSD:
	case PACKET_LINK_RAW_OPENBSD:
	case PACKET_LINK_RAW:
	case PACKET_LINK_IPV4:
	case PACKET_LINK_IPV6:
		return PACKET_LINK_RAW;
	default:
		return -1;
	}
}

/* Closes the reader and raises "PATH: frame N: what". */
static int bad_capture(lua_State *L, struct capture_reader *r, const char *path, u64 number,
		       const char *what)
{
	/* It may lie in the reader. */
	what = lua_pushstring(L, what);
	capture_close(r);
	if (number)
		return script_error(L, "%s: frame %d: %s", path, (int)number, what);
	return script_error(L, "%s: %s", path, what);
}

/* What makes a frame no frame of a case, or NULL. */
static const char *frame_fault(const struct capture_frame *f, int link, u64 last_ns)
{
	if (!f->supported || case_link(f->link) != link)
		return "its link type is not that of the first frame";
	if (f->caplen != f->len)
		return "it was cut off by the snapshot length";
	if (!f->has_time)
		return "it has no time";
	if (f->time_ns < last_ns)
		return "it is earlier than the frame before it";
	if (f->number > CASE_MAX_FRAMES)
		return "a case has no more than 100000 frames";
	return NULL;
}

/*
 * Pushes { link = 1 or 101, { time, bytes, comment }, ... }; adds the fuel for it to work. The
 * reader's memory is not Lua's: an error of Lua itself (out of memory) leaks it until the process
 * ends, which it then does soon.
 */
static void push_frames(lua_State *L, struct capture_reader *r, const char *path, u64 *work)
{
	struct capture_frame f;
	enum capture_status status;
	const char *fault;
	u64 last_ns = 0;
	int link = -1;

	lua_newtable(L);
	while ((status = capture_next(r, &f)) == CAPTURE_FRAME) {
		if (f.number == 1)
			link = f.supported ? case_link(f.link) : -1;
		if (link < 0)
			bad_capture(L, r, path, 0, "a case is a capture of Ethernet or raw IP");
		fault = frame_fault(&f, link, last_ns);
		if (fault)
			bad_capture(L, r, path, f.number, fault);
		last_ns = f.time_ns;
		*work += 10 + f.caplen / 16;
		lua_createtable(L, 0, 3);
		lua_pushinteger(L, (lua_Integer)f.time_ns);
		lua_setfield(L, -2, "time");
		lua_pushlstring(L, (const char *)f.data, f.caplen);
		lua_setfield(L, -2, "bytes");
		if (f.comment) {
			lua_pushlstring(L, f.comment, f.comment_len);
			lua_setfield(L, -2, "comment");
		}
		lua_rawseti(L, -2, (lua_Integer)f.number);
	}
	if (status != CAPTURE_END)
		bad_capture(L, r, path, 0, capture_error(r));
	if (link < 0)
		bad_capture(L, r, path, 0, "the capture has no frame");
	lua_pushinteger(L, link);
	lua_setfield(L, -2, "link");
}

static int read_capture(lua_State *L, const char *path)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture_reader *r = capture_open(path, NULL, error);
	u64 work = 0;

	if (!r)
		return script_error(L, "%s: %s", path, error);
	push_frames(L, r, path, &work);
	capture_close(r);
	sandbox_bill(L, work);
	lua_pushstring(L, path);
	lua_setfield(L, -2, "path");
	return 1;
}

/* Pushes the script's path with another ending. */
static const char *push_beside(lua_State *L, const char *ending)
{
	const char *path = test_run_of(L)->script->path;
	size_t len = strlen(path);

	if (len > 4 && strcmp(path + len - 4, ".lua") == 0)
		len -= 4;
	lua_pushlstring(L, path, len);
	lua_pushstring(L, ending);
	lua_concat(L, 2);
	return lua_tostring(L, -1);
}

/* native.capture_beside(): the frames of the capture that has the script's name. */
static int native_capture_beside(lua_State *L)
{
	const char *pcap = push_beside(L, ".pcap");
	const char *pcapng = push_beside(L, ".pcapng");
	bool first = access(pcap, F_OK) == 0;
	bool second = access(pcapng, F_OK) == 0;

	if (!first && !second)
		return script_error(L, "a capture case without its capture: there is no %s", pcap);
	if (first && second)
		return script_error(L, "which is the capture of this case: %s or %s?", pcap,
				    pcapng);
	return read_capture(L, first ? pcap : pcapng);
}

/* Pushes the path of a file in the script's folder. */
static const char *push_in_folder(lua_State *L, const char *name)
{
	size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-.");

	if (!*name || *name == '.' || name[good])
		script_error(L, "'%s' is no name of a file", name);
	lua_pushstring(L, test_run_of(L)->script->folder);
	lua_pushstring(L, name);
	lua_concat(L, 2);
	return lua_tostring(L, -1);
}

/* native.capture_file(name): the same of a file in the script's folder; nil when it is not there.
 */
static int native_capture_file(lua_State *L)
{
	const char *path = push_in_folder(L, luaL_checkstring(L, 1));

	if (access(path, F_OK) != 0)
		return 0;
	return read_capture(L, path);
}

/* Of frame i of the list at index 3. */
static void write_frame(lua_State *L, struct capture_writer *w, lua_Integer i)
{
	struct capture_frame f = { .has_time = true };
	size_t len = 0;

	lua_rawgeti(L, 3, i);
	lua_getfield(L, -1, "time");
	lua_getfield(L, -2, "bytes");
	f.time_ns = (u64)lua_tointeger(L, -2);
	f.data = (const u8 *)lua_tolstring(L, -1, &len);
	f.caplen = (u32)len;
	f.len = f.caplen;
	capture_write(w, &f);
	lua_pop(L, 3);
}

/* native.capture_write(name, link, frames): writes frames as { time, bytes } into a pcap file. */
static int native_capture_write(lua_State *L)
{
	const char *path = push_in_folder(L, luaL_checkstring(L, 1));
	u16 link = (u16)luaL_checkinteger(L, 2);
	enum capture_format format = CAPTURE_PCAP;
	lua_Integer count, i;
	char error[CAPTURE_ERROR_SIZE];
	struct capture_writer *w;

	luaL_checktype(L, 3, LUA_TTABLE);
	if (!test_run_of(L)->script->config->make)
		return script_error(L, "captures are written with --make only");
	count = (lua_Integer)lua_rawlen(L, 3);
	for (i = 1; i <= count; i++) {
		lua_rawgeti(L, 3, i);
		lua_getfield(L, -1, "time");
		if (lua_tointeger(L, -1) % 1000)
			format = CAPTURE_PCAP_NS;
		lua_pop(L, 2);
	}
	w = capture_create(path, format, link, 0, error);
	if (!w)
		return script_error(L, "%s", error);
	for (i = 1; i <= count; i++)
		write_frame(L, w, i);
	if (!capture_finish(w, error))
		return script_error(L, "%s: %s", path, error);
	return 0;
}

static int native_making(lua_State *L)
{
	lua_pushboolean(L, test_run_of(L)->script->config->make);
	return 1;
}

/*
 * native.keep_capture(offset): what is on the wires from now on is kept, and written if the test
 * fails; its times are the world's and so many ns.
 */
static int native_keep_capture(lua_State *L)
{
	struct net_run *n = net_run_of(L);

	n->capture_kept = !n->test->script->config->capture_dir;
	n->capture_offset_ns = (u64)luaL_checkinteger(L, 1);
	net_trace_set(n);
	return 0;
}

void net_open_cases(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "capture_beside", native_capture_beside },
		{ "capture_file", native_capture_file },
		{ "capture_write", native_capture_write },
		{ "making", native_making },
		{ "keep_capture", native_keep_capture },
		{ NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
