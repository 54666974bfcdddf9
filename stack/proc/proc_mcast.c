/* SPDX-License-Identifier: MIT */
/*
 * Views of multicast: the groups that interfaces listen to (/proc/net/igmp: net/ipv4/igmp.c), the
 * hardware addresses that devices let through for them (/proc/net/dev_mcast:
 * net/core/net-procfs.c), and both as `ip maddr` prints them.
 */
#include "core/netdevice.h"
#include "ipv4/igmp.h"
#include "proc/seq_file.h"

#define CLOCK_TICK_NS (NSEC_PER_SEC / 100) /* of USER_HZ */

/* ---- groups ---- */

static const struct ip_mc_list *groups_of(const struct net_device *dev)
{
	return in_dev_get(dev) ? in_dev_get(dev)->mc_list : NULL;
}

static void igmp_interface(struct seq_file *m, const struct in_device *in_dev)
{
	u32 groups = 0;

	for (const struct ip_mc_list *im = in_dev->mc_list; im; im = im->next)
		groups++;
	seq_u64(m, in_dev->dev->ifindex, 0);
	seq_putc(m, '\t');
	seq_str_left(m, in_dev->dev->name, 10);
	seq_puts(m, ": ");
	seq_u64(m, groups, 5);
	seq_puts(m, "      V");
	seq_u64(m, igmp_version(in_dev), 0);
	seq_line(m);
}

static void igmp_group(struct seq_file *m, const struct net *net, const struct ip_mc_list *im)
{
	bool runs = timer_pending(&im->timer);

	seq_puts(m, "\t\t\t\t");
	seq_addr(m, im->multiaddr);
	seq_putc(m, ' ');
	seq_u64(m, im->users, 5);
	seq_puts(m, runs ? " 1:" : " 0:");
	seq_hex(m, runs ? (im->timer.event.time - net_world(net)->now) / CLOCK_TICK_NS : 0, 8,
		true);
	seq_puts(m, "\t\t");
	seq_u64(m, im->reporter, 0);
	seq_line(m);
}

void proc_net_igmp(struct seq_file *m, const struct net *net)
{
	seq_puts(m, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter");
	seq_line(m);
	list_for_each(d, &net->dev_base) {
		const struct net_device *dev = list_entry(d, struct net_device, dev_list);

		if (groups_of(dev))
			igmp_interface(m, in_dev_get(dev));
		for (const struct ip_mc_list *im = groups_of(dev); im; im = im->next)
			igmp_group(m, net, im);
	}
}

/* ---- hardware addresses ---- */

static void dev_mcast(struct seq_file *m, const struct net_device *dev, const struct dev_mc *mc)
{
	seq_u64(m, dev->ifindex, 0);
	seq_pad(m, 5);
	seq_str_left(m, dev->name, 15);
	seq_putc(m, ' ');
	seq_u64(m, mc->refs, 0);
	seq_pad(m, 27);
	seq_puts(m, "0     "); /* dev_mc_add_global(): nothing here does */
	for (u32 i = 0; i < ETH_ALEN; i++)
		seq_hex(m, mc->addr[i], 2, false);
	seq_line(m);
}

void proc_net_dev_mcast(struct seq_file *m, const struct net *net)
{
	list_for_each(d, &net->dev_base) {
		const struct net_device *dev = list_entry(d, struct net_device, dev_list);

		list_for_each(e, &dev->mc_list)
			dev_mcast(m, dev, list_entry(e, struct dev_mc, list));
	}
}

/* ---- ip maddr ---- */

static void maddr_users(struct seq_file *m, u32 users)
{
	if (users != 1) {
		seq_puts(m, " users ");
		seq_u64(m, users, 0);
	}
	seq_line(m);
}

static void maddr_dev(struct seq_file *m, const struct net_device *dev)
{
	if (list_empty(&dev->mc_list) && !groups_of(dev))
		return;
	seq_u64(m, dev->ifindex, 0);
	seq_puts(m, ":\t");
	seq_puts(m, dev->name);
	seq_line(m);
	list_for_each(e, &dev->mc_list) {
		const struct dev_mc *mc = list_entry(e, struct dev_mc, list);

		seq_puts(m, "\tlink  ");
		seq_mac(m, mc->addr);
		maddr_users(m, mc->refs);
	}
	for (const struct ip_mc_list *im = groups_of(dev); im; im = im->next) {
		seq_puts(m, "\tinet  ");
		seq_ip4(m, im->multiaddr);
		maddr_users(m, im->users);
	}
}

void cmd_ip_maddr(struct seq_file *m, const struct net *net)
{
	list_for_each(d, &net->dev_base)
		maddr_dev(m, list_entry(d, struct net_device, dev_list));
}
