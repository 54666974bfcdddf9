/* SPDX-License-Identifier: MIT */
/*
 * packetdrill's options. One table tells their names; what is for its client and server mode or for
 * kernels only (wire_*, so_*) has no meaning on a simulated host and is not known.
 */
#include "packetdrill/settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define USEC 1000ull

static const struct {
	const char *name;
	bool value;
} known[] = {
	{ "-D", true },
	{ "--define", true },
	{ "--env", true },
	{ "--tolerance", true },
	{ "--tolerance_usecs", true },
	{ "--tolerance_percent", true },
	{ "--ip_version", true },
	{ "--local_ip", true },
	{ "--remote_ip", true },
	{ "--gateway_ip", true },
	{ "--netmask_ip", true },
	{ "--bind_port", true },
	{ "--connect_port", true },
	{ "--code_command", true },
	{ "--code_format", true },
	{ "--code_sockopt", true },
	{ "--default_send_flags", true },
	{ "--init_scripts", true },
	{ "--mtu", true },
	{ "--mss", true },
	{ "--speed", true },
	{ "--tcp_ts_tick_usecs", true },
	{ "--tcp_ts_ecr_scaled", false },
	{ "--strict_segments", false },
	{ "--send_omit_free", false },
	{ "--non_fatal", true },
	{ "--no_cleanup", false },
	{ "--dry_run", false },
	{ "--verbose", false },
};

void pd_arguments_add(struct pd_arguments *a, const char *name, const char *value, u8 families)
{
	a->list = xrealloc(a->list, (a->count + 1) * sizeof(*a->list));
	a->list[a->count++] = (struct pd_argument){ name, value, families };
}

void pd_arguments_free(struct pd_arguments *a)
{
	free(a->list);
	*a = (struct pd_arguments){ 0 };
}

const char *pd_option_name(size_t i)
{
	return i < ARRAY_SIZE(known) ? known[i].name : NULL;
}

int pd_option_check(const char *name, const char *value, bool *takes_value, struct strbuf *error)
{
	bool pair = strcmp(name, "-D") == 0 || strcmp(name, "--define") == 0 ||
		    strcmp(name, "--env") == 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		if (takes_value)
			*takes_value = known[i].value;
		if (!value == !known[i].value && (!pair || (strchr(value, '=') && value[0] != '=')))
			return 1;
		strbuf_printf(error, "%s %s", name,
			      pair	     ? "needs NAME=VALUE" :
			      known[i].value ? "needs a value" :
					       "takes no value");
		return -1;
	}
	return 0;
}

/* -- Families -- */

u8 pd_families_parse(const char *text)
{
	static const struct {
		const char *name;
		u8 set;
	} names[] = {
		{ "4", PD_FAMILY_4 },
		{ "6", PD_FAMILY_6 },
		{ "mapped", PD_FAMILY_MAPPED },
		{ "all", PD_FAMILY_ALL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i].name) == 0)
			return names[i].set;
	}
	return 0;
}

static const char *const family_names[] = {
	[PD_IPV4] = "ipv4",
	[PD_IPV6] = "ipv6",
	[PD_MAPPED] = "ipv4-mapped-ipv6",
};

const char *pd_family_name(enum pd_family family)
{
	return family_names[family];
}

u8 pd_family_bit(enum pd_family family)
{
	return (u8)(1u << family);
}

bool pd_family_by_name(const char *name, enum pd_family *family)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(family_names); i++) {
		if (strcmp(name, family_names[i]) == 0) {
			*family = (enum pd_family)i;
			return true;
		}
	}
	return false;
}

bool pd_address_parse(const char *text, struct pd_address *a)
{
	*a = (struct pd_address){ 0 };
	if (inet_pton(AF_INET, text, a->bytes) == 1)
		return true;
	a->v6 = true;
	return inet_pton(AF_INET6, text, a->bytes) == 1;
}

void pd_address_text(const struct pd_address *a, char *out)
{
	inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes, out, PD_ADDRESS_TEXT);
}

/* -- One run's settings -- */

