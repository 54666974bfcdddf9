/* SPDX-License-Identifier: MIT */
/*
 * Whole worlds: birth and end without leak, also when any allocation fails; two worlds stepped in
 * turn; snapshot and restore; the op log replayed gives the same digest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/errno.h"
#include "stack/nic.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"
#include "stack/sys.h"
#include "stack/world.h"

#define ARENA (8u << 20)

static u8 *arena_new(void)
{
	u8 *p = aligned_alloc(64, ARENA);

	assert_non_null(p);
	/* What was there before must not matter. */
	memset(p, 0xa5, ARENA);
	return p;
}

static const u8 mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
static const u8 addr[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };

static s64 apply(struct world *w, const struct op *op)
{
	return world_apply(w, op);
}

/* Two hosts on one wire. False when an op was refused for want of memory. */
static bool build(struct world *w)
{
	struct op op = { .kind = OP_WIRE_ADD };

	op.u.wire_add.delay_ns = 1000;
	op.u.wire_add.rate_bps = 1000000000;
	if (apply(w, &op) < 0)
		return false;
	for (u32 i = 0; i < 2; i++) {
		s64 host, ifindex;

		op = (struct op){ .kind = OP_HOST_ADD };
		op.u.host_add.cpus = 1 + i;
		host = apply(w, &op);
		if (host < 0)
			return false;
		op = (struct op){ .kind = OP_NIC_ADD };
		op.u.nic_add.host = (u64)host;
		op.u.nic_add.queues = 1 + i;
		op.u.nic_add.mtu = 1500;
		op.u.nic_add.mac = (struct op_bytes){ mac[i], 6 };
		ifindex = apply(w, &op);
		if (ifindex < 0)
			return false;
		op = (struct op){ .kind = OP_WIRE_ATTACH };
		op.u.wire_attach.end = i;
		op.u.wire_attach.host = (u64)host;
		op.u.wire_attach.ifindex = (u64)ifindex;
		if (apply(w, &op) < 0)
			return false;
		op = (struct op){ .kind = OP_LINK_SET };
		op.u.link_set.host = (u64)host;
		op.u.link_set.ifindex = (u64)ifindex;
		op.u.link_set.param = LINK_PARAM_UP;
		op.u.link_set.value = 1;
		if (apply(w, &op) < 0)
			return false;
		op = (struct op){ .kind = OP_ADDR_ADD };
		op.u.addr_add.host = (u64)host;
		op.u.addr_add.ifindex = (u64)ifindex;
		op.u.addr_add.prefix_len = 24;
		op.u.addr_add.addr = (struct op_bytes){ addr[i], 4 };
		if (apply(w, &op) < 0)
			return false;
	}
	return true;
}

static struct sys_op calls[64];
static u32 calls_count;
static u8 buffers[64][256];

static struct sys_op *call(struct world *w, u32 host, u32 nr, s32 fd, u64 arg0, u64 arg1)
{
	struct sys_op *op = &calls[calls_count];

	memset(op, 0, sizeof(*op));
	op->host = host;
	op->nr = nr;
	op->fd = fd;
	op->arg[0] = arg0;
	op->arg[1] = arg1;
	op->timeout_ns = TIME_NEVER;
	op->data = buffers[calls_count++];
	(void)w;
	return op;
}

static struct sock_addr inet(u32 host, u16 port)
{
	struct sock_addr a = { .family = AF_INET, .port = port };

	memcpy(a.addr, addr[host], 4);
	return a;
}

