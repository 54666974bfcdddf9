/* SPDX-License-Identifier: MIT */
/* The inside of the device, for its own files: nic_hw.c (registers), nic_hw_rx.c, nic_hw_tx.c,
 * nic_hw_irq.c. */
#ifndef TAPLINE_DRIVERS_NIC_HW_PRIV_H
#define TAPLINE_DRIVERS_NIC_HW_PRIV_H

#include "drivers/nic_hw.h"
#include "drivers/virtio.h"
#include "kernel/trace.h"
#include "lib/bytes.h"
#include "stack/assert.h"
#include "stack/errno.h"

struct nic_hw_ring {
	u64 base; /* bus address */
	u32 len, head, tail;
	u32 buffer_size; /* receive: SRRCTL */
};

/* Room for the headers of a packet that is cut: the longest with two tags are 142 bytes. */
#define NIC_TSO_HDR 192u

struct nic_hw_vector {
	struct nic_hw *hw;
	struct irq_desc *irq;
	struct event moderate;
	u32 index;
	u32 icr, ims;
	u32 eitr_usecs;
	bool fired; /* at least once: last_ns counts */
	u64 last_ns;
	u64 lose; /* fault: so many interrupts do not arrive */
	u64 late_ns; /* fault: how late interrupts arrive */
};

struct nic_hw_queue {
	struct nic_hw_ring rx, tx;
	struct nic_hw_vector vector;
};

/* Addresses that virtio's driver wants besides the device's own. */
struct vnet_mac_table {
	u32 n;
	bool overflow; /* all of that kind */
	u8 addr[VNET_MAC_TABLE][6];
};

/* Faults: so many lies of each kind are to be told yet. */
struct nic_hw_lies {
	bool told; /* one was, since the last reset */
	u64 rx_len, rx_no_eop;
	struct {
		u64 bad_id, twice;
		u16 ahead;
	} used[NIC_QUEUES_MAX];
};

/* nic_hw_lie.c: NIC_PARAM_RX_BAD_LEN and on. */
int nic_hw_lie_fault(struct nic_hw *hw, u32 param, u32 index, u64 value);

/* The frame that is leaving, whatever the rings are made of: in the terms of the ring model, whose
 * context is all zero for a frame that is not cut. */
struct nic_hw_tx {
	u32 bytes;
	u32 next; /* the ring's head behind it */
	u32 at, passed; /* where gathering stands: a descriptor, and the bytes in front of it */
	struct nic_tx_desc ctx, data;
};

/* How frames are found in the host's memory and given back. */
struct nic_hw_tx_ops {
	/* Makes the next frame of a queue hw->tx. False: it has none. */
	bool (*frame)(struct nic_hw *hw, u32 index);
	/* Bytes [skip, skip + len) of it; sum, when not NULL, gets their csum_partial(). False:
	 * they are not in memory. */
	bool (*gather)(struct nic_hw *hw, u32 index, u32 skip, u32 len, u8 *to, u32 *sum);
	void (*complete)(struct nic_hw *hw, u32 index);
};
extern const struct nic_hw_tx_ops nic_hw_ring_tx;
extern const struct nic_hw_tx_ops vnet_hw_tx; /* virtio_hw.c */

/* A frame that passed the checks. */
struct nic_hw_rx {
	const u8 *frame;
	u32 len, hash, status; /* RXD_* */
	u32 segs, wire; /* frames that came, their bytes: several with LRO */
	u64 stamp; /* when the first one came */
	bool tagged; /* its tag, behind the addresses, is left out of len */
	u16 vlan;
};
/* What was found out about a frame that holds for the one that follows it (wire_rx.follows). */
struct nic_hw_verdict {
	bool valid;
	u32 queue, hash, status;
};
enum nic_hw_placed { NIC_HW_PLACED, NIC_HW_MISSED, NIC_HW_BAD };
/* virtio_hw.c */
struct vnet_hw;
enum nic_hw_placed vnet_hw_receive(struct nic_hw *hw, u32 queue, const struct nic_hw_rx *rx);
void vnet_hw_reset(struct nic_hw *hw);
void vnet_hw_free(struct nic_hw *hw);
/* virtio_hw_ctrl.c: a command of the control queue; true: done. Does the table want this frame? */
bool vnet_hw_command(struct nic_hw *hw, const u8 *command, u32 len);
bool vnet_hw_filter(const struct nic_hw *hw, const u8 *dest);
void vnet_hw_ctrl_reset(struct nic_hw *hw);
/* NIC_PARAM_USED_*; a word of a queue's memory. */
int vnet_hw_scribble(struct nic_hw *hw, u32 index, u32 word, u32 value);
int vnet_hw_fault(struct nic_hw *hw, u32 param, u32 pair, u64 value);

