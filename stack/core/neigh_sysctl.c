/* SPDX-License-Identifier: MIT */
/* Sysctls of neighbour tables by name: net.ipv4.neigh.{default,DEV}.NAME (neigh_sysctl_template).
 */
#include "core/neighbour.h"

#include "stack/errno.h"

struct neigh_sysctl {
	const char *name;
	u16 offset; /* of a u32 in struct neigh_parms, or in the table for `default` only */
	u16 unit; /* internal ms per unit of the sysctl */
	bool table;
	s32 max;
};

#define PARM(text, field, ms)                                                          \
	{                                                                              \
		text, offsetof(struct neigh_parms, field), ms, 0, INT32_MAX / (ms) / 2 \
	}
#define TABLE(text, field, ms)                                                         \
	{                                                                              \
		text, offsetof(struct neigh_table, field), ms, 1, INT32_MAX / (ms) / 2 \
	}

static const struct neigh_sysctl sysctls[] = {
	PARM("app_solicit", app_solicit, 1),
	PARM("base_reachable_time", base_reachable_time_ms, 1000),
	PARM("base_reachable_time_ms", base_reachable_time_ms, 1),
	PARM("delay_first_probe_time", delay_first_probe_time_ms, 1000),
	PARM("gc_stale_time", gc_staletime_ms, 1000),
	TABLE("gc_thresh1", gc_thresh1, 1),
	TABLE("gc_thresh2", gc_thresh2, 1),
	TABLE("gc_thresh3", gc_thresh3, 1),
	PARM("locktime", locktime_ms, 10), /* USER_HZ */
	PARM("mcast_resolicit", mcast_reprobes, 1),
	PARM("mcast_solicit", mcast_solicit, 1),
	PARM("proxy_delay", proxy_delay_ms, 10), /* USER_HZ */
	PARM("proxy_qlen", proxy_qlen, 1),
	PARM("retrans_time", retrans_time_ms, 10), /* USER_HZ */
	PARM("retrans_time_ms", retrans_time_ms, 1),
	PARM("ucast_solicit", ucast_solicit, 1),
	PARM("unres_qlen_bytes", queue_len_bytes, 1),
};

static bool str_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Rest of s behind `prefix`, NULL when it does not begin so. */
static const char *str_after(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return NULL;
	return s;
}

/* The object and row that a name speaks of. */
static u8 *sysctl_find(struct neigh_table *tbl, struct net *net, const char *prefix,
		       const char *name, const struct neigh_sysctl **row,
		       struct neigh_parms **parms)
{
	const char *p = str_after(name, prefix), *leaf = NULL;
	char dev_name[IFNAME_LEN];
	size_t len;

	if (!p)
		return NULL;
	for (const char *q = p; *q; q++)
		if (*q == '.')
			leaf = q;
	if (!leaf || (len = (size_t)(leaf - p)) >= sizeof(dev_name))
		return NULL;
	memcpy(dev_name, p, len);
	dev_name[len] = 0;
	*parms = NULL;
	if (str_equal(dev_name, "default")) {
		*parms = &tbl->parms;
	} else {
		struct net_device *dev = dev_get_by_name(net, dev_name);

		if (dev)
			*parms = dev->arp_parms;
	}
	if (!*parms)
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(sysctls); i++) {
		if (!str_equal(leaf + 1, sysctls[i].name) ||
		    (sysctls[i].table && *parms != &tbl->parms))
			continue;
		*row = &sysctls[i];
		return (sysctls[i].table ? (u8 *)tbl : (u8 *)*parms) + sysctls[i].offset;
	}
	return NULL;
}

int neigh_sysctl_get(struct neigh_table *tbl, struct net *net, const char *prefix, const char *name,
		     s32 *value)
{
	const struct neigh_sysctl *row;
	struct neigh_parms *parms;
	const u8 *p = sysctl_find(tbl, net, prefix, name, &row, &parms);
	u32 v;

	if (!p)
		return -ENOENT;
	memcpy(&v, p, sizeof(v));
	*value = (s32)(v / row->unit);
	return 0;
}

int neigh_sysctl_set(struct neigh_table *tbl, struct net *net, const char *prefix, const char *name,
		     s32 value)
{
	const struct neigh_sysctl *row;
	struct neigh_parms *parms;
	u8 *p = sysctl_find(tbl, net, prefix, name, &row, &parms);
	u32 v;

	if (!p)
		return -ENOENT;
	if (value < 0 || value > row->max)
		return -EINVAL;
	v = (u32)value * row->unit;
	memcpy(p, &v, sizeof(v));
	/* neigh_proc_base_reachable_time: a new base takes effect at once, with a new draw. */
	if (p == (u8 *)&parms->base_reachable_time_ms)
		parms->last_rand = jiffies(tbl->host) - 301 * HZ;
	return 0;
}

static u32 append(char *out, u32 at, u32 cap, const char *s)
{
	while (*s && at + 1 < cap)
		out[at++] = *s++;
	out[at] = 0;
	return at;
}

static void walk_parms(const char *prefix, const char *who, bool dflt,
		       void (*fn)(void *ctx, const char *name), void *ctx)
{
	char name[96];

	for (u32 i = 0; i < ARRAY_SIZE(sysctls); i++) {
		u32 at;

		if (sysctls[i].table && !dflt)
			continue;
		at = append(name, 0, sizeof(name), prefix);
		at = append(name, at, sizeof(name), who);
		at = append(name, at, sizeof(name), ".");
		append(name, at, sizeof(name), sysctls[i].name);
		fn(ctx, name);
	}
}

void neigh_sysctl_walk(struct neigh_table *tbl, struct net *net, const char *prefix,
		       void (*fn)(void *ctx, const char *name), void *ctx)
{
	(void)tbl;
	walk_parms(prefix, "default", true, fn, ctx);
	list_for_each(pos, &net->dev_base) {
		const struct net_device *dev = list_entry(pos, struct net_device, dev_list);

		if (dev->arp_parms)
			walk_parms(prefix, dev->name, false, fn, ctx);
	}
}
