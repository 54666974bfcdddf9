/* SPDX-License-Identifier: MIT */
/*
 * The events of a script, one after the other, on virtual time. A relative time counts from the
 * instant at which the event before was really done; what is injected goes in before the timers of
 * its instant; an expected packet may come from when the event before was done until its time and
 * the tolerance are over; calls that block are tasks of their own and end before the next call.
 */
#include "packetdrill/runner.h"

#include "capture/capture.h"
#include "packetdrill/front.h"
#include "stack/nic.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BOOT_NS 10000000000ull /* how long the host has been up when the script begins */
/*
 * Linux delays an acknowledgement by 40 ms, and a tick of the slowest clock. Scripts made for
 * stacks that do not delay it there pass on a kernel with the tolerance that they are run with.
 */
#define DELAYED_ACK_NS 44000000ull

/* -- The end of a script -- */

bool pd_fail(struct pd_run *r, const struct pd_event *e, const char *got, const char *expect,
	     const char *format, ...)
{
	va_list args;

	if (r->failed || r->skipped)
		return false;
	r->failed = true;
	r->fail_line = e ? e->line : 0;
	va_start(args, format);
	strbuf_vprintf(&r->message, format, args);
	va_end(args);
	if (got)
		strbuf_puts(&r->got, got);
	if (expect)
		strbuf_puts(&r->expect, expect);
	return false;
}

bool pd_skip(struct pd_run *r, const char *text)
{
	if (r->failed || r->skipped)
		return false;
	r->skipped = true;
	if (r->event)
		strbuf_printf(&r->message, "%s:%d: ", r->script->path, r->event->line);
	strbuf_puts(&r->message, text);
	return false;
}

/* -- Time -- */

u64 pd_now(const struct pd_run *r)
{
	return r->sut->ops->now(r->sut) - r->start_ns;
}

/* Nothing but an acknowledgement: a receiver may delay it (RFC 9293 3.8.6.3). */
static bool is_pure_ack(const struct pd_event *e)
{
	const struct pd_packet *p = &e->packet;

	return e->kind == PD_PACKET && p->direction == PD_OUTBOUND && p->kind == PD_PACKET_TCP &&
	       p->tcp.flags == PD_TCP_ACK && !p->tcp.len;
}

u64 pd_tolerance(const struct pd_run *r, const struct pd_event *e, u64 want_ns)
{
	u64 step = want_ns > r->last_ns ? want_ns - r->last_ns : 0;
	u64 share = step / 1000 * r->settings->tolerance_permille;
	u64 least = r->settings->tolerance_ns;

	if (is_pure_ack(e) && least < DELAYED_ACK_NS)
		least = DELAYED_ACK_NS;
	return share > least ? share : least;
}

static void note_miss(struct pd_run *r, const struct pd_event *e, u64 want, u64 was,
		      const char *what)
{
	u64 off = was > want ? was - want : want - was;

	r->miss_count++;
	if (off > r->worst_miss)
		r->worst_miss = off;
	strbuf_printf(&r->misses, "%s:%d: %s %" PRIu64 " ns too %s\n", r->script->path, e->line,
		      what, off, was > want ? "late" : "early");
}

bool pd_check_time(struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns,
		   u64 was_ns, const char *what)
{
	u64 tolerance = pd_tolerance(r, e, want_ns);
	u64 nearest = was_ns < want_ns ? want_ns : was_ns > until_ns ? until_ns : was_ns;
	struct strbuf got = { 0 };
	struct strbuf want = { 0 };

	if (r->recorder || e->time.kind == PD_TIME_ANY || e->time.kind == PD_TIME_NONE ||
	    nearest == was_ns)
		return true;
	if (r->settings->exact)
		note_miss(r, e, nearest, was_ns, what);
	if ((was_ns > nearest ? was_ns - nearest : nearest - was_ns) <= tolerance)
		return true;
	pd_show_time(&got, was_ns);
	pd_show_time(&want, want_ns);
	if (until_ns != want_ns) {
		strbuf_putc(&want, '~');
		pd_show_time(&want, until_ns);
	}
	strbuf_puts(&want, " +- ");
	pd_show_time(&want, tolerance);
	pd_show_details(r, &r->details);
	pd_fail(r, e, strbuf_text(&got), strbuf_text(&want),
		"%s at another time than the script says", what);
	strbuf_free(&got);
	strbuf_free(&want);
	return false;
}

