/* SPDX-License-Identifier: MIT */
/* sk_buff: every way of reading, pulling, cutting, sharing and growing, over linear and scattered
 * packets, against a flat copy. */
#include "stack/bare_world.h"

#include "lib/checksum.h"
#include "skb/skbuff.h"

static void put_random(struct world *w, struct sk_buff *skb, u32 len, u8 *flat)
{
	u8 *p = skb_put(skb, len);

	for (u32 i = 0; i < len; i++)
		flat[i] = p[i] = (u8)get_random_u32(w, RANDOM_WIRE);
}

static void add_page(struct world *w, struct sk_buff *skb, u32 len, u8 *flat)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct skb_page *page = mem_alloc_n(w, MEM_SKB_DATA, 1, sizeof(*page));

	page->refs = 1;
	page->size = len + 8;
	page->bytes = mem_alloc_n(w, MEM_SKB_DATA, page->size, 1);
	for (u32 i = 0; i < len; i++)
		flat[i] = page->bytes[4 + i] = (u8)get_random_u32(w, RANDOM_WIRE);
	shinfo->frags[shinfo->nr_frags++] = (struct skb_frag){ page, 4, len };
	skb->len += len;
	skb->data_len += len;
}

/* A packet of up to a linear part, two pages and two listed packets; its bytes in flat. */
static struct sk_buff *scattered(struct world *w, u8 *flat, u32 *len)
{
	struct sk_buff *skb = alloc_skb(w, 256);
	struct sk_buff **link = &skb_shinfo(skb)->frag_list;
	u32 at = 1 + get_random_u32_below(w, RANDOM_WIRE, 60);

	skb_reserve(skb, 32);
	put_random(w, skb, at, flat);
	for (u32 i = get_random_u32_below(w, RANDOM_WIRE, 3); i; i--) {
		u32 n = 1 + get_random_u32_below(w, RANDOM_WIRE, 50);

		add_page(w, skb, n, flat + at);
		at += n;
	}
	for (u32 i = get_random_u32_below(w, RANDOM_WIRE, 3); i; i--) {
		u32 n = 1 + get_random_u32_below(w, RANDOM_WIRE, 40);
		struct sk_buff *part = alloc_skb(w, 64);

		put_random(w, part, n, flat + at);
		if (get_random_u32_below(w, RANDOM_WIRE, 2))
			add_page(w, part, 9, flat + at + n);
		*link = part;
		link = &part->next;
		skb->len += part->len;
		skb->data_len += part->len;
		at += part->len;
	}
	*len = at;
	assert_int_equal(skb->len, at);
	return skb;
}

static void assert_holds(const struct sk_buff *skb, const u8 *flat, u32 len)
{
	u8 out[512];

	assert_int_equal(skb->len, len);
	assert_true(skb_copy_bits(skb, 0, out, len));
	assert_memory_equal(out, flat, len);
	assert_false(skb_copy_bits(skb, 1, out, len));
}

static void random_operations_match_a_flat_copy(void **state)
{
	struct world *w = bare_world(11);

	(void)state;
	for (u32 n = 0; n < 20000; n++) {
		u8 buf[512], out[512], *flat = buf;
		u32 len, sum = 0;
		struct sk_buff *skb = scattered(w, flat, &len), *other = NULL;
		u32 off = get_random_u32_below(w, RANDOM_WIRE, len);
		u32 part = get_random_u32_below(w, RANDOM_WIRE, len - off + 1);

		if (n & 1)
			other = skb_clone(skb);
		assert_holds(skb, flat, len);
		assert_true(skb_copy_and_csum_bits(skb, off, out, part, &sum));
		assert_memory_equal(out, flat + off, part);
		assert_int_equal(csum_fold(sum), csum_fold(csum_partial(out, part, 0)));
		assert_int_equal(csum_fold(skb_checksum(skb, off, part, 0)), csum_fold(sum));
		assert_true(pskb_may_pull(skb, off));
		assert_false(pskb_may_pull(skb, len + 1));
		assert_memory_equal(skb->data, flat, off);
		assert_holds(skb, flat, len);
		skb_pull(skb, off);
		assert_holds(skb, flat + off, len - off);
		assert_int_equal(pskb_trim(skb, part), 0);
		assert_holds(skb, flat + off, part);
		if (n % 3 == 0)
			assert_int_equal(skb_linearize(skb), 0);
		if (n % 5 == 0)
			assert_int_equal(skb_cow_head(skb, 100), 0);
		assert_holds(skb, flat + off, part);
		if (n % 7 == 0) {
			struct sk_buff *copy = skb_copy(skb);

			assert_holds(copy, flat + off, part);
			assert_false(skb_is_nonlinear(copy));
			consume_skb(copy);
		}
		/* Whatever was done to the one, the clone has all its bytes. */
		if (other)
			assert_holds(other, flat, len);
		consume_skb(skb);
		if (other) {
			assert_holds(other, flat, len);
			consume_skb(other);
		}
		assert_int_equal(w->mem.objects, 0);
	}
	bare_world_end(w);
}

