/* SPDX-License-Identifier: MIT */
/*
 * What a child process does: load one file, and tell its tests or run them. It talks only through
 * its pipe, and ends without running the parent's exit handlers.
 */
#include "run/run.h"

#include "packetdrill/front.h"
#include "run/record.h"
#include "sut/sut.h"

#include <string.h>
#include <unistd.h>

/* A file of either kind; one of the two is there when it could be loaded. */
struct test_file {
	struct script *lua;
	struct pd_file *pkt;
};

static struct script *load_lua(const struct plan_file *f, struct strbuf *error)
{
	if (f->config.sut == &sut_kernel) {
		strbuf_printf(
			error,
			"%s: --sut kernel is for packetdrill scripts: Lua tests need virtual time",
			f->path);
		return NULL;
	}
	return script_load(f->path, &f->config, error);
}

static bool file_load(struct test_file *t, const struct plan_file *f, struct strbuf *error)
{
	*t = (struct test_file){ 0 };
	if (pd_file_is(f->path))
		t->pkt = pd_file_load(f->path, &f->config, &f->options.packetdrill,
				      f->options.families, error);
	else
		t->lua = load_lua(f, error);
	return t->pkt || t->lua;
}

static size_t file_count(const struct test_file *t)
{
	return t->pkt ? pd_file_test_count(t->pkt) : script_test_count(t->lua);
}

static const char *file_test_name(const struct test_file *t, size_t i)
{
	return t->pkt ? pd_file_test_name(t->pkt, i) : script_test_name(t->lua, i);
}

static void file_free(struct test_file *t)
{
	pd_file_free(t->pkt);
	script_free(t->lua);
}

static void send_or_die(struct record *r, int fd)
{
	if (!record_send(r, fd))
		_exit(2);
}

static void send_error(struct record *r, int fd, const struct strbuf *error)
{
	record_begin(r, RECORD_ERROR);
	record_add_text(r, error);
	send_or_die(r, fd);
}

static void send_end(struct record *r, int fd)
{
	record_begin(r, RECORD_END);
	send_or_die(r, fd);
}

void child_learn(const struct plan_file *f, int fd)
{
	struct strbuf error = { 0 };
	struct record record = { 0 };
	struct test_file t;
	bool ok = file_load(&t, f, &error);
	size_t i;

	if (!ok)
		send_error(&record, fd, &error);
	for (i = 0; ok && i < file_count(&t); i++) {
		struct strbuf name = { 0 };

		strbuf_puts(&name, file_test_name(&t, i));
		record_begin(&record, RECORD_TEST);
		record_add_text(&record, &name);
		send_or_die(&record, fd);
		strbuf_free(&name);
	}
	send_end(&record, fd);
	file_free(&t);
	strbuf_free(&error);
	record_free(&record);
}

static void send_result(struct record *r, int fd, const struct script_result *result)
{
	record_begin(r, RECORD_RESULT);
	record_add_u32(r, (u32)result->verdict);
	record_add_u32(r, result->invariant);
	record_add_text(r, &result->directive);
	record_add_text(r, &result->diagnosis);
	record_add_text(r, &result->comments);
	record_add_text(r, &result->printed);
	record_add_text(r, &result->shown);
	record_add_text(r, &result->digest);
	send_or_die(r, fd);
}

/* The place of a test in the script, starting the search where the last one was found. */
static size_t find_test(const struct test_file *t, const char *name, size_t from)
{
	size_t count = file_count(t);
	size_t i;

	for (i = 0; i < count; i++) {
		size_t at = (from + i) % count;

		if (strcmp(file_test_name(t, at), name) == 0)
			return at;
	}
	return SIZE_MAX;
}

void child_run(const struct plan_file *f, int fd)
{
	struct strbuf error = { 0 };
	struct record record = { 0 };
	struct strbuf rerun = { 0 };
	struct test_file t;
	bool ok = file_load(&t, f, &error);
	size_t at = 0;
	size_t i;

	if (!ok)
		send_error(&record, fd, &error);
	for (i = 0; ok && i < f->count; i++) {
		struct script_result result = { .verdict = TAP_NOT_OK };

		record_begin(&record, RECORD_START);
		send_or_die(&record, fd);
		at = find_test(&t, f->tests[i].name, at);
		strbuf_clear(&rerun);
		run_options_rerun(&f->options, f->path, f->tests[i].name, &rerun);
		if (at == SIZE_MAX) {
			send_error(&record, fd, &error);
			break;
		}
		if (t.pkt)
			pd_file_run(t.pkt, at, strbuf_text(&rerun), &result);
		else
			script_run(t.lua, at, strbuf_text(&rerun), &result);
		send_result(&record, fd, &result);
		script_result_free(&result);
	}
	send_end(&record, fd);
	file_free(&t);
	strbuf_free(&error);
	strbuf_free(&rerun);
	record_free(&record);
}
