/* SPDX-License-Identifier: MIT */
/*
 * The transmit engine of the software NIC: takes frames from the rings in turn, gathers, pads and
 * sums them, and puts one after the other on the wire, the next when the last bit of the one before
 * has left. DD is written when a frame has left.
 *
 * Invariant: at most one frame is leaving (tx_busy, with tx_event armed at its end); TDH moves past
 * a frame only when it has left, or was given up and counted.
 */
#include "drivers/nic_hw_priv.h"

#include "lib/checksum.h"

#define MIN_FRAME 60u /* without FCS */

/* ---- the rings of the ring model ---- */

#define CONTEXT (TXD_TSO | TXD_VLAN)

/* Descriptors of the frame at head, its context counted: how many, and bytes. 0: it is not all
 * there yet. */
static u32 tx_frame_descs(const struct nic_hw *hw, const struct nic_hw_ring *r, u32 *bytes)
{
	const struct nic_tx_desc *ring = tx_desc(hw, r);
	u32 n = 0;

	*bytes = 0;
	for (u32 i = r->head; i != r->tail; i = ring_next(r, i)) {
		n++;
		if (!(ring[i].cmd & CONTEXT))
			*bytes += ring[i].length;
		if (ring[i].cmd & TXD_EOP)
			return n;
	}
	return 0;
}

/* The frame at the head of a ring becomes the one that is leaving. False: there is none. */
static bool ring_tx_frame(struct nic_hw *hw, u32 index)
{
	const struct nic_hw_ring *r = &hw->q[index].tx;
	const struct nic_tx_desc *ring = tx_desc(hw, r);
	u32 bytes, descs = r->head == r->tail ? 0 : tx_frame_descs(hw, r, &bytes);
	bool context;

	if (!descs)
		return false;
	context = ring[r->head].cmd & CONTEXT;
	hw->tx = (struct nic_hw_tx){
		.bytes = bytes,
		.next = (r->head + descs) % r->len,
		.at = r->head,
		.data = ring[context ? ring_next(r, r->head) : r->head],
	};
	if (context)
		hw->tx.ctx = ring[r->head];
	return true;
}

/* It has left, or was given up: its descriptors go back. */
static void ring_tx_complete(struct nic_hw *hw, u32 index)
{
	struct nic_hw_ring *r = &hw->q[index].tx;
	struct nic_tx_desc *ring = tx_desc(hw, r);

	for (; r->head != hw->tx.next; r->head = ring_next(r, r->head))
		ring[r->head].status |= TXD_DD;
	nic_hw_cause(hw, index, ICR_TX);
}

/* DMA of bytes [skip, skip + len) from the buffers into the frame. False: one of them is no memory.
 */
static bool ring_tx_gather(struct nic_hw *hw, u32 index, u32 skip, u32 len, u8 *to, u32 *sum)
{
	const struct nic_hw_ring *r = &hw->q[index].tx;
	const struct nic_tx_desc *ring = tx_desc(hw, r);
	u32 total = 0, at = 0;

	if (skip < hw->tx.passed) {
		hw->tx.at = r->head;
		hw->tx.passed = 0;
	}
	skip -= hw->tx.passed;
	for (u32 i = hw->tx.at, seen = 0; len; i = ring_next(r, i)) {
		const struct nic_tx_desc *d = &ring[i];
		u32 size = d->cmd & CONTEXT ? 0 : d->length, part;
		const u8 *from;

		/* Rewritten since the frame was measured. */
		if (++seen > r->len)
			return false;
		if (skip >= size) {
			skip -= size;
			hw->tx.at = ring_next(r, i);
			hw->tx.passed += size;
			continue;
		}
		part = min_u32(size - skip, len);
		from = dma_access(hw, d->addr + skip, part);
		if (!from)
			return false;
		/* The driver may have named memory that is being written. */
		if (sum)
			total = csum_block_add(total, csum_partial_copy(to + at, from, part, 0),
					       at);
		else
			memmove(to + at, from, part);
		at += part;
		len -= part;
		skip = 0;
	}
	if (sum)
		*sum = total;
	return true;
}

