/* SPDX-License-Identifier: MIT */
/*
 * `tapline list WHAT`: the names that exist, one a line, sorted or in the order of their list.
 */
#include "cli/cli.h"

#include "base/data.h"
#include "base/suggest.h"
#include "run/run.h"
#include "lua/settings.h"
#include "repro/repro.h"
#include "run/walk.h"
#include "stack/drop_reason.h"
#include "stack/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool list_requirements(void)
{
	struct strbuf error = { 0 };
	struct catalogue c;
	size_t i;

	if (!catalogue_load(&c, &error)) {
		fprintf(stderr, "tapline list: %s\n", strbuf_text(&error));
		strbuf_free(&error);
		return false;
	}
	for (i = 0; i < c.count; i++)
		printf("%s\t%s\t%s\n", c.rows[i].id, c.rows[i].level, c.rows[i].text);
	catalogue_free(&c);
	return true;
}

static bool list_suites(void)
{
	struct strbuf dir = { 0 };
	struct walk w = { 0 };
	size_t i, skip;

	strbuf_printf(&dir, "%s/scripts", data_dir());
	skip = strlen(data_dir()) + 1;
	if (walk_add(&w, strbuf_text(&dir)) == 0) {
		for (i = 0; i < w.count; i++)
			puts(w.files[i] + skip);
	}
	walk_free(&w);
	strbuf_free(&dir);
	return true;
}

static void print_entry(const char *name, const char *value)
{
	if (*value)
		printf("%s\t%s\n", name, value);
	else
		puts(name);
}

static bool list_sysctls(void)
{
	settings_sysctls("linux", print_entry);
	return true;
}

static bool list_counters(void)
{
	settings_counters(print_entry);
	return true;
}

static bool list_drop_reasons(void)
{
	u32 i;

	for (i = 0; i < SKB_DROP_REASON_COUNT; i++)
		printf("%s\t%s\n", drop_reason_name(i), drop_reason_doc(i));
	return true;
}

static bool list_trace_events(void)
{
	u32 i;

	for (i = 0; i < TRACE_EVENT_COUNT; i++)
		printf("%s\t%s\t%s\n", trace_event_name(i), trace_event_args(i),
		       trace_event_doc(i));
	return true;
}

static bool list_targets(void)
{
	repro_list_targets();
	return true;
}

static const struct {
	const char *name;
	bool (*print)(void);
} lists[] = {
	{ "targets", list_targets },	       { "suites", list_suites },
	{ "sysctls", list_sysctls },	       { "counters", list_counters },
	{ "drop-reasons", list_drop_reasons }, { "trace-events", list_trace_events },
	{ "requirements", list_requirements },
};

static void print_usage(FILE *to)
{
	size_t i;

	fputs("usage: tapline list WHAT\n\nPrints the names that exist, one a line. WHAT is one of:\n",
	      to);
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		fprintf(to, "  %s\n", lists[i].name);
}

int list_command(int argc, char **argv)
{
	const char *names[ARRAY_SIZE(lists)];
	const char *near;
	size_t i;

	if (argc == 1 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
		print_usage(stdout);
		return fflush(stdout) == 0 ? EXIT_PASSED : EXIT_USAGE;
	}
	if (argc != 1) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		names[i] = lists[i].name;
		if (strcmp(argv[0], lists[i].name) == 0) {
			if (!lists[i].print())
				return EXIT_USAGE;
			if (fflush(stdout) == 0 && !ferror(stdout))
				return EXIT_PASSED;
			perror("tapline list");
			return EXIT_USAGE;
		}
	}
	near = suggest(argv[0], names, ARRAY_SIZE(names));
	fprintf(stderr, "tapline list: there is no list '%s'", argv[0]);
	if (near)
		fprintf(stderr, "; did you mean '%s'?", near);
	fputs("\nTry 'tapline list --help'.\n", stderr);
	return EXIT_USAGE;
}
