/* SPDX-License-Identifier: MIT */
/* Numbers with units as tc(8) reads them (PARAMETERS). */
#include "tc/tc.h"

#include <string.h>
#include <strings.h>

#define DIGITS_MAX 6 /* behind the point; what follows is not looked at */

/* Reads a decimal number as one of `scale`ths of a unit: "1.5" with 1000 is 1500. */
static bool read_decimal(const char **s, u64 *whole, u64 *fraction)
{
	const char *p = *s;
	u64 unit = 1000000;
	int digits = 0;

	*whole = *fraction = 0;
	for (; *p >= '0' && *p <= '9'; p++, digits++) {
		if (*whole > (UINT64_MAX - 9) / 10)
			return false;
		*whole = *whole * 10 + (u64)(*p - '0');
	}
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++, digits++) {
			unit /= 10;
			*fraction += (u64)(*p - '0') * unit;
		}
	}
	*s = p;
	return digits > 0;
}

struct unit {
	const char *name;
	u64 scale;
};

/* A number and one of these units, the first of which may be left out. `den`: of the scales. */
static bool read_scaled(const char *s, const struct unit *units, size_t n, u64 den, u64 *v)
{
	u64 whole, fraction;
	size_t i;

	if (!read_decimal(&s, &whole, &fraction))
		return false;
	for (i = 0; i < n; i++)
		if (strcasecmp(s, units[i].name) == 0)
			break;
	if (i == n || (whole && units[i].scale > UINT64_MAX / whole) ||
	    units[i].scale > UINT64_MAX / 1000000)
		return false;
	*v = (whole * units[i].scale + fraction * units[i].scale / 1000000) / den;
	return true;
}

bool tc_u32(const char *s, u64 *v)
{
	static const struct unit units[] = { { "", 1 } };

	return *s && !strpbrk(s, ".") && read_scaled(s, units, 1, 1, v) && *v <= UINT32_MAX;
}

bool tc_size(const char *s, u64 *v)
{
	static const struct unit units[] = {
		{ "", 8 },	     { "b", 8 },	   { "k", 8 << 10 },	{ "kb", 8 << 10 },
		{ "kbit", 1 << 10 }, { "m", 8 << 20 },	   { "mb", 8 << 20 },	{ "mbit", 1 << 20 },
		{ "g", 8ull << 30 }, { "gb", 8ull << 30 }, { "gbit", 1 << 30 },
	};

	return read_scaled(s, units, ARRAY_SIZE(units), 8, v) && *v <= UINT32_MAX;
}

bool tc_rate(const char *s, u64 *v)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "bit", 1 },
		{ "kibit", 1 << 10 },
		{ "kbit", 1000 },
		{ "mibit", 1 << 20 },
		{ "mbit", 1000000 },
		{ "gibit", 1 << 30 },
		{ "gbit", 1000000000 },
		{ "tibit", 1ull << 40 },
		{ "tbit", 1000000000000 },
		{ "bps", 8 },
		{ "kibps", 8 << 10 },
		{ "kbps", 8000 },
		{ "mibps", 8 << 20 },
		{ "mbps", 8000000 },
		{ "gibps", 8ull << 30 },
		{ "gbps", 8000000000 },
		{ "tibps", 8ull << 40 },
		{ "tbps", 8000000000000 },
	};

	return read_scaled(s, units, ARRAY_SIZE(units), 8, v);
}

bool tc_time(const char *s, u64 *v)
{
	static const struct unit units[] = {
		{ "", 1000 },		{ "us", 1000 },	     { "usec", 1000 },
		{ "usecs", 1000 },	{ "ns", 1 },	     { "nsec", 1 },
		{ "nsecs", 1 },		{ "ms", 1000000 },   { "msec", 1000000 },
		{ "msecs", 1000000 },	{ "s", 1000000000 }, { "sec", 1000000000 },
		{ "secs", 1000000000 },
	};

	return read_scaled(s, units, ARRAY_SIZE(units), 1, v);
}

bool tc_percent(const char *s, u64 *v)
{
	u64 whole, fraction, millionths;

	if (!read_decimal(&s, &whole, &fraction) || (*s && strcmp(s, "%") != 0) || whole > 100)
		return false;
	millionths = whole * 1000000 + fraction;
	if (millionths > 100000000)
		return false;
	*v = (millionths * UINT32_MAX + 50000000) / 100000000;
	return true;
}
