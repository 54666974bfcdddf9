/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a packet wherever they lie: linear part, frags, frag_list. Reading, pulling into the
 * linear part, cutting, summing (skbuff.h). A packet of more bytes than its linear part is walked
 * by next_piece(), the only function that knows the order of the three.
 */
#include "lib/checksum.h"
#include "lib/poison.h"
#include "skb/skbuff.h"

/* Where a walk over a packet stands. */
struct walk {
	const struct sk_buff *skb; /* whose parts are walked */
	const struct sk_buff *fragment; /* next of the frag_list */
	u32 index; /* next part: 0 the linear one, then frags */
};

/* The next run of bytes in order; false at the end. frag_list members are linear or have frags,
 * never a list of their own. */
static bool next_piece(struct walk *at, u8 **p, u32 *len)
{
	for (;;) {
		const struct skb_shared_info *shinfo = skb_shinfo(at->skb);

		if (at->index == 0) {
			at->index = 1;
			*p = at->skb->data;
			*len = skb_headlen(at->skb);
			if (*len)
				return true;
		}
		if (at->index <= shinfo->nr_frags) {
			const struct skb_frag *f = &shinfo->frags[at->index++ - 1];

			*p = f->page->bytes + f->offset;
			*len = f->len;
			return true;
		}
		if (!at->fragment)
			return false;
		at->skb = at->fragment;
		at->fragment = at->fragment->next;
		at->index = 0;
	}
}

static struct walk walk_begin(const struct sk_buff *skb)
{
	return (struct walk){ .skb = skb, .fragment = skb_shinfo(skb)->frag_list };
}

u32 skb_to_pieces(const struct sk_buff *skb, struct skb_piece to[SKB_PIECES_MAX])
{
	struct walk w = walk_begin(skb);
	u32 n = 0, len;
	u8 *p;

	while (next_piece(&w, &p, &len)) {
		if (n == SKB_PIECES_MAX)
			return 0;
		to[n++] = (struct skb_piece){ p, len };
	}
	return n;
}

/* The bytes [offset, offset+len) in runs; each is given to fn with its place in the range. False:
 * they are not all there. */
static bool for_range(const struct sk_buff *skb, u32 offset, u32 len,
		      void (*fn)(void *ctx, u8 *p, u32 n, u32 at), void *ctx)
{
	struct walk w = walk_begin(skb);
	u32 done = 0, n;
	u8 *p;

	if (offset > skb->len || len > skb->len - offset)
		return false;
	while (done < len) {
		bool more = next_piece(&w, &p, &n);

		ASSERT(more);
		if (offset >= n) {
			offset -= n;
			continue;
		}
		p += offset;
		n = min_u32(n - offset, len - done);
		offset = 0;
		fn(ctx, p, n, done);
		done += n;
	}
	return true;
}

static void piece_out(void *ctx, u8 *p, u32 n, u32 at)
{
	memcpy((u8 *)ctx + at, p, n);
}

bool skb_copy_bits(const struct sk_buff *skb, u32 offset, u8 *to, u32 len)
{
	if (offset <= skb_headlen(skb) && len <= skb_headlen(skb) - offset) {
		if (len)
			memcpy(to, skb->data + offset, len);
		return true;
	}
	return for_range(skb, offset, len, piece_out, to);
}

struct source {
	const u8 *from;
};

static void piece_in(void *ctx, u8 *p, u32 n, u32 at)
{
	const struct source *s = ctx;

	memcpy(p, s->from + at, n);
}

bool skb_store_bits(struct sk_buff *skb, u32 offset, const u8 *from, u32 len)
{
	struct source s = { from };

	ASSERT(!skb_cloned(skb));
	return for_range(skb, offset, len, piece_in, &s);
}

const u8 *skb_header_pointer(const struct sk_buff *skb, u32 offset, u32 len, u8 *buffer)
{
	if (offset <= skb_headlen(skb) && len <= skb_headlen(skb) - offset)
		return skb->data + offset;
	return skb_copy_bits(skb, offset, buffer, len) ? buffer : NULL;
}

