/* SPDX-License-Identifier: MIT */
/*
 * Opening capture files and reading classic pcap. The formats: draft-ietf-opsawg-pcap for classic,
 * with the variants that old tools wrote: version 2.0 to 2.2 (lengths swapped), 2.3 (swapped in
 * some files), Kuznetzov's patched libpcap (8 more bytes a record).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "capture/buffer.h"

enum {
	MAGIC_US = 0xa1b2c3d4,
	MAGIC_NS = 0xa1b23c4d,
	MAGIC_PATCHED = 0xa1b2cd34,
	MAGIC_NAVTEL = 0xa12b3c4d, /* as MAGIC_US */
	MAGIC_SECTION = 0x0a0d0d0a,
};
enum { FILE_HEADER = 24, RECORD_HEADER = 16, RECORD_HEADER_PATCHED = 24 };
enum swapped { NOT_SWAPPED, SWAPPED, MAYBE_SWAPPED };

enum capture_status capture_damage(struct capture_reader *r, const char *fmt, ...)
{
	va_list ap;
	int n = 0;

	if (r->opened)
		n = snprintf(r->error, sizeof(r->error),
			     "frame %llu: ", (unsigned long long)r->frames + 1);

	va_start(ap, fmt);
	vsnprintf(r->error + n, sizeof(r->error) - (size_t)n, fmt, ap);
	va_end(ap);
	return CAPTURE_DAMAGED;
}

static enum capture_status refuse(struct capture_reader *r, const char *why)
{
	snprintf(r->error, sizeof(r->error), "%s", why);
	return CAPTURE_DAMAGED;
}

static enum capture_status pcap_start(struct capture_reader *r, u32 magic)
{
	const u8 *h;
	u32 major, minor, link;

	if (!input_have(&r->in, FILE_HEADER))
		return refuse(r, "the file ends inside its header");
	h = r->in.at;
	major = get16(r->big, h + 4);
	minor = get16(r->big, h + 6);
	if (!(major == 2 && minor <= 4) && !(major == 543 && minor == 0)) {
		snprintf(r->error, sizeof(r->error), "pcap version %u.%u is not supported", major,
			 minor);
		return CAPTURE_DAMAGED;
	}
	/* 2.0 to 2.2 have the lengths the other way around; of 2.3 there are both kinds. */
	r->swapped = NOT_SWAPPED;
	if (major == 543 || minor < 3)
		r->swapped = SWAPPED;
	else if (minor == 3)
		r->swapped = MAYBE_SWAPPED;
	r->scale = magic == MAGIC_NS ? 1 : 1000;
	r->record_header = magic == MAGIC_PATCHED ? RECORD_HEADER_PATCHED : RECORD_HEADER;
	/* The upper six bits say how long the frame check sequence is. */
	link = get32(r->big, h + 20) & 0x03ffffff;
	r->link = (u16)link;
	r->in.at += FILE_HEADER;
	return capture_link_supported(link) ? CAPTURE_FRAME : capture_refuse_link(r, link);
}

static enum capture_status start(struct capture_reader *r)
{
	u32 magic;

	if (!input_have(&r->in, 4)) {
		if (r->in.failed)
			return refuse(r, "reading failed");
		return refuse(r, input_left(&r->in) ? "the file ends inside its header" :
						      "the file is empty");
	}
	if (get32(true, r->in.at) == MAGIC_SECTION) {
		r->ng = true;
		return pcapng_start(r);
	}
	for (int big = 0; big < 2; big++) {
		magic = get32(big, r->in.at);
		r->big = big;
		if (magic == MAGIC_US || magic == MAGIC_NS || magic == MAGIC_PATCHED ||
		    magic == MAGIC_NAVTEL)
			return pcap_start(r, magic);
	}
	return refuse(r, "not a pcap or pcapng file");
}

static struct capture_reader *opened(struct capture_reader *r, enum capture_status *status,
				     char *error)
{
	enum capture_status s = start(r);

	if (status)
		*status = s;
	r->opened = s == CAPTURE_FRAME;
	if (r->opened)
		return r;
	snprintf(error, CAPTURE_ERROR_SIZE, "%s", r->error);
	capture_close(r);
	return NULL;
}

