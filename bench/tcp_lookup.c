/* SPDX-License-Identifier: MIT */
/*
 * Finding the connection of a segment among 1, 1,000, 100,000 and 1,000,000: the hash of addresses
 * and ports, the chain, the comparison. The connections are asked for in an order that no cache
 * foresees, and lie apart from each other; so beyond the caches' size a miss or two is in it.
 */
#include "bench.h"

#include "inet/inet_hashtables.h"
#include "kernel/host.h"
#include "stack/op.h"
#include "stack/world.h"

#define LOOKUPS 400000u
#define STRIDE	256u

static struct sock_common *entry(char *base, size_t i)
{
	return (struct sock_common *)(void *)(base + i * STRIDE);
}

static void fill(struct inet_hashinfo *hi, struct net *net, char *base, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		struct sock_common *skc = entry(base, i);

		memset(skc, 0, sizeof(*skc));
		skc->skc_net = net;
		skc->skc_kind = SKC_SOCK;
		skc->skc_family = AF_INET;
		skc->skc_num = 80;
		skc->skc_dport = (u16)(1024 + i % 60000);
		skc->skc_v4.rcv_saddr = htonl(0xc0000201);
		skc->skc_v4.daddr = htonl(0x0a000000 + i / 60000);
		inet_ehash_insert(hi, skc);
	}
}

static void run(struct world *w, u32 n)
{
	struct host *h = w->hosts[0];
	struct inet_hashinfo *hi = h->tcp_hashinfo;
	char *base = aligned_alloc(64, (size_t)n * STRIDE);
	u32 at = 0, found = 0;
	char name[64];
	double t0;

	bench_check(base != NULL, "memory");
	fill(hi, h->init_net, base, n);
	t0 = bench_now_ns();
	for (u32 i = 0; i < LOOKUPS; i++) {
		struct inet_addr s = inet_addr4(htonl(0x0a000000 + at / 60000));
		struct inet_addr d = inet_addr4(htonl(0xc0000201));

		found += __inet_lookup_established(hi, h->init_net, AF_INET, &s,
						   (u16)(1024 + at % 60000), &d, 80,
						   2) == entry(base, at);
		at = (u32)(((u64)at * 2654435761u + 12345) % n);
	}
	snprintf(name, sizeof(name), "tcp_lookup_%u", n);
	bench_print(name, (bench_now_ns() - t0) / LOOKUPS, "ns/lookup");
	bench_check(found == LOOKUPS, "a connection was not found");
	for (u32 i = 0; i < n; i++)
		inet_ehash_remove(hi, entry(base, i));
	free(base);
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv,
		   "tcp_lookup_1 tcp_lookup_1000 tcp_lookup_100000 tcp_lookup_1000000 ");

	const struct world_config config = { .seed = 1 };
	const size_t size = 256u << 20;
	void *arena = aligned_alloc(64, size);
	struct op op = { .kind = OP_HOST_ADD };
	struct world *w;

	bench_check(arena != NULL, "memory");
	w = world_create(arena, size, &config, NULL, NULL);
	op.u.host_add.cpus = 1;
	bench_check(world_apply(w, &op) == 0, "host");
	run(w, 1);
	run(w, 1000);
	run(w, 100000);
	run(w, 1000000);
	world_destroy(w, NULL);
	free(arena);
	return 0;
}
