/* SPDX-License-Identifier: MIT */
/* What `tapline replay` prints: its own counts, then the counters of the host. */
#ifndef TAPLINE_REPLAY_REPORT_H
#define TAPLINE_REPLAY_REPORT_H

#include "replay/options.h"

struct world;

/* Of frames; each is described in docs/replay.md. */
struct replay_counts {
	u64 frames, injected, refused, shortened, other_links, own;
	u64 cut, padded, left_out;
	u64 backwards, gaps;
	u64 fixed, renamed;
	u64 sent;
};

/* Prints to standard output. 0, or -1 when that failed. */
int replay_report(const struct world *w, u32 host, const struct replay_counts *counts,
		  const struct replay_options *o);

#endif
