/* SPDX-License-Identifier: MIT */
/* A host's birth and end as far as the kernel's own rooms go: CPUs, interrupt lines, keys. Tables
 * of other folders come and go in world.c. */
#include "kernel/host.h"

#include "kernel/cpu_steps.h"
#include "kernel/timer.h"
#include "lib/str.h"
#include "stack/assert.h"

struct host *host_create(struct world *w, u32 cpus, const char *name)
{
	struct host *h;

	ASSERT(cpus >= 1);
	ASSERT(cpus <= HOST_CPUS_MAX);
	h = mem_zalloc(w, MEM_HOST, sizeof(*h));
	if (!h)
		return NULL;
	h->world = w;
	h->id = w->hosts_count;
	h->born_ns = w->now;
	str_copy(h->name, name, sizeof(h->name));
	list_init(&h->irqs);
	list_init(&h->nets);
	get_random_siphash_key(w, RANDOM_IPID, &h->ip_id_key);
	get_random_siphash_key(w, RANDOM_HASH, &h->flow_key);
	for (; h->cpus_count < cpus; h->cpus_count++) {
		struct cpu *cpu = mem_alloc(w, MEM_CPU, sizeof(*cpu));

		if (!cpu) {
			host_free(h);
			return NULL;
		}
		cpu_init(cpu, h, h->cpus_count);
		h->cpus[h->cpus_count] = cpu;
	}
	return h;
}

/* All sockets are gone: so are their pages. */
static void check_proto_mem(const struct host *h)
{
	for (u32 kind = PROTO_MEM_TCP; kind < PROTO_MEM_KINDS; kind++) {
		s64 pages = h->proto_mem[kind].allocated;

		for (u32 i = 0; i < HOST_CPUS_MAX; i++)
			pages += h->proto_mem[kind].fw_alloc[i];
		ASSERT(pages == 0);
		ASSERT(h->proto_mem[kind].sockets == 0);
	}
}

void host_free(struct host *h)
{
	ASSERT(list_empty(&h->irqs));
	ASSERT(list_empty(&h->nets));
	check_proto_mem(h);
	for (u32 i = 0; i < h->cpus_count; i++) {
		cpu_exit(h->cpus[i]);
		mem_free(h->world, MEM_CPU, h->cpus[i], sizeof(struct cpu));
	}
	mem_free(h->world, MEM_HOST, h, sizeof(*h));
}
