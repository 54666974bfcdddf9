/* SPDX-License-Identifier: MIT */
/*
 * `tapline run`: options, the plan, the run, the verdict.
 *
 * All files are loaded once to learn their tests before any test runs, because the plan comes
 * first and because a file that can not be parsed should be told at once.
 */
#include "run/run.h"

#include "lua/settings.h"
#include "run/audit.h"
#include "run/walk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int run_usage_error(const char *command, const char *message)
{
	fprintf(stderr, "tapline %s: %s\nTry 'tapline %s --help'.\n", command, message, command);
	return EXIT_USAGE;
}

bool run_in_shard(const struct run_options *o, const char *path, const char *name)
{
	/* As a test's seed: it hangs on the names of file and test only. */
	return !o->shards || test_seed(0, path, name) % o->shards == o->shard - 1;
}

/* Makes the folder, parents too. Returns 0 or an errno. */
static int make_folder(const char *path)
{
	char *part = xstrdup(path);
	int error = 0;
	size_t i;

	for (i = 1; part[i] && !error; i++) {
		if (part[i] != '/')
			continue;
		part[i] = 0;
		if (mkdir(part, 0777) != 0 && errno != EEXIST)
			error = errno;
		part[i] = '/';
	}
	if (!error && mkdir(part, 0777) != 0 && errno != EEXIST)
		error = errno;
	free(part);
	return error;
}

/* A capture folder that can not be written to is told before anything runs. */
static bool check_capture_dir(const char *dir, struct strbuf *error)
{
	int code = make_folder(dir);
	struct strbuf probe = { 0 };
	int fd;

	strbuf_printf(&probe, "%s/.tapline-XXXXXX", dir);
	if (!code) {
		fd = mkstemp(probe.data);
		if (fd < 0) {
			code = errno;
		} else {
			close(fd);
			unlink(probe.data);
		}
	}
	strbuf_free(&probe);
	if (code)
		strbuf_printf(error, "--capture: cannot write to '%s': %s", dir, strerror(code));
	return !code;
}

static bool collect_files(struct run *r, struct walk *w, struct strbuf *error)
{
	const struct run_options *o = r->options;
	size_t i;

	for (i = 0; i < o->path_count; i++) {
		size_t before = w->count;
		int code = walk_add(w, o->paths[i]);

		if (code) {
			strbuf_printf(error, "cannot read folder '%s': %s", o->paths[i],
				      strerror(code));
			return false;
		}
		if (w->count == before && i == 0) {
			strbuf_printf(error, "no test file (*.lua, *.pkt) in '%s'", o->paths[i]);
			return false;
		}
	}
	r->file_count = w->count;
	r->files = xrealloc(NULL, w->count * sizeof(*r->files));
	memset(r->files, 0, w->count * sizeof(*r->files));
	for (i = 0; i < w->count; i++)
		r->files[i].path = w->files[i];
	return true;
}

static void fill_config(const struct run *r, struct plan_file *f)
{
	const struct run_options *o = &f->options;

	f->config = (struct script_config){
		.seed = o->seed,
		.profile = o->profile,
		.profile_given = o->profile_given,
		.sut = o->sut,
		.nic = o->nic,
		.offload = o->offload,
		.settings = o->settings,
		.setting_count = o->setting_count,
		.capture_dir = o->capture_dir,
		.make = o->make,
		.digest = o->digest || o->audit,
		.fuel = SANDBOX_DEFAULT_FUEL,
		.memory = SANDBOX_DEFAULT_MEMORY,
		.requirements = &r->catalogue,
	};
}

/* The options of each file. One whose tapline.args is wrong can not be used. */
static bool fill_options(struct run *r, struct strbuf *error)
{
	const struct script_config config = { .profile = r->options->profile,
					      .sut = r->options->sut,
					      .settings = r->options->settings,
					      .setting_count = r->options->setting_count };
	struct strbuf message = { 0 };
	size_t i;

	for (i = 0; i < r->file_count; i++) {
		struct plan_file *f = &r->files[i];

		strbuf_clear(&message);
		if (!args_options(&r->args, r->options, f->path, &f->options, &message))
			f->error = xstrdup(strbuf_text(&message));
		fill_config(r, f);
	}
	strbuf_free(&message);
	return settings_check(&config, error);
}

/* A file that can not be used is told by one shard only. */
static void drop_others_errors(struct run *r)
{
	size_t i;

	for (i = 0; i < r->file_count; i++) {
		struct plan_file *f = &r->files[i];

		if (!f->error || run_in_shard(r->options, f->path, ""))
			continue;
		free(f->error);
		f->error = NULL;
		while (f->count)
			free(f->tests[--f->count].name);
	}
}

static void number_tests(struct run *r)
{
	size_t i;

	r->test_count = 0;
	for (i = 0; i < r->file_count; i++) {
		r->files[i].first = r->test_count + 1;
		r->test_count += r->files[i].error ? 1 : r->files[i].count;
	}
}

static void write_text(struct run *r, struct strbuf *text)
{
	if (fwrite(strbuf_text(text), 1, text->len, stdout) != text->len)
		broken_output(r);
	strbuf_free(text);
}

