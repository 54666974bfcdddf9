/* SPDX-License-Identifier: MIT */
/*
 * The driver's receive half: buffers are given to the device, frames taken from the ring in NAPI
 * poll, each buffer becoming the sk_buff's data area without a copy. A frame of several buffers is
 * copied together.
 *
 * Invariant: descriptors [next_to_clean, next_to_use) are the device's or carry a frame, each with
 * a buffer; all others have none, but for those whose buffers were kept: for want of memory, or
 * because what the device wrote of them can not be. That is counted in rx_length_errors, and no
 * length, segment count or end of a frame is used unchecked.
 */
#include "core/offload.h"
#include "drivers/nic_driver.h"
#include "ethernet/eth.h"
#include "kernel/trace.h"
#include "wire/tcp.h"

_Static_assert(NIC_RX_HEADROOM + NIC_RX_BUFFER <= NIC_RX_AREA, "receive buffer fits its area");

int nic_rx_ring_alloc(struct nic_queue *q, u32 count)
{
	struct world *w = q->adapter->world;
	struct nic_rx_desc *ring;
	struct nic_rx_buffer *buffer;

	ring = mem_alloc_n(w, MEM_NIC_DMA, count * sizeof(*ring), 1);
	buffer = mem_alloc_n(w, MEM_NIC_BUF_INFO, count, sizeof(*buffer));
	if (!ring || !buffer) {
		if (ring)
			mem_free_n(w, MEM_NIC_DMA, ring, count * sizeof(*ring), 1);
		if (buffer)
			mem_free_n(w, MEM_NIC_BUF_INFO, buffer, count, sizeof(*buffer));
		return -ENOMEM;
	}
	for (u32 i = 0; i < count; i++) {
		ring[i] = (struct nic_rx_desc){ .status = 0 };
		buffer[i].head = NULL;
	}
	q->rx = (struct nic_ring){ .count = count, .rx = ring, .rx_buffer = buffer };
	q->rx_discarding = false;
	return 0;
}

void nic_rx_ring_free(struct nic_queue *q)
{
	struct world *w = q->adapter->world;
	struct nic_ring *r = &q->rx;

	if (!r->rx)
		return;
	for (u32 i = 0; i < r->count; i++) {
		/* A frame that nobody will poll any more. */
		if ((r->rx[i].status & (RXD_DD | RXD_EOP)) == (RXD_DD | RXD_EOP)) {
			u32 frames = nic_rx_frames(&r->rx[i]);

			q->rx_purged += frames;
			q->adapter->dev->stats.rx_dropped += frames;
		}
		if (r->rx_buffer[i].head)
			skb_data_free(w, r->rx_buffer[i].head, NIC_RX_AREA);
	}
	mem_free_n(w, MEM_NIC_DMA, r->rx, r->count * sizeof(*r->rx), 1);
	mem_free_n(w, MEM_NIC_BUF_INFO, r->rx_buffer, r->count, sizeof(*r->rx_buffer));
	*r = (struct nic_ring){ .count = 0 };
}

/* The device's stamp stands in front of the frame. */
static u32 rx_stamp_len(const struct nic_queue *q)
{
	return q->adapter->rx_tstamp ? 8 : 0;
}

/* Buffers for the next slots from i on that have none, at most n: how many slots are ready now. */
static u32 rx_buffers(struct nic_queue *q, u32 i, u32 n)
{
	struct nic_ring *r = &q->rx;
	u8 *heads[NIC_RX_BUFFER_WRITE];
	u32 want = 0, got;

	if (r->rx_buffer[i].head)
		return 1;
	for (u32 k = i; want < min_u32(n, NIC_RX_BUFFER_WRITE) && !r->rx_buffer[k].head; want++)
		k = nic_ring_next(r, k);
	got = skb_data_alloc_bulk(q->adapter->world, NIC_RX_AREA, heads, want);
	for (u32 k = 0; k < got; k++, i = nic_ring_next(r, i)) {
		r->rx_buffer[i].head = heads[k];
		nic_rx_clear(q, heads[k]);
	}
	q->rx_alloc_failed += got < want;
	return got;
}

void nic_rx_refill(struct nic_queue *q)
{
	struct world *w = q->adapter->world;
	struct nic_ring *r = &q->rx;
	u32 stamp = rx_stamp_len(q), i = r->next_to_use, ready;
	u64 failed = q->rx_alloc_failed;

	for (u32 n = nic_ring_unused(r); n && q->rx_alloc_failed == failed; n -= ready) {
		ready = rx_buffers(q, i, n);
		for (u32 k = 0; k < ready; k++, i = nic_ring_next(r, i)) {
			u8 *head = r->rx_buffer[i].head;

			r->rx[i].addr = dma_map(w, head + NIC_RX_HEADROOM - stamp);
			r->rx[i].status = 0;
		}
	}
	if (i != r->next_to_use) {
		r->next_to_use = i;
		nic_hw_write(q->adapter->hw, NIC_RDT, q->index, i);
	}
	/* With no descriptor left no frame can come that would bring us back here. */
	if (r->next_to_use == r->next_to_clean && !timer_pending(&q->refill))
		mod_timer(&q->refill, jiffies(dev_host(q->adapter->dev)) + NIC_REFILL_MS);
}

