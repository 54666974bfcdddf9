/* SPDX-License-Identifier: MIT */
/* ip, tc and ethtool: as far as scripts set up the host of a test. */
#include "packetdrill/shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *word, const char *name)
{
	return strcmp(word, name) == 0;
}

/* Words as iproute2 takes them: in full or begun ("r", "route"). */
static bool begins(const char *word, const char *name)
{
	return *word && strncmp(name, word, strlen(word)) == 0;
}

/* ---- ip route ---- */

struct number_key {
	const char *name;
	size_t offset;
};

#define KEY(name)                                      \
	{                                              \
#name, offsetof(struct pd_route, name) \
	}

static const struct number_key route_numbers[] = {
	KEY(advmss),
	KEY(mtu),
	KEY(initcwnd),
	KEY(initrwnd),
	KEY(window),
	KEY(cwnd),
	KEY(ssthresh),
	KEY(hoplimit),
	KEY(reordering),
	KEY(quickack),
	KEY(metric),
	KEY(fastopen_no_cookie),
	{ "rtt", offsetof(struct pd_route, rtt_ms) },
	{ "rto_min", offsetof(struct pd_route, rto_min_ms) },
};

/* 10, 10ms, 1s; false for what is none. */
static bool parse_number(const char *text, u32 *out)
{
	char *rest;
	unsigned long value = strtoul(text, &rest, 0);

	if (rest == text || value > 0xffffffff)
		return false;
	if (is(rest, "s") && value <= 4000000)
		value *= 1000;
	else if (*rest && !is(rest, "ms"))
		return false;
	*out = (u32)value;
	return true;
}

static u32 *number_place(struct pd_route *route, const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(route_numbers) / sizeof(route_numbers[0]); i++) {
		if (is(key, route_numbers[i].name))
			return (u32 *)(void *)((char *)route + route_numbers[i].offset);
	}
	return NULL;
}

/* Keys that take a text. */
static const char **text_place(struct pd_route *route, const char *key)
{
	return is(key, "via")	  ? &route->via :
	       is(key, "dev")	  ? &route->dev :
	       is(key, "src")	  ? &route->src :
	       is(key, "congctl") ? &route->congctl :
				    NULL;
}

static int route_keys(struct pd_invocation *c, int i, struct pd_route *route)
{
	for (; i < c->argc; i += 2) {
		const char *key = c->argv[i];
		u32 *number = number_place(route, key);
		const char **text = text_place(route, key);

		if (i + 1 < c->argc && is(c->argv[i + 1], "lock") && number) {
			route->mtu_lock |= is(key, "mtu");
			route->cwnd_lock |= is(key, "cwnd");
			if (!is(key, "mtu") && !is(key, "cwnd"))
				return pd_shell_unknown(c->reader, "lock of route", key);
			i++;
		}
		if (i + 1 == c->argc)
			return pd_shell_unknown(c->reader, "word in ip route", key);
		if (is(key, "features") && is(c->argv[i + 1], "ecn"))
			route->features_ecn = 1;
		else if (is(key, "proto") || (is(key, "table") && is(c->argv[i + 1], "main")) ||
			 (is(key, "scope") && is(c->argv[i + 1], "link")))
			continue; /* what they are without it, or nothing that routing looks at */
		else if (text)
			*text = c->argv[i + 1];
		else if (!number)
			return pd_shell_unknown(c->reader, "word in ip route", key);
		else if (!parse_number(c->argv[i + 1], number))
			return pd_shell_unknown(c->reader, "number", c->argv[i + 1]);
	}
	return 0;
}

static int route_show(struct pd_invocation *c, bool v6)
{
	const struct pd_command_ops *ops = c->shell->ops;
	int result = ops->route_show ? ops->route_show(c->shell->ctx, v6, c->out) : -EOPNOTSUPP;

	return pd_shell_answer(c, result, "command", "ip route show");
}