/* A datagram from host 1 to a blocking reader on host 0, and one to a closed port. */
static void talk(struct world *w)
{
	struct sys_op *reader, *op;
	s32 fd0, fd1;

	calls_count = 0;
	op = call(w, 0, SYS_SOCKET, -1, AF_INET, SOCK_DGRAM);
	assert_int_equal(sys_submit(w, op), 0);
	world_run(w, world_now(w));
	assert_true(op->completed);
	if (op->ret < 0)
		return;
	fd0 = (s32)op->ret;
	op = call(w, 0, SYS_BIND, fd0, 0, 0);
	op->has_addr = true;
	op->addr = inet(0, 7);
	sys_submit(w, op);
	reader = call(w, 0, SYS_RECVMSG, fd0, 0, 0);
	reader->data_len = 256;
	sys_submit(w, reader);
	op = call(w, 1, SYS_SOCKET, -1, AF_INET, SOCK_DGRAM);
	sys_submit(w, op);
	world_run(w, world_now(w));
	if (op->ret < 0)
		goto out;
	fd1 = (s32)op->ret;
	for (u16 port = 7; port <= 8; port++) {
		op = call(w, 1, SYS_SENDMSG, fd1, 0, 0);
		op->has_addr = true;
		op->addr = inet(0, port);
		memcpy(op->data, "hello", 5);
		op->data_len = 5;
		sys_submit(w, op);
	}
	world_run(w, world_now(w) + 10 * NSEC_PER_SEC);
	if (reader->completed && reader->ret == 5)
		assert_memory_equal(reader->data, "hello", 5);
out:
	world_run(w, world_now(w) + NSEC_PER_SEC);
	if (!reader->completed)
		sys_cancel(w, reader);
	assert_true(reader->completed);
}

static struct world *create(u8 *arena, u64 seed, const struct world_ops *ops, void *ctx)
{
	const struct world_config config = { .seed = seed, .digest = true };
	struct world *w = world_create(arena, ARENA, &config, ops, ctx);

	assert_non_null(w);
	return w;
}

static void assert_no_leaks(struct world *w)
{
	struct world_leaks leaks;

	world_destroy(w, &leaks);
	if (leaks.kind)
		fail_msg("leaked: %s (%u objects)", leaks.kind, leaks.objects);
	assert_int_equal(leaks.bytes, 0);
	assert_int_equal(leaks.objects, 0);
	assert_int_equal(leaks.timers, 0);
}

static void a_datagram_crosses_and_nothing_is_left(void **state)
{
	u8 *arena = arena_new();
	struct world *w = create(arena, 1, NULL, NULL);

	(void)state;
	assert_true(build(w));
	talk(w);
	assert_int_equal(calls[2].ret, 5);
	world_check(w, 1);
	assert_no_leaks(w);
	free(arena);
}

static void an_end_in_the_middle_leaves_nothing(void **state)
{
	u8 *arena = arena_new();

	(void)state;
	/* Ended after n events: frames on the wire, in rings, calls and neighbours waiting. */
	for (u32 n = 0; n < 60; n++) {
		struct world *w = create(arena, n, NULL, NULL);
		struct sys_op *op;

		assert_true(build(w));
		calls_count = 0;
		op = call(w, 1, SYS_SOCKET, -1, AF_INET, SOCK_DGRAM);
		sys_submit(w, op);
		world_run(w, world_now(w));
		assert_true(op->ret >= 0);
		for (u32 i = 0; i < 3; i++) {
			struct sys_op *send = call(w, 1, SYS_SENDMSG, (s32)op->ret, 0, 0);

			send->has_addr = true;
			send->addr = inet(0, 7);
			send->data_len = 200;
			sys_submit(w, send);
		}
		call(w, 1, SYS_RECVMSG, (s32)op->ret, 0, 0)->data_len = 256;
		sys_submit(w, &calls[calls_count - 1]);
		for (u32 i = 0; i < n; i++)
			world_step(w);
		assert_no_leaks(w);
		assert_true(calls[calls_count - 1].completed);
	}
	free(arena);
}

