/* SPDX-License-Identifier: MIT */
/*
 * netem (net/sched/sch_netem.c): a network of one's own. Packets are lost, doubled, damaged,
 * delayed by a fixed time and a jitter, held to a rate, and let past others; then they go, in the
 * order of their times, through a child (if one was given) or straight on.
 *
 * Invariants: `tfifo` is ordered by time_to_send, first in first out at one time; t_len is what is
 * in it; qlen - t_len is in the child or in `front`, which goes at once.
 */
#include "sched/netem.h"
#include "sched/sch_api.h"
#include "sched/sch_flows.h"

#include "core/dev_core.h"
#include "core/offload.h"
#include "kernel/host.h"
#include "kernel/random.h"

/* Packets leave only at certain times, so many of them. */
struct netem_slot {
	u64 min, max; /* ns to the next one; with a distribution: its mean and jitter */
	u32 packets, bytes; /* at each; 0: any number */
	u32 distribution;
	u64 next; /* 0: there are none */
	s64 packets_left, bytes_left;
};

struct netem_priv {
	struct rb_root tfifo;
	u64 order; /* of packets of one time: the next number */
	struct sk_buff_head front; /* reordered: past all others */
	u64 last_time; /* of the last packet of tfifo: what a rate counts from */
	u32 t_len, counter;
	bool duplicating;
	struct Qdisc *child; /* NULL: none */
	struct netem_random random;
	struct netem_loss loss;
	struct crndstate delay_cor, dup_cor, reorder_cor, corrupt_cor;
	u64 latency, jitter, rate, seed;
	u32 duplicate, reorder, corrupt, gap, distribution, cell_size;
	s32 packet_overhead, cell_overhead;
	bool ecn;
	struct netem_slot slot;
};

struct netem_skb_cb {
	u64 time_to_send, order;
};

static struct netem_skb_cb *netem_cb(const struct sk_buff *skb)
{
	return (struct netem_skb_cb *)(void *)(uintptr_t)(const void *)skb->cb;
}

static struct sk_buff *node_skb(struct rb_node *n)
{
	return n ? container_of(n, struct sk_buff, rbnode) : NULL;
}

/* ---- the queue in time ---- */

static void tfifo_enqueue(struct netem_priv *p, struct sk_buff *skb, u64 time)
{
	struct rb_node **link = &p->tfifo.node, *parent = NULL;

	*netem_cb(skb) = (struct netem_skb_cb){ .time_to_send = time, .order = p->order++ };
	while (*link) {
		parent = *link;
		link = time < netem_cb(node_skb(parent))->time_to_send ? &parent->left :
									 &parent->right;
	}
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &p->tfifo);
	p->t_len++;
}

static struct sk_buff *tfifo_take(struct Qdisc *sch, struct sk_buff *skb)
{
	struct netem_priv *p = sch->priv;

	rb_erase(&skb->rbnode, &p->tfifo);
	skb->next = skb->prev = NULL;
	skb->dev = sch->dev;
	p->t_len--;
	return skb;
}

/* ns that a packet takes at the rate, with what the link adds to it. */
static u64 packet_time_ns(const struct netem_priv *p, u64 len)
{
	s64 bytes = (s64)len + p->packet_overhead;

	if (p->cell_size) {
		u64 cells = bytes > 0 ? ((u64)bytes + p->cell_size - 1) / p->cell_size : 0;

		bytes = (s64)cells * ((s64)p->cell_size + p->cell_overhead);
	}
	return bytes > 0 ? (u64)bytes * NSEC_PER_SEC / p->rate : 0;
}

static void netem_schedule(struct Qdisc *sch, struct sk_buff *skb)
{
	struct netem_priv *p = sch->priv;
	u64 now = ktime_get_ns(dev_host(sch->dev));
	s64 delay = tabledist((s64)p->latency, (s64)p->jitter, &p->delay_cor, &p->random,
			      p->distribution);

	if (p->rate) {
		/* It follows the last one of those that wait. */
		if (p->t_len && p->last_time > now) {
			delay -= (s64)(p->last_time - now);
			if (delay < 0)
				delay = 0;
			now = p->last_time;
		}
		delay += (s64)packet_time_ns(p, qdisc_pkt_len(skb));
	}
	p->counter++;
	now = delay < 0 && (u64)-delay > now ? 0 : now + (u64)delay;
	if (!p->t_len || now > p->last_time)
		p->last_time = now;
	tfifo_enqueue(p, skb, now);
}