static inline void receive_skb(struct nic_queue *q, struct sk_buff *skb, bool csum_ok)
{
	struct net_device *dev = q->adapter->dev;

	q->rx_packets += skb_segs(skb);
	q->rx_bytes += skb->len;
	if (csum_ok) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		q->rx_csum_good++;
	}
	skb->queue_mapping = (u16)q->index;
	skb->protocol = eth_type_trans(skb, dev);
	napi_gro_receive(&q->napi, skb);
}

void nic_receive_skb(struct nic_queue *q, struct sk_buff *skb, bool csum_ok)
{
	receive_skb(q, skb, csum_ok);
}

void nic_rx_no_skb(struct nic_queue *q, u32 frames)
{
	q->rx_alloc_failed++;
	q->rx_no_skb += frames;
	q->adapter->dev->stats.rx_dropped += frames;
}

/* What the last descriptor of a frame tells of it. */
static void rx_desc_to_skb(struct nic_queue *q, struct sk_buff *skb, const struct nic_rx_desc *d)
{
	if (d->status & RXD_TS && q->adapter->rx_tstamp)
		skb_shinfo(skb)->hwtstamp = get_le64(skb->data - 8);
	if (d->status & RXD_VP) {
		skb->vlan_present = 1;
		skb->vlan_proto = htons(ETH_P_8021Q);
		skb->vlan_tci = d->vlan;
	}
	if (d->status & RXD_HASH) {
		skb->hash = (u32)d->addr;
		skb->l4_hash = (d->status & RXD_L4HASH) != 0;
	}
	receive_skb(q, skb, d->status & RXD_L4CS);
}

/* A frame in several buffers, the first at i, `last` the one with EOP. NULL: no memory. */
static struct sk_buff *nic_rx_gather(struct nic_queue *q, u32 i, u32 last)
{
	struct nic_ring *r = &q->rx;
	struct sk_buff *skb;
	u32 len = 0, skip = rx_stamp_len(q);

	for (u32 k = i;; k = nic_ring_next(r, k)) {
		len += r->rx[k].length;
		if (k == last)
			break;
	}
	skb = alloc_skb(q->adapter->world, NIC_RX_HEADROOM + len);
	if (!skb)
		return NULL;
	skb_reserve(skb, NIC_RX_HEADROOM - skip);
	for (;; i = nic_ring_next(r, i)) {
		len = r->rx[i].length;
		memcpy(skb_put(skb, len), r->rx_buffer[i].head + NIC_RX_HEADROOM - skip, len);
		if (i == last)
			break;
	}
	skb_pull(skb, skip);
	return skb;
}

/* The buffer itself becomes the packet, `skip` bytes of it left out. NULL: no memory, the buffer
 * stays with its descriptor. */
static inline struct sk_buff *nic_rx_build(struct nic_queue *q, u32 i, u32 skip)
{
	struct sk_buff *skb = build_skb(q->adapter->world, q->rx.rx_buffer[i].head, NIC_RX_AREA);

	if (!skb)
		return NULL;
	q->rx.rx_buffer[i].head = NULL;
	skb_reserve(skb, NIC_RX_HEADROOM - rx_stamp_len(q));
	skb_put(skb, q->rx.rx[i].length);
	if (skip)
		skb_pull(skb, skip);
	return skb;
}

/*
 * A frame that the device has made of several (LRO): its buffers in a list behind the first one, as
 * ixgbe has them. How long each segment was can not be known: about equal (gso_size), of no type,
 * so that nobody takes it for a packet that could be cut into what it was made of.
 */
static struct sk_buff *nic_rx_lro(struct nic_queue *q, u32 first, u32 last, u32 segs)
{
	struct nic_ring *r = &q->rx;
	struct sk_buff *skb = nic_rx_build(q, first, rx_stamp_len(q)), **link;
	const u8 *tcp;
	u32 hdrs;

