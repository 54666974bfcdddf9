/* SPDX-License-Identifier: MIT */
/* Arithmetic modulo 2^32 and 2^16 (RFC 9293 3.4): the only way sequence numbers are compared. */
#ifndef TAPLINE_LIB_SEQ_H
#define TAPLINE_LIB_SEQ_H

#include "stack/types.h"

static inline bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool after(u32 a, u32 b)
{
	return before(b, a);
}

/* low <= x <= high in the space of sequence numbers. */
static inline bool between(u32 x, u32 low, u32 high)
{
	return high - low >= x - low;
}

#endif
