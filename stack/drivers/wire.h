/* SPDX-License-Identifier: MIT */
/*
 * The wire: a full-duplex cable with two ends. A frame that enters at one end comes out of the
 * other after serialisation (rate), propagation (delay) and whatever faults are set for its
 * direction. A device plugs into an end through wire_end_ops; an end without one is free: its
 * frames go to world_ops.wire_rx, and OP_FRAME puts frames on.
 */
#ifndef TAPLINE_DRIVERS_WIRE_H
#define TAPLINE_DRIVERS_WIRE_H

#include "kernel/world.h"
#include "stack/nic.h"

struct net_device;
struct wire_frame;

/* A frame that arrives. */
struct wire_rx {
	const u8 *bytes; /* from the destination MAC on, no FCS */
	u32 len, flags; /* FRAME_* */
	/* csum_partial() of the bytes from summed_from on, which the sender made when it wrote them
	 * and which nobody changed since; 0: there is none. */
	u32 summed_from, sum;
	/* The frame before it was the segment before it of the same length: between the two,
	 * addresses, ports and protocols are the same, and its checksum is as right as that one's.
	 */
	bool follows;
};

/* What a device does with the end of the cable in its socket. */
struct wire_end_ops {
	/* Valid during the call. */
	void (*receive)(void *ctx, const struct wire_rx *rx);
	/*
	 * Where the bytes of a frame of `len` bytes would be written if it arrived now; NULL: that
	 * hangs on the frame. What stands there is of no value until one has been received. May be
	 * NULL.
	 */
	u8 *(*room)(void *ctx, u32 len);
};

/* Of the frames that entered at one end. sent = received + lost + queue_dropped + unattached
 * + under way - duplicated. */
struct wire_stats {
	u64 tx_frames, tx_bytes; /* entered */
	u64 rx_frames, rx_bytes; /* came out at the far end */
	u64 lost; /* by loss, drop_next or a planted fault */
	u64 queue_dropped, unattached;
	u64 duplicated, reordered, corrupted;
};

/* Makes a wire, numbers it and puts it into w->wires. Its number; -ENOSPC, -ENOMEM, -EINVAL. */
s64 wire_create(struct world *w, u64 delay_ns, u64 rate_bps);
/* Devices must have been unplugged. */
void wire_free(struct wire *wire);
u32 wire_id(const struct wire *wire);
const struct wire_stats *wire_stats(const struct wire *wire, u32 end);

/* OP_WIRE_SET. 0, -EINVAL. */
int wire_set(struct wire *wire, u64 end, u64 param, u64 value);
/* OP_WIRE_ATTACH: plugs the device in. -EBUSY: somebody is there; -EOPNOTSUPP: it has no socket. */
int wire_attach(struct wire *wire, u32 end, struct net_device *dev);
/* OP_FRAME: at a free end, now. 0; -EINVAL, -EBUSY (the end is a device's), -EMSGSIZE, -ENOMEM. */
int wire_inject(struct wire *wire, u32 end, u32 flags, const u8 *bytes, u32 len);

/* Panics at the first broken invariant. */
void wire_check(const struct wire *wire, u32 level);

/* For devices. ops NULL: unplug. */
int wire_plug(struct wire *wire, u32 end, const struct wire_end_ops *ops, void *ctx);
/* A buffer of `len` bytes for a frame, to be filled and sent. NULL: no memory. */
struct wire_frame *wire_frame_get(struct wire *wire, u32 len);
/*
 * The same for a frame that is sent at `end`, or given back, before anything else happens in the
 * world: it may be lent the far end's own memory (room()), so that it need not be copied there.
 */
struct wire_frame *wire_frame_get_at(struct wire *wire, u32 end, u32 len);
/* Only such a frame: NULL when the far end has no memory to lend. */
struct wire_frame *wire_frame_lend(struct wire *wire, u32 end, u32 len);
u8 *wire_frame_bytes(struct wire_frame *f);
/* As it would arrive. */
struct wire_rx wire_frame_rx(const struct wire_frame *f, u32 flags);
/* The bytes from `from` on have this csum_partial(). */
void wire_frame_summed(struct wire_frame *f, u32 from, u32 sum);
/* wire_rx.follows, of a frame from wire_frame_lend(). */
void wire_frame_follows(struct wire_frame *f);
/* Gives back one that is not sent. */
void wire_frame_put(struct wire *wire, struct wire_frame *f);
/* Sends it off; takes it. Returns when (ns) its last bit has left the sender. */
u64 wire_transmit(struct wire *wire, u32 end, struct wire_frame *f, u32 flags);

#endif
