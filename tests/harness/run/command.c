/* SPDX-License-Identifier: MIT */
/*
 * Runs the built command for tests. See command.h.
 */
#include "harness/run/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/tapline-test-XXXXXX";
static struct command result;

static char *read_text(const char *name)
{
	char path[256];
	char *text = NULL;
	size_t len = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	do {
		text = realloc(text, len + 65537);
		assert_non_null(text);
		n = f ? fread(text + len, 1, 65536, f) : 0;
		len += n;
	} while (n);
	text[len] = 0;
	if (f)
		fclose(f);
	return text;
}

int command_setup(void **state)
{
	(void)state;
	if (!getenv("TAPLINE")) {
		fputs("TAPLINE must name the command under test (ctest sets it)\n", stderr);
		return -1;
	}
	return mkdtemp(folder) ? 0 : -1;
}

int command_teardown(void **state)
{
	char line[300];

	(void)state;
	snprintf(line, sizeof(line), "chmod -R u+w %s; rm -rf %s", folder, folder);
	free(result.out);
	free(result.err);
	return system(line);
}

const struct command *command(const char *line)
{
	size_t size = strlen(line) + 300;
	char *full = malloc(size);
	int status;

	assert_non_null(full);
	snprintf(full, size, "cd %s && { %s\n} >.out 2>.err </dev/null", folder, line);
	status = system(full);
	free(full);
	free(result.out);
	free(result.err);
	result.out = read_text(".out");
	result.err = read_text(".err");
	result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return &result;
}

void command_bytes(const char *name, const void *bytes, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

void command_file(const char *name, const char *text)
{
	command_bytes(name, text, strlen(text));
}

void command_contains(const char *text, const char *part, bool wanted, const char *file, int line)
{
	if ((strstr(text, part) != NULL) == wanted)
		return;
	print_error("%s \"%s\" in:\n%s\n", wanted ? "no" : "unexpected", part, text);
	_fail(file, line);
}
