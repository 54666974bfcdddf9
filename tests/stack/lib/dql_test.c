/* SPDX-License-Identifier: MIT */
/* Dynamic queue limits: up when the queue ran dry, down by the slack, within what was set, across
 * the wrap of its counters. */
#include "lib/dql.h"

#include "lib/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void starves_and_grows(void **state)
{
	struct dql d;

	(void)state;
	dql_init(&d, 1000);
	assert_int_equal(dql_avail(&d), 0);
	/* Nothing is known: one packet goes, more would. It runs dry at the limit of 0. */
	dql_queued(&d, 1500);
	assert_true(dql_avail(&d) < 0);
	dql_completed(&d, 1500, 1);
	assert_true(d.limit >= 1500);
	assert_int_equal(dql_avail(&d), (s32)d.limit);
	for (u32 i = 0; i < 4; i++) {
		u32 before = d.limit;

		dql_queued(&d, before + 1500);
		dql_completed(&d, before + 1500, 2 + i);
		assert_true(d.limit > before);
	}
}

static void slack_is_taken_back(void **state)
{
	struct dql d;
	u64 now = 0;

	(void)state;
	dql_init(&d, 10);
	d.limit = 60000;
	d.adj_limit = 60000;
	/* 3000 bytes complete at a time and there is always more: twice that is enough. */
	for (u32 i = 0; i < 400; i++, now += 2) {
		while (dql_avail(&d) >= 0)
			dql_queued(&d, 1500);
		dql_completed(&d, min_u32(3000, d.num_queued - d.num_completed), now);
	}
	assert_in_range(d.limit, 1500, 9000);
}

static void within_limits_and_over_the_wrap(void **state)
{
	struct dql d;

	(void)state;
	dql_init(&d, 1000);
	d.max_limit = 3000;
	d.min_limit = 1000;
	dql_reset(&d, 0);
	assert_int_equal(d.limit, 1000);
	d.num_queued = d.num_completed = d.prev_num_queued = UINT32_MAX - 100;
	d.adj_limit = d.num_completed + d.limit;
	for (u32 i = 0; i < 10; i++) {
		dql_queued(&d, 9000);
		dql_completed(&d, 9000, i);
		assert_true(d.limit <= 3000 && d.limit >= 1000);
		assert_int_equal(dql_avail(&d), (s32)d.limit);
	}
	assert_int_equal(d.limit, 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starves_and_grows),
		cmocka_unit_test(slack_is_taken_back),
		cmocka_unit_test(within_limits_and_over_the_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
