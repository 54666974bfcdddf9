/* SPDX-License-Identifier: MIT */
/*
 * A world of two hosts, 192.0.2.1 and 192.0.2.2, with a NIC each on one wire that has neither delay
 * nor rate, and socket calls on them. For the TCP benchmarks.
 */
#ifndef TAPLINE_BENCH_TWO_HOSTS_H
#define TAPLINE_BENCH_TWO_HOSTS_H

#include "bench.h"

#include "stack/nic.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"
#include "stack/sys.h"
#include "stack/world.h"

static const u8 bench_addr[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
/* How ops and calls name the connection's two ends: hosts, or namespaces of one host. */
static u32 bench_end[2] = { 0, 1 };

static inline s64 bench_apply(struct world *w, const struct op *op)
{
	s64 r = world_apply(w, op);

	bench_check(r >= 0, op_name(op->kind));
	return r;
}

/* The device is up and has the address of host (or namespace) i. */
static inline void bench_up(struct world *w, u32 i, u32 ifindex)
{
	struct op op = { .kind = OP_LINK_SET };

	op.u.link_set.host = bench_end[i];
	op.u.link_set.ifindex = ifindex;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	bench_apply(w, &op);
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.host = bench_end[i];
	op.u.addr_add.ifindex = ifindex;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ bench_addr[i], 4 };
	bench_apply(w, &op);
}

static inline void bench_add_host(struct world *w, u32 i)
{
	struct op op = { .kind = OP_HOST_ADD };

	op.u.host_add.cpus = 1;
	bench_apply(w, &op);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.host = i;
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	bench_apply(w, &op);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.end = i;
	op.u.wire_attach.host = i;
	op.u.wire_attach.ifindex = 2;
	bench_apply(w, &op);
	bench_up(w, i, 2);
}

/* One host, and nobody at the wire's other end (1). */
static inline struct world *bench_one_host(void *arena, size_t size)
{
	const struct world_config config = { .seed = 1 };
	struct op op = { .kind = OP_WIRE_ADD };
	struct world *w = world_create(arena, size, &config, NULL, NULL);

	bench_check(w != NULL, "world");
	bench_apply(w, &op);
	bench_add_host(w, 0);
	return w;
}

static inline struct world *bench_two_hosts(void *arena, size_t size)
{
	const struct world_config config = { .seed = 1 };
	struct op op = { .kind = OP_WIRE_ADD };
	struct world *w;

	bench_check(arena != NULL, "memory");
	w = world_create(arena, size, &config, NULL, NULL);
	bench_check(w != NULL, "world");
	bench_apply(w, &op);
	bench_add_host(w, 0);
	bench_add_host(w, 1);
	return w;
}

/* One host of two namespaces with a veth pair between them. */
static inline struct world *bench_two_namespaces(void *arena, size_t size)
{
	const struct world_config config = { .seed = 1 };
	struct op op = { .kind = OP_HOST_ADD };
	struct world *w;

	bench_check(arena != NULL, "memory");
	w = world_create(arena, size, &config, NULL, NULL);
	bench_check(w != NULL, "world");
	op.u.host_add.cpus = 1;
	bench_apply(w, &op);
	op = (struct op){ .kind = OP_NETNS_ADD };
	op.u.netns_add.name = (struct op_bytes){ (const u8 *)"far", 3 };
	bench_end[1] = (u32)bench_apply(w, &op);
	op = (struct op){ .kind = OP_LINK_ADD };
	op.u.link_add.kind = (struct op_bytes){ (const u8 *)"veth", 4 };
	op.u.link_add.name = (struct op_bytes){ (const u8 *)"veth0", 5 };
	op.u.link_add.peer = (struct op_bytes){ (const u8 *)"veth1", 5 };
	op.u.link_add.peer_host = bench_end[1];
	bench_up(w, 0, (u32)bench_apply(w, &op));
	bench_up(w, 1, 2);
	return w;
}

static inline s64 bench_call(struct world *w, struct sys_op op)
{
	op.timeout_ns = TIME_NEVER;
	bench_check(sys_submit(w, &op) == 0, "submit");
	while (!op.completed)
		bench_check(world_step(w), "a call did not complete");
	return op.ret;
}

/* bind and connect; addr NULL: the wildcard. */
static inline s64 bench_call_addr(struct world *w, u32 host, u32 nr, s32 fd, const u8 *addr,
				  u16 port)
{
	struct sys_op op = { .host = host, .nr = nr, .fd = fd, .has_addr = true };

	op.addr.family = AF_INET;
	op.addr.port = port;
	if (addr)
		memcpy(op.addr.addr, addr, 4);
	return bench_call(w, op);
}

static inline s32 bench_stream(struct world *w, u32 host)
{
	s64 fd = bench_call(w, (struct sys_op){ .host = host,
						.nr = SYS_SOCKET,
						.fd = -1,
						.arg = { AF_INET, SOCK_STREAM } });

	bench_check(fd >= 0, "socket");
	return (s32)fd;
}

static inline s32 bench_listen_on(struct world *w, u32 host, u16 port, u32 backlog)
{
	s32 fd = bench_stream(w, host);

	bench_check(bench_call_addr(w, host, SYS_BIND, fd, NULL, port) == 0, "bind");
	bench_check(bench_call(w, (struct sys_op){ .host = host,
						   .nr = SYS_LISTEN,
						   .fd = fd,
						   .arg = { backlog } }) == 0,
		    "listen");
	return fd;
}

/* A listener on port 80 of the second end. */
static inline s32 bench_listen(struct world *w, u32 backlog)
{
	return bench_listen_on(w, bench_end[1], 80, backlog);
}

/* Connects the first end to the listener on that port of the second: fd[0] and fd[1] are theirs. */
static inline void bench_connect_to(struct world *w, s32 listener, u16 port, s32 fd[2])
{
	fd[0] = bench_stream(w, bench_end[0]);
	bench_check(bench_call_addr(w, bench_end[0], SYS_CONNECT, fd[0], bench_addr[1], port) == 0,
		    "connect");
	fd[1] = (s32)bench_call(
		w, (struct sys_op){ .host = bench_end[1], .nr = SYS_ACCEPT, .fd = listener });
	bench_check(fd[1] >= 0, "accept");
}

static inline void bench_connect(struct world *w, s32 listener, s32 fd[2])
{
	bench_connect_to(w, listener, 80, fd);
}

static inline void bench_sysctl(struct world *w, u32 host, const char *name, const char *value)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.host = host;
	op.u.sysctl.name = (struct op_bytes){ (const u8 *)name, (u32)strlen(name) };
	op.u.sysctl.value = (struct op_bytes){ (const u8 *)value, (u32)strlen(value) };
	bench_apply(w, &op);
}

static inline void bench_close(struct world *w, u32 host, s32 fd)
{
	bench_check(bench_call(w, (struct sys_op){ .host = host, .nr = SYS_CLOSE, .fd = fd }) == 0,
		    "close");
}

/* A byte from host 0's end of a connection to host 1's. */
static inline void bench_exchange(struct world *w, const s32 fd[2])
{
	u8 byte = 7;

	bench_check(bench_call(w, (struct sys_op){ .host = 0,
						   .nr = SYS_SENDMSG,
						   .fd = fd[0],
						   .data = &byte,
						   .data_len = 1 }) == 1,
		    "send");
	bench_check(bench_call(w, (struct sys_op){ .host = 1,
						   .nr = SYS_RECVMSG,
						   .fd = fd[1],
						   .data = &byte,
						   .data_len = 1 }) == 1,
		    "receive");
}

#endif
