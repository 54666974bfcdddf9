/* SPDX-License-Identifier: MIT */
/* What stands behind an option: numbers, ports, ranges, rates, chances, marks. Each says what is
 * wrong as iptables does. */
#include "nf/xt_words.h"

#include "lib/str.h"

bool xt_number(const char *s, u64 max, u64 *out)
{
	s64 v;

	if (!*s || !str_to_s64(s, &v) || v < 0 || (u64)v > max)
		return false;
	*out = (u64)v;
	return true;
}

/* "80", "80:90", ":90", "80:" */
bool xt_parse_range(const char *text, u64 max, u64 out[2])
{
	char first[24];
	size_t n = 0;

	while (text[n] && text[n] != ':')
		n++;
	str_copy_n(first, sizeof(first), text, n);
	out[0] = 0;
	out[1] = max;
	if (!text[n]) {
		if (!xt_number(first, max, &out[0]))
			return false;
		out[1] = out[0];
		return true;
	}
	if (n && !xt_number(first, max, &out[0]))
		return false;
	if (text[n + 1] && !xt_number(text + n + 1, max, &out[1]))
		return false;
	return out[0] <= out[1];
}

bool xt_parse_ports(struct xt_words *w, const char *text, u16 port[2])
{
	static const struct xt_name services[] = { { "ssh", 22 },  { "domain", 53 },
						   { "http", 80 }, { "https", 443 },
						   { "ntp", 123 }, { NULL, 0 } };
	const struct xt_name *n = xt_name_find(services, text, str_len(text));
	u64 range[2];

	if (n)
		range[0] = range[1] = n->value;
	else if (!xt_parse_range(text, 65535, range))
		return XT_ERROR(w, 2, "invalid port/service `", text, "' specified");
	port[0] = (u16)range[0];
	port[1] = (u16)range[1];
	return true;
}

/* "5/second", "3/hour", "10": what one packet costs, in 1/10,000 s. */
bool xt_parse_rate(struct xt_words *w, struct xt_match *m, const char *text)
{
	static const struct xt_name units[] = {
		{ "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 }, { NULL, 0 }
	};
	u32 unit = 1;
	char first[16];
	size_t n = 0;
	u64 rate;

	while (text[n] && text[n] != '/')
		n++;
	str_copy_n(first, sizeof(first), text, n);
	if (text[n]) {
		const struct xt_name *u = units;

		while (u->name && !str_after(u->name, text + n + 1))
			u++;
		if (!u->name || !text[n + 1])
			return XT_ERROR(w, 2, "bad rate `", text, "'");
		unit = u->value;
	}
	if (!xt_number(first, 10000u * unit, &rate) || !rate)
		return XT_ERROR(w, 2, "bad rate `", text, "'");
	m->u.limit.avg = (u32)(10000u * unit / rate);
	return true;
}

/* "0.25" of 2^31, rounded as lround() does: digit by digit from the last, with 16 bits to spare. */
bool xt_parse_probability(struct xt_words *w, struct xt_match *m, const char *text)
{
	const char *p = text, *end;
	u64 v = 0;

	if ((text[0] == '0' || text[0] == '1') && (!text[1] || text[1] == '.'))
		p += text[1] ? 2 : 1;
	for (end = p; *end >= '0' && *end <= '9' && end - p < 18; end++)
		;
	if (p == text || *end)
		return XT_ERROR(w, 2, "--probability must be between 0.0 and 1.0");
	while (end > p)
		v = (((u64)(*--end - '0') << 47) + v) / 10;
	if (text[0] == '1' && v)
		return XT_ERROR(w, 2, "--probability must be between 0.0 and 1.0");
	v = (v + (1u << 15)) >> 16;
	m->u.statistic.probability = text[0] == '1' ? 0x7fffffff : (u32)min_u64(v, 0x7fffffff);
	return true;
}

bool xt_parse_u32(struct xt_words *w, const char *option, const char *text, u64 min, u32 *out)
{
	u64 v;

	if (!xt_number(text, UINT32_MAX, &v) || v < min)
		return XT_ERROR(w, 2, "bad value for option \"", option, "\": `", text, "'");
	*out = (u32)v;
	return true;
}

/* "0x1/0xff" */
bool xt_parse_mark(struct xt_words *w, const char *option, const char *text, u32 *mark, u32 *mask)
{
	char first[24];
	size_t n = 0;

	while (text[n] && text[n] != '/')
		n++;
	str_copy_n(first, sizeof(first), text, n);
	*mask = UINT32_MAX;
	return xt_parse_u32(w, option, first, 0, mark) &&
	       (!text[n] || xt_parse_u32(w, option, text + n + 1, 0, mask));
}
