/* SPDX-License-Identifier: MIT */
/* The memory account: declared sizes, limit, n-th failure, reuse; and, under AddressSanitizer, that
 * misuse is reported. */
#include "stack/bare_world.h"

#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/poison.h"

static void declared_sizes_are_accounted(void **state)
{
	struct world *w = bare_world(1);
	void *p = mem_alloc(w, MEM_SKB, 300);
	void *q = mem_alloc_n(w, MEM_FDTABLE, 64, sizeof(void *));

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	assert_int_equal(w->mem.bytes, 232 + 64 * 8);
	assert_int_equal(w->mem.objects, 2);
	assert_int_equal(mem_count(w, MEM_SKB), 1);
	mem_free(w, MEM_SKB, p, 300);
	mem_free_n(w, MEM_FDTABLE, q, 64, sizeof(void *));
	assert_int_equal(w->mem.peak, 232 + 64 * 8);
	bare_world_end(w);
}

/* Each size has a free list of its own: what is given back comes again for the same size, and is
 * given for no other. */
static void every_size_has_its_free_list(void **state)
{
	struct world *w = bare_world(1);
	struct mem_account before = w->mem;
#ifdef TAPLINE_ASAN
	const size_t max = BARE_ARENA / 64; /* a block is not used again at once */
#else
	const size_t max = BARE_ARENA / 4;
#endif

	(void)state;
	for (size_t size = 1; size <= max; size = size * 5 / 4 + 1) {
		void *p = mem_alloc_n(w, MEM_MISC, 1, size), *q;

		assert_non_null(p);
		memset(p, 0xff, size);
		mem_free_n(w, MEM_MISC, p, 1, size);
		q = mem_alloc_n(w, MEM_MISC, 1, size);
		assert_non_null(q);
		mem_free_n(w, MEM_MISC, q, 1, size);
		/* What lies behind the lists is still as it was. */
		assert_ptr_equal(w->mem.base, before.base);
		assert_ptr_equal(w->mem.end, before.end);
#ifndef TAPLINE_ASAN
		assert_ptr_equal(p, q);
		w->mem.brk = before.brk;
		memset(w->mem.free, 0, sizeof(w->mem.free));
#endif
	}
	bare_world_end(w);
}

static void the_limit_refuses(void **state)
{
	struct world *w = bare_world(1);
	void *p;

	(void)state;
	w->mem.limit = 1000;
	p = mem_alloc_n(w, MEM_MISC, 1000, 1);
	assert_non_null(p);
	assert_null(mem_alloc_n(w, MEM_MISC, 1, 1));
	assert_int_equal(w->mem.failed, 1);
	mem_free_n(w, MEM_MISC, p, 1000, 1);
	bare_world_end(w);
}

static void the_nth_allocation_fails_once(void **state)
{
	struct world *w = bare_world(1);
	void *p[5];

	(void)state;
	fault_plant(w, FAULT_ALLOC, 2, 1);
	for (u32 i = 0; i < 5; i++)
		p[i] = mem_alloc(w, MEM_WAIT, 40);
	assert_non_null(p[0]);
	assert_non_null(p[1]);
	assert_null(p[2]);
	assert_non_null(p[3]);
	assert_non_null(p[4]);
	for (u32 i = 0; i < 5; i++)
		mem_free(w, MEM_WAIT, p[i], 40);
	bare_world_end(w);
}

static void blocks_do_not_overlap(void **state)
{
	struct world *w = bare_world(1);
	static u8 *p[400];
	static size_t size[400];

	(void)state;
	for (u32 round = 0; round < 4000; round++) {
		u32 i = get_random_u32_below(w, RANDOM_WIRE, 400);

		if (p[i]) {
			for (size_t k = 0; k < size[i]; k++)
				assert_int_equal(p[i][k], (u8)i);
			mem_free_n(w, MEM_MISC, p[i], size[i], 1);
			p[i] = NULL;
			continue;
		}
		size[i] = get_random_u32_below(w, RANDOM_WIRE, 5000) + 1;
		p[i] = mem_alloc_n(w, MEM_MISC, size[i], 1);
		if (p[i])
			memset(p[i], (int)(u8)i, size[i]);
	}
	for (u32 i = 0; i < 400; i++)
		if (p[i])
			mem_free_n(w, MEM_MISC, p[i], size[i], 1);
	bare_world_end(w);
}

