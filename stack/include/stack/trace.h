/* SPDX-License-Identifier: MIT */
/* Trace records: what happened, where and when. The list of events is trace_events.def. */
#ifndef TAPLINE_STACK_TRACE_H
#define TAPLINE_STACK_TRACE_H

#include "stack/types.h"

enum trace_event {
#define EVENT(NAME, text, args, doc) TRACE_##NAME,
#include "stack/trace_events.def"
#undef EVENT
	TRACE_EVENT_COUNT
};

struct trace_record {
	u64 time_ns;
	u32 event; /* enum trace_event */
	u16 host; /* 0xffff: none (a wire) */
	u16 cpu; /* of that host; 0xffff: none */
	u64 arg[4];
};

/* "kfree_skb"; NULL outside the enum. */
const char *trace_event_name(u32 event);
/* Names of the four arguments, space separated; NULL outside the enum. */
const char *trace_event_args(u32 event);
const char *trace_event_doc(u32 event);

/* What SKB_PATH names. */
enum skb_path {
#define PATH(NAME, function) SKB_PATH_##NAME,
#include "stack/skb_paths.def"
#undef PATH
	SKB_PATH_COUNT
};
/* "ip_rcv"; NULL outside the enum. */
const char *skb_path_name(u32 path);

#endif
