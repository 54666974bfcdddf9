/* SPDX-License-Identifier: MIT */
/*
 * System calls as scripts make them, handed to the kernel. Numbers of options, flags and control
 * messages are Linux's on both sides; what differs is the form of addresses and times.
 */
#define _GNU_SOURCE
#include "sut/kernel_call.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SEC 1000000000u
#define IOVECS_MAX 1024u
#define EVENTS_MAX 256u
#define EVENT_SIZE 12u /* of struct epoll_event on x86-64 */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

static socklen_t to_sockaddr(const struct sock_addr *a, union address *out)
{
	memset(out, 0, sizeof(*out));
	out->sa.sa_family = a->family;
	if (a->family == AF_INET6) {
		out->in6.sin6_port = htons(a->port);
		out->in6.sin6_scope_id = a->scope_id;
		memcpy(&out->in6.sin6_addr, a->addr, 16);
		return sizeof(out->in6);
	}
	out->in.sin_port = htons(a->port);
	memcpy(&out->in.sin_addr, a->addr, 4);
	return sizeof(out->in);
}

static void from_sockaddr(struct sys_op *op, const union address *in, socklen_t len)
{
	op->has_addr = len > 0;
	memset(&op->addr, 0, sizeof(op->addr));
	if (!len)
		return;
	op->addr.family = in->sa.sa_family;
	if (in->sa.sa_family == AF_INET6) {
		op->addr.port = ntohs(in->in6.sin6_port);
		op->addr.scope_id = in->in6.sin6_scope_id;
		memcpy(op->addr.addr, &in->in6.sin6_addr, 16);
	} else {
		op->addr.port = ntohs(in->in.sin_port);
		memcpy(op->addr.addr, &in->in.sin_addr, 4);
	}
}

static s64 result(s64 r)
{
	return r < 0 ? -errno : r;
}

static s64 call_accept(struct sys_op *op)
{
	union address a;
	socklen_t len = sizeof(a);
	s64 fd = result(accept4(op->fd, &a.sa, &len, (int)op->arg[0]));

	if (fd >= 0)
		from_sockaddr(op, &a, len);
	return fd;
}

static s64 call_sendmsg(struct sys_op *op)
{
	struct iovec *iov = calloc(IOVECS_MAX, sizeof(*iov));
	size_t piece = op->arg[1] ? (size_t)op->arg[1] : op->data_len, n = 0, at = 0;
	struct msghdr m = { .msg_iov = iov };
	union address a;
	s64 r;

	if (!iov)
		return -ENOMEM;
	do {
		size_t len = op->data_len - at < piece ? op->data_len - at : piece;

		iov[n++] = (struct iovec){ op->data + at, len };
		at += len;
	} while (at < op->data_len && n < IOVECS_MAX);
	m.msg_iovlen = n;
	if (op->has_addr) {
		m.msg_namelen = to_sockaddr(&op->addr, &a);
		m.msg_name = &a;
	}
	if (op->control_len) {
		m.msg_control = op->control;
		m.msg_controllen = op->control_len;
	}
	r = result(sendmsg(op->fd, &m, (int)op->arg[0]));
	free(iov);
	return r;
}

/* Time stamps of packets are wall time: the world's begins at `epoch_ns`. */
static void stamps_to_world(struct msghdr *m, u64 epoch_ns)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(struct timespec);
		struct timespec t;

		if (c->cmsg_level != SOL_SOCKET ||
		    (c->cmsg_type != SCM_TIMESTAMPING && c->cmsg_type != SCM_TIMESTAMPNS))
			continue;
		for (size_t i = 0; i < n; i++) {
			u64 ns;

			memcpy(&t, CMSG_DATA(c) + i * sizeof(t), sizeof(t));
			ns = (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
			if (ns < epoch_ns)
				continue;
			t.tv_sec = (time_t)((ns - epoch_ns) / NS_PER_SEC);
			t.tv_nsec = (long)((ns - epoch_ns) % NS_PER_SEC);
			memcpy(CMSG_DATA(c) + i * sizeof(t), &t, sizeof(t));
		}
	}
}

