/* SPDX-License-Identifier: MIT */
/*
 * A packet in a table (ipt_do_table, ip6t_do_table): rule after rule until one decides, jumps and
 * returns, the policy; what each match asks of it (net/netfilter/xt_*.c).
 */
#include "nf/xt.h"

#include "ipv4/route.h"
#include "kernel/random.h"
#include "kernel/trace.h"
#include "lib/list.h"
#include "nf/nf_conntrack.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

/* ---- matches ---- */

/* Bytes of the transport header; NULL: they are not there. */
static const u8 *transport(struct xt_packet *p, u32 len, u8 *buffer)
{
	return skb_header_pointer(p->skb, p->thoff, len, buffer);
}

static bool port_match(const u16 range[2], u16 port, bool invert)
{
	return (port >= range[0] && port <= range[1]) != invert;
}

s32 xt_tcp_option(const u8 *options, u32 len, u8 kind, u32 size)
{
	for (u32 at = 0; at < len;) {
		u32 told = at + 1 < len ? options[at + 1] : 0;

		if (options[at] == kind && (!size || (told == size && len - at >= size)))
			return (s32)at;
		at += options[at] <= TCPOPT_NOP || !told ? 1 : told;
	}
	return -1;
}

/* The bytes behind the fixed header; NULL, and the packet is dropped: they are not all there. */
static const u8 *tcp_options(struct xt_packet *p, u32 doff, u8 buffer[TCP_HLEN_MAX])
{
	const u8 *th = doff < TCP_HLEN ? NULL : transport(p, doff, buffer);

	p->hotdrop |= !th;
	return th ? th + TCP_HLEN : NULL;
}

static bool tcp_match(const struct xt_match *m, struct xt_packet *p)
{
	u8 buffer[TCP_HLEN], space[TCP_HLEN_MAX];
	const u8 *th, *options;

	if (p->fragoff) {
		/* RFC 1858: a fragment at 8 bytes rewrites flags. */
		p->hotdrop |= p->fragoff == 1;
		return false;
	}
	th = transport(p, TCP_HLEN, buffer);
	if (!th) {
		p->hotdrop = true;
		return false;
	}
	if (!port_match(m->u.tcp.sport, tcp_source(th), m->invert & XT_OPT_SPORT) ||
	    !port_match(m->u.tcp.dport, tcp_dest(th), m->invert & XT_OPT_DPORT))
		return false;
	if (m->set & XT_OPT_FLAGS && ((tcp_flags(th) & m->u.tcp.flag_mask) == m->u.tcp.flag_cmp) ==
					     !!(m->invert & XT_OPT_FLAGS))
		return false;
	if (!(m->set & XT_OPT_OPTION))
		return true;
	options = tcp_options(p, tcp_doff(th), space);
	return options && (xt_tcp_option(options, tcp_doff(th) - TCP_HLEN, m->u.tcp.option, 0) >=
			   0) != !!(m->invert & XT_OPT_OPTION);
}

/* tcpmss_mt(): a packet without the option has no MSS of the range; a negated test it passes. */
static bool tcpmss_match(const struct xt_match *m, struct xt_packet *p)
{
	u8 buffer[TCP_HLEN], space[TCP_HLEN_MAX];
	const u8 *th = p->fragoff ? NULL : transport(p, TCP_HLEN, buffer);
	u32 doff = th ? tcp_doff(th) : 0;
	const u8 *options = tcp_options(p, doff, space);
	s32 at;
	u16 mss;

	if (!options)
		return false;
	at = xt_tcp_option(options, doff - TCP_HLEN, TCPOPT_MSS, TCPOLEN_MSS);
	if (at < 0)
		return m->invert;
	mss = get_be16(options + at + 2);
	return (mss >= m->u.length.min && mss <= m->u.length.max) != !!m->invert;
}

static bool udp_match(const struct xt_match *m, struct xt_packet *p)
{
	u8 buffer[8];
	const u8 *uh;

	if (p->fragoff)
		return false;
	uh = transport(p, 8, buffer);
	if (!uh) {
		p->hotdrop = true;
		return false;
	}
	return port_match(m->u.tcp.sport, get_be16(uh), m->invert & XT_OPT_SPORT) &&
	       port_match(m->u.tcp.dport, get_be16(uh + 2), m->invert & XT_OPT_DPORT);
}

