/* SPDX-License-Identifier: MIT */
/*
 * htb (net/sched/sch_htb.c): a tree of classes, each with a rate that it has and a ceiling up to
 * which it may borrow from the class above. Leaves hold disciplines. A packet goes from a leaf
 * whose own bucket has tokens, else from one that finds tokens above; leaves of one level and
 * priority take turns by quantum (DRR).
 *
 * Linux keeps trees of who may send and who waits; here each dequeue looks at all classes, and
 * buckets are filled up to the time of the look: the same choice for less state. Of several inner
 * classes of one level that lend at the same time the one with the lowest number is served first.
 *
 * Invariants: a class with classes below has no discipline (leaf NULL); tokens never exceed the
 * bucket; what sch counts as queued lies in leaves, or in `direct`.
 */
#include "sched/cls_api.h"
#include "sched/sch_api.h"
#include "sched/sch_flows.h"

#include "kernel/host.h"

#define HTB_MAXDEPTH	8u
#define HTB_PRIOS	8u
#define HTB_MBUFFER	(60 * (s64)NSEC_PER_SEC)
#define HTB_R2Q		10u
#define HTB_QUANTUM_MIN 1000u
#define HTB_QUANTUM_MAX 200000u

enum htb_cmode { HTB_CANT_SEND, HTB_MAY_BORROW, HTB_CAN_SEND };

struct htb_class {
	struct list_head list; /* of the qdisc, by minor */
	struct Qdisc *sch;
	u32 minor, prio, level, children;
	struct htb_class *parent;
	u64 rate, ceil; /* bytes a second */
	s64 buffer, cbuffer; /* what the buckets hold, ns */
	s64 tokens, ctokens;
	u64 t_c; /* when they were counted */
	u64 quantum;
	u32 quantum_said; /* 0: by r2q */
	s64 deficit[HTB_MAXDEPTH];
	struct Qdisc *leaf;
	struct tcf_block block;
	struct gnet_stats stats; /* of an inner class, and what is not in the leaf's */
	u64 lends, borrows;
};

struct htb_priv {
	struct Qdisc *sch;
	struct list_head classes;
	struct tcf_block block;
	u32 defcls, r2q, direct_qlen;
	u64 direct_pkts;
	struct sk_buff_head direct;
	/* Whose turn it is, by level and priority: the class of this number or the next one. */
	u32 turn[HTB_MAXDEPTH][HTB_PRIOS];
};

static u64 htb_now(const struct Qdisc *sch)
{
	return ktime_get_ns(dev_host(sch->dev));
}

static struct htb_class *htb_find(const struct htb_priv *p, u32 minor)
{
	list_for_each(pos, &p->classes) {
		struct htb_class *cl = list_entry(pos, struct htb_class, list);

		if (cl->minor == minor)
			return cl;
	}
	return NULL;
}

static struct htb_class *htb_find_id(const struct htb_priv *p, u32 classid)
{
	return TC_H_MAJ(classid) == p->sch->handle ? htb_find(p, TC_H_MIN(classid)) : NULL;
}

/* ---- in ---- */

/* htb_classify(). NULL with *direct: past all classes; NULL without: the packet is gone. */
static struct htb_class *htb_classify(struct sk_buff *skb, struct Qdisc *sch, bool *direct, int *rc)
{
	struct htb_priv *p = sch->priv;
	struct htb_class *cl = htb_find_id(p, skb->priority);
	struct tcf_block *block = &p->block;
	u32 classid;

	*direct = true;
	if (skb->priority == sch->handle)
		return NULL;
	if (cl && !cl->level)
		return cl;
	if (cl)
		block = &cl->block;
	for (u32 depth = 0; depth <= HTB_MAXDEPTH; depth++) {
		if (!tcf_classify_qdisc(skb, sch, block, &classid, rc)) {
			*direct = false;
			return NULL;
		}
		if (!classid)
			break;
		cl = htb_find_id(p, classid);
		if (classid == sch->handle)
			return NULL;
		if (!cl)
			break;
		if (!cl->level)
			return cl;
		block = &cl->block;
	}
	cl = htb_find(p, p->defcls);
	return cl && !cl->level ? cl : NULL;
}

