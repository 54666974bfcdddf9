/* SPDX-License-Identifier: MIT */
/*
 * net.ipv4.conf.{all,default,DEV}.* (devinet_sysctl_forward, devinet_conf_proc). `all` takes part
 * in each decision as the kernel combines it; `default` is what new devices begin with, and reaches
 * those on which the value was never set.
 */
#include "ipv4/devinet.h"

#include "ipv4/ipv4.h"
#include "ipv4/netns_ipv4.h"

struct devconf_row {
	const char *name;
	s32 dflt;
};

static const struct devconf_row rows[] = {
#define DEVCONF(NAME, text, dflt) { text, dflt },
#include "ipv4/devconf.def"
#undef DEVCONF
};

s32 ipv4_devconf_all(const struct net *net, enum ipv4_devconf_value v)
{
	return net_ipv4(net)->all.data[v];
}

bool in_dev_andconf(const struct in_device *in_dev, enum ipv4_devconf_value v)
{
	return ipv4_devconf_all(dev_net(in_dev->dev), v) && in_dev->cnf.data[v];
}

bool in_dev_orconf(const struct in_device *in_dev, enum ipv4_devconf_value v)
{
	return ipv4_devconf_all(dev_net(in_dev->dev), v) || in_dev->cnf.data[v];
}

s32 in_dev_maxconf(const struct in_device *in_dev, enum ipv4_devconf_value v)
{
	s32 all = ipv4_devconf_all(dev_net(in_dev->dev), v);

	return all > in_dev->cnf.data[v] ? all : in_dev->cnf.data[v];
}

bool in_dev_forward(const struct in_device *in_dev)
{
	return in_dev->cnf.data[IPV4_DEVCONF_FORWARDING];
}

bool in_dev_rx_redirects(const struct in_device *in_dev)
{
	return in_dev_forward(in_dev) ? in_dev_andconf(in_dev, IPV4_DEVCONF_ACCEPT_REDIRECTS) :
					in_dev_orconf(in_dev, IPV4_DEVCONF_ACCEPT_REDIRECTS);
}

static bool str_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static struct ipv4_devconf *conf_of(struct net *net, const char *who)
{
	struct net_device *dev;

	if (str_equal(who, "all"))
		return &net_ipv4(net)->all;
	if (str_equal(who, "default"))
		return &net_ipv4(net)->dflt;
	dev = dev_get_by_name(net, who);
	return dev && dev->ip_ptr ? &dev->ip_ptr->cnf : NULL;
}

static struct ipv4_devconf *conf_find(struct net *net, const char *name, u32 *row)
{
	static const char prefix[] = "net.ipv4.conf.";
	const char *p = name, *leaf = NULL;
	char who[IFNAME_LEN];
	size_t len;

	for (const char *q = prefix; *q; q++)
		if (*p++ != *q)
			return NULL;
	for (const char *q = p; *q; q++)
		if (*q == '.')
			leaf = q;
	if (!leaf || (len = (size_t)(leaf - p)) >= sizeof(who))
		return NULL;
	memcpy(who, p, len);
	who[len] = 0;
	for (*row = 0; *row < ARRAY_SIZE(rows); ++*row)
		if (str_equal(rows[*row].name, leaf + 1))
			return conf_of(net, who);
	return NULL;
}

int devinet_sysctl_get(struct net *net, const char *name, s32 *value)
{
	u32 row;
	const struct ipv4_devconf *c = conf_find(net, name, &row);

	if (!c)
		return -ENOENT;
	*value = c->data[row];
	return 0;
}

/* inet_forward_change: ip_forward and conf.all.forwarding are one switch that sets all others. */
static void inet_forward_change(struct net *net, s32 on)
{
	net->sysctl.ip_forward = on;
	net_ipv4(net)->all.data[IPV4_DEVCONF_FORWARDING] = on;
	net_ipv4(net)->all.data[IPV4_DEVCONF_ACCEPT_REDIRECTS] = !on;
	net_ipv4(net)->dflt.data[IPV4_DEVCONF_FORWARDING] = on;
	list_for_each(pos, &net->dev_base) {
		struct net_device *dev = list_entry(pos, struct net_device, dev_list);

		if (on)
			dev_disable_lro(dev);
		if (dev->ip_ptr)
			dev->ip_ptr->cnf.data[IPV4_DEVCONF_FORWARDING] = on;
	}
	net->fib_genid++;
}

void ipv4_sysctl_changed(struct net *net, const s32 *field)
{
	if (field == &net->sysctl.ip_forward)
		inet_forward_change(net, net->sysctl.ip_forward);
}

static void copy_dflt(struct net *net, u32 row, s32 value)
{
	list_for_each(pos, &net->dev_base) {
		struct in_device *in_dev = list_entry(pos, struct net_device, dev_list)->ip_ptr;

		if (in_dev && !(in_dev->cnf.set_mask & 1u << row))
			in_dev->cnf.data[row] = value;
	}
}

int devinet_sysctl_set(struct net *net, const char *name, s32 value)
{
	u32 row;
	struct ipv4_devconf *c = conf_find(net, name, &row);

	if (!c)
		return -ENOENT;
	if (row == IPV4_DEVCONF_FORWARDING && c == &net_ipv4(net)->all) {
		if (value != c->data[row])
			inet_forward_change(net, value);
		return 0;
	}
	c->data[row] = value;
	c->set_mask |= 1u << row;
	if (c == &net_ipv4(net)->dflt && row != IPV4_DEVCONF_FORWARDING)
		copy_dflt(net, row, value);
	if (row == IPV4_DEVCONF_FORWARDING && value && c != &net_ipv4(net)->dflt)
		dev_disable_lro(container_of(c, struct in_device, cnf)->dev);
	net->fib_genid++;
	return 0;
}

static u32 append(char *out, u32 at, u32 cap, const char *s)
{
	while (*s && at + 1 < cap)
		out[at++] = *s++;
	out[at] = 0;
	return at;
}

static void walk_conf(const char *who, void (*fn)(void *ctx, const char *name), void *ctx)
{
	char name[96];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 at = append(name, 0, sizeof(name), "net.ipv4.conf.");

		at = append(name, at, sizeof(name), who);
		at = append(name, at, sizeof(name), ".");
		append(name, at, sizeof(name), rows[i].name);
		fn(ctx, name);
	}
}

void devinet_sysctl_walk(struct net *net, void (*fn)(void *ctx, const char *name), void *ctx)
{
	walk_conf("all", fn, ctx);
	walk_conf("default", fn, ctx);
	list_for_each(pos, &net->dev_base) {
		const struct net_device *dev = list_entry(pos, struct net_device, dev_list);

		if (dev->ip_ptr)
			walk_conf(dev->name, fn, ctx);
	}
}

int devinet_net_init(struct net *net)
{
	struct netns_ipv4 *v4 = net_ipv4(net);

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		v4->all.data[i] = rows[i].dflt;
		v4->dflt.data[i] = rows[i].dflt;
	}
	/* Source routes need both `all` and the device: off until `all` says so (ipv4_devconf). */
	v4->all.data[IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE] = 0;
	/* RFC 1122 3.3.6: SHOULD silently discard. */
	if (net_world(net)->profile_rfc)
		v4->dflt.data[IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST] = 1;
	return 0;
}

void devinet_net_exit(struct net *net)
{
	for (u32 i = 0; i < INET_ADDR_HASH; i++)
		ASSERT(!net_ipv4(net)->addr_hash[i]);
}