	if (!skb)
		return NULL;
	link = &skb_shinfo(skb)->frag_list;
	for (u32 i = first; i != last; link = &(*link)->next) {
		i = nic_ring_next(r, i);
		*link = nic_rx_build(q, i, 0);
		if (!*link) {
			consume_skb(skb); /* counted once, for the frames in it */
			return NULL;
		}
		skb->len += (*link)->len;
		skb->data_len += (*link)->len;
		skb->truesize += (*link)->truesize;
	}
	tcp = skb->data + ETH_HLEN + (get_be16(skb->data + 12) == ETH_P_8021Q ? NIC_VLAN_HLEN : 0) +
	      20;
	hdrs = (u32)(tcp - skb->data) + tcp_doff(tcp);
	skb_shinfo(skb)->gso_size = (u16)((skb->len - hdrs + segs - 1) / segs);
	skb_shinfo(skb)->gso_segs = (u16)segs;
	q->rx_lro_packets++;
	q->rx_lro_bytes += skb->len;
	return skb;
}

/* The frame in the descriptors from first to last. NULL: no memory. */
static struct sk_buff *nic_rx_frame(struct nic_queue *q, u32 first, u32 last)
{
	const struct nic_rx_desc *d = &q->rx.rx[last];

	if (d->status & RXD_LRO)
		return nic_rx_lro(q, first, last, nic_rx_frames(d));
	return first == last ? nic_rx_build(q, first, rx_stamp_len(q)) :
			       nic_rx_gather(q, first, last);
}

/* Descriptors from next_to_clean on that the device has written, up to the end of a frame: how
 * many, and the last one. False: that end is not there. */
static bool rx_frame_end(const struct nic_ring *r, u32 *last, u32 *descs)
{
	u32 i = r->next_to_clean;

	for (*descs = 0; i != r->next_to_use && r->rx[i].status & RXD_DD; i = nic_ring_next(r, i)) {
		++*descs;
		*last = i;
		if (r->rx[i].status & RXD_EOP)
			return true;
	}
	return false;
}

/* A frame of LRO has its headers in the first buffer, and a number of segments that can be. */
static bool rx_lro_ok(const struct nic_queue *q, u32 first, const struct nic_rx_desc *d)
{
	u32 skip = rx_stamp_len(q), len = q->rx.rx[first].length, hdrs = skip + ETH_HLEN + 20;
	const u8 *frame = q->rx.rx_buffer[first].head + NIC_RX_HEADROOM;
	u64 segs = d->addr >> 32;

	if (!segs || segs > UINT16_MAX || len < hdrs + NIC_VLAN_HLEN + 20)
		return false;
	if (get_be16(frame + 12) == ETH_P_8021Q) {
		hdrs += NIC_VLAN_HLEN;
		frame += NIC_VLAN_HLEN;
	}
	return tcp_doff(frame + ETH_HLEN + 20) >= 20 &&
	       hdrs + tcp_doff(frame + ETH_HLEN + 20) <= len;
}

/* No length that the device has written is believed: buffers hold so much, a frame has a header and
 * fits a wire. */
static bool rx_frame_ok(const struct nic_queue *q, u32 first, u32 last)
{
	const struct nic_ring *r = &q->rx;
	u32 len = 0, stamp = rx_stamp_len(q);

	for (u32 i = first;; i = nic_ring_next(r, i)) {
		if (r->rx[i].length > NIC_RX_BUFFER)
			return false;
		len += r->rx[i].length;
		if (i == last)
			break;
	}
	if (len < stamp + ETH_HLEN || len > stamp + NIC_FRAME_MAX || r->rx[first].length < stamp)
		return false;
	return !(r->rx[last].status & RXD_LRO) || rx_lro_ok(q, first, &r->rx[last]);
}

static void rx_bad_frame(struct nic_queue *q, u32 why, u32 value)
{
	struct net_device *dev = q->adapter->dev;

	q->rx_length_errors++;
	trace(dev->world, dev_host(dev), TRACE_NIC_BAD_RING, dev->ifindex, q->index, why, value);
}

/* The descriptors up to `last` are the driver's again. */
static void rx_release(struct nic_ring *r, u32 last)
{
	u32 end = nic_ring_next(r, last);

	for (u32 i = r->next_to_clean; i != end; i = nic_ring_next(r, i))
		r->rx[i].status = 0;
	r->next_to_clean = end;
}

/* A frame in one buffer, of a length that can be, not merged and not stamped: nearly all are that.
 */
static inline bool rx_plain(const struct nic_queue *q, const struct nic_rx_desc *d)
{
	return (d->status & (RXD_DD | RXD_EOP | RXD_LRO)) == (RXD_DD | RXD_EOP) &&
	       d->length >= ETH_HLEN && d->length <= NIC_RX_BUFFER && !q->rx_discarding &&
	       !q->adapter->rx_tstamp;
}

