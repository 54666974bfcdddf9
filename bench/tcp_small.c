/* SPDX-License-Identifier: MIT */
/*
 * What is kept of connections that are closed and of those not yet there: real bytes of the arena
 * for each TIME-WAIT socket and each request, first the object alone, then with all that goes with
 * it (places in the hash tables, the port it holds).
 */
#include "two_hosts.h"

#include "inet/inet_timewait_sock.h"
#include "kernel/world.h"
#include "tcp/tcp.h"
#include "tcp/tcp_minisocks.h"

#define COUNT 10000u

static u64 arena_used(const struct world *w)
{
	return (u64)(w->mem.brk - w->mem.base);
}

/* Bytes of a block of the allocator for an object of that size. */
static double block_of(struct world *w, enum mem_kind kind, size_t size)
{
	u64 used = arena_used(w);
	void *p[64];

	for (u32 i = 0; i < 64; i++)
		p[i] = mem_alloc(w, kind, size);
	used = arena_used(w) - used;
	for (u32 i = 0; i < 64; i++)
		mem_free(w, kind, p[i], size);
	return (double)used / 64;
}

static void time_wait(struct world *w, s32 listener)
{
	u64 used = 0;
	s32 fd[2];

	for (u32 i = 0; i < COUNT + 100; i++) {
		if (i == 100)
			used = arena_used(w);
		bench_connect(w, listener, fd);
		bench_close(w, 0, fd[0]);
		bench_close(w, 1, fd[1]);
	}
	world_run(w, world_now(w) + NSEC_PER_MSEC);
	bench_check(mem_count(w, MEM_TIMEWAIT_SOCK) == COUNT + 100, "not all are in TIME-WAIT");
	bench_print("tcp_time_wait_all", (double)(arena_used(w) - used) / COUNT, "bytes");
}

/* A SYN from 192.0.2.9 to 192.0.2.1, port 80. */
static void syn(struct world *w, u16 port)
{
	static const u8 pseudo[12] = { 192, 0, 2, 9, 192, 0, 2, 1, 0, 6, 0, 20 };
	struct op op = { .kind = OP_FRAME };
	struct net_device *dev = dev_get_by_index(w->hosts[0]->init_net, 2);
	u8 f[54] = { 0 };
	u32 sum = 0;

	memcpy(f, dev->dev_addr, 6);
	f[6] = 2;
	f[11] = 9;
	bench_put16(f + 12, 0x0800);
	f[14] = 0x45;
	bench_put16(f + 16, 40);
	f[22] = 64;
	f[23] = 6;
	memcpy(f + 26, pseudo, 8);
	bench_put16(f + 24, bench_csum(f + 14, 20, 0));
	bench_put16(f + 34, port);
	bench_put16(f + 36, 80);
	f[46] = 0x50;
	f[47] = 2;
	bench_put16(f + 48, 65535);
	for (u32 i = 0; i < 12; i += 2)
		sum += (u32)pseudo[i] << 8 | pseudo[i + 1];
	bench_put16(f + 50, bench_csum(f + 34, 20, sum));
	op.u.frame.end = 1;
	op.u.frame.flags = FRAME_NO_DELAY;
	op.u.frame.bytes = (struct op_bytes){ f, sizeof(f) };
	bench_apply(w, &op);
	world_run(w, world_now(w) + 1000);
}

static void requests(struct world *w)
{
	u64 used = 0;

	for (u32 i = 0; i < COUNT + 100; i++) {
		if (i == 100)
			used = arena_used(w);
		syn(w, (u16)(2000 + i));
	}
	bench_check(mem_count(w, MEM_REQUEST_SOCK) == COUNT + 100, "not all became requests");
	bench_print("tcp_request_all", (double)(arena_used(w) - used) / COUNT, "bytes");
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv, "tcp_time_wait tcp_time_wait_all tcp_request tcp_request_all ");

	const size_t size = 1u << 30;
	void *arena = aligned_alloc(64, size);
	struct world *w = bench_two_hosts(arena, size);

	bench_print("tcp_time_wait",
		    block_of(w, MEM_TIMEWAIT_SOCK, sizeof(struct inet_timewait_sock)), "bytes");
	bench_print("tcp_request", block_of(w, MEM_REQUEST_SOCK, sizeof(struct tcp_request_sock)),
		    "bytes");
	time_wait(w, bench_listen(w, 10));
	world_destroy(w, NULL);
	w = bench_one_host(arena, size);
	bench_sysctl(w, 0, "net.core.somaxconn", "20000");
	bench_sysctl(w, 0, "net.ipv4.tcp_max_syn_backlog", "20000");
	bench_sysctl(w, 0, "net.ipv4.tcp_syncookies", "0");
	bench_listen_on(w, 0, 80, 20000);
	requests(w);
	world_destroy(w, NULL);
	free(arena);
	return 0;
}
