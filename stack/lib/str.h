/* SPDX-License-Identifier: MIT */
/* The few string functions that names of devices, sysctls and counters need. */
#ifndef TAPLINE_LIB_STR_H
#define TAPLINE_LIB_STR_H

#include "stack/types.h"

static inline size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline bool str_eq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Does the run of bytes [p, p+len) spell the string? */
static inline bool str_eq_n(const char *s, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] != p[i] || !s[i])
			return false;
	return s[len] == 0;
}

/* The rest of s behind `prefix`, or NULL. */
static inline const char *str_after(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return NULL;
	return s;
}

/* Copies at most cap - 1 characters and ends with NUL. */
static inline void str_copy(char *to, const char *from, size_t cap)
{
	size_t i = 0;

	for (; i + 1 < cap && from[i]; i++)
		to[i] = from[i];
	to[i] = 0;
}

/* The same from a run of bytes that has no NUL. */
static inline void str_copy_n(char *to, size_t cap, const char *from, size_t len)
{
	size_t i = 0;

	for (; i + 1 < cap && i < len && from[i]; i++)
		to[i] = from[i];
	to[i] = 0;
}

static inline s32 hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A decimal number, or a hexadecimal one behind 0x, with '-' allowed, white space around it. False:
 * something else, or beyond 64 bits. */
static inline bool str_to_s64(const char *s, s64 *out)
{
	bool neg = false, any = false;
	u64 v = 0, base = 10;

	while (*s == ' ' || *s == '\t')
		s++;
	if (*s == '-') {
		neg = true;
		s++;
	}
	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	}
	for (; hex_digit(*s) >= 0 && hex_digit(*s) < (s32)base; s++) {
		if (v > (UINT64_MAX >> 1) / base - 1)
			return false;
		v = v * base + (u64)hex_digit(*s);
		any = true;
	}
	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	if (!any || *s)
		return false;
	*out = neg ? -(s64)v : (s64)v;
	return true;
}

#endif