static void every_allocation_may_fail(void **state)
{
	u8 *arena = arena_new();
	u32 nth = 0;
	bool struck = true;

	(void)state;
	for (; struck; nth++) {
		struct world *w = create(arena, 1, NULL, NULL);
		struct op op = { .kind = OP_FAULT };
		struct world_memory memory;

		op.u.fault.skip = nth;
		op.u.fault.count = 1;
		assert_int_equal(world_apply(w, &op), 0);
		if (build(w))
			talk(w);
		world_check(w, 1);
		world_memory(w, &memory);
		struck = memory.failed != 0;
		assert_no_leaks(w);
	}
	/* The sweep really met the path: boot alone is dozens of allocations. */
	assert_true(nth > 40);
	free(arena);
}

static void memory_may_run_out_for_good(void **state)
{
	u8 *arena = arena_new();

	(void)state;
	for (u32 nth = 0; nth < 120; nth++) {
		struct world *w = create(arena, 1, NULL, NULL);
		struct op op = { .kind = OP_FAULT };

		op.u.fault.skip = nth;
		assert_int_equal(world_apply(w, &op), 0);
		if (build(w))
			talk(w);
		world_check(w, 1);
		assert_no_leaks(w);
	}
	free(arena);
}

static u64 digest_alone(u64 seed)
{
	u8 *arena = arena_new();
	struct world *w = create(arena, seed, NULL, NULL);
	u64 d;

	assert_true(build(w));
	talk(w);
	d = world_digest(w);
	assert_no_leaks(w);
	free(arena);
	return d;
}

static void one_seed_one_digest(void **state)
{
	(void)state;
	assert_true(digest_alone(5) == digest_alone(5));
	assert_true(digest_alone(5) != digest_alone(6));
}

static void ping(struct world *w, u32 fill)
{
	/* ICMP echo request from a free end would need one: an ARP request from host 1's NIC is
	 * stimulus enough. */
	struct op op = { .kind = OP_NEIGH_SET };

	op.u.neigh_set.host = fill & 1;
	op.u.neigh_set.ifindex = 2;
	op.u.neigh_set.state = NUD_DELAY;
	op.u.neigh_set.addr = (struct op_bytes){ addr[!(fill & 1)], 4 };
	op.u.neigh_set.lladdr = (struct op_bytes){ mac[!(fill & 1)], 6 };
	(void)world_apply(w, &op);
}

static void two_worlds_stepped_in_turn_do_not_touch(void **state)
{
	u8 *arena[2] = { arena_new(), arena_new() };
	struct world *w[2];

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		w[i] = create(arena[i], 77, NULL, NULL);
		assert_true(build(w[i]));
		ping(w[i], 0);
		ping(w[i], 1);
	}
	for (u32 n = 0; n < 100000; n++) {
		bool a = world_step(w[0]), b = world_step(w[1]);

		assert_int_equal(a, b);
		assert_true(world_digest(w[0]) == world_digest(w[1]));
		if (!a || world_now(w[0]) > 100 * NSEC_PER_SEC)
			break;
	}
	for (u32 i = 0; i < 2; i++) {
		assert_no_leaks(w[i]);
		free(arena[i]);
	}
}

static void a_restored_world_goes_on_as_it_did(void **state)
{
	u8 *arena = arena_new();
	struct world *w = create(arena, 3, NULL, NULL);
	u8 *snapshot;
	size_t size;
	u64 first;

	(void)state;
	assert_true(build(w));
	ping(w, 0);
	size = world_snapshot_size(w);
	snapshot = malloc(size);
	assert_non_null(snapshot);
	world_snapshot(w, snapshot);
	world_run(w, world_now(w) + 20 * NSEC_PER_SEC);
	first = world_digest(w);
	for (u32 i = 0; i < 3; i++) {
		world_restore(w, snapshot, size);
		world_run(w, world_now(w) + 20 * NSEC_PER_SEC);
		assert_true(world_digest(w) == first);
	}
	assert_no_leaks(w);
	free(snapshot);
	free(arena);
}

struct log {
	u8 bytes[65536];
	u32 len;
};

