/* SPDX-License-Identifier: MIT */
/*
 * The commands in backticks: what the shell's language gives, what reaches the host, and what is
 * named as unknown.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "packetdrill/commands.h"

static struct pd_shell *shell;
static struct strbuf out, calls;
static struct pd_error error;
static char sack[40];

/* ---- A host that writes down what is asked of it ---- */

static int sysctl_get(void *ctx, const char *name, struct strbuf *value)
{
	(void)ctx;
	if (strcmp(name, "net.ipv4.tcp_sack") != 0)
		return -ENOENT;
	strbuf_puts(value, sack);
	return 0;
}

static int sysctl_set(void *ctx, const char *name, const char *value)
{
	(void)ctx;
	if (strcmp(name, "net.ipv4.nothing") == 0)
		return -ENOENT;
	if (strcmp(value, "bad") == 0)
		return -EINVAL;
	if (strcmp(name, "net.ipv4.tcp_sack") == 0)
		snprintf(sack, sizeof(sack), "%s", value);
	strbuf_printf(&calls, "%s=%s|", name, value);
	return 0;
}

static int proc_read(void *ctx, const char *path, struct strbuf *text)
{
	(void)ctx;
	if (strcmp(path, "/proc/net/tcp") != 0)
		return -ENOENT;
	strbuf_puts(text, " 0: 0100007F:1F90 00000000:0000 0A\n 1: 0100007F:1F91 1:1 01\n");
	return 0;
}

static int counters(void *ctx, void (*fn)(void *arg, const char *name, u64 value), void *arg)
{
	static u64 n;

	(void)ctx;
	fn(arg, "TcpExtA", ++n);
	fn(arg, "TcpB", 0);
	return 0;
}

static int ss(void *ctx, struct strbuf *text)
{
	(void)ctx;
	strbuf_puts(text, "LISTEN 0 1 192.0.2.1:8080 0.0.0.0:*\n"
			  "TIME-WAIT 0 0 192.0.2.1:8080 192.0.2.2:1\n"
			  "SYN-RECV 0 0 192.0.2.1:8080 192.0.2.2:2\n");
	return 0;
}

static int route(void *ctx, const struct pd_route *r)
{
	(void)ctx;
	strbuf_printf(&calls, "route %d %s via %s dev %s mtu %u lock %d advmss %u rto %u|", r->verb,
		      r->dst, r->via ? r->via : "-", r->dev ? r->dev : "-", r->mtu, r->mtu_lock,
		      r->advmss, r->rto_min_ms);
	return 0;
}

static int metrics_flush(void *ctx, const char *address)
{
	(void)ctx;
	strbuf_printf(&calls, "flush %s|", address ? address : "all");
	return 0;
}

static int qdisc(void *ctx, const struct tc_command *q, struct strbuf *why)
{
	(void)ctx;
	if (strcmp(q->kind, "tbf") == 0)
		return -EOPNOTSUPP;
	strbuf_printf(&calls, "qdisc %d %s %s", (int)q->verb, q->dev, q->kind[0] ? q->kind : "-");
	for (u32 i = 0; i < q->options_len; i += TC_OPTION_LEN)
		strbuf_printf(&calls, " %d=%u", q->options[i], q->options[i + 1]);
	strbuf_puts(&calls, "|");
	if (q->verb != TC_DELETE)
		return 0;
	strbuf_puts(why, "Error: none.\n");
	return -ENOENT;
}

static int netfilter(void *ctx, int argc, char *const *argv, struct strbuf *text, int *status,
		     const char **bad)
{
	(void)ctx;
	if (argc > 1 && strcmp(argv[1], "--never") == 0) {
		*bad = argv[1];
		return -EOPNOTSUPP;
	}
	strbuf_printf(text, "%s %d\n", argv[0], argc);
	*status = 3;
	return 0;
}

static int wait(void *ctx, u64 ns)
{
	(void)ctx;
	strbuf_printf(&calls, "sleep %llu|", (unsigned long long)ns);
	return 0;
}

