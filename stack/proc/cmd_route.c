/* SPDX-License-Identifier: MIT */
/*
 * What `ip route`, `ip route show table ...` and `ip rule` print (ip/iproute.c, iprule.c of
 * iproute2).
 */
#include "ipv4/ipv4.h"
#include "ipv4/netns_ipv4.h"
#include "lib/str.h"
#include "proc/cmd_route.h"
#include "tcp/tcp.h"
#include "tcp/tcp_cong.h"

static const char *const type_names[] = {
	"none",	     "unicast",	  "local",	 "broadcast", "anycast",
	"multicast", "blackhole", "unreachable", "prohibit",  "throw",
};

/* By RTAX_*, as print_rta_metrics() has them. */
static const char *const metric_names[RTAX_MAX] = {
	[RTAX_MTU] = "mtu",	      [RTAX_WINDOW] = "window",
	[RTAX_RTT] = "rtt",	      [RTAX_RTTVAR] = "rttvar",
	[RTAX_SSTHRESH] = "ssthresh", [RTAX_CWND] = "cwnd",
	[RTAX_ADVMSS] = "advmss",     [RTAX_REORDERING] = "reordering",
	[RTAX_HOPLIMIT] = "hoplimit", [RTAX_INITCWND] = "initcwnd",
	[RTAX_FEATURES] = "features", [RTAX_RTO_MIN] = "rto_min",
	[RTAX_INITRWND] = "initrwnd", [RTAX_QUICKACK] = "quickack",
	[RTAX_CC_ALGO] = "congctl",
};

static void put_metric(struct seq_file *m, u32 i, u32 value)
{
	switch (i) {
	case RTAX_FEATURES:
		seq_puts(m, value & 1 ? "ecn" : "0");
		break;
	case RTAX_CC_ALGO:
		seq_puts(m, tcp_ca_name(value - 1));
		break;
	case RTAX_RTT: /* in 1/8 ms, in 1/4 ms */
	case RTAX_RTTVAR:
		seq_u64(m, value / (i == RTAX_RTT ? 8 : 4), 0);
		seq_puts(m, "ms");
		break;
	case RTAX_RTO_MIN:
		seq_u64(m, value, 0);
		seq_puts(m, "ms");
		break;
	default:
		seq_u64(m, value, 0);
	}
	seq_putc(m, ' ');
}

void put_route_metrics(struct seq_file *m, const u32 *metrics)
{
	for (u32 i = RTAX_MTU; i < RTAX_MAX; i++) {
		if (!metrics[i])
			continue;
		seq_puts(m, metric_names[i]);
		seq_puts(m, metrics[RTAX_LOCK] >> i & 1 ? " lock " : " ");
		put_metric(m, i, metrics[i]);
	}
}

static void put_nexthop(struct seq_file *m, const struct fib_nh *nh)
{
	if (nh->gw) {
		seq_puts(m, "via ");
		seq_ip4(m, nh->gw);
		seq_putc(m, ' ');
	}
	if (nh->dev) {
		seq_puts(m, "dev ");
		seq_puts(m, nh->dev->name);
		seq_putc(m, ' ');
	}
}

static void put_flags(struct seq_file *m, const struct fib_nh *nh)
{
	bool ignored = nh->flags & RTNH_F_LINKDOWN && ip_ignore_linkdown(nh->dev);

	if (nh->flags & RTNH_F_DEAD || ignored)
		seq_puts(m, "dead ");
	if (nh->flags & RTNH_F_ONLINK)
		seq_puts(m, "onlink ");
	if (nh->flags & RTNH_F_LINKDOWN)
		seq_puts(m, "linkdown ");
}

/* Are all next hops without a carrier? */
static bool all_linkdown(const struct fib_info *fi)
{
	for (u32 i = 0; i < fi->nhs; i++)
		if (!(fib_info_nh(fi, i)->flags & RTNH_F_LINKDOWN))
			return false;
	return true;
}

void put_route_type(struct seq_file *m, u32 type)
{
	if (type == RTN_UNICAST || type >= ARRAY_SIZE(type_names))
		return;
	seq_puts(m, type_names[type]);
	seq_putc(m, ' ');
}

void put_route_table(struct seq_file *m, u32 table)
{
	if (table == RT_TABLE_LOCAL)
		seq_puts(m, "local");
	else if (table == RT_TABLE_MAIN)
		seq_puts(m, "main");
	else if (table == RT_TABLE_DEFAULT)
		seq_puts(m, "default");
	else
		seq_u64(m, table, 0);
}

void put_route(void *ctx, u32 prefix, u32 plen, const struct fib_alias *fa)
{
	const struct fib_info *fi = fa->fi;
	const struct shown_routes *c = ctx;
	struct seq_file *m = c->m;

	put_route_type(m, fa->type);
	if (!plen) {
		seq_puts(m, "default");
	} else {
		seq_ip4(m, htonl(prefix));
		if (plen < 32) {
			seq_putc(m, '/');
			seq_u64(m, plen, 0);
		}
	}
	seq_putc(m, ' ');
	if (fa->tos) {
		seq_puts(m, "tos 0x");
		seq_hex(m, fa->tos, 2, false);
		seq_putc(m, ' ');
	}
	if (fi->nhs < 2)
		put_nexthop(m, &fi->nh);
	if (c->table) {
		seq_puts(m, "table ");
		put_route_table(m, c->table);
		seq_putc(m, ' ');
	}
	if (fi->kernel)
		seq_puts(m, "proto kernel ");
	if (fi->scope == RT_SCOPE_LINK)
		seq_puts(m, "scope link ");
	else if (fi->scope == RT_SCOPE_HOST)
		seq_puts(m, "scope host ");
	if (fi->prefsrc) {
		seq_puts(m, "src ");
		seq_ip4(m, fi->prefsrc);
		seq_putc(m, ' ');
	}
	if (fi->priority) {
		seq_puts(m, "metric ");
		seq_u64(m, fi->priority, 0);
		seq_putc(m, ' ');
	}
	if (fi->has_metrics)
		put_route_metrics(m, fi->metrics);
	if (fi->nhs < 2)
		put_flags(m, &fi->nh);
	else if (all_linkdown(fi))
		seq_puts(m, "linkdown ");
	seq_line(m);
	for (u32 i = 0; fi->nhs > 1 && i < fi->nhs; i++) {
		const struct fib_nh *nh = fib_info_nh(fi, i);

		seq_puts(m, "\tnexthop ");
		put_nexthop(m, nh);
		seq_puts(m, "weight ");
		seq_u64(m, nh->weight, 0);
		seq_putc(m, ' ');
		put_flags(m, nh);
		seq_line(m);
	}
}

