/* SPDX-License-Identifier: MIT */
/*
 * A packet in a table (net/ipv4/netfilter/ip_tables.c: ipt_do_table, ip6t_do_table): rule after
 * rule until one decides, jumps and returns, the policy. What a rule's matches ask: xt_match.c.
 */
#include "nf/xt.h"

#include "kernel/trace.h"
#include "lib/list.h"
#include "nf/nf_conntrack.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

/* ---- the rule itself ---- */

static bool address_match(const u8 *addr, const u8 *want, const u8 *mask, u32 len)
{
	u8 differ = 0;

	for (u32 i = 0; i < len; i++)
		differ |= (u8)((addr[i] & mask[i]) ^ want[i]);
	return !differ;
}

static bool interface_match(const struct net_device *dev, const char *pattern)
{
	const char *name = dev ? dev->name : "";

	for (; *pattern; pattern++, name++) {
		if (*pattern == '+' && !pattern[1])
			return true;
		if (*pattern != *name)
			return false;
	}
	return !*name;
}

/* ip_packet_match */
static bool header_match(const struct xt_spec *s, const struct xt_packet *p)
{
	const u8 *nh = skb_network_header(p->skb);
	bool v6 = p->state->pf == AF_INET6;
	u32 len = v6 ? 16 : 4;

	if (address_match(nh + (v6 ? 8 : 12), s->src, s->src_mask, len) ==
		    !!(s->invert & XT_INV_SRC) ||
	    address_match(nh + (v6 ? 24 : 16), s->dst, s->dst_mask, len) ==
		    !!(s->invert & XT_INV_DST))
		return false;
	if (s->in[0] && interface_match(p->state->in, s->in) == !!(s->invert & XT_INV_IN))
		return false;
	if (s->out[0] && interface_match(p->state->out, s->out) == !!(s->invert & XT_INV_OUT))
		return false;
	if (s->proto && (p->protonum == s->proto) == !!(s->invert & XT_INV_PROTO))
		return false;
	return !s->frag || (p->fragoff != 0) != !!(s->invert & XT_INV_FRAG);
}

static bool rule_match(struct xt_rule *r, struct xt_packet *p)
{
	if (!header_match(&r->spec, p))
		return false;
	for (u32 i = 0; i < r->spec.matches; i++)
		if (!xt_match_packet(r, &r->spec.match[i], p))
			return false;
	return true;
}

/* ---- the table ---- */

/* Where the walk is; the rule to come back to of each jump. */
struct walk {
	struct xt_chain *first; /* the hook's */
	struct xt_chain *chain;
	struct list_head *pos;
	struct {
		struct xt_chain *chain;
		struct list_head *pos;
	} stack[XT_JUMP_DEPTH];
	u32 depth;
};

static void log_packet(const struct xt_packet *p, const struct xt_chain *c, const struct xt_rule *r)
{
	struct net *net = p->state->net;
	u32 number = 1;

	list_for_each(pos, &c->rules) {
		if (list_entry(pos, struct xt_rule, list) == r)
			break;
		number++;
	}
	trace(net_world(net), net->host, TRACE_NF_LOG, p->skb->id, p->state->pf, p->state->hook,
	      number);
}

/* Back to where the chain was called from, or to the policy: then the verdict. */
static bool walk_return(struct walk *w, u32 len, u32 *verdict)
{
	if (w->depth) {
		w->depth--;
		w->chain = w->stack[w->depth].chain;
		w->pos = w->stack[w->depth].pos;
		return true;
	}
	w->first->packets++;
	w->first->bytes += len;
	*verdict = w->first->drop ? NF_DROP : NF_ACCEPT;
	return false;
}

/* What the target of a rule that matched does. False: *verdict ends the walk. */
static bool rule_target(struct walk *w, struct xt_rule *r, struct xt_packet *p, u32 len,
			u32 *verdict)
{
	const struct xt_spec *s = &r->spec;

	switch ((enum xt_target_kind)s->target) {
	case XT_NONE:
		return true;
	case XT_ACCEPT:
		*verdict = NF_ACCEPT;
		return false;
	case XT_DROP:
		*verdict = NF_DROP;
		return false;
	case XT_RETURN:
		return walk_return(w, len, verdict);
	case XT_JUMP:
		ASSERT(w->depth < XT_JUMP_DEPTH);
		w->stack[w->depth].chain = w->chain;
		w->stack[w->depth++].pos = w->pos;
		w->chain = r->jump;
		w->pos = r->jump->rules.next;
		return true;
	case XT_GOTO:
		w->chain = r->jump;
		w->pos = r->jump->rules.next;
		return true;
	case XT_REJECT:
		xt_reject(p, s->reject);
		*verdict = NF_DROP;
		return false;
	case XT_NOTRACK:
		if (!p->skb->nfct)
			nf_ct_set_untracked(p->skb);
		return true;
	case XT_LOG:
		log_packet(p, w->chain, r);
		return true;
	case XT_MARK:
		p->skb->mark = (p->skb->mark & ~s->mark_mask) ^ s->mark;
		return true;
	case XT_CONNMARK:
		xt_connmark_target(p, s);
		return true;
	case XT_TCPMSS:
	case XT_TTL:
		*verdict = NF_DROP;
		return s->target == XT_TTL ? xt_ttl_target(p, s) : xt_tcpmss_target(p, s);
	}
	return true;
}

static u32 table_walk(struct xt_table *t, struct xt_packet *p)
{
	struct xt_chain *first = t->hook_chain[p->state->hook];
	struct walk w = { .first = first, .chain = first, .pos = first->rules.next };
	u32 len = (u32)((s32)p->skb->len - skb_network_offset(p->skb)), verdict = NF_ACCEPT;

	for (;;) {
		struct xt_rule *r;

		if (w.pos == &w.chain->rules) {
			if (!walk_return(&w, len, &verdict))
				return verdict;
			continue;
		}
		r = list_entry(w.pos, struct xt_rule, list);
		w.pos = w.pos->next;
		if (!rule_match(r, p)) {
			if (p->hotdrop)
				return NF_DROP;
			continue;
		}
		r->packets++;
		r->bytes += len;
		if (!rule_target(&w, r, p, len, &verdict))
			return verdict;
	}
}

/* The transport header and what is before it. */
static void packet_read(struct xt_packet *p)
{
	struct sk_buff *skb = p->skb;
	const u8 *nh = skb_network_header(skb);
	struct nf_conntrack_tuple addrs;
	u32 nhoff = (u32)skb_network_offset(skb);

	if (p->state->pf == AF_INET) {
		p->fragoff = ip4_frag(nh) & IP4_OFFSET;
		p->thoff = nhoff + ip4_ihl(nh);
		p->protonum = ip4_protocol(nh);
		return;
	}
	/* Headers that can not be followed: no protocol matches (ipv6_find_hdr). */
	if (!nf_ct_get_l4proto(skb, nhoff, AF_INET6, &p->protonum, &p->thoff, &addrs)) {
		p->fragoff = 2;
		p->protonum = nh[6];
	}
}

u32 xt_do_table(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct xt_table *t = priv;
	struct xt_packet p = { .skb = skb, .state = state };
	u32 verdict;

	packet_read(&p);
	t->running++;
	verdict = table_walk(t, &p);
	t->running--;
	return verdict;
}
