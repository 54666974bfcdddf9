/* SPDX-License-Identifier: MIT */
/* `tc filter show dev DEV parent P`, with `-s` the actions' statistics (iproute2: tc/tc_filter.c,
 * f_u32.c, f_fw.c, f_matchall.c, m_gact.c, m_mirred.c). */
#include "core/dev_core.h"
#include "kernel/host.h"
#include "lib/str.h"
#include "proc/proc_tc.h"
#include "proc/tc_words.h"
#include "sched/cls_api.h"
#include "sched/sch_api.h"

static const char *verdict_name(s32 verdict)
{
	switch (verdict) {
	case TC_ACT_UNSPEC:
		return "continue";
	case TC_ACT_OK:
		return "pass";
	case TC_ACT_RECLASSIFY:
		return "reclassify";
	case TC_ACT_SHOT:
		return "drop";
	case TC_ACT_PIPE:
		return "pipe";
	default:
		return "stolen";
	}
}

static void show_mirred(struct seq_file *m, const struct net *net, const struct tc_action *a)
{
	static const char *const how[] = { "", "Egress Redirect", "Egress Mirror",
					   "Ingress Redirect", "Ingress Mirror" };
	const struct net_device *dev = dev_get_by_index(net, a->ifindex);
	bool redirect = a->how == TCF_EGRESS_REDIR || a->how == TCF_INGRESS_REDIR;

	seq_puts(m, "mirred (");
	seq_puts(m, how[a->how]);
	seq_puts(m, " to device ");
	seq_puts(m, dev ? dev->name : "*");
	seq_puts(m, redirect ? ") stolen\n\t" : ") pipe\n\t");
}

static void show_gact(struct seq_file *m, const struct tc_action *a)
{
	seq_puts(m, "gact action ");
	seq_puts(m, verdict_name(a->verdict));
	seq_puts(m, "\n\t random type none pass val 0\n\t ");
}

static void show_times(struct seq_file *m, const struct tc_action *a, u64 now)
{
	seq_count(m, " installed ", (now - a->installed) / NSEC_PER_SEC);
	seq_count(m, " sec used ", (now - (a->used ? a->used : a->installed)) / NSEC_PER_SEC);
	if (a->firstused)
		seq_count(m, " sec firstused ", (now - a->firstused) / NSEC_PER_SEC);
	seq_puts(m, " sec");
}

static void show_action(struct seq_file *m, const struct net *net, const struct tc_action *a,
			u32 order, bool stats)
{
	const struct gnet_stats s = { .bytes = a->bytes,
				      .packets = a->packets,
				      .drops = a->drops,
				      .overlimits = a->overlimits };

	seq_count(m, "\taction order ", order);
	seq_puts(m, ": ");
	if (a->mirred)
		show_mirred(m, net, a);
	else
		show_gact(m, a);
	seq_count(m, "index ", a->index);
	seq_puts(m, " ref 1 bind 1");
	if (stats) {
		show_times(m, a, net_world(net)->now);
		seq_puts(m, a->mirred ? "\n\tAction statistics:\n" : "\n \tAction statistics:\n");
		seq_tc_stats(m, "\t", &s);
	}
	seq_puts(m, "\n\n");
}

static void show_protocol(struct seq_file *m, u16 protocol)
{
	switch (protocol) {
	case ETH_P_ALL:
		seq_puts(m, "all");
		break;
	case ETH_P_IP:
		seq_puts(m, "ip");
		break;
	case ETH_P_IPV6:
		seq_puts(m, "ipv6");
		break;
	case ETH_P_ARP:
		seq_puts(m, "arp");
		break;
	case ETH_P_8021Q:
		seq_puts(m, "802.1Q");
		break;
	default:
		seq_puts(m, "[");
		seq_u64(m, protocol, 0);
		seq_puts(m, "]");
	}
}

/* What stands in front of every line about a filter; shown_parent 0: it was asked for. */
static void head(struct seq_file *m, const struct tcf_proto *tp, u32 shown_parent)
{
	seq_puts(m, "filter ");
	if (shown_parent) {
		seq_puts(m, "parent ");
		seq_tc_handle(m, shown_parent, TC_H_MIN(shown_parent) != 0);
		seq_putc(m, ' ');
	}
	seq_puts(m, "protocol ");
	show_protocol(m, tp->protocol);
	seq_count(m, " pref ", tp->prio);
	seq_putc(m, ' ');
	seq_puts(m, cls_names[tp->kind]);
	seq_puts(m, " chain 0 ");
}

