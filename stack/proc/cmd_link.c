/* SPDX-License-Identifier: MIT */
/*
 * What `ip link`, `ip -s link`, `ip -d link` and `ip addr` of iproute2 print: every device of a
 * namespace with its flags, state, statistics and addresses. (ip/ipaddress.c of iproute2)
 */
#include "core/dev_link.h"
#include "core/sch_generic.h"
#include "ipv4/devinet.h"
#include "ipv6/ip6_route.h"
#include "lib/str.h"
#include "proc/seq_file.h"

struct link_options {
	bool addr; /* `ip addr` */
	u32 stats; /* how many -s */
	bool details; /* -d */
};

static const struct {
	u32 flag;
	const char *name;
} flag_names[] = {
	{ IFF_LOOPBACK, "LOOPBACK" },
	{ IFF_BROADCAST, "BROADCAST" },
	{ IFF_POINTOPOINT, "POINTOPOINT" },
	{ IFF_MULTICAST, "MULTICAST" },
	{ IFF_NOARP, "NOARP" },
	{ IFF_ALLMULTI, "ALLMULTI" },
	{ IFF_PROMISC, "PROMISC" },
	{ IFF_UP, "UP" },
};

static struct net_device *link_of(const struct net_device *dev)
{
	return dev->link_ops && dev->link_ops->get_link ? dev->link_ops->get_link(dev) : NULL;
}

/* dev_get_flags(): promiscuous is what a user made so; what packet sockets and bridges want of a
 * device is told by -d. */
static u32 shown_flags(const struct net_device *dev)
{
	u32 flags = dev->flags & ~(IFF_PROMISC | IFF_ALLMULTI);

	if (dev->promisc_user)
		flags |= IFF_PROMISC;
	if (dev->allmulti_user)
		flags |= IFF_ALLMULTI;
	return flags;
}

static void put_flags(struct seq_file *m, const struct net_device *dev)
{
	u32 flags = shown_flags(dev);
	const struct net_device *link = link_of(dev);
	const char *comma = "";

	seq_puts(m, " <");
	if (netif_running(dev) && !dev->carrier) {
		seq_puts(m, "NO-CARRIER");
		comma = ",";
	}
	for (u32 i = 0; i < ARRAY_SIZE(flag_names); i++) {
		if (!(flags & flag_names[i].flag))
			continue;
		seq_puts(m, comma);
		seq_puts(m, flag_names[i].name);
		comma = ",";
	}
	if (dev->carrier && netif_running(dev)) {
		seq_puts(m, comma);
		seq_puts(m, "LOWER_UP");
		comma = ",";
	}
	if (link && link->net == dev->net && !netif_running(link)) {
		seq_puts(m, comma);
		seq_puts(m, "M-DOWN");
	}
	seq_putc(m, '>');
}

/* The kernel knows of a device without a carrier of its own only that it is there (RFC 2863). */
static const char *operstate(const struct net_device *dev)
{
	if (!netif_running(dev))
		return "DOWN";
	if (dev->flags & IFF_LOOPBACK || dev->type == ARPHRD_NONE ||
	    (dev->link_ops && !dev->link_ops->get_link && !dev->link_ops->add_slave))
		return "UNKNOWN";
	if (dev->carrier)
		return "UP";
	return link_of(dev) ? "LOWERLAYERDOWN" : "DOWN";
}

static const char *qdisc_name(const struct net_device *dev)
{
	if (dev->no_queue)
		return "noqueue";
	return dev->qdisc ? dev->qdisc->ops->id : "noop";
}

static void put_name(struct seq_file *m, const struct net_device *dev)
{
	const struct net_device *link = link_of(dev);

	seq_u64(m, dev->ifindex, 0);
	seq_puts(m, ": ");
	seq_puts(m, dev->name);
	if (link) {
		seq_putc(m, '@');
		if (link->net == dev->net) {
			seq_puts(m, link->name);
		} else {
			seq_puts(m, "if");
			seq_u64(m, link->ifindex, 0);
		}
	}
	seq_putc(m, ':');
}

static void put_lladdr(struct seq_file *m, const struct net_device *dev)
{
	const struct net_device *link = link_of(dev);

	if (dev->flags & IFF_LOOPBACK)
		seq_puts(m, "    link/loopback ");
	else if (dev->type == ARPHRD_ETHER)
		seq_puts(m, "    link/ether ");
	else
		seq_puts(m, "    link/none ");
	if (dev->addr_len) {
		seq_mac(m, dev->dev_addr);
		seq_puts(m, " brd ");
		seq_mac(m, dev->broadcast);
	}
	if (link && link->net != dev->net) {
		seq_puts(m, " link-netnsid ");
		seq_u64(m, link->net->id, 0);
	}
}

void put_link_head(struct seq_file *m, const struct net_device *dev)
{
	put_name(m, dev);
	put_flags(m, dev);
}

/* ---- -d ---- */

static void put_setting(void *ctx, const char *name, u64 value)
{
	struct seq_file *m = ctx;

	seq_puts(m, name);
	seq_putc(m, ' ');
	seq_u64(m, value, 0);
	seq_putc(m, ' ');
}

