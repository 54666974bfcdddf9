/* SPDX-License-Identifier: MIT */
/* Text of a view (the kernel's seq_file): written into a buffer that may be too small; the whole
 * length is counted all the same. */
#ifndef TAPLINE_PROC_SEQ_FILE_H
#define TAPLINE_PROC_SEQ_FILE_H

#include "netns/net.h"

struct seq_file {
	char *out;
	u32 cap, len;
	u32 line; /* where the present line began, for seq_pad */
};

void seq_putc(struct seq_file *m, char c);
void seq_puts(struct seq_file *m, const char *s);
/* %*llu: at least `width` wide, blanks on the left. */
void seq_u64(struct seq_file *m, u64 v, u32 width);
/* %0*x, or %0*X. */
void seq_hex(struct seq_file *m, u64 v, u32 width, bool upper);
/* Blanks up to column `width` of the present line, at least `least`. */
void seq_pad(struct seq_file *m, u32 width);
/* %*s, %-*s */
void seq_str_right(struct seq_file *m, const char *s, u32 width);
void seq_str_left(struct seq_file *m, const char *s, u32 width);
/* %08X of an IPv4 address, as a little endian machine has it. */
void seq_addr(struct seq_file *m, be32 addr);
void seq_line(struct seq_file *m);
/* 02:00:00:00:00:01; 192.0.2.1; 2001:db8::1 (RFC 5952) */
void seq_mac(struct seq_file *m, const u8 *addr);
void seq_ip4(struct seq_file *m, be32 addr);
struct inet_addr;
void seq_ip6(struct seq_file *m, const struct inet_addr *addr);

/* The views; each writes the whole of one. */
void proc_net_snmp(struct seq_file *m, const struct net *net);
void proc_net_netstat(struct seq_file *m, const struct net *net);
void proc_net_snmp6(struct seq_file *m, const struct net *net);
void proc_net_dev(struct seq_file *m, const struct net *net);
void proc_net_arp(struct seq_file *m, const struct net *net);
void proc_net_stat_arp_cache(struct seq_file *m, const struct net *net);
void proc_net_route(struct seq_file *m, const struct net *net);
void proc_net_tcp(struct seq_file *m, const struct net *net);
void proc_net_udp(struct seq_file *m, const struct net *net);
void proc_net_sockstat(struct seq_file *m, const struct net *net);
void proc_net_sockstat6(struct seq_file *m, const struct net *net);
void proc_net_protocols(struct seq_file *m, const struct net *net);
void proc_net_tcp6(struct seq_file *m, const struct net *net);
void proc_net_softnet_stat(struct seq_file *m, const struct net *net);
void proc_net_ptype(struct seq_file *m, const struct net *net);
void proc_net_igmp(struct seq_file *m, const struct net *net);
void proc_net_dev_mcast(struct seq_file *m, const struct net *net);
void proc_net_packet(struct seq_file *m, const struct net *net);
void proc_interrupts(struct seq_file *m, const struct net *net);
void proc_softirqs(struct seq_file *m, const struct net *net);
/* inet_diag.c: what ss asks for, see there. */
void inet_diag(struct seq_file *m, const struct net *net);
/* Views of traffic control, which have parts in their path. False: it is none of them. */
bool proc_tc(struct seq_file *m, const struct net *net, const char *path);
void proc_net_nf_conntrack(struct seq_file *m, const struct net *net);
void proc_net_stat_nf_conntrack(struct seq_file *m, const struct net *net);

/* What iptables, ip6tables and conntrack(8) print; of a command that fails, or would: why. Always
 * true.
 */
bool cmd_iptables(struct seq_file *m, const struct net *net, const char *argument);
bool cmd_ip6tables(struct seq_file *m, const struct net *net, const char *argument);
bool cmd_conntrack(struct seq_file *m, const struct net *net, const char *argument);

/* What commands print (cmd_*.c). */
struct net_device;
/* "2: eth0: <BROADCAST,UP>", as `ip link` and `bridge link` begin a device. */
void put_link_head(struct seq_file *m, const struct net_device *dev);
void cmd_ip_link(struct seq_file *m, const struct net *net);
/* "eth0", or "if2" by number, as iproute2. */
bool cmd_ip_link_dev(struct seq_file *m, const struct net *net, const char *argument);
void cmd_ip_s_link(struct seq_file *m, const struct net *net);
void cmd_ip_s_s_link(struct seq_file *m, const struct net *net);
void cmd_ip_d_link(struct seq_file *m, const struct net *net);
void cmd_ip_addr(struct seq_file *m, const struct net *net);
void cmd_ip_s_addr(struct seq_file *m, const struct net *net);
void cmd_ip_s_s_addr(struct seq_file *m, const struct net *net);
void cmd_ip_maddr(struct seq_file *m, const struct net *net);
void cmd_ip_netns(struct seq_file *m, const struct net *net);
void cmd_ip_neigh(struct seq_file *m, const struct net *net);
void cmd_ip_s_neigh(struct seq_file *m, const struct net *net);
void cmd_ip_neigh_all(struct seq_file *m, const struct net *net);
void cmd_ip_s_neigh_all(struct seq_file *m, const struct net *net);
void cmd_ip_neigh_proxy(struct seq_file *m, const struct net *net);
void cmd_ip_route(struct seq_file *m, const struct net *net);
void cmd_ip_route_local(struct seq_file *m, const struct net *net);
void cmd_ip_rule(struct seq_file *m, const struct net *net);
bool cmd_ip_route_table(struct seq_file *m, const struct net *net, const char *argument);
/* argument: "192.0.2.9", or "192.0.2.9 from 192.0.2.1". False: no address. */
bool cmd_ip_route_get(struct seq_file *m, const struct net *net, const char *argument);
void cmd_bridge_fdb(struct seq_file *m, const struct net *net);
void cmd_bridge_s_fdb(struct seq_file *m, const struct net *net);
void cmd_bridge_link(struct seq_file *m, const struct net *net);
/* argument: "eth0", "-S eth0", ... False: no such option. */
bool cmd_ethtool(struct seq_file *m, const struct net *net, const char *argument);

#endif
