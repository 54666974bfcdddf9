/* SPDX-License-Identifier: MIT */
/*
 * What `ip route`, `ip route show table local` and `ip route get` print. (ip/iproute.c of iproute2)
 */
#include "ipv4/fib.h"
#include "ipv4/ipv4.h"
#include "lib/str.h"
#include "proc/seq_file.h"

static const char *const type_names[] = {
	"none",	     "unicast",	  "local",	 "broadcast", "anycast",
	"multicast", "blackhole", "unreachable", "prohibit",  "throw",
};

static void put_metrics(struct seq_file *m, const struct fib_info *fi)
{
	static const struct {
		u32 index;
		const char *name;
	} names[] = { { RTAX_MTU, "mtu" }, { RTAX_WINDOW, "window" }, { RTAX_ADVMSS, "advmss" } };

	for (u32 i = 0; fi->has_metrics && i < ARRAY_SIZE(names); i++) {
		if (!fi->metrics[names[i].index])
			continue;
		seq_puts(m, names[i].name);
		seq_puts(m, names[i].index == RTAX_MTU && fi->mtu_locked ? " lock " : " ");
		seq_u64(m, fi->metrics[names[i].index], 0);
		seq_putc(m, ' ');
	}
}

static void put_nexthop(struct seq_file *m, const struct fib_info *fi)
{
	const struct fib_nh *nh = &fi->nh;

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
	put_nexthop(m, fi);
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
	put_flags(m, &fi->nh);
	seq_line(m);
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
	int err = fib_table_lookup(net->fib_local, fl4, res);

	return err == -EAGAIN ? fib_table_lookup(net->fib_main, fl4, res) : err;
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
		put_nexthop(m, res.fi);
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
