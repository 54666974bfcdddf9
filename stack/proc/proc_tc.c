/* SPDX-License-Identifier: MIT */
/*
 * `tc qdisc show`, with `-s` its statistics, in tc's words (iproute2: tc/tc_qdisc.c, q_*.c): the
 * views "tc/qdisc", "tc/qdisc/stats", each with "/DEVICE" behind it for that device only; and
 * "tc/extack", what the kernel said about the last request.
 */
#include "core/dev_core.h"
#include "lib/str.h"
#include "proc/proc_tc.h"
#include "proc/tc_words.h"
#include "sched/sch_api.h"

/* " WORD VALUE": values as the options' kinds are shown. */
enum shown { AS_NUMBER, AS_PACKETS, AS_SIZE, AS_RATE, AS_TIME, AS_PERCENT };

static void seq_value(struct seq_file *m, enum shown as, u64 v)
{
	switch (as) {
	case AS_NUMBER:
		seq_u64(m, v, 0);
		break;
	case AS_PACKETS:
		seq_u64(m, v, 0);
		seq_putc(m, 'p');
		break;
	case AS_SIZE:
		seq_size(m, v);
		break;
	case AS_RATE:
		seq_rate(m, v);
		break;
	case AS_TIME:
		seq_time(m, v);
		break;
	case AS_PERCENT:
		seq_percent(m, v);
		break;
	}
}

static void word(struct seq_file *m, const char *name, enum shown as, u64 v)
{
	seq_puts(m, name);
	seq_putc(m, ' ');
	seq_value(m, as, v);
	seq_putc(m, ' ');
}

static void priomap(struct seq_file *m, u64 bands, u64 map)
{
	word(m, "bands", AS_NUMBER, bands);
	seq_puts(m, "priomap ");
	for (u32 i = 0; i <= TC_PRIO_MAX; i++) {
		if (i)
			seq_putc(m, ' ');
		seq_u64(m, map >> 4 * i & 15, 0);
	}
}

/* ---- options ---- */

static void show_fifo(struct seq_file *m, const struct tc_attrs *o, bool bytes)
{
	seq_puts(m, "limit ");
	seq_u64(m, o->value[TCA_LIMIT], 0);
	seq_puts(m, bytes ? "b" : "p");
}

static void show_fq(struct seq_file *m, const u64 *v)
{
	word(m, "limit", AS_PACKETS, v[TCA_LIMIT]);
	word(m, "flow_limit", AS_PACKETS, v[TCA_FLOW_LIMIT]);
	word(m, "buckets", AS_NUMBER, v[TCA_BUCKETS]);
	word(m, "orphan_mask", AS_NUMBER, v[TCA_ORPHAN_MASK]);
	priomap(m, 3, v[TCA_PRIOMAP]);
	seq_puts(m, " weights ");
	for (u32 i = TCA_WEIGHT0; i <= TCA_WEIGHT2; i++) {
		seq_u64(m, v[i], 0);
		seq_putc(m, ' ');
	}
	if (!v[TCA_PACING])
		seq_puts(m, "nopacing ");
	word(m, "quantum", AS_SIZE, v[TCA_QUANTUM]);
	word(m, "initial_quantum", AS_SIZE, v[TCA_INITIAL_QUANTUM]);
	if (v[TCA_MAXRATE] != UINT64_MAX)
		word(m, "maxrate", AS_RATE, v[TCA_MAXRATE]);
	if (v[TCA_LOW_RATE_THRESHOLD])
		word(m, "low_rate_threshold", AS_RATE, v[TCA_LOW_RATE_THRESHOLD]);
	word(m, "refill_delay", AS_TIME, v[TCA_REFILL_DELAY]);
	if (v[TCA_CE_THRESHOLD] != UINT64_MAX)
		word(m, "ce_threshold", AS_TIME, v[TCA_CE_THRESHOLD]);
	word(m, "timer_slack", AS_TIME, v[TCA_TIMER_SLACK]);
	word(m, "horizon", AS_TIME, v[TCA_HORIZON]);
	seq_puts(m, v[TCA_HORIZON_DROP] ? "horizon_drop " : "horizon_cap ");
	if (v[TCA_OFFLOAD_HORIZON])
		word(m, "offload_horizon", AS_TIME, v[TCA_OFFLOAD_HORIZON]);
}

