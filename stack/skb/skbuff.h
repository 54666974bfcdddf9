/* SPDX-License-Identifier: MIT */
/*
 * sk_buff: a packet on its way, as Linux has it: one data area [head, end) of which [data, tail) is
 * in use, headers pushed and pulled at its front, further bytes in frags (pages) or in a list of
 * sk_buffs; clones share the area.
 *
 * Invariants: head <= data <= tail <= end; len = (tail - data) + data_len; data_len is the bytes in
 * frags and frag_list; an area with more than one owner (skb_cloned) is not written; every sk_buff
 * ends in kfree_skb_reason() with a reason, or in consume_skb().
 */
#ifndef TAPLINE_SKB_SKBUFF_H
#define TAPLINE_SKB_SKBUFF_H

#include "lib/bytes.h"
#include "lib/checksum.h"
#include "lib/compiler.h"
#include "lib/poison.h"
#include "lib/rbtree.h"
#include "netns/net.h"
#include "stack/assert.h"
#include "stack/errno.h"

struct net_device;
struct sock;
struct dst_entry;
struct nf_conn;
struct sk_buff;

#define MAX_SKB_FRAGS 17
#define NET_SKB_PAD   64u /* headroom of received frames */
#define NET_IP_ALIGN  2u /* so that the IP header is aligned */
#define LL_MAX_HEADER 128u

/* skb->ip_summed. */
enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };

/* skb->pkt_type: how the frame was addressed. */
enum {
	PACKET_HOST,
	PACKET_BROADCAST,
	PACKET_MULTICAST,
	PACKET_OTHERHOST,
	PACKET_OUTGOING,
	PACKET_LOOPBACK
};

/*
 * A reference counted run of bytes outside the data area of who holds it. Its head may stand at the
 * start of the run itself, which then is a data area (skb_page_of_area).
 */
struct skb_page {
	u32 refs;
	u32 size; /* bytes */
	u8 *bytes;
};

struct skb_frag {
	struct skb_page *page;
	u32 offset, len;
};

/* Who wants to know when the bytes of all packets that carry it are let go of (MSG_ZEROCOPY). */
struct ubuf_info {
	u32 refs;
	bool copied; /* somebody on the way needed the bytes for longer */
	void (*complete)(struct ubuf_info *ubuf);
};

static inline void ubuf_put(struct ubuf_info *ubuf)
{
	if (--ubuf->refs == 0)
		ubuf->complete(ubuf);
}

/* Shared by all clones of a data area; lies behind `end`. */
struct skb_shared_info {
	u32 dataref;
	u32 payload_refs; /* owners out of dataref that will not touch the headers (nohdr) */
	u8 nr_frags;
	u8 tx_flags;
	u16 gso_size, gso_segs;
	u32 gso_type;
	u32 tskey;
	u64 hwtstamp; /* ns of the device's clock when the frame arrived; 0: it has none */
	struct ubuf_info *ubuf; /* holds a reference; NULL: nobody */
	struct sk_buff *frag_list;
	struct skb_frag frags[MAX_SKB_FRAGS];
};

struct sk_buff_head {
	struct sk_buff *next, *prev;
	u32 qlen;
};

