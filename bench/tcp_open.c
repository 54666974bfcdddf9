/* SPDX-License-Identifier: MIT */
/*
 * Connections: opened, used for one byte, closed, between two hosts of one world: both stacks' work
 * and both applications'. Every connection leaves a TIME-WAIT socket; after some of them there is
 * a rest, not measured, in which those end.
 */
#include "two_hosts.h"

#define CONNECTIONS 4000u
#define BATCH	    16u

static void one(struct world *w, s32 listener)
{
	s32 fd[2];

	bench_connect(w, listener, fd);
	bench_exchange(w, fd);
	bench_close(w, 0, fd[0]);
	bench_close(w, 1, fd[1]);
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv, "tcp_open_use_close ");

	const size_t size = 64u << 20;
	void *arena = aligned_alloc(64, size);
	struct world *w = bench_two_hosts(arena, size);
	s32 listener = bench_listen(w, 100);
	double ns = 0;

	for (u32 i = 0; i < CONNECTIONS / 10; i++)
		one(w, listener);
	for (u32 i = 0; i < CONNECTIONS; i += BATCH) {
		double t0 = bench_now_ns();

		for (u32 k = 0; k < BATCH; k++)
			one(w, listener);
		ns += bench_now_ns() - t0;
		world_run(w, world_now(w) + 100 * NSEC_PER_SEC);
	}
	bench_print("tcp_open_use_close", ns / CONNECTIONS, "ns/conn");
	world_destroy(w, NULL);
	free(arena);
	return 0;
}
