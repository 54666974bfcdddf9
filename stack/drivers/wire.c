/* SPDX-License-Identifier: MIT */
/*
 * The wire. Each direction is a queue of frames under way, sorted by the time they come out, with
 * one event at the time of the first; it delivers all frames due at its instant. A frame for which
 * the direction has neither delay nor anything else to do goes to a device at the far end at once
 * and without a copy: the instant is the same. Then the sender writes it where the far end's
 * device wants it (wire_frame_get_at).
 *
 * Invariants: a direction's event is armed exactly while its queue is not empty, at the head's
 * time; frames come out in the order they went in, but for those that the reorder fault holds back;
 * queued_bytes is the sum of the frames' lengths. Draws come from the stream `wire`, and only for
 * faults that are set, so that one fault does not shift another's.
 */
#include "drivers/wire.h"

#include "core/netdevice.h"
#include "kernel/trace.h"
#include "lib/bytes.h"
#include "stack/assert.h"
#include "stack/errno.h"

/* Room of the frame's head in its block: the same on every machine. */
#define FRAME_HEAD 64u
#define PPM_MAX	   1000000u
/* So that no sum of times overflows. */
#define WIRE_TIME_MAX (1000 * NSEC_PER_SEC)

struct wire_frame {
	struct wire_frame *next;
	u64 due; /* ns it comes out */
	u32 len, flags;
	u32 summed_from, sum; /* as in wire_rx */
	bool follows;
	u8 *bytes; /* behind the head, or lent */
};
_Static_assert(sizeof(struct wire_frame) <= FRAME_HEAD, "frame head has outgrown its room");

struct wire_dir {
	struct wire *wire;
	u32 end; /* where frames enter */
	bool faulty; /* some fault is set: loss, duplication, ... */
	bool plain; /* no fault, no delay, no rate: frames pass at once */
	u32 depth; /* > 0: a frame is just entering or leaving, the sums do not hold */
	const struct wire_end *far; /* where they come out */
	bool passed; /* the last frame that entered was handed over at once */
	struct event event;
	struct wire_frame *head, *tail;
	struct wire_frame lent; /* its bytes NULL: not under way */
	u64 queued_bytes;
	u64 busy_until; /* the serialiser is free again */
	u64 last_due; /* of the last frame in order */
	u64 param[WIRE_PARAM_COUNT];
	struct wire_stats stats;
};

struct wire_end {
	const struct wire_end_ops *ops; /* NULL: free */
	void *ctx;
};

struct wire {
	struct world *world;
	u32 id;
	struct wire_end end[2];
	struct wire_dir dir[2];
};

/* Reasons of TRACE_WIRE_DROP. */
enum { DROP_LOSS = 1, DROP_NEXT, DROP_QUEUE, DROP_UNATTACHED };

static void wire_event(struct world *w, struct event *ev);

static void wire_dir_update(struct wire_dir *d)
{
	const u64 *p = d->param;

	d->faulty = p[WIRE_PARAM_LOSS_PPM] || p[WIRE_PARAM_DUPLICATE_PPM] ||
		    p[WIRE_PARAM_REORDER_PPM] || p[WIRE_PARAM_CORRUPT_PPM] ||
		    p[WIRE_PARAM_DROP_NEXT];
	d->plain = !d->faulty && !p[WIRE_PARAM_DELAY_NS] && !p[WIRE_PARAM_RATE_BPS] &&
		   !p[WIRE_PARAM_JITTER_NS];
}

s64 wire_create(struct world *w, u64 delay_ns, u64 rate_bps)
{
	struct wire *wire;

	if (delay_ns > WIRE_TIME_MAX)
		return -EINVAL;
	if (w->wires_count == WORLD_WIRES_MAX)
		return -ENOSPC;
	wire = mem_zalloc(w, MEM_WIRE, sizeof(*wire));
	if (!wire)
		return -ENOMEM;
	wire->world = w;
	wire->id = w->wires_count;
	for (u32 i = 0; i < 2; i++) {
		struct wire_dir *d = &wire->dir[i];

		d->wire = wire;
		d->end = i;
		d->far = &wire->end[i ^ 1];
		event_init(&d->event, wire_event);
		d->param[WIRE_PARAM_DELAY_NS] = delay_ns;
		d->param[WIRE_PARAM_RATE_BPS] = rate_bps;
		wire_dir_update(d);
	}
	w->wires[w->wires_count++] = wire;
	return wire->id;
}

