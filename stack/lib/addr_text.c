/* SPDX-License-Identifier: MIT */
/* Addresses read from text and written (addr_text.h). */
#include "lib/addr_text.h"

#include "lib/bytes.h"
#include "lib/str.h"

bool ip4_from_text(const char *s, u8 addr[4])
{
	for (u32 i = 0; i < 4; i++) {
		u32 v = 0, digits = 0;

		for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
			v = v * 10 + (u32)(*s - '0');
		if (!digits || digits > 3 || v > 255 || *s != (i < 3 ? '.' : 0))
			return false;
		addr[i] = (u8)v;
		s++;
	}
	return true;
}

/* Up to four hexadecimal digits; where they end, NULL: there are none. */
static const char *read_group(const char *s, u32 *v)
{
	u32 digits = 0;

	for (*v = 0; hex_digit(*s) >= 0 && digits < 5; s++, digits++)
		*v = *v << 4 | (u32)hex_digit(*s);
	return digits && digits < 5 ? s : NULL;
}

bool ip6_from_text(const char *s, u8 addr[16])
{
	u32 n = 0, gap = 16, v;

	memset(addr, 0, 16);
	if (s[0] == ':' && s[1] != ':')
		return false;
	while (*s) {
		const char *rest;

		if (s[0] == ':' && s[1] == ':') {
			if (gap < 16)
				return false;
			gap = n;
			s += 2;
			if (*s == ':')
				return false;
			continue;
		}
		if (*s == ':')
			s++;
		if (n <= 12 && ip4_from_text(s, addr + n)) {
			n += 4;
			break;
		}
		rest = read_group(s, &v);
		if (!rest || n == 16 || (*rest && *rest != ':'))
			return false;
		put_be16(addr + n, (u16)v);
		n += 2;
		s = rest;
		if (s[0] == ':' && !s[1])
			return false;
	}
	if (gap == 16)
		return n == 16;
	if (n > 14)
		return false;
	memmove(addr + gap + 16 - n, addr + gap, n - gap);
	memset(addr + gap, 0, 16 - n);
	return true;
}

static char *write_number(char *out, u32 v, u32 base)
{
	char digits[10];
	u32 n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		*out++ = digits[--n];
	return out;
}

void ip4_to_text(const u8 addr[4], char out[ADDR_TEXT_MAX])
{
	for (u32 i = 0; i < 4; i++) {
		if (i)
			*out++ = '.';
		out = write_number(out, addr[i], 10);
	}
	*out = 0;
}

/* RFC 5952 4.2: the longest run of two zero groups or more, the first of equals. */
static u32 longest_gap(const u8 addr[16], u32 *len)
{
	u32 best = 8;

	*len = 1;
	for (u32 i = 0; i < 8; i++) {
		u32 n = 0;

		while (i + n < 8 && !get_be16(addr + 2 * (i + n)))
			n++;
		if (n > *len) {
			best = i;
			*len = n;
		}
		i += n;
	}
	return best;
}

void ip6_to_text(const u8 addr[16], char out[ADDR_TEXT_MAX])
{
	u32 len, gap = longest_gap(addr, &len);

	for (u32 i = 0; i < 8; i++) {
		if (i == gap) {
			*out++ = ':';
			if (gap + len == 8)
				*out++ = ':';
			i += len - 1;
			continue;
		}
		if (i)
			*out++ = ':';
		out = write_number(out, get_be16(addr + 2 * i), 16);
	}
	*out = 0;
}
