/* SPDX-License-Identifier: MIT */
/*
 * Two hosts, 192.0.2.1 and 192.0.2.2, on a wire of 1 us, and short forms of system calls. What
 * blocks is left pending; what does not is complete when its function returns.
 */
#ifndef TAPLINE_TESTS_STACK_SOCKET_SOCK_WORLD_H
#define TAPLINE_TESTS_STACK_SOCKET_SOCK_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bytes.h"
#include "stack/counters.h"
#include "stack/errno.h"
#include "stack/nic.h"
#include "stack/op.h"
#include "stack/socket.h"
#include "stack/sys.h"
#include "stack/world.h"

#define ARENA	   (32u << 20)
#define WIRE_DELAY 1000u

static u8 *arena;
static struct world *w;
static u8 frames_seen;

static const u8 any_addr[4];
static const u8 lo_addr[4] = { 127, 0, 0, 1 };
static const u8 host_addr[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };

static inline s64 apply(const struct op *op)
{
	return world_apply(w, op);
}

static inline void world_add_host(u32 i)
{
	static const u8 mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
	struct op op = { .kind = OP_HOST_ADD };

	op.u.host_add.cpus = 1;
	assert_int_equal(apply(&op), i);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.host = i;
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	op.u.nic_add.mac = (struct op_bytes){ mac[i], 6 };
	assert_int_equal(apply(&op), 2);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.end = i;
	op.u.wire_attach.host = i;
	op.u.wire_attach.ifindex = 2;
	assert_int_equal(apply(&op), 0);
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.host = i;
	op.u.link_set.ifindex = 2;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	assert_int_equal(apply(&op), 0);
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.host = i;
	op.u.addr_add.ifindex = 2;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ host_addr[i], 4 };
	assert_int_equal(apply(&op), 0);
}

static inline int sock_world_setup(void **state)
{
	struct world_config config = { .seed = 7, .check_events = true };
	struct op op = { .kind = OP_WIRE_ADD };

	(void)state;
	(void)frames_seen;
	arena = aligned_alloc(64, ARENA);
	assert_non_null(arena);
	memset(arena, 0xa5, 1u << 20);
	w = world_create(arena, ARENA, &config, NULL, NULL);
	assert_non_null(w);
	op.u.wire_add.delay_ns = WIRE_DELAY;
	assert_int_equal(apply(&op), 0);
	world_add_host(0);
	world_add_host(1);
	return 0;
}

static inline int sock_world_teardown(void **state)
{
	struct world_leaks leaks;

	(void)state;
	world_check(w, 1);
	world_destroy(w, &leaks);
	assert_null(leaks.kind);
	assert_int_equal(leaks.bytes, 0);
	assert_int_equal(leaks.timers, 0);
	free(arena);
	return 0;
}

static inline void run_for(u64 ns)
{
	assert_int_equal(world_run(w, world_now(w) + ns), WORLD_TIME);
	world_check(w, 1);
}

static inline struct sock_addr sa(const u8 addr[4], u16 port)
{
	struct sock_addr a = { .family = AF_INET, .port = port };

	memcpy(a.addr, addr, 4);
	return a;
}

static inline void submit(struct sys_op *op)
{
	assert_int_equal(sys_submit(w, op), 0);
}

/* A call that must be over at once. */
static inline s64 finish(struct sys_op *op)
{
	submit(op);
	if (!op->completed)
		world_run(w, world_now(w));
	assert_true(op->completed);
	return op->ret;
}

static inline struct sys_op call_of(u32 host, u32 nr, s32 fd)
{
	return (struct sys_op){ .host = host, .nr = nr, .fd = fd, .timeout_ns = TIME_NEVER };
}

static inline s32 t_socket(u32 host, u32 flags)
{
	struct sys_op op = call_of(host, SYS_SOCKET, -1);

	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_DGRAM | flags;
	return (s32)finish(&op);
}

static inline s64 t_call(u32 host, u32 nr, s32 fd, u64 arg0)
{
	struct sys_op op = call_of(host, nr, fd);

	op.arg[0] = arg0;
	return finish(&op);
}

static inline s64 t_close(u32 host, s32 fd)
{
	return t_call(host, SYS_CLOSE, fd, 0);
}

static inline s64 t_addr_call(u32 host, u32 nr, s32 fd, const u8 addr[4], u16 port)
{
	struct sys_op op = call_of(host, nr, fd);

	op.has_addr = true;
	op.addr = sa(addr, port);
	return finish(&op);
}

static inline s64 t_bind(u32 host, s32 fd, const u8 addr[4], u16 port)
{
	return t_addr_call(host, SYS_BIND, fd, addr, port);
}

static inline s64 t_connect(u32 host, s32 fd, const u8 addr[4], u16 port)
{
	return t_addr_call(host, SYS_CONNECT, fd, addr, port);
}

static inline s64 t_disconnect(u32 host, s32 fd)
{
	struct sys_op op = call_of(host, SYS_CONNECT, fd);

	op.has_addr = true;
	return finish(&op);
}

static inline s64 t_setopt(u32 host, s32 fd, u32 level, u32 name, s32 v)
{
	struct sys_op op = call_of(host, SYS_SETSOCKOPT, fd);
	u8 b[4];

	put_le32(b, (u32)v);
	op.arg[0] = level;
	op.arg[1] = name;
	op.data = b;
	op.data_len = 4;
	return finish(&op);
}

static inline s32 t_getopt(u32 host, s32 fd, u32 level, u32 name)
{
	struct sys_op op = call_of(host, SYS_GETSOCKOPT, fd);
	u8 b[4] = { 0 };

	op.arg[0] = level;
	op.arg[1] = name;
	op.data = b;
	op.data_len = 4;
	assert_true(finish(&op) >= 0);
	return (s32)get_le32(b);
}

static inline s64 t_set_timeo(u32 host, s32 fd, u32 name, u64 sec, u64 usec)
{
	struct sys_op op = call_of(host, SYS_SETSOCKOPT, fd);
	u8 b[16];

	put_le64(b, sec);
	put_le64(b + 8, usec);
	op.arg[0] = SOL_SOCKET;
	op.arg[1] = name;
	op.data = b;
	op.data_len = 16;
	return finish(&op);
}

static inline s64 t_sendto(u32 host, s32 fd, const void *data, u32 len, u32 flags, const u8 *addr,
			   u16 port)
{
	struct sys_op op = call_of(host, SYS_SENDMSG, fd);

	op.arg[0] = flags;
	op.data = (u8 *)(uintptr_t)data;
	op.data_len = len;
	if (addr) {
		op.has_addr = true;
		op.addr = sa(addr, port);
	}
	return finish(&op);
}

/* A receive that the caller keeps: it may block. */
static inline struct sys_op recv_op(u32 host, s32 fd, u8 *buf, u32 len, u32 flags)
{
	struct sys_op op = call_of(host, SYS_RECVMSG, fd);

	op.arg[0] = flags;
	op.data = buf;
	op.data_len = len;
	return op;
}

static inline s64 t_recv(u32 host, s32 fd, u8 *buf, u32 len, u32 flags)
{
	struct sys_op op = recv_op(host, fd, buf, len, flags | MSG_DONTWAIT);

	return finish(&op);
}

static inline u64 counter(u32 host, const char *name)
{
	u64 v = 0;

	assert_true(counter_get(w, host, name, &v));
	return v;
}

/* Port that a socket is bound to. */
static inline u16 t_port(u32 host, s32 fd)
{
	struct sys_op op = call_of(host, SYS_GETSOCKNAME, fd);

	assert_int_equal(finish(&op), 0);
	return op.addr.port;
}

#endif
