/* SPDX-License-Identifier: MIT */
/*
 * Reading and compiling Lua files, and require. A module comes from the library (scripts/lib) or
 * from the script's own folder, nowhere else. Library modules are called with a second argument:
 * the table of native functions, which scripts do not get to see.
 */
#include "lua/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char key_loaded = 0; /* registry: module name -> value */
static const char key_native = 0; /* registry: native functions */

/* -- Reading -- */

static int line_of(const char *text, size_t offset)
{
	int line = 1;
	size_t i;

	for (i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

/* The first byte that no text file holds, or NULL. */
static const char *binary_byte(const struct strbuf *text)
{
	size_t i;

	for (i = 0; i < text->len; i++) {
		u8 c = (u8)text->data[i];

		if (c < 0x20 && !strchr("\t\n\v\f\r", c))
			return text->data + i;
		if (!c)
			return text->data + i;
	}
	return NULL;
}

/* "#!" and a byte order mark: blanks, so that line numbers stay. */
static void blank_beginning(struct strbuf *text)
{
	size_t i = 0;

	if (text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0) {
		memset(text->data, ' ', 3);
		i = 3;
	}
	if (i < text->len && text->data[i] == '#') {
		for (; i < text->len && text->data[i] != '\n'; i++)
			text->data[i] = ' ';
	}
}

static bool is_capture(const char *path)
{
	const char *ending = strrchr(path, '.');

	return ending && (strcmp(ending, ".pcap") == 0 || strcmp(ending, ".pcapng") == 0);
}

bool script_read(const char *path, const char *shown_as, struct strbuf *text, struct strbuf *error)
{
	const char *bad;
	size_t i;
	int code;

	if (is_capture(path)) {
		strbuf_printf(
			error,
			"%s:1: a capture case needs a Lua file of the same name beside it, "
			"which sets up its host (`tapline replay` takes captures without one)",
			shown_as);
		return false;
	}
	code = data_read_file(path, text);
	if (code) {
		strbuf_printf(error, "%s: cannot read the file: %s", shown_as,
			      code == EINVAL ? "Not a regular file" : strerror(code));
		return false;
	}
	bad = binary_byte(text);
	if (bad) {
		size_t offset = (size_t)(bad - text->data);

		strbuf_printf(error,
			      "%s:%d: this is a binary file (byte 0x%02x at offset %zu), "
			      "not Lua text",
			      shown_as, line_of(text->data, offset), (u8)*bad, offset);
		return false;
	}
	for (i = 0; i < text->len && strchr(" \t\r\n", text->data[i]); i++)
		continue;
	if (i == text->len) {
		strbuf_printf(error, "%s:1: the file is empty", shown_as);
		return false;
	}
	blank_beginning(text);
	return true;
}

static int write_code(lua_State *L, const void *bytes, size_t len, void *ud)
{
	(void)L;
	strbuf_add(ud, bytes, len);
	return 0;
}

bool script_compile(const char *chunk_name, const char *text, size_t len, struct strbuf *code,
		    struct strbuf *error)
{
	struct sandbox *sb = sandbox_new(SANDBOX_DEFAULT_FUEL, 1u << 30, 0);
	bool ok = false;

	if (!sb) {
		strbuf_printf(error, "%s:1: out of memory", chunk_name + 1);
		return false;
	}
	if (luaL_loadbufferx(sb->L, text, len, chunk_name, "t") != LUA_OK) {
		const char *message = lua_tostring(sb->L, -1);

		strbuf_puts(error, message ? message : "out of memory");
	} else {
		lua_dump(sb->L, write_code, code, 0);
		ok = true;
	}
	sandbox_free(sb);
	return ok;
}

/* -- Full names -- */

/* Adds message with each `from` replaced by `to`. */
static void replace_all(struct strbuf *message, const char *from, const char *to)
{
	struct strbuf out = { 0 };
	const char *s = strbuf_text(message);
	const char *at;

	while ((at = strstr(s, from))) {
		strbuf_add(&out, s, (size_t)(at - s));
		strbuf_puts(&out, to);
		s = at + strlen(from);
	}
	strbuf_puts(&out, s);
	strbuf_free(message);
	*message = out;
}

/* Lua shows at most LUA_IDSIZE - 1 characters of a file's name: "..." and the end of it. */
static void full_name(struct strbuf *message, const char *chunk_name)
{
	const char *name = chunk_name + 1;
	size_t len = strlen(name);
	struct strbuf short_name = { 0 };

	if (len + 1 <= LUA_IDSIZE)
		return;
	strbuf_printf(&short_name, "...%s:", name + len - (LUA_IDSIZE - 4));
	if (strstr(strbuf_text(message), short_name.data)) {
		struct strbuf full = { 0 };

		strbuf_printf(&full, "%s:", name);
		replace_all(message, short_name.data, full.data);
		strbuf_free(&full);
	}
	strbuf_free(&short_name);
}

void script_full_names(const struct script *s, const char *message, struct strbuf *out)
{
	struct strbuf text = { 0 };
	size_t i;

	strbuf_puts(&text, message);
	full_name(&text, s->chunk_name);
	for (i = 0; i < s->module_count; i++)
		full_name(&text, s->modules[i].chunk_name);
	strbuf_add(out, strbuf_text(&text), text.len);
	strbuf_free(&text);
}

/* -- require -- */

static struct script_module *find_module(const struct script *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->module_count; i++) {
		if (strcmp(s->modules[i].name, name) == 0)
			return &s->modules[i];
	}
	return NULL;
}

/* Reads and compiles a module; false with a message in `error`. */
static bool load_module(struct script *s, const char *name, struct strbuf *error)
{
	struct script_module m = { 0 };
	struct strbuf path = { 0 };
	struct strbuf shown = { 0 };
	struct strbuf text = { 0 };
	char *file = xstrdup(name);
	char *p;
	bool ok;

	for (p = file; *p; p++) {
		if (*p == '.')
			*p = '/';
	}
	strbuf_printf(&path, "%s/scripts/lib/%s.lua", data_dir(), file);
	strbuf_printf(&shown, "@scripts/lib/%s.lua", file);
	m.library = access(strbuf_text(&path), F_OK) == 0;
	if (!m.library) {
		strbuf_clear(&path);
		strbuf_clear(&shown);
		strbuf_printf(&path, "%s%s.lua", s->folder, file);
		strbuf_printf(&shown, "@%s%s.lua", s->folder, file);
	}
	free(file);
	if (!m.library && access(strbuf_text(&path), F_OK) != 0) {
		strbuf_printf(error,
			      "module '%s' is neither in the library nor in the script's folder",
			      name);
		ok = false;
	} else {
		ok = script_read(strbuf_text(&path), strbuf_text(&shown) + 1, &text, error) &&
		     script_compile(strbuf_text(&shown), text.data, text.len, &m.code, error);
	}
	if (ok) {
		m.name = xstrdup(name);
		m.chunk_name = xstrdup(strbuf_text(&shown));
		s->modules = xrealloc(s->modules, (s->module_count + 1) * sizeof(*s->modules));
		s->modules[s->module_count++] = m;
	}
	strbuf_free(&path);
	strbuf_free(&shown);
	strbuf_free(&text);
	return ok;
}

static void check_module_name(lua_State *L, const char *name)
{
	size_t allowed = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.");

	if (!*name || name[allowed] || *name == '.' || strstr(name, ".."))
		luaL_error(L, "'%s' is not a module name", name);
}

static int require(lua_State *L)
{
	struct test_run *t = test_run_of(L);
	const char *name = luaL_checkstring(L, 1);
	const struct script_module *m;

	lua_settop(L, 1);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &key_loaded);
	if (lua_getfield(L, 2, name) != LUA_TNIL) {
		if (lua_islightuserdata(L, -1))
			return luaL_error(L, "module '%s' requires itself", name);
		return 1;
	}
	check_module_name(L, name);
	m = find_module(t->script, name);
	if (!m) {
		struct strbuf error = { 0 };

		if (!load_module(t->script, name, &error)) {
			lua_pushstring(L, strbuf_text(&error));
			strbuf_free(&error);
			luaL_where(L, 1);
			lua_insert(L, -2);
			lua_concat(L, 2);
			return lua_error(L);
		}
		m = find_module(t->script, name);
	}
	lua_pushlightuserdata(L, t);
	lua_setfield(L, 2, name);
	if (luaL_loadbufferx(L, m->code.data, m->code.len, m->chunk_name, "b") != LUA_OK)
		return lua_error(L);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	if (m->library) {
		lua_pop(L, 1);
		lua_rawgetp(L, LUA_REGISTRYINDEX, &key_native);
	}
	lua_call(L, 2, 1);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushboolean(L, 1);
	}
	lua_pushvalue(L, -1);
	lua_setfield(L, 2, name);
	return 1;
}

void script_open_require(lua_State *L)
{
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key_loaded);
	lua_newtable(L);
	script_open_tap(L);
	net_open_world(L);
	net_open_tasks(L);
	net_open_calls(L);
	net_open_look(L);
	net_open_packets(L);
	net_open_hooks(L);
	net_open_cases(L);
	net_open_oplog(L);
	net_open_drill(L);
	net_open_tc(L);
	net_open_crypto(L);
	net_open_sched(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &key_native);
	lua_pushcfunction(L, require);
	lua_setglobal(L, "require");
}
