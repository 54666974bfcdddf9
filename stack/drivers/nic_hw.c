/* SPDX-License-Identifier: MIT */
/*
 * The software NIC: its registers, reset, and its socket for a cable. See nic_hw.h for what a
 * driver may rely on.
 */
#include "drivers/nic_hw_priv.h"

static const struct wire_end_ops nic_wire_ops = { .receive = nic_hw_receive, .room = nic_hw_room };

/* All but what survives a reset: address, cable, statistics, faults on the bus. */
static void nic_hw_reset(struct nic_hw *hw)
{
	hw->rctl = 0;
	hw->tctl = 0;
	hw->rlpml = 1518;
	hw->mta = 0;
	hw->rxcsum = false;
	hw->vlan_strip = false;
	hw->vlan_filter = false;
	memset(hw->vfta, 0, sizeof(hw->vfta));
	hw->tstamp = false;
	hw->loopback = false;
	hw->rx_stalled = false;
	nic_hw_pause_reset(hw);
	nic_hw_lro_reset(hw);
	hw->lies.told = false;
	hw->tx_stamped = false;
	hw->tx_busy = false;
	hw->tso_more = false;
	hw->tso_sent = 0;
	hw->tx_stalled = false;
	event_cancel(hw->world, &hw->tx_event);
	nic_hw_rss_reset(hw);
	vnet_hw_reset(hw);
	for (u32 i = 0; i < hw->queues; i++) {
		hw->q[i].rx = (struct nic_hw_ring){ .buffer_size = 2048 };
		hw->q[i].tx = (struct nic_hw_ring){ .buffer_size = 0 };
		nic_hw_vector_reset(hw, i);
	}
}

struct nic_hw *nic_hw_create(struct world *w, u32 queues)
{
	struct nic_hw *hw = mem_zalloc(w, MEM_NIC, sizeof(*hw));

	if (!hw)
		return NULL;
	hw->q = mem_alloc_n(w, MEM_NIC, queues, sizeof(*hw->q));
	if (!hw->q) {
		mem_free(w, MEM_NIC, hw, sizeof(*hw));
		return NULL;
	}
	memset(hw->q, 0, queues * sizeof(*hw->q));
	hw->world = w;
	hw->queues = queues;
	hw->tx_ops = &nic_hw_ring_tx;
	if (nic_hw_rss_create(hw)) {
		mem_free_n(w, MEM_NIC, hw->q, queues, sizeof(*hw->q));
		mem_free(w, MEM_NIC, hw, sizeof(*hw));
		return NULL;
	}
	event_init(&hw->tx_event, nic_hw_tx_event);
	nic_hw_pause_init(hw);
	for (u32 i = 0; i < queues; i++)
		nic_hw_vector_init(hw, i);
	nic_hw_reset(hw);
	return hw;
}

void nic_hw_free(struct nic_hw *hw)
{
	struct world *w = hw->world;

	ASSERT(!hw->wire);
	nic_hw_reset(hw);
	nic_hw_rss_free(hw);
	vnet_hw_free(hw);
	mem_free_n(w, MEM_NIC, hw->q, hw->queues, sizeof(*hw->q));
	mem_free(w, MEM_NIC, hw, sizeof(*hw));
}

void nic_hw_identity(struct nic_hw *hw, const struct host *host, u32 ifindex)
{
	hw->host = host;
	hw->ifindex = ifindex;
}

const struct nic_hw_stats *nic_hw_stats(const struct nic_hw *hw)
{
	return &hw->stats;
}

void nic_hw_iommu(struct nic_hw *hw, bool (*mapped)(void *ctx, u64 addr, u64 len), void *ctx)
{
	hw->dma_mapped = mapped;
	hw->dma_ctx = ctx;
}

