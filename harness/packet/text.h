/* SPDX-License-Identifier: MIT */
/*
 * A string that grows: what the printers of this folder write into. The owner ends it with
 * text_take(), whose result is freed with free(). Out of memory aborts.
 */
#ifndef TAPLINE_PACKET_TEXT_H
#define TAPLINE_PACKET_TEXT_H

#include <stddef.h>

#include "stack/types.h"

struct text {
	char *s;
	size_t len, cap;
};

void text_bytes(struct text *t, const char *s, size_t len);
void text_add(struct text *t, const char *s);
__attribute__((format(printf, 2, 3))) void text_f(struct text *t, const char *fmt, ...);

/* Bytes as lower-case hexadecimal without blanks, "..." after `max` of them. */
void text_hex(struct text *t, const u8 *bytes, size_t len, size_t max);

/* Bytes in double quotes: printable ASCII as it is, the rest as \xNN; "..." after `max`. */
void text_quoted(struct text *t, const u8 *bytes, size_t len, size_t max);

/* The string, never NULL; the caller owns it; t is empty again. */
char *text_take(struct text *t);

#endif
