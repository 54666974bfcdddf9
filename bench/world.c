/* SPDX-License-Identifier: MIT */
/* Making and ending a world: one host with a NIC that is up and has an address; and the same with
 * the arena mapped anew each time, as a test's world is. */
#include "bench.h"

#include "stack/nic.h"
#include "stack/op.h"
#include "stack/world.h"
#include "sut/sut.h"

#define ROUNDS	   2000u
#define ARENA_SIZE (1u << 20)

static void build(struct world *w)
{
	static const u8 addr[4] = { 192, 0, 2, 1 };
	struct op op = { .kind = OP_HOST_ADD };

	op.u.host_add.cpus = 1;
	bench_check(world_apply(w, &op) >= 0, "host");
	op = (struct op){ .kind = OP_WIRE_ADD };
	bench_check(world_apply(w, &op) >= 0, "wire");
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	bench_check(world_apply(w, &op) >= 0, "nic");
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.ifindex = 2;
	bench_check(world_apply(w, &op) >= 0, "attach");
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.ifindex = 2;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	bench_check(world_apply(w, &op) >= 0, "link");
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.ifindex = 2;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ addr, 4 };
	bench_check(world_apply(w, &op) >= 0, "address");
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv, "world_create_end world_create_end_as_a_test world_one_host_arena ");

	const struct world_config config = { .seed = 1 };
	void *arena = aligned_alloc(64, ARENA_SIZE);
	struct world_memory memory = { 0 };
	double t0, warm;

	bench_check(arena != NULL, "memory");
	for (u32 i = 0; i < ROUNDS / 10; i++)
		world_destroy(world_create(arena, ARENA_SIZE, &config, NULL, NULL), NULL);
	t0 = bench_now_ns();
	for (u32 i = 0; i < ROUNDS; i++) {
		struct world *w = world_create(arena, ARENA_SIZE, &config, NULL, NULL);
		struct world_leaks leaks;

		build(w);
		world_memory(w, &memory);
		world_destroy(w, &leaks);
		bench_check(leaks.objects == 0, "leak");
	}
	warm = (bench_now_ns() - t0) / ROUNDS;
	t0 = bench_now_ns();
	for (u32 i = 0; i < ROUNDS; i++) {
		struct sut *s = sut_tapline.create(&config, NULL, NULL);

		build(sut_tapline_world(s));
		sut_tapline.destroy(s, NULL);
	}
	bench_print("world_create_end", warm / 1000, "us");
	bench_print("world_create_end_as_a_test", (bench_now_ns() - t0) / ROUNDS / 1000, "us");
	bench_print("world_one_host_arena", (double)memory.arena_used / 1024, "KiB");
	free(arena);
	return 0;
}
