/* SPDX-License-Identifier: MIT */
/*
 * Which command was meant. One table: dispatch, help and suggestions come from it.
 */
#include "cli/cli.h"

#include "base/suggest.h"
#include "convert/convert.h"
#include "corpus/corpus.h"
#include "cover/cover.h"
#include "replay/replay.h"
#include "repro/repro.h"
#include "run/run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis;
	const char *summary;
};

static int version_command(int argc, char **argv);
static int help_command(int argc, char **argv);

static const struct command commands[] = {
	{ "run", run_command, "[OPTION]... PATH...", "run the tests in files and folders" },
	{ "replay", replay_main, "[OPTION]... FILE", "give a capture to a host, print counters" },
	{ "cover", cover_command, "[OPTION]... PATH...", "requirements against what tests showed" },
	{ "convert", convert_command, "[OPTION]... FILE",
	  "a Lua test that does what a capture shows" },
	{ "corpus", corpus_main, "TARGET IN... -o DIR",
	  "make fuzz seeds from captures and scripts" },
	{ "repro", repro_command, "TARGET INPUT",
	  "run a fuzz input; write it as script and capture" },
	{ "list", list_command, "WHAT", "print what there is: suites, counters, ..." },
	{ "version", version_command, "", "print the version" },
	{ "help", help_command, "[COMMAND]", "print this text, or a command's" },
};

/* Output of a command that only prints: a full disk is an error. */
static int printed(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_PASSED;
	perror("tapline: standard output");
	return EXIT_USAGE;
}

static bool is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int version_command(int argc, char **argv)
{
	if (argc > 0 && is_help(argv[0])) {
		puts("usage: tapline version\n\nPrints the version.");
		return printed();
	}
	if (argc > 0) {
		fprintf(stderr, "tapline version: takes no argument, not '%s'\n", argv[0]);
		return EXIT_USAGE;
	}
	puts("tapline " TAPLINE_VERSION);
	return printed();
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i].name;
	near = suggest(name, names, ARRAY_SIZE(names));
	fprintf(stderr, "tapline: '%s' is neither a command nor a file", name);
	if (near)
		fprintf(stderr, "; did you mean '%s'?", near);
	fprintf(stderr, "\nTry 'tapline help'.\n");
	return EXIT_USAGE;
}

static void print_help(FILE *to)
{
	size_t i;

	fputs("usage: tapline COMMAND [ARGUMENT]...\n"
	      "       tapline PATH...               the same as tapline run PATH...\n\n",
	      to);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s %-24s %s\n", commands[i].name, commands[i].synopsis,
			commands[i].summary);
	fputs("\n'tapline COMMAND --help' tells a command's options.\n", to);
}

static int help_command(int argc, char **argv)
{
	const struct command *c;
	char option[] = "--help";
	char *help[] = { option, NULL };

	if (argc == 0 || is_help(argv[0])) {
		print_help(stdout);
		return printed();
	}
	c = find_command(argv[0]);
	if (!c)
		return unknown_command(argv[0]);
	if (c->run == help_command) {
		print_help(stdout);
		return printed();
	}
	return c->run(1, help);
}

int cli_main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (is_help(argv[1]))
		return help_command(0, NULL);
	if (strcmp(argv[1], "--version") == 0)
		return version_command(0, NULL);
	c = find_command(argv[1]);
	if (c)
		return c->run(argc - 2, argv + 2);
	/* A path, or options of run before one. Words that can only be paths go to run, which tells
	 * what is wrong with them. */
	if (argv[1][0] == '-' || strchr(argv[1], '/') || strchr(argv[1], '.') ||
	    access(argv[1], F_OK) == 0)
		return run_command(argc - 1, argv + 1);
	return unknown_command(argv[1]);
}