static void a_write_to_a_clone_leaves_the_original(void **state)
{
	struct world *w = bare_world(1);
	struct sk_buff *skb = alloc_skb(w, 128), *n;
	u8 flat[64];

	(void)state;
	skb_reserve(skb, 40);
	put_random(w, skb, 64, flat);
	n = skb_clone(skb);
	assert_true(skb_cloned(skb));
	assert_true(skb_cloned(n));
	assert_int_equal(skb_cow_head(n, 8), 0);
	assert_false(skb_cloned(n));
	assert_false(skb_cloned(skb));
	skb_push(n, 8)[0] = 0xaa;
	n->data[8] = (u8)~flat[0];
	assert_int_equal(skb->data[0], flat[0]);
	consume_skb(n);
	consume_skb(skb);
	bare_world_end(w);
}

static void allocation_failures_leave_nothing_behind(void **state)
{
	struct world *w = bare_world(1);

	(void)state;
	for (u32 nth = 0; nth < 12; nth++) {
		u8 flat[512];
		u32 len;
		struct sk_buff *skb = scattered(w, flat, &len), *clone, *copy;

		fault_plant(w, FAULT_ALLOC, nth, 1);
		clone = skb_clone(skb);
		copy = skb_copy(skb);
		if (skb_cow_head(skb, 200) == 0)
			assert_true(skb_headroom(skb) >= 200);
		(void)skb_linearize(skb);
		assert_holds(skb, flat, len);
		w->fault.armed = 0;
		consume_skb(clone);
		consume_skb(copy);
		consume_skb(skb);
		assert_int_equal(w->mem.objects, 0);
	}
	bare_world_end(w);
}

static void checksum_help_fills_the_field(void **state)
{
	struct world *w = bare_world(2);
	struct sk_buff *skb = alloc_skb(w, 128);
	u8 flat[48];

	(void)state;
	skb_reserve(skb, 16);
	put_random(w, skb, 48, flat);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = 16 + 20;
	skb->csum_offset = 6;
	store_be16(skb->data + 26, 0);
	assert_int_equal(skb_checksum_help(skb), 0);
	assert_int_equal(skb->ip_summed, CHECKSUM_NONE);
	assert_int_equal(csum_fold(csum_partial(skb->data + 20, 28, 0)), 0);
	consume_skb(skb);
	bare_world_end(w);
}

static void truesize_is_the_kernels(void **state)
{
	(void)state;
	/* SKB_TRUESIZE of kmalloc'ed areas on x86-64: 64+320 -> 512; 1500+64 -> 1600+320 -> 2048;
	 * head 256. */
	assert_int_equal(skb_truesize(64), 512 + 256);
	assert_int_equal(skb_truesize(1564), 2048 + 256);
	assert_int_equal(skb_truesize(4096), 8192 + 256);
}

static void queues_keep_order(void **state)
{
	struct world *w = bare_world(1);
	struct sk_buff_head q;
	struct sk_buff *a = alloc_skb(w, 1), *b = alloc_skb(w, 1), *c = alloc_skb(w, 1);

	(void)state;
	skb_queue_head_init(&q);
	skb_queue_tail(&q, b);
	skb_queue_tail(&q, c);
	skb_queue_head(&q, a);
	assert_int_equal(q.qlen, 3);
	assert_ptr_equal(skb_peek(&q), a);
	skb_unlink(&q, b);
	assert_ptr_equal(a->next, c);
	assert_ptr_equal(c->prev, a);
	consume_skb(b);
	assert_ptr_equal(skb_dequeue(&q), a);
	consume_skb(a);
	skb_queue_purge_reason(&q, SKB_DROP_REASON_SOCKET_CLOSE);
	assert_null(skb_dequeue(&q));
	bare_world_end(w);
}