bool pd_advance(struct pd_run *r, u64 until_ns, bool frame)
{
	enum world_stop stop;

	if (until_ns > PD_TIME_LIMIT)
		until_ns = PD_TIME_LIMIT;
	r->stop_on_frame = frame;
	stop = r->sut->ops->run(r->sut, r->start_ns + until_ns);
	r->stop_on_frame = false;
	if (stop == WORLD_STORM) {
		r->invariant = true;
		return pd_fail(r, r->event, NULL, NULL,
			       "invariant: event storm: the world does not get past one instant");
	}
	if (r->frame_count == PD_MAX_FRAMES)
		return pd_fail(r, r->event, NULL, NULL, "too many packets that nobody expects");
	return pd_finish_calls(r);
}

bool pd_reach(struct pd_run *r, u64 until_ns)
{
	do {
		if (!pd_advance(r, until_ns, false))
			return false;
	} while (pd_now(r) < until_ns && until_ns <= PD_TIME_LIMIT);
	return true;
}

/* -- What the world calls -- */

static void on_frame(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct pd_run *r = ctx;

	(void)wire;
	(void)end;
	if (r->frame_count == PD_MAX_FRAMES)
		return;
	pd_frame_add(r, r->sut->ops->now(r->sut), frame, len);
	if (r->recorder)
		pd_record_frame(r, &r->frames[r->frame_count - 1]);
	if (r->stop_on_frame)
		r->sut->ops->stop(r->sut);
}

static void on_capture(void *ctx, u32 point, u32 id, u32 dir, const u8 *frame, u32 len)
{
	struct pd_run *r = ctx;
	struct capture_frame f = {
		.time_ns = r->sut->ops->now(r->sut),
		.has_time = true,
		.caplen = len,
		.len = len,
		.data = frame,
		.direction = dir == PD_HOST_END ? CAPTURE_OUT : CAPTURE_IN,
	};

	(void)id;
	if (point == CAPTURE_WIRE && r->capture)
		capture_write(r->capture, &f);
}

static void on_trace(void *ctx, const struct trace_record *rec)
{
	struct pd_run *r = ctx;

	r->traces[r->trace_count++ % PD_SHOWN_TRACES] = *rec;
}

static const struct world_ops callbacks = {
	.wire_rx = on_frame,
	.capture = on_capture,
	.trace = on_trace,
};

/* -- Events -- */

/* A command; `e` is the event that it stands in, NULL: none. */
static bool run_command(struct pd_run *r, const struct pd_event *e, struct pd_text command,
			int line)
{
	struct pd_error error = { 0 };
	struct strbuf out = { 0 };
	int status = 0;
	bool ok;

	ok = pd_shell_run(r->shell, command, line, &status, &out, &error);
	if (!ok && error.kind == PD_ERROR_UNKNOWN) {
		r->event = NULL; /* the text has the place */
		pd_skip(r, error.text);
	} else if (!ok) {
		pd_fail(r, e, NULL, NULL, "%s", error.text);
	} else if (status && !r->settings->syscalls_not_fatal) {
		ok = pd_fail(r, e, out.len ? out.data : NULL, NULL,
			     "the command ended with status %d", status);
	}
	strbuf_free(&out);
	return ok;
}

/* A name in a %{ }% block that nobody knows. */
static bool skip_unknown_name(struct pd_run *r, const struct pd_error *error)
{
	struct strbuf text = { 0 };
	const char *near = pd_info_field_near(error->word);

	if (!near)
		near = pd_info_near(error->word);
	if (!near)
		near = pd_symbol_near(error->word);
	strbuf_puts(&text, error->text);
	if (near)
		strbuf_printf(&text, "; did you mean '%s'?", near);
	r->event = NULL; /* the text has the place */
	pd_skip(r, strbuf_text(&text));
	strbuf_free(&text);
	return false;
}

static bool run_code(struct pd_run *r, const struct pd_event *e)
{
	struct pd_error error = { 0 };

	switch (pd_python_run(r->python, e->code, e->body_line, pd_info_lookup, r, &r->printed,
			      &error)) {
	case PD_PYTHON_OK:
		return true;
	case PD_PYTHON_FAILED:
		pd_show_details(r, &r->details);
		pd_fail(r, e, NULL, NULL, "%s", error.text);
		if (error.line)
			r->fail_line = error.line;
		return false;
	case PD_PYTHON_ERROR:
		if (error.kind != PD_ERROR_UNKNOWN)
			return pd_fail(r, e, NULL, NULL, "%s", error.text);
		return skip_unknown_name(r, &error);
	}
	return false;
}

void pd_forgive(struct pd_run *r)
{
	r->failed = false;
	strbuf_clear(&r->message);
	strbuf_clear(&r->got);
	strbuf_clear(&r->expect);
	strbuf_clear(&r->diff);
	strbuf_clear(&r->details);
	if (r->frame_count)
		pd_frame_drop(r);
}

