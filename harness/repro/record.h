/* SPDX-License-Identifier: MIT */
/*
 * The record of a run, kept in a file so that it survives the run's crash: what the child process
 * writes, the parent reads.
 */
#ifndef TAPLINE_REPRO_RECORD_H
#define TAPLINE_REPRO_RECORD_H

#include <stdio.h>

#include "base/strbuf.h"
#include "repro/repro.h"

enum record_kind { RECORD_NONE, RECORD_OP, RECORD_FRAME, RECORD_HOOK, RECORD_END };

struct run_record {
	enum record_kind kind;
	u64 now, events;
	struct op op; /* points into the reader's buffer */
	u32 dir; /* of a frame */
	const u8 *bytes;
	u32 len;
	u32 id, verdict; /* of a hook */
	u64 digest;
};

/* A recorder that writes to `f`. */
struct repro_recorder record_writer(FILE *f);

/* Reads the next; false at the end, or where the writer was stopped in the middle of one. */
bool record_read(FILE *f, struct strbuf *buffer, struct run_record *r);

#endif
