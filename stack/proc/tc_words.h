/* SPDX-License-Identifier: MIT */
/* Numbers and lines that all of tc's views share. */
#ifndef TAPLINE_PROC_TC_WORDS_H
#define TAPLINE_PROC_TC_WORDS_H

#include "core/sch_generic.h"
#include "proc/seq_file.h"

/* print_size(), print_rate() (of bytes a second), print_time64() (of ns), a share of 2^32 - 1. */
void seq_size(struct seq_file *m, u64 v);
void seq_rate(struct seq_file *m, u64 bytes);
void seq_time(struct seq_file *m, u64 ns);
void seq_percent(struct seq_file *m, u64 share);
/* The name, blanks and all, and a number. */
void seq_count(struct seq_file *m, const char *name, u64 v);
/* "8001:", with `class` "8001:1", ":1". */
void seq_tc_handle(struct seq_file *m, u32 h, bool class);
/* "Sent ... requeues N" in two lines, the last one not ended. */
void seq_tc_stats(struct seq_file *m, const char *indent, const struct gnet_stats *s);

#endif
