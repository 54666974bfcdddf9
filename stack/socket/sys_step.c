/* SPDX-License-Identifier: MIT */
/*
 * What each system call does in a step (net/socket.c). A step is atomic; a protocol that can not go
 * on returns -EAGAIN, and the call waits on the socket's wait queue if it may.
 *
 * Invariant: a step that returns SYS_WAITS has set what it waits for, and the call holds its file.
 */
#include "core/busy_poll.h"
#include "core/errqueue.h"
#include "socket/eventpoll.h"
#include "socket/pipe.h"
#include "socket/sys_call.h"

static u64 deadline_of(const struct sys_call *call, u64 timeout_ns)
{
	u64 now = call->host->world->now;

	return timeout_ns > TIME_NEVER - 1 - now ? TIME_NEVER : now + timeout_ns;
}

/* The socket of the call: of its file once it has waited (the descriptor may have been closed). */
static struct socket *call_socket(struct sys_call *call, int *err)
{
	if (!call->file)
		return sockfd_lookup(call->host, call->op->fd, err);
	return file_socket(call->file, err);
}

/* Waits on the socket, at most `timeo` ns in all. */
static s64 wait_on_sock(struct sys_call *call, struct socket *sock, u64 timeo, u32 key,
			bool exclusive)
{
	if (!call->file) {
		call->file = &sock->file;
		get_file(call->file);
		call->deadline = timeo == TIME_NEVER ? TIME_NEVER : deadline_of(call, timeo);
	}
	call->wait_on = &sock->sk->wq;
	call->wait_key = key;
	call->wait_exclusive = exclusive;
	call->retry = TIME_NEVER;
	return SYS_WAITS;
}

static bool may_wait(const struct sys_call *call, const struct socket *sock, u64 timeo)
{
	return !call->timed_out && timeo && !(sock->file.f_flags & O_NONBLOCK);
}

/* ---- names, connections ---- */

static s64 step_bind(struct sys_call *call, struct socket *sock)
{
	return call->op->has_addr ? sock_ops(sock)->bind(sock, &call->op->addr) : -EINVAL;
}

static s64 step_connect(struct sys_call *call, struct socket *sock)
{
	u64 timeo = sock->sk->sk_rare->sndtimeo;
	int err;

	if (!call->op->has_addr)
		return -EINVAL;
	err = sock_ops(sock)->connect(sock, &call->op->addr, call->resumed && call->file);
	if ((err == -EINPROGRESS || err == -EALREADY) && may_wait(call, sock, timeo))
		return wait_on_sock(call, sock, timeo, 0, false);
	return err;
}