const struct nic_hw_tx_ops nic_hw_ring_tx = {
	.frame = ring_tx_frame,
	.gather = ring_tx_gather,
	.complete = ring_tx_complete,
};

/* ---- frames ---- */

bool nic_hw_tx_sums(const struct nic_tx_desc *d, u32 len)
{
	return d->cmd & TXD_CSUM && (u32)d->csum_start + d->csum_offset + 2 <= len;
}

/* Fills it in: `sum` is that of the bytes from csum_start to the end. The wire is told what it is
 * now, so that nobody need do it again. */
void nic_hw_tx_checksum(const struct nic_tx_desc *d, struct wire_frame *f, u8 *frame, u32 sum)
{
	u8 *field = frame + d->csum_start + d->csum_offset;
	be16 was = load_be16(field), is = csum_fold(sum);

	is = is ? is : 0xffff;
	store_be16(field, is);
	if (d->csum_offset % 2 == 0)
		wire_frame_summed(f, (u32)(frame - wire_frame_bytes(f)) + d->csum_start,
				  csum_add(csum_sub(sum, was), is));
}

/* The bytes of a frame that is not cut. */
static bool tx_whole(struct nic_hw *hw, u32 len, struct wire_frame *f, u8 *p)
{
	const struct nic_tx_desc *d = &hw->tx.data;
	u32 start = d->csum_start, sum;

	if (!nic_hw_tx_sums(d, len))
		return hw->tx_ops->gather(hw, hw->tx_queue, 0, len, p, NULL);
	if (!hw->tx_ops->gather(hw, hw->tx_queue, 0, start, p, NULL) ||
	    !hw->tx_ops->gather(hw, hw->tx_queue, start, len - start, p + start, &sum))
		return false;
	nic_hw_tx_checksum(d, f, p, sum);
	return true;
}

/* How long the next frame is: all, or a segment. 0: a context that is not for this frame. */
static u32 tx_length(struct nic_hw *hw, u32 *part)
{
	const struct nic_tx_desc *ctx = &hw->tx.ctx;
	u32 left;

	hw->tso_more = false;
	*part = 0;
	if (!(ctx->cmd & TXD_TSO))
		return hw->tx.bytes;
	if (!nic_hw_tso_ok(&hw->tx))
		return 0;
	left = hw->tx.bytes - ctx->csum_start - hw->tso_sent;
	*part = min_u32(left, ctx->length);
	hw->tso_more = left > *part;
	return ctx->csum_start + *part;
}

/* A tag between addresses and EtherType; the frame stands 4 bytes behind p. */
static void tx_insert_tag(u8 *p, u16 tci)
{
	memmove(p, p + 4, 12);
	put_be16(p + 12, 0x8100);
	put_be16(p + 14, tci);
}

/* The bytes of the next frame, at p. False: a descriptor names no memory; the fault means the last
 * one. */
static bool tx_fetch(struct nic_hw *hw, u32 part, u32 bytes, struct wire_frame *f, u8 *p)
{
	bool whole = part ? nic_hw_tso_build(hw, part, f, p) : tx_whole(hw, bytes, f, p);

	if (!hw->tx_bad)
		return whole;
	hw->tx_bad--;
	return false;
}

/* Builds the frame; NULL: it is given up, and counted. */
static struct wire_frame *tx_build(struct nic_hw *hw)
{
	u32 part, bytes = tx_length(hw, &part), tag = hw->tx.ctx.cmd & TXD_VLAN ? 4 : 0, len;
	struct wire_frame *f;
	u8 *p;

