/* SPDX-License-Identifier: MIT */
/*
 * A packetdrill script as a Lua test. The script is run first: it has to pass, and the run tells
 * what its commands do to the host and which socket its code blocks look at. Then each event is
 * written with what scripts/lib/packetdrill.lua has for it.
 */
#include "convert/pkt.h"

#include "base/data.h"
#include "convert/notation.h"
#include "convert/pkt_write.h"
#include "packetdrill/record.h"
#include "run/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool pkt_fail(struct pkt_writer *w, int line, const char *word, const char *why)
{
	if (!w->error->len)
		strbuf_printf(w->error, "%s:%d: '%.60s' %s", w->path, line, word, why);
	return false;
}

/* -- What the run tells -- */

struct notes {
	const struct pd_script *script;
	struct pkt_note *note;
	struct pkt_note *here;
};

static void on_event(void *ctx, const struct pd_event *e, int fd)
{
	struct notes *n = ctx;

	n->here = &n->note[e - n->script->event];
	n->here->info_fd = fd;
}

static void on_effect(void *ctx, enum pd_effect effect, const char *name, const char *value)
{
	struct pkt_note *n = ((struct notes *)ctx)->here;
	struct strbuf *out = &n->lines;

	switch (effect) {
	case PD_EFFECT_SYSCTL:
		strbuf_puts(out, "  p.host:sysctl(");
		notation_line(out, name);
		strbuf_puts(out, ", ");
		notation_line(out, value);
		strbuf_puts(out, ")\n");
		n->sets = true;
		break;
	case PD_EFFECT_METRICS_FLUSH:
		strbuf_printf(out, "  p.host:tcp_metrics_flush(%s%s%s)\n", name ? "\"" : "",
			      name ? name : "", name ? "\"" : "");
		n->sets = true;
		break;
	case PD_EFFECT_QDISC:
		strbuf_printf(out, "  p.host:qdisc { kind = \"%s\"%s%s }\n", name,
			      *value ? ", limit = " : "", value);
		n->sets = true;
		break;
	case PD_EFFECT_SLEEP:
		strbuf_printf(out, "  net.sleep(%s)\n", name);
		n->sleeps = true;
		break;
	case PD_EFFECT_READ:
		n->reads = true;
		break;
	case PD_EFFECT_OTHER:
		n->other = true;
		break;
	}
}

static void on_result(void *ctx, const struct pd_event *e, s64 ret)
{
	struct notes *n = ctx;
	struct pkt_note *note = &n->note[e - n->script->event];

	note->has_result = true;
	note->result = ret;
}

/* -- The whole -- */

static void put_options(struct pkt_writer *w)
{
	const struct pd_settings *s = w->settings;
	struct pd_settings usual;
	char address[PD_ADDRESS_TEXT];
	size_t i;

	pd_settings_init(&usual, s->family);
	strbuf_printf(w->out, "  local p = packetdrill.new { ip_version = \"%s\"",
		      pd_family_name(s->family));
	if (memcmp(&s->local, &usual.local, sizeof(s->local)) != 0) {
		pd_address_text(&s->local, address);
		strbuf_printf(w->out, ", local_ip = \"%s\"", address);
	}
	if (memcmp(&s->remote, &usual.remote, sizeof(s->remote)) != 0) {
		pd_address_text(&s->remote, address);
		strbuf_printf(w->out, ", remote_ip = \"%s\"", address);
	}
	if (s->prefix_len != usual.prefix_len)
		strbuf_printf(w->out, ", prefix_len = %" PRIu32, s->prefix_len);
	if (s->mtu != usual.mtu)
		strbuf_printf(w->out, ", mtu = %" PRIu32, s->mtu);
	if (s->bind_port != usual.bind_port)
		strbuf_printf(w->out, ", bind_port = %u", s->bind_port);
	if (s->connect_port != usual.connect_port)
		strbuf_printf(w->out, ", connect_port = %u", s->connect_port);
	if (s->tolerance_ns != usual.tolerance_ns)
		strbuf_printf(w->out, ", tolerance_usecs = %" PRIu64, s->tolerance_ns / 1000);
	if (s->tolerance_permille != usual.tolerance_permille)
		strbuf_printf(w->out, ", tolerance_percent = \"%" PRIu32 ".%" PRIu32 "\"",
			      s->tolerance_permille / 10, s->tolerance_permille % 10);
	if (s->ts_tick_us)
		strbuf_printf(w->out, ", tcp_ts_tick_usecs = %" PRIu32, s->ts_tick_us);
	if (s->ts_ecr_scaled)
		strbuf_puts(w->out, ", tcp_ts_ecr_scaled = true");
	if (s->strict_segments)
		strbuf_puts(w->out, ", strict_segments = true");
	if (s->packets_not_fatal)
		strbuf_puts(w->out, ", non_fatal = \"packet\"");
	for (i = 0; i < s->envs; i++) {
		strbuf_puts(w->out, i ? ", [" : ",\n    env = { [");
		notation_line(w->out, s->env[i].name);
		strbuf_puts(w->out, "] = ");
		notation_line(w->out, s->env[i].value);
	}
	strbuf_puts(w->out, s->envs ? " } }\n" : " }\n");
}

