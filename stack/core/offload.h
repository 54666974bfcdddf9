/* SPDX-License-Identifier: MIT */
/*
 * Super-packets: one sk_buff that stands for several on the wire. On the way out TCP makes them and
 * they are cut here when the device does not do it (GSO); on the way in frames of one flow become
 * one (GRO). What is a protocol's is behind two ops tables: packet_offload by EtherType,
 * net_offload by the protocol above IP.
 *
 * Invariants: skb_shinfo(skb)->gso_size > 0 exactly in a super-packet; but for those that a
 * device merged (LRO: no gso_type) it is CHECKSUM_PARTIAL, and all its segments but the last carry
 * gso_size bytes, the last the rest.
 */
#ifndef TAPLINE_CORE_OFFLOAD_H
#define TAPLINE_CORE_OFFLOAD_H

#include "core/netdevice.h"

/* skb_shared_info.gso_type */
#define SKB_GSO_TCPV4	    1u
#define SKB_GSO_DODGY	    2u
#define SKB_GSO_TCPV6	    16u
#define SKB_GSO_TCP_FIXEDID 8u /* its segments had one identification */
#define SKB_GSO_UDP_L4	    32u
#define SKB_GSO_FRAGLIST    64u /* its packets lie whole in the frag_list */
#define SKB_GSO_TCP_ACCECN  128u /* CWR is part of a counter: all its segments have it */

struct offload_callbacks {
	/*
	 * Cuts skb: data at this layer's header. The segments, linked by next, with data at the MAC
	 * header, lengths, numbers and checksums of this layer and those above right; NULL: no
	 * memory, or it is none of its kind. skb stays the caller's.
	 */
	struct sk_buff *(*gso_segment)(struct sk_buff *skb, u32 features);
	/*
	 * A frame that came, NAPI_GRO_CB(skb)->data_offset at this layer's header: which of the
	 * held ones is of the same flow (same_flow), merged with it (skb_gro_receive) when it
	 * follows on, or `flush` set: it can not be held. Returns a held packet that is to go up
	 * now, or NULL.
	 */
	struct sk_buff *(*gro_receive)(struct sk_buff_head *held, struct sk_buff *skb);
	/* Makes the headers right of a merged packet: this layer's begins nhoff behind data. */
	void (*gro_complete)(struct sk_buff *skb, u32 nhoff);
};

struct packet_offload {
	u16 type; /* EtherType */
	struct offload_callbacks callbacks;
};

struct net_offload {
	struct offload_callbacks callbacks;
	u32 gro_features; /* gro_receive only for devices with one of these; 0: for all */
};

/* What GRO keeps of a frame in skb->cb. */
struct napi_gro_cb {
	struct sk_buff *last; /* of those that were merged into it */
	u32 data_offset; /* what the protocols have looked at so far */
	u32 age; /* jiffies when it was held */
	u32 count; /* frames in it */
	u8 same_flow; /* held: may be of the flow of the frame at hand; new: was merged */
	u8 flush; /* it can not be merged with what follows */
	u8 ip_fixedid; /* the flow's identifications do not count (atomic datagrams) */
	u8 is_flist; /* merged as a list of packets */
	/*
	 * For frames without an sk_buff (napi_gro_frag), set by a protocol that can tell: does the
	 * frame whose network header stands at nh, `len` bytes with it, go on with p so that it is
	 * merged and p is held on? NULL: of that protocol none is.
	 */
	bool (*continues)(struct sk_buff *p, const u8 *nh, u32 len, bool csum_ok);
};
_Static_assert(sizeof(struct napi_gro_cb) <= sizeof(((struct sk_buff *)NULL)->cb),
	       "GRO's control block fits into a packet's");

static inline struct napi_gro_cb *NAPI_GRO_CB(const struct sk_buff *skb)
{
	return (struct napi_gro_cb *)(void *)(uintptr_t)(const void *)skb->cb;
}