	len = bytes + tag;
	if (hw->tctl & TCTL_PSP && len < MIN_FRAME)
		len = MIN_FRAME;
	if (!bytes) {
		hw->stats.tx_bad_descriptor++;
		return NULL;
	}
	if (!nic_link(hw)) {
		hw->stats.tx_no_link++;
		return NULL;
	}
	f = hw->loopback ? wire_frame_get(hw->wire, len) :
			   wire_frame_get_at(hw->wire, hw->end, len);
	if (!f) {
		hw->stats.tx_no_buffer++;
		return NULL;
	}
	p = wire_frame_bytes(f) + tag;
	if (!tx_fetch(hw, part, bytes, f, p)) {
		hw->stats.tx_bad_descriptor++;
		wire_frame_put(hw->wire, f);
		return NULL;
	}
	if (part)
		hw->stats.tx_tso_segments++;
	hw->stats.tx_tso += part && !hw->tso_sent;
	hw->tso_sent += part;
	if (len != bytes + tag) {
		memset(p + bytes, 0, len - bytes - tag);
		wire_frame_summed(f, 0, 0);
	}
	if (tag)
		tx_insert_tag(p - tag, (u16)hw->tx.ctx.addr);
	hw->stats.tx_frames++;
	hw->stats.tx_bytes += len;
	return f;
}

/* A frame, or a segment of one, has left or was given up. */
static void tx_left(struct nic_hw *hw, bool sent)
{
	if (hw->tx_control) {
		hw->tx_control = false;
		return;
	}
	if (sent && hw->tso_more) {
		nic_hw_tso_run(hw);
		return;
	}
	hw->tso_more = false;
	hw->tso_sent = 0;
	hw->tx_ops->complete(hw, hw->tx_queue);
}

/* The frame that is next: segments of one follow each other, then the queues have their turn.
 * False: there is none. */
static bool tx_next_frame(struct nic_hw *hw)
{
	if (hw->tso_more)
		return true;
	for (u32 k = 1; k <= hw->queues; k++) {
		u32 index = (hw->tx_queue + k) % hw->queues;

		if (!hw->tx_ops->frame(hw, index))
			continue;
		hw->tx_queue = index;
		return true;
	}
	return false;
}

/* It leaves now: of several segments the last one counts, as for the octet that is told. */
static void tx_stamp(struct nic_hw *hw)
{
	if (hw->tx_stamped || hw->tso_more || hw->tx_control)
		return;
	hw->tx_stamped = true;
	hw->tx_stamp = hw->world->now;
	nic_hw_cause(hw, 0, ICR_TS);
}

/* Onto the wire, or in loopback mode back in. When its last bit has left. */
static u64 tx_transmit(struct nic_hw *hw, struct wire_frame *f)
{
	struct wire_rx rx;

	if (hw->tx.data.cmd & TXD_TSTAMP)
		tx_stamp(hw);
	if (!hw->loopback)
		return wire_transmit(hw->wire, hw->end, f, 0);
	rx = wire_frame_rx(f, 0);
	nic_hw_receive(hw, &rx);
	wire_frame_put(hw->wire, f);
	return hw->world->now;
}

void nic_hw_tx_run(struct nic_hw *hw)
{
	while (hw->tctl & TCTL_EN && !hw->tx_stalled && !hw->tx_busy) {
		struct wire_frame *f = hw->pause_pending ? nic_hw_pause_frame(hw) : NULL;
		u64 left;

		hw->tx_control = f != NULL;
		if (!f && (nic_hw_paused(hw) || !tx_next_frame(hw)))
			return;
		if (!f)
			f = tx_build(hw);
		/* Busy while the frame enters the wire: a listener there may ring the doorbell. */
		hw->tx_busy = true;
		left = f ? tx_transmit(hw, f) : hw->world->now;
		if (left > hw->world->now) {
			event_arm(hw->world, &hw->tx_event, left, EVENT_WIRE);
			return;
		}
		hw->tx_busy = false;
		tx_left(hw, f != NULL);
	}
}

void nic_hw_tx_event(struct world *w, struct event *ev)
{
	struct nic_hw *hw = container_of(ev, struct nic_hw, tx_event);

	(void)w;
	hw->tx_busy = false;
	tx_left(hw, true);
	nic_hw_tx_run(hw);
}
