/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of the software NIC: per vector a cause and a mask register, and moderation: at least
 * EITR us lie between two messages of a vector; what comes in between is told by one message at the
 * end of that time.
 *
 * Invariant: the moderation event is armed only while an unmasked cause waits for its time (it may
 * fire for nothing when the driver has taken the cause meanwhile).
 */
#include "drivers/nic_hw_priv.h"

/* The message goes out: one write on the bus, which a fault can lose. */
static void vector_message(struct nic_hw *hw, struct nic_hw_vector *v)
{
	v->fired = true;
	v->last_ns = hw->world->now;
	/* Of virtqueues no register tells: a message is all there is. */
	if (hw->vnet)
		v->icr &= ICR_LSC;
	/* One that waits to be handled stands for this one, too. */
	if (v->irq && !list_empty(&v->irq->pending))
		return;
	if (v->lose) {
		v->lose--;
		hw->stats.interrupts_lost++;
		return;
	}
	hw->stats.interrupts++;
	if (v->irq)
		irq_raise(v->irq);
}

/* At once, or late by a fault. */
static void vector_fire(struct nic_hw *hw, struct nic_hw_vector *v)
{
	if (!v->late_ns)
		vector_message(hw, v);
	else if (!event_armed(&v->moderate))
		event_arm(hw->world, &v->moderate, hw->world->now + v->late_ns, EVENT_WIRE);
}

static void vector_moderate(struct world *w, struct event *ev)
{
	struct nic_hw_vector *v = container_of(ev, struct nic_hw_vector, moderate);

	(void)w;
	if (v->icr & v->ims)
		vector_message(v->hw, v);
}

/* When the vector may send its next message; 0: now. */
static u64 moderated_until(const struct nic_hw *hw, const struct nic_hw_vector *v)
{
	u64 next = v->last_ns + v->eitr_usecs * NSEC_PER_USEC;

	return v->eitr_usecs && v->fired && hw->world->now < next ? next : 0;
}

void nic_hw_vector_tell(struct nic_hw *hw, struct nic_hw_vector *v)
{
	u64 next = moderated_until(hw, v);

	if (!next) {
		vector_fire(hw, v);
	} else if (!event_armed(&v->moderate)) {
		hw->stats.interrupts_moderated++;
		event_arm(hw->world, &v->moderate, next, EVENT_WIRE);
	}
}

u64 nic_hw_vector_when(const struct nic_hw *hw, u32 index, u32 cause)
{
	const struct nic_hw_vector *v = &hw->q[index].vector;

	return v->ims & cause ? moderated_until(hw, v) : UINT64_MAX;
}

void nic_hw_vector_init(struct nic_hw *hw, u32 index)
{
	struct nic_hw_vector *v = &hw->q[index].vector;

	v->hw = hw;
	v->index = index;
	event_init(&v->moderate, vector_moderate);
}

void nic_hw_vector_reset(struct nic_hw *hw, u32 index)
{
	struct nic_hw_vector *v = &hw->q[index].vector;

	event_cancel(hw->world, &v->moderate);
	v->icr = 0;
	v->ims = 0;
	v->eitr_usecs = 0;
	v->fired = false;
}

void nic_hw_msix(struct nic_hw *hw, u32 index, struct irq_desc *irq)
{
	hw->q[index].vector.irq = irq;
}

int nic_hw_fault(struct nic_hw *hw, u32 param, u32 index, u64 value)
{
	if (param >= NIC_PARAM_RX_BAD_LEN)
		return nic_hw_lie_fault(hw, param, index, value);
	if (index >= hw->queues)
		return -EINVAL;
	switch (param) {
	case NIC_PARAM_TX_STALL:
		hw->tx_stalled = value != 0;
		nic_hw_tx_run(hw);
		return 0;
	case NIC_PARAM_IRQ_LOST:
		hw->q[index].vector.lose = value;
		return 0;
	case NIC_PARAM_IRQ_LATE:
		if (value > NSEC_PER_SEC)
			return -EINVAL;
		hw->q[index].vector.late_ns = value;
		return 0;
	case NIC_PARAM_RX_STALL:
		hw->rx_stalled = value != 0;
		return 0;
	case NIC_PARAM_RX_BAD_DESC:
		hw->rx_bad = value;
		return 0;
	case NIC_PARAM_TX_BAD_DESC:
		hw->tx_bad = value;
		return 0;
	case NIC_PARAM_IRQ_SPURIOUS:
		if (hw->q[index].vector.irq)
			irq_raise(hw->q[index].vector.irq);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}
