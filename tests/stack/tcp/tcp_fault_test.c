/* SPDX-License-Identifier: MIT */
/*
 * A connection opened both ways, used and closed, again and again with the n-th allocation failing,
 * n = 1, 2, ... until none does: whatever becomes of it, invariants hold and all is given back.
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

static void plant(u64 skip)
{
	struct op op = { .kind = OP_FAULT };

	op.u.fault.point = FAULT_ALLOC;
	op.u.fault.skip = skip;
	op.u.fault.count = 1;
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
		plant(n);
		scenario();
		world_memory(w, &after);
		sock_world_teardown(state);
		if (after.failed == before.failed)
			break;
	}
	/* Sockets, files, buckets, requests, segments on both sides: there are many. */
	assert_in_range(n, 40, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nth_allocation_fails) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
