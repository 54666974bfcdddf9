/* SPDX-License-Identifier: MIT */
/* The parts of tc's views: false: the path is none of theirs. */
#ifndef TAPLINE_PROC_PROC_TC_H
#define TAPLINE_PROC_PROC_TC_H

#include "proc/seq_file.h"

/* "tc/class/DEV", "tc/class/stats/DEV". */
bool proc_tc_class(struct seq_file *m, const struct net *net, const char *path);
/* "tc/filter/DEV/PARENT", "tc/filter/stats/DEV/PARENT", PARENT in hexadecimal, 0: the outermost
 * discipline. */
bool proc_tc_filter(struct seq_file *m, const struct net *net, const char *path);

/* Behind "tc/WORD" or "tc/WORD/stats" and a slash: the rest of the path; NULL: it is another. */
const char *tc_view_rest(const char *path, const char *word, bool *stats);

#endif
