/* SPDX-License-Identifier: MIT */
/*
 * What ethtool(8) prints of a device: `ethtool DEV`, -i, -S, -g, -l, -k, -c, -a, -x, in its
 * formats. What a device has not, is "n/a" or "off [fixed]".
 */
#include "core/netdevice.h"
#include "drivers/nic_driver.h"
#include "lib/str.h"
#include "proc/seq_file.h"
#include "stack/nic.h"

static bool get(const struct net_device *dev, u32 param, u32 index, u64 *value)
{
	return dev->netdev_ops->ndo_nic_get &&
	       dev->netdev_ops->ndo_nic_get(dev, param, index, value) == 0;
}

static void head(struct seq_file *m, const char *what, const struct net_device *dev)
{
	seq_puts(m, what);
	seq_puts(m, dev->name);
	seq_puts(m, ":\n");
}

/* A name, tabs, a number or n/a. */
static void row(struct seq_file *m, const char *name, bool have, u64 value)
{
	seq_puts(m, name);
	if (have)
		seq_u64(m, value, 1);
	else
		seq_puts(m, "n/a");
	seq_line(m);
}

static void on_off(struct seq_file *m, const char *name, bool have, u64 value)
{
	seq_puts(m, name);
	seq_puts(m, value ? "on" : "off");
	seq_puts(m, have ? "\n" : " [fixed]\n");
}

static bool unsupported(struct seq_file *m)
{
	seq_puts(m, "netlink error: Operation not supported\n");
	return true;
}

static bool show_settings(struct seq_file *m, const struct net_device *dev)
{
	head(m, "Settings for ", dev);
	seq_puts(m, dev->carrier && netif_running(dev) ? "\tLink detected: yes\n" :
							 "\tLink detected: no\n");
	return true;
}

static bool show_driver(struct seq_file *m, const struct net_device *dev)
{
	if (!dev->netdev_ops->driver)
		return unsupported(m);
	seq_puts(m, "driver: ");
	seq_puts(m, dev->netdev_ops->driver);
	seq_puts(m, "\nversion: \nfirmware-version: \nexpansion-rom-version: \nbus-info: \n");
	seq_puts(m, dev->netdev_ops->ndo_ethtool_stats ? "supports-statistics: yes\n" :
							 "supports-statistics: no\n");
	seq_puts(m, "supports-test: no\nsupports-eeprom-access: no\nsupports-register-dump: no\n"
		    "supports-priv-flags: no\n");
	return true;
}

static void stat_row(void *ctx, const char *name, u64 value)
{
	struct seq_file *m = ctx;

	seq_puts(m, "     ");
	seq_puts(m, name);
	seq_puts(m, ": ");
	seq_u64(m, value, 1);
	seq_line(m);
}

static bool show_stats(struct seq_file *m, const struct net_device *dev)
{
	if (!dev->netdev_ops->ndo_ethtool_stats) {
		seq_puts(m, "no stats available\n");
		return true;
	}
	seq_puts(m, "NIC statistics:\n");
	dev->netdev_ops->ndo_ethtool_stats(dev, stat_row, m);
	return true;
}

static bool show_rings(struct seq_file *m, const struct net_device *dev)
{
	u64 rx, tx;

	if (!get(dev, NIC_PARAM_RX_RING, 0, &rx) || !get(dev, NIC_PARAM_TX_RING, 0, &tx))
		return unsupported(m);
	head(m, "Ring parameters for ", dev);
	seq_puts(m, "Pre-set maximums:\n");
	row(m, "RX:\t\t\t", true, NIC_RING_MAX);
	seq_puts(m, "RX Mini:\t\tn/a\nRX Jumbo:\t\tn/a\n");
	row(m, "TX:\t\t\t", true, NIC_RING_MAX);
	seq_puts(m, "TX push buff len:\tn/a\nCurrent hardware settings:\n");
	row(m, "RX:\t\t\t", true, rx);
	seq_puts(m, "RX Mini:\t\tn/a\nRX Jumbo:\t\tn/a\n");
	row(m, "TX:\t\t\t", true, tx);
	seq_puts(m, "RX Buf Len:\t\tn/a\nCQE Size:\t\tn/a\nTX Push:\toff\nRX Push:\toff\n"
		    "TX push buff len:\tn/a\nTCP data split:\tn/a\n");
	return true;
}