struct sk_buff {
	/*
	 * On a queue; NULL at its ends. Also the next of a frag_list or of a list of segments. A
	 * packet in a tree of TCP's has its node there instead, and all three are set anew when it
	 * leaves.
	 */
	union {
		struct {
			struct sk_buff *next, *prev;
			struct net_device *dev;
		};
		struct rb_node rbnode;
	};
	struct world *world;
	struct net *net; /* where it is counted: set with dev on the way in, from the socket on the
			    way out */
	struct sock *sk;
	struct dst_entry *dst;
	struct nf_conn *nfct; /* nf/: the connection it was found to belong to, held */
	void (*destructor)(struct sk_buff *skb);
	/* The layer that holds the packet keeps its own here. */
	union {
		u64 cb_align;
		u8 cb[64];
	};
	u64 tstamp; /* ns; 0: none */
	u64 id; /* number within the world, for traces */
	u8 *head, *data;
	u32 tail, end; /* offsets from head */
	u32 len, data_len;
	u16 mac_header, network_header, transport_header; /* offsets from head; 0xffff: not set */
	u16 mac_len;
	be16 protocol; /* EtherType */
	be16 vlan_proto;
	u16 vlan_tci;
	u16 queue_mapping;
	u32 hash;
	u32 skb_iif; /* ifindex it came in by */
	u32 mark, priority;
	u32 csum; /* CHECKSUM_COMPLETE: sum over data; */
	u16 csum_start, csum_offset; /* CHECKSUM_PARTIAL: from head; of the field from csum_start */
	u32 truesize; /* declared bytes it stands for in socket accounts */
	u32 users;
	u8 pkt_type;
	u8 ip_summed;
	u8 nfctinfo; /* nf/: enum ip_conntrack_info, how it belongs there */
	u8 csum_valid : 1, cloned : 1, nohdr : 1, peeked : 1, ignore_df : 1, vlan_present : 1,
		l4_hash : 1, sw_hash : 1;
	u8 dst_noref : 1, csum_bad : 1, wire_csum_ok : 1, fclone : 1, gso_seg : 1, ooo_okay : 1,
		ip_way : 2; /* enum ip_way: where IP has it */
	u8 dst_pending_confirm : 1; /* out: its socket heard that the next hop forwards */
};

#define SMP_CACHE_BYTES 64u
/* Linux x86-64: SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) and of struct sk_buff. */
#define SKB_DECLARED_SHINFO 320u
#define SKB_DECLARED_HEAD   256u

/* SKB_DATA_ALIGN */
static inline u32 skb_data_align(u32 size)
{
	return (size + SMP_CACHE_BYTES - 1) & ~(SMP_CACHE_BYTES - 1);
}

/* What kmalloc makes of a size on Linux: its next slab size. */
static inline u32 kmalloc_size(u32 size)
{
	if (size > 64 && size <= 96)
		return 96;
	if (size > 128 && size <= 192)
		return 192;
	return size <= 64 ? 64 : 1u << (32 - __builtin_clz(size - 1));
}

/* Declared cost of a buffer of `size` bytes: what Linux x86-64's SKB_TRUESIZE gives. In line, for
 * drivers know their size when they are compiled. */
static inline u32 skb_truesize(u32 size)
{
	return kmalloc_size(skb_data_align(size) + SKB_DECLARED_SHINFO) + SKB_DECLARED_HEAD;
}

/* Data areas: `size` usable bytes in front of the shared info. */
u8 *skb_data_alloc(struct world *w, u32 size);
/* Up to `count` of them at once, to heads[]: how many there were. */
u32 skb_data_alloc_bulk(struct world *w, u32 size, u8 **heads, u32 count);
void skb_data_free(struct world *w, u8 *head, u32 size);

/* An empty sk_buff with room for `size` bytes; users 1. NULL when memory is refused. Nothing is
 * zeroed but the head's fields. */
struct sk_buff *alloc_skb(struct world *w, u32 size);
/* The same for a device's receive path: NET_SKB_PAD of headroom reserved, dev set. */
struct sk_buff *netdev_alloc_skb(struct net_device *dev, struct world *w, u32 size);
/* Around a data area from skb_data_alloc(w, size); takes the area. NULL: the area is still the
 * caller's. */
struct sk_buff *__build_skb(struct world *w, u8 *head, u32 end, u32 truesize);
static inline struct sk_buff *build_skb(struct world *w, u8 *head, u32 size)
{
	return __build_skb(w, head, skb_data_align(size), skb_truesize(size));
}

/* Drops a reference; at the last one the packet is counted and traced as dropped for `reason`. skb
 * may be NULL. */