struct wire_frame *wire_frame_get(struct wire *wire, u32 len)
{
	struct wire_frame *f =
		mem_alloc_n(wire->world, MEM_FRAME_BYTES, (size_t)FRAME_HEAD + len, 1);

	if (!f)
		return NULL;
	f->next = NULL;
	f->len = len;
	f->summed_from = 0;
	f->follows = false;
	f->bytes = (u8 *)f + FRAME_HEAD;
	return f;
}

u8 *wire_frame_bytes(struct wire_frame *f)
{
	return f->bytes;
}

void wire_frame_summed(struct wire_frame *f, u32 from, u32 sum)
{
	f->summed_from = from;
	f->sum = sum;
}

void wire_frame_follows(struct wire_frame *f)
{
	f->follows = true;
}

void wire_frame_put(struct wire *wire, struct wire_frame *f)
{
	if (f == &wire->dir[0].lent || f == &wire->dir[1].lent) {
		f->bytes = NULL;
		return;
	}
	mem_free_n(wire->world, MEM_FRAME_BYTES, f, (size_t)FRAME_HEAD + f->len, 1);
}

void wire_free(struct wire *wire)
{
	struct world *w = wire->world;

	for (u32 i = 0; i < 2; i++) {
		struct wire_dir *d = &wire->dir[i];

		ASSERT(!wire->end[i].ops);
		event_cancel(w, &d->event);
		while (d->head) {
			struct wire_frame *f = d->head;

			d->head = f->next;
			wire_frame_put(wire, f);
		}
	}
	w->wires[wire->id] = NULL;
	mem_free(w, MEM_WIRE, wire, sizeof(*wire));
}

u32 wire_id(const struct wire *wire)
{
	return wire->id;
}

const struct wire_stats *wire_stats(const struct wire *wire, u32 end)
{
	return &wire->dir[end].stats;
}

int wire_set(struct wire *wire, u64 end, u64 param, u64 value)
{
	bool ppm = param == WIRE_PARAM_LOSS_PPM || param == WIRE_PARAM_DUPLICATE_PPM ||
		   param == WIRE_PARAM_REORDER_PPM || param == WIRE_PARAM_CORRUPT_PPM;
	bool time = param == WIRE_PARAM_DELAY_NS || param == WIRE_PARAM_REORDER_NS ||
		    param == WIRE_PARAM_JITTER_NS;

	if (end > 1 || param >= WIRE_PARAM_COUNT || (ppm && value > PPM_MAX))
		return -EINVAL;
	/* Jitter is drawn in 32 bits. */
	if ((time && value > WIRE_TIME_MAX) ||
	    (param == WIRE_PARAM_JITTER_NS && value >= UINT32_MAX))
		return -EINVAL;
	wire->dir[end].param[param] = value;
	wire_dir_update(&wire->dir[end]);
	return 0;
}

int wire_plug(struct wire *wire, u32 end, const struct wire_end_ops *ops, void *ctx)
{
	if (end > 1)
		return -EINVAL;
	if (ops && wire->end[end].ops)
		return -EBUSY;
	wire->end[end].ops = ops;
	wire->end[end].ctx = ctx;
	wire->dir[end ^ 1].passed = false;
	return 0;
}

int wire_attach(struct wire *wire, u32 end, struct net_device *dev)
{
	if (!dev->netdev_ops->ndo_attach)
		return -EOPNOTSUPP;
	if (dev->driver_depth)
		return -EBUSY;
	return dev->netdev_ops->ndo_attach(dev, wire, end);
}