static struct capture_reader *new_reader(void)
{
	struct capture_reader *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	return r;
}

struct capture_reader *capture_open(const char *path, enum capture_status *status, char *error)
{
	bool standard = !strcmp(path, "-");
	FILE *f = standard ? stdin : fopen(path, "rb");
	struct capture_reader *r;

	if (!f) {
		if (status)
			*status = CAPTURE_DAMAGED;
		snprintf(error, CAPTURE_ERROR_SIZE, "%s", strerror(errno));
		return NULL;
	}
	setvbuf(f, NULL, _IONBF, 0); /* the reader has its own, larger buffer */
	r = new_reader();
	r->in.file = f;
	r->in.owned = !standard;
	return opened(r, status, error);
}

struct capture_reader *capture_open_memory(const void *bytes, size_t len,
					   enum capture_status *status, char *error)
{
	struct capture_reader *r = new_reader();

	r->in.at = bytes;
	r->in.end = r->in.at + len;
	return opened(r, status, error);
}

void capture_close(struct capture_reader *r)
{
	if (!r)
		return;
	if (r->in.file && r->in.owned)
		fclose(r->in.file);
	free(r->in.mem);
	free(r->interface);
	free(r);
}

static void lengths(const struct capture_reader *r, const u8 *h, u32 *caplen, u32 *len)
{
	u32 a = get32(r->big, h + 8), b = get32(r->big, h + 12);
	bool swap = r->swapped == SWAPPED || (r->swapped == MAYBE_SWAPPED && a > b);

	*caplen = swap ? b : a;
	*len = swap ? a : b;
}

static enum capture_status pcap_next(struct capture_reader *r, struct capture_frame *f)
{
	const u8 *h;

	if (!input_have(&r->in, r->record_header)) {
		size_t left = input_left(&r->in);

		if (r->in.failed)
			return capture_damage(r, "reading failed");
		if (!left)
			return CAPTURE_END;
		return capture_damage(r, "record header cut short: %u bytes wanted, %zu left",
				      r->record_header, left);
	}
	h = r->in.at;
	lengths(r, h, &f->caplen, &f->len);
	if (f->caplen > CAPTURE_MAX_FRAME)
		return capture_damage(r, "captured length %u is more than any frame has (%u)",
				      f->caplen, CAPTURE_MAX_FRAME);
	if (!input_have(&r->in, r->record_header + f->caplen))
		return capture_damage(r, "record body cut short: %u bytes wanted, %zu left",
				      f->caplen, input_left(&r->in) - r->record_header);
	h = r->in.at; /* the buffer may have moved */
	f->time_ns = (u64)get32(r->big, h) * 1000000000u + (u64)get32(r->big, h + 4) * r->scale;
	f->has_time = true;
	f->supported = true;
	f->link = r->link;
	f->section = f->interface = 0;
	f->data = h + r->record_header;
	f->direction = CAPTURE_UNKNOWN;
	f->comment = NULL;
	f->comment_len = 0;
	r->in.at += r->record_header + f->caplen;
	return CAPTURE_FRAME;
}

enum capture_status capture_next(struct capture_reader *r, struct capture_frame *frame)
{
	enum capture_status s;

	if (r->done)
		return r->last;
	s = r->ng ? pcapng_next(r, frame) : pcap_next(r, frame);
	if (s == CAPTURE_FRAME) {
		frame->number = ++r->frames;
		r->time_ns = frame->time_ns;
	} else {
		r->done = true;
		r->last = s;
	}
	return s;
}

const char *capture_error(const struct capture_reader *r)
{
	return r->error;
}

const char *capture_format_name(const struct capture_reader *r)
{
	return r->ng ? "pcapng" : "pcap";
}

u16 capture_link(const struct capture_reader *r)
{
	return r->ng ? (r->interfaces ? r->interface[0].link : 0) : r->link;
}
