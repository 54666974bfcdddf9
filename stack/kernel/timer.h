/* SPDX-License-Identifier: MIT */
/*
 * Kernel timers of a host. Two kinds, as in Linux: those that the kernel keeps in jiffies (HZ=1000:
 * 1 jiffy is 1 ms; mod_timer) and high resolution ones (hrtimer). There is no tick: a timer is an
 * event and fires exactly at its expiry, or when its CPU is free again under a cost model.
 */
#ifndef TAPLINE_KERNEL_TIMER_H
#define TAPLINE_KERNEL_TIMER_H

#include "kernel/event.h"

#define HZ	 1000u
#define JIFFY_NS NSEC_PER_MSEC

struct cpu;
struct host;
struct timer;

typedef void (*timer_fn)(struct timer *t);

struct timer {
	struct event event;
	struct cpu *cpu;
	timer_fn fn;
};

/* `cpu`: on which it fires (host_cpu(host, 0) when nothing speaks for another). */
void timer_setup(struct timer *t, struct cpu *cpu, timer_fn fn);

/* CLOCK_MONOTONIC of the host, never 0: a host has a second behind it (hostile: its clock of ms is
 * about to wrap; its last six bits, in which SYN cookies put options, are the other's). What
 * packets carry on their way out (skb->tstamp) is of this clock. Its jiffies begin five seconds
 * before their 32 bits wrap, as Linux's own do with five minutes. */
#ifdef TAPLINE_HOSTILE
#define KTIME_BASE	((0x100000000ull - 5016) * NSEC_PER_MSEC)
#define INITIAL_JIFFIES (0x100000000ull - 5 * HZ)
#else
#define KTIME_BASE	NSEC_PER_SEC
#define INITIAL_JIFFIES 0ull
#endif
u64 ktime_get_ns(const struct host *h);

/* The host's jiffies: virtual ms since it was made, from INITIAL_JIFFIES (0; just before the wrap
 * in hostile builds). */
u64 jiffies(const struct host *h);

/* When a timer for that jiffy fires: a jiffy that is past is taken as the next one. */
u64 timer_expiry_ns(const struct host *h, u64 expires_jiffies);

/* Arms or moves to an absolute jiffy; one that is past fires at the next jiffy, as with mod_timer.
 */
void mod_timer(struct timer *t, u64 expires_jiffies);

/* Arms or moves to an absolute time in ns. */
void hrtimer_start(struct timer *t, u64 time_ns);

/* True when it was pending. */
bool del_timer(struct timer *t);

/*
 * For objects of which there are very many: their timer is a bare event, and its function begins
 * with timer_begin() and ends with timer_end(). False: the CPU is busy, the event comes again.
 */
bool timer_begin(struct cpu *cpu, struct event *ev);
void timer_end(struct cpu *cpu);

static inline bool timer_pending(const struct timer *t)
{
	return event_armed(&t->event);
}

static inline u64 msecs_to_jiffies(u64 ms)
{
	return ms;
}

#endif
