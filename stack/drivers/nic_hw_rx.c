/* SPDX-License-Identifier: MIT */
/*
 * The receive side of the software NIC: from the cable through the checks and the address filter to
 * a queue, and by DMA into the buffers that the queue's descriptors name.
 *
 * Invariant: a frame that arrives counts once more than in rx_arrived: rx_frames, or rx_disabled,
 * rx_crc_errors, rx_length_errors, rx_filtered, rx_missed, rx_bad_descriptor.
 */
#include "drivers/nic_hw_priv.h"

#include "lib/checksum.h"
#include "lib/hash.h"

#define HW_ETH_HLEN 14u
#define HW_IP_HLEN  20u
#define HW_IP6_HLEN 40u

/* Why TRACE_NIC_RX_FILTERED. */
enum { FILTERED_ADDRESS = 1, FILTERED_LENGTH, FILTERED_CRC, FILTERED_DISABLED };

u32 nic_mta_bit(const u8 *addr)
{
	return (u32)(mix64((u64)get_be16(addr) << 32 | get_be32(addr + 2)) >> 58);
}

static bool group_wanted(const struct nic_hw *hw, const u8 *dest)
{
	return hw->vnet ? vnet_hw_filter(hw, dest) : hw->mta >> nic_mta_bit(dest) & 1;
}

/* A frame of a VLAN that was not asked for; with RCTL_UPE all were. */
static bool vlan_refused(const struct nic_hw *hw, const u8 *frame, u32 len)
{
	u32 vid;

	if (!hw->vlan_filter || hw->rctl & RCTL_UPE || len < 16 || get_be16(frame + 12) != 0x8100)
		return false;
	vid = get_be16(frame + 14) & 0xfff;
	return !(hw->vfta[vid / 32] >> vid % 32 & 1);
}

static bool filter_accepts(struct nic_hw *hw, const u8 *dest)
{
	static const u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (memcmp(dest, hw->addr, 6) == 0)
		return true;
	if (!(dest[0] & 1))
		return hw->rctl & RCTL_UPE || (hw->vnet && vnet_hw_filter(hw, dest));
	if (memcmp(dest, broadcast, 6) == 0) {
		hw->stats.rx_broadcast++;
		return true;
	}
	if (!(hw->rctl & RCTL_MPE) && !group_wanted(hw, dest))
		return false;
	hw->stats.rx_multicast++;
	return true;
}

/* IPv6 without extension headers has a transport header to look at. */
static bool parse_ipv6(const u8 *ip, u32 len, struct nic_hw_parse *p)
{
	if (len < HW_IP6_HLEN || ip[0] >> 4 != 6)
		return false;
	p->v6 = true;
	p->l4_len = get_be16(ip + 4);
	p->proto = ip[6];
	if ((p->proto == 6 || p->proto == 17) && p->l4_len >= 8 && p->l4_len <= len - HW_IP6_HLEN)
		p->l4 = ip + HW_IP6_HLEN;
	return true;
}

static bool parse_ipv4(const u8 *ip, u32 len, struct nic_hw_parse *p)
{
	u32 ihl, total;

	if (len < HW_IP_HLEN || ip[0] >> 4 != 4)
		return false;
	ihl = (ip[0] & 15u) * 4;
	total = get_be16(ip + 2);
	p->proto = ip[9];
	if (ihl < HW_IP_HLEN || total < ihl + 8 || total > len)
		return true;
	/* Fragments have no transport header to look at, or only a part. */
	if ((get_be16(ip + 6) & 0x3fff) || (p->proto != 6 && p->proto != 17))
		return true;
	p->l4 = ip + ihl;
	p->l4_len = total - ihl;
	return true;
}