/* ---- in ---- */

/* One bit of the headers or of linear data. NULL: no memory for it, and it is gone. */
static struct sk_buff *netem_corrupt(struct Qdisc *sch, struct sk_buff *skb)
{
	struct netem_priv *p = sch->priv;
	u32 at;

	skb = skb_unshare(skb);
	if (!skb) {
		sch->stats.drops++;
		return NULL;
	}
	if ((skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) || skb_linearize(skb) ||
	    skb_ensure_writable(skb, skb->len)) {
		qdisc_drop(skb, sch);
		return NULL;
	}
	skb->ip_summed = CHECKSUM_NONE;
	at = (u32)((u64)netem_random_u32(&p->random) * skb->len >> 32);
	skb->data[at] ^= (u8)(1u << (netem_random_u32(&p->random) >> 29));
	return skb;
}

static int netem_enqueue(struct sk_buff *skb, struct Qdisc *sch);

/* A super-packet that is to be damaged is cut first; all but the first segment come in anew. */
static struct sk_buff *netem_segment(struct Qdisc *sch, struct sk_buff *skb)
{
	struct sk_buff *segs, *rest;

	if (!skb_is_gso(skb))
		return skb;
	segs = skb_gso_segment(skb, sch->dev->features & ~NETIF_F_TSO);
	if (!segs) {
		qdisc_drop(skb, sch);
		return NULL;
	}
	consume_skb(skb);
	rest = segs->next;
	segs->next = NULL;
	while (rest) {
		struct sk_buff *next = rest->next;

		rest->next = NULL;
		if (((struct netem_priv *)sch->priv)->t_len >= sch->limit) {
			qdisc_drop(rest, sch);
		} else {
			qdisc_qlen_inc(sch, rest);
			netem_schedule(sch, rest);
		}
		rest = next;
	}
	return segs;
}

/* The second one comes in at the top, as if it had been sent twice. */
static void netem_duplicate(struct Qdisc *sch, struct sk_buff *skb)
{
	struct netem_priv *p = sch->priv;
	struct Qdisc *root = sch;

	while (root->parent_q)
		root = root->parent_q;
	p->duplicating = true;
	root->ops->enqueue(skb, root);
	p->duplicating = false;
}

static bool reorders(struct netem_priv *p)
{
	return p->gap && p->counter + 1 >= p->gap &&
	       p->reorder >= get_crandom(&p->reorder_cor, &p->random);
}

static int netem_enqueue(struct sk_buff *skb, struct Qdisc *sch)
{
	struct netem_priv *p = sch->priv;
	struct sk_buff *second = NULL;
	u32 count = 1;

	if (!p->duplicating && p->duplicate && p->duplicate >= get_crandom(&p->dup_cor, &p->random))
		count++;
	if (loss_event(&p->loss, &p->random)) {
		if (p->ecn && INET_ECN_set_ce(skb))
			sch->stats.drops++; /* the kernel counts a mark so */
		else
			count--;
	}
	if (!count) {
		/* The sender is not told: the network lost it. */
		qdisc_drop(skb, sch);
		return NET_XMIT_SUCCESS;
	}
	/* A socket's account ends where the network begins. */
	if (p->latency || p->jitter || p->rate)
		skb_orphan(skb);
	if (count > 1)
		second = skb_clone(skb);
	if (p->corrupt && p->corrupt >= get_crandom(&p->corrupt_cor, &p->random)) {
		skb = netem_segment(sch, skb);
		if (skb)
			skb = netem_corrupt(sch, skb);
	}
	if (second)
		netem_duplicate(sch, second);
	if (!skb)
		return second ? NET_XMIT_SUCCESS : NET_XMIT_DROP;
	if (p->t_len >= sch->limit)
		return qdisc_drop(skb, sch);
	qdisc_qlen_inc(sch, skb);
	if (!reorders(p)) {
		netem_schedule(sch, skb);
		return NET_XMIT_SUCCESS;
	}
	p->counter = 0;
	skb_queue_head(&p->front, skb);
	sch->stats.requeues++;
	return NET_XMIT_SUCCESS;
}

/* ---- out ---- */

