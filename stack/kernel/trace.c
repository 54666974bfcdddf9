/* SPDX-License-Identifier: MIT */
/* Trace records and the digest of a world (trace.h), and the names out of the .def lists. */
#include "kernel/trace.h"

#include "kernel/host.h"
#include "lib/bytes.h"
#include "lib/hash.h"
#include "stack/drop_reason.h"

static const char *const event_names[] = {
#define EVENT(NAME, text, args, doc) text,
#include "stack/trace_events.def"
#undef EVENT
};

static const char *const event_args[] = {
#define EVENT(NAME, text, args, doc) args,
#include "stack/trace_events.def"
#undef EVENT
};

static const char *const event_docs[] = {
#define EVENT(NAME, text, args, doc) doc,
#include "stack/trace_events.def"
#undef EVENT
};

static const char *const path_names[] = {
#define PATH(NAME, function) function,
#include "stack/skb_paths.def"
#undef PATH
};

static const char *const reason_names[] = {
#define REASON(NAME, doc) #NAME,
#include "stack/drop_reasons.def"
#undef REASON
};

static const char *const reason_docs[] = {
#define REASON(NAME, doc) doc,
#include "stack/drop_reasons.def"
#undef REASON
};

_Static_assert(TRACE_EVENT_COUNT <= 64, "the mask of trace events has 64 bits");

const char *trace_event_name(u32 event)
{
	return event < TRACE_EVENT_COUNT ? event_names[event] : NULL;
}

const char *trace_event_args(u32 event)
{
	return event < TRACE_EVENT_COUNT ? event_args[event] : NULL;
}

const char *trace_event_doc(u32 event)
{
	return event < TRACE_EVENT_COUNT ? event_docs[event] : NULL;
}

const char *skb_path_name(u32 path)
{
	return path < SKB_PATH_COUNT ? path_names[path] : NULL;
}

const char *drop_reason_name(u32 reason)
{
	return reason < SKB_DROP_REASON_COUNT ? reason_names[reason] : NULL;
}

const char *drop_reason_doc(u32 reason)
{
	return reason < SKB_DROP_REASON_COUNT ? reason_docs[reason] : NULL;
}

void digest_word(struct world *w, u64 v)
{
	if (w->digest_on)
		w->digest = mix64((w->digest ^ v) + 0x9e3779b97f4a7c15ull);
}

void digest_bytes(struct world *w, const u8 *p, u32 len)
{
	u64 d = w->digest, last = 0;

	if (!w->digest_on)
		return;
	d = mix64((d ^ len) + 0x9e3779b97f4a7c15ull);
	for (; len >= 8; len -= 8, p += 8)
		d = mix64((d ^ get_le64(p)) + 0x9e3779b97f4a7c15ull);
	for (u32 i = 0; i < len; i++)
		last |= (u64)p[i] << (8 * i);
	w->digest = mix64((d ^ last) + 0x9e3779b97f4a7c15ull);
}

/* The CPU whose step is running, if any. */
static u16 running_cpu(const struct host *h)
{
	for (u32 i = 0; h && i < h->cpus_count; i++)
		if (h->cpus[i]->in_step)
			return (u16)i;
	return 0xffff;
}

static struct trace_record record_of(const struct world *w, const struct host *h,
				     enum trace_event ev, u64 a, u64 b, u64 c, u64 d)
{
	return (struct trace_record){ .time_ns = w->now,
				      .event = ev,
				      .host = h ? (u16)h->id : 0xffff,
				      .cpu = running_cpu(h),
				      .arg = { a, b, c, d } };
}

void trace_show(struct world *w, const struct host *h, enum trace_event ev, u64 a, u64 b, u64 c,
		u64 d)
{
	const struct trace_record rec = record_of(w, h, ev, a, b, c, d);

	if ((w->trace_mask & 1ull << ev) && w->ops && w->ops->trace)
		w->ops->trace(w->ops_ctx, &rec);
}

void trace_emit(struct world *w, const struct host *h, enum trace_event ev, u64 a, u64 b, u64 c,
		u64 d)
{
	const struct trace_record rec = record_of(w, h, ev, a, b, c, d);

	if (w->digest_on) {
		digest_word(w, rec.time_ns);
		digest_word(w, (u64)rec.event << 32 | (u64)rec.host << 16 | rec.cpu);
		digest_word(w, a);
		digest_word(w, b);
		digest_word(w, c);
		digest_word(w, d);
	}
	if ((w->trace_mask & 1ull << ev) && w->ops && w->ops->trace)
		w->ops->trace(w->ops_ctx, &rec);
}
