/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071) in the kernel's terms. A `sum` is a 32-bit partial sum of 16-bit
 * words in memory order (so it is the same as bytes on any machine once folded and stored with
 * store_be16); fold it and complement it at the end. The values returned by csum_fold are be16.
 */
#ifndef TAPLINE_LIB_CHECKSUM_H
#define TAPLINE_LIB_CHECKSUM_H

#include "lib/bytes.h"

/* Adds len bytes at p to sum. p lies at an even offset of what is summed (else see csum_block_add).
 */
u32 csum_partial(const u8 *p, u32 len, u32 sum);

/* csum_partial over src while copying it to dst. */
u32 csum_partial_copy(u8 *dst, const u8 *src, u32 len, u32 sum);

/* The sum without complement, 16 bits. */
static inline u16 csum_fold_raw(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

/* What goes into a checksum field; 0 when a received packet, its field included, sums up right. */
static inline be16 csum_fold(u32 sum)
{
	return (be16)~csum_fold_raw(sum);
}

/* Two sums of the same bytes may differ by the ones' complement's second zero. */
static inline bool csum_same(u32 a, u32 b)
{
	return csum_fold_raw(a) % 0xffffu == csum_fold_raw(b) % 0xffffu;
}

static inline u32 csum_add(u32 a, u32 b)
{
	u32 r = a + b;

	return r + (r < b);
}

static inline u32 csum_sub(u32 a, u32 b)
{
	return csum_add(a, ~b);
}

/* Adds the sum of a block that starts at `offset`: swapped when that is odd (RFC 1071 2.B). */
static inline u32 csum_block_add(u32 sum, u32 block, u32 offset)
{
	if (offset & 1)
		block = (block << 8) | (block >> 24);
	return csum_add(sum, block);
}

/* A sum of 32-bit words, whose carries are all there, as a sum of 32 bits. */
static inline u32 csum_fold64(u64 s)
{
	s = (s & 0xffffffffu) + (s >> 32);
	s = (s & 0xffffffffu) + (s >> 32);
	return (u32)s;
}

/* Sum of the IPv4 pseudo header (RFC 768, RFC 9293 3.1). len in host order. */
static inline u32 csum_tcpudp_nofold(be32 saddr, be32 daddr, u32 len, u8 proto, u32 sum)
{
	u64 s = (u64)saddr + daddr + sum;

	/* Zero, protocol, length: two more 16-bit words, as they lie in memory. */
	s += htons(proto);
	s += htons((u16)len);
	s += htons((u16)(len >> 16));
	return csum_fold64(s);
}

static inline be16 csum_tcpudp_magic(be32 saddr, be32 daddr, u32 len, u8 proto, u32 sum)
{
	return csum_fold(csum_tcpudp_nofold(saddr, daddr, len, proto, sum));
}

/* Sum of the IPv6 pseudo header (RFC 8200 8.1); addresses of 16 bytes. len in host order. */
u32 csum_ipv6_nofold(const u8 *saddr, const u8 *daddr, u32 len, u8 proto, u32 sum);

/* The checksum of an IPv4 header of ihl 32-bit words; 0 for a received right one. */
be16 ip_fast_csum(const u8 *iph, u32 ihl);

/* RFC 1624: the field after a 16-bit word under it changed. */
static inline be16 csum_replace2(be16 field, be16 from, be16 to)
{
	u32 sum = (u16)~field;

	sum = csum_add(sum, (u16)~from);
	sum = csum_add(sum, to);
	return csum_fold(sum);
}

#endif
