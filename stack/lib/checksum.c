/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071). Eight bytes at a time into a 64-bit accumulator with end-around
 * carry; the order of bytes within a word does not matter to a ones' complement sum (RFC 1071 2.B),
 * so native loads are right on any machine.
 */
#include "lib/checksum.h"

#include "lib/bytes.h"

static inline u64 add64(u64 a, u64 b)
{
	u64 r = a + b;

	return r + (r < b);
}

static inline u64 load64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, 8);
	return v;
}

static inline u32 fold64(u64 s)
{
	s = (s & 0xffffffffu) + (s >> 32);
	s = (s & 0xffffffffu) + (s >> 32);
	return (u32)s;
}

/* Fewer than eight bytes, from an even place on: as a word of four, one of two, and one whose
 * second byte is zero. */
static inline u64 sum_rest(const u8 *p, u32 len)
{
	u64 s = 0;
	u32 four;

	if (len & 4) {
		memcpy(&four, p, 4);
		s += four;
		p += 4;
	}
	if (len & 2) {
		s += load_be16(p);
		p += 2;
	}
	if (len & 1)
		s += htons((u16)(*p << 8));
	return s;
}

/* Of blocks of 32 bytes: 32-bit halves in 64-bit lanes, so that there is no carry to chase and the
 * compiler may use vectors. */
static inline __attribute__((always_inline)) u64 sum_blocks_any(const u8 *p, u32 blocks)
{
	u64 a = 0, b = 0, c = 0, d = 0;

	while (blocks) {
		u32 run = min_u32(blocks, 1u << 20);

		blocks -= run;
		for (; run; run--, p += 32) {
			u64 w0 = load64(p), w1 = load64(p + 8), w2 = load64(p + 16),
			    w3 = load64(p + 24);

			a += (w0 & 0xffffffffu) + (w0 >> 32);
			b += (w1 & 0xffffffffu) + (w1 >> 32);
			c += (w2 & 0xffffffffu) + (w2 >> 32);
			d += (w3 & 0xffffffffu) + (w3 >> 32);
		}
		a = fold64(a);
		b = fold64(b);
		c = fold64(c);
		d = fold64(d);
	}
	return a + b + c + d;
}

static __attribute__((noinline)) u64 sum_blocks(const u8 *p, u32 blocks)
{
	return sum_blocks_any(p, blocks);
}

#ifdef __x86_64__
/* The same for machines with wider vectors: a third faster for a full frame. */
static __attribute__((noinline, target("avx2"))) u64 sum_blocks_avx2(const u8 *p, u32 blocks)
{
	return sum_blocks_any(p, blocks);
}

static inline u64 sum_blocks_best(const u8 *p, u32 blocks)
{
	return __builtin_cpu_supports("avx2") ? sum_blocks_avx2(p, blocks) : sum_blocks(p, blocks);
}
#else
static inline u64 sum_blocks_best(const u8 *p, u32 blocks)
{
	return sum_blocks(p, blocks);
}
#endif

u32 csum_partial(const u8 *p, u32 len, u32 sum)
{
	u64 s = sum;

	if (len >= 64) {
		s += sum_blocks_best(p, len / 32);
		p += len & ~31u;
		len &= 31;
	}
	for (; len >= 8; len -= 8, p += 8)
		s = add64(s, load64(p));
	if (len)
		s = add64(s, sum_rest(p, len));
	return fold64(s);
}

u32 csum_partial_copy(u8 *dst, const u8 *src, u32 len, u32 sum)
{
	memcpy(dst, src, len);
	return csum_partial(dst, len, sum);
}

u32 csum_tcpudp_nofold(be32 saddr, be32 daddr, u32 len, u8 proto, u32 sum)
{
	u64 s = (u64)saddr + daddr + sum;

	/* Zero, protocol, length: two more 16-bit words, as they lie in memory. */
	s += htons(proto);
	s += htons((u16)len);
	s += htons((u16)(len >> 16));
	return fold64(s);
}

u32 csum_ipv6_nofold(const u8 *saddr, const u8 *daddr, u32 len, u8 proto, u32 sum)
{
	u64 s = csum_partial(saddr, 16, csum_partial(daddr, 16, sum));

	s += htons(proto);
	s += htons((u16)len);
	s += htons((u16)(len >> 16));
	return fold64(s);
}

be16 ip_fast_csum(const u8 *iph, u32 ihl)
{
	u32 last;

	if (ihl == 5) { /* nearly all headers */
		memcpy(&last, iph + 16, 4);
		return csum_fold(fold64(add64(add64(load64(iph), load64(iph + 8)), last)));
	}
	return csum_fold(csum_partial(iph, ihl * 4, 0));
}
