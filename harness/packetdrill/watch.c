/* SPDX-License-Identifier: MIT */
/*
 * The host's commands with somebody who watches (`tapline convert`): each does what host.c does,
 * and tells what it was.
 */
#include "packetdrill/front.h"
#include "packetdrill/runner.h"

#include "stack/errno.h"

#include <inttypes.h>
#include <stdio.h>

static const struct pd_command_ops *const host = &pd_host_commands;

static void tell(void *ctx, enum pd_effect effect, const char *name, const char *value)
{
	const struct pd_run *r = ctx;

	r->watch->effect(r->watch->ctx, effect, name, value);
}

static int watched_sysctl_get(void *ctx, const char *name, struct strbuf *out)
{
	tell(ctx, PD_EFFECT_READ, name, NULL);
	return host->sysctl_get(ctx, name, out);
}

static int watched_sysctl_set(void *ctx, const char *name, const char *value)
{
	int err = host->sysctl_set(ctx, name, value);

	if (!err)
		tell(ctx, PD_EFFECT_SYSCTL, name, value);
	return err;
}

static char *watched_sysctl_near(void *ctx, const char *name)
{
	return host->sysctl_near(ctx, name);
}

static int watched_proc_read(void *ctx, const char *path, struct strbuf *out)
{
	tell(ctx, PD_EFFECT_READ, path, NULL);
	return host->proc_read(ctx, path, out);
}

static int watched_counters(void *ctx, void (*fn)(void *arg, const char *name, u64 value),
			    void *arg)
{
	tell(ctx, PD_EFFECT_READ, NULL, NULL);
	return host->counters(ctx, fn, arg);
}

static int watched_ss(void *ctx, struct strbuf *out)
{
	tell(ctx, PD_EFFECT_READ, NULL, NULL);
	return host->ss(ctx, out);
}

static int watched_metrics_flush(void *ctx, const char *address)
{
	tell(ctx, PD_EFFECT_METRICS_FLUSH, address, NULL);
	return host->metrics_flush(ctx, address);
}

static int watched_sleep(void *ctx, u64 ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, ns);
	tell(ctx, PD_EFFECT_SLEEP, text, NULL);
	return host->sleep(ctx, ns);
}

/* For the rest it is enough to know that they did something. */
#define WATCHED(name, args, call)                                  \
	static int watched_##name args                             \
	{                                                          \
		tell(ctx, PD_EFFECT_OTHER, #name, NULL);           \
		return host->name ? host->name call : -EOPNOTSUPP; \
	}

static int watched_qdisc(void *ctx, const struct tc_command *q, struct strbuf *why)
{
	char limit[16] = "";
	bool gone = q->verb == TC_DELETE || !q->kind[0];
	int err = host->qdisc ? host->qdisc(ctx, q, why) : -EOPNOTSUPP;

	if (err)
		return err;
	if (q->options_len == TC_OPTION_LEN && q->options[0] == TCA_LIMIT)
		snprintf(limit, sizeof(limit), "%" PRIu64, tc_option(q, TCA_LIMIT));
	if (q->object != TC_QDISC || (q->options_len && !*limit))
		tell(ctx, PD_EFFECT_OTHER, "qdisc", NULL);
	else
		tell(ctx, PD_EFFECT_QDISC, gone ? "pfifo_fast" : q->kind, limit);
	return 0;
}

WATCHED(route, (void *ctx, const struct pd_route *route), (ctx, route))
WATCHED(route_show, (void *ctx, bool v6, struct strbuf *out), (ctx, v6, out))
WATCHED(metrics_show, (void *ctx, const char *address, struct strbuf *out), (ctx, address, out))
WATCHED(link_set, (void *ctx, const char *dev, const char *key, const char *value),
	(ctx, dev, key, value))
WATCHED(addr, (void *ctx, bool add, const char *address, const char *dev), (ctx, add, address, dev))
WATCHED(feature, (void *ctx, const char *dev, const char *feature, bool on),
	(ctx, dev, feature, on))
WATCHED(netfilter,
	(void *ctx, int argc, char *const *argv, struct strbuf *out, int *status, const char **bad),
	(ctx, argc, argv, out, status, bad))

const struct pd_command_ops pd_watched_commands = {
	.sysctl_get = watched_sysctl_get,
	.sysctl_set = watched_sysctl_set,
	.sysctl_near = watched_sysctl_near,
	.proc_read = watched_proc_read,
	.counters = watched_counters,
	.ss = watched_ss,
	.route = watched_route,
	.route_show = watched_route_show,
	.metrics_flush = watched_metrics_flush,
	.metrics_show = watched_metrics_show,
	.qdisc = watched_qdisc,
	.link_set = watched_link_set,
	.addr = watched_addr,
	.feature = watched_feature,
	.netfilter = watched_netfilter,
	.sleep = watched_sleep,
};
