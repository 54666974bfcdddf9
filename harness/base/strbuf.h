/* SPDX-License-Identifier: MIT */
/*
 * A growing byte string: what the harness builds its text and its pipe records in.
 * Invariant: data is NULL or holds len bytes and a zero after them. Out of memory ends the process
 * with a message and status 2: nothing sensible can be reported without memory.
 */
#ifndef TAPLINE_BASE_STRBUF_H
#define TAPLINE_BASE_STRBUF_H

#include <stdarg.h>

#include "stack/types.h"

struct strbuf {
	char *data;
	size_t len;
	size_t size;
};

void strbuf_add(struct strbuf *b, const void *bytes, size_t len);
void strbuf_puts(struct strbuf *b, const char *text);
void strbuf_putc(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* The text so far, never NULL; lives until the next change. */
const char *strbuf_text(const struct strbuf *b);

/* Empties it and keeps the memory; strbuf_free gives the memory back. */
void strbuf_clear(struct strbuf *b);
void strbuf_free(struct strbuf *b);

/* malloc, realloc and strdup that do not fail. */
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *text);

#endif
