/* SPDX-License-Identifier: MIT */
/*
 * Nearest word by edit distance (insert, delete, replace, swap of neighbours).
 */
#include "base/suggest.h"

#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

#define SUGGEST_MAX 64

static unsigned int min2(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance; words longer than SUGGEST_MAX are never near. */
static unsigned int distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned int row[3][SUGGEST_MAX + 1];
	size_t i, j;

	for (j = 0; j <= blen; j++)
		row[0][j] = (unsigned int)j;
	for (i = 1; i <= alen; i++) {
		unsigned int *now = row[i % 3];
		const unsigned int *last = row[(i + 2) % 3];
		const unsigned int *before = row[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (j = 1; j <= blen; j++) {
			now[j] = min2(last[j] + 1, now[j - 1] + 1);
			now[j] = min2(now[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min2(now[j], before[j - 2] + 1);
		}
	}
	return row[alen % 3][blen];
}

const char *suggest(const char *word, const char *const *list, size_t count)
{
	const char *best = NULL;
	unsigned int best_distance = 0;
	size_t len = strlen(word);
	size_t i;

	if (len > SUGGEST_MAX)
		return NULL;
	for (i = 0; i < count; i++) {
		size_t n = strlen(list[i]);
		unsigned int d;

		if (n > SUGGEST_MAX)
			continue;
		d = distance(word, len, list[i], n);
		/* At most one error in three letters, or the word is a beginning. */
		if (d > (n + 2) / 3 && !(len >= 3 && strncmp(word, list[i], len) == 0))
			continue;
		if (!best || d < best_distance) {
			best = list[i];
			best_distance = d;
		}
	}
	return best;
}

const char *suggest_entry(const char *word, const void *table, size_t count, size_t size)
{
	const char **names = xrealloc(NULL, (count + !count) * sizeof(*names));
	const char *near;
	size_t i;

	for (i = 0; i < count; i++)
		memcpy(&names[i], (const char *)table + i * size, sizeof(names[i]));
	near = suggest(word, names, count);
	free(names);
	return near;
}
