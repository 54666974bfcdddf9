/* SPDX-License-Identifier: MIT */
/*
 * Loading a test file, learning its tests, running one of them in a fresh sandbox.
 *
 * Invariant: nothing of one test's Lua state is alive when the next test starts.
 */
#define _GNU_SOURCE /* memmem */
#include "lua/net.h"

#include <stdlib.h>
#include <string.h>

static const char key_function = 0; /* registry: the function of the wanted test */

struct test_run *test_run_of(lua_State *L)
{
	return sandbox_of(L)->owner;
}

/* -- Loading -- */

static void free_modules(struct script *s)
{
	size_t i;

	for (i = 0; i < s->module_count; i++) {
		free(s->modules[i].name);
		free(s->modules[i].chunk_name);
		strbuf_free(&s->modules[i].code);
	}
	free(s->modules);
}

void script_free(struct script *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->test_count; i++) {
		free(s->tests[i].name);
		free(s->tests[i].skip);
		free(s->tests[i].profile);
	}
	free(s->tests);
	free_modules(s);
	strbuf_free(&s->code);
	free(s->path);
	free(s->folder);
	free(s->chunk_name);
	free(s);
}

size_t script_test_count(const struct script *s)
{
	return s->test_count;
}

const char *script_test_name(const struct script *s, size_t i)
{
	return s->tests[i].name;
}

static struct script *script_new(const char *path, const struct script_config *config)
{
	struct script *s = xrealloc(NULL, sizeof(*s));
	struct strbuf name = { 0 };

	*s = (struct script){ .config = config, .path = xstrdup(path) };
	s->folder = xstrdup(path);
	s->folder[path_base(path) - path] = 0;
	strbuf_printf(&name, "@%s", path);
	s->chunk_name = name.data;
	return s;
}

static void test_run_init(struct test_run *t, struct script *s, u64 seed)
{
	*t = (struct test_run){ .script = s, .seed = seed, .profile = s->config->profile };
	t->sb = sandbox_new(s->config->fuel, s->config->memory, seed);
	if (t->sb) {
		t->sb->owner = t;
		script_open_require(t->sb->L);
	}
}

static void test_run_done(struct test_run *t)
{
	sandbox_free(t->sb);
	strbuf_free(&t->message);
	strbuf_free(&t->got);
	strbuf_free(&t->expect);
	strbuf_free(&t->diff);
	strbuf_free(&t->traceback);
	strbuf_free(&t->file);
	strbuf_free(&t->capture);
}

/*
 * Runs the function on top of the main stack as a task. False: it ended in an error, which is noted
 * in the test.
 */
static bool run_task(struct test_run *t)
{
	lua_State *L = t->sb->L;
	lua_State *co = lua_newthread(L);
	int status, results;

	lua_insert(L, -2);
	lua_xmove(L, co, 1);
	t->task = co;
	status = lua_resume(co, NULL, 0, &results);
	t->task = NULL;
	if (status == LUA_YIELD) {
		test_run_fail(t, "coroutine.yield outside of a coroutine", NULL, NULL, NULL, NULL,
			      0);
	} else if (status != LUA_OK) {
		test_run_error(t, co, status);
	}
	lua_settop(L, -2);
	return status == LUA_OK;
}

/* The main chunk: registers the tests. */
static bool run_main_chunk(struct test_run *t)
{
	const struct script *s = t->script;
	bool ok;

	if (luaL_loadbufferx(t->sb->L, s->code.data, s->code.len, s->chunk_name, "b") != LUA_OK) {
		test_run_fail(t, "out of memory", NULL, NULL, NULL, s->path, 1);
		return false;
	}
	t->loading = true;
	ok = run_task(t);
	t->loading = false;
	return ok && !t->failed;
}

