/* SPDX-License-Identifier: MIT */
/* The words of iptables: what becomes of them, what is refused, and that no text breaks anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/hash.h"
#include "nf/nf_conntrack.h"
#include "nf/xt.h"
#include "wire/tcp.h"

static struct xt_command c;

static bool parse(const char *text)
{
	return xt_parse(&c, AF_INET, text, (u32)strlen(text));
}

static void a_rule(void **state)
{
	(void)state;
	assert_true(parse("iptables -t filter -A INPUT ! -s 192.0.2.0/25 -d 10/8 -i eth+ -p tcp "
			  "--sport 1000: ! --dport 80:90 --syn -c 3 4 -j DROP"));
	assert_int_equal(c.verb, XT_APPEND);
	assert_int_equal(c.table, XT_FILTER);
	assert_string_equal(c.chain, "INPUT");
	assert_memory_equal(c.spec.src, "\xc0\x00\x02\x00", 4);
	assert_memory_equal(c.spec.src_mask, "\xff\xff\xff\x80", 4);
	assert_memory_equal(c.spec.dst, "\x0a\x00\x00\x00", 4);
	assert_memory_equal(c.spec.dst_mask, "\xff\x00\x00\x00", 4);
	assert_string_equal(c.spec.in, "eth+");
	assert_int_equal(c.spec.invert, XT_INV_SRC);
	assert_int_equal(c.spec.proto, IPPROTO_TCP);
	assert_int_equal(c.spec.matches, 1);
	assert_int_equal(c.spec.match[0].kind, XT_MATCH_TCP);
	assert_int_equal(c.spec.match[0].u.tcp.sport[0], 1000);
	assert_int_equal(c.spec.match[0].u.tcp.sport[1], 65535);
	assert_int_equal(c.spec.match[0].u.tcp.dport[0], 80);
	assert_int_equal(c.spec.match[0].u.tcp.dport[1], 90);
	assert_int_equal(c.spec.match[0].invert, XT_OPT_DPORT);
	assert_int_equal(c.spec.match[0].u.tcp.flag_cmp, TCPHDR_SYN);
	assert_int_equal(c.spec.target, XT_DROP);
	assert_int_equal(c.packets, 3);
	assert_int_equal(c.bytes, 4);
}

static void matches(void **state)
{
	(void)state;
	/* The match may be named before the protocol, and its options come last. */
	assert_true(parse(
		"-A INPUT -m conntrack --ctstate INVALID -p tcp --tcp-flags SYN,ACK SYN,ACK"));
	assert_int_equal(c.spec.matches, 2);
	assert_int_equal(c.spec.match[0].u.ct.states, XT_STATE_INVALID);
	assert_int_equal(c.spec.match[1].u.tcp.flag_mask, TCPHDR_SYN | TCPHDR_ACK);
	assert_int_equal(c.spec.target, XT_NONE);
	assert_true(parse("-A INPUT -m state --state NEW,ESTABLISHED,UNTRACKED"));
	assert_int_equal(c.spec.match[0].u.ct.states, XT_STATE_BIT(IP_CT_NEW) |
							      XT_STATE_BIT(IP_CT_ESTABLISHED) |
							      XT_STATE_UNTRACKED);
	assert_true(parse("-A INPUT -m limit --limit 6/m --limit-burst 3"));
	assert_int_equal(c.spec.match[0].u.limit.avg, 100000);
	assert_int_equal(c.spec.match[0].u.limit.burst, 3);
	assert_true(parse("-A INPUT -m statistic --mode random --probability 0.5"));
	assert_int_equal(c.spec.match[0].u.statistic.probability, 1u << 30);
	assert_true(parse(
		"-A INPUT -m comment --comment 'it is \"so\"' -j \"LOG\" --log-prefix \"a \\\"b\""));
	assert_string_equal(c.spec.match[0].u.comment, "it is \"so\"");
	assert_string_equal(c.spec.text, "a \"b");
	assert_true(parse("-A INPUT -p icmp --icmp-type host-unreachable"));
	assert_int_equal(c.spec.match[0].u.icmp.type, 3);
	assert_int_equal(c.spec.match[0].u.icmp.code[0], 1);
	assert_int_equal(c.spec.match[0].u.icmp.code[1], 1);
}

