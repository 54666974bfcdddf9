/* SPDX-License-Identifier: MIT */
/* A string that grows; see text.h. */
#include "packet/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text_room(struct text *t, size_t more)
{
	if (t->cap - t->len > more)
		return;
	t->cap = (t->len + more + 1) * 2;
	t->s = realloc(t->s, t->cap);
	if (!t->s)
		abort();
}

void text_bytes(struct text *t, const char *s, size_t len)
{
	text_room(t, len);
	memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

void text_f(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	text_room(t, 100);
	va_start(ap, fmt);
	n = vsnprintf(t->s + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if ((size_t)n >= t->cap - t->len) {
		text_room(t, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(t->s + t->len, t->cap - t->len, fmt, ap);
		va_end(ap);
	}
	t->len += (size_t)n;
}

void text_hex(struct text *t, const u8 *bytes, size_t len, size_t max)
{
	for (size_t i = 0; i < len && i < max; i++)
		text_f(t, "%02x", bytes[i]);
	if (len > max)
		text_add(t, "...");
}

void text_quoted(struct text *t, const u8 *bytes, size_t len, size_t max)
{
	text_add(t, "\"");
	for (size_t i = 0; i < len && i < max; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\')
			text_f(t, "\\%c", bytes[i]);
		else if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
			text_f(t, "%c", bytes[i]);
		else
			text_f(t, "\\x%02x", bytes[i]);
	}
	text_add(t, "\"");
	if (len > max)
		text_add(t, "...");
}

char *text_take(struct text *t)
{
	char *s;

	text_room(t, 0);
	t->s[t->len] = '\0';
	s = t->s;
	*t = (struct text){ 0 };
	return s;
}
