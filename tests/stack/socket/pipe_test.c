/* SPDX-License-Identifier: MIT */
/* The bytes of a pipe and of a file in memory: order, bounds, and what fits where (pipe.c). */
#include "socket/pipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pipe p;
static u8 bytes[PIPE_SIZE + 1];

static int setup(void **state)
{
	(void)state;
	memset(&p, 0, sizeof(p));
	init_waitqueue_head(&p.wq);
	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 31 + (i >> 8));
	return 0;
}

/* No more than fits, and nothing into a full one. */
static void bounds(void **state)
{
	(void)state;
	assert_int_equal(pipe_push(&p, bytes, 0), 0);
	assert_int_equal(pipe_push(&p, bytes, PIPE_SIZE + 1), PIPE_SIZE);
	assert_int_equal(pipe_push(&p, bytes, 1), 0);
	assert_int_equal(p.len, PIPE_SIZE);
	assert_memory_equal(pipe_peek(&p), bytes, PIPE_SIZE);
	pipe_pop(&p, PIPE_SIZE);
	assert_int_equal(p.len, 0);
	assert_int_equal(pipe_push(&p, bytes, PIPE_SIZE), PIPE_SIZE);
}

/* Pushed and popped in pieces of all sizes, for longer than the buffer: first in, first out. */
static void order(void **state)
{
	u32 in = 0, out = 0;

	(void)state;
	for (u32 step = 1; out < 5 * PIPE_SIZE; step = (step * 7 + 3) % 9973) {
		u32 n = step % (PIPE_SIZE - in % PIPE_SIZE) + 1;

		in += pipe_push(&p, bytes + in % PIPE_SIZE, min_u32(n, PIPE_SIZE - in % PIPE_SIZE));
		n = min_u32(p.len, (step * 13) % 8191);
		for (u32 i = 0; i < n; i++)
			assert_int_equal(pipe_peek(&p)[i], bytes[(out + i) % PIPE_SIZE]);
		pipe_pop(&p, n);
		out += n;
		assert_int_equal(p.len, in - out);
		assert_true(p.head + p.len <= PIPE_SIZE);
	}
}

/* The room is in one piece, and all that there is. */
static void room(void **state)
{
	u32 n;
	u8 *to;

	(void)state;
	assert_int_equal(pipe_push(&p, bytes, PIPE_SIZE - 10), PIPE_SIZE - 10);
	pipe_pop(&p, 1000);
	to = pipe_room(&p, &n);
	assert_int_equal(n, 1010);
	memcpy(to, bytes, n);
	pipe_commit(&p, n);
	assert_int_equal(p.len, PIPE_SIZE);
	assert_memory_equal(pipe_peek(&p), bytes + 1000, PIPE_SIZE - 1010);
	assert_memory_equal(pipe_peek(&p) + PIPE_SIZE - 1010, bytes, 1010);
	(void)pipe_room(&p, &n);
	assert_int_equal(n, 0);
}

static void file_in_memory(void **state)
{
	struct memfile *m = calloc(1, sizeof(*m) + 100);
	const u8 *at;

	(void)state;
	assert_non_null(m);
	m->len = 100;
	memcpy(m->data, bytes, 100);
	assert_int_equal(memfile_at(m, 0, 1000, &at), 100);
	assert_ptr_equal(at, m->data);
	assert_int_equal(memfile_at(m, 99, 5, &at), 1);
	assert_int_equal(*at, bytes[99]);
	assert_int_equal(memfile_at(m, 100, 5, &at), 0);
	assert_int_equal(memfile_at(m, UINT64_MAX, 5, &at), 0);
	m->endless = true;
	assert_true(memfile_at(m, 100, 5, &at) > 0);
	assert_true(memfile_at(m, 1ull << 40, 5, &at) > 0);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bounds, setup),
		cmocka_unit_test_setup(order, setup),
		cmocka_unit_test_setup(room, setup),
		cmocka_unit_test(file_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
