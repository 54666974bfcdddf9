/* SPDX-License-Identifier: MIT */
/*
 * The plain driver of a fuzz target: runs LLVMFuzzerTestOneInput() once on every file named on
 * the command line, and on every file below a named directory, in the order of their names.
 *
 * It is how a build without a fuzz engine replays the corpus as a regression test, and how one
 * input is run under a debugger or valgrind. A crash leaves the name of its input as the last
 * line on standard error.
 *
 * With --digest first it prints for each input the digest of its world and its name on standard
 * output: equal in every build, on every machine.
 *
 * Exit status: 0 all inputs ran, 1 an input could not be read, 2 usage.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
/* fuzz_world.h; a target that has no world has none. */
uint64_t fuzz_digest(void) __attribute__((weak));

/* Inputs larger than this are not fuzz inputs but mistakes. */
#define INPUT_MAX (1u << 20)

static unsigned long inputs_run;
static unsigned long inputs_failed;
static bool print_digests;

static void fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	inputs_failed++;
}

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *input;
	uint8_t *exact;
	size_t size;

	if (!file) {
		fail(path, "can not be opened");
		return;
	}
	input = malloc(INPUT_MAX + 1);
	if (!input)
		abort();
	size = fread(input, 1, INPUT_MAX + 1, file);
	if (ferror(file) || size > INPUT_MAX) {
		fail(path, size > INPUT_MAX ? "larger than 1 MiB" : "can not be read");
	} else {
		/* A copy of the exact size, so that a sanitizer sees a read past its end. */
		exact = malloc(size ? size : 1);
		if (!exact)
			abort();
		memcpy(exact, input, size);
		fprintf(stderr, "%s\n", path);
		LLVMFuzzerTestOneInput(exact, size);
		if (print_digests && fuzz_digest)
			printf("%016" PRIx64 " %s\n", fuzz_digest(), path);
		free(exact);
		inputs_run++;
	}
	free(input);
	fclose(file);
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_path(const char *path)
{
	struct dirent **entries;
	struct stat st;
	int count;

	if (stat(path, &st) != 0) {
		fail(path, "does not exist");
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		run_file(path);
		return;
	}
	count = scandir(path, &entries, not_hidden, by_name);
	if (count < 0) {
		fail(path, "can not be listed");
		return;
	}
	for (int i = 0; i < count; i++) {
		size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;
		char *below = malloc(size);

		if (!below)
			abort();
		snprintf(below, size, "%s/%s", path, entries[i]->d_name);
		run_path(below);
		free(below);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	int first;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	print_digests = argc > 1 && strcmp(argv[1], "--digest") == 0;
	first = print_digests ? 2 : 1;
	if (argc <= first) {
		fprintf(stderr, "usage: %s [--digest] FILE-OR-DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (int i = first; i < argc; i++)
		run_path(argv[i]);
	fprintf(stderr, "%lu inputs run, %lu could not be read\n", inputs_run, inputs_failed);
	return inputs_failed ? 1 : 0;
}
