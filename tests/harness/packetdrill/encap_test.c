/* SPDX-License-Identifier: MIT */
/*
 * Encapsulations in scripts: what one end injects is what the other expects, for every kind of
 * header; and each field that differs is a difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packetdrill/bytes.h"

#include <string.h>

/* An end without a world: flow 1000 > 2000, numbers from 0. */
struct end {
	struct pd_settings settings;
	struct pd_script *script;
	struct pd_run run;
};

static void end_make(struct end *e, const char *text, bool swapped)
{
	struct pd_parse_config config = { .path = "t.pkt", .family = PD_IPV4 };
	struct pd_error error;
	struct pd_flow *f;

	*e = (struct end){ 0 };
	pd_settings_init(&e->settings, PD_IPV4);
	if (swapped) {
		struct pd_address local = e->settings.local;

		e->settings.local = e->settings.remote;
		e->settings.remote = local;
	}
	e->script = pd_script_parse(text, strlen(text), &config, &error);
	if (!e->script)
		fail_msg("%s", error.text);
	e->run = (struct pd_run){ .script = e->script, .settings = &e->settings };
	f = pd_flow_add(&e->run, IPPROTO_TCP);
	f->state = PD_FLOW_SYNACK_ACKED;
	f->local_known = true;
	f->local_port = swapped ? 2000 : 1000;
	f->remote_port = swapped ? 1000 : 2000;
	e->run.under_test = f;
}

static void end_free(struct end *e)
{
	strbuf_free(&e->run.message);
	strbuf_free(&e->run.got);
	strbuf_free(&e->run.expect);
	strbuf_free(&e->run.diff);
	pd_run_free(&e->run);
	pd_script_free(e->script);
	pd_settings_free(&e->settings);
}

/* One end puts `sent` into bytes, the other holds them against `wanted`. */
static enum pd_step pass_on(const char *sent, const char *wanted, char *diff, size_t size)
{
	struct end from, to;
	struct pd_expectation x;
	struct pd_flow *f;
	enum pd_step step;
	char text[400];
	u8 *bytes;
	u32 len;

	snprintf(text, sizeof(text), "* < %s", sent);
	text[0] = '0';
	end_make(&from, text, true);
	snprintf(text, sizeof(text), "* > %s", wanted);
	end_make(&to, text, false);
	assert_true(pd_packet_bytes(&from.run, &from.script->event[0], &bytes, &len, &f));
	pd_frame_add(&to.run, 0, bytes, len);
	free(bytes);
	x = (struct pd_expectation){ .event = &to.script->event[0],
				     .flow = to.run.under_test,
				     .rest = { 1, 0, PD_TCP_ACK },
				     .first = true };
	if (x.event->packet.kind == PD_PACKET_TCP)
		x.rest.len = x.event->packet.tcp.len;
	step = pd_expect_step(&to.run, &x);
	snprintf(diff, size, "%s", strbuf_text(&to.run.diff));
	end_free(&from);
	end_free(&to);
	return step;
}

#define TCP " . 1:101(100) ack 1 win 10"

static void test_same(void **state)
{
	static const char *const heads[] = {
		"",
		"ipv4 1.1.1.1 > 2.2.2.2:",
		"ipv4 1.1.1.1 > 2.2.2.2 [ect0, ttl 7]:",
		"ipv6 1::1 > 2::2:",
		"ipv6 1::1 > 2::2: ipv4 1.1.1.1 > 2.2.2.2:",
		"ipv4 1.1.1.1 > 2.2.2.2: gre:",
		"ipv4 1.1.1.1 > 2.2.2.2: gre key 0x1234:",
		"ipv6 1::1 > 2::2: gre flags 0xb000, proto 0x800, sum 0x1, off 0x2, key 0x80001234, seq 0x34:",
		"ipv4 1.1.1.1 > 2.2.2.2: gre: mpls (label 3, tc 5, [S], ttl 9):",
		"ipv4 1.1.1.1 > 2.2.2.2: mpls (label 0, tc 0, ttl 0) (label 1048575, tc 7, [S], ttl 255):",
	};
	char text[400], diff[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		snprintf(text, sizeof(text), "%s" TCP, heads[i]);
		if (pass_on(text, text, diff, sizeof(diff)) != PD_STEP_DONE)
			fail_msg("%s: %s", text, diff);
	}
}

static void test_differs(void **state)
{
	static const struct {
		const char *sent, *wanted, *diff;
	} table[] = {
		{ "ipv4 1.1.1.1 > 2.2.2.2:", "ipv4 1.1.1.1 > 2.2.2.3:",
		  "the outer addresses differ" },
		{ "ipv4 1.1.1.1 > 2.2.2.2:", "ipv6 1::1 > 2::2:", "outer IP version" },
		{ "ipv4 1.1.1.1 > 2.2.2.2:", "ipv4 1.1.1.1 > 2.2.2.2: gre:", "outer IP protocol" },
		{ "ipv4 1.1.1.1 > 2.2.2.2 [ttl 3]:", "ipv4 1.1.1.1 > 2.2.2.2 [ttl 4]:",
		  "outer ttl" },
		{ "ipv4 1.1.1.1 > 2.2.2.2: gre key 1:", "ipv4 1.1.1.1 > 2.2.2.2: gre key 2:",
		  "GRE key: expected 0x2, got 0x1" },
		{ "ipv4 1.1.1.1 > 2.2.2.2: gre key 1:", "ipv4 1.1.1.1 > 2.2.2.2: gre:",
		  "GRE flags" },
		{ "mpls (label 1, tc 0, [S], ttl 3):", "mpls (label 2, tc 0, [S], ttl 3):",
		  "MPLS label" },
	};
	char sent[300], wanted[300], diff[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		snprintf(sent, sizeof(sent), "%s" TCP, table[i].sent);
		snprintf(wanted, sizeof(wanted), "%s" TCP, table[i].wanted);
		assert_int_equal(pass_on(sent, wanted, diff, sizeof(diff)), PD_STEP_WAIT);
		if (!strstr(diff, table[i].diff))
			fail_msg("'%s' is not in '%s'", table[i].diff, diff);
	}
	/* Inside of the same headers the packet itself counts. */
	assert_int_equal(pass_on("ipv4 1.1.1.1 > 2.2.2.2:" TCP,
				 "ipv4 1.1.1.1 > 2.2.2.2: . 1:101(100) ack 2", diff, sizeof(diff)),
			 PD_STEP_FAILED);
	assert_string_equal(diff, "ack: expected 2, got 1");
	/* Without them it is another packet, and the other way round. */
	assert_int_equal(pass_on(TCP, "ipv4 1.1.1.1 > 2.2.2.2:" TCP, diff, sizeof(diff)),
			 PD_STEP_WAIT);
	assert_int_equal(pass_on("ipv4 1.1.1.1 > 2.2.2.2:" TCP, TCP, diff, sizeof(diff)),
			 PD_STEP_WAIT);
}

static void test_raw(void **state)
{
	const char *sent = "raw 45000014000000004001f6e7c0a80001c0000201";
	char diff[200];

	(void)state;
	assert_int_equal(pass_on(sent, sent, diff, sizeof(diff)), PD_STEP_DONE);
	assert_int_equal(pass_on(sent, "raw 45000014000000004001f6e7c0a80001c0000202", diff,
				 sizeof(diff)),
			 PD_STEP_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
