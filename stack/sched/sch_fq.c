/* SPDX-License-Identifier: MIT */
/*
 * fq (net/sched/sch_fq.c): a queue for every flow, served in turn by bytes (deficit round robin,
 * new flows first), in three bands by priority; and pacing: a packet leaves no earlier than it says
 * (skb->tstamp, earliest departure time), or than the rate of its socket or of the discipline
 * allows.
 *
 * A flow is one socket; packets without one, or whose socket has no peer, go by flow hash. Flows
 * live in a tree by number; those with packets are on a list of their band (new_flows, old_flows),
 * or in the tree of throttled ones by the time of their next packet (time_next_delayed_flow is the
 * first); those without are detached, and are collected after FQ_GC_AGE.
 *
 * Invariants: flows == inactive_flows + those with packets; throttled ones have packets;
 * band_pkt_count sums up what is in flows (but `internal`, the way past them of an idle qdisc).
 */
#include "sched/sch_fq.h"
#include "sched/sch_flows.h"

#include "core/sock.h"
#include "lib/hash.h"
#include "kernel/host.h"

#define FQ_GC_MAX	8u
#define FQ_GC_AGE	(3ull * HZ)
#define FQ_FASTPATH_MAX 8u /* packets of the internal flow at most, when others wait */

struct fq_skb_cb {
	u64 time_to_send;
	u8 band;
};

static struct fq_skb_cb *fq_cb(struct sk_buff *skb)
{
	return (struct fq_skb_cb *)(void *)skb->cb;
}

/* ---- flows ---- */

void fq_flow_init(struct fq_flow *f, u64 id, s64 credit)
{
	f->id = id;
	f->credit = credit;
	f->where = FQ_DETACHED;
	list_init(&f->list);
	skb_queue_head_init(&f->queue);
}

static void flow_detach(const struct Qdisc *sch, struct fq_flow *f)
{
	f->where = FQ_DETACHED;
	f->age = jiffies(dev_host(sch->dev));
}

static void flow_list(struct fq_sched_data *q, struct fq_flow *f, bool old)
{
	struct fq_band *b = &q->band[f->band];

	list_add_tail(&f->list, old ? &b->old_flows : &b->new_flows);
	f->where = FQ_LISTED;
}

static bool delayed_before(const struct fq_flow *a, const struct fq_flow *b)
{
	return a->time_next_packet != b->time_next_packet ?
		       a->time_next_packet < b->time_next_packet :
		       a->id < b->id;
}

static void flow_throttle(struct fq_sched_data *q, struct fq_flow *f)
{
	struct rb_node **link = &q->delayed.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = delayed_before(f, container_of(parent, struct fq_flow, rate_node)) ?
			       &parent->left :
			       &parent->right;
	}
	rb_link_node(&f->rate_node, parent, link);
	rb_insert_color(&f->rate_node, &q->delayed);
	f->where = FQ_THROTTLED_FLOW;
	q->throttled_flows++;
	q->stat[FQ_THROTTLED]++;
	q->time_next_delayed_flow = min_u64(q->time_next_delayed_flow, f->time_next_packet);
}

static void flow_unthrottle(struct fq_sched_data *q, struct fq_flow *f)
{
	rb_erase(&f->rate_node, &q->delayed);
	q->throttled_flows--;
	flow_list(q, f, true);
}

static void flow_free(struct Qdisc *sch, struct fq_flow *f)
{
	struct fq_sched_data *q = sch->priv;

	rb_erase(&f->node, &q->flows_root);
	mem_free(sch->dev->world, MEM_QDISC, f, sizeof(*f));
	q->flows--;
	q->inactive_flows--;
}

/* fq_gc(): flows met on the way that were empty for long. */
static struct fq_flow *flow_find(struct Qdisc *sch, u64 id)
{
	struct fq_sched_data *q = sch->priv;
	struct fq_flow *f = NULL, *old[FQ_GC_MAX];
	u64 now = jiffies(dev_host(sch->dev));
	u32 n = 0;

	for (struct rb_node *p = q->flows_root.node; p;) {
		f = container_of(p, struct fq_flow, node);
		if (f->id == id)
			break;
		if (n < FQ_GC_MAX && f->where == FQ_DETACHED && now > f->age + FQ_GC_AGE)
			old[n++] = f;
		p = id < f->id ? p->left : p->right;
	}
	if (f && f->id != id)
		f = NULL;
	q->stat[FQ_GC] += n;
	while (n)
		flow_free(sch, old[--n]);
	return f;
}