bool nic_hw_parse(const u8 *frame, u32 len, struct nic_hw_parse *p)
{
	u32 at = 12;

	if (len < HW_ETH_HLEN + HW_IP_HLEN)
		return false;
	while (get_be16(frame + at) == 0x8100 && at + 6 + HW_IP_HLEN <= len)
		at += 4;
	*p = (struct nic_hw_parse){ .ip = frame + at + 2 };
	if (get_be16(frame + at) == 0x0800)
		return parse_ipv4(p->ip, len - at - 2, p);
	return get_be16(frame + at) == 0x86dd && parse_ipv6(p->ip, len - at - 2, p);
}

/* The sum of TCP's or UDP's bytes: the sender's device has it, if it summed the same bytes. */
static u32 l4_sum(const struct nic_hw_parse *p, const struct wire_rx *rx)
{
	u32 at = (u32)(p->l4 - rx->bytes);

	if (rx->summed_from != at || rx->len != at + p->l4_len)
		return csum_partial(p->l4, p->l4_len, 0);
#ifdef TAPLINE_HOSTILE
	ASSERT(csum_same(rx->sum, csum_partial(p->l4, p->l4_len, 0)));
#endif
	return rx->sum;
}

static bool l4_csum_right(const struct nic_hw_parse *p, const struct wire_rx *rx)
{
	if (!p->l4 || p->v6 ||
	    (p->proto == 17 && (!get_be16(p->l4 + 6) || get_be16(p->l4 + 4) != p->l4_len)))
		return false;
	return csum_tcpudp_magic(load_be32(p->ip + 12), load_be32(p->ip + 16), p->l4_len, p->proto,
				 l4_sum(p, rx)) == 0;
}

static u32 rx_status(const struct nic_hw *hw, const struct wire_rx *rx)
{
	struct nic_hw_parse p;

	if (rx->flags & FRAME_CSUM_UNNECESSARY)
		return RXD_L4CS;
	if (hw->rxcsum && nic_hw_parse(rx->bytes, rx->len, &p) && l4_csum_right(&p, rx))
		return RXD_L4CS;
	return 0;
}

static void rx_filtered(const struct nic_hw *hw, u32 len, u32 why)
{
	trace(hw->world, hw->host, TRACE_NIC_RX_FILTERED, hw->ifindex, 0, len, why);
}

/* Is the frame for us, and whole? Counts it when not. */
static bool rx_check(struct nic_hw *hw, const u8 *frame, u32 len, u32 flags)
{
	if (!(hw->rctl & RCTL_EN) || (hw->cable_cut && !hw->loopback)) {
		hw->stats.rx_disabled++;
		rx_filtered(hw, len, FILTERED_DISABLED);
		return false;
	}
	if (flags & FRAME_BAD_FCS) {
		hw->stats.rx_crc_errors++;
		rx_filtered(hw, len, FILTERED_CRC);
		return false;
	}
	if (len < HW_ETH_HLEN || len > hw->rlpml) {
		hw->stats.rx_length_errors++;
		rx_filtered(hw, len, FILTERED_LENGTH);
		return false;
	}
	if (vlan_refused(hw, frame, len) || !filter_accepts(hw, frame)) {
		hw->stats.rx_filtered++;
		rx_filtered(hw, len, FILTERED_ADDRESS);
		return false;
	}
	return true;
}

static void rx_missed(struct nic_hw *hw, u32 queue, u32 len, u32 frames)
{
	hw->stats.rx_missed += frames;
	trace(hw->world, hw->host, TRACE_NIC_RX_MISSED, hw->ifindex, queue, len,
	      hw->stats.rx_missed);
}

/* Bytes [at, at + len) of what is written: the stamp, the frame without the tag that is left out.
 */
static void rx_bytes(const struct nic_hw *hw, const struct nic_hw_rx *rx, u32 at, u32 len, u8 *to)
{
	u8 stamp[8];

	if (!hw->tstamp && !rx->tagged) {
		if (to != rx->frame) /* lent by nic_hw_room() */
			memmove(to, rx->frame + at, len);
		return;
	}
	put_le64(stamp, rx->stamp);
	for (u32 i = 0; i < len; i++, at++) {
		u32 k = at - 8 * hw->tstamp;

		to[i] = hw->tstamp && at < 8 ? stamp[at] :
					       rx->frame[k < 12 || !rx->tagged ? k : k + 4];
	}
}