struct nic_hw {
	struct world *world;
	const struct host *host;
	u32 ifindex;
	u32 queues;
	u32 rctl, tctl, rlpml;
	u8 addr[6];
	u64 mta;
	bool rxcsum, vlan_strip, tstamp, loopback;
	u32 pausec;
	/* Pause: of the partner, until when; XOFF was sent last; a pause frame is to be sent, with
	 * these quanta. */
	struct event resume;
	bool xoff, pause_pending;
	u16 pause_quanta;
	/* Faults. */
	bool rx_stalled;
	u64 rx_bad, tx_bad;
	struct nic_hw_lies lies;
	bool (*dma_mapped)(void *ctx, u64 addr, u64 len); /* the IOMMU; NULL: none */
	void *dma_ctx;
	bool cable_cut;
	struct wire *wire;
	u32 end;
	/* Transmit engine: one frame is on its way out until `tx_event`. */
	struct event tx_event;
	bool tx_busy, tx_stalled;
	bool tx_control; /* the frame that is leaving is the device's own */
	bool tx_stamped; /* tx_stamp waits to be read */
	u64 tx_stamp;
	u32 tx_queue; /* of the frame that is */
	struct nic_hw_tx tx;
	const struct nic_hw_tx_ops *tx_ops;
	struct vnet_hw *vnet; /* virtqueues instead of rings */
	u64 vnet_features; /* negotiated */
	u16 vnet_status;
	bool vnet_no_ctrl;
	u32 vnet_pairs; /* in use */
	struct vnet_mac_table vnet_uni, vnet_multi;
	bool vlan_filter; /* frames of VLANs that are not in vfta are not taken */
	u32 vfta[128];
	u32 tso_sent; /* payload of the frame at tx_queue's head that has left in segments */
	bool tso_more; /* and there is more */
	u8 tso_hdr[NIC_TSO_HDR]; /* its headers as the driver wrote them */
	struct nic_hw_rss *rss; /* with several queues */
	struct nic_hw_lro *lro; /* NULL: off */
	struct nic_hw_verdict last;
	struct nic_hw_stats stats;
	struct nic_hw_queue *q;
};

static inline bool nic_link(const struct nic_hw *hw)
{
	return hw->wire && (!hw->cable_cut || hw->loopback);
}

static inline u32 ring_next(const struct nic_hw_ring *r, u32 i)
{
	return ++i == r->len ? 0 : i;
}

/* The memory behind a bus address; NULL when it is not all there, or not for the device. */
static inline __attribute__((always_inline)) u8 *dma_access(const struct nic_hw *hw, u64 addr,
							    u64 len)
{
	const struct mem_account *m = &hw->world->mem;
	u64 size = (u64)(m->brk - m->base);

	if (hw->dma_mapped && !hw->dma_mapped(hw->dma_ctx, addr, len))
		return NULL;
	return addr <= size && len <= size - addr ? m->base + addr : NULL;
}

static inline struct nic_rx_desc *rx_desc(const struct nic_hw *hw, const struct nic_hw_ring *r)
{
	return (struct nic_rx_desc *)(void *)(hw->world->mem.base + r->base);
}

static inline struct nic_tx_desc *tx_desc(const struct nic_hw *hw, const struct nic_hw_ring *r)
{
	return (struct nic_tx_desc *)(void *)(hw->world->mem.base + r->base);
}

/* should_fail() that costs one test in line while the fault is not planted. */
static inline bool hw_should_fail(struct nic_hw *hw, enum fault_point point)
{
	return unlikely(hw->world->fault.armed & 1u << point) && should_fail(hw->world, point);
}

/* Is the next frame to be written back with a lie? */
static inline bool hw_rx_lies(const struct nic_hw *hw)
{
	return hw->lies.rx_len || hw->lies.rx_no_eop;
}

/* Counts a lie down. True: it is to be told now. */
static inline bool hw_lies(struct nic_hw *hw, u64 *left)
{
	if (!*left)
		return false;
	--*left;
	hw->lies.told = true;
	return true;
}

