/* SPDX-License-Identifier: MIT */
/*
 * `tc qdisc show`, with `-s` its statistics, in tc's words (iproute2: tc/tc_qdisc.c, q_*.c): the
 * views "tc/qdisc", "tc/qdisc/stats", each with "/DEVICE" behind it for that device only; and
 * "tc/extack", what the kernel said about the last request.
 */
#include "core/dev_core.h"
#include "lib/str.h"
#include "proc/seq_file.h"
#include "sched/sch_api.h"

#define DIGITS_MAX 12u

/* num / den with so many significant digits, as %g prints it. */
static void seq_digits(struct seq_file *m, u64 num, u64 den, u32 significant)
{
	u64 whole = num / den, rem = num % den;
	u8 digit[DIGITS_MAX + 24];
	u32 n = 0, point, first = 0;
	u64 div = 1;

	while (whole / div >= 10)
		div *= 10;
	for (; div; div /= 10)
		digit[n++] = (u8)(whole / div % 10);
	point = n;
	while (first < n && !digit[first])
		first++;
	/* One digit more than is shown, to round by. */
	while (n - first <= significant && n < sizeof(digit) && rem) {
		rem *= 10;
		digit[n++] = (u8)(rem / den);
		rem %= den;
		if (n - 1 == first && !digit[first])
			first++;
	}
	if (n - first > significant && n > point) {
		u32 i = --n;
		bool up = digit[i] >= 5;

		while (up && i--)
			up = ++digit[i] == 10 && !(digit[i] = 0);
		if (up)
			seq_putc(m, '1');
	}
	while (n > point && !digit[n - 1])
		n--;
	for (u32 i = 0; i < n; i++) {
		if (i == point)
			seq_putc(m, '.');
		seq_putc(m, (char)('0' + digit[i]));
	}
}

/* print_size() */
static void seq_size(struct seq_file *m, u64 v)
{
	const u64 mb = 1024 * 1024;

	if (v >= mb && (v % mb < 1024 || mb - v % mb < 1024)) {
		seq_u64(m, (v + mb / 2) / mb, 0);
		seq_puts(m, "Mb");
	} else if (v >= 1024 && (v % 1024 < 16 || 1024 - v % 1024 < 16)) {
		seq_u64(m, (v + 512) / 1024, 0);
		seq_puts(m, "Kb");
	} else {
		seq_u64(m, v, 0);
		seq_putc(m, 'b');
	}
}

/* print_rate(): bytes a second, shown in bits. */
static void seq_rate(struct seq_file *m, u64 bytes)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	u64 rate = bytes * 8;
	u32 i = 0;

	for (; i < ARRAY_SIZE(units) - 1; i++) {
		if (rate < 1000 || (rate % 1000 && rate < 1000 * 1000))
			break;
		rate /= 1000;
	}
	seq_u64(m, rate, 0);
	seq_puts(m, units[i]);
	seq_puts(m, "bit");
}

/* print_time64() */
static void seq_time(struct seq_file *m, u64 ns)
{
	if (ns >= NSEC_PER_SEC) {
		seq_digits(m, ns, NSEC_PER_SEC, 3);
		seq_puts(m, "s");
	} else if (ns >= NSEC_PER_MSEC) {
		seq_digits(m, ns, NSEC_PER_MSEC, 3);
		seq_puts(m, "ms");
	} else if (ns >= NSEC_PER_USEC) {
		seq_digits(m, ns, NSEC_PER_USEC, 3);
		seq_puts(m, "us");
	} else {
		seq_u64(m, ns, 0);
		seq_puts(m, "ns");
	}
}

static void seq_percent(struct seq_file *m, u64 share)
{
	seq_digits(m, share * 100, UINT32_MAX, 6);
	seq_putc(m, '%');
}

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