static struct fq_flow *flow_create(struct Qdisc *sch, u64 id)
{
	struct fq_sched_data *q = sch->priv;
	struct rb_node **link = &q->flows_root.node, *parent = NULL;
	struct fq_flow *f = mem_zalloc(sch->dev->world, MEM_QDISC, sizeof(*f));

	if (!f) {
		q->stat[FQ_ALLOC_ERRORS]++;
		return NULL;
	}
	fq_flow_init(f, id, (s64)q->initial_quantum);
	while (*link) {
		parent = *link;
		link = id < container_of(parent, struct fq_flow, node)->id ? &parent->left :
									     &parent->right;
	}
	rb_link_node(&f->node, parent, link);
	rb_insert_color(&f->node, &q->flows_root);
	q->flows++;
	q->inactive_flows++;
	return f;
}

/* ---- in ---- */

/* Nothing waits that the packet would have to wait behind. */
static bool fq_fastpath_check(const struct Qdisc *sch, const struct sk_buff *skb, u64 send, u64 now)
{
	const struct fq_sched_data *q = sch->priv;
	const struct sock *sk = skb->sk;

	if (send > now)
		return false;
	if (sch->stats.qlen) {
		if (q->flows != q->inactive_flows + q->throttled_flows ||
		    q->internal.queue.qlen >= FQ_FASTPATH_MAX ||
		    q->time_next_delayed_flow <= now + q->offload_horizon)
			return false;
	}
	if (sk && sk->sk_type != SOCK_STREAM && sk->sk_rare->max_pacing_rate != UINT64_MAX)
		return false;
	return q->flow_max_rate == FQ_NO_RATE;
}

/* Has the packet a socket whose packets are one flow? */
static struct sock *flow_sock(const struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	return sk && sk->sk_state != TCP_LISTEN && sk->sk_state != TCP_CLOSE &&
			       sk->sk_state != TCP_NEW_SYN_RECV ?
		       sk :
		       NULL;
}

/* A number for its addresses and ports. Should two sockets ever have the same, they share a flow.
 */
static u64 sock_flow(const struct sock *sk)
{
	u64 h = mix64((u64)ntohl(sk->inet_daddr) << 32 | ntohl(sk->inet_rcv_saddr));

	if (sk->pinet6)
		for (u32 i = 0; i < 4; i++)
			h = mix64(h ^ ((u64)ntohl(sk->pinet6->daddr.w[i]) << 32 |
				       ntohl(sk->pinet6->rcv_saddr.w[i])));
	return mix64(h ^ ((u64)sk->sk_protocol << 32 | (u32)sk->inet_dport << 16 | sk->inet_num));
}

static struct fq_flow *fq_classify(struct Qdisc *sch, struct sk_buff *skb, u64 send, u64 now)
{
	struct fq_sched_data *q = sch->priv;
	struct sock *sk = flow_sock(skb);
	struct fq_flow *f;
	u64 id;

	/* A listener's answers are no flow of its: not to be held back as one. */
	if (skb->sk && !sk && skb->sk->sk_state == TCP_LISTEN)
		skb_orphan(skb);
	/* What TCP's own timer would hold back, this does from now on. */
	if (sk && q->rate_enable)
		sk->sk_pacing_status = SK_PACING_FQ;
	if (fq_fastpath_check(sch, skb, send, now)) {
		q->stat[FQ_FASTPATH]++;
		return &q->internal;
	}
	if (sk)
		id = sock_flow(sk) << 1;
	else
		id = (u64)(skb_get_hash(skb) & q->orphan_mask) << 1 | 1;
	f = flow_find(sch, id);
	if (!f)
		f = flow_create(sch, id);
	return f ? f : &q->internal;
}

/* flow_queue_add(): nearly always at the end. */
static void flow_queue_add(struct fq_flow *f, struct sk_buff *skb)
{
	struct sk_buff *at = f->queue.qlen ? f->queue.prev : NULL;

	while (at && fq_cb(at)->time_to_send > fq_cb(skb)->time_to_send)
		at = at == f->queue.next ? NULL : at->prev;
	if (at)
		skb_append(&f->queue, at, skb);
	else
		skb_queue_head(&f->queue, skb);
}

static void flow_activate(const struct Qdisc *sch, struct fq_flow *f, u8 band)
{
	struct fq_sched_data *q = sch->priv;

	if (!f->queue.qlen)
		q->inactive_flows--;
	if (f->where != FQ_DETACHED)
		return;
	f->band = band;
	flow_list(q, f, false);
	if (jiffies(dev_host(sch->dev)) > f->age + q->refill_delay)
		f->credit = f->credit > (s64)q->quantum ? f->credit : (s64)q->quantum;
}

