/* SPDX-License-Identifier: MIT */
/*
 * Several segments for one script packet, and the reverse (harness/packetdrill/segments.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "packetdrill/script.h"
#include "packetdrill/segments.h"

#define A PD_TCP_ACK
#define P (PD_TCP_ACK | PD_TCP_PSH)
#define F (PD_TCP_ACK | PD_TCP_FIN)

static enum pd_segment_result match(struct pd_segment *want, struct pd_segment got, bool first,
				    bool strict, u32 *taken)
{
	*taken = 0;
	return pd_segment_match(want, &got, first, strict, taken);
}

static void one_to_one(void **state)
{
	struct pd_segment want = { 1, 1000, P };
	u32 taken;

	(void)state;
	assert_int_equal(match(&want, (struct pd_segment){ 1, 1000, P }, true, true, &taken),
			 PD_SEGMENT_WHOLE);
	assert_int_equal(match(&want, (struct pd_segment){ 1, 1000, A }, true, false, &taken),
			 PD_SEGMENT_DIFFERS);
	assert_int_equal(match(&want, (struct pd_segment){ 2, 1000, P }, true, false, &taken),
			 PD_SEGMENT_DIFFERS);
}

static void pieces_make_a_whole(void **state)
{
	struct pd_segment want = { 1, 3000, P };
	u32 taken;

	(void)state;
	assert_int_equal(match(&want, (struct pd_segment){ 1, 1000, A }, true, false, &taken),
			 PD_SEGMENT_PART);
	/* What Linux hands down for GSO has a PSH of its own. */
	assert_int_equal(match(&want, (struct pd_segment){ 1001, 1000, P }, false, false, &taken),
			 PD_SEGMENT_PART);
	assert_int_equal(want.seq, 2001);
	assert_int_equal(want.len, 1000);
	/* The last one has the script's flags. */
	assert_int_equal(match(&want, (struct pd_segment){ 2001, 1000, A }, false, false, &taken),
			 PD_SEGMENT_DIFFERS);
	assert_int_equal(match(&want, (struct pd_segment){ 2001, 1000, P }, false, false, &taken),
			 PD_SEGMENT_WHOLE);
}

static void fin_and_cwr_of_pieces(void **state)
{
	struct pd_segment want = { 1, 2000, F | PD_TCP_CWR };
	u32 taken;

	(void)state;
	assert_int_equal(match(&want, (struct pd_segment){ 1, 1000, F | PD_TCP_CWR }, true, false,
			       &taken),
			 PD_SEGMENT_DIFFERS);
	assert_int_equal(match(&want, (struct pd_segment){ 1, 1000, A }, true, false, &taken),
			 PD_SEGMENT_DIFFERS);
	assert_int_equal(match(&want, (struct pd_segment){ 1, 1000, A | PD_TCP_CWR }, true, false,
			       &taken),
			 PD_SEGMENT_PART);
	assert_int_equal(match(&want, (struct pd_segment){ 1001, 1000, F }, false, false, &taken),
			 PD_SEGMENT_WHOLE);
}

static void one_segment_for_several(void **state)
{
	struct pd_segment want = { 1, 1000, A };
	u32 taken;

	(void)state;
	assert_int_equal(match(&want, (struct pd_segment){ 1, 3000, P }, true, false, &taken),
			 PD_SEGMENT_CUT);
	assert_int_equal(taken, 1000);
	/* The head of it can not carry what stands on the last piece. */
	want.flags = P;
	assert_int_equal(match(&want, (struct pd_segment){ 1, 3000, P }, true, false, &taken),
			 PD_SEGMENT_DIFFERS);
}

static void strict_is_one_to_one(void **state)
{
	struct pd_segment want = { 1, 2000, A };
	u32 taken;

	(void)state;
	assert_int_equal(match(&want, (struct pd_segment){ 1, 1000, A }, true, true, &taken),
			 PD_SEGMENT_DIFFERS);
	assert_int_equal(match(&want, (struct pd_segment){ 1, 3000, A }, true, true, &taken),
			 PD_SEGMENT_DIFFERS);
}

static void an_empty_one_is_no_piece(void **state)
{
	struct pd_segment want = { 1, 1000, A }, ack = { 1, 0, A };
	u32 taken;

	(void)state;
	assert_int_equal(match(&want, ack, true, false, &taken), PD_SEGMENT_DIFFERS);
	assert_int_equal(match(&ack, want, true, false, &taken), PD_SEGMENT_DIFFERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_to_one),
		cmocka_unit_test(pieces_make_a_whole),
		cmocka_unit_test(fin_and_cwr_of_pieces),
		cmocka_unit_test(one_segment_for_several),
		cmocka_unit_test(strict_is_one_to_one),
		cmocka_unit_test(an_empty_one_is_no_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
