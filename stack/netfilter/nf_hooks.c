/* SPDX-License-Identifier: MIT */
/*
 * Chains of netfilter hooks (net/netfilter/core.c): a list in order of priority per namespace,
 * family and place. A hook may add and remove hooks while its chain runs: a removed entry is then
 * only marked and freed when the last runner leaves. An empty chain is a NULL pointer.
 */
#include "netfilter/nf_hooks.h"

#include "core/offload.h"
#include "kernel/trace.h"
#include "skb/ip_way.h"
#include "stack/errno.h"

#define NF_REPEAT_MAX 1000u

struct nf_hook_entry {
	struct nf_hook_entry *next;
	struct nf_hook_ops ops;
	u32 order; /* among those of one priority */
	bool dead;
	bool outside; /* made by OP_HOOK_ADD under id */
	u32 id;
};

struct nf_hook_entries {
	struct nf_hook_entry *first;
	u32 running; /* nf_hook_slow calls inside */
	u32 made; /* entries ever added */
	u32 dead;
};

static u32 nf_hook_outside(const struct nf_hook_entry *e, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct world *w = net_world(state->net);
	struct nf_hook_packet p = { .id = e->id,
				    .hook = state->hook,
				    .family = state->pf,
				    .in_ifindex = state->in ? state->in->ifindex : 0,
				    .out_ifindex = state->out ? state->out->ifindex : 0,
				    .packet_id = skb->id };
	u32 verdict;

	if (!w->ops || !w->ops->nf_hook)
		return NF_ACCEPT;
	if (skb_linearize(skb) || skb_ensure_writable(skb, skb->len))
		return NF_DROP;
	/* The outside knows nothing of checksums that the device is to fill in. */
	if (skb->ip_summed == CHECKSUM_PARTIAL && !skb_is_gso(skb) && skb_checksum_help(skb))
		return NF_DROP;
	p.data = skb->data;
	p.len = skb->len;
	verdict = w->ops->nf_hook(w->ops_ctx, &p);
	if (p.replace && nf_mangle(skb, state->pf, p.replace, p.replace_len))
		return NF_DROP;
	/* The outside has no way to hold a packet but NF_QUEUE: what it steals ends there. */
	if (verdict == NF_STOLEN)
		ip_way_consume(skb);
	return (verdict & NF_VERDICT_MASK) > NF_REPEAT ? NF_DROP : verdict;
}

/* Frees marked entries, and the chain when none is left. */
static void chain_sweep(struct net *net, struct nf_hook_entries **slot)
{
	struct nf_hook_entry **p = &(*slot)->first;

	while (*p) {
		struct nf_hook_entry *e = *p;

		if (e->dead) {
			*p = e->next;
			mem_free(net_world(net), MEM_NF_HOOK, e, sizeof(*e));
		} else {
			p = &e->next;
		}
	}
	(*slot)->dead = 0;
	if (!(*slot)->first) {
		mem_free(net_world(net), MEM_NF_HOOK, *slot, sizeof(**slot));
		*slot = NULL;
	}
}

/* One hook until it no longer says NF_REPEAT; one that repealed itself has accepted. */
static u32 entry_run(const struct nf_hook_entry *e, struct sk_buff *skb,
		     const struct nf_hook_state *state)
{
	u32 verdict = NF_ACCEPT;

	for (u32 n = 0; !e->dead; n++) {
		verdict = e->outside ? nf_hook_outside(e, skb, state) :
				       e->ops.hook(e->ops.priv, skb, state);
		if (verdict != NF_REPEAT)
			return verdict;
		/* The kernel would hang here. */
		if (n == NF_REPEAT_MAX)
			return NF_DROP;
	}
	return NF_ACCEPT;
}

/* Entries from e on: the final verdict. */
static u32 chain_run(const struct nf_hook_entry *e, struct sk_buff *skb,
		     const struct nf_hook_state *state)
{
	u32 verdict = NF_ACCEPT;

	for (; e && verdict == NF_ACCEPT; e = e->next) {
		verdict = entry_run(e, skb, state);
		if (verdict == NF_QUEUE) {
			const struct nf_hook_pos pos = { e->ops.priority, e->order };

			/* Nobody who listens: a drop, as in the kernel then. */
			if (!e->outside || !nf_queue(skb, state, pos))
				verdict = NF_DROP;
		}
	}
	return verdict;
}

static int hook_run(struct nf_hook_entries **slot, const struct nf_hook_entry *from,
		    struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct net *net = state->net;
	struct nf_hook_entries *chain = *slot;
	u64 id = skb->id;
	u32 verdict;

	chain->running++;
	verdict = chain_run(from, skb, state);
	if (--chain->running == 0 && chain->dead)
		chain_sweep(net, slot);
	if ((verdict & NF_VERDICT_MASK) == NF_DROP)
		kfree_skb_reason(skb, SKB_DROP_REASON_NETFILTER_DROP);
	trace(net_world(net), net->host, TRACE_NF_HOOK, id, state->pf, state->hook, verdict);
	if (verdict == NF_ACCEPT)
		return 1;
	return (verdict & NF_VERDICT_MASK) == NF_DROP ? NF_DROP_GETERR(verdict) : 0;
}

static struct nf_hook_entries **hook_slot(const struct nf_hook_state *state)
{
	return &state->net->nf_hooks[nf_family_index(state->pf)][state->hook];
}