static void show_fq_codel(struct seq_file *m, const u64 *v)
{
	word(m, "limit", AS_PACKETS, v[TCA_LIMIT]);
	word(m, "flows", AS_NUMBER, v[TCA_FLOWS]);
	word(m, "quantum", AS_NUMBER, v[TCA_QUANTUM]);
	word(m, "target", AS_TIME, v[TCA_TARGET]);
	if (v[TCA_CE_THRESHOLD] != UINT64_MAX)
		word(m, "ce_threshold", AS_TIME, v[TCA_CE_THRESHOLD]);
	word(m, "interval", AS_TIME, v[TCA_INTERVAL]);
	word(m, "memory_limit", AS_SIZE, v[TCA_MEMORY_LIMIT]);
	if (v[TCA_ECN])
		seq_puts(m, "ecn ");
	word(m, "drop_batch", AS_NUMBER, v[TCA_DROP_BATCH]);
}

static void netem_share(struct seq_file *m, const char *name, const u64 *v, u32 share, u32 corr)
{
	if (!v[share])
		return;
	seq_puts(m, name);
	seq_percent(m, v[share]);
	if (v[corr]) {
		seq_putc(m, ' ');
		seq_percent(m, v[corr]);
	}
}

static void netem_loss(struct seq_file *m, const u64 *v)
{
	static const char *const state[] = { " loss state p13 ", " p31 ", " p32 ", " p23 ",
					     " p14 " };
	static const char *const ge[] = { " loss gemodel p ", " r ", " 1-h ", " 1-k " };
	bool four = v[TCA_LOSS_MODEL] == TC_LOSS_STATE;

	if (v[TCA_LOSS_MODEL] == TC_LOSS_RANDOM) {
		netem_share(m, " loss ", v, TCA_LOSS, TCA_LOSS_CORR);
		return;
	}
	for (u32 i = 0; i < (four ? ARRAY_SIZE(state) : ARRAY_SIZE(ge)); i++) {
		seq_puts(m, four ? state[i] : ge[i]);
		seq_percent(m, v[TCA_LOSS_P1 + i]);
	}
}

static void netem_s32(struct seq_file *m, const char *name, u64 v)
{
	s32 n = (s32)(u32)v;

	seq_puts(m, name);
	if (n < 0)
		seq_putc(m, '-');
	seq_u64(m, n < 0 ? 0 - (u64)(s64)n : (u64)n, 0);
}

static void netem_rate(struct seq_file *m, const u64 *v)
{
	if (!v[TCA_RATE])
		return;
	seq_puts(m, " rate ");
	seq_rate(m, v[TCA_RATE]);
	if (v[TCA_PACKET_OVERHEAD])
		netem_s32(m, " packetoverhead ", v[TCA_PACKET_OVERHEAD]);
	if (!v[TCA_CELL_SIZE])
		return;
	seq_puts(m, " cellsize ");
	seq_u64(m, v[TCA_CELL_SIZE], 0);
	if (v[TCA_CELL_OVERHEAD])
		netem_s32(m, " celloverhead ", v[TCA_CELL_OVERHEAD]);
}

static void netem_slot(struct seq_file *m, const u64 *v)
{
	bool dist = v[TCA_SLOT_DIST] != 0;

	if (!v[TCA_SLOT_MIN] && !v[TCA_SLOT_MAX])
		return;
	seq_puts(m, dist ? " slot distribution " : " slot ");
	seq_time(m, v[TCA_SLOT_MIN]);
	seq_putc(m, ' ');
	seq_time(m, v[TCA_SLOT_MAX]);
	if (v[TCA_SLOT_PACKETS])
		seq_count(m, " packets ", v[TCA_SLOT_PACKETS]);
	if (v[TCA_SLOT_BYTES])
		seq_count(m, " bytes ", v[TCA_SLOT_BYTES]);
}

