/* SPDX-License-Identifier: MIT */
/*
 * Recording: a script is run for its calls and inbound packets alone, and written again with what
 * the host did in the place of what the script expected. `tapline convert --record x.pkt`.
 */
#ifndef TAPLINE_PACKETDRILL_RECORD_H
#define TAPLINE_PACKETDRILL_RECORD_H

#include "base/strbuf.h"
#include "packetdrill/script.h"

struct pd_call;
struct pd_frame;
struct pd_recorder;
struct pd_run;

/* With `info`, %{ }% blocks assert fields of TCP_INFO between the events. */
struct pd_recorder *pd_recorder_new(bool info);
void pd_recorder_free(struct pd_recorder *rec);

/* What the run tells: an event is waited for. */
void pd_record_event(struct pd_run *r, const struct pd_event *e);
/* It has happened. */
void pd_record_done(struct pd_run *r);
/* That was the last one. */
void pd_record_end(struct pd_run *r);
/* A frame of the host. */
void pd_record_frame(struct pd_run *r, const struct pd_frame *frame);
/* A call has ended. */
void pd_record_result(struct pd_run *r, const struct pd_call *c);
/*
 * So many arguments from `first` on, which the call has filled, are this. True when the run is a
 * recording: then nothing is to be held against the script.
 */
bool pd_record_arguments(struct pd_run *r, const struct pd_event *e, size_t first, size_t count,
			 const char *text);

/* The script, as far as it came. `text`: the one that was run, for its options and comments. */
void pd_recorder_write(const struct pd_recorder *rec, const struct pd_script *script,
		       const char *text, struct strbuf *out);

#endif
