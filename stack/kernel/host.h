/* SPDX-License-Identifier: MIT */
/*
 * struct host: one simulated kernel. Its CPUs, its namespaces and the tables that Linux keeps once
 * per kernel; each table belongs to the folder named beside it, which alone looks inside.
 */
#ifndef TAPLINE_KERNEL_HOST_H
#define TAPLINE_KERNEL_HOST_H

#include "kernel/cpu.h"
#include "kernel/world.h"

struct net;
struct ptype_table; /* core/: ptype_all and ptype_base */
struct inet_protos; /* ipv4/: net_protocol by number */
struct inet6_protos; /* ipv6/: inet6_protocol by number */
struct neigh_table; /* core/ */
struct socket_families; /* socket/ */
struct files_struct; /* socket/: descriptors */
struct udp_table; /* udp/ */
struct inet_hashinfo; /* inet/ */
struct nf_hook_table; /* netfilter/ */

/* Whose pages of socket memory are counted together (core/sock_mem.h). */
enum proto_mem_kind { PROTO_MEM_NONE, PROTO_MEM_TCP, PROTO_MEM_UDP, PROTO_MEM_KINDS };

struct proto_mem {
	s64 allocated; /* pages, as far as CPUs have told */
	u64 pressure; /* jiffies: since when; 0: none */
	u32 sockets;
	s32 fw_alloc[HOST_CPUS_MAX]; /* pages that a CPU has not told of */
};

struct host {
	struct world *world;
	u32 id;
	u32 cpus_count;
	u64 born_ns; /* jiffies and irq times count from here */
	u32 napi_gen_id; /* of the NAPI instance made last */
	char name[32];
	struct cpu *cpus[HOST_CPUS_MAX];
	u32 task_cpu; /* where calls that are submitted run (OP_TASKSET) */
	softirq_fn softirq[NR_SOFTIRQS];
	u64 cost[COST_KIND_COUNT];
	struct list_head irqs; /* irq_desc.all */
	u32 irqs_count;
	struct list_head nets; /* struct net.list */
	u32 nets_made; /* numbers namespaces, never the same twice */
	struct net *init_net;
	struct ptype_table *ptypes;
	struct inet_protos *inet_protos;
	struct inet6_protos *inet6_protos;
	struct neigh_table *arp_tbl, *nd_tbl;
	struct socket_families *families;
	struct files_struct *files;
	struct udp_table *udp_table;
	struct inet_hashinfo *tcp_hashinfo;
	struct proto_mem proto_mem[PROTO_MEM_KINDS];
	struct siphash_key ip_id_key;
	struct siphash_key flow_key; /* RPS, multipath and other flow hashes of the kernel */
};

struct host *host_create(struct world *w, u32 cpus, const char *name);
/* All that ran on its CPUs must be gone. */
void host_free(struct host *h);

#endif
