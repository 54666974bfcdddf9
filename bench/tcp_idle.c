/* SPDX-License-Identifier: MIT */
/*
 * What an idle established connection costs: real bytes of the arena for each end (the socket, its
 * file and descriptor, its place in the hash tables), with nothing sent yet and after one exchange;
 * and what the account says of it, in Linux's sizes.
 */
#include "two_hosts.h"

#include "kernel/world.h"

#define CONNECTIONS 10000u /* half of the ephemeral ports: beyond, connect() searches */
#define LIMIT	    "20000"

static u64 arena_used(const struct world *w)
{
	return (u64)(w->mem.brk - w->mem.base);
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv,
		   "tcp_idle_connection tcp_idle_connection_declared tcp_used_connection ");

	const size_t size = 1u << 30;
	void *arena = aligned_alloc(64, size);
	struct world *w = bench_two_hosts(arena, size);
	s32 listener = bench_listen(w, 100), fd[2], (*fds)[2] = calloc(CONNECTIONS, sizeof(*fds));
	u64 used, declared;
	u8 byte = 7;

	bench_sysctl(w, 0, "tapline.rlimit_nofile", LIMIT);
	bench_sysctl(w, 1, "tapline.rlimit_nofile", LIMIT);
	for (u32 i = 0; i < 100; i++)
		bench_connect(w, listener, fd);
	used = arena_used(w);
	declared = w->mem.bytes;
	for (u32 i = 0; i < CONNECTIONS; i++)
		bench_connect(w, listener, fds[i]);
	bench_print("tcp_idle_connection", (double)(arena_used(w) - used) / CONNECTIONS / 2,
		    "bytes/end");
	bench_print("tcp_idle_connection_declared",
		    (double)(w->mem.bytes - declared) / CONNECTIONS / 2, "bytes/end");
	for (u32 i = 0; i < CONNECTIONS; i++) {
		bench_check(bench_call(w, (struct sys_op){ .host = 0,
							   .nr = SYS_SENDMSG,
							   .fd = fds[i][0],
							   .data = &byte,
							   .data_len = 1 }) == 1,
			    "send");
		bench_check(bench_call(w, (struct sys_op){ .host = 1,
							   .nr = SYS_RECVMSG,
							   .fd = fds[i][1],
							   .data = &byte,
							   .data_len = 1 }) == 1,
			    "receive");
	}
	world_run(w, world_now(w) + NSEC_PER_SEC);
	bench_print("tcp_used_connection", (double)(arena_used(w) - used) / CONNECTIONS / 2,
		    "bytes/end");
	world_destroy(w, NULL);
	free(fds);
	free(arena);
	return 0;
}
