/* SPDX-License-Identifier: MIT */
/* See annotate.h. */
#include "capture/annotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/drop_reason.h"

enum { XMITS = 64, HELD_MAX = 4096, ETH_HEADER = 14, NO_CPU = 0xffff };

enum fate {
	FATE_NONE, /* nothing is known yet */
	FATE_TAKEN, /* the stack has it */
	FATE_DELIVERED,
	FATE_FORWARDED,
	FATE_DROPPED,
	FATE_MISSED,
	FATE_FILTERED,
	FATE_LOST,
};

struct attached {
	u32 wire, end, host, ifindex;
	bool raw;
	/* CPUs that gave the device a packet whose frame has not come yet; the last of all. */
	u16 xmit[XMITS], last;
	u32 xmits;
};

struct held {
	struct capture_frame f;
	u8 *bytes;
	u32 wire, end;
	s32 from, to; /* indices of attached; -1: the script's end */
	u16 from_cpu, to_cpu;
	u64 skb;
	enum fate fate;
	bool waits; /* its packet has not been told yet */
	bool forwarded; /* its packet was given to a device */
	u32 reason; /* of a drop; of a loss */
};

struct annotator {
	struct capture_writer *w;
	struct attached *at;
	size_t at_count;
	struct held held[HELD_MAX];
	size_t first, count;
};

struct annotator *annotator_new(void)
{
	struct annotator *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	return a;
}

void annotator_writer(struct annotator *a, struct capture_writer *w)
{
	a->w = w;
}

u64 annotator_events(void)
{
	return 1ull << TRACE_WIRE_DROP | 1ull << TRACE_NIC_RX_MISSED |
	       1ull << TRACE_NIC_RX_FILTERED | 1ull << TRACE_NETIF_RECEIVE_SKB |
	       1ull << TRACE_NET_DEV_XMIT | 1ull << TRACE_KFREE_SKB | 1ull << TRACE_CONSUME_SKB;
}

void annotator_attach(struct annotator *a, u32 wire, u32 end, u32 host, u32 ifindex)
{
	a->at = realloc(a->at, (a->at_count + 1) * sizeof(*a->at));
	if (!a->at)
		abort();
	a->at[a->at_count++] = (struct attached){
		.wire = wire, .end = end, .host = host, .ifindex = ifindex, .last = NO_CPU
	};
}

void annotator_raw(struct annotator *a, u32 wire)
{
	for (size_t i = 0; i < a->at_count; i++)
		a->at[i].raw = a->at[i].raw || a->at[i].wire == wire;
}

static s32 find_attached(const struct annotator *a, u32 wire, u32 end)
{
	for (size_t i = a->at_count; i-- > 0;) {
		if (a->at[i].wire == wire && a->at[i].end == end)
			return (s32)i;
	}
	return -1;
}

static struct held *held_at(struct annotator *a, size_t i)
{
	return &a->held[(a->first + i) % HELD_MAX];
}

/* ---- writing ---- */

static void put_fate(char *out, size_t size, const struct held *h)
{
	static const char *const losses[] = { "?",	    "loss",	    "drop_next",
					      "queue full", "nobody there", "link down" };

	switch (h->fate) {
	case FATE_NONE:
		snprintf(out, size, "on its way");
		break;
	case FATE_TAKEN:
		snprintf(out, size, "still held");
		break;
	case FATE_DELIVERED:
		snprintf(out, size, "delivered");
		break;
	case FATE_FORWARDED:
		snprintf(out, size, "forwarded");
		break;
	case FATE_DROPPED:
		snprintf(out, size, "dropped: %s",
			 drop_reason_name(h->reason) ? drop_reason_name(h->reason) : "?");
		break;
	case FATE_MISSED:
		snprintf(out, size, "missed: no receive descriptor");
		break;
	case FATE_FILTERED:
		snprintf(out, size, "refused by the device");
		break;
	default:
		snprintf(out, size, "lost on the wire: %s",
			 h->reason < sizeof(losses) / sizeof(losses[0]) ? losses[h->reason] : "?");
	}
}

