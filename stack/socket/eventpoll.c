/* SPDX-License-Identifier: MIT */
/*
 * epoll(7) (fs/eventpoll.c): an interest list of files and the ready list that their wait queues
 * fill. Level triggered items go back to the end of the ready list after having been reported, edge
 * triggered ones wait for the next wake-up, one-shot ones for EPOLL_CTL_MOD.
 *
 * Invariants: an item is on the wait queue of its file from ADD to DEL or to the file's end; it is
 * on the ready list at most once; an item holds no reference of its file (closing the last
 * descriptor takes it out).
 */
#include "socket/eventpoll.h"

#define EP_PRIVATE (EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
/* What may go with EPOLLEXCLUSIVE (EPOLLEXCLUSIVE_OK_BITS). */
#define EP_EXCLUSIVE_OK (POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLET | EPOLLEXCLUSIVE)

struct eventpoll {
	struct host *host;
	struct wait_queue_head wq;
	struct list_head items; /* in order of ADD */
	struct list_head ready;
};

struct epitem {
	struct list_head all; /* ep->items */
	struct list_head ready; /* ep->ready */
	struct hlist_node file_link; /* file->ep_links */
	struct wait_queue_entry wait;
	struct eventpoll *ep;
	struct file *file;
	s32 fd;
	u32 events; /* POLLERR and POLLHUP always; of a one-shot that has been reported: none */
	u64 data;
};

static u32 item_poll(const struct epitem *it)
{
	return it->file->ops->poll(it->file) & it->events & ~EP_PRIVATE;
}

/* ep_poll_callback */
static bool item_wake(struct wait_queue_entry *e, u32 key)
{
	struct epitem *it = e->private;

	if (!(it->events & ~EP_PRIVATE))
		return false; /* a one-shot that has been reported */
	if (key && !(key & it->events))
		return false;
	if (list_empty(&it->ready))
		list_add_tail(&it->ready, &it->ep->ready);
	wake_up_poll(&it->ep->wq, POLLIN);
	return true;
}

static void item_free(struct epitem *it)
{
	remove_wait_queue(&it->wait);
	list_del_init(&it->all);
	list_del_init(&it->ready);
	hlist_del_init(&it->file_link);
	mem_free(it->ep->host->world, MEM_EPITEM, it, sizeof(*it));
}

void eventpoll_release(struct file *f)
{
	while (f->ep_links.first)
		item_free(container_of(f->ep_links.first, struct epitem, file_link));
}

/* ---- the file ---- */

static u32 ep_file_poll(struct file *f)
{
	const struct eventpoll *ep = file_private(f);

	list_for_each(pos, &ep->ready)
		if (item_poll(list_entry(pos, struct epitem, ready)))
			return POLLIN | POLLRDNORM;
	return 0;
}

static struct wait_queue_head *ep_file_wait_queue(struct file *f)
{
	struct eventpoll *ep = file_private(f);

	return &ep->wq;
}

static void ep_file_release(struct host *h, struct file *f)
{
	struct eventpoll *ep = file_private(f);

	while (!list_empty(&ep->items))
		item_free(list_first_entry(&ep->items, struct epitem, all));
	mem_free(h->world, MEM_EPOLL, ep, sizeof(*ep));
	free_file(h, f);
}

static const struct file_ops eventpoll_fops = {
	.poll = ep_file_poll,
	.wait_queue = ep_file_wait_queue,
	.release = ep_file_release,
};

int epoll_create_fd(struct host *h)
{
	struct eventpoll *ep = mem_alloc(h->world, MEM_EPOLL, sizeof(*ep));
	struct file *f;
	int fd;

	if (!ep)
		return -ENOMEM;
	ep->host = h;
	init_waitqueue_head(&ep->wq);
	list_init(&ep->items);
	list_init(&ep->ready);
	f = alloc_file(h, &eventpoll_fops, ep, 0);
	if (!f) {
		mem_free(h->world, MEM_EPOLL, ep, sizeof(*ep));
		return -ENOMEM;
	}
	fd = fd_install(h, f);
	if (fd < 0)
		fput(h, f);
	return fd;
}

/* ---- epoll_ctl ---- */

static struct eventpoll *ep_of(const struct host *h, s32 epfd, int *err)
{
	struct file *f = fget(h, epfd);

