/* SPDX-License-Identifier: MIT */
/* Between the two halves of the assembler: world.c (lives of worlds and hosts) and world_apply.c
 * (ops). */
#ifndef TAPLINE_WORLD_H
#define TAPLINE_WORLD_H

#include "kernel/host.h"

/* A new host, booted, its `lo` up. NULL: too many, or no memory (all is undone then). */
struct host *host_boot(struct world *w, u32 cpus, const char *name);

/* A further namespace of a host, complete, its `lo` down. NULL: no memory. */
struct net *net_boot(struct host *h, const char *name, size_t len);
/* It ends now, or with its last socket: till then it is there as before. */
void net_del(struct net *net);

#endif