void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason);
/* Drops a reference of a packet that came to its proper end. skb may be NULL. */
void consume_skb(struct sk_buff *skb);
/*
 * Conservation: every sk_buff ever made is alive, was consumed, was dropped (and counted by its
 * reason), or became part of another. Panics where that does not hold.
 */
void skb_check(const struct world *w);
/* A namespace ends: its drops are counted on. */
void skb_net_exit(const struct net *net);
void kfree_skb_list_reason(struct sk_buff *list, enum skb_drop_reason reason);

static inline struct sk_buff *skb_get(struct sk_buff *skb)
{
	skb->users++;
	return skb;
}

static inline bool skb_shared(const struct sk_buff *skb)
{
	return skb->users != 1;
}

/* An area of skb_data_alloc(w, size), of whose first bytes nobody has need, as a page with one
 * reference. */
static inline struct skb_page *skb_page_of_area(u8 *head, u32 size)
{
	struct skb_page *page = (struct skb_page *)(void *)head;

	*page = (struct skb_page){ .refs = 1, .size = size, .bytes = head };
	return page;
}

static inline bool skb_page_is_area(const struct skb_page *page)
{
	return (const u8 *)page == page->bytes;
}

/* For users of frags and frag_list: a reference to a page, to a part, given up without a record. */
void skb_page_put(struct world *w, struct skb_page *page);
void skb_part_put(struct sk_buff *skb);

/* A second head for the same data. NULL when memory is refused. */
struct sk_buff *skb_clone(struct sk_buff *skb);
/* Head and all data new, linear. */
struct sk_buff *skb_copy(const struct sk_buff *skb);
/* When it is shared: a clone instead, the reference to `skb` given up. NULL: it is gone (reason
 * NOMEM). */
struct sk_buff *skb_share_check(struct sk_buff *skb);
struct sk_buff *skb_unshare(struct sk_buff *skb);

static inline struct skb_shared_info *skb_shinfo(const struct sk_buff *skb)
{
	return (struct skb_shared_info *)(void *)(skb->head + skb->end);
}

/* The area is one more that carries it. */
static inline void skb_zcopy_set(struct sk_buff *skb, struct ubuf_info *ubuf)
{
	if (!ubuf || skb_shinfo(skb)->ubuf)
		return;
	ubuf->refs++;
	skb_shinfo(skb)->ubuf = ubuf;
}

/* The packet goes where its bytes may be kept for long: they would be copied (skb_orphan_frags). */
static inline void skb_orphan_frags(const struct sk_buff *skb)
{
	if (skb_shinfo(skb)->ubuf)
		skb_shinfo(skb)->ubuf->copied = true;
}

static inline bool skb_cloned(const struct sk_buff *skb)
{
	return skb->cloned && skb_shinfo(skb)->dataref != 1;
}

/* May another owner still look at the bytes in front of data? */
static inline bool skb_header_cloned(const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	return skb->cloned && shinfo->dataref - shinfo->payload_refs != 1;
}

/* This owner gives the headers up: those of its clones may be written in place (TCP keeps the
 * payload and lets each transmission's clone build its own). */
static inline void skb_header_release(struct sk_buff *skb)
{
	ASSERT(!skb->cloned && !skb->nohdr);
	skb->nohdr = 1;
	skb_shinfo(skb)->payload_refs = 1;
}

static inline bool skb_is_nonlinear(const struct sk_buff *skb)
{
	return skb->data_len != 0;
}

static inline u32 skb_headlen(const struct sk_buff *skb)
{
	return skb->len - skb->data_len;
}

static inline u32 skb_headroom(const struct sk_buff *skb)
{
	return (u32)(skb->data - skb->head);
}

static inline u32 skb_tailroom(const struct sk_buff *skb)
{
	return skb_is_nonlinear(skb) ? 0 : skb->end - skb->tail;
}

static inline u8 *skb_tail_pointer(const struct sk_buff *skb)
{
	return skb->head + skb->tail;
}

