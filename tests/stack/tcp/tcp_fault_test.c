/* SPDX-License-Identifier: MIT */
/*
 * A connection opened both ways, used and closed, again and again with the n-th allocation failing,
 * n = 1, 2, ... until none does: whatever becomes of it, invariants hold and all is given back. And
 * while segments are lost and come out of order the next n allocations fail: all bytes arrive.
 */
#include "stack/fault.h"
#include "stack/socket/sock_world.h"

#define SEC NSEC_PER_SEC

static s32 try_socket(u32 host)
{
	struct sys_op op = call_of(host, SYS_SOCKET, -1);

	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_STREAM | SOCK_NONBLOCK;
	return (s32)finish(&op);
}

static void plant(u64 skip, u32 count)
{
	struct op op = { .kind = OP_FAULT };

	op.u.fault.point = FAULT_ALLOC;
	op.u.fault.skip = skip;
	op.u.fault.count = count;
	assert_int_equal(apply(&op), 0);
}

static void talk(s32 fd, s32 server)
{
	static u8 buf[8000];
	u8 data[3000];

	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7);
	t_sendto(0, fd, data, sizeof(data), MSG_NOSIGNAL, NULL, 0);
	t_sendto(1, server, data, sizeof(data), MSG_NOSIGNAL, NULL, 0);
	run_for(3 * SEC);
	for (u32 side = 0; side < 2; side++) {
		s64 n = t_recv(side, side ? server : fd, buf, sizeof(buf), 0);

		if (n > 0)
			assert_memory_equal(buf, data, (size_t)n);
	}
}

/* One connection; every step may fail. */
static void scenario(void)
{
	s32 l = try_socket(1), fd = try_socket(0), server = -1;

	if (l >= 0 && !t_bind(1, l, any_addr, 80) && !t_call(1, SYS_LISTEN, l, 2) && fd >= 0) {
		t_connect(0, fd, host_addr[1], 80);
		run_for(8 * SEC);
		server = (s32)t_call(1, SYS_ACCEPT, l, 0);
		if (server < 0) {
			run_for(30 * SEC);
			server = (s32)t_call(1, SYS_ACCEPT, l, 0);
		}
	}
	if (server >= 0) {
		talk(fd, server);
		t_close(0, fd);
		fd = -1;
		run_for(1 * SEC);
		t_close(1, server);
	}
	if (fd >= 0)
		t_close(0, fd);
	if (l >= 0)
		t_close(1, l);
	run_for(10 * SEC);
}

static void nth_allocation_fails(void **state)
{
	u64 n = 0;

	for (;; n++) {
		struct world_memory before, after;

		sock_world_setup(state);
		world_memory(w, &before);
		plant(n, 1);
		scenario();
		world_memory(w, &after);
		sock_world_teardown(state);
		if (after.failed == before.failed)
			break;
	}
	/* Sockets, files, buckets, requests, segments on both sides: there are many. */
	assert_in_range(n, 40, 2000);
}

static void wire_end_param(u32 end, u32 param, u64 value)
{
	struct op op = { .kind = OP_WIRE_SET };

	op.u.wire_set.end = end;
	op.u.wire_set.param = param;
	op.u.wire_set.value = value;
	assert_int_equal(apply(&op), 0);
}

static void wire_param(u32 param, u64 value)
{
	for (u32 end = 0; end < 2; end++)
		wire_end_param(end, param, value);
}

#define PIECES 8u
#define PIECE  1000u

/* Both ends send, the first frames are lost or late, and when that is told of there is no memory.
 * Allocations that failed. */
static u64 bad_wire_no_memory(u32 param, u64 value, u32 failures)
{
	s32 l = try_socket(1), fd[2] = { try_socket(0), -1 };
	struct world_memory before, after;
	u8 data[PIECE] = { 0 }, buf[PIECES * PIECE + 1];

	assert_int_equal(t_bind(1, l, any_addr, 80), 0);
	assert_int_equal(t_call(1, SYS_LISTEN, l, 2), 0);
	t_connect(0, fd[0], host_addr[1], 80);
	run_for(1 * SEC);
	fd[1] = (s32)t_call(1, SYS_ACCEPT, l, 0);
	assert_true(fd[1] >= 0);
	wire_param(WIRE_PARAM_REORDER_NS, 30 * NSEC_PER_MSEC);
	wire_param(param, value);
	world_memory(w, &before);
	for (u32 i = 0; i < PIECES; i++)
		for (u32 side = 0; side < 2; side++)
			assert_int_equal(t_sendto(side, fd[side], data, PIECE, MSG_NOSIGNAL, NULL,
						  0),
					 PIECE);
	if (failures)
		plant(0, failures);
	run_for(60 * SEC);
	world_memory(w, &after);
	wire_param(param, 0);
	run_for(120 * SEC);
	for (u32 side = 0; side < 2; side++)
		assert_int_equal(t_recv(side, fd[side], buf, sizeof(buf), 0), PIECES * PIECE);
	t_close(0, fd[0]);
	t_close(1, fd[1]);
	t_close(1, l);
	run_for(70 * SEC);
	return after.failed - before.failed;
}