/* The plain frame at next_to_clean, to the stack. */
static inline void rx_plain_one(struct nic_queue *q)
{
	struct nic_ring *r = &q->rx;
	u32 i = r->next_to_clean;
	struct nic_rx_desc done = r->rx[i];
	struct sk_buff *skb = nic_rx_build(q, i, 0);

	r->rx[i].status = 0;
	r->next_to_clean = nic_ring_next(r, i);
	if (likely(skb != NULL))
		rx_desc_to_skb(q, skb, &done);
	else
		nic_rx_no_skb(q, 1);
}

/* The plain frame at next_to_clean, when it does no more than go on with what GRO holds: false, it
 * does not, and nothing has been done. */
static bool rx_frag_one(struct nic_queue *q)
{
	struct nic_ring *r = &q->rx;
	u32 i = r->next_to_clean;
	const struct nic_rx_desc *d = &r->rx[i];
	const struct gro_frag f = {
		.head = r->rx_buffer[i].head,
		.size = NIC_RX_AREA,
		.offset = NIC_RX_HEADROOM,
		.len = d->length,
		.hash = d->status & RXD_HASH ? (u32)d->addr : 0,
		.csum_ok = d->status & RXD_L4CS,
	};

	if (d->status & RXD_VP || !napi_gro_frag(&q->napi, &f))
		return false;
	q->rx_packets++;
	q->rx_bytes += f.len;
	q->rx_csum_good += f.csum_ok;
	r->rx_buffer[i].head = NULL;
	r->rx[i].status = 0;
	r->next_to_clean = nic_ring_next(r, i);
	return true;
}

/* The frame in the descriptors up to `last`, to the stack. */
static void rx_one(struct nic_queue *q, u32 last)
{
	u32 first = q->rx.next_to_clean;
	struct nic_rx_desc done = q->rx.rx[last];
	struct sk_buff *skb = nic_rx_frame(q, first, last);

	rx_release(&q->rx, last);
	if (skb)
		rx_desc_to_skb(q, skb, &done);
	else
		nic_rx_no_skb(q, nic_rx_frames(&done));
}

/*
 * The end of a frame does not come: the device is through with all that it has, or has used more
 * than any frame takes. What there is of it is thrown away, and so is what follows up to an end
 * (FLAG2_IS_DISCARDING of e1000e). False: it may come yet.
 */
static bool rx_endless(struct nic_queue *q, u32 last, u32 descs)
{
	struct nic_ring *r = &q->rx;

	if (!descs || (descs < NIC_RX_DESCS_MAX && nic_ring_next(r, last) != r->next_to_use))
		return false;
	if (!q->rx_discarding)
		rx_bad_frame(q, NIC_BAD_END, descs);
	q->rx_discarding = true;
	rx_release(r, last);
	return true;
}

/* What is next in the ring, whatever it is. False: nothing that is whole. */
static __attribute__((noinline)) bool rx_any(struct nic_queue *q)
{
	struct nic_ring *r = &q->rx;
	u32 last = 0, descs;

	if (!rx_frame_end(r, &last, &descs))
		return rx_endless(q, last, descs);
	if (q->rx_discarding) {
		q->rx_discarding = false;
		rx_release(r, last);
	} else if (!rx_frame_ok(q, r->next_to_clean, last)) {
		rx_bad_frame(q, NIC_BAD_LENGTH, r->rx[last].length);
		rx_release(r, last);
	} else {
		rx_one(q, last);
	}
	return true;
}

s32 nic_clean_rx(struct nic_queue *q, s32 budget)
{
	bool frags = napi_gro_frags_wanted(&q->napi);
	struct nic_ring *r = &q->rx;
	s32 work = 0;

	for (; work < budget; work++) {
		if (unlikely(r->next_to_clean == r->next_to_use ||
			     !rx_plain(q, &r->rx[r->next_to_clean]))) {
			if (!rx_any(q))
				break;
		} else if (!frags || !rx_frag_one(q)) {
			rx_plain_one(q);
		}
		if (nic_ring_unused(r) >= NIC_RX_BUFFER_WRITE)
			nic_rx_refill(q);
	}
	if (work)
		nic_rx_refill(q);
	return work;
}

bool nic_rx_mapped(const struct nic_queue *q, u64 addr, u64 len)
{
	const struct nic_ring *r = &q->rx;

	for (u32 i = r->next_to_clean; r->rx && i != r->next_to_use; i = nic_ring_next(r, i)) {
		const u8 *p = r->rx_buffer[i].head;

		if (p &&
		    dma_within(addr, len,
			       dma_map(q->adapter->world, p + NIC_RX_HEADROOM) - rx_stamp_len(q),
			       NIC_RX_BUFFER))
			return true;
	}
	return r->rx &&
	       dma_within(addr, len, dma_map(q->adapter->world, r->rx), r->count * sizeof(*r->rx));
}
