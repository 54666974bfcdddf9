/* SPDX-License-Identifier: MIT */
/* The first-in-first-out disciplines: what a device has when nobody configured another. */
#ifndef TAPLINE_SCHED_SCH_FIFO_H
#define TAPLINE_SCHED_SCH_FIFO_H

#include "core/sch_generic.h"

/* pfifo_fast: three bands by priority, each limited to the device's tx_queue_len packets. */
extern const struct Qdisc_ops pfifo_fast_ops;

/* pfifo: one queue of at most `limit` packets. */
extern const struct Qdisc_ops pfifo_ops;

struct op_qdisc_set;
/* `tc qdisc replace ... root`. 0 or -errno. */
int sched_op_qdisc_set(struct net_device *dev, const struct op_qdisc_set *o);

/* Boot and end of a host: pfifo_fast becomes what new devices get. */
int pktsched_init(struct host *h);
void pktsched_exit(struct host *h);

#endif
