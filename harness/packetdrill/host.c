/* SPDX-License-Identifier: MIT */
/*
 * The host of a script: one CPU, a tun device with the local address, a route to the remote one;
 * and what backtick commands can do to it.
 */
#include "packetdrill/runner.h"

#include "base/suggest.h"
#include "stack/errno.h"
#include "stack/nic.h"
#include "stack/rtnetlink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMOTE_PREFIX_4 24
#define REMOTE_PREFIX_6 32

static s64 apply(struct pd_run *r, const struct op *op)
{
	return r->sut->ops->apply(r->sut, op);
}

static struct op_bytes text_bytes(const char *text)
{
	return (struct op_bytes){ (const u8 *)text, (u32)strlen(text) };
}

static struct op_bytes address_bytes(const struct pd_address *a)
{
	return (struct op_bytes){ a->bytes, a->v6 ? 16 : 4 };
}

static s64 add_wire(struct pd_run *r)
{
	struct op op = { .kind = OP_WIRE_ADD };
	s64 err = apply(r, &op);

	if (err < 0)
		return err;
	/* See send_bytes() of inject.c. */
	op = (struct op){ .kind = OP_WIRE_SET };
	op.u.wire_set.end = PD_SCRIPT_END;
	op.u.wire_set.param = WIRE_PARAM_DELAY_NS;
	op.u.wire_set.value = 1;
	return apply(r, &op);
}

static s64 add_device(struct pd_run *r)
{
	struct op op = { .kind = OP_NIC_ADD };
	s64 err;

	op.u.nic_add.model = NIC_MODEL_TUN;
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = r->settings->mtu;
	op.u.nic_add.name = text_bytes("tun0");
	err = apply(r, &op);
	if (err < 0)
		return err;
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.end = PD_HOST_END;
	op.u.wire_attach.ifindex = PD_TUN_IFINDEX;
	err = apply(r, &op);
	if (err < 0)
		return err;
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.ifindex = PD_TUN_IFINDEX;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	return apply(r, &op);
}

/* The network of an address: its bits behind the prefix cleared. */
static struct pd_address network_of(struct pd_address a, u32 prefix_len)
{
	u32 i;

	for (i = prefix_len; i < (a.v6 ? 128u : 32u); i++)
		a.bytes[i / 8] &= (u8) ~(0x80 >> i % 8);
	return a;
}

static s64 add_addresses(struct pd_run *r)
{
	const struct pd_settings *s = r->settings;
	u32 prefix = s->remote.v6 ? REMOTE_PREFIX_6 : REMOTE_PREFIX_4;
	struct pd_address remote = network_of(s->remote, prefix);
	struct op op = { .kind = OP_ADDR_ADD };
	s64 err;

	op.u.addr_add.ifindex = PD_TUN_IFINDEX;
	op.u.addr_add.prefix_len = s->prefix_len;
	op.u.addr_add.addr = address_bytes(&s->local);
	err = apply(r, &op);
	if (err < 0)
		return err;
	op = (struct op){ .kind = OP_ROUTE_ADD };
	op.u.route_add.type = RTN_UNICAST;
	op.u.route_add.scope = RT_SCOPE_LINK;
	op.u.route_add.oif = PD_TUN_IFINDEX;
	op.u.route_add.prefix_len = prefix;
	op.u.route_add.dst = address_bytes(&remote);
	err = apply(r, &op);
	if ((err < 0 && err != -EEXIST) || s->remote.v6)
		return err == -EEXIST ? 0 : err;
	/* The route that packetdrill makes, which scripts change: to the remote address alone. */
	op.u.route_add.prefix_len = 32;
	op.u.route_add.dst = address_bytes(&s->remote);
	err = apply(r, &op);
	/* The local network may hold the remote address: then there is a route already. */
	return err == -EEXIST ? 0 : err;
}