static void log_op(void *ctx, u64 event_count, const struct op *op)
{
	struct log *log = ctx;
	u32 room = (u32)sizeof(log->bytes) - log->len;
	u32 n = op_encode(event_count, op, log->bytes + log->len, room);

	assert_true(n <= room);
	log->len += n;
}

static void replay_call(struct world *w, const struct op_syscall *o)
{
	struct sys_op *op = call(w, (u32)o->host, (u32)o->nr, (s32)(s64)o->fd, o->arg0, o->arg1);

	op->timeout_ns = o->timeout_ns;
	op->data_len = o->data.len ? o->data.len : (u32)o->capacity;
	assert_true(op->data_len <= 256);
	if (o->data.len)
		memcpy(op->data, o->data.p, o->data.len);
	if (o->addr.len == 24) {
		const u8 *p = o->addr.p;

		op->has_addr = true;
		op->addr.family = (u16)(p[0] | p[1] << 8);
		op->addr.port = (u16)(p[2] | p[3] << 8);
		memcpy(op->addr.addr, p + 8, 16);
	}
	sys_submit(w, op);
}

static void the_op_log_replays_to_the_same_digest(void **state)
{
	static struct log log;
	const struct world_ops ops = { .op_log = log_op };
	u8 *arena = arena_new();
	struct world *w = create(arena, 21, &ops, &log);
	u64 digest, end, events, at;
	struct op op;

	(void)state;
	log.len = 0;
	assert_true(build(w));
	talk(w);
	digest = world_digest(w);
	end = world_now(w);
	events = world_event_count(w);
	assert_no_leaks(w);

	w = create(arena, 21, NULL, NULL);
	calls_count = 0;
	for (u32 pos = 0; pos < log.len;) {
		u32 n = op_decode(log.bytes + pos, log.len - pos, &at, &op);

		assert_int_not_equal(n, 0);
		while (world_event_count(w) < at)
			assert_true(world_step(w));
		if (op.kind == OP_SYSCALL)
			replay_call(w, &op.u.syscall);
		else if (op.kind != OP_CANCEL)
			(void)world_apply(w, &op);
		pos += n;
	}
	world_run(w, end);
	assert_int_equal(world_event_count(w), events);
	for (u32 i = 0; i < calls_count; i++)
		if (!calls[i].completed)
			sys_cancel(w, &calls[i]);
	assert_true(world_digest(w) == digest);
	assert_no_leaks(w);
	free(arena);
}

static void refused_ops_change_nothing(void **state)
{
	u8 *arena = arena_new();
	struct world *w = create(arena, 1, NULL, NULL);
	struct op op = { .kind = OP_NIC_ADD };

	(void)state;
	assert_int_equal(world_apply(w, &op), -ENODEV);
	op = (struct op){ .kind = OP_HOST_ADD };
	assert_int_equal(world_apply(w, &op), -EINVAL);
	op.u.host_add.cpus = 65;
	assert_int_equal(world_apply(w, &op), -EINVAL);
	op = (struct op){ .kind = OP_KIND_COUNT };
	assert_int_equal(world_apply(w, &op), -EINVAL);
	op = (struct op){ .kind = OP_SYSCALL };
	assert_int_equal(world_apply(w, &op), -EINVAL);
	op = (struct op){ .kind = OP_FRAME };
	assert_int_equal(world_apply(w, &op), -ENODEV);
	assert_no_leaks(w);
	assert_null(world_create(arena, 4096, &(struct world_config){ 0 }, NULL, NULL));
	free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_crosses_and_nothing_is_left),
		cmocka_unit_test(an_end_in_the_middle_leaves_nothing),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(memory_may_run_out_for_good),
		cmocka_unit_test(one_seed_one_digest),
		cmocka_unit_test(two_worlds_stepped_in_turn_do_not_touch),
		cmocka_unit_test(a_restored_world_goes_on_as_it_did),
		cmocka_unit_test(the_op_log_replays_to_the_same_digest),
		cmocka_unit_test(refused_ops_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
