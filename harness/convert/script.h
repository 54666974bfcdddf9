/* SPDX-License-Identifier: MIT */
/*
 * The script as a whole.
 */
#ifndef TAPLINE_CONVERT_SCRIPT_H
#define TAPLINE_CONVERT_SCRIPT_H

#include "convert/scene.h"

/* What any test begins with; `command` made it. */
void script_head(struct strbuf *out, const char *command);

/* Writes the test; `name` is what it is called. */
void script_write(struct strbuf *out, const struct scene *s, const char *name);

#endif
