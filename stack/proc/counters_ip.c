/* SPDX-License-Identifier: MIT */
/*
 * The account of IP packets as counters: `ip.WAY.FIELD`, `ip.WAY.Drop.REASON`, `ip.FIELD`, the same
 * with `ip6`; WAY is in, out, neigh. What they add up to stands in inet/ip_account.c.
 *
 * Reasons for which nothing was dropped are not told by the walk, and read 0.
 */
#include "proc/counters_ip.h"

#include "lib/bytes.h"
#include "lib/str.h"

struct account_field {
	const char *name;
	size_t offset;
};

/* A value for each way. */
static const struct account_field way_fields[] = {
	{ "joined", offsetof(struct ip_account, joined) },
	{ "ended", offsetof(struct ip_account, ended) },
	{ "held", offsetof(struct ip_account, held) },
	{ "dropped", offsetof(struct ip_account, drops) },
};

static const struct account_field fields[] = {
	{ "pieces", offsetof(struct ip_account, pieces) },
	{ "cut", offsetof(struct ip_account, cut) },
	{ "copies", offsetof(struct ip_account, copies) },
	{ "looped", offsetof(struct ip_account, looped) },
	{ "resolved", offsetof(struct ip_account, resolved) },
};

static const char *const families[2] = { "ip.", "ip6." };
static const char *const ways[IP_WAY_COUNT] = { "", "in.", "out.", "neigh." };

static u64 value_at(const struct ip_account *a, const struct account_field *f, u32 index)
{
	u64 v;

	memcpy(&v, (const u8 *)a + f->offset + index * sizeof(v), sizeof(v));
	return v;
}

static bool find(const struct ip_account *a, const struct account_field *f, size_t n, u32 index,
		 const char *name, u64 *value)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(f[i].name, name)) {
			*value = value_at(a, &f[i], index);
			return true;
		}
	return false;
}

static bool way_get(const struct ip_account *a, u32 way, const char *name, u64 *value)
{
	const char *reason = str_after(name, "Drop.");

	for (u32 i = 0; reason && i < SKB_DROP_REASON_COUNT; i++)
		if (str_eq(drop_reason_name(i), reason)) {
			*value = a->dropped[way][i];
			return true;
		}
	return find(a, way_fields, ARRAY_SIZE(way_fields), way, name, value);
}

bool ip_counter_get(const struct net *net, const char *name, u64 *value)
{
	for (u32 f = 0; f < 2; f++) {
		const char *rest = str_after(name, families[f]), *of_way;

		if (!rest)
			continue;
		for (u32 way = IP_WAY_IN; way < IP_WAY_COUNT; way++)
			if ((of_way = str_after(rest, ways[way])) != NULL)
				return way_get(&net->ip[f], way, of_way, value);
		return find(&net->ip[f], fields, ARRAY_SIZE(fields), 0, rest, value);
	}
	return false;
}

struct name {
	char text[96];
	u32 len;
};

static void append(struct name *n, const char *s)
{
	str_copy(n->text + n->len, s, sizeof(n->text) - n->len);
	n->len += (u32)str_len(n->text + n->len);
}

/* fn() with the name so far and `last`. */
static void tell(struct name n, const char *last, u64 value,
		 void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	append(&n, last);
	fn(ctx, n.text, value);
}

static void walk_way(const struct ip_account *a, struct name n, u32 way,
		     void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	append(&n, ways[way]);
	for (size_t i = 0; i < ARRAY_SIZE(way_fields); i++)
		tell(n, way_fields[i].name, value_at(a, &way_fields[i], way), fn, ctx);
	append(&n, "Drop.");
	for (u32 i = 0; i < SKB_DROP_REASON_COUNT; i++)
		if (a->dropped[way][i])
			tell(n, drop_reason_name(i), a->dropped[way][i], fn, ctx);
}

void ip_counters_walk(const struct net *net, void (*fn)(void *ctx, const char *name, u64 value),
		      void *ctx)
{
	for (u32 f = 0; f < 2; f++) {
		struct name n = { .len = 0 };

		append(&n, families[f]);
		for (u32 way = IP_WAY_IN; way < IP_WAY_COUNT; way++)
			walk_way(&net->ip[f], n, way, fn, ctx);
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			tell(n, fields[i].name, value_at(&net->ip[f], &fields[i], 0), fn, ctx);
	}
}
