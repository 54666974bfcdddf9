/* SPDX-License-Identifier: MIT */
/*
 * Writing capture files: little-endian, with nothing in them that hangs on the machine or the
 * time. Errors are remembered and reported once, at the end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"

struct capture_writer {
	FILE *f;
	bool owned;
	bool failed;
	int why; /* errno of the first failure */
	enum capture_format format;
	u32 snaplen;
	int interfaces;
};

static void put(struct capture_writer *w, const void *bytes, size_t len)
{
	if (w->failed || !len)
		return;
	if (fwrite(bytes, 1, len, w->f) != len) {
		w->failed = true;
		w->why = errno;
	}
}

static void put16(struct capture_writer *w, u32 v)
{
	u8 b[2] = { (u8)v, (u8)(v >> 8) };

	put(w, b, 2);
}

static void put32(struct capture_writer *w, u32 v)
{
	put16(w, v & 0xffff);
	put16(w, v >> 16);
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static void put_padded(struct capture_writer *w, const void *bytes, size_t len)
{
	static const u8 zero[4];

	put(w, bytes, len);
	put(w, zero, padded(len) - len);
}

static void put_option(struct capture_writer *w, u32 code, const void *bytes, size_t len)
{
	put16(w, code);
	put16(w, (u32)len);
	put_padded(w, bytes, len);
}

int capture_add_interface(struct capture_writer *w, u16 link, const char *name)
{
	static const u8 nanoseconds = 9;
	size_t name_len = name ? strlen(name) : 0;
	u32 total = (u32)(20 + (name_len ? 4 + padded(name_len) : 0) + 8 + 4);

	if (w->format != CAPTURE_PCAPNG)
		return -1;
	put32(w, 1);
	put32(w, total);
	put16(w, link);
	put16(w, 0);
	put32(w, w->snaplen);
	if (name_len)
		put_option(w, 2, name, name_len);
	put_option(w, 9, &nanoseconds, 1);
	put_option(w, 0, NULL, 0);
	put32(w, total);
	return w->interfaces++;
}

static void put_section(struct capture_writer *w)
{
	put32(w, 0x0a0d0d0a);
	put32(w, 28);
	put32(w, 0x1a2b3c4d);
	put16(w, 1);
	put16(w, 0);
	put32(w, 0xffffffff); /* section length: not known */
	put32(w, 0xffffffff);
	put32(w, 28);
}

struct capture_writer *capture_create_stream(FILE *f, enum capture_format format, u16 link,
					     u32 snaplen)
{
	struct capture_writer *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->f = f;
	w->format = format;
	w->snaplen = snaplen ? snaplen : CAPTURE_MAX_FRAME;
	if (format == CAPTURE_PCAPNG) {
		put_section(w);
		capture_add_interface(w, link, NULL);
		return w;
	}
	put32(w, format == CAPTURE_PCAP_NS ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(w, 2);
	put16(w, 4);
	put32(w, 0);
	put32(w, 0);
	put32(w, w->snaplen);
	put32(w, link);
	return w;
}

struct capture_writer *capture_create(const char *path, enum capture_format format, u16 link,
				      u32 snaplen, char *error)
{
	bool standard = !strcmp(path, "-");
	FILE *f = standard ? stdout : fopen(path, "wb");
	struct capture_writer *w;

	if (!f) {
		snprintf(error, CAPTURE_ERROR_SIZE, "%s", strerror(errno));
		return NULL;
	}
	w = capture_create_stream(f, format, link, snaplen);
	w->owned = !standard;
	return w;
}

static void write_classic(struct capture_writer *w, const struct capture_frame *f, u32 caplen)
{
	u64 fraction = f->time_ns % 1000000000;

	put32(w, (u32)(f->time_ns / 1000000000));
	put32(w, (u32)(w->format == CAPTURE_PCAP ? fraction / 1000 : fraction));
	put32(w, caplen);
	put32(w, f->len > caplen ? f->len : caplen);
	put(w, f->data, caplen);
}

static void write_enhanced(struct capture_writer *w, const struct capture_frame *f, u32 caplen)
{
	size_t comment = f->comment ? f->comment_len : 0;
	u8 flags[4] = { f->direction, 0, 0, 0 };
	u32 total;

	if (comment > 65535)
		comment = 65535;
	total = (u32)(32 + padded(caplen));
	if (comment)
		total += (u32)(4 + padded(comment));
	if (f->direction)
		total += 8;
	if (comment || f->direction)
		total += 4;
	put32(w, 6);
	put32(w, total);
	put32(w, f->interface);
	put32(w, (u32)(f->time_ns >> 32));
	put32(w, (u32)f->time_ns);
	put32(w, caplen);
	put32(w, f->len > caplen ? f->len : caplen);
	put_padded(w, f->data, caplen);
	if (comment)
		put_option(w, 1, f->comment, comment);
	if (f->direction)
		put_option(w, 2, flags, 4);
	if (comment || f->direction)
		put_option(w, 0, NULL, 0);
	put32(w, total);
}

void capture_write(struct capture_writer *w, const struct capture_frame *frame)
{
	u32 caplen = frame->caplen < w->snaplen ? frame->caplen : w->snaplen;

	if (w->format == CAPTURE_PCAPNG)
		write_enhanced(w, frame, caplen);
	else
		write_classic(w, frame, caplen);
}

bool capture_finish(struct capture_writer *w, char *error)
{
	bool good;

	if (!w->failed && fflush(w->f)) {
		w->failed = true;
		w->why = errno;
	}
	if (w->owned && fclose(w->f) && !w->failed) {
		w->failed = true;
		w->why = errno;
	}
	good = !w->failed;
	if (!good)
		snprintf(error, CAPTURE_ERROR_SIZE, "%s", strerror(w->why));
	free(w);
	return good;
}
