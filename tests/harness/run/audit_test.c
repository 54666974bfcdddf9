/* SPDX-License-Identifier: MIT */
/*
 * `tapline run --audit`: what is the same both times passes, what is not fails with status 3; and
 * the second time really is another machine to the stack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/run/command.h"
#include "run/audit.h"
#include "sut/sut.h"

#define HEAD                          \
	"local tap = require 'tap'\n" \
	"local net = require 'net'\n"

static void test_same(void **state)
{
	const struct command *c;

	(void)state;
	command_file("same.lua",
		     HEAD "tap.test('echo', function(t)\n"
			  "  local host = net.host { addr = '192.0.2.1/24' }\n"
			  "  local peer = host.wire:peer { addr = '192.0.2.9' }\n"
			  "  peer:send(net.icmp{ type = 'echo', id = 1, seq = 1 })\n"
			  "  peer:expect(net.icmp{ type = 'echo-reply' }, { within = '1ms' })\n"
			  "  t:note(tostring({}), math.random(1 << 40)) end)\n"
			  "tap.test('not', function(t) print('x') t:is({ a = {} }, {}) end)\n"
			  "tap.test('never', function(t) t:skip('why') end)\n");
	c = command("$TAPLINE run same.lua > once; echo $?; $TAPLINE run --audit same.lua > twice;"
		    "echo $?; cmp once twice && grep -c digest twice;"
		    "$TAPLINE run --audit -j 2 --digest same.lua none.lua > two; echo $?;"
		    "$TAPLINE run --digest same.lua none.lua | cmp - two && grep -c digest two");
	assert_string_equal(c->out, "1\n1\n0\n2\n1\n");
}

/* A file that is another each time it is read: the number of the process. */
static void test_different(void **state)
{
	const struct command *c;

	(void)state;
	command_file("differs.lua",
		     HEAD "tap.test('good', function(t) t:ok(1) end)\n"
			  "tap.test('pid', function(t) t:ok(1)\n"
			  "  t:note('it is', select(2, pcall(require, 'pid'))) end)\n"
			  "tap.test('after', function(t) t:ok(1) end)\n");
	command("ln -s /proc/self/stat pid.lua");
	assert_int_equal(command("$TAPLINE run differs.lua")->status, 0);
	c = command("$TAPLINE run --audit --seed 5 differs.lua");
	assert_int_equal(c->status, 3);
	assert_contains(c->out, "\nok 1 - differs.lua: good\nnot ok 2 - differs.lua: pid\n  ---\n"
				"  message: \"two runs of this test differed\"\n"
				"  got: \"comment: # it is ");
	assert_contains(c->out, "  expect: \"comment: # it is ");
	assert_contains(c->out,
			"  rerun: \"tapline run --audit --seed 5 --filter pid differs.lua\"\n");
	assert_contains(c->out, "\nok 3 - differs.lua: after\n");
}

static void test_compare(void **state)
{
	struct script_result a = { .verdict = TAP_OK };
	struct script_result b = { .verdict = TAP_OK };
	struct strbuf first = { 0 };
	struct strbuf second = { 0 };

	(void)state;
	assert_false(audit_differ(&a, &b, &first, &second));
	strbuf_puts(&a.printed, "one\ntwo\nthree\n");
	strbuf_puts(&b.printed, "one\ntwo\n");
	assert_true(audit_differ(&a, &b, &first, &second));
	assert_string_equal(strbuf_text(&first), "printed: three");
	assert_string_equal(strbuf_text(&second), "printed: ");
	strbuf_puts(&a.digest, "digest x 1");
	strbuf_puts(&b.digest, "digest x 2");
	strbuf_clear(&first);
	assert_true(audit_differ(&a, &b, &first, &second));
	assert_string_equal(strbuf_text(&first), "digest: digest x 1");
	strbuf_clear(&first);
	b.verdict = TAP_NOT_OK;
	b.invariant = true;
	strbuf_clear(&second);
	assert_true(audit_differ(&a, &b, &first, &second));
	assert_string_equal(strbuf_text(&first), "verdict: ok");
	assert_string_equal(strbuf_text(&second), "verdict: not ok, invariant broken");
	script_result_free(&a);
	script_result_free(&b);
	strbuf_free(&first);
	strbuf_free(&second);
}

static u64 boot(uintptr_t *place)
{
	const struct world_config config = { .seed = 1, .digest = true };
	struct sut *s = sut_tapline.create(&config, NULL, NULL);
	struct op op = { .kind = OP_HOST_ADD, .u.host_add = { .cpus = 1 } };
	u64 digest;

	assert_non_null(s);
	op.u.host_add.name = (struct op_bytes){ (const u8 *)"h", 1 };
	assert_int_equal(s->ops->apply(s, &op), 0);
	s->ops->run(s, 1000000000);
	digest = s->ops->digest(s);
	*place = (uintptr_t)sut_tapline_world(s);
	s->ops->destroy(s, NULL);
	return digest;
}

static void test_other_place(void **state)
{
	uintptr_t one, two, three;
	u64 digest = boot(&one);

	(void)state;
	sut_tapline_perturb();
	assert_true(boot(&two) == digest);
	assert_true(one >> 12 != two >> 12);
	assert_int_not_equal(one & 0xfff, two & 0xfff);
	assert_int_equal(*(volatile u8 *)(two - 1), 0xa5);
	assert_true(boot(&three) == digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_different),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_other_place),
	};

	return cmocka_run_group_tests(tests, command_setup, command_teardown);
}
