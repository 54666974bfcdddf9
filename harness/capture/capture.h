/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing capture files: classic pcap (microseconds and nanoseconds, both byte orders,
 * the old and odd variants) and pcapng (several sections and interfaces).
 *
 * Both are read by our own code and not through libpcap: libpcap refuses pcapng files whose
 * interfaces differ, hides direction flags and comments, and its messages do not say which frame
 * they are about. libpcap stays an oracle: its verdicts on real files are those of
 * docs/replay.md. The reader trusts no length. Every frame before a damage is delivered; the error
 * then names the frame and the reason. A reader has no global state.
 */
#ifndef TAPLINE_CAPTURE_CAPTURE_H
#define TAPLINE_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "stack/types.h"

/* No capture has larger frames (libpcap's MAXIMUM_SNAPLEN); a longer one is a damage. */
#define CAPTURE_MAX_FRAME  262144u
#define CAPTURE_ERROR_SIZE 256

enum capture_format {
	CAPTURE_PCAP, /* microseconds */
	CAPTURE_PCAP_NS, /* nanoseconds */
	CAPTURE_PCAPNG, /* written with nanoseconds */
};

enum capture_direction { CAPTURE_UNKNOWN = 0, CAPTURE_IN = 1, CAPTURE_OUT = 2 };

/* What capture_next() gives; all pointers are valid until the next call with this reader. */
struct capture_frame {
	u64 number; /* of the frame in the file, from 1 */
	u64 time_ns; /* since 1970; when the file does not say: of the frame before */
	bool has_time; /* false: a pcapng simple packet block */
	bool supported; /* link type is one of ours; false only in pcapng files */
	u16 link; /* LINKTYPE_* */
	u32 section; /* from 0; always 0 in classic files */
	u32 interface; /* in its section, from 0 */
	u32 caplen; /* bytes that are there */
	u32 len; /* bytes that were on the wire; a damaged file may say less than caplen */
	const u8 *data;
	u8 direction; /* enum capture_direction */
	const char *comment; /* the first one, not ended by a 0; NULL: none */
	size_t comment_len;
};

enum capture_status {
	CAPTURE_FRAME, /* a frame was read */
	CAPTURE_END, /* the file ended as it should */
	CAPTURE_DAMAGED, /* it did not; capture_error() says where and why */
	CAPTURE_UNSUPPORTED, /* no interface has a link type of ours; capture_error() names it */
};

struct capture_reader;

/*
 * Opens a file ("-": standard input). NULL with a sentence in `error` (CAPTURE_ERROR_SIZE bytes)
 * when it can not be opened, is not a capture file, or has a link type that is not supported
 * (`*status`, which may be NULL, then tells CAPTURE_UNSUPPORTED from CAPTURE_DAMAGED).
 */
struct capture_reader *capture_open(const char *path, enum capture_status *status, char *error);

/* The same on bytes in memory, which must outlive the reader. */
struct capture_reader *capture_open_memory(const void *bytes, size_t len,
					   enum capture_status *status, char *error);

enum capture_status capture_next(struct capture_reader *r, struct capture_frame *frame);

/* After CAPTURE_DAMAGED or CAPTURE_UNSUPPORTED: "frame 12: record body cut short: ...". */
const char *capture_error(const struct capture_reader *r);

/* What the file is, as far as it has been read: "pcap", "pcapng". */
const char *capture_format_name(const struct capture_reader *r);

/* Link type of the first interface. */
u16 capture_link(const struct capture_reader *r);

void capture_close(struct capture_reader *r); /* NULL is allowed */

/* Name of a link type ("EN10MB"), or NULL when it is not known here. */
const char *capture_link_name(u32 link);

/* Whether frames of this link type can be replayed. */
bool capture_link_supported(u32 link);

struct capture_writer;

/*
 * Creates a file ("-": standard output) with one interface of this link type and snapshot length
 * (0: 262144). NULL with a sentence in `error` when that fails. Nothing that depends on machine or
 * time is written. The files are little-endian.
 */
struct capture_writer *capture_create(const char *path, enum capture_format format, u16 link,
				      u32 snaplen, char *error);

/* The same on a stream, which capture_finish() does not close. */
struct capture_writer *capture_create_stream(FILE *f, enum capture_format format, u16 link,
					     u32 snaplen);

/* Adds an interface (pcapng); its number, or -1 for classic formats, which have only one. */
int capture_add_interface(struct capture_writer *w, u16 link, const char *name);

/*
 * Writes a frame: interface, time_ns, caplen, len, data, and in pcapng direction and comment
 * count. A frame longer than the snapshot length is cut. Errors are kept for capture_finish().
 */
void capture_write(struct capture_writer *w, const struct capture_frame *frame);

/* Ends the file. False with a sentence in `error` when any write failed (disk full, pipe). */
bool capture_finish(struct capture_writer *w, char *error);

#endif
