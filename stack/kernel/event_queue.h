/* SPDX-License-Identifier: MIT */
/* The event queue's other side: what runs the world. */
#ifndef TAPLINE_KERNEL_EVENT_QUEUE_H
#define TAPLINE_KERNEL_EVENT_QUEUE_H

struct world;

/* Moves the clock to the first event and runs it. There must be one. */
void event_queue_run_first(struct world *w);

/* Walks the whole queue: heap order, links, count. */
void event_queue_check(const struct world *w);

#endif
