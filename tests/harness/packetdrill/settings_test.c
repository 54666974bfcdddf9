/* SPDX-License-Identifier: MIT */
/*
 * packetdrill's options (harness/packetdrill/settings.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "packetdrill/settings.h"

static bool take(struct pd_settings *s, const char *name, const char *value)
{
	struct strbuf error = { 0 };
	bool ok = pd_settings_take(s, name, value, &error);

	assert_true(ok || strstr(strbuf_text(&error), name));
	strbuf_free(&error);
	return ok;
}

static void the_largest_tolerance_holds(void **state)
{
	struct pd_settings s;

	(void)state;
	pd_settings_init(&s, PD_IPV4);
	assert_int_equal(s.tolerance_ns, 4000000);
	assert_true(take(&s, "tolerance_usecs", "10000"));
	assert_true(take(&s, "tolerance_usecs", "5000"));
	assert_int_equal(s.tolerance_ns, 10000000);
	assert_true(take(&s, "tolerance", "20ms"));
	assert_int_equal(s.tolerance_ns, 20000000);
	assert_true(take(&s, "tolerance_percent", "20.5"));
	assert_int_equal(s.tolerance_permille, 205);
	assert_false(s.exact);
	assert_true(take(&s, "tolerance", "0"));
	assert_true(s.exact);
	assert_false(take(&s, "tolerance", "soon"));
	assert_false(take(&s, "tolerance_usecs", "-1"));
}

static void addresses(void **state)
{
	struct pd_settings s;

	(void)state;
	pd_settings_init(&s, PD_IPV4);
	assert_true(take(&s, "local_ip", "192.0.2.7"));
	assert_int_equal(s.local.bytes[3], 7);
	assert_true(take(&s, "netmask_ip", "255.255.255.0"));
	assert_int_equal(s.prefix_len, 24);
	assert_false(take(&s, "remote_ip", "192.0.2"));
	assert_false(s.other_family);
	assert_true(take(&s, "remote_ip", "2001:db8::2"));
	assert_true(s.other_family);
}

static void pairs_of_one_name_take_the_last(void **state)
{
	struct pd_settings s;

	(void)state;
	pd_settings_init(&s, PD_IPV6);
	assert_true(take(&s, "D", "A=1"));
	assert_true(take(&s, "define", "B=\"two\""));
	assert_true(take(&s, "D", "A=3"));
	assert_int_equal(s.defines, 2);
	assert_string_equal(s.define[0].value, "3");
	assert_string_equal(s.define[1].value, "two");
	assert_false(take(&s, "env", "=x"));
	pd_settings_free(&s);
}

static void arguments_hold_for_their_family(void **state)
{
	struct pd_arguments a = { 0 };
	struct pd_settings s;
	struct strbuf error = { 0 };

	(void)state;
	pd_arguments_add(&a, "--mtu", "1400", PD_FAMILY_ALL);
	pd_arguments_add(&a, "--mtu", "1520", PD_FAMILY_6);
	pd_arguments_add(&a, "--ip_version", "ipv6", PD_FAMILY_6);
	pd_settings_init(&s, PD_IPV4);
	assert_true(pd_settings_arguments(&s, &a, &error));
	assert_int_equal(s.mtu, 1400);
	pd_settings_init(&s, PD_IPV6);
	assert_true(pd_settings_arguments(&s, &a, &error));
	assert_int_equal(s.mtu, 1520);
	pd_arguments_free(&a);
	strbuf_free(&error);
}

static void the_form_of_options(void **state)
{
	struct strbuf error = { 0 };

	(void)state;
	assert_int_equal(pd_option_check("--mtu", "1500", NULL, &error), 1);
	assert_int_equal(pd_option_check("--strict_segments", NULL, NULL, &error), 1);
	assert_int_equal(pd_option_check("--wire_server", NULL, NULL, &error), 0);
	assert_int_equal(pd_option_check("--mtu", NULL, NULL, &error), -1);
	assert_int_equal(pd_option_check("-D", "A", NULL, &error), -1);
	assert_int_equal(pd_families_parse("mapped"), PD_FAMILY_MAPPED);
	assert_int_equal(pd_families_parse("5"), 0);
	strbuf_free(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_tolerance_holds),
		cmocka_unit_test(addresses),
		cmocka_unit_test(pairs_of_one_name_take_the_last),
		cmocka_unit_test(arguments_hold_for_their_family),
		cmocka_unit_test(the_form_of_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
