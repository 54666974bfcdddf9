/* SPDX-License-Identifier: MIT */
/* The ring NIC's settings and statistics: OP_NIC_SET (`ethtool -G -C -K`, faults of the board),
 * `ethtool -S`, and what the device counts for `ip -s link`. */
#include "drivers/nic_driver.h"
#include "drivers/virtio.h"

/* Down and up again with other rings; the old size comes back when memory is short. Frames
 * in the rings are lost and counted, as in Linux. */
int nic_set_rings(struct nic_adapter *a, u32 rx, u32 tx)
{
	u32 old_rx = a->rx_count, old_tx = a->tx_count;

	a->rx_count = rx;
	a->tx_count = tx;
	if (!a->up)
		return 0;
	nic_down(a);
	if (nic_up(a) == 0)
		goto wake;
	a->rx_count = old_rx;
	a->tx_count = old_tx;
	if (nic_up(a))
		return -ENOMEM; /* silent until it is taken down and up */
wake:
	nic_wake_queues(a);
	return a->rx_count == rx && a->tx_count == tx ? 0 : -ENOMEM;
}

/* The indices of a split virtqueue count on beyond its size: that must be a power of 2 (2.7). */
bool nic_ring_size_ok(bool virtio, u64 n)
{
	return n >= NIC_RING_MIN && n <= NIC_RING_MAX && !(virtio && n & (n - 1));
}

static int nic_set_ring(struct nic_adapter *a, u64 count, bool rx)
{
	if (!nic_ring_size_ok(a->q[0].model == &virtio_net_model, count))
		return -EINVAL;
	return nic_set_rings(a, rx ? (u32)count : a->rx_count, rx ? a->tx_count : (u32)count);
}

static int nic_set_usecs(struct nic_adapter *a, u64 usecs)
{
	if (usecs > 1000000)
		return -EINVAL;
	a->rx_usecs = (u32)usecs;
	for (u32 i = 0; a->up && i < a->queues; i++)
		nic_write_eitr(&a->q[i]);
	return 0;
}

/* netdev_fix_features(): no segmentation without checksums, of TCP none without gathering. */
static void nic_set_tx(struct nic_adapter *a, bool csum, bool tso, bool uso)
{
	bool sg = a->dev->features & NETIF_F_SG;

	a->tso_wanted = tso;
	a->uso_wanted = uso;
	netdev_set_feature(a->dev, NETIF_F_HW_CSUM, csum);
	netdev_set_feature(a->dev, NETIF_F_TSO, csum && sg && tso);
	netdev_set_feature(a->dev, NETIF_F_GSO_UDP_L4, csum && uso);
}

/* No LRO without checksums (ixgbe_fix_features). */
static int nic_set_rx(struct nic_adapter *a, u32 param, bool on)
{
	struct net_device *dev = a->dev;

	if (param == NIC_PARAM_LRO && a->q[0].model != &nic_ring_model)
		return -EOPNOTSUPP;
	if (param == NIC_PARAM_LRO)
		a->lro_wanted = on;
	else
		netdev_set_feature(dev, NETIF_F_RXCSUM, on);
	nic_hw_write(a->hw, NIC_RXCSUM, 0, (dev->features & NETIF_F_RXCSUM) != 0);
	netdev_set_feature(dev, NETIF_F_LRO, a->lro_wanted && dev->features & NETIF_F_RXCSUM);
	return nic_configure_lro(a);
}

static int nic_set_irq_cpu(struct nic_adapter *a, u32 index, u64 cpu)
{
	if (index >= a->max_queues || cpu >= dev_host(a->dev)->cpus_count)
		return -EINVAL;
	a->q[index].irq_cpu = (u32)cpu;
	if (a->q[index].irq)
		irq_set_affinity(a->q[index].irq, (u32)cpu);
	return 0;
}

/* Without a control queue there is one queue pair, and no filter of VLANs. */
static int nic_set_ctrl_vq(struct nic_adapter *a, bool on)
{
	if (a->q[0].model != &virtio_net_model)
		return -EOPNOTSUPP;
	if (!on && (a->queues > 1 || a->dev->features & NETIF_F_HW_VLAN_CTAG_FILTER))
		return -EBUSY;
	a->no_ctrl_vq = !on;
	vnet_hw_withhold_ctrl(a->hw, !on);
	return nic_set_rings(a, a->rx_count, a->tx_count);
}

