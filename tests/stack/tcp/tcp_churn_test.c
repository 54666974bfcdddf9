/* SPDX-License-Identifier: MIT */
/*
 * Connections between two hosts, one after the other and many at once: ports, TIME-WAIT, reuse of
 * its ports (RFC 6191), listeners that share a port, the end of the world with all of it standing.
 */
#include "stack/socket/sock_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, sock_world_setup, sock_world_teardown)
#define SEC	    NSEC_PER_SEC

static s32 stream(u32 host)
{
	struct sys_op op = call_of(host, SYS_SOCKET, -1);

	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_STREAM | SOCK_NONBLOCK;
	return (s32)finish(&op);
}

static s32 listener(u32 host, u16 port, u32 backlog, bool reuseport)
{
	s32 fd = stream(host);

	if (reuseport)
		assert_int_equal(t_setopt(host, fd, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	assert_int_equal(t_bind(host, fd, any_addr, port), 0);
	assert_int_equal(t_call(host, SYS_LISTEN, fd, backlog), 0);
	return fd;
}

static void set(u32 host, const char *name, const char *value)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.host = host;
	op.u.sysctl.name = (struct op_bytes){ (const u8 *)name, (u32)strlen(name) };
	op.u.sysctl.value = (struct op_bytes){ (const u8 *)value, (u32)strlen(value) };
	assert_int_equal(apply(&op), 0);
}

/* Opens from host 0 to a listener of host 1. Returns the client's descriptor. */
static s32 open_to(u16 port, s32 l, s32 *server)
{
	s32 fd = stream(0);

	assert_int_equal(t_connect(0, fd, host_addr[1], port), -EINPROGRESS);
	run_for(20 * NSEC_PER_MSEC);
	assert_int_equal(t_connect(0, fd, host_addr[1], port), 0);
	*server = (s32)t_call(1, SYS_ACCEPT, l, 0);
	assert_true(*server >= 0);
	return fd;
}

static void one_after_the_other(void **state)
{
	s32 l = listener(1, 80, 5, false), server;

	(void)state;
	for (u32 i = 0; i < 200; i++) {
		s32 fd = open_to(80, l, &server);
		u8 buf[16];

		assert_int_equal(t_sendto(0, fd, "hello", 5, 0, NULL, 0), 5);
		run_for(10000);
		assert_int_equal(t_recv(1, server, buf, 16, 0), 5);
		assert_memory_equal(buf, "hello", 5);
		/* Either side closes first, in turn. */
		assert_int_equal(t_close(i & 1, i & 1 ? server : fd), 0);
		run_for(10000);
		assert_int_equal(t_close(!(i & 1), i & 1 ? fd : server), 0);
		run_for(10000);
	}
	assert_int_equal(counter(0, "TcpActiveOpens"), 200);
	assert_int_equal(counter(1, "TcpPassiveOpens"), 200);
	assert_int_equal(counter(0, "TcpCurrEstab") + counter(1, "TcpCurrEstab"), 0);
	assert_int_equal(counter(0, "TcpExtTW"), 100);
	assert_int_equal(counter(1, "TcpExtTW"), 100);
	assert_int_equal(counter(0, "TcpOutRsts") + counter(1, "TcpOutRsts"), 0);
	assert_int_equal(counter(0, "TcpRetransSegs") + counter(1, "TcpRetransSegs"), 0);
}

/* Ten ports, ten connections in TIME-WAIT. */
static s32 use_up_ports(s32 l)
{
	s32 server;

	set(0, "net.ipv4.ip_local_port_range", "50000 50009");
	for (u32 i = 0; i < 10; i++) {
		s32 fd = open_to(80, l, &server);

		assert_int_equal(t_close(0, fd), 0);
		run_for(10000);
		assert_int_equal(t_close(1, server), 0);
		run_for(10000);
	}
	return stream(0);
}

static void ports_in_time_wait(void **state)
{
	s32 l = listener(1, 80, 20, false), fd, server;

	(void)state;
	fd = use_up_ports(l);
	assert_int_equal(t_connect(0, fd, host_addr[1], 80), -EADDRNOTAVAIL);
	/* Another peer port is another connection. */
	assert_int_equal(t_connect(0, fd, host_addr[1], 81), -EINPROGRESS);
	assert_int_equal(t_close(0, fd), 0);
	run_for(60 * SEC);
	open_to(80, l, &server);
}

static void ports_out_of_time_wait(void **state)
{
	s32 l = listener(1, 80, 20, false), fd, server;

	(void)state;
	set(0, "net.ipv4.tcp_tw_reuse", "1");
	fd = use_up_ports(l);
	assert_int_equal(t_connect(0, fd, host_addr[1], 80), -EADDRNOTAVAIL);
	run_for(1200 * NSEC_PER_MSEC);
	open_to(80, l, &server);
	assert_int_equal(counter(0, "TcpExtTWRecycled"), 1);
}

static void many_at_once(void **state)
{
	s32 l[4], fd[400];
	u32 got[4] = { 0 }, total = 0;

	(void)state;
	for (u32 i = 0; i < 4; i++)
		l[i] = listener(1, 80, 200, true);
	for (u32 i = 0; i < 400; i++) {
		fd[i] = stream(0);
		assert_int_equal(t_connect(0, fd[i], host_addr[1], 80), -EINPROGRESS);
	}
	run_for(5 * SEC);
	for (u32 i = 0; i < 4; i++) {
		while (t_call(1, SYS_ACCEPT, l[i], 0) >= 0)
			got[i]++;
		assert_in_range(got[i], 60, 140);
		total += got[i];
	}
	assert_int_equal(total, 400);
	assert_int_equal(counter(1, "TcpCurrEstab"), 400);
	/* Half of them is closed by the client, and all ends with the world. */
	for (u32 i = 0; i < 200; i++)
		assert_int_equal(t_close(0, fd[i]), 0);
	run_for(1 * SEC);
}

/* A child that nobody accepts, a request, an orphan: all stand when the world ends. */
static void all_stands_at_the_end(void **state)
{
	s32 l = listener(1, 80, 20, false), fd, server;

	(void)state;
	fd = open_to(80, l, &server);
	assert_int_equal(t_sendto(0, fd, "x", 1, 0, NULL, 0), 1);
	assert_int_equal(t_close(0, fd), 0);
	fd = stream(0);
	assert_int_equal(t_connect(0, fd, host_addr[1], 80), -EINPROGRESS);
	run_for(20 * NSEC_PER_MSEC);
	fd = stream(0);
	assert_int_equal(t_connect(0, fd, host_addr[1], 80), -EINPROGRESS);
	world_run(w, world_now(w) + WIRE_DELAY + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(one_after_the_other),    CLEAN(ports_in_time_wait),
		CLEAN(ports_out_of_time_wait), CLEAN(many_at_once),
		CLEAN(all_stands_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
