/* SPDX-License-Identifier: MIT */
/*
 * The plug-in entry of the original packetdrill: its socket calls, its network device and its clock
 * are those of a host in a world of ours. Scripts then run on virtual time.
 *
 * The clock stands still but where packetdrill waits: usleep() moves it on, a reading of the time
 * moves it a microsecond (packetdrill waits by reading), the wait for a packet to the world's next
 * event. A call that blocks moves it until it ends when packetdrill's main thread makes it; made by
 * another thread (packetdrill has one for calls that a script marks as blocking) it waits for the
 * main thread to do so.
 *
 * Invariants: one lock is held wherever the world is touched; every call has ended before its
 * buffers are gone.
 */
#include "plugin/host.h"

#ifdef TAPLINE_PACKETDRILL_HEADER
#include TAPLINE_PACKETDRILL_HEADER
#else
#include "plugin/packetdrill_interface.h"
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define USEC	   1000ull
#define WAIT_NS	   (1000 * USEC) /* how long a wait for a packet moves the clock at most */
#define EPOCH_SECS 1700000000ll /* what gettimeofday() says where the world has 0 */
#define MAX_BYTES  (64u << 20)

struct plugin {
	struct plugin_host *host;
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a call of another thread has */
	pthread_t main_thread;
};

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface);

/* -- Calls -- */

static void on_done(struct sys_op *op)
{
	struct plugin *p = op->ctx;
	struct sut *s = plugin_host_sut(p->host);

	s->ops->stop(s);
	pthread_cond_broadcast(&p->ended);
}

static long failed(int code)
{
	errno = code;
	return -1;
}

/* Makes the call and waits for its end: what it returned, or -1 with errno. */
static long call(struct plugin *p, struct sys_op *op)
{
	struct sut *s = plugin_host_sut(p->host);
	int err;

	op->done = on_done;
	op->ctx = p;
	if (op->data_len > MAX_BYTES)
		return failed(EINVAL);
	pthread_mutex_lock(&p->lock);
	err = s->ops->submit(s, op);
	if (!err)
		plugin_host_run(p->host, plugin_host_now(p->host), false);
	while (!err && !op->completed) {
		if (!pthread_equal(pthread_self(), p->main_thread)) {
			pthread_cond_wait(&p->ended, &p->lock);
		} else if (s->ops->next_event(s) == TIME_NEVER) {
			s->ops->cancel(s, op); /* nothing can end it any more */
		} else {
			plugin_host_run(p->host, s->ops->next_event(s), false);
		}
	}
	pthread_mutex_unlock(&p->lock);
	if (err || op->ret < 0)
		return failed(err ? -err : (int)-op->ret);
	return (long)op->ret;
}

static struct sys_op op_of(u32 nr, int fd)
{
	return (struct sys_op){ .nr = nr, .fd = fd, .timeout_ns = TIME_NEVER };
}

/* An address of the system's as one of ours. */
static bool take_address(struct sys_op *op, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (!addr)
		return true;
	if (len < sizeof(addr->sa_family))
		return false;
	op->has_addr = true;
	op->addr.family = addr->sa_family;
	if (addr->sa_family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, addr, sizeof(in));
		op->addr.port = ntohs(in.sin_port);
		memcpy(op->addr.addr, &in.sin_addr, 4);
	} else if (addr->sa_family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, addr, sizeof(in6));
		op->addr.port = ntohs(in6.sin6_port);
		op->addr.scope_id = in6.sin6_scope_id;
		memcpy(op->addr.addr, &in6.sin6_addr, 16);
	} else if (addr->sa_family != AF_UNSPEC) {
		return false;
	}
	return true;
}