static bool show_channels(struct seq_file *m, const struct net_device *dev)
{
	static const char none[] = "RX:\t\tn/a\nTX:\t\tn/a\nOther:\t\tn/a\n";
	u64 n;

	if (!get(dev, NIC_PARAM_CHANNELS, 0, &n))
		return unsupported(m);
	head(m, "Channel parameters for ", dev);
	seq_puts(m, "Pre-set maximums:\n");
	seq_puts(m, none);
	row(m, "Combined:\t", true, dev->num_rx_queues);
	seq_puts(m, "Current hardware settings:\n");
	seq_puts(m, none);
	row(m, "Combined:\t", true, n);
	return true;
}

static void feature(struct seq_file *m, const struct net_device *dev, const char *name, u32 bit,
		    u32 param)
{
	u64 have;

	on_off(m, name, get(dev, param, 0, &have), dev->features & bit);
}

static bool show_features(struct seq_file *m, const struct net_device *dev)
{
	u64 loopback = 0;
	bool have;

	head(m, "Features for ", dev);
	feature(m, dev, "rx-checksumming: ", NETIF_F_RXCSUM, NIC_PARAM_RX_CSUM);
	feature(m, dev, "tx-checksumming: ", NETIF_F_HW_CSUM, NIC_PARAM_TX_CSUM);
	feature(m, dev, "\ttx-checksum-ip-generic: ", NETIF_F_HW_CSUM, NIC_PARAM_TX_CSUM);
	feature(m, dev, "scatter-gather: ", NETIF_F_SG, NIC_PARAM_SG);
	feature(m, dev, "\ttx-scatter-gather: ", NETIF_F_SG, NIC_PARAM_SG);
	on_off(m, "\ttx-scatter-gather-fraglist: ", false, dev->features & NETIF_F_FRAGLIST);
	feature(m, dev, "tcp-segmentation-offload: ", NETIF_F_TSO, NIC_PARAM_TSO);
	feature(m, dev, "\ttx-tcp-segmentation: ", NETIF_F_TSO, NIC_PARAM_TSO);
	on_off(m, "generic-segmentation-offload: ", false, 1);
	feature(m, dev, "generic-receive-offload: ", NETIF_F_GRO, NIC_PARAM_GRO);
	feature(m, dev, "large-receive-offload: ", NETIF_F_LRO, NIC_PARAM_LRO);
	feature(m, dev, "rx-vlan-offload: ", NETIF_F_HW_VLAN_CTAG_RX, NIC_PARAM_RX_VLAN);
	feature(m, dev, "tx-vlan-offload: ", NETIF_F_HW_VLAN_CTAG_TX, NIC_PARAM_TX_VLAN);
	on_off(m, "receive-hashing: ", false, dev->num_rx_queues > 1);
	feature(m, dev, "rx-vlan-filter: ", NETIF_F_HW_VLAN_CTAG_FILTER, NIC_PARAM_RX_VLAN_FILTER);
	feature(m, dev, "tx-udp-segmentation: ", NETIF_F_GSO_UDP_L4, NIC_PARAM_USO);
	feature(m, dev, "rx-gro-list: ", NETIF_F_GRO_FRAGLIST, NIC_PARAM_GRO_LIST);
	feature(m, dev, "rx-udp-gro-forwarding: ", NETIF_F_GRO_UDP_FWD, NIC_PARAM_GRO_UDP_FWD);
	have = get(dev, NIC_PARAM_LOOPBACK, 0, &loopback);
	on_off(m, "loopback: ", have, loopback);
	return true;
}

static bool show_coalesce(struct seq_file *m, const struct net_device *dev)
{
	u64 usecs, adaptive;

	if (!get(dev, NIC_PARAM_RX_USECS, 0, &usecs) ||
	    !get(dev, NIC_PARAM_ADAPTIVE_RX, 0, &adaptive))
		return unsupported(m);
	head(m, "Coalesce parameters for ", dev);
	seq_puts(m, adaptive ? "Adaptive RX: on  TX: n/a\n" : "Adaptive RX: off  TX: n/a\n");
	seq_puts(m, "stats-block-usecs:\tn/a\nsample-interval:\tn/a\n"
		    "pkt-rate-low:\t\tn/a\npkt-rate-high:\t\tn/a\n\n");
	row(m, "rx-usecs:\t", true, usecs);
	seq_puts(m, "rx-frames:\tn/a\nrx-usecs-irq:\tn/a\nrx-frames-irq:\tn/a\n\n"
		    "tx-usecs:\tn/a\ntx-frames:\tn/a\ntx-usecs-irq:\tn/a\ntx-frames-irq:\tn/a\n\n");
	return true;
}

