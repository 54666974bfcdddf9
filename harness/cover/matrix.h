/* SPDX-License-Identifier: MIT */
/*
 * The matrix of requirements: what is known of each, counted per RFC and level, and written out.
 */
#ifndef TAPLINE_COVER_MATRIX_H
#define TAPLINE_COVER_MATRIX_H

#include <stdio.h>

#include "base/data.h"

enum { SHOWN_PASSING = 1, SHOWN_FAILING = 2 };

enum cover_format { COVER_TEXT, COVER_JSON, COVER_TSV };

struct matrix {
	struct catalogue catalogue;
	u8 *shown; /* SHOWN_* of each row of the catalogue */
	const char *rfc; /* only this RFC, NULL: all */
	const char *level; /* only this level, NULL: all */
};

/* False with a message when there is no catalogue. */
bool matrix_init(struct matrix *m, struct strbuf *error);
void matrix_free(struct matrix *m);

/* Notes ids, one a line, that a test showed. */
void matrix_shown(struct matrix *m, const char *ids, u8 how);

/* The level meant ("must-not" and the like too), or NULL. */
const char *matrix_level(const char *text);
/* All levels for a message: "MUST, MUST NOT, ...". */
const char *matrix_levels(void);

/* Whether the catalogue has requirements of this RFC. */
bool matrix_has_rfc(const struct matrix *m, const char *rfc);

/* The counts, a row per RFC and level. */
void matrix_write(const struct matrix *m, enum cover_format format, FILE *to);
/* The requirements that no passing test showed, and that are not listed. */
void matrix_write_missing(const struct matrix *m, enum cover_format format, FILE *to);
/* Those of not-shown.tsv that no test showed either, with their reasons. */
void matrix_write_listed(const struct matrix *m, enum cover_format format, FILE *to);

#endif
