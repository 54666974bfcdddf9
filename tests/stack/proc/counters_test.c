/* SPDX-License-Identifier: MIT */
/* Counters by name, and the views in the kernel's formats. */
#include "stack/socket/sock_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, sock_world_setup, sock_world_teardown)

/* Some traffic: a datagram that is read, one to a closed port. */
static s32 talk(void)
{
	s32 a = t_socket(0, 0), b = t_socket(1, 0);
	u8 buf[8];

	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	assert_int_equal(t_sendto(1, b, "ping", 4, 0, host_addr[0], 7), 4);
	assert_int_equal(t_sendto(1, b, "ping", 4, 0, host_addr[0], 8), 4);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(t_recv(0, a, buf, 8, 0), 4);
	return a;
}

static u32 names;
static bool saw_type3;

static void same_by_name(void *ctx, const char *name, u64 value)
{
	u64 v = ~value;

	(void)ctx;
	assert_true(counter_get(w, 0, name, &v));
	assert_true(v == value);
	names++;
	saw_type3 = saw_type3 || strcmp(name, "IcmpMsgOutType3") == 0;
}

static void every_name_is_found(void **state)
{
	u64 v = 42;

	(void)state;
	talk();
	names = 0;
	saw_type3 = false;
	counters_walk(w, 0, same_by_name, NULL);
	assert_true(names > 150);
	assert_true(saw_type3);
	assert_int_equal(counter(0, "UdpInDatagrams"), 1);
	assert_int_equal(counter(0, "UdpNoPorts"), 1);
	assert_int_equal(counter(0, "Drop.NO_SOCKET"), 1);
	assert_int_equal(counter(0, "IcmpMsgInType8"), 0);
	assert_true(counter(0, "eth0.rx_packets") >= 3);
	assert_int_equal(counter(0, "wire.0.tx_frames"),
			 counter(0, "wire.0.0.tx_frames") + counter(0, "wire.0.1.tx_frames"));
	assert_true(counter(0, "softnet.0.processed") >= 3);
	assert_false(counter_get(w, 0, "UdpNoPort", &v));
	assert_false(counter_get(w, 0, "Drop.", &v));
	assert_false(counter_get(w, 0, "softnet.1.processed", &v));
	assert_false(counter_get(w, 0, "wire.00.tx_frames", &v));
	assert_false(counter_get(w, 0, "wire.1.tx_frames", &v));
	assert_false(counter_get(w, 0, "eth1.rx_packets", &v));
	assert_false(counter_get(w, 0, "eth0", &v));
	assert_false(counter_get(w, 0, "IcmpMsgInType256", &v));
	assert_false(counter_get(w, 2, "UdpNoPorts", &v));
	assert_int_equal(v, 42);
}

static char text[16384];

static const char *read_view(const char *path)
{
	s32 n = proc_read(w, 0, path, text, sizeof(text));

	assert_in_range(n, 1, sizeof(text) - 1);
	assert_int_equal(strlen(text), n);
	assert_int_equal(text[n - 1], '\n');
	return text;
}

static void views(void **state)
{
	static const char udp_line[] = "    7: 00000000:0007 00000000:0000 07 00000000:00000000 "
				       "00:00000000 00000000     0        0 0 ";
	s32 n;

	(void)state;
	talk();
	assert_non_null(strstr(read_view("net/snmp"), "Udp: InDatagrams NoPorts InErrors "));
	assert_non_null(strstr(text, "\nUdp: 1 1 0 0 0 0 0 0 0\n"));
	assert_non_null(strstr(text, "\nIcmpMsg: OutType3\nIcmpMsg: 1\n"));
	assert_non_null(strstr(read_view("/proc/net/netstat"), "IpExt: InNoRoutes "));
	assert_non_null(strstr(read_view("net/dev"), "\n    lo:       0       0    0    0 "));
	assert_non_null(strstr(read_view("net/arp"),
			       "\n192.0.2.2        0x1         0x2         02:00:00:00:00:02"
			       "     *        eth0\n"));
	assert_non_null(strstr(read_view("net/route"),
			       "\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0 "));
	assert_non_null(strstr(read_view("net/udp"), udp_line));
	assert_non_null(strstr(read_view("net/softnet_stat"), " 00000000 00000000\n"));
	assert_non_null(strstr(read_view("net/ptype"), "\n0800          ip_rcv\n"));
	assert_non_null(strstr(read_view("interrupts"), "           CPU0\n"));
	assert_non_null(strstr(read_view("softirqs"), "\n      NET_RX: "));
	/* Cut to the room there is; the whole length is told. */
	n = proc_read(w, 0, "net/dev", text, sizeof(text));
	memset(text, 'x', 16);
	assert_int_equal(proc_read(w, 0, "net/dev", text, 8), n);
	assert_string_equal(text, "Inter-|");
	assert_int_equal(text[8], 'x');
	assert_int_equal(proc_read(w, 0, "net/nothing", text, 8), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(every_name_is_found),
		CLEAN(views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
