/* SPDX-License-Identifier: MIT */
/*
 * The integer types of the whole project. Explicit widths only: `int` and `long` never reach
 * behaviour, because a run must not depend on the word size (docs/ARCHITECTURE.md, determinism).
 * be16/be32 mark values that are in network byte order.
 */
#ifndef TAPLINE_STACK_TYPES_H
#define TAPLINE_STACK_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef uint16_t be16;
typedef uint32_t be32;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The struct that holds `member` at `ptr`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define NSEC_PER_USEC 1000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_SEC  1000000000ull

/* No such instant: a timer that is not armed, a wait without a deadline. */
#define TIME_NEVER UINT64_MAX

#endif
