/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of a host: the table of its one process (fs/file.c).
 *
 * Invariants: a descriptor's entry holds one reference of its file; next_fd is not above the lowest
 * free number; `open` counts the entries in use.
 */
#include "socket/eventpoll.h"
#include "socket/socket.h"

#define TABLE_MIN 16u

int files_init(struct host *h)
{
	struct files_struct *files = mem_zalloc(h->world, MEM_MISC, sizeof(*files));

	if (!files)
		return -ENOMEM;
	files->next_fd = FIRST_FD;
	list_init(&files->calls);
	h->files = files;
	return 0;
}

void files_exit(struct host *h)
{
	struct files_struct *files = h->files;

	if (!files)
		return;
	ASSERT(files->open == 0 && list_empty(&files->calls));
	if (files->fd)
		mem_free_n(h->world, MEM_FDTABLE, files->fd, files->size, sizeof(*files->fd));
	mem_free(h->world, MEM_MISC, files, sizeof(*files));
	h->files = NULL;
}

struct file *alloc_file(struct host *h, const struct file_ops *ops, void *private, u32 f_flags)
{
	struct plain_file *f = mem_alloc(h->world, MEM_FILE, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct plain_file){ .file = { .ops = ops, .refs = 1, .f_flags = (u16)f_flags },
				  .private = private };
	return &f->file;
}

void free_file(struct host *h, struct file *f)
{
	mem_free(h->world, MEM_FILE, container_of(f, struct plain_file, file),
		 sizeof(struct plain_file));
}

void fput(struct host *h, struct file *f)
{
	ASSERT(f->refs > 0);
	if (--f->refs)
		return;
	eventpoll_release(f);
	f->ops->release(h, f);
}

/* RLIMIT_NOFILE of the one process of a host: a number from it on is not given out, one that was
 * stays open. */
static u32 rlimit_nofile(const struct host *h)
{
	return (u32)h->init_net->sysctl.tapline_rlimit_nofile;
}

static int expand_files(struct host *h)
{
	struct files_struct *files = h->files;
	u32 size = files->size ? files->size * 2 : TABLE_MIN;
	struct file **fd;

	fd = mem_alloc_n(h->world, MEM_FDTABLE, size, sizeof(*fd));
	if (!fd)
		return -ENOMEM;
	for (u32 i = 0; i < size; i++)
		fd[i] = i < files->size ? files->fd[i] : NULL;
	if (files->fd)
		mem_recycle_n(h->world, MEM_FDTABLE, files->fd, files->size, sizeof(*files->fd));
	files->fd = fd;
	files->size = size;
	return 0;
}

int fd_install(struct host *h, struct file *f)
{
	struct files_struct *files = h->files;
	u32 n = files->next_fd;
	int err;

	while (n < files->size && files->fd[n])
		n++;
	if (n >= rlimit_nofile(h))
		return -EMFILE;
	if (n >= files->size) {
		err = expand_files(h);
		if (err)
			return err;
	}
	files->fd[n] = f;
	files->next_fd = n + 1;
	files->open++;
	return (int)n;
}

struct file *fget(const struct host *h, s32 fd)
{
	const struct files_struct *files = h->files;

	if (fd < 0 || (u32)fd >= files->size)
		return NULL;
	return files->fd[fd];
}

int close_fd(struct host *h, s32 fd)
{
	struct file *f = fget(h, fd);

	if (!f)
		return -EBADF;
	h->files->fd[fd] = NULL;
	h->files->open--;
	if ((u32)fd < h->files->next_fd)
		h->files->next_fd = (u32)fd;
	fput(h, f);
	return 0;
}