static u32 read_queue(const struct nic_hw_queue *q, enum nic_reg reg)
{
	switch (reg) {
	case NIC_RDBAL:
		return (u32)q->rx.base;
	case NIC_RDBAH:
		return (u32)(q->rx.base >> 32);
	case NIC_RDLEN:
		return q->rx.len;
	case NIC_SRRCTL:
		return q->rx.buffer_size;
	case NIC_RDH:
		return q->rx.head;
	case NIC_RDT:
		return q->rx.tail;
	case NIC_TDBAL:
		return (u32)q->tx.base;
	case NIC_TDBAH:
		return (u32)(q->tx.base >> 32);
	case NIC_TDLEN:
		return q->tx.len;
	case NIC_TDH:
		return q->tx.head;
	case NIC_TDT:
		return q->tx.tail;
	case NIC_ICR:
		return q->vector.icr;
	case NIC_IMS:
		return q->vector.ims;
	case NIC_EITR:
		return q->vector.eitr_usecs;
	default:
		return 0;
	}
}

u32 nic_hw_read(const struct nic_hw *hw, enum nic_reg reg, u32 index)
{
	switch (reg) {
	case NIC_STATUS:
		return nic_link(hw) ? STATUS_LU : 0;
	case NIC_RCTL:
		return hw->rctl;
	case NIC_TCTL:
		return hw->tctl;
	case NIC_RLPML:
		return hw->rlpml;
	case NIC_RAL:
		return get_le32(hw->addr);
	case NIC_RAH:
		return get_le16(hw->addr + 4);
	case NIC_MTA:
		return (u32)(hw->mta >> (index & 1) * 32);
	case NIC_RXCSUM:
		return hw->rxcsum;
	case NIC_VLANC:
		return hw->vlan_strip;
	case NIC_VLANFC:
		return hw->vlan_filter;
	case NIC_VFTA:
		return hw->vfta[index % 128];
	case NIC_TSYNC:
		return hw->tstamp;
	case NIC_TXSTMPL:
		return (u32)hw->tx_stamp;
	case NIC_TXSTMPH:
		return (u32)(hw->tx_stamp >> 32);
	case NIC_PAUSEC:
		return hw->pausec;
	case NIC_LOOP:
		return hw->loopback;
	case NIC_LROC:
		return nic_hw_lro_max(hw);
	case NIC_MRQC:
	case NIC_RSSRK:
	case NIC_RETA:
		return nic_hw_rss_read(hw, reg, index);
	default:
		return index < hw->queues ? read_queue(&hw->q[index], reg) : 0;
	}
}

static void set_low(u64 *v, u32 value)
{
	*v = (*v & ~(u64)UINT32_MAX) | value;
}

static void set_high(u64 *v, u32 value)
{
	*v = (*v & UINT32_MAX) | (u64)value << 32;
}

/* A ring that is not wholly in bus memory is no ring. */
static void ring_check(const struct nic_hw *hw, struct nic_hw_ring *r)
{
	if (!dma_access(hw, r->base, (u64)r->len * sizeof(struct nic_rx_desc)))
		r->len = 0;
	r->head = 0;
	r->tail = 0;
}
_Static_assert(sizeof(struct nic_rx_desc) == 16 && sizeof(struct nic_tx_desc) == 16,
	       "descriptors are 16 bytes");

static void write_vector(struct nic_hw *hw, u32 index, enum nic_reg reg, u32 value)
{
	struct nic_hw_vector *v = &hw->q[index].vector;

	switch (reg) {
	case NIC_ICR:
		v->icr &= ~value;
		break;
	case NIC_ICS:
		nic_hw_cause(hw, index, value);
		break;
	case NIC_IMS:
		v->ims |= value;
		if (hw->lro)
			nic_hw_lro_unmasked(hw, index);
		/* What came while it was masked is told now. */
		if (v->icr & v->ims)
			nic_hw_cause(hw, index, 0);
		break;
	case NIC_IMC:
		v->ims &= ~value;
		break;
	case NIC_EITR:
		v->eitr_usecs = value;
		break;
	default:
		break;
	}
}

