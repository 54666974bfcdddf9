/* SPDX-License-Identifier: MIT */
/*
 * The ring NIC's driver: stamps of frames that leave (Linux's igb_ptp.c). The device has room for
 * one: a packet that wants to be stamped while another waits for its stamp goes without
 * (tx_hwtstamp_skipped), and one that never left is given up after 15 s (tx_hwtstamp_timeouts).
 *
 * Invariant: the adapter holds a reference to the packet that waits, the timer runs meanwhile.
 */
#include "core/errqueue.h"
#include "drivers/nic_driver.h"

#define NIC_PTP_TX_TIMEOUT_MS 15000u

static void tstamp_done(struct nic_adapter *a)
{
	consume_skb(a->tx_tstamp_skb);
	a->tx_tstamp_skb = NULL;
	del_timer(&a->tx_tstamp_timer);
	nic_hw_write(a->hw, NIC_TXSTMPL, 0, 0);
}

static void tstamp_timeout(struct timer *t)
{
	struct nic_adapter *a = container_of(t, struct nic_adapter, tx_tstamp_timer);

	a->tx_hwtstamp_timeouts++;
	tstamp_done(a);
}

void nic_tstamp_init(struct nic_adapter *a, struct host *h)
{
	timer_setup(&a->tx_tstamp_timer, host_cpu(h, 0), tstamp_timeout);
}

u8 nic_tstamp_start(struct nic_adapter *a, struct sk_buff *skb)
{
	u8 cmd = 0;

	if (skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP && a->tx_tstamp) {
		if (a->tx_tstamp_skb) {
			a->tx_hwtstamp_skipped++;
		} else {
			a->tx_tstamp_skb = skb_get(skb);
			skb_shinfo(skb)->tx_flags |= SKBTX_IN_PROGRESS;
			mod_timer(&a->tx_tstamp_timer,
				  jiffies(dev_host(a->dev)) + NIC_PTP_TX_TIMEOUT_MS);
			cmd = TXD_TSTAMP;
		}
	}
	skb_tx_timestamp(skb);
	return cmd;
}

void nic_tstamp_irq(struct nic_adapter *a)
{
	u64 ns = nic_hw_read(a->hw, NIC_TXSTMPL, 0) | (u64)nic_hw_read(a->hw, NIC_TXSTMPH, 0) << 32;
	struct sk_buff *skb = a->tx_tstamp_skb;

	if (!skb)
		return;
	__skb_tstamp_tx(skb, NULL, skb->sk, SCM_TSTAMP_SND, ns);
	tstamp_done(a);
}

void nic_tstamp_stop(struct nic_adapter *a)
{
	if (a->tx_tstamp_skb)
		tstamp_done(a);
}
