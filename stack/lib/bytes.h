/* SPDX-License-Identifier: MIT */
/*
 * Numbers in byte strings, at any alignment and on any machine. The only way wire formats are read
 * and written in stack/. be16/be32 values are kept as they lie on the wire; htons and its like turn
 * them.
 */
#ifndef TAPLINE_LIB_BYTES_H
#define TAPLINE_LIB_BYTES_H

#include <string.h>

#include "stack/types.h"

static inline u16 get_be16(const u8 *p)
{
	return (u16)((u16)p[0] << 8 | p[1]);
}

static inline u32 get_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline u64 get_be64(const u8 *p)
{
	return (u64)get_be32(p) << 32 | get_be32(p + 4);
}

static inline void put_be16(u8 *p, u16 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static inline void put_be32(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 24);
	p[1] = (u8)(v >> 16);
	p[2] = (u8)(v >> 8);
	p[3] = (u8)v;
}

static inline void put_be64(u8 *p, u64 v)
{
	put_be32(p, (u32)(v >> 32));
	put_be32(p + 4, (u32)v);
}

static inline u16 get_le16(const u8 *p)
{
	return (u16)((u16)p[1] << 8 | p[0]);
}

static inline u32 get_le32(const u8 *p)
{
	return (u32)p[3] << 24 | (u32)p[2] << 16 | (u32)p[1] << 8 | p[0];
}

static inline u64 get_le64(const u8 *p)
{
	return (u64)get_le32(p + 4) << 32 | get_le32(p);
}

static inline void put_le16(u8 *p, u16 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
}

static inline void put_le32(u8 *p, u32 v)
{
	put_le16(p, (u16)v);
	put_le16(p + 2, (u16)(v >> 16));
}

static inline void put_le64(u8 *p, u64 v)
{
	put_le32(p, (u32)v);
	put_le32(p + 4, (u32)(v >> 32));
}

static inline be16 htons(u16 v)
{
	be16 r;
	u8 b[2];

	put_be16(b, v);
	memcpy(&r, b, 2);
	return r;
}

static inline be32 htonl(u32 v)
{
	be32 r;
	u8 b[4];

	put_be32(b, v);
	memcpy(&r, b, 4);
	return r;
}

static inline u16 ntohs(be16 v)
{
	u8 b[2];

	memcpy(b, &v, 2);
	return get_be16(b);
}

static inline u32 ntohl(be32 v)
{
	u8 b[4];

	memcpy(b, &v, 4);
	return get_be32(b);
}

/* A be32 (an IPv4 address, say) as it lies at p. */
static inline be32 load_be32(const u8 *p)
{
	be32 v;

	memcpy(&v, p, 4);
	return v;
}

static inline void store_be32(u8 *p, be32 v)
{
	memcpy(p, &v, 4);
}

static inline be16 load_be16(const u8 *p)
{
	be16 v;

	memcpy(&v, p, 2);
	return v;
}

static inline void store_be16(u8 *p, be16 v)
{
	memcpy(p, &v, 2);
}

static inline u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

static inline u32 max_u32(u32 a, u32 b)
{
	return a > b ? a : b;
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

#endif