static void give_address(const struct sys_op *op, void *addr, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(op->addr.port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(op->addr.port) };
	bool v6 = op->addr.family == AF_INET6;
	socklen_t size = v6 ? sizeof(in6) : sizeof(in);

	if (!addr || !len)
		return;
	memcpy(&in.sin_addr, op->addr.addr, 4);
	memcpy(&in6.sin6_addr, op->addr.addr, 16);
	in6.sin6_scope_id = op->addr.scope_id;
	memcpy(addr, v6 ? (void *)&in6 : (void *)&in, *len < size ? *len : size);
	*len = size;
}

/* -- Sockets -- */

static int do_socket(void *userdata, int domain, int type, int protocol)
{
	struct sys_op op = op_of(SYS_SOCKET, -1);

	op.arg[0] = (u64)domain;
	op.arg[1] = (u64)type;
	op.arg[2] = (u64)protocol;
	return (int)call(userdata, &op);
}

static int with_address(struct plugin *p, u32 nr, int fd, const struct sockaddr *addr,
			socklen_t len)
{
	struct sys_op op = op_of(nr, fd);

	if (!addr || !take_address(&op, addr, len))
		return (int)failed(addr ? EINVAL : EFAULT);
	return (int)call(p, &op);
}

static int do_bind(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	return with_address(userdata, SYS_BIND, fd, addr, len);
}

static int do_connect(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	return with_address(userdata, SYS_CONNECT, fd, addr, len);
}

static int with_number(struct plugin *p, u32 nr, int fd, u64 number)
{
	struct sys_op op = op_of(nr, fd);

	op.arg[0] = number;
	return (int)call(p, &op);
}

static int do_listen(void *userdata, int fd, int backlog)
{
	return with_number(userdata, SYS_LISTEN, fd, (u64)backlog);
}

static int do_accept(void *userdata, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sys_op op = op_of(SYS_ACCEPT, fd);
	int made = (int)call(userdata, &op);

	if (made >= 0)
		give_address(&op, addr, len);
	return made;
}

static int do_close(void *userdata, int fd)
{
	return with_number(userdata, SYS_CLOSE, fd, 0);
}

static int do_shutdown(void *userdata, int fd, int how)
{
	return with_number(userdata, SYS_SHUTDOWN, fd, (u64)how);
}

static int do_fcntl(void *userdata, int fd, int command, ...)
{
	struct sys_op op = op_of(SYS_FCNTL, fd);
	va_list args;

	va_start(args, command);
	op.arg[0] = (u64)command;
	op.arg[1] = (u64)va_arg(args, long);
	va_end(args);
	return (int)call(userdata, &op);
}

/* The requests that scripts make give an int. */
static int do_ioctl(void *userdata, int fd, unsigned long request, ...)
{
	struct sys_op op = op_of(SYS_IOCTL, fd);
	va_list args;
	int *value, result;

	va_start(args, request);
	value = va_arg(args, int *);
	va_end(args);
	op.arg[0] = request;
	result = (int)call(userdata, &op);
	if (result < 0)
		return -1;
	if (value)
		*value = result;
	return 0;
}

static int do_getsockopt(void *userdata, int fd, int level, int name, void *value, socklen_t *len)
{
	struct sys_op op = op_of(SYS_GETSOCKOPT, fd);
	long got;

	if (!value || !len)
		return (int)failed(EFAULT);
	op.arg[0] = (u64)level;
	op.arg[1] = (u64)name;
	op.data = value;
	op.data_len = *len;
	got = call(userdata, &op);
	if (got < 0)
		return -1;
	*len = (socklen_t)got;
	return 0;
}

static int do_setsockopt(void *userdata, int fd, int level, int name, const void *value,
			 socklen_t len)
{
	struct sys_op op = op_of(SYS_SETSOCKOPT, fd);

	op.arg[0] = (u64)level;
	op.arg[1] = (u64)name;
	op.data = (u8 *)(uintptr_t)value; /* only read */
	op.data_len = len;
	return (int)call(userdata, &op);
}

/* -- Data -- */

