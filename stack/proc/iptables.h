/* SPDX-License-Identifier: MIT */
/* What the views of rules share: iptables_words.c, iptables_list.c, proc_iptables.c. */
#ifndef TAPLINE_PROC_IPTABLES_H
#define TAPLINE_PROC_IPTABLES_H

#include "nf/xt.h"
#include "proc/seq_file.h"

/* ---- iptables_words.c: what can be given to iptables again ---- */

/* The names of bits, a comma between; `none` when there are none. */
void ipt_bits(struct seq_file *m, const struct xt_name *names, u32 value, const char *none);
void ipt_header_words(struct seq_file *m, const struct xt_spec *s, u16 pf);
/* Leading ones of a mask; 129: they are not all in front. */
u32 ipt_mask_len(const u8 *mask, u32 bytes);
void ipt_iprange(struct seq_file *m, const u8 range[2][16], u16 pf);
void ipt_match_words(struct seq_file *m, const struct xt_match *x, u16 pf);
void ipt_multiport_list(struct seq_file *m, const struct xt_match *x);
void ipt_network(struct seq_file *m, const u8 *addr, const u8 *mask, u16 pf, bool full);
void ipt_number(struct seq_file *m, u64 v);
void ipt_range(struct seq_file *m, u64 from, u64 to);
/* "0x1/0xff", "0x1" */
void ipt_mark(struct seq_file *m, const struct xt_match *x);
/* "0.25000000000" of 2^31. */
void ipt_probability(struct seq_file *m, u32 probability);
/* "3/hour" of what a packet costs in 1/10,000 s. */
void ipt_rate(struct seq_file *m, u32 avg);
const char *ipt_target_name(const struct xt_spec *s, u16 pf);
void ipt_target_words(struct seq_file *m, const struct xt_spec *s, u16 pf);

/* ---- iptables_list.c: -L ---- */

void ipt_list_chain(struct seq_file *m, const struct xt_chain *c, const struct xt_command *cmd);

#endif