static void write_queue(struct nic_hw *hw, u32 index, enum nic_reg reg, u32 value)
{
	struct nic_hw_queue *q = &hw->q[index];

	switch (reg) {
	case NIC_RDBAL:
		set_low(&q->rx.base, value);
		break;
	case NIC_RDBAH:
		set_high(&q->rx.base, value);
		break;
	case NIC_RDLEN:
		q->rx.len = value;
		ring_check(hw, &q->rx);
		break;
	case NIC_SRRCTL:
		q->rx.buffer_size = value ? value : 1;
		break;
	case NIC_RDT:
		if (value < q->rx.len)
			q->rx.tail = value;
		if (hw->pausec & PAUSE_TX)
			nic_hw_pause_level(hw, &q->rx);
		break;
	case NIC_TDBAL:
		set_low(&q->tx.base, value);
		break;
	case NIC_TDBAH:
		set_high(&q->tx.base, value);
		break;
	case NIC_TDLEN:
		q->tx.len = value;
		ring_check(hw, &q->tx);
		break;
	case NIC_TDT:
		if (value < q->tx.len)
			q->tx.tail = value;
		nic_hw_tx_run(hw);
		break;
	default:
		write_vector(hw, index, reg, value);
		break;
	}
}

static void set_loopback(struct nic_hw *hw, bool on)
{
	bool was = nic_link(hw);

	hw->loopback = on;
	if (was != nic_link(hw))
		nic_hw_cause(hw, 0, ICR_LSC);
}

void nic_hw_write(struct nic_hw *hw, enum nic_reg reg, u32 index, u32 value)
{
	if (reg != NIC_RDT && reg != NIC_TDT)
		hw->last.valid = false;
	switch (reg) {
	case NIC_CTRL:
		if (value & CTRL_RST)
			nic_hw_reset(hw);
		break;
	case NIC_STATUS:
		break;
	case NIC_RCTL:
		hw->rctl = value;
		break;
	case NIC_TCTL:
		hw->tctl = value;
		nic_hw_tx_run(hw);
		break;
	case NIC_RLPML:
		hw->rlpml = value;
		break;
	case NIC_RAL:
		put_le32(hw->addr, value);
		break;
	case NIC_RAH:
		put_le16(hw->addr + 4, (u16)value);
		break;
	case NIC_MTA:
		if (index & 1)
			set_high(&hw->mta, value);
		else
			set_low(&hw->mta, value);
		break;
	case NIC_RXCSUM:
		hw->rxcsum = value & 1;
		break;
	case NIC_VLANC:
		hw->vlan_strip = value & 1;
		break;
	case NIC_VLANFC:
		hw->vlan_filter = value & 1;
		break;
	case NIC_VFTA:
		hw->vfta[index % 128] = value;
		break;
	case NIC_TSYNC:
		hw->tstamp = value & 1;
		break;
	case NIC_TXSTMPL:
		hw->tx_stamped = false;
		break;
	case NIC_PAUSEC:
		hw->pausec = value;
		break;
	case NIC_LOOP:
		set_loopback(hw, value & 1);
		break;
	case NIC_LROC:
		nic_hw_lro_set(hw, value);
		break;
	case NIC_MRQC:
	case NIC_RSSRK:
	case NIC_RETA:
		nic_hw_rss_write(hw, reg, index, value);
		break;
	default:
		if (index < hw->queues)
			write_queue(hw, index, reg, value);
		break;
	}
}

int nic_hw_plug(struct nic_hw *hw, struct wire *wire, u32 end)
{
	bool was = nic_link(hw);

	if (wire && hw->wire)
		return -EBUSY;
	if (wire) {
		int err = wire_plug(wire, end, &nic_wire_ops, hw);

		if (err)
			return err;
	} else if (hw->wire) {
		wire_plug(hw->wire, hw->end, NULL, NULL);
	}
	hw->wire = wire;
	hw->end = end;
	hw->last.valid = false;
	if (was != nic_link(hw))
		nic_hw_cause(hw, 0, ICR_LSC);
	return 0;
}

void nic_hw_cable(struct nic_hw *hw, bool good)
{
	bool was = nic_link(hw);

	hw->cable_cut = !good;
	hw->last.valid = false;
	if (was != nic_link(hw))
		nic_hw_cause(hw, 0, ICR_LSC);
}