static bool run_packet(struct pd_run *r, const struct pd_event *e, u64 at, u64 until)
{
	bool ok;

	if (e->packet.direction == PD_INBOUND)
		return pd_inject(r, e, at);
	ok = pd_expect(r, e, at, until);
	if (!ok && r->recorder) {
		pd_forgive(r);
		return true;
	}
	if (ok || !r->settings->packets_not_fatal || !r->failed || r->invariant)
		return ok;
	/* --non_fatal=packet: told, and the script goes on behind this packet. */
	strbuf_printf(&r->printed, "%s:%d: %s\n", r->script->path, e->line,
		      strbuf_text(&r->message));
	pd_forgive(r);
	return true;
}

void pd_due(const struct pd_run *r, const struct pd_time *t, u64 *at, u64 *until)
{
	u64 now = pd_now(r);
	u64 base = t->kind == PD_TIME_ABSOLUTE ? 0 : now;

	if (t->kind == PD_TIME_NONE || t->kind == PD_TIME_ANY) {
		*at = *until = now;
		return;
	}
	*at = base + (u64)(t->at > 0 ? t->at : 0);
	*until = t->range ? base + (u64)(t->until > 0 ? t->until : 0) : *at;
	if (*until < *at)
		*until = *at;
}

static bool run_event(struct pd_run *r, const struct pd_event *e)
{
	bool outbound = e->kind == PD_PACKET && e->packet.direction == PD_OUTBOUND;
	u64 at, until;

	pd_due(r, &e->time, &at, &until);
	if (outbound)
		return run_packet(r, e, at, until);
	/* An instant that is over already is missed; the event happens now. */
	if (pd_now(r) > at && !pd_check_time(r, e, at, until, pd_now(r), "the event was"))
		return false;
	if (pd_now(r) > at)
		at = pd_now(r);
	switch (e->kind) {
	case PD_PACKET:
		return run_packet(r, e, at, until);
	case PD_SYSCALL:
		return pd_calls_wait(r) && pd_reach(r, at > pd_now(r) ? at : pd_now(r)) &&
		       pd_call_run(r, e, pd_now(r));
	case PD_COMMAND:
		return pd_reach(r, at) && run_command(r, e, e->command, e->body_line) &&
		       pd_reach(r, pd_now(r));
	case PD_CODE:
		return pd_reach(r, at) && (r->recorder || run_code(r, e));
	}
	return false;
}

static bool run_events(struct pd_run *r)
{
	bool before = true;
	size_t i;

	for (i = 0; i < r->script->events; i++) {
		r->event = &r->script->event[i];
		if (r->watch)
			r->watch->event(r->watch->ctx, r->event,
					r->under_test ? r->under_test->script_fd : -1);
		if (r->recorder)
			pd_record_event(r, r->event);
		if (!run_event(r, r->event))
			return false;
		if (r->recorder)
			pd_record_done(r);
		before = before && r->event->time.kind == PD_TIME_NONE;
		/* The time that commands in front of the script take is none of it. */
		if (before)
			r->start_ns = r->sut->ops->now(r->sut);
		r->last_ns = pd_now(r);
	}
	if (!pd_calls_wait(r))
		return false;
	if (r->recorder)
		pd_record_end(r);
	r->event = NULL;
	if (r->settings->exact && r->miss_count) {
		strbuf_puts(&r->diff, strbuf_text(&r->misses));
		return pd_fail(r, NULL, NULL, NULL,
			       "%zu time%s not exact, the worst by %" PRIu64 " ns", r->miss_count,
			       r->miss_count == 1 ? " is" : "s are", r->worst_miss);
	}
	return true;
}

/* -- Life -- */

/* --init_scripts: commands with commas between, before the script's own. */
static bool run_init_scripts(struct pd_run *r)
{
	const char *p = r->settings->init_scripts;

	while (p && *p) {
		struct pd_text command = { p, strcspn(p, ",") };

		if (!run_command(r, NULL, command, 1))
			return false;
		p += command.len + (p[command.len] == ',');
	}
	return true;
}

static bool boot(struct pd_run *r, const struct pd_job *job)
{
	size_t i;

	if (!pd_host_make(r))
		return false;
	r->sut->ops->run(r->sut, BOOT_NS);
	r->start_ns = r->sut->ops->now(r->sut);
	for (i = 0; i < job->setting_count; i++) {
		if (pd_host_sysctl(r, job->setting[i].name, job->setting[i].value) < 0)
			return pd_fail(r, NULL, NULL, NULL, "--set: '%s' is no value for %s",
				       job->setting[i].value, job->setting[i].name);
	}
	for (i = 0; i < r->settings->envs; i++)
		pd_shell_set(r->shell, r->settings->env[i].name, r->settings->env[i].value);
	r->sut->ops->trace(r->sut, UINT64_MAX);
	if (!run_init_scripts(r))
		return false;
	/* They take their time on a real clock. */
	r->start_ns = r->sut->ops->now(r->sut);
	return true;
}

