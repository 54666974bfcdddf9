/* SPDX-License-Identifier: MIT */
/*
 * A comment for each frame of a pcapng file: which host and CPU sent it, which took it, and what
 * became of it there: delivered, forwarded, dropped and why, refused by the device, lost on the
 * wire.
 *
 * It is put together from trace records. A frame is held until its end is known (or too many are
 * held, or the file ends), so that the file keeps the order in which frames entered the wires.
 * Trace records name packets of the stack, not frames: a packet is taken for the oldest frame on
 * the way to that device that has its length.
 */
#ifndef TAPLINE_CAPTURE_ANNOTATE_H
#define TAPLINE_CAPTURE_ANNOTATE_H

#include "capture/capture.h"
#include "stack/trace.h"

struct annotator;

struct annotator *annotator_new(void);

/* Where frames are written; before the first of them. */
void annotator_writer(struct annotator *a, struct capture_writer *w);

/* The trace events that it has to see (a mask for world_trace()). */
u64 annotator_events(void);

/* An end of a wire belongs to a host's device. */
void annotator_attach(struct annotator *a, u32 wire, u32 end, u32 host, u32 ifindex);

/* Frames on that wire begin with the IP header. */
void annotator_raw(struct annotator *a, u32 wire);

/* A frame entered a wire at that end. Copied; its comment is made here. */
void annotator_frame(struct annotator *a, u32 wire, u32 end, const struct capture_frame *f);

void annotator_trace(struct annotator *a, const struct trace_record *rec);

/* Writes what is held, and ends; the writer stays the caller's. NULL is allowed. */
void annotator_finish(struct annotator *a);

#endif