struct summing {
	u8 *to; /* NULL: no copy */
	u32 sum;
};

static void piece_sum(void *ctx, u8 *p, u32 n, u32 at)
{
	struct summing *s = ctx;
	u32 part = s->to ? csum_partial_copy(s->to + at, p, n, 0) : csum_partial(p, n, 0);

	s->sum = csum_block_add(s->sum, part, at);
}

u32 skb_checksum_pieces(const struct sk_buff *skb, u32 offset, u32 len, u32 sum)
{
	struct summing s = { .sum = sum };
	bool whole;

	whole = for_range(skb, offset, len, piece_sum, &s);
	ASSERT(whole);
	return s.sum;
}

bool skb_copy_and_csum_bits(const struct sk_buff *skb, u32 offset, u8 *to, u32 len, u32 *sum)
{
	struct summing s = { .to = to, .sum = *sum };

	if (!for_range(skb, offset, len, piece_sum, &s))
		return false;
	*sum = s.sum;
	return true;
}

/* Drops `n` bytes from the front of what hangs behind the linear part; they have been copied. */
static void eat_nonlinear(struct sk_buff *skb, u32 n)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	u32 kept = 0;

	skb->data_len -= n;
	for (u32 i = 0; i < shinfo->nr_frags; i++) {
		struct skb_frag *f = &shinfo->frags[i];
		u32 cut = min_u32(n, f->len);

		f->offset += cut;
		f->len -= cut;
		n -= cut;
		if (f->len)
			shinfo->frags[kept++] = *f;
		else
			skb_page_put(skb->world, f->page);
	}
	shinfo->nr_frags = (u8)kept;
	while (n) {
		struct sk_buff *f = shinfo->frag_list;

		ASSERT(f);
		if (f->len > n) {
			ASSERT(!skb_shared(f));
			if (n <= skb_headlen(f)) {
				skb_pull(f, n);
			} else {
				u32 rest = n - skb_headlen(f);

				f->len -= n;
				f->data += n - rest;
				eat_nonlinear(f, rest);
			}
			return;
		}
		n -= f->len;
		shinfo->frag_list = f->next;
		f->next = NULL;
		skb_part_put(f);
	}
}

/* A private area, and members of the frag_list that nobody else holds. */
static int make_private(struct sk_buff *skb, u32 tail_need)
{
	u32 room = skb->end - skb->tail;
	struct sk_buff **link;

	if (skb_cloned(skb) || room < tail_need) {
		int err = pskb_expand_head(skb, 0, tail_need > room ? tail_need - room : 0);

		if (err)
			return err;
	}
	for (link = &skb_shinfo(skb)->frag_list; *link; link = &(*link)->next) {
		struct sk_buff *f = *link, *n;

		if (skb_shared(f)) {
			n = skb_clone(f);
			if (!n)
				return -ENOMEM;
			n->next = f->next;
			*link = n;
			skb_part_put(f);
			f = n;
		}
		/* Its frags may be cut: they must not be another's as well. */
		if (skb_is_nonlinear(f) && skb_cloned(f) && pskb_expand_head(f, 0, 0))
			return -ENOMEM;
	}
	return 0;
}

bool pskb_may_pull_slow(struct sk_buff *skb, u32 len)
{
	u32 head = skb_headlen(skb), need;
	bool whole;
#ifdef TAPLINE_HOSTILE
	u32 truesize = skb->truesize;
#endif

	if (len > skb->len)
		return false;
#ifdef TAPLINE_HOSTILE
	/* A fresh buffer at every pull: pointers kept over it become stale for sure. It is
	 * accounted for as the old one, as what a packet costs of a socket's buffer sets windows.
	 */
	if (!skb_shared(skb) && pskb_expand_head(skb, 0, 0))
		return false;
	skb->truesize = truesize;
#endif
	if (len <= head)
		return true;
	need = len - head;
	if (make_private(skb, need))
		return false;
	unpoison_range(skb_tail_pointer(skb), need);
	whole = skb_copy_bits(skb, head, skb_tail_pointer(skb), need);
	ASSERT(whole);
	eat_nonlinear(skb, need);
	skb->tail += need;
	return true;
}

