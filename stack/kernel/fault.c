/* SPDX-License-Identifier: MIT */
/* The fault plan of a world (fault.h, stack/fault.h). */
#include "kernel/fault.h"

#include "kernel/trace.h"

static const char *const names[] = {
#define FAULT_POINT(NAME, text, doc) text,
#include "stack/fault.def"
#undef FAULT_POINT
};

static const char *const docs[] = {
#define FAULT_POINT(NAME, text, doc) doc,
#include "stack/fault.def"
#undef FAULT_POINT
};

const char *fault_name(u32 point)
{
	return point < FAULT_POINT_COUNT ? names[point] : NULL;
}

const char *fault_doc(u32 point)
{
	return point < FAULT_POINT_COUNT ? docs[point] : NULL;
}

void fault_plant(struct world *w, enum fault_point point, u64 skip, u64 count)
{
	w->fault.skip[point] = skip;
	w->fault.count[point] = count ? count : TIME_NEVER;
	w->fault.armed |= 1u << point;
}

static bool strike(struct world *w, enum fault_point point)
{
	struct fault_plan *f = &w->fault;

	if (f->skip[point]) {
		f->skip[point]--;
		return false;
	}
	if (f->count[point] != TIME_NEVER && --f->count[point] == 0)
		f->armed &= ~(1u << point);
	f->struck[point]++;
	trace(w, NULL, TRACE_FAULT_HIT, point, 0, 0, 0);
	return true;
}

bool should_fail(struct world *w, enum fault_point point)
{
	return (w->fault.armed & 1u << point) != 0 && strike(w, point);
}