/* The descriptor goes back to the driver: `len` bytes are in its buffer. */
static inline void rx_write_back(struct nic_rx_desc *d, const struct nic_hw_rx *rx, u32 len,
				 u32 status)
{
	*d = (struct nic_rx_desc){ .addr = rx->hash | (u64)rx->segs << 32,
				   .status = RXD_DD | status,
				   .length = (u16)len,
				   .vlan = rx->vlan };
}

/* DMA of a frame of which no byte is added or left out into the buffer at head, where it fits.
 * False: that is no memory. */
static inline bool rx_dma_one(struct nic_hw *hw, struct nic_hw_ring *r, struct nic_rx_desc *ring,
			      const struct nic_hw_rx *rx)
{
	struct nic_rx_desc *d = &ring[r->head];
	u32 len = rx->len;
	u8 *to = dma_access(hw, d->addr, len);

	if (unlikely(!to))
		return false;
	if (to != rx->frame) /* lent by nic_hw_room() */
		memmove(to, rx->frame, len);
	rx_write_back(d, rx, len, RXD_EOP | rx->status);
	r->head = ring_next(r, r->head);
	return true;
}

/* DMA of any frame into the buffers from head on. False: one of them is no memory. */
static __attribute__((noinline)) bool rx_dma(struct nic_hw *hw, struct nic_hw_ring *r,
					     struct nic_rx_desc *ring, const struct nic_hw_rx *rx,
					     u32 len)
{
	u32 lie = hw_lies(hw, &hw->lies.rx_len) ? r->buffer_size : 0;
	u32 end = hw_lies(hw, &hw->lies.rx_no_eop) ? 0 : RXD_EOP;
	u32 i = r->head, done = 0;

	do {
		u32 part = min_u32(len - done, r->buffer_size);
		u8 *to = dma_access(hw, ring[i].addr, part);

		if (!to)
			return false;
		rx_bytes(hw, rx, done, part, to);
		done += part;
		rx_write_back(&ring[i], rx, part + lie, done == len ? end | rx->status : 0);
		i = ring_next(r, i);
	} while (done < len);
	r->head = i;
	return true;
}

static inline enum nic_hw_placed ring_receive(struct nic_hw *hw, u32 queue,
					      const struct nic_hw_rx *rx)
{
	struct nic_hw_ring *r = &hw->q[queue].rx;
	struct nic_rx_desc *ring = rx_desc(hw, r);
	u32 len = rx->len + 8 * hw->tstamp;
	u32 needed = len <= r->buffer_size ? 1 : (len + r->buffer_size - 1) / r->buffer_size;
	bool placed;

	if (ring_owned(r) < needed)
		return NIC_HW_MISSED;
	if (needed == 1 && !hw->tstamp && !rx->tagged && !hw_rx_lies(hw))
		placed = rx_dma_one(hw, r, ring, rx);
	else
		placed = rx_dma(hw, r, ring, rx, len);
	if (unlikely(!placed))
		return NIC_HW_BAD;
	/* Where the next frame goes, if that is an address. */
	__builtin_prefetch((void *)((uintptr_t)hw->world->mem.base + (uintptr_t)ring[r->head].addr),
			   1);
	if (hw->pausec & PAUSE_TX)
		nic_hw_pause_level(hw, r);
	nic_hw_cause(hw, queue, ICR_RX);
	return NIC_HW_PLACED;
}

static inline void rx_taken(struct nic_hw *hw, const struct nic_hw_rx *rx)
{
	const u8 *frame = rx->frame;

	hw->stats.rx_frames += rx->segs;
	hw->stats.rx_bytes += rx->wire;
	if (frame[12] >= 0x81 && (get_be16(frame + 12) == 0x8100 || get_be16(frame + 12) == 0x88a8))
		hw->stats.rx_vlan += rx->segs;
}