int skb_linearize(struct sk_buff *skb)
{
	if (!skb_is_nonlinear(skb))
		return 0;
	return pskb_may_pull_slow(skb, skb->len) ? 0 : -ENOMEM;
}

/* Cuts what hangs behind the linear part to `keep` bytes. The area is private. */
static int trim_nonlinear(struct sk_buff *skb, u32 keep)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct sk_buff **link;
	u32 kept = 0;

	skb->data_len = keep;
	for (u32 i = 0; i < shinfo->nr_frags; i++) {
		struct skb_frag *f = &shinfo->frags[i];

		if (!keep) {
			skb_page_put(skb->world, f->page);
			continue;
		}
		f->len = min_u32(f->len, keep);
		keep -= f->len;
		kept++;
	}
	shinfo->nr_frags = (u8)kept;
	for (link = &shinfo->frag_list; *link && keep; link = &(*link)->next) {
		int err = pskb_trim(*link, keep);

		if (err)
			return err;
		keep -= (*link)->len;
	}
	while (*link) {
		struct sk_buff *f = *link;

		*link = f->next;
		f->next = NULL;
		skb_part_put(f);
	}
	return 0;
}

int pskb_trim(struct sk_buff *skb, u32 len)
{
	if (len >= skb->len)
		return 0;
	if (skb_is_nonlinear(skb)) {
		u32 head = skb_headlen(skb);
		int err = make_private(skb, 0);

		if (!err)
			err = trim_nonlinear(skb, len > head ? len - head : 0);
		if (err)
			return err;
		if (len >= head) {
			skb->len = len;
			return 0;
		}
	}
	skb->len = len;
	skb->tail = (u32)(skb->data - skb->head) + len;
	if (!skb_cloned(skb))
		poison_range(skb_tail_pointer(skb), skb->end - skb->tail);
	return 0;
}

int pskb_trim_rcsum(struct sk_buff *skb, u32 len)
{
	if (len >= skb->len)
		return 0;
	if (skb->ip_summed == CHECKSUM_COMPLETE) {
		u32 cut = skb_checksum(skb, len, skb->len - len, 0);

		skb->csum = csum_sub(skb->csum, csum_block_add(0, cut, len));
	}
	return pskb_trim(skb, len);
}

u8 *skb_pull_rcsum(struct sk_buff *skb, u32 len)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_sub(skb->csum, csum_partial(skb->data, len, 0));
	return skb_pull(skb, len);
}

int skb_checksum_help(struct sk_buff *skb)
{
	u32 start = skb->csum_start - skb_headroom(skb);
	u32 end = start + skb->csum_offset + 2u;
	u8 *field;
	be16 sum;
	int err;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return 0;
	ASSERT(end <= skb->len);
	err = skb_ensure_writable(skb, end);
	if (err)
		return err;
	sum = csum_fold(skb_checksum(skb, start, skb->len - start, 0));
	field = skb->head + skb->csum_start + skb->csum_offset;
	/* RFC 768: a computed zero goes out as all ones. For TCP both mean the same. */
	store_be16(field, sum ? sum : 0xffff);
	skb->ip_summed = CHECKSUM_NONE;
	return 0;
}

bool skb_checksum_complete(struct sk_buff *skb, u32 psum)
{
	be16 folded;

	if (skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_PARTIAL ||
	    skb->csum_valid)
		return true;
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		folded = csum_fold(csum_add(skb->csum, psum));
	else
		folded = csum_fold(skb_checksum(skb, 0, skb->len, psum));
	if (folded)
		return false;
	skb->csum_valid = 1;
	return true;
}
