/* SPDX-License-Identifier: MIT */
/*
 * struct socket: between descriptors and protocols (net/socket.c), boot and end of the socket
 * layer.
 *
 * Invariants: a socket with a file is freed with it; sock->sk->socket is the socket from creation
 * to release.
 */
#include "socket/socket.h"

#include "socket/sys.h"

static u32 sock_poll(struct file *f)
{
	struct socket *sock = f->private;

	return sock->ops->poll(sock, f->f_flags);
}

static struct wait_queue_head *sock_wait_queue(struct file *f)
{
	struct socket *sock = f->private;

	return &sock->sk->wq;
}

static void sock_close(struct host *h, struct file *f)
{
	(void)h;
	struct socket *sock = f->private;

	sock->file = NULL;
	sock_release(sock);
}

static const struct file_ops socket_file_ops = {
	.poll = sock_poll,
	.wait_queue = sock_wait_queue,
	.release = sock_close,
};

struct socket *sock_alloc(struct host *h)
{
	struct socket *sock = mem_zalloc(h->world, MEM_SOCKET, sizeof(*sock));

	if (sock)
		sock->state = SS_UNCONNECTED;
	return sock;
}

void sock_free(struct host *h, struct socket *sock)
{
	mem_free(h->world, MEM_SOCKET, sock, sizeof(*sock));
}

void sock_release(struct socket *sock)
{
	struct host *h = sock->sk->net->host;

	ASSERT(!sock->file);
	sock->ops->release(sock);
	sock_free(h, sock);
}

int sock_map_fd(struct host *h, struct socket *sock, u32 flags)
{
	struct file *f =
		alloc_file(h, &socket_file_ops, sock, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	int fd;

	if (!f)
		return -ENOMEM;
	sock->file = f;
	fd = fd_install(h, f);
	if (fd < 0) {
		sock->file = NULL;
		mem_free(h->world, MEM_FILE, f, sizeof(*f));
	}
	return fd;
}

int sock_create_fd(struct net *net, u32 family, u32 type, u32 protocol)
{
	struct host *h = net->host;
	u32 flags = type & ~(u32)SOCK_TYPE_MASK;
	net_proto_family_fn create;
	struct socket *sock;
	int ret;

	if (flags & ~(u32)(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	type &= SOCK_TYPE_MASK;
	if (family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (type > 10)
		return -EINVAL;
	create = h->families->create[family];
	if (!create)
		return -EAFNOSUPPORT;
	sock = sock_alloc(h);
	if (!sock)
		return -ENOMEM;
	sock->type = (u16)type;
	ret = create(net, sock, protocol);
	if (ret) {
		sock_free(h, sock);
		return ret;
	}
	ret = sock_map_fd(h, sock, flags);
	if (ret < 0)
		sock_release(sock);
	return ret;
}

struct socket *file_socket(const struct file *f, int *err)
{
	*err = !f ? -EBADF : f->ops != &socket_file_ops ? -ENOTSOCK : 0;
	return *err ? NULL : f->private;
}

struct socket *sockfd_lookup(const struct host *h, s32 fd, int *err)
{
	return file_socket(fget(h, fd), err);
}

void sock_graft(struct sock *sk, struct socket *sock)
{
	ASSERT(!sk->socket);
	sock->sk = sk;
	sk->socket = sock;
	sk->sk_flags &= ~SOCK_DEAD;
}

int sock_init(struct host *h)
{
	h->families = mem_zalloc(h->world, MEM_MISC, sizeof(*h->families));
	if (!h->families)
		return -ENOMEM;
	h->families->create[AF_INET] = inet_create;
	h->families->create[AF_INET6] = inet6_create;
	h->families->create[AF_PACKET] = packet_create;
	if (files_init(h)) {
		sock_exit(h);
		return -ENOMEM;
	}
	return 0;
}

void sock_exit(struct host *h)
{
	files_exit(h);
	if (h->families)
		mem_free(h->world, MEM_MISC, h->families, sizeof(*h->families));
	h->families = NULL;
}

void sock_kill_all(struct host *h)
{
	struct files_struct *files = h->files;

	sys_kill_all(h);
	for (u32 fd = 0; fd < files->size; fd++)
		if (files->fd[fd])
			close_fd(h, (s32)fd);
	ASSERT(files->open == 0);
}

void sock_check(struct host *h, u32 level)
{
	const struct files_struct *files = h->files;
	u32 open = 0;

	if (!level)
		return;
	for (u32 fd = 0; fd < files->size; fd++) {
		const struct file *f = files->fd[fd];
		const struct socket *sock;

		if (!f) {
			ASSERT(fd < FIRST_FD || fd >= files->next_fd);
			continue;
		}
		open++;
		ASSERT(f->refs > 0);
		if (f->ops != &socket_file_ops)
			continue;
		sock = f->private;
		ASSERT(sock->file == f && sock->sk && sock->sk->socket == sock);
	}
	ASSERT(open == files->open);
	packet_check(h);
	sys_check(h);
}