static void priomap(struct seq_file *m, u64 map)
{
	seq_puts(m, "bands 3 priomap ");
	for (u32 i = 0; i <= TC_PRIO_MAX; i++) {
		seq_u64(m, map >> 4 * i & 15, 0);
		seq_putc(m, ' ');
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
	priomap(m, v[TCA_PRIOMAP]);
	seq_puts(m, "weights ");
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

static void show_options(struct seq_file *m, const struct Qdisc *q)
{
	struct tc_attrs o = { .present = 0 };

	if (!q->ops->dump)
		return;
	q->ops->dump(q, &o);
	if (q->ops == &pfifo_fast_ops)
		priomap(m, o.value[TCA_PRIOMAP]);
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

static void count(struct seq_file *m, const char *name, u64 v)
{
	seq_puts(m, name);
	seq_u64(m, v, 0);
}

static void fq_stats(struct seq_file *m, const u64 *s)
{
	count(m, "\n  flows ", s[FQ_FLOWS]);
	count(m, " (inactive ", s[FQ_INACTIVE]);
	count(m, " throttled ", s[FQ_THROTTLED_FLOWS]);
	count(m, ") band0_pkts ", s[FQ_BAND0]);
	count(m, " band1_pkts ", s[FQ_BAND1]);
	count(m, " band2_pkts ", s[FQ_BAND2]);
	if (s[FQ_NEXT_DELAY]) {
		count(m, "\n  next packet delay ", s[FQ_NEXT_DELAY]);
		seq_puts(m, " ns");
	}
	count(m, "\n  gc ", s[FQ_GC]);
	count(m, " highprio ", s[FQ_HIGHPRIO]);
	count(m, " fastpath ", s[FQ_FASTPATH]);
	count(m, " throttled ", s[FQ_THROTTLED]);
	if (s[FQ_LATENCY]) {
		seq_puts(m, " latency ");
		seq_time(m, s[FQ_LATENCY]);
	}
	if (s[FQ_CE_MARK])
		count(m, " ce_mark ", s[FQ_CE_MARK]);
	if (s[FQ_FLOWS_PLIMIT])
		count(m, " flows_plimit ", s[FQ_FLOWS_PLIMIT]);
	if (s[FQ_PKTS_TOO_LONG] || s[FQ_ALLOC_ERRORS]) {
		count(m, "\n  too long pkts ", s[FQ_PKTS_TOO_LONG]);
		count(m, " alloc errors ", s[FQ_ALLOC_ERRORS]);
	}
	if (s[FQ_HORIZON_DROPS] || s[FQ_HORIZON_CAPS]) {
		count(m, "\n  horizon_drops ", s[FQ_HORIZON_DROPS]);
		count(m, " horizon_caps ", s[FQ_HORIZON_CAPS]);
	}
	for (u32 i = 0; i < 3; i++) {
		if (!s[FQ_BAND0_DROPS + i])
			continue;
		count(m, "\n  band", i);
		count(m, "_drops ", s[FQ_BAND0_DROPS + i]);
	}
}

static void fq_codel_stats(struct seq_file *m, const u64 *s)
{
	count(m, "\n  maxpacket ", s[FQC_MAXPACKET]);
	count(m, " drop_overlimit ", s[FQC_DROP_OVERLIMIT]);
	count(m, " new_flow_count ", s[FQC_NEW_FLOWS]);
	count(m, " ecn_mark ", s[FQC_ECN_MARK]);
	if (s[FQC_CE_MARK])
		count(m, " ce_mark ", s[FQC_CE_MARK]);
	if (s[FQC_MEMORY])
		count(m, " memory_used ", s[FQC_MEMORY]);
	if (s[FQC_DROP_OVERMEMORY])
		count(m, " drop_overmemory ", s[FQC_DROP_OVERMEMORY]);
	count(m, "\n  new_flows_len ", s[FQC_NEW_LEN]);
	count(m, " old_flows_len ", s[FQC_OLD_LEN]);
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

	count(m, " Sent ", s.bytes);
	count(m, " bytes ", s.packets);
	count(m, " pkt (dropped ", s.drops);
	count(m, ", overlimits ", s.overlimits);
	count(m, " requeues ", s.requeues);
	seq_puts(m, ") \n backlog ");
	seq_size(m, s.backlog);
	count(m, " ", s.qlen);
	count(m, "p requeues ", s.requeues);
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

static void handle(struct seq_file *m, u32 h, bool class)
{
	if (h >> 16 || !class)
		seq_hex(m, h >> 16, 0, false);
	seq_putc(m, ':');
	if (class)
		seq_hex(m, h & 0xffff, 0, false);
}

static void head(struct seq_file *m, const struct net_device *dev, const char *kind, u32 number,
		 bool all)
{
	seq_puts(m, "qdisc ");
	seq_puts(m, kind);
	seq_putc(m, ' ');
	handle(m, number, false);
	seq_putc(m, ' ');
	if (!all)
		return;
	seq_puts(m, "dev ");
	seq_puts(m, dev->name);
	seq_putc(m, ' ');
}

static void show_tree(struct seq_file *m, struct Qdisc *q, bool all, bool stats)
{
	head(m, q->dev, q->ops->id, q->handle, all);
	if (q->parent == TC_H_ROOT) {
		seq_puts(m, "root ");
		/* The device's own, and one for each queue it serves. */
		if (!q->ops->multiqueue)
			word(m, "refcnt", AS_NUMBER, q->txq ? 2 : q->dev->num_tx_queues + 1);
	} else {
		seq_puts(m, "parent ");
		handle(m, q->parent, true);
		seq_putc(m, ' ');
	}
	show_options(m, q);
	seq_line(m);
	if (stats)
		show_stats(m, q);
	for (u32 i = 1; q->ops->child; i++) {
		struct Qdisc **child = q->ops->child(q, i);

		if (!child)
			break;
		/* tbf's own bfifo has no number and is not shown. */
		if (*child && (q->ops->multiqueue || (*child)->handle))
			show_tree(m, *child, all, stats);
	}
}

static void show_dev(struct seq_file *m, const struct net_device *dev, bool all, bool stats)
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

bool proc_tc(struct seq_file *m, const struct net *net, const char *path)
{
	const char *rest = str_after(path, "tc/qdisc"), *name;
	bool stats;

	if (str_eq(path, "tc/extack")) {
		seq_puts(m, tc_extack(net->host));
		return true;
	}
	if (!rest)
		return false;
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