void pd_run_free(struct pd_run *r)
{
	size_t i;

	while (r->frame_count)
		pd_frame_drop(r);
	for (i = 0; i < r->flow_count; i++) {
		free(r->flows[i]->ts);
		free(r->flows[i]);
	}
	pd_calls_free(r);
	free(r->frames);
	free(r->flows);
	free(r->fds);
	strbuf_free(&r->misses);
	pd_shell_free(r->shell);
	pd_python_free(r->python);
}

static void check_leaks(struct pd_run *r, const struct world_leaks *leaks)
{
	if (!leaks->bytes && !leaks->objects && !leaks->timers)
		return;
	r->failed = r->skipped = false;
	r->invariant = true;
	strbuf_clear(&r->message);
	pd_fail(r, NULL, NULL, NULL,
		"invariant: the world ended with %" PRIu64 " bytes in %" PRIu32
		" objects and %" PRIu32 " timers not given back (%s)",
		leaks->bytes, leaks->objects, leaks->timers, leaks->kind ? leaks->kind : "no kind");
}

static void end_world(struct pd_run *r, const struct pd_job *job, struct pd_outcome *o)
{
	struct world_leaks leaks = { 0 };
	char error[CAPTURE_ERROR_SIZE];
	struct pd_call *c;
	u8 verdict;

	o->time_ns = pd_now(r);
	r->sut->ops->check(r->sut, 1);
	verdict = (u8)r->failed;
	r->sut->ops->digest_add(r->sut, &verdict, 1);
	if (job->digest)
		o->digest = r->sut->ops->digest(r->sut);
	if (r->capture && !capture_finish(r->capture, error))
		pd_fail(r, NULL, NULL, NULL, "%s", error);
	r->capture = NULL;
	r->sut->ops->trace(r->sut, 0);
	for (c = r->calls; c; c = c->next) {
		if (c->submitted && !c->op.completed)
			r->sut->ops->cancel(r->sut, &c->op);
	}
	r->sut->ops->destroy(r->sut, &leaks);
	check_leaks(r, &leaks);
}

void pd_run(const struct pd_job *job, struct pd_outcome *o)
{
	const struct world_config config = {
		.seed = job->seed,
		.profile_rfc = job->profile_rfc,
		.digest = job->digest,
		.check_events = true,
	};
	struct pd_run r = { .script = job->script,
			    .settings = job->settings,
			    .watch = job->watch,
			    .recorder = job->recorder,
			    .next_port = PD_FIRST_REMOTE_PORT };
	char error[CAPTURE_ERROR_SIZE];

	*o = (struct pd_outcome){ 0 };
	r.sut = job->sut->create(&config, &callbacks, &r);
	if (!r.sut) {
		o->failed = true;
		strbuf_puts(&o->message,
			    job->sut == &sut_kernel ?
				    "no network namespace can be made here (is this root?)" :
				    "no memory for a world");
		return;
	}
	r.shell = pd_shell_new(job->watch ? &pd_watched_commands : &pd_host_commands, &r,
			       job->script->path);
	r.python = pd_python_new(job->script->path);
	if (job->capture_path) {
		r.capture = capture_create(job->capture_path, CAPTURE_PCAPNG, PACKET_LINK_RAW, 0,
					   error);
		if (!r.capture)
			pd_fail(&r, NULL, NULL, NULL, "%s", error);
	}
	if (!r.failed && boot(&r, job) && !job->settings->dry_run)
		run_events(&r);
	end_world(&r, job, o);
	o->failed = r.failed;
	o->skipped = r.skipped;
	o->invariant = r.invariant;
	o->line = r.fail_line;
	o->message = r.message;
	o->got = r.got;
	o->expect = r.expect;
	o->diff = r.diff;
	o->details = r.details;
	o->classic = r.classic;
	o->printed = r.printed;
	pd_run_free(&r);
}

void pd_outcome_free(struct pd_outcome *o)
{
	strbuf_free(&o->message);
	strbuf_free(&o->got);
	strbuf_free(&o->expect);
	strbuf_free(&o->diff);
	strbuf_free(&o->details);
	strbuf_free(&o->classic);
	strbuf_free(&o->printed);
}
