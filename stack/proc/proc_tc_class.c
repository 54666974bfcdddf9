/* SPDX-License-Identifier: MIT */
/* `tc class show dev DEV`, with `-s` (iproute2: tc/tc_class.c, q_htb.c). */
#include "core/dev_core.h"
#include "lib/str.h"
#include "proc/proc_tc.h"
#include "proc/tc_words.h"
#include "sched/sch_api.h"

const char *tc_view_rest(const char *path, const char *word, bool *stats)
{
	const char *rest = str_after(path, "tc/"), *more;

	rest = rest ? str_after(rest, word) : NULL;
	if (!rest || *rest++ != '/')
		return NULL;
	more = str_after(rest, "stats/");
	*stats = more != NULL;
	return more ? more : rest;
}

/* tc thinks in ticks of 64 ns and whole microseconds (tc_calc_xmitsize). */
static u64 burst_size(u64 rate, u64 ns)
{
	return rate * (ns / 64 * 64 / NSEC_PER_USEC) / 1000000;
}

static void show_htb(struct seq_file *m, const struct tc_class *c)
{
	const u64 *v = c->opt.value;

	if (!c->inner)
		seq_count(m, "prio ", v[TCA_PRIO]);
	seq_puts(m, c->inner ? "rate " : " rate ");
	seq_rate(m, v[TCA_RATE]);
	seq_puts(m, " ceil ");
	seq_rate(m, v[TCA_PEAKRATE]);
	seq_puts(m, " burst ");
	seq_size(m, burst_size(v[TCA_RATE], v[TCA_BURST]));
	seq_puts(m, " cburst ");
	seq_size(m, burst_size(v[TCA_PEAKRATE], v[TCA_MTU]));
	seq_putc(m, ' ');
}

static void seq_ticks(struct seq_file *m, const char *name, s64 ns)
{
	s64 ticks = ns / 64;

	seq_puts(m, name);
	if (ticks < 0)
		seq_putc(m, '-');
	seq_u64(m, ticks < 0 ? (u64)-ticks : (u64)ticks, 0);
}

static void show_class(struct seq_file *m, struct Qdisc *q, u32 minor, bool stats)
{
	struct tc_class c = { .parent = 0 };

	q->ops->class_dump(q, minor, &c);
	seq_puts(m, "class ");
	seq_puts(m, q->ops->id);
	seq_putc(m, ' ');
	seq_tc_handle(m, q->handle | minor, true);
	if (q->ops != &htb_ops || c.parent) {
		seq_puts(m, " parent ");
		seq_tc_handle(m, q->handle | c.parent, c.parent != 0);
	} else {
		seq_puts(m, " root");
	}
	seq_putc(m, ' ');
	if (c.leaf && c.leaf->handle) {
		seq_puts(m, "leaf ");
		seq_tc_handle(m, c.leaf->handle, false);
		seq_putc(m, ' ');
	}
	if (q->ops == &htb_ops)
		show_htb(m, &c);
	seq_line(m);
	if (!stats)
		return;
	seq_tc_stats(m, " ", &c.stats);
	if (q->ops == &htb_ops) {
		seq_count(m, "\n lended: ", c.lends);
		seq_count(m, " borrowed: ", c.borrows);
		seq_puts(m, " giants: 0\n");
		seq_ticks(m, " tokens: ", c.tokens);
		seq_ticks(m, " ctokens: ", c.ctokens);
		seq_line(m);
	}
	seq_line(m);
}

static void show_classes(struct seq_file *m, struct Qdisc *q, bool stats)
{
	struct Qdisc **child;
	u32 minor;

	for (u32 n = 0; q->ops->class_dump && (child = qdisc_child_at(q, n, &minor)) != NULL; n++)
		show_class(m, q, minor, stats);
	for (u32 n = 0; (child = qdisc_child_at(q, n, &minor)) != NULL; n++)
		if (*child)
			show_classes(m, *child, stats);
}

bool proc_tc_class(struct seq_file *m, const struct net *net, const char *path)
{
	const struct net_device *dev;
	const char *name;
	bool stats;

	if (str_eq(path, "tc/class") || str_eq(path, "tc/class/stats"))
		return true; /* of no device: tc shows nothing */
	name = tc_view_rest(path, "class", &stats);
	dev = name ? dev_get_by_name(net, name) : NULL;
	if (dev && dev->qdisc)
		show_classes(m, dev->qdisc, stats);
	return dev != NULL;
}
