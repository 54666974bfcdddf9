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

/* Of 32 bytes as four words; the compiler makes of it what the machine has. */
typedef u64 block __attribute__((vector_size(32)));
#define BLOCK	32u
#define RUN_MAX (1u << 20) /* blocks whose 32-bit halves do not overflow 64 bits */

/* What a run has summed so far. */
struct run {
	block words, high;
};

static inline __attribute__((always_inline)) void run_add(struct run *r, u8 *to, const u8 *p)
{
	block v;

	memcpy(&v, p, BLOCK);
	if (to)
		memcpy(to, &v, BLOCK);
	r->words += v;
	r->high += v >> 32;
}

/*
 * The sum of n blocks, at most RUN_MAX, which are copied as well (to not NULL). No carry is chased:
 * the high halves are summed alone; what the sum of whole words, modulo 2^64, has besides theirs is
 * the low halves' sum.
 */
static inline __attribute__((always_inline)) u64 sum_run(u8 *to, const u8 *p, u32 n)
{
	struct run a = { .words = { 0 } }, b = a;
	u64 sum = 0;

	for (; n >= 4; n -= 4, p += 4 * BLOCK) {
		run_add(&a, to, p);
		run_add(&b, to ? to + BLOCK : NULL, p + BLOCK);
		run_add(&a, to ? to + 2 * BLOCK : NULL, p + 2 * BLOCK);
		run_add(&b, to ? to + 3 * BLOCK : NULL, p + 3 * BLOCK);
		to = to ? to + 4 * BLOCK : NULL;
	}
	for (; n; n--, p += BLOCK) {
		run_add(&a, to, p);
		to = to ? to + BLOCK : NULL;
	}
	a.words += b.words;
	a.high += b.high;
	a.words += a.high - (a.high << 32);
	for (u32 i = 0; i < 4; i++)
		sum += a.words[i];
	return csum_fold64(sum);
}

static inline __attribute__((always_inline)) u64 sum_blocks_any(u8 *to, const u8 *p, u32 blocks)
{
	u64 sum = 0;

	while (blocks) {
		u32 n = min_u32(blocks, RUN_MAX);

		sum += to ? sum_run(to, p, n) : sum_run(NULL, p, n);
		if (to)
			to += (size_t)n * BLOCK;
		p += (size_t)n * BLOCK;
		blocks -= n;
	}
	return sum;
}

static __attribute__((noinline)) u64 sum_blocks(const u8 *p, u32 blocks)
{
	return sum_blocks_any(NULL, p, blocks);
}

static __attribute__((noinline)) u64 copy_blocks(u8 *to, const u8 *p, u32 blocks)
{
	return sum_blocks_any(to, p, blocks);
}

#ifdef __x86_64__
/* The same for machines with wider vectors: a third faster for a full frame. */
static __attribute__((noinline, target("avx2"))) u64 sum_blocks_avx2(const u8 *p, u32 blocks)
{
	return sum_blocks_any(NULL, p, blocks);
}

static __attribute__((noinline, target("avx2"))) u64 copy_blocks_avx2(u8 *to, const u8 *p,
								      u32 blocks)
{
	return sum_blocks_any(to, p, blocks);
}

static inline bool wide(void)
{
	return __builtin_cpu_supports("avx2");
}
#else
#define sum_blocks_avx2	 sum_blocks
#define copy_blocks_avx2 copy_blocks

static inline bool wide(void)
{
	return false;
}
#endif

/* Adds fewer than some tens of bytes. */
static inline __attribute__((always_inline)) u32 sum_tail(const u8 *p, u32 len, u64 s)
{
	for (; len >= 8; len -= 8, p += 8)
		s = add64(s, load64(p));
	if (len)
		s = add64(s, sum_rest(p, len));
	return csum_fold64(s);
}

u32 csum_partial(const u8 *p, u32 len, u32 sum)
{
	u64 s = sum;

	if (len >= 2 * BLOCK) {
		s += (wide() ? sum_blocks_avx2 : sum_blocks)(p, len / BLOCK);
		p += len & ~(BLOCK - 1);
		len &= BLOCK - 1;
	}
	return sum_tail(p, len, s);
}

/* sum_tail() while copying. */
static inline __attribute__((always_inline)) u32 copy_tail(u8 *to, const u8 *p, u32 len, u64 s)
{
	for (; len >= 8; len -= 8, p += 8, to += 8) {
		u64 v = load64(p);

		memcpy(to, &v, 8);
		s = add64(s, v);
	}
	if (len) {
		memmove(to, p, len);
		s = add64(s, sum_rest(to, len));
	}
	return csum_fold64(s);
}

u32 csum_partial_copy(u8 *dst, const u8 *src, u32 len, u32 sum)
{
	u32 whole = len & ~(BLOCK - 1);
	u64 s = sum;

	if (whole)
		s += (wide() ? copy_blocks_avx2 : copy_blocks)(dst, src, whole / BLOCK);
	return copy_tail(dst + whole, src + whole, len - whole, s);
}

u32 csum_ipv6_nofold(const u8 *saddr, const u8 *daddr, u32 len, u8 proto, u32 sum)
{
	u64 s = csum_partial(saddr, 16, csum_partial(daddr, 16, sum));

	s += htons(proto);
	s += htons((u16)len);
	s += htons((u16)(len >> 16));
	return csum_fold64(s);
}

be16 ip_fast_csum(const u8 *iph, u32 ihl)
{
	u32 last;

	if (ihl == 5) { /* nearly all headers */
		memcpy(&last, iph + 16, 4);
		return csum_fold(csum_fold64(add64(add64(load64(iph), load64(iph + 8)), last)));
	}
	return csum_fold(csum_partial(iph, ihl * 4, 0));
}
