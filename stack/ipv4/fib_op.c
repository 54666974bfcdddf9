/* SPDX-License-Identifier: MIT */
/* OP_ROUTE: `ip route add|replace|change|append|prepend|del` with metrics and several next hops, as
 * fib_config (net/ipv4/fib_frontend.c: rtm_to_fib_config; fib_semantics.c: fib_convert_metrics). */
#include "ipv4/fib.h"

#include "ipv4/ipv4.h"
#include "ipv4/netns_ipv4.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"

/* The metrics of a request; *any: there are some. */
static bool read_metrics(const struct op_bytes *b, u32 metrics[RTAX_MAX], bool *any)
{
	if (b->len % RTAX_ATTR_LEN)
		return false;
	for (u32 at = 0; at < b->len; at += RTAX_ATTR_LEN) {
		u32 id = b->p[at] & ~RTAX_ATTR_LOCKED, value = get_le32(b->p + at + 1);

		if (id == RTAX_LOCK || id >= RTAX_CC_ALGO)
			return false;
		/* As fib_convert_metrics() cuts them. */
		if (id == RTAX_ADVMSS)
			value = min_u32(value, 65535 - 40);
		if (id == RTAX_MTU)
			value = min_u32(value, 65535 - 15);
		if (id == RTAX_HOPLIMIT)
			value = min_u32(value, 255);
		metrics[id] = value;
		if (b->p[at] & RTAX_ATTR_LOCKED)
			metrics[RTAX_LOCK] |= 1u << id;
		*any = true;
	}
	return true;
}

static bool read_nexthops(const struct op_bytes *b, struct fib_config *cfg,
			  struct fib_nh_config nh[FIB_NHS_MAX])
{
	if (b->len % RTNH_LEN || b->len / RTNH_LEN > FIB_NHS_MAX)
		return false;
	for (u32 i = 0; i < b->len / RTNH_LEN; i++) {
		const u8 *p = b->p + i * RTNH_LEN;

		nh[i] = (struct fib_nh_config){ .oif = get_le32(p),
						.flags = get_le32(p + 4),
						.weight = p[8],
						.gw = load_be32(p + 9) };
	}
	if (b->len > RTNH_LEN) {
		cfg->nhs = b->len / RTNH_LEN;
		cfg->nh = nh;
	} else if (b->len) {
		cfg->oif = nh[0].oif;
		cfg->gw = nh[0].gw;
		cfg->flags = nh[0].flags;
	}
	return true;
}

static bool read_route(const struct op_route *o, struct fib_config *cfg)
{
	if (o->verb >= ROUTE_VERB_COUNT || o->table > UINT32_MAX || o->type > RTN_THROW ||
	    o->scope > 255 || o->tos > 255 || o->metric > UINT32_MAX || o->prefix_len > 32 ||
	    (o->dst.len != 4 && (o->dst.len || o->prefix_len)) ||
	    (o->prefsrc.len && o->prefsrc.len != 4))
		return false;
	cfg->mode = (u8)o->verb;
	cfg->dst = o->dst.len ? get_be32(o->dst.p) : 0;
	cfg->dst_len = (u8)o->prefix_len;
	cfg->prefsrc = o->prefsrc.len ? load_be32(o->prefsrc.p) : 0;
	cfg->type = (u8)o->type;
	cfg->tos = (u8)o->tos;
	cfg->priority = (u32)o->metric;
	cfg->scope = (u8)o->scope;
	return true;
}

/* As ip-route(8) chooses what is not said. */
static u8 default_scope(const struct fib_config *cfg)
{
	if (cfg->type == RTN_LOCAL)
		return RT_SCOPE_HOST;
	if (cfg->type == RTN_BROADCAST || cfg->type == RTN_MULTICAST || cfg->type == RTN_ANYCAST)
		return RT_SCOPE_LINK;
	return cfg->type <= RTN_UNICAST && !cfg->gw && !cfg->nhs ? RT_SCOPE_LINK :
								   RT_SCOPE_UNIVERSE;
}

int fib_op_route(struct net *net, const struct op_route *o, u32 ca_index)
{
	struct fib_nh_config nh[FIB_NHS_MAX];
	struct fib_config cfg = { .dst = 0 };
	u32 metrics[RTAX_MAX] = { 0 };
	bool any = ca_index != 0;
	struct fib_table *tb;

	if (!read_route(o, &cfg) || !read_metrics(&o->attrs, metrics, &any) ||
	    !read_nexthops(&o->nexthops, &cfg, nh))
		return -EINVAL;
	cfg.table = fib_default_table(o->table, o->type);
	metrics[RTAX_CC_ALGO] = ca_index;
	if (any)
		cfg.metrics = metrics;
	if (o->verb == ROUTE_DELETE) {
		tb = fib_get_table(net, cfg.table);
		return tb ? fib_table_delete(tb, &cfg) : -ESRCH;
	}
	if (!cfg.type)
		cfg.type = RTN_UNICAST;
	if (cfg.scope == RT_SCOPE_NOWHERE)
		cfg.scope = default_scope(&cfg);
	return fib_new_route(net, &cfg);
}