static void show_u32(struct seq_file *m, const struct tcf_proto *tp, const struct tcf_filter *f)
{
	u32 node = f->handle & 0xfff;

	seq_puts(m, "fh ");
	seq_hex(m, tp->htid, 0, false);
	seq_puts(m, "::");
	seq_hex(m, node, 0, false);
	seq_count(m, " order ", node);
	seq_puts(m, " key ht ");
	seq_hex(m, tp->htid, 0, false);
	seq_puts(m, " bkt 0 ");
	if (f->classid) {
		seq_puts(m, "*flowid ");
		seq_tc_handle(m, f->classid, true);
		seq_putc(m, ' ');
	} else if (f->actions_count) {
		seq_puts(m, "terminal flowid ");
	}
	seq_puts(m, "not_in_hw ");
	for (u32 i = 0; i < f->keys_count; i++) {
		const struct u32_key *k = &f->keys[i];

		seq_puts(m, "\n  match ");
		seq_hex(m, k->val, 8, false);
		seq_putc(m, '/');
		seq_hex(m, k->mask, 8, false);
		seq_puts(m, k->nexthdr ? " at nexthdr+" : " at ");
		if (k->off < 0)
			seq_putc(m, '-');
		seq_u64(m, k->off < 0 ? 0 - (u64)(s64)k->off : (u64)k->off, 0);
	}
	seq_line(m);
}

static void show_plain(struct seq_file *m, const struct tcf_proto *tp, const struct tcf_filter *f)
{
	seq_puts(m, "handle 0x");
	seq_hex(m, f->handle, 0, false);
	if (tp->kind == CLS_FW && f->mark_mask != UINT32_MAX) {
		seq_puts(m, "/0x");
		seq_hex(m, f->mark_mask, 0, false);
	}
	seq_putc(m, ' ');
	if (f->classid) {
		seq_puts(m, tp->kind == CLS_FW ? "classid " : "flowid ");
		seq_tc_handle(m, f->classid, true);
		seq_putc(m, ' ');
	}
	if (tp->kind == CLS_MATCHALL)
		seq_puts(m, "\n  not_in_hw");
	seq_line(m);
}

static void show_proto(struct seq_file *m, const struct net *net, const struct tcf_proto *tp,
		       u32 shown_parent, bool stats)
{
	head(m, tp, shown_parent);
	seq_line(m);
	if (tp->kind == CLS_U32) {
		head(m, tp, shown_parent);
		seq_puts(m, "fh ");
		seq_hex(m, tp->htid, 0, false);
		seq_puts(m, ": ht divisor 1 \n");
	}
	list_for_each(pos, &tp->filters) {
		const struct tcf_filter *f = list_entry(pos, struct tcf_filter, list);

		head(m, tp, shown_parent);
		if (tp->kind == CLS_U32)
			show_u32(m, tp, f);
		else
			show_plain(m, tp, f);
		for (u32 i = 0; i < f->actions_count; i++)
			show_action(m, net, &f->actions[i], i + 1, stats);
	}
}

static u32 read_hex(const char *s)
{
	u32 v = 0;

	for (; (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'f'); s++)
		v = v << 4 | (u32)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
	return v;
}

bool proc_tc_filter(struct seq_file *m, const struct net *net, const char *path)
{
	const char *rest, *why;
	char name[IFNAME_LEN];
	struct net_device *dev;
	struct tcf_block *b;
	u32 len = 0, parent, of;
	bool stats;

	rest = tc_view_rest(path, "filter", &stats);
	while (rest && rest[len] && rest[len] != '/')
		len++;
	if (!rest || len >= sizeof(name))
		return false;
	if (!rest[len])
		return true; /* of no device: tc shows nothing */
	str_copy_n(name, sizeof(name), rest, len);
	dev = dev_get_by_name(net, name);
	if (!dev)
		return false;
	parent = read_hex(rest + len + 1);
	b = tcf_block_find(dev, parent, &why);
	if (!b)
		return true;
	/* What the kernel says they hang at; shown unless it is what was asked for. */
	of = parent ? parent : dev->qdisc->handle;
	if (dev->clsact && dev->clsact->ops == &ingress_ops &&
	    TC_H_MAJ(parent) == TC_H_INGRESS_QDISC)
		of = TC_H_INGRESS_QDISC;
	list_for_each(pos, &b->protos)
		show_proto(m, net, list_entry(pos, struct tcf_proto, list), of == parent ? 0 : of,
			   stats);
	return true;
}