	*err = !f ? -EBADF : f->ops != &eventpoll_fops ? -EINVAL : 0;
	return *err ? NULL : file_private(f);
}

/* ep_find: an item is known by file and number. */
static struct epitem *item_find(const struct eventpoll *ep, const struct file *f, s32 fd)
{
	for (struct hlist_node *pos = f->ep_links.first; pos; pos = pos->next) {
		struct epitem *it = container_of(pos, struct epitem, file_link);

		if (it->ep == ep && it->fd == fd)
			return it;
	}
	return NULL;
}

static void item_check_ready(struct epitem *it)
{
	if (!item_poll(it) || !list_empty(&it->ready))
		return;
	list_add_tail(&it->ready, &it->ep->ready);
	wake_up_poll(&it->ep->wq, POLLIN);
}

static int ep_insert(struct eventpoll *ep, struct file *f, s32 fd, u32 events, u64 data)
{
	struct epitem *it = mem_zalloc(ep->host->world, MEM_EPITEM, sizeof(*it));

	if (!it)
		return -ENOMEM;
	it->ep = ep;
	it->file = f;
	it->fd = fd;
	it->events = events | POLLERR | POLLHUP;
	it->data = data;
	list_init(&it->ready);
	list_add_tail(&it->all, &ep->items);
	hlist_add_head(&it->file_link, &f->ep_links);
	init_waitqueue_entry(&it->wait, item_wake, it);
	if (events & EPOLLEXCLUSIVE)
		add_wait_queue_exclusive(f->ops->wait_queue(f), &it->wait);
	else
		add_wait_queue(f->ops->wait_queue(f), &it->wait);
	item_check_ready(it);
	return 0;
}

int epoll_ctl(struct host *h, s32 epfd, u32 op, s32 fd, const u8 *event)
{
	struct file *f = fget(h, fd);
	struct epitem *it;
	struct eventpoll *ep;
	int err;

	ep = ep_of(h, epfd, &err);
	if (!f || err == -EBADF)
		return -EBADF;
	/* A set inside a set is not offered: it would need the check for loops. */
	if (!ep || f->ops == &eventpoll_fops)
		return -EINVAL;
	it = item_find(ep, f, fd);
	switch (op) {
	case EPOLL_CTL_ADD:
		if (it)
			return -EEXIST;
		if (get_le32(event) & EPOLLEXCLUSIVE && get_le32(event) & ~EP_EXCLUSIVE_OK)
			return -EINVAL;
		return ep_insert(ep, f, fd, get_le32(event), get_le64(event + 4));
	case EPOLL_CTL_DEL:
		if (!it)
			return -ENOENT;
		item_free(it);
		return 0;
	case EPOLL_CTL_MOD:
		if (!it)
			return -ENOENT;
		if ((it->events | get_le32(event)) & EPOLLEXCLUSIVE)
			return -EINVAL;
		it->events = get_le32(event) | POLLERR | POLLHUP;
		it->data = get_le64(event + 4);
		item_check_ready(it);
		return 0;
	default:
		return -EINVAL;
	}
}

/* ep_send_events */
int epoll_collect(struct file *set, u8 *out, u32 max)
{
	struct eventpoll *ep = file_private(set);
	struct list_head scan;
	u32 n = 0;

	if (set->ops != &eventpoll_fops)
		return -EINVAL;
	list_init(&scan);
	list_splice_tail_init(&ep->ready, &scan);
	while (n < max && !list_empty(&scan)) {
		struct epitem *it = list_first_entry(&scan, struct epitem, ready);
		u32 revents = item_poll(it);

		list_del_init(&it->ready);
		if (!revents)
			continue;
		put_le32(out + n * EPOLL_EVENT_LEN, revents);
		put_le64(out + n * EPOLL_EVENT_LEN + 4, it->data);
		n++;
		if (it->events & EPOLLONESHOT)
			it->events &= EP_PRIVATE;
		else if (!(it->events & EPOLLET))
			list_add_tail(&it->ready, &ep->ready);
	}
	/* What did not fit comes first next time. */
	list_splice_tail_init(&ep->ready, &scan);
	list_splice_tail_init(&scan, &ep->ready);
	return (int)n;
}
