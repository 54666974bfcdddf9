/* SPDX-License-Identifier: MIT */
/* A system call under way: between sys.c (its life), sys_step.c (what each call does) and poll.c.
 */
#ifndef TAPLINE_SOCKET_SYS_CALL_H
#define TAPLINE_SOCKET_SYS_CALL_H

#include "kernel/timer.h"
#include "socket/socket.h"

/* A step that has to wait: where, for what and until when stands in the call. */
#define SYS_WAITS INT64_MIN

struct poll_entry;

struct sys_call {
	struct sys_op *op;
	struct host *host;
	bool resumed; /* not the first step */
	bool timed_out; /* the deadline has passed: this step is the last */
	bool timer_armed;
	bool running; /* inside a step */
	bool wait_exclusive;
	bool write_pending; /* counted in sk_write_pending */
	struct file *file; /* held from the first wait on */
	struct file *other; /* of a call on two of them; held likewise */
	struct msghdr msg;
	/* Set by a step that waits. */
	struct wait_queue_head *wait_on; /* NULL: on what poll.c has arranged */
	u32 wait_key; /* POLL* bits that are of interest; 0: all */
	u64 deadline; /* ns; TIME_NEVER: none */
	u64 retry; /* ns: it tries again then without being woken; TIME_NEVER: no */
	u64 busy_until; /* ns: SO_BUSY_POLL, looks by itself so long; 0: has not begun */
	struct poll_entry *poll_entries;
	u32 poll_count;
	/* From here on only when it has waited or was queued (not on the C stack). */
	struct task task;
	struct list_head pending; /* files->calls */
	struct wait_queue_entry wait;
	struct timer timer;
};

/* One step: the result, or SYS_WAITS. */
s64 sys_step(struct sys_call *call);

/* poll.c */
s64 sys_poll(struct sys_call *call);
s64 sys_epoll_wait(struct sys_call *call);
/* Puts the call onto the wait queues of all that it polls. 0 or -ENOMEM. */
int poll_arrange(struct sys_call *call);
void poll_freewait(struct sys_call *call);

#endif
