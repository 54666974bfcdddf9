/* SPDX-License-Identifier: MIT */
/*
 * The byte stream that one side of a conversation sent, as its segments show it: the first copy of
 * a byte wins, whatever order the segments are in (docs/replay.md: "Conversations").
 *
 * Invariants of a made stream: the extents are in order, without gap or overlap, from 0 to len.
 */
#include "converse/conversation.h"

#include <stdlib.h>
#include <string.h>

/* Where the capture has nothing of the other side: holes up to this are filled all the same. */
#define HOLE_MAX (1u << 16)
/* All holes together. */
#define MISSING_MAX (1u << 26)
/* A segment further on than this from the furthest one yet is no part of the stream. */
#define LEAP_MAX (1 << 30)
/* Segments that come this many extents late would make the work quadratic. */
#define LATE_MAX 65536u
/* Without a SYN: how far below the first segment the stream may begin. */
#define REORDER_MAX 65536

/* Place of a sequence number in the stream, near `high`; negative: before its beginning. */
static s64 place(const struct cv_stream *s, u32 seq, u64 high)
{
	return (s64)high + cv_seq_diff(seq, s->isn + 1 + (u32)high);
}

static bool is_acked(const struct conversation *c, u32 side, u32 seq)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];

		if (g->side != side && (g->flags & CV_ACK) && g->ack == seq)
			return true;
	}
	return false;
}

/* The SYN that the other side took; of those that nobody took, the first. */
static void find_syn(const struct conversation *c, u32 side, struct cv_stream *s)
{
	u32 tries = 0;

	for (size_t i = 0; i < c->count && tries < 16; i++) {
		const struct cv_segment *g = &c->segment[i];

		if (g->side != side || !(g->flags & CV_SYN) || g->flags & CV_RST)
			continue;
		if (s->has_syn && g->seq == s->isn)
			continue;
		tries++;
		if (s->has_syn && !is_acked(c, side, g->seq + 1))
			continue;
		s->isn = g->seq;
		s->syn = (u32)i;
		if (s->has_syn || is_acked(c, side, g->seq + 1)) {
			s->has_syn = true;
			return;
		}
		s->has_syn = true;
	}
}

/* Without SYN: from the lowest sequence number near the first one; else what is acknowledged. */
static void guess_isn(const struct conversation *c, u32 side, struct cv_stream *s)
{
	bool found = false;

	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];
		s64 below;

		if (g->side != side || g->flags & (CV_SYN | CV_RST))
			continue;
		below = cv_seq_diff(s->isn + 1, g->seq);
		if (!found || (below > 0 && below <= REORDER_MAX))
			s->isn = g->seq - 1;
		found = true;
	}
	for (size_t i = 0; i < c->count && !found; i++) {
		const struct cv_segment *g = &c->segment[i];

		if (g->side != side && (g->flags & CV_ACK)) {
			s->isn = g->ack - 1;
			found = true;
		}
	}
}

/* ---- inserting ---- */

struct builder {
	struct cv_stream *s;
	size_t room;
	u64 high; /* end of the furthest bytes */
	bool too_late; /* something came too much out of order */
};

static void insert_at(struct builder *b, size_t at, struct cv_extent e)
{
	struct cv_stream *s = b->s;

	if (s->count - at > LATE_MAX) {
		b->too_late = true;
		return;
	}
	s->extent = cv_grow(s->extent, s->count, &b->room, sizeof(e));
	memmove(s->extent + at + 1, s->extent + at, (s->count - at) * sizeof(e));
	s->extent[at] = e;
	s->count++;
}