static const struct pd_command_ops host = {
	.sysctl_get = sysctl_get,
	.sysctl_set = sysctl_set,
	.proc_read = proc_read,
	.counters = counters,
	.ss = ss,
	.route = route,
	.metrics_flush = metrics_flush,
	.qdisc = qdisc,
	.netfilter = netfilter,
	.sleep = wait,
};

/* ---- */

static bool run(const char *text, int *status)
{
	strbuf_clear(&out);
	strbuf_clear(&calls);
	return pd_shell_run(shell, (struct pd_text){ text, strlen(text) }, 3, status, &out, &error);
}

static void gives(const char *text, int expected, const char *output)
{
	int status = -1;

	if (!run(text, &status))
		fail_msg("%s: %s", text, error.text);
	assert_string_equal(strbuf_text(&out), output);
	assert_int_equal(status, expected);
}

static void does(const char *text, const char *expected)
{
	int status;

	if (!run(text, &status))
		fail_msg("%s: %s", text, error.text);
	assert_string_equal(strbuf_text(&calls), expected);
}

static void refused(const char *text, const char *message)
{
	int status;

	assert_false(run(text, &status));
	assert_string_equal(error.text, message);
}

static int setup(void **state)
{
	(void)state;
	snprintf(sack, sizeof(sack), "1");
	shell = pd_shell_new(&host, NULL, "some/where/x.pkt");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pd_shell_free(shell);
	strbuf_free(&out);
	strbuf_free(&calls);
	return 0;
}

static void test_sysctl(void **state)
{
	(void)state;
	does("sysctl -q net.ipv4.tcp_rmem=\"4096 540000 $((15*1024*1024))\" net/ipv4/x=2",
	     "net.ipv4.tcp_rmem=4096 540000 15728640|net.ipv4.x=2|");
	gives("sysctl net.ipv4.tcp_sack; sysctl -n net.ipv4.tcp_sack", 0,
	      "net.ipv4.tcp_sack = 1\n1\n");
	gives("sysctl -w net.ipv4.tcp_sack=0", 0, "net.ipv4.tcp_sack = 0\n");
	gives("sysctl -qw net.ipv4.x=bad", 1, "sysctl: setting key \"net.ipv4.x\": EINVAL\n");
	refused("sysctl net.ipv4.nothing=1",
		"some/where/x.pkt:3: unknown sysctl 'net.ipv4.nothing'");
	refused("sysctl -a", "some/where/x.pkt:3: unknown option of sysctl '-a'");
	does("echo 7 > /proc/sys/net/ipv4/y", "net.ipv4.y=7|");
	gives("cat /proc/sys/net/ipv4/tcp_sack", 0, "0\n");
	does("echo 3 > /sys/module/tcp_cubic/parameters/hystart_detect",
	     "module.tcp_cubic.hystart_detect=3|");
	refused("echo 3 > /sys/module/x/y", "some/where/x.pkt:3: unknown file '/sys/module/x/y'");
}

static void test_restore(void **state)
{
	(void)state;
	does("../../common/set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0", "net.ipv4.tcp_sack=0|");
	does("/tmp/sysctl_restore_${PPID}.sh", "net.ipv4.tcp_sack=1|");
	refused("/tmp/other.sh", "some/where/x.pkt:3: unknown file '/tmp/other.sh'");
	refused("set_sysctls.py /etc/passwd=1",
		"some/where/x.pkt:3: unknown argument of set_sysctls.py '/etc/passwd=1'");
}

static void test_language(void **state)
{
	(void)state;
	pd_shell_set(shell, "x", "a  b");
	gives("echo $x \"$x\" '$x' \\$x ${x} ${y:-none} $y\"\"", 0, "a b a  b $x $x a b none \n");
	gives("true && echo 1 || echo 2; false && echo 3 || echo 4", 0, "1\n4\n");
	gives("! true; echo $?; false; echo $?", 0, "1\n1\n");
	gives("if false; then echo 1; elif true; then echo 2; else echo 3; fi", 0, "2\n");
}