/* Interrupts, at once or when moderation lets it; the same for causes that now are there. */
void nic_hw_vector_tell(struct nic_hw *hw, struct nic_hw_vector *v);
static inline void nic_hw_cause(struct nic_hw *hw, u32 index, u32 cause)
{
	struct nic_hw_vector *v = &hw->q[index].vector;

	v->icr |= cause;
	if (v->icr & v->ims)
		nic_hw_vector_tell(hw, v);
}
/* When the cause would be told if it came now; UINT64_MAX: it is masked. */
u64 nic_hw_vector_when(const struct nic_hw *hw, u32 index, u32 cause);
void nic_hw_vector_init(struct nic_hw *hw, u32 index);
void nic_hw_vector_reset(struct nic_hw *hw, u32 index);
/* Where the IP header and, when it is a whole TCP or UDP packet, the transport header lie. */
struct nic_hw_parse {
	const u8 *ip, *l4;
	u32 l4_len;
	u8 proto;
	bool v6;
};
/* False: it is no IP. */
bool nic_hw_parse(const u8 *frame, u32 len, struct nic_hw_parse *p);
/* nic_hw_rss.c: the queue of a frame, its hash, RXD_* of it. */
u32 nic_hw_rss_queue(struct nic_hw *hw, const u8 *frame, u32 len, u32 *hash, u32 *status);
int nic_hw_rss_create(struct nic_hw *hw);
void nic_hw_rss_free(struct nic_hw *hw);
void nic_hw_rss_reset(struct nic_hw *hw);
u32 nic_hw_rss_read(const struct nic_hw *hw, enum nic_reg reg, u32 index);
void nic_hw_rss_write(struct nic_hw *hw, enum nic_reg reg, u32 index, u32 value);
/* wire_end_ops */
void nic_hw_receive(void *ctx, const struct wire_rx *arrived);
u8 *nic_hw_room(void *ctx, u32 len);
/* nic_hw_rx.c: a frame into the buffers of a queue, counted */
void nic_hw_place(struct nic_hw *hw, u32 queue, const struct nic_hw_rx *rx);
/* nic_hw_lro.c: true: it was taken; `len`: of the frame with its tag. Bytes of a merged frame (0:
 * off); without memory on the board it stays off. */
bool nic_hw_lro_receive(struct nic_hw *hw, u32 queue, const struct nic_hw_rx *rx, u32 len);
void nic_hw_lro_set(struct nic_hw *hw, u32 max);
u32 nic_hw_lro_max(const struct nic_hw *hw);
void nic_hw_lro_reset(struct nic_hw *hw);
/* The queue may interrupt again: what waits on the board goes now, or when moderation lets it. */
void nic_hw_lro_unmasked(struct nic_hw *hw, u32 queue);
/* nic_hw_tso.c. Does the context name headers that can be a packet's? */
bool nic_hw_tso_ok(const struct nic_hw_tx *tx);
/* The bytes of the next segment with `part` bytes of payload, at p, where there is room for
 * NIC_TSO_HDR at least. False: a descriptor names no memory. */
bool nic_hw_tso_build(struct nic_hw *hw, u32 part, struct wire_frame *f, u8 *p);
/* Segments of full length, but for the last one, as long as they go at once into the memory of the
 * far end: what the transmit engine would do for one after the other. */
void nic_hw_tso_run(struct nic_hw *hw);
/* Does the device fill in a checksum in a frame of `len` bytes? If so the sum of the bytes from
 * csum_start on goes there. */
bool nic_hw_tx_sums(const struct nic_tx_desc *d, u32 len);
void nic_hw_tx_checksum(const struct nic_tx_desc *d, struct wire_frame *f, u8 *frame, u32 sum);
/* nic_hw_pause.c (IEEE 802.3 31B): a frame for it? Counted and obeyed; how full a ring is; may the
 * next frame leave? */
bool nic_hw_pause_receive(struct nic_hw *hw, const u8 *frame, u32 len);
void nic_hw_pause_level(struct nic_hw *hw, const struct nic_hw_ring *r);
bool nic_hw_paused(const struct nic_hw *hw);
void nic_hw_pause_init(struct nic_hw *hw);
void nic_hw_pause_reset(struct nic_hw *hw);
/* The pause frame that is to be sent; NULL: none. */
struct wire_frame *nic_hw_pause_frame(struct nic_hw *hw);
/* Descriptors the device owns. */
static inline u32 ring_owned(const struct nic_hw_ring *r)
{
	return r->tail >= r->head ? r->tail - r->head : r->tail + r->len - r->head;
}
/* Sends what there is. */
void nic_hw_tx_run(struct nic_hw *hw);
void nic_hw_tx_event(struct world *w, struct event *ev);

#endif
