/* SPDX-License-Identifier: MIT */
/*
 * The plug-in entry of the original packetdrill: its socket calls, its network device and its clock
 * are those of a host in a world of ours. Scripts then run on virtual time.
 *
 * The clock stands still but where packetdrill waits: usleep() moves it on, a reading of the time
 * moves it a microsecond (packetdrill waits by reading), the wait for a packet to the world's next
 * event. What a call that blocks does: call.c.
 */
#include "plugin/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define USEC	   1000ull
#define WAIT_NS	   (1000 * USEC) /* how long a wait for a packet moves the clock at most */
#define EPOCH_SECS 1700000000ll /* what gettimeofday() says where the world has 0 */

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface);

/* -- Sockets -- */

static int do_socket(void *userdata, int domain, int type, int protocol)
{
	struct sys_op op = plugin_op(SYS_SOCKET, -1);

	op.arg[0] = (u64)domain;
	op.arg[1] = (u64)type;
	op.arg[2] = (u64)protocol;
	return (int)plugin_call(userdata, &op);
}

static int with_address(struct plugin *p, u32 nr, int fd, const struct sockaddr *addr,
			socklen_t len)
{
	struct sys_op op = plugin_op(nr, fd);

	if (!addr || !plugin_take_address(&op, addr, len))
		return (int)plugin_failed(addr ? EINVAL : EFAULT);
	return (int)plugin_call(p, &op);
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
	struct sys_op op = plugin_op(nr, fd);

	op.arg[0] = number;
	return (int)plugin_call(p, &op);
}

static int do_listen(void *userdata, int fd, int backlog)
{
	return with_number(userdata, SYS_LISTEN, fd, (u64)backlog);
}

static int do_accept(void *userdata, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sys_op op = plugin_op(SYS_ACCEPT, fd);
	int made = (int)plugin_call(userdata, &op);

	if (made >= 0)
		plugin_give_address(&op, addr, len);
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
	struct sys_op op = plugin_op(SYS_FCNTL, fd);
	va_list args;

	va_start(args, command);
	op.arg[0] = (u64)command;
	op.arg[1] = (u64)va_arg(args, long);
	va_end(args);
	return (int)plugin_call(userdata, &op);
}

/* The requests that scripts make give an int. */
static int do_ioctl(void *userdata, int fd, unsigned long request, ...)
{
	struct sys_op op = plugin_op(SYS_IOCTL, fd);
	va_list args;
	int *value, result;

	va_start(args, request);
	value = va_arg(args, int *);
	va_end(args);
	op.arg[0] = request;
	result = (int)plugin_call(userdata, &op);
	if (result < 0)
		return -1;
	if (value)
		*value = result;
	return 0;
}

static int do_getsockopt(void *userdata, int fd, int level, int name, void *value, socklen_t *len)
{
	struct sys_op op = plugin_op(SYS_GETSOCKOPT, fd);
	long got;

	if (!value || !len)
		return (int)plugin_failed(EFAULT);
	op.arg[0] = (u64)level;
	op.arg[1] = (u64)name;
	op.data = value;
	op.data_len = *len;
	got = plugin_call(userdata, &op);
	if (got < 0)
		return -1;
	*len = (socklen_t)got;
	return 0;
}

static int do_setsockopt(void *userdata, int fd, int level, int name, const void *value,
			 socklen_t len)
{
	struct sys_op op = plugin_op(SYS_SETSOCKOPT, fd);

	op.arg[0] = (u64)level;
	op.arg[1] = (u64)name;
	op.data = (u8 *)(uintptr_t)value; /* only read */
	op.data_len = len;
	return (int)plugin_call(userdata, &op);
}

/* -- Sets of descriptors, pipes -- */

static u64 timeout_of(int ms)
{
	return ms < 0 ? TIME_NEVER : (u64)ms * 1000 * USEC;
}

static int do_poll(void *userdata, struct pollfd *fds, nfds_t count, int timeout)
{
	struct sys_op op = plugin_op(SYS_POLL, -1);
	struct sys_pollfd *list;
	int result;
	nfds_t i;

	if (count > 1024)
		return (int)plugin_failed(EINVAL);
	list = calloc(count + !count, sizeof(*list));
	if (!list)
		return (int)plugin_failed(ENOMEM);
	for (i = 0; i < count; i++)
		list[i] = (struct sys_pollfd){ fds[i].fd, (u16)fds[i].events, 0 };
	op.data = (u8 *)list;
	op.data_len = (u32)(count * sizeof(*list));
	op.timeout_ns = timeout_of(timeout);
	result = (int)plugin_call(userdata, &op);
	for (i = 0; result >= 0 && i < count; i++)
		fds[i].revents = (short)list[i].revents;
	free(list);
	return result;
}

static int do_epoll_create(void *userdata, int size)
{
	return size <= 0 ? (int)plugin_failed(EINVAL) :
			   with_number(userdata, SYS_EPOLL_CREATE, -1, 0);
}

static int do_epoll_ctl(void *userdata, int set, int command, int fd, struct epoll_event *event)
{
	struct sys_op op = plugin_op(SYS_EPOLL_CTL, set);

	op.arg[0] = (u64)command;
	op.arg[1] = (u64)(s64)fd;
	op.data = (u8 *)event; /* Linux's 12 bytes on x86-64 */
	op.data_len = event ? sizeof(*event) : 0;
	return (int)plugin_call(userdata, &op);
}

static int do_epoll_wait(void *userdata, int set, struct epoll_event *events, int count,
			 int timeout)
{
	struct sys_op op = plugin_op(SYS_EPOLL_WAIT, set);

	if (count <= 0 || count > 1024)
		return (int)plugin_failed(EINVAL);
	op.arg[0] = (u64)count;
	op.data = (u8 *)events;
	op.data_len = (u32)count * (u32)sizeof(*events);
	op.timeout_ns = timeout_of(timeout);
	return (int)plugin_call(userdata, &op);
}

static int do_pipe(void *userdata, int ends[2])
{
	struct sys_op op = plugin_op(SYS_PIPE, -1);
	long both = plugin_call(userdata, &op);

	if (both < 0)
		return -1;
	ends[0] = (int)(both & 0x7fffffff);
	ends[1] = (int)(both >> 32);
	return 0;
}

static int do_splice(void *userdata, int in, off_t *in_offset, int out, off_t *out_offset,
		     size_t len, unsigned int flags)
{
	struct sys_op op = plugin_op(SYS_SPLICE, in);

	if (in_offset || out_offset)
		return (int)plugin_failed(ESPIPE);
	op.arg[0] = (u64)(s64)out;
	op.arg[1] = len;
	op.arg[2] = flags;
	return (int)plugin_call(userdata, &op);
}

/* -- The device and the clock -- */

static int do_netdev_send(void *userdata, const void *buf, size_t count)
{
	struct plugin *p = userdata;
	bool ok;

	if (count > 65535)
		return (int)plugin_failed(EMSGSIZE);
	pthread_mutex_lock(&p->lock);
	ok = plugin_host_send(p->host, buf, (u32)count);
	pthread_mutex_unlock(&p->lock);
	return ok ? 0 : (int)plugin_failed(EIO);
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
	plugin_data_entries(interface);
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
