/* SPDX-License-Identifier: MIT */
/*
 * System calls (stack/sys.h): their life as tasks of CPU 0 of their host. A call runs in steps
 * (sys_step.c). It runs at once, on the caller's stack and without memory, when nothing is in the
 * way; else, or when it has to wait, it becomes a task with a wait entry and a timer.
 *
 * Invariants: a call is either completed (op->state NULL) or on files->calls; a waiting one is on
 * one wait queue (or those of its poll entries) and not on the run queue; op->done is called once,
 * as the last thing that is done with the op.
 */
#include "core/errqueue.h"
#include "socket/sys.h"

#include "kernel/cpu_steps.h"
#include "kernel/op_log.h"
#include "kernel/trace.h"
#include "socket/eventpoll.h"
#include "socket/sys_call.h"

/* ---- end of a call ---- */

static u32 received_len(const struct sys_op *op)
{
	if (op->ret <= 0)
		return 0;
	switch (op->nr) {
	case SYS_RECVMSG:
		/* A stream throws them away then, and the room keeps what the caller had there. */
		if (op->arg[0] & MSG_TRUNC)
			return 0;
		return (u32)min_u64((u64)op->ret, op->data_len);
	case SYS_GETSOCKOPT:
		return (u32)min_u64((u64)op->ret, op->data_len);
	case SYS_EPOLL_WAIT:
		return (u32)op->ret * EPOLL_EVENT_LEN;
	case SYS_POLL:
		return op->data_len;
	default:
		return 0;
	}
}

/* Result and what the caller sees of it go into the digest. */
static void digest_result(struct world *w, const struct sys_op *op)
{
	digest_word(w, op->id);
	digest_word(w, (u64)op->ret);
	digest_word(w, op->msg_flags);
	if (op->nr == SYS_POLL) {
		for (u32 i = 0; i < received_len(op) / sizeof(struct sys_pollfd); i++) {
			struct sys_pollfd p;

			memcpy(&p, op->data + i * sizeof(p), sizeof(p));
			digest_word(w, p.revents);
		}
		return;
	}
	if (received_len(op))
		digest_bytes(w, op->data, received_len(op));
}

static void complete(struct world *w, struct host *h, struct sys_op *op, s64 ret)
{
	op->state = NULL;
	op->ret = ret;
	op->completed = true;
	trace(w, h, TRACE_SYS_EXIT, op->nr, (u64)(s64)op->fd, op->id, (u64)ret);
	if (w->digest_on)
		digest_result(w, op);
	if (op->done)
		op->done(op);
}

/* What the call holds besides its memory. */
static void call_release(struct sys_call *call)
{
	poll_freewait(call);
	if (call->write_pending)
		SOCKET_I(call->file)->sk->sk_write_pending--;
	call->write_pending = false;
	msg_zerocopy_end(&call->msg, call->msg.done > 0);
	if (call->file)
		fput(call->host, call->file);
	if (call->other)
		fput(call->host, call->other);
	call->file = call->other = NULL;
}

static void call_finish(struct sys_call *call, s64 ret)
{
	struct host *h = call->host;
	struct sys_op *op = call->op;

	remove_wait_queue(&call->wait);
	del_timer(&call->timer);
	task_exit(&call->task);
	list_del_init(&call->pending);
	call_release(call);
	mem_free(h->world, MEM_TASK, call, sizeof(*call));
	complete(h->world, h, op, ret);
}

/* ---- waiting ---- */

static bool call_wake(struct wait_queue_entry *e, u32 key)
{
	struct sys_call *call = e->private;

	if (key && call->wait_key && !(key & call->wait_key))
		return false;
	remove_wait_queue(e);
	wake_up_process(&call->task);
	return true;
}

static void call_timeout(struct timer *t)
{
	struct sys_call *call = container_of(t, struct sys_call, timer);

	call->timer_armed = false;
	call->timed_out = call->host->world->now >= call->deadline;
	remove_wait_queue(&call->wait);
	wake_up_process(&call->task);
}

static int call_sleep(struct sys_call *call)
{
	if (call->wait_on) {
		if (call->wait_exclusive)
			add_wait_queue_exclusive(call->wait_on, &call->wait);
		else
			add_wait_queue(call->wait_on, &call->wait);
	} else if (!call->poll_entries) {
		int err = poll_arrange(call);

		if (err)
			return err;
	}
	if (call->retry != TIME_NEVER || (call->deadline != TIME_NEVER && !call->timer_armed)) {
		call->timer_armed = true;
		hrtimer_start(&call->timer, min_u64(call->deadline, call->retry));
	}
	trace(call->host->world, call->host, TRACE_SYS_WAIT, call->op->nr, (u64)(s64)call->op->fd,
	      call->op->id, 0);
	return 0;
}

static void call_run(struct task *t)
{
	struct sys_call *call = container_of(t, struct sys_call, task);
	s64 ret;

	cpu_cost(t->cpu, COST_SYSCALL, 1);
	call->running = true;
	ret = sys_step(call);
	call->running = false;
	call->resumed = true;
	if (ret == SYS_WAITS) {
		ret = call_sleep(call);
		if (!ret)
			return;
	}
	call_finish(call, ret);
}

