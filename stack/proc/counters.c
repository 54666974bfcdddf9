/* SPDX-License-Identifier: MIT */
/*
 * Counters by name (stack/counters.h): a walk over all of them, and one by its name. A name's first
 * part says of which kind it is, so that finding one formats none of the others.
 *
 * Invariant: counter_get() knows exactly the names that counters_walk() gives (types of ICMP
 * messages that were never counted read 0).
 */
#include "stack/counters.h"

#include "core/neighbour.h"
#include "drivers/wire.h"
#include "lib/str.h"
#include "nf/nf_conntrack.h"
#include "proc/counters_ip.h"

/* A u64 of a struct under its name. */
struct counter_field {
	const char *name;
	size_t offset;
};

#define FIELD(type, name)                          \
	{                                          \
#name, offsetof(struct type, name) \
	}

static const struct counter_field dev_fields[] = {
	FIELD(net_device_stats, rx_packets),	   FIELD(net_device_stats, rx_bytes),
	FIELD(net_device_stats, rx_errors),	   FIELD(net_device_stats, rx_dropped),
	FIELD(net_device_stats, rx_missed_errors), FIELD(net_device_stats, rx_length_errors),
	FIELD(net_device_stats, rx_crc_errors),	   FIELD(net_device_stats, rx_over_errors),
	FIELD(net_device_stats, rx_nohandler),	   FIELD(net_device_stats, multicast),
	FIELD(net_device_stats, tx_packets),	   FIELD(net_device_stats, tx_bytes),
	FIELD(net_device_stats, tx_errors),	   FIELD(net_device_stats, tx_dropped),
	FIELD(net_device_stats, tx_fifo_errors),   FIELD(net_device_stats, tx_carrier_errors),
};

static const struct counter_field softnet_fields[] = {
	FIELD(softnet_data, processed),	       FIELD(softnet_data, dropped),
	FIELD(softnet_data, time_squeeze),     FIELD(softnet_data, received_rps),
	FIELD(softnet_data, flow_limit_count),
};

static const struct counter_field wire_fields[] = {
	FIELD(wire_stats, tx_frames),  FIELD(wire_stats, tx_bytes),
	FIELD(wire_stats, rx_frames),  FIELD(wire_stats, rx_bytes),
	FIELD(wire_stats, lost),       FIELD(wire_stats, queue_dropped),
	FIELD(wire_stats, unattached), FIELD(wire_stats, duplicated),
	FIELD(wire_stats, reordered),  FIELD(wire_stats, corrupted),
};

static const struct counter_field neigh_fields[] = {
	FIELD(neigh_statistics, allocs),
	FIELD(neigh_statistics, destroys),
	FIELD(neigh_statistics, hash_grows),
	FIELD(neigh_statistics, lookups),
	FIELD(neigh_statistics, hits),
	FIELD(neigh_statistics, res_failed),
	FIELD(neigh_statistics, rcv_probes_mcast),
	FIELD(neigh_statistics, rcv_probes_ucast),
	FIELD(neigh_statistics, periodic_gc_runs),
	FIELD(neigh_statistics, forced_gc_runs),
	FIELD(neigh_statistics, unres_discards),
	FIELD(neigh_statistics, table_fulls),
};

static const struct counter_field conntrack_fields[] = {
#define X(name) FIELD(ip_conntrack_stat, name),
	NF_CT_STATS(X)
#undef X
};

/* A namespace that never tracked has counted nothing. */
static const struct ip_conntrack_stat *conntrack_stat(const struct net *net)
{
	static const struct ip_conntrack_stat none;

	return net->ct ? &net->ct->stat : &none;
}

static u64 field_value(const void *base, const struct counter_field *f)
{
	u64 v;

	memcpy(&v, (const u8 *)base + f->offset, sizeof(v));
	return v;
}

static bool field_get(const void *base, const struct counter_field *f, size_t n, const char *name,
		      u64 *value)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(f[i].name, name)) {
			*value = field_value(base, &f[i]);
			return true;
		}
	return false;
}

