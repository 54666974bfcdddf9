/* SPDX-License-Identifier: MIT */
/*
 * What belongs to the program but is not in it: the Lua library and the requirement catalogue.
 * Looked up in $TAPLINE_DATA, else beside the executable as installed, else where the program was
 * built from, else where it was to be installed. Also the seed of one test.
 */
#ifndef TAPLINE_BASE_DATA_H
#define TAPLINE_BASE_DATA_H

#include "base/strbuf.h"

/* The folder that holds scripts/lib and docs/requirements. */
const char *data_dir(void);

/* Reads a whole regular file. Returns 0 or an errno; files over 64 MiB are EFBIG. */
int data_read_file(const char *path, struct strbuf *out);

struct requirement {
	const char *id;
	const char *rfc; /* its number */
	const char *level; /* "MUST", "MUST NOT", ... */
	const char *text;
	const char *observable; /* "wire", "api", "timer", "none" */
	const char
		*same_as; /* the id that the note says to see: the same rule elsewhere; or NULL */
	const char *reason; /* why no test shows it (not-shown.tsv), or NULL */
};

/* All rows of docs/requirements, sorted by id. */
struct catalogue {
	struct requirement *rows;
	size_t count;
	struct strbuf *files; /* the text that the rows point into */
	size_t file_count;
};

/* Returns false with a message when the folder can not be read or holds no catalogue. */
bool catalogue_load(struct catalogue *c, struct strbuf *error);
void catalogue_free(struct catalogue *c);
const struct requirement *catalogue_find(const struct catalogue *c, const char *id);

/* The seed of a test: a hash of the run's seed, the file's base name and the test's name. */
u64 test_seed(u64 run_seed, const char *path, const char *name);

/* Where the last component of a path begins. */
const char *path_base(const char *path);

#endif
