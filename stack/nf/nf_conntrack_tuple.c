/* SPDX-License-Identifier: MIT */
/*
 * Tuples of connection tracking: which bytes of a packet identify its connection, and what an
 * answer's are (nf_ct_get_tuple, nf_ct_invert_tuple). Nothing here changes anything.
 */
#include "nf/nf_conntrack.h"

#include "wire/icmp4.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define NEXTHDR_HOP	 0
#define NEXTHDR_ROUTING	 43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_AUTH	 51
#define NEXTHDR_NONE	 59
#define NEXTHDR_DEST	 60

/* ---- where the transport begins ---- */

static struct inet_addr addr6(const u8 *p)
{
	return (struct inet_addr){ { load_be32(p), load_be32(p + 4), load_be32(p + 8),
				     load_be32(p + 12) } };
}

static bool ipv4_get_l4proto(const struct sk_buff *skb, u32 nhoff, u8 *protonum, u32 *dataoff,
			     struct nf_conntrack_tuple *addrs)
{
	u8 buffer[IP4_HLEN];
	const u8 *iph = skb_header_pointer(skb, nhoff, IP4_HLEN, buffer);

	/* Fragments that are not first have no ports. */
	if (!iph || ip4_frag(iph) & IP4_OFFSET || ip4_ihl(iph) < IP4_HLEN)
		return false;
	*dataoff = nhoff + ip4_ihl(iph);
	*protonum = ip4_protocol(iph);
	addrs->src = (struct inet_addr){ { ip4_saddr(iph) } };
	addrs->dst = (struct inet_addr){ { ip4_daddr(iph) } };
	return *dataoff <= skb->len;
}

/* ipv6_skip_exthdr: false where a later fragment begins, or bytes are missing. */
static bool ipv6_skip_exthdr(const struct sk_buff *skb, u32 *at, u8 *nexthdr)
{
	for (u32 n = 0; n < 16; n++) {
		u8 buffer[4];
		const u8 *p;

		if (*nexthdr != NEXTHDR_HOP && *nexthdr != NEXTHDR_ROUTING &&
		    *nexthdr != NEXTHDR_FRAGMENT && *nexthdr != NEXTHDR_AUTH &&
		    *nexthdr != NEXTHDR_DEST)
			return *nexthdr != NEXTHDR_NONE;
		p = skb_header_pointer(skb, *at, 4, buffer);
		if (!p)
			return false;
		if (*nexthdr == NEXTHDR_FRAGMENT) {
			if (get_be16(p + 2) & 0xfff8)
				return false;
			*at += 8;
		} else {
			*at += *nexthdr == NEXTHDR_AUTH ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
		}
		*nexthdr = p[0];
	}
	return false;
}

static bool ipv6_get_l4proto(const struct sk_buff *skb, u32 nhoff, u8 *protonum, u32 *dataoff,
			     struct nf_conntrack_tuple *addrs)
{
	u8 buffer[IP6_HLEN];
	const u8 *h = skb_header_pointer(skb, nhoff, IP6_HLEN, buffer);

	if (!h)
		return false;
	addrs->src = addr6(h + 8);
	addrs->dst = addr6(h + 24);
	*protonum = h[6];
	*dataoff = nhoff + IP6_HLEN;
	return ipv6_skip_exthdr(skb, dataoff, protonum) && *dataoff <= skb->len;
}

bool nf_ct_get_l4proto(const struct sk_buff *skb, u32 nhoff, u16 l3num, u8 *protonum, u32 *dataoff,
		       struct nf_conntrack_tuple *addrs)
{
	memset(addrs, 0, sizeof(*addrs));
	addrs->l3num = l3num;
	if (l3num == AF_INET6)
		return ipv6_get_l4proto(skb, nhoff, protonum, dataoff, addrs);
	return ipv4_get_l4proto(skb, nhoff, protonum, dataoff, addrs);
}

/* ---- ICMP ---- */

/* The answer to a type, plus one; 0: it has none. RFC 792, RFC 950. */
static const u8 invmap[NR_ICMP_TYPES + 1] = {
	[ICMP_ECHO] = ICMP_ECHOREPLY + 1,	    [ICMP_ECHOREPLY] = ICMP_ECHO + 1,
	[ICMP_TIMESTAMP] = ICMP_TIMESTAMPREPLY + 1, [ICMP_TIMESTAMPREPLY] = ICMP_TIMESTAMP + 1,
	[ICMP_INFO_REQUEST] = ICMP_INFO_REPLY + 1,  [ICMP_INFO_REPLY] = ICMP_INFO_REQUEST + 1,
	[ICMP_ADDRESS] = ICMP_ADDRESSREPLY + 1,	    [ICMP_ADDRESSREPLY] = ICMP_ADDRESS + 1,
};

static u8 icmpv6_inverse(u8 type)
{
	switch (type) {
	case 128: /* echo */
		return 129 + 1;
	case 129:
		return 128 + 1;
	case 139: /* node information (RFC 4620) */
		return 140 + 1;
	case 140:
		return 139 + 1;
	default:
		return 0;
	}
}

static bool invert_icmp(struct nf_conntrack_tuple *inverse, const struct nf_conntrack_tuple *orig)
{
	u8 type = (u8)(orig->dport >> 8), answer;

	if (orig->protonum == IPPROTO_ICMP)
		answer = type <= NR_ICMP_TYPES ? invmap[type] : 0;
	else
		answer = icmpv6_inverse(type);
	if (!answer)
		return false;
	inverse->sport = orig->sport;
	inverse->dport = (u16)((answer - 1u) << 8 | (orig->dport & 0xff));
	return true;
}

/* ---- tuples ---- */

bool nf_ct_get_tuple(const struct sk_buff *skb, u32 dataoff, u16 l3num, u8 protonum,
		     const struct nf_conntrack_tuple *addrs, struct nf_conntrack_tuple *tuple)
{
	u8 buffer[8];
	const u8 *p;

	*tuple = *addrs;
	tuple->l3num = l3num;
	tuple->protonum = protonum;
	tuple->dir = IP_CT_DIR_ORIGINAL;
	switch (protonum) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		/* 8 bytes are all that an ICMP error need quote. */
		p = skb_header_pointer(skb, dataoff, 4, buffer);
		if (!p)
			return false;
		tuple->sport = get_be16(p);
		tuple->dport = get_be16(p + 2);
		return true;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		p = skb_header_pointer(skb, dataoff, 8, buffer);
		if (!p)
			return false;
		tuple->sport = get_be16(p + 4);
		tuple->dport = (u16)(p[0] << 8 | p[1]);
		return true;
	default:
		return true;
	}
}

bool nf_ct_invert_tuple(struct nf_conntrack_tuple *inverse, const struct nf_conntrack_tuple *orig)
{
	*inverse = *orig;
	inverse->src = orig->dst;
	inverse->dst = orig->src;
	inverse->dir = !orig->dir;
	if (orig->protonum == IPPROTO_ICMP || orig->protonum == IPPROTO_ICMPV6)
		return invert_icmp(inverse, orig);
	inverse->sport = orig->dport;
	inverse->dport = orig->sport;
	return true;
}

bool nf_ct_tuple_equal(const struct nf_conntrack_tuple *a, const struct nf_conntrack_tuple *b)
{
	return a->sport == b->sport && a->dport == b->dport && a->protonum == b->protonum &&
	       a->l3num == b->l3num && inet_addr_equal(&a->src, &b->src) &&
	       inet_addr_equal(&a->dst, &b->dst);
}

const char *nf_ct_l4proto_name(u8 protonum)
{
	switch (protonum) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	default:
		return "unknown";
	}
}
