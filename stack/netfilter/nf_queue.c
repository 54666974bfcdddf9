/* SPDX-License-Identifier: MIT */
/*
 * Packets that a hook holds until somebody outside decides about them (net/netfilter/nf_queue.c,
 * nfnetlink_queue.c): OP_NF_VERDICT names one by its number and lets it go on behind the hook that
 * held it, has that hook see it again, or ends it.
 *
 * Invariants: a held packet owns its route (no borrowed one), and its devices are there: those of a
 * device that goes down are dropped. At most NF_QUEUE_MAXLEN wait in a namespace.
 */
#include "core/dst.h"
#include "core/offload.h"
#include "kernel/host.h"
#include "netfilter/nf_hooks.h"
#include "skb/ip_way.h"
#include "stack/errno.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define NF_QUEUE_MAXLEN 1024u /* NFQNL_QMAX_DEFAULT */

struct nf_queue_entry {
	struct list_head list;
	struct sk_buff *skb;
	struct nf_hook_state state;
	struct nf_hook_pos pos;
};

struct nf_queue {
	struct list_head entries; /* in order of arrival */
	u32 count;
};

static struct nf_queue *net_queue(struct net *net)
{
	struct nf_queue *q = net->nf_queue;

	if (q)
		return q;
	q = mem_zalloc(net_world(net), MEM_NF_HOOK, sizeof(*q));
	if (!q)
		return NULL;
	list_init(&q->entries);
	net->nf_queue = q;
	return q;
}

/* What is only borrowed for the time of a call must be owned by a packet that waits. */
static void skb_force(struct sk_buff *skb)
{
	if (skb->dst && skb->dst_noref) {
		dst_hold(skb->dst);
		skb->dst_noref = 0;
	}
	if (skb->sk && !skb->destructor)
		skb->sk = NULL;
}

bool nf_queue(struct sk_buff *skb, const struct nf_hook_state *state, struct nf_hook_pos pos)
{
	struct nf_queue *q = net_queue(state->net);
	struct nf_queue_entry *e;

	if (!q || q->count == NF_QUEUE_MAXLEN)
		return false;
	e = mem_alloc(net_world(state->net), MEM_NF_HOOK, sizeof(*e));
	if (!e)
		return false;
	skb_force(skb);
	e->skb = skb;
	e->state = *state;
	e->state.sk = skb->sk;
	e->pos = pos;
	list_add_tail(&e->list, &q->entries);
	q->count++;
	ip_way_hold(skb);
	return true;
}

/* Off the queue: what was in it. */
static struct sk_buff *queue_take(struct nf_queue_entry *e)
{
	struct net *net = e->state.net;
	struct sk_buff *skb = e->skb;

	list_del_init(&e->list);
	net->nf_queue->count--;
	ip_way_unhold(skb);
	mem_free(net_world(net), MEM_NF_HOOK, e, sizeof(*e));
	return skb;
}

static struct nf_queue_entry *queue_find(struct net *net, u64 packet_id)
{
	if (!net->nf_queue)
		return NULL;
	list_for_each(pos, &net->nf_queue->entries) {
		struct nf_queue_entry *e = list_entry(pos, struct nf_queue_entry, list);

		if (e->skb->id == packet_id)
			return e;
	}
	return NULL;
}

/* What a header promises must be there: nobody looks again. */
static bool is_packet_of(u16 pf, const u8 *bytes, u32 len)
{
	if (pf == AF_INET6)
		return len >= IP6_HLEN && bytes[0] >> 4 == 6;
	return len >= IP4_HLEN && bytes[0] >> 4 == 4 && ip4_ihl(bytes) >= IP4_HLEN &&
	       ip4_ihl(bytes) <= len;
}

int nf_mangle(struct sk_buff *skb, u16 pf, const u8 *bytes, u32 len)
{
	if (!is_packet_of(pf, bytes, len))
		return -EINVAL;
	if (skb_linearize(skb) || skb_ensure_writable(skb, skb->len))
		return -ENOMEM;
	if (len > skb->len) {
		u32 more = len - skb->len;

		if (skb_tailroom(skb) < more && pskb_expand_head(skb, 0, more))
			return -ENOMEM;
		skb_put(skb, more);
	} else if (len < skb->len && pskb_trim(skb, len)) {
		return -ENOMEM;
	}
	memcpy(skb->data, bytes, len);
	if (pf == AF_INET)
		skb->transport_header = (u16)(skb->network_header + ip4_ihl(bytes));
	/* Whoever wrote it must have got its checksums right, or they are found wrong. */
	if (!skb_is_gso(skb)) {
		skb->ip_summed = CHECKSUM_NONE;
		skb->csum_valid = 0;
	}
	return 0;
}

/* nf_reinject */
static void nf_reinject(struct nf_queue_entry *e, u32 verdict)
{
	const struct nf_hook_state state = e->state;
	const struct nf_hook_pos pos = e->pos;
	struct sk_buff *skb = queue_take(e);

	switch (verdict & NF_VERDICT_MASK) {
	case NF_ACCEPT:
	case NF_REPEAT:
		if (nf_hook_resume(skb, &state, pos, verdict == NF_REPEAT) == 1)
			state.okfn(state.net, state.sk, skb);
		break;
	case NF_STOLEN:
		ip_way_consume(skb);
		break;
	default:
		kfree_skb_reason(skb, SKB_DROP_REASON_NETFILTER_DROP);
	}
}

int nf_op_nf_verdict(struct net *net, const struct op_nf_verdict *op)
{
	struct nf_queue_entry *e = queue_find(net, op->packet_id);
	u64 kind = op->verdict & NF_VERDICT_MASK;
	int err = 0;

	if (!e)
		return -ENOENT;
	if (op->verdict > UINT32_MAX || kind == NF_QUEUE || kind > NF_REPEAT ||
	    (op->verdict >> 8 && kind != NF_DROP) || op->bytes.len > FRAME_LEN_MAX)
		return -EINVAL;
	if (op->bytes.len)
		err = nf_mangle(e->skb, e->state.pf, op->bytes.p, op->bytes.len);
	if (err)
		return err;
	nf_reinject(e, (u32)op->verdict);
	return 0;
}

/* nf_queue_nf_hook_drop, nfqnl_dev_drop */
static void queue_drop(struct net *net, const struct net_device *dev)
{
	if (!net->nf_queue)
		return;
	list_for_each_safe(pos, tmp, &net->nf_queue->entries) {
		struct nf_queue_entry *e = list_entry(pos, struct nf_queue_entry, list);

		if (!dev || e->state.in == dev || e->state.out == dev || e->skb->dev == dev ||
		    (e->skb->dst && e->skb->dst->dev == dev))
			kfree_skb_reason(queue_take(e), SKB_DROP_REASON_DEV_READY);
	}
}

static int nfqnl_rcv_dev_event(struct net_device *dev, enum netdev_event event)
{
	if (event == NETDEV_DOWN || event == NETDEV_UNREGISTER)
		queue_drop(dev_net(dev), dev);
	return 0;
}

int netfilter_init(struct host *h)
{
	return register_netdevice_notifier(h, nfqnl_rcv_dev_event);
}

void netfilter_exit(struct host *h)
{
	(void)h;
}

void nf_queue_net_exit(struct net *net)
{
	if (!net->nf_queue)
		return;
	queue_drop(net, NULL);
	mem_free(net_world(net), MEM_NF_HOOK, net->nf_queue, sizeof(*net->nf_queue));
	net->nf_queue = NULL;
}