/* First extent that ends behind `off`. */
static size_t find_end(const struct cv_stream *s, u64 off)
{
	size_t lo = 0, hi = s->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->extent[mid].off + s->extent[mid].len > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* Only where there is nothing yet. */
static void insert(struct builder *b, u64 off, const u8 *bytes, u64 len, u32 from)
{
	struct cv_stream *s = b->s;
	size_t at = find_end(s, off);
	u64 end = off + len, stop;

	if (end > b->high)
		b->high = end;
	for (; off < end && !b->too_late; at++) {
		if (at < s->count && s->extent[at].off <= off) {
			stop = s->extent[at].off + s->extent[at].len;
		} else {
			stop = at < s->count && s->extent[at].off < end ? s->extent[at].off : end;
			insert_at(b, at,
				  (struct cv_extent){ .off = off,
						      .len = (u32)(stop - off),
						      .from = from,
						      .bytes = bytes });
		}
		if (stop >= end)
			return;
		bytes += stop - off;
		off = stop;
	}
}

static void collect(const struct conversation *c, u32 side, struct builder *b)
{
	struct cv_stream *s = b->s;

	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];
		u32 seq = g->seq + (g->flags & CV_SYN ? 1 : 0), skip = 0;
		s64 at;

		if (g->side != side || !g->len)
			continue;
		if (g->flags & CV_SYN && g->seq != s->isn)
			continue;
		at = place(s, seq, b->high);
		if (at > (s64)b->high + LEAP_MAX || at + g->len <= 0)
			continue;
		if (at < 0)
			skip = (u32)-at;
		insert(b, (u64)(at + skip), g->payload + skip, g->len - skip, (u32)i);
	}
}

/* ---- holes and the end ---- */

/* The furthest place that the other side acknowledged. */
static u64 highest_ack(const struct conversation *c, u32 side, const struct builder *b)
{
	u64 high = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];
		s64 at;

		if (g->side == side || !(g->flags & CV_ACK) || g->flags & CV_RST)
			continue;
		at = place(b->s, g->ack, b->high);
		if (at > (s64)high && at <= (s64)b->high + 1)
			high = (u64)at;
	}
	return high;
}

/*
 * Zeros into what the capture lost and the other side had. What nobody acknowledged was lost on the
 * way: the stream ends before it.
 */
static void fill_holes(const struct conversation *c, u32 side, struct builder *b)
{
	u64 acked = highest_ack(c, side, b), off = 0;
	u64 believed = c->spoken[!side] ? 0 : HOLE_MAX;
	struct cv_stream *s = b->s;

	for (size_t i = 0; i < s->count; i++) {
		struct cv_extent e = s->extent[i];
		u64 hole = e.off - off;

		if (hole &&
		    ((hole > believed && acked < e.off) || s->missing + hole > MISSING_MAX)) {
			for (size_t n = i; n < s->count; n++)
				s->beyond += s->extent[n].len;
			s->count = i;
			break;
		}
		if (hole) {
			e = (struct cv_extent){ .off = off, .len = (u32)hole, .from = e.from };
			insert_at(b, i, e);
			if (b->too_late)
				break;
			s->missing += hole;
		}
		off = e.off + e.len;
	}
	s->len = off;
}

/* A FIN counts where the bytes end; a RST wherever it is. */
static void find_end_flags(const struct conversation *c, u32 side, struct cv_stream *s)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cv_segment *g = &c->segment[i];

		if (g->side != side)
			continue;
		s->rst = s->rst || g->flags & CV_RST;
		if ((g->flags & (CV_FIN | CV_SYN | CV_RST)) == CV_FIN &&
		    place(s, g->seq + g->len, s->len) == (s64)s->len)
			s->fin = true;
	}
}

void cv_stream_make(struct conversation *c, u32 side)
{
	struct cv_stream *s = &c->stream[side];
	struct builder b = { .s = s };

	find_syn(c, side, s);
	if (!s->has_syn)
		guess_isn(c, side, s);
	collect(c, side, &b);
	fill_holes(c, side, &b);
	find_end_flags(c, side, s);
	if (b.too_late)
		c->unplayable = "its segments are too much out of order";
}

/* ---- reading ---- */

const struct cv_extent *cv_stream_at(const struct cv_stream *s, u64 off)
{
	return &s->extent[find_end(s, off)];
}

void cv_stream_copy(const struct cv_stream *s, u64 off, u8 *out, u32 len)
{
	const struct cv_extent *e = len ? cv_stream_at(s, off) : NULL;

	while (len) {
		u32 skip = (u32)(off - e->off), n = e->len - skip;

		if (n > len)
			n = len;
		if (e->bytes)
			memcpy(out, e->bytes + skip, n);
		else
			memset(out, 0, n);
		out += n;
		off += n;
		len -= n;
		e++;
	}
}
