/* SPDX-License-Identifier: MIT */
/* The selectors of u32 (iproute2: tc/f_u32.c): `match ip dport 9 0xffff` is the 16 low bits of the
 * 4 bytes at 20. */
#include "tc/options.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tc_number(const char *s, u64 *v)
{
	char *end;

	if (!s || *s < '0' || *s > '9')
		return false;
	*v = strtoull(s, &end, 0);
	return !*end && *v <= UINT32_MAX;
}

/* pack_key(): a word that is looked at already has more to match, or can not match. */
static bool put_key(struct tc_command *c, u32 val, u32 mask, s64 off, bool nexthdr)
{
	u64 at = (u64)(u32)(s32)off | (u64)nexthdr << 32;
	u32 i;

	for (i = 0; i + 2 * TC_OPTION_LEN <= c->options_len; i += TC_OPTION_LEN) {
		u8 *key = c->options + i, *where = key + TC_OPTION_LEN;
		u64 place = 0, old = 0;
		u32 n;

		for (n = 8; n--;) {
			place = place << 8 | where[1 + n];
			old = old << 8 | key[1 + n];
		}
		if (key[0] != TCF_KEY || where[0] != TCF_KEY_AT || place != at)
			continue;
		if (((u32)old ^ val) & mask & (u32)(old >> 32))
			return false;
		old |= (u64)mask << 32 | (val & mask);
		for (n = 0; n < 8; n++)
			key[1 + n] = (u8)(old >> 8 * n);
		return true;
	}
	return tc_append(c, TCF_KEY, (u64)mask << 32 | (val & mask)) &&
	       tc_append(c, TCF_KEY_AT, at);
}

/* A field of `bits` at `off`. */
static bool put_field(struct tc_command *c, u32 bits, u64 val, u64 mask, s64 off, bool nexthdr)
{
	u32 in = (u32)(off & 3) * 8, shift;

	if (in % bits || in + bits > 32 || (val | mask) >> bits)
		return false;
	shift = 32 - in - bits;
	return put_key(c, (u32)val << shift, (u32)mask << shift, off & ~3ll, nexthdr);
}

/* [at [nexthdr+]N] */
static bool read_at(struct words *w, s64 *off, bool *nexthdr)
{
	const char *s;
	char *end;

	if (w->at >= w->argc || strcmp(w->argv[w->at], "at") != 0)
		return true;
	w->at++;
	s = tc_next(w);
	*nexthdr = s && strncmp(s, "nexthdr", 7) == 0;
	if (*nexthdr)
		s += s[7] == '+' ? 8 : 7;
	if (!s)
		return false;
	*off = strtoll(*s ? s : "0", &end, 0);
	return !*end && *off >= -64 && *off < 65536;
}

/* VALUE MASK [at ...] */
static bool read_field(struct words *w, struct tc_command *c, u32 bits, s64 off, bool nexthdr)
{
	const char *val = tc_next(w), *mask = tc_next(w);
	char *end;
	u64 v, m;

	if (!tc_number(val, &v) || !mask)
		return false;
	m = strtoull(mask, &end, 16); /* hexadecimal with or without 0x */
	return !*end && read_at(w, &off, &nexthdr) && put_field(c, bits, v, m, off, nexthdr);
}

/* "10.1" is 10.1.0.0. */
static bool read_ipv4(const char *s, u8 a[16])
{
	u32 i;

	memset(a, 0, 16);
	for (i = 0; i < 4; i++) {
		char *end;
		unsigned long part = strtoul(s, &end, 10);

		if (end == s || part > 255)
			return false;
		a[i] = (u8)part;
		if (!*end)
			return true;
		if (*end != '.')
			return false;
		s = end + 1;
	}
	return false;
}

