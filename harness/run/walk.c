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

static bool is_test_name(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && strcmp(name + len - 4, ".lua") == 0;
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
	add_file(w, path);
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