static int ip_route(struct pd_invocation *c, int i, bool v6)
{
	const struct pd_command_ops *ops = c->shell->ops;
	const char *verb = i < c->argc ? c->argv[i] : "show";
	struct pd_route route = { .v6 = v6 };

	if (is(verb, "show") || is(verb, "list"))
		return i + 1 < c->argc ? pd_shell_unknown(c->reader, "word in ip route show",
							  c->argv[i + 1]) :
					 route_show(c, v6);
	if (is(verb, "add") || is(verb, "append"))
		route.verb = PD_ROUTE_ADD;
	else if (is(verb, "change") || is(verb, "chg"))
		route.verb = PD_ROUTE_CHANGE;
	else if (is(verb, "replace"))
		route.verb = PD_ROUTE_REPLACE;
	else if (begins(verb, "delete"))
		route.verb = PD_ROUTE_DEL;
	else
		return pd_shell_unknown(c->reader, "word in ip route", verb);
	if (++i == c->argc)
		return pd_shell_unknown(c->reader, "use of ip route", verb);
	route.dst = c->argv[i++];
	if (route_keys(c, i, &route) < 0)
		return -1;
	return pd_shell_answer(c, ops->route ? ops->route(c->shell->ctx, &route) : -EOPNOTSUPP,
			       "route", route.dst);
}

/* ---- The other objects of ip ---- */

static int ip_metrics(struct pd_invocation *c, int i)
{
	const struct pd_command_ops *ops = c->shell->ops;
	const char *verb = i < c->argc ? c->argv[i] : "show";
	const char *address = i + 1 < c->argc && !is(c->argv[i + 1], "all") ? c->argv[i + 1] : NULL;
	int result = -EOPNOTSUPP;

	if (is(verb, "flush") || begins(verb, "delete"))
		result = ops->metrics_flush ? ops->metrics_flush(c->shell->ctx, address) : result;
	else if (is(verb, "show") || is(verb, "get"))
		result = ops->metrics_show ? ops->metrics_show(c->shell->ctx, address, c->out) :
					     result;
	return pd_shell_answer(c, result, "use of ip tcp_metrics", verb);
}

/* ip link set [dev] NAME key value ..., up and down without a value. */
static int ip_link(struct pd_invocation *c, int i)
{
	const struct pd_command_ops *ops = c->shell->ops;
	const char *dev;
	int status = 0;

	if (i == c->argc || !is(c->argv[i], "set"))
		return pd_shell_unknown(c->reader, "word in ip link",
					i < c->argc ? c->argv[i] : "");
	i++;
	if (i < c->argc && is(c->argv[i], "dev"))
		i++;
	if (i == c->argc)
		return pd_shell_unknown(c->reader, "use of ip link", "set");
	dev = c->argv[i++];
	while (i < c->argc && status == 0) {
		const char *key = c->argv[i++], *value = NULL;

		if (!is(key, "up") && !is(key, "down")) {
			if (i == c->argc)
				return pd_shell_unknown(c->reader, "word in ip link", key);
			value = c->argv[i++];
		}
		status = pd_shell_answer(
			c,
			ops->link_set ? ops->link_set(c->shell->ctx, dev, key, value) : -EOPNOTSUPP,
			"word in ip link", key);
	}
	return status;
}

static int ip_addr(struct pd_invocation *c, int i)
{
	const struct pd_command_ops *ops = c->shell->ops;
	const char *verb = i < c->argc ? c->argv[i] : "";
	bool add = is(verb, "add");

	if ((!add && !begins(verb, "delete")) || i + 4 != c->argc || !is(c->argv[i + 2], "dev"))
		return pd_shell_unknown(c->reader, "use of ip addr", verb);
	return pd_shell_answer(c,
			       ops->addr ? ops->addr(c->shell->ctx, add, c->argv[i + 1],
						     c->argv[i + 3]) :
					   -EOPNOTSUPP,
			       "address", c->argv[i + 1]);
}

static const char *const objects[] = { "link", "address", "neighbour", "rule", "route" };

/*
 * "ip [-s] [-d] OBJECT [show ...]" and "ip route get ...": the host's own text. -1: it is none of
 * them, and nothing has been printed.
 */
