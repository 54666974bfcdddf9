/* SPDX-License-Identifier: MIT */
/*
 * What the optimiser is told because it could not know (include/linux/compiler.h).
 *
 * Not here: __attribute__((cold)). gcc 12 takes whole receive functions for cold that only have
 * ways to a cold one in them, and builds them for size: 4% more instructions were measured.
 */
#ifndef TAPLINE_LIB_COMPILER_H
#define TAPLINE_LIB_COMPILER_H

#define likely(cond)   __builtin_expect((cond) ? 1 : 0, 1)
#define unlikely(cond) __builtin_expect((cond) ? 1 : 0, 0)

#endif
