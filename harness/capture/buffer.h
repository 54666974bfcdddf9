/* SPDX-License-Identifier: MIT */
/*
 * What the reader's files share: the input, of which a piece is in memory, and the reader itself.
 */
#ifndef TAPLINE_CAPTURE_BUFFER_H
#define TAPLINE_CAPTURE_BUFFER_H

#include "capture/capture.h"

struct input {
	FILE *file; /* NULL: bytes in memory, or the file has ended */
	bool owned; /* file is ours to close */
	bool failed; /* reading failed, as opposed to ended */
	u8 *mem; /* buffer, NULL for bytes in memory */
	size_t size; /* of the buffer */
	const u8 *at; /* next byte ... */
	const u8 *end; /* ... and the end of those in memory */
};

/* Slow path of input_have. */
bool input_fill(struct input *in, size_t n);

/* Makes the next n bytes addressable at in->at; false when fewer are left. */
static inline bool input_have(struct input *in, size_t n)
{
	return (size_t)(in->end - in->at) >= n || input_fill(in, n);
}

/* Bytes in memory now: after a failed input_have, all that are left. */
static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

/* Skips n bytes; false when fewer are left. */
bool input_skip(struct input *in, u64 n);

struct interface {
	u16 link;
	bool supported;
	bool binary_units; /* time stamps count 2^-exponent s, otherwise 10^-exponent s */
	u8 exponent;
	u32 snaplen;
	s64 offset_s;
};

struct capture_reader {
	struct input in;
	bool big; /* the bytes' order */
	bool ng;
	bool opened; /* what goes wrong now is about a frame */
	bool done; /* an end or an error was reported */
	enum capture_status last;
	u64 frames; /* delivered */
	u64 time_ns; /* of the last one */
	u64 offset; /* pcapng: file offset of the current block */
	char error[CAPTURE_ERROR_SIZE];
	/* classic */
	u16 link;
	u32 scale; /* ns per unit of the fraction */
	u8 record_header;
	u8 swapped; /* enum swapped */
	/* pcapng */
	u32 section;
	size_t interfaces, capacity;
	struct interface *interface;
	u64 seen_supported, seen_unsupported; /* interfaces, in all sections */
	u16 first_unsupported;
};

static inline u32 get16(bool big, const u8 *p)
{
	return big ? (u32)p[0] << 8 | p[1] : (u32)p[1] << 8 | p[0];
}

static inline u32 get32(bool big, const u8 *p)
{
	return big ? get16(true, p) << 16 | get16(true, p + 2) :
		     get16(false, p + 2) << 16 | get16(false, p);
}

/* Ends the reading with a sentence; once the file is open, "frame N: " goes before it. */
__attribute__((format(printf, 2, 3))) enum capture_status capture_damage(struct capture_reader *r,
									 const char *fmt, ...);

enum capture_status pcapng_next(struct capture_reader *r, struct capture_frame *f);
enum capture_status pcapng_start(struct capture_reader *r);

/* "link type 105 (IEEE802_11) is not supported", into the reader's error. */
enum capture_status capture_refuse_link(struct capture_reader *r, u32 link);

#endif