/* A clone may have its headers rebuilt in place once the original gave its own up; else they are
 * copied. */
static void headers_are_copied_on_write(void **state)
{
	struct world *w = bare_world(1);
	struct sk_buff *skb = alloc_skb(w, 128), *clone;
	u8 flat[32];

	(void)state;
	skb_reserve(skb, 64);
	put_random(w, skb, 32, flat);
	skb_header_release(skb);
	clone = skb_clone(skb);
	assert_false(skb_header_cloned(clone));
	assert_int_equal(skb_cow_head(clone, 20), 0);
	assert_ptr_equal(clone->head, skb->head);
	consume_skb(clone);
	consume_skb(skb);

	skb = alloc_skb(w, 128);
	skb_reserve(skb, 64);
	put_random(w, skb, 32, flat);
	clone = skb_clone(skb);
	assert_true(skb_header_cloned(clone));
	assert_int_equal(skb_cow_head(clone, 20), 0);
	assert_true(clone->head != skb->head);
	assert_memory_equal(clone->data, flat, 32);
	assert_memory_equal(skb->data, flat, 32);
	consume_skb(clone);
	consume_skb(skb);
	bare_world_end(w);
}

/* What is in front of data survives the growth, and so do the places of the headers. */
static void headroom_grows(void **state)
{
	struct world *w = bare_world(1);
	struct sk_buff *skb = alloc_skb(w, 64);
	u8 flat[40];

	(void)state;
	put_random(w, skb, 40, flat);
	skb_reset_mac_header(skb);
	skb_pull(skb, 14);
	skb_reset_network_header(skb);
	assert_int_equal(skb_cow_head(skb, 100), 0);
	assert_true(skb_headroom(skb) >= 100);
	assert_int_equal(skb_network_header(skb) - skb_mac_header(skb), 14);
	assert_memory_equal(skb_mac_header(skb), flat, 40);
	consume_skb(skb);
	bare_world_end(w);
}

/* Each way to end is counted once; a reference that is not the last counts nothing. */
static void every_end_is_counted(void **state)
{
	struct world *w = bare_world(1);
	struct sk_buff *a = alloc_skb(w, 10), *b = alloc_skb(w, 10), *c = alloc_skb(w, 10);

	(void)state;
	skb_check(w);
	skb_get(a);
	kfree_skb_reason(a, SKB_DROP_REASON_NOMEM);
	assert_int_equal(w->skb_dropped, 0);
	consume_skb(a);
	kfree_skb_reason(b, SKB_DROP_REASON_NOMEM);
	assert_int_equal(w->skb_consumed, 1);
	assert_int_equal(w->skb_dropped, 1);
	skb_check(w);
	skb_part_put(c);
	assert_int_equal(w->skb_absorbed, 1);
	skb_check(w);
	bare_world_end(w);
}

static void a_new_head_keeps_what_the_area_knew(void **state)
{
	struct world *w = bare_world(1);
	struct sk_buff *skb = alloc_skb(w, 64);

	(void)state;
	skb_put(skb, 10);
	skb_shinfo(skb)->hwtstamp = 12345;
	skb_shinfo(skb)->tskey = 6;
	skb_shinfo(skb)->tx_flags = 7;
	assert_int_equal(pskb_expand_head(skb, 32, 500), 0);
	assert_int_equal(skb_shinfo(skb)->hwtstamp, 12345);
	assert_int_equal(skb_shinfo(skb)->tskey, 6);
	assert_int_equal(skb_shinfo(skb)->tx_flags, 7);
	consume_skb(skb);
	bare_world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_match_a_flat_copy),
		cmocka_unit_test(a_write_to_a_clone_leaves_the_original),
		cmocka_unit_test(allocation_failures_leave_nothing_behind),
		cmocka_unit_test(checksum_help_fills_the_field),
		cmocka_unit_test(truesize_is_the_kernels),
		cmocka_unit_test(queues_keep_order),
		cmocka_unit_test(headers_are_copied_on_write),
		cmocka_unit_test(headroom_grows),
		cmocka_unit_test(every_end_is_counted),
		cmocka_unit_test(a_new_head_keeps_what_the_area_knew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
