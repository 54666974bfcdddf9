/* SPDX-License-Identifier: MIT */
/*
 * The flow of a packet: addresses, protocol and ports as far as the headers tell them, hashed with
 * a key of the host (net/core/flow_dissector.c). For RPS, XPS and queues of a device; a hash that
 * the device gave is taken as it is.
 *
 * Invariants: both directions of a flow have one hash; all fragments of a datagram have one (no
 * ports); a hash is never 0.
 */
#include "core/dev_core.h"
#include "lib/hash.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

struct flow_keys {
	u8 addrs[32]; /* source, then destination; IPv4: the first four bytes of each half */
	u32 ports; /* 0: none */
	u16 n_proto;
	u8 ip_proto;
};

static bool has_ports(u8 proto)
{
	return proto == 6 || proto == 17 || proto == 132 || proto == 136;
}

/* Ports at `offset` behind the network header. */
static void dissect_ports(const struct sk_buff *skb, u32 offset, struct flow_keys *keys)
{
	u8 buffer[4];
	const u8 *p = skb_header_pointer(skb, offset, 4, buffer);

	if (p && has_ports(keys->ip_proto))
		keys->ports = get_be32(p);
}

static bool dissect_ipv4(const struct sk_buff *skb, u32 at, struct flow_keys *keys)
{
	u8 buffer[IP4_HLEN];
	const u8 *iph = skb_header_pointer(skb, at, IP4_HLEN, buffer);

	if (!iph || ip4_ihl(iph) < IP4_HLEN)
		return false;
	store_be32(keys->addrs, ip4_saddr(iph));
	store_be32(keys->addrs + 16, ip4_daddr(iph));
	keys->ip_proto = ip4_protocol(iph);
	if (!(ip4_frag(iph) & (IP4_MF | IP4_OFFSET)))
		dissect_ports(skb, at + ip4_ihl(iph), keys);
	return true;
}

static bool dissect_ipv6(const struct sk_buff *skb, u32 at, struct flow_keys *keys)
{
	u8 buffer[40];
	const u8 *h = skb_header_pointer(skb, at, 40, buffer);

	if (!h)
		return false;
	memcpy(keys->addrs, h + 8, 32);
	keys->ip_proto = h[6];
	dissect_ports(skb, at + 40, keys);
	return true;
}

/* The same for both directions (__flow_hash_consistentify). */
static void consistentify(struct flow_keys *keys)
{
	int diff = memcmp(keys->addrs + 16, keys->addrs, 16);
	u8 tmp[16];

	if (diff > 0 || (diff == 0 && (keys->ports & 0xffff) >= keys->ports >> 16))
		return;
	memcpy(tmp, keys->addrs, 16);
	memcpy(keys->addrs, keys->addrs + 16, 16);
	memcpy(keys->addrs + 16, tmp, 16);
	keys->ports = keys->ports << 16 | keys->ports >> 16;
}

static u32 flow_hash(const struct sk_buff *skb, const struct host *h)
{
	struct flow_keys keys = { .n_proto = ntohs(skb->protocol) };
	u32 at = (u32)(skb_network_header(skb) - skb->data);
	u8 in[40];
	u32 hash;

	if (keys.n_proto == ETH_P_IP ? !dissect_ipv4(skb, at, &keys) :
				       keys.n_proto != ETH_P_IPV6 || !dissect_ipv6(skb, at, &keys))
		return 0;
	consistentify(&keys);
	memcpy(in, keys.addrs, 32);
	put_be32(in + 32, keys.ports);
	put_be16(in + 36, keys.n_proto);
	in[38] = keys.ip_proto;
	in[39] = 0;
	hash = (u32)siphash(in, sizeof(in), &h->flow_key);
	return hash ? hash : 1;
}

u32 skb_get_hash_symmetric(const struct sk_buff *skb)
{
	return flow_hash(skb, skb->net->host);
}

u32 skb_get_hash(struct sk_buff *skb)
{
	if (!skb->l4_hash && !skb->sw_hash) {
		u32 hash = flow_hash(skb, skb->net->host);

		/* No flow: 0, and it is looked at again the next time. */
		if (!hash)
			return 0;
		skb->hash = hash;
		skb->sw_hash = 1;
	}
	return skb->hash;
}