static bool icmp_match(const struct xt_match *m, struct xt_packet *p)
{
	u8 buffer[4];
	const u8 *icmph;
	bool is;

	if (p->fragoff)
		return false;
	icmph = transport(p, 4, buffer);
	if (!icmph) {
		p->hotdrop = true;
		return false;
	}
	is = m->u.icmp.type == 255 ||
	     (m->u.icmp.type == icmph[0] && icmph[1] >= m->u.icmp.code[0] &&
	      icmph[1] <= m->u.icmp.code[1]);
	return is != !!m->invert;
}

static bool ct_match(const struct xt_match *m, const struct xt_packet *p)
{
	u32 ctinfo, state;
	const struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);

	if (ct)
		state = XT_STATE_BIT(ctinfo);
	else
		state = ctinfo == IP_CT_UNTRACKED ? XT_STATE_UNTRACKED : XT_STATE_INVALID;
	if (m->u.ct.states && !!(m->u.ct.states & state) == !!m->invert)
		return false;
	if (!ct)
		return !m->u.ct.status && !m->u.ct.dir;
	if (m->u.ct.dir && CTINFO2DIR(ctinfo) + 1 != m->u.ct.dir)
		return false;
	if (m->u.ct.status) {
		bool is = ct->status & m->u.ct.status ||
			  (m->u.ct.status >> 31 && !(ct->status & (IPS_EXPECTED | IPS_SEEN_REPLY |
								   IPS_ASSURED | IPS_CONFIRMED)));

		return is != !!m->u.ct.invert_status;
	}
	return true;
}

static bool multiport_match(const struct xt_match *m, struct xt_packet *p)
{
	u8 buffer[4];
	const u8 *ports;
	bool is = false;

	if (p->fragoff)
		return false;
	ports = transport(p, 4, buffer);
	if (!ports) {
		p->hotdrop = true;
		return false;
	}
	for (u32 i = 0; i < m->u.multiport.count && !is; i++) {
		const u16 range[2] = { m->u.multiport.port[i], m->u.multiport.last[i] };

		if (m->u.multiport.flags != XT_MULTIPORT_DESTINATION)
			is |= port_match(range, get_be16(ports), false);
		if (m->u.multiport.flags != XT_MULTIPORT_SOURCE)
			is |= port_match(range, get_be16(ports + 2), false);
	}
	return is != !!m->invert;
}

/* A bucket of `burst` packets that fills at the rate; credit counts in ns. */
static bool limit_match(struct xt_rule *r, const struct xt_match *m, u64 now)
{
	u64 cost = (u64)m->u.limit.avg * 100000;

	r->limit_credit =
		min_u64(r->limit_credit + (now - r->limit_stamp), cost * m->u.limit.burst);
	r->limit_stamp = now;
	if (r->limit_credit < cost)
		return false;
	r->limit_credit -= cost;
	return true;
}

static bool statistic_match(struct xt_rule *r, const struct xt_match *m, struct world *w)
{
	bool is;

	if (!m->u.statistic.every) {
		is = (get_random_u32(w, RANDOM_CONNTRACK) & 0x7fffffff) <
		     m->u.statistic.probability + (m->u.statistic.probability == 0x7fffffff);
		return is != !!m->invert;
	}
	is = ++r->statistic_count == m->u.statistic.every;
	if (is)
		r->statistic_count = 0;
	return is != !!m->invert;
}

static bool ttl_match(const struct xt_match *m, const struct xt_packet *p)
{
	const u8 *nh = skb_network_header(p->skb);
	u8 ttl = p->state->pf == AF_INET6 ? nh[7] : ip4_ttl(nh);

	switch (m->u.ttl.mode) {
	case XT_TTL_EQ:
		return (ttl == m->u.ttl.value) != !!m->invert;
	case XT_TTL_LT:
		return ttl < m->u.ttl.value;
	default:
		return ttl > m->u.ttl.value;
	}
}

