/* SPDX-License-Identifier: MIT */
/*
 * Reading pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, any number of
 * interfaces with their own link type, time unit and offset, enhanced, simple and the obsolete
 * packet blocks, direction flags and comments. Blocks of other types are skipped.
 *
 * A frame on an interface of another link type is delivered with `supported` false. When the file
 * has ended and no interface in it is of ours, that is the error: CAPTURE_UNSUPPORTED.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/buffer.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
};
enum { BYTE_ORDER_MAGIC = 0x1a2b3c4d };
enum { OPT_END = 0, OPT_COMMENT = 1, OPT_FLAGS = 2, OPT_TSRESOL = 9, OPT_TSOFFSET = 14 };
enum { BLOCK_MIN = 12, SECTION_MIN = 28, BLOCK_MAX = 16 << 20 };
enum { INTERFACES_MAX = 65536 };

struct block {
	u32 type;
	const u8 *body;
	u32 len; /* of the body */
};

/* Calls for each option in [p, p + len); a broken list ends it. Returns the next, or NULL. */
static const u8 *next_option(bool big, const u8 *p, const u8 *end, u32 *code, u32 *len)
{
	if (end - p < 4)
		return NULL;
	*code = get16(big, p);
	*len = get16(big, p + 2);
	if (*code == OPT_END || *len > (size_t)(end - p) - 4)
		return NULL;
	return p + 4;
}

static const u8 *after_option(const u8 *value, const u8 *end, u32 len)
{
	size_t padded = ((size_t)len + 3) & ~(size_t)3;

	return padded > (size_t)(end - value) ? end : value + padded;
}

static enum capture_status read_section(struct capture_reader *r, const struct block *b)
{
	u32 major = get16(r->big, b->body + 4), minor = get16(r->big, b->body + 6);

	/* libpcap takes 1.2 for 1.0: some writer got it wrong. */
	if (major != 1 || (minor != 0 && minor != 2))
		return capture_damage(r, "pcapng version %u.%u is not supported", major, minor);
	if (r->offset)
		r->section++;
	r->interfaces = 0;
	return CAPTURE_FRAME;
}

/* The two that the times of all its packets hang on; false: its length is not what it must be. */
static bool interface_option(struct capture_reader *r, struct interface *i, u32 code, u32 len,
			     const u8 *value)
{
	if (code == OPT_TSRESOL) {
		if (len != 1)
			return false;
		i->binary_units = value[0] & 0x80;
		i->exponent = value[0] & 0x7f;
	}
	if (code == OPT_TSOFFSET) {
		u64 a, b;

		if (len != 8)
			return false;
		a = get32(r->big, value);
		b = get32(r->big, value + 4);
		i->offset_s = (s64)(r->big ? a << 32 | b : b << 32 | a);
	}
	return true;
}

/*
 * A list that is damaged may hide the unit of the times: it is refused, as by libpcap. The end of
 * the options need not be marked when the block ends there.
 */
static enum capture_status interface_options(struct capture_reader *r, struct interface *i,
					     const u8 *p, const u8 *end)
{
	u32 code, len;

	while (p < end) {
		const u8 *value = next_option(r->big, p, end, &code, &len);

		if (!value)
			return end - p >= 4 && code == OPT_END && !len ?
				       CAPTURE_FRAME :
				       capture_damage(r, "the options of an interface are damaged");
		if (!interface_option(r, i, code, len, value))
			return capture_damage(r, "option %u of an interface has %u bytes", code,
					      len);
		p = after_option(value, end, len);
	}
	return CAPTURE_FRAME;
}

static enum capture_status read_interface(struct capture_reader *r, const struct block *b)
{
	struct interface i = { .exponent = 6 };

	if (b->len < 8)
		return capture_damage(r, "interface block of %u bytes is too short", b->len);
	if (r->interfaces == INTERFACES_MAX)
		return capture_damage(r, "more than %u interfaces", INTERFACES_MAX);
	i.link = (u16)get16(r->big, b->body);
	i.snaplen = get32(r->big, b->body + 4);
	i.supported = capture_link_supported(i.link);
	if (interface_options(r, &i, b->body + 8, b->body + b->len) != CAPTURE_FRAME)
		return CAPTURE_DAMAGED;
	if (r->interfaces == r->capacity) {
		r->capacity = r->capacity ? r->capacity * 2 : 4;
		r->interface = realloc(r->interface, r->capacity * sizeof(i));
		if (!r->interface)
			abort();
	}
	r->interface[r->interfaces++] = i;
	if (i.supported)
		r->seen_supported++;
	else if (!r->seen_unsupported++)
		r->first_unsupported = i.link;
	return CAPTURE_FRAME;
}