/* Makes a call that lives on: `from` has run a first step or none. */
static struct sys_call *call_alloc(const struct sys_call *from)
{
	struct host *h = from->host;
	struct sys_call *call = mem_alloc(h->world, MEM_TASK, sizeof(*call));

	if (!call)
		return NULL;
	memcpy(call, from, offsetof(struct sys_call, task));
	task_init(&call->task, host_cpu(h, h->task_cpu), call_run);
	init_waitqueue_entry(&call->wait, call_wake, call);
	timer_setup(&call->timer, host_cpu(h, h->task_cpu), call_timeout);
	list_add_tail(&call->pending, &h->files->calls);
	call->op->state = call;
	/* Its name is in the op, which stays where it is. */
	return call;
}

/* ---- submission ---- */

static void call_init(struct sys_call *call, struct host *h, struct sys_op *op)
{
	memset(call, 0, offsetof(struct sys_call, task));
	call->op = op;
	call->host = h;
	call->deadline = TIME_NEVER;
	call->retry = TIME_NEVER;
	call->msg = (struct msghdr){
		.name = op->has_addr ? &op->addr : NULL,
		.name_out = op->nr == SYS_RECVMSG ? &op->addr : NULL,
		.data = op->data,
		.len = op->data_len,
		.flags = (u32)op->arg[0],
		.piece = op->nr == SYS_SENDMSG ? (u32)op->arg[1] : 0,
		.control = op->control,
		.control_len = op->control ? op->control_len : 0,
	};
	if (op->nr == SYS_RECVMSG)
		call->msg.name = NULL;
}

/* Runs the first step here and now. */
static void call_run_inline(struct sys_call *first, struct cpu *cpu)
{
	struct host *h = first->host;
	struct sys_op *op = first->op;
	struct sys_call *call;
	s64 ret;

	cpu_step_begin(cpu);
	cpu_cost(cpu, COST_SYSCALL, 1);
	ret = sys_step(first);
	if (ret == SYS_WAITS) {
		first->resumed = true;
		call = call_alloc(first);
		ret = call ? call_sleep(call) : -ENOMEM;
		if (call && ret)
			call_finish(call, ret);
		else if (!call) {
			call_release(first);
			complete(h->world, h, op, ret);
		}
	} else {
		call_release(first);
		complete(h->world, h, op, ret);
	}
	cpu_step_end(cpu);
}

int sys_submit(struct world *w, struct sys_op *op)
{
	struct sys_call first, *call;
	struct host *h;
	const struct net *net;
	struct cpu *cpu;

	net = net_by_ref(w, op->host);
	if (!net || op->nr >= SYS_NR_COUNT || w->ending)
		return -EINVAL;
	if (w->capturing)
		return -EBUSY;
	h = net->host;
	cpu = host_cpu(h, h->task_cpu);
	op->completed = false;
	op->state = NULL;
	op->ret = 0;
	op->msg_flags = 0;
	op->id = ++w->calls_count;
	if (w->digest_on || (w->ops && w->ops->op_log))
		op_log_syscall(w, op);
	trace(w, h, TRACE_SYS_ENTER, op->nr, (u64)(s64)op->fd, op->id, 0);
	call_init(&first, h, op);
	if (cpu_idle_now(cpu)) {
		call_run_inline(&first, cpu);
		return 0;
	}
	call = call_alloc(&first);
	if (call)
		wake_up_process(&call->task);
	else
		complete(w, h, op, -ENOMEM);
	return 0;
}

/* ---- cancelling ---- */

/* As a signal does it: what was moved so far counts. */
static void call_cancel(struct sys_call *call)
{
	s64 ret = call->msg.done ? (s64)call->msg.done : -EINTR;

	call_finish(call, ret);
}

void sys_cancel(struct world *w, struct sys_op *op)
{
	struct sys_call *call = op->state;
	struct op log = { .kind = OP_CANCEL };

	if (op->completed || !call || call->running)
		return;
	log.u.cancel.id = op->id;
	op_log(w, &log);
	call_cancel(call);
}

s64 sys_cancel_id(struct world *w, u64 id)
{
	for (u32 i = 0; i < w->hosts_count; i++) {
		list_for_each(pos, &w->hosts[i]->files->calls) {
			struct sys_call *call = list_entry(pos, struct sys_call, pending);

			if (call->op->id != id || call->running)
				continue;
			call_cancel(call);
			return 0;
		}
	}
	return -ENOENT;
}

void sys_kill_all(struct host *h)
{
	struct list_head *calls = &h->files->calls;

	while (!list_empty(calls))
		call_cancel(list_first_entry(calls, struct sys_call, pending));
}

void sys_check(const struct host *h)
{
	list_for_each(pos, &h->files->calls) {
		const struct sys_call *call = list_entry(pos, struct sys_call, pending);

		ASSERT(call->host == h && call->op->state == call && !call->op->completed);
		/* It will go on: runnable, or somebody wakes it. */
		ASSERT(call->running || !list_empty(&call->task.run) ||
		       waitqueue_waits(&call->wait) || call->poll_entries || call->timer_armed);
	}
}
