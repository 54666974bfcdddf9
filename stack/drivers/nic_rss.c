/* SPDX-License-Identifier: MIT */
/*
 * The driver's side of several queues: how many are in use (`ethtool -L`), how flows are spread
 * over them (`ethtool -X`, -N), and interrupt moderation that follows the traffic (adaptive-rx).
 *
 * Invariant: the redirection table names queues in use only.
 */
#include "drivers/nic_driver.h"

/* Every queue in turn, as after probe. */
static void indir_default(struct nic_adapter *a)
{
	for (u32 i = 0; i < NIC_RETA_SIZE; i++)
		a->indir[i] = (u8)(i % a->queues);
	a->indir_user = false;
}

void nic_rss_init(struct nic_adapter *a)
{
	if (a->max_queues == 1)
		return;
	for (u32 i = 0; i < sizeof(a->rss_key) / 8; i++)
		put_be64(a->rss_key + 8 * i, get_random_u64(a->world, RANDOM_RSS));
	a->rss_udp = true;
	indir_default(a);
}

void nic_rss_configure(struct nic_adapter *a)
{
	if (a->max_queues == 1)
		return;
	for (u32 i = 0; i < sizeof(a->rss_key) / 4; i++)
		nic_hw_write(a->hw, NIC_RSSRK, i, get_be32(a->rss_key + 4 * i));
	for (u32 i = 0; i < NIC_RETA_SIZE; i++)
		nic_hw_write(a->hw, NIC_RETA, i, a->indir[i]);
	nic_hw_write(a->hw, NIC_MRQC, 0,
		     (a->queues > 1 ? MRQC_RSS : 0) | (a->rss_udp ? MRQC_UDP : 0) |
			     (a->rss_sym_xor ? MRQC_SYM_XOR : 0));
}

int nic_set_rss(struct nic_adapter *a, u32 param, u32 index, u64 value)
{
	if (a->max_queues == 1)
		return -EOPNOTSUPP;
	switch (param) {
	case NIC_PARAM_RSS_INDIR:
		if (index >= NIC_RETA_SIZE || value >= a->queues)
			return -EINVAL;
		a->indir[index] = (u8)value;
		a->indir_user = true;
		break;
	case NIC_PARAM_RSS_KEY:
		if (index >= sizeof(a->rss_key) / 8)
			return -EINVAL;
		put_be64(a->rss_key + 8 * index, value);
		break;
	case NIC_PARAM_RSS_SYM_XOR:
		a->rss_sym_xor = value != 0;
		break;
	case NIC_PARAM_RSS_UDP:
		a->rss_udp = value != 0;
		break;
	default:
		return -EOPNOTSUPP;
	}
	nic_rss_configure(a);
	return 0;
}

/* Does a table that the user made name a queue from `count` on? */
static bool indir_needs(const struct nic_adapter *a, u32 count)
{
	for (u32 i = 0; a->indir_user && i < NIC_RETA_SIZE; i++)
		if (a->indir[i] >= count)
			return true;
	return false;
}

int nic_set_channels(struct nic_adapter *a, u64 count)
{
	struct net_device *dev = a->dev;
	bool up = a->up;
	int err = 0;

	if (a->no_ctrl_vq && count > 1)
		return -EOPNOTSUPP;
	if (!count || count > a->max_queues || indir_needs(a, (u32)count))
		return -EINVAL;
	if (count == a->queues)
		return 0;
	if (up)
		nic_down(a);
	/* Packets that wait for a queue that goes are lost, as in Linux. */
	netif_set_real_num_tx_queues(dev, (u32)count);
	a->queues = (u32)count;
	if (!a->indir_user)
		indir_default(a);
	if (up)
		err = nic_up(a);
	if (up && !err)
		nic_wake_queues(a);
	return err;
}

/* ---- adaptive moderation ---- */

/* The classes of igb_update_itr(): few small frames want low latency, bulk wants few interrupts. */
enum { LOWEST_LATENCY, LOW_LATENCY, BULK_LATENCY };
static const u16 class_usecs[] = {
	[LOWEST_LATENCY] = 14, [LOW_LATENCY] = 50, [BULK_LATENCY] = 250
};

static u32 next_class(u32 class, u64 packets, u64 bytes)
{
	u64 average = bytes / packets;

	switch (class) {
	case LOWEST_LATENCY:
		if (average > 8000)
			return BULK_LATENCY;
		return packets < 5 && bytes > 512 ? LOW_LATENCY : class;
	case LOW_LATENCY:
		if (bytes > 10000) {
			if (average > 8000 || packets < 10 || average > 1200)
				return BULK_LATENCY;
			return packets > 35 ? LOWEST_LATENCY : class;
		}
		if (average > 2000)
			return BULK_LATENCY;
		return packets <= 2 && bytes < 512 ? LOWEST_LATENCY : class;
	default:
		if (bytes > 25000)
			return packets > 35 ? LOW_LATENCY : class;
		return bytes < 1500 ? LOW_LATENCY : class;
	}
}

void nic_adapt_itr(struct nic_queue *q)
{
	u64 packets = q->rx_packets - q->itr_packets, bytes = q->rx_bytes - q->itr_bytes;
	u32 class = q->itr_class;

	q->itr_packets = q->rx_packets;
	q->itr_bytes = q->rx_bytes;
	if (!packets)
		return;
	q->itr_class = (u8)next_class(class, packets, bytes);
	if (q->itr_class != class)
		nic_hw_write(q->adapter->hw, NIC_EITR, q->index, class_usecs[q->itr_class]);
}

void nic_write_eitr(struct nic_queue *q)
{
	const struct nic_adapter *a = q->adapter;

	nic_hw_write(a->hw, NIC_EITR, q->index,
		     a->adaptive_rx ? class_usecs[q->itr_class] : a->rx_usecs);
}