void pd_settings_init(struct pd_settings *s, enum pd_family family)
{
	bool v6 = family == PD_IPV6;

	*s = (struct pd_settings){
		.family = family,
		.prefix_len = v6 ? 48 : 16,
		.mtu = 1500,
		.bind_port = 8080,
		.connect_port = 8080,
		.tolerance_ns = 4000 * USEC,
		.tolerance_permille = 125,
	};
	pd_address_parse(v6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1", &s->local);
	pd_address_parse(v6 ? "2001:db8::1" : "192.0.2.1", &s->remote);
	pd_address_parse(v6 ? "fd3d:fa7b:d17d::2" : "192.168.0.2", &s->gateway);
}

static bool bad_value(const char *name, const char *value, struct strbuf *error)
{
	strbuf_printf(error, "--%s: '%s' is no value for it", name, value);
	return false;
}

static bool take_number(const char *name, const char *value, s64 max, s64 *out,
			struct strbuf *error)
{
	char *end;
	s64 n = strtoll(value, &end, 0);

	if (end == value || *end || n < 0 || n > max)
		return bad_value(name, value, error);
	*out = n;
	return true;
}

static bool take_address(struct pd_settings *s, const char *name, const char *value,
			 struct pd_address *out, struct strbuf *error)
{
	struct pd_address a;
	char text[64];
	size_t len = strcspn(value, "/");

	if (len >= sizeof(text))
		return bad_value(name, value, error);
	memcpy(text, value, len);
	text[len] = 0;
	if (!pd_address_parse(text, &a))
		return bad_value(name, value, error);
	if (a.v6 != (s->family == PD_IPV6))
		return s->other_family = true;
	*out = a;
	return true;
}

static bool take_netmask(struct pd_settings *s, const char *value, struct strbuf *error)
{
	struct pd_address a;
	u32 len = 0;
	u32 bytes;

	if (!pd_address_parse(value, &a))
		return bad_value("netmask_ip", value, error);
	bytes = a.v6 ? 16 : 4;
	while (len < 8 * bytes && (a.bytes[len / 8] & (0x80 >> len % 8)))
		len++;
	s->prefix_len = len;
	return true;
}

/* "0", "10ms", "2500us", "1s", "400ns"; a bare number is microseconds, as with packetdrill. */
static bool take_tolerance(struct pd_settings *s, const char *value, struct strbuf *error)
{
	static const struct {
		const char *name;
		u64 ns;
	} units[] = {
		{ "", 1000 }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }
	};
	char *end;
	s64 n = strtoll(value, &end, 10);
	size_t i;

	if (end == value || n < 0 || n > 1000000000)
		return bad_value("tolerance", value, error);
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		s->exact = n == 0;
		if ((u64)n * units[i].ns > s->tolerance_ns)
			s->tolerance_ns = (u64)n * units[i].ns;
		return true;
	}
	return bad_value("tolerance", value, error);
}

static bool take_non_fatal(struct pd_settings *s, const char *value, struct strbuf *error)
{
	char *copy = xstrdup(value);
	char *save = NULL;
	char *word;
	bool ok = true;

	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (strcmp(word, "packet") == 0)
			s->packets_not_fatal = true;
		else if (strcmp(word, "syscall") == 0)
			s->syscalls_not_fatal = true;
		else
			ok = bad_value("non_fatal", value, error);
	}
	free(copy);
	return ok;
}

/* A later pair of the same name takes the place of an earlier one. */
static bool take_pair(struct pd_define *list, size_t *count, const char *name, const char *text,
		      struct strbuf *error)
{
	const char *equals = strchr(text, '=');
	char *key, *value;
	size_t i;

	if (!equals || equals == text)
		return bad_value(name, text, error);
	key = xstrdup(text);
	key[equals - text] = 0;
	value = xstrdup(equals + 1);
	if (*value == '"' && strlen(value) > 1 && value[strlen(value) - 1] == '"') {
		memmove(value, value + 1, strlen(value));
		value[strlen(value) - 1] = 0;
	}
	for (i = 0; i < *count && strcmp(list[i].name, key) != 0; i++)
		;
	if (i == PD_MAX_PAIRS) {
		free(key);
		free(value);
		return bad_value(name, text, error);
	}
	if (i < *count) {
		free((void *)(uintptr_t)list[i].name);
		free((void *)(uintptr_t)list[i].value);
	} else {
		++*count;
	}
	list[i] = (struct pd_define){ key, value };
	return true;
}

static bool take_percent(struct pd_settings *s, const char *value, struct strbuf *error)
{
	char *end;
	u32 n = (u32)strtoul(value, &end, 10) * 10;

	if (end == value || n > 100000)
		return bad_value("tolerance_percent", value, error);
	if (*end == '.') {
		end++;
		if (*end >= '0' && *end <= '9')
			n += (u32)(*end++ - '0');
		while (*end >= '0' && *end <= '9')
			end++;
	}
	if (*end)
		return bad_value("tolerance_percent", value, error);
	if (n > s->tolerance_permille)
		s->tolerance_permille = n;
	return true;
}

