/* SPDX-License-Identifier: MIT */
/*
 * Pipes and files in memory (fs/pipe.c, mm/memfd.c, as far as splice(2) and sendfile(2) need them).
 *
 * Invariants: a pipe holds at most PIPE_SIZE bytes and lives as long as one of its files; a file in
 * memory never changes.
 */
#include "socket/pipe.h"

/* ---- pipes: bytes ---- */

u8 *pipe_room(struct pipe *p, u32 *n)
{
	if (p->head) {
		memmove(p->buf, p->buf + p->head, p->len);
		p->head = 0;
	}
	*n = PIPE_SIZE - p->len;
	return p->buf + p->len;
}

void pipe_commit(struct pipe *p, u32 n)
{
	ASSERT(p->head + p->len + n <= PIPE_SIZE);
	p->len += n;
	if (n && waitqueue_active(&p->wq))
		wake_up_poll(&p->wq, POLLIN | POLLRDNORM);
}

u32 pipe_push(struct pipe *p, const u8 *from, u32 n)
{
	u32 room;
	u8 *to = pipe_room(p, &room);

	n = min_u32(n, room);
	memcpy(to, from, n);
	pipe_commit(p, n);
	return n;
}

void pipe_pop(struct pipe *p, u32 n)
{
	ASSERT(n <= p->len);
	p->head = n == p->len ? 0 : p->head + n;
	p->len -= n;
	if (n && waitqueue_active(&p->wq))
		wake_up_poll(&p->wq, POLLOUT | POLLWRNORM);
}

/* ---- pipes: files ---- */

static u32 pipe_poll_read(struct file *f)
{
	const struct pipe *p = file_private(f);

	return (p->len ? POLLIN | POLLRDNORM : 0) | (p->writers ? 0 : POLLHUP);
}

static u32 pipe_poll_write(struct file *f)
{
	const struct pipe *p = file_private(f);

	return (p->len < PIPE_SIZE ? POLLOUT | POLLWRNORM : 0) | (p->readers ? 0 : POLLERR);
}

static struct wait_queue_head *pipe_wait_queue(struct file *f)
{
	struct pipe *p = file_private(f);

	return &p->wq;
}

static void put_pipe(struct host *h, struct pipe *p)
{
	wake_up_poll(&p->wq, POLLIN | POLLOUT | POLLHUP | POLLERR);
	if (!p->readers && !p->writers)
		mem_free(h->world, MEM_MISC, p, sizeof(*p));
}

static void pipe_release_read(struct host *h, struct file *f)
{
	struct pipe *p = file_private(f);

	p->readers--;
	put_pipe(h, p);
	free_file(h, f);
}

static void pipe_release_write(struct host *h, struct file *f)
{
	struct pipe *p = file_private(f);

	p->writers--;
	put_pipe(h, p);
	free_file(h, f);
}

static const struct file_ops pipe_read_fops = {
	.poll = pipe_poll_read,
	.wait_queue = pipe_wait_queue,
	.release = pipe_release_read,
};

static const struct file_ops pipe_write_fops = {
	.poll = pipe_poll_write,
	.wait_queue = pipe_wait_queue,
	.release = pipe_release_write,
};

struct pipe *file_pipe_read(const struct file *f)
{
	return f->ops == &pipe_read_fops ? file_private(f) : NULL;
}

struct pipe *file_pipe_write(const struct file *f)
{
	return f->ops == &pipe_write_fops ? file_private(f) : NULL;
}

/* A descriptor for one end, which it counts in. */
static int end_fd(struct host *h, struct pipe *p, const struct file_ops *ops, u32 flags)
{
	struct file *f = alloc_file(h, ops, p, flags & O_NONBLOCK);
	int fd;

	if (!f)
		return -ENOMEM;
	if (ops == &pipe_read_fops)
		p->readers++;
	else
		p->writers++;
	fd = fd_install(h, f);
	if (fd < 0)
		fput(h, f);
	return fd;
}

int pipe_create_fds(struct host *h, u32 flags, s32 fd[2])
{
	struct pipe *p = mem_alloc(h->world, MEM_MISC, sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	init_waitqueue_head(&p->wq);
	/* The reference of this function, until both ends stand or none does. */
	p->readers = 1;
	p->writers = p->head = p->len = 0;
	ret = end_fd(h, p, &pipe_read_fops, flags);
	if (ret >= 0) {
		fd[0] = ret;
		ret = end_fd(h, p, &pipe_write_fops, flags);
		if (ret >= 0)
			fd[1] = ret;
		else
			(void)close_fd(h, fd[0]);
	}
	p->readers--;
	if (ret >= 0)
		return 0;
	mem_free(h->world, MEM_MISC, p, sizeof(*p));
	return ret;
}

/* ---- files in memory ---- */

static u32 memfile_poll(struct file *f)
{
	(void)f;
	return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
}

static void memfile_release(struct host *h, struct file *f)
{
	struct memfile *m = file_private(f);

	mem_free(h->world, MEM_MISC, m, sizeof(*m) + m->len);
	free_file(h, f);
}

static const struct file_ops memfile_fops = {
	.poll = memfile_poll,
	.release = memfile_release,
};

struct memfile *file_memfile(const struct file *f)
{
	return f->ops == &memfile_fops ? file_private(f) : NULL;
}

int memfile_create_fd(struct host *h, const u8 *data, u32 len, bool zeros)
{
	struct memfile *m;
	struct file *f;
	int fd;

	if (zeros)
		len = PIPE_SIZE;
	m = mem_alloc(h->world, MEM_MISC, sizeof(*m) + len);
	if (!m)
		return -ENOMEM;
	m->pos = 0;
	m->len = len;
	m->endless = zeros;
	if (zeros)
		memset(m->data, 0, len);
	else if (len)
		memcpy(m->data, data, len);
	f = alloc_file(h, &memfile_fops, m, 0);
	if (!f) {
		mem_free(h->world, MEM_MISC, m, sizeof(*m) + len);
		return -ENOMEM;
	}
	fd = fd_install(h, f);
	if (fd < 0)
		fput(h, f);
	return fd;
}

u32 memfile_at(const struct memfile *m, u64 at, u32 n, const u8 **bytes)
{
	if (m->endless)
		at %= m->len;
	if (at >= m->len)
		return 0;
	*bytes = m->data + at;
	return (u32)min_u64(n, m->len - at);
}
