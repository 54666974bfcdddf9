/* SPDX-License-Identifier: MIT */
/*
 * How a test fails or is skipped: the native side of scripts/lib/tap.lua, and the translation of
 * Lua errors into diagnoses.
 *
 * Invariant: the first failure of a test is kept, whatever the script does afterwards (a pcall
 * around a failed assertion does not mend it).
 */
#include "base/suggest.h"
#include "lua/test_run.h"

#include <string.h>

static const char mark_failure = 0;
static const char mark_skip = 0;
static const char hint_key = 0;

int test_run_raise_failure(lua_State *L)
{
	lua_pushlightuserdata(L, (void *)(uintptr_t)&mark_failure);
	return lua_error(L);
}

int test_run_raise_skip(lua_State *L)
{
	lua_pushlightuserdata(L, (void *)(uintptr_t)&mark_skip);
	return lua_error(L);
}

void test_run_fail(struct test_run *t, const char *message, const char *got, const char *expect,
		   const char *diff, const char *file, int line)
{
	if (t->failed)
		return;
	t->failed = true;
	strbuf_clear(&t->message);
	script_full_names(t->script, message ? message : "failed", &t->message);
	if (got)
		strbuf_puts(&t->got, got);
	if (expect)
		strbuf_puts(&t->expect, expect);
	if (diff)
		strbuf_puts(&t->diff, diff);
	if (file)
		strbuf_puts(&t->file, file);
	t->line = line;
}

static bool is_library(const char *source)
{
	return strncmp(source, "@scripts/lib/", 13) == 0;
}

bool test_run_where(lua_State *L, int level, struct strbuf *file, int *line)
{
	lua_Debug ar;

	for (; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline <= 0 || ar.source[0] != '@' || is_library(ar.source))
			continue;
		strbuf_puts(file, ar.source + 1);
		*line = ar.currentline;
		return true;
	}
	return false;
}

int script_error(lua_State *L, const char *format, ...)
{
	struct strbuf text = { 0 };
	va_list args;
	int line = 0;

	if (test_run_where(L, 1, &text, &line))
		strbuf_printf(&text, ":%d: ", line);
	va_start(args, format);
	strbuf_vprintf(&text, format, args);
	va_end(args);
	lua_pushlstring(L, strbuf_text(&text), text.len);
	strbuf_free(&text);
	return lua_error(L);
}

/* The error value as text, in protected mode: __tostring is the script's. */
static int error_text(lua_State *L)
{
	if (lua_type(L, 1) != LUA_TSTRING && !luaL_getmetafield(L, 1, "__tostring"))
		lua_pushfstring(L, "(the error is a %s value)", luaL_typename(L, 1));
	else
		sandbox_tolstring(L, 1, NULL);
	return 1;
}

/* luaL_traceback without its header and indentation. */
static void add_traceback(lua_State *L, lua_State *co, struct strbuf *out)
{
	const char *s;

	luaL_traceback(L, co, NULL, 0);
	s = strchr(lua_tostring(L, -1), '\n');
	while (s && *s) {
		size_t n;

		s += strspn(s, "\n\t");
		n = strcspn(s, "\n");
		if (n && out->len)
			strbuf_putc(out, '\n');
		for (; n; n--, s++)
			strbuf_putc(out, *s == '\t' ? ' ' : *s);
	}
	lua_pop(L, 1);
}

static int protected_traceback(lua_State *L)
{
	add_traceback(L, lua_tothread(L, 1), lua_touserdata(L, 2));
	return 0;
}

static void set_traceback(struct test_run *t, lua_State *co)
{
	lua_State *L = t->sb->L;
	struct strbuf text = { 0 };

	lua_pushcfunction(L, protected_traceback);
	lua_pushthread(co);
	lua_xmove(co, L, 1);
	lua_pushlightuserdata(L, &text);
	if (lua_pcall(L, 2, 0, 0) == LUA_OK)
		script_full_names(t->script, strbuf_text(&text), &t->traceback);
	else
		lua_pop(L, 1);
	strbuf_free(&text);
}

/* What the libraries know of an error of Lua's own: native.hint's function says it. */
static void add_hint(lua_State *L, struct strbuf *message)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &hint_key) != LUA_TFUNCTION) {
		lua_pop(L, 1);
		return;
	}
	lua_pushstring(L, strbuf_text(message));
	if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING)
		strbuf_printf(message, "; %s", lua_tostring(L, -1));
	lua_pop(L, 1);
}

void test_run_error(struct test_run *t, lua_State *co, int status)
{
	lua_State *L = t->sb->L;
	struct strbuf file = { 0 };
	struct strbuf message = { 0 };
	const void *mark = lua_islightuserdata(co, -1) ? lua_touserdata(co, -1) : NULL;
	int line = 0;

	if (mark == &mark_skip)
		t->skipped = true;
	if (mark == &mark_skip || mark == &mark_failure)
		return;
	if (!test_run_where(co, 0, &file, &line))
		strbuf_puts(&file, t->script->path);
	if (status == LUA_ERRMEM) {
		strbuf_printf(&message, "%s:%d: memory limit: the test needs more than %zu MiB",
			      strbuf_text(&file), line, t->sb->memory_limit >> 20);
	} else {
		lua_pushcfunction(L, error_text);
		lua_xmove(co, L, 1);
		if (lua_pcall(L, 1, 1, 0) != LUA_OK || !lua_tostring(L, -1))
			strbuf_puts(&message, "(the error has no text)");
		else
			strbuf_puts(&message, lua_tostring(L, -1));
		lua_pop(L, 1);
		add_hint(L, &message);
	}
	if (!t->failed)
		set_traceback(t, co);
	test_run_fail(t, strbuf_text(&message), NULL, NULL, NULL, strbuf_text(&file), line);
	strbuf_free(&file);
	strbuf_free(&message);
}