static void commands(void **state)
{
	(void)state;
	assert_true(parse("-D INPUT 3"));
	assert_int_equal(c.verb, XT_DELETE_NUM);
	assert_int_equal(c.number, 3);
	assert_true(parse("-D INPUT -p udp"));
	assert_int_equal(c.verb, XT_DELETE);
	assert_true(parse("-vnxL INPUT"));
	assert_int_equal(c.verb, XT_LIST);
	assert_true(c.verbose && c.numeric && c.exact);
	assert_string_equal(c.chain, "INPUT");
	assert_false(parse("-vnqL INPUT"));
	assert_false(parse("-vnL -S"));
	assert_true(parse("-L -v -n -x --line-numbers"));
	assert_true(c.verbose && c.numeric && c.exact && c.line_numbers);
	assert_string_equal(c.chain, "");
	assert_true(parse("-w 5 -S OUTPUT 2"));
	assert_int_equal(c.verb, XT_LIST_RULES);
	assert_int_equal(c.number, 2);
	assert_true(parse("iptables-save -c -t raw"));
	assert_int_equal(c.verb, XT_SAVE);
	assert_int_equal(c.table, XT_RAW);
	assert_true(c.counters);
	assert_true(parse("-P FORWARD DROP"));
	assert_string_equal(c.name, "DROP");
	assert_true(xt_parse(&c, AF_INET6, "-A INPUT -s 2001:db8::/33 -j REJECT", 35));
	assert_memory_equal(c.spec.src_mask, "\xff\xff\xff\xff\x80\x00", 6);
	assert_int_equal(c.spec.reject, XT_ICMP6_PORT_UNREACHABLE);
}

static void errors(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "iptables: no command specified" },
		{ "INPUT", "iptables: Bad argument `INPUT'" },
		{ "-A", "iptables: option \"-A\" requires an argument" },
		{ "-A -x", "iptables: chain name not allowed to start with `-'" },
		{ "-A INPUT -s 1.2.3.4,5.6.7.8",
		  "iptables: a list of addresses is not known here: `1.2.3.4,5.6.7.8'" },
		{ "-A INPUT -p tcp --dport 90:80",
		  "iptables: invalid port/service `90:80' specified" },
		{ "-A INPUT -m limit --limit 5/fortnight", "iptables: bad rate `5/fortnight'" },
		{ "-A INPUT -m statistic --mode random --probability 1.5",
		  "iptables: --probability must be between 0.0 and 1.0" },
		{ "-A INPUT -m limit ! --limit 5",
		  "iptables: option \"--limit\" cannot be inverted." },
		{ "-A INPUT -i averyveryverylongname",
		  "iptables: interface name `averyveryverylongname' must be shorter than IFNAMSIZ (15)" },
		{ "-A INPUT -p udp --syn", "iptables: unknown option \"--syn\"" },
		{ "-A INPUT !", "iptables: nothing appropriate following !" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(parse(cases[i].text));
		assert_string_equal(c.error, cases[i].error);
		assert_int_equal(c.status, 2);
	}
}

/* Words put together at random, cut anywhere: read or refused with a message, never more. */
static void any_text(void **state)
{
	static const char *const words[] = {
		"-A",
		"INPUT",
		"-p",
		"tcp",
		"udp",
		"icmp",
		"--dport",
		"80",
		"1:2",
		"!",
		"-m",
		"conntrack",
		"--ctstate",
		"NEW,INVALID",
		"-j",
		"REJECT",
		"--reject-with",
		"tcp-reset",
		"-s",
		"1.2.3.4/8",
		"::1",
		"-i",
		"eth0",
		"limit",
		"--limit",
		"5/s",
		"multiport",
		"--ports",
		"1,2:3,4",
		"--syn",
		"\"",
		"'",
		"\\",
		"-c",
		"1",
		"--tcp-flags",
		"ALL",
		"statistic",
		"--probability",
		"0.3",
		"comment",
		"--comment",
		"x y",
		"-t",
		"raw",
		"mangle",
		"-D",
		"-S",
		"-L",
		"LOG",
		"--log-prefix",
		"\t",
		"",
	};
	char text[512];

	(void)state;
	for (u64 n = 0; n < 20000; n++) {
		size_t len = 0;

		for (u64 i = 0; i < 1 + mix64(n) % 24; i++) {
			const char *w =
				words[mix64(n * 100 + i) % (sizeof(words) / sizeof(words[0]))];

			if (len + strlen(w) + 2 > sizeof(text))
				break;
			memcpy(text + len, w, strlen(w));
			len += strlen(w);
			text[len++] = ' ';
		}
		len -= mix64(n + 7) % 3 && len ? 1 : 0;
		if (!xt_parse(&c, n & 1 ? AF_INET : AF_INET6, text, (u32)len))
			assert_true(c.error[0] && c.status);
		assert_true(c.spec.matches <= XT_MATCHES_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule), cmocka_unit_test(matches),  cmocka_unit_test(commands),
		cmocka_unit_test(errors), cmocka_unit_test(any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