static int fq_enqueue(struct sk_buff *skb, struct Qdisc *sch)
{
	struct fq_sched_data *q = sch->priv;
	u8 band = (u8)(q->priomap >> 4 * (skb->priority & TC_PRIO_MAX) & 15);
	u64 now = ktime_get_ns(dev_host(sch->dev)), send = skb->tstamp ? skb->tstamp : now;
	struct fq_flow *f;

	if (q->band[band].pkt_count >= sch->limit) {
		q->stat[FQ_BAND0_DROPS + band]++;
		return qdisc_drop_reason(skb, sch, SKB_DROP_REASON_FQ_BAND_LIMIT);
	}
	if (skb->tstamp && send > now + q->horizon) {
		if (q->horizon_drop) {
			q->stat[FQ_HORIZON_DROPS]++;
			return qdisc_drop_reason(skb, sch, SKB_DROP_REASON_FQ_HORIZON_LIMIT);
		}
		q->stat[FQ_HORIZON_CAPS]++;
		send = skb->tstamp = now + q->horizon;
	}
	f = fq_classify(sch, skb, send, now);
	if (f != &q->internal) {
		if (f->queue.qlen >= q->flow_plimit) {
			q->stat[FQ_FLOWS_PLIMIT]++;
			return qdisc_drop_reason(skb, sch, SKB_DROP_REASON_FQ_FLOW_LIMIT);
		}
		flow_activate(sch, f, band);
		q->band[band].pkt_count++;
	}
	*fq_cb(skb) = (struct fq_skb_cb){ .time_to_send = send, .band = band };
	qdisc_qlen_inc(sch, skb);
	flow_queue_add(f, skb);
	return NET_XMIT_SUCCESS;
}

/* ---- out ---- */

/* Throttled flows whose time has come go on the list of their band. */
static void fq_check_throttled(struct fq_sched_data *q, u64 now)
{
	struct rb_node *p;

	if (q->time_next_delayed_flow > now + q->offload_horizon)
		return;
	/* An average over 8, as the kernel shows it. */
	if (now > q->time_next_delayed_flow) {
		u64 sample = now - q->time_next_delayed_flow;

		q->unthrottle_latency_ns -= q->unthrottle_latency_ns >> 3;
		q->unthrottle_latency_ns += sample >> 3;
	}
	q->time_next_delayed_flow = UINT64_MAX;
	while ((p = rb_first(&q->delayed)) != NULL) {
		struct fq_flow *f = container_of(p, struct fq_flow, rate_node);

		if (f->time_next_packet > now + q->offload_horizon) {
			q->time_next_delayed_flow = f->time_next_packet;
			break;
		}
		flow_unthrottle(q, f);
	}
}

/* The next band with flows, by weight: it keeps its turn while it has credit. */
static struct fq_band *pick_band(struct fq_sched_data *q)
{
	for (u32 pass = 0; pass < 2; pass++) {
		for (u32 i = 0; i < FQ_BANDS; i++) {
			struct fq_band *b = &q->band[q->band_nr];
			bool has = !list_empty(&b->new_flows) || !list_empty(&b->old_flows);

			if (has && b->credit > 0)
				return b;
			/* Its turn is over: what it gets for the next. */
			b->credit = b->credit + (s64)b->quantum < (s64)b->quantum ?
					    b->credit + (s64)b->quantum :
					    (s64)b->quantum;
			q->band_nr = (q->band_nr + 1) % FQ_BANDS;
		}
	}
	for (u32 i = 0; i < FQ_BANDS; i++)
		if (!list_empty(&q->band[i].new_flows) || !list_empty(&q->band[i].old_flows))
			return &q->band[i];
	return NULL;
}

/* Takes the first packet of a flow, whose time has come. */
static struct sk_buff *flow_take(struct Qdisc *sch, struct fq_flow *f)
{
	struct fq_sched_data *q = sch->priv;
	struct sk_buff *skb = skb_dequeue(&f->queue);

	if (f != &q->internal) {
		if (!f->queue.qlen)
			q->inactive_flows++;
		q->band[fq_cb(skb)->band].pkt_count--;
	}
	qdisc_qlen_dec(sch, skb);
	return skb;
}

/* The first packet of the first flow of a band; NULL: that flow has none to send now, and is
 * elsewhere. */
static struct sk_buff *band_serve(struct Qdisc *sch, struct fq_band *b, u64 now,
				  struct fq_flow **pf)
{
	struct fq_sched_data *q = sch->priv;
	bool is_new = !list_empty(&b->new_flows);
	struct fq_flow *f =
		list_first_entry(is_new ? &b->new_flows : &b->old_flows, struct fq_flow, list);
	struct sk_buff *skb = skb_peek(&f->queue);
	u64 next;