/* Into the child. */
static void netem_pass(struct Qdisc *sch, struct sk_buff *skb)
{
	struct netem_priv *p = sch->priv;
	u32 len = skb->len;

	if (p->child->ops->enqueue(skb, p->child) == NET_XMIT_SUCCESS)
		return;
	sch->stats.drops++;
	sch->stats.qlen--;
	sch->stats.backlog -= len;
}

/* get_slot_next() */
static void slot_next(struct netem_priv *p, u64 now)
{
	struct netem_slot *s = &p->slot;
	s64 wait;

	if (s->distribution)
		wait = tabledist((s64)s->min, (s64)s->max, NULL, &p->random, s->distribution);
	else
		wait = (s64)(s->min + (netem_random_u32(&p->random) * (s->max - s->min) >> 32));
	s->next = wait < 0 && (u64)-wait >= now ? 1 : now + (u64)wait;
	s->packets_left = s->packets ? s->packets : INT32_MAX;
	s->bytes_left = s->bytes ? s->bytes : INT32_MAX;
}

static void slot_spend(struct netem_priv *p, const struct sk_buff *skb, u64 now)
{
	if (!p->slot.next)
		return;
	p->slot.packets_left--;
	p->slot.bytes_left -= qdisc_pkt_len(skb);
	if (p->slot.packets_left <= 0 || p->slot.bytes_left <= 0)
		slot_next(p, now);
}

/* When the packet goes: at its time, in a slot. */
static u64 time_to_go(struct netem_priv *p, const struct sk_buff *skb, u64 now)
{
	u64 time = netem_cb(skb)->time_to_send;

	if (p->slot.next && p->slot.next < time)
		slot_next(p, now);
	return max_u64(time, p->slot.next);
}

static struct sk_buff *netem_dequeue(struct Qdisc *sch)
{
	struct netem_priv *p = sch->priv;
	u64 now = ktime_get_ns(dev_host(sch->dev)), go = 0;
	struct sk_buff *skb = skb_dequeue(&p->front), *first = NULL;

	while (!skb) {
		first = node_skb(rb_first(&p->tfifo));
		if (!first)
			break;
		go = time_to_go(p, first, now);
		if (go > now)
			break;
		tfifo_take(sch, first);
		slot_spend(p, first, now);
		if (p->child)
			netem_pass(sch, first);
		else
			skb = first;
	}
	if (!skb && p->child)
		skb = qdisc_dequeue_child(p->child);
	if (skb)
		qdisc_qlen_dec(sch, skb);
	else if (first)
		qdisc_watchdog_schedule_ns(sch, go);
	return skb;
}

/* ---- life ---- */

static void netem_reset(struct Qdisc *sch, enum skb_drop_reason reason)
{
	struct netem_priv *p = sch->priv;
	struct sk_buff *skb;

	skb_queue_purge_reason(&p->front, reason);
	while ((skb = node_skb(rb_first(&p->tfifo))) != NULL)
		kfree_skb_reason(tfifo_take(sch, skb), reason);
	if (p->child)
		qdisc_reset(p->child, reason);
	sch->stats.qlen = 0;
	sch->stats.backlog = 0;
}

static int netem_check(const struct tc_attrs *o)
{
	static const u8 shares[] = {
		TCA_LOSS,	TCA_LOSS_CORR,	   TCA_DUPLICATE,	TCA_DUPLICATE_CORR,
		TCA_REORDER,	TCA_REORDER_CORR,  TCA_CORRUPT,		TCA_CORRUPT_CORR,
		TCA_DELAY_CORR, TCA_LOSS_P1,	   TCA_LOSS_P2,		TCA_LOSS_P3,
		TCA_LOSS_P4,	TCA_LOSS_P5,	   TCA_LIMIT,		TCA_GAP,
		TCA_CELL_SIZE,	TCA_CELL_OVERHEAD, TCA_PACKET_OVERHEAD, TCA_SLOT_PACKETS,
		TCA_SLOT_BYTES, TCA_SLOT_MIN,	   TCA_SLOT_MAX
	};

	for (u32 i = 0; i < ARRAY_SIZE(shares); i++)
		if (tca_get(o, shares[i], 0) > UINT32_MAX)
			return -EINVAL;
	/* A day; a jitter as far as 32 bits of ns go. */
	if (tca_get(o, TCA_LATENCY, 0) > 86400 * NSEC_PER_SEC ||
	    tca_get(o, TCA_JITTER, 0) > INT32_MAX ||
	    tca_get(o, TCA_LOSS_MODEL, 0) >= TC_LOSS_COUNT ||
	    tca_get(o, TCA_DISTRIBUTION, 0) >= TC_DIST_COUNT ||
	    tca_get(o, TCA_SLOT_DIST, 0) >= TC_DIST_COUNT ||
	    tca_get(o, TCA_SLOT_MAX, 0) > INT32_MAX || tca_get(o, TCA_RATE, 0) > UINT64_MAX / 65536)
		return -EINVAL;
	/* Packets can only be past by others that are delayed. */
	if (tca_get(o, TCA_REORDER, 0) && !tca_get(o, TCA_LATENCY, 0))
		return -EINVAL;
	return 0;
}