static bool show_pause(struct seq_file *m, const struct net_device *dev)
{
	u64 rx, tx;

	if (!get(dev, NIC_PARAM_RX_PAUSE, 0, &rx) || !get(dev, NIC_PARAM_TX_PAUSE, 0, &tx))
		return unsupported(m);
	head(m, "Pause parameters for ", dev);
	seq_puts(m, "Autonegotiate:\toff\n");
	seq_puts(m, rx ? "RX:\t\ton\n" : "RX:\t\toff\n");
	seq_puts(m, tx ? "TX:\t\ton\n" : "TX:\t\toff\n");
	return true;
}

static bool show_rss(struct seq_file *m, const struct net_device *dev)
{
	u64 v, channels;

	if (!get(dev, NIC_PARAM_RSS_INDIR, 0, &v) || !get(dev, NIC_PARAM_CHANNELS, 0, &channels))
		return unsupported(m);
	seq_puts(m, "RX flow hash indirection table for ");
	seq_puts(m, dev->name);
	seq_puts(m, " with ");
	seq_u64(m, channels, 1);
	seq_puts(m, " RX ring(s):\n");
	for (u32 i = 0; get(dev, NIC_PARAM_RSS_INDIR, i, &v); i++) {
		if (i % 8 == 0) {
			seq_u64(m, i, 5);
			seq_puts(m, ": ");
		}
		seq_putc(m, ' ');
		seq_u64(m, v, 5);
		if (i % 8 == 7)
			seq_line(m);
	}
	seq_puts(m, "RSS hash key:\n");
	for (u32 i = 0; get(dev, NIC_PARAM_RSS_KEY, i, &v); i++)
		for (s32 shift = 56; shift >= 0; shift -= 8) {
			if (i || shift < 56)
				seq_putc(m, ':');
			seq_hex(m, v >> shift & 0xff, 2, false);
		}
	seq_puts(m, "\nRSS hash function:\n    toeplitz: on\n    xor: off\n    crc32: off\n");
	if (get(dev, NIC_PARAM_RSS_SYM_XOR, 0, &v))
		seq_puts(m, v ? "RSS input transformation:\n    symmetric-xor: on\n" :
				"RSS input transformation:\n    symmetric-xor: off\n");
	return true;
}

static bool show_tstamp(struct seq_file *m, const struct net_device *dev)
{
	u64 v;
	bool hw = get(dev, NIC_PARAM_TX_TSTAMP, 0, &v);

	head(m, "Time stamping parameters for ", dev);
	seq_puts(m, "Capabilities:\n");
	if (hw)
		seq_puts(m, "\thardware-transmit\n");
	seq_puts(m, "\tsoftware-transmit\n");
	if (hw)
		seq_puts(m, "\thardware-receive\n");
	seq_puts(m, "\tsoftware-receive\n\tsoftware-system-clock\n");
	if (hw)
		seq_puts(m, "\thardware-raw-clock\n");
	seq_puts(m, "PTP Hardware Clock: none\n");
	seq_puts(m, hw ? "Hardware Transmit Timestamp Modes:\n\toff\n\ton\n" :
			 "Hardware Transmit Timestamp Modes: none\n");
	seq_puts(m, hw ? "Hardware Receive Filter Modes:\n\tnone\n\tall\n" :
			 "Hardware Receive Filter Modes: none\n");
	return true;
}

static const struct {
	const char *option;
	bool (*show)(struct seq_file *m, const struct net_device *dev);
} commands[] = {
	{ "-i ", show_driver },	  { "-S ", show_stats },    { "-g ", show_rings },
	{ "-l ", show_channels }, { "-k ", show_features }, { "-c ", show_coalesce },
	{ "-a ", show_pause },	  { "-x ", show_rss },	    { "-T ", show_tstamp },
	{ "", show_settings },
};

bool cmd_ethtool(struct seq_file *m, const struct net *net, const char *argument)
{
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
		const char *name = str_after(argument, commands[i].option);
		const struct net_device *dev;

		if (!name)
			continue;
		if (name[0] == '-')
			return false;
		dev = dev_get_by_name(net, name);
		if (dev)
			return commands[i].show(m, dev);
		seq_puts(m, "netlink error: No such device\n");
		return true;
	}
	return false;
}
