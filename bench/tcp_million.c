/* SPDX-License-Identifier: MIT */
/*
 * A million connections: what a packet costs among them against one alone, what they cost while
 * they are idle, with SO_KEEPALIVE on, and how large they are. One exchange is a byte sent,
 * received by the other end's application, and its acknowledgement, on a connection that no cache
 * foresees.
 */
#include "two_hosts.h"

#include "kernel/world.h"

#define CONNECTIONS 1000000u
#define EXCHANGES   200000u
#define PER_PORT    60000u /* connections to one port of the other host */

static s32 (*fds)[2];

static void exchanges(struct world *w, u32 among, const char *name)
{
	u32 at = 0;
	double t0 = bench_now_ns();

	for (u32 i = 0; i < EXCHANGES; i++) {
		bench_exchange(w, fds[at]);
		at = (u32)(((u64)at * 2654435761u + 12345) % among);
	}
	bench_print(name, (bench_now_ns() - t0) / EXCHANGES, "ns/exchange");
	world_run(w, world_now(w) + 100 * NSEC_PER_SEC);
}

static void keepalive(struct world *w)
{
	u8 on[4] = { 1, 0, 0, 0 };
	u64 events;
	double t0;

	for (u32 i = 0; i < CONNECTIONS; i++) {
		struct sys_op op = { .nr = SYS_SETSOCKOPT, .fd = fds[i][0] };

		op.arg[0] = SOL_SOCKET;
		op.arg[1] = SO_KEEPALIVE;
		op.data = on;
		op.data_len = 4;
		bench_check(bench_call(w, op) == 0, "SO_KEEPALIVE");
		/* Not all at one instant. */
		world_run(w, world_now(w) + 5 * NSEC_PER_USEC);
	}
	events = world_event_count(w);
	t0 = bench_now_ns();
	world_run(w, world_now(w) + 7000 * NSEC_PER_SEC);
	bench_print("tcp_million_idle_2h", (bench_now_ns() - t0) / 1000, "us");
	bench_print("tcp_million_idle_2h_events", (double)(world_event_count(w) - events),
		    "events");
	t0 = bench_now_ns();
	world_run(w, world_now(w) + 400 * NSEC_PER_SEC);
	bench_print("tcp_keepalive_probe", (bench_now_ns() - t0) / CONNECTIONS, "ns/probe");
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv,
		   "tcp_exchange_1 tcp_million_connection tcp_exchange_1000000 "
		   "tcp_million_idle_2h tcp_million_idle_2h_events tcp_keepalive_probe ");

	const size_t size = 6ull << 30;
	void *arena = aligned_alloc(64, size);
	struct world *w = bench_two_hosts(arena, size);
	u64 used;
	s32 listener = 0;

	fds = calloc(CONNECTIONS, sizeof(*fds));
	bench_check(fds != NULL, "memory");
	bench_sysctl(w, 0, "tapline.rlimit_nofile", "1048576");
	bench_sysctl(w, 1, "tapline.rlimit_nofile", "1048576");
	bench_sysctl(w, 0, "net.ipv4.ip_local_port_range", "1024 65535");
	bench_sysctl(w, 1, "net.ipv4.ip_local_port_range", "1024 65535");
	listener = bench_listen(w, 10);
	used = (u64)(w->mem.brk - w->mem.base);
	bench_connect_to(w, listener, 80, fds[0]);
	exchanges(w, 1, "tcp_exchange_1");
	for (u32 i = 1; i < CONNECTIONS; i++) {
		u16 port = (u16)(80 + i / PER_PORT);

		if (i % PER_PORT == 0)
			listener = bench_listen_on(w, 1, port, 10);
		bench_connect_to(w, listener, port, fds[i]);
	}
	bench_print("tcp_million_connection",
		    (double)((u64)(w->mem.brk - w->mem.base) - used) / CONNECTIONS / 2,
		    "bytes/end");
	world_run(w, world_now(w) + 100 * NSEC_PER_SEC);
	exchanges(w, CONNECTIONS, "tcp_exchange_1000000");
	keepalive(w);
	fflush(stdout);
	_Exit(0); /* closing them all is not what is measured */
}