static int ip_show(struct pd_invocation *c, int *status)
{
	const struct pd_command_ops *ops = c->shell->ops;
	char path[160] = "/proc/ip";
	size_t k, n = strlen(path);
	int i = 1;

	for (; i < c->argc && (is(c->argv[i], "-s") || is(c->argv[i], "-d")); i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, " %s", c->argv[i]);
	for (k = 0; k < 5 && i < c->argc && !begins(c->argv[i], objects[k]); k++)
		;
	if (k == 5 || i == c->argc)
		return -1;
	snprintf(path + n, sizeof(path) - n, " %s",
		 k == 1 ? "addr" :
		 k == 2 ? "neigh" :
			  objects[k]);
	i++;
	if (k == 4 && i + 2 == c->argc && is(c->argv[i], "get")) {
		n = strlen(path);
		snprintf(path + n, sizeof(path) - n, " get %s", c->argv[i + 1]);
	} else if (i < c->argc && !is(c->argv[i], "show") && !is(c->argv[i], "list")) {
		return -1;
	} else if (i + 1 < c->argc && !is(c->argv[c->argc - 1], "tun0")) {
		/* Of one device: it is the only one but for lo. */
		return -1;
	}
	*status = pd_shell_answer(
		c, ops->proc_read ? ops->proc_read(c->shell->ctx, path, c->out) : -EOPNOTSUPP,
		"command", path + 6);
	return 0;
}

int pd_cmd_ip(struct pd_invocation *c)
{
	bool v6 = false;
	int i, status;

	if (ip_show(c, &status) == 0)
		return status;
	for (i = 1; i < c->argc && c->argv[i][0] == '-'; i++) {
		if (is(c->argv[i], "-6") || is(c->argv[i], "-4"))
			v6 = c->argv[i][1] == '6';
		else
			return pd_shell_unknown(c->reader, "option of ip", c->argv[i]);
	}
	if (i == c->argc)
		return pd_shell_unknown(c->reader, "use of ip", "alone");
	if (begins(c->argv[i], "route"))
		return ip_route(c, i + 1, v6);
	if (begins(c->argv[i], "tcp_metrics") || is(c->argv[i], "tcpmetrics"))
		return ip_metrics(c, i + 1);
	if (begins(c->argv[i], "link"))
		return ip_link(c, i + 1);
	if (begins(c->argv[i], "address"))
		return ip_addr(c, i + 1);
	return pd_shell_unknown(c->reader, "object of ip", c->argv[i]);
}

/* ---- tc ---- */

int pd_cmd_tc(struct pd_invocation *c)
{
	const struct pd_command_ops *ops = c->shell->ops;
	struct strbuf why = { 0 };
	struct tc_command tc;
	int err;

	if (!tc_parse(c->argc - 1, (const char *const *)c->argv + 1, &tc, &why)) {
		/* Its first line. */
		why.data[strcspn(why.data, "\n")] = '\0';
		err = pd_shell_unknown(c->reader, "use of tc", why.data);
		strbuf_free(&why);
		return err;
	}
	if (tc.show) {
		char path[128] = "/proc/";

		tc_view(&tc, path + 6, sizeof(path) - 6);
		err = ops->proc_read ? ops->proc_read(c->shell->ctx, path, c->out) : -EOPNOTSUPP;
		return pd_shell_answer(c, err, "device", tc.dev);
	}
	err = ops->qdisc ? ops->qdisc(c->shell->ctx, &tc, &why) : -EOPNOTSUPP;
	strbuf_puts(c->err, strbuf_text(&why));
	strbuf_free(&why);
	if (err == -EOPNOTSUPP)
		return pd_shell_unknown(c->reader, "qdisc", tc.kind);
	return err ? 2 : 0;
}

/* ethtool -K DEV feature on|off ... */
int pd_cmd_ethtool(struct pd_invocation *c)
{
	const struct pd_command_ops *ops = c->shell->ops;
	int i, status = 0;

	if (c->argc < 5 || c->argc % 2 == 0 || !is(c->argv[1], "-K"))
		return pd_shell_unknown(c->reader, "use of ethtool", c->argc > 1 ? c->argv[1] : "");
	for (i = 3; i + 1 < c->argc && status == 0; i += 2) {
		bool on = is(c->argv[i + 1], "on");

		if (!on && !is(c->argv[i + 1], "off"))
			return pd_shell_unknown(c->reader, "word in ethtool", c->argv[i + 1]);
		status = pd_shell_answer(c,
					 ops->feature ? ops->feature(c->shell->ctx, c->argv[2],
								     c->argv[i], on) :
							-EOPNOTSUPP,
					 "feature", c->argv[i]);
	}
	return status;
}
