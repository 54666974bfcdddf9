/* SPDX-License-Identifier: MIT */
/*
 * Files that hold bytes: pipes (fs/pipe.c) and read-only files in memory (memfd_create(2), and
 * /dev/zero). splice.c moves bytes between them and sockets.
 */
#ifndef TAPLINE_SOCKET_PIPE_H
#define TAPLINE_SOCKET_PIPE_H

#include "socket/socket.h"

#define PIPE_SIZE 65536u /* F_GETPIPE_SZ: 16 pages */

/* Both ends; gone with the last file. */
struct pipe {
	struct wait_queue_head wq;
	u32 readers, writers; /* files open */
	u32 head, len; /* bytes [head, head + len) of buf */
	u8 buf[PIPE_SIZE];
};

struct memfile {
	u64 pos; /* of a sendfile(2) without an offset */
	u32 len;
	bool endless; /* the same bytes again and again */
	u8 data[];
};

/* Both ends of a new pipe: fd[0] is read, fd[1] written. 0 or -errno. */
int pipe_create_fds(struct host *h, u32 flags, s32 fd[2]);
/* A file with a copy of the bytes; zeros: one that gives zero bytes without end. Descriptor or
 * -errno. */
int memfile_create_fd(struct host *h, const u8 *data, u32 len, bool zeros);

/* What a file is; NULL: another one. */
struct pipe *file_pipe_read(const struct file *f);
struct pipe *file_pipe_write(const struct file *f);
struct memfile *file_memfile(const struct file *f);

/* At most n bytes; 0: there are none, the caller looks at readers and writers. */
u32 pipe_push(struct pipe *p, const u8 *from, u32 n);
/* The bytes that are there, in one piece. */
static inline const u8 *pipe_peek(const struct pipe *p)
{
	return p->buf + p->head;
}
void pipe_pop(struct pipe *p, u32 n);
/* Room in one piece behind what is there: pipe_commit() takes it. */
u8 *pipe_room(struct pipe *p, u32 *n);
void pipe_commit(struct pipe *p, u32 n);
/* At most n bytes from `at` on, in one piece; 0: the end. */
u32 memfile_at(const struct memfile *m, u64 at, u32 n, const u8 **bytes);

/* ---- splice.c: steps of system calls, as sys_step() ---- */

struct sys_call;
s64 sys_pipe(struct sys_call *call);
s64 sys_memfd(struct sys_call *call);
s64 sys_splice(struct sys_call *call);
s64 sys_sendfile(struct sys_call *call);
/* read(2) and write(2) of a file that is no socket. */
s64 sys_file_read(struct sys_call *call, struct file *f);
s64 sys_file_write(struct sys_call *call, struct file *f);

#endif
