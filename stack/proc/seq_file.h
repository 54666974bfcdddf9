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

/* The views; each writes the whole of one. */
void proc_net_snmp(struct seq_file *m, const struct net *net);
void proc_net_netstat(struct seq_file *m, const struct net *net);
void proc_net_dev(struct seq_file *m, const struct net *net);
void proc_net_arp(struct seq_file *m, const struct net *net);
void proc_net_route(struct seq_file *m, const struct net *net);
void proc_net_tcp(struct seq_file *m, const struct net *net);
void proc_net_udp(struct seq_file *m, const struct net *net);
void proc_net_sockstat(struct seq_file *m, const struct net *net);
void proc_net_tcp6(struct seq_file *m, const struct net *net);
void proc_net_softnet_stat(struct seq_file *m, const struct net *net);
void proc_net_ptype(struct seq_file *m, const struct net *net);
void proc_interrupts(struct seq_file *m, const struct net *net);
void proc_softirqs(struct seq_file *m, const struct net *net);

#endif