static bool made(struct pd_run *r, const char *what, s64 err)
{
	struct strbuf text = { 0 };

	if (err >= 0)
		return true;
	strbuf_printf(&text, "%s: %s", what, pd_errno_name((int)-err));
	if (err == -EOPNOTSUPP || err == -EAFNOSUPPORT || (err == -EINVAL && r->settings->local.v6))
		pd_skip(r, strbuf_text(&text));
	else
		pd_fail(r, NULL, NULL, NULL, "%s", strbuf_text(&text));
	strbuf_free(&text);
	return false;
}

bool pd_host_make(struct pd_run *r)
{
	struct op op = { .kind = OP_HOST_ADD };

	op.u.host_add.cpus = 1;
	op.u.host_add.name = text_bytes("host");
	return made(r, "the host", apply(r, &op)) && made(r, "the wire", add_wire(r)) &&
	       made(r, "the tun device", add_device(r)) &&
	       made(r, r->settings->local.v6 ? "no IPv6 host" : "the addresses", add_addresses(r));
}

s64 pd_host_sysctl(struct pd_run *r, const char *name, const char *value)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.name = text_bytes(name);
	op.u.sysctl.value = text_bytes(value);
	return apply(r, &op);
}

struct sock_addr pd_sock_addr(const struct pd_run *r, const struct pd_address *a, u16 port)
{
	struct sock_addr s = { .family = AF_INET, .port = port };

	memcpy(s.addr, a->bytes, a->v6 ? 16 : 4);
	if (a->v6)
		s.family = AF_INET6;
	if (r->settings->family != PD_MAPPED || a->v6)
		return s;
	s.family = AF_INET6;
	memset(s.addr, 0, sizeof(s.addr));
	memset(s.addr + 10, 0xff, 2);
	memcpy(s.addr + 12, a->bytes, 4);
	return s;
}

/* -- Commands -- */

static int command_sysctl_get(void *ctx, const char *name, struct strbuf *out)
{
	struct pd_run *r = ctx;
	char value[1024];
	s32 len = r->sut->ops->sysctl(r->sut, 0, name, value, sizeof(value));

	if (len < 0)
		return len;
	strbuf_puts(out, value);
	return 0;
}

struct name_list {
	char **name;
	size_t count;
};

static void add_name(void *ctx, const char *name)
{
	struct name_list *list = ctx;

	list->name = xrealloc(list->name, (list->count + 1) * sizeof(*list->name));
	list->name[list->count++] = xstrdup(name);
}

static char *command_sysctl_near(void *ctx, const char *name)
{
	const struct pd_run *r = ctx;
	struct name_list list = { 0 };
	const char *near;
	char *copy;

	r->sut->ops->sysctls(r->sut, 0, add_name, &list);
	near = suggest(name, (const char *const *)list.name, list.count);
	copy = near ? xstrdup(near) : NULL;
	while (list.count)
		free(list.name[--list.count]);
	free(list.name);
	return copy;
}

static int command_sysctl_set(void *ctx, const char *name, const char *value)
{
	s64 err = pd_host_sysctl(ctx, name, value);

	return err < 0 ? (int)err : 0;
}

static int command_proc_read(void *ctx, const char *path, struct strbuf *out)
{
	struct pd_run *r = ctx;
	const char *name = strncmp(path, "/proc/", 6) == 0 ? path + 6 : path;
	u32 cap = 1u << 20;
	char *text = xrealloc(NULL, cap);
	s32 len = r->sut->ops->proc(r->sut, 0, name, text, cap);

	if (len > 0)
		strbuf_add(out, text, (size_t)len < cap ? (size_t)len : cap - 1);
	free(text);
	return len < 0 ? len : 0;
}

struct counter_call {
	void (*fn)(void *arg, const char *name, u64 value);
	void *arg;
};

static void tell_counter(void *ctx, const char *name, u64 value)
{
	const struct counter_call *c = ctx;

	c->fn(c->arg, name, value);
}

