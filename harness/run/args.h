/* SPDX-License-Identifier: MIT */
/*
 * tapline.args: a file in a folder that holds options for all tests below it, one a line as on the
 * command line. A deeper folder's file adds to it, the command line has the last word. Lines below
 * [4], [6] or [mapped] are for one address family only.
 */
#ifndef TAPLINE_RUN_ARGS_H
#define TAPLINE_RUN_ARGS_H

#include "run/options.h"

enum args_family { ARGS_4 = 1, ARGS_6 = 2, ARGS_MAPPED = 4, ARGS_ALL = 7 };

struct args_option {
	const char *name; /* "--set" */
	char *value; /* NULL: a flag */
	int line;
	u8 families; /* of enum args_family */
};

struct args_file {
	char *folder; /* physical, "" for the root */
	char *name; /* of the file, for messages: relative where it can be */
	struct strbuf text; /* what the options point into */
	struct args_option *options;
	size_t count;
	char *error; /* "FILE:LINE: message" when it can not be used */
};

/* All files looked for so far; most are not there and hold nothing. */
struct args {
	struct args_file **files;
	size_t count;
};

/*
 * Fills *out with the options that hold for the tests of one file: those of `given` (the command
 * line) and of all tapline.args above it. False with "FILE:LINE: message" when one of them can not
 * be used. args_options_free gives back what *out has of its own; its strings live as long as
 * `given` and the args.
 */
bool args_options(struct args *a, const struct run_options *given, const char *path,
		  struct run_options *out, struct strbuf *error);
void args_options_free(struct run_options *o);

void args_free(struct args *a);

/* Reads the lines of a file; false with "NAME:LINE: message". */
bool args_parse(struct args_file *f, struct strbuf *error);

#endif
