/* SPDX-License-Identifier: MIT */
/*
 * One conversation that becomes one test: the state of its writing, which the parts share. What was
 * written so far stands in `out`; the script's time only grows.
 */
#ifndef TAPLINE_CONVERT_TALK_H
#define TAPLINE_CONVERT_TALK_H

#include "base/strbuf.h"
#include "converse/conversation.h"
#include "convert/drive.h"

#define SECOND_NS     1000000000ull
#define GAP_MAX_NS    (3600 * SECOND_NS)
#define AFTERWARDS_NS 1234500000 /* what the host sends in the end; no time-out of its own */
#define ROUND_TRIP_NS 10000 /* more than there and back takes on a wire of 1 us */

enum talk_mode {
	TALK_CAPTURE, /* what the capture's host sent is expected */
	TALK_DRIVE, /* nothing is: what our stack sends is printed */
	TALK_RECORDED, /* that is expected, with remarks where the capture has other things */
};

struct talk {
	enum talk_mode mode;
	const struct heard *heard;
	size_t heard_count, heard_next;
	u32 live_isn; /* of our host, from its SYN */
	u64 delivered; /* bytes that the application had in the end */
	bool other_bytes; /* and they are not the capture's */
	u64 reached; /* the test's time by what it has expected so far */
	struct strbuf pending; /* what the capture's host sent since: texts, one a line */
	size_t differ; /* segments that the capture has not */
	struct strbuf *out;
	const struct conversation *c;
	u32 host; /* its side */
	bool passive; /* the host listens */
	bool raw; /* no link layer */
	bool refused; /* it has no socket there */
	bool connected; /* the script has the connection's socket */
	bool closed; /* and has ended it */
	u64 written; /* of the host's stream */
	u32 host_ts; /* origin of its time stamps */
	u64 now; /* the script's time, from its beginning */
};

static inline const struct cv_stream *talk_host_stream(const struct talk *w)
{
	return &w->c->stream[w->host];
}

static inline const struct cv_stream *talk_peer_stream(const struct talk *w)
{
	return &w->c->stream[!w->host];
}

/* Without its SYN a side counts from 0: what refuses a connection has no number of its own. */
static inline u32 talk_isn_of(const struct talk *w, u32 side)
{
	return w->c->stream[side].has_syn ? w->c->stream[side].isn : 0;
}

/* ---- talk_segment.c ---- */

/* A segment in quotes, with its options, numbered from the sides' first numbers. */
void talk_put_segment(const struct talk *w, const struct cv_segment *g);
/* The bytes of a segment: a part of the stream's text, or themselves where they are others. */
void talk_put_data(const struct talk *w, const struct cv_segment *g);

/* ---- talk_heard.c ---- */

/* Goes to the time `now` of the capture; before it, a recording's segments up to there. */
void talk_put_at(struct talk *w);

/* ---- talk_app.c ---- */

/* The application has its connection: connect or accept has returned. */
void talk_put_connected(struct talk *w);
/* What the application must have done for the host to send segment i. */
void talk_put_call(struct talk *w, size_t i);
/* The window is closed, and the host's next segment probes it: there is something to be sent. */
void talk_put_call_before_probe(struct talk *w, size_t i);

/* ---- talk_stage.c ---- */

/* IPv4, four bytes, dotted. */
void talk_put_addr(struct strbuf *out, const u8 *a);
/* Host, peer and sockets. */
void talk_put_stage(struct talk *w);
/* A stream as text, from which the segments' bytes are taken. */
void talk_put_stream(struct strbuf *out, const char *name, const struct cv_stream *s);
/* What the application must have read: all, or up to where the capture has everything. */
void talk_put_end(const struct talk *w);
void talk_put_other_end(struct talk *w);

#endif
