/* SPDX-License-Identifier: MIT */
/* Counters of the account of IP packets, for counters.c. */
#ifndef TAPLINE_PROC_COUNTERS_IP_H
#define TAPLINE_PROC_COUNTERS_IP_H

#include "netns/net.h"

/* By its name, as counter_get(). */
bool ip_counter_get(const struct net *net, const char *name, u64 *value);
/* All of them, as counters_walk(). */
void ip_counters_walk(const struct net *net, void (*fn)(void *ctx, const char *name, u64 value),
		      void *ctx);

#endif