int nf_hook_slow(struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct nf_hook_entries **slot = hook_slot(state);

	return hook_run(slot, (*slot)->first, skb, state);
}

/* Does e stand at the place or behind it? */
static bool entry_behind(const struct nf_hook_entry *e, struct nf_hook_pos pos, bool repeat)
{
	if (e->ops.priority != pos.priority)
		return e->ops.priority > pos.priority;
	return repeat ? e->order >= pos.order : e->order > pos.order;
}

int nf_hook_resume(struct sk_buff *skb, const struct nf_hook_state *state, struct nf_hook_pos pos,
		   bool repeat)
{
	struct nf_hook_entries **slot = hook_slot(state);
	const struct nf_hook_entry *e = *slot ? (*slot)->first : NULL;

	while (e && !entry_behind(e, pos, repeat))
		e = e->next;
	return e ? hook_run(slot, e, skb, state) : 1;
}

static int chain_add(struct net *net, const struct nf_hook_entry *add)
{
	struct world *w = net_world(net);
	struct nf_hook_entries **slot =
		&net->nf_hooks[nf_family_index(add->ops.pf)][add->ops.hooknum];
	struct nf_hook_entry *e, **p;

	e = mem_alloc(w, MEM_NF_HOOK, sizeof(*e));
	if (!e)
		return -ENOMEM;
	if (!*slot)
		*slot = mem_zalloc(w, MEM_NF_HOOK, sizeof(**slot));
	if (!*slot) {
		mem_free(w, MEM_NF_HOOK, e, sizeof(*e));
		return -ENOMEM;
	}
	*e = *add;
	e->order = (*slot)->made++;
	for (p = &(*slot)->first; *p && (*p)->ops.priority <= e->ops.priority; p = &(*p)->next)
		;
	e->next = *p;
	*p = e;
	return 0;
}

static void chain_del(struct net *net, struct nf_hook_entries **slot, struct nf_hook_entry *e)
{
	e->dead = true;
	(*slot)->dead++;
	if (!(*slot)->running)
		chain_sweep(net, slot);
}

static bool hook_valid(u64 pf, u64 hooknum)
{
	return (pf == AF_INET || pf == AF_INET6) && hooknum < NF_INET_NUMHOOKS;
}

int nf_register_net_hook(struct net *net, const struct nf_hook_ops *ops)
{
	const struct nf_hook_entry e = { .ops = *ops };

	if (!hook_valid(ops->pf, ops->hooknum) || !ops->hook)
		return -EINVAL;
	return chain_add(net, &e);
}

void nf_unregister_net_hook(struct net *net, const struct nf_hook_ops *ops)
{
	struct nf_hook_entries **slot;

	if (!hook_valid(ops->pf, ops->hooknum))
		return;
	slot = &net->nf_hooks[nf_family_index(ops->pf)][ops->hooknum];
	for (struct nf_hook_entry *e = *slot ? (*slot)->first : NULL; e; e = e->next) {
		if (e->dead || e->outside || e->ops.hook != ops->hook || e->ops.priv != ops->priv)
			continue;
		chain_del(net, slot, e);
		return;
	}
}

void nf_net_exit(struct net *net)
{
	nf_queue_net_exit(net);
	for (u32 f = 0; f < 2; f++) {
		for (u32 h = 0; h < NF_INET_NUMHOOKS; h++) {
			struct nf_hook_entries **slot = &net->nf_hooks[f][h];

			if (!*slot)
				continue;
			for (struct nf_hook_entry *e = (*slot)->first; e; e = e->next)
				e->dead = true;
			chain_sweep(net, slot);
		}
	}
}

/* The entry that OP_HOOK_ADD made under id; *slot is its chain. */
static struct nf_hook_entry *hook_find_id(struct net *net, u32 id, struct nf_hook_entries ***slot)
{
	for (u32 f = 0; f < 2; f++) {
		for (u32 h = 0; h < NF_INET_NUMHOOKS; h++) {
			*slot = &net->nf_hooks[f][h];
			for (struct nf_hook_entry *e = **slot ? (**slot)->first : NULL; e;
			     e = e->next)
				if (e->outside && !e->dead && e->id == id)
					return e;
		}
	}
	return NULL;
}

int nf_op_hook_add(struct net *net, const struct op_hook_add *op)
{
	struct nf_hook_entry e = { .outside = true };
	struct nf_hook_entries **slot;

	if (!hook_valid(op->family, op->hook) || op->priority > UINT32_MAX || op->id > UINT32_MAX)
		return -EINVAL;
	if (hook_find_id(net, (u32)op->id, &slot))
		return -EEXIST;
	e.id = (u32)op->id;
	e.ops.pf = (u16)op->family;
	e.ops.hooknum = (u32)op->hook;
	e.ops.priority = (s32)((s64)op->priority - (1ll << 31));
	return chain_add(net, &e);
}

int nf_op_hook_del(struct net *net, const struct op_hook_del *op)
{
	struct nf_hook_entries **slot;
	struct nf_hook_entry *e;

	if (op->id > UINT32_MAX)
		return -ENOENT;
	e = hook_find_id(net, (u32)op->id, &slot);
	if (!e)
		return -ENOENT;
	chain_del(net, slot, e);
	return 0;
}