static s64 step_accept(struct sys_call *call, struct socket *sock)
{
	u64 timeo = sock->sk->sk_rare->rcvtimeo;
	u32 flags = (u32)call->op->arg[0];
	struct socket *newsock;
	int err, fd;

	if (flags & ~(u32)(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	newsock = sock_alloc(call->host);
	if (!newsock)
		return -ENOMEM;
	err = sock_ops(sock)->accept(sock, newsock);
	if (err) {
		sock_free(call->host, newsock);
		if (err == -EAGAIN && may_wait(call, sock, timeo))
			return wait_on_sock(call, sock, timeo, POLLIN | POLLERR | POLLHUP, true);
		return err;
	}
	fd = sock_map_fd(call->host, newsock, flags);
	if (fd < 0) {
		sock_release(newsock);
		return fd;
	}
	(void)sock_ops(newsock)->getname(newsock, &call->op->addr, SOCK_NAME_ACCEPTED);
	return fd;
}

/* ---- data ---- */

/* A send that waits with bytes left: the handshake's ACK can ride on them (sk_write_pending). */
static void set_write_pending(struct sys_call *call, struct sock *sk, bool pending)
{
	if (call->write_pending == pending)
		return;
	call->write_pending = pending;
	sk->sk_write_pending = (u16)(sk->sk_write_pending + (pending ? 1 : -1));
}

static s64 step_sendmsg(struct sys_call *call, struct socket *sock)
{
	struct msghdr *msg = &call->msg;
	u64 timeo = sock->sk->sk_rare->sndtimeo;
	s64 ret;

	/* A pointer that a copy faults on: told before anything is sent. */
	if (!msg->data && msg->len)
		return -EFAULT;
	if (msg->flags & MSG_DONTWAIT)
		timeo = 0;
	if (sock->file.f_flags & O_NONBLOCK)
		msg->flags |= MSG_DONTWAIT;
	set_write_pending(call, sock->sk, false);
	ret = sock_ops(sock)->send_prepare(sock);
	if (ret)
		return ret;
	sock_rps_record_flow(sock->sk);
	ret = sock_ops(sock)->sendmsg(sock, msg);
	if (ret != -EAGAIN && !(ret == -EINPROGRESS && msg->connecting)) {
		msg_zerocopy_end(msg, ret >= 0);
		return ret;
	}
	if (may_wait(call, sock, timeo)) {
		set_write_pending(call, sock->sk, msg->done < msg->len);
		(void)wait_on_sock(call, sock, timeo, 0, false);
		if (msg->retry_ms)
			call->retry = call->host->world->now + msg->retry_ms * NSEC_PER_MSEC;
		return SYS_WAITS;
	}
	msg_zerocopy_end(msg, msg->done > 0);
	return msg->done ? (s64)msg->done : ret;
}

static void recv_results(struct sys_call *call)
{
	struct sys_op *op = call->op;

	op->msg_flags = call->msg.out_flags;
	op->control_len = call->msg.control_used;
	op->has_addr = call->msg.name_valid;
	if (!op->has_addr)
		op->addr = (struct sock_addr){ .family = AF_UNSPEC };
}

/* A pointer that a copy faults on: told when there is something to copy, which stays. */
static s64 recv_fault(struct socket *sock, struct msghdr *msg)
{
	s64 ret;

	msg->flags |= MSG_PEEK | MSG_TRUNC;
	if (sock->file.sock_type != SOCK_STREAM)
		msg->len = 0;
	ret = sock_ops(sock)->recvmsg(sock, msg);
	return ret > 0 || (!ret && sock->file.sock_type != SOCK_STREAM) ? -EFAULT : ret;
}

/* With SO_BUSY_POLL the call does not sleep for good before its time is over. */
static void look_again(struct sys_call *call, const struct sock *sk)
{
	u64 now = call->host->world->now;

	if (!sk_can_busy_loop(sk))
		return;
	if (!call->busy_until)
		call->busy_until = now + (u64)sk->sk_rare->ll_usec * NSEC_PER_USEC;
	if (now < call->busy_until)
		call->retry = now + BUSY_POLL_LOOK_NS;
}

static s64 step_recvmsg(struct sys_call *call, struct socket *sock)
{
	struct msghdr *msg = &call->msg;
	u64 timeo = sock->sk->sk_rare->rcvtimeo;
	s64 ret;

	if (sock->file.f_flags & O_NONBLOCK)
		msg->flags |= MSG_DONTWAIT;
	if (msg->flags & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB))
		timeo = 0;
	sock_rps_record_flow(sock->sk);
	/* MSG_TRUNC on a stream copies nothing. */
	if (!msg->data && call->op->data_len &&
	    !(msg->flags & MSG_TRUNC && sock->file.sock_type == SOCK_STREAM))
		ret = recv_fault(sock, msg);
	else
		ret = sock_ops(sock)->recvmsg(sock, msg);
	if (ret == -EAGAIN && sk_can_busy_loop(sock->sk) && sk_busy_poll(sock->sk))
		ret = sock_ops(sock)->recvmsg(sock, msg);
	if (ret == -EAGAIN) {
		if (may_wait(call, sock, timeo)) {
			ret = wait_on_sock(call, sock, timeo, POLLIN | POLLERR, true);
			look_again(call, sock->sk);
			return ret;
		}
		if (msg->done)
			ret = msg->done;
	}
	recv_results(call);
	return ret;
}

/* ---- options and the rest ---- */

/* SO_PEERNAME: as getpeername() in the bytes of a struct sockaddr, also while it connects; what it
 * is asked for must be there. */
static s64 get_peername(struct socket *sock, u8 *val, u32 len)
{
	struct sock_addr addr = { 0 };
	u8 b[28] = { 0 };
	u32 size = 16;

	if (sock_ops(sock)->getname(sock, &addr, SOCK_NAME_ACCEPTED) < 0)
		return -ENOTCONN;
	put_le16(b, addr.family);
	put_be16(b + 2, addr.port);
	if (addr.family == AF_INET6) {
		size = sizeof(b);
		memcpy(b + 8, addr.addr, 16);
		put_le32(b + 24, addr.scope_id);
	} else {
		memcpy(b + 4, addr.addr, 4);
	}
	if (len > size)
		return -EINVAL;
	memcpy(val, b, len);
	return len;
}

static s64 step_sockopt(struct sys_call *call, struct socket *sock)
{
	struct sys_op *op = call->op;
	u32 level = (u32)op->arg[0], name = (u32)op->arg[1];
	static const u8 none[1];

	/* What is shorter than an int is told to be too short before it is copied. */
	if (!op->data && op->data_len >= (op->nr == SYS_SETSOCKOPT ? 4 : 1))
		return -EFAULT;
	if (op->nr == SYS_SETSOCKOPT)
		return sock_ops(sock)->setsockopt(sock, level, name, op->data ? op->data : none,
						  op->data ? op->data_len : 0);
	if (level == SOL_SOCKET && name == SO_PEERNAME)
		return get_peername(sock, op->data, op->data_len);
	return sock_ops(sock)->getsockopt(sock, level, name, op->data, op->data_len);
}

static s64 step_ioctl(struct sys_call *call, struct socket *sock)
{
	s64 value = 0;
	int err = sock_ops(sock)->ioctl(sock, (u32)call->op->arg[0], &value);

	return err ? err : value;
}

static s64 step_fcntl(struct sys_call *call)
{
	struct file *f = fget(call->host, call->op->fd);

	if (!f)
		return -EBADF;
	switch (call->op->arg[0]) {
	case F_GETFL:
		return O_RDWR | f->f_flags;
	case F_SETFL:
		f->f_flags = (u32)call->op->arg[1] & O_NONBLOCK;
		return 0;
	default:
		return -EINVAL;
	}
}

static s64 step_dup(struct sys_call *call)
{
	struct file *f = fget(call->host, call->op->fd);
	int fd;

	if (!f)
		return -EBADF;
	get_file(f);
	fd = fd_install(call->host, f);
	if (fd < 0)
		fput(call->host, f);
	return fd;
}

static s64 step_epoll_ctl(struct sys_call *call)
{
	const struct sys_op *op = call->op;

	if (op->arg[0] != EPOLL_CTL_DEL && (!op->data || op->data_len < EPOLL_EVENT_LEN))
		return -EFAULT;
	return epoll_ctl(call->host, op->fd, (u32)op->arg[0], (s32)op->arg[1], op->data);
}

/* read(2) and write(2) come as messages: of other files that have bytes. */
static s64 step_on_file(struct sys_call *call)
{
	const struct sys_op *op = call->op;
	struct file *f = call->file ? call->file : fget(call->host, op->fd);

	if (!file_pipe_read(f) && !file_pipe_write(f) && !file_memfile(f))
		return -ENOTSOCK;
	if (op->nr == SYS_RECVMSG && !op->arg[0])
		return sys_file_read(call, f);
	if (op->nr == SYS_SENDMSG && !op->arg[0] && !op->has_addr)
		return sys_file_write(call, f);
	return -ENOTSOCK;
}

/* Calls on a socket. */
static s64 step_on_socket(struct sys_call *call)
{
	struct sys_op *op = call->op;
	struct socket *sock;
	int err;

	sock = call_socket(call, &err);
	if (!sock)
		return err == -ENOTSOCK ? step_on_file(call) : err;
	switch (op->nr) {
	case SYS_BIND:
		return step_bind(call, sock);
	case SYS_CONNECT:
		return step_connect(call, sock);
	case SYS_LISTEN:
		return sock_ops(sock)->listen(sock, (u32)op->arg[0]);
	case SYS_ACCEPT:
		return step_accept(call, sock);
	case SYS_SENDMSG:
		return step_sendmsg(call, sock);
	case SYS_RECVMSG:
		return step_recvmsg(call, sock);
	case SYS_SHUTDOWN:
		return sock_ops(sock)->shutdown(sock, (u32)op->arg[0]);
	case SYS_GETSOCKNAME:
	case SYS_GETPEERNAME:
		return sock_ops(sock)->getname(sock, &op->addr,
					       op->nr == SYS_GETPEERNAME ? SOCK_NAME_PEER :
									   SOCK_NAME_OWN);
	case SYS_SETSOCKOPT:
	case SYS_GETSOCKOPT:
		return step_sockopt(call, sock);
	case SYS_IOCTL:
		return step_ioctl(call, sock);
	default:
		return -ENOSYS;
	}
}

/* ---- close ---- */

/* SO_LINGER: who holds the last reference waits until the peer has it all, O_NONBLOCK or not. The
 * descriptor is free at once, and the socket is nobody's when the wait is over. */
static s64 step_close(struct sys_call *call)
{
	struct host *h = call->host;
	struct socket *sock;
	struct sock *sk;
	int err;

	if (call->file) {
		sock = SOCKET_I(call->file);
		if (call->timed_out || !sock->sk->prot->lingers(sock->sk, false))
			return 0;
		return wait_on_sock(call, sock, 0, 0, false);
	}
	sock = sockfd_lookup(h, call->op->fd, &err);
	sk = sock ? sock->sk : NULL;
	if (!sk || sock->file.refs > 1 || !(sk->sk_flags & SOCK_LINGER) ||
	    !sk->sk_rare->lingertime_s || !sk->prot->lingers || !sk->prot->lingers(sk, true))
		return close_fd(h, call->op->fd);
	eventpoll_release(&sock->file);
	wait_on_sock(call, sock, sk->sk_rare->lingertime_s * NSEC_PER_SEC, 0, false);
	(void)close_fd(h, call->op->fd);
	return SYS_WAITS;
}

/* In the namespace that the call names, whatever became of it since the call was made. */
static s64 step_socket(struct sys_call *call)
{
	const struct sys_op *op = call->op;
	struct net *net = net_by_ref(call->host->world, op->host);

	return net ? sock_create_fd(net, (u32)op->arg[0], (u32)op->arg[1], (u32)op->arg[2]) :
		     -ENODEV;
}

s64 sys_step(struct sys_call *call)
{
	struct sys_op *op = call->op;

	switch (op->nr) {
	case SYS_SOCKET:
		return step_socket(call);
	case SYS_CLOSE:
		return step_close(call);
	case SYS_FCNTL:
		return step_fcntl(call);
	case SYS_DUP:
		return step_dup(call);
	case SYS_POLL:
		return sys_poll(call);
	case SYS_EPOLL_CREATE:
		return epoll_create_fd(call->host);
	case SYS_EPOLL_CTL:
		return step_epoll_ctl(call);
	case SYS_EPOLL_WAIT:
		return sys_epoll_wait(call);
	case SYS_PIPE:
		return sys_pipe(call);
	case SYS_MEMFD:
		return sys_memfd(call);
	case SYS_SPLICE:
		return sys_splice(call);
	case SYS_SENDFILE:
		return sys_sendfile(call);
	default:
		return step_on_socket(call);
	}
}
