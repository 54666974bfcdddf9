/* SPDX-License-Identifier: MIT */
/*
 * Views of the device layer and of the machine: /proc/net/dev, softnet_stat, ptype,
 * /proc/interrupts, /proc/softirqs, in the kernel's formats (net/core/net-procfs.c, fs/proc/).
 */
#include "core/dev_core.h"
#include "core/packet.h"
#include "lib/str.h"
#include "proc/seq_file.h"

static void dev_line(struct seq_file *m, const struct net_device *dev)
{
	struct net_device_stats stats;
	const struct net_device_stats *s = &stats;

	dev_get_stats(dev, &stats);
	seq_str_right(m, dev->name, 6);
	seq_puts(m, ": ");
	seq_u64(m, s->rx_bytes, 7);
	seq_putc(m, ' ');
	seq_u64(m, s->rx_packets, 7);
	seq_putc(m, ' ');
	seq_u64(m, s->rx_errors, 4);
	seq_putc(m, ' ');
	seq_u64(m, s->rx_dropped + s->rx_missed_errors, 4);
	seq_puts(m, "    0 ");
	seq_u64(m, s->rx_length_errors + s->rx_over_errors + s->rx_crc_errors, 5);
	seq_puts(m, "          0 ");
	seq_u64(m, s->multicast, 9);
	seq_putc(m, ' ');
	seq_u64(m, s->tx_bytes, 8);
	seq_putc(m, ' ');
	seq_u64(m, s->tx_packets, 7);
	seq_putc(m, ' ');
	seq_u64(m, s->tx_errors, 4);
	seq_putc(m, ' ');
	seq_u64(m, s->tx_dropped, 4);
	seq_putc(m, ' ');
	seq_u64(m, s->tx_fifo_errors, 4);
	seq_puts(m, "     0 ");
	seq_u64(m, s->tx_carrier_errors, 7);
	seq_puts(m, "          0");
	seq_line(m);
}

void proc_net_dev(struct seq_file *m, const struct net *net)
{
	seq_puts(m, "Inter-|   Receive                                                |  Transmit\n"
		    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		    "packets errs drop fifo colls carrier compressed\n");
	list_for_each(pos, &net->dev_base)
		dev_line(m, list_entry(pos, struct net_device, dev_list));
}

void proc_net_softnet_stat(struct seq_file *m, const struct net *net)
{
	for (u32 i = 0; i < net->host->cpus_count; i++) {
		const struct softnet_data *sd = net->host->cpus[i]->softnet;
		u32 in = sd->input_pkt_queue.qlen, process = sd->process_queue.qlen;
		const u64 columns[15] = { sd->processed,
					  sd->dropped,
					  sd->time_squeeze,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  sd->received_rps,
					  sd->flow_limit_count,
					  in + process,
					  i,
					  in,
					  process };

		for (u32 c = 0; c < 15; c++) {
			if (c)
				seq_putc(m, ' ');
			seq_hex(m, columns[c] & 0xffffffff, 8, false);
		}
		seq_line(m);
	}
}

static const char *handler_name(u16 type)
{
	switch (type) {
	case ETH_P_IP:
		return "ip_rcv";
	case ETH_P_ARP:
		return "arp_rcv";
	case ETH_P_IPV6:
		return "ipv6_rcv";
	case ETH_P_802_2:
		return "llc_rcv";
	default:
		return "packet_rcv";
	}
}

static void ptype_list(struct seq_file *m, const struct list_head *head)
{
	list_for_each(pos, head) {
		const struct packet_type *pt = list_entry(pos, struct ptype_entry, list)->pt;

		if (pt->type == ETH_P_ALL)
			seq_puts(m, "ALL ");
		else
			seq_hex(m, pt->type, 4, false);
		seq_putc(m, ' ');
		seq_str_left(m, pt->dev ? pt->dev->name : "", 8);
		seq_putc(m, ' ');
		seq_puts(m, pt->af_packet_priv ? "packet_rcv" : handler_name(pt->type));
		seq_line(m);
	}
}

void proc_net_ptype(struct seq_file *m, const struct net *net)
{
	seq_puts(m, "Type Device      Function\n");
	ptype_list(m, &net->ptype_all);
	list_for_each(d, &net->dev_base)
		ptype_list(m, &list_entry(d, struct net_device, dev_list)->ptype_all);
	ptype_list(m, &net->ptype_specific);
	list_for_each(d, &net->dev_base)
		ptype_list(m, &list_entry(d, struct net_device, dev_list)->ptype_specific);
	for (u32 i = 0; i < PTYPE_HASH_SIZE; i++)
		ptype_list(m, &net->host->ptypes->base[i]);
}

void proc_interrupts(struct seq_file *m, const struct net *net)
{
	const struct host *h = net->host;

	seq_puts(m, "    ");
	for (u32 i = 0; i < h->cpus_count; i++) {
		seq_puts(m, "       CPU");
		seq_u64(m, i, 0);
	}
	seq_line(m);
	list_for_each(pos, &h->irqs) {
		const struct irq_desc *irq = list_entry(pos, struct irq_desc, all);

		seq_u64(m, irq->irq, 3);
		seq_putc(m, ':');
		/* The line's count stands under the CPU that serves it now. */
		for (u32 i = 0; i < h->cpus_count; i++) {
			seq_putc(m, ' ');
			seq_u64(m, i == irq->cpu->id ? irq->count : 0, 10);
		}
		seq_puts(m, "   PCI-MSIX  ");
		seq_puts(m, irq->name);
		seq_line(m);
	}
}

void proc_softirqs(struct seq_file *m, const struct net *net)
{
	static const char *const names[NR_SOFTIRQS] = { "HI",	   "TIMER",    "NET_TX",  "NET_RX",
							"BLOCK",   "IRQ_POLL", "TASKLET", "SCHED",
							"HRTIMER", "RCU" };
	const struct host *h = net->host;

	seq_puts(m, "                    ");
	for (u32 i = 0; i < h->cpus_count; i++) {
		seq_puts(m, "CPU");
		seq_u64(m, i, 0);
		for (u32 n = i < 10 ? 1 : 2; n < 8; n++)
			seq_putc(m, ' ');
	}
	seq_line(m);
	for (u32 nr = 0; nr < NR_SOFTIRQS; nr++) {
		seq_str_right(m, names[nr], 12);
		seq_putc(m, ':');
		for (u32 i = 0; i < h->cpus_count; i++) {
			seq_putc(m, ' ');
			seq_u64(m, h->cpus[i]->softirq_count[nr], 10);
		}
		seq_line(m);
	}
}

void proc_net_packet(struct seq_file *m, const struct net *net)
{
	seq_puts(m, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	list_for_each(pos, &net->packet_sklist) {
		const struct packet_info *p = list_entry(pos, struct packet_info, list);
		u32 ifindex = p->ifindex > 0 ? (u32)p->ifindex : 0;

		m->line = m->len;
		seq_puts(m, "0000000000000000 ");
		seq_u64(m, p->sk->refcnt + 1, 0);
		seq_pad(m, 24);
		seq_u64(m, p->sk->sk_type, 0);
		seq_pad(m, 29);
		seq_hex(m, p->num, 4, false);
		seq_puts(m, "   ");
		seq_u64(m, ifindex, 0);
		seq_pad(m, 42);
		seq_putc(m, p->running ? '1' : '0');
		seq_putc(m, ' ');
		seq_u64(m, p->sk->sk_rmem_alloc, 0);
		seq_pad(m, 51);
		seq_puts(m, "0      0     ");
		seq_line(m);
	}
}
