/* SPDX-License-Identifier: MIT */
/*
 * "Did you mean": the nearest of a list of words, for options, commands, keys.
 */
#ifndef TAPLINE_BASE_SUGGEST_H
#define TAPLINE_BASE_SUGGEST_H

#include "stack/types.h"

/* The word of the list that a typing error most likely meant, or NULL when none is near. */
const char *suggest(const char *word, const char *const *list, size_t count);

/* The same of a table whose entries, of `size` bytes each, begin with their name. */
const char *suggest_entry(const char *word, const void *table, size_t count, size_t size);

#endif