/* A frame enters the cable: counted, captured, hashed into the digest. */
static inline void wire_enter(struct wire_dir *d, const u8 *bytes, u32 len)
{
	struct wire *wire = d->wire;
	struct world *w = wire->world;

	d->stats.tx_frames++;
	d->stats.tx_bytes += len;
	trace(w, NULL, TRACE_WIRE_TX, wire->id, d->end, len, d->stats.tx_frames);
	if (w->digest_on) {
		digest_word(w, (u64)wire->id << 1 | d->end);
		digest_bytes(w, bytes, len);
	}
	if (w->ops && w->ops->capture)
		world_capture(w, CAPTURE_WIRE, wire->id, d->end, bytes, len);
}

static void wire_drop(struct wire_dir *d, u32 len, u32 reason)
{
	trace(d->wire->world, NULL, TRACE_WIRE_DROP, d->wire->id, d->end, len, reason);
	if (reason == DROP_QUEUE)
		d->stats.queue_dropped++;
	else if (reason == DROP_UNATTACHED)
		d->stats.unattached++;
	else
		d->stats.lost++;
}

/* A frame comes out at the far end. */
static inline void wire_deliver(struct wire_dir *d, const struct wire_rx *rx)
{
	u32 len = rx->len;
	struct wire *wire = d->wire;
	struct world *w = wire->world;
	const struct wire_end *e = d->far;

	if (!e->ops && !(w->ops && w->ops->wire_rx)) {
		wire_drop(d, len, DROP_UNATTACHED);
		return;
	}
	d->stats.rx_frames++;
	d->stats.rx_bytes += len;
	trace(w, NULL, TRACE_WIRE_RX, wire->id, d->end ^ 1, len, d->stats.rx_frames);
	if (e->ops)
		e->ops->receive(e->ctx, rx);
	else
		w->ops->wire_rx(w->ops_ctx, wire->id, d->end ^ 1, rx->bytes, len);
}

struct wire_rx wire_frame_rx(const struct wire_frame *f, u32 flags)
{
	return (struct wire_rx){ .bytes = f->bytes,
				 .len = f->len,
				 .flags = flags,
				 .summed_from = f->summed_from,
				 .sum = f->sum,
				 .follows = f->follows };
}

static inline void wire_deliver_frame(struct wire_dir *d, const struct wire_frame *f, u32 flags)
{
	struct wire_rx rx = wire_frame_rx(f, flags);

	rx.follows = f->follows && d->passed;
	wire_deliver(d, &rx);
}

/* Into the queue at its time: behind all that are due no later. */
static void wire_enqueue(struct wire_dir *d, struct wire_frame *f)
{
	struct wire_frame **p = &d->head;

	if (!d->tail || d->tail->due <= f->due) {
		f->next = NULL;
		if (d->tail)
			d->tail->next = f;
		else
			d->head = f;
		d->tail = f;
	} else {
		while ((*p)->due <= f->due)
			p = &(*p)->next;
		f->next = *p;
		*p = f;
	}
	d->queued_bytes += f->len;
	if (d->head == f)
		event_arm(d->wire->world, &d->event, f->due, EVENT_WIRE);
}

static void wire_event(struct world *w, struct event *ev)
{
	struct wire_dir *d = container_of(ev, struct wire_dir, event);

	d->depth++;
	while (d->head && d->head->due <= w->now) {
		struct wire_frame *f = d->head;

		d->head = f->next;
		if (!d->head)
			d->tail = NULL;
		d->queued_bytes -= f->len;
		wire_deliver_frame(d, f, f->flags);
		wire_frame_put(d->wire, f);
	}
	d->depth--;
	if (d->head)
		event_arm(w, &d->event, d->head->due, EVENT_WIRE);
}

static bool wire_chance(struct wire_dir *d, enum wire_param ppm)
{
	return d->param[ppm] &&
	       get_random_u32_below(d->wire->world, RANDOM_WIRE, PPM_MAX) < d->param[ppm];
}

