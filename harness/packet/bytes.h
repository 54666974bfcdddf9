/* SPDX-License-Identifier: MIT */
/*
 * Bytes in network order, and bit fields in a header, for the harness's codec. It does not use
 * the stack's helpers: the two are checked against each other. No alignment is assumed.
 */
#ifndef TAPLINE_PACKET_BYTES_H
#define TAPLINE_PACKET_BYTES_H

#include <stddef.h>

#include "stack/types.h"

static inline u16 read_be16(const u8 *p)
{
	return (u16)((unsigned int)p[0] << 8 | p[1]);
}

static inline u32 read_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline void write_be16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static inline void write_be32(u8 *p, u32 v)
{
	write_be16(p, v >> 16);
	write_be16(p + 2, v);
}

/* The `width` (at most 32) bits at bit offset `bit`, most significant first. */
static inline u32 read_bits(const u8 *p, unsigned int bit, unsigned int width)
{
	u64 v = 0;

	for (unsigned int i = bit / 8; i <= (bit + width - 1) / 8; i++)
		v = v << 8 | p[i];
	v >>= 7 - (bit + width - 1) % 8;
	return (u32)(v & ((1ull << width) - 1));
}

static inline void write_bits(u8 *p, unsigned int bit, unsigned int width, u32 v)
{
	for (unsigned int i = 0; i < width; i++) {
		unsigned int at = bit + width - 1 - i;
		u8 mask = (u8)(0x80u >> at % 8);

		if (v >> i & 1)
			p[at / 8] = (u8)(p[at / 8] | mask);
		else
			p[at / 8] = (u8)(p[at / 8] & ~mask);
	}
}

#endif
