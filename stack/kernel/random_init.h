/* SPDX-License-Identifier: MIT */
/* Seeding of the random streams at a world's birth. */
#ifndef TAPLINE_KERNEL_RANDOM_INIT_H
#define TAPLINE_KERNEL_RANDOM_INIT_H

struct world;

/* From w->seed. */
void random_init(struct world *w);

#endif