static void netem_slot_set(struct netem_slot *s, const struct tc_attrs *o, u64 now)
{
	*s = (struct netem_slot){ .min = tca_get(o, TCA_SLOT_MIN, 0),
				  .max = tca_get(o, TCA_SLOT_MAX, 0),
				  .packets = (u32)tca_get(o, TCA_SLOT_PACKETS, 0),
				  .bytes = (u32)tca_get(o, TCA_SLOT_BYTES, 0),
				  .distribution = (u32)tca_get(o, TCA_SLOT_DIST, 0) };
	if (!s->distribution && s->max < s->min)
		s->max = s->min;
	s->packets_left = s->packets ? s->packets : INT32_MAX;
	s->bytes_left = s->bytes ? s->bytes : INT32_MAX;
	if (s->min || s->max)
		s->next = now ? now : 1;
}

static void netem_loss_set(struct netem_loss *l, const struct tc_attrs *o)
{
	*l = (struct netem_loss){ .model = (u32)tca_get(o, TCA_LOSS_MODEL, TC_LOSS_RANDOM),
				  .state = 1,
				  .random = (u32)tca_get(o, TCA_LOSS, 0),
				  .cor.rho = (u32)tca_get(o, TCA_LOSS_CORR, 0) };
	for (u32 i = 0; i < ARRAY_SIZE(l->p); i++)
		l->p[i] = (u32)tca_get(o, TCA_LOSS_P1 + i, 0);
}

static bool netem_below(struct Qdisc *q, const struct Qdisc *but, bool duplicates)
{
	const struct netem_priv *p = q->priv;
	struct Qdisc **child;
	u32 minor;

	if (q != but && q->ops == &netem_ops && (duplicates || p->duplicate))
		return true;
	for (u32 n = 0; (child = qdisc_child_at(q, n, &minor)) != NULL; n++)
		if (*child && netem_below(*child, but, duplicates))
			return true;
	return false;
}

/* check_netem_in_tree(): two of them, one of which duplicates, could duplicate for ever. */
static int netem_mixed(const struct Qdisc *sch, bool duplicates)
{
	struct net_device *dev = sch->dev;

	if (!dev->qdisc || !netem_below(dev->qdisc, sch, duplicates))
		return 0;
	dev_host(dev)->ptypes->tc_extack =
		"netem: cannot mix duplicating netems with other netems in tree";
	return -EINVAL;
}