static void test_more_language(void **state)
{
	(void)state;
	gives("if [ 1 -lt 2 ]\nthen\n  echo yes\nelse echo no; fi\n", 0, "yes\n");
	gives("for i in 1 2 3; do echo -n $i; [ $i = 2 ] && echo two; done", 1, "12two\n3");
	gives("for i in; do echo $i; done; echo end", 0, "end\n");
	gives("y=5; echo $((y * 2 + (3 - 1) % 2)) $(echo in; echo side) `echo back`", 0,
	      "10 in side back\n");
	gives("(echo a; echo b) | grep -c . ; { echo c; }", 0, "2\nc\n");
	gives("echo a > /tmp/f; echo b >> /tmp/f; cat /tmp/f; cat < /tmp/f | wc -l", 0,
	      "a\nb\n2\n");
	gives("echo lost > /dev/null 2>&1; nothing=1 # comment", 0, "");
	gives("tc qdisc del dev tun0 root 2>/dev/null ; echo go", 0, "go\n");
	gives("set -e; false; echo never", 1, "");
	gives("set -e; false || true; if false; then :; fi; echo ever", 0, "ever\n");
	gives("exit 3; echo never", 3, "");
	gives("test -z '' && test ! 1 -eq 2 && echo ok", 0, "ok\n");
	gives("echo 1 \\\n 2", 0, "1 2\n");
	gives("printf_is='a;b'; echo \"$printf_is\"", 0, "a;b\n");
}

static void test_text(void **state)
{
	(void)state;
	gives("grep \" 0A\" /proc/net/tcp | grep -q \":1F90\"", 0, "");
	gives("grep -q nothing /proc/net/tcp", 1, "");
	gives("grep -n 1F91 /proc/net/tcp", 0, "2: 1: 0100007F:1F91 1:1 01\n");
	gives("echo -n 0 | grep -qx 0 && echo yes", 0, "yes\n");
	gives("echo 10 | grep -qx 0 || echo no", 0, "no\n");
	gives("echo 'INVALID -c 0 0' | grep -q -- \"-c 0 0\"", 0, "");
	gives("echo 'a.b' | grep -F a.b; echo axb | grep -F a.b; echo AB | grep -io b", 0,
	      "a.b\nB\n");
	gives("echo abc | grep -E 'a(b|x)c'; echo 'ab c' | grep -vw b", 0, "abc\nab c\n");
	gives("echo a | head -n 1; (echo 1; echo 2) | tail -1", 0, "a\n2\n");
}

static void test_net(void **state)
{
	(void)state;
	does("ip route change 192.0.2.1 via 192.168.0.2 dev tun0 advmss 1460 mtu lock 1500",
	     "route 1 192.0.2.1 via 192.168.0.2 dev tun0 mtu 1500 lock 1 advmss 1460 rto 0|");
	does("ip ro add default dev tun0 rto_min 1s", "route 0 default via - dev tun0 mtu 0 lock 0 "
						      "advmss 0 rto 1000|");
	does("ip tcp_metrics flush all > /dev/null 2>&1; ip tcp_metrics flush 192.0.2.9",
	     "flush all|flush 192.0.2.9|");
	does("tc qdisc delete dev tun0 root 2>/dev/null ; tc qdisc add dev tun0 root pfifo limit 0",
	     "qdisc 4 tun0 -|qdisc 0 tun0 pfifo 1=0|");
	refused("tc qdisc add dev tun0 root tbf rate 1mbit burst 5k latency 1ms",
		"some/where/x.pkt:3: unknown qdisc 'tbf'");
	refused("tc qdisc add dev tun0 root fq frob",
		"some/where/x.pkt:3: unknown use of tc 'What is \"frob\"?'");
	refused("ip route add 192.0.2.1 color red", "some/where/x.pkt:3: unknown word in ip route "
						    "'color'");
	refused("ip frob", "some/where/x.pkt:3: unknown object of ip 'frob'");
	does("sleep 0.25", "sleep 250000000|");
	gives("ss -Htan state time-wait | wc -l | grep -qx 1", 0, "");
	gives("ss -Htan state syn-recv", 0, "0 0 192.0.2.1:8080 192.0.2.2:2\n");
	gives("ss -Htnl", 0, "LISTEN 0 1 192.0.2.1:8080 0.0.0.0:*\n");
	gives("ss -Htan | wc -l", 0, "3\n");
	refused("ss -x", "some/where/x.pkt:3: unknown option of ss '-x'");
	gives("iptables -A INPUT", 3, "iptables 3\n");
	refused("conntrack --never", "some/where/x.pkt:3: unknown word in packet filter command "
				     "'--never'");
}