static void put_details(struct seq_file *m, const struct net_device *dev)
{
	seq_puts(m, " promiscuity ");
	seq_u64(m, dev->promiscuity, 0);
	seq_puts(m, "  allmulti ");
	seq_u64(m, dev->allmulti, 0);
	seq_puts(m, " minmtu ");
	seq_u64(m, dev->min_mtu, 0);
	seq_puts(m, " maxmtu ");
	seq_u64(m, dev->max_mtu, 0);
	seq_putc(m, ' ');
	if (dev->link_ops) {
		seq_line(m);
		seq_puts(m, "    ");
		seq_puts(m, dev->link_ops->kind);
		seq_putc(m, ' ');
		if (dev->link_ops->fill_info)
			dev->link_ops->fill_info(dev, put_setting, m);
	}
	if (dev->master && dev->master->link_ops->port_fill_info) {
		seq_line(m);
		seq_puts(m, "    bridge_slave ");
		dev->master->link_ops->port_fill_info(dev, put_setting, m);
	}
	seq_puts(m, "numtxqueues ");
	seq_u64(m, dev->num_tx_queues, 0);
	seq_puts(m, " numrxqueues ");
	seq_u64(m, dev->num_rx_queues, 0);
	seq_puts(m, " gso_max_size ");
	seq_u64(m, dev->gso_max_size, 0);
	seq_puts(m, " gso_max_segs ");
	seq_u64(m, dev->gso_max_segs, 0);
	seq_putc(m, ' ');
}

/* ---- -s ---- */

#define STAT_COLUMNS 6u

static u32 digits(u64 v)
{
	u32 n = 1;

	while (v /= 10)
		n++;
	return n;
}

/* Headings and numbers under each other: what a direction has moved. */
static void put_table(struct seq_file *m, const u32 *width, const char *lead,
		      const char *const *names, const u64 *values)
{
	seq_puts(m, lead);
	for (u32 i = 0; i < STAT_COLUMNS; i++) {
		seq_str_right(m, names[i], i ? width[i] : width[0] - 4);
		seq_putc(m, ' ');
	}
	seq_str_right(m, "", 10);
	seq_line(m);
	seq_puts(m, "    ");
	for (u32 i = 0; i < STAT_COLUMNS; i++) {
		seq_u64(m, values[i], width[i]);
		seq_putc(m, ' ');
	}
	seq_line(m);
}

/* -s -s: what went wrong with it, below the columns behind the first. */
static void put_errors(struct seq_file *m, const u32 *width, const char *lead,
		       const char *const *names, const u64 *values)
{
	seq_puts(m, lead);
	seq_str_right(m, "", width[0] - 10);
	for (u32 i = 1; i < STAT_COLUMNS; i++) {
		seq_putc(m, ' ');
		seq_str_right(m, names[i - 1], width[i]);
	}
	seq_line(m);
	seq_str_right(m, "", width[0] + 5);
	for (u32 i = 1; i < STAT_COLUMNS; i++) {
		seq_u64(m, values[i - 1], width[i]);
		seq_putc(m, ' ');
	}
	seq_line(m);
}

static void put_stats(struct seq_file *m, const struct net_device *dev, u32 level)
{
	static const char *const rx_names[] = { "bytes",   "packets", "errors",
						"dropped", "missed",  "mcast" };
	static const char *const tx_names[] = { "bytes",   "packets", "errors",
						"dropped", "carrier", "collsns" };
	static const char *const rx_errors[] = { "length", "crc", "frame", "fifo", "overrun" };
	static const char *const tx_errors[] = { "aborted", "fifo", "window", "heartbt",
						 "transns" };
	u32 width[STAT_COLUMNS] = { 10, 7, 6, 7, 7, 7 };
	struct net_device_stats s;

	dev_get_stats(dev, &s);
	const u64 rx[] = { s.rx_bytes,	 s.rx_packets,	     s.rx_errors,
			   s.rx_dropped, s.rx_missed_errors, s.multicast };
	const u64 tx[] = { s.tx_bytes,	 s.tx_packets,	      s.tx_errors,
			   s.tx_dropped, s.tx_carrier_errors, 0 };
	const u64 rxe[] = { s.rx_length_errors, s.rx_crc_errors, 0, 0, s.rx_over_errors };
	const u64 txe[] = { 0, s.tx_fifo_errors, 0, 0, dev->carrier_changes };

	for (u32 i = 0; i < STAT_COLUMNS; i++)
		width[i] = max_u32(width[i], max_u32(digits(rx[i]), digits(tx[i])));
	put_table(m, width, "    RX: ", rx_names, rx);
	if (level > 1)
		put_errors(m, width, "    RX errors:", rx_errors, rxe);
	put_table(m, width, "    TX: ", tx_names, tx);
	if (level > 1)
		put_errors(m, width, "    TX errors:", tx_errors, txe);
}

/* ---- addresses ---- */

static const char *scope_name(u32 scope)
{
	switch (scope) {
	case RT_SCOPE_UNIVERSE:
		return "global";
	case RT_SCOPE_LINK:
		return "link";
	case RT_SCOPE_HOST:
		return "host";
	default:
		return "site";
	}
}

