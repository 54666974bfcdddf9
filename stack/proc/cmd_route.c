/* SPDX-License-Identifier: MIT */
/*
 * What `ip route`, `ip route show table local` and `ip route get` print. (ip/iproute.c of iproute2)
 */
#include "ipv4/fib.h"
#include "ipv4/ipv4.h"
#include "ipv4/netns_ipv4.h"
#include "lib/str.h"
#include "proc/seq_file.h"
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

static void put_metrics(struct seq_file *m, const struct fib_info *fi)
{
	for (u32 i = RTAX_MTU; fi->has_metrics && i < RTAX_MAX; i++) {
		if (!fi->metrics[i])
			continue;
		seq_puts(m, metric_names[i]);
		seq_puts(m, fi->metrics[RTAX_LOCK] >> i & 1 ? " lock " : " ");
		put_metric(m, i, fi->metrics[i]);
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
	if (nh->flags & RTNH_F_DEAD)
		seq_puts(m, "dead ");
	if (nh->flags & RTNH_F_ONLINK)
		seq_puts(m, "onlink ");
	if (nh->flags & RTNH_F_LINKDOWN)
		seq_puts(m, "linkdown ");
}

static void put_type(struct seq_file *m, u32 type)
{
	if (type == RTN_UNICAST || type >= ARRAY_SIZE(type_names))
		return;
	seq_puts(m, type_names[type]);
	seq_putc(m, ' ');
}

static void put_route(void *ctx, u32 prefix, u32 plen, const struct fib_alias *fa)
{
	const struct fib_info *fi = fa->fi;
	struct seq_file *m = ctx;

	put_type(m, fa->type);
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
	put_metrics(m, fi);
	if (fi->nhs < 2)
		put_flags(m, &fi->nh);
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

void cmd_ip_route(struct seq_file *m, const struct net *net)
{
	if (net->fib_main)
		fib_table_walk(net->fib_main, put_route, m);
}

void cmd_ip_route_local(struct seq_file *m, const struct net *net)
{
	if (net->fib_local)
		fib_table_walk(net->fib_local, put_route, m);
}

/* ---- ip route get ---- */

/* A dotted quad at *s, which moves behind it. */
static bool parse_ip4(const char **s, be32 *addr)
{
	u32 value = 0;

	for (u32 i = 0; i < 4; i++) {
		u32 part = 0, n = 0;

		if (i && *(*s)++ != '.')
			return false;
		for (; **s >= '0' && **s <= '9' && n < 3; ++*s, n++)
			part = part * 10 + (u32)(**s - '0');
		if (!n || part > 255)
			return false;
		value = value << 8 | part;
	}
	*addr = htonl(value);
	return true;
}

static int lookup(const struct net *net, const struct flowi4 *fl4, struct fib_result *res)
{
	struct net *n = net_ipv4(net)->net;
	int err = fib_lookup(n, fl4, res);

	if (!err)
		fib_select_path(n, res, fl4, NULL);
	return err;
}

static const char *lookup_error(int err)
{
	switch (err) {
	case -EHOSTUNREACH:
		return "RTNETLINK answers: No route to host\n";
	case -EACCES:
		return "RTNETLINK answers: Permission denied\n";
	case -EINVAL:
		return "RTNETLINK answers: Invalid argument\n";
	default:
		return "RTNETLINK answers: Network is unreachable\n";
	}
}

bool cmd_ip_route_get(struct seq_file *m, const struct net *net, const char *argument)
{
	struct fib_result res = { 0 };
	struct flowi4 fl4 = { 0 };
	const char *from;
	be32 src;
	int err;

	if (!parse_ip4(&argument, &fl4.daddr))
		return false;
	from = str_after(argument, " from ");
	if ((from && !parse_ip4(&from, &fl4.saddr)) || *(from ? from : argument))
		return false;
	fl4.iif = net->loopback_dev->ifindex;
	err = lookup(net, &fl4, &res);
	if (err) {
		seq_puts(m, lookup_error(err));
		return true;
	}
	put_type(m, res.type);
	seq_ip4(m, fl4.daddr);
	seq_putc(m, ' ');
	if (from) {
		seq_puts(m, "from ");
		seq_ip4(m, fl4.saddr);
		seq_putc(m, ' ');
	}
	if (res.type == RTN_LOCAL) {
		seq_puts(m, "dev ");
		seq_puts(m, net->loopback_dev->name);
		seq_putc(m, ' ');
		src = fl4.daddr;
	} else {
		put_nexthop(m, res.nh);
		src = res.fi->prefsrc;
		if (!src && res.nh->dev)
			src = inet_select_addr(res.nh->dev, res.nh->gw, res.fi->scope);
	}
	if (!from && src) {
		seq_puts(m, "src ");
		seq_ip4(m, src);
		seq_putc(m, ' ');
	}
	seq_puts(m, "uid 0 ");
	seq_line(m);
	seq_puts(m, res.type == RTN_LOCAL ? "    cache <local> " : "    cache ");
	seq_line(m);
	return true;
}

/* `ip route show table N`. */
bool cmd_ip_route_table(struct seq_file *m, const struct net *net, const char *argument)
{
	struct fib_table *tb;
	s64 id;

	if (!str_to_s64(argument, &id) || id < 0 || id > UINT32_MAX)
		return false;
	tb = fib_get_table(net_ipv4(net)->net, (u32)id);
	if (tb)
		fib_table_walk(tb, put_route, m);
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

static void put_table(struct seq_file *m, u32 table)
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
		put_table(m, r->table);
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