	*pf = f;
	if (f->credit <= 0) {
		f->credit += (s64)q->quantum;
		list_del_init(&f->list);
		flow_list(q, f, true);
		return NULL;
	}
	if (!skb) {
		list_del_init(&f->list);
		/* One more turn among the old ones, so that they are not starved by new ones. */
		if (is_new)
			flow_list(q, f, true);
		else
			flow_detach(sch, f);
		return NULL;
	}
	next = max_u64(fq_cb(skb)->time_to_send, f->time_next_packet);
	if (now + q->offload_horizon < next) {
		list_del_init(&f->list);
		f->time_next_packet = next;
		flow_throttle(q, f);
		return NULL;
	}
	if (now - next > q->ce_threshold && now > next && INET_ECN_set_ce(skb))
		q->stat[FQ_CE_MARK]++;
	return flow_take(sch, f);
}

/* When the flow may send again, after this packet. */
static void flow_pace(struct fq_sched_data *q, struct fq_flow *f, const struct sk_buff *skb,
		      u64 now)
{
	u64 plen = qdisc_pkt_len(skb), rate = q->flow_max_rate, ns;

	if (!skb->tstamp) {
		if (skb->sk)
			rate = min_u64(skb->sk->sk_pacing_rate, rate);
		if (rate <= q->low_rate_threshold) {
			f->credit = 0;
		} else {
			plen = max_u64(plen, q->quantum);
			if (f->credit > 0)
				return;
		}
	}
	if (rate == FQ_NO_RATE)
		return;
	ns = plen * NSEC_PER_SEC;
	if (rate)
		ns /= rate;
	if (ns > NSEC_PER_SEC) {
		ns = NSEC_PER_SEC;
		q->stat[FQ_PKTS_TOO_LONG]++;
	}
	/* Who was late has a credit. */
	if (f->time_next_packet)
		ns -= min_u64(ns / 2, now - f->time_next_packet);
	f->time_next_packet = now + ns;
}

struct sk_buff *fq_dequeue(struct Qdisc *sch)
{
	struct fq_sched_data *q = sch->priv;
	struct sk_buff *skb;
	struct fq_band *b;
	struct fq_flow *f;
	u64 now;

	if (!sch->stats.qlen)
		return NULL;
	if (q->internal.queue.qlen)
		return flow_take(sch, &q->internal);
	now = ktime_get_ns(dev_host(sch->dev));
	fq_check_throttled(q, now);
	while ((b = pick_band(q)) != NULL) {
		u64 len;

		skb = band_serve(sch, b, now, &f);
		if (!skb)
			continue;
		len = qdisc_pkt_len(skb);
		f->credit -= (s64)len;
		b->credit -= (s64)len;
		if (q->rate_enable)
			flow_pace(q, f, skb, now);
		return skb;
	}
	if (q->time_next_delayed_flow != UINT64_MAX)
		qdisc_watchdog_schedule_ns(sch, q->time_next_delayed_flow + q->timer_slack);
	return NULL;
}

/* ---- life ---- */

static void fq_reset(struct Qdisc *sch, enum skb_drop_reason reason)
{
	struct fq_sched_data *q = sch->priv;
	struct rb_node *p;

	for (struct sk_buff *skb; (skb = skb_dequeue(&q->internal.queue)) != NULL;) {
		qdisc_qlen_dec(sch, skb);
		kfree_skb_reason(skb, reason);
	}
	while ((p = rb_first(&q->flows_root)) != NULL) {
		struct fq_flow *f = container_of(p, struct fq_flow, node);

		for (struct sk_buff *skb; (skb = skb_dequeue(&f->queue)) != NULL;) {
			qdisc_qlen_dec(sch, skb);
			kfree_skb_reason(skb, reason);
		}
		rb_erase(p, &q->flows_root);
		mem_free(sch->dev->world, MEM_QDISC, f, sizeof(*f));
	}
	q->delayed.node = NULL;
	q->flows = q->inactive_flows = q->throttled_flows = 0;
	q->time_next_delayed_flow = UINT64_MAX;
	for (u32 i = 0; i < FQ_BANDS; i++) {
		list_init(&q->band[i].new_flows);
		list_init(&q->band[i].old_flows);
		q->band[i].pkt_count = 0;
	}
}

const struct Qdisc_ops fq_ops = {
	.id = "fq",
	.priv_size = sizeof(struct fq_sched_data),
	.init = fq_init,
	.change = fq_change,
	.enqueue = fq_enqueue,
	.dequeue = fq_dequeue,
	.reset = fq_reset,
	.dump = fq_dump,
	.dump_stats = fq_dump_stats,
};
