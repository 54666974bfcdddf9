/* SPDX-License-Identifier: MIT */
/* The first-in-first-out disciplines: what a device has when nobody configured another. */
#ifndef TAPLINE_SCHED_SCH_FIFO_H
#define TAPLINE_SCHED_SCH_FIFO_H

#include "core/sch_generic.h"

/* pfifo_fast: three bands by priority, each limited to the device's tx_queue_len packets. */
extern const struct Qdisc_ops pfifo_fast_ops;

#endif
