/* SPDX-License-Identifier: MIT */
/*
 * For tests of the command: runs a shell line in a temporary folder and keeps what it wrote.
 */
#ifndef TAPLINE_TESTS_HARNESS_RUN_COMMAND_H
#define TAPLINE_TESTS_HARNESS_RUN_COMMAND_H

#include "stack/types.h"

/* What the last line gave; the texts live until the next one. */
struct command {
	int status; /* exit status; 128 + number for a signal */
	char *out;
	char *err;
};

/* cmocka group setup and teardown: makes and removes the temporary folder. */
int command_setup(void **state);
int command_teardown(void **state);

/*
 * Runs a line of sh in the temporary folder; "$TAPLINE" is the command under test. The result lives
 * until the next call.
 */
const struct command *command(const char *line);

/* Writes a file into the temporary folder. */
void command_file(const char *name, const char *text);
void command_bytes(const char *name, const void *bytes, size_t len);

/* cmocka assertions on texts. */
#define assert_contains(text, part) command_contains((text), (part), true, __FILE__, __LINE__)
#define assert_lacks(text, part)    command_contains((text), (part), false, __FILE__, __LINE__)
void command_contains(const char *text, const char *part, bool wanted, const char *file, int line);

#endif
