/* SPDX-License-Identifier: MIT */
/* `tc` from scripts: native.tc(host, words) reads the words as tc(8) does and applies the op, or
 * gives the view. */
#include "lua/net.h"

#include "stack/errno.h"
#include "tc/tc.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 128

/* Splits in place at blanks. */
static int split(char *text, const char **words)
{
	int n = 0;
	char *save = NULL, *word;

	for (word = strtok_r(text, " \t\n", &save); word && n < WORDS_MAX;
	     word = strtok_r(NULL, " \t\n", &save))
		words[n++] = word;
	return n;
}

/* The text of a view on the stack; nil: there is none. */
static bool push_view(lua_State *L, u32 host, const char *path)
{
	struct net_run *n = net_run_of(L);
	s32 len = n->sut->ops->proc(n->sut, host, path, NULL, 0);
	char *text;

	if (len < 0) {
		lua_pushnil(L);
		return false;
	}
	text = lua_newuserdatauv(L, (size_t)len + 1, 0);
	n->sut->ops->proc(n->sut, host, path, text, (u32)len + 1);
	lua_pushlstring(L, text, (size_t)len);
	return true;
}

static int cannot_find(lua_State *L, const char *dev)
{
	lua_pushnil(L);
	lua_pushfstring(L, "Cannot find device \"%s\"", dev);
	return 2;
}

static int show(lua_State *L, u32 host, const struct tc_command *tc)
{
	char path[128];

	tc_view(tc, path, sizeof(path));
	if (push_view(L, host, path))
		return 1;
	return cannot_find(L, tc->dev);
}

/* What tc prints, without the last end of line. */
static int refused(lua_State *L, u32 host, const struct tc_command *tc, int err)
{
	struct strbuf text = { 0 };

	if (err == -ENODEV)
		return cannot_find(L, tc->dev);
	push_view(L, host, "tc/extack");
	tc_refused(&text, tc, lua_isstring(L, -1) ? lua_tostring(L, -1) : "", strerror(-err));
	lua_pushnil(L);
	lua_pushlstring(L, strbuf_text(&text), text.len - 1);
	strbuf_free(&text);
	return 2;
}

static bool parse(lua_State *L, const char *words, struct tc_command *tc)
{
	struct strbuf error = { 0 };
	const char *argv[WORDS_MAX];
	char *copy = xstrdup(words);
	bool ok = tc_parse(split(copy, argv), argv, tc, &error);

	free(copy);
	if (!ok) {
		lua_pushnil(L);
		lua_pushlstring(L, strbuf_text(&error), error.len ? error.len - 1 : 0);
	}
	strbuf_free(&error);
	return ok;
}

static int native_tc(lua_State *L)
{
	struct net_run *n = net_run_of(L);
	u32 host = (u32)luaL_checkinteger(L, 1);
	struct op op;
	struct tc_command tc;
	s64 err;

	if (!parse(L, luaL_checkstring(L, 2), &tc))
		return 2;
	if (tc.show)
		return show(L, host, &tc);
	tc_op(&tc, host, &op);
	net_touch(n);
	err = n->sut->ops->apply(n->sut, &op);
	if (err < 0)
		return refused(L, host, &tc, (int)err);
	for (u32 i = 0; i < tc.options_len; i += TC_OPTION_LEN)
		n->damaging |= tc.object == TC_QDISC && tc.options[i] == TCA_CORRUPT;
	net_note_op(n, &op);
	lua_pushliteral(L, "");
	return 1;
}

void net_open_tc(lua_State *L)
{
	static const luaL_Reg functions[] = { { "tc", native_tc }, { NULL, NULL } };

	luaL_setfuncs(L, functions, 0);
}
