/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the text of a packetdrill script, through its lexer and parser; what parses has its
 * code blocks evaluated and its commands run, against a host that says yes to all.
 *
 * Input: one byte (address family, bits 0 and 1), then the script. There is no world.
 *
 * What must hold: the source of every event parses again by itself, to an event of the same kind;
 * an error names a line of the script; text, code and commands end within their bounds.
 */
#include "fuzz_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packetdrill/commands.h"
#include "packetdrill/pycode.h"

#define EVENTS_MAX 64u
#define PATH	   "/no such folder/x.pkt"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- A host that knows everything and remembers nothing ---- */

static int sysctl_get(void *ctx, const char *name, struct strbuf *out)
{
	(void)ctx;
	strbuf_puts(out, name);
	return 0;
}

static int sysctl_set(void *ctx, const char *name, const char *value)
{
	(void)ctx;
	return strlen(name) + strlen(value) == 7 ? -EINVAL : 0;
}

static int proc_read(void *ctx, const char *path, struct strbuf *out)
{
	(void)ctx;
	strbuf_printf(out, "%s\n1 2 3\nlast", path);
	return 0;
}

static int counters(void *ctx, void (*fn)(void *arg, const char *name, u64 value), void *arg)
{
	(void)ctx;
	fn(arg, "TcpExtA", 7);
	return 0;
}

static int ss(void *ctx, struct strbuf *out)
{
	(void)ctx;
	strbuf_puts(out, "LISTEN 0 1 192.0.2.1:80 0.0.0.0:*\nTIME-WAIT");
	return 0;
}

static int route(void *ctx, const struct pd_route *r)
{
	(void)ctx;
	return r->dst[0] ? 0 : -EINVAL;
}

static int route_show(void *ctx, bool v6, struct strbuf *out)
{
	(void)ctx;
	strbuf_puts(out, v6 ? "::/0\n" : "default\n");
	return 0;
}

static int metrics_flush(void *ctx, const char *address)
{
	(void)ctx;
	return address && !*address ? -ENOENT : 0;
}

static int qdisc(void *ctx, const struct tc_command *q, struct strbuf *why)
{
	(void)ctx;
	strbuf_puts(why, q->kind);
	return q->verb == TC_LINK ? -EOPNOTSUPP : q->verb == TC_DELETE ? -ENOENT : 0;
}

static int link_set(void *ctx, const char *dev, const char *key, const char *value)
{
	(void)ctx;
	return *dev && *key && (!value || *value) ? 0 : -EINVAL;
}

static int nap(void *ctx, u64 ns)
{
	(void)ctx;
	return ns > 1000000000000000000ull ? -EINVAL : 0;
}

static const struct pd_command_ops host = {
	.sysctl_get = sysctl_get,
	.sysctl_set = sysctl_set,
	.proc_read = proc_read,
	.counters = counters,
	.ss = ss,
	.route = route,
	.route_show = route_show,
	.metrics_flush = metrics_flush,
	.qdisc = qdisc,
	.link_set = link_set,
	.sleep = nap,
};

static bool lookup(void *ctx, const char *name, s64 *value)
{
	(void)ctx;
	*value = (s64)strlen(name) - 10;
	return strncmp(name, "tcpi_", 5) == 0;
}

/* ---- */

static void check_error(const struct pd_error *error, const char *text, size_t len)
{
	int lines = 1;
	size_t i;

	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	FUZZ_CHECK(error->kind != PD_ERROR_NONE, "a refusal without an error");
	FUZZ_CHECK(error->line >= 1 && error->line <= lines, "an error in no line of the script");
	FUZZ_CHECK(error->text[0], "an error without a text");
	FUZZ_CHECK(error->kind != PD_ERROR_UNKNOWN || error->word[0], "unknown, but what?");
}

static const struct pd_define defines[] = { { "COOKIE", "3021b9d889017eeb" },
					    { "LEVEL", "SOL_IP" } };

/* The source of an event, parsed alone. */
static void check_source(const struct pd_event *e, enum pd_family family)
{
	struct pd_parse_config config = {
		.path = PATH, .family = family, .define = defines, .defines = 2
	};
	struct strbuf text = { 0 };
	struct pd_script *again;
	struct pd_error error;

	strbuf_puts(&text, "+0 ");
	strbuf_add(&text, e->source.p, e->source.len);
	again = pd_script_parse(text.data, text.len, &config, &error);
	FUZZ_CHECK(again, "an event's source does not parse");
	FUZZ_CHECK(again->events == 1, "an event's source is not one event");
	FUZZ_CHECK(again->event[0].kind == e->kind, "an event's source is another event");
	pd_script_free(again);
	strbuf_free(&text);
}

static void run_events(const struct pd_script *script, enum pd_family family, bool alone)
{
	struct pd_shell *shell = pd_shell_new(&host, NULL, PATH);
	struct pd_python *python = pd_python_new(PATH);
	struct strbuf out = { 0 };
	struct pd_error error;
	size_t i;

	for (i = 0; i < script->events && i < EVENTS_MAX; i++) {
		const struct pd_event *e = &script->event[i];
		int status;

		if (alone)
			check_source(e, family);
		strbuf_clear(&out);
		if (e->kind == PD_COMMAND)
			FUZZ_CHECK(pd_shell_run(shell, e->command, e->body_line, &status, &out,
						&error) == (error.kind == PD_ERROR_NONE),
				   "a command's error and its result differ");
		else if (e->kind == PD_CODE)
			FUZZ_CHECK((pd_python_run(python, e->code, e->body_line, lookup, NULL, &out,
						  &error) == PD_PYTHON_OK) ==
					   (error.kind == PD_ERROR_NONE),
				   "a block's error and its result differ");
	}
	strbuf_free(&out);
	pd_python_free(python);
	pd_shell_free(shell);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pd_parse_config config = { .path = PATH, .define = defines, .defines = 2 };
	const struct pd_script_option *version;
	struct pd_script *script;
	struct pd_error error;
	const char *text;

	if (size == 0)
		return 0;
	config.family = (enum pd_family)(data[0] % 3u);
	text = (const char *)data + 1;
	script = pd_script_parse(text, size - 1, &config, &error);
	if (!script) {
		check_error(&error, text, size - 1);
		return 0;
	}
	version = pd_script_find(script, "ip_version");
	if (version)
		config.family = strcmp(version->value.p, "ipv6") == 0 ? PD_IPV6 : PD_IPV4;
	/* What the script defines itself is known nowhere else. */
	run_events(script, config.family, !pd_script_find(script, "define"));
	pd_script_free(script);
	return 0;
}