static bool put_test(struct pkt_writer *w, const char *name)
{
	size_t i;
	int line = 1;
	bool ok = true;

	w->indent = "  ";
	w->none.settings = w->settings;
	w->none.script = w->script;
	strbuf_puts(w->out, "\ntap.test(");
	notation_line(w->out, name);
	strbuf_puts(w->out, ", function(t)\n");
	put_options(w);
	for (i = 0; ok && i < w->script->events; i++) {
		const struct pd_event *e = &w->script->event[i];

		if (e->kind != PD_PACKET || e[-(i > 0)].kind != PD_PACKET)
			strbuf_putc(w->out, '\n');
		pkt_comments(w, line, e->line);
		line = e->line + 1;
		ok = pkt_event(w, e, &w->note[i]);
		if (w->fails && w->note[i].has_result && w->note[i].result < 0 &&
		    w->note[i + 1].info_fd == -2)
			break; /* here the script ends as it has to */
	}
	strbuf_puts(w->out, "\n  p:finish()\nend)\n");
	strbuf_free(&w->none.message);
	strbuf_free(&w->none.details);
	return ok;
}

/*
 * Where, in which family ("": the only one) and why the script did not do what it had to. The
 * reason of a skip has its line in it.
 */
static void tell_failure(const struct script_result *result, const char *path, const char *family,
			 const char *what, struct strbuf *error)
{
	strbuf_puts(error, path);
	if (result->verdict != TAP_SKIP)
		strbuf_printf(error, ":%d", result->line);
	strbuf_printf(error, ": %s%s%s: ", family, *family ? ": " : "", what);
	strbuf_puts(error, strbuf_text(result->verdict == TAP_SKIP ? &result->directive :
								     &result->message));
}

static bool one_family(struct pd_file *f, size_t i, const char *path, const char *text,
		       struct strbuf *out, struct strbuf *error)
{
	const struct pd_script *script = pd_file_script(f, i);
	size_t events = script ? script->events : 0, k;
	struct notes notes = { .script = script };
	const struct pd_watch watch = {
		.ctx = &notes, .event = on_event, .effect = on_effect, .result = on_result
	};
	struct script_result result;
	struct pkt_writer *w;
	bool ok;

	notes.note = xrealloc(NULL, (events + 1) * sizeof(*notes.note));
	for (k = 0; k <= events; k++)
		notes.note[k] = (struct pkt_note){ .info_fd = -2 };
	pd_file_watch(f, i, &watch, &result);
	ok = result.verdict == TAP_OK && result.directive.len == 0 && script;
	if (!ok && !error->len)
		tell_failure(&result, path, pd_file_test_name(f, i), "the script does not pass",
			     error);
	if (ok) {
		w = xrealloc(NULL, sizeof(*w));
		*w = (struct pkt_writer){ .out = out,
					  .error = error,
					  .path = path,
					  .text = text,
					  .script = script,
					  .settings = pd_file_settings(f, i),
					  .note = notes.note,
					  .fails = pd_file_fails(f) };
		ok = put_test(w, pd_file_test_name(f, i));
		strbuf_free(&w->variables);
		free(w);
	}
	for (k = 0; k <= events; k++)
		strbuf_free(&notes.note[k].lines);
	free(notes.note);
	script_result_free(&result);
	return ok;
}

static void put_head(struct strbuf *out, const char *path)
{
	struct strbuf command = { 0 };
	char *p;

	strbuf_printf(&command, "tapline convert %s", path_base(path));
	for (p = command.data; *p; p++) {
		if ((u8)*p < 0x20 || (u8)*p > 0x7e)
			*p = '?';
	}
	strbuf_printf(out,
		      "-- Made by: %s\nlocal tap = require \"tap\"\nlocal net = require \"net\"\n"
		      "local packetdrill = require \"packetdrill\"\nlocal C = packetdrill.C\n",
		      command.data);
	strbuf_free(&command);
}

/* A file with the options of its folder; all of it is given back by close_file(). */
struct pkt_file {
	struct script_config config;
	struct run_options options;
	struct args args;
	struct strbuf text;
	struct pd_file *file;
};

static bool open_file(struct pkt_file *f, const char *path, u8 families, const struct sut_ops *sut,
		      struct strbuf *error)
{
	struct run_options given = { .profile = "linux" };

	*f = (struct pkt_file){
		.config = { .seed = 1, .profile = "linux", .digest = true, .sut = sut }
	};
	if (!args_options(&f->args, &given, path, &f->options, error))
		return false;
	f->file = pd_file_load(path, &f->config, &f->options.packetdrill,
			       families ? families : f->options.families, error);
	return f->file && data_read_file(path, &f->text) == 0;
}

static void close_file(struct pkt_file *f)
{
	pd_file_free(f->file);
	strbuf_free(&f->text);
	args_options_free(&f->options);
	args_free(&f->args);
}

bool pkt_record(const char *path, u8 families, const struct sut_ops *sut, bool info,
		struct strbuf *out, struct strbuf *error)
{
	struct pd_recorder *recorder = pd_recorder_new(info);
	struct script_result result = { 0 };
	struct pkt_file f;
	bool ok = open_file(&f, path, families, sut, error);

	if (ok) {
		const struct pd_script *script = pd_file_script(f.file, 0);

		pd_file_record(f.file, 0, recorder, &result);
		ok = result.verdict == TAP_OK;
		if (!ok)
			tell_failure(&result, path, "", "the script does not run to its end",
				     error);
		if (script) /* else it can not be read, which the result tells */
			pd_recorder_write(recorder, script, strbuf_text(&f.text), out);
	}
	script_result_free(&result);
	pd_recorder_free(recorder);
	close_file(&f);
	return ok;
}

bool pkt_convert(const char *path, u8 families, struct strbuf *out, struct strbuf *error)
{
	struct pkt_file f;
	size_t i, written = 0;
	bool ok = open_file(&f, path, families, NULL, error);

	if (ok)
		put_head(out, path);
	for (i = 0; ok && i < pd_file_test_count(f.file); i++) {
		if (one_family(f.file, i, path, strbuf_text(&f.text), out, error))
			written++;
		else
			ok = i + 1 < pd_file_test_count(f.file) || written;
	}
	if (written)
		strbuf_clear(error);
	close_file(&f);
	return written > 0;
}