static int command_counters(void *ctx, void (*fn)(void *arg, const char *name, u64 value),
			    void *arg)
{
	struct pd_run *r = ctx;
	struct counter_call c = { fn, arg };

	r->sut->ops->counters(r->sut, 0, tell_counter, &c);
	return 0;
}

/* Names of states as ss has them, by the number that /proc/net/tcp shows. */
static const char *const ss_states[] = { "UNKNOWN",    "ESTAB",	     "SYN-SENT",  "SYN-RECV",
					 "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN",
					 "CLOSE-WAIT", "LAST-ACK",   "LISTEN",	  "CLOSING" };

static void ss_address(struct strbuf *out, const char *hex)
{
	/* %08X of the address as the kernel holds it: little endian, words of 4 bytes. */
	size_t digits = strcspn(hex, ":");
	struct pd_address a = { .v6 = digits == 32 };
	char text[PD_ADDRESS_TEXT];
	size_t i;

	for (i = 0; i < digits / 2 && i < sizeof(a.bytes); i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		a.bytes[(i & ~(size_t)3) + 3 - (i & 3)] = (u8)strtoul(pair, NULL, 16);
	}
	pd_address_text(&a, text);
	strbuf_printf(out, digits == 32 ? "[%s]:%lu" : "%s:%lu", text,
		      strtoul(hex + digits + (hex[digits] == ':'), NULL, 16));
}

static void ss_lines(const char *text, struct strbuf *out)
{
	const char *line;

	for (line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char local[48], remote[48];
		unsigned int state, tx, rx;

		if (sscanf(line, " %*u: %47s %47s %x %x:%x", local, remote, &state, &tx, &rx) != 5)
			continue;
		strbuf_printf(out, "%s %u %u ", ss_states[state < 12 ? state : 0], rx, tx);
		ss_address(out, local);
		strbuf_putc(out, ' ');
		ss_address(out, remote);
		strbuf_putc(out, '\n');
	}
}

static int command_ss(void *ctx, struct strbuf *out)
{
	struct strbuf text = { 0 };
	int err = command_proc_read(ctx, "/proc/net/tcp", &text);

	if (!err)
		ss_lines(strbuf_text(&text), out);
	strbuf_clear(&text);
	if (!err && !command_proc_read(ctx, "/proc/net/tcp6", &text))
		ss_lines(strbuf_text(&text), out);
	strbuf_free(&text);
	return err;
}

bool pd_prefix_parse(const char *text, struct pd_address *a, u32 *len)
{
	size_t n = strcspn(text, "/");
	char copy[64], *end = NULL;
	unsigned long bits;

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = 0;
	if (!pd_address_parse(copy, a))
		return false;
	*len = a->v6 ? 128 : 32;
	if (!text[n])
		return true;
	bits = strtoul(text + n + 1, &end, 10);
	if (end == text + n + 1 || *end || bits > *len)
		return false;
	*len = (u32)bits;
	return true;
}

/* A prefix of this family, or "default". */
static bool parse_destination(const char *text, bool v6, struct pd_address *a, u32 *len)
{
	if (strcmp(text, "default") == 0) {
		*a = (struct pd_address){ .v6 = v6 };
		*len = 0;
		return true;
	}
	return pd_prefix_parse(text, a, len) && a->v6 == v6;
}

static bool has_metrics(const struct pd_route *route)
{
	return route->advmss || route->initcwnd || route->initrwnd || route->window ||
	       route->rtt_ms || route->rto_min_ms || route->cwnd || route->ssthresh ||
	       route->hoplimit || route->reordering || route->quickack || route->features_ecn ||
	       route->fastopen_no_cookie || route->mtu_lock || route->congctl;
}