static inline void skb_reserve(struct sk_buff *skb, u32 len)
{
	ASSERT(skb->tail + len <= skb->end);
	unpoison_range(skb_tail_pointer(skb), len);
	skb->data += len;
	skb->tail += len;
}

/* Grows at the end by len and returns where; there must be room. */
static inline u8 *skb_put(struct sk_buff *skb, u32 len)
{
	u8 *p = skb_tail_pointer(skb);

	ASSERT(!skb_is_nonlinear(skb));
	ASSERT(skb->tail + len <= skb->end);
	unpoison_range(p, len);
	skb->tail += len;
	skb->len += len;
	return p;
}

static inline u8 *skb_push(struct sk_buff *skb, u32 len)
{
	ASSERT(skb_headroom(skb) >= len);
	skb->data -= len;
	skb->len += len;
	return skb->data;
}

/* Takes len bytes off the front, which must be linear (pskb_may_pull). */
static inline u8 *skb_pull(struct sk_buff *skb, u32 len)
{
	ASSERT(len <= skb_headlen(skb));
	skb->len -= len;
	return skb->data += len;
}

/* Makes the first len bytes linear. False: there are not so many, or no memory (*nomem, when given,
 * tells which). */
bool pskb_may_pull_slow(struct sk_buff *skb, u32 len);
static inline bool pskb_may_pull(struct sk_buff *skb, u32 len)
{
#ifdef TAPLINE_HOSTILE
	return pskb_may_pull_slow(skb, len);
#else
	return len <= skb_headlen(skb) || pskb_may_pull_slow(skb, len);
#endif
}

/* Cuts to len bytes. -ENOMEM or 0; works on nonlinear and cloned ones. A len that is not less: no
 * change. */
int pskb_trim(struct sk_buff *skb, u32 len);
/* pskb_trim that also sets a CHECKSUM_COMPLETE right. */
int pskb_trim_rcsum(struct sk_buff *skb, u32 len);
/* skb_pull that also sets a CHECKSUM_COMPLETE right. */
u8 *skb_pull_rcsum(struct sk_buff *skb, u32 len);
int skb_linearize(struct sk_buff *skb);
/* Room of at least nhead more bytes in front, ntail behind; the area becomes private. */
int pskb_expand_head(struct sk_buff *skb, u32 nhead, u32 ntail);
/* Headroom of at least `headroom` in a private head: before writing headers. */
int skb_cow_head(struct sk_buff *skb, u32 headroom);
/* Moves the bytes of a linear, private packet to the front, behind `headroom` bytes: what was
 * pulled becomes tailroom. Header offsets are lost. */
void skb_compact(struct sk_buff *skb, u32 headroom);
int skb_ensure_writable(struct sk_buff *skb, u32 len);

/* Bytes [offset, offset+len) wherever they lie. False when they are not all there. */
bool skb_copy_bits(const struct sk_buff *skb, u32 offset, u8 *to, u32 len);
bool skb_store_bits(struct sk_buff *skb, u32 offset, const u8 *from, u32 len);
/* The same, or where they lie when that is linear: NULL when they are not all there. */
const u8 *skb_header_pointer(const struct sk_buff *skb, u32 offset, u32 len, u8 *buffer);
/* Their sum, added to `sum`; they are all there. */
u32 skb_checksum_pieces(const struct sk_buff *skb, u32 offset, u32 len, u32 sum);
static inline u32 skb_checksum(const struct sk_buff *skb, u32 offset, u32 len, u32 sum)
{
	if (likely(offset <= skb_headlen(skb) && len <= skb_headlen(skb) - offset))
		return csum_partial(skb->data + offset, len, sum);
	return skb_checksum_pieces(skb, offset, len, sum);
}
/* Where the bytes lie, in order, as a device that gathers them wants it. How many runs; 0: more
 * than it takes. */