/* a * b / c for a product that may need more than 64 bits, c <= 2^32; saturates. */
static u64 mul_div(u64 a, u32 b, u64 c)
{
	u64 whole = a / c, rest = a % c;

	if (whole > UINT64_MAX / b)
		return UINT64_MAX;
	/* rest < c <= 2^32 and b <= 2^30: the product fits */
	return whole * b + rest * b / c;
}

static u64 power10(unsigned int n)
{
	u64 v = 1;

	while (n--)
		v *= 10;
	return v;
}

/* A time stamp in the interface's units as ns since 1970. */
static u64 stamp_ns(const struct interface *i, u64 t)
{
	u64 ns, offset;

	if (i->binary_units && i->exponent <= 32)
		ns = mul_div(t, 1000000000, 1ull << i->exponent);
	else if (i->binary_units)
		ns = mul_div(i->exponent < 96 ? t >> (i->exponent - 32) : 0, 1000000000,
			     1ull << 32);
	else if (i->exponent <= 9)
		ns = mul_div(t, (u32)power10(9u - i->exponent), 1);
	else
		ns = i->exponent - 9u < 20 ? t / power10(i->exponent - 9u) : 0;
	offset = (u64)i->offset_s * 1000000000u; /* modulo 2^64: it may be negative */
	return ns + offset;
}

static void packet_options(const struct capture_reader *r, struct capture_frame *f, const u8 *p,
			   const u8 *end)
{
	u32 code, len;

	while ((p = next_option(r->big, p, end, &code, &len))) {
		if (code == OPT_COMMENT && !f->comment) {
			f->comment = (const char *)p;
			f->comment_len = len;
		}
		if (code == OPT_FLAGS && len == 4)
			f->direction = get32(r->big, p) & 3;
		p = after_option(p, end, len);
	}
	if (f->direction == 3)
		f->direction = CAPTURE_UNKNOWN;
}

/* The bytes of a frame, from a body whose packet data starts at `at`. */
static enum capture_status frame_data(struct capture_reader *r, struct capture_frame *f,
				      const struct block *b, u32 at)
{
	if (f->caplen > CAPTURE_MAX_FRAME)
		return capture_damage(r, "captured length %u is more than any frame has (%u)",
				      f->caplen, CAPTURE_MAX_FRAME);
	if (f->caplen > b->len - at)
		return capture_damage(r, "captured length %u is more than its block has (%u)",
				      f->caplen, b->len - at);
	f->data = b->body + at;
	packet_options(r, f, after_option(f->data, b->body + b->len, f->caplen), b->body + b->len);
	return CAPTURE_FRAME;
}

static enum capture_status read_packet(struct capture_reader *r, struct capture_frame *f,
				       const struct block *b)
{
	const struct interface *i;

	if (b->len < 20)
		return capture_damage(r, "packet block of %u bytes is too short", b->len);
	f->interface = b->type == BLOCK_PACKET ? get16(r->big, b->body) : get32(r->big, b->body);
	if (f->interface >= r->interfaces)
		return capture_damage(r, "interface %u is not described", f->interface);
	i = &r->interface[f->interface];
	f->link = i->link;
	f->supported = i->supported;
	f->time_ns =
		stamp_ns(i, (u64)get32(r->big, b->body + 4) << 32 | get32(r->big, b->body + 8));
	f->has_time = true;
	f->caplen = get32(r->big, b->body + 12);
	f->len = get32(r->big, b->body + 16);
	return frame_data(r, f, b, 20);
}

/* No time, and the captured length follows from the interface's snapshot length. */
static enum capture_status read_simple(struct capture_reader *r, struct capture_frame *f,
				       const struct block *b)
{
	const struct interface *i;

	if (b->len < 4)
		return capture_damage(r, "packet block of %u bytes is too short", b->len);
	if (!r->interfaces)
		return capture_damage(r, "interface 0 is not described");
	i = &r->interface[0];
	f->interface = 0;
	f->link = i->link;
	f->supported = i->supported;
	f->time_ns = r->time_ns;
	f->has_time = false;
	f->len = get32(r->big, b->body);
	f->caplen = i->snaplen && f->len > i->snaplen ? i->snaplen : f->len;
	if (f->caplen > CAPTURE_MAX_FRAME || f->caplen > b->len - 4)
		return capture_damage(r, "captured length %u is more than its block has (%u)",
				      f->caplen, b->len - 4);
	f->data = b->body + 4;
	return CAPTURE_FRAME;
}