static size_t iov_size(const struct iovec *iov, size_t count)
{
	size_t i, sum = 0;

	for (i = 0; i < count && sum <= MAX_BYTES; i++)
		sum += iov[i].iov_len < MAX_BYTES ? iov[i].iov_len : MAX_BYTES + 1;
	return sum;
}

/* Between the pieces and one buffer. */
static void iov_copy(const struct iovec *iov, size_t count, u8 *bytes, size_t len, bool out)
{
	size_t i;

	for (i = 0; i < count && len; i++) {
		size_t n = iov[i].iov_len < len ? iov[i].iov_len : len;

		if (n && out)
			memcpy(iov[i].iov_base, bytes, n);
		else if (n)
			memcpy(bytes, iov[i].iov_base, n);
		bytes += n;
		len -= n;
	}
}

static ssize_t do_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags)
{
	struct sys_op op = op_of(SYS_SENDMSG, fd);
	size_t len = iov_size(msg->msg_iov, msg->msg_iovlen);
	bool one = msg->msg_iovlen == 1;
	ssize_t result;

	if (len > MAX_BYTES ||
	    !take_address(&op, msg->msg_name, msg->msg_name ? msg->msg_namelen : 0))
		return failed(EINVAL);
	op.arg[0] = (u64)flags;
	op.data = one ? msg->msg_iov[0].iov_base : malloc(len + !len);
	op.data_len = (u32)len;
	if (!one && op.data)
		iov_copy(msg->msg_iov, msg->msg_iovlen, op.data, len, false);
	op.control = msg->msg_control;
	op.control_len = msg->msg_control ? (u32)msg->msg_controllen : 0;
	result = call(userdata, &op);
	if (!one)
		free(op.data);
	return result;
}

static ssize_t do_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags)
{
	struct sys_op op = op_of(SYS_RECVMSG, fd);
	size_t len = iov_size(msg->msg_iov, msg->msg_iovlen);
	u8 *bytes = len > MAX_BYTES ? NULL : calloc(1, len + !len);
	ssize_t result;

	if (!bytes)
		return failed(EINVAL);
	op.arg[0] = (u64)flags;
	op.data = bytes;
	op.data_len = (u32)len;
	op.control = msg->msg_control;
	op.control_len = msg->msg_control ? (u32)msg->msg_controllen : 0;
	result = call(userdata, &op);
	if (result >= 0) {
		iov_copy(msg->msg_iov, msg->msg_iovlen, bytes,
			 (size_t)result < len ? (size_t)result : len, true);
		if (op.addr.family)
			give_address(&op, msg->msg_name, &msg->msg_namelen);
		msg->msg_controllen = op.control_len;
		msg->msg_flags = (int)op.msg_flags;
	}
	free(bytes);
	return result;
}

static ssize_t do_sendto(void *userdata, int fd, const void *buf, size_t len, int flags,
			 const struct sockaddr *addr, socklen_t addrlen)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	const struct msghdr msg = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_name = (void *)(uintptr_t)addr,
				    .msg_namelen = addr ? addrlen : 0 };

	return do_sendmsg(userdata, fd, &msg, flags);
}

static ssize_t do_send(void *userdata, int fd, const void *buf, size_t len, int flags)
{
	return do_sendto(userdata, fd, buf, len, flags, NULL, 0);
}

static ssize_t do_write(void *userdata, int fd, const void *buf, size_t len)
{
	return do_sendto(userdata, fd, buf, len, 0, NULL, 0);
}

static ssize_t do_writev(void *userdata, int fd, const struct iovec *iov, int count)
{
	const struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
				    .msg_iovlen = count < 0 ? 0 : (size_t)count };

	return do_sendmsg(userdata, fd, &msg, 0);
}

static ssize_t do_recvfrom(void *userdata, int fd, void *buf, size_t len, int flags,
			   struct sockaddr *addr, socklen_t *addrlen)
{
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_name = addr,
			      .msg_namelen = addrlen ? *addrlen : 0 };
	ssize_t result = do_recvmsg(userdata, fd, &msg, flags);

	if (result >= 0 && addrlen)
		*addrlen = msg.msg_namelen;
	return result;
}

