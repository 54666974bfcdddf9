/* SPDX-License-Identifier: MIT */
/*
 * The Test Anything Protocol, version 13, as tapline writes it: flat, the plan first, one YAML
 * block after a `not ok` and nowhere else. All text goes through here, so that names and values
 * from scripts (which may hold '#', newlines or bytes that are not UTF-8) can not break the stream.
 */
#ifndef TAPLINE_TAP_TAP_H
#define TAPLINE_TAP_TAP_H

#include "base/strbuf.h"

enum tap_verdict { TAP_OK, TAP_NOT_OK, TAP_SKIP };

/* What a failure says of itself. A NULL (or zero, where told so) is left out of the block. */
struct tap_diagnosis {
	const char *message;
	const char *got; /* several lines become a list of lines */
	const char *expect; /* likewise */
	const char *diff; /* the first difference, or several */
	const char *file;
	int line; /* 0: not known */
	const char *traceback;
	bool has_time;
	u64 time_virtual_ns;
	u64 seed;
	const char *rerun;
	const char *capture;
};

void tap_plan(struct strbuf *out, size_t tests, const char *skip_reason);

/* One result line. `directive` is the reason of a skip, or NULL. */
void tap_result(struct strbuf *out, size_t number, enum tap_verdict verdict, const char *name,
		const char *directive);

/* The YAML block of a failure. */
void tap_yaml(struct strbuf *out, const struct tap_diagnosis *d);

/* Its message and what was got in one line: for an error outside of TAP. */
void tap_message(struct strbuf *out, const struct tap_diagnosis *d);

/* A comment; each line of the text becomes one "# " line. */
void tap_comment(struct strbuf *out, const char *text);

/* "Bail out! reason". */
void tap_bail_out(struct strbuf *out, const char *reason);

/* Adds text as a YAML double-quoted scalar. */
void tap_quote(struct strbuf *out, const char *text, size_t len);

/* Adds text as one word for a POSIX shell, quoted only where it must be. */
void tap_shell_word(struct strbuf *out, const char *text);

#endif