/* A failure of the main chunk as "FILE:LINE: message". */
static void load_error(const struct test_run *t, struct strbuf *error)
{
	const char *message = strbuf_text(&t->message);
	const char *path = t->script->path;
	size_t len = strlen(path);

	/* Most messages of Lua begin with the place already. */
	if (t->file.len && !strncmp(message, strbuf_text(&t->file), t->file.len) &&
	    message[t->file.len] == ':')
		strbuf_puts(error, message);
	else if (t->file.len)
		strbuf_printf(error, "%s:%d: %s", strbuf_text(&t->file), t->line, message);
	else if (!strncmp(message, path, len) && message[len] == ':')
		strbuf_puts(error, message);
	else
		strbuf_printf(error, "%s:1: %s", path, message);
}

static bool learn_tests(struct script *s, struct strbuf *error)
{
	struct test_run t;
	bool ok = false;

	test_run_init(&t, s, test_seed(s->config->seed, s->path, ""));
	t.learning = true;
	if (!t.sb) {
		strbuf_printf(error, "%s:1: out of memory", s->path);
	} else if (!run_main_chunk(&t)) {
		load_error(&t, error);
	} else if (!s->test_count) {
		strbuf_printf(error, "%s:1: no test here: nothing was given to tap.test", s->path);
	} else {
		ok = true;
	}
	test_run_done(&t);
	return ok;
}

/* Requirement ids written out in the file exist: checked before anything runs. */
static bool check_shows(const struct script *s, const char *text, struct strbuf *error)
{
	const char *at = text;
	bool ok = true;

	while (ok && s->config->requirements && (at = strstr(at, ":shows"))) {
		const char *line = at;
		const char *p = at + 6;
		char id[64];
		size_t len;

		at = p;
		while (line > text && line[-1] != '\n')
			line--;
		if (memmem(line, (size_t)(at - line), "--", 2))
			continue;
		p += strspn(p, " \t");
		p += *p == '(';
		p += strspn(p, " \t\n");
		if (*p != '"')
			continue;
		len = strcspn(++p, "\"\n");
		if (len >= sizeof(id))
			len = sizeof(id) - 1;
		memcpy(id, p, len);
		id[len] = 0;
		if (!catalogue_find(s->config->requirements, id)) {
			int number = 1;

			for (; text < at; text++)
				number += *text == '\n';
			strbuf_printf(error, "%s:%d: no requirement '%s' in the catalogue", s->path,
				      number, id);
			ok = false;
		}
	}
	return ok;
}

struct script *script_load(const char *path, const struct script_config *config,
			   struct strbuf *error)
{
	struct script *s = script_new(path, config);
	struct strbuf text = { 0 };
	bool ok;

	ok = script_read(path, path, &text, error);
	if (ok) {
		struct strbuf message = { 0 };

		ok = script_compile(s->chunk_name, text.data, text.len, &s->code, &message);
		if (!ok)
			script_full_names(s, strbuf_text(&message), error);
		strbuf_free(&message);
	}
	ok = ok && check_shows(s, strbuf_text(&text), error) && learn_tests(s, error);
	strbuf_free(&text);
	if (ok)
		return s;
	script_free(s);
	return NULL;
}

/* -- tap.test, as the library calls it: native.test(name, function, skip, profile) -- */

int script_register_test(lua_State *L)
{
	struct test_run *t = test_run_of(L);
	struct script *s = t->script;
	const char *name = luaL_checkstring(L, 1);
	const char *skip = luaL_optstring(L, 3, NULL);
	const char *profile = luaL_optstring(L, 4, NULL);
	struct script_test *test;
	size_t i;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (!t->loading)
		return script_error(L, "tap.test inside a test: tests do not nest");
	i = t->seen++;
	if (t->learning) {
		for (i = 0; i < s->test_count; i++) {
			if (strcmp(s->tests[i].name, name) == 0)
				return script_error(L, "two tests have the name '%s'", name);
		}
		if (s->test_count >= SCRIPT_MAX_TESTS)
			return script_error(L, "more than %d tests", SCRIPT_MAX_TESTS);
		if ((i & (i - 1)) == 0)
			s->tests = xrealloc(s->tests, (i ? 2 * i : 1) * sizeof(*s->tests));
		test = &s->tests[s->test_count++];
		test->name = xstrdup(name);
		test->skip = skip ? xstrdup(skip) : NULL;
		test->profile = profile ? xstrdup(profile) : NULL;
		test->line = 0;
	} else if (i == t->wanted) {
		lua_pushvalue(L, 2);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &key_function);
	}
	return 0;
}

