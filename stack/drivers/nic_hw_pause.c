/* SPDX-License-Identifier: MIT */
/*
 * Pause frames of the software NIC (IEEE 802.3 annex 31B): MAC control frames that ask the partner
 * to be silent for a number of quanta, 512 bit times each; 0 ends that at once. The device obeys
 * them (PAUSE_RX), and sends them when few descriptors of a receive ring are left (PAUSE_TX). They
 * never come to the driver.
 *
 * Invariant: `resume` is armed exactly while the device holds still.
 */
#include "drivers/nic_hw_priv.h"

#define MAC_CONTROL  0x8808u
#define OPCODE_PAUSE 1u
#define PAUSE_FRAME  60u
#define QUANTA_MAX   0xffffu
/* 512 bit times at 1 Gbit/s, which the link is said to have whatever the wire does. */
#define QUANTUM_NS 512u

static const u8 pause_address[6] = { 0x01, 0x80, 0xc2, 0, 0, 0x01 };

static void pause_over(struct world *w, struct event *ev)
{
	struct nic_hw *hw = container_of(ev, struct nic_hw, resume);

	(void)w;
	nic_hw_tx_run(hw);
}

void nic_hw_pause_init(struct nic_hw *hw)
{
	event_init(&hw->resume, pause_over);
}

void nic_hw_pause_reset(struct nic_hw *hw)
{
	hw->pausec = 0;
	hw->xoff = false;
	hw->pause_pending = false;
	event_cancel(hw->world, &hw->resume);
}

bool nic_hw_paused(const struct nic_hw *hw)
{
	return event_armed(&hw->resume);
}

bool nic_hw_pause_receive(struct nic_hw *hw, const u8 *frame, u32 len)
{
	u64 quanta;

	if (len < 18 || get_be16(frame + 12) != MAC_CONTROL || hw->vnet)
		return false;
	hw->stats.rx_pause++;
	if (!(hw->pausec & PAUSE_RX) || memcmp(frame, pause_address, 6) != 0 ||
	    get_be16(frame + 14) != OPCODE_PAUSE)
		return true;
	quanta = get_be16(frame + 16);
	event_cancel(hw->world, &hw->resume);
	if (quanta)
		event_arm(hw->world, &hw->resume, hw->world->now + quanta * QUANTUM_NS, EVENT_WIRE);
	else
		nic_hw_tx_run(hw);
	return true;
}

/* XOFF below a quarter of the ring, XON above half of it. */
void nic_hw_pause_level(struct nic_hw *hw, const struct nic_hw_ring *r)
{
	u32 left = ring_owned(r);

	if (hw->xoff ? left <= r->len / 2 : left >= r->len / 4)
		return;
	hw->xoff = !hw->xoff;
	hw->pause_quanta = hw->xoff ? QUANTA_MAX : 0;
	hw->pause_pending = true;
	nic_hw_tx_run(hw);
}

struct wire_frame *nic_hw_pause_frame(struct nic_hw *hw)
{
	struct wire_frame *f;
	u8 *p;

	hw->pause_pending = false;
	f = nic_link(hw) && !hw->loopback ? wire_frame_get(hw->wire, PAUSE_FRAME) : NULL;
	if (!f)
		return NULL;
	p = wire_frame_bytes(f);
	memset(p, 0, PAUSE_FRAME);
	memcpy(p, pause_address, 6);
	memcpy(p + 6, hw->addr, 6);
	put_be16(p + 12, MAC_CONTROL);
	put_be16(p + 14, OPCODE_PAUSE);
	put_be16(p + 16, hw->pause_quanta);
	hw->stats.tx_pause++;
	return f;
}
