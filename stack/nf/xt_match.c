/* SPDX-License-Identifier: MIT */
/*
 * What each match of a rule asks of a packet (net/netfilter/xt_*.c); xt_do_table.c walks the rules.
 */
#include "nf/xt.h"

#include "ipv4/route.h"
#include "kernel/random.h"
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