static bool take_numbers(struct pd_settings *s, const char *name, const char *value,
			 bool *known_one, struct strbuf *error)
{
	s64 n = 0;
	bool ok;

	*known_one = true;
	if (strcmp(name, "mtu") == 0) {
		ok = take_number(name, value, 65535, &n, error) && n >= 68;
		s->mtu = (u32)n;
	} else if (strcmp(name, "mss") == 0) {
		ok = take_number(name, value, 65535, &n, error);
		s->mss = (u32)n;
	} else if (strcmp(name, "bind_port") == 0) {
		ok = take_number(name, value, 65535, &n, error);
		s->bind_port = (u16)n;
	} else if (strcmp(name, "connect_port") == 0) {
		ok = take_number(name, value, 65535, &n, error);
		s->connect_port = (u16)n;
	} else if (strcmp(name, "tcp_ts_tick_usecs") == 0) {
		ok = take_number(name, value, 1000000, &n, error);
		s->ts_tick_us = (u32)n;
	} else if (strcmp(name, "default_send_flags") == 0) {
		ok = take_number(name, value, INT32_MAX, &s->default_send_flags, error);
	} else if (strcmp(name, "tolerance_usecs") == 0) {
		ok = take_number(name, value, 3600000000ll, &n, error);
		if ((u64)n * USEC > s->tolerance_ns)
			s->tolerance_ns = (u64)n * USEC;
	} else {
		*known_one = false;
		ok = true;
	}
	return ok;
}

bool pd_settings_take(struct pd_settings *s, const char *name, const char *value,
		      struct strbuf *error)
{
	bool known_one;

	if (strcmp(name, "tcp_ts_ecr_scaled") == 0)
		return s->ts_ecr_scaled = true;
	if (strcmp(name, "strict_segments") == 0)
		return s->strict_segments = true;
	if (strcmp(name, "send_omit_free") == 0)
		return s->send_omit_free = true;
	if (strcmp(name, "dry_run") == 0)
		return s->dry_run = true;
	if (!value)
		return true; /* --verbose, --no_cleanup: nothing to do */
	if (strcmp(name, "D") == 0 || strcmp(name, "define") == 0)
		return take_pair(s->define, &s->defines, name, value, error);
	if (strcmp(name, "env") == 0)
		return take_pair(s->env, &s->envs, name, value, error);
	if (strcmp(name, "tolerance") == 0)
		return take_tolerance(s, value, error);
	if (strcmp(name, "tolerance_percent") == 0)
		return take_percent(s, value, error);
	if (strcmp(name, "local_ip") == 0)
		return take_address(s, name, value, &s->local, error);
	if (strcmp(name, "remote_ip") == 0)
		return take_address(s, name, value, &s->remote, error);
	if (strcmp(name, "gateway_ip") == 0)
		return take_address(s, name, value, &s->gateway, error);
	if (strcmp(name, "netmask_ip") == 0)
		return take_netmask(s, value, error);
	if (strcmp(name, "non_fatal") == 0)
		return take_non_fatal(s, value, error);
	if (strcmp(name, "init_scripts") == 0) {
		s->init_scripts = value;
		return true;
	}
	return take_numbers(s, name, value, &known_one, error);
}

bool pd_settings_arguments(struct pd_settings *s, const struct pd_arguments *a,
			   struct strbuf *error)
{
	size_t i;

	for (i = 0; i < a->count; i++) {
		const struct pd_argument *arg = &a->list[i];

		if (!(arg->families & pd_family_bit(s->family)) ||
		    strcmp(arg->name, "--ip_version") == 0)
			continue;
		if (!pd_settings_take(s, arg->name + strspn(arg->name, "-"), arg->value, error))
			return false;
	}
	return true;
}

static void free_pairs(struct pd_define *list, size_t count)
{
	while (count--) {
		free((void *)(uintptr_t)list[count].name);
		free((void *)(uintptr_t)list[count].value);
	}
}

void pd_settings_free(struct pd_settings *s)
{
	free_pairs(s->define, s->defines);
	free_pairs(s->env, s->envs);
	s->defines = s->envs = 0;
}