/* Does the misuse kill a child process? */
static bool dies(void (*misuse)(struct world *w))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct world *w = bare_world(1);

		if (!freopen("/dev/null", "w", stderr))
			_exit(0);
		misuse(w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static volatile u8 sink;

static void over_read(struct world *w)
{
	u8 *p = mem_alloc_n(w, MEM_MISC, 100, 1);

	sink = p[100 + 8];
}

static void use_after_free(struct world *w)
{
	u8 *p = mem_alloc_n(w, MEM_MISC, 100, 1);

	mem_free_n(w, MEM_MISC, p, 100, 1);
	sink = p[50];
}

static void double_free(struct world *w)
{
	u8 *p = mem_alloc_n(w, MEM_MISC, 100, 1);
	u8 *q = mem_alloc_n(w, MEM_MISC, 100, 1);

	sink = q[0];
	mem_free_n(w, MEM_MISC, p, 100, 1);
	mem_free_n(w, MEM_MISC, p, 100, 1);
}

static void misuse_is_reported_by_the_sanitizer(void **state)
{
	(void)state;
#ifdef TAPLINE_ASAN
	assert_true(dies(over_read));
	assert_true(dies(use_after_free));
	assert_true(dies(double_free));
#else
	(void)dies;
	(void)over_read;
	(void)use_after_free;
	(void)double_free;
	skip();
#endif
}

/* A table that grew leaves its old place to small blocks: the arena does not get larger for them.
 */
static void small_blocks_are_cut_from_freed_tables(void **state)
{
#ifdef TAPLINE_ASAN
	(void)state;
	skip(); /* freed blocks wait */
#else
	struct world *w = bare_world(1);
	const u32 table = 128 * 1024, block = 1216, count = table / block;
	void *small[256];
	u8 *old = mem_alloc_n(w, MEM_MISC, table, 1), *brk;
	void *grown = mem_alloc_n(w, MEM_MISC, 2, table);

	(void)state;
	assert_in_range(count, 1, 256);
	mem_free_n(w, MEM_MISC, old, table, 1);
	brk = w->mem.brk;
	w->mem.spare_look = brk;
	for (u32 i = 0; i < count; i++) {
		small[i] = mem_alloc(w, MEM_MISC, block);
		assert_ptr_equal(small[i], old + (size_t)i * block);
	}
	assert_ptr_equal(w->mem.brk, brk);
	/* The table's place is gone: one of its size is new. */
	old = mem_alloc_n(w, MEM_MISC, table, 1);
	assert_true(old >= brk);
	mem_free_n(w, MEM_MISC, old, table, 1);
	mem_free_n(w, MEM_MISC, grown, 2, table);
	for (u32 i = 0; i < count; i++)
		mem_free(w, MEM_MISC, small[i], block);
	bare_world_end(w);
#endif
}

/* So does one that its owner says it has outgrown, from a page on; it is off the account at once.
 */
static void small_blocks_are_cut_from_outgrown_tables(void **state)
{
	struct world *w = bare_world(1);
	const u32 table = 4096;
	u8 *old = mem_alloc_n(w, MEM_MISC, table, 1), *tiny = mem_alloc_n(w, MEM_MISC, 64, 1), *p;

	(void)state;
	mem_recycle_n(w, MEM_MISC, old, table, 1);
	mem_recycle_n(w, MEM_MISC, tiny, 64, 1);
	assert_int_equal(mem_count(w, MEM_MISC), 0);
	p = mem_alloc(w, MEM_MISC, 944);
#ifndef TAPLINE_ASAN
	assert_ptr_equal(p, old);
	assert_null(w->mem.recycled);
#endif
	mem_free(w, MEM_MISC, p, 944);
	bare_world_end(w);
}

/* What lies in another object counts, and is refused, as if it did not. */
static void parts_are_charged(void **state)
{
	struct world *w = bare_world(1);
	u64 before = w->mem.bytes;
	void *p;

	(void)state;
	assert_true(mem_charge(w, MEM_BIND_BUCKET));
	assert_int_equal(w->mem.bytes, before + 128);
	assert_int_equal(mem_count(w, MEM_BIND_BUCKET), 1);
	w->mem.limit = w->mem.bytes + 127;
	assert_false(mem_charge(w, MEM_BIND_BUCKET));
	/* A block of its own for it costs no more. */
	p = mem_alloc_charged(w, 40);
	assert_non_null(p);
	mem_free_charged(w, p, 40);
	p = mem_alloc_charged(w, 40);
	mem_free(w, MEM_BIND_BUCKET, p, 40);
	assert_int_equal(mem_count(w, MEM_BIND_BUCKET), 0);
	w->mem.limit = 0;
	assert_true(mem_charge(w, MEM_BIND_BUCKET));
	mem_uncharge(w, MEM_BIND_BUCKET);
	assert_int_equal(w->mem.bytes, before);
	bare_world_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(declared_sizes_are_accounted),
		cmocka_unit_test(every_size_has_its_free_list),
		cmocka_unit_test(small_blocks_are_cut_from_freed_tables),
		cmocka_unit_test(small_blocks_are_cut_from_outgrown_tables),
		cmocka_unit_test(parts_are_charged),
		cmocka_unit_test(the_limit_refuses),
		cmocka_unit_test(the_nth_allocation_fails_once),
		cmocka_unit_test(blocks_do_not_overlap),
		cmocka_unit_test(misuse_is_reported_by_the_sanitizer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