/* Lost on the way? Says why (DROP_*), 0: no. */
static u32 wire_lost(struct wire_dir *d, u32 len)
{
	struct world *w = d->wire->world;
	u64 limit = d->param[WIRE_PARAM_QUEUE_BYTES];

	if (d->param[WIRE_PARAM_DROP_NEXT]) {
		d->param[WIRE_PARAM_DROP_NEXT]--;
		wire_dir_update(d);
		return DROP_NEXT;
	}
	if (should_fail(w, FAULT_FRAME_LOST) || wire_chance(d, WIRE_PARAM_LOSS_PPM))
		return DROP_LOSS;
	/* Only frames that have not left the sender wait; those in flight are not in its queue. */
	if (limit && d->param[WIRE_PARAM_RATE_BPS] && d->busy_until > w->now) {
		u64 rate = d->param[WIRE_PARAM_RATE_BPS];
		u64 wait = d->busy_until - w->now;
		u64 waiting = wait / NSEC_PER_SEC * (rate / 8) +
			      wait % NSEC_PER_SEC * (rate / 8) / NSEC_PER_SEC;

		if (waiting + len > limit)
			return DROP_QUEUE;
	}
	return 0;
}

/* ns that the bits of a frame take: as netem, the frame without preamble, gap and FCS. */
static u64 wire_serialise(const struct wire_dir *d, u32 len)
{
	u64 rate = d->param[WIRE_PARAM_RATE_BPS];

	return rate ? ((u64)len * 8 * NSEC_PER_SEC + rate - 1) / rate : 0;
}

static void wire_corrupt(struct wire_dir *d, struct wire_frame *f)
{
	u32 bit;

	if (!f->len || !wire_chance(d, WIRE_PARAM_CORRUPT_PPM))
		return;
	bit = get_random_u32_below(d->wire->world, RANDOM_WIRE, f->len * 8);
	f->bytes[bit / 8] ^= (u8)(1u << bit % 8);
	f->summed_from = 0;
	d->stats.corrupted++;
}

static void wire_duplicate(struct wire_dir *d, const struct wire_frame *f)
{
	struct wire_frame *copy;

	if (!wire_chance(d, WIRE_PARAM_DUPLICATE_PPM))
		return;
	copy = wire_frame_get(d->wire, f->len);
	if (!copy)
		return;
	memcpy(copy->bytes, f->bytes, f->len);
	copy->due = f->due;
	copy->flags = f->flags;
	wire_frame_summed(copy, f->summed_from, f->sum);
	d->stats.duplicated++;
	wire_enqueue(d, copy);
}

/* Nothing to do for a frame but to hand it on now. */
static bool wire_passes(const struct wire_dir *d, u32 flags)
{
	if (d->faulty || d->wire->world->fault.armed & 1u << FAULT_FRAME_LOST)
		return false;
	return (flags & FRAME_NO_DELAY) || (d->plain && !d->head);
}

/* Nobody whom a record is shown might change the device that lends; nor does it matter that there
 * is a frame less in memory. */
static bool wire_lends(const struct world *w)
{
	return !w->trace_wanted && !w->mem.limit && !w->fault.armed;
}

struct wire_frame *wire_frame_lend(struct wire *wire, u32 end, u32 len)
{
	struct wire_dir *d = &wire->dir[end];
	struct wire_frame *f = &d->lent;
	const struct wire_end *e = d->far;

	if (!e->ops || !e->ops->room || !wire_passes(d, 0) || !wire_lends(wire->world))
		return NULL;
	ASSERT(!f->bytes);
	f->bytes = e->ops->room(e->ctx, len);
	if (!f->bytes)
		return NULL;
	f->len = len;
	f->summed_from = 0;
	f->follows = false;
	return f;
}

struct wire_frame *wire_frame_get_at(struct wire *wire, u32 end, u32 len)
{
	struct wire_frame *f = wire_frame_lend(wire, end, len);

	return f ? f : wire_frame_get(wire, len);
}

/* A frame that has entered is lost, or gets its time and waits for it. When its last bit has left
 * the sender. */