int nic_set_param(struct net_device *dev, u32 param, u32 index, u64 value)
{
	struct nic_adapter *a = dev->priv;
	int err;

	if (dev->driver_depth)
		return -EBUSY;
	err = netdev_set_param(dev, param, value);
	if (err != -ENOENT)
		return err;
	switch (param) {
	case NIC_PARAM_RX_RING:
	case NIC_PARAM_TX_RING:
		return nic_set_ring(a, value, param == NIC_PARAM_RX_RING);
	case NIC_PARAM_RX_USECS:
		return nic_set_usecs(a, value);
	case NIC_PARAM_RX_CSUM:
	case NIC_PARAM_LRO:
		return nic_set_rx(a, param, value != 0);
	case NIC_PARAM_TX_CSUM:
		nic_set_tx(a, value != 0, a->tso_wanted, a->uso_wanted);
		return 0;
	case NIC_PARAM_ADAPTIVE_RX:
		a->adaptive_rx = value != 0;
		return nic_set_usecs(a, a->rx_usecs);
	case NIC_PARAM_CHANNELS:
		return nic_set_channels(a, value);
	case NIC_PARAM_RSS_INDIR:
	case NIC_PARAM_RSS_KEY:
	case NIC_PARAM_RSS_SYM_XOR:
	case NIC_PARAM_RSS_UDP:
		return nic_set_rss(a, param, index, value);
	case NIC_PARAM_TSO:
		nic_set_tx(a, dev->features & NETIF_F_HW_CSUM, value != 0, a->uso_wanted);
		return 0;
	case NIC_PARAM_SG:
		netdev_set_feature(dev, NETIF_F_SG, value != 0);
		nic_set_tx(a, dev->features & NETIF_F_HW_CSUM, a->tso_wanted, a->uso_wanted);
		return 0;
	case NIC_PARAM_USO:
		nic_set_tx(a, dev->features & NETIF_F_HW_CSUM, a->tso_wanted, value != 0);
		return 0;
	case NIC_PARAM_VIRTIO_EVENT_IDX:
		if (a->q[0].model != &virtio_net_model)
			return -EOPNOTSUPP;
		a->no_event_idx = !value;
		return nic_set_rings(a, a->rx_count, a->tx_count);
	case NIC_PARAM_RX_VLAN_FILTER:
		return nic_set_vlan_filter(a, value != 0);
	case NIC_PARAM_VIRTIO_CTRL_VQ:
		return nic_set_ctrl_vq(a, value != 0);
	case NIC_PARAM_ANNOUNCE:
		return vnet_hw_announce(a->hw);
	case NIC_PARAM_RESET:
		return nic_set_rings(a, a->rx_count, a->tx_count);
	case NIC_PARAM_DMA_STRICT:
		return nic_set_iommu(a, value != 0);
	case NIC_PARAM_IRQ_CPU:
		return nic_set_irq_cpu(a, index, value);
	case NIC_PARAM_RX_VLAN:
	case NIC_PARAM_TX_VLAN:
	case NIC_PARAM_LOOPBACK:
	case NIC_PARAM_RX_PAUSE:
	case NIC_PARAM_TX_PAUSE:
	case NIC_PARAM_RX_TSTAMP:
	case NIC_PARAM_TX_TSTAMP:
		return nic_set_extra(a, param, value);
	default:
		return nic_hw_fault(a->hw, param, index, value);
	}
}

void nic_get_stats64(const struct net_device *dev, struct net_device_stats *stats)
{
	const struct nic_adapter *a = dev->priv;
	const struct nic_hw_stats *hw = nic_hw_stats(a->hw);

	for (u32 i = 0; i < a->max_queues; i++) {
		stats->rx_packets += a->q[i].rx_packets;
		stats->rx_bytes += a->q[i].rx_bytes;
		stats->tx_packets += a->q[i].tx_packets;
		stats->tx_bytes += a->q[i].tx_bytes;
		stats->rx_length_errors += a->q[i].rx_length_errors;
		stats->rx_errors += a->q[i].rx_length_errors;
	}
	stats->multicast += hw->rx_multicast;
	stats->rx_missed_errors += hw->rx_missed;
	stats->rx_crc_errors += hw->rx_crc_errors;
	stats->rx_length_errors += hw->rx_length_errors;
	stats->rx_errors += hw->rx_crc_errors + hw->rx_length_errors + hw->rx_bad_descriptor;
	stats->tx_carrier_errors += hw->tx_no_link;
	stats->tx_fifo_errors += hw->tx_no_buffer;
	stats->tx_errors += hw->tx_no_link + hw->tx_no_buffer + hw->tx_bad_descriptor;
}

#define QUEUE_STATS(X)      \
	X(rx_packets)       \
	X(rx_bytes)         \
	X(rx_alloc_failed)  \
	X(rx_csum_good)     \
	X(rx_length_errors) \
	X(rx_purged)        \
	X(rx_lro_packets)   \
	X(rx_lro_bytes)     \
	X(tx_packets)       \
	X(tx_bytes)         \
	X(tx_busy)          \
	X(tx_restart)       \
	X(tx_stopped)       \
	X(tx_timeouts)      \
	X(irqs)             \
	X(irqs_spurious)    \
	X(polls)            \
	X(broken)