static s64 call_recvmsg(struct sys_op *op, u64 epoch_ns)
{
	struct iovec iov = { op->data, op->data_len };
	union address a;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_name = &a };
	s64 r;

	m.msg_namelen = sizeof(a);
	m.msg_control = op->control_len ? op->control : NULL;
	m.msg_controllen = op->control_len;
	r = result(recvmsg(op->fd, &m, (int)op->arg[0]));
	if (r < 0)
		return r;
	op->control_len = (u32)m.msg_controllen;
	stamps_to_world(&m, epoch_ns);
	op->msg_flags = (u32)m.msg_flags;
	from_sockaddr(op, &a, m.msg_namelen);
	return r;
}

typedef int name_function(int fd, struct sockaddr *addr, socklen_t *len);

static s64 call_name(struct sys_op *op, name_function *name)
{
	union address a;
	socklen_t len = sizeof(a);
	s64 r = result(name(op->fd, &a.sa, &len));

	if (!r)
		from_sockaddr(op, &a, len);
	return r;
}

static s64 call_getsockopt(struct sys_op *op)
{
	socklen_t len = op->data_len;
	s64 r = result(getsockopt(op->fd, (int)op->arg[0], (int)op->arg[1], op->data, &len));

	return r < 0 ? r : (s64)len;
}

static const struct timespec *limit(const struct sys_op *op, struct timespec *t)
{
	if (op->timeout_ns == UINT64_MAX)
		return NULL;
	t->tv_sec = (time_t)(op->timeout_ns / NS_PER_SEC);
	t->tv_nsec = (long)(op->timeout_ns % NS_PER_SEC);
	return t;
}

/* struct sys_pollfd is struct pollfd. */
static s64 call_poll(struct sys_op *op)
{
	size_t n = op->data_len / sizeof(struct pollfd);
	struct pollfd *fds = calloc(n + 1, sizeof(*fds));
	struct timespec t;
	s64 r;

	_Static_assert(sizeof(struct pollfd) == sizeof(struct sys_pollfd), "the same in C");
	if (!fds)
		return -ENOMEM;
	memcpy(fds, op->data, n * sizeof(*fds));
	r = result(ppoll(fds, n, limit(op, &t), NULL));
	memcpy(op->data, fds, n * sizeof(*fds));
	free(fds);
	return r;
}

static s64 call_epoll_ctl(struct sys_op *op)
{
	struct epoll_event e = { 0 };

	/* EPOLL_CTL_DEL needs none. */
	if (op->data && op->data_len < EVENT_SIZE)
		return -EINVAL;
	if (op->data) {
		memcpy(&e.events, op->data, 4);
		memcpy(&e.data, op->data + 4, 8);
	}
	/* Of libc's name there is one in the stack. */
	return result(syscall(SYS_epoll_ctl, op->fd, (int)op->arg[0], (int)op->arg[1],
			      op->data ? &e : NULL));
}

static s64 call_epoll_wait(struct sys_op *op)
{
	struct epoll_event e[EVENTS_MAX];
	struct timespec t;
	int max = op->arg[0] < EVENTS_MAX ? (int)op->arg[0] : (int)EVENTS_MAX;
	s64 n = result(epoll_pwait2(op->fd, e, max, limit(op, &t), NULL));

	for (s64 i = 0; i < n; i++) {
		memcpy(op->data + i * EVENT_SIZE, &e[i].events, 4);
		memcpy(op->data + i * EVENT_SIZE + 4, &e[i].data, 8);
	}
	return n;
}

static s64 call_pipe(const struct sys_op *op)
{
	int fd[2];

	if (pipe2(fd, (int)op->arg[0]) < 0)
		return -errno;
	return (s64)fd[1] << 32 | fd[0];
}

