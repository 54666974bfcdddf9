/* SPDX-License-Identifier: MIT */
/*
 * Looks names up in the sorted tables of symbols_*.c. Invariant, tested: they are sorted.
 */
#include "packetdrill/symbols.h"

#include "base/strbuf.h"
#include "base/suggest.h"
#include "packetdrill/symbol_tables.h"

#include <stdlib.h>
#include <string.h>

/* As strcmp of the first len bytes of name with the whole of entry. */
static int compare(const char *name, size_t len, const char *entry)
{
	int order = strncmp(name, entry, len);

	return order ? order : entry[len] ? -1 : 0;
}

static bool find(const struct pd_symbol *table, size_t count, const char *name, size_t len,
		 s64 *value)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(name, len, table[middle].name);

		if (order == 0) {
			*value = table[middle].value;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool pd_symbol_find(const char *name, size_t len, s64 *value)
{
	return find(pd_call_symbols, pd_call_symbol_count, name, len, value);
}

bool pd_symbol_find_info(const char *name, size_t len, s64 *value)
{
	return find(pd_info_symbols, pd_info_symbol_count, name, len, value);
}

int pd_errno_by_name(const char *name, size_t len)
{
	s64 value = 0;

	find(pd_errno_symbols, pd_errno_symbol_count, name, len, &value);
	return (int)value;
}

const char *pd_symbol_near(const char *name)
{
	size_t n = pd_call_symbol_count + pd_errno_symbol_count, i;
	const char **names = xrealloc(NULL, n * sizeof(*names)), *near;

	for (i = 0; i < n; i++)
		names[i] = i < pd_call_symbol_count ?
				   pd_call_symbols[i].name :
				   pd_errno_symbols[i - pd_call_symbol_count].name;
	near = suggest(name, names, n);
	free(names);
	return near;
}

const char *pd_errno_name(int number)
{
	size_t i;

	for (i = 0; i < pd_errno_symbol_count; i++) {
		if (pd_errno_symbols[i].value == number)
			return pd_errno_symbols[i].name;
	}
	return "E?";
}

static bool find_icmp(bool v6, int type, const char *name, size_t len, u8 *value)
{
	size_t i;

	for (i = 0; i < pd_icmp_symbol_count; i++) {
		const struct pd_icmp_symbol *s = &pd_icmp_symbols[i];

		if (s->v6 == v6 && s->type == type && compare(name, len, s->name) == 0) {
			*value = s->value;
			return true;
		}
	}
	return false;
}

const char *pd_icmp_near(bool v6, int type, const char *name)
{
	const char **names = xrealloc(NULL, pd_icmp_symbol_count * sizeof(*names)), *near;
	size_t n = 0, i;

	for (i = 0; i < pd_icmp_symbol_count; i++) {
		if (pd_icmp_symbols[i].v6 == v6 && pd_icmp_symbols[i].type == type)
			names[n++] = pd_icmp_symbols[i].name;
	}
	near = suggest(name, names, n);
	free(names);
	return near;
}

const char *pd_info_near(const char *name)
{
	return suggest_entry(name, pd_info_symbols, pd_info_symbol_count,
			     sizeof(pd_info_symbols[0]));
}

bool pd_icmp_type(bool v6, const char *name, size_t len, u8 *type)
{
	return find_icmp(v6, -1, name, len, type);
}

bool pd_icmp_code(bool v6, u8 type, const char *name, size_t len, u8 *code)
{
	return find_icmp(v6, type, name, len, code);
}
