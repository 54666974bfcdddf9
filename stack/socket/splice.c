/* SPDX-License-Identifier: MIT */
/*
 * Bytes between files and sockets without the user's memory (fs/splice.c): splice(2), sendfile(2),
 * and read(2), write(2) of pipes. What a socket is given so is one send per piece of at most a
 * pipe's size, with MSG_MORE while more was asked for (splice_direct_to_actor); what is taken from
 * a TCP socket ends in front of an urgent byte (tcp_read_sock).
 *
 * Invariants: call->msg.done counts what was moved, by earlier steps too; a call that
 * waits holds its files (both), as descriptors may be closed meanwhile.
 */
#include "socket/pipe.h"
#include "socket/sys_call.h"

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE	  4u
#define OFFSET_OF_FILE	  UINT64_MAX

s64 sys_pipe(struct sys_call *call)
{
	struct sys_op *op = call->op;
	s32 fd[2];
	int err;

	if (op->arg[0] & ~(u64)(O_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	err = pipe_create_fds(call->host, (u32)op->arg[0], fd);
	return err ? err : (s64)((u64)(u32)fd[1] << 32 | (u32)fd[0]);
}

s64 sys_memfd(struct sys_call *call)
{
	const struct sys_op *op = call->op;

	if (op->data_len && !op->data)
		return -EFAULT;
	return memfile_create_fd(call->host, op->data, op->data_len, op->arg[0] != 0);
}

/* ---- waiting ---- */

/* The file of a number; the one that it was at the first step, if the call holds that. */
static struct file *file_of(const struct sys_call *call, struct file *held, s32 fd)
{
	return held ? held : fget(call->host, fd);
}

/* What a step on one file or two (or NULL) returned; when that is SYS_WAITS they are the call's
 * from now on. */
static s64 hold(struct sys_call *call, s64 ret, struct file *file, struct file *other)
{
	if (ret != SYS_WAITS || call->file)
		return ret;
	call->file = file;
	get_file(file);
	call->other = other;
	if (other)
		get_file(other);
	return ret;
}

/* On the queue of `f`, or of its socket. The caller sees to it that `f` is held. */
static s64 wait_on(struct sys_call *call, const struct file *f, struct wait_queue_head *wq,
		   u64 timeo)
{
	u64 now = call->host->world->now;

	if (call->timed_out || f->f_flags & O_NONBLOCK || !timeo)
		return call->msg.done ? (s64)call->msg.done : -EAGAIN;
	if (call->deadline == TIME_NEVER && timeo < TIME_NEVER - now)
		call->deadline = now + timeo;
	call->wait_on = wq;
	call->wait_key = 0;
	call->wait_exclusive = false;
	return SYS_WAITS;
}

/* ---- to a socket ---- */

/* Sends n bytes. What was taken, or -errno (-EAGAIN: nothing). */
static s64 send_piece(struct socket *sock, const u8 *bytes, u32 n, u32 flags)
{
	struct msghdr msg = { .data = (u8 *)(uintptr_t)(const void *)bytes,
			      .len = n,
			      .flags = flags | MSG_DONTWAIT };
	s64 ret = sock_ops(sock)->send_prepare(sock);

	if (ret)
		return ret;
	ret = sock_ops(sock)->sendmsg(sock, &msg);
	return ret < 0 && msg.done ? (s64)msg.done : ret;
}

static s64 splice_to_socket(struct sys_call *call, struct file *in, struct socket *sock, u32 flags)
{
	struct pipe *p = file_pipe_read(in);
	u64 len = call->op->arg[1];
	u32 n;
	s64 ret;

	if (!p)
		return -EINVAL;
	if (!p->len) {
		if (!p->writers || call->msg.done)
			return call->msg.done;
		return wait_on(call, in, &p->wq, flags & SPLICE_F_NONBLOCK ? 0 : TIME_NEVER);
	}
	while (p->len && call->msg.done < len) {
		n = (u32)min_u64(p->len, len - call->msg.done);
		ret = send_piece(sock, pipe_peek(p), n, flags & SPLICE_F_MORE ? MSG_MORE : 0);
		if (ret == -EAGAIN)
			return wait_on(call, &sock->file, &sock->sk->wq,
				       flags & SPLICE_F_NONBLOCK ? 0 : sock->sk->sk_rare->sndtimeo);
		if (ret < 0)
			return call->msg.done ? (s64)call->msg.done : ret;
		pipe_pop(p, (u32)ret);
		call->msg.done += (u32)ret;
	}
	return call->msg.done;
}

/* ---- from a socket ---- */

static s64 splice_from_socket(struct sys_call *call, struct socket *sock, struct file *out,
			      u32 flags)
{
	struct pipe *p = file_pipe_write(out);
	struct msghdr msg = { .flags = MSG_DONTWAIT, .splice = true };
	u32 room;
	s64 ret;

	if (!p)
		return -EINVAL;
	if (!p->readers)
		return -EPIPE;
	msg.data = pipe_room(p, &room);
	if (!room)
		return wait_on(call, out, &p->wq, flags & SPLICE_F_NONBLOCK ? 0 : TIME_NEVER);
	msg.len = (u32)min_u64(room, call->op->arg[1]);
	ret = sock_ops(sock)->recvmsg(sock, &msg);
	if (ret == -EAGAIN && !msg.done)
		return wait_on(call, &sock->file, &sock->sk->wq,
			       flags & SPLICE_F_NONBLOCK ? 0 : sock->sk->sk_rare->rcvtimeo);
	if (ret < 0 && !msg.done)
		return ret;
	ret = ret < 0 ? (s64)msg.done : ret;
	pipe_commit(p, (u32)ret);
	return ret;
}

/* splice(2): fd in, arg0 fd out, arg1 bytes, arg2 flags. One end is a pipe. */
s64 sys_splice(struct sys_call *call)
{
	const struct sys_op *op = call->op;
	struct file *in = file_of(call, call->file, op->fd);
	struct file *out = file_of(call, call->other, (s32)op->arg[0]);
	u32 flags = (u32)op->arg[2];
	struct socket *sock;
	int err;

	if (!in || !out)
		return -EBADF;
	if (!op->arg[1])
		return 0;
	sock = file_socket(out, &err);
	if (sock)
		return hold(call, splice_to_socket(call, in, sock, flags), in, out);
	sock = file_socket(in, &err);
	if (sock)
		return hold(call, splice_from_socket(call, sock, out, flags), in, out);
	return -EINVAL;
}

/* ---- sendfile(2) ---- */

/* The file ended before what was asked for: the last piece went with MSG_MORE. (do_splice_eof) */
static void splice_eof(const struct sys_call *call, struct socket *sock)
{
	if (call->msg.done && sock->sk->prot->splice_eof)
		sock->sk->prot->splice_eof(sock->sk);
}

/* arg1 the offset (~0: the file's own), arg2 bytes. */
static s64 send_memfile(struct sys_call *call, struct socket *sock, struct memfile *m)
{
	const struct sys_op *op = call->op;
	u64 count = min_u64(op->arg[2], INT32_MAX), start = op->arg[1];
	const u8 *bytes = NULL;

	if (start == OFFSET_OF_FILE)
		start = m->pos - (call->resumed ? call->msg.done : 0);
	while (call->msg.done < count) {
		u32 left = (u32)count - call->msg.done;
		u32 n = memfile_at(m, start + call->msg.done, min_u32(left, PIPE_SIZE), &bytes);
		s64 ret;

		if (!n) {
			splice_eof(call, sock);
			break;
		}
		ret = send_piece(sock, bytes, n, n < left ? MSG_MORE : 0);
		if (ret == -EAGAIN)
			return wait_on(call, &sock->file, &sock->sk->wq,
				       sock->sk->sk_rare->sndtimeo);
		if (ret < 0)
			return call->msg.done ? (s64)call->msg.done : ret;
		call->msg.done += (u32)ret;
		if (op->arg[1] == OFFSET_OF_FILE)
			m->pos += (u32)ret;
	}
	return call->msg.done;
}

/* fd the socket, arg0 fd of the file. */
s64 sys_sendfile(struct sys_call *call)
{
	struct file *out = file_of(call, call->file, call->op->fd);
	struct file *in = file_of(call, call->other, (s32)call->op->arg[0]);
	struct memfile *m = in ? file_memfile(in) : NULL;
	struct socket *sock;
	int err;

	if (!in)
		return -EBADF;
	sock = file_socket(out, &err);
	if (!sock || !m)
		return sock ? -EINVAL : err;
	return hold(call, send_memfile(call, sock, m), out, in);
}

/* ---- read(2), write(2) ---- */

static s64 wait_on_pipe(struct sys_call *call, struct file *f, struct pipe *p)
{
	return hold(call, wait_on(call, f, &p->wq, TIME_NEVER), f, NULL);
}

s64 sys_file_read(struct sys_call *call, struct file *f)
{
	struct pipe *p = file_pipe_read(f);
	struct memfile *m = file_memfile(f);
	struct sys_op *op = call->op;
	const u8 *bytes = NULL;
	u32 n;

	if (m) {
		n = memfile_at(m, m->pos, op->data_len, &bytes);
		if (n)
			memcpy(op->data, bytes, n);
		m->pos += n;
		return n;
	}
	if (!p)
		return -EBADF;
	if (!p->len)
		return p->writers ? wait_on_pipe(call, f, p) : 0;
	n = min_u32(p->len, op->data_len);
	memcpy(op->data, pipe_peek(p), n);
	pipe_pop(p, n);
	return n;
}

s64 sys_file_write(struct sys_call *call, struct file *f)
{
	struct pipe *p = file_pipe_write(f);
	struct sys_op *op = call->op;

	if (!p)
		return -EBADF;
	if (op->data_len && !op->data)
		return -EFAULT;
	if (!p->readers)
		return call->msg.done ? (s64)call->msg.done : -EPIPE;
	call->msg.done += pipe_push(p, op->data + call->msg.done, op->data_len - call->msg.done);
	if (call->msg.done == op->data_len)
		return call->msg.done;
	return wait_on_pipe(call, f, p);
}