static ssize_t do_recv(void *userdata, int fd, void *buf, size_t len, int flags)
{
	return do_recvfrom(userdata, fd, buf, len, flags, NULL, NULL);
}

static ssize_t do_read(void *userdata, int fd, void *buf, size_t len)
{
	return do_recvfrom(userdata, fd, buf, len, 0, NULL, NULL);
}

static ssize_t do_readv(void *userdata, int fd, const struct iovec *iov, int count)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
			      .msg_iovlen = count < 0 ? 0 : (size_t)count };

	return do_recvmsg(userdata, fd, &msg, 0);
}

/* -- Sets of descriptors, pipes -- */

static u64 timeout_of(int ms)
{
	return ms < 0 ? TIME_NEVER : (u64)ms * 1000 * USEC;
}

static int do_poll(void *userdata, struct pollfd *fds, nfds_t count, int timeout)
{
	struct sys_op op = op_of(SYS_POLL, -1);
	struct sys_pollfd *list;
	int result;
	nfds_t i;

	if (count > 1024)
		return (int)failed(EINVAL);
	list = calloc(count + !count, sizeof(*list));
	if (!list)
		return (int)failed(ENOMEM);
	for (i = 0; i < count; i++)
		list[i] = (struct sys_pollfd){ fds[i].fd, (u16)fds[i].events, 0 };
	op.data = (u8 *)list;
	op.data_len = (u32)(count * sizeof(*list));
	op.timeout_ns = timeout_of(timeout);
	result = (int)call(userdata, &op);
	for (i = 0; result >= 0 && i < count; i++)
		fds[i].revents = (short)list[i].revents;
	free(list);
	return result;
}

static int do_epoll_create(void *userdata, int size)
{
	return size <= 0 ? (int)failed(EINVAL) : with_number(userdata, SYS_EPOLL_CREATE, -1, 0);
}

static int do_epoll_ctl(void *userdata, int set, int command, int fd, struct epoll_event *event)
{
	struct sys_op op = op_of(SYS_EPOLL_CTL, set);

	op.arg[0] = (u64)command;
	op.arg[1] = (u64)(s64)fd;
	op.data = (u8 *)event; /* Linux's 12 bytes on x86-64 */
	op.data_len = event ? sizeof(*event) : 0;
	return (int)call(userdata, &op);
}

static int do_epoll_wait(void *userdata, int set, struct epoll_event *events, int count,
			 int timeout)
{
	struct sys_op op = op_of(SYS_EPOLL_WAIT, set);

	if (count <= 0 || count > 1024)
		return (int)failed(EINVAL);
	op.arg[0] = (u64)count;
	op.data = (u8 *)events;
	op.data_len = (u32)count * (u32)sizeof(*events);
	op.timeout_ns = timeout_of(timeout);
	return (int)call(userdata, &op);
}

static int do_pipe(void *userdata, int ends[2])
{
	struct sys_op op = op_of(SYS_PIPE, -1);
	long both = call(userdata, &op);

	if (both < 0)
		return -1;
	ends[0] = (int)(both & 0x7fffffff);
	ends[1] = (int)(both >> 32);
	return 0;
}

static int do_splice(void *userdata, int in, off_t *in_offset, int out, off_t *out_offset,
		     size_t len, unsigned int flags)
{
	struct sys_op op = op_of(SYS_SPLICE, in);

	if (in_offset || out_offset)
		return (int)failed(ESPIPE);
	op.arg[0] = (u64)(s64)out;
	op.arg[1] = len;
	op.arg[2] = flags;
	return (int)call(userdata, &op);
}

/* -- The device and the clock -- */