static s64 call_sendfile(const struct sys_op *op)
{
	off_t at = (off_t)op->arg[1];

	return result(sendfile(op->fd, (int)op->arg[0], op->arg[1] == UINT64_MAX ? NULL : &at,
			       (size_t)op->arg[2]));
}

static s64 call_memfd(const struct sys_op *op)
{
	int fd = op->arg[0] ? open("/dev/zero", O_RDWR) : memfd_create("file", 0);

	if (fd >= 0 && op->data_len && write(fd, op->data, op->data_len) != (ssize_t)op->data_len)
		return -errno;
	if (fd >= 0)
		(void)lseek(fd, 0, SEEK_SET);
	return result(fd);
}

static s64 call_ioctl(const struct sys_op *op)
{
	int value = 0;
	s64 r = result(ioctl(op->fd, (unsigned long)op->arg[0], &value));

	return r < 0 ? r : value;
}

bool kernel_call_may_block(const struct sys_op *op)
{
	switch ((enum sys_nr)op->nr) {
	case SYS_CONNECT:
	case SYS_ACCEPT:
	case SYS_SENDMSG:
	case SYS_RECVMSG:
	case SYS_SHUTDOWN:
	case SYS_CLOSE:
	case SYS_SPLICE:
	case SYS_SENDFILE:
		return true;
	case SYS_POLL:
	case SYS_EPOLL_WAIT:
		return op->timeout_ns != 0;
	default:
		return false;
	}
}

s64 kernel_call(struct sys_op *op, u64 epoch_ns)
{
	union address a;

	switch ((enum sys_nr)op->nr) {
	case SYS_SOCKET:
		return result(socket((int)op->arg[0], (int)op->arg[1], (int)op->arg[2]));
	case SYS_BIND:
		return result(bind(op->fd, &a.sa, to_sockaddr(&op->addr, &a)));
	case SYS_CONNECT:
		return result(connect(op->fd, &a.sa, to_sockaddr(&op->addr, &a)));
	case SYS_LISTEN:
		return result(listen(op->fd, (int)op->arg[0]));
	case SYS_ACCEPT:
		return call_accept(op);
	case SYS_SENDMSG:
		return call_sendmsg(op);
	case SYS_RECVMSG:
		return call_recvmsg(op, epoch_ns);
	case SYS_SHUTDOWN:
		return result(shutdown(op->fd, (int)op->arg[0]));
	case SYS_CLOSE:
		return result(close(op->fd));
	case SYS_GETSOCKNAME:
		return call_name(op, getsockname);
	case SYS_GETPEERNAME:
		return call_name(op, getpeername);
	case SYS_SETSOCKOPT:
		return result(setsockopt(op->fd, (int)op->arg[0], (int)op->arg[1], op->data,
					 op->data_len));
	case SYS_GETSOCKOPT:
		return call_getsockopt(op);
	case SYS_POLL:
		return call_poll(op);
	case SYS_FCNTL:
		return result(fcntl(op->fd, (int)op->arg[0], (int)op->arg[1]));
	case SYS_IOCTL:
		return call_ioctl(op);
	case SYS_DUP:
		return result(dup(op->fd));
	case SYS_EPOLL_CREATE:
		return result(epoll_create1(0));
	case SYS_EPOLL_CTL:
		return call_epoll_ctl(op);
	case SYS_EPOLL_WAIT:
		return call_epoll_wait(op);
	case SYS_PIPE:
		return call_pipe(op);
	case SYS_SPLICE:
		return result(splice(op->fd, NULL, (int)op->arg[0], NULL, (size_t)op->arg[1],
				     (unsigned int)op->arg[2]));
	case SYS_SENDFILE:
		return call_sendfile(op);
	case SYS_MEMFD:
		return call_memfd(op);
	case SYS_NR_COUNT:
		break;
	}
	return -ENOSYS;
}
