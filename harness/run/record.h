/* SPDX-License-Identifier: MIT */
/*
 * What a child process tells its parent, over a pipe: a sequence of records, each a length, a type
 * and fields. Both ends are the same program on the same machine, so numbers are in host order.
 */
#ifndef TAPLINE_RUN_RECORD_H
#define TAPLINE_RUN_RECORD_H

#include "base/strbuf.h"

enum record_type {
	RECORD_TEST, /* a registered test: name */
	RECORD_ERROR, /* the file can not be used: message */
	RECORD_START, /* a test begins */
	RECORD_RESULT, /* it ended: verdict, invariant, and the texts of the result */
	RECORD_END, /* the child did all it had to do */
};

struct record {
	struct strbuf bytes;
	size_t at; /* reading: the next field */
};

void record_begin(struct record *r, enum record_type type);
void record_add_u32(struct record *r, u32 n);
void record_add_text(struct record *r, const struct strbuf *text);

/* Writes the whole record; false with errno when the pipe is gone. */
bool record_send(struct record *r, int fd);

/*
 * Takes the first whole record out of what was received. Returns 1 and its type, 0 when more bytes
 * are needed, -1 when the bytes are no record.
 */
int record_take(struct strbuf *received, struct record *r, enum record_type *type);
u32 record_u32(struct record *r);
/* The text lives in the record; *len may be NULL. Ends with a zero. */
const char *record_text(struct record *r, size_t *len);
void record_free(struct record *r);

#endif