/* All options are set anew: what is not given is not there, as with tc. */
static int netem_change(struct Qdisc *sch, const struct tc_attrs *o)
{
	struct netem_priv *p = sch->priv;

	if (netem_check(o) || netem_mixed(sch, tca_get(o, TCA_DUPLICATE, 0) != 0))
		return -EINVAL;
	sch->limit = (u32)tca_get(o, TCA_LIMIT, 1000);
	p->latency = tca_get(o, TCA_LATENCY, 0);
	p->jitter = tca_get(o, TCA_JITTER, 0);
	p->distribution = (u32)tca_get(o, TCA_DISTRIBUTION, TC_DIST_NONE);
	p->delay_cor.rho = (u32)tca_get(o, TCA_DELAY_CORR, 0);
	p->duplicate = (u32)tca_get(o, TCA_DUPLICATE, 0);
	p->dup_cor.rho = (u32)tca_get(o, TCA_DUPLICATE_CORR, 0);
	p->reorder = (u32)tca_get(o, TCA_REORDER, 0);
	p->reorder_cor.rho = (u32)tca_get(o, TCA_REORDER_CORR, 0);
	p->gap = (u32)tca_get(o, TCA_GAP, p->reorder ? 1 : 0);
	/* A gap alone reorders every time. */
	if (p->gap && !p->reorder)
		p->reorder = UINT32_MAX;
	p->corrupt = (u32)tca_get(o, TCA_CORRUPT, 0);
	p->corrupt_cor.rho = (u32)tca_get(o, TCA_CORRUPT_CORR, 0);
	p->rate = tca_get(o, TCA_RATE, 0);
	p->packet_overhead = (s32)(u32)tca_get(o, TCA_PACKET_OVERHEAD, 0);
	p->cell_size = (u32)tca_get(o, TCA_CELL_SIZE, 0);
	p->cell_overhead = (s32)(u32)tca_get(o, TCA_CELL_OVERHEAD, 0);
	p->ecn = tca_get(o, TCA_ECN, 0) != 0;
	p->counter = 0;
	netem_loss_set(&p->loss, o);
	netem_slot_set(&p->slot, o, ktime_get_ns(dev_host(sch->dev)));
	p->seed = tca_get(o, TCA_SEED, get_random_u64(sch->dev->world, RANDOM_QDISC));
	p->random.state = p->seed;
	return 0;
}

static int netem_init(struct Qdisc *sch, const struct tc_attrs *opt)
{
	struct netem_priv *p = sch->priv;

	skb_queue_head_init(&p->front);
	return netem_change(sch, opt);
}

static void netem_destroy(struct Qdisc *sch)
{
	struct netem_priv *p = sch->priv;

	qdisc_destroy(p->child, SKB_DROP_REASON_DEV_DELETED);
}

static struct Qdisc **netem_child(struct Qdisc *sch, u32 minor)
{
	struct netem_priv *p = sch->priv;

	return minor <= 1 ? &p->child : NULL;
}

static void netem_dump(const struct Qdisc *sch, struct tc_attrs *o)
{
	const struct netem_priv *p = sch->priv;

	tca_put(o, TCA_LIMIT, sch->limit);
	tca_put(o, TCA_LATENCY, p->latency);
	tca_put(o, TCA_JITTER, p->jitter);
	tca_put(o, TCA_DELAY_CORR, p->delay_cor.rho);
	tca_put(o, TCA_LOSS_MODEL, p->loss.model);
	tca_put(o, TCA_LOSS, p->loss.random);
	tca_put(o, TCA_LOSS_CORR, p->loss.cor.rho);
	for (u32 i = 0; i < ARRAY_SIZE(p->loss.p); i++)
		tca_put(o, TCA_LOSS_P1 + i, p->loss.p[i]);
	tca_put(o, TCA_DUPLICATE, p->duplicate);
	tca_put(o, TCA_DUPLICATE_CORR, p->dup_cor.rho);
	tca_put(o, TCA_REORDER, p->reorder);
	tca_put(o, TCA_REORDER_CORR, p->reorder_cor.rho);
	tca_put(o, TCA_CORRUPT, p->corrupt);
	tca_put(o, TCA_CORRUPT_CORR, p->corrupt_cor.rho);
	tca_put(o, TCA_RATE, p->rate);
	tca_put(o, TCA_PACKET_OVERHEAD, (u32)p->packet_overhead);
	tca_put(o, TCA_CELL_SIZE, p->cell_size);
	tca_put(o, TCA_CELL_OVERHEAD, (u32)p->cell_overhead);
	tca_put(o, TCA_ECN, p->ecn);
	tca_put(o, TCA_GAP, p->gap);
	tca_put(o, TCA_SEED, p->seed);
	tca_put(o, TCA_SLOT_MIN, p->slot.min);
	tca_put(o, TCA_SLOT_MAX, p->slot.max);
	tca_put(o, TCA_SLOT_DIST, p->slot.distribution);
	tca_put(o, TCA_SLOT_PACKETS, p->slot.packets);
	tca_put(o, TCA_SLOT_BYTES, p->slot.bytes);
}

const struct Qdisc_ops netem_ops = {
	.id = "netem",
	.priv_size = sizeof(struct netem_priv),
	.init = netem_init,
	.change = netem_change,
	.destroy = netem_destroy,
	.enqueue = netem_enqueue,
	.dequeue = netem_dequeue,
	.reset = netem_reset,
	.child = netem_child,
	.dump = netem_dump,
};
