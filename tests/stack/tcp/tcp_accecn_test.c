/* SPDX-License-Identifier: MIT */
/*
 * Accurate ECN without a connection: how the codepoint of a SYN comes back in ACE (RFC
 * 9768 3.2.2.1, table 2) and what of it is believed, the option's counters (3.2.3), and how many of
 * them fit: the option has at least the fields that must go, or is left out (tcp_accecn_opt.c).
 */
#include "tcp/tcp_accecn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/tcp_output.h"

#define ROOM_MAX 40u

/* ---- ACE of the handshake ---- */

static void codepoint_comes_back(void **state)
{
	/* Not-ECT, ECT(1), ECT(0), CE: AE, CWR, ECE */
	static const u16 flags[4] = { TCPHDR_CWR, TCPHDR_CWR | TCPHDR_ECE, TCPHDR_AE,
				      TCPHDR_AE | TCPHDR_CWR };

	(void)state;
	for (u8 ect = 0; ect < 4; ect++)
		assert_int_equal(tcp_accecn_reflector_flags(ect), flags[ect]);
}

/* ACE that tells of a codepoint. */
static u8 ace_of(u8 ect)
{
	static const u8 ace[4] = { 2, 3, 4, 6 };

	return ace[ect];
}

static void only_marks_may_change(void **state)
{
	/* sent, as it came: may a network do that? */
	static const bool valid[4][4] = {
		{ true, false, false, false }, /* Not-ECT */
		{ false, true, true, true }, /* ECT(1) */
		{ false, true, true, true }, /* ECT(0) */
		{ false, false, false, true }, /* CE */
	};
	static struct net net;

	(void)state;
	for (u8 sent = 0; sent < 4; sent++) {
		for (u8 came = 0; came < 4; came++) {
			struct tcp_accecn acc = { 0 };

			net.sysctl.tcp_ecn_fallback = 1;
			assert_int_equal(tcp_accecn_validate_syn_feedback(&net, &acc, ace_of(came),
									  sent),
					 valid[sent][came]);
			assert_int_equal(acc.fail_mode != 0, !valid[sent][came]);
			acc.fail_mode = 0;
			net.sysctl.tcp_ecn_fallback = 0;
			assert_true(
				tcp_accecn_validate_syn_feedback(&net, &acc, ace_of(came), sent));
			assert_int_equal(acc.fail_mode, 0);
		}
	}
}

/* ---- the option ---- */

static void counters_are_written(void **state)
{
	/* ECT(1), ECT(0), CE; those of ECT begin with 1, and all go on at 0 behind 2^24. */
	const struct tcp_accecn acc = { .received_bytes = { 0x10203, 0xffffff, 0x1abcdef } };
	const u8 want[11] = { TCPOPT_ACCECN1, 11, 1, 2, 4, 0xab, 0xcd, 0xef, 0, 0, 0 };
	u8 p[12];

	(void)state;
	for (u32 fields = 0; fields <= 3; fields++) {
		u32 len = TCPOLEN_ACCECN_BASE + fields * TCPOLEN_ACCECN_PERFIELD;

		memset(p, 0xee, sizeof(p));
		assert_int_equal(tcp_accecn_write(p, fields, &acc), len);
		assert_int_equal(p[0], TCPOPT_ACCECN1);
		assert_int_equal(p[1], len);
		assert_memory_equal(p + 2, want + 2, len - 2);
		assert_int_equal(p[len], 0xee);
	}
	assert_int_equal(tcp_accecn_write(p, 3, NULL), 11);
	assert_memory_equal(p + 2, ((const u8[9]){ 0, 0, 1, 0, 0, 0, 0, 0, 1 }), 9);
}