static bool length_match(const struct xt_match *m, const struct xt_packet *p)
{
	u32 len = (u32)((s32)p->skb->len - skb_network_offset(p->skb));

	return (len >= m->u.length.min && len <= m->u.length.max) != !!m->invert;
}

static bool connmark_match(const struct xt_match *m, const struct xt_packet *p)
{
	u32 ctinfo;
	const struct nf_conn *ct = nf_ct_get(p->skb, &ctinfo);

	return ct && ((ct->mark & m->u.mark.mask) == m->u.mark.mark) != !!m->invert;
}

static bool in_range(const u8 *addr, const u8 range[2][16], u32 len, bool invert)
{
	return (memcmp(addr, range[0], len) >= 0 && memcmp(addr, range[1], len) <= 0) != invert;
}

static bool iprange_match(const struct xt_match *m, const struct xt_packet *p)
{
	const u8 *nh = skb_network_header(p->skb);
	bool v6 = p->state->pf == AF_INET6;
	u32 len = v6 ? 16 : 4;

	return (!(m->set & XT_OPT_SRC) ||
		in_range(nh + (v6 ? 8 : 12), m->u.iprange.src, len, m->invert & XT_OPT_SRC)) &&
	       (!(m->set & XT_OPT_DST) ||
		in_range(nh + (v6 ? 24 : 16), m->u.iprange.dst, len, m->invert & XT_OPT_DST));
}

static bool mac_match(const struct xt_match *m, const struct xt_packet *p)
{
	const struct sk_buff *skb = p->skb;

	return p->state->in && p->state->in->type == ARPHRD_ETHER && skb_mac_header_was_set(skb) &&
	       (memcmp(skb_mac_header(skb) + ETH_ALEN, m->u.mac, ETH_ALEN) == 0) != !!m->invert;
}

static bool addrtype_match(const struct xt_match *m, const struct xt_packet *p)
{
	const u8 *nh = skb_network_header(p->skb);
	struct net *net = p->state->net;

	if (m->u.addrtype.src && !(m->u.addrtype.src >> inet_addr_type(net, ip4_saddr(nh)) & 1) !=
					 !!(m->invert & XT_OPT_SRC))
		return false;
	return !m->u.addrtype.dst || (m->u.addrtype.dst >> inet_addr_type(net, ip4_daddr(nh)) &
				      1) != !!(m->invert & XT_OPT_DST);
}

bool xt_match_packet(struct xt_rule *rule, const struct xt_match *m, struct xt_packet *p)
{
	struct world *w = net_world(p->state->net);

	switch ((enum xt_match_kind)m->kind) {
	case XT_MATCH_TCP:
		return tcp_match(m, p);
	case XT_MATCH_UDP:
		return udp_match(m, p);
	case XT_MATCH_ICMP:
	case XT_MATCH_ICMP6:
		return icmp_match(m, p);
	case XT_MATCH_STATE:
	case XT_MATCH_CONNTRACK:
		return ct_match(m, p);
	case XT_MATCH_MULTIPORT:
		return multiport_match(m, p);
	case XT_MATCH_LIMIT:
		return limit_match(rule, m, w->now);
	case XT_MATCH_MARK:
		return ((p->skb->mark & m->u.mark.mask) == m->u.mark.mark) != !!m->invert;
	case XT_MATCH_LENGTH:
		return length_match(m, p);
	case XT_MATCH_TTL:
		return ttl_match(m, p);
	case XT_MATCH_PKTTYPE:
		return (p->skb->pkt_type == m->u.pkttype) != !!m->invert;
	case XT_MATCH_STATISTIC:
		return statistic_match(rule, m, w);
	case XT_MATCH_CONNMARK:
		return connmark_match(m, p);
	case XT_MATCH_IPRANGE:
		return iprange_match(m, p);
	case XT_MATCH_MAC:
		return mac_match(m, p);
	case XT_MATCH_ADDRTYPE:
		return addrtype_match(m, p);
	case XT_MATCH_TCPMSS:
		return tcpmss_match(m, p);
	case XT_MATCH_COMMENT:
	case XT_MATCH_KIND_COUNT:
		break;
	}
	return true;
}

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