static int htb_enqueue_direct(struct sk_buff *skb, struct Qdisc *sch)
{
	struct htb_priv *p = sch->priv;

	if (p->direct.qlen >= p->direct_qlen)
		return qdisc_drop_reason(skb, sch, SKB_DROP_REASON_QDISC_OVERLIMIT);
	skb_queue_tail(&p->direct, skb);
	qdisc_qlen_inc(sch, skb);
	p->direct_pkts++;
	return NET_XMIT_SUCCESS;
}

static int htb_enqueue(struct sk_buff *skb, struct Qdisc *sch)
{
	u32 len = skb->len;
	bool direct;
	int rc = NET_XMIT_DROP;
	struct htb_class *cl = htb_classify(skb, sch, &direct, &rc);

	if (!cl)
		return direct ? htb_enqueue_direct(skb, sch) : rc;
	rc = cl->leaf->ops->enqueue(skb, cl->leaf);
	if (rc != NET_XMIT_SUCCESS) {
		sch->stats.drops++;
		cl->stats.drops++;
		return rc;
	}
	sch->stats.qlen++;
	sch->stats.backlog += len;
	return rc;
}

/* ---- out ---- */

static s64 since(const struct htb_class *cl, u64 now)
{
	return (s64)min_u64(now - cl->t_c, (u64)HTB_MBUFFER);
}

/* htb_class_mode(): *wait: ns until it is a better one. */
static enum htb_cmode class_mode(const struct htb_class *cl, u64 now, s64 *wait)
{
	s64 diff = since(cl, now), toks = cl->ctokens + diff;

	*wait = -toks;
	if (toks < 0)
		return HTB_CANT_SEND;
	toks = cl->tokens + diff;
	*wait = -toks;
	return toks >= 0 ? HTB_CAN_SEND : HTB_MAY_BORROW;
}

/* The class that a leaf can send by: itself or one above. NULL: none now; *next becomes the time
 * when one of those on the way changes, if that is earlier. */
static const struct htb_class *lender(const struct htb_class *cl, u64 now, u64 *next)
{
	s64 wait;

	for (; cl; cl = cl->parent) {
		enum htb_cmode mode = class_mode(cl, now, &wait);

		if (mode == HTB_CAN_SEND)
			return cl;
		*next = min_u64(*next, now + (u64)wait);
		if (mode == HTB_CANT_SEND)
			return NULL;
	}
	return NULL;
}

static u64 l2t_ns(u64 rate, u64 bytes)
{
	return bytes * NSEC_PER_SEC / rate;
}

static s64 spend(s64 tokens, s64 diff, s64 buffer, u64 rate, u32 bytes)
{
	s64 toks = tokens + diff;

	if (toks > buffer)
		toks = buffer;
	toks -= (s64)l2t_ns(rate, bytes);
	return toks <= -HTB_MBUFFER ? 1 - HTB_MBUFFER : toks;
}

/* htb_charge_class(): from the leaf up; those below the lender's level have borrowed. */
/* htb_change_class_mode(): counted when it has come to its ceiling. */
static void count_overlimit(struct htb_class *cl, enum htb_cmode before, u64 now)
{
	s64 wait;

	if (before == HTB_CANT_SEND || class_mode(cl, now, &wait) != HTB_CANT_SEND)
		return;
	cl->stats.overlimits++;
	cl->sch->stats.overlimits++;
}

static void htb_charge(struct htb_class *cl, u32 level, const struct sk_buff *skb, u64 now)
{
	u32 bytes = qdisc_pkt_len(skb);

	for (; cl; cl = cl->parent) {
		s64 diff = since(cl, now), wait;
		enum htb_cmode mode = class_mode(cl, now, &wait);

		if (cl->level >= level) {
			cl->lends += cl->level == level;
			cl->tokens = spend(cl->tokens, diff, cl->buffer, cl->rate, bytes);
		} else {
			cl->borrows++;
			cl->tokens += diff;
		}
		cl->ctokens = spend(cl->ctokens, diff, cl->cbuffer, cl->ceil, bytes);
		cl->t_c = now;
		count_overlimit(cl, mode, now);
		if (!cl->level)
			continue;
		cl->stats.bytes += bytes;
		cl->stats.packets++;
	}
}