/* A decimal number at s, without sign or leading zeros. Where it ends, or NULL. */
static const char *parse_number(const char *s, u32 *n)
{
	u32 v = 0;

	if (*s < '0' || *s > '9' || (s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (v > 99999)
			return NULL;
		v = v * 10 + (u32)(*s - '0');
	}
	*n = v;
	return s;
}

/* ---- one ---- */

static bool mib_get(const struct net *net, const char *name, u64 *value)
{
	const char *type;
	u32 n;

	for (u32 i = 0; i < MIB_COUNT; i++)
		if (str_eq(mib_name(i), name)) {
			*value = net->mib[i];
			return true;
		}
	type = str_after(name, "IcmpMsgInType");
	if (type && (type = parse_number(type, &n)) != NULL && !*type && n < 256) {
		*value = net->icmp_in_type[n];
		return true;
	}
	type = str_after(name, "IcmpMsgOutType");
	if (type && (type = parse_number(type, &n)) != NULL && !*type && n < 256) {
		*value = net->icmp_out_type[n];
		return true;
	}
	return false;
}

static bool drop_get(const struct net *net, const char *reason, u64 *value)
{
	for (u32 i = 0; i < SKB_DROP_REASON_COUNT; i++)
		if (str_eq(drop_reason_name(i), reason)) {
			*value = net->drops[i];
			return true;
		}
	return false;
}

/* "N.field" */
static bool softnet_get(const struct host *h, const char *rest, u64 *value)
{
	u32 cpu;

	rest = parse_number(rest, &cpu);
	if (!rest || *rest != '.' || cpu >= h->cpus_count)
		return false;
	return field_get(h->cpus[cpu]->softnet, softnet_fields, ARRAY_SIZE(softnet_fields),
			 rest + 1, value);
}

/* "N.field": both directions; "N.END.field": of frames that entered at that end. */
static bool wire_get(const struct world *w, const char *rest, u64 *value)
{
	u64 a, b;
	u32 wire, end;

	rest = parse_number(rest, &wire);
	if (!rest || *rest != '.' || wire >= w->wires_count)
		return false;
	rest++;
	if ((rest[0] == '0' || rest[0] == '1') && rest[1] == '.') {
		end = (u32)(rest[0] - '0');
		return field_get(wire_stats(w->wires[wire], end), wire_fields,
				 ARRAY_SIZE(wire_fields), rest + 2, value);
	}
	if (!field_get(wire_stats(w->wires[wire], 0), wire_fields, ARRAY_SIZE(wire_fields), rest,
		       &a) ||
	    !field_get(wire_stats(w->wires[wire], 1), wire_fields, ARRAY_SIZE(wire_fields), rest,
		       &b))
		return false;
	*value = a + b;
	return true;
}

struct ethtool_search {
	const char *name;
	u64 value;
	bool found;
};

static void ethtool_match(void *ctx, const char *name, u64 value)
{
	struct ethtool_search *s = ctx;

	if (s->found || !str_eq(name, s->name))
		return;
	s->found = true;
	s->value = value;
}

/* "DEV.field", of `ip -s -s link` or else of `ethtool -S`. */
static bool dev_get(const struct net *net, const char *name, u64 *value)
{
	list_for_each(pos, &net->dev_base) {
		const struct net_device *dev = list_entry(pos, struct net_device, dev_list);
		const char *rest = str_after(name, dev->name);
		struct ethtool_search s = { 0 };
		struct net_device_stats stats;

		if (!rest || *rest != '.')
			continue;
		rest++;
		dev_get_stats(dev, &stats);
		if (field_get(&stats, dev_fields, ARRAY_SIZE(dev_fields), rest, value))
			return true;
		s.name = rest;
		if (dev->netdev_ops->ndo_ethtool_stats)
			dev->netdev_ops->ndo_ethtool_stats(dev, ethtool_match, &s);
		if (!s.found)
			continue; /* "eth0.5.rx_packets" begins as one of eth0 */
		*value = s.value;
		return true;
	}
	return false;
}

bool counter_get(const struct world *w, u32 host, const char *name, u64 *value)
{
	const struct net *net = net_by_ref(w, host);
	const struct host *h;
	const char *rest;

	if (!net)
		return false;
	h = net->host;
	if ((rest = str_after(name, "Drop.")) != NULL)
		return drop_get(net, rest, value);
	if ((rest = str_after(name, "softnet.")) != NULL)
		return softnet_get(h, rest, value);
	if ((rest = str_after(name, "wire.")) != NULL)
		return wire_get(w, rest, value);
	if ((rest = str_after(name, "nf_conntrack.")) != NULL)
		return field_get(conntrack_stat(h->init_net), conntrack_fields,
				 ARRAY_SIZE(conntrack_fields), rest, value);
	if ((rest = str_after(name, "arp_cache.")) != NULL && h->arp_tbl)
		return field_get(&h->arp_tbl->stats, neigh_fields, ARRAY_SIZE(neigh_fields), rest,
				 value);
	return ip_counter_get(net, name, value) || mib_get(net, name, value) ||
	       dev_get(net, name, value);
}

/* ---- all ---- */

/* Joins the parts of a name in front of what a callee adds. */
struct walker {
	void (*fn)(void *ctx, const char *name, u64 value);
	void *ctx;
	char name[128];
	u32 prefix;
};

static void set_prefix(struct walker *k, const char *a, u32 number, const char *b)
{
	char digits[12];
	u32 n = 0;

	str_copy(k->name, a, sizeof(k->name));
	k->prefix = (u32)str_len(k->name);
	if (!b)
		return;
	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		k->name[k->prefix++] = digits[--n];
	str_copy(k->name + k->prefix, b, sizeof(k->name) - k->prefix);
	k->prefix += (u32)str_len(b);
}

static void tell(void *ctx, const char *name, u64 value)
{
	struct walker *k = ctx;

	str_copy(k->name + k->prefix, name, sizeof(k->name) - k->prefix);
	k->fn(k->ctx, k->name, value);
}

static void tell_fields(struct walker *k, const void *base, const struct counter_field *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tell(k, f[i].name, field_value(base, &f[i]));
}

static void walk_icmp_types(struct walker *k, const struct net *net)
{
	for (u32 i = 0; i < 256; i++)
		if (net->icmp_in_type[i]) {
			set_prefix(k, "IcmpMsgInType", i, "");
			tell(k, "", net->icmp_in_type[i]);
		}
	for (u32 i = 0; i < 256; i++)
		if (net->icmp_out_type[i]) {
			set_prefix(k, "IcmpMsgOutType", i, "");
			tell(k, "", net->icmp_out_type[i]);
		}
}

static void walk_devices(struct walker *k, const struct net *net)
{
	list_for_each(pos, &net->dev_base) {
		const struct net_device *dev = list_entry(pos, struct net_device, dev_list);
		struct net_device_stats stats;

		dev_get_stats(dev, &stats);
		set_prefix(k, dev->name, 0, NULL);
		k->name[k->prefix++] = '.';
		tell_fields(k, &stats, dev_fields, ARRAY_SIZE(dev_fields));
		if (dev->netdev_ops->ndo_ethtool_stats)
			dev->netdev_ops->ndo_ethtool_stats(dev, tell, k);
	}
}

static void walk_wires(struct walker *k, const struct world *w)
{
	for (u32 i = 0; i < w->wires_count; i++) {
		const struct wire_stats *a = wire_stats(w->wires[i], 0);
		const struct wire_stats *b = wire_stats(w->wires[i], 1);

		set_prefix(k, "wire.", i, ".");
		for (size_t f = 0; f < ARRAY_SIZE(wire_fields); f++)
			tell(k, wire_fields[f].name,
			     field_value(a, &wire_fields[f]) + field_value(b, &wire_fields[f]));
		set_prefix(k, "wire.", i, ".0.");
		tell_fields(k, a, wire_fields, ARRAY_SIZE(wire_fields));
		set_prefix(k, "wire.", i, ".1.");
		tell_fields(k, b, wire_fields, ARRAY_SIZE(wire_fields));
	}
}

void counters_walk(const struct world *w, u32 host,
		   void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	const struct net *net = net_by_ref(w, host);
	struct walker k = { .fn = fn, .ctx = ctx };
	const struct host *h;

	if (!net)
		return;
	h = net->host;
	for (u32 i = 0; i < MIB_COUNT; i++)
		fn(ctx, mib_name(i), net->mib[i]);
	walk_icmp_types(&k, net);
	set_prefix(&k, "Drop.", 0, NULL);
	for (u32 i = 0; i < SKB_DROP_REASON_COUNT; i++)
		tell(&k, drop_reason_name(i), net->drops[i]);
	ip_counters_walk(net, fn, ctx);
	walk_devices(&k, net);
	for (u32 i = 0; i < h->cpus_count; i++) {
		set_prefix(&k, "softnet.", i, ".");
		tell_fields(&k, h->cpus[i]->softnet, softnet_fields, ARRAY_SIZE(softnet_fields));
	}
	if (h->arp_tbl) {
		set_prefix(&k, "arp_cache.", 0, NULL);
		tell_fields(&k, &h->arp_tbl->stats, neigh_fields, ARRAY_SIZE(neigh_fields));
	}
	set_prefix(&k, "nf_conntrack.", 0, NULL);
	tell_fields(&k, conntrack_stat(h->init_net), conntrack_fields,
		    ARRAY_SIZE(conntrack_fields));
	walk_wires(&k, w);
}