/* The byte order of a section is known only from its own header. */
static enum capture_status section_order(struct capture_reader *r)
{
	if (!input_have(&r->in, SECTION_MIN))
		return capture_damage(r, "section header cut short: %u bytes wanted, %zu left",
				      SECTION_MIN, input_left(&r->in));
	if (get32(true, r->in.at + 8) == BYTE_ORDER_MAGIC)
		r->big = true;
	else if (get32(false, r->in.at + 8) == BYTE_ORDER_MAGIC)
		r->big = false;
	else
		return capture_damage(r, "section header without byte-order magic");
	return CAPTURE_FRAME;
}

static enum capture_status check_block(struct capture_reader *r, u32 type, u32 total)
{
	if (total < (type == BLOCK_SECTION ? SECTION_MIN : BLOCK_MIN))
		return capture_damage(r, "block length %u at offset %llu is too small", total,
				      (unsigned long long)r->offset);
	if (total > BLOCK_MAX)
		return capture_damage(r, "block length %u at offset %llu is too large", total,
				      (unsigned long long)r->offset);
	if (!input_have(&r->in, total))
		return capture_damage(r, "block cut short: %u bytes wanted, %zu left", total,
				      input_left(&r->in));
	if (get32(r->big, r->in.at + total - 4) != get32(r->big, r->in.at + 4))
		return capture_damage(r, "block's two lengths differ: %u and %u",
				      get32(r->big, r->in.at + 4),
				      get32(r->big, r->in.at + total - 4));
	return CAPTURE_FRAME;
}

/* Makes the next block addressable and moves on behind it. */
static enum capture_status next_block(struct capture_reader *r, struct block *b)
{
	enum capture_status s;
	u32 total;

	if (!input_have(&r->in, 8)) {
		if (r->in.failed)
			return capture_damage(r, "reading failed");
		if (!input_left(&r->in))
			return CAPTURE_END;
		return capture_damage(r, "block header cut short: 8 bytes wanted, %zu left",
				      input_left(&r->in));
	}
	if (get32(true, r->in.at) == BLOCK_SECTION) {
		s = section_order(r);
		if (s != CAPTURE_FRAME)
			return s;
	}
	b->type = get32(r->big, r->in.at);
	total = get32(r->big, r->in.at + 4);
	if (total <= BLOCK_MAX)
		total = (total + 3) & ~3u; /* some writers leave the padding out of the length */
	s = check_block(r, b->type, total);
	if (s != CAPTURE_FRAME)
		return s;
	b->body = r->in.at + 8;
	b->len = total - 12;
	r->in.at += total;
	return CAPTURE_FRAME;
}

enum capture_status pcapng_start(struct capture_reader *r)
{
	/*
	 * Up to the first interface: a file without one, or with a packet before it, is refused at
	 * once, as libpcap does.
	 */
	while (!r->interfaces) {
		struct block b = { 0 };
		enum capture_status s = next_block(r, &b);

		if (s == CAPTURE_END)
			return capture_damage(r, "the file describes no interface");
		if (s != CAPTURE_FRAME)
			return s;
		if (b.type == BLOCK_SECTION)
			s = read_section(r, &b);
		else if (b.type == BLOCK_INTERFACE)
			s = read_interface(r, &b);
		else if (b.type == BLOCK_ENHANCED || b.type == BLOCK_PACKET ||
			 b.type == BLOCK_SIMPLE)
			s = capture_damage(r, "packet before any interface is described");
		if (s != CAPTURE_FRAME)
			return s;
		r->offset += b.len + BLOCK_MIN;
	}
	return CAPTURE_FRAME;
}

/* No more frames: fine, or none of the interfaces was one of ours. */
static enum capture_status at_end(struct capture_reader *r)
{
	if (!r->seen_supported && r->seen_unsupported)
		return capture_refuse_link(r, r->first_unsupported);
	return CAPTURE_END;
}

enum capture_status pcapng_next(struct capture_reader *r, struct capture_frame *f)
{
	for (;;) {
		struct block b = { 0 };
		enum capture_status s = next_block(r, &b);

		f->direction = CAPTURE_UNKNOWN;
		f->comment = NULL;
		f->comment_len = 0;
		f->section = r->section;
		if (s != CAPTURE_FRAME)
			return s == CAPTURE_END ? at_end(r) : s;
		switch (b.type) {
		case BLOCK_SECTION:
			s = read_section(r, &b);
			break;
		case BLOCK_INTERFACE:
			s = read_interface(r, &b);
			break;
		case BLOCK_PACKET:
		case BLOCK_ENHANCED:
		case BLOCK_SIMPLE:
			r->offset += b.len + BLOCK_MIN;
			return b.type == BLOCK_SIMPLE ? read_simple(r, f, &b) :
							read_packet(r, f, &b);
		default:
			break;
		}
		if (s != CAPTURE_FRAME)
			return s;
		r->offset += b.len + BLOCK_MIN;
	}
}
