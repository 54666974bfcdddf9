/* SPDX-License-Identifier: MIT */
/*
 * Connections: opened, used for one byte, closed, between two hosts of one world: both stacks' work
 * and both applications'. Every connection leaves a TIME-WAIT socket, which is part of it.
 */
#include "bench.h"

#include "stack/nic.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"
#include "stack/sys.h"
#include "stack/world.h"

#define CONNECTIONS 4000u

static const u8 addr[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };

static void apply(struct world *w, const struct op *op)
{
	bench_check(world_apply(w, op) >= 0, "op");
}

static void add_host(struct world *w, u32 i)
{
	struct op op = { .kind = OP_HOST_ADD };

	op.u.host_add.cpus = 1;
	apply(w, &op);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.host = i;
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	apply(w, &op);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.end = i;
	op.u.wire_attach.host = i;
	op.u.wire_attach.ifindex = 2;
	apply(w, &op);
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.host = i;
	op.u.link_set.ifindex = 2;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	apply(w, &op);
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.host = i;
	op.u.addr_add.ifindex = 2;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ addr[i], 4 };
	apply(w, &op);
}

static s64 call(struct world *w, struct sys_op op)
{
	op.timeout_ns = TIME_NEVER;
	bench_check(sys_submit(w, &op) == 0, "submit");
	while (!op.completed)
		bench_check(world_step(w), "a call did not complete");
	return op.ret;
}

static s64 call_addr(struct world *w, u32 host, u32 nr, s32 fd, const u8 *a)
{
	struct sys_op op = { .host = host, .nr = nr, .fd = fd, .has_addr = true };

	op.addr.family = AF_INET;
	op.addr.port = 80;
	if (a)
		memcpy(op.addr.addr, a, 4);
	return call(w, op);
}

static s32 stream(struct world *w, u32 host)
{
	return (s32)call(w, (struct sys_op){ .host = host,
					     .nr = SYS_SOCKET,
					     .fd = -1,
					     .arg = { AF_INET, SOCK_STREAM } });
}

static void one(struct world *w, s32 l)
{
	s32 fd = stream(w, 0), server;
	u8 byte = 7;

	bench_check(call_addr(w, 0, SYS_CONNECT, fd, addr[1]) == 0, "connect");
	server = (s32)call(w, (struct sys_op){ .host = 1, .nr = SYS_ACCEPT, .fd = l });
	bench_check(server >= 0, "accept");
	bench_check(call(w, (struct sys_op){ .host = 0,
					     .nr = SYS_SENDMSG,
					     .fd = fd,
					     .data = &byte,
					     .data_len = 1 }) == 1,
		    "send");
	bench_check(call(w, (struct sys_op){ .host = 1,
					     .nr = SYS_RECVMSG,
					     .fd = server,
					     .data = &byte,
					     .data_len = 1 }) == 1,
		    "receive");
	bench_check(call(w, (struct sys_op){ .host = 0, .nr = SYS_CLOSE, .fd = fd }) == 0, "close");
	bench_check(call(w, (struct sys_op){ .host = 1, .nr = SYS_CLOSE, .fd = server }) == 0,
		    "close");
}

int main(void)
{
	const struct world_config config = { .seed = 1 };
	const size_t size = 64u << 20;
	void *arena = aligned_alloc(64, size);
	struct op op = { .kind = OP_WIRE_ADD };
	struct world *w;
	double t0;
	s32 l;

	bench_check(arena != NULL, "memory");
	w = world_create(arena, size, &config, NULL, NULL);
	apply(w, &op);
	add_host(w, 0);
	add_host(w, 1);
	l = stream(w, 1);
	bench_check(call_addr(w, 1, SYS_BIND, l, NULL) == 0, "bind");
	bench_check(call(w,
			 (struct sys_op){ .host = 1, .nr = SYS_LISTEN, .fd = l, .arg = { 100 } }) ==
			    0,
		    "listen");
	for (u32 i = 0; i < CONNECTIONS / 10; i++)
		one(w, l);
	t0 = bench_now_ns();
	for (u32 i = 0; i < CONNECTIONS; i++)
		one(w, l);
	bench_print("tcp_open_use_close", (bench_now_ns() - t0) / CONNECTIONS, "ns/conn");
	world_destroy(w, NULL);
	free(arena);
	return 0;
}
