/* SPDX-License-Identifier: MIT */
/*
 * Shell patterns for --filter: '*', '?', '[a-z]', '[!a-z]', '\' before any character. Bytewise, the
 * same in every locale, in time linear in pattern times text.
 */
#ifndef TAPLINE_BASE_GLOB_H
#define TAPLINE_BASE_GLOB_H

#include "base/strbuf.h"

bool glob_match(const char *pattern, const char *text);

/* Adds a pattern that matches exactly this text. */
void glob_escape(struct strbuf *out, const char *text);

#endif