static void put_cpu(char *out, size_t size, const struct attached *at, u16 cpu)
{
	if (cpu == NO_CPU)
		snprintf(out, size, "host %u", at->host);
	else
		snprintf(out, size, "host %u cpu %u", at->host, cpu);
}

static void write_held(struct annotator *a, struct held *h)
{
	char text[200] = "", part[64], fate[80];
	size_t n = 0;

	if (h->from >= 0) {
		put_cpu(part, sizeof(part), &a->at[h->from], h->from_cpu);
		n = (size_t)snprintf(text, sizeof(text), "%s: sent", part);
	}
	if (h->to >= 0 || h->fate == FATE_LOST) {
		put_fate(fate, sizeof(fate), h);
		if (h->to >= 0 && h->fate != FATE_LOST && h->fate != FATE_NONE)
			put_cpu(part, sizeof(part), &a->at[h->to], h->to_cpu);
		else
			part[0] = '\0';
		snprintf(text + n, sizeof(text) - n, "%s%s%s%s", n ? "; " : "", part,
			 part[0] ? ": " : "", fate);
	}
	h->f.data = h->bytes;
	h->f.comment = text[0] ? text : NULL;
	h->f.comment_len = strlen(text);
	capture_write(a->w, &h->f);
	free(h->bytes);
}

static bool is_over(const struct held *h)
{
	return h->to < 0 || h->fate > FATE_TAKEN;
}

static void write_first(struct annotator *a)
{
	write_held(a, held_at(a, 0));
	a->first = (a->first + 1) % HELD_MAX;
	a->count--;
}

/* All up to the first whose end is not known. */
static void write_over(struct annotator *a, size_t keep)
{
	while (a->count > keep && is_over(held_at(a, 0)))
		write_first(a);
}

/*
 * Packets that are given to a device and frames that leave it come in the same order; which of the
 * two is told first depends on the device. A packet that it cuts up has one CPU for all its frames.
 */
static void pair_frame(struct attached *at, struct held *h)
{
	h->waits = !at->xmits;
	h->from_cpu = at->last;
	if (!at->xmits)
		return;
	h->from_cpu = at->last = at->xmit[0];
	memmove(at->xmit, at->xmit + 1, --at->xmits * sizeof(at->xmit[0]));
}

void annotator_frame(struct annotator *a, u32 wire, u32 end, const struct capture_frame *f)
{
	struct held *h;

	/* The newest stays: whether the wire loses it comes right after it. */
	write_over(a, 0);
	if (a->count == HELD_MAX)
		write_first(a);
	h = held_at(a, a->count++);
	*h = (struct held){ .f = *f, .wire = wire, .end = end, .to_cpu = NO_CPU };
	h->from = find_attached(a, wire, end);
	h->to = find_attached(a, wire, !end);
	h->from_cpu = NO_CPU;
	if (h->from >= 0)
		pair_frame(&a->at[h->from], h);
	h->bytes = malloc(f->caplen ? f->caplen : 1);
	if (!h->bytes)
		abort();
	memcpy(h->bytes, f->data, f->caplen);
}

void annotator_finish(struct annotator *a)
{
	if (!a)
		return;
	while (a->count)
		write_first(a);
	free(a->at);
	free(a);
}

/* ---- what becomes of them ---- */

static bool is_to(const struct annotator *a, const struct held *h, const struct trace_record *rec,
		  u64 ifindex)
{
	return h->to >= 0 && a->at[h->to].host == rec->host && a->at[h->to].ifindex == ifindex;
}

/* The oldest frame on its way to the device; `len`: of the frame, or of what the stack sees of it.
 */
