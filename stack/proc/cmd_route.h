/* SPDX-License-Identifier: MIT */
/* What `ip route` and `ip route get` print alike (cmd_route.c). */
#ifndef TAPLINE_PROC_CMD_ROUTE_H
#define TAPLINE_PROC_CMD_ROUTE_H

#include "ipv4/fib.h"
#include "proc/seq_file.h"

/* "unreachable "; nothing for a unicast route. */
void put_route_type(struct seq_file *m, u32 type);
/* "mtu lock 1400 ", of RTAX_MAX numbers. */
void put_route_metrics(struct seq_file *m, const u32 *metrics);
/* "local", "main", "default", or the number. */
void put_route_table(struct seq_file *m, u32 table);
struct shown_routes {
	struct seq_file *m;
	u32 table; /* to be named; 0: it need not be */
};

/* A line, or several, as `ip route show` has it; ctx: a struct shown_routes. */
void put_route(void *ctx, u32 prefix, u32 plen, const struct fib_alias *fa);

#endif
