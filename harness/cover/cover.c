/* SPDX-License-Identifier: MIT */
/*
 * `tapline cover`: the options, the run, the matrix. The tests run as `tapline run` runs them; of
 * their results only the verdict and the shown ids are kept, and what failed is named on standard
 * error.
 */
#include "cover/cover.h"

#include "cover/matrix.h"
#include "run/run.h"

#include <stdio.h>
#include <string.h>

enum { OPT_RFC, OPT_LEVEL, OPT_MISSING, OPT_LISTED, OPT_JSON, OPT_TSV };

static const struct run_option options_own[] = {
	{ "--rfc", "N", OPT_RFC },	    { "--level", "LEVEL", OPT_LEVEL },
	{ "--missing", NULL, OPT_MISSING }, { "--listed", NULL, OPT_LISTED },
	{ "--json", NULL, OPT_JSON },	    { "--tsv", NULL, OPT_TSV },
};

struct cover {
	struct matrix matrix;
	enum cover_format format;
	bool missing, listed;
	bool planned; /* the tests were found, there is something to tell */
};

static const char help[] =
	"usage: tapline cover [OPTION]... PATH...\n"
	"\n"
	"Runs the tests as 'tapline run' does and prints, per RFC and level, how many requirements\n"
	"of the catalogue a test can observe, and how many of them tests that passed have shown\n"
	"(t:shows), only tests that failed, or none; what is listed with the reason why no test\n"
	"shows it (docs/requirements/not-shown.tsv) is counted apart.\n"
	"\n"
	"  --rfc N             only requirements of this RFC\n"
	"  --level LEVEL       only MUST, MUST NOT, SHOULD, SHOULD NOT or MAY\n"
	"  --missing           list the requirements that no passing test showed\n"
	"  --listed            list the requirements that are not shown for a reason, with it\n"
	"  --json, --tsv       for machines\n"
	"  --help              this text\n"
	"\n"
	"and the options of 'tapline run' that choose and set up tests: --seed, -j, --filter,\n"
	"--shard, --profile, --set, --capture, --wall-timeout. Failed tests are named on standard\n"
	"error. The exit status is that of 'tapline run'.\n";

static bool take_option(void *ctx, int id, char *value, struct strbuf *error)
{
	struct cover *c = ctx;

	switch (id) {
	case OPT_RFC:
		if (strncmp(value, "RFC", 3) == 0 || strncmp(value, "rfc", 3) == 0)
			value += 3;
		if (!matrix_has_rfc(&c->matrix, value)) {
			strbuf_printf(error, "--rfc: the catalogue has no requirement of RFC '%s'",
				      value);
			return false;
		}
		c->matrix.rfc = value;
		return true;
	case OPT_LEVEL:
		c->matrix.level = matrix_level(value);
		if (!c->matrix.level)
			strbuf_printf(error, "--level: no level '%s' (there are %s)", value,
				      matrix_levels());
		return c->matrix.level != NULL;
	case OPT_MISSING:
		c->missing = true;
		return true;
	case OPT_LISTED:
		c->listed = true;
		return true;
	case OPT_JSON:
		c->format = COVER_JSON;
		return true;
	default:
		c->format = COVER_TSV;
		return true;
	}
}

static void take_plan(void *ctx)
{
	struct cover *c = ctx;

	c->planned = true;
}

static void take_result(void *ctx, const char *path, const char *test,
			const struct script_result *result)
{
	struct cover *c = ctx;

	if (result->verdict == TAP_NOT_OK)
		fprintf(stderr, "not ok - %s: %s\n", path, test);
	if (result->verdict != TAP_SKIP)
		matrix_shown(&c->matrix, strbuf_text(&result->shown),
			     result->verdict == TAP_OK ? SHOWN_PASSING : SHOWN_FAILING);
}

static int run_and_write(struct cover *c, const struct run_options *options)
{
	const struct run_observer observer = { take_plan, take_result, c };
	int status = run_execute("cover", options, &observer);

	/* Interrupted: there is nothing whole to tell. */
	if (!c->planned || status > EXIT_SKIPPED)
		return status;
	if (c->missing)
		matrix_write_missing(&c->matrix, c->format, stdout);
	else if (c->listed)
		matrix_write_listed(&c->matrix, c->format, stdout);
	else
		matrix_write(&c->matrix, c->format, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("tapline cover: standard output");
	return EXIT_USAGE;
}

/* Those of run that would want standard output for themselves. */
static const char *unwanted(const struct run_options *o)
{
	return o->list ? "--list" : o->digest ? "--digest" : NULL;
}

int cover_command(int argc, char **argv)
{
	struct cover c = { .format = COVER_TEXT };
	const struct run_extras extras = { options_own, ARRAY_SIZE(options_own), take_option, &c };
	struct run_options options = { 0 };
	struct strbuf error = { 0 };
	int status;

	if (!matrix_init(&c.matrix, &error) ||
	    !run_options_parse(&options, &extras, argc, argv, &error)) {
		status = run_usage_error("cover", strbuf_text(&error));
	} else if (options.help) {
		fputs(help, stdout);
		status = fflush(stdout) == 0 ? EXIT_PASSED : EXIT_USAGE;
	} else if (unwanted(&options)) {
		strbuf_printf(&error, "%s is an option of run only", unwanted(&options));
		status = run_usage_error("cover", strbuf_text(&error));
	} else {
		status = run_and_write(&c, &options);
	}
	run_options_free(&options);
	matrix_free(&c.matrix);
	strbuf_free(&error);
	return status;
}