/* In line where a frame comes from the wire: each of them passes here. */
static inline __attribute__((always_inline)) void place(struct nic_hw *hw, u32 queue,
							const struct nic_hw_rx *rx)
{
	enum nic_hw_placed placed = NIC_HW_MISSED;

	if (unlikely(hw->rx_bad)) {
		hw->rx_bad--;
		placed = NIC_HW_BAD;
	} else if (likely(!hw->rx_stalled && !hw_should_fail(hw, FAULT_RX_MISSED)))
		placed = hw->vnet ? vnet_hw_receive(hw, queue, rx) : ring_receive(hw, queue, rx);
	if (likely(placed == NIC_HW_PLACED))
		rx_taken(hw, rx);
	else if (placed == NIC_HW_BAD)
		hw->stats.rx_bad_descriptor += rx->segs;
	else
		rx_missed(hw, queue, rx->wire, rx->segs);
}

void nic_hw_place(struct nic_hw *hw, u32 queue, const struct nic_hw_rx *rx)
{
	place(hw, queue, rx);
}

/* For one queue without anything that needs a look at the frame, or puts other bytes than the
 * frame's into the buffer; nor with an IOMMU, which would be asked, and count, twice. */
u8 *nic_hw_room(void *ctx, u32 len)
{
	const struct nic_hw *hw = ctx;
	const struct nic_hw_ring *r = &hw->q[0].rx;

	if (hw->queues > 1 || hw->vnet || hw->lro || hw->tstamp || hw->vlan_strip || hw->loopback ||
	    hw->dma_mapped || len > r->buffer_size || !ring_owned(r))
		return NULL;
	return dma_access(hw, rx_desc(hw, r)[r->head].addr, len);
}

/* The frame that follows one whose verdict holds. */
static inline void receive_next(struct nic_hw *hw, const struct wire_rx *arrived,
				struct nic_hw_rx *rx)
{
#ifdef TAPLINE_HOSTILE
	ASSERT(rx_status(hw, arrived) == (hw->last.status & RXD_L4CS));
#else
	(void)arrived;
#endif
	rx->hash = hw->last.hash;
	rx->status = hw->last.status;
	nic_hw_place(hw, hw->last.queue, rx);
}

/* Is what was found out all there is to it? Groups are counted, LRO looks at each, a tag or a stamp
 * is the frame's own. */
static inline bool verdict_holds(const struct nic_hw *hw, const u8 *frame)
{
	return !(frame[0] & 1) && !hw->lro && !hw->vlan_strip && !hw->tstamp;
}

void nic_hw_receive(void *ctx, const struct wire_rx *arrived)
{
	const u8 *frame = arrived->bytes;
	u32 len = arrived->len, flags = arrived->flags;
	struct nic_hw *hw = ctx;
	struct nic_hw_rx rx = {
		.frame = frame, .len = len, .segs = 1, .wire = len, .stamp = hw->world->now
	};
	u32 queue;

	hw->stats.rx_arrived++;
	if (arrived->follows && hw->last.valid) {
		receive_next(hw, arrived, &rx);
		return;
	}
	hw->last.valid = false;
	if (nic_hw_pause_receive(hw, frame, len) || !rx_check(hw, frame, len, flags))
		return;
	queue = nic_hw_rss_queue(hw, frame, len, &rx.hash, &rx.status);
	rx.status |= rx_status(hw, arrived);
	if (arrived->summed_from) /* a card made it, and may cut more from the same packet */
		hw->last = (struct nic_hw_verdict){ .valid = verdict_holds(hw, frame),
						    .queue = queue,
						    .hash = rx.hash,
						    .status = rx.status };
	if (hw->vlan_strip && len >= 16 && get_be16(frame + 12) == 0x8100) {
		rx.tagged = true;
		rx.vlan = get_be16(frame + 14);
		rx.len -= 4;
		rx.status |= RXD_VP;
	}
	rx.status |= hw->tstamp ? RXD_TS : 0;
	if (!hw->lro || !nic_hw_lro_receive(hw, queue, &rx, len))
		place(hw, queue, &rx);
}