/* "queue_3_rx_packets" */
static void queue_stat(u32 index, const char *what, u64 value,
		       void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	char name[48] = "queue_";
	u32 n = 6;

	if (index >= 10)
		name[n++] = (char)('0' + index / 10);
	name[n++] = (char)('0' + index % 10);
	name[n++] = '_';
	for (; *what && n + 1 < sizeof(name); what++)
		name[n++] = *what;
	name[n] = 0;
	fn(ctx, name, value);
}

void nic_ethtool_stats(const struct net_device *dev,
		       void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	const struct nic_adapter *a = dev->priv;
	const struct nic_hw_stats *hw = nic_hw_stats(a->hw);

#define X(name) fn(ctx, "hw_" #name, hw->name);
	NIC_HW_STATS(X)
#undef X
	if (a->dma_strict)
		fn(ctx, "dma_faults", a->dma_faults);
	if (a->q[0].model == &nic_ring_model) {
		fn(ctx, "tx_hwtstamp_timeouts", a->tx_hwtstamp_timeouts);
		fn(ctx, "tx_hwtstamp_skipped", a->tx_hwtstamp_skipped);
	}
	if (a->q[0].model == &virtio_net_model) {
		u64 notified, suppressed;

		vnet_hw_counts(a->hw, &notified, &suppressed);
		fn(ctx, "hw_notifications", notified);
		fn(ctx, "hw_interrupts_suppressed", suppressed);
		fn(ctx, "ctrl_commands", a->ctrl_commands);
		fn(ctx, "ctrl_failed", a->ctrl_failed);
	}
	for (u32 i = 0; i < a->queues; i++) {
		const struct nic_queue *q = &a->q[i];

#define X(name) queue_stat(i, #name, q->name, fn, ctx);
		QUEUE_STATS(X)
#undef X
	}
}

int nic_get_param(const struct net_device *dev, u32 param, u32 index, u64 *value)
{
	const struct nic_adapter *a = dev->priv;
	bool ring = a->q[0].model == &nic_ring_model, rss = a->max_queues > 1;

	*value = 0;
	switch (param) {
	case NIC_PARAM_RX_RING:
		*value = a->rx_count;
		return 0;
	case NIC_PARAM_TX_RING:
		*value = a->tx_count;
		return 0;
	case NIC_PARAM_RX_USECS:
		*value = a->rx_usecs;
		return 0;
	case NIC_PARAM_ADAPTIVE_RX:
		*value = a->adaptive_rx;
		return 0;
	case NIC_PARAM_CHANNELS:
		*value = a->queues;
		return 0;
	case NIC_PARAM_RSS_INDIR:
		*value = index < NIC_RETA_SIZE ? a->indir[index] : 0;
		return rss && index < NIC_RETA_SIZE ? 0 : -EOPNOTSUPP;
	case NIC_PARAM_RSS_KEY:
		if (!rss || index >= sizeof(a->rss_key) / 8)
			return -EOPNOTSUPP;
		*value = get_be64(a->rss_key + 8 * index);
		return 0;
	case NIC_PARAM_RSS_SYM_XOR:
		*value = a->rss_sym_xor;
		return rss ? 0 : -EOPNOTSUPP;
	case NIC_PARAM_RX_PAUSE:
		*value = a->rx_pause;
		return ring ? 0 : -EOPNOTSUPP;
	case NIC_PARAM_TX_PAUSE:
		*value = a->tx_pause;
		return ring ? 0 : -EOPNOTSUPP;
	case NIC_PARAM_RX_TSTAMP:
		*value = a->rx_tstamp;
		return ring ? 0 : -EOPNOTSUPP;
	case NIC_PARAM_TX_TSTAMP:
		*value = a->tx_tstamp;
		return ring ? 0 : -EOPNOTSUPP;
	case NIC_PARAM_LOOPBACK:
		*value = a->loopback;
		return ring ? 0 : -EOPNOTSUPP;
	case NIC_PARAM_RX_VLAN:
	case NIC_PARAM_TX_VLAN:
	case NIC_PARAM_LRO:
		return ring ? 0 : -EOPNOTSUPP;
	case NIC_PARAM_RX_VLAN_FILTER:
	case NIC_PARAM_RX_CSUM:
	case NIC_PARAM_TX_CSUM:
	case NIC_PARAM_TSO:
	case NIC_PARAM_SG:
	case NIC_PARAM_USO:
	case NIC_PARAM_GRO:
	case NIC_PARAM_GRO_LIST:
	case NIC_PARAM_GRO_UDP_FWD:
		return 0; /* in dev->features */
	default:
		return -EOPNOTSUPP;
	}
}