static void test_nstat(void **state)
{
	(void)state;
	gives("nstat -n; nstat TcpExt*", 0,
	      "#kernel\nTcpExtA                         1               0.0\n");
	gives("nstat -az TcpB | grep -c TcpB", 0, "1\n");
	refused("nstat -x", "some/where/x.pkt:3: unknown option of nstat '-x'");
}

static void test_unknown(void **state)
{
	int status;

	(void)state;
	refused("true\nfrobnicate --all", "some/where/x.pkt:4: unknown command 'frobnicate'");
	assert_int_equal(error.kind, PD_ERROR_UNKNOWN);
	assert_string_equal(error.word, "frobnicate");
	refused("nstta -n", "some/where/x.pkt:3: unknown command 'nstta'; did you mean 'nstat'?");
	refused("while true; do true; done", "some/where/x.pkt:3: unknown shell construct 'while'");
	refused("cat <<END", "some/where/x.pkt:3: unknown shell construct '<<'");
	refused("./not-there.sh", "some/where/x.pkt:3: unknown file './not-there.sh'");
	refused("echo x > /sys/y", "some/where/x.pkt:3: unknown file '/sys/y'");
	refused("if true; then", "some/where/x.pkt:3: 'fi' is missing");
	assert_int_equal(error.kind, PD_ERROR_SYNTAX);
	refused("for (a in b; do :; done", "some/where/x.pkt:3: 'for' needs a name");
	refused("echo 'abc", "some/where/x.pkt:3: a string has no end");
	refused("echo $(echo", "some/where/x.pkt:3: $( has no end");
	refused("echo $((1 / 0))", "some/where/x.pkt:3: $(( )) is not understood");
	refused("true & false", "some/where/x.pkt:3: '&' is not understood here");
	assert_true(run("", &status));
}

static void test_bounds(void **state)
{
	static char text[20000];
	int status;
	size_t n;

	(void)state;
	memset(text, '(', sizeof(text) - 1);
	assert_false(run(text, &status));
	assert_non_null(strstr(error.text, "nested too deep"));
	for (n = (size_t)snprintf(text, sizeof(text), "echo "); n < 15000; n += 2)
		memcpy(text + n, "$(", 2);
	text[n] = '\0';
	assert_false(run(text, &status));
	/* A file that reads itself. */
	assert_false(run("echo /tmp/me.sh > /tmp/me.sh; /tmp/me.sh", &status));
	assert_non_null(strstr(error.text, "nested too deep"));
	snprintf(
		text, sizeof(text), "%s",
		"for a in 1 2 3 4 5 6 7 8; do for b in 1 2 3 4 5 6 7 8; do for c in 1 2 3 4 5 6 7; "
		"do for d in 1 2 3 4 5 6 7; do for e in 1 2 3 4 5 6 7; do for f in 1 2 3 4; do "
		"true; done; done; done; done; done; done");
	assert_false(run(text, &status));
	assert_non_null(strstr(error.text, "too many commands"));
}

/* Files beside the script, and above it. */
static void test_source(void **state)
{
	char folder[] = "/tmp/tapline-commands-XXXXXX", path[100], command[200];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/sub", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/settings.sh", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("#!/bin/sh\n# comment\nsysctl -q net.ipv4.a=$1 net.ipv4.b=\"$2\"\n\nfrob\n", f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/sub/x.pkt", folder);
	pd_shell_free(shell);
	shell = pd_shell_new(&host, NULL, path);
	refused("../settings.sh 1 '2 3'", "../settings.sh:5: unknown command 'frob'");
	assert_string_equal(strbuf_text(&calls), "net.ipv4.a=1|net.ipv4.b=2 3|");
	refused("./settings.sh 4", "./settings.sh:5: unknown command 'frob'");
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sysctl, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_language, setup, teardown),
		cmocka_unit_test_setup_teardown(test_language, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_net, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nstat, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