static void show_netem(struct seq_file *m, const u64 *v)
{
	seq_puts(m, "limit ");
	seq_u64(m, v[TCA_LIMIT], 0);
	if (v[TCA_LATENCY]) {
		seq_puts(m, " delay ");
		seq_time(m, v[TCA_LATENCY]);
		if (v[TCA_JITTER]) {
			seq_puts(m, "  ");
			seq_time(m, v[TCA_JITTER]);
			if (v[TCA_DELAY_CORR]) {
				seq_putc(m, ' ');
				seq_percent(m, v[TCA_DELAY_CORR]);
			}
		}
	}
	netem_loss(m, v);
	netem_share(m, " duplicate ", v, TCA_DUPLICATE, TCA_DUPLICATE_CORR);
	netem_share(m, " reorder ", v, TCA_REORDER, TCA_REORDER_CORR);
	netem_share(m, " corrupt ", v, TCA_CORRUPT, TCA_CORRUPT_CORR);
	netem_rate(m, v);
	netem_slot(m, v);
	if (v[TCA_ECN])
		seq_puts(m, " ecn");
	if (v[TCA_GAP]) {
		seq_puts(m, " gap ");
		seq_u64(m, v[TCA_GAP], 0);
	}
	seq_puts(m, " seed ");
	seq_u64(m, v[TCA_SEED], 0);
}

static void show_tbf(struct seq_file *m, const u64 *v)
{
	u64 limit = v[TCA_LIMIT], latency = 0;

	word(m, "rate", AS_RATE, v[TCA_RATE]);
	word(m, "burst", AS_SIZE, v[TCA_BURST]);
	if (v[TCA_PEAKRATE]) {
		word(m, "peakrate", AS_RATE, v[TCA_PEAKRATE]);
		word(m, "minburst", AS_SIZE, v[TCA_MTU]);
	}
	if (limit > v[TCA_BURST])
		latency = (limit - v[TCA_BURST]) * NSEC_PER_SEC / v[TCA_RATE];
	if (v[TCA_PEAKRATE] && limit > v[TCA_MTU])
		latency = max_u64(latency, (limit - v[TCA_MTU]) * NSEC_PER_SEC / v[TCA_PEAKRATE]);
	if (latency)
		word(m, "lat", AS_TIME, latency);
	else
		word(m, "limit", AS_SIZE, limit);
}

static void show_htb(struct seq_file *m, const u64 *v)
{
	word(m, "r2q", AS_NUMBER, v[TCA_R2Q]);
	seq_puts(m, v[TCA_DEFCLS] ? "default 0x" : "default ");
	seq_hex(m, v[TCA_DEFCLS], 0, false);
	seq_count(m, " direct_packets_stat ", v[TCA_LIMIT]);
	seq_count(m, " direct_qlen ", v[TCA_FLOW_LIMIT]);
}

static void show_options(struct seq_file *m, const struct Qdisc *q)
{
	struct tc_attrs o = { .present = 0 };

	if (!q->ops->dump)
		return;
	q->ops->dump(q, &o);
	if (q->ops == &pfifo_fast_ops)
		priomap(m, 3, o.value[TCA_PRIOMAP]);
	else if (q->ops == &prio_ops)
		priomap(m, o.value[TCA_BANDS], o.value[TCA_PRIOMAP]);
	else if (q->ops == &htb_ops)
		show_htb(m, o.value);
	else if (q->ops == &fq_ops)
		show_fq(m, o.value);
	else if (q->ops == &fq_codel_ops)
		show_fq_codel(m, o.value);
	else if (q->ops == &netem_ops)
		show_netem(m, o.value);
	else if (q->ops == &tbf_ops)
		show_tbf(m, o.value);
	else
		show_fifo(m, &o, q->ops == &bfifo_ops);
}