/* The metrics that were given, as the op carries them; how many bytes. */
static u32 route_attrs(const struct pd_route *route, u8 *out)
{
	const struct {
		u32 id, value;
		bool locked;
	} metrics[] = {
		{ RTAX_MTU, route->mtu, route->mtu_lock },
		{ RTAX_WINDOW, route->window, false },
		{ RTAX_RTT, route->rtt_ms * 8, false },
		{ RTAX_SSTHRESH, route->ssthresh, false },
		{ RTAX_CWND, route->cwnd, route->cwnd_lock },
		{ RTAX_ADVMSS, route->advmss, false },
		{ RTAX_REORDERING, route->reordering, false },
		{ RTAX_HOPLIMIT, route->hoplimit, false },
		{ RTAX_INITCWND, route->initcwnd, false },
		{ RTAX_FEATURES, route->features_ecn ? 1 : 0, false },
		{ RTAX_RTO_MIN, route->rto_min_ms, true },
		{ RTAX_INITRWND, route->initrwnd, false },
		{ RTAX_QUICKACK, route->quickack, false },
	};
	u32 len = 0;

	for (u32 i = 0; i < ARRAY_SIZE(metrics); i++) {
		if (!metrics[i].value)
			continue;
		out[len] = (u8)(metrics[i].id | (metrics[i].locked ? RTAX_ATTR_LOCKED : 0));
		for (u32 b = 0; b < 4; b++)
			out[len + 1 + b] = (u8)(metrics[i].value >> 8 * b);
		len += RTAX_ATTR_LEN;
	}
	return len;
}

static int route4(struct pd_run *r, const struct pd_route *route, const struct pd_address *dst,
		  u32 len)
{
	static const u8 verbs[] = { [PD_ROUTE_ADD] = ROUTE_ADD,
				    [PD_ROUTE_CHANGE] = ROUTE_CHANGE,
				    [PD_ROUTE_REPLACE] = ROUTE_REPLACE,
				    [PD_ROUTE_DEL] = ROUTE_DELETE };
	u8 attrs[16 * RTAX_ATTR_LEN], nexthop[RTNH_LEN] = { PD_TUN_IFINDEX };
	struct op op = { .kind = OP_ROUTE };
	struct pd_address via;
	s64 err;

	if (route->fastopen_no_cookie)
		return -EOPNOTSUPP;
	op.u.route.verb = verbs[route->verb];
	op.u.route.type = RTN_UNICAST;
	op.u.route.scope = RT_SCOPE_NOWHERE;
	op.u.route.metric = route->metric;
	op.u.route.prefix_len = len;
	op.u.route.dst = address_bytes(dst);
	op.u.route.attrs = (struct op_bytes){ attrs, route_attrs(route, attrs) };
	if (route->congctl)
		op.u.route.congctl = text_bytes(route->congctl);
	if (route->via) {
		if (!pd_address_parse(route->via, &via) || via.v6)
			return -EINVAL;
		nexthop[4] = RTNH_F_ONLINK;
		memcpy(nexthop + 9, address_bytes(&via).p, 4);
	}
	if (route->verb != PD_ROUTE_DEL || route->dev)
		op.u.route.nexthops = (struct op_bytes){ nexthop, sizeof(nexthop) };
	err = apply(r, &op);
	return err == -ENOENT && route->congctl ? -EOPNOTSUPP : err < 0 ? (int)err : 0;
}

static int command_route(void *ctx, const struct pd_route *route)
{
	struct pd_run *r = ctx;
	struct op op = { .kind = OP_ROUTE_ADD };
	struct pd_address dst, via;
	u32 len;
	s64 err;

	if (!parse_destination(route->dst, route->v6, &dst, &len))
		return -EINVAL;
	if (!route->v6)
		return route4(r, route, &dst, len);
	if (has_metrics(route))
		return -EOPNOTSUPP;
	if (route->verb != PD_ROUTE_ADD) {
		struct op del = { .kind = OP_ROUTE_DEL };

		del.u.route_del.type = RTN_UNICAST;
		del.u.route_del.metric = route->metric;
		del.u.route_del.prefix_len = len;
		del.u.route_del.dst = address_bytes(&dst);
		err = apply(r, &del);
		if (route->verb == PD_ROUTE_DEL || (err < 0 && route->verb == PD_ROUTE_CHANGE))
			return err < 0 ? (int)err : 0;
	}
	op.u.route_add.type = RTN_UNICAST;
	op.u.route_add.scope = RT_SCOPE_LINK;
	op.u.route_add.oif = PD_TUN_IFINDEX;
	op.u.route_add.metric = route->metric;
	op.u.route_add.mtu = route->mtu;
	op.u.route_add.prefix_len = len;
	op.u.route_add.dst = address_bytes(&dst);
	if (route->via) {
		if (!pd_address_parse(route->via, &via))
			return -EINVAL;
		op.u.route_add.scope = RT_SCOPE_UNIVERSE;
		op.u.route_add.flags = RTNH_F_ONLINK;
		op.u.route_add.gateway = address_bytes(&via);
	}
	err = apply(r, &op);
	return err < 0 ? (int)err : 0;
}

