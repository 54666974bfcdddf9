/* SPDX-License-Identifier: MIT */
/*
 * The child processes: forks one per file, so many at a time, reads their pipes, and keeps the
 * watch: a child that dies or goes silent costs its running test, and the rest of its file is told
 * as not run.
 *
 * Here, and only here, the real clock is read. Its verdict is always a failure.
 */
#include "run/run.h"

#include "base/glob.h"
#include "run/audit.h"
#include "run/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct child {
	pid_t pid; /* 0: no child in this place */
	int fd;
	struct plan_file *file;
	struct strbuf received;
	s64 last_ms; /* when it was heard of last */
	bool running; /* a test has started and has no result */
	bool ended; /* it said that it did all */
	bool timed_out;
};

static volatile sig_atomic_t caught_signal;

static void on_signal(int number)
{
	caught_signal = number;
}

static s64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (s64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Of LeakSanitizer, where the build has it: a child leaves by _exit, which would not look. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

#define EXIT_LEAK 23

/* In the child: never returns. */
static void child_main(const struct run *r, const struct plan_file *f, int fd)
{
	int null = open("/dev/null", O_WRONLY);

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	/* Nothing but the parent writes to standard output. */
	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	if (r->pass == RUN_LEARN)
		child_learn(f, fd);
	else if (r->pass == RUN_AGAIN)
		audit_call(child_run, f, fd);
	else
		child_run(f, fd);
	_exit(__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check() ? EXIT_LEAK :
										       0);
}

static bool child_start(const struct run *r, struct child *c, struct plan_file *f)
{
	int ends[2];

	if (pipe(ends) != 0)
		return false;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fflush(stderr);
	c->pid = fork();
	if (c->pid == 0) {
		close(ends[0]);
		child_main(r, f, ends[1]);
	}
	close(ends[1]);
	if (c->pid < 0) {
		close(ends[0]);
		c->pid = 0;
		return false;
	}
	c->fd = ends[0];
	c->file = f;
	c->last_ms = now_ms();
	c->running = c->ended = c->timed_out = false;
	return true;
}

/* Makes the file one failed test; once there is a plan, only tells why its tests are lost. */
static void file_error(const struct run *r, struct plan_file *f, const char *message)
{
	char **error = r->pass == RUN_LEARN ? &f->error : &f->late_error;

	if (!*error)
		*error = xstrdup(message);
}

static void add_test(struct run *r, struct plan_file *f, const char *name)
{
	const char *filter = r->options->filter;

	if (!run_in_shard(r->options, f->path, name))
		return;
	if (filter && !glob_match(filter, name)) {
		struct strbuf full = { 0 };
		bool match;

		strbuf_printf(&full, "%s: %s", f->path, name);
		match = glob_match(filter, strbuf_text(&full));
		strbuf_free(&full);
		if (!match)
			return;
	}
	f->tests = xrealloc(f->tests, (f->count + 1) * sizeof(*f->tests));
	f->tests[f->count++] = (struct plan_test){ .name = xstrdup(name) };
}

static void add_text(struct strbuf *out, struct record *record)
{
	size_t len;
	const char *text = record_text(record, &len);

	strbuf_add(out, text, len);
}

static void take_result(struct run *r, struct child *c, struct record *record)
{
	struct script_result result = { .verdict = (enum tap_verdict)record_u32(record) };

	result.invariant = record_u32(record) != 0;
	add_text(&result.directive, record);
	add_text(&result.diagnosis, record);
	add_text(&result.comments, record);
	add_text(&result.printed, record);
	add_text(&result.shown, record);
	add_text(&result.digest, record);
	c->running = false;
	if (c->file->next < c->file->count)
		report_result(r, c->file, c->file->next, &result);
	script_result_free(&result);
}

static void take_records(struct run *r, struct child *c)
{
	struct record record = { 0 };
	enum record_type type;

	while (record_take(&c->received, &record, &type) > 0) {
		switch (type) {
		case RECORD_TEST:
			add_test(r, c->file, record_text(&record, NULL));
			break;
		case RECORD_ERROR:
			file_error(r, c->file, record_text(&record, NULL));
			break;
		case RECORD_START:
			c->running = true;
			break;
		case RECORD_RESULT:
			take_result(r, c, &record);
			break;
		case RECORD_END:
			c->ended = true;
			break;
		}
	}
	record_free(&record);
}

static const char *signal_name(int number, char *buffer, size_t size)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ SIGSEGV, "SIGSEGV" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" },
		{ SIGFPE, "SIGFPE" },	{ SIGILL, "SIGILL" },	{ SIGKILL, "SIGKILL" },
		{ SIGTERM, "SIGTERM" }, { SIGINT, "SIGINT" },	{ SIGTRAP, "SIGTRAP" },
		{ SIGSYS, "SIGSYS" },	{ SIGPIPE, "SIGPIPE" }, { SIGXCPU, "SIGXCPU" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	snprintf(buffer, size, "signal %d", number);
	return buffer;
}

/* Why a child ended before its work was done. */
static void death(const struct child *c, int status, struct strbuf *out)
{
	char buffer[32];

	if (c->timed_out)
		strbuf_printf(out, "wall clock limit: no result after %u s of real time",
			      c->file->options.wall_timeout);
	else if (WIFSIGNALED(status))
		strbuf_printf(out, "%s: the test process was killed by %s",
			      WTERMSIG(status) == SIGABRT ? "invariant" : "crash",
			      signal_name(WTERMSIG(status), buffer, sizeof(buffer)));
	else
		strbuf_printf(out, "crash: the test process ended with status %d",
			      WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void lose_tests(struct run *r, struct child *c, const char *reason, bool aborted)
{
	struct plan_file *f = c->file;
	struct strbuf rest = { 0 };

	strbuf_printf(&rest, "not run: the process of this file ended in '%s'",
		      f->next < f->count ? f->tests[f->next].name : "");
	/* An assertion of the stack aborts (stack/assert.h); what it said is on standard error. */
	if (c->running && aborted)
		r->invariants++;
	if (c->running && f->next < f->count)
		report_lost(r, f, f->next, reason);
	else
		strbuf_printf(&rest, " (%s)", reason);
	while (f->next < f->count)
		report_lost(r, f, f->next, strbuf_text(&rest));
	strbuf_free(&rest);
}

static void child_done(struct run *r, struct child *c)
{
	struct strbuf reason = { 0 };
	int status = 0;

	close(c->fd);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	c->pid = 0;
	strbuf_clear(&c->received);
	if (c->ended && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_LEAK) {
		fprintf(stderr, "tapline: memory leaked while %s ran\n", c->file->path);
		r->invariants++;
	}
	if (!c->ended)
		death(c, status, &reason);
	if (r->pass == RUN_LEARN && !c->ended) {
		struct strbuf message = { 0 };

		strbuf_printf(&message, "%s:1: the file could not be loaded: %s", c->file->path,
			      strbuf_text(&reason));
		file_error(r, c->file, strbuf_text(&message));
		strbuf_free(&message);
	} else if (r->pass != RUN_LEARN) {
		if (c->ended)
			strbuf_puts(&reason, c->file->late_error ?
						     c->file->late_error :
						     "the file changed during the run");
		lose_tests(r, c, strbuf_text(&reason),
			   !c->ended && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		report_flush(r);
	}
	strbuf_free(&reason);
}

static void child_read(struct run *r, struct child *c)
{
	char block[65536];
	ssize_t n = read(c->fd, block, sizeof(block));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		c->last_ms = now_ms();
		strbuf_add(&c->received, block, (size_t)n);
		take_records(r, c);
		if (r->pass != RUN_LEARN)
			report_flush(r);
		return;
	}
	child_done(r, c);
}

static void watch(struct child *c)
{
	s64 limit = (s64)c->file->options.wall_timeout * 1000;

	if (limit && !c->timed_out && now_ms() - c->last_ms > limit) {
		c->timed_out = true;
		kill(c->pid, SIGKILL);
	}
}

/* Files that need a child, from *next on. */
static struct plan_file *next_file(struct run *r, size_t *next)
{
	while (*next < r->file_count) {
		struct plan_file *f = &r->files[(*next)++];

		if (!f->error && (r->pass == RUN_LEARN || f->count))
			return f;
	}
	return NULL;
}

static void end_all(struct child *children, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!children[i].pid)
			continue;
		kill(children[i].pid, SIGKILL);
		waitpid(children[i].pid, NULL, 0);
		close(children[i].fd);
		children[i].pid = 0;
	}
}

/* Starts children in free places; returns how many run, or -1 when none can be started. */
static int fill_places(struct run *r, struct child *children, size_t places, size_t *next)
{
	int running = 0;
	size_t i;

	for (i = 0; i < places; i++) {
		size_t before = *next;
		struct plan_file *f;

		if (!children[i].pid) {
			f = next_file(r, next);
			if (f && !child_start(r, &children[i], f)) {
				*next = before;
				return running ? running : -1;
			}
		}
		running += children[i].pid != 0;
	}
	return running;
}

static void wait_for_children(struct run *r, struct child *children, size_t places)
{
	struct pollfd *fds = xrealloc(NULL, places * sizeof(*fds));
	size_t i;

	for (i = 0; i < places; i++)
		fds[i] = (struct pollfd){ children[i].pid ? children[i].fd : -1, POLLIN, 0 };
	if (poll(fds, (nfds_t)places, 200) > 0) {
		for (i = 0; i < places; i++) {
			if (fds[i].revents)
				child_read(r, &children[i]);
		}
	}
	for (i = 0; i < places; i++) {
		if (children[i].pid)
			watch(&children[i]);
	}
	free(fds);
}

int pool_run(struct run *r, enum run_pass pass)
{
	struct sigaction action = { .sa_handler = on_signal };
	size_t places = r->options->jobs < r->file_count ? r->options->jobs : r->file_count;
	struct child *children = xrealloc(NULL, places * sizeof(*children));
	size_t next = 0;
	size_t i;
	int running;
	int result = 0;

	memset(children, 0, places * sizeof(*children));
	r->pass = pass;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	while (!caught_signal && !r->output_broken) {
		running = fill_places(r, children, places, &next);
		if (running < 0) {
			fprintf(stderr, "tapline: cannot start a process: %s\n", strerror(errno));
			result = -1;
			break;
		}
		if (!running)
			break;
		wait_for_children(r, children, places);
	}
	end_all(children, places);
	for (i = 0; i < places; i++)
		strbuf_free(&children[i].received);
	free(children);
	return caught_signal ? caught_signal : result;
}