static bool read_address(struct words *w, struct tc_command *c, int family, s64 off)
{
	const char *s = tc_next(w), *slash = s ? strchr(s, '/') : NULL;
	u32 words = family == AF_INET ? 1 : 4, i;
	long len = 32 * (long)words;
	char text[64], *end;
	u8 a[16];

	if (!s)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(slash ? slash - s : (long)strlen(s)), s);
	if (family == AF_INET ? !read_ipv4(text, a) : inet_pton(family, text, a) != 1)
		return false;
	if (slash) {
		len = strtol(slash + 1, &end, 10);
		if (*end || len < 0 || len > 32 * (long)words)
			return false;
	}
	for (i = 0; i < words; i++) {
		long bits = len - 32 * (long)i;
		u32 mask = bits >= 32 ? UINT32_MAX : bits <= 0 ? 0 : ~(UINT32_MAX >> bits);
		u32 val = (u32)a[4 * i] << 24 | (u32)a[4 * i + 1] << 16 | (u32)a[4 * i + 2] << 8 |
			  a[4 * i + 3];

		/* A word that is not looked at is no key, but that any address is one. */
		if ((bits > 0 || (!len && !i)) && !put_key(c, val, mask, off + 4 * i, false))
			return false;
	}
	return true;
}

struct selector {
	const char *name;
	u32 bits; /* 0: an address, 1: a word alone */
	s64 off;
	u32 val; /* of a word alone; mask << 16 */
};

static const struct selector ip_selectors[] = {
	{ "src", 0, 12, 0 },
	{ "dst", 0, 16, 0 },
	{ "tos", 8, 1, 0 },
	{ "dsfield", 8, 1, 0 },
	{ "precedence", 8, 1, 0 },
	{ "protocol", 8, 9, 0 },
	{ "sport", 16, 20, 0 },
	{ "dport", 16, 22, 0 },
	{ "icmp_type", 8, 20, 0 },
	{ "icmp_code", 8, 21, 0 },
	{ "nofrag", 1, 6, 0x3fff0000 },
	{ "firstfrag", 1, 6, 0x3fff2000 },
	{ "df", 1, 6, 0x40004000 },
	{ "mf", 1, 6, 0x20002000 },
};

static const struct selector ip6_selectors[] = {
	{ "src", 0, 8, 0 },	   { "dst", 0, 24, 0 },	   { "protocol", 8, 6, 0 },
	{ "sport", 16, 40, 0 },	   { "dport", 16, 42, 0 }, { "icmp_type", 8, 40, 0 },
	{ "icmp_code", 8, 41, 0 },
};

static bool read_selector(struct words *w, struct tc_command *c, int family,
			  const struct selector *s, size_t n)
{
	const char *word = tc_next(w);

	for (; n && word; s++, n--) {
		if (strcmp(word, s->name) != 0)
			continue;
		if (s->bits == 0)
			return read_address(w, c, family, s->off);
		if (s->bits == 1)
			return put_field(c, 16, s->val & 0xffff, s->val >> 16, s->off, false);
		return read_field(w, c, s->bits, s->off, false);
	}
	return false;
}

bool tc_u32_match(struct words *w, struct tc_command *c)
{
	const char *word = tc_next(w), *field;

	if (!word)
		return false;
	if (strcmp(word, "u32") == 0)
		return read_field(w, c, 32, 0, false);
	if (strcmp(word, "u16") == 0)
		return read_field(w, c, 16, 0, false);
	if (strcmp(word, "u8") == 0)
		return read_field(w, c, 8, 0, false);
	if (strcmp(word, "ip") == 0)
		return read_selector(w, c, AF_INET, ip_selectors, ARRAY_SIZE(ip_selectors));
	if (strcmp(word, "ip6") == 0)
		return read_selector(w, c, AF_INET6, ip6_selectors, ARRAY_SIZE(ip6_selectors));
	if (strcmp(word, "tcp") != 0 && strcmp(word, "udp") != 0)
		return false;
	field = tc_next(w);
	if (!field || (strcmp(field, "src") != 0 && strcmp(field, "dst") != 0))
		return false;
	return read_field(w, c, 16, *field == 's' ? 0 : 2, true);
}