/* --list: names only; files that can not be used still are errors. */
static void list_tests(struct run *r)
{
	struct strbuf out = { 0 };
	size_t i, k;

	for (i = 0; i < r->file_count; i++) {
		const struct plan_file *f = &r->files[i];

		if (f->error) {
			fprintf(stderr, "%s\n", f->error);
			r->errors++;
		}
		for (k = 0; !f->error && k < f->count; k++)
			strbuf_printf(&out, "%s: %s\n", f->path, f->tests[k].name);
	}
	write_text(r, &out);
}

static void write_plan(struct run *r)
{
	struct strbuf out = { 0 };

	r->planned = true;
	if (r->observer) {
		r->observer->planned(r->observer->ctx);
		return;
	}
	tap_plan(&out, r->test_count, r->test_count ? NULL : "no test matches");
	write_text(r, &out);
}

static int interrupted(struct run *r, int number)
{
	const char *name = number == SIGINT ? "SIGINT" : number == SIGTERM ? "SIGTERM" : "SIGHUP";
	struct strbuf out = { 0 };

	if (number < 0)
		return EXIT_USAGE;
	strbuf_printf(&out, "interrupted by %s", name);
	fprintf(stderr, "tapline: %s\n", strbuf_text(&out));
	if (r->planned && !r->options->list && !r->observer) {
		struct strbuf line = { 0 };

		tap_bail_out(&line, strbuf_text(&out));
		write_text(r, &line);
		fflush(stdout);
	}
	strbuf_free(&out);
	return 128 + number;
}

static int verdict(const struct run *r)
{
	if (r->invariants)
		return EXIT_INVARIANT;
	if (r->errors)
		return EXIT_USAGE;
	if (r->failed)
		return EXIT_FAILED;
	if (!r->options->list && !r->passed)
		return EXIT_SKIPPED;
	return EXIT_PASSED;
}

/* Runs the tests, twice with --audit. Returns what pool_run does. */
static int run_passes(struct run *r)
{
	int number;
	size_t i;

	if (!r->options->audit)
		return pool_run(r, RUN_ONCE);
	number = pool_run(r, RUN_FIRST);
	if (number)
		return number;
	for (i = 0; i < r->file_count; i++) {
		if (!r->files[i].error)
			r->files[i].next = 0;
	}
	return pool_run(r, RUN_AGAIN);
}

static int run_files(struct run *r)
{
	int number;
	size_t i;

	number = pool_run(r, RUN_LEARN);
	if (number)
		return interrupted(r, number);
	drop_others_errors(r);
	number_tests(r);
	if (r->options->list) {
		list_tests(r);
	} else if (!r->output_broken) {
		write_plan(r);
		for (i = 0; i < r->file_count; i++) {
			if (r->files[i].error)
				report_error(r, &r->files[i]);
		}
		report_flush(r);
		number = run_passes(r);
		if (number)
			return interrupted(r, number);
		report_flush(r);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		broken_output(r);
	if (r->output_broken) {
		fprintf(stderr, "tapline: the results could not be written: %s\n",
			strerror(r->output_errno));
		return EXIT_USAGE;
	}
	return verdict(r);
}

static void free_run(struct run *r)
{
	size_t i, k;

	for (i = 0; i < r->file_count; i++) {
		struct plan_file *f = &r->files[i];

		for (k = 0; k < f->count; k++) {
			free(f->tests[k].name);
			audit_forget(&f->tests[k]);
		}
		free(f->tests);
		args_options_free(&f->options);
		free(f->error);
		free(f->late_error);
		strbuf_free(&f->out);
		strbuf_free(&f->err);
	}
	free(r->files);
	args_free(&r->args);
	catalogue_free(&r->catalogue);
}

int run_execute(const char *command, const struct run_options *options,
		const struct run_observer *observer)
{
	struct run r = { .options = options, .observer = observer, .command = command };
	struct strbuf error = { 0 };
	struct strbuf no_catalogue = { 0 };
	struct walk w = { 0 };
	int status;

	signal(SIGPIPE, SIG_IGN);
	if ((options->capture_dir && !check_capture_dir(options->capture_dir, &error)) ||
	    !collect_files(&r, &w, &error)) {
		status = run_usage_error(command, strbuf_text(&error));
	} else {
		catalogue_load(&r.catalogue, &no_catalogue);
		if (fill_options(&r, &error))
			status = run_files(&r);
		else
			status = run_usage_error(command, strbuf_text(&error));
	}
	free_run(&r);
	walk_free(&w);
	strbuf_free(&error);
	strbuf_free(&no_catalogue);
	return status;
}

int run_command(int argc, char **argv)
{
	struct run_options options;
	struct strbuf error = { 0 };
	int status;

	if (!run_options_parse(&options, NULL, argc, argv, &error)) {
		status = run_usage_error("run", strbuf_text(&error));
	} else if (options.help) {
		fputs(run_options_help(), stdout);
		status = fflush(stdout) == 0 ? EXIT_PASSED : EXIT_USAGE;
	} else {
		status = run_execute("run", &options, NULL);
	}
	run_options_free(&options);
	strbuf_free(&error);
	return status;
}