static int do_netdev_send(void *userdata, const void *buf, size_t count)
{
	struct plugin *p = userdata;
	bool ok;

	if (count > 65535)
		return (int)failed(EMSGSIZE);
	pthread_mutex_lock(&p->lock);
	ok = plugin_host_send(p->host, buf, (u32)count);
	pthread_mutex_unlock(&p->lock);
	return ok ? 0 : (int)failed(EIO);
}

static long long usecs(u64 ns)
{
	return EPOCH_SECS * 1000000 + (long long)(ns / USEC);
}

static int do_netdev_receive(void *userdata, void *buf, size_t *count, long long *time_usecs)
{
	struct plugin *p = userdata;
	u32 room = *count < UINT32_MAX ? (u32)*count : UINT32_MAX, len;
	u64 time = 0;

	pthread_mutex_lock(&p->lock);
	len = plugin_host_take(p->host, buf, room, &time);
	if (!len) {
		plugin_host_run(p->host, plugin_host_now(p->host) + WAIT_NS, true);
		len = plugin_host_take(p->host, buf, room, &time);
	}
	pthread_mutex_unlock(&p->lock);
	*count = len < room ? len : room;
	if (len)
		*time_usecs = usecs(time);
	return 0;
}

/* The clock goes on by so much, whatever stops the world on the way. */
static u64 pass_time(struct plugin *p, u64 ns)
{
	u64 until;

	pthread_mutex_lock(&p->lock);
	until = plugin_host_now(p->host) + ns;
	while (plugin_host_now(p->host) < until)
		plugin_host_run(p->host, until, false);
	pthread_mutex_unlock(&p->lock);
	return until;
}

static int do_usleep(void *userdata, useconds_t usec)
{
	pass_time(userdata, usec * USEC);
	return 0;
}

static int do_gettimeofday(void *userdata, struct timeval *tv, struct timezone *tz)
{
	long long now = usecs(pass_time(userdata, USEC));

	(void)tz;
	tv->tv_sec = (time_t)(now / 1000000);
	tv->tv_usec = (suseconds_t)(now % 1000000);
	return 0;
}

/* -- Life -- */

static void do_free(void *userdata)
{
	struct plugin *p = userdata;

	if (!p)
		return;
	plugin_host_free(p->host);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->ended);
	free(p);
}

__attribute__((visibility("default"))) void
packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface)
{
	struct plugin *p = calloc(1, sizeof(*p));

	memset(interface, 0, sizeof(*interface));
	if (p)
		p->host = plugin_host_new(flags);
	if (!p || !p->host)
		abort(); /* the message is out; the entry has no way to say so */
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->ended, NULL);
	p->main_thread = pthread_self();
	interface->userdata = p;
	interface->socket = do_socket;
	interface->bind = do_bind;
	interface->listen = do_listen;
	interface->accept = do_accept;
	interface->connect = do_connect;
	interface->read = do_read;
	interface->readv = do_readv;
	interface->recv = do_recv;
	interface->recvfrom = do_recvfrom;
	interface->recvmsg = do_recvmsg;
	interface->write = do_write;
	interface->writev = do_writev;
	interface->send = do_send;
	interface->sendto = do_sendto;
	interface->sendmsg = do_sendmsg;
	interface->fcntl = do_fcntl;
	interface->ioctl = do_ioctl;
	interface->close = do_close;
	interface->shutdown = do_shutdown;
	interface->getsockopt = do_getsockopt;
	interface->setsockopt = do_setsockopt;
	interface->poll = do_poll;
	interface->netdev_send = do_netdev_send;
	interface->netdev_receive = do_netdev_receive;
	interface->usleep = do_usleep;
	interface->gettimeofday = do_gettimeofday;
	interface->epoll_create = do_epoll_create;
	interface->epoll_ctl = do_epoll_ctl;
	interface->epoll_wait = do_epoll_wait;
	interface->pipe = do_pipe;
	interface->splice = do_splice;
	interface->free = do_free;
}