static void recovery_waits_for_memory(void **state)
{
	for (u32 n = 0; n < 60; n++) {
		static const u32 params[3] = { WIRE_PARAM_DROP_NEXT, WIRE_PARAM_REORDER_PPM,
					       WIRE_PARAM_DUPLICATE_PPM };
		u32 param = params[n % 3];

		sock_world_setup(state);
		assert_int_equal(bad_wire_no_memory(param,
						    param == WIRE_PARAM_DROP_NEXT ? 2 : 400000, n),
				 n);
		sock_world_teardown(state);
	}
}

/* Who holds memory and gets no more does not wait for it for ever, with a user or without. */
static void no_memory_for_ever(void **state)
{
	for (u32 orphan = 0; orphan < 2; orphan++) {
		struct world_memory before, after;
		u8 data[PIECE] = { 0 };
		s32 l, fd;

		sock_world_setup(state);
		l = try_socket(1);
		fd = try_socket(0);
		assert_int_equal(t_bind(1, l, any_addr, 80), 0);
		assert_int_equal(t_call(1, SYS_LISTEN, l, 2), 0);
		t_connect(0, fd, host_addr[1], 80);
		run_for(1 * SEC);
		world_memory(w, &before);
		wire_param(WIRE_PARAM_DROP_NEXT, UINT32_MAX);
		assert_int_equal(t_sendto(0, fd, data, PIECE, 0, NULL, 0), PIECE);
		if (orphan)
			t_close(0, fd);
		plant(0, UINT32_MAX);
		run_for((orphan ? 110 : 1000) * SEC);
		world_memory(w, &after);
		assert_true(after.failed > 100);
		if (orphan)
			assert_true(after.objects < before.objects);
		else
			assert_int_equal(t_sendto(0, fd, data, 1, MSG_NOSIGNAL, NULL, 0),
					 -ETIMEDOUT);
		sock_world_teardown(state);
	}
}

static void fastopen_allowed(u32 host)
{
	static const char name[] = "net.ipv4.tcp_fastopen", value[] = "0x607";
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.host = host;
	op.u.sysctl.name = (struct op_bytes){ (const u8 *)name, sizeof(name) - 1 };
	op.u.sysctl.value = (struct op_bytes){ (const u8 *)value, sizeof(value) - 1 };
	assert_int_equal(apply(&op), 0);
}

/* A fast open child that gets no memory to send its SYN-ACK again, nor the client for its SYN,
 * tries later: more than 2^32 us after the boot, too. */
static void fastopen_child_waits_for_memory(void **state)
{
	u8 data[PIECE] = { 0 }, buf[2 * PIECE];
	struct world_memory before, after;
	s32 l, fd, child;

	sock_world_setup(state);
	fastopen_allowed(0);
	fastopen_allowed(1);
	l = try_socket(1);
	fd = try_socket(0);
	assert_int_equal(t_bind(1, l, any_addr, 80), 0);
	assert_int_equal(t_call(1, SYS_LISTEN, l, 2), 0);
	run_for(5000 * SEC);
	t_sendto(0, fd, data, 0, MSG_FASTOPEN, host_addr[1], 81); /* resolves the addresses */
	run_for(SEC / 2);
	t_close(0, fd);
	fd = try_socket(0);
	wire_end_param(1, WIRE_PARAM_DROP_NEXT, 1);
	assert_int_equal(t_sendto(0, fd, data, PIECE, MSG_FASTOPEN, host_addr[1], 80), PIECE);
	run_for(SEC / 2);
	child = (s32)t_call(1, SYS_ACCEPT, l, 0);
	assert_true(child >= 0);
	world_memory(w, &before);
	plant(0, 2);
	run_for(SEC);
	world_memory(w, &after);
	assert_int_equal(after.failed - before.failed, 2);
	run_for(10 * SEC);
	assert_int_equal(t_recv(1, child, buf, sizeof(buf), 0), PIECE);
	assert_int_equal(t_sendto(1, child, data, PIECE, MSG_NOSIGNAL, NULL, 0), PIECE);
	run_for(SEC);
	assert_int_equal(t_recv(0, fd, buf, sizeof(buf), 0), PIECE);
	sock_world_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nth_allocation_fails),
					    cmocka_unit_test(recovery_waits_for_memory),
					    cmocka_unit_test(no_memory_for_ever),
					    cmocka_unit_test(fastopen_child_waits_for_memory) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
