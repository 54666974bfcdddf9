/* SPDX-License-Identifier: MIT */
/*
 * What a packet pays for the size of the tables: a route found among 1, 1,000, 100,000 and
 * 1,000,000 in the main table, a neighbour among as many. They are asked for in an order that no
 * cache foresees, so beyond the caches' size the misses of the way down are in it.
 */
#include "two_hosts.h"

#include "core/neighbour.h"
#include "ipv4/fib.h"
#include "ipv4/route.h"
#include "kernel/host.h"
#include "netns/net.h"

#define LOOKUPS	   400000u
#define ARENA	   (2048ull << 20)
#define ROUTE_BASE 0x10000000u /* 16.0.0.0, a /28 each */
#define NEIGH_BASE 0x20000000u

static u32 next_index(u32 at, u32 n)
{
	return (u32)(((u64)at * 2654435761u + 12345) % n);
}

static void add_routes(struct world *w, u32 from, u32 to)
{
	static const u8 gateway[4] = { 192, 0, 2, 2 };

	for (u32 i = from; i < to; i++) {
		struct op op = { .kind = OP_ROUTE_ADD };
		be32 dst = htonl(ROUTE_BASE + i * 16);

		op.u.route_add.prefix_len = 28;
		op.u.route_add.oif = 2;
		op.u.route_add.dst = (struct op_bytes){ (const u8 *)&dst, 4 };
		op.u.route_add.gateway = (struct op_bytes){ gateway, 4 };
		bench_apply(w, &op);
	}
}

static void routes(struct world *w, u32 n)
{
	struct net *net = w->hosts[0]->init_net;
	u32 at = 0, found = 0;
	char name[64];
	double t0 = bench_now_ns();

	for (u32 i = 0; i < LOOKUPS; i++) {
		struct flowi4 fl4 = { .daddr = htonl(ROUTE_BASE + at * 16 + 5) };
		struct fib_result res = { .fi = NULL };

		found += fib_lookup(net, &fl4, &res) == 0;
		at = next_index(at, n);
	}
	snprintf(name, sizeof(name), "route_lookup_%u", n);
	bench_print(name, (bench_now_ns() - t0) / LOOKUPS, "ns/lookup");
	bench_check(found == LOOKUPS, "a route was not found");
}

static void neighbours(struct world *w, u32 from, u32 n)
{
	struct host *h = w->hosts[0];
	struct neigh_table *tbl = h->arp_tbl;
	struct net_device *dev = dev_get_by_index(h->init_net, 2);
	u32 at = 0, found = 0;
	char name[64];
	double t0;

	tbl->gc_thresh1 = tbl->gc_thresh2 = tbl->gc_thresh3 = UINT32_MAX;
	for (u32 i = from; i < n; i++) {
		be32 key = htonl(NEIGH_BASE + i);
		struct neighbour *neigh = neigh_create(tbl, &key, dev);

		bench_check(neigh != NULL, "neighbour");
		neigh_release(neigh);
	}
	t0 = bench_now_ns();
	for (u32 i = 0; i < LOOKUPS; i++) {
		be32 key = htonl(NEIGH_BASE + at);

		found += neigh_lookup_noref(tbl, &key, dev) != NULL;
		at = next_index(at, n);
	}
	snprintf(name, sizeof(name), "neigh_lookup_%u", n);
	bench_print(name, (bench_now_ns() - t0) / LOOKUPS, "ns/lookup");
	bench_check(found == LOOKUPS, "a neighbour was not found");
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv,
		   "route_lookup_1 route_lookup_1000 route_lookup_100000 "
		   "route_lookup_1000000 neigh_lookup_1 neigh_lookup_1000 "
		   "neigh_lookup_100000 neigh_lookup_1000000 ");

	static const u32 sizes[] = { 1, 1000, 100000, 1000000 };
	void *arena = aligned_alloc(64, ARENA);
	struct world *w = bench_two_hosts(arena, ARENA);
	u32 have = 0;

	for (u32 i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		add_routes(w, have, sizes[i]);
		routes(w, sizes[i]);
		have = sizes[i];
	}
	have = 0;
	for (u32 i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		neighbours(w, have, sizes[i]);
		have = sizes[i];
	}
	world_destroy(w, NULL);
	free(arena);
	return 0;
}