static struct held *find_on_way(struct annotator *a, const struct trace_record *rec, u64 ifindex,
				u64 len, bool of_frame)
{
	for (size_t i = 0; i < a->count; i++) {
		struct held *h = held_at(a, i);
		u64 own = h->f.len;

		if (h->fate != FATE_NONE || !is_to(a, h, rec, ifindex))
			continue;
		if (!of_frame && !a->at[h->to].raw)
			own = own > ETH_HEADER ? own - ETH_HEADER : 0;
		if (own == len)
			return h;
	}
	return NULL;
}

static void take(struct held *h, const struct trace_record *rec)
{
	h->fate = FATE_TAKEN;
	h->skb = rec->arg[0];
	h->to_cpu = rec->cpu;
}

static void on_receive(struct annotator *a, const struct trace_record *rec)
{
	struct held *h = find_on_way(a, rec, rec->arg[1], rec->arg[2], false);

	if (h) {
		take(h, rec);
		return;
	}
	/* Longer than any: GRO has put together what was polled. */
	for (size_t i = 0; i < a->count; i++) {
		h = held_at(a, i);
		if (h->fate == FATE_NONE && is_to(a, h, rec, rec->arg[1]) &&
		    h->f.len <= rec->arg[2])
			take(h, rec);
	}
}

static void on_refused(struct annotator *a, const struct trace_record *rec, enum fate fate)
{
	struct held *h = find_on_way(a, rec, rec->arg[0], rec->arg[2], true);

	if (h)
		h->fate = fate;
}

static void on_lost(struct annotator *a, const struct trace_record *rec)
{
	for (size_t i = a->count; i-- > 0;) {
		struct held *h = held_at(a, i);

		if (h->wire != rec->arg[0] || h->end != rec->arg[1] || h->f.len != rec->arg[2] ||
		    h->fate != FATE_NONE)
			continue;
		h->fate = FATE_LOST;
		h->reason = (u32)rec->arg[3];
		return;
	}
}

static void on_packet(struct annotator *a, const struct trace_record *rec)
{
	for (size_t i = 0; i < a->count; i++) {
		struct held *h = held_at(a, i);

		if (h->fate != FATE_TAKEN || h->skb != rec->arg[0])
			continue;
		if (rec->event == TRACE_NET_DEV_XMIT) {
			h->forwarded = true;
		} else if (rec->event == TRACE_KFREE_SKB) {
			h->fate = FATE_DROPPED;
			h->reason = (u32)rec->arg[1];
		} else {
			h->fate = h->forwarded ? FATE_FORWARDED : FATE_DELIVERED;
		}
	}
}

static void on_sent(struct annotator *a, const struct trace_record *rec)
{
	bool found = false;

	for (size_t i = 0; i < a->count; i++) {
		struct held *h = held_at(a, i);
		struct attached *at = h->from >= 0 ? &a->at[h->from] : NULL;

		if (!at || !h->waits || at->host != rec->host || at->ifindex != rec->arg[1])
			continue;
		h->waits = false;
		h->from_cpu = at->last = rec->cpu;
		found = true;
	}
	for (size_t i = 0; i < a->at_count && !found; i++) {
		struct attached *at = &a->at[i];

		if (at->host == rec->host && at->ifindex == rec->arg[1] && at->xmits < XMITS)
			at->xmit[at->xmits++] = rec->cpu;
	}
}

void annotator_trace(struct annotator *a, const struct trace_record *rec)
{
	switch (rec->event) {
	case TRACE_WIRE_DROP:
		on_lost(a, rec);
		break;
	case TRACE_NIC_RX_MISSED:
		on_refused(a, rec, FATE_MISSED);
		break;
	case TRACE_NIC_RX_FILTERED:
		on_refused(a, rec, FATE_FILTERED);
		break;
	case TRACE_NETIF_RECEIVE_SKB:
		on_receive(a, rec);
		break;
	case TRACE_NET_DEV_XMIT:
		if (!rec->arg[3])
			on_sent(a, rec);
		on_packet(a, rec);
		break;
	case TRACE_KFREE_SKB:
	case TRACE_CONSUME_SKB:
		on_packet(a, rec);
		break;
	default:
		break;
	}
}
