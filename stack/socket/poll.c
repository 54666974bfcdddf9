/* SPDX-License-Identifier: MIT */
/*
 * poll(2) and the waiting of epoll_wait(2) (fs/select.c): a call that is on the wait queues of
 * several files.
 *
 * Invariant: each poll entry holds its file, and is on its wait queue from poll_arrange() to
 * poll_freewait().
 */
#include "socket/eventpoll.h"
#include "socket/sys_call.h"

struct poll_entry {
	struct wait_queue_entry wait;
	struct sys_call *call;
	struct file *file; /* NULL: nothing to wait for here */
	u32 key;
};

static bool poll_wake(struct wait_queue_entry *e, u32 key)
{
	struct poll_entry *entry = e->private;

	if (key && !(key & entry->key))
		return false;
	wake_up_process(&entry->call->task);
	return true;
}

static u32 poll_nfds(const struct sys_call *call)
{
	return call->op->data_len / (u32)sizeof(struct sys_pollfd);
}

static struct sys_pollfd get_pollfd(const struct sys_call *call, u32 i)
{
	struct sys_pollfd p;

	memcpy(&p, call->op->data + i * sizeof(p), sizeof(p));
	return p;
}

static void entry_init(struct poll_entry *e, struct sys_call *call, struct file *f, u32 key)
{
	e->call = call;
	e->file = f;
	e->key = key | POLLERR | POLLHUP;
	init_waitqueue_entry(&e->wait, poll_wake, e);
	if (!f)
		return;
	get_file(f);
	add_wait_queue(f->ops->wait_queue(f), &e->wait);
}

int poll_arrange(struct sys_call *call)
{
	bool epoll = call->op->nr == SYS_EPOLL_WAIT;
	u32 n = epoll ? 1 : poll_nfds(call);
	struct world *w = call->host->world;

	if (!n)
		return 0;
	call->poll_entries = mem_alloc_n(w, MEM_POLL, n, sizeof(*call->poll_entries));
	if (!call->poll_entries)
		return -ENOMEM;
	call->poll_count = n;
	for (u32 i = 0; i < n; i++) {
		struct sys_pollfd p = { .fd = call->op->fd, .events = POLLIN };

		if (!epoll)
			p = get_pollfd(call, i);
		entry_init(&call->poll_entries[i], call, fget(call->host, p.fd), p.events);
	}
	return 0;
}

void poll_freewait(struct sys_call *call)
{
	if (!call->poll_entries)
		return;
	for (u32 i = 0; i < call->poll_count; i++) {
		struct poll_entry *e = &call->poll_entries[i];

		remove_wait_queue(&e->wait);
		if (e->file)
			fput(call->host, e->file);
	}
	mem_free_n(call->host->world, MEM_POLL, call->poll_entries, call->poll_count,
		   sizeof(*call->poll_entries));
	call->poll_entries = NULL;
}

/* do_pollfd: what holds of what was asked for; errors are always told. */
static u32 do_pollfd(const struct sys_call *call, const struct sys_pollfd *p)
{
	struct file *f;

	if (p->fd < 0)
		return 0;
	f = fget(call->host, p->fd);
	if (!f)
		return POLLNVAL;
	return f->ops->poll(f) & ((u32)p->events | POLLERR | POLLHUP);
}

/* No time left, or the deadline is set: the call waits on. */
static s64 poll_timeout(struct sys_call *call)
{
	u64 now = call->host->world->now, timeout = call->op->timeout_ns;

	if (!timeout || call->timed_out)
		return 0;
	if (!call->timer_armed)
		call->deadline = timeout > TIME_NEVER - 1 - now ? TIME_NEVER : now + timeout;
	call->wait_on = NULL;
	return SYS_WAITS;
}

s64 sys_poll(struct sys_call *call)
{
	u32 n = poll_nfds(call);
	s64 ready = 0;

	if (n > POLLFDS_MAX)
		return -EINVAL;
	if (n && !call->op->data)
		return -EFAULT;
	for (u32 i = 0; i < n; i++) {
		struct sys_pollfd p = get_pollfd(call, i);

		p.revents = (u16)do_pollfd(call, &p);
		memcpy(call->op->data + i * sizeof(p), &p, sizeof(p));
		ready += p.revents != 0;
	}
	return ready ? ready : poll_timeout(call);
}

s64 sys_epoll_wait(struct sys_call *call)
{
	struct sys_op *op = call->op;
	u32 max = (u32)op->arg[0];
	struct file *f;
	s64 n;

	if (!max || max > op->data_len / EPOLL_EVENT_LEN)
		return -EINVAL;
	/* Once it waits it holds the set, whatever becomes of the descriptor. */
	f = call->poll_entries ? call->poll_entries[0].file : fget(call->host, op->fd);
	if (!f)
		return -EBADF;
	n = epoll_collect(f, op->data, max);
	return n ? n : poll_timeout(call);
}