struct skb_piece {
	const u8 *p;
	u32 len;
};
#define SKB_PIECES_MAX (MAX_SKB_FRAGS + 1u)
u32 skb_to_pieces(const struct sk_buff *skb, struct skb_piece to[SKB_PIECES_MAX]);
/* Copies and sums in one pass; *sum is added to. */
bool skb_copy_and_csum_bits(const struct sk_buff *skb, u32 offset, u8 *to, u32 len, u32 *sum);
/* Fills in the checksum of a CHECKSUM_PARTIAL packet. 0 or -ENOMEM. */
int skb_checksum_help(struct sk_buff *skb);
/* Checks the whole from data on against pseudo-header sum `psum`; true when right. Remembers the
 * result (CHECKSUM_UNNECESSARY / COMPLETE). */
bool skb_checksum_complete(struct sk_buff *skb, u32 psum);

static inline void skb_reset_mac_header(struct sk_buff *skb)
{
	skb->mac_header = (u16)(skb->data - skb->head);
}

static inline void skb_reset_network_header(struct sk_buff *skb)
{
	skb->network_header = (u16)(skb->data - skb->head);
}

static inline bool skb_transport_header_was_set(const struct sk_buff *skb)
{
	return skb->transport_header != 0xffff;
}

static inline void skb_reset_transport_header(struct sk_buff *skb)
{
	skb->transport_header = (u16)(skb->data - skb->head);
}

static inline u8 *skb_mac_header(const struct sk_buff *skb)
{
	return skb->head + skb->mac_header;
}

static inline u8 *skb_network_header(const struct sk_buff *skb)
{
	return skb->head + skb->network_header;
}

static inline u8 *skb_transport_header(const struct sk_buff *skb)
{
	return skb->head + skb->transport_header;
}

static inline bool skb_mac_header_was_set(const struct sk_buff *skb)
{
	return skb->mac_header != 0xffff;
}

/* Bytes from data to the header: negative when it has been pulled. */
static inline s32 skb_network_offset(const struct sk_buff *skb)
{
	return (s32)(skb_network_header(skb) - skb->data);
}

static inline s32 skb_transport_offset(const struct sk_buff *skb)
{
	return (s32)(skb_transport_header(skb) - skb->data);
}

/* Lets go of the owning socket (skb->destructor). */
void skb_orphan(struct sk_buff *skb);
/* Lets go of the route. */
void skb_dst_drop(struct sk_buff *skb);

/* Lets go of the connection that connection tracking found, and of the mark that it is not tracked.
 */
static inline void nf_reset_ct(struct sk_buff *skb)
{
	if (skb->nfct)
		skb->world->up->nf_ct_put(skb->nfct);
	skb->nfct = NULL;
	skb->nfctinfo = 0;
}

/* `to`, which has none, belongs to the same connection as `from`. */
static inline void nf_copy(struct sk_buff *to, const struct sk_buff *from)
{
	if (from->nfct)
		from->world->up->nf_ct_hold(from->nfct);
	to->nfct = from->nfct;
	to->nfctinfo = from->nfctinfo;
}

/* Queues, first in first out unless said otherwise. */
void skb_queue_head_init(struct sk_buff_head *q);
void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *skb);
void skb_queue_head(struct sk_buff_head *q, struct sk_buff *skb);
/* Behind `old`, which is on the queue. */
void skb_append(struct sk_buff_head *q, struct sk_buff *old, struct sk_buff *skb);
struct sk_buff *skb_dequeue(struct sk_buff_head *q);
void skb_unlink(struct sk_buff_head *q, struct sk_buff *skb);
void skb_queue_purge_reason(struct sk_buff_head *q, enum skb_drop_reason reason);
static inline struct sk_buff *skb_peek(const struct sk_buff_head *q)
{
	return q->qlen ? q->next : NULL;
}
static inline bool skb_queue_empty(const struct sk_buff_head *q)
{
	return q->qlen == 0;
}

#endif