static void first_option_is_judged(void **state)
{
	static const struct {
		u8 option[11], saw;
	} cases[] = {
		{ { 174, 2 }, TCP_ACCECN_OPT_EMPTY_SEEN },
		{ { 174, 5, 0, 0, 1 }, TCP_ACCECN_OPT_COUNTER_SEEN },
		{ { 174, 5, 0, 0, 0 }, TCP_ACCECN_OPT_FAIL_SEEN },
		{ { 174, 8, 0, 0, 1, 0, 0, 0 }, TCP_ACCECN_OPT_COUNTER_SEEN },
		{ { 174, 11, 0, 0, 1, 0, 0, 0, 0, 0, 1 }, TCP_ACCECN_OPT_COUNTER_SEEN },
		{ { 174, 11, 0, 0, 1, 0, 0, 0, 0, 0, 0 }, TCP_ACCECN_OPT_FAIL_SEEN },
		{ { 174, 11, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, TCP_ACCECN_OPT_FAIL_SEEN },
	};

	(void)state;
	for (u32 i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tcp_accecn acc = { 0 };
		u8 th[TCP_HLEN + 11] = { 0 };

		memcpy(th + TCP_HLEN, cases[i].option, 11);
		assert_int_equal(tcp_accecn_option_init(th, TCP_HLEN), cases[i].saw);
		tcp_accecn_saw_opt(&acc, cases[i].saw);
		assert_int_equal(acc.saw_opt, cases[i].saw);
		/* What a middlebox wrote is not believed any more. */
		assert_int_equal(acc.fail_mode != 0, cases[i].saw == TCP_ACCECN_OPT_FAIL_SEEN);
	}
}

/* ---- room ---- */

/* All that must hold of one answer. */
static void check_fit(const struct tcp_out_options *before, u32 required, u32 room)
{
	struct tcp_out_options opts = *before;
	s32 size = (s32)tcp_accecn_fit(&opts, required, room);
	s32 blocks = before->num_sack_blocks - opts.num_sack_blocks;

	if (!(opts.options & OPTION_ACCECN)) {
		assert_int_equal(size, 0);
		assert_int_equal(blocks, 0);
		return;
	}
	assert_true(opts.num_accecn_fields >= required && opts.num_accecn_fields <= 3);
	assert_int_equal(size & 3, 0);
	assert_true(size <= (s32)room);
	/* Blocks give way to what must go only, and two stay. */
	assert_true(blocks == 0 || (required && opts.num_sack_blocks >= 2));
	assert_true(blocks * 8 + size >=
		    (s32)(TCPOLEN_ACCECN_BASE + opts.num_accecn_fields * 3) - 2);
}

static void what_must_go_or_nothing(void **state)
{
	(void)state;
	for (u32 blocks = 0; blocks <= 4; blocks++) {
		for (u32 required = 0; required <= 3; required++) {
			for (u32 room = 0; room <= ROOM_MAX; room += 4) {
				const struct tcp_out_options opts = {
					.num_sack_blocks = (u8)blocks,
				};

				check_fit(&opts, required, room);
			}
		}
	}
}

static void all_counters_where_there_is_room(void **state)
{
	struct tcp_out_options opts = { 0 };

	(void)state;
	assert_int_equal(tcp_accecn_fit(&opts, 0, ROOM_MAX), 12);
	assert_int_equal(opts.num_accecn_fields, 3);
	/* Eight bytes: two of them, beside three blocks of SACK. */
	opts = (struct tcp_out_options){ .num_sack_blocks = 3 };
	assert_int_equal(tcp_accecn_fit(&opts, 1, 8), 8);
	assert_int_equal(opts.num_accecn_fields, 2);
	assert_int_equal(opts.num_sack_blocks, 3);
	/* One that must go takes the place of a block. */
	opts = (struct tcp_out_options){ .num_sack_blocks = 3 };
	assert_int_equal((s32)tcp_accecn_fit(&opts, 1, 0), 0);
	assert_true(opts.options & OPTION_ACCECN);
	assert_int_equal(opts.num_sack_blocks, 2);
	assert_int_equal(opts.num_accecn_fields, 2);
}

/* What a SYN-ACK's option is said to take is what it takes. */
static void size_is_what_is_written(void **state)
{
	static const u16 bits[] = { OPTION_MSS, OPTION_SACK_ADVERTISE, OPTION_TS, OPTION_WSCALE };
	u8 th[TCP_HLEN + 64];

	(void)state;
	for (u32 set = 0; set < 16; set++) {
		struct tcp_out_options opts = { .accecn_synack = true, .mss = 1460 };
		u32 size, len;

		for (u32 i = 0; i < 4; i++)
			opts.options |= set >> i & 1 ? bits[i] : 0;
		memset(th, 0, sizeof(th));
		len = tcp_options_write(th, NULL, &opts);
		size = tcp_accecn_fit(&opts, 0, ROOM_MAX - len);
		assert_true(opts.options & OPTION_ACCECN);
		assert_int_equal(tcp_options_write(th, NULL, &opts), len + size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codepoint_comes_back),
		cmocka_unit_test(only_marks_may_change),
		cmocka_unit_test(counters_are_written),
		cmocka_unit_test(first_option_is_judged),
		cmocka_unit_test(what_must_go_or_nothing),
		cmocka_unit_test(all_counters_where_there_is_room),
		cmocka_unit_test(size_is_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