/* Who is next among the leaves that can send at this level and priority: from whose turn it is on,
 * around. */
static struct htb_class *next_leaf(const struct htb_priv *p, u32 level, u32 prio, u64 now,
				   u64 *next)
{
	struct htb_class *first = NULL;

	list_for_each(pos, &p->classes) {
		struct htb_class *cl = list_entry(pos, struct htb_class, list);
		const struct htb_class *by;

		if (cl->level || cl->prio != prio || !cl->leaf->stats.qlen)
			continue;
		by = lender(cl, now, next);
		if (!by || by->level != level)
			continue;
		if (cl->minor >= p->turn[level][prio])
			return cl;
		if (!first)
			first = cl;
	}
	return first;
}

/* htb_dequeue_tree() */
static struct sk_buff *htb_dequeue_level(struct Qdisc *sch, u32 level, u32 prio, u64 now, u64 *next)
{
	struct htb_priv *p = sch->priv;
	struct htb_class *cl = next_leaf(p, level, prio, now, next);
	struct sk_buff *skb = cl ? qdisc_dequeue_child(cl->leaf) : NULL;

	if (!skb)
		return NULL;
	p->turn[level][prio] = cl->minor;
	cl->deficit[level] -= qdisc_pkt_len(skb);
	if (cl->deficit[level] < 0) {
		cl->deficit[level] += (s64)cl->quantum;
		p->turn[level][prio] = cl->minor + 1;
	}
	htb_charge(cl, level, skb, now);
	return skb;
}

static struct sk_buff *htb_dequeue(struct Qdisc *sch)
{
	struct htb_priv *p = sch->priv;
	struct sk_buff *skb = skb_dequeue(&p->direct);
	u64 now = htb_now(sch), next = now + 5 * NSEC_PER_SEC;

	for (u32 level = 0; !skb && sch->stats.qlen && level < HTB_MAXDEPTH; level++)
		for (u32 prio = 0; !skb && prio < HTB_PRIOS; prio++)
			skb = htb_dequeue_level(sch, level, prio, now, &next);
	if (skb) {
		qdisc_qlen_dec(sch, skb);
		return skb;
	}
	if (sch->stats.qlen) {
		qdisc_watchdog_schedule_ns(sch, next);
	}
	return NULL;
}

static void htb_reset(struct Qdisc *sch, enum skb_drop_reason reason)
{
	struct htb_priv *p = sch->priv;

	list_for_each(pos, &p->classes) {
		struct htb_class *cl = list_entry(pos, struct htb_class, list);

		if (cl->leaf)
			qdisc_reset(cl->leaf, reason);
	}
	skb_queue_purge_reason(&p->direct, reason);
	sch->stats.qlen = 0;
	sch->stats.backlog = 0;
}

/* ---- the discipline ---- */

static int htb_init(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct htb_priv *p = sch->priv;

	p->sch = sch;
	list_init(&p->classes);
	tcf_block_init(&p->block, sch->dev);
	skb_queue_head_init(&p->direct);
	p->defcls = (u32)tca_get(opt, TCA_DEFCLS, 0);
	p->r2q = (u32)tca_get(opt, TCA_R2Q, HTB_R2Q);
	p->direct_qlen = (u32)tca_get(opt, TCA_FLOW_LIMIT, sch->dev->tx_queue_len);
	if (!p->r2q)
		p->r2q = 1;
	return 0;
}

static void class_free(struct Qdisc *sch, struct htb_class *cl)
{
	qdisc_destroy(cl->leaf, SKB_DROP_REASON_DEV_DELETED);
	tcf_block_put(&cl->block);
	list_del_init(&cl->list);
	mem_free(sch->dev->world, MEM_QDISC, cl, sizeof(*cl));
}

static void htb_destroy(struct Qdisc *sch)
{
	struct htb_priv *p = sch->priv;

	list_for_each_safe(pos, tmp, &p->classes)
		class_free(sch, list_entry(pos, struct htb_class, list));
	tcf_block_put(&p->block);
}

