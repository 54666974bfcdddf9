/* SPDX-License-Identifier: MIT */
/*
 * The hash of a flow by which one of several next hops is chosen (net/ipv4/route.c:
 * fib_multipath_hash; fib_select.c chooses).
 */
#include "ipv4/fib.h"

#include "ipv4/icmp.h"
#include "ipv4/ip.h"
#include "ipv4/netns_ipv4.h"

/* net.ipv4.fib_multipath_hash_fields, for policy 3. */
#define FIELD_SRC_IP	  0x1u
#define FIELD_DST_IP	  0x2u
#define FIELD_IP_PROTO	  0x4u
#define FIELD_SRC_PORT	  0x10u
#define FIELD_DST_PORT	  0x20u
#define FIELD_INNER_SHIFT 6u /* the same of what a tunnel carries */
#define FIELD_INNER_MASK  0xfc0u

/* What a flow is told by. */
struct hash_keys {
	be32 saddr, daddr;
	u16 sport, dport;
	u8 proto;
};

/* The header at `at` of the packet. False: it is not whole, or none of IPv4. */
static bool dissect(const struct sk_buff *skb, u32 at, struct hash_keys *k, u32 *payload)
{
	u8 h[IP4_HLEN], ports[4];

	if (!skb_copy_bits(skb, at, h, sizeof(h)) || ip4_version(h) != 4 || ip4_ihl(h) < IP4_HLEN)
		return false;
	*k = (struct hash_keys){ .saddr = ip4_saddr(h),
				 .daddr = ip4_daddr(h),
				 .proto = ip4_protocol(h) };
	*payload = at + ip4_ihl(h);
	if (ip4_is_fragment(h) || (k->proto != IPPROTO_TCP && k->proto != IPPROTO_UDP) ||
	    !skb_copy_bits(skb, *payload, ports, sizeof(ports)))
		return true;
	k->sport = get_be16(ports);
	k->dport = get_be16(ports + 2);
	return true;
}

/* What an IPIP or GRE packet carries. False: it is none. */
static bool dissect_inner(const struct sk_buff *skb, struct hash_keys *inner)
{
	struct hash_keys outer;
	u32 at, end;
	u8 gre[4];

	if (!skb || !dissect(skb, (u32)skb_network_offset(skb), &outer, &at))
		return false;
	if (outer.proto == IPPROTO_GRE) {
		/* RFC 2784, RFC 2890: version 0; checksum, key and sequence number if flagged. */
		if (!skb_copy_bits(skb, at, gre, sizeof(gre)) || (gre[1] & 7) ||
		    get_be16(gre + 2) != ETH_P_IP)
			return false;
		at += 4u + (gre[0] & 0x80 ? 4 : 0) + (gre[0] & 0x20 ? 4 : 0) +
		      (gre[0] & 0x10 ? 4 : 0);
	} else if (outer.proto != IPPROTO_IPIP) {
		return false;
	}
	return dissect(skb, at, inner, &end);
}

/* ip_multipath_l3_keys(): an ICMP error goes where the flow goes that it is about. */
static void l3_keys(const struct sk_buff *skb, struct hash_keys *k)
{
	struct hash_keys outer;
	u32 at, end;
	u8 type;

	if (!skb || !dissect(skb, (u32)skb_network_offset(skb), &outer, &at) ||
	    outer.proto != IPPROTO_ICMP || !skb_copy_bits(skb, at, &type, 1))
		return;
	if (type == ICMP_DEST_UNREACH || type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
	    type == ICMP_PARAMETERPROB || type == ICMP_SOURCE_QUENCH)
		(void)dissect(skb, at + ICMP4_HLEN, k, &end);
}

/* Only these fields. */
static void mask_keys(struct hash_keys *k, u32 fields)
{
	k->saddr = fields & FIELD_SRC_IP ? k->saddr : 0;
	k->daddr = fields & FIELD_DST_IP ? k->daddr : 0;
	k->proto = fields & FIELD_IP_PROTO ? k->proto : 0;
	k->sport = fields & FIELD_SRC_PORT ? k->sport : 0;
	k->dport = fields & FIELD_DST_PORT ? k->dport : 0;
}

static u32 keys_hash(const struct net *net, const struct hash_keys *k, bool l4)
{
	u64 ports = (u64)k->sport << 32 | (u64)k->dport << 16 | k->proto;
	u8 in[16];

	put_le64(in, (u64)ntohl(k->saddr) << 32 | ntohl(k->daddr));
	put_le64(in + 8, l4 ? ports : 0);
	return (u32)siphash(in, sizeof(in), &net->host->flow_key) >> 1;
}

/* fib_multipath_custom_hash_skb() */
static u32 custom_hash(const struct net *net, struct hash_keys outer, const struct sk_buff *skb)
{
	u32 fields = (u32)net->sysctl.fib_multipath_hash_fields, hash;
	struct hash_keys inner;

	mask_keys(&outer, fields);
	hash = keys_hash(net, &outer, true);
	if (!(fields & FIELD_INNER_MASK) || !dissect_inner(skb, &inner))
		return hash;
	mask_keys(&inner, fields >> FIELD_INNER_SHIFT);
	return (u32)mix64((u64)hash << 32 | keys_hash(net, &inner, true)) >> 1;
}

/*
 * net.ipv4.fib_multipath_hash_policy 0: by addresses; 1: by addresses, protocol and ports; 2: by
 * the addresses of what a tunnel carries, if it is one; 3: by the fields of
 * fib_multipath_hash_fields.
 */
u32 fib_multipath_hash(const struct net *net, const struct flowi4 *flp, const struct sk_buff *skb)
{
	struct hash_keys k = { flp->saddr, flp->daddr, flp->sport, flp->dport, flp->proto };
	s32 policy = net->sysctl.fib_multipath_hash_policy;

	/* connect() that has not chosen its port: else all to one service would go one way. */
	if (flp->flags & FLOWI_FLAG_ANY_SPORT && (policy == 1 || policy == 3))
		k.sport = (u16)get_random_u32(net_world(net), RANDOM_HASH);
	switch (policy) {
	case 1:
		return keys_hash(net, &k, true);
	case 2:
		if (!dissect_inner(skb, &k))
			l3_keys(skb, &k);
		return keys_hash(net, &k, false);
	case 3:
		return custom_hash(net, k, skb);
	default:
		l3_keys(skb, &k);
		return keys_hash(net, &k, false);
	}
}