/* ---- statistics ---- */

static void fq_stats(struct seq_file *m, const u64 *s)
{
	seq_count(m, "\n  flows ", s[FQ_FLOWS]);
	seq_count(m, " (inactive ", s[FQ_INACTIVE]);
	seq_count(m, " throttled ", s[FQ_THROTTLED_FLOWS]);
	seq_count(m, ") band0_pkts ", s[FQ_BAND0]);
	seq_count(m, " band1_pkts ", s[FQ_BAND1]);
	seq_count(m, " band2_pkts ", s[FQ_BAND2]);
	if (s[FQ_NEXT_DELAY]) {
		seq_count(m, "\n  next packet delay ", s[FQ_NEXT_DELAY]);
		seq_puts(m, " ns");
	}
	seq_count(m, "\n  gc ", s[FQ_GC]);
	seq_count(m, " highprio ", s[FQ_HIGHPRIO]);
	seq_count(m, " fastpath ", s[FQ_FASTPATH]);
	seq_count(m, " throttled ", s[FQ_THROTTLED]);
	if (s[FQ_LATENCY]) {
		seq_puts(m, " latency ");
		seq_time(m, s[FQ_LATENCY]);
	}
	if (s[FQ_CE_MARK])
		seq_count(m, " ce_mark ", s[FQ_CE_MARK]);
	if (s[FQ_FLOWS_PLIMIT])
		seq_count(m, " flows_plimit ", s[FQ_FLOWS_PLIMIT]);
	if (s[FQ_PKTS_TOO_LONG] || s[FQ_ALLOC_ERRORS]) {
		seq_count(m, "\n  too long pkts ", s[FQ_PKTS_TOO_LONG]);
		seq_count(m, " alloc errors ", s[FQ_ALLOC_ERRORS]);
	}
	if (s[FQ_HORIZON_DROPS] || s[FQ_HORIZON_CAPS]) {
		seq_count(m, "\n  horizon_drops ", s[FQ_HORIZON_DROPS]);
		seq_count(m, " horizon_caps ", s[FQ_HORIZON_CAPS]);
	}
	for (u32 i = 0; i < 3; i++) {
		if (!s[FQ_BAND0_DROPS + i])
			continue;
		seq_count(m, "\n  band", i);
		seq_count(m, "_drops ", s[FQ_BAND0_DROPS + i]);
	}
}

static void fq_codel_stats(struct seq_file *m, const u64 *s)
{
	seq_count(m, "\n  maxpacket ", s[FQC_MAXPACKET]);
	seq_count(m, " drop_overlimit ", s[FQC_DROP_OVERLIMIT]);
	seq_count(m, " new_flow_count ", s[FQC_NEW_FLOWS]);
	seq_count(m, " ecn_mark ", s[FQC_ECN_MARK]);
	if (s[FQC_CE_MARK])
		seq_count(m, " ce_mark ", s[FQC_CE_MARK]);
	if (s[FQC_MEMORY])
		seq_count(m, " memory_used ", s[FQC_MEMORY]);
	if (s[FQC_DROP_OVERMEMORY])
		seq_count(m, " drop_overmemory ", s[FQC_DROP_OVERMEMORY]);
	seq_count(m, "\n  new_flows_len ", s[FQC_NEW_LEN]);
	seq_count(m, " old_flows_len ", s[FQC_OLD_LEN]);
}

/* mq has what its children have. */
static struct gnet_stats stats_of(const struct Qdisc *q)
{
	struct gnet_stats s = q->stats;

	for (u32 i = 0; q->ops->multiqueue && i < q->dev->num_tx_queues; i++) {
		const struct gnet_stats *c = &q->dev->tx[i].qdisc->stats;

		s.bytes += c->bytes;
		s.packets += c->packets;
		s.drops += c->drops;
		s.overlimits += c->overlimits;
		s.requeues += c->requeues;
		s.backlog += c->backlog;
		s.qlen += c->qlen;
	}
	return s;
}

