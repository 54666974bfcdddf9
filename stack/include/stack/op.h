/* SPDX-License-Identifier: MIT */
/*
 * Ops: all that drives a world, in one form. Lua scripts, packetdrill scripts, captures and fuzz
 * inputs become ops; there is no second way in. They can be logged, replayed and reduced.
 *
 * A log record is: varint of world_event_count() at the time of application, varint kind, then the
 * fields in order: numbers as varints (LEB128), byte runs as varint length and bytes. Replaying
 * runs the events up to the record's count, then applies: exact to the event.
 */
#ifndef TAPLINE_STACK_OP_H
#define TAPLINE_STACK_OP_H

#include "stack/types.h"

struct world;

struct op_bytes {
	const u8 *p;
	u32 len;
};

enum op_kind {
#define OP(KIND, name, fields) OP_##KIND,
#include "stack/op.def"
#undef OP
	OP_KIND_COUNT
};

#define U(x) u64 x;
#define B(x) struct op_bytes x;
#define OP(KIND, name, fields) \
	struct op_##name {     \
		fields         \
	};
#include "stack/op.def"
#undef OP
#undef U
#undef B

struct op {
	u32 kind; /* enum op_kind */
	union {
#define OP(KIND, name, fields) struct op_##name name;
#include "stack/op.def"
#undef OP
	} u;
};

/*
 * Applies one op now. >= 0: done (for the ops that make something, its number); < 0: -errno and
 * nothing has changed. Byte runs are copied where they must outlive the call. OP_SYSCALL is refused
 * here with -EINVAL: it needs buffers, see sys_submit().
 */
s64 world_apply(struct world *w, const struct op *op);

/* Name of an op ("route_add"). NULL outside the enum. */
const char *op_name(u32 kind);

/*
 * Writes a record to `out` (room for `cap` bytes). Returns its length; more than `cap` when it did
 * not fit (nothing useful was written then).
 */
u32 op_encode(u64 event_count, const struct op *op, u8 *out, u32 cap);

/*
 * Reads one record. Returns the bytes used, 0 when `in` holds no whole, valid record. Byte runs
 * point into `in`.
 */
u32 op_decode(const u8 *in, u32 len, u64 *event_count, struct op *op);

#endif
