/* SPDX-License-Identifier: MIT */
/*
 * The TCP conversations of a capture: who spoke with whom, every segment of both sides in the
 * order of the capture, and the byte stream that each side sent. Read only once it is made; the
 * replay of a conversation (play.h) works on it.
 *
 * A conversation is the segments between two pairs of address and port; a SYN with another
 * sequence number than the sender's first one begins a new conversation. Only the outermost network
 * layer counts: what is in a tunnel, or quoted by an ICMP error, is somebody else's.
 */
#ifndef TAPLINE_CONVERSE_CONVERSATION_H
#define TAPLINE_CONVERSE_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>

#include "packet/packet.h"
#include "stack/types.h"

struct cv_addr {
	u8 len; /* 4 or 16 */
	u8 bytes[16];
	u16 port;
};

enum { CV_FIN = 1, CV_SYN = 2, CV_RST = 4, CV_PSH = 8, CV_ACK = 16, CV_URG = 32 };
enum { CV_CLIENT = 0, CV_SERVER = 1, CV_SACK_MAX = 4 };

struct cv_segment {
	u64 time_ns;
	u32 side; /* of its sender */
	u32 seq, ack, len;
	u16 flags; /* as in the header: reserved bits too */
	u16 win, urg;
	u8 tos;
	u8 sack_count; /* blocks */
	bool has_ts, has_mss, sack_permitted;
	u8 wscale; /* of a SYN; CV_NO_WSCALE: not offered */
	u16 mss;
	u32 ts_val, ts_ecr;
	u32 sack[2 * CV_SACK_MAX];
	u8 option_len; /* all options, as they are */
	u8 option[40];
	u8 *payload; /* owned; NULL when there is none */
};

#define CV_NO_WSCALE 0xff

/* A run of bytes of a side's stream, from its first segment that has them. */
struct cv_extent {
	u64 off; /* 0: the byte behind the SYN */
	u32 len;
	u32 from; /* the segment that brings them: no earlier have they been sent */
	const u8 *bytes; /* NULL: the capture does not have them, zeros stand in */
};

struct cv_stream {
	u32 isn; /* sequence number of the SYN, or what it must have been */
	bool has_syn; /* the capture has the SYN */
	u32 syn; /* index of that segment */
	struct cv_extent *extent; /* in order, without gaps */
	size_t count;
	u64 len; /* bytes */
	u64 missing; /* of them, those that zeros stand in for */
	bool fin; /* the side ended its stream there */
	bool rst; /* the side reset the connection */
	u64 beyond; /* bytes at places that were given up: behind a hole too large to fill */
};

struct conversation {
	struct cv_addr end[2]; /* of client and server */
	u32 first_seq[2]; /* see conversation_begins_anew() */
	bool spoken[2];
	bool cut; /* bytes were cut off by the snapshot length: zeros stand in */
	const char *unplayable; /* a reason, or NULL */
	struct cv_segment *segment;
	size_t count, room;
	struct cv_stream stream[2]; /* made by conversation_finish() */
};

struct conversations {
	struct conversation **list; /* in the order of their first segments */
	size_t count, room;
	void *by_ends; /* the newest of each pair of ends (tsearch) */
	struct cv_fragments *fragments;
};

/*
 * Adds what a frame carries, if that is TCP. `bytes` begins with an Ethernet header; `cut`: its end
 * was not captured, zeros stand in.
 */
void conversations_add(struct conversations *all, u64 time_ns, const u8 *bytes, size_t len,
		       bool cut);

/* Once all frames are there: the streams of every conversation. */
void conversations_finish(struct conversations *all);
void conversations_free(struct conversations *all);

/* stream.c: makes the stream of one side of a conversation. */
void cv_stream_make(struct conversation *c, u32 side);

/* Copies bytes of a stream: `len` from `off`, all of which must be in it. */
void cv_stream_copy(const struct cv_stream *s, u64 off, u8 *out, u32 len);

/* The extent that holds the byte at `off` (< s->len). */
const struct cv_extent *cv_stream_at(const struct cv_stream *s, u64 off);

/* a - b as sequence numbers are compared (RFC 9293 3.4). */
static inline s64 cv_seq_diff(u32 a, u32 b)
{
	return (s32)(a - b);
}

/* fragments.c: IP fragments on their way to being a packet. */
struct cv_fragments;

/*
 * Takes the fragment that layer `ip` of `p` is; `bytes` are the packet's. When it was the last one
 * missing, returns the whole packet as raw IP without options (free() it) and its length.
 */
u8 *cv_fragments_add(struct cv_fragments **all, const struct packet *p, int ip, const u8 *bytes,
		     size_t *len, bool cut, bool *any_cut);
void cv_fragments_free(struct cv_fragments *all);

/* From base: memory, or the end of the program. */
void *cv_grow(void *array, size_t count, size_t *room, size_t size);

/* Is it one over IPv6? */
static inline bool cv_is_v6(const struct conversation *c)
{
	return c->end[0].len == 16;
}

#endif