static void htb_dump(const struct Qdisc *sch, struct tc_attrs *o)
{
	const struct htb_priv *p = sch->priv;

	tca_put(o, TCA_R2Q, p->r2q);
	tca_put(o, TCA_DEFCLS, p->defcls);
	tca_put(o, TCA_LIMIT, p->direct_pkts);
	tca_put(o, TCA_FLOW_LIMIT, p->direct_qlen);
}

/* ---- classes ---- */

static struct Qdisc **htb_child(struct Qdisc *sch, u32 minor)
{
	struct htb_class *cl = htb_find(sch->priv, minor);

	return cl ? &cl->leaf : NULL; /* NULL in an inner class */
}

static u32 htb_class_at(const struct Qdisc *sch, u32 n)
{
	const struct htb_priv *p = sch->priv;

	list_for_each(pos, &p->classes)
		if (n-- == 0)
			return list_entry(pos, struct htb_class, list)->minor;
	return 0;
}

/* What the options say; what they do not say stays. */
static int class_options(const struct htb_priv *p, struct htb_class *cl, const struct tc_attrs *opt)
{
	u64 rate = tca_get(opt, TCA_RATE, cl->rate), ceil = tca_get(opt, TCA_PEAKRATE, rate);
	u64 burst = tca_get(opt, TCA_BURST, 0), cburst = tca_get(opt, TCA_MTU, 0);
	u64 prio = tca_get(opt, TCA_PRIO, 0), quantum = tca_get(opt, TCA_QUANTUM, 0);

	if (!rate || !ceil || rate > UINT64_MAX / NSEC_PER_SEC ||
	    ceil > UINT64_MAX / NSEC_PER_SEC || burst > HTB_MBUFFER || cburst > HTB_MBUFFER ||
	    quantum > UINT32_MAX)
		return -EINVAL;
	cl->rate = rate;
	cl->ceil = ceil;
	cl->buffer = (s64)burst;
	cl->cbuffer = (s64)cburst;
	cl->prio = (u32)min_u64(prio, HTB_PRIOS - 1);
	cl->quantum_said = (u32)quantum;
	cl->quantum = quantum;
	if (quantum)
		return 0;
	cl->quantum = rate / p->r2q;
	if (cl->quantum < HTB_QUANTUM_MIN)
		cl->quantum = HTB_QUANTUM_MIN;
	if (cl->quantum > HTB_QUANTUM_MAX)
		cl->quantum = HTB_QUANTUM_MAX;
	return 0;
}

/* Its packets are lost with the discipline. */
static void leaf_end(struct htb_class *cl)
{
	if (!cl->leaf)
		return;
	qdisc_tree_reduce_backlog(cl->leaf, cl->leaf->stats.qlen, cl->leaf->stats.backlog);
	qdisc_destroy(cl->leaf, SKB_DROP_REASON_DEV_DELETED);
	cl->leaf = NULL;
}

static int htb_class_new(struct Qdisc *sch, u32 minor, struct htb_class *parent,
			 const struct tc_attrs *opt)
{
	struct htb_priv *p = sch->priv;
	struct htb_class *cl = mem_zalloc(sch->dev->world, MEM_QDISC, sizeof(*cl));
	struct list_head *at = p->classes.next;
	int err;

	if (!cl)
		return -ENOMEM;
	cl->sch = sch;
	cl->minor = minor;
	list_init(&cl->list);
	tcf_block_init(&cl->block, sch->dev);
	err = class_options(p, cl, opt);
	if (!err)
		cl->leaf = qdisc_create_child(sch, &pfifo_ops, minor, NULL, &err);
	if (err) {
		class_free(sch, cl);
		return err;
	}
	cl->tokens = cl->buffer;
	cl->ctokens = cl->cbuffer;
	cl->t_c = htb_now(sch);
	cl->parent = parent;
	if (parent && !parent->children++) {
		leaf_end(parent);
		parent->level = (parent->parent ? parent->parent->level : HTB_MAXDEPTH) - 1;
	}
	while (at != &p->classes && list_entry(at, struct htb_class, list)->minor < minor)
		at = at->next;
	list_add_tail(&cl->list, at);
	return 0;
}