static void put_inet(struct seq_file *m, const struct net_device *dev)
{
	const struct in_ifaddr *ifa = dev->ip_ptr ? dev->ip_ptr->ifa_list : NULL;

	for (; ifa; ifa = ifa->next) {
		seq_puts(m, "    inet ");
		seq_ip4(m, ifa->local);
		seq_putc(m, '/');
		seq_u64(m, ifa->prefixlen, 0);
		if (ifa->broadcast) {
			seq_puts(m, " brd ");
			seq_ip4(m, ifa->broadcast);
		}
		seq_puts(m, " scope ");
		seq_puts(m, scope_name(ifa->scope));
		seq_puts(m, ifa->flags & IFA_F_SECONDARY ? " secondary " : " ");
		seq_puts(m, dev->name);
		seq_line(m);
		seq_puts(m, "       valid_lft forever preferred_lft forever");
		seq_line(m);
	}
}

static void put_inet6(struct seq_file *m, const struct net *net, const struct net_device *dev)
{
	static const struct inet_addr loopback = { { 0, 0, 0, 0 } };
	const struct netns_ipv6 *v6 = net->ipv6;

	if (!v6)
		return;
	list_for_each(pos, &v6->addrs) {
		const struct inet6_ifaddr *ifa = list_entry(pos, struct inet6_ifaddr, list);

		if (ifa->dev != dev)
			continue;
		seq_puts(m, "    inet6 ");
		seq_ip6(m, &ifa->addr);
		seq_putc(m, '/');
		seq_u64(m, ifa->plen, 0);
		seq_puts(m, memcmp(&ifa->addr, &loopback, 12) == 0 ? " scope host " :
								     " scope global ");
		seq_line(m);
		seq_puts(m, "       valid_lft forever preferred_lft forever");
		seq_line(m);
	}
}

static void put_link(struct seq_file *m, const struct net *net, const struct net_device *dev,
		     const struct link_options *o)
{
	put_link_head(m, dev);
	seq_puts(m, " mtu ");
	seq_u64(m, dev->mtu, 0);
	seq_puts(m, " qdisc ");
	seq_puts(m, qdisc_name(dev));
	if (dev->master) {
		seq_puts(m, " master ");
		seq_puts(m, dev->master->name);
	}
	seq_puts(m, " state ");
	seq_puts(m, operstate(dev));
	seq_puts(m, o->addr ? " group default qlen " : " mode DEFAULT group default qlen ");
	seq_u64(m, dev->tx_queue_len, 0);
	seq_line(m);
	put_lladdr(m, dev);
	if (o->details)
		put_details(m, dev);
	seq_line(m);
	if (o->addr) {
		put_inet(m, dev);
		put_inet6(m, net, dev);
	}
	if (o->stats)
		put_stats(m, dev, o->stats);
}

static void put_links(struct seq_file *m, const struct net *net, struct link_options o)
{
	list_for_each(pos, &net->dev_base)
		put_link(m, net, list_entry(pos, struct net_device, dev_list), &o);
}

void cmd_ip_link(struct seq_file *m, const struct net *net)
{
	put_links(m, net, (struct link_options){ .addr = false });
}

bool cmd_ip_link_dev(struct seq_file *m, const struct net *net, const char *argument)
{
	const char *number = str_after(argument, "if");
	const struct net_device *dev = dev_get_by_name(net, argument);
	const struct link_options o = { .addr = false };
	s64 ifindex;

	if (!dev && number && str_to_s64(number, &ifindex) && ifindex > 0 && ifindex <= UINT32_MAX)
		dev = dev_get_by_index(net, (u32)ifindex);
	if (dev) {
		put_link(m, net, dev, &o);
		return true;
	}
	seq_puts(m, "Device \"");
	seq_puts(m, argument);
	seq_puts(m, "\" does not exist.\n");
	return true;
}

void cmd_ip_s_link(struct seq_file *m, const struct net *net)
{
	put_links(m, net, (struct link_options){ .stats = 1 });
}

void cmd_ip_s_s_link(struct seq_file *m, const struct net *net)
{
	put_links(m, net, (struct link_options){ .stats = 2 });
}

void cmd_ip_d_link(struct seq_file *m, const struct net *net)
{
	put_links(m, net, (struct link_options){ .details = true });
}

void cmd_ip_addr(struct seq_file *m, const struct net *net)
{
	put_links(m, net, (struct link_options){ .addr = true });
}

void cmd_ip_s_addr(struct seq_file *m, const struct net *net)
{
	put_links(m, net, (struct link_options){ .addr = true, .stats = 1 });
}

void cmd_ip_s_s_addr(struct seq_file *m, const struct net *net)
{
	put_links(m, net, (struct link_options){ .addr = true, .stats = 2 });
}

void cmd_ip_netns(struct seq_file *m, const struct net *net)
{
	list_for_each(pos, &net->host->nets) {
		const struct net *other = list_entry(pos, struct net, list);

		if (!other->id || other->dying)
			continue;
		seq_puts(m, other->name);
		seq_line(m);
	}
}