static void show_stats(struct seq_file *m, struct Qdisc *q)
{
	struct gnet_stats s = stats_of(q);
	u64 own[TC_XSTATS_MAX];

	seq_tc_stats(m, " ", &s);
	if (q->ops->dump_stats) {
		q->ops->dump_stats(q, own);
		if (q->ops == &fq_ops)
			fq_stats(m, own);
		else
			fq_codel_stats(m, own);
	}
	seq_line(m);
}

/* ---- the view ---- */

static void head(struct seq_file *m, const struct net_device *dev, const char *kind, u32 number,
		 bool all)
{
	seq_puts(m, "qdisc ");
	seq_puts(m, kind);
	seq_putc(m, ' ');
	seq_tc_handle(m, number, false);
	seq_putc(m, ' ');
	if (!all)
		return;
	seq_puts(m, "dev ");
	seq_puts(m, dev->name);
	seq_putc(m, ' ');
}

static void show_tree(struct seq_file *m, struct Qdisc *q, bool all, bool stats)
{
	struct Qdisc **child;
	u32 minor;

	head(m, q->dev, q->ops->id, q->handle, all);
	if (q->parent == TC_H_CLSACT) {
		seq_puts(m, q->ops == &ingress_ops ? "parent ffff:fff1 ---------------- " :
						     "parent ffff:fff1 ");
	} else if (q->parent == TC_H_ROOT) {
		seq_puts(m, "root ");
		/* The device's own, and one for each queue it serves. */
		if (!q->ops->multiqueue)
			word(m, "refcnt", AS_NUMBER, q->txq ? 2 : q->dev->num_tx_queues + 1);
	} else {
		seq_puts(m, "parent ");
		seq_tc_handle(m, q->parent, true);
		seq_putc(m, ' ');
	}
	show_options(m, q);
	seq_line(m);
	if (stats)
		show_stats(m, q);
	for (u32 n = 0; (child = qdisc_child_at(q, n, &minor)) != NULL; n++) {
		/* tbf's own bfifo has no number and is not shown. */
		if (*child && (q->ops->multiqueue || (*child)->handle))
			show_tree(m, *child, all, stats);
	}
}

static void show_root(struct seq_file *m, const struct net_device *dev, bool all, bool stats)
{
	if (dev->qdisc) {
		show_tree(m, dev->qdisc, all, stats);
		return;
	}
	head(m, dev, "noqueue", 0, all);
	seq_puts(m, "root refcnt 2 \n");
	if (stats)
		seq_puts(m, " Sent 0 bytes 0 pkt (dropped 0, overlimits 0 requeues 0) \n"
			    " backlog 0b 0p requeues 0\n");
}

static void show_dev(struct seq_file *m, const struct net_device *dev, bool all, bool stats)
{
	show_root(m, dev, all, stats);
	if (dev->clsact)
		show_tree(m, dev->clsact, all, stats);
}

bool proc_tc(struct seq_file *m, const struct net *net, const char *path)
{
	const char *rest = str_after(path, "tc/qdisc"), *name;
	bool stats;

	if (str_eq(path, "tc/extack")) {
		seq_puts(m, tc_extack(net->host));
		return true;
	}
	if (!rest)
		return proc_tc_class(m, net, path) || proc_tc_filter(m, net, path);
	name = str_after(rest, "/stats");
	stats = name && (!*name || *name == '/');
	if (stats)
		rest = name;
	if (*rest == '/') {
		const struct net_device *dev = dev_get_by_name(net, rest + 1);

		if (dev)
			show_dev(m, dev, false, stats);
		return dev != NULL;
	}
	if (*rest)
		return false;
	list_for_each(pos, &net->dev_base)
		show_dev(m, list_entry(pos, struct net_device, dev_list), true, stats);
	return true;
}
