/* SPDX-License-Identifier: MIT */
/*
 * Super-packets: one sk_buff that stands for several on the wire. On the way out TCP makes them and
 * they are cut here when the device does not do it (GSO). What is a protocol's is behind two ops
 * tables: packet_offload by EtherType, net_offload by the protocol above IP.
 *
 * Invariants: skb_shinfo(skb)->gso_size > 0 exactly in a super-packet; it is CHECKSUM_PARTIAL; all
 * its segments but the last carry gso_size bytes, the last the rest.
 */
#ifndef TAPLINE_CORE_OFFLOAD_H
#define TAPLINE_CORE_OFFLOAD_H

#include "core/netdevice.h"

/* skb_shared_info.gso_type */
#define SKB_GSO_TCPV4 1u
#define SKB_GSO_DODGY 2u
#define SKB_GSO_TCPV6 16u

struct offload_callbacks {
	/*
	 * Cuts skb: data at this layer's header. The segments, linked by next, with data at the MAC
	 * header, lengths, numbers and checksums of this layer and those above right; NULL: no
	 * memory, or it is none of its kind. skb stays the caller's.
	 */
	struct sk_buff *(*gso_segment)(struct sk_buff *skb, u32 features);
};

struct packet_offload {
	u16 type; /* EtherType */
	struct offload_callbacks callbacks;
};

struct net_offload {
	struct offload_callbacks callbacks;
};

/* `po` lives as long as the host. 0 or -ENOMEM. */
int dev_add_offload(struct host *h, const struct packet_offload *po);

static inline bool skb_is_gso(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_size != 0;
}

/* Packets that it is on the wire. */
static inline u32 skb_segs(const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	return shinfo->gso_size && shinfo->gso_segs ? shinfo->gso_segs : 1;
}

/* Must it be cut before a device with these features gets it? */
bool netif_needs_gso(const struct sk_buff *skb, u32 features);

/* Cuts a super-packet, data at the MAC header (or at the network header, before there is one).
 * NULL: no memory. skb stays the caller's. */
struct sk_buff *skb_gso_segment(struct sk_buff *skb, u32 features);

/* Is every segment at most `mtu` bytes from the network header on? */
bool skb_gso_validate_network_len(const struct sk_buff *skb, u32 mtu);

/*
 * For gso_segment of a transport: the packet, data at its payload, as packets of gso_size bytes
 * each with a copy of all headers, ip_summed as the device wants it: CHECKSUM_PARTIAL, or NONE with
 * the sum of the payload in skb->csum.
 */
struct sk_buff *skb_segment(struct sk_buff *skb, u32 features);

#endif