/* Bytes from data_offset on. */
static inline u32 skb_gro_len(const struct sk_buff *skb)
{
	return skb->len - NAPI_GRO_CB(skb)->data_offset;
}

/* The header of `len` bytes at data_offset; NULL: the frame is too short. */
static inline u8 *skb_gro_header(const struct sk_buff *skb, u32 len)
{
	u32 offset = NAPI_GRO_CB(skb)->data_offset;

	return skb_headlen(skb) - offset >= len ? skb->data + offset : NULL;
}

static inline void skb_gro_pull(struct sk_buff *skb, u32 len)
{
	NAPI_GRO_CB(skb)->data_offset += len;
}

/* Is the transport checksum of what is left right, with this pseudo header? */
bool skb_gro_checksum_validate(struct sk_buff *skb, u32 psum);
/* ipv4/: do the network headers of skb forbid to merge it with p? */
bool gro_receive_network_flush(const struct sk_buff *skb, struct sk_buff *p);
/* Adds the payload of skb to p. 0; -E2BIG: p is full, or skb may not be merged. */
int skb_gro_receive(struct sk_buff *p, struct sk_buff *skb);

/* Declared size of a sk_buff's head: not paid for a frame whose bytes became a frag of another. */
#define SKB_HEAD_TRUESIZE 256u
/* Frames whose bytes fit into the frags of one packet, its own counted: each such run costs one
 * head. */
#define GRO_FRAG_RUN (MAX_SKB_FRAGS + 1u)

/* What the next frame, of so much truesize, adds to that of the packet it is merged into. */
static inline void gro_charge(struct sk_buff *p, u32 truesize)
{
	p->truesize += truesize;
	if (NAPI_GRO_CB(p)->count % GRO_FRAG_RUN && !NAPI_GRO_CB(p)->is_flist)
		p->truesize -= SKB_HEAD_TRUESIZE;
}

/* Two overlapping words are cheaper than a call. */
static inline bool same_eth_header(const u8 *a, const u8 *b)
{
	return get_le64(a) == get_le64(b) && get_le64(a + 6) == get_le64(b + 6);
}

/* A received frame in a data area of `size` bytes (skb_data_alloc) that has no sk_buff yet. */
struct gro_frag {
	u8 *head;
	u32 size;
	u32 offset, len; /* where it lies in the area, from the link header on */
	u32 hash;
	bool csum_ok; /* the device vouches for the transport checksum */
};

/* May frames be given to napi_gro_frag() in this poll? */
bool napi_gro_frags_wanted(const struct napi_struct *napi);
/* True: the frame has been merged, the area is the packet's. False: it is to become an sk_buff. */
bool napi_gro_frag(struct napi_struct *napi, const struct gro_frag *f);

/* `po` lives as long as the host. 0 or -ENOMEM. */
int dev_add_offload(struct host *h, const struct packet_offload *po);

static inline bool skb_is_gso(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_size != 0;
}

/* Merged by a device (LRO), and not as GRO does it: it has a gso_size but no type. */
static inline bool skb_warn_if_lro(const struct sk_buff *skb)
{
	return skb_is_nonlinear(skb) && skb_is_gso(skb) && !skb_shinfo(skb)->gso_type;
}

/* Packets that it is on the wire. */
static inline u32 skb_segs(const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	return shinfo->gso_size && shinfo->gso_segs ? shinfo->gso_segs : 1;
}

/* Can a device with these features take the pieces of the packet? */
bool skb_gather_ok(const struct sk_buff *skb, u32 features);
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

/* SKB_GSO_FRAGLIST, data at the payload: is it still a list of whole packets? They, data at the MAC
 * header, as they came but for the link header, TTL and TOS, which are those of the whole. NULL: no
 * memory. */
bool skb_is_list(const struct sk_buff *skb);
struct sk_buff *skb_segment_list(const struct sk_buff *skb);

/* A pseudo header's sum for `from` bytes, as it stands in a checksum field, for `to` bytes. */
u32 gso_pseudo_for_len(be16 check, u32 from, u32 to);

#endif