static void put_routes(struct seq_file *m, struct fib_table *tb, bool named)
{
	struct shown_routes c = { m, named && tb->id != RT_TABLE_MAIN ? tb->id : 0 };

	fib_table_walk(tb, put_route, &c);
}

void cmd_ip_route(struct seq_file *m, const struct net *net)
{
	if (net->fib_main)
		put_routes(m, net->fib_main, false);
}

void cmd_ip_route_local(struct seq_file *m, const struct net *net)
{
	if (net->fib_local)
		put_routes(m, net->fib_local, false);
}

/* Of all tables: as Linux's hash of 256 (FIB_TABLE_HASHSZ) has them. */
static void put_tables(struct seq_file *m, struct net *net)
{
	for (u32 slot = 0; slot < 256; slot++) {
		struct fib_table *tb = NULL;

		while ((tb = fib_next_table(net, tb)) != NULL)
			if ((tb->id & 255) == slot)
				put_routes(m, tb, true);
	}
}

/* `ip route show table N`, or `all`. */
bool cmd_ip_route_table(struct seq_file *m, const struct net *net, const char *argument)
{
	struct fib_table *tb;
	s64 id;

	if (str_eq(argument, "all")) {
		put_tables(m, net_ipv4(net)->net);
		return true;
	}
	if (!str_to_s64(argument, &id) || id < 0 || id > UINT32_MAX)
		return false;
	tb = fib_get_table(net_ipv4(net)->net, (u32)id);
	if (tb)
		put_routes(m, tb, false);
	return true;
}

/* ---- ip rule ---- */

static void put_prefix(struct seq_file *m, be32 addr, u32 len)
{
	seq_ip4(m, addr);
	if (len == 32)
		return;
	seq_putc(m, '/');
	seq_u64(m, len, 0);
}

static void put_rule_match(struct seq_file *m, const struct net *net, const struct fib_rule_info *r)
{
	const struct net_device *iif = r->iif ? dev_get_by_index(net, r->iif) : NULL;
	const struct net_device *oif = r->oif ? dev_get_by_index(net, r->oif) : NULL;

	seq_puts(m, r->invert ? "not from " : "from ");
	if (r->src_len)
		put_prefix(m, r->src, r->src_len);
	else
		seq_puts(m, "all");
	seq_putc(m, ' ');
	if (r->dst_len) {
		seq_puts(m, "to ");
		put_prefix(m, r->dst, r->dst_len);
		seq_putc(m, ' ');
	}
	if (r->tos) {
		seq_puts(m, "tos 0x");
		seq_hex(m, r->tos, 2, false);
		seq_putc(m, ' ');
	}
	if (r->mark || r->mask) {
		seq_puts(m, "fwmark 0x");
		seq_hex(m, r->mark, 0, false);
		if (r->mask != UINT32_MAX) {
			seq_puts(m, "/0x");
			seq_hex(m, r->mask, 0, false);
		}
		seq_putc(m, ' ');
	}
	if (r->iif) {
		seq_puts(m, "iif ");
		seq_puts(m, iif ? iif->name : "[detached]");
		seq_putc(m, ' ');
	}
	if (r->oif) {
		seq_puts(m, "oif ");
		seq_puts(m, oif ? oif->name : "[detached]");
		seq_putc(m, ' ');
	}
}

struct rules {
	struct seq_file *m;
	const struct net *net;
};

static void put_rule(void *ctx, const struct fib_rule_info *r)
{
	static const char *const actions[] = { [FR_ACT_NOP] = "nop",
					       [FR_ACT_BLACKHOLE] = "blackhole",
					       [FR_ACT_UNREACHABLE] = "unreachable",
					       [FR_ACT_PROHIBIT] = "prohibit" };
	const struct rules *c = ctx;
	struct seq_file *m = c->m;

	seq_u64(m, r->priority, 0);
	seq_puts(m, ":\t");
	put_rule_match(m, c->net, r);
	if (r->action == FR_ACT_TO_TBL) {
		seq_puts(m, "lookup ");
		put_route_table(m, r->table);
		if (r->suppress >= 0) {
			seq_puts(m, " suppress_prefixlength ");
			seq_u64(m, (u64)r->suppress, 0);
		}
	} else if (r->action == FR_ACT_GOTO) {
		seq_puts(m, "goto ");
		seq_u64(m, r->target, 0);
	} else {
		seq_puts(m, actions[r->action]);
	}
	seq_line(m);
}

void cmd_ip_rule(struct seq_file *m, const struct net *net)
{
	struct rules c = { .m = m, .net = net };

	fib_rules_walk(net, put_rule, &c);
}