/* -- Running -- */

static int check_metatables(lua_State *L)
{
	sandbox_check_metatables(L);
	return 0;
}

/* What has to hold when the test's function came back. */
static void check_end(struct test_run *t)
{
	lua_State *L = t->sb->L;

	lua_pushcfunction(L, check_metatables);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
		test_run_fail(t, lua_tostring(L, -1), NULL, NULL, NULL, t->script->path, 0);
		lua_pop(L, 1);
	}
	if (!t->failed && !t->skipped && !t->assertions)
		test_run_fail(t, "the test asserts nothing", NULL, NULL, NULL, t->script->path, 0);
}

static void run_wanted(struct test_run *t)
{
	lua_State *L = t->sb->L;

	if (!run_main_chunk(t))
		return;
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key_function) != LUA_TFUNCTION) {
		lua_pop(L, 1);
		test_run_fail(t, "the file did not register this test again", NULL, NULL, NULL,
			      t->script->path, 0);
		return;
	}
	if (net_run_tasks(t))
		check_end(t);
	net_run_end(t);
}

static const char *text_or_null(const struct strbuf *b)
{
	return b->len ? b->data : NULL;
}

static void fill_result(struct test_run *t, const char *rerun)
{
	struct script_result *r = t->result;
	struct tap_diagnosis d = {
		.message = text_or_null(&t->message),
		.got = text_or_null(&t->got),
		.expect = text_or_null(&t->expect),
		.diff = text_or_null(&t->diff),
		.traceback = text_or_null(&t->traceback),
		.file = text_or_null(&t->file),
		.line = t->line,
		.has_time = t->has_time,
		.time_virtual_ns = t->end_time_ns,
		.capture = text_or_null(&t->capture),
		.seed = t->script->config->seed,
		.rerun = rerun,
	};

	strbuf_add(&r->printed, strbuf_text(&t->sb->printed), t->sb->printed.len);
	if (t->failed) {
		r->verdict = TAP_NOT_OK;
		if (!d.file)
			d.file = t->script->path;
		tap_yaml(&r->diagnosis, &d);
		tap_message(&r->message, &d);
		r->line = d.line;
	} else if (t->skipped) {
		r->verdict = TAP_SKIP;
		strbuf_puts(&r->directive, strbuf_text(&t->message));
	}
}

void script_run(struct script *s, size_t i, const char *rerun, struct script_result *result)
{
	const struct script_test *test = &s->tests[i];
	struct test_run t;

	*result = (struct script_result){ .verdict = TAP_OK };
	if (test->skip) {
		result->verdict = TAP_SKIP;
		strbuf_puts(&result->directive, test->skip);
		return;
	}
	if (test->profile && s->config->profile_given &&
	    strcmp(test->profile, s->config->profile) != 0) {
		result->verdict = TAP_SKIP;
		strbuf_printf(&result->directive, "for profile %s", test->profile);
		return;
	}
	test_run_init(&t, s, test_seed(s->config->seed, s->path, test->name));
	t.wanted = i;
	if (test->profile)
		t.profile = test->profile;
	t.result = result;
	if (t.sb) {
		run_wanted(&t);
		fill_result(&t, rerun);
	} else {
		result->verdict = TAP_NOT_OK;
	}
	test_run_done(&t);
}

void script_result_free(struct script_result *r)
{
	strbuf_free(&r->directive);
	strbuf_free(&r->diagnosis);
	strbuf_free(&r->message);
	strbuf_free(&r->comments);
	strbuf_free(&r->printed);
	strbuf_free(&r->shown);
	strbuf_free(&r->digest);
}
