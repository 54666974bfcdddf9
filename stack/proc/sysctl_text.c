/* SPDX-License-Identifier: MIT */
/* Texts of sysctls (sysctl_text.h). */
#include "proc/sysctl_text.h"

#include "lib/bytes.h"
#include "lib/str.h"
#include "stack/errno.h"

void text_char(struct text *t, char c)
{
	if (t->len + 1 < t->cap)
		t->out[t->len] = c;
	t->len++;
}

void text_string(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

void text_number(struct text *t, s64 v)
{
	char digits[20];
	u32 n = 0;
	u64 u = v < 0 ? 0 - (u64)v : (u64)v;

	if (v < 0)
		text_char(t, '-');
	do {
		digits[n++] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	while (n)
		text_char(t, digits[--n]);
}

s32 text_end(struct text *t)
{
	if (t->cap)
		t->out[min_u32(t->len, t->cap - 1)] = 0;
	return (s32)t->len;
}

/* What C takes a number for: 0x.. is hexadecimal, 0.. octal. */
static u32 base_of(const char **s)
{
	const char *p = *s;

	if (p[0] != '0')
		return 10;
	if ((p[1] | 0x20) != 'x' || hex_digit(p[2]) < 0)
		return 8;
	*s += 2;
	return 16;
}

static bool is_in(char c, const char *set)
{
	for (; *set; set++)
		if (*set == c)
			return true;
	return false;
}

int proc_get_long(const char **s, s64 *v, const char *after)
{
	const char *p = skip_spaces(*s);
	bool neg = *p == '-';
	u32 base;
	u64 n = 0;

	p += neg;
	if (hex_digit(*p) < 0 || hex_digit(*p) > 9)
		return -EINVAL;
	base = base_of(&p);
	for (; hex_digit(*p) >= 0 && hex_digit(*p) < (s32)base; p++) {
		if (n > (UINT64_MAX >> 1) / base - 1)
			return -EINVAL;
		n = n * base + (u64)hex_digit(*p);
	}
	if (*p && !is_in(*p, " \t\n") && !is_in(*p, after))
		return -EINVAL;
	*v = neg ? -(s64)n : (s64)n;
	*s = p;
	return 0;
}