/* What of `ethtool -K` a tun device has. */
static int command_feature(void *ctx, const char *dev, const char *feature, bool on)
{
	static const struct {
		const char *name;
		u32 param;
	} features[] = {
		{ "tso", NIC_PARAM_TSO }, { "tcp-segmentation-offload", NIC_PARAM_TSO },
		{ "gso", NIC_PARAM_GSO }, { "generic-segmentation-offload", NIC_PARAM_GSO },
		{ "gro", NIC_PARAM_GRO }, { "generic-receive-offload", NIC_PARAM_GRO },
	};
	struct op op = { .kind = OP_NIC_SET };
	s64 err = -EOPNOTSUPP;

	if (strcmp(dev, "tun0") != 0)
		return -ENODEV;
	op.u.nic_set.ifindex = PD_TUN_IFINDEX;
	op.u.nic_set.value = on;
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		if (strcmp(features[i].name, feature) != 0)
			continue;
		op.u.nic_set.param = features[i].param;
		err = apply(ctx, &op);
	}
	return err < 0 ? (int)err : 0;
}

static int command_metrics_flush(void *ctx, const char *address)
{
	struct op op = { .kind = OP_TCP_METRICS_FLUSH };
	struct pd_address a;
	s64 err;

	if (address) {
		if (!pd_address_parse(address, &a))
			return -EINVAL;
		op.u.tcp_metrics_flush.addr = address_bytes(&a);
	}
	err = apply(ctx, &op);
	return err < 0 ? (int)err : 0;
}

static int command_qdisc(void *ctx, const struct tc_command *tc, struct strbuf *why)
{
	struct op op;
	struct strbuf extack = { 0 };
	s64 err;

	tc_op(tc, 0, &op);
	err = apply(ctx, &op);
	if (err >= 0)
		return 0;
	if (err == -ENODEV) {
		strbuf_printf(why, "Cannot find device \"%s\"\n", tc->dev);
		return (int)err;
	}
	command_proc_read(ctx, "/proc/tc/extack", &extack);
	/* One that the host does not have; Linux may. */
	if (strstr(strbuf_text(&extack), "kind is unknown"))
		err = -EOPNOTSUPP;
	else
		tc_refused(why, tc, strbuf_text(&extack), strerror((int)-err));
	strbuf_free(&extack);
	return (int)err;
}

static int command_sleep(void *ctx, u64 ns)
{
	struct pd_run *r = ctx;

	pd_reach(r, pd_now(r) + ns);
	return 0;
}

const struct pd_command_ops pd_host_commands = {
	.sysctl_get = command_sysctl_get,
	.sysctl_set = command_sysctl_set,
	.sysctl_near = command_sysctl_near,
	.proc_read = command_proc_read,
	.counters = command_counters,
	.ss = command_ss,
	.route = command_route,
	.feature = command_feature,
	.metrics_flush = command_metrics_flush,
	.qdisc = command_qdisc,
	.link_set = pd_host_link_set,
	.addr = pd_host_addr,
	.netfilter = pd_host_netfilter,
	.sleep = command_sleep,
};
