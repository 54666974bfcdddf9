/* SPDX-License-Identifier: MIT */
/*
 * Results become TAP. A file's results wait in its own buffer until all files before it are out, so
 * that the output is the same for every number of jobs.
 */
#include "run/run.h"

#include "run/audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void broken_output(struct run *r)
{
	if (!r->output_broken)
		r->output_errno = errno;
	r->output_broken = true;
}

static void write_out(struct run *r, struct strbuf *text)
{
	if (text->len && !r->observer && !r->output_broken &&
	    fwrite(text->data, 1, text->len, stdout) != text->len)
		broken_output(r);
	strbuf_clear(text);
}

/* How far it is, for somebody who waits: only when the results go elsewhere. */
static void progress(const struct run *r)
{
	size_t done = r->failed + r->passed + r->skipped;

	if (isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO))
		fprintf(stderr, "\r%zu of %zu, %zu failed%s", done, r->test_count, r->failed,
			done == r->test_count ? "\n" : "");
}

static bool is_complete(const struct plan_file *f)
{
	return f->next == (f->error ? 1 : f->count);
}

void report_flush(struct run *r)
{
	if (!r->planned || r->pass == RUN_FIRST)
		return;
	for (; r->front < r->file_count; r->front++) {
		struct plan_file *f = &r->files[r->front];

		write_out(r, &f->out);
		if (f->err.len) {
			fflush(stdout);
			fwrite(f->err.data, 1, f->err.len, stderr);
			strbuf_clear(&f->err);
		}
		if (!is_complete(f))
			break;
	}
	if (fflush(stdout) != 0)
		broken_output(r);
	progress(r);
}

void report_result(struct run *r, struct plan_file *f, size_t i, struct script_result *result)
{
	struct strbuf name = { 0 };

	f->next = i + 1;
	if (r->pass == RUN_FIRST) {
		audit_keep(&f->tests[i], result);
		return;
	}
	if (r->pass == RUN_AGAIN)
		audit_compare(f, i, result);
	if (r->observer)
		r->observer->result(r->observer->ctx, f->path, f->tests[i].name, result);
	strbuf_printf(&name, "%s: %s", f->path, f->tests[i].name);
	tap_result(&f->out, f->first + i, result->verdict, strbuf_text(&name),
		   strbuf_text(&result->directive));
	strbuf_add(&f->out, strbuf_text(&result->diagnosis), result->diagnosis.len);
	strbuf_add(&f->out, strbuf_text(&result->comments), result->comments.len);
	if (r->options->digest)
		tap_comment(&f->out, strbuf_text(&result->digest));
	strbuf_add(&f->err, strbuf_text(&result->printed), result->printed.len);
	strbuf_free(&name);
	if (result->verdict == TAP_NOT_OK)
		r->failed++;
	else if (result->verdict == TAP_SKIP)
		r->skipped++;
	else
		r->passed++;
	if (result->invariant)
		r->invariants++;
}

void report_lost(struct run *r, struct plan_file *f, size_t i, const char *message)
{
	struct script_result result = { .verdict = TAP_NOT_OK };
	struct strbuf rerun = { 0 };
	struct tap_diagnosis d = {
		.message = message,
		.file = f->path,
		.seed = f->options.seed,
	};

	run_options_rerun(&f->options, f->path, f->tests[i].name, &rerun);
	d.rerun = strbuf_text(&rerun);
	tap_yaml(&result.diagnosis, &d);
	report_result(r, f, i, &result);
	strbuf_free(&rerun);
	script_result_free(&result);
}

/* "FILE:LINE: message": the line, and the length of the file's name; 0 when it is not so. */
static int error_place(const char *error, size_t *file_len)
{
	const char *p = error;
	int line;
	char c;

	while ((p = strchr(p, ':'))) {
		if (sscanf(p, ":%d%c", &line, &c) == 2 && c == ':' && line > 0) {
			*file_len = (size_t)(p - error);
			return line;
		}
		p++;
	}
	return 0;
}

void report_error(struct run *r, struct plan_file *f)
{
	struct strbuf rerun = { 0 };
	struct strbuf file = { 0 };
	struct tap_diagnosis d = { .message = f->error, .seed = f->options.seed };
	size_t len = 0;

	d.line = error_place(f->error, &len);
	if (d.line)
		strbuf_add(&file, f->error, len);
	else
		strbuf_puts(&file, f->path);
	d.file = strbuf_text(&file);
	run_options_rerun(&f->options, f->path, NULL, &rerun);
	d.rerun = strbuf_text(&rerun);
	tap_result(&f->out, f->first, TAP_NOT_OK, f->path, NULL);
	tap_yaml(&f->out, &d);
	strbuf_printf(&f->err, "%s\n", f->error);
	f->next = 1;
	r->failed++;
	r->errors++;
	strbuf_free(&rerun);
	strbuf_free(&file);
}