/* htb_change_class() */
static int htb_class_change(struct Qdisc *sch, u32 minor, u32 parent_minor,
			    const struct tc_attrs *opt, const char **why)
{
	struct htb_priv *p = sch->priv;
	struct htb_class *cl = htb_find(p, minor);
	/* One that does not exist is none: the class hangs at the root then, as in Linux. */
	struct htb_class *parent = parent_minor ? htb_find(p, parent_minor) : NULL;

	if (!tca_given(opt, TCA_RATE))
		return -EINVAL;
	if (cl)
		return class_options(p, cl, opt);
	if (parent && parent->parent && parent->parent->level < 2) {
		*why = "HTB: tree is too deep.";
		return -EINVAL;
	}
	return htb_class_new(sch, minor, parent, opt);
}

/* Does a filter name the class? */
static bool block_names(const struct tcf_block *b, u32 classid)
{
	list_for_each(pos, &b->protos) {
		const struct tcf_proto *tp = list_entry(pos, struct tcf_proto, list);

		list_for_each(fp, &tp->filters)
			if (list_entry(fp, struct tcf_filter, list)->classid == classid)
				return true;
	}
	return false;
}

static int htb_class_delete(struct Qdisc *sch, u32 minor, const char **why)
{
	struct htb_priv *p = sch->priv;
	struct htb_class *cl = htb_find(p, minor), *parent = cl->parent;
	struct Qdisc *leaf;
	int err;

	if (cl->children || block_names(&p->block, sch->handle | minor)) {
		*why = "HTB class in use.";
		return -EBUSY;
	}
	if (parent && parent->children == 1) {
		/* htb_parent_to_leaf() */
		leaf = qdisc_create_child(sch, &pfifo_ops, parent->minor, NULL, &err);
		if (!leaf)
			return err;
		parent->leaf = leaf;
		parent->level = 0;
		parent->tokens = parent->buffer;
		parent->ctokens = parent->cbuffer;
		parent->t_c = htb_now(sch);
	}
	if (parent)
		parent->children--;
	leaf_end(cl);
	class_free(sch, cl);
	return 0;
}

static void htb_class_dump(const struct Qdisc *sch, u32 minor, struct tc_class *c)
{
	const struct htb_class *cl = htb_find(sch->priv, minor);

	c->parent = cl->parent ? cl->parent->minor : 0;
	c->inner = cl->level != 0;
	c->leaf = cl->leaf;
	c->stats = cl->stats;
	if (cl->leaf) {
		c->stats.bytes += cl->leaf->stats.bytes;
		c->stats.packets += cl->leaf->stats.packets;
		c->stats.qlen = cl->leaf->stats.qlen;
		c->stats.backlog = cl->leaf->stats.backlog;
	}
	c->lends = cl->lends;
	c->borrows = cl->borrows;
	c->tokens = cl->tokens;
	c->ctokens = cl->ctokens;
	tca_put(&c->opt, TCA_RATE, cl->rate);
	tca_put(&c->opt, TCA_PEAKRATE, cl->ceil);
	tca_put(&c->opt, TCA_BURST, (u64)cl->buffer);
	tca_put(&c->opt, TCA_MTU, (u64)cl->cbuffer);
	tca_put(&c->opt, TCA_PRIO, cl->prio);
	tca_put(&c->opt, TCA_QUANTUM, cl->quantum);
}

static struct tcf_block *htb_block(struct Qdisc *sch, u32 minor)
{
	struct htb_priv *p = sch->priv;
	struct htb_class *cl = minor ? htb_find(p, minor) : NULL;

	if (!minor)
		return &p->block;
	return cl ? &cl->block : NULL;
}

const struct Qdisc_ops htb_ops = {
	.id = "htb",
	.priv_size = sizeof(struct htb_priv),
	.init = htb_init,
	.destroy = htb_destroy,
	.enqueue = htb_enqueue,
	.dequeue = htb_dequeue,
	.reset = htb_reset,
	.child = htb_child,
	.class_at = htb_class_at,
	.class_change = htb_class_change,
	.class_delete = htb_class_delete,
	.class_dump = htb_class_dump,
	.tcf_block = htb_block,
	.dump = htb_dump,
};