static u64 wire_delay(struct wire_dir *d, struct wire_frame *f, u32 flags)
{
	struct wire *wire = d->wire;
	struct world *w = wire->world;
	u64 left = max_u64(w->now, d->busy_until);
	u32 reason;

	ASSERT(f != &d->lent);
	d->passed = false;
	f->flags = flags;
	reason = wire_lost(d, f->len);
	if (reason == DROP_QUEUE) {
		wire_drop(d, f->len, reason);
		wire_frame_put(wire, f);
		return w->now;
	}
	if (flags & FRAME_NO_DELAY) {
		left = w->now;
		f->due = w->now;
	} else {
		left += wire_serialise(d, f->len);
		d->busy_until = left;
		f->due = left + d->param[WIRE_PARAM_DELAY_NS];
		if (d->param[WIRE_PARAM_JITTER_NS])
			f->due += get_random_u32_below(w, RANDOM_WIRE,
						       (u32)d->param[WIRE_PARAM_JITTER_NS] + 1);
		f->due = max_u64(f->due, d->last_due);
		d->last_due = f->due;
	}
	if (reason) {
		wire_drop(d, f->len, reason);
		wire_frame_put(wire, f);
		return left;
	}
	wire_corrupt(d, f);
	if (wire_chance(d, WIRE_PARAM_REORDER_PPM)) {
		f->due += d->param[WIRE_PARAM_REORDER_NS];
		d->stats.reordered++;
	}
	wire_enqueue(d, f);
	wire_duplicate(d, f);
	return left;
}

u64 wire_transmit(struct wire *wire, u32 end, struct wire_frame *f, u32 flags)
{
	struct wire_dir *d = &wire->dir[end];

	d->depth++;
	wire_enter(d, f->bytes, f->len);
	d->depth--;
	if (!d->far->ops || !wire_passes(d, flags))
		return wire_delay(d, f, flags);
	d->depth++;
	wire_deliver_frame(d, f, flags);
	d->depth--;
	d->passed = true;
	wire_frame_put(wire, f);
	return wire->world->now;
}

int wire_inject(struct wire *wire, u32 end, u32 flags, const u8 *bytes, u32 len)
{
	struct wire_dir *d;
	struct wire_frame *f;

	if (end > 1)
		return -EINVAL;
	if (wire->end[end].ops)
		return -EBUSY;
	if (len > FRAME_LEN_MAX)
		return -EMSGSIZE;
	d = &wire->dir[end];
	if (wire_passes(d, flags) && d->far->ops) {
		d->depth++;
		d->passed = false;
		wire_enter(d, bytes, len);
		wire_deliver(d, &(struct wire_rx){ .bytes = bytes, .len = len, .flags = flags });
		d->depth--;
		return 0;
	}
	f = wire_frame_get(wire, len);
	if (!f)
		return -ENOMEM;
	if (len) /* no bytes may be no address */
		memcpy(f->bytes, bytes, len);
	wire_transmit(wire, end, f, flags);
	return 0;
}

static void wire_dir_check(const struct wire_dir *d, u32 level)
{
	const struct wire_stats *s = &d->stats;
	u64 bytes = 0, frames = 0, due = 0;

	if (d->depth)
		return;
	ASSERT(event_armed(&d->event) == (d->head != NULL));
	ASSERT(!d->head || d->event.time == d->head->due);
	if (!level)
		return;
	for (const struct wire_frame *f = d->head; f; f = f->next) {
		ASSERT(f->due >= due);
		ASSERT(f->next || f == d->tail);
		due = f->due;
		bytes += f->len;
		frames++;
	}
	ASSERT(bytes == d->queued_bytes);
	ASSERT(s->tx_frames + s->duplicated ==
	       s->rx_frames + s->lost + s->queue_dropped + s->unattached + frames);
}

void wire_check(const struct wire *wire, u32 level)
{
	wire_dir_check(&wire->dir[0], level);
	wire_dir_check(&wire->dir[1], level);
}
