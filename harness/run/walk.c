/* SPDX-License-Identifier: MIT */
/*
 * The walk through folders. See walk.h for what is passed over.
 */
#include "run/walk.h"

#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WALK_MAX_DEPTH 64

static void add_file(struct walk *w, const char *path)
{
	size_t i;

	for (i = 0; i < w->count; i++) {
		if (strcmp(w->files[i], path) == 0)
			return;
	}
	if (w->count == w->size) {
		w->size = w->size ? w->size * 2 : 16;
		w->files = xrealloc(w->files, w->size * sizeof(*w->files));
	}
	w->files[w->count++] = xstrdup(path);
}

static bool ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name), end = strlen(ending);

	return len > end && strcmp(name + len - end, ending) == 0;
}

static bool is_test_name(const char *name)
{
	return ends_in(name, ".lua") || ends_in(name, ".pkt");
}

/* A capture stands for the Lua file beside it. Where there is none, it stays to be complained
 * about. */
static void add_given(struct walk *w, const char *path)
{
	size_t ending = ends_in(path, ".pcap") ? 5 : ends_in(path, ".pcapng") ? 7 : 0;
	struct strbuf script = { 0 };
	struct stat st;

	strbuf_add(&script, path, strlen(path) - ending);
	strbuf_puts(&script, ".lua");
	if (ending && stat(script.data, &st) == 0)
		path = script.data;
	add_file(w, path);
	strbuf_free(&script);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted; NULL with errno set when it can not be read. */
static char **read_names(const char *path, size_t *count)
{
	struct dirent *entry;
	char **names = NULL;
	DIR *dir = opendir(path);

	*count = 0;
	if (!dir)
		return NULL;
	names = xrealloc(NULL, sizeof(*names));
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || entry->d_name[0] == '_')
			continue;
		names = xrealloc(names, (*count + 1) * sizeof(*names));
		names[(*count)++] = xstrdup(entry->d_name);
	}
	closedir(dir);
	qsort(names, *count, sizeof(*names), compare_names);
	return names;
}

static int walk_folder(struct walk *w, const char *path, unsigned int depth)
{
	size_t len = strlen(path);
	size_t count, i;
	char **names;
	int error = 0;

	if (depth > WALK_MAX_DEPTH)
		return ELOOP;
	names = read_names(path, &count);
	if (!names)
		return errno;
	for (i = 0; i < count; i++) {
		struct strbuf below = { 0 };
		struct stat st;

		strbuf_printf(&below, "%s%s%s", path, len && path[len - 1] == '/' ? "" : "/",
			      names[i]);
		if (!error && lstat(below.data, &st) == 0 && S_ISDIR(st.st_mode)) {
			if (strcmp(names[i], "lib") != 0)
				error = walk_folder(w, below.data, depth + 1);
		} else if (!error && is_test_name(names[i])) {
			if (stat(below.data, &st) != 0 || !S_ISDIR(st.st_mode))
				add_file(w, below.data);
		}
		strbuf_free(&below);
		free(names[i]);
	}
	free(names);
	return error;
}

int walk_add(struct walk *w, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return walk_folder(w, path, 0);
	add_given(w, path);
	return 0;
}

void walk_free(struct walk *w)
{
	size_t i;

	for (i = 0; i < w->count; i++)
		free(w->files[i]);
	free(w->files);
	*w = (struct walk){ 0 };
}
