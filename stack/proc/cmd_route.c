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

static void put_metrics(struct seq_file *m, const u32 *metrics)
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

struct routes {
	struct seq_file *m;
	u32 table; /* to be named; 0: it need not be */
};

static void put_route(void *ctx, u32 prefix, u32 plen, const struct fib_alias *fa)
{
	const struct fib_info *fi = fa->fi;
	const struct routes *c = ctx;
	struct seq_file *m = c->m;

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
	if (c->table) {
		seq_puts(m, "table ");
		put_table(m, c->table);
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
		put_metrics(m, fi->metrics);
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

static void put_routes(struct seq_file *m, struct fib_table *tb, bool named)
{
	struct routes c = { m, named && tb->id != RT_TABLE_MAIN ? tb->id : 0 };

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

/* What a lookup says of a destination: as mkroute_output() would make of it, but nothing is made,
 * remembered or forgotten by looking. */
struct route_answer {
	const struct net *net;
	struct flowi4 fl4;
	struct fib_result res;
	const struct fib_nh_exception *e; /* NULL: none */
	u32 type, flags; /* RTN_*, RTCF_* */
};

/* Broadcasts have neither gateway nor metrics; nor have groups by way of the default route. */
static void answer_group(struct route_answer *a)
{
	const struct net_device *dev = a->res.nh->dev;

	if (a->res.type == RTN_BROADCAST || ipv4_is_lbcast(a->fl4.daddr)) {
		a->type = RTN_BROADCAST;
		a->flags = RTCF_BROADCAST | RTCF_LOCAL;
		a->res.fi = NULL;
	} else if (ipv4_is_multicast(a->fl4.daddr)) {
		a->type = RTN_MULTICAST;
		a->flags = RTCF_MULTICAST;
		if (dev && dev->ip_ptr && ip_check_mc(dev->ip_ptr, a->fl4.daddr))
			a->flags |= RTCF_LOCAL;
		if (a->res.prefixlen < 4)
			a->res.fi = NULL;
	}
}

static int answer(struct route_answer *a)
{
	struct net *n = net_ipv4(a->net)->net;
	int err = fib_lookup(n, &a->fl4, &a->res);

	if (err)
		return err;
	fib_select_path(n, &a->res, &a->fl4, NULL);
	a->type = a->res.type;
	if (a->type == RTN_LOCAL)
		a->flags = RTCF_LOCAL;
	answer_group(a);
	if (a->res.fi)
		a->e = fib_peek_exception(a->res.nh, a->fl4.daddr);
	if (a->e && a->e->gw)
		a->flags |= RTCF_REDIRECTED;
	return 0;
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

/* By which device and gateway; returns the source address that goes with it. */
static be32 put_way(struct seq_file *m, const struct route_answer *a)
{
	const struct net_device *dev = a->res.nh->dev;
	struct fib_nh nh = { .dev = a->res.nh->dev };

	if (a->type == RTN_LOCAL) {
		nh.dev = a->net->loopback_dev;
		put_nexthop(m, &nh);
		return a->fl4.daddr;
	}
	if (a->res.fi)
		nh.gw = a->e && a->e->gw ? a->e->gw : a->res.nh->gw;
	put_nexthop(m, &nh);
	if (a->res.fi && a->res.fi->prefsrc)
		return a->res.fi->prefsrc;
	return dev ? inet_select_addr(dev, nh.gw, a->res.scope) : 0;
}

/* print_cache_flags() */
static void put_cache_flags(struct seq_file *m, u32 flags)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = { { RTCF_LOCAL, "local" },
		      { RTCF_MULTICAST, "mc" },
		      { RTCF_BROADCAST, "brd" },
		      { RTCF_REDIRECTED, "redirected" } };
	const char *between = "<";

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & names[i].flag))
			continue;
		seq_puts(m, between);
		seq_puts(m, names[i].name);
		between = ",";
	}
	if (*between == ',')
		seq_puts(m, "> ");
}

static void put_cache(struct seq_file *m, const struct route_answer *a)
{
	u64 now = jiffies(a->net->host);
	u32 metrics[RTAX_MAX] = { 0 };

	if (a->res.fi && a->res.fi->has_metrics)
		memcpy(metrics, a->res.fi->metrics, sizeof(metrics));
	seq_puts(m, "    cache ");
	put_cache_flags(m, a->flags);
	if (a->e && a->e->expires > now) {
		seq_puts(m, "expires ");
		seq_u64(m, (a->e->expires - now) / HZ, 0);
		seq_puts(m, "sec ");
	}
	if (a->e && a->e->pmtu) {
		metrics[RTAX_MTU] = a->e->pmtu;
		metrics[RTAX_LOCK] |= (u32)a->e->mtu_locked << RTAX_MTU;
	}
	put_metrics(m, metrics);
	seq_line(m);
}

static void put_answer(struct seq_file *m, const struct route_answer *a, bool from)
{
	be32 src;

	put_type(m, a->type);
	seq_ip4(m, a->fl4.daddr);
	seq_putc(m, ' ');
	if (from) {
		seq_puts(m, "from ");
		seq_ip4(m, a->fl4.saddr);
		seq_putc(m, ' ');
	}
	src = put_way(m, a);
	if (!from && src) {
		seq_puts(m, "src ");
		seq_ip4(m, src);
		seq_putc(m, ' ');
	}
	/* RTCF_MULTICAST has the bit that iproute2 knows as RTM_F_OFFLOAD_FAILED. */
	if (a->flags & RTCF_MULTICAST)
		seq_puts(m, "rt_offload_failed ");
	seq_puts(m, "uid 0 ");
	seq_line(m);
	put_cache(m, a);
}

bool cmd_ip_route_get(struct seq_file *m, const struct net *net, const char *argument)
{
	struct route_answer a = { .net = net };
	const char *from;
	int err;

	if (!parse_ip4(&argument, &a.fl4.daddr))
		return false;
	from = str_after(argument, " from ");
	if ((from && !parse_ip4(&from, &a.fl4.saddr)) || *(from ? from : argument))
		return false;
	a.fl4.iif = net->loopback_dev->ifindex;
	err = answer(&a);
	if (err)
		seq_puts(m, lookup_error(err));
	else
		put_answer(m, &a, from != NULL);
	return true;
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