/* -- The native side of tap.lua -- */

/* native.fail(message, got, expect, diff): never returns. */
static int native_fail(lua_State *L)
{
	struct test_run *t = test_run_of(L);
	const char *text[4];
	struct strbuf file = { 0 };
	int line = 0;
	int i;

	for (i = 0; i < 4; i++)
		text[i] = luaL_optstring(L, i + 1, NULL);
	test_run_where(L, 1, &file, &line);
	test_run_fail(t, text[0], text[1], text[2], text[3], file.data, line);
	strbuf_free(&file);
	return test_run_raise_failure(L);
}

static int native_skip(lua_State *L)
{
	struct test_run *t = test_run_of(L);
	const char *reason = luaL_checkstring(L, 1);

	if (t->loading)
		return script_error(L, "skip outside of a test");
	if (!t->failed) {
		strbuf_clear(&t->message);
		strbuf_puts(&t->message, reason);
	}
	return test_run_raise_skip(L);
}

static int native_note(lua_State *L)
{
	struct test_run *t = test_run_of(L);
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);

	if (t->loading)
		return script_error(L, "note outside of a test");
	if (t->result->comments.len + len > SANDBOX_TEXT_LIMIT)
		return script_error(L, "note: text limit: the test noted more than 1 MiB");
	tap_comment(&t->result->comments, len ? text : " ");
	return 0;
}

static int native_asserted(lua_State *L)
{
	struct test_run *t = test_run_of(L);

	if (t->loading)
		return script_error(L, "an assertion outside of a test");
	t->assertions++;
	return 0;
}

/* native.shown(id): false when the catalogue has no such id. */
static int native_shown(lua_State *L)
{
	struct test_run *t = test_run_of(L);
	const struct catalogue *c = t->script->config->requirements;
	const char *id = luaL_checkstring(L, 1);
	bool known = !c || catalogue_find(c, id);

	if (known && t->result) {
		strbuf_puts(&t->result->shown, id);
		strbuf_putc(&t->result->shown, '\n');
	}
	lua_pushboolean(L, known);
	return 1;
}

static int native_is_failure(lua_State *L)
{
	const void *p = lua_islightuserdata(L, 1) ? lua_touserdata(L, 1) : NULL;

	lua_pushboolean(L, p == &mark_failure || p == &mark_skip);
	return 1;
}

/* native.raise(message): an error at the script's own place. */
static int native_raise(lua_State *L)
{
	return script_error(L, "%s", luaL_checkstring(L, 1));
}

/* native.suggest(word, list): the word of the list that was most likely meant, or nil. */
static int native_suggest(lua_State *L)
{
	const char *word = luaL_checkstring(L, 1), **list;
	size_t i, n;

	luaL_checktype(L, 2, LUA_TTABLE);
	n = lua_rawlen(L, 2);
	luaL_checkstack(L, 8, NULL);
	list = lua_newuserdatauv(L, (n ? n : 1) * sizeof(*list), 0);
	for (i = 0; i < n; i++) {
		/* The table keeps the text alive. */
		if (lua_rawgeti(L, 2, (lua_Integer)i + 1) != LUA_TSTRING)
			return luaL_argerror(L, 2, "a list of texts");
		list[i] = lua_tostring(L, -1);
		lua_pop(L, 1);
	}
	lua_pushstring(L, suggest(word, list, n));
	return 1;
}

/* native.hint(f): f(message) gives what an error's message leaves out, or nil. */
static int native_hint(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &hint_key);
	return 0;
}

/* native.settings(): a list of { key, value } from the command line. */
static int native_settings(lua_State *L)
{
	const struct script_config *c = test_run_of(L)->script->config;
	size_t i;

	lua_createtable(L, (int)c->setting_count, 0);
	for (i = 0; i < c->setting_count; i++) {
		lua_createtable(L, 2, 0);
		lua_pushstring(L, c->settings[i].key);
		lua_rawseti(L, -2, 1);
		lua_pushstring(L, c->settings[i].value);
		lua_rawseti(L, -2, 2);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static int native_seed(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)test_run_of(L)->seed);
	return 1;
}

static int native_profile(lua_State *L)
{
	lua_pushstring(L, test_run_of(L)->profile);
	return 1;
}

/* native.nic_model(): the command line's. */
static int native_nic_model(lua_State *L)
{
	lua_pushstring(L, test_run_of(L)->script->config->nic);
	return 1;
}

/* native.offload(): the command line's, as it is written there. */
static int native_offload(lua_State *L)
{
	lua_pushstring(L, test_run_of(L)->script->config->offload);
	return 1;
}

void script_open_tap(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "fail", native_fail },	   { "skip", native_skip },
		{ "note", native_note },	   { "asserted", native_asserted },
		{ "shown", native_shown },	   { "is_failure", native_is_failure },
		{ "seed", native_seed },	   { "profile", native_profile },
		{ "raise", native_raise },	   { "settings", native_settings },
		{ "suggest", native_suggest },	   { "hint", native_hint },
		{ "nic_model", native_nic_model }, { "offload", native_offload },
		{ "test", script_register_test },  { NULL, NULL },
	};

	luaL_setfuncs(L, functions, 0);
}
